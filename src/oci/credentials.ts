import { createHash } from 'node:crypto';
import { RegistryError } from './errors.ts';
import type { Repository } from './reference.ts';

/** How to prove who we are. */
export type Credential =
  | { kind: 'anonymous' }
  | { kind: 'basic'; username: string; password: string }
  /** An OAuth2 refresh token (docker's `identitytoken`, ACR): traded at the token endpoint by POST. */
  | { kind: 'identityToken'; token: string }
  /** A ready bearer token (docker's `registrytoken`, `--creds TOKEN`): sent as it is. */
  | { kind: 'registryToken'; token: string };

/** Where credentials come from. Equal `id`s promise equal credentials: clients, tokens and requests are shared by it. */
export interface CredentialSource {
  /** A fingerprint, never the secret itself. */
  readonly id: string;
  /** The credential for a repository; `anonymous` when there is none. */
  credentialFor(repository: Repository, signal: AbortSignal): Promise<Credential>;
  /** Told that the registry refused a credential. True when the next one asked for may be another: it is worth another try. */
  refused?(repository: Repository, credential: Credential): boolean;
}

const NOBODY: Credential = { kind: 'anonymous' };

/** No credentials at all. */
export const anonymous: CredentialSource = { id: 'anonymous', credentialFor: () => Promise.resolve(NOBODY) };

/** The same credential for every repository. */
export function staticCredentials(credential: Credential): CredentialSource {
  return { id: fingerprint('static', credential), credentialFor: () => Promise.resolve(credential) };
}

/**
 * `--creds` (A11): `user:password`, or a bare registry token.
 * @throws RegistryError `CredentialsInvalid` when empty
 */
export function parseCredentials(text: string): Credential {
  if (text === '')
    throw new RegistryError({ code: 'CredentialsInvalid', message: 'parse credentials: credentials cannot be empty', retryable: false });
  const colon = text.indexOf(':');
  return colon < 0
    ? { kind: 'registryToken', token: text }
    : { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The first source that has something to say decides (OB05: the object's secret, then the service account's pull secrets). */
export function keychain(sources: readonly CredentialSource[]): CredentialSource {
  const [only] = sources;
  if (only === undefined) return anonymous;
  if (sources.length === 1) return only;
  return {
    id: fingerprint('keychain', ...sources.map((source) => source.id)),
    async credentialFor(repository, signal) {
      for (const source of sources) {
        const credential = await source.credentialFor(repository, signal);
        if (credential.kind !== 'anonymous') return credential;
      }
      return NOBODY;
    },
    refused: (repository, credential) => sources.some((source) => source.refused?.(repository, credential) === true),
  };
}

/** A fingerprint of anything JSON can write; used for `id`s, so that a secret never appears in a key. */
export function fingerprint(kind: string, ...parts: readonly unknown[]): string {
  return `${kind}:${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`;
}
