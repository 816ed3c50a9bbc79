import {
  compareText,
  decodeJson,
  formatG,
  isYamlObject,
  parseTime,
  quote,
  readYaml,
  type YamlLimits,
  type YamlObject,
  type YamlValue,
} from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { wholeFloats } from './whole-floats.ts';

/*
 * Reading YAML into a struct as sigs.k8s.io/yaml and encoding/json do: scalars become text where text is wanted, names match without
 * regard to case, the first value of a wrong type is reported after everything else was taken.
 */

/** What a Go type takes. `type` is the type's name in error texts. */
export type Shape =
  | { readonly kind: 'text'; readonly type: 'string' }
  | { readonly kind: 'bool'; readonly type: 'bool' }
  | { readonly kind: 'time'; readonly type: 'time.Time' }
  | { readonly kind: 'any'; readonly type: 'interface {}' }
  | { readonly kind: 'list'; readonly type: string; readonly of: Shape }
  | { readonly kind: 'map'; readonly type: string; readonly of: Shape }
  | StructShape;

export type StructShape = {
  readonly kind: 'struct';
  readonly type: string;
  /** Name without its package; empty for an unnamed struct. */
  readonly name: string;
  readonly fields: Readonly<Record<string, Shape>>;
  /** Fields of an embedded struct: they stand beside the own ones, and error texts name the struct they come from. */
  readonly embedded?: { readonly name: string; readonly fields: Readonly<Record<string, Shape>> };
};

/** How to read: sigs.k8s.io/yaml's Unmarshal, or its UnmarshalStrict, which refuses double keys and unknown fields. */
export type UnmarshalOptions = { strict?: boolean; limits?: Partial<YamlLimits> };

export const TEXT: Shape = { kind: 'text', type: 'string' };
export const BOOL: Shape = { kind: 'bool', type: 'bool' };
export const TIME: Shape = { kind: 'time', type: 'time.Time' };
export const ANY: Shape = { kind: 'any', type: 'interface {}' };
export const TEXTS: Shape = listOf(TEXT);
export const TEXT_MAP: Shape = { kind: 'map', type: 'map[string]string', of: TEXT };

export function listOf(of: Shape, type: string = `[]${of.type}`): Shape {
  return { kind: 'list', type, of };
}

export function structOf(type: string, fields: Readonly<Record<string, Shape>>): StructShape {
  return { kind: 'struct', type, name: type.slice(type.lastIndexOf('.') + 1), fields };
}

/** A decoded struct: a property for each field that was there, by its name in the shape. */
export type Decoded = { [field: string]: unknown };

/**
 * Reads the first document of a YAML text into a struct.
 * @throws Error with the message of yaml.Unmarshal
 */
export function unmarshalYaml(text: string, shape: StructShape, options: UnmarshalOptions = {}): Decoded {
  const value = readForUnmarshal(text, 'exact', options);
  try {
    return new Decoder({ strict: options.strict === true, written: text }).read(value, shape);
  } catch (error) {
    throw new Error(`error unmarshaling JSON: while decoding JSON: ${errorMessage(error)}`, { cause: error });
  }
}

/** Reads a JSON text into a struct; unknown fields are left out, text stays text. @throws Error with the message of json.Unmarshal */
export function unmarshalJson(text: string, shape: StructShape): Decoded {
  return new Decoder({ strict: false, written: undefined }).read(decodeJson(text), shape);
}

/** Reads the first document of a YAML text into a map; undefined when it is empty. @throws Error with the message of yaml.Unmarshal */
export function unmarshalYamlMap(text: string): YamlObject | undefined {
  const value = readForUnmarshal(text, 'float64');
  if (value === null) return undefined;
  if (isYamlObject(value)) return value;
  throw new Error(`error unmarshaling JSON: while decoding JSON: ${mismatch(value, 'Go value of type map[string]interface {}')}`);
}

/**
 * The document as yaml.Unmarshal sees it before it looks at types. `exact` keeps the digits of large integers, for text fields.
 * @throws Error with the message of yaml.Unmarshal
 */
export function readForUnmarshal(text: string, numbers: 'exact' | 'float64', options: UnmarshalOptions = {}): YamlValue {
  try {
    return readYaml(text, { numbers, ...options });
  } catch (error) {
    throw new Error(`error converting YAML to JSON: ${errorMessage(error)}`, { cause: error });
  }
}

function mismatch(value: YamlValue, where: string): string {
  return `json: cannot unmarshal ${jsonKind(value)} into ${where}`;
}

function jsonKind(value: YamlValue): string {
  if (Array.isArray(value)) return 'array';
  if (isYamlObject(value)) return 'object';
  return typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'number';
}

const RFC3339 = '2006-01-02T15:04:05Z07:00';

