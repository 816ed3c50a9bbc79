import { formatFloat } from './float-format.ts';
import { budgetExceeded, GoError } from './go-error.ts';
import { encodeJsonString, type EncodeJsonOptions } from './json.ts';
import { MAX_TEXT, MAX_VALUE_DEPTH, MAX_VISITS } from './limits.ts';
import { isExported } from './plain.ts';
import {
  GoByteSlice,
  GoComplex,
  GoFloat32,
  GoFunc,
  GoInt,
  GoKeyedMap,
  GoMap,
  GoSlice,
  GoStruct,
  goTypeName,
  type GoValue,
} from './value.ts';

/**
 * json.Marshal of a Go value: maps by the bytes of their keys, structs in the order of their fields or through their marshaller, bytes
 * outside UTF-8 as `\ufffd`. Throws a GoError with Go's text for NaN, infinity, functions and cycles.
 */
export function encodeValueJson(value: GoValue, options: EncodeJsonOptions = {}): string {
  const { escapeHtml = true, indent = '', prefix = '' } = options;
  const lines = options.indent === undefined && options.prefix === undefined ? undefined : { indent, start: `\n${prefix}` };
  return new ValueEncoder(escapeHtml, lines).encode(value, 0);
}

type Lines = { readonly indent: string; readonly start: string };

class ValueEncoder {
  readonly #escapeHtml: boolean;
  readonly #lines: Lines | undefined;
  #visits = 0;
  #length = 0;

  constructor(escapeHtml: boolean, lines: Lines | undefined) {
    this.#escapeHtml = escapeHtml;
    this.#lines = lines;
  }

  encode(value: GoValue, depth: number): string {
    const text = this.#encode(value, depth);
    this.#length += typeof value === 'string' ? text.length : 1;
    if (++this.#visits > MAX_VISITS || this.#length > MAX_TEXT) throw budgetExceeded('size of an encoded value', MAX_VISITS);
    return text;
  }

  #encode(value: GoValue, depth: number): string {
    switch (typeof value) {
      case 'string':
        return encodeJsonString(value, this.#escapeHtml);
      case 'number':
        return encodeFloat(value);
      case 'boolean':
        return value ? 'true' : 'false';
      case 'undefined':
        return 'null';
      default:
    }
    if (value === null) return 'null';
    if (depth > MAX_VALUE_DEPTH) throw new GoError(`json: unsupported value: encountered a cycle via ${goTypeName(value)}`);
    if (value instanceof GoMap) return this.#map(value, depth);
    if (Array.isArray(value)) return this.#list(value, depth);
    return this.#other(value, depth);
  }

  #other(value: Exclude<GoValue, null | undefined | boolean | number | string | GoMap | GoValue[]>, depth: number): string {
    if (value instanceof GoInt) return String(value.value);
    if (value instanceof GoSlice) return value.isNil ? 'null' : this.#list(value.items, depth);
    if (value instanceof GoByteSlice) return `"${Buffer.from(value.bytes).toString('base64')}"`;
    if (value instanceof GoStruct) return this.#struct(value, depth);
    if (value instanceof GoFloat32) return encodeFloat(Number(formatFloat(value.value, 'e', -1, 32)));
    if (value instanceof GoKeyedMap) return this.#keyed(value, depth);
    if (value instanceof GoComplex || value instanceof GoFunc) throw new GoError(`json: unsupported type: ${goTypeName(value)}`);
    return value satisfies never;
  }

  #break(depth: number): string {
    return this.#lines === undefined ? '' : this.#lines.start + this.#lines.indent.repeat(depth);
  }

  #list(items: readonly GoValue[], depth: number): string {
    if (items.length === 0) return '[]';
    const between = this.#break(depth + 1);
    let out = '[';
    let comma = between;
    for (const item of items) {
      out += comma + this.encode(item, depth + 1);
      comma = `,${between}`;
    }
    return `${out}${this.#break(depth)}]`;
  }

  #map(map: GoMap, depth: number): string {
    if (map.isNil) return 'null';
    return this.#members(map.sortedKeys(), (key) => map.get(key), depth);
  }

  #members(keys: readonly string[], read: (key: string) => GoValue, depth: number): string {
    if (keys.length === 0) return '{}';
    const between = this.#break(depth + 1);
    const colon = this.#lines === undefined ? ':' : ': ';
    let out = '{';
    let comma = between;
    for (const key of keys) {
      out += comma + encodeJsonString(key, this.#escapeHtml) + colon + this.encode(read(key), depth + 1);
      comma = `,${between}`;
    }
    return `${out}${this.#break(depth)}}`;
  }

  #struct(value: GoStruct, depth: number): string {
    const { marshal } = value.type;
    if (marshal !== undefined) return this.encode(marshal(value), depth + 1);
    const fields = new Map((value.structType.fields ?? []).map((field) => [field.name, field]));
    const names = [...fields.keys()].filter(isExported);
    return this.#members(names, (name) => fields.get(name)?.get(value), depth);
  }

  #keyed(value: GoKeyedMap, depth: number): string {
    const members = new Map(value.pairs.map(([key, item]) => [key instanceof GoInt ? String(key.value) : undefined, item]));
    const names = [...members.keys()].filter((name) => name !== undefined).sort();
    if (names.length !== value.pairs.length) throw new GoError(`json: unsupported type: ${value.type.name}`);
    return this.#members(names, (name) => members.get(name), depth);
  }
}

function encodeFloat(value: number): string {
  if (!Number.isFinite(value)) {
    throw new GoError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
  }
  // JavaScript's shortest digits and its limits of the exponent form are those of encoding/json; only the zero loses its sign.
  return Object.is(value, -0) ? '-0' : String(value);
}
