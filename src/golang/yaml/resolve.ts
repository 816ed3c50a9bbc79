import { YamlError } from './error.ts';
import { resolveFraction, resolveNumber } from './number.ts';
import { parseTimestamp, YamlTime } from './timestamp.ts';

/** A scalar as Go holds it: a bigint is int, int64 or (beyond them) uint64, a number float64. */
export type Scalar = null | boolean | bigint | number | string | YamlTime;

export const NULL_TAG = '!!null';
export const BOOL_TAG = '!!bool';
export const STR_TAG = '!!str';
export const INT_TAG = '!!int';
export const FLOAT_TAG = '!!float';
export const TIMESTAMP_TAG = '!!timestamp';
export const SEQ_TAG = '!!seq';
export const MAP_TAG = '!!map';
export const BINARY_TAG = '!!binary';
export const MERGE_TAG = '!!merge';

const LONG_PREFIX = 'tag:yaml.org,2002:';

/** `tag:yaml.org,2002:int` → `!!int`; other tags stay. */
export function shortTag(tag: string): string {
  return tag.startsWith(LONG_PREFIX) ? `!!${tag.slice(LONG_PREFIX.length)}` : tag;
}

/** `!!int` → `tag:yaml.org,2002:int`; other tags stay. */
export function longTag(tag: string): string {
  return tag.startsWith('!!') ? LONG_PREFIX + tag.slice(2) : tag;
}

const constants = (values: readonly [Scalar, string][]): Map<string, Scalar> =>
  new Map(values.flatMap(([value, words]) => words.split(' ').map((word): [string, Scalar] => [word, value])));

const COMMON: readonly [Scalar, string][] = [
  [true, 'true True TRUE'],
  [false, 'false False FALSE'],
  [null, '~ null Null NULL'],
  [Number.NaN, '.nan .NaN .NAN'],
  [Number.POSITIVE_INFINITY, '.inf .Inf .INF +.inf +.Inf +.INF'],
  [Number.NEGATIVE_INFINITY, '-.inf -.Inf -.INF'],
];
const CONSTANTS_V3 = constants(COMMON);
const CONSTANTS_V2 = constants([...COMMON, [true, 'y Y yes Yes YES on On ON'], [false, 'n N no No NO off Off OFF']]);
const LONGEST_CONSTANT = 5;

/* What a scalar's first character lets it be. */
const WORD = 1;
const NUMBER = 2;
const FRACTION = 3;
const hints = new Uint8Array(128);
for (const c of 'yYnNtTfFoO~') hints[c.charCodeAt(0)] = WORD;
for (const c of '+-0123456789') hints[c.charCodeAt(0)] = NUMBER;
hints[46] = FRACTION;

/** True when a plain scalar with this first character may be something else than text. */
export function mayResolve(text: string): boolean {
  if (text === '') return true;
  const c = text.charCodeAt(0);
  return c < 128 && hints[c] !== 0;
}

/** The value of a plain scalar without a tag. Timestamps are left out: `resolve` knows them. */
export function resolvePlain(text: string, modern: boolean): Exclude<Scalar, YamlTime> {
  if (text === '') return null;
  const c = text.charCodeAt(0);
  const hint = c < 128 ? hints[c]! : 0;
  if (hint === 0) return text;
  if (text.length <= LONGEST_CONSTANT) {
    const constant = (modern ? CONSTANTS_V3 : CONSTANTS_V2).get(text);
    if (constant !== undefined) return constant as Exclude<Scalar, YamlTime>;
  }
  if (hint === WORD) return text;
  return (hint === NUMBER ? resolveNumber(text, modern) : resolveFraction(text)) ?? text;
}

/** The short tag of a value. */
export function tagOf(value: Scalar): string {
  if (value === null) return NULL_TAG;
  if (value instanceof YamlTime) return TIMESTAMP_TAG;
  if (typeof value === 'string') return STR_TAG;
  if (typeof value === 'number') return FLOAT_TAG;
  return typeof value === 'bigint' ? INT_TAG : BOOL_TAG;
}

const MAX_INT64 = 2n ** 63n - 1n;

/** What a scalar is, given its short tag (`` for none). Throws where the text cannot be what its tag says. */
export function resolve(tag: string, text: string, modern: boolean): { tag: string; value: Scalar } {
  switch (tag) {
    case STR_TAG:
      return { tag: STR_TAG, value: text };
    case '':
    case BOOL_TAG:
    case INT_TAG:
    case FLOAT_TAG:
    case NULL_TAG:
    case TIMESTAMP_TAG:
      break;
    default:
      return { tag, value: text };
  }
  let value: Scalar = resolvePlain(text, modern);
  if (tag === '' || tag === TIMESTAMP_TAG) {
    const c = text.charCodeAt(0);
    if (c >= 48 && c <= 57) value = parseTimestamp(text) ?? value;
  }
  const found = tagOf(value);
  if (tag === '' || tag === found) return { tag: found, value };
  if (tag === FLOAT_TAG && typeof value === 'bigint' && value <= MAX_INT64) return { tag, value: Number(value) };
  throw new YamlError(`yaml: cannot decode ${found} \`${text}\` as a ${tag}`);
}
