import type { OCIRepository } from '../../api/index.ts';
import {
  dockerConfigCredentials,
  isProviderRegistry,
  keychain,
  parseDockerConfig,
  parseRepository,
  type CloudLogins,
  type CloudProvider,
  type CredentialSource,
  type DockerConfig,
  type LoginAccount,
  type ProxyOptions,
  type RegistryAccess,
  type Repository,
  type TlsOptions,
} from '../../oci/index.ts';
import { configData, type ConfigData, type ConfigReader } from '../../runtime/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { CodedError } from '../../std/index.ts';
import { mirrorsOf } from './annotations.ts';
import { SourceFailure, step } from './failure.ts';

/** What decides who we are to cloud providers. */
export type Identities = {
  logins: CloudLogins;
  /** A token of a ServiceAccount for these audiences (TokenRequest). */
  createToken: (account: { namespace: string; name: string }, audiences: readonly string[], signal: AbortSignal) => Promise<string>;
  /** The gate ObjectLevelWorkloadIdentity: objects log in as ServiceAccounts of their own. */
  objectLevel: boolean;
  /** The account of objects that name none (`--default-service-account`); only with `objectLevel`. */
  defaultServiceAccount: string;
};

/**
 * Who we are to the registry of an OCIRepository and how we get there: its secrets, read now (OB05, OB08), or else a login to its cloud
 * provider (OB06, OB07).
 * @throws SourceFailure `AuthenticationFailed` when something is missing, malformed or refused; `FeatureGateDisabled` (stalls) for an
 * account of the object's own without the gate
 */
export async function readAccess(
  object: OCIRepository,
  configs: ConfigReader,
  identities: Identities,
  signal: AbortSignal,
): Promise<RegistryAccess> {
  const { spec } = object;
  const ownMirrors = mirrorsOf(object);
  const found = await step('AuthenticationFailed', 'failed to get credential', () => readCredentials(object, configs));
  const proxy = await step('AuthenticationFailed', 'failed to get proxy address', () => readProxy(object, configs));
  const provider = spec.provider ?? 'generic';
  const credentials =
    provider === 'generic' || found !== undefined ? found : await cloudLogin(object, provider, configs, identities, proxy, signal);
  const tls = await step('AuthenticationFailed', `failed to generate transport for '${spec.url}'`, () => readTls(object, configs));
  return {
    ...(credentials === undefined ? {} : { credentials }),
    ...(proxy === undefined ? {} : { proxy }),
    ...(tls === undefined ? {} : { tls }),
    ...(spec.insecure === true ? { insecure: true } : {}),
    ...(ownMirrors.length === 0 ? {} : { ownMirrors }),
  };
}

/** Logs in to the provider now, so that a refusal is told as one; the token is kept and shared. */
async function cloudLogin(
  object: OCIRepository,
  provider: CloudProvider,
  configs: ConfigReader,
  identities: Identities,
  proxy: ProxyOptions | undefined,
  signal: AbortSignal,
): Promise<CredentialSource | undefined> {
  const { url, serviceAccountName } = object.spec;
  if (serviceAccountName !== undefined && !identities.objectLevel) {
    throw new SourceFailure(
      'FeatureGateDisabled',
      'to use spec.serviceAccountName for provider authentication please enable the ObjectLevelWorkloadIdentity feature gate in the controller',
      undefined,
      true,
    );
  }
  const repository = repositoryOf(url);
  if (repository === undefined) return undefined;
  return step('AuthenticationFailed', `failed to get credential from ${provider}`, async () => {
    if (!isProviderRegistry(provider, repository.registry)) {
      throw new CodedError({
        code: 'ProviderInvalid',
        message: `'${repository.registry}' is not a registry of ${provider}`,
        subject: repository.registry,
        remedy: 'set spec.provider to the provider of the registry, or to generic',
      });
    }
    const account = await loginAccount(object, configs, identities);
    const credentials = identities.logins.credentials(provider, { account, proxy });
    await credentials.credentialFor(repository, signal);
    return credentials;
  });
}

/** A URL that is no repository is told by whoever resolves it. */
function repositoryOf(url: string): Repository | undefined {
  try {
    return parseRepository(url);
  } catch {
    return undefined;
  }
}

/** The account to log in as; undefined for the identity of the controller. */
async function loginAccount(
  object: OCIRepository,
  configs: ConfigReader,
  { objectLevel, defaultServiceAccount, createToken }: Identities,
): Promise<LoginAccount | undefined> {
  const { namespace } = object.metadata;
  const stated = object.spec.serviceAccountName;
  const name = stated ?? (objectLevel && defaultServiceAccount !== '' ? defaultServiceAccount : undefined);
  if (name === undefined) return undefined;
  const account = await findAccount(configs, namespace, name, stated === undefined ? 'default service account ' : '');
  return {
    namespace,
    name,
    annotations: account.metadata.annotations ?? {},
    createToken: (audiences, signal) => createToken({ namespace, name }, audiences, signal),
  };
}

async function findAccount(configs: ConfigReader, namespace: string, name: string, role = ''): Promise<KubeObject> {
  const account = await configs.find('ServiceAccount', namespace, name);
  if (account !== undefined) return account;
  throw new CodedError({
    code: 'ConfigNotFound',
    message: `get ${role}ServiceAccount "${namespace}/${name}": not found`,
    subject: `ServiceAccount/${namespace}/${name}`,
  });
}

/** Undefined when nothing is named that could hold credentials: only then a cloud login comes into question (OB06). */
async function readCredentials(object: OCIRepository, configs: ConfigReader): Promise<CredentialSource | undefined> {
  const { namespace } = object.metadata;
  const { secretRef, serviceAccountName } = object.spec;
  const secrets: { secret: ConfigData; name: string }[] = [];
  if (secretRef !== undefined) secrets.push({ secret: await configs.data('Secret', namespace, secretRef.name), name: secretRef.name });
  if (serviceAccountName !== undefined) {
    for (const name of pullSecretNames(await findAccount(configs, namespace, serviceAccountName))) {
      const secret = await configs.find('Secret', namespace, name);
      // A pull secret that is named but missing is skipped, as kubelets do.
      if (secret !== undefined) secrets.push({ secret: configData(secret), name });
    }
  }
  if (secrets.length === 0) return undefined;
  const found = secrets.flatMap(({ secret, name }) => pullSecret(secret, `${namespace}/${name}`));
  return keychain(found.map((config) => dockerConfigCredentials([config])));
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
  const url = URL.parse(address ?? '');
  if (url === null || !PROXY_SCHEMES.has(url.protocol)) {
    const cause =
      address === undefined ? "key 'address' not found" : "key 'address' is not a URL that begins with http://, https:// or socks5://";
    throw new CodedError({ code: 'ProxyInvalid', message: `read proxy from ${subject}: ${cause}`, subject });
  }
  const username = value('username');
  // Without a user name those in the address stand.
  if (username !== undefined) {
    url.username = encodeURIComponent(username);
    url.password = encodeURIComponent(value('password') ?? '');
  }
  return { httpProxy: url.href, httpsProxy: url.href };
}

const PROXY_SCHEMES: ReadonlySet<string> = new Set(['http:', 'https:', 'socks5:']);

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
