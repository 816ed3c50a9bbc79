import {
  anySliceType,
  anyType,
  boolType,
  budgetExceeded,
  GoError,
  GoSlice,
  goKind,
  intType,
  MAX_LIST,
  sliceItems,
  sliceOf,
  type GoValue,
} from '../../golang/index.ts';
import { cutList, exact, extended } from './capacity.ts';
import { toInt64 } from './convert.ts';
import { deepEqual, ValueSet } from './equal.ts';
import { fn, int, isEmpty, nilDereference, variadic, type Functions } from './define.ts';

const A = anyType;
const L = anySliceType;
const nilList = new GoSlice(L, [], true);

/** The elements of a list, or the error a function reports for anything else. */
function itemsFor(doing: string, value: GoValue): readonly GoValue[] {
  const items = sliceItems(value);
  if (items !== undefined) return items;
  const kind = goKind(value);
  if (kind === 'invalid') throw nilDereference();
  throw new GoError(`${doing} ${kind}`);
}

function bounded(items: GoValue[]): GoValue[] {
  if (items.length > MAX_LIST) throw budgetExceeded('length of a list', MAX_LIST);
  return items;
}

function slicePart(value: GoValue, indices: readonly GoValue[]): GoValue {
  const items = itemsFor('list should be type of slice or array but', value);
  if (items.length === 0) return null;
  const [first, second] = indices;
  const start = indices.length > 0 ? Number(toInt64(first)) : 0;
  const end = indices.length < 2 ? items.length : Number(toInt64(second));
  const part = cutList(value, start, end);
  if (part === undefined) throw new GoError('reflect.Value.Slice: slice index out of bounds');
  return part;
}

const listOfLists = sliceOf(L);

function chunk(size: number, value: GoValue): GoValue {
  const items = itemsFor('Cannot chunk type', value);
  const { length } = items;
  const count = Math.floor((length - 1) / size) + 1;
  checkLength(count);
  const chunks: GoValue[] = [];
  for (let i = 0; i < count; i++) {
    const rest = Math.floor(length % size);
    const wanted = i === count - 1 && rest !== 0 ? rest : size;
    checkLength(wanted);
    const part = items.slice(i * size, i * size + wanted);
    if (part.length < wanted) throw new GoError('reflect: slice index out of range');
    chunks.push(exact(part));
  }
  return exact(new GoSlice(listOfLists, chunks));
}

function checkLength(length: number): void {
  if (!(length >= 0 && length <= Number.MAX_SAFE_INTEGER)) throw new GoError('runtime error: makeslice: len out of range');
}

function concat(lists: readonly GoValue[]): GoValue {
  const out: GoValue[] = [];
  for (const value of lists) {
    const items = sliceItems(value);
    if (items === undefined) {
      const kind = goKind(value);
      if (kind === 'invalid') throw nilDereference();
      throw new GoError(`Cannot concat type ${kind} as list`);
    }
    for (const item of items) out.push(item);
    bounded(out);
  }
  return out.length === 0 ? nilList : out;
}

function uniq(value: GoValue): GoValue[] {
  const seen = new ValueSet();
  return itemsFor('Cannot find uniq on type', value).filter((item) => seen.add(item));
}

function without(value: GoValue, omitted: readonly GoValue[]): GoValue[] {
  const omit = new ValueSet();
  const items = itemsFor('Cannot find without on type', value);
  for (const item of omitted) omit.add(item);
  return items.filter((item) => !omit.has(item));
}

function has(needle: GoValue, value: GoValue): boolean {
  if (value === null || value === undefined) return false;
  return itemsFor('Cannot find has on type', value).some((item) => deepEqual(needle, item));
}

const push = fn([A, A], L, (value, item) => extended(bounded([...itemsFor('Cannot push on type', value), item]), 1));
const prepend = fn([A, A], L, (value, item) => {
  const items = itemsFor('Cannot prepend on type', value);
  return extended(bounded([item, ...items]), items.length);
});
const first = fn([A], A, (value) => itemsFor('Cannot find first on type', value)[0] ?? null);
const last = fn([A], A, (value) => itemsFor('Cannot find last on type', value).at(-1) ?? null);
const rest = fn([A], L, (value) => {
  const items = itemsFor('Cannot find rest on type', value);
  return items.length === 0 ? nilList : exact(items.slice(1));
});
const initial = fn([A], L, (value) => {
  const items = itemsFor('Cannot find initial on type', value);
  return items.length === 0 ? nilList : exact(items.slice(0, -1));
});
const reverse = fn([A], L, (value) => exact([...itemsFor('Cannot find reverse on type', value)].reverse()));
const compact = fn([A], L, (value) => itemsFor('Cannot compact on type', value).filter((item) => !isEmpty(item)));
const uniqueItems = fn([A], L, uniq);
const withoutItems = variadic([A, A], L, ([value, ...omitted]) => without(value, omitted));
const hasItem = fn([A, A], boolType, has);
const slice = variadic([A, A], A, ([value, ...indices]) => slicePart(value, indices));
const chunks = fn([intType, A], listOfLists, (size, value) => chunk(int(size), value));
const list = variadic([A], L, (items) => exact([...items]));

/** Lists: nothing but `sortAlpha` changes its argument. */
export const listFunctions: Functions = {
  list,
  tuple: list,
  append: push,
  push,
  mustAppend: push,
  mustPush: push,
  prepend,
  mustPrepend: prepend,
  first,
  mustFirst: first,
  last,
  mustLast: last,
  rest,
  mustRest: rest,
  initial,
  mustInitial: initial,
  reverse,
  mustReverse: reverse,
  compact,
  mustCompact: compact,
  uniq: uniqueItems,
  mustUniq: uniqueItems,
  without: withoutItems,
  mustWithout: withoutItems,
  has: hasItem,
  mustHas: hasItem,
  slice,
  mustSlice: slice,
  chunk: chunks,
  mustChunk: chunks,
  concat: variadic([A], A, concat),
};
