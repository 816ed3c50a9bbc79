import {
  assignableTo,
  anyType,
  GoByteSlice,
  GoError,
  GoInt,
  goIntOf,
  GoKeyedMap,
  GoMap,
  GoSlice,
  GoStruct,
  goTypeName,
  goTypeOf,
  isIntKind,
  sliceBytes,
  stringType,
  textByteLength,
  textToBytes,
  type GoType,
  type GoValue,
} from '../../golang/index.ts';
import { canBeNil, isNilPointer, zeroValue } from '../value.ts';

/** The builtin `len`. @throws GoError */
export function length(value: GoValue): GoInt {
  const item = indirect(value);
  if (item === null) throw new GoError('len of nil pointer');
  if (item === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  const count = countOf(item);
  if (count === undefined) throw new GoError(`len of type ${goTypeName(item)}`);
  return goIntOf('int', count);
}

function countOf(item: GoValue): number | undefined {
  if (typeof item === 'string') return textByteLength(item);
  if (Array.isArray(item)) return item.length;
  if (item instanceof GoMap) return item.size;
  if (item instanceof GoSlice) return item.items.length;
  if (item instanceof GoByteSlice) return item.bytes.length;
  return item instanceof GoKeyedMap ? item.pairs.length : undefined;
}

/** What a pointer points at; `null` for nil. */
function indirect(value: GoValue): GoValue {
  if (!(value instanceof GoStruct) || value.type.kind !== 'ptr' || value.type.elem === undefined) return value;
  return isNilPointer(value) ? null : new GoStruct(value.type.elem, value.data);
}

/** The builtin `index`: `x[i][j]…` of maps, slices and strings; a missing key gives the zero value. @throws GoError */
export function index(value: GoValue, keys: readonly GoValue[]): GoValue {
  if (value === undefined || value === null) throw new GoError('index of untyped nil');
  let item: GoValue = value;
  for (const key of keys) item = indexOnce(indirect(item), key);
  return item;
}

function indexOnce(item: GoValue, key: GoValue): GoValue {
  if (item === null || item === undefined) throw new GoError('index of nil pointer');
  if (item instanceof GoMap) return item.get(mapKey(item.type, key)) ?? valueAbsent(item, key);
  if (item instanceof GoKeyedMap) return keyedElement(item, key);
  const count = countOf(item);
  if (count === undefined) throw new GoError(`can't index item of type ${goTypeName(item)}`);
  const at = indexArgument(key, count);
  // One past the end passes the check above in Go too; reflect then panics.
  if (at === count) throw new GoError(`reflect: ${typeof item === 'string' ? 'string' : 'slice'} index out of range`);
  return elementAt(item, at);
}

function valueAbsent(map: GoMap, key: GoValue): GoValue {
  return typeof key === 'string' && map.has(key) ? null : zeroValue(map.type.elem ?? anyType);
}

function elementAt(item: GoValue, at: number): GoValue {
  if (typeof item === 'string') return goIntOf('uint8', textToBytes(item)[at] ?? 0);
  if (item instanceof GoByteSlice) return goIntOf('uint8', item.bytes[at] ?? 0);
  if (Array.isArray(item)) return item[at];
  return item instanceof GoSlice ? item.items[at] : undefined;
}

function mapKey(type: GoType, key: GoValue): string {
  if (typeof key === 'string') return key;
  throw keyProblem(key, type.key ?? stringType);
}

/** Why a value cannot be a key of that type (prepareArg). */
function keyProblem(key: GoValue, type: GoType): GoError {
  if (key === undefined || key === null) return new GoError(`value is nil; should be of type ${type.name}`);
  return new GoError(`value has type ${goTypeName(key)}; should be ${type.name}`);
}

function keyedElement(map: GoKeyedMap, key: GoValue): GoValue {
  const wanted = prepareKey(key, map.type.key ?? anyType);
  const found = map.pairs.find(([held]) => sameKey(held, wanted));
  return found === undefined ? zeroValue(map.type.elem ?? anyType) : found[1];
}

function prepareKey(key: GoValue, type: GoType): GoValue {
  const from = goTypeOf(key);
  if (from === undefined) {
    if (canBeNil(type)) return zeroValue(type);
    throw keyProblem(key, type);
  }
  if (assignableTo(from, type)) return key;
  if (key instanceof GoInt && isIntKind(type.kind)) return goIntOf(type, key.value);
  throw keyProblem(key, type);
}

function sameKey(a: GoValue, b: GoValue): boolean {
  if (a instanceof GoInt && b instanceof GoInt) return a.type === b.type && a.value === b.value;
  return a === b;
}

/** An index into something of `count` elements; `count` itself is allowed. @throws GoError */
function indexArgument(value: GoValue, count: number): number {
  if (value === undefined || value === null) throw new GoError('cannot index slice/array with nil');
  if (!(value instanceof GoInt)) throw new GoError(`cannot index slice/array with type ${goTypeName(value)}`);
  const at = BigInt.asIntN(64, BigInt(value.value));
  if (at < 0n || at > BigInt(count)) throw new GoError(`index out of range: ${at}`);
  return Number(at);
}

/** The builtin `slice`: `x[i:j]` of strings (in bytes) and slices. Capacity is length here. @throws GoError */
export function slice(value: GoValue, indexes: readonly GoValue[]): GoValue {
  if (value === undefined || value === null) throw new GoError('slice of untyped nil');
  const item = indirect(value);
  if (item === null) throw new GoError('slice of nil pointer');
  if (indexes.length > 3) throw new GoError(`too many slice indexes: ${indexes.length}`);
  if (typeof item === 'string' && indexes.length === 3) throw new GoError('cannot 3-index slice a string');
  const count = item instanceof GoMap || item instanceof GoKeyedMap ? undefined : countOf(item);
  if (count === undefined) throw new GoError(`can't slice item of type ${goTypeName(item)}`);
  const [from = 0, to = count, end = count] = indexes.map((at) => sliceArgument(at, count));
  if (from > to) throw new GoError(`invalid slice index: ${from} > ${to}`);
  if (to > end) throw new GoError(`invalid slice index: ${to} > ${end}`);
  return sliced(item, from, to);
}

/** Unlike index, slice does not look into interfaces: a nil one is not "nil" to it. */
function sliceArgument(at: GoValue, count: number): number {
  if (at === null) throw new GoError('cannot index slice/array with type interface {}');
  return indexArgument(at, count);
}

function sliced(item: GoValue, from: number, to: number): GoValue {
  if (typeof item === 'string') return sliceBytes(item, from, to);
  if (Array.isArray(item)) return item.slice(from, to);
  if (item instanceof GoByteSlice) return new GoByteSlice(item.bytes.subarray(from, to), item.type);
  return item instanceof GoSlice ? new GoSlice(item.type, item.items.slice(from, to), item.isNil) : item;
}
