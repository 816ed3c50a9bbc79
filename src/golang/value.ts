import { GoError } from './go-error.ts';
import {
  anyMapType,
  anySliceType,
  boolType,
  byteSliceType,
  complex128Type,
  float32Type,
  float64Type,
  intTypes,
  isUnsignedKind,
  stringSliceType,
  stringType,
  type GoKind,
  type GoType,
  type IntKind,
} from './go-type.ts';
import { compareText } from './text.ts';

/**
 * A Go value as the engines hold it, arranged so that decoded YAML needs no wrapper:
 *
 * | Go | here |
 * |---|---|
 * | nil interface | `null` |
 * | a zero reflect.Value (a missing map key, "no value") | `undefined` |
 * | bool, float64 | `boolean`, `number` |
 * | string | `string`; bytes that are not UTF-8 are lone surrogates U+DC80–U+DCFF (see text.ts) |
 * | int, int64, … (also named: time.Duration) | {@link GoInt} |
 * | []interface {} | a plain array |
 * | []string, []int, nil slices | {@link GoSlice} |
 * | []byte | {@link GoByteSlice} |
 * | map[string]T | {@link GoMap} |
 * | structs and pointers to them | {@link GoStruct} |
 * | functions | {@link GoFunc} |
 */
export type GoValue =
  | null
  | undefined
  | boolean
  | number
  | string
  | GoInt
  | GoFloat32
  | GoComplex
  | GoSlice
  | GoByteSlice
  | GoMap
  | GoKeyedMap
  | GoStruct
  | GoFunc
  | GoValue[];

/**
 * A function a template may call, with the Go types reflect would see. `call` receives arguments already converted to `params`
 * (the last of them repeated if `variadic`) and throws a GoError for an error result or a panic.
 */
export type GoFunction = {
  readonly params: readonly GoType[];
  /** The last of `params` is the element type of a `...T`. */
  readonly variadic?: boolean;
  /** Type of the first result. */
  readonly result: GoType;
  readonly call: (args: readonly GoValue[]) => GoValue;
};

/** An integer of any width. `value` is a number while it is safe, otherwise a bigint; it always fits the kind. */
export class GoInt {
  readonly type: GoType;
  readonly value: number | bigint;

  constructor(type: GoType, value: number | bigint) {
    this.type = type;
    this.value = value;
  }

  get kind(): IntKind {
    return this.type.kind as IntKind;
  }
}

/** A float32; `value` is already rounded to one. */
export class GoFloat32 {
  readonly value: number;

  constructor(value: number) {
    this.value = Math.fround(value);
  }
}

/** A complex128. */
export class GoComplex {
  readonly re: number;
  readonly im: number;

  constructor(re: number, im: number) {
    this.re = re;
    this.im = im;
  }
}

/** A slice that is not a plain array: of another element type, of a named type, or nil. */
export class GoSlice {
  readonly type: GoType;
  readonly isNil: boolean;
  readonly #items: GoValue[];

  /** Takes the array over: it must not be used elsewhere, except as another GoSlice's items. */
  constructor(type: GoType, items: readonly GoValue[], isNil = false) {
    this.type = type;
    this.#items = items as GoValue[];
    this.isNil = isNil;
  }

  get items(): readonly GoValue[] {
    return this.#items;
  }

  /** Sorts in place: slices share their storage, as in Go. */
  sort(compare: (a: GoValue, b: GoValue) => number): this {
    this.#items.sort(compare);
    return this;
  }
}

/** A `[]byte`. */
export class GoByteSlice {
  readonly bytes: Uint8Array;
  readonly type: GoType;

  constructor(bytes: Uint8Array, type: GoType = byteSliceType) {
    this.bytes = bytes;
    this.type = type;
  }
}

/** A map with string keys. Shared by reference, as in Go. Holds no `undefined`. */
export class GoMap {
  readonly type: GoType;
  readonly isNil: boolean;
  readonly #entries: Map<string, GoValue>;
  /** Shared, as the entries are, by every view of the map. */
  #order: { sorted: readonly string[] | undefined } = { sorted: undefined };

