import { decode, encode, Tag, type DecodeOptions } from 'cbor2';
import { verifyEnvelopeSignature, type EnvelopeAlgorithm } from './algorithm.ts';
import { MAX_CBOR_DEPTH, MAX_CHAIN } from './bounds.ts';
import { checkHeaders, Header, readChain, type Envelope } from './envelope.ts';
import { fail } from './failure.ts';

/** Media type of a COSE envelope. */
export const COSE_TYPE = 'application/cose';

/** COSE_Sign1 (RFC 9052 §4.2). */
const SIGN1_TAG = 18;

/** Epoch-based date/time (RFC 8949 §3.4.2). */
const TIME_TAG = 1;

/** Labels of RFC 9052 §3.1 and RFC 9360 §2. */
const Label = { algorithm: 1, critical: 2, contentType: 3, chain: 33 } as const;

const ALGORITHMS: ReadonlyMap<unknown, EnvelopeAlgorithm> = new Map<unknown, EnvelopeAlgorithm>([
  [-37, 'PS256'],
  [-38, 'PS384'],
  [-39, 'PS512'],
  [-7, 'ES256'],
  [-35, 'ES384'],
  [-36, 'ES512'],
]);

/** One way to write each thing, and nothing that a decoder would have to choose about. */
const STRICT: DecodeOptions = {
  preferMap: true,
  ignoreGlobalTags: true,
  rejectDuplicateKeys: true,
  rejectStreaming: true,
  requirePreferred: true,
  maxDepth: MAX_CBOR_DEPTH,
};

type Labels = ReadonlyMap<unknown, unknown>;

/**
 * Verifies a COSE envelope (signature-envelope-cose.md): a tagged COSE_Sign1, the chain in the unprotected `x5chain`.
 * @throws CheckFailure `SignatureInvalid`, `LimitExceeded`
 */
export function verifyCose(bytes: Uint8Array): Envelope {
  const message = decodeCbor(bytes, 'COSE envelope');
  if (!(message instanceof Tag) || message.tag !== SIGN1_TAG) refuse('the envelope has no tag 18', 'a tagged COSE_Sign1');
  const parts = message.contents;
  if (!Array.isArray(parts) || parts.length !== 4) refuse('the envelope is no list of four', 'a COSE_Sign1');
  const [encodedProtected, unprotected, payload, signature]: readonly unknown[] = parts;
  if (!(encodedProtected instanceof Uint8Array) || !(unprotected instanceof Map)) refuse('malformed headers', 'a COSE_Sign1');
  if (!(payload instanceof Uint8Array)) refuse('a detached payload', 'the payload in the envelope');
  if (!(signature instanceof Uint8Array) || signature.length === 0) refuse('no signature', 'a COSE_Sign1');
  const protectedHeader = decodeCbor(encodedProtected, 'protected header');
  if (!(protectedHeader instanceof Map)) refuse('the protected header is no map', 'a COSE_Sign1');
  const shared = [...protectedHeader.keys()].find((label) => unprotected.has(label));
  if (shared !== undefined || unprotected.has(Label.critical))
    refuse('headers both protected and not, or unprotected critical ones', 'each header once');
  const headers = readHeaders(protectedHeader);
  const { chain, algorithm } = readChain(certificates(unprotected), headers.algorithm);
  // Sig_structure of RFC 9052 §4.4. Only Uint8Array itself is encoded as a byte string.
  const signed = encode(['Signature1', new Uint8Array(encodedProtected), new Uint8Array(0), new Uint8Array(payload)]);
  if (!verifyEnvelopeSignature(algorithm, chain[0].publicKey, signed, signature)) {
    refuse('a signature that does not match payload and protected header', 'the signature of the signing certificate');
  }
  return {
    format: 'COSE',
    payload: Buffer.from(payload),
    ...headers,
    chain,
    signature: Buffer.from(signature),
    timestampToken: token(unprotected),
  };
}

function decodeCbor(bytes: Uint8Array, what: string): unknown {
  try {
    return decode(new Uint8Array(bytes), STRICT);
  } catch (error) {
    fail('SignatureInvalid', `malformed ${what}`, 'deterministically encoded CBOR', error);
  }
}

function readHeaders(header: Labels): ReturnType<typeof checkHeaders> {
  const critical = header.get(Label.critical);
  if (!Array.isArray(critical) || critical.length === 0) refuse('no critical headers', 'a list "crit"');
  return checkHeaders({
    algorithm: ALGORITHMS.get(header.get(Label.algorithm)),
    contentType: header.get(Label.contentType),
    critical,
    scheme: header.get(Header.signingScheme),
    signingTime: timeHeader(header, Header.signingTime),
    authenticSigningTime: timeHeader(header, Header.authenticSigningTime),
    expiry: timeHeader(header, Header.expiry),
    labels: [...header.keys()],
  });
}

/** Tag 1 and nothing else (signature-envelope-cose.md, Protected Headers). */
function timeHeader(header: Labels, name: string): number | undefined {
  if (!header.has(name)) return undefined;
  const value = header.get(name);
  if (!(value instanceof Tag) || value.tag !== TIME_TAG || typeof value.contents !== 'number' || !Number.isFinite(value.contents)) {
    refuse(`header ${name} is no time`, 'a CBOR time (tag 1)');
  }
  return Math.round(value.contents * 1000);
}

function certificates(header: Labels): readonly Uint8Array[] {
  const value = header.get(Label.chain);
  if (!Array.isArray(value) || value.length === 0) refuse('no certificate chain', 'a list "x5chain"');
  if (value.length > MAX_CHAIN) fail('LimitExceeded', `a chain of ${value.length} certificates`, `at most ${MAX_CHAIN}`);
  return value.map((item: unknown) => {
    if (!(item instanceof Uint8Array)) refuse('x5chain has something that is no byte string', 'certificates');
    return item;
  });
}

function token(header: Labels): Buffer | undefined {
  const value = header.get(Header.timestampSignature);
  if (value === undefined) return undefined;
  if (!(value instanceof Uint8Array)) refuse(`${Header.timestampSignature} is no byte string`, 'an RFC 3161 token');
  return value.length === 0 ? undefined : Buffer.from(value);
}

function refuse(found: string, wanted: string): never {
  fail('SignatureInvalid', found, wanted);
}
