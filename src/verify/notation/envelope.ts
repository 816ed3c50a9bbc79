import { algorithmOfKey, keyKind, SIGNING_KEYS, type EnvelopeAlgorithm } from './algorithm.ts';
import { MAX_CHAIN } from './bounds.ts';
import { readCertificate, type Certificate } from './certificate.ts';
import { checkChain } from './chain.ts';
import { DerError } from './der.ts';
import { fail, shown, shownTime } from './failure.ts';

/** Signing schemes (signing-scheme.md). */
export type SigningScheme = 'notary.x509' | 'notary.x509.signingAuthority';

/** Protected headers that the specification defines, and what may be critical among them. */
export const Header = {
  signingScheme: 'io.cncf.notary.signingScheme',
  signingTime: 'io.cncf.notary.signingTime',
  authenticSigningTime: 'io.cncf.notary.authenticSigningTime',
  expiry: 'io.cncf.notary.expiry',
  timestampSignature: 'io.cncf.notary.timestampSignature',
  verificationPlugin: 'io.cncf.notary.verificationPlugin',
  verificationPluginMinVersion: 'io.cncf.notary.verificationPluginMinVersion',
} as const;

/** The only payload there is (signature-specification.md, Payload). */
export const PAYLOAD_TYPE = 'application/vnd.cncf.notary.payload.v1+json';

/** A signature envelope whose own signature holds; who signed is yet to be trusted. Times are milliseconds since 1970. */
export type Envelope = {
  readonly format: 'JWS' | 'COSE';
  readonly payload: Buffer;
  readonly scheme: SigningScheme;
  /** Only the signer's word under `notary.x509`; vouched for under `notary.x509.signingAuthority`. */
  readonly signingTime: number;
  readonly expiry: number | undefined;
  /** From the signing certificate to the root. */
  readonly chain: readonly [Certificate, ...Certificate[]];
  readonly signature: Buffer;
  /** An RFC 3161 token over the signature; not protected. */
  readonly timestampToken: Buffer | undefined;
};

/** What an envelope's headers say, before anything is checked. Header values: strings, times in milliseconds, anything else. */
export type Headers = {
  readonly algorithm: unknown;
  readonly contentType: unknown;
  readonly critical: readonly unknown[];
  readonly scheme: unknown;
  readonly signingTime: number | undefined;
  readonly authenticSigningTime: number | undefined;
  readonly expiry: number | undefined;
  /** Labels of all protected headers. */
  readonly labels: readonly unknown[];
};

/** Checked headers. */
export type CheckedHeaders = {
  readonly algorithm: string;
  readonly scheme: SigningScheme;
  readonly signingTime: number;
  readonly expiry: number | undefined;
};

/**
 * The rules both formats share (signature-specification.md, Signed Attributes): what must be there, what must be critical, and no critical
 * header that is not understood. A signature that asks for a plugin is refused.
 * @throws CheckFailure `SignatureInvalid`
 */
export function checkHeaders(headers: Headers): CheckedHeaders {
  const { algorithm, contentType, scheme, expiry } = headers;
  if (contentType !== PAYLOAD_TYPE) refuse(`payload type ${shownValue(contentType)}`, shown(PAYLOAD_TYPE));
  if (scheme !== 'notary.x509' && scheme !== 'notary.x509.signingAuthority') {
    refuse(`signing scheme ${shownValue(scheme)}`, '"notary.x509" or "notary.x509.signingAuthority"');
  }
  checkCritical(headers, scheme);
  const authority = scheme === 'notary.x509.signingAuthority';
  const unwanted = authority ? headers.signingTime : headers.authenticSigningTime;
  if (unwanted !== undefined)
    refuse(`header ${authority ? Header.signingTime : Header.authenticSigningTime} under scheme ${scheme}`, 'none');
  const signingTime = authority ? headers.authenticSigningTime : headers.signingTime;
  if (signingTime === undefined) refuse(`no header ${authority ? Header.authenticSigningTime : Header.signingTime}`, 'a signing time');
  if (expiry !== undefined && expiry <= signingTime)
    refuse(`expiry ${shownTime(expiry)}`, `a time after the signing time ${shownTime(signingTime)}`);
  if (typeof algorithm !== 'string') refuse(`signature algorithm ${shownValue(algorithm)}`, SIGNING_KEYS);
  return { algorithm, scheme, signingTime, expiry };
}

function checkCritical({ critical, labels, expiry }: Headers, scheme: SigningScheme): void {
  const understood: unknown[] = [Header.signingScheme];
  if (scheme === 'notary.x509.signingAuthority') understood.push(Header.authenticSigningTime);
  if (expiry !== undefined) understood.push(Header.expiry);
  for (const label of understood) {
    if (!critical.includes(label)) refuse(`header ${shownValue(label)} is not critical`, 'it among the critical headers');
  }
  for (const plugin of [Header.verificationPlugin, Header.verificationPluginMinVersion]) {
    if (labels.includes(plugin))
      refuse(`the signature asks for a verification plugin (${plugin})`, 'a signature that can be verified without plugins');
  }
  for (const [index, label] of critical.entries()) {
    if (!understood.includes(label)) refuse(`critical header ${shownValue(label)}`, 'critical headers that are understood');
    if (critical.indexOf(label) !== index) refuse(`critical header ${shownValue(label)} twice`, 'each once');
  }
}

/**
 * Reads the chain of an envelope and checks it, and that the header names the one algorithm for the signing key.
 * @throws CheckFailure `SignatureInvalid`, `LimitExceeded`
 */
export function readChain(ders: readonly Uint8Array[], algorithm: string): { chain: Envelope['chain']; algorithm: EnvelopeAlgorithm } {
  if (ders.length > MAX_CHAIN) fail('LimitExceeded', `a chain of ${ders.length} certificates`, `at most ${MAX_CHAIN}`);
  const [leaf, ...authorities] = ders.map((der) => fromDer('certificate chain', () => readCertificate(der)));
  if (leaf === undefined) refuse('no certificate chain', 'the chain of the signing certificate');
  const chain: Envelope['chain'] = [leaf, ...authorities];
  fromDer('certificate chain', () => checkChain(chain, 'code signing'));
  const expected = algorithmOfKey(leaf.publicKey);
  if (expected === undefined || expected !== algorithm) {
    refuse(`algorithm ${shown(algorithm)} with a key ${keyKind(leaf.publicKey)}`, expected === undefined ? SIGNING_KEYS : shown(expected));
  }
  return { chain, algorithm: expected };
}

/** Runs work on untrusted DER. @throws CheckFailure `SignatureInvalid` in place of a DerError */
export function fromDer<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof DerError) fail('SignatureInvalid', `malformed ${what}: ${error.message}`, 'well-formed DER', error);
    throw error;
  }
}

function refuse(found: string, wanted: string): never {
  fail('SignatureInvalid', found, wanted);
}

function shownValue(value: unknown): string {
  if (typeof value === 'string') return shown(value);
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : value === undefined ? 'missing' : `a ${typeof value}`;
}
