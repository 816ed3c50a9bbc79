import { lowerRune, toLowerText, toUpperText, upperRune } from '../golang/index.ts';
import { fromByteString, runeAt, toByteString } from './bytes.ts';
import { type Budget, matchPattern, newBudget } from './glob.ts';

/** Applies an operator to a variable's value; everything is a byte string. */
export type Operator = (value: string, parts: readonly string[]) => string;

/** The operators by their sign (KB43). An unknown sign, as `${v^,}` parses to, works like a default. */
export function findOperator(sign: string, parts: number): Operator {
  if (sign === '#' && parts === 0) return byteLength;
  return OPERATORS[sign] ?? defaultTo;
}

/** Operators that stand in for an unset variable, and so may meet one in strict mode. */
export function isDefaultOperator(sign: string): boolean {
  return DEFAULT_SIGNS.has(sign);
}

const DEFAULT_SIGNS = new Set(['-', '+', '=', '?', ':-', ':+', ':=', ':?']);

const byteLength: Operator = (value) => String(value.length);
const defaultTo: Operator = (value, parts) => (value === '' && parts.length > 0 ? parts.join('') : value);
const firstRune =
  (change: (rune: number) => number): Operator =>
  (value) => {
    if (value === '') return value;
    const { rune, width } = runeAt(value, 0);
    return toByteString(String.fromCodePoint(change(rune))) + value.slice(width);
  };

const OPERATORS: Readonly<Record<string, Operator>> = {
  ',': firstRune(lowerRune),
  ',,': (value) => toByteString(toLowerText(fromByteString(value))),
  '^': firstRune(upperRune),
  '^^': (value) => toByteString(toUpperText(fromByteString(value))),
  '#': (value, [pattern = '']) => trimShortest(value, pattern, newBudget()),
  '##': (value, [pattern = '']) => trimLongest(value, pattern, newBudget()),
  '%': (value, [pattern = '']) => reverse(trimShortest(reverse(value), reverse(pattern), newBudget())),
  '%%': (value, [pattern = '']) => reverse(trimLongest(reverse(value), reverse(pattern), newBudget())),
  ':': substring,
  '/': (value, [old = '', replacement = '']) => replaceText(value, old, replacement, false),
  '//': (value, [old = '', replacement = '']) => replaceText(value, old, replacement, true),
  '/#': (value, parts) =>
    parts.length === 2 && value.startsWith(parts[0] ?? '') ? (parts[1] ?? '') + value.slice(parts[0]?.length) : value,
  '/%': (value, parts) =>
    parts.length === 2 && value.endsWith(parts[0] ?? '')
      ? value.slice(0, value.length - (parts[0]?.length ?? 0)) + (parts[1] ?? '')
      : value,
};

/** strconv.Atoi; undefined for what it refuses. */
function integer(text: string): number | undefined {
  if (!/^[+-]?\d{1,19}$/.test(text) && !/^[+-]?0*\d{1,19}$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return value > 0x7fff_ffff_ffff_ffffn || value < -0x8000_0000_0000_0000n ? undefined : Number(value);
}

/** Byte offsets; a negative position counts from the end, a negative length names the end. What is no integer leaves the value whole. */
function substring(value: string, parts: readonly string[]): string {
  const stated = integer(parts[0] ?? '');
  if (stated === undefined) return value;
  const position = stated < 0 ? Math.max(0, value.length + stated) : stated;
  if (parts.length === 1) return value.slice(position);
  const length = integer(parts[1] ?? '');
  if (length === undefined) return value;
  const end = length < 0 ? value.length + length : position + length;
  return end < position ? '' : value.slice(position, end);
}

/** strings.Replace: an empty `old` matches before every rune and at the end. */
function replaceText(value: string, old: string, replacement: string, all: boolean): string {
  if (old !== '') {
    if (all) return value.split(old).join(replacement);
    const at = value.indexOf(old);
    return at < 0 ? value : value.slice(0, at) + replacement + value.slice(at + old.length);
  }
  if (!all) return replacement + value;
  let out = replacement;
  for (let at = 0; at < value.length;) {
    const { width } = runeAt(value, at);
    out += value.slice(at, at + width) + replacement;
    at += width;
  }
  return out;
}

/** Takes away the shortest beginning the pattern matches; the empty one does not count. */
function trimShortest(value: string, pattern: string, budget: Budget): string {
  let shortest = 0;
  for (let length = value.length; length > 0; length--) {
    const matched = matchPattern(pattern, value.slice(0, length), budget);
    if (matched === undefined) return value;
    if (matched) shortest = length;
  }
  return value.slice(shortest);
}

/** Takes away the longest beginning the pattern matches. */
function trimLongest(value: string, pattern: string, budget: Budget): string {
  for (let length = value.length; length > 0; length--) {
    const matched = matchPattern(pattern, value.slice(0, length), budget);
    if (matched === undefined) return value;
    if (matched) return value.slice(length);
  }
  return value;
}

/** Runes in reverse; bytes that are none become U+FFFD, as in Go. */
function reverse(value: string): string {
  const runes: string[] = [];
  for (let at = 0; at < value.length;) {
    const { rune, width } = runeAt(value, at);
    runes.push(String.fromCodePoint(rune));
    at += width;
  }
  return toByteString(runes.reverse().join(''));
}
