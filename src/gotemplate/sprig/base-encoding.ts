import { GoError } from '../../golang/index.ts';

/** encoding/base64.StdEncoding.EncodeToString. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

const canonical = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** encoding/base64.StdEncoding.DecodeString: line breaks are skipped. Throws a GoError with its text. */
export function decodeBase64(text: string): Uint8Array {
  if (!canonical.test(text)) checkBase64(Buffer.from(text.replaceAll(/[^\0-\x7f]/gu, nonAscii), 'latin1'));
  return Buffer.from(text, 'base64');
}

/** Stands for the bytes of a character that is not ASCII, so that offsets count bytes. */
function nonAscii(char: string): string {
  return '\x80'.repeat(char.isWellFormed() ? Buffer.byteLength(char) : 1);
}

const LF = 10;
const CR = 13;
const PAD = 61;

function isBase64Digit(byte: number | undefined): boolean {
  return byte !== undefined && /[A-Za-z0-9+/]/.test(String.fromCharCode(byte));
}

function checkBase64(bytes: Uint8Array): void {
  let at = 0;
  while (at < bytes.length) at = checkQuantum(bytes, at);
}

function corrupt64(at: number): GoError {
  return new GoError(`illegal base64 data at input byte ${at}`);
}

/** Checks four digits and the padding that may end them; gives the offset after them. */
function checkQuantum(bytes: Uint8Array, start: number): number {
  let at = start;
  const skipLines = (): void => {
    while (bytes[at] === LF || bytes[at] === CR) at += 1;
  };
  for (let digits = 0; digits < 4; digits++) {
    skipLines();
    if (at >= bytes.length) {
      if (digits === 0) return at;
      throw corrupt64(at - digits);
    }
    const byte = bytes[at];
    at += 1;
    if (isBase64Digit(byte)) continue;
    if (byte !== PAD || digits < 2) throw corrupt64(at - 1);
    if (digits === 2) {
      skipLines();
      if (at >= bytes.length) throw corrupt64(bytes.length);
      if (bytes[at] !== PAD) throw corrupt64(at - 1);
      at += 1;
    }
    skipLines();
    if (at < bytes.length) throw corrupt64(at);
    return at;
  }
  return at;
}

const base32Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** encoding/base32.StdEncoding.EncodeToString. */
export function encodeBase32(bytes: Uint8Array): string {
  let out = '';
  let bits = 0;
  let count = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    for (count += 8; count >= 5; count -= 5) out += base32Digits[(bits >> (count - 5)) & 31];
  }
  if (count > 0) out += base32Digits[(bits << (5 - count)) & 31];
  return out.padEnd(Math.ceil(out.length / 8) * 8, '=');
}

function corrupt32(at: number): GoError {
  return new GoError(`illegal base32 data at input byte ${at}`);
}

/** encoding/base32.StdEncoding.DecodeString: line breaks are skipped. Throws a GoError with its text. */
export function decodeBase32(text: string): Uint8Array {
  const input = text.replaceAll(/[\r\n]/g, '').replaceAll(/[^\0-\x7f]/gu, nonAscii);
  const out: number[] = [];
  for (let start = 0; start < input.length;) {
    const { digits, padded } = quantum32(input, start);
    let bits = 0n;
    for (const digit of digits) bits = (bits << 5n) | BigInt(digit);
    bits <<= BigInt(40 - digits.length * 5);
    for (let i = 0; i < Math.trunc((digits.length * 5) / 8); i++) out.push(Number((bits >> BigInt(32 - 8 * i)) & 255n));
    if (padded) break;
    start += 8;
  }
  return Uint8Array.from(out);
}

/** Up to eight digits; `padded` when padding ended them. What follows the padding is not looked at beyond its own length. */
function quantum32(input: string, start: number): { digits: number[]; padded: boolean } {
  const digits: number[] = [];
  for (let at = start; digits.length < 8; at++) {
    const count = digits.length;
    if (at >= input.length) throw corrupt32(input.length - count);
    const left = input.length - at - 1;
    if (input[at] === '=' && count >= 2 && left < 8) {
      if (left + count < 7) throw corrupt32(input.length);
      for (let k = 0; k < 7 - count; k++) if (left > k && input[at + 1 + k] !== '=') throw corrupt32(at + k);
      if (count === 3 || count === 6) throw corrupt32(at);
      return { digits, padded: true };
    }
    const digit = base32Digits.indexOf(input[at] ?? '?');
    if (digit < 0) throw corrupt32(at);
    digits.push(digit);
  }
  return { digits, padded: false };
}
