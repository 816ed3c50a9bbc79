import type { Digest } from '../std/index.ts';
import type { Identity, Verdict } from './verdict.ts';

/** Someone whose signature counts once, whatever keys or identities they have. */
export type Party = {
  /** As messages call them. */
  name: string;
  signs(identity: Identity): boolean;
};

/** How many must have signed, and what. */
export type SignerPolicy = {
  /** Distinct signers; default 1. */
  threshold?: number;
  /** Who counts. Without it every signer does that the verdicts' own policies trust. */
  parties?: readonly Party[];
  /** Counts only attestations of this type, whose predicate is accepted. */
  attestation?: { predicateType: string; accepts?: (predicate: unknown) => boolean };
};

export type Satisfaction =
  /** One verdict for each distinct signer that counts: at least `threshold` of them. */
  { satisfied: true; verdicts: readonly Verdict[] } | { satisfied: false; verdicts: readonly Verdict[]; found: string; wanted: string };

/**
 * Whether verdicts about a digest, of any provider, satisfy a policy of k of n. Counted are signers, never signatures: several signatures
 * by one signer are one, a renewed certificate of the same subject is the same signer, and nobody counts for two parties.
 * @throws RangeError for a threshold that is no positive integer, or more than there are parties
 */
export function satisfies(digest: Digest, verdicts: readonly Verdict[], policy: SignerPolicy = {}): Satisfaction {
  const { threshold = 1, parties } = policy;
  if (!Number.isSafeInteger(threshold) || threshold < 1)
    throw new RangeError(`threshold of signers is ${threshold}, want a positive integer`);
  if (parties !== undefined && threshold > parties.length)
    throw new RangeError(`threshold of signers is ${threshold}, but there are ${parties.length} parties`);
  const signers = new Map<string, Verdict>();
  for (const verdict of verdicts) {
    const signer = signerKey(verdict.signer);
    if (verdict.digest === digest && isAttested(verdict, policy) && !signers.has(signer)) signers.set(signer, verdict);
  }
  const all = [...signers.values()];
  const counted = parties === undefined ? all : assign(all, parties);
  if (counted.length >= threshold) return { satisfied: true, verdicts: counted };
  return { satisfied: false, verdicts: counted, found: describeFound(counted), wanted: describeWanted(threshold, policy) };
}

/** What makes two signers one. */
function signerKey(identity: Identity): string {
  switch (identity.kind) {
    case 'key':
      return `key ${identity.fingerprint}`;
    case 'oidc':
      return `oidc ${JSON.stringify([identity.issuer, identity.subject])}`;
    case 'x509':
      return `x509 ${identity.subject}`;
  }
}

function isAttested({ attestation }: Verdict, { attestation: wanted }: SignerPolicy): boolean {
  if (wanted === undefined) return true;
  if (attestation?.predicateType !== wanted.predicateType) return false;
  return wanted.accepts === undefined || wanted.accepts(attestation.predicate);
}

/** The most parties that can each have a signer of their own (augmenting paths); the verdicts that stand for them. */
function assign(verdicts: readonly Verdict[], parties: readonly Party[]): readonly Verdict[] {
  const signerOf = new Map<Party, Verdict>();
  const place = (verdict: Verdict, tried: Set<Party>): boolean => {
    for (const party of parties) {
      if (tried.has(party) || !party.signs(verdict.signer)) continue;
      tried.add(party);
      const other = signerOf.get(party);
      if (other === undefined || place(other, tried)) {
        signerOf.set(party, verdict);
        return true;
      }
    }
    return false;
  };
  for (const verdict of verdicts) place(verdict, new Set());
  return parties.flatMap((party) => signerOf.get(party) ?? []);
}

function describeFound(verdicts: readonly Verdict[]): string {
  return verdicts.length === 0
    ? 'no signer that counts'
    : `${verdicts.length} (${verdicts.map(({ signer }) => describeIdentity(signer)).join('; ')})`;
}

function describeWanted(threshold: number, { parties, attestation }: SignerPolicy): string {
  const what =
    attestation === undefined
      ? ''
      : ` of attestations ${JSON.stringify(attestation.predicateType)}${attestation.accepts === undefined ? '' : ' that are accepted'}`;
  const who = parties === undefined ? '' : `, of ${parties.map(({ name }) => JSON.stringify(name)).join(', ')}`;
  return `${threshold} distinct ${threshold === 1 ? 'signer' : 'signers'}${what}${who}`;
}

/** A signer in a message. */
export function describeIdentity(identity: Identity): string {
  switch (identity.kind) {
    case 'key':
      return `key ${JSON.stringify(identity.name)}`;
    case 'oidc':
      return `${JSON.stringify(identity.subject)} of ${JSON.stringify(identity.issuer)}`;
    case 'x509':
      return `certificate ${JSON.stringify(identity.subject)}`;
  }
}
