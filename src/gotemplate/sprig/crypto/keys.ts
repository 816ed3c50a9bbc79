import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { GoError } from '../../../golang/index.ts';
import { integer, integerValue, readElement, readElements, sequence, type Element } from './der.ts';
import { decodePem, encodePem } from './pem.ts';

/** The numbers of a DSA key. */
type DsaNumbers = { p: bigint; q: bigint; g: bigint; y: bigint; x: bigint };

/** A private key as sprig reads it. DSA keys can be carried around but sign nothing. */
export type PrivateKey = { readonly kind: 'key'; readonly key: KeyObject } | { readonly kind: 'dsa'; readonly numbers: DsaNumbers };

/** Sprig's parsePrivateKeyPEM. Throws a GoError; texts of Go's ASN.1 reader are shortened to their first part. */
export function parsePrivateKey(pem: string): PrivateKey {
  const block = decodePem(pem);
  if (block === undefined) throw new GoError('no PEM data in input');
  if (block.type === 'PRIVATE KEY') return { kind: 'key', key: readKey(block.bytes, 'pkcs8', 'decoding PEM as PKCS#8') };
  if (!block.type.endsWith(' PRIVATE KEY')) throw new GoError(`no private key data in PEM block of type ${block.type}`);
  const type = block.type.slice(0, -' PRIVATE KEY'.length);
  switch (type) {
    case 'RSA':
      return { kind: 'key', key: readKey(block.bytes, 'pkcs1', 'parsing RSA private key from PEM') };
    case 'EC':
      return { kind: 'key', key: readKey(block.bytes, 'sec1', 'parsing EC private key from PEM') };
    case 'DSA':
      return { kind: 'dsa', numbers: readDsa(block.bytes) };
    default:
      throw new GoError(`invalid private key type ${type}`);
  }
}

function readKey(der: Buffer, type: 'pkcs1' | 'pkcs8' | 'sec1', doing: string): KeyObject {
  try {
    return createPrivateKey({ key: der, format: 'der', type });
  } catch (error) {
    throw new GoError(`${doing}: asn1: structure error: tags don't match`, error);
  }
}

function readDsa(der: Buffer): DsaNumbers {
  try {
    const [, p, q, g, y, x] = readElements(readElement(der).contents);
    return { p: number(p), q: number(q), g: number(g), y: number(y), x: number(x) };
  } catch (error) {
    throw new GoError("parsing DSA private key from PEM: asn1: structure error: tags don't match", error);
  }
}

function number(element: Element | undefined): bigint {
  if (element === undefined) throw new RangeError('too few numbers');
  return integerValue(element);
}

/** Sprig's PEM form of a key: PKCS#1 for RSA, SEC 1 for EC, PKCS#8 for the rest. */
export function encodePrivateKey(key: PrivateKey): string {
  if (key.kind === 'dsa') {
    const { p, q, g, y, x } = key.numbers;
    return encodePem('DSA PRIVATE KEY', sequence(integer(0n), ...[p, q, g, y, x].map(integer)));
  }
  switch (key.key.asymmetricKeyType) {
    case 'rsa':
      return encodePem('RSA PRIVATE KEY', key.key.export({ format: 'der', type: 'pkcs1' }));
    case 'ec':
      return encodePem('EC PRIVATE KEY', key.key.export({ format: 'der', type: 'sec1' }));
    default:
      return encodePem('PRIVATE KEY', key.key.export({ format: 'der', type: 'pkcs8' }));
  }
}

/** The SubjectPublicKeyInfo of a key. Throws a GoError for DSA, which x509 does not sign with. */
export function publicKeyInfo(key: PrivateKey): Buffer {
  if (key.kind === 'dsa') throw new GoError('x509: certificate private key does not implement crypto.Signer');
  return createPublicKey(key.key).export({ format: 'der', type: 'spki' });
}

/** A new RSA key of the given size, on this thread. */
export function newRsaKey(bits: number): KeyObject {
  return generateKeyPairSync('rsa', { modulusLength: bits }).privateKey;
}

/** The text `genPrivateKey` gives. */
export function generatePrivateKey(type: string): string {
  switch (type) {
    case '':
    case 'rsa':
      return encodePrivateKey({ kind: 'key', key: newRsaKey(4096) });
    case 'dsa':
      return encodePrivateKey({ kind: 'dsa', numbers: newDsaNumbers() });
    case 'ecdsa':
      return encodePrivateKey({ kind: 'key', key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey });
    case 'ed25519':
      return encodePrivateKey({ kind: 'key', key: generateKeyPairSync('ed25519').privateKey });
    default:
      return `Unknown type ${type}`;
  }
}

/** PKCS#8 of a DSA key is { version, { oid, { p, q, g } }, x }. */
function newDsaNumbers(): DsaNumbers {
  const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
  const [, algorithm, secret] = readElements(readElement(privateKey.export({ format: 'der', type: 'pkcs8' })).contents);
  if (algorithm === undefined || secret === undefined) throw new RangeError('read a DSA key: not PKCS#8');
  const [, parameters] = readElements(algorithm.contents);
  const [p, q, g] = readElements(parameters?.contents ?? Buffer.alloc(0)).map(integerValue);
  const x = integerValue(readElement(secret.contents));
  if (p === undefined || q === undefined || g === undefined) throw new RangeError('read a DSA key: parameters are missing');
  return { p, q, g, x, y: modularPower(g, x, p) };
}

function modularPower(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let factor = base % modulus;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * factor) % modulus;
    factor = (factor * factor) % modulus;
  }
  return result;
}
