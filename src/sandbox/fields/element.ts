import { CodedError } from '../../std/index.ts';
import type { FieldType } from './field-type.ts';
import { keyElement, type PathElement } from './field-set.ts';

/** A JSON value; absent is `undefined`, which is not null. */
export type Json = null | boolean | number | bigint | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonMap = { readonly [key: string]: Json };

export type ListType = Extract<FieldType, { kind: 'list' }>;
export type MapType = Extract<FieldType, { kind: 'map' }>;

/** An object that cannot be merged as its schema says: structured-merge-diff's errors. */
export class FieldsError extends CodedError<'FieldsInvalid'> {
  constructor(path: string, cause: string) {
    super({ code: 'FieldsInvalid', message: path === '' ? cause : `${path}: ${cause}`, subject: path, retryable: false });
  }
}

/** The path element of an item of a granular list. @throws FieldsError when a set holds a non-scalar or an item lacks its keys */
export function itemElement(type: ListType, item: Json, path: string): PathElement {
  if (type.merge === 'set') {
    if (typeof item === 'object' && item !== null) throw new FieldsError(path, 'value must be scalar: sets cannot hold maps or lists');
    return `v:${JSON.stringify(item)}`;
  }
  if (!isMap(item)) throw new FieldsError(path, 'associative list with keys may not have non-map elements');
  const fields = type.keys.map(({ name, default: fallback }): readonly [string, Json] => {
    const value = item[name] ?? (fallback as Json | undefined);
    if (value === undefined)
      throw new FieldsError(
        path,
        `associative list with keys has an element that omits key field ${JSON.stringify(name)} (and doesn't have default value)`,
      );
    return [name, value];
  });
  return keyElement(fields);
}

/** True for a JSON object. */
export function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True for a JSON array. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The type to use for a pair of values: what a schema leaves open is read off the values themselves. */
export function effectiveType(type: FieldType, ...values: readonly (Json | undefined)[]): FieldType {
  if (type.kind !== 'any') return type;
  const value = values.find((it) => it !== undefined && it !== null);
  if (isList(value)) return { kind: 'list', items: () => type, merge: 'atomic', keys: [] };
  if (isMap(value)) return { kind: 'map', fields: new Map(), values: () => type, atomic: false };
  return { kind: 'scalar' };
}

/** The type of a map's field. */
export function fieldType(type: MapType, name: string): FieldType {
  return type.fields.get(name)?.() ?? type.values?.() ?? { kind: 'any' };
}

/** Deep equality of JSON values. */
export function sameJson(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (isList(a)) return isList(b) && a.length === b.length && a.every((item, i) => sameJson(item, b[i]));
  if (!isMap(a) || !isMap(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameJson(a[key], b[key]));
}
