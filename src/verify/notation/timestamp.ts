import { createHash } from 'node:crypto';
import { HASHES } from './algorithm.ts';
import { berToDer } from './ber.ts';
import { MAX_CHAIN, MAX_TOKEN_CERTIFICATES } from './bounds.ts';
import { Purpose, readCertificate, type Certificate } from './certificate.ts';
import { checkChain, isIssuedBy, named } from './chain.ts';
import { readSignedData, verifySigner, type SignedData, type Signer } from './cms.ts';
import { bigInteger, booleanValue, contextPrimitive, DerError, Fields, oidText, readWhole, smallInteger, Tag, timeValue } from './der.ts';
import { CheckFailure, fail, shownTime } from './failure.ts';

/** The content type of a timestamp token (RFC 3161 §2.4.2). */
const TST_INFO = '1.2.840.113549.1.9.16.1.4';

/** ETSI's baseline policy, whose times are good to a second where the token does not say (trust-store-trust-policy.md). */
const BASELINE_POLICY = '0.4.0.2023.1.1';

/** A vouched time: some moment from `earliest` to `latest` (milliseconds since 1970). */
export type Timestamp = {
  readonly time: number;
  readonly earliest: number;
  readonly latest: number;
  /** The timestamp authority's chain, up to a root of the trust store. */
  readonly chain: readonly Certificate[];
};

/**
 * Verifies a timestamp countersignature (RFC 3161, RFC 5816): a token over `message`, signed by an authority whose chain ends in one of
 * `roots` and held at the token's time. Says nothing of revocation.
 * @throws CheckFailure `ProofInvalid`, `SignerUntrusted`, `LimitExceeded`
 */
export function verifyTimestamp(token: Uint8Array, message: Uint8Array, roots: readonly Certificate[]): Timestamp {
  try {
    const data = readSignedData(berToDer(token), TST_INFO);
    const info = readInfo(data.content);
    checkImprint(info, message);
    return { ...interval(info), chain: verifySigners(data, info.time, roots) };
  } catch (error) {
    if (error instanceof DerError) refuse(`malformed timestamp countersignature: ${error.message}`, 'an RFC 3161 timestamp token', error);
    throw error;
  }
}

type Info = { policy: string; hash: string | undefined; imprint: Buffer; time: number; accuracy: number };

/** TSTInfo (RFC 3161 §2.4.2). */
function readInfo(content: Buffer): Info {
  const fields = new Fields(readWhole(content, Tag.sequence, 'TSTInfo'), 'TSTInfo');
  if (smallInteger(fields.next('version', Tag.integer)) !== 1) throw new DerError('TSTInfo is not of version 1');
  const policy = oidText(fields.next('policy', Tag.oid));
  const imprint = new Fields(fields.next('message imprint', Tag.sequence), 'message imprint');
  const hashId = oidText(new Fields(imprint.next('hash', Tag.sequence), 'hash').next('identifier', Tag.oid));
  const hashed = imprint.next('hashed message', Tag.octetString).contents;
  bigInteger(fields.next('serial number', Tag.integer));
  const time = timeValue(fields.next('time', Tag.generalizedTime));
  const accuracy = fields.optional(Tag.sequence);
  const ordering = fields.optional(Tag.boolean);
  if (ordering !== undefined) booleanValue(ordering);
  return {
    policy,
    hash: Object.hasOwn(HASHES, hashId) ? HASHES[hashId] : undefined,
    imprint: hashed,
    time,
    accuracy: accuracy === undefined ? 0 : readAccuracy(new Fields(accuracy, 'accuracy')),
  };
}

/** In milliseconds, rounded up. */
function readAccuracy(fields: Fields): number {
  const seconds = fields.optional(Tag.integer);
  const millis = fields.optional(contextPrimitive(0));
  const micros = fields.optional(contextPrimitive(1));
  fields.end();
  const value = (field: typeof seconds): number => (field === undefined ? 0 : smallInteger(field));
  return value(seconds) * 1000 + value(millis) + Math.ceil(value(micros) / 1000);
}

