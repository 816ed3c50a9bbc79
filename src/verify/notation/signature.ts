import type { Subject, VerificationErrorCode, Verdict } from '../verdict.ts';
import { MAX_ENVELOPE } from './bounds.ts';
import type { Certificate } from './certificate.ts';
import { named } from './chain.ts';
import { COSE_TYPE, verifyCose } from './cose.ts';
import { isSubsetName } from './distinguished-name.ts';
import { fromDer, type Envelope } from './envelope.ts';
import { CheckFailure, fail, shown, shownTime } from './failure.ts';
import { JWS_TYPE, verifyJws } from './jws.ts';
import { checkRevocation } from './revocation.ts';
import type { RevocationSource } from './revocation-source.ts';
import { checkTarget } from './target.ts';
import { verifyTimestamp } from './timestamp.ts';
import type { Check, TrustPolicyStatement } from './trust-policy.ts';
import type { TrustStores } from './trust-store.ts';

/** Media types of the envelopes, which are those of the layer of a signature manifest. */
export const notationMediaTypes: { readonly jws: typeof JWS_TYPE; readonly cose: typeof COSE_TYPE; readonly signature: string } = {
  jws: JWS_TYPE,
  cose: COSE_TYPE,
  /** artifactType of the referrer. */
  signature: 'application/vnd.cncf.notary.signature',
};

/** One signature as the registry stores it; `name` (its manifest's digest) is what messages call it. */
export type NotationMaterial =
  | SignatureEnvelope
  /** What the caller could not or would not read (a blob over a bound, a broken manifest): it counts as a rejection and is told. */
  | { name: string; kind: 'unread'; code: VerificationErrorCode; found: string; wanted: string };

/** The blob of a signature manifest's one layer, and its media type. */
export type SignatureEnvelope = { name: string; mediaType: typeof JWS_TYPE | typeof COSE_TYPE; envelope: Uint8Array };

/** What a signature is measured against. */
export type SignatureContext = {
  statement: TrustPolicyStatement;
  stores: TrustStores;
  now: Date;
  revocation?: RevocationSource;
  signal?: AbortSignal;
};

/** A signature that the statement accepts. Not `authentic` when the signer is not trusted and the level only logs that. */
export type AcceptedSignature = { verdict: Verdict; authentic: boolean };

/**
 * Verifies one signature: integrity, authenticity, expiry, authentic timestamp, revocation, each as the statement's level says
 * (trust-store-trust-policy.md, Signature Verification), then that it is about the subject.
 * @throws CheckFailure for the first check that failed and is enforced
 */
export async function verifySignature(subject: Subject, material: NotationMaterial, context: SignatureContext): Promise<AcceptedSignature> {
  const envelope = openEnvelope(material);
  const { statement, now, revocation: source, signal } = context;
  const checks = new Checks(statement);
  await checks.run('authenticity', () => checkAuthenticity(envelope, context));
  await checks.run('authenticity', () => checkIdentity(envelope.chain[0], statement));
  await checks.run('expiry', () => checkExpiry(envelope, now));
  const timestamp = await checks.run('authenticTimestamp', () => checkTimestamp(envelope, context));
  const signingTime = vouchedTime(envelope);
  await checks.run('revocation', () => checkRevocation(envelope.chain, { source, now: now.getTime(), signingTime, signal }));
  checkTarget(envelope.payload, subject);
  const [leaf] = envelope.chain;
  const time = timestamp ?? signingTime;
  return {
    authentic: !checks.failed.has('authenticity'),
    verdict: {
      provider: 'notation',
      digest: subject.digest,
      signer: { kind: 'x509', subject: leaf.subject.text, issuer: leaf.issuer.text, fingerprint: leaf.fingerprint },
      format: envelope.format,
      log: [],
      ...(time === undefined ? {} : { timestamp: new Date(time) }),
      warnings: checks.warnings,
    },
  };
}

/** Runs checks as the statement's actions say. */
class Checks {
  readonly warnings: string[] = [];
  readonly failed = new Set<Check>();
  readonly #statement: TrustPolicyStatement;

  constructor(statement: TrustPolicyStatement) {
    this.#statement = statement;
  }

  async run<T>(check: Check, work: () => T | Promise<T>): Promise<T | undefined> {
    const action = this.#statement.actions[check];
    if (action === 'skip') return undefined;
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CheckFailure) || action === 'enforce') throw error;
      this.failed.add(check);
      this.warnings.push(`${check}: ${error.message}`);
      return undefined;
    }
  }
}

/** Integrity: always enforced. */
function openEnvelope(material: NotationMaterial): Envelope {
  if ('kind' in material) fail(material.code, material.found, material.wanted);
  const { mediaType, envelope } = material;
  if (envelope.length > MAX_ENVELOPE) fail('LimitExceeded', `an envelope of ${envelope.length} bytes`, `at most ${MAX_ENVELOPE}`);
  switch (mediaType) {
    case JWS_TYPE:
      return verifyJws(envelope);
    case COSE_TYPE:
      return verifyCose(envelope);
    default:
      return fail('SignatureInvalid', `an envelope of type ${shown(String(mediaType))}`, `${JWS_TYPE} or ${COSE_TYPE}`);
  }
}

