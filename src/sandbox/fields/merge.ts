import { effectiveType, fieldType, FieldsError, isList, isMap, itemElement, type Json, type ListType, type MapType } from './element.ts';
import { formatPath, type PathElement } from './field-set.ts';
import type { FieldType } from './field-type.ts';

/** The live object with the applied configuration on top: granular fields merge, everything else is replaced. */
export function mergeFields(
  type: FieldType,
  live: Json | undefined,
  applied: Json | undefined,
  path: readonly PathElement[] = [],
): Json | undefined {
  if (applied === undefined) return live;
  if (live === undefined && type.kind !== 'list') return applied;
  const shape = effectiveType(type, applied, live);
  switch (shape.kind) {
    case 'scalar':
    case 'any':
      return applied;
    case 'list':
      if (shape.merge === 'atomic' || (length(live) === 0 && length(applied) === 0)) return applied;
      return mergeLists(shape, isList(live) ? live : [], isList(applied) ? applied : [], path);
    case 'map':
      if (shape.atomic || (size(live) === 0 && size(applied) === 0)) return applied;
      return mergeMaps(shape, isMap(live) ? live : {}, isMap(applied) ? applied : {}, path);
  }
}

function mergeMaps(
  type: MapType,
  live: { readonly [key: string]: Json },
  applied: { readonly [key: string]: Json },
  path: readonly PathElement[],
): Json | undefined {
  const out: Record<string, Json> = Object.create(null) as Record<string, Json>;
  let changed = Object.keys(live).length === 0;
  for (const key of new Set([...Object.keys(live), ...Object.keys(applied)])) {
    const [left, right] = [Object.hasOwn(live, key) ? live[key] : undefined, Object.hasOwn(applied, key) ? applied[key] : undefined];
    const merged = mergeFields(fieldType(type, key), left, right, [...path, `f:${key}`]);
    if (merged !== undefined) out[key] = merged;
    changed ||= merged !== left;
  }
  // What stays the same is the same value, so that whoever compares need not look inside.
  if (!changed) return live;
  return Object.keys(out).length === 0 ? undefined : out;
}

/**
 * The applied order wins for what it names; live items it does not name keep their place relative to their neighbours, before
 * the next shared item.
 */
function mergeLists(type: ListType, live: readonly Json[], applied: readonly Json[], path: readonly PathElement[]): Json | undefined {
  const liveElements = live.map((item) => itemElement(type, item, path));
  const appliedElements = applied.map((item) => itemElement(type, item, path));
  const liveItems = uniqueItems(live, liveElements);
  const appliedItems = new Map<PathElement, Json>();
  appliedElements.forEach((element, i) => {
    if (appliedItems.has(element)) throw new FieldsError(formatPath(path), `duplicate entries for key ${formatPath([element])}`);
    appliedItems.set(element, applied[i] ?? null);
  });
  const shared = appliedElements.filter((element) => liveItems.has(element));
  const out: Json[] = [];
  const merged = new Set<PathElement>();
  const take = (element: PathElement, left: Json | undefined, right: Json | undefined): void => {
    const item = mergeFields(type.items(), left, right, [...path, element]);
    if (item !== undefined) out.push(item);
  };
  const takeShared = (element: PathElement): void => {
    merged.add(element);
    // An element the live list holds more than once is not merged with any of them.
    take(element, liveItems.get(element) ?? undefined, appliedItems.get(element));
    if (shared[0] === element) shared.shift();
  };
  let l = 0;
  let r = 0;
  while (l < live.length || r < applied.length) {
    const [left, right] = [liveElements[l], appliedElements[r]];
    if (left !== undefined && left === right) {
      takeShared(left);
      l += 1;
      r += 1;
      continue;
    }
    if (left !== undefined && right !== undefined && appliedItems.has(left) && shared[0] !== undefined && shared[0] !== left) {
      l += 1; // shared, but another shared item comes first in the applied order
      continue;
    }
    if (left !== undefined && !appliedItems.has(left)) {
      take(left, live[l], undefined);
      l += 1;
      continue;
    }
    if (left !== undefined && merged.has(left)) l += 1;
    if (right !== undefined) {
      takeShared(right);
      r += 1;
    }
  }
  if (out.length > 0 && out.length === live.length && out.every((item, i) => item === live[i])) return live;
  return out.length === 0 ? undefined : out;
}

/** Items by element; null for an element that occurs more than once. */
function uniqueItems(list: readonly Json[], elements: readonly PathElement[]): Map<PathElement, Json> {
  const items = new Map<PathElement, Json>();
  elements.forEach((element, i) => items.set(element, items.has(element) ? null : (list[i] ?? null)));
  return items;
}

function length(value: Json | undefined): number {
  return isList(value) ? value.length : 0;
}

function size(value: Json | undefined): number {
  return isMap(value) ? Object.keys(value).length : 0;
}
