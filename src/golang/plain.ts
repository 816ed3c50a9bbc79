import { budgetExceeded, GoError } from './go-error.ts';
import { anyMapType, type GoType } from './go-type.ts';
import { MAX_VALUE_DEPTH, MAX_VISITS } from './limits.ts';
import { toValidText } from './text.ts';
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
  goInt64,
  goTypeName,
  type GoValue,
} from './value.ts';
import type { YamlObject, YamlValue } from './yaml/value.ts';

/**
 * The Go value of decoded YAML or JSON: mappings become `map[string]interface {}`, numbers stay float64, bigints become int64.
 * Text is taken as it is, except that lone surrogates (which no decoder of ours makes) become U+FFFD.
 */
export function fromYamlValue(value: YamlValue): GoValue {
  if (typeof value === 'object') return value === null ? null : fromCollection(value);
  if (typeof value === 'bigint') return goInt64(value);
  return typeof value === 'string' ? toValidText(value) : value;
}

function fromCollection(value: YamlValue[] | YamlObject): GoValue {
  if (Array.isArray(value)) {
    const items: GoValue[] = [];
    for (const item of value) items.push(fromYamlValue(item));
    return items;
  }
  return mapFromYaml(value);
}

/** The Go map of a decoded mapping; `type` is the type of the outermost map only (`common.Values`). */
export function mapFromYaml(value: YamlObject, type: GoType = anyMapType): GoMap {
  const entries = new Map<string, GoValue>();
  for (const key of Object.keys(value)) {
    const item = value[key];
    entries.set(toValidText(key), item === undefined ? null : fromYamlValue(item));
  }
  return new GoMap(type, entries);
}

export type ToYamlOptions = {
  /** `number` (default): a safe integer becomes a number, as JSON sees it. `bigint`: every Go integer becomes a bigint, so that 1000000 and 1e6 stay apart. */
  integers?: 'number' | 'bigint';
};

/**
 * What encoding/json sees of a Go value, as plain data for the YAML and JSON writers: structs through their marshallers or exported
 * fields, `[]byte` as base64, nil slices and maps as null. Bytes outside UTF-8 stay lone surrogates; the writers know them.
 * Throws a GoError with encoding/json's text for what it cannot encode.
 */
export function toYamlValue(value: GoValue, options: ToYamlOptions = {}): YamlValue {
  return new PlainWriter(options.integers === 'bigint').convert(value, 0);
}

class PlainWriter {
  readonly #bigints: boolean;
  #visits = 0;

  constructor(bigints: boolean) {
    this.#bigints = bigints;
  }

  convert(value: GoValue, depth: number): YamlValue {
    switch (typeof value) {
      case 'string':
        return value;
      case 'number':
        return finite(value);
      case 'boolean':
        return value;
      case 'undefined':
        return null;
      default:
    }
    if (value === null) return null;
    if (++this.#visits > MAX_VISITS) throw budgetExceeded('size of an encoded value', MAX_VISITS);
    if (depth > MAX_VALUE_DEPTH) {
      throw new GoError(`json: unsupported value: encountered a cycle via ${goTypeName(value)}`);
    }
    if (Array.isArray(value)) return value.map((item) => this.convert(item, depth + 1));
    if (value instanceof GoMap) return value.isNil ? null : this.#object(value, depth);
    return this.#other(value, depth);
  }

  #object(map: GoMap, depth: number): YamlObject {
    const out: YamlObject = {};
    for (const [key, item] of map.entries()) setOwn(out, key, this.convert(item, depth + 1));
    return out;
  }

  #other(value: Exclude<GoValue, null | undefined | boolean | number | string | GoMap | GoValue[]>, depth: number): YamlValue {
    if (value instanceof GoInt) return this.#bigints ? BigInt(value.value) : value.value;
    if (value instanceof GoSlice) return value.isNil ? null : value.items.map((item) => this.convert(item, depth + 1));
    if (value instanceof GoByteSlice) return Buffer.from(value.bytes).toString('base64');
    if (value instanceof GoFloat32) return finite(Number(value.value.toPrecision(9)));
    if (value instanceof GoStruct) return this.#struct(value, depth);
    if (value instanceof GoKeyedMap) return this.#keyed(value, depth);
    if (value instanceof GoComplex || value instanceof GoFunc) throw new GoError(`json: unsupported type: ${goTypeName(value)}`);
    return value satisfies never;
  }

  #struct(value: GoStruct, depth: number): YamlValue {
    const { marshal } = value.type;
    if (marshal !== undefined) return this.convert(marshal(value), depth + 1);
    const out: YamlObject = {};
    for (const field of value.structType.fields ?? []) {
      if (isExported(field.name)) setOwn(out, field.name, this.convert(field.get(value), depth + 1));
    }
    return out;
  }

  #keyed(value: GoKeyedMap, depth: number): YamlObject {
    const out: YamlObject = {};
    for (const [key, item] of value.pairs) {
      if (!(key instanceof GoInt)) throw new GoError(`json: unsupported type: ${value.type.name}`);
      setOwn(out, String(key.value), this.convert(item, depth + 1));
    }
    return out;
  }
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new GoError(`json: unsupported value: ${Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'}`);
}

/** Go's rule for exported names. */
export function isExported(name: string): boolean {
  return /^\p{Lu}/u.test(name);
}

/** Sets an own property whatever its name is (`__proto__` included). */
function setOwn(target: YamlObject, key: string, value: YamlValue): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}