/** Some certificate of the chain is one of the trust stores that go with the signing scheme. */
function checkAuthenticity({ chain, scheme }: Envelope, context: SignatureContext): void {
  const type = scheme === 'notary.x509' ? 'ca' : 'signingAuthority';
  const trusted = storedCertificates(type, context);
  if (trusted.length === 0)
    fail('TrustInvalid', `no ${type}: trust store with certificates in statement ${shown(context.statement.name)}`, 'one');
  const known = new Set(trusted.map(({ fingerprint }) => fingerprint));
  if (chain.some(({ fingerprint }) => known.has(fingerprint))) return;
  const names = [...new Set(trusted.map(({ subject }) => shown(subject.text)))];
  const more = names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : '';
  fail(
    'SignerUntrusted',
    `a signature by ${chain.map(({ subject }) => shown(subject.text)).join(', issued by ')}`,
    `a certificate chain with one of ${names.slice(0, MAX_NAMES).join(', ')}${more}`,
  );
}

/** Trusted certificates that a message names. */
const MAX_NAMES = 5;

/** Certificates of the statement's trust stores of one type. */
function storedCertificates(type: 'ca' | 'signingAuthority' | 'tsa', { statement, stores }: SignatureContext): readonly Certificate[] {
  return [...new Set(statement.trustStores)]
    .filter((store) => store.startsWith(`${type}:`))
    .flatMap((store) => {
      const certificates = stores.certificates(store);
      if (certificates === undefined)
        fail('TrustInvalid', `no trust store ${shown(store)}`, `it, as statement ${shown(statement.name)} says`);
      return certificates;
    });
}

function checkIdentity(leaf: Certificate, { name, trustedNames, trustedIdentities }: TrustPolicyStatement): void {
  if (trustedNames === undefined) return;
  if (trustedNames.length === 0)
    fail('TrustInvalid', `no x509.subject identity in statement ${shown(name)}`, 'one, since other kinds need plugins');
  const { attributes, text } = leaf.subject;
  if (attributes !== undefined && trustedNames.some((trusted) => isSubsetName(trusted, attributes))) return;
  const what = attributes === undefined ? ', which has an attribute more than once' : '';
  fail('SignerUntrusted', `a signature by ${shown(text)}${what}`, `one of ${trustedIdentities.map(shown).join(', ')}`);
}

function checkExpiry({ expiry }: Envelope, now: Date): void {
  if (expiry !== undefined && now.getTime() >= expiry)
    fail('SignatureExpired', `a signature that expired at ${shownTime(expiry)}`, `one that holds at ${shownTime(now.getTime())}`);
}

/** The signing authority's word for when it signed. */
function vouchedTime({ scheme, signingTime }: Envelope): number | undefined {
  return scheme === 'notary.x509.signingAuthority' ? signingTime : undefined;
}

/**
 * Authentic timestamp: the chain held when it was signed, as the signing authority or a timestamp countersignature vouches; without one,
 * the chain holds now. Returns the countersignature's time.
 */
async function checkTimestamp(envelope: Envelope, context: SignatureContext): Promise<number | undefined> {
  const { chain, signature, timestampToken } = envelope;
  const { statement, now, revocation: source, signal } = context;
  const vouched = vouchedTime(envelope);
  if (vouched !== undefined) return void checkValidity(chain, vouched, vouched, 'the authentic signing time');
  const present = now.getTime();
  const wanted = statement.verifyTimestamp === 'always' || chain.some(({ notAfter }) => present > notAfter);
  if (!wanted || !statement.trustStores.some((store) => store.startsWith('tsa:'))) {
    return void checkValidity(chain, present, present, 'the present');
  }
  if (timestampToken === undefined) fail('ProofInvalid', 'no timestamp countersignature', 'one by an authority of a tsa trust store');
  const roots = storedCertificates('tsa', context);
  if (roots.length === 0) fail('TrustInvalid', 'no certificate in the tsa trust stores', 'one');
  const timestamp = fromDer('timestamp countersignature', () => verifyTimestamp(timestampToken, signature, roots));
  checkValidity(chain, timestamp.earliest, timestamp.latest, 'the timestamp');
  await checkRevocation(timestamp.chain, { source, now: present, signingTime: undefined, signal });
  return timestamp.time;
}

function checkValidity(chain: readonly Certificate[], earliest: number, latest: number, what: string): void {
  for (const certificate of chain) {
    const { notBefore, notAfter } = certificate;
    if (earliest >= notBefore && latest <= notAfter) continue;
    const at = earliest < notBefore ? earliest : latest;
    fail(
      'SignatureExpired',
      `${named(certificate)}, valid from ${shownTime(notBefore)} to ${shownTime(notAfter)}`,
      `one that holds at ${what}, ${shownTime(at)}`,
    );
  }
}
