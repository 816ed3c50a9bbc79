import type { YamlObject, YamlValue } from '../golang/index.ts';
import { KustomizeError } from './errors.ts';
import { formatFloat } from './go-text.ts';

/** A Go type that JSON is decoded into. */
export type GoShape =
  | { readonly kind: 'string' | 'bool' | 'int64' | 'int' | 'any'; readonly name: string }
  | { readonly kind: 'slice'; readonly name: string; readonly element: GoShape }
  | { readonly kind: 'map'; readonly name: string; readonly element: GoShape }
  | { readonly kind: 'struct'; readonly name: string; readonly fields: Readonly<Record<string, GoShape>> };

export const STRING: GoShape = { kind: 'string', name: 'string' };
export const BOOL: GoShape = { kind: 'bool', name: 'bool' };
export const INT: GoShape = { kind: 'int', name: 'int' };
export const INT64: GoShape = { kind: 'int64', name: 'int64' };
export const ANY: GoShape = { kind: 'any', name: 'interface {}' };
export const STRINGS: GoShape = sliceOf(STRING);
export const STRING_MAP: GoShape = { kind: 'map', name: 'map[string]string', element: STRING };

export function sliceOf(element: GoShape): GoShape {
  return { kind: 'slice', name: `[]${element.name}`, element };
}

/** A struct of kustomize's `types` package. Fields of embedded structs stand among its own. */
export function structOf(name: string, fields: Readonly<Record<string, GoShape>>): GoShape {
  return { kind: 'struct', name: `types.${name}`, fields };
}

/**
 * `strict`: as encoding/json with DisallowUnknownFields reads JSON. `lenient`: as sigs.k8s.io/yaml reads YAML into a struct, where
 * unknown fields are passed over and numbers and booleans become text where text is wanted.
 */
export type DecodeMode = 'strict' | 'lenient';

/**
 * Decodes a value into a Go shape: absent and null fields are absent, names are compared without regard to case. Throws the first error
 * encoding/json would return, with its text.
 */
export function decodeInto(value: YamlValue, shape: GoShape, mode: DecodeMode): unknown {
  const decoder = new Decoder(mode);
  const result = decoder.decode(value, shape, { struct: '', path: [] });
  if (decoder.problem !== undefined) throw new KustomizeError('KustomizationInvalid', decoder.problem);
  return result;
}

type Context = { readonly struct: string; readonly path: readonly string[] };

class Decoder {
  problem: string | undefined;
  readonly #mode: DecodeMode;

  constructor(mode: DecodeMode) {
    this.#mode = mode;
  }

  decode(value: YamlValue, shape: GoShape, context: Context): unknown {
    if (value === null) return undefined;
    switch (shape.kind) {
      case 'any':
        return value;
      case 'slice':
        return Array.isArray(value)
          ? value.map((item) => this.decode(item, shape.element, context) ?? zero(shape.element))
          : this.#wrong(value, shape, context);
      case 'map':
        return isObject(value) ? this.#map(value, shape.element, context) : this.#wrong(value, shape, context);
      case 'struct':
        return isObject(value) ? this.#struct(value, shape, context) : this.#wrong(value, shape, context);
      default:
        return this.#scalar(value, shape, context);
    }
  }

  #scalar(value: YamlValue, shape: GoShape, context: Context): unknown {
    switch (shape.kind) {
      case 'string':
        return typeof value === 'string' ? value : (this.#asText(value) ?? this.#wrong(value, shape, context));
      case 'bool':
        return typeof value === 'boolean' ? value : this.#wrong(value, shape, context);
      default:
        return isInteger(value) ? Number(value) : this.#wrong(value, shape, context);
    }
  }

  #asText(value: YamlValue): string | undefined {
    if (this.#mode === 'strict') return undefined;
    if (typeof value === 'number') return Number.isInteger(value) ? String(value) : formatFloat(value);
    return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : undefined;
  }

  #map(value: YamlObject, element: GoShape, context: Context): Map<string, unknown> {
    const result = new Map<string, unknown>();
    for (const key of Object.keys(value).sort()) result.set(key, this.decode(value[key] ?? null, element, context) ?? zero(element));
    return result;
  }

  #struct(value: YamlObject, shape: GoShape & { kind: 'struct' }, context: Context): Record<string, unknown> {
    const result: Record<string, unknown> = {};
    for (const key of Object.keys(value).sort()) {
      const name = fieldName(shape.fields, key);
      const field = name === undefined ? undefined : shape.fields[name];
      if (name === undefined || field === undefined) {
        if (this.#mode === 'strict') this.problem ??= `json: unknown field ${JSON.stringify(key)}`;
        continue;
      }
      const decoded = this.decode(value[key] ?? null, field, { struct: shape.name.slice('types.'.length), path: [...context.path, name] });
      if (decoded !== undefined) result[name] = decoded;
    }
    return result;
  }

  #wrong(value: YamlValue, shape: GoShape, { struct, path }: Context): undefined {
    const where = path.length === 0 ? 'value' : `struct field ${struct}.${path.join('.')}`;
    const isNumber = shape.kind === 'int' || shape.kind === 'int64';
    this.problem ??= `json: cannot unmarshal ${describe(value, isNumber)} into Go ${where} of type ${shape.name}`;
    return undefined;
  }
}

function fieldName(fields: Readonly<Record<string, GoShape>>, key: string): string | undefined {
  if (Object.hasOwn(fields, key)) return key;
  const folded = key.toLowerCase();
  return Object.keys(fields).find((name) => name.toLowerCase() === folded);
}

function zero(shape: GoShape): unknown {
  switch (shape.kind) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int':
    case 'int64':
      return 0;
    case 'struct':
      return {};
    case 'map':
      return new Map();
    case 'slice':
      return [];
    default:
      return null;
  }
}

function describe(value: YamlValue, wantsInteger: boolean): string {
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    case 'number':
    case 'bigint':
      return wantsInteger ? `number ${String(value)}` : 'number';
    default:
      return 'object';
  }
}

function isObject(value: YamlValue): value is YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isInteger(value: YamlValue): value is number | bigint {
  return typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
}
