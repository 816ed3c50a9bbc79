import { verifyEnvelopeSignature } from './algorithm.ts';
import { MAX_CHAIN } from './bounds.ts';
import { checkHeaders, Header, readChain, type Envelope } from './envelope.ts';
import { fail } from './failure.ts';

/** Media type of a JWS envelope. */
export const JWS_TYPE = 'application/jose+json';

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Verifies a JWS envelope (signature-envelope-jws.md): the flattened JSON serialization of RFC 7515, the chain in the unprotected `x5c`.
 * The algorithm is that of the signing key, never only the header's choice.
 * @throws CheckFailure `SignatureInvalid`, `LimitExceeded`
 */
export function verifyJws(bytes: Uint8Array): Envelope {
  const envelope = parseObject(bytes, 'JWS envelope');
  const encodedProtected = stringField(envelope, 'protected');
  const encodedPayload = stringField(envelope, 'payload');
  const protectedHeader = parseObject(base64url(encodedProtected, 'protected'), 'protected header');
  const unprotected = own(envelope, 'header');
  if (!isObject(unprotected)) refuse('no unprotected header', 'a header with the certificate chain');
  const headers = checkHeaders({
    algorithm: own(protectedHeader, 'alg'),
    contentType: own(protectedHeader, 'cty'),
    critical: criticalHeaders(protectedHeader),
    scheme: own(protectedHeader, Header.signingScheme),
    signingTime: timeField(protectedHeader, Header.signingTime),
    authenticSigningTime: timeField(protectedHeader, Header.authenticSigningTime),
    expiry: timeField(protectedHeader, Header.expiry),
    labels: Object.keys(protectedHeader),
  });
  // RFC 7797 would change what is signed.
  if (own(protectedHeader, 'b64') !== undefined) refuse('header "b64"', 'a payload in base64url');
  const { chain, algorithm } = readChain(certificates(unprotected), headers.algorithm);
  const signature = base64url(stringField(envelope, 'signature'), 'signature');
  if (!verifyEnvelopeSignature(algorithm, chain[0].publicKey, Buffer.from(`${encodedProtected}.${encodedPayload}`, 'latin1'), signature)) {
    refuse('a signature that does not match payload and protected header', 'the signature of the signing certificate');
  }
  return { format: 'JWS', payload: base64url(encodedPayload, 'payload'), ...headers, chain, signature, timestampToken: token(unprotected) };
}

function parseObject(bytes: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    fail('SignatureInvalid', `${what} is not JSON`, 'a JSON object', error);
  }
  if (!isObject(value)) refuse(`${what} is not an object`, 'a JSON object');
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function own(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function stringField(object: JsonObject, name: string): string {
  const value = own(object, name);
  if (typeof value !== 'string' || value === '') refuse(`no ${JSON.stringify(name)}`, 'the flattened JSON serialization of a JWS');
  return value;
}

function criticalHeaders(header: JsonObject): readonly unknown[] {
  const value = own(header, 'crit');
  if (!Array.isArray(value) || value.length === 0) refuse('no critical headers', 'a list "crit"');
  return value;
}

/** RFC 3339; null is as good as absent, as for Go's pointers. */
function timeField(header: JsonObject, name: string): number | undefined {
  const value = own(header, name) ?? undefined;
  if (value === undefined) return undefined;
  const valid = typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(value);
  const time = valid ? Date.parse(value) : Number.NaN;
  if (!Number.isFinite(time)) refuse(`header ${name} is no time`, 'a time as in RFC 3339');
  return time;
}

function certificates(header: JsonObject): readonly Buffer[] {
  const value = own(header, 'x5c');
  if (!Array.isArray(value) || value.length === 0) refuse('no certificate chain', 'a list "x5c"');
  if (value.length > MAX_CHAIN) fail('LimitExceeded', `a chain of ${value.length} certificates`, `at most ${MAX_CHAIN}`);
  return value.map((item: unknown) => base64(item, 'x5c'));
}

function token(header: JsonObject): Buffer | undefined {
  const value = own(header, Header.timestampSignature);
  return value === undefined || value === null || value === '' ? undefined : base64(value, Header.timestampSignature);
}

function base64(text: unknown, what: string): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
  if (bytes === undefined || bytes.toString('base64') !== text) refuse(`${what} is not base64`, 'base64 with padding');
  return bytes;
}

/** Only the one spelling that encoding gives, so that no other text stands for the same signature. */
function base64url(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) refuse(`${what} is not base64url`, 'base64url without padding');
  return bytes;
}

function refuse(found: string, wanted: string): never {
  fail('SignatureInvalid', found, wanted);
}
