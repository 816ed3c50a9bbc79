import {
  anyType,
  boolType,
  budgetExceeded,
  bytesToText,
  compareText,
  formatValue,
  GoError,
  GoMap,
  GoSlice,
  goInt,
  intType,
  isAsciiText,
  isSpace,
  joinText,
  MAX_LIST,
  MAX_TEXT,
  quote,
  sliceBytes,
  sliceItems,
  sprintf,
  stringMapType,
  stringSlice,
  stringSliceType,
  stringType,
  textByteLength,
  textToBytes,
  toLowerText,
  toUpperText,
  scanInt,
  type GoValue,
} from '../../golang/index.ts';
import { initials, nospace, swapCase, title, untitle, wrap } from './words.ts';
import { exact, startedWith } from './capacity.ts';
import { camelCase, kebabCase, snakeCase } from './case.ts';
import { joinTexts, toText, toTexts } from './convert.ts';
import { exactInt, fn, int, text, variadic, type Functions } from './define.ts';

/** What Go's allocator refuses at once; less than that, it tries. */
const MAX_ALLOCATION = 2 ** 48;

/** One character per byte: what a part that is no whole rune must be looked for in. */
function byteText(value: string): string {
  return Buffer.from(textToBytes(value)).toString('latin1');
}

function fromByteText(value: string): string {
  return bytesToText(Buffer.from(value, 'latin1'));
}

/** A question about a part of a text, asked of the bytes where the part is no whole rune. */
function ask(part: GoValue, value: GoValue, question: (value: string, part: string) => boolean): boolean {
  const [whole, sought] = [text(value), text(part)];
  return sought.isWellFormed() ? question(whole, sought) : question(byteText(whole), byteText(sought));
}

/** The text without `part` at one of its ends, where `question` finds it there. */
function without(part: GoValue, value: GoValue, question: (value: string, part: string) => boolean, from: 'start' | 'end'): GoValue {
  const sought = text(part);
  if (sought === '' || !ask(part, value, question)) return value;
  const length = textByteLength(text(value));
  const cut = textByteLength(sought);
  return from === 'start' ? sliceBytes(text(value), cut, length) : sliceBytes(text(value), 0, length - cut);
}

const startsWith = (value: string, part: string): boolean => value.startsWith(part);
const endsWith = (value: string, part: string): boolean => value.endsWith(part);

/** strings.Repeat, with its panics. */
export function repeat(value: string, count: number): string {
  if (count < 0) throw new GoError('strings: negative Repeat count');
  const length = value.length * count;
  if (length >= 2 ** 63 && value.length > 1) throw new GoError('strings: Repeat output length overflow');
  if (length >= MAX_ALLOCATION) throw new GoError('runtime error: makeslice: len out of range');
  if (length > MAX_TEXT) throw budgetExceeded('length of a repeated text', MAX_TEXT);
  return joinText(value.repeat(count));
}

/** The first and last offsets of what is left after trimming Unicode space. */
export function trimSpace(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isSpace(value.charCodeAt(from))) from += 1;
  while (to > from && isSpace(value.charCodeAt(to - 1))) to -= 1;
  return value.slice(from, to);
}

/** strings.Trim: runes of `cutset` off both ends; an invalid byte counts as U+FFFD. */
function trimSet(value: string, cutset: string): string {
  const cut = new Set(cutset.toWellFormed());
  const runes = [...value];
  let from = 0;
  let to = runes.length;
  while (from < to && cut.has((runes[from] ?? '').toWellFormed())) from += 1;
  while (to > from && cut.has((runes[to - 1] ?? '').toWellFormed())) to -= 1;
  return runes.slice(from, to).join('');
}

/** `s[from:to]`, with the panics of a slice expression. */
function bounds(value: string, from: bigint, to: bigint): string {
  const length = BigInt(textByteLength(value));
  const problem = (range: string): GoError => new GoError(`runtime error: slice bounds out of range ${range}`);
  if (to > length) throw problem(`[:${to}] with length ${length}`);
  if (to < 0n) throw problem(`[:${to}]`);
  if (from > to) throw problem(`[${from}:${to}]`);
  return sliceBytes(value, Number(from), Number(to));
}

