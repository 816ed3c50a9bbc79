import { compareText, formatG, isYamlObject, readYaml, type YamlObject, type YamlValue } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';

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
};

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
export function unmarshalYaml(text: string, shape: StructShape): Decoded {
  const decoder = new Decoder();
  const decoded = decoder.decode(readForUnmarshal(text, 'exact'), shape, shape.name, '');
  decoder.finish();
  return (decoded ?? {}) as Decoded;
}

/** Reads the first document of a YAML text into a map; undefined when it is empty. @throws Error with the message of yaml.Unmarshal */
export function unmarshalYamlMap(text: string): YamlObject | undefined {
  const value = readForUnmarshal(text, 'float64');
  if (value === null) return undefined;
  if (isYamlObject(value)) return value;
  throw new Error(mismatch(value, 'Go value of type map[string]interface {}'));
}

/**
 * The document as yaml.Unmarshal sees it before it looks at types. `exact` keeps the digits of large integers, for text fields.
 * @throws Error with the message of yaml.Unmarshal
 */
export function readForUnmarshal(text: string, numbers: 'exact' | 'float64'): YamlValue {
  try {
    return readYaml(text, { numbers });
  } catch (error) {
    throw new Error(`error converting YAML to JSON: ${errorMessage(error)}`, { cause: error });
  }
}

function mismatch(value: YamlValue, where: string): string {
  return `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${jsonKind(value)} into ${where}`;
}

function jsonKind(value: YamlValue): string {
  if (Array.isArray(value)) return 'array';
  if (isYamlObject(value)) return 'object';
  return typeof value === 'string' ? 'string' : typeof value === 'boolean' ? 'bool' : 'number';
}

class Decoder {
  #failure: string | undefined;

  finish(): void {
    if (this.#failure !== undefined) throw new Error(this.#failure);
  }

  /** `struct` and `path` name the field in an error: the innermost struct, and the field names from the outermost one. */
  decode(value: YamlValue, shape: Shape, struct: string, path: string): unknown {
    if (value === null) return undefined;
    switch (shape.kind) {
      case 'any':
        return value;
      case 'text':
        if (Array.isArray(value) || isYamlObject(value)) return this.#fail(value, shape, struct, path);
        return scalarText(value);
      case 'time':
        if (typeof value === 'string') return value;
        this.#failure ??= 'error unmarshaling JSON: while decoding JSON: Time.UnmarshalJSON: input is not a JSON string';
        return undefined;
      case 'bool':
        return typeof value === 'boolean' ? value : this.#fail(value, shape, struct, path);
      case 'list':
        if (!Array.isArray(value)) return this.#fail(value, shape, struct, path);
        return value.map((item) => this.decode(item, shape.of, struct, path) ?? (shape.of.kind === 'text' ? '' : null));
      case 'map':
        return isYamlObject(value) ? this.#map(value, shape.of, struct, path) : this.#fail(value, shape, struct, path);
      case 'struct':
        return isYamlObject(value) ? this.#struct(value, shape, path) : this.#fail(value, shape, struct, path);
    }
  }

  #map(value: YamlObject, of: Shape, struct: string, path: string): Map<string, unknown> {
    const out = new Map<string, unknown>();
    for (const key of Object.keys(value).sort(compareText)) out.set(key, this.decode(value[key] ?? null, of, struct, path) ?? '');
    return out;
  }

  #struct(value: YamlObject, shape: StructShape, path: string): Decoded {
    const out: Decoded = {};
    for (const key of Object.keys(value).sort(compareText)) {
      const field = fieldName(shape, key);
      if (field === undefined) continue;
      const of = shape.fields[field];
      if (of === undefined) continue;
      const decoded = this.decode(value[key] ?? null, of, shape.name, path === '' ? field : `${path}.${field}`);
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

function fieldName(shape: StructShape, key: string): string | undefined {
  if (Object.hasOwn(shape.fields, key)) return key;
  const folded = key.toLowerCase();
  return Object.keys(shape.fields).find((field) => field.toLowerCase() === folded);
}

/** A scalar where text is wanted. */
export function scalarText(value: string | number | bigint | boolean): string {
  if (typeof value !== 'number') return String(value);
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? String(value) : formatG(value);
}
