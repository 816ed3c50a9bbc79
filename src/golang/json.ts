import { GoError } from './go-error.ts';
import { jsonSyntaxError, MAX_JSON_DEPTH } from './json-syntax.ts';
import { compareText, toValidText } from './text.ts';
import type { YamlObject, YamlValue } from './yaml/value.ts';

export type EncodeJsonOptions = {
  /** Escape `<`, `>` and `&` as Go's Marshal does. Default true. */
  escapeHtml?: boolean;
  /** Text of one level (MarshalIndent). Default none: everything in one line. */
  indent?: string;
  /** Text at the start of every line but the first (MarshalIndent's prefix). */
  prefix?: string;
};

const NEEDS_ESCAPE = /["\\\u0000-\u001f<>&\u2028\u2029\ud800-\udfff]/;
const ESCAPED = /["\\\u0000-\u001f\u2028\u2029]/g;
const ESCAPED_HTML = /["\\\u0000-\u001f<>&\u2028\u2029]/g;
const SHORT = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);
const LONE = /[\ud800-\udfff]/u;
const LONE_ALL = /[\ud800-\udfff]/gu;

/**
 * The text Go's encoding/json writes for a value: keys in byte order, floats in plain digits from 1e-6 to 1e21, bytes outside UTF-8 as
 * `\ufffd`. Throws a GoError with Go's text for NaN and infinity, and for a value nested deeper than encoding/json reads.
 */
export function encodeJson(value: YamlValue, options: EncodeJsonOptions = {}): string {
  const { escapeHtml = true, indent = '', prefix = '' } = options;
  const lines = options.indent === undefined && options.prefix === undefined ? undefined : { indent, prefix: `\n${prefix}` };
  return new JsonEncoder(escapeHtml, lines).value(value, 0);
}

/** A string as a JSON literal. */
export function encodeJsonString(text: string, escapeHtml = true): string {
  if (!NEEDS_ESCAPE.test(text)) return `"${text}"`;
  const escaped = text.replace(escapeHtml ? ESCAPED_HTML : ESCAPED, escapeCharacter);
  return `"${LONE.test(escaped) ? escaped.replace(LONE_ALL, String.raw`\ufffd`) : escaped}"`;
}

function escapeCharacter(character: string): string {
  return SHORT.get(character) ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) {
    throw new GoError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
  }
  // JavaScript's shortest digits and its limits of the exponent form are those of encoding/json; only the zero loses its sign.
  return Object.is(value, -0) ? '-0' : String(value);
}

type Lines = { indent: string; prefix: string };

class JsonEncoder {
  readonly #escapeHtml: boolean;
  readonly #lines: Lines | undefined;

  constructor(escapeHtml: boolean, lines: Lines | undefined) {
    this.#escapeHtml = escapeHtml;
    this.#lines = lines;
  }

  value(value: YamlValue, depth: number): string {
    if (typeof value === 'string') return encodeJsonString(value, this.#escapeHtml);
    if (typeof value === 'number') return encodeNumber(value);
    if (value === null || typeof value !== 'object') return String(value);
    if (depth >= MAX_JSON_DEPTH) throw new GoError('exceeded max depth');
    return Array.isArray(value) ? this.#array(value, depth) : this.#object(value, depth);
  }

  #break(depth: number): string {
    return this.#lines === undefined ? '' : this.#lines.prefix + this.#lines.indent.repeat(depth);
  }

  #array(items: readonly YamlValue[], depth: number): string {
    if (items.length === 0) return '[]';
    const between = this.#break(depth + 1);
    let out = '[';
    let comma = between;
    for (const item of items) {
      out += comma + this.value(item, depth + 1);
      comma = `,${between}`;
    }
    return `${out}${this.#break(depth)}]`;
  }

  #object(object: YamlObject, depth: number): string {
    const keys = Object.keys(object)
      .filter((key) => object[key] !== undefined)
      .sort(compareText);
    if (keys.length === 0) return '{}';
    const between = this.#break(depth + 1);
    const colon = this.#lines === undefined ? ':' : ': ';
    let out = '{';
    let comma = between;
    for (const key of keys) {
      out += comma + encodeJsonString(key, this.#escapeHtml) + colon + this.value(object[key]!, depth + 1);
      comma = `,${between}`;
    }
    return `${out}${this.#break(depth)}}`;
  }
}

export type DecodeJsonOptions = {
  /** `float64` (default): every number is a JavaScript number. `exact`: integers beyond 2^53 are bigints. */
  numbers?: 'float64' | 'exact';
};

const INTEGER = /^-?[0-9]+$/;

/**
 * Reads a JSON text as json.Unmarshal into `interface{}` does. Throws a GoError with Go's text: `invalid character 'x' looking for
 * beginning of value`, `unexpected end of JSON input`.
 */
export function decodeJson(text: string, options: DecodeJsonOptions = {}): YamlValue {
  const problem = jsonSyntaxError(text);
  if (problem !== undefined) throw new GoError(problem);
  const exact = options.numbers === 'exact';
  const parsed: unknown = exact ? JSON.parse(text, keepDigits) : JSON.parse(text);
  try {
    return checked(parsed as YamlValue);
  } catch (error) {
    if (error === OUT_OF_RANGE) throw new GoError(`json: cannot unmarshal number ${firstOutOfRange(text)} into Go value of type float64`);
    throw error;
  }
}

/** Thrown for a number that no float64 can hold. */
const OUT_OF_RANGE: unique symbol = Symbol('out of range');

/** Digits of the first number that no float64 can hold. */
function firstOutOfRange(text: string): string {
  let found: string | undefined;
  JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    if (typeof value === 'number' && !Number.isFinite(value)) found ??= context?.source;
    return value;
  });
  return found ?? '';
}

/** Reviver that keeps the digits of integers a number cannot hold. */
function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return INTEGER.test(source) ? BigInt(source) : value;
}

/** Replaces what Go replaces and refuses what it refuses after the syntax was right. */
function checked(value: YamlValue): YamlValue {
  if (typeof value === 'string') return toValidText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw OUT_OF_RANGE;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i]!;
      if (typeof item !== 'boolean') value[i] = checked(item);
    }
    return value;
  }
  return checkedObject(value);
}

function checkedObject(object: YamlObject): YamlObject {
  let renamed = false;
  for (const key of Object.keys(object)) {
    const item = object[key]!;
    if (typeof item === 'string' ? !item.isWellFormed() : typeof item === 'object' || typeof item === 'number') {
      const value = checked(item);
      if (value !== item) object[key] = value;
    }
    renamed ||= !key.isWellFormed();
  }
  return renamed ? Object.fromEntries(Object.entries(object).map(([key, item]) => [toValidText(key), item])) : object;
}
