import { GoError } from './go-error.ts';
import { quote } from './quote.ts';

/** Why strconv refuses a number. */
export type NumberProblem = 'invalid syntax' | 'value out of range';

/** A number read; on a range problem `value` is the nearest one that fits, as strconv returns it beside the error. */
export type Scanned<T> = { value: T; problem?: NumberProblem };

function problemOf(fn: string, text: string, problem: NumberProblem): GoError {
  return new GoError(`strconv.${fn}: parsing ${quote(text)}: ${problem}`);
}

const invalid: Scanned<bigint> = { value: 0n, problem: 'invalid syntax' };

/** Underscores may stand only between digits or after a base prefix. */
function underscoresAllowed(text: string): boolean {
  const digits = text.replace(/^[+-]/, '');
  const prefixed = /^0[bBoOxX]/.test(digits);
  const body = prefixed ? `0${digits.slice(2)}` : digits;
  const isDigit = /^0[xX]/.test(digits) ? /[0-9a-fA-F]/ : /[0-9]/;
  for (let i = 0; i < body.length; i++) {
    if (body[i] !== '_') continue;
    if (i === 0 || !isDigit.test(body[i - 1] ?? '') || !isDigit.test(body[i + 1] ?? '')) return false;
  }
  return true;
}

const baseOfPrefix: Readonly<Record<string, number>> = { b: 2, o: 8, x: 16 };

/** strconv.ParseUint without the error's text. `base` 0 reads Go's prefixes and underscores. */
export function scanUint(text: string, base = 10, bits = 64): Scanned<bigint> {
  let digits = text;
  let radix = base;
  if (base === 0) {
    const prefix = text.length >= 3 && text.startsWith('0') ? baseOfPrefix[(text[1] ?? '').toLowerCase()] : undefined;
    radix = prefix ?? (text.startsWith('0') ? 8 : 10);
    if (prefix !== undefined) digits = text.slice(2);
    else if (radix === 8) digits = text.slice(1);
  }
  if (text === '') return invalid;
  const max = (1n << BigInt(bits)) - 1n;
  if (base !== 0 || !digits.includes('_')) return accumulate(digits, radix, max);
  const scanned = accumulate(digits.replaceAll('_', ''), radix, max);
  return scanned.problem === undefined && !underscoresAllowed(text) ? invalid : scanned;
}

function accumulate(digits: string, radix: number, max: bigint): Scanned<bigint> {
  let value = 0n;
  const base = BigInt(radix);
  for (let i = 0; i < digits.length; i++) {
    const digit = digitValue(digits.charCodeAt(i));
    if (digit >= radix) return invalid;
    value = value * base + BigInt(digit);
    if (value > max) return { value: max, problem: 'value out of range' };
  }
  return { value };
}

function digitValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return code < 128 && lower >= 97 && lower <= 122 ? lower - 87 : 99;
}

/** strconv.ParseInt without the error's text. */
export function scanInt(text: string, base = 10, bits = 64): Scanned<bigint> {
  const negative = text.startsWith('-');
  const unsigned = scanUint(negative || text.startsWith('+') ? text.slice(1) : text, base, bits);
  if (unsigned.problem === 'invalid syntax') return invalid;
  const limit = 1n << BigInt(bits - 1);
  if (negative) return unsigned.value > limit ? { value: -limit, problem: 'value out of range' } : { value: -unsigned.value };
  return unsigned.value >= limit ? { value: limit - 1n, problem: 'value out of range' } : { value: unsigned.value };
}

/** strconv.ParseInt. Throws a GoError with its text. */
export function parseInteger(text: string, base = 10, bits = 64): bigint {
  const { value, problem } = scanInt(text, base, bits);
  if (problem !== undefined) throw problemOf('ParseInt', text, problem);
  return value;
}

/** strconv.ParseUint. Throws a GoError with its text. */
export function parseUnsigned(text: string, base = 10, bits = 64): bigint {
  const { value, problem } = scanUint(text, base, bits);
  if (problem !== undefined) throw problemOf('ParseUint', text, problem);
  return value;
}

