import { errorMessage } from '../../std/index.ts';
import { claimedIdentity, proveKeyless, proveLogged, type Proof } from '../sigstore/proof.ts';
import { Refusal } from '../sigstore/refusal.ts';
import { renewalWarnings } from '../sigstore/trusted-root.ts';
import {
  missingNote,
  VerificationError,
  type Identity,
  type Rejection,
  type Subject,
  type VerificationErrorCode,
  type Verdict,
} from '../verdict.ts';
import { isAbout, type Claim } from './claims.ts';
import { describePatterns, matchIdentity } from './identity.ts';
import { MAX_MATERIAL_BYTES, MAX_MATERIALS } from './limits.ts';
import type { CosignMaterial } from './material.ts';
import type { CosignOptions, CosignPolicy } from './policy.ts';
import { findSigningKey, type PublicKey } from './public-key.ts';
import { materialCost, openMaterial, type CosignSignature } from './signature.ts';

/** What every signature turned out to be. */
export type CosignFindings = { verdicts: readonly Verdict[]; rejections: readonly Rejection[] };

type Material = Iterable<CosignMaterial> | AsyncIterable<CosignMaterial>;
type Finding = { verdict: Verdict } | { rejection: Rejection };

/** Rejections that a message spells out, the most telling ones; the error has all of them. */
const MAX_TOLD = 5;
/** Of several codes the one that says most: how near a signature came to be accepted. */
const TELLING: readonly VerificationErrorCode[] = [
  'LimitExceeded',
  'SignatureExpired',
  'ProofInvalid',
  'SignerUntrusted',
  'SignatureInvalid',
];

const MISSING_REMEDY =
  'sign this very digest, in its own repository: cosign sign REPOSITORY@DIGEST (signatures do not follow a copy but with cosign copy; an index and its images are signed apart)';

/**
 * Verifies that `subject` is signed as the policy wants: the first signature that satisfies it wins, and no further material is asked
 * for (OB14). The signed payload must name the very digest of `subject`; Flux overlooks that for old signatures.
 * @throws VerificationError with each rejection: `SignatureMissing` without material, else the most telling code
 */
export async function verifyCosign(subject: Subject, material: Material, policy: CosignPolicy, options: CosignOptions): Promise<Verdict> {
  const rejections: Rejection[] = [];
  for await (const finding of findings(subject, material, policy, options)) {
    if ('verdict' in finding) return finding.verdict;
    rejections.push(finding.rejection);
  }
  throw unverified(subject, rejections, policy);
}

/**
 * Looks at all material: every verdict and every rejection, for policies about more than one signature (k of n signers, required
 * attestations). Does not throw when nothing is good.
 */
export async function verifyAllCosign(
  subject: Subject,
  material: Material,
  policy: CosignPolicy,
  options: CosignOptions,
): Promise<CosignFindings> {
  const verdicts: Verdict[] = [];
  const rejections: Rejection[] = [];
  for await (const finding of findings(subject, material, policy, options)) {
    if ('verdict' in finding) verdicts.push(finding.verdict);
    else rejections.push(finding.rejection);
  }
  return { verdicts, rejections };
}

async function* findings(
  subject: Subject,
  material: Material,
  policy: CosignPolicy,
  options: CosignOptions,
): AsyncGenerator<Finding, void, void> {
  assertPolicy(policy);
  let count = 0;
  let bytes = 0;
  for await (const piece of material) {
    options.signal?.throwIfAborted();
    count++;
    bytes += materialCost(piece);
    const limit =
      count > MAX_MATERIALS ? `${MAX_MATERIALS} signatures` : bytes > MAX_MATERIAL_BYTES ? `${MAX_MATERIAL_BYTES} bytes` : undefined;
    if (limit !== undefined) {
      yield {
        rejection: { signature: piece.name, code: 'LimitExceeded', found: `more than ${limit}`, wanted: 'a good signature among them' },
      };
      return;
    }
    yield judge(subject, piece, policy, options);
  }
}

