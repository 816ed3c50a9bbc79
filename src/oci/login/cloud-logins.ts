import type { ProxyOptions } from '../client-types.ts';
import { fingerprint, type Credential, type CredentialSource } from '../credentials.ts';
import type { Repository } from '../reference.ts';
import { awsKeys, ecrLogin, parseEcrRegistry } from './aws.ts';
import { acrLogin, azureCloud, azureToken } from './azure.ts';
import { gcpToken, googleLogin, isGoogleRegistry } from './gcp.ts';
import { LoginHttp } from './login-http.ts';
import type { CloudProvider, LoginAccount, LoginHost, RegistryLogin } from './login-host.ts';
import { TokenCache, type TokenCacheOptions } from './token-cache.ts';

/** Logs in to the registries of cloud providers with the identity we run as, or with that of a ServiceAccount. */
export interface CloudLogins {
  /** Credentials for the provider's registries; anonymous anywhere else. Without an account it is the node's or the pod's identity. */
  credentials(provider: CloudProvider, options?: CloudLoginOptions): CredentialSource;
  /** Ends every connection. */
  close(): Promise<void>;
}

/** Whose identity, and how the provider is reached. */
export type CloudLoginOptions = { account?: LoginAccount | undefined; proxy?: ProxyOptions | undefined };

/** Pools of connections kept, one for each proxy. */
const MAX_PROXIES = 100;

/** True when a host is a registry of the provider: only there do its logins mean anything. */
export function isProviderRegistry(provider: CloudProvider, host: string): boolean {
  switch (provider) {
    case 'aws':
      return parseEcrRegistry(host) !== undefined;
    case 'azure':
      return azureCloud(host) !== undefined;
    case 'gcp':
      return isGoogleRegistry(host);
  }
}

/** Creates the logins of a process: tokens are cached and shared by all who have the same identity. */
export function createCloudLogins(host: LoginHost, options: TokenCacheOptions = {}): CloudLogins {
  return new Logins(host, new TokenCache(host.clock, options));
}

class Logins implements CloudLogins {
  readonly #host: LoginHost;
  readonly #cache: TokenCache;
  readonly #https = new Map<string, LoginHttp>();

  constructor(host: LoginHost, cache: TokenCache) {
    this.#host = host;
    this.#cache = cache;
  }

  credentials(provider: CloudProvider, { account, proxy = this.#host.proxy ?? {} }: CloudLoginOptions = {}): CredentialSource {
    const identity = account === undefined ? 'node' : { namespace: account.namespace, name: account.name, ...identityOf(account) };
    const id = fingerprint('login', provider, identity, proxy);
    const http = this.#http(proxy);
    return {
      id,
      // A login can end early: the role was changed, the registry was made anew. The access token behind it goes as well.
      refused: ({ registry }, credential) => {
        const isIt = (value: unknown): boolean =>
          credential.kind === 'basic' && value instanceof Object && 'password' in value && value.password === credential.password;
        if (!this.#cache.forget(registryKey(id, registry), isIt)) return false;
        this.#cache.forget(accessKey(id, provider, registry), () => true);
        return true;
      },
      credentialFor: async ({ registry }: Repository, signal: AbortSignal): Promise<Credential> => {
        if (!isProviderRegistry(provider, registry)) return { kind: 'anonymous' };
        const { value } = await this.#cache.get(registryKey(id, registry), signal, (shared) =>
          this.#login(provider, registry, account, http, id, shared),
        );
        return { kind: 'basic', ...value };
      },
    };
  }

  /** Two steps, each cached: an access token serves every registry of its place. */
  async #login(
    provider: CloudProvider,
    registry: string,
    account: LoginAccount | undefined,
    http: LoginHttp,
    id: string,
    signal: AbortSignal,
  ): Promise<RegistryLogin> {
    const host = this.#host;
    const key = accessKey(id, provider, registry);
    const ecr = provider === 'aws' ? parseEcrRegistry(registry) : undefined;
    if (ecr !== undefined) {
      const keys = await this.#cache.get(key, signal, (s) => awsKeys(host, http, ecr, account, s));
      return ecrLogin(host, http, ecr, keys.value, signal);
    }
    const cloud = provider === 'azure' ? azureCloud(registry) : undefined;
    if (cloud !== undefined) {
      const token = await this.#cache.get(key, signal, (s) => azureToken(host, http, cloud, account, s));
      return acrLogin(http, registry, token.value, signal);
    }
    return googleLogin(await this.#cache.get(key, signal, (s) => gcpToken(host, http, account, s)));
  }

  #http(proxy: ProxyOptions): LoginHttp {
    const key = JSON.stringify(proxy);
    const known = this.#https.get(key);
    if (known !== undefined) return known;
    const http = new LoginHttp(this.#host, proxy);
    this.#https.set(key, http);
    // Whoever still holds the one that goes can use it to the end; its idle connections close by themselves.
    if (this.#https.size > MAX_PROXIES) this.#https.delete(this.#https.keys().next().value ?? '');
    return http;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#https.values()].map((http) => http.close()));
    this.#https.clear();
  }
}

/** The annotations that decide who an account is: others may change without a new login. */
const IDENTITY_ANNOTATIONS = [
  'eks.amazonaws.com/role-arn',
  'azure.workload.identity/tenant-id',
  'azure.workload.identity/client-id',
  'iam.gke.io/gcp-service-account',
  'gcp.auth.fluxcd.io/workload-identity-provider',
];

function identityOf({ annotations }: LoginAccount): Record<string, string> {
  return Object.fromEntries(IDENTITY_ANNOTATIONS.flatMap((key) => (annotations[key] === undefined ? [] : [[key, annotations[key]]])));
}

/** Under which the login to a registry is kept. */
function registryKey(id: string, registry: string): string {
  return `${id} registry ${registry}`;
}

/** Under which what the login is asked for with is kept: keys in a region, a token in a cloud. */
function accessKey(id: string, provider: CloudProvider, registry: string): string {
  const ecr = provider === 'aws' ? parseEcrRegistry(registry) : undefined;
  return `${id} access ${ecr === undefined ? (azureCloud(registry)?.authority ?? '') : `${ecr.region} ${ecr.domain}`}`;
}
