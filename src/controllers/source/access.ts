import type { OCIRepository } from '../../api/index.ts';
import {
  dockerConfigCredentials,
  keychain,
  parseDockerConfig,
  type CredentialSource,
  type DockerConfig,
  type ProxyOptions,
  type RegistryAccess,
  type TlsOptions,
} from '../../oci/index.ts';
import { configData, type ConfigData, type ConfigReader } from '../../runtime/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { CodedError } from '../../std/index.ts';
import { SourceFailure, step } from './failure.ts';

/**
 * Who we are to the registry of an OCIRepository and how we get there: its secrets, read now (OB05, OB08).
 * @throws SourceFailure `AuthenticationFailed` when one is missing or malformed; `FeatureGateDisabled` (stalls) for cloud logins
 */
export async function readAccess(object: OCIRepository, configs: ConfigReader): Promise<RegistryAccess> {
  const { spec } = object;
  const credentials = await step('AuthenticationFailed', 'failed to get credential', () => readCredentials(object, configs));
  if (spec.provider !== 'generic' && credentials === undefined) throw cloudLoginMissing(object);
  const proxy = await step('AuthenticationFailed', 'failed to get proxy address', () => readProxy(object, configs));
  const tls = await step('AuthenticationFailed', `failed to generate transport for '${spec.url}'`, () => readTls(object, configs));
  return {
    ...(credentials === undefined ? {} : { credentials }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(tls === undefined ? {} : { tls }),
    ...(spec.insecure === true ? { insecure: true } : {}),
  };
}

function cloudLoginMissing(object: OCIRepository): SourceFailure {
  const { provider, serviceAccountName } = object.spec;
  const doing =
    serviceAccountName === undefined
      ? `failed to get credential from ${provider}: logging in to ${provider} is not supported by this version; set spec.secretRef to a docker config Secret`
      : 'to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller';
  return new SourceFailure('FeatureGateDisabled', doing, undefined, true);
}

async function readCredentials(object: OCIRepository, configs: ConfigReader): Promise<CredentialSource | undefined> {
  const { namespace } = object.metadata;
  const { secretRef, serviceAccountName } = object.spec;
  const found: DockerConfig[] = [];
  if (secretRef !== undefined)
    found.push(...pullSecret(await configs.data('Secret', namespace, secretRef.name), `${namespace}/${secretRef.name}`));
  if (serviceAccountName !== undefined) {
    const account = await configs.find('ServiceAccount', namespace, serviceAccountName);
    if (account === undefined) {
      throw new CodedError({
        code: 'ConfigNotFound',
        message: `get ServiceAccount "${namespace}/${serviceAccountName}": not found`,
        subject: `ServiceAccount/${namespace}/${serviceAccountName}`,
      });
    }
    for (const name of pullSecretNames(account)) {
      const secret = await configs.find('Secret', namespace, name);
      // A pull secret that is named but missing is skipped, as kubelets do.
      if (secret !== undefined) found.push(...pullSecret(configData(secret), `${namespace}/${name}`));
    }
  }
  return found.length === 0 ? undefined : keychain(found.map((config) => dockerConfigCredentials([config])));
}

function pullSecretNames(account: KubeObject): string[] {
  const references = (account['imagePullSecrets'] ?? []) as { name?: string }[];
  return references.flatMap(({ name }) => (name === undefined ? [] : [name]));
}

/** A Secret without a docker config gives nothing: the registry is then asked anonymously (Part 7). */
function pullSecret(secret: ConfigData, subject: string): DockerConfig[] {
  const modern = secret.data['.dockerconfigjson'];
  if (modern !== undefined) return [parseDockerConfig(Buffer.from(modern).toString(), subject)];
  const legacy = secret.data['.dockercfg'];
  return legacy === undefined ? [] : [parseDockerConfig(Buffer.from(legacy).toString(), subject, true)];
}

async function readProxy(object: OCIRepository, configs: ConfigReader): Promise<ProxyOptions | undefined> {
  const { proxySecretRef } = object.spec;
  if (proxySecretRef === undefined) return undefined;
  const { namespace } = object.metadata;
  const { data } = await configs.data('Secret', namespace, proxySecretRef.name);
  const subject = `Secret/${namespace}/${proxySecretRef.name}`;
  const value = (key: string): string | undefined => (data[key] === undefined ? undefined : Buffer.from(data[key]).toString().trim());
  const address = value('address');
  if (address === undefined || !URL.canParse(address)) {
    const cause = address === undefined ? "key 'address' not found" : "key 'address' is not a URL";
    throw new CodedError({ code: 'ProxyInvalid', message: `read proxy from ${subject}: ${cause}`, subject });
  }
  const url = new URL(address);
  url.username = encodeURIComponent(value('username') ?? '');
  url.password = encodeURIComponent(value('password') ?? '');
  return { httpProxy: url.href, httpsProxy: url.href };
}

async function readTls(object: OCIRepository, configs: ConfigReader): Promise<TlsOptions | undefined> {
  const { certSecretRef } = object.spec;
  if (certSecretRef === undefined) return undefined;
  const { namespace } = object.metadata;
  const { data } = await configs.data('Secret', namespace, certSecretRef.name);
  // `caFile`, `certFile` and `keyFile` are the names of older Flux versions, still in use.
  const value = (key: string, old: string): string | undefined => {
    const bytes = data[key] ?? data[old];
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };
  const ca = value('ca.crt', 'caFile');
  const certificate = value('tls.crt', 'certFile');
  const key = value('tls.key', 'keyFile');
  const subject = `Secret/${namespace}/${certSecretRef.name}`;
  if ((certificate === undefined) !== (key === undefined)) {
    throw new CodedError({
      code: 'TlsInvalid',
      message: `read TLS material from ${subject}: found only one of 'tls.crt' and 'tls.key'`,
      subject,
    });
  }
  if (ca === undefined && certificate === undefined) {
    throw new CodedError({
      code: 'TlsInvalid',
      message: `read TLS material from ${subject}: must contain 'ca.crt', or 'tls.crt' and 'tls.key'`,
      subject,
    });
  }
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
  };
}
