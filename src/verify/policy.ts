import type { Digest } from '../std/index.ts';
import type { Identity, Verdict } from './verdict.ts';

/** Someone whose signature counts once, whatever keys or identities they have. */
export type Party = {
  /** As messages call them. */
  name: string;
  /** Whether a verdict is theirs: by their keys or identities, under the trust they have. */
  signs(verdict: Verdict): boolean;
};

/** How many must have signed, and what. */
export type SignerPolicy = {
  /** Distinct signers; default 1. */
  threshold?: number;
  /** Who counts. Without it every signer does that the verdicts' own policies trust. */
  parties?: readonly Party[];
  /** Counts only attestations of this type that are accepted: `predicate` is the verdict's. */
  attestation?: { predicateType: string; accepts?: (predicate: unknown, verdict: Verdict) => boolean };
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
  const signers = new Map<string, Verdict[]>();
  for (const verdict of verdicts) {
    if (verdict.digest !== digest || !isAttested(verdict, policy)) continue;
    const signer = signerKey(verdict.signer);
    const known = signers.get(signer);
    if (known === undefined) signers.set(signer, [verdict]);
    else known.push(verdict);
  }
  const all = [...signers.values()];
  const counted = parties === undefined ? all.flatMap((theirs) => theirs[0] ?? []) : assign(all, parties);
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

function isAttested(verdict: Verdict, { attestation: wanted }: SignerPolicy): boolean {
  const { attestation } = verdict;
  if (wanted === undefined) return true;
  if (attestation?.predicateType !== wanted.predicateType) return false;
  return wanted.accepts === undefined || wanted.accepts(attestation.predicate, verdict);
}

/** The most parties that can each have a signer of their own (augmenting paths); the verdicts that stand for them. */
function assign(signers: readonly (readonly Verdict[])[], parties: readonly Party[]): readonly Verdict[] {
  type Signer = readonly Verdict[];
  const signerOf = new Map<Party, { signer: Signer; verdict: Verdict }>();
  const place = (signer: Signer, tried: Set<Party>): boolean => {
    for (const party of parties) {
      if (tried.has(party)) continue;
      const verdict = signer.find((one) => party.signs(one));
      if (verdict === undefined) continue;
      tried.add(party);
      const other = signerOf.get(party);
      if (other === undefined || place(other.signer, tried)) {
        signerOf.set(party, { signer, verdict });
        return true;
      }
    }
    return false;
  };
  for (const signer of signers) place(signer, new Set());
  return parties.flatMap((party) => signerOf.get(party)?.verdict ?? []);
}

function describeFound(verdicts: readonly Verdict[]): string {
  return verdicts.length === 0
    ? 'no signer that counts'
    : `${verdicts.length} distinct ${verdicts.length === 1 ? 'signer' : 'signers'} (${verdicts.map(({ signer }) => describeIdentity(signer)).join('; ')})`;
}

function describeWanted(threshold: number, { parties, attestation }: SignerPolicy): string {
  const who =
    parties === undefined
      ? `${threshold} distinct ${threshold === 1 ? 'signer' : 'signers'}`
      : `${threshold} of ${parties.map(({ name }) => JSON.stringify(name)).join(', ')}`;
  if (attestation === undefined) return who;
  return `${who} with an attestation ${JSON.stringify(attestation.predicateType)}${attestation.accepts === undefined ? '' : ' that is accepted'}`;
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
