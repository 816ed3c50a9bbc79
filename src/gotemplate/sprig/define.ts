import { GoError, GoFloat32, GoInt, GoMap, GoSlice, sliceItems, type GoType, type GoValue } from '../../golang/index.ts';
import type { TemplateFunction } from '../function.ts';

/** Functions by name. */
export type Functions = Readonly<Record<string, TemplateFunction>>;

/** A function of fixed arguments. */
export function fn(params: readonly GoType[], result: GoType, call: (...args: GoValue[]) => GoValue): TemplateFunction {
  return { params, result, call: (args) => call(...args) };
}

/** A function whose last parameter may be given any number of times; `call` gets all arguments as one list. */
export function variadic(params: readonly GoType[], result: GoType, call: (args: readonly GoValue[]) => GoValue): TemplateFunction {
  return { params, variadic: true, result, call };
}

/** An argument declared `string`. */
export function text(value: GoValue): string {
  if (typeof value !== 'string') throw new TypeError('argument is not a string');
  return value;
}

/** An argument declared `int`; beyond 2^53 as the nearest number. */
export function int(value: GoValue): number {
  if (!(value instanceof GoInt)) throw new TypeError('argument is not an int');
  return Number(value.value);
}

/** An argument declared `int`, exactly. */
export function exactInt(value: GoValue): bigint {
  if (!(value instanceof GoInt)) throw new TypeError('argument is not an int');
  return BigInt(value.value);
}

/** An argument declared `map[string]interface {}`. */
export function map(value: GoValue): GoMap {
  if (!(value instanceof GoMap)) throw new TypeError('argument is not a map');
  return value;
}

/** The elements of a list, or undefined for what is none. */
export function list(value: GoValue): readonly GoValue[] | undefined {
  return sliceItems(value);
}

/** The panic of dereferencing nil. */
export function nilDereference(): GoError {
  return new GoError('runtime error: invalid memory address or nil pointer dereference');
}

/** True for Go's empty values: false, 0, "", nil, a list or map without elements. Structs never are. */
export function isEmpty(value: GoValue): boolean {
  switch (typeof value) {
    case 'string':
      return value === '';
    case 'number':
      return value === 0;
    case 'boolean':
      return !value;
    case 'undefined':
      return true;
    default:
  }
  if (value === null) return true;
  if (value instanceof GoMap) return value.size === 0;
  if (value instanceof GoInt) return value.value === 0;
  if (value instanceof GoSlice) return value.items.length === 0;
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof GoFloat32) return value.value === 0;
  if ('re' in value) return value.re === 0 && value.im === 0;
  if ('bytes' in value) return value.bytes.length === 0;
  return 'pairs' in value && value.pairs.length === 0;
}
