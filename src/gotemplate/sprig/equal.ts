import {
  budgetExceeded,
  GoByteSlice,
  GoComplex,
  GoFloat32,
  GoFunc,
  GoInt,
  GoKeyedMap,
  GoMap,
  GoSlice,
  GoStruct,
  goTypeOf,
  MAX_VALUE_DEPTH,
  sliceItems,
  type GoValue,
} from '../../golang/index.ts';

/** reflect.DeepEqual: types must be the same, so 1 and 1.0 differ, and a nil list differs from an empty one. */
export function deepEqual(a: GoValue, b: GoValue, depth = 0): boolean {
  if (a === b) return typeof a !== 'number' || !Number.isNaN(a);
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return (a ?? null) === null && (b ?? null) === null;
  if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of compared values', MAX_VALUE_DEPTH);
  if (goTypeOf(a) !== goTypeOf(b)) return false;
  if (a instanceof GoInt) return b instanceof GoInt && a.value === b.value;
  if (a instanceof GoMap) return b instanceof GoMap && equalMaps(a, b, depth);
  if (a instanceof GoByteSlice) return b instanceof GoByteSlice && Buffer.compare(a.bytes, b.bytes) === 0;
  const items = sliceItems(a);
  if (items !== undefined) return isNil(a) === isNil(b) && equalLists(items, sliceItems(b) ?? [], depth);
  return equalRare(a, b, depth);
}

function isNil(value: GoValue): boolean {
  return (value instanceof GoSlice || value instanceof GoMap) && value.isNil;
}

function equalLists(a: readonly GoValue[], b: readonly GoValue[], depth: number): boolean {
  return a.length === b.length && a.every((item, i) => deepEqual(item, b[i], depth + 1));
}

function equalMaps(a: GoMap, b: GoMap, depth: number): boolean {
  if (a.size !== b.size || a.isNil !== b.isNil) return false;
  for (const [key, item] of a.entries()) if (!b.has(key) || !deepEqual(item, b.get(key), depth + 1)) return false;
  return true;
}

function equalRare(a: GoValue, b: GoValue, depth: number): boolean {
  if (a instanceof GoStruct) return b instanceof GoStruct && equalStructs(a, b, depth);
  if (a instanceof GoFloat32) return b instanceof GoFloat32 && a.value === b.value;
  if (a instanceof GoComplex) return b instanceof GoComplex && a.re === b.re && a.im === b.im;
  if (a instanceof GoKeyedMap) {
    return b instanceof GoKeyedMap && a.pairs.every(([key, item], i) => deepEqual(key, b.pairs[i]?.[0]) && deepEqual(item, b.pairs[i]?.[1], depth + 1));
  }
  // Functions are equal only when both are nil, and a function value here never is.
  return a instanceof GoFunc && false;
}

function equalStructs(a: GoStruct, b: GoStruct, depth: number): boolean {
  if (a.data === b.data) return true;
  const { fields = [] } = a.structType;
  if (fields.length === 0) return false;
  return fields.every((field) => deepEqual(field.get(a), field.get(b), depth + 1));
}

/** Tells whether a list has a value by {@link deepEqual}, quickly for text, numbers and booleans. */
export class ValueSet {
  readonly #simple = new Set<string | number | boolean>();
  readonly #others: GoValue[] = [];

  has(value: GoValue): boolean {
    if (isSimple(value)) return this.#simple.has(value);
    if (typeof value === 'number') return false;
    return this.#others.some((known) => deepEqual(value, known));
  }

  /** True when the value was new. */
  add(value: GoValue): boolean {
    if (this.has(value)) return false;
    if (isSimple(value)) this.#simple.add(value);
    else {
      this.#others.push(value);
      if (this.#others.length > MAX_DISTINCT) throw budgetExceeded('number of distinct values compared', MAX_DISTINCT);
    }
    return true;
  }
}

/** Values other than text and numbers that `uniq` and its kin compare with each other: the work is quadratic. */
export const MAX_DISTINCT = 20_000;

function isSimple(value: GoValue): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && !Number.isNaN(value));
}