  constructor(type: GoType = anyMapType, entries: Map<string, GoValue> = new Map(), isNil = false) {
    this.type = type;
    this.isNil = isNil;
    this.#entries = entries;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The value, or `undefined` when the key is absent. */
  get(key: string): GoValue {
    return this.#entries.get(key);
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  /** Stores a value; `undefined` is stored as nil. Throws a GoError for a nil map. */
  set(key: string, value: GoValue): void {
    if (this.isNil) throw new GoError('assignment to entry in nil map');
    if (this.#order.sorted !== undefined && !this.#entries.has(key)) this.#order.sorted = undefined;
    this.#entries.set(key, value === undefined ? null : value);
  }

  delete(key: string): void {
    if (this.#entries.delete(key)) this.#order.sorted = undefined;
  }

  /** Keys in the order of their bytes: the order in which Go ranges over, prints and encodes a map in templates. */
  sortedKeys(): readonly string[] {
    this.#order.sorted ??= [...this.#entries.keys()].sort(compareText);
    return this.#order.sorted;
  }

  /** Entries in insertion order: for copies, never for output. */
  entries(): IterableIterator<[string, GoValue]> {
    return this.#entries.entries();
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys();
  }

  values(): IterableIterator<GoValue> {
    return this.#entries.values();
  }

  /** The same entries seen as another type (a conversion: storage is shared, as in Go). */
  as(type: GoType): GoMap {
    if (type === this.type) return this;
    const view = new GoMap(type, this.#entries, this.isNil);
    view.#order = this.#order;
    return view;
  }

  /** A copy of the map itself; values are shared. */
  clone(): GoMap {
    return new GoMap(this.type, new Map(this.#entries));
  }
}

/** A map whose keys are not strings; `pairs` are in Go's print order. Read only. */
export class GoKeyedMap {
  readonly type: GoType;
  readonly pairs: readonly (readonly [GoValue, GoValue])[];

  constructor(type: GoType, pairs: readonly (readonly [GoValue, GoValue])[]) {
    this.type = type;
    this.pairs = pairs;
  }
}

/**
 * A struct, or a pointer to one (`type.kind === 'ptr'`). `data` is whatever the type's fields and methods read.
 * Structs with reference semantics compare by identity of `data`.
 */
export class GoStruct {
  readonly type: GoType;
  readonly data: unknown;

  constructor(type: GoType, data: unknown) {
    this.type = type;
    this.data = data;
  }

  /** The struct type itself, behind the pointer if it is one. */
  get structType(): GoType {
    return this.type.kind === 'ptr' && this.type.elem !== undefined ? this.type.elem : this.type;
  }
}

/** A function as a value (bound method, `call`). */
export class GoFunc {
  readonly type: GoType;
  readonly fn: GoFunction;

  constructor(type: GoType, fn: GoFunction) {
    this.type = type;
    this.fn = fn;
  }
}

const SMALL_MIN = -128;
const SMALL_MAX = 1024;

function smallInts(type: GoType): readonly GoInt[] {
  return Array.from({ length: SMALL_MAX - SMALL_MIN + 1 }, (_, i) => new GoInt(type, i + SMALL_MIN));
}
const smallInt = smallInts(intTypes.int);
const smallInt64 = smallInts(intTypes.int64);

function cached(table: readonly GoInt[], type: GoType, value: number | bigint): GoInt {
  if (typeof value === 'number' && value >= SMALL_MIN && value <= SMALL_MAX) {
    const small = table[value - SMALL_MIN];
    if (small !== undefined) return small;
  }
  return new GoInt(type, narrow(value));
}

function narrow(value: number | bigint): number | bigint {
  if (typeof value === 'number') return value === 0 ? 0 : value;
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

/** An `int`. `value` must be an integer that fits 64 bits; a number must be safe. */
export function goInt(value: number | bigint): GoInt {
  return cached(smallInt, intTypes.int, value);
}

/** An `int64`. */
export function goInt64(value: number | bigint): GoInt {
  return cached(smallInt64, intTypes.int64, value);
}

/** An integer of the given kind or named integer type, wrapped to its width as a Go conversion does. */
export function goIntOf(type: IntKind | GoType, value: number | bigint): GoInt {
  const of = typeof type === 'string' ? intTypes[type] : type;
  if (of === intTypes.int) return goInt(wrap64(value, false));
  if (of === intTypes.int64) return goInt64(wrap64(value, false));
  return new GoInt(of, wrapTo(of.kind as IntKind, value));
}

function wrap64(value: number | bigint, unsigned: boolean): number | bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value) && (!unsigned || value >= 0)) return value;
  return narrow(unsigned ? BigInt.asUintN(64, BigInt(value)) : BigInt.asIntN(64, BigInt(value)));
}

/** Number of bits of an integer kind on the platforms we copy (64-bit). */
export function intBits(kind: IntKind): number {
  const digits = /\d+$/.exec(kind);
  return digits === null ? 64 : Number(digits[0]);
}

function wrapTo(kind: IntKind, value: number | bigint): number | bigint {
  const unsigned = isUnsignedKind(kind);
  const bits = intBits(kind);
  if (bits === 64) return wrap64(value, unsigned);
  const big = BigInt(value);
  return narrow(unsigned ? BigInt.asUintN(bits, big) : BigInt.asIntN(bits, big));
}

/** The Go type of a value (reflect.TypeOf), or `undefined` for nil and missing. */
export function goTypeOf(value: GoValue): GoType | undefined {
  switch (typeof value) {
    case 'string':
      return stringType;
    case 'number':
      return float64Type;
    case 'boolean':
      return boolType;
    case 'undefined':
      return undefined;
    default:
  }
  if (value === null) return undefined;
  if (Array.isArray(value)) return anySliceType;
  if (value instanceof GoFloat32) return float32Type;
  if (value instanceof GoComplex) return complex128Type;
  return value.type;
}

/** The `%T` text of a value: `<nil>` for nil and missing. */
export function goTypeName(value: GoValue): string {
  return goTypeOf(value)?.name ?? '<nil>';
}

/** reflect's Kind of a value; `invalid` for nil and missing. */
export function goKind(value: GoValue): GoKind | 'invalid' {
  return goTypeOf(value)?.kind ?? 'invalid';
}

/** The elements of any slice, or `undefined` when the value is not one. */
export function sliceItems(value: GoValue): readonly GoValue[] | undefined {
  if (Array.isArray(value)) return value;
  if (value instanceof GoSlice) return value.items;
  if (value instanceof GoByteSlice) return Array.from(value.bytes, (byte) => goIntOf('uint8', byte));
  return undefined;
}

/** A `[]string`. */
export function stringSlice(items: readonly string[], isNil = false): GoSlice {
  return new GoSlice(stringSliceType, items, isNil);
}

/** A `map[string]interface {}` of the given entries. */
export function goMap(entries: Iterable<readonly [string, GoValue]> = []): GoMap {
  return new GoMap(anyMapType, new Map(entries));
}

/** The integer as a number when it is one and safe, else `undefined`. */
export function asSafeInteger(value: GoValue): number | undefined {
  return value instanceof GoInt && typeof value.value === 'number' ? value.value : undefined;
}