function trunc(count: number, value: string): string {
  if (count >= 0 && value.length <= count && isAsciiText(value)) return value;
  const length = textByteLength(value);
  if (count < 0 && length + count > 0) return sliceBytes(value, length + count, length);
  return count >= 0 && length > count ? sliceBytes(value, 0, count) : value;
}

function substring(start: bigint, end: bigint, value: string): string {
  const length = BigInt(textByteLength(value));
  if (start < 0n) return bounds(value, 0n, end);
  return bounds(value, start, end < 0n || end > length ? length : end);
}

function abbreviate(value: string, offset: number, width: number): string {
  const length = textByteLength(value);
  if (value === '' || width < 4 || length <= width) return width < 4 ? '' : value;
  let from = Math.min(offset, length);
  // As 64-bit integers: an offset at their lower end wraps around.
  if (BigInt.asIntN(64, BigInt(length) - BigInt(from)) < BigInt(width - 3)) from = length - (width - 3);
  if (from <= 4) return `${sliceBytes(value, 0, width - 3)}...`;
  if (width < 7) return '';
  if (from + width - 3 < length) return `...${abbreviate(sliceBytes(value, from, length), 0, width - 3)}`;
  return `...${sliceBytes(value, length - (width - 3), length)}`;
}

function indent(spaces: number, value: string): string {
  const pad = repeat(' ', spaces);
  let lines = 1;
  for (let at = value.indexOf('\n'); at >= 0; at = value.indexOf('\n', at + 1)) lines += 1;
  if (lines * pad.length + value.length > MAX_TEXT) throw budgetExceeded('length of an indented text', MAX_TEXT);
  return pad + value.replaceAll('\n', `\n${pad}`);
}

/** strings.Split and SplitN: at most `limit` parts, all when it is negative. */
export function splitText(value: string, separator: string, limit = -1): string[] {
  if (limit === 0) return [];
  if (!separator.isWellFormed()) return splitText(byteText(value), byteText(separator), limit).map(fromByteText);
  const explode = separator === '' && value.length <= 2 * MAX_LIST;
  const parts = explode ? [...value] : value.split(separator, MAX_LIST + 1);
  if (parts.length > MAX_LIST) throw budgetExceeded('number of parts of a split text', MAX_LIST);
  if (limit < 0 || parts.length <= limit) return parts;
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)];
}

/** The parts under `_0`, `_1`, … */
function numbered(parts: readonly string[]): GoMap {
  return new GoMap(stringMapType, new Map(parts.map((part, i) => [`_${i}`, part])));
}

/** strings.Replace of all: an empty `from` matches before every rune and at the end. */
function replaceText(value: string, from: string, to: string): string {
  if (from === to) return value;
  if (!from.isWellFormed()) return fromByteText(replaceText(byteText(value), byteText(from), byteText(to)));
  if (from === '' && value.length * (to.length + 1) > MAX_TEXT) throw budgetExceeded('length of a replaced text', MAX_TEXT);
  const pieces = from === '' ? ['', ...value, ''] : value.split(from);
  if (value.length + pieces.length * to.length > MAX_TEXT) throw budgetExceeded('length of a replaced text', MAX_TEXT);
  return joinText(pieces.join(to));
}

function withoutNil(values: readonly GoValue[]): GoValue[] {
  return values.filter((value) => value !== null && value !== undefined);
}

/** The texts of all values but nil, with spaces between. */
function joinPresent(values: readonly GoValue[], write: (value: GoValue) => string): string {
  const [only] = values;
  if (values.length === 1) return only === null || only === undefined ? '' : joinText(write(only));
  return joinTexts(withoutNil(values).map(write), ' ');
}

function catTexts(values: readonly GoValue[]): string {
  const present = withoutNil(values);
  return sprintf(present.map(() => '%v').join(' '), present);
}

/** A []string is sorted where it is, as in Go: who else holds it sees it sorted. */
function sortAlpha(value: GoValue): GoValue {
  if (value instanceof GoSlice && value.type === stringSliceType) return value.sort((a, b) => compareText(text(a), text(b)));
  if (sliceItems(value) === undefined) return exact(stringSlice([toText(value)]));
  return startedWith(stringSlice(toTexts(value).sort(compareText)), sliceItems(value)?.length ?? 1);
}