function interval({ policy, time, accuracy }: Info): Pick<Timestamp, 'time' | 'earliest' | 'latest'> {
  const within = accuracy === 0 && policy === BASELINE_POLICY ? 1000 : accuracy;
  return { time, earliest: time - within, latest: time + within };
}

function checkImprint({ hash, imprint }: Info, message: Uint8Array): void {
  if (hash === undefined) refuse('a timestamp over an unknown or weak hash', 'SHA-256, SHA-384 or SHA-512');
  if (!createHash(hash).update(message).digest().equals(imprint)) refuse('a timestamp of something else', 'a timestamp of this signature');
}

/** One signer that holds is enough. */
function verifySigners(data: SignedData, time: number, roots: readonly Certificate[]): readonly Certificate[] {
  if (data.certificates.length > MAX_TOKEN_CERTIFICATES) {
    fail('LimitExceeded', `a timestamp token of ${data.certificates.length} certificates`, `at most ${MAX_TOKEN_CERTIFICATES}`);
  }
  const certificates = data.certificates.map((der) => readCertificate(der));
  let problem: CheckFailure | undefined;
  for (const signer of data.signers) {
    try {
      return verifyAuthority(data, signer, { certificates, roots, time });
    } catch (error) {
      if (!(error instanceof CheckFailure)) throw error;
      problem = error;
    }
  }
  if (problem !== undefined) throw problem;
  return refuse('a timestamp token without signer', 'one');
}

type Authorities = { certificates: readonly Certificate[]; roots: readonly Certificate[]; time: number };

function verifyAuthority(data: SignedData, signer: Signer, authorities: Authorities): readonly Certificate[] {
  const certificate = authorities.certificates.find((candidate) => signer.isBy(candidate));
  if (certificate === undefined)
    refuse("a timestamp token without its signer's certificate", 'the certificate that its signed attributes name');
  verifySigner(data, signer, certificate);
  const chain = findChain(certificate, authorities);
  if (chain === undefined) {
    fail(
      'SignerUntrusted',
      `a timestamp by ${named(certificate)}, valid at ${shownTime(authorities.time)} under no trusted root`,
      'an authority of a tsa trust store',
    );
  }
  checkChain(chain, 'timestamping');
  const { signingTime } = signer;
  const outside = signingTime === undefined ? undefined : chain.find((link) => signingTime < link.notBefore || signingTime > link.notAfter);
  if (outside !== undefined) refuse(`a timestamp signed outside the time of ${named(outside)}`, 'a time within');
  return chain;
}

/** Issuers tried in all, for a token full of look-alikes. */
const MAX_ISSUERS = 100;

/** The way from a certificate to a root, all of it valid at the time and meant for timestamping. */
function findChain(leaf: Certificate, { certificates, roots, time }: Authorities): readonly Certificate[] | undefined {
  let tried = 0;
  const fits = (certificate: Certificate): boolean => {
    const purposes = certificate.extendedKeyUsage?.purposes;
    const meant = purposes === undefined || purposes.includes(Purpose.timeStamping) || purposes.includes(Purpose.any);
    return meant && time >= certificate.notBefore && time <= certificate.notAfter;
  };
  const extend = (chain: readonly Certificate[], last: Certificate): readonly Certificate[] | undefined => {
    if (chain.length > MAX_CHAIN || !fits(last)) return undefined;
    if (roots.some((root) => root.der.equals(last.der))) return chain;
    for (const issuer of [...roots, ...certificates]) {
      if (!issuer.subject.der.equals(last.issuer.der) || chain.some((link) => link.der.equals(issuer.der))) continue;
      tried += 1;
      if (tried > MAX_ISSUERS) return undefined;
      const found = isIssuedBy(last, issuer) ? extend([...chain, issuer], issuer) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  };
  return extend([leaf], leaf);
}

function refuse(found: string, wanted: string, cause?: unknown): never {
  fail('ProofInvalid', found, wanted, cause);
}
