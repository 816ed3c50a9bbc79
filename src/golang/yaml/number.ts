import { scanFloat } from '../parse-number.ts';

const MAX_INT64 = 2n ** 63n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_UINT64 = 2n ** 64n - 1n;
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const DIGITS: Readonly<Record<number, RegExp>> = { 2: /^[01]+$/, 8: /^[0-7]+$/, 10: /^[0-9]+$/, 16: /^[0-9a-fA-F]+$/ };
const PREFIX: Readonly<Record<number, string>> = { 2: '0b', 8: '0o', 10: '', 16: '0x' };

function unsigned(digits: string, base: number): bigint | undefined {
  // Nothing of 64 bits is longer, but leading zeros may be.
  const trimmed = digits.length > 80 ? digits.replace(/^0+(?=.)/, '') : digits;
  if (trimmed.length > 80 || !DIGITS[base]!.test(trimmed)) return undefined;
  return BigInt(PREFIX[base]! + trimmed);
}

function signed(text: string, base: number): bigint | undefined {
  const negative = text.startsWith('-');
  const value = unsigned(negative || text.startsWith('+') ? text.slice(1) : text, base);
  if (value === undefined) return undefined;
  const result = negative ? -value : value;
  return result >= MIN_INT64 && result <= MAX_INT64 ? result : undefined;
}

/** Digits and base of a Go literal: `0x`, `0o`, `0b` and a leading `0` (octal) are known. */
function literal(text: string): { digits: string; base: number } {
  if (!text.startsWith('0')) return { digits: text, base: 10 };
  const letter = text.length >= 3 ? text.charCodeAt(1) | 32 : 0;
  if (letter === 98) return { digits: text.slice(2), base: 2 };
  if (letter === 111) return { digits: text.slice(2), base: 8 };
  if (letter === 120) return { digits: text.slice(2), base: 16 };
  return { digits: text, base: 8 };
}

/** strconv.ParseInt(text, 0, 64), else ParseUint: an integer of 64 bits, or undefined. */
function literalInteger(text: string): bigint | undefined {
  const sign = text.charCodeAt(0);
  const hasSign = sign === 45 || sign === 43;
  const { digits, base } = literal(hasSign ? text.slice(1) : text);
  const value = unsigned(digits, base);
  if (value === undefined) return undefined;
  if (sign === 45) return -value >= MIN_INT64 ? -value : undefined;
  return value <= (hasSign ? MAX_INT64 : MAX_UINT64) ? value : undefined;
}

/** `0b` and (in yaml.v3) `0o` with a sign after the prefix: go-yaml's fallback takes it. */
function oddInteger(text: string, prefix: string, base: number): bigint | undefined {
  if (text.startsWith(prefix)) return signed(text.slice(2), base);
  return text.startsWith(`-${prefix}`) ? signed(`-${text.slice(3)}`, base) : undefined;
}

/**
 * The number a plain scalar that begins with a digit or sign is in go-yaml: a bigint is an integer of 64 bits, a number a float64.
 * Undefined when it is text. `0777` is octal, `1_000` a thousand, `1e400` text.
 */
export function resolveNumber(text: string, modern: boolean): bigint | number | undefined {
  const plain = text.includes('_') ? text.replaceAll('_', '') : text;
  const integer = literalInteger(plain);
  if (integer !== undefined) return integer;
  if (FLOAT.test(plain)) {
    const float = Number(plain);
    if (Number.isFinite(float)) return float;
  }
  return oddInteger(plain, '0b', 2) ?? (modern ? oddInteger(plain, '0o', 8) : undefined);
}

/** The float a scalar that begins with `.` is, or undefined. Underscores between digits are taken, as strconv.ParseFloat does. */
export function resolveFraction(text: string): number | undefined {
  const { value, problem } = scanFloat(text);
  return problem === undefined ? value : undefined;
}