function judge(subject: Subject, material: CosignMaterial, policy: CosignPolicy, options: CosignOptions): Finding {
  try {
    return { verdict: verifyOne(subject, openMaterial(material), policy, options) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { rejection: { signature: material.name, code: error.code, found: error.found, wanted: error.wanted } };
  }
}

function verifyOne(subject: Subject, signature: CosignSignature, policy: CosignPolicy, { now }: CosignOptions): Verdict {
  const { signer, proof, warnings } = 'keys' in policy ? verifyByKey(signature, policy, now) : verifyKeyless(signature, policy, now);
  const claim = claimOf(signature);
  if (!isAbout(claim, subject.digest))
    throw new Refusal(
      'SignatureInvalid',
      `a signature of other content (${claim.digests.slice(0, 3).join(', ')})`,
      `a signature of ${subject.digest}`,
    );
  return {
    provider: 'cosign',
    digest: subject.digest,
    signer,
    format: signature.format,
    ...proof,
    ...(claim.attestation === undefined ? {} : { attestation: claim.attestation }),
    warnings,
  };
}

type Signer = { signer: Identity; proof: Proof; warnings: readonly string[] };

function verifyByKey(signature: CosignSignature, { keys, root }: Extract<CosignPolicy, { keys: unknown }>, now: Date): Signer {
  const key = findSigningKey(signature.signed, signature.signature, keys);
  if (key === undefined)
    throw new Refusal('SignerUntrusted', 'a signature by another key, or a changed payload', `one by ${describeKeys(keys)}`);
  const proof = root === undefined ? { log: [] } : proveLogged(signature.proofs(), key.key, root, now);
  return { signer: { kind: 'key', fingerprint: key.fingerprint, name: key.name }, proof, warnings: [] };
}

function verifyKeyless(signature: CosignSignature, policy: Extract<CosignPolicy, { identities: unknown }>, now: Date): Signer {
  const proofs = signature.proofs();
  const warnings = identityWarnings(claimedIdentity(proofs), policy.identities);
  const { identity, ...proof } = proveKeyless(proofs, policy.root, now);
  return { signer: { kind: 'oidc', ...identity }, proof, warnings: [...warnings, ...renewalWarnings(policy.root, now)] };
}

function identityWarnings(
  identity: { issuer: string; subject: string },
  wanted: Extract<CosignPolicy, { identities: unknown }>['identities'],
): string[] {
  if (wanted === 'any') return ['every identity of the trusted root is accepted: no identity is asked for'];
  const match = matchIdentity(wanted, identity);
  if (match === undefined)
    throw new Refusal(
      'SignerUntrusted',
      `subject ${JSON.stringify(identity.subject)} of issuer ${JSON.stringify(identity.issuer)}`,
      describePatterns(wanted),
    );
  return match.part.map(
    (what) =>
      `${what} ${JSON.stringify(identity[what])} matches ${JSON.stringify(match.pattern[what].source)} only in part: anchor it with ^ and $`,
  );
}

function claimOf(signature: CosignSignature): Claim {
  try {
    return signature.claim();
  } catch (error) {
    throw new Refusal('SignatureInvalid', `a signed payload that says nothing about content (${errorMessage(error)})`, 'a digest', error);
  }
}

function assertPolicy(policy: CosignPolicy): void {
  const none = 'keys' in policy ? policy.keys.length === 0 && 'key' : policy.identities.length === 0 && 'identity';
  if (none === false) return;
  throw new VerificationError('TrustInvalid', `verify cosign signatures: the policy trusts no ${none}`, 'policy', []);
}

function describeKeys(keys: readonly PublicKey[]): string {
  return keys.map(({ name, fingerprint }) => `${JSON.stringify(name)} (${fingerprint})`).join(' or ');
}

function unverified(subject: Subject, rejections: readonly Rejection[], policy: CosignPolicy): VerificationError {
  const reference = `${subject.repository}@${subject.digest}`;
  const wanted =
    'keys' in policy ? describeKeys(policy.keys) : policy.identities === 'any' ? 'any identity' : describePatterns(policy.identities);
  if (rejections.length === 0) {
    const places = `in this repository, among the referrers of the digest and under its tag "${subject.digest.replace(':', '-')}.sig"`;
    const message = `verify cosign signature of "${reference}": no signature found, want one by ${wanted}; looked ${places}${missingNote(subject)}`;
    return new VerificationError('SignatureMissing', message, reference, [], MISSING_REMEDY);
  }
  const telling = rejections.toSorted((a, b) => TELLING.indexOf(a.code) - TELLING.indexOf(b.code));
  const code = telling[0]?.code ?? 'SignatureInvalid';
  const told = telling.slice(0, MAX_TOLD).map(({ signature, found, wanted: want }) => `${signature}: found ${found}, want ${want}`);
  if (rejections.length > MAX_TOLD) told.push(`and ${rejections.length - MAX_TOLD} more`);
  const message = `verify cosign signature of "${reference}": none of ${rejections.length} is accepted: ${told.join('; ')}`;
  return new VerificationError(code, message, reference, rejections);
}