/** strconv.Atoi. Throws a GoError with its text. */
export function atoi(text: string): bigint {
  const { value, problem } = scanInt(text);
  if (problem !== undefined) throw problemOf('Atoi', text, problem);
  return value;
}

const decimalFloat = /^[+-]?(?=[\d_.]*\d)[\d_]*\.?[\d_]*(?:[eE][+-]?\d[\d_]*)?$/;
const hexFloat = /^([+-]?)0[xX](?=[\da-fA-F_.]*[\da-fA-F])([\da-fA-F_]*)(?:\.([\da-fA-F_]*))?[pP]([+-]?\d[\d_]*)$/;
const special = /^([+-]?)inf(?:inity)?$|^nan$/i;

/** strconv.ParseFloat(text, 64) without the error's text. */
export function scanFloat(text: string): Scanned<number> {
  if (decimalFloat.test(text) && (!text.includes('_') || underscoresAllowed(text))) {
    const value = Number(text.replaceAll('_', ''));
    return Number.isFinite(value) ? { value } : { value, problem: 'value out of range' };
  }
  const named = special.exec(text);
  if (named !== null) return { value: /nan/i.test(text) ? Number.NaN : named[1] === '-' ? -Infinity : Infinity };
  const hex = hexFloat.exec(text);
  if (hex === null || (text.includes('_') && !underscoresAllowed(text))) return { value: 0, problem: 'invalid syntax' };
  return scanHexFloat(hex);
}

function scanHexFloat([, sign, whole = '', fraction = '', exponent = '']: RegExpExecArray): Scanned<number> {
  const digits = (whole + fraction).replaceAll('_', '');
  const power = Number(exponent.replaceAll('_', '')) - 4 * fraction.replaceAll('_', '').length;
  const size = scaleByTwo(BigInt(`0x${digits}`), power);
  const value = sign === '-' ? -size : size;
  return Number.isFinite(value) ? { value } : { value, problem: 'value out of range' };
}

/** mantissa × 2^power as the nearest float64, halves to even. */
function scaleByTwo(mantissa: bigint, power: number): number {
  if (mantissa === 0n) return 0;
  const length = mantissa.toString(2).length;
  if (length + power > 1025) return Infinity;
  if (length + power < -1080) return 0;
  // Keep at most 53 bits, fewer where the result is subnormal.
  const drop = Math.max(length - 53, -1074 - power);
  if (drop <= 0) return twoTo(Number(mantissa), power);
  const rest = mantissa & ((1n << BigInt(drop)) - 1n);
  const half = 1n << BigInt(drop - 1);
  let kept = mantissa >> BigInt(drop);
  if (rest > half || (rest === half && (kept & 1n) === 1n)) kept += 1n;
  return twoTo(Number(kept), power + drop);
}

/** Exact scaling: split so that no factor over- or underflows on its own. */
function twoTo(value: number, power: number): number {
  const half = Math.trunc(power / 2);
  return value * 2 ** half * 2 ** (power - half);
}

/** strconv.ParseFloat(text, 64). Throws a GoError with its text. */
export function parseFloat64(text: string): number {
  const { value, problem } = scanFloat(text);
  if (problem !== undefined) throw problemOf('ParseFloat', text, problem);
  return value;
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['1', 't', 'T', 'true', 'TRUE', 'True'].map((text) => [text, true] as const),
  ...['0', 'f', 'F', 'false', 'FALSE', 'False'].map((text) => [text, false] as const),
]);

/** strconv.ParseBool without the error's text: `undefined` for anything else. */
export function scanBool(text: string): boolean | undefined {
  return booleans.get(text);
}

/** strconv.ParseBool. Throws a GoError with its text. */
export function parseBool(text: string): boolean {
  const value = scanBool(text);
  if (value === undefined) throw problemOf('ParseBool', text, 'invalid syntax');
  return value;
}
