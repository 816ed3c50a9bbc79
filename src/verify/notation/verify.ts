import { missingNote, VerificationError, type Rejection, type Subject, type VerificationErrorCode, type Verdict } from '../verdict.ts';
import { MAX_SIGNATURES } from './bounds.ts';
import { CheckFailure, shown } from './failure.ts';
import type { RevocationSource } from './revocation-source.ts';
import { applicableStatement } from './scope.ts';
import { verifySignature, type NotationMaterial, type SignatureContext } from './signature.ts';
import type { TrustPolicy, TrustPolicyStatement } from './trust-policy.ts';
import type { TrustStores } from './trust-store.ts';

export type NotationOptions = {
  policy: TrustPolicy;
  stores: TrustStores;
  now: Date;
  /** Without it a certificate that names a responder or CRL has an unknown status, which `strict` refuses. */
  revocation?: RevocationSource;
  signal?: AbortSignal;
  /** Signatures looked at; default MAX_SIGNATURES. */
  maxSignatures?: number;
};

/** Nothing was proven, and the policy does not mind: no success is to be reported (OB15). */
export type NotationSkip = { kind: 'skipped'; statement: string; reason: string; warnings: readonly string[] };

/** What every signature turned out to be. */
export type NotationFindings = { verdicts: readonly Verdict[]; rejections: readonly Rejection[]; skipped?: NotationSkip };

type Materials = Iterable<NotationMaterial> | AsyncIterable<NotationMaterial>;

/**
 * Verifies an artifact's notation signatures with the statement of the trust policy that applies to its repository: the first signature
 * that satisfies it is the verdict, later ones are not even asked for. Skipped at level `skip` (no signature is looked at), and at level
 * `audit` when no signer is trusted. (OB15)
 * @throws VerificationError with each signature that was looked at: what was found, what was wanted
 */
export async function verifyNotation(subject: Subject, material: Materials, options: NotationOptions): Promise<Verdict | NotationSkip> {
  const findings = await examine(subject, material, options, true);
  const [verdict] = findings.verdicts;
  if (verdict !== undefined) return verdict;
  if (findings.skipped !== undefined) return findings.skipped;
  throw refusal(subject, findings);
}

/**
 * Verifies every signature, for policies that count signers: verdicts and rejections (a last one `LimitExceeded` when there are more than
 * are looked at), or why the policy does not ask for any. Does not throw when nothing is good.
 * @throws VerificationError `TrustInvalid` when no statement applies
 */
export async function verifyAllNotation(subject: Subject, material: Materials, options: NotationOptions): Promise<NotationFindings> {
  const { statement: _statement, ...findings } = await examine(subject, material, options, false);
  return findings;
}

type Examination = NotationFindings & { statement: TrustPolicyStatement };

async function examine(subject: Subject, material: Materials, options: NotationOptions, first: boolean): Promise<Examination> {
  const { policy, maxSignatures = MAX_SIGNATURES, signal } = options;
  const statement = applicableStatement(policy, subject.repository);
  if (statement === undefined) throw noStatement(subject);
  if (statement.level === 'skip') return { verdicts: [], rejections: [], skipped: skip(statement, 'its level is skip', []), statement };
  const context: SignatureContext = { ...options, statement };
  const verdicts: Verdict[] = [];
  const rejections: Rejection[] = [];
  let unproven: Verdict | undefined;
  let looked = 0;
  for await (const item of material) {
    signal?.throwIfAborted();
    if (looked === maxSignatures) {
      rejections.push({
        signature: item.name,
        code: 'LimitExceeded',
        found: `more than ${maxSignatures} signatures`,
        wanted: 'a good one among them',
      });
      break;
    }
    looked += 1;
    const outcome = await verifyOne(subject, item, context);
    if ('found' in outcome) rejections.push(outcome);
    else if (outcome.authentic) verdicts.push(outcome.verdict);
    else unproven ??= outcome.verdict;
    if (first && verdicts.length > 0) break;
  }
  const onlyLogged = verdicts.length === 0 ? unproven : undefined;
  return {
    verdicts,
    rejections,
    ...(onlyLogged === undefined ? {} : { skipped: skip(statement, 'it only logs that no signer is trusted', onlyLogged.warnings) }),
    statement,
  };
}

function skip({ name }: TrustPolicyStatement, reason: string, warnings: readonly string[]): NotationSkip {
  return { kind: 'skipped', statement: name, reason, warnings };
}

async function verifyOne(
  subject: Subject,
  material: NotationMaterial,
  context: SignatureContext,
): Promise<Rejection | { verdict: Verdict; authentic: boolean }> {
  try {
    return await verifySignature(subject, material, context);
  } catch (error) {
    if (!(error instanceof CheckFailure)) throw error;
    return { signature: material.name, code: error.code, found: error.found, wanted: error.wanted };
  }
}

function noStatement(subject: Subject): VerificationError {
  return new VerificationError(
    'TrustInvalid',
    `verify ${where(subject)} with notation: no statement of the trust policy has the scope ${shown(subject.repository)} or "*"`,
    subject.repository,
    [],
    'add the repository to registryScopes of a statement',
  );
}

/** The code of the whole: after bounds, what comes closest to acceptance tells most. */
const TELLING: readonly VerificationErrorCode[] = [
  'LimitExceeded',
  'CertificateRevoked',
  'SignatureExpired',
  'ProofInvalid',
  'TrustInvalid',
  'SignerUntrusted',
  'SignatureInvalid',
];

/** Rejections that the message tells, most telling first; all are in the error. */
const MAX_TOLD = 5;

function refusal(subject: Subject, { rejections, statement }: Examination): VerificationError {
  const head = `verify ${where(subject)} with notation, trust policy statement ${shown(statement.name)}`;
  const [first, ...others] = rejections.toSorted((a, b) => TELLING.indexOf(a.code) - TELLING.indexOf(b.code));
  if (first === undefined) {
    return new VerificationError(
      'SignatureMissing',
      `${head}: no signature found, want one by ${wantedSigners(statement)}; looked among the referrers of the digest, in this repository${missingNote(subject)}`,
      subject.repository,
      [],
      'sign this very digest, in its own repository: notation sign REPOSITORY@DIGEST (an index and its images are signed apart)',
    );
  }
  const told = [first, ...others]
    .slice(0, MAX_TOLD)
    .map(({ signature, found, wanted }) => `signature ${shown(signature)}: found ${found}, want ${wanted}`);
  if (rejections.length > MAX_TOLD) told.push(`${rejections.length - MAX_TOLD} more`);
  return new VerificationError(first.code, `${head}: ${told.join('; ')}`, subject.repository, rejections);
}

function wantedSigners({ trustedIdentities, trustStores }: TrustPolicyStatement): string {
  const stores = trustStores.filter((store) => !store.startsWith('tsa:')).join(' or ');
  const names = trustedIdentities.includes('*') ? 'anyone' : trustedIdentities.slice(0, MAX_TOLD).map(shown).join(' or ');
  return `${names} under ${stores}`;
}

function where({ repository, digest }: Subject): string {
  return shown(`${repository}@${digest}`);
}
