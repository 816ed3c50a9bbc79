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
}

/** No credentials at all. */
export const anonymous: CredentialSource = { id: 'anonymous', credentialFor: () => Promise.resolve({ kind: 'anonymous' }) };
