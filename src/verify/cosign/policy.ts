import type { TrustedRoot } from '../sigstore/trusted-root.ts';
import type { IdentityPattern } from './identity.ts';
import type { PublicKey } from './public-key.ts';

/** Whose signatures count. */
export type CosignPolicy =
  /**
   * Signatures by any of these keys. Without `root` nothing but the signature is asked for (OB14); with it the signature must also be
   * in one of the root's transparency logs.
   */
  | { keys: readonly PublicKey[]; root?: TrustedRoot }
  /**
   * Keyless signatures: a certificate of the root's authority, proven by its certificate transparency log, its transparency log and a
   * vouched time, for one of these identities. `'any'` accepts whoever the authority vouches for, and warns.
   */
  | { identities: 'any' | readonly IdentityPattern[]; root: TrustedRoot };

export type CosignOptions = {
  /** The present, against which proofs from the future are refused. */
  now: Date;
  signal?: AbortSignal;
};
