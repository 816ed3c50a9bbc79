import { recorded } from '../data/load.ts';
import { isList, isMap, type Json, type OpenApiSchema, refName } from '../fields/index.ts';
import {
  booleanReader,
  bytesReader,
  floatReader,
  integerReader,
  intOrStringReader,
  mismatch,
  quantityReader,
  type Reader,
  type Reading,
  stringReader,
  timeReader,
} from './scalars.ts';

/** Deepest object that is decoded. */
export const DEPTH_LIMIT = 100;

/** A built-in object as the API server's Go types would hold it, and what they would have to say about it. */
export type Decoded = {
  value: Json;
  /** Paths of fields the kind does not have; they are left out of `value`. */
  unknown: readonly string[];
  /** Why the object cannot be decoded, in Go's words. */
  fault: string | undefined;
};

type Schemas = (name: string) => OpenApiSchema | undefined;

/** What the Go type behind a schema says besides (`data/types`): pointer fields, zeroes always written, names of field types. */
type GoType = { p?: readonly string[]; z?: Readonly<Record<string, Json>>; n?: Readonly<Record<string, string>> };

const SPECIAL: Readonly<Record<string, Reader>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': quantityReader,
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': intOrStringReader,
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': timeReader(0),
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': timeReader(6),
};

/**
 * Reads a value as the Go type behind a schema would: what `omitempty` omits vanishes, what is always written appears, quantities,
 * times and bytes take their canonical form, unknown fields are noted and left out.
 */
export function decodeTyped(name: string, value: Json, schemas: Schemas): Decoded {
  const reading: Reading = { path: [], unknown: [], fault: undefined };
  const decoded = typesOf(schemas).named(name)(value, reading, goName(name));
  return { value: decoded ?? {}, unknown: reading.unknown, fault: reading.fault };
}

const readers = new WeakMap<Schemas, GoTypes>();

function typesOf(schemas: Schemas): GoTypes {
  let types = readers.get(schemas);
  if (types === undefined) readers.set(schemas, (types = new GoTypes(schemas)));
  return types;
}

/** One field of a struct. */
type Field = { read: Reader; keepsEmpty: boolean };

/** Makes readers of schemas; each named one is made once. */
class GoTypes {
  readonly #schemas: Schemas;
  readonly #named = new Map<string, Reader>();
  readonly #zeroes = new Map<string, readonly (readonly [string, Json])[]>();

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  named(name: string): Reader {
    let reader = SPECIAL[name] ?? this.#named.get(name);
    if (reader === undefined) {
      // Set before it is made: a type may contain itself.
      this.#named.set(name, (value, reading, owner) => this.named(name)(value, reading, owner));
      const schema = this.#schemas(name);
      reader = schema === undefined ? (value) => value : this.#of(schema, name, '');
      this.#named.set(name, reader);
    }
    return reader;
  }

