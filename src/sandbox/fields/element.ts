import { CodedError } from '../../std/index.ts';
import type { FieldType } from './field-type.ts';
import { formatPath, keyElement, type PathElement } from './field-set.ts';

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

/**
 * The path element of an item of a granular list.
 * @param path of the list, for what is thrown
 * @throws FieldsError when a set holds a non-scalar or an item has none of its keys
 */
export function itemElement(type: ListType, item: Json, path: readonly PathElement[] | string): PathElement {
  if (type.merge === 'set') {
    if (isMap(item)) throw new FieldsError(textOf(path), "associative list without keys has an element that's a map type");
    if (isList(item)) throw new FieldsError(textOf(path), 'not supported: associative list with lists as elements');
    if (item === null) throw new FieldsError(textOf(path), "associative list without keys has an element that's an explicit null");
    return `v:${JSON.stringify(item)}`;
  }
  if (item === null) throw new FieldsError(textOf(path), 'associative list with keys may not have a null element');
  if (!isMap(item)) throw new FieldsError(textOf(path), 'associative list with keys may not have non-map elements');
  const fields: (readonly [string, Json])[] = [];
  // A key that is absent and has no default is no part of the element: with another key it is another item.
  for (const { name, default: fallback } of type.keys) {
    const value = Object.hasOwn(item, name) ? item[name] : (fallback as Json | undefined);
    if (value !== undefined) fields.push([name, value]);
  }
  if (fields.length === 0 && type.keys.length > 0) {
    const names = type.keys.map((key) => JSON.stringify(key.name)).join(' ');
    const cause = `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`;
    throw new FieldsError(textOf(path), cause);
  }
  return keyElement(fields);
}

function textOf(path: readonly PathElement[] | string): string {
  return typeof path === 'string' ? path : formatPath(path);
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
  return { kind: 'scalar', of: 'untyped' };
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