class Decoder {
  readonly #strict: boolean;
  /** The YAML text, where scalars of other kinds may become text; undefined for JSON, where they may not. */
  readonly #written: string | undefined;
  #wholeFloats: ReadonlySet<number> | undefined;
  #failure: string | undefined;

  constructor({ strict, written }: { strict: boolean; written: string | undefined }) {
    this.#strict = strict;
    this.#written = written;
  }

  read(value: YamlValue, shape: StructShape): Decoded {
    const decoded = this.#decode(value, shape, shape.name, '');
    if (this.#failure !== undefined) throw new Error(this.#failure);
    return (decoded ?? {}) as Decoded;
  }

  /** `struct` and `path` name the field in an error: the innermost struct, and the field names from the outermost one. */
  #decode(value: YamlValue, shape: Shape, struct: string, path: string): unknown {
    if (value === null) return undefined;
    switch (shape.kind) {
      case 'any':
        return value;
      case 'text':
        return this.#text(value) ?? this.#fail(value, shape, struct, path);
      case 'time':
        return readTime(value);
      case 'bool':
        return typeof value === 'boolean' ? value : this.#fail(value, shape, struct, path);
      case 'list':
        if (!Array.isArray(value)) return this.#fail(value, shape, struct, path);
        return value.map((item) => this.#decode(item, shape.of, struct, path) ?? (shape.of.kind === 'text' ? '' : null));
      case 'map':
        return isYamlObject(value) ? this.#map(value, shape.of, struct, path) : this.#fail(value, shape, struct, path);
      case 'struct':
        return isYamlObject(value) ? this.#struct(value, shape, path) : this.#fail(value, shape, struct, path);
    }
  }

  #text(value: Exclude<YamlValue, null>): string | undefined {
    if (typeof value === 'string') return value;
    if (this.#written === undefined || Array.isArray(value) || isYamlObject(value)) return undefined;
    if (typeof value !== 'number' || !mayBeFloat(value)) return scalarText(value);
    this.#wholeFloats ??= wholeFloats(this.#written);
    return this.#wholeFloats.has(value) ? formatG(value) : scalarText(value);
  }

  #map(value: YamlObject, of: Shape, struct: string, path: string): Map<string, unknown> {
    const out = new Map<string, unknown>();
    for (const key of Object.keys(value).sort(compareText)) out.set(key, this.#decode(value[key] ?? null, of, struct, path) ?? '');
    return out;
  }

  #struct(value: YamlObject, shape: StructShape, path: string): Decoded {
    const out: Decoded = {};
    for (const key of Object.keys(value).sort(compareText)) {
      const found = fieldOf(shape, key);
      if (found === undefined) {
        if (this.#strict) this.#failure ??= `json: unknown field ${quote(key)}`;
        continue;
      }
      const { field, of, within } = found;
      const decoded = this.#decode(value[key] ?? null, of, shape.name, (path === '' ? '' : `${path}.`) + within + field);
      if (decoded !== undefined) out[field] = decoded;
      // What a null empties: present, but undefined. Texts and flags it leaves alone.
      else if (value[key] === null && of.kind !== 'text' && of.kind !== 'bool') out[field] = undefined;
    }
    return out;
  }

  #fail(value: YamlValue, shape: Shape, struct: string, path: string): undefined {
    const where = path === '' ? `Go value of type ${shape.type}` : `Go struct field ${struct}.${path} of type ${shape.type}`;
    this.#failure ??= mismatch(value, where);
    return undefined;
  }
}

type Field = { readonly field: string; readonly of: Shape; /** The embedded struct it comes from, and a dot. */ readonly within: string };

function fieldOf(shape: StructShape, key: string): Field | undefined {
  const { fields, embedded } = shape;
  const own = fieldName(fields, key);
  if (own !== undefined) return { field: own, of: fields[own] ?? ANY, within: '' };
  if (embedded === undefined) return undefined;
  const other = fieldName(embedded.fields, key);
  return other === undefined ? undefined : { field: other, of: embedded.fields[other] ?? ANY, within: `${embedded.name}.` };
}

function fieldName(fields: Readonly<Record<string, Shape>>, key: string): string | undefined {
  if (Object.hasOwn(fields, key)) return key;
  const folded = key.toLowerCase();
  return Object.keys(fields).find((field) => field.toLowerCase() === folded);
}

/** time.Time's UnmarshalJSON: what it refuses ends the whole reading. */
function readTime(value: YamlValue): string {
  if (typeof value !== 'string') throw new Error('Time.UnmarshalJSON: input is not a JSON string');
  parseTime(RFC3339, value);
  return value;
}

/** True for whole numbers that a float is written differently from an integer. */
function mayBeFloat(value: number): boolean {
  return Number.isInteger(value) && (Math.abs(value) >= 1e6 || Object.is(value, -0));
}

/** A scalar where text is wanted. */
export function scalarText(value: string | number | bigint | boolean): string {
  if (typeof value !== 'number') return String(value);
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? String(value) : formatG(value);
}