  #of(schema: OpenApiSchema, name: string, goType: string): Reader {
    switch (schema.type) {
      case 'object':
        return this.#object(schema, name);
      case 'array':
        return this.#list(schema);
      case 'string':
        return schema.format === 'byte' ? bytesReader : stringReader(goType === '' ? 'string' : goType);
      case 'boolean':
        return booleanReader;
      case 'integer':
        return integerReader(schema.format === 'int64' ? 'int64' : 'int32');
      case 'number':
        return floatReader;
      default:
        return (value) => value;
    }
  }

  #reference(schema: OpenApiSchema, goType = ''): Reader {
    const ref = refName(schema);
    if (ref === undefined) return this.#of(schema, '', goType);
    if (ref in SPECIAL) return this.named(ref);
    return (value, reading, owner) => this.named(ref)(value, reading, owner);
  }

  #object(schema: OpenApiSchema, name: string): Reader {
    const { properties, additionalProperties } = schema;
    if (properties !== undefined) return this.#struct(name, properties);
    if (typeof additionalProperties !== 'object') return (value) => value; // free form
    const read = this.#reference(additionalProperties);
    const type = `map[string]${this.#goTypeOf(additionalProperties)}`;
    const empty = this.#zeroItem(additionalProperties);
    return (value, reading, owner) => {
      if (!isMap(value)) return mismatch(value, reading, owner, type);
      const out: Record<string, Json> = {};
      for (const key of Object.keys(value)) {
        const child = value[key];
        reading.path.push(`{${key}`);
        const decoded = child === null || child === undefined ? empty : read(child, reading, owner);
        reading.path.pop();
        if (decoded !== undefined) define(out, key, decoded);
      }
      return out;
    };
  }

  #struct(name: string, properties: Readonly<Record<string, OpenApiSchema>>): Reader {
    const type = goName(name);
    const { p = [], z = {}, n = {} } = goTypes()[name] ?? {};
    const kept = new Set([...p, ...Object.keys(z)]);
    const fields = new Map<string, Field>();
    for (const [key, field] of Object.entries(properties))
      fields.set(key, { read: this.#reference(field, n[key]), keepsEmpty: kept.has(key) });
    let zeroes: readonly (readonly [string, Json])[] | undefined;
    return (value, reading) => {
      if (!isMap(value)) return mismatch(value, reading, type, name === '' ? 'struct' : packaged(name));
      if (reading.path.length > DEPTH_LIMIT) {
        reading.fault ??= 'exceeded max depth';
        return undefined;
      }
      const out: Record<string, Json> = {};
      for (const key of Object.keys(value)) {
        const child = value[key];
        const field = fields.get(key);
        if (field === undefined) {
          reading.unknown.push(textOf([...reading.path, key]));
          continue;
        }
        if (child === null || child === undefined) continue;
        reading.path.push(key);
        const decoded = field.read(child, reading, type);
        reading.path.pop();
        if (decoded !== undefined && (field.keepsEmpty || !isEmpty(decoded))) out[key] = decoded;
      }
      for (const [key, zero] of (zeroes ??= this.#zeroFields(name)))
        if (!Object.hasOwn(out, key)) out[key] = typeof zero === 'object' ? structuredClone(zero) : zero;
      return out;
    };
  }

  /** What Go writes for fields that are absent. */
  #zeroFields(name: string): readonly (readonly [string, Json])[] {
    const known = this.#zeroes.get(name);
    if (known !== undefined) return known;
    const properties = this.#schemas(name)?.properties ?? {};
    const found = Object.entries(goTypes()[name]?.z ?? {})
      .filter(([key]) => Object.hasOwn(properties, key))
      .map(([key, zero]): readonly [string, Json] => {
        const ref = refName(properties[key] ?? {});
        return [key, zero === '=' ? Object.fromEntries(ref === undefined ? [] : this.#zeroFields(ref)) : zero];
      });
    this.#zeroes.set(name, found);
    return found;
  }

  #list(schema: OpenApiSchema): Reader {
    const { items } = schema;
    if (items === undefined) return (value) => value;
    const read = this.#reference(items);
    const type = `[]${this.#goTypeOf(items)}`;
    const empty = this.#zeroItem(items) ?? null;
    return (value, reading, owner) => {
      if (!isList(value)) return mismatch(value, reading, owner, type);
      return value.map((item, i) => {
        if (item === null) return empty;
        reading.path.push(`[${i}]`);
        const decoded = read(item, reading, owner) ?? null;
        reading.path.pop();
        return decoded;
      });
    };
  }

  /** What null becomes as an item of a list or a value of a map. */
  #zeroItem(schema: OpenApiSchema): Json | undefined {
    const ref = refName(schema);
    if (ref !== undefined) return ref in SPECIAL ? null : Object.fromEntries(this.#zeroFields(ref));
    if (schema.type === 'string') return schema.format === 'byte' ? null : '';
    return schema.type === 'integer' || schema.type === 'number' ? 0 : schema.type === 'boolean' ? false : null;
  }

  #goTypeOf(schema: OpenApiSchema): string {
    const ref = refName(schema);
    if (ref !== undefined) return packaged(ref);
    switch (schema.type) {
      case 'integer':
        return schema.format === 'int64' ? 'int64' : 'int32';
      case 'number':
        return 'float64';
      case 'boolean':
        return 'bool';
      case 'array':
        return `[]${schema.items === undefined ? 'string' : this.#goTypeOf(schema.items)}`;
      default:
        return schema.format === 'byte' ? '[]uint8' : 'string';
    }
  }
}

function goTypes(): Readonly<Record<string, GoType>> {
  return recorded<Record<string, GoType>>('types');
}

/** `LabelSelector` of `io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector`. */
function goName(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1);
}

/** `v1.LabelSelector`. */
function packaged(name: string): string {
  return name.split('.').slice(-2).join('.');
}

/** True for what Go's `omitempty` leaves out of a field that is no pointer. */
function isEmpty(value: Json): boolean {
  if (value === '' || value === 0 || value === false) return true;
  if (isList(value)) return value.length === 0;
  if (!isMap(value)) return false;
  for (const _ in value) return false;
  return true;
}

function textOf(path: readonly string[]): string {
  return path
    .map((part) => (part.startsWith('{') ? part.slice(1) : part))
    .join('.')
    .replaceAll('.[', '[');
}

/** Sets a field that may be called `__proto__`. */
function define(target: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}
