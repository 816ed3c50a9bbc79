import { constants, verify, type KeyObject } from 'node:crypto';
import type { Certificate, Signed } from './certificate.ts';
import { context, DerError, Fields, oidText, readElements, smallInteger, Tag, type Element } from './der.ts';

/** How the signature of an envelope is made; the names are JOSE's. */
export type EnvelopeAlgorithm = 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512';

/** The one algorithm that goes with each kind of key (signature-specification.md, Algorithm Selection). */
const ALGORITHM_OF_KEY: Readonly<Record<string, EnvelopeAlgorithm>> = {
  'RSA 2048': 'PS256',
  'RSA 3072': 'PS384',
  'RSA 4096': 'PS512',
  'EC 256': 'ES256',
  'EC 384': 'ES384',
  'EC 521': 'ES512',
};

/** The keys that may sign. */
export const SIGNING_KEYS = 'RSA of 2048, 3072 or 4096 bits, or ECDSA on P-256, P-384 or P-521';

const CURVE_BITS: Readonly<Record<string, number>> = { prime256v1: 256, secp384r1: 384, secp521r1: 521 };

/** The kind of a key as messages show it: `RSA 2048`, `EC 256`, or what node:crypto calls it. */
export function keyKind(key: KeyObject): string {
  const details = key.asymmetricKeyDetails;
  // Go rounds the modulus up to whole bytes.
  if (key.asymmetricKeyType === 'rsa') return `RSA ${Math.ceil((details?.modulusLength ?? 0) / 8) * 8}`;
  if (key.asymmetricKeyType === 'ec') return `EC ${CURVE_BITS[details?.namedCurve ?? ''] ?? details?.namedCurve ?? ''}`;
  return key.asymmetricKeyType ?? 'unknown';
}

/** The algorithm for signatures by this key; undefined when it may not sign. */
export function algorithmOfKey(key: KeyObject): EnvelopeAlgorithm | undefined {
  const kind = keyKind(key);
  return Object.hasOwn(ALGORITHM_OF_KEY, kind) ? ALGORITHM_OF_KEY[kind] : undefined;
}

/** True when `signature` is over `bytes`, by the key, in the form JWS and COSE share (RFC 7518 §3.4, §3.5; RFC 9053 §2.1). */
export function verifyEnvelopeSignature(algorithm: EnvelopeAlgorithm, key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  const hash = `sha${algorithm.slice(2)}`;
  return algorithm.startsWith('PS')
    ? verify(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }, signature)
    : verify(hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

/** Hash algorithms by object identifier. SHA-1 and MD5 are not there. */
export const HASHES: Readonly<Record<string, string>> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

type Scheme = { readonly family: 'rsa' | 'ec'; readonly hash: string };

const SCHEMES: Readonly<Record<string, Scheme>> = {
  '1.2.840.113549.1.1.11': { family: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { family: 'rsa', hash: 'sha384' },
  '1.2.840.113549.1.1.13': { family: 'rsa', hash: 'sha512' },
  '1.2.840.10045.4.3.2': { family: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { family: 'ec', hash: 'sha384' },
  '1.2.840.10045.4.3.4': { family: 'ec', hash: 'sha512' },
};

const RSA_PSS = '1.2.840.113549.1.1.10';
const MGF1 = '1.2.840.113549.1.1.8';
const ED25519 = '1.3.101.112';

/** Keys below this are broken, whatever they sign (Go refuses them too). */
const MIN_RSA_BITS = 1024;

/**
 * True when a certificate, CRL or OCSP response was signed by the key; false also for algorithms that are not strong enough (SHA-1, MD5).
 * @throws DerError for malformed parameters
 */
export function verifySigned({ bytes, algorithm, signature }: Signed, key: KeyObject): boolean {
  const fields = new Fields(algorithm, 'signature algorithm');
  const id = oidText(fields.next('identifier', Tag.oid));
  if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS) return false;
  if (id === ED25519) return key.asymmetricKeyType === 'ed25519' && verify(null, bytes, key, signature);
  if (id === RSA_PSS) return key.asymmetricKeyType === 'rsa' && verifyPss(fields.next('parameters', Tag.sequence), bytes, key, signature);
  const scheme = Object.hasOwn(SCHEMES, id) ? SCHEMES[id] : undefined;
  return scheme !== undefined && scheme.family === key.asymmetricKeyType && verify(scheme.hash, bytes, key, signature);
}

/** RSASSA-PSS-params (RFC 4055 §3.1) in the three forms in use: SHA-2 for both hashes, as many octets of salt. */
function verifyPss(parameters: Element, bytes: Buffer, key: KeyObject, signature: Buffer): boolean {
  const fields = new Fields(parameters, 'RSASSA-PSS parameters');
  const hash = hashOf(fields.next('hash', context(0)).contents);
  const generator = new Fields(fields.next('mask generation', context(1)), 'mask generation');
  const mask = new Fields(generator.next('algorithm', Tag.sequence), 'mask generation');
  if (oidText(mask.next('identifier', Tag.oid)) !== MGF1) return false;
  const saltLength = smallInteger(new Fields(fields.next('salt length', context(2)), 'salt length').next('octets', Tag.integer));
  if (hash === undefined || hashOf(mask.next('hash', Tag.sequence).bytes) !== hash || saltLength !== Number(hash.slice(3)) / 8)
    return false;
  return verify(hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature);
}

/** The hash an AlgorithmIdentifier names, when it may be used. @throws DerError */
export function hashOf(algorithmIdentifier: Buffer): string | undefined {
  const [identifier] = readElements(algorithmIdentifier);
  if (identifier === undefined) throw new DerError('hash algorithm is missing');
  const id = oidText(new Fields(identifier, 'hash algorithm').next('identifier', Tag.oid));
  return Object.hasOwn(HASHES, id) ? HASHES[id] : undefined;
}

/** Signature of a CMS signer (RFC 5652 §5.6): the algorithm may be the bare `rsaEncryption`, with the hash beside it. */
export function verifyCmsSignature(signed: Signed, hash: string, signer: Certificate): boolean {
  const fields = new Fields(signed.algorithm, 'signature algorithm');
  const id = oidText(fields.next('identifier', Tag.oid));
  if (id !== '1.2.840.113549.1.1.1') return verifySigned(signed, signer.publicKey);
  return signer.publicKey.asymmetricKeyType === 'rsa' && verify(hash, signed.bytes, signer.publicKey, signed.signature);
}
