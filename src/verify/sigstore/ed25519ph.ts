import { createHash, type KeyObject } from 'node:crypto';

// The curve of RFC 8032 §5.1: -x² + y² = 1 + d·x²·y² over p = 2²⁵⁵ - 19, with a subgroup of prime order L.
const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
const D = mod(-121665n * power(121666n, P - 2n));
const SQRT_MINUS_ONE = power(2n, (P - 1n) / 4n);
/** Extended coordinates: x = X/Z, y = Y/Z, T = XY/Z. */
type Point = readonly [X: bigint, Y: bigint, Z: bigint, T: bigint];
const IDENTITY: Point = [0n, 1n, 1n, 0n];
const BASE = decodePoint(Buffer.from(`58${'66'.repeat(31)}`, 'hex')) ?? IDENTITY;
/** dom2(1, ""): prehashed, no context (RFC 8032 §2). */
const PREHASHED = Buffer.concat([Buffer.from('SigEd25519 no Ed25519 collisions'), Buffer.from([1, 0])]);

/**
 * Verifies an Ed25519ph signature (RFC 8032 §5.1.7): Ed25519 over the SHA-512 of the message. cosign signs so with Ed25519 keys, and
 * node:crypto has no way to ask OpenSSL for it. Only public values are handled, so nothing here needs to take constant time.
 */
export function verifyEd25519ph(message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  return verifyWithPrefix(PREHASHED, createHash('sha512').update(message).digest(), key, signature);
}

/** Plain Ed25519 by the same arithmetic; exported to be compared with OpenSSL's. @internal */
export function verifyEd25519(message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  return verifyWithPrefix(Buffer.alloc(0), message, key, signature);
}

function verifyWithPrefix(prefix: Uint8Array, message: Uint8Array, key: KeyObject, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  const publicBytes = key.export({ type: 'spki', format: 'der' }).subarray(-32);
  const A = decodePoint(publicBytes);
  const S = littleEndian(signature.subarray(32));
  if (A === undefined || S >= L) return false;
  const hash = createHash('sha512').update(prefix).update(signature.subarray(0, 32)).update(publicBytes).update(message).digest();
  const k = littleEndian(hash) % L;
  const [X, Y, Z, T] = multiply(A, k);
  return encodePoint(add(multiply(BASE, S), [mod(-X), Y, Z, mod(-T)])).equals(signature.subarray(0, 32));
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}

/** RFC 8032 §5.1.4. */
function add([X1, Y1, Z1, T1]: Point, [X2, Y2, Z2, T2]: Point): Point {
  const A = mod((Y1 - X1) * (Y2 - X2));
  const B = mod((Y1 + X1) * (Y2 + X2));
  const C = mod(2n * T1 * T2 * D);
  const E = mod(2n * Z1 * Z2);
  return [mod((B - A) * (E - C)), mod((E + C) * (B + A)), mod((E - C) * (E + C)), mod((B - A) * (B + A))];
}

function multiply(point: Point, scalar: bigint): Point {
  let result = IDENTITY;
  let double = point;
  for (let rest = scalar; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = add(result, double);
    double = add(double, double);
  }
  return result;
}

/** RFC 8032 §5.1.3; undefined for bytes that are no point in their only encoding. */
function decodePoint(bytes: Uint8Array): Point | undefined {
  const number = littleEndian(bytes);
  const sign = number >> 255n;
  const y = number & (2n ** 255n - 1n);
  if (y >= P) return undefined;
  const u = mod(y * y - 1n);
  const v = mod(D * y * y + 1n);
  const root = mod(u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n));
  const square = mod(v * root * root);
  if (square !== u && square !== mod(-u)) return undefined;
  const x = square === u ? root : mod(root * SQRT_MINUS_ONE);
  if (x === 0n && sign === 1n) return undefined;
  const signed = (x & 1n) === sign ? x : mod(-x);
  return [signed, y, 1n, mod(signed * y)];
}

function encodePoint([X, Y, Z]: Point): Buffer {
  const inverse = power(Z, P - 2n);
  const x = mod(X * inverse);
  const y = mod(Y * inverse) | ((x & 1n) << 255n);
  return Buffer.from(y.toString(16).padStart(64, '0'), 'hex').reverse();
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
