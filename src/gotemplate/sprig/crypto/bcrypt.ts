import { GoError, textToBytes } from '../../../golang/index.ts';

/** golang.org/x/crypto/bcrypt.DefaultCost. */
export const DEFAULT_COST = 10;
const MAX_PASSWORD_BYTES = 72;
const ROUNDS = 16;
const digits = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/**
 * bcrypt.GenerateFromPassword: `$2a$10$` + salt + hash. `salt` is 16 bytes.
 * Throws a GoError with the library's text when the password is longer than 72 bytes.
 */
export function bcryptHash(password: string, salt: Uint8Array, cost: number = DEFAULT_COST): string {
  const bytes = textToBytes(password);
  if (bytes.length > MAX_PASSWORD_BYTES) throw new GoError('bcrypt: password length exceeds 72 bytes');
  const cipher = expensiveBlowfish(Uint8Array.from([...bytes, 0]), salt, cost);
  const text = Buffer.from('OrpheanBeholderScryDoubt');
  const words = new Int32Array(6);
  for (let i = 0; i < 6; i++) words[i] = text.readInt32BE(4 * i);
  for (let i = 0; i < 6; i += 2) for (let round = 0; round < 64; round++) cipher.encrypt(words, i);
  const out = Buffer.alloc(24);
  for (const [i, word] of words.entries()) out.writeInt32BE(word, 4 * i);
  return `$2a$${String(cost).padStart(2, '0')}$${encode(salt)}${encode(out.subarray(0, 23))}`;
}

function encode(bytes: Uint8Array): string {
  let out = '';
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xffff;
    for (count += 8; count >= 6; count -= 6) out += digits[(bits >> (count - 6)) & 63];
  }
  return count > 0 ? out + digits[(bits << (6 - count)) & 63] : out;
}

function expensiveBlowfish(key: Uint8Array, salt: Uint8Array, cost: number): Blowfish {
  const cipher = new Blowfish();
  cipher.expand(key, salt);
  const rounds = 2 ** cost;
  for (let i = 0; i < rounds; i++) {
    cipher.expand(key);
    cipher.expand(salt);
  }
  return cipher;
}

/** Blowfish (Schneier 1993) with bcrypt's salted key schedule. */
class Blowfish {
  readonly #p: Int32Array;
  readonly #s: Int32Array;

  constructor() {
    const pi = fractionOfPi();
    this.#p = pi.slice(0, ROUNDS + 2);
    this.#s = pi.slice(ROUNDS + 2);
  }

  /** Encrypts the pair of words at `at` in place. */
  encrypt(words: Int32Array, at: number): void {
    const p = this.#p;
    const s = this.#s;
    let left = words[at]! ^ p[0]!;
    let right = words[at + 1]!;
    for (let i = 1; i <= ROUNDS; i += 2) {
      right ^= (((s[left >>> 24]! + s[256 + ((left >>> 16) & 255)]!) ^ s[512 + ((left >>> 8) & 255)]!) + s[768 + (left & 255)]!) ^ p[i]!;
      left ^=
        (((s[right >>> 24]! + s[256 + ((right >>> 16) & 255)]!) ^ s[512 + ((right >>> 8) & 255)]!) + s[768 + (right & 255)]!) ^ p[i + 1]!;
    }
    words[at] = right ^ p[ROUNDS + 1]!;
    words[at + 1] = left;
  }

  /** Mixes a key, and a salt if given, into the state. */
  expand(key: Uint8Array, salt?: Uint8Array): void {
    const keyWords = cyclicWords(key, ROUNDS + 2);
    for (let i = 0; i < ROUNDS + 2; i++) this.#p[i]! ^= keyWords[i]!;
    const saltWords = salt === undefined ? undefined : cyclicWords(salt, 4);
    const pair = new Int32Array(2);
    let at = 0;
    for (const state of [this.#p, this.#s]) {
      for (let i = 0; i < state.length; i += 2) {
        if (saltWords !== undefined) {
          pair[0]! ^= saltWords[at]!;
          pair[1]! ^= saltWords[at + 1]!;
          at = (at + 2) & 3;
        }
        this.encrypt(pair, 0);
        state[i] = pair[0]!;
        state[i + 1] = pair[1]!;
      }
    }
  }
}

/** Words of the bytes repeated over and over. */
function cyclicWords(bytes: Uint8Array, count: number): Int32Array {
  const words = new Int32Array(count);
  let at = 0;
  for (let i = 0; i < count; i++) {
    let word = 0;
    for (let k = 0; k < 4; k++) {
      word = (word << 8) | bytes[at]!;
      at = at + 1 === bytes.length ? 0 : at + 1;
    }
    words[i] = word;
  }
  return words;
}

const PI_WORDS = ROUNDS + 2 + 4 * 256;
let pi: Int32Array | undefined;

/** Blowfish's tables are the fraction of pi in binary. Computed once, by Machin's formula: 16·arctan(1/5) − 4·arctan(1/239). */
function fractionOfPi(): Int32Array {
  if (pi !== undefined) return pi;
  const guard = 64n;
  const one = 1n << (BigInt(PI_WORDS * 32) + guard);
  const value = (16n * inverseTangent(5n, one) - 4n * inverseTangent(239n, one)) >> guard;
  const fraction = value & ((1n << BigInt(PI_WORDS * 32)) - 1n);
  const bytes = Buffer.from(fraction.toString(16).padStart(PI_WORDS * 8, '0'), 'hex');
  pi = new Int32Array(PI_WORDS);
  for (let i = 0; i < PI_WORDS; i++) pi[i] = bytes.readInt32BE(4 * i);
  return pi;
}

/** arctan(1/x) in units of 1/one. */
function inverseTangent(x: bigint, one: bigint): bigint {
  let power = one / x;
  let sum = power;
  const square = x * x;
  for (let n = 3n, sign = -1n; power > 0n; n += 2n, sign = -sign) {
    power /= square;
    sum += (sign * power) / n;
  }
  return sum;
}
