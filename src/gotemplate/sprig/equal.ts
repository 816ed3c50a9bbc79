import {
  budgetExceeded,
  GoByteSlice,
  GoComplex,
  GoFloat32,
  GoInt,
  GoKeyedMap,
  GoMap,
  GoSlice,
  GoStruct,
  goTypeOf,
  MAX_VALUE_DEPTH,
  MAX_VISITS,
  sliceItems,
  timeOf,
  timeType,
  type GoTime,
  type GoValue,
} from '../../golang/index.ts';

/** reflect.DeepEqual: types must be the same, so 1 and 1.0 differ, and a nil list differs from an empty one. */
export function deepEqual(a: GoValue, b: GoValue): boolean {
  return new Comparison().equal(a, b, 0);
}

/** One comparison: counts what it visits. */
class Comparison {
  #visits = 0;

  equal(a: GoValue, b: GoValue, depth: number): boolean {
    if (a === b) return typeof a !== 'number' || !Number.isNaN(a);
    if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return (a ?? null) === null && (b ?? null) === null;
    if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of compared values', MAX_VALUE_DEPTH);
    if (++this.#visits > MAX_VISITS) throw budgetExceeded('size of compared values', MAX_VISITS);
    if (goTypeOf(a) !== goTypeOf(b)) return false;
    if (a instanceof GoInt) return b instanceof GoInt && a.value === b.value;
    if (a instanceof GoMap) return b instanceof GoMap && this.#maps(a, b, depth);
    if (a instanceof GoByteSlice) return b instanceof GoByteSlice && Buffer.compare(a.bytes, b.bytes) === 0;
    const items = sliceItems(a);
    if (items !== undefined) return isNil(a) === isNil(b) && this.#lists(items, sliceItems(b) ?? [], depth);
    return this.#rare(a, b, depth);
  }

  #lists(a: readonly GoValue[], b: readonly GoValue[], depth: number): boolean {
    return a.length === b.length && a.every((item, i) => this.equal(item, b[i], depth + 1));
  }

  #maps(a: GoMap, b: GoMap, depth: number): boolean {
    if (a.size !== b.size || a.isNil !== b.isNil) return false;
    for (const [key, item] of a.entries()) if (!b.has(key) || !this.equal(item, b.get(key), depth + 1)) return false;
    return true;
  }

  #rare(a: Exclude<GoValue, null | undefined>, b: GoValue, depth: number): boolean {
    if (a instanceof GoStruct) return b instanceof GoStruct && this.#structs(a, b, depth);
    if (a instanceof GoFloat32) return b instanceof GoFloat32 && a.value === b.value;
    if (a instanceof GoComplex) return b instanceof GoComplex && a.re === b.re && a.im === b.im;
    if (!(a instanceof GoKeyedMap) || !(b instanceof GoKeyedMap) || a.pairs.length !== b.pairs.length) return false;
    return a.pairs.every(([key, item], i) => this.equal(key, b.pairs[i]?.[0], depth) && this.equal(item, b.pairs[i]?.[1], depth + 1));
  }

  #structs(a: GoStruct, b: GoStruct, depth: number): boolean {
    if (a.data === b.data) return true;
    if (a.structType === timeType) return sameInstant(timeOf(a), timeOf(b));
    const { fields = [] } = a.structType;
    return fields.length > 0 && fields.every((field) => this.equal(field.get(a), field.get(b), depth + 1));
  }
}

/** Times have no fields here; their parts decide. */
function sameInstant(a: GoTime, b: GoTime): boolean {
  return a.unix === b.unix && a.nanos === b.nanos && a.zone === b.zone;
}

function isNil(value: GoValue): boolean {
  return (value instanceof GoSlice || value instanceof GoMap) && value.isNil;
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
