import { goInt, GoSlice, goTypeOf, sliceItems, type GoType, type GoValue } from '../../golang/index.ts';

/*
 * A Go slice can be cut beyond its length, up to the capacity of its storage, and `slice` lets templates do it: `slice .Values.list 0 4`
 * of three elements gives a nil as the fourth. So lists remember the storage they are part of.
 */

/** What lies behind a list: its first element is at `from`, and `capacity` elements may be seen from there. */
type Storage = { readonly backing: readonly GoValue[]; readonly from: number; readonly capacity: number };

const storages = new WeakMap<object, Storage>();

/** Go's allocation sizes up to 32 KiB. */
const sizeClasses: readonly number[] = [
  8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 256, 288, 320, 352, 384, 416, 448, 480, 512, 576, 640, 704,
  768, 896, 1024, 1152, 1280, 1408, 1536, 1792, 2048, 2304, 2688, 3072, 3200, 3456, 4096, 4864, 5120, 5376, 6144, 6528, 6784, 6912, 8192,
  9472, 9728, 10240, 10880, 12288, 13568, 14336, 16384, 18432, 19072, 20480, 21760, 24576, 27264, 28672, 32768,
];
const PAGE = 8192;

/** What append makes of a storage that is too small. `size` is that of an element in bytes. */
function grown(capacity: number, needed: number, size: number): number {
  let wanted = needed;
  if (needed <= 2 * capacity) {
    wanted = 2 * capacity;
    if (capacity >= 256) for (wanted = capacity; wanted < needed;) wanted += (wanted + 768) >> 2;
  }
  const bytes = wanted * size;
  const rounded = sizeClasses.find((allocation) => allocation >= bytes) ?? Math.ceil(bytes / PAGE) * PAGE;
  return Math.trunc(rounded / size);
}

function elementSize(list: GoValue): number {
  switch (goTypeOf(list)?.elem?.kind) {
    case 'int':
      return 8;
    case 'slice':
      return 24;
    default:
      return 16;
  }
}

/** The capacity of a list that was appended to one by one, as decoders do. */
function appended(length: number, start: number, size: number): number {
  let capacity = start;
  while (capacity < length) capacity = grown(capacity, capacity + 1, size);
  return capacity;
}

/** Notes that a list's storage ends with it; returns the list. Lists without a note were appended to one by one. */
export function exact<T extends GoValue>(list: T): T {
  return withCapacity(list, sliceItems(list)?.length ?? 0);
}

/** Notes that a list was made with room for `start` elements and then appended to. */
export function startedWith<T extends GoValue>(list: T, start: number): T {
  return withCapacity(list, appended(sliceItems(list)?.length ?? 0, start, elementSize(list)));
}

/** Notes that the last `count` elements of a list were appended at once to storage that was full. */
export function extended<T extends GoValue>(list: T, count: number): T {
  const length = sliceItems(list)?.length ?? 0;
  return withCapacity(list, grown(length - count, length, elementSize(list)));
}

function withCapacity<T extends GoValue>(list: T, capacity: number): T {
  if (typeof list === 'object' && list !== null) storages.set(list, { backing: sliceItems(list) ?? [], from: 0, capacity });
  return list;
}

/** `list[start:end]` within the capacity, or undefined outside it. */
export function cutList(list: GoValue, start: number, end: number): GoValue {
  const items = sliceItems(list) ?? [];
  const known = typeof list === 'object' && list !== null ? storages.get(list) : undefined;
  const { backing, from, capacity } = known ?? { backing: items, from: 0, capacity: appended(items.length, 0, elementSize(list)) };
  if (start < 0 || end < start || end > capacity) return undefined;
  const type = goTypeOf(list);
  const part = backing.slice(from + start, from + end);
  while (part.length < end - start) part.push(zeroOf(type?.elem));
  const cut = Array.isArray(list) || type === undefined ? part : new GoSlice(type, part);
  storages.set(cut, { backing, from: from + start, capacity: capacity - start });
  return cut;
}

function zeroOf(elem: GoType | undefined): GoValue {
  switch (elem?.kind) {
    case 'string':
      return '';
    case 'int':
      return zeroInt;
    default:
      return null;
  }
}
const zeroInt = goInt(0);
