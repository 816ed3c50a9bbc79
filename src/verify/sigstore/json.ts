import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from './limits.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPENS = new Set([0x7b, 0x5b]);
const CLOSES = new Set([0x7d, 0x5d]);
const utf8 = new TextDecoder('utf-8', { fatal: true });

export type JsonObject = { readonly [field: string]: unknown };

/**
 * Parses JSON from outside: valid UTF-8, at most {@link MAX_JSON_DEPTH} levels and `maxValues` values.
 * @throws Error (`invalid JSON: …`); the caller says what was read
 */
export function parseUntrustedJson(bytes: Uint8Array, maxValues: number = MAX_JSON_VALUES): unknown {
  assertShape(bytes, maxValues);
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    throw new Error('invalid JSON', { cause: error });
  }
}

/** Parses a JSON object from outside. @throws Error as {@link parseUntrustedJson}, and for anything but an object */
export function parseUntrustedObject(bytes: Uint8Array, maxValues: number = MAX_JSON_VALUES): JsonObject {
  const value = parseUntrustedJson(bytes, maxValues);
  if (!isObject(value)) throw new Error('invalid JSON: want an object');
  return value;
}

/** The own field of a value, when that is an object and has it. */
export function field(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Follows own fields and array positions. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof step === 'string') here = field(here, step);
    else here = Array.isArray(here) ? here[step] : undefined;
  }
  return here;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Counts levels and values without building anything. */
function assertShape(bytes: Uint8Array, maxValues: number): void {
  let depth = 0;
  let values = 1;
  let quoted = false;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) index += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA) values++;
    else if (CLOSES.has(byte)) depth--;
    else if (OPENS.has(byte)) {
      depth++;
      values++;
    }
    if (depth > MAX_JSON_DEPTH) throw new Error(`invalid JSON: nested deeper than ${MAX_JSON_DEPTH} levels`);
    if (values > maxValues) throw new Error(`invalid JSON: more than ${maxValues} values`);
  }
}
