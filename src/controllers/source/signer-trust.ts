import { digestOf } from '../../std/index.ts';
import {
  matchIdentity,
  parseIdentities,
  parseNotationSecret,
  parsePublicKeys,
  parseTrustedRoot,
  VerificationError,
  type IdentityPattern,
  type PublicKey,
  type TrustedRoot,
  type TrustPolicy,
  type TrustStores,
  type Verdict,
} from '../../verify/index.ts';
import { ROOT_KEY, type Wanted } from './verification.ts';

/** By what the signatures of one signer are known. Those with the same `group` are looked for together. */
export type SignerTrust =
  | { kind: 'keys'; group: string; keys: readonly PublicKey[]; root: TrustedRoot | undefined }
  /** Without a root it is the public-good Sigstore. */
  | { kind: 'identities'; group: string; identities: readonly IdentityPattern[]; root: TrustedRoot | undefined }
  | { kind: 'notation'; group: string; policy: TrustPolicy; stores: TrustStores };

/**
 * Reads what a signer is known by. With `anchored`, patterns must match the whole text; a keyless signer without identities would be
 * anybody and is refused.
 * @throws VerificationError `TrustInvalid`
 */
export function readSignerTrust({ provider, files, identities, root: rootFile }: Wanted, { anchored }: { anchored: boolean }): SignerTrust {
  if (provider === 'notation') {
    const named = Object.entries(files ?? {}).map(([name, content]) => [name, digestOf(content)]);
    return { kind: 'notation', group: `notation ${digestOf(JSON.stringify(named))}`, ...parseNotationSecret(files ?? {}) };
  }
  const root = rootFile === undefined ? undefined : parseTrustedRoot(rootFile, ROOT_KEY);
  const place = rootFile === undefined ? '' : digestOf(rootFile);
  if (files !== undefined) return { kind: 'keys', group: `keys ${place}`, keys: parsePublicKeys(Object.entries(files)), root };
  if (identities.length === 0) {
    throw new VerificationError('TrustInvalid', 'neither secretRef nor matchOIDCIdentity: anybody could sign', 'matchOIDCIdentity', []);
  }
  return { kind: 'identities', group: `identities ${place}`, identities: parseIdentities(identities, { anchored }), root };
}

/** Whether a verdict that was found under the group of `trust` is by this signer. */
export function isSigner(trust: SignerTrust, { signer }: Verdict): boolean {
  switch (trust.kind) {
    case 'keys':
      return signer.kind === 'key' && trust.keys.some(({ fingerprint }) => fingerprint === signer.fingerprint);
    case 'identities':
      return signer.kind === 'oidc' && matchIdentity(trust.identities, signer) !== undefined;
    case 'notation':
      return signer.kind === 'x509';
  }
}
