import { errorMessage } from '../std/index.ts';
import { type Credential, type CredentialSource, fingerprint } from './credentials.ts';
import { RegistryError } from './errors.ts';

/** One entry of a docker config that holds credentials. */
export type DockerAuth = { key: string; host: string; path: string; credential: Credential };

/** A docker `config.json` as far as Sluice reads it. */
export type DockerConfig = { auths: readonly DockerAuth[]; credentialHelpers: ReadonlyMap<string, string>; credentialStore?: string };

/** Largest docker config read, bytes: a Kubernetes Secret's own limit. */
const MAX_CONFIG = 1024 * 1024;
const HUB_NAMES = new Set(['docker.io', 'registry-1.docker.io', 'registry.hub.docker.com']);

function invalid(subject: string, cause: string): RegistryError {
  return new RegistryError({
    code: 'CredentialsInvalid',
    message: `parse docker config ${JSON.stringify(subject)}: ${cause}`,
    subject,
    retryable: false,
  });
}

/**
 * Parses `config.json` / `.dockerconfigjson` (`{"auths": …}`), or the old `.dockercfg` (the map alone) with `legacy`.
 * @param subject where it came from, for the error text; the content itself is never quoted
 * @throws RegistryError `CredentialsInvalid`
 */
export function parseDockerConfig(text: string, subject: string, legacy = false): DockerConfig {
  if (text.length > MAX_CONFIG) throw invalid(subject, `longer than ${MAX_CONFIG} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // JSON.parse quotes its input in the message, which may be a password.
    throw invalid(subject, 'not JSON');
  }
  if (!isRecord(value)) throw invalid(subject, 'not an object');
  const auths = legacy ? value : (value['auths'] ?? {});
  if (!isRecord(auths)) throw invalid(subject, '"auths" is not an object');
  const store = legacy ? undefined : value['credsStore'];
  return {
    auths: Object.entries(auths).map(([key, auth]) => parseAuth(key, auth, subject)),
    credentialHelpers: legacy ? new Map() : helperMap(value['credHelpers']),
    ...(typeof store === 'string' && store !== '' ? { credentialStore: store } : {}),
  };
}

function helperMap(value: unknown): Map<string, string> {
  const map = new Map<string, string>();
  if (isRecord(value)) for (const [host, helper] of Object.entries(value)) if (typeof helper === 'string') map.set(host, helper);
  return map;
}

function parseAuth(key: string, value: unknown, subject: string): DockerAuth {
  if (!isRecord(value)) throw invalid(subject, `entry ${JSON.stringify(key)} is not an object`);
  return { key, ...splitKey(key), credential: toCredential(key, value, subject) };
}

function toCredential(key: string, auth: Record<string, unknown>, subject: string): Credential {
  const text = (name: string): string => (typeof auth[name] === 'string' ? auth[name] : '');
  if (text('registrytoken') !== '') return { kind: 'registryToken', token: text('registrytoken') };
  if (text('identitytoken') !== '') return { kind: 'identityToken', token: text('identitytoken') };
  let username = text('username');
  let password = text('password');
  if (text('auth') !== '') {
    // Docker pads the decoded text with NULs in old files.
    const decoded = Buffer.from(text('auth'), 'base64').toString('utf8').replace(/\0+$/, '');
    const colon = decoded.indexOf(':');
    if (colon < 0) throw invalid(subject, `"auth" of ${JSON.stringify(key)} is not base64 of user:password`);
    username = decoded.slice(0, colon);
    password = decoded.slice(colon + 1);
  }
  if (username === '' && password === '') return { kind: 'anonymous' };
  // What `docker login` stores for an identity token when a helper holds it.
  if (username === '<token>') return { kind: 'identityToken', token: password };
  return { kind: 'basic', username, password };
}

/** `https://host/v1/` → host and empty path; `host/team/app` → host and `team/app`. */
function splitKey(key: string): { host: string; path: string } {
  const bare = key.replace(/^https?:\/\//, '');
  const slash = bare.indexOf('/');
  const host = (slash < 0 ? bare : bare.slice(0, slash)).toLowerCase();
  const path = (slash < 0 ? '' : bare.slice(slash)).replace(/^\/v[12](?=\/|$)/, '').replace(/^\/+|\/+$/g, '');
  return { host: HUB_NAMES.has(host) ? 'index.docker.io' : host, path };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The entry for a repository by Kubernetes' rules: host parts match with `*` and `?` wildcards, part by part, the port exactly, the path as a
 * prefix of whole segments; the longest key wins.
 */
export function findDockerAuth(config: DockerConfig, registry: string, path: string): Credential | undefined {
  const best = config.auths
    .filter(
      (auth) => auth.credential.kind !== 'anonymous' && hostMatches(auth.host, registry.toLowerCase()) && pathMatches(auth.path, path),
    )
    .sort((a, b) => specificity(b) - specificity(a))[0];
  return best?.credential;
}

function specificity(auth: DockerAuth): number {
  return auth.path.length * 1000 + (/[*?[]/.test(auth.host) ? 0 : 500) + Math.min(auth.host.length, 499);
}

function hostMatches(glob: string, host: string): boolean {
  const [globName, globPort] = splitPort(glob);
  const [name, port] = splitPort(host);
  if (globPort !== port) return false;
  const globParts = globName.split('.');
  const parts = name.split('.');
  return globParts.length === parts.length && globParts.every((part, index) => globPart(part, parts[index] ?? ''));
}

function splitPort(host: string): [string, string] {
  const match = /:(\d+)$/.exec(host);
  return match === null ? [host, ''] : [host.slice(0, match.index), match[1] ?? ''];
}

function globPart(glob: string, text: string): boolean {
  if (!/[*?]/.test(glob)) return glob === text;
  // Greedy with one point to return to: linear in practice, quadratic at worst on a label of at most 63 characters.
  let g = 0;
  let star = -1;
  let resume = 0;
  for (let t = 0; t < text.length;) {
    if (g < glob.length && (glob[g] === '?' || (glob[g] === text[t] && glob[g] !== '*'))) {
      g++;
      t++;
    } else if (glob[g] === '*') {
      star = g++;
      resume = t;
    } else if (star >= 0) {
      g = star + 1;
      t = ++resume;
    } else return false;
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}

function pathMatches(prefix: string, path: string): boolean {
  return prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
}

/** Credentials from parsed docker configs (pull secrets), tried in order; helpers they name are not run. */
export function dockerConfigCredentials(configs: readonly DockerConfig[]): CredentialSource {
  const entries = configs.flatMap((config) => config.auths.map((auth) => [auth.key, auth.credential]));
  return {
    id: fingerprint('docker', entries),
    credentialFor(repository) {
      for (const config of configs) {
        const found = findDockerAuth(config, repository.registry, repository.path);
        if (found !== undefined) return Promise.resolve(found);
      }
      return Promise.resolve({ kind: 'anonymous' });
    },
  };
}

/** Runs `docker-credential-<helper> get`: the registry's address goes to its stdin, JSON comes back (`{Username, Secret}`). */
export type CredentialHelper = (
  helper: string,
  address: string,
  signal: AbortSignal,
) => Promise<{ found: true; output: string } | { found: false }>;

/**
 * The CLI's credentials: helpers named for the host, then the entries, then the store. Which program runs is decided by the user's
 * own config file; helper names are limited to what can be a program name.
 */
export function dockerCliCredentials(config: DockerConfig, runHelper: CredentialHelper): CredentialSource {
  const entries = dockerConfigCredentials([config]);
  return {
    id: fingerprint('docker-cli', entries.id, [...config.credentialHelpers], config.credentialStore),
    async credentialFor(repository, signal) {
      const host = repository.registry;
      const named =
        config.credentialHelpers.get(host) ?? (host === 'index.docker.io' ? config.credentialHelpers.get('docker.io') : undefined);
      if (named !== undefined) return askHelper(named, host, runHelper, signal);
      const stored = await entries.credentialFor(repository, signal);
      if (stored.kind !== 'anonymous' || config.credentialStore === undefined) return stored;
      return askHelper(config.credentialStore, host, runHelper, signal);
    },
  };
}

async function askHelper(helper: string, host: string, run: CredentialHelper, signal: AbortSignal): Promise<Credential> {
  const subject = `docker-credential-${helper.slice(0, 100)}`;
  const failed = (cause: string): RegistryError =>
    new RegistryError({
      code: 'CredentialsInvalid',
      message: `ask ${subject} for ${JSON.stringify(host)}: ${cause}`,
      subject,
      retryable: false,
    });
  if (!/^[A-Za-z0-9._-]+$/.test(helper)) throw failed('not a helper name');
  const address = host === 'index.docker.io' ? 'https://index.docker.io/v1/' : host;
  const answer = await run(helper, address, signal).catch((error: unknown) => {
    throw failed(errorMessage(error));
  });
  if (!answer.found) return { kind: 'anonymous' };
  let value: unknown;
  try {
    value = JSON.parse(answer.output);
  } catch {
    throw failed('answer is not JSON');
  }
  if (!isRecord(value) || typeof value['Username'] !== 'string' || typeof value['Secret'] !== 'string')
    throw failed('answer has no Username and Secret');
  if (value['Username'] === '<token>') return { kind: 'identityToken', token: value['Secret'] };
  return { kind: 'basic', username: value['Username'], password: value['Secret'] };
}