/** strslice: a []string is given back as it is. */
function toStrings(value: GoValue): GoValue {
  return value instanceof GoSlice && value.type === stringSliceType
    ? value
    : startedWith(stringSlice(toTexts(value)), sliceItems(value)?.length ?? 1);
}

const S = stringType;
const I = intType;

export const stringFunctions: Functions = {
  hello: fn([], S, () => 'Hello!'),
  abbrev: fn([I, S], S, (width, value) => (int(width) < 4 ? text(value) : abbreviate(text(value), 0, int(width)))),
  abbrevboth: fn([I, I, S], S, (left, right, value) =>
    int(right) < 4 || (int(left) > 0 && int(right) < 7) ? text(value) : abbreviate(text(value), int(left), int(right)),
  ),
  trunc: fn([I, S], S, (count, value) => trunc(int(count), text(value))),
  trim: fn([S], S, (value) => trimSpace(text(value))),
  upper: fn([S], S, (value) => toUpperText(text(value))),
  lower: fn([S], S, (value) => toLowerText(text(value))),
  title: fn([S], S, (value) => title(text(value))),
  untitle: fn([S], S, (value) => untitle(text(value))),
  substr: fn([I, I, S], S, (start, end, value) => substring(exactInt(start), exactInt(end), text(value))),
  repeat: fn([I, S], S, (count, value) => repeat(text(value), int(count))),
  trimall: fn([S, S], S, (cutset, value) => trimSet(text(value), text(cutset))),
  trimAll: fn([S, S], S, (cutset, value) => trimSet(text(value), text(cutset))),
  trimSuffix: fn([S, S], S, (suffix, value) => without(suffix, value, endsWith, 'end')),
  trimPrefix: fn([S, S], S, (prefix, value) => without(prefix, value, startsWith, 'start')),
  nospace: fn([S], S, (value) => nospace(text(value))),
  initials: fn([S], S, (value) => initials(text(value))),
  swapcase: fn([S], S, (value) => swapCase(text(value))),
  snakecase: fn([S], S, (value) => snakeCase(text(value))),
  camelcase: fn([S], S, (value) => camelCase(text(value))),
  kebabcase: fn([S], S, (value) => kebabCase(text(value))),
  wrap: fn([I, S], S, (width, value) => wrap(text(value), int(width), '', false)),
  wrapWith: fn([I, S, S], S, (width, separator, value) => wrap(text(value), int(width), text(separator), true)),
  contains: fn([S, S], boolType, (part, value) => ask(part, value, (whole, sought) => whole.includes(sought))),
  hasPrefix: fn([S, S], boolType, (prefix, value) => ask(prefix, value, startsWith)),
  hasSuffix: fn([S, S], boolType, (suffix, value) => ask(suffix, value, endsWith)),
  quote: variadic([anyType], S, (values) => joinPresent(values, (value) => quote(toText(value)))),
  squote: variadic([anyType], S, (values) => joinPresent(values, (value) => `'${formatValue(value)}'`)),
  cat: variadic([anyType], S, catTexts),
  indent: fn([I, S], S, (spaces, value) => indent(int(spaces), text(value))),
  nindent: fn([I, S], S, (spaces, value) => `\n${indent(int(spaces), text(value))}`),
  replace: fn([S, S, S], S, (from, to, value) => replaceText(text(value), text(from), text(to))),
  plural: fn([S, S, I], S, (one, many, count) => (int(count) === 1 ? one : many)),
  toString: fn([anyType], S, toText),
  atoi: fn([S], I, (value) => goInt(scanInt(text(value)).value)),
  split: fn([S, S], stringMapType, (separator, value) => numbered(splitText(text(value), text(separator)))),
  splitList: fn([S, S], stringSliceType, (separator, value) => exact(stringSlice(splitText(text(value), text(separator))))),
  splitn: fn([S, I, S], stringMapType, (separator, limit, value) => numbered(splitText(text(value), text(separator), int(limit)))),
  toStrings: fn([anyType], stringSliceType, toStrings),
  join: fn([S, anyType], S, (separator, value) => joinTexts(toTexts(value), text(separator))),
  sortAlpha: fn([anyType], stringSliceType, sortAlpha),
};
