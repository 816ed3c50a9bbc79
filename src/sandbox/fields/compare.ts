import { effectiveType, fieldType, isList, isMap, itemElement, type Json, type ListType, sameJson } from './element.ts';
import { FieldSet, type PathElement } from './field-set.ts';
import type { FieldType } from './field-type.ts';

/** Which fields one object has that the other has not, or has otherwise. */
export type Comparison = { added: FieldSet; modified: FieldSet; removed: FieldSet };

/** What changed from `before` to `after`; either may be absent, not both. */
export function compareFields(type: FieldType, before: Json | undefined, after: Json | undefined): Comparison {
  const result: Comparison = { added: new FieldSet(), modified: new FieldSet(), removed: new FieldSet() };
  walk(type, before, after, [], result);
  return result;
}

function walk(
  declared: FieldType,
  before: Json | undefined,
  after: Json | undefined,
  path: readonly PathElement[],
  result: Comparison,
): void {
  if (before === after && typeof before === 'object') return;
  const type = effectiveType(declared, after, before);
  if (isLeaf(type, before, after)) {
    if (before === undefined) result.added.insert(path);
    else if (after === undefined) result.removed.insert(path);
    else if (!sameJson(before, after)) result.modified.insert(path);
    return;
  }
  if (type.kind === 'list') items(type, isList(before) ? before : [], isList(after) ? after : [], path, result);
  if (type.kind === 'map') {
    const [left, right] = [isMap(before) ? before : {}, isMap(after) ? after : {}];
    for (const key of Object.keys(left)) walk(fieldType(type, key), left[key], own(right, key), [...path, `f:${key}`], result);
    for (const key of Object.keys(right)) {
      if (!Object.hasOwn(left, key)) walk(fieldType(type, key), undefined, right[key], [...path, `f:${key}`], result);
    }
  }
  if (path.length === 0) return;
  if (before === undefined) result.added.insert(path);
  else if (after === undefined) result.removed.insert(path);
}

/** A scalar, an atomic list or map, two values of different shape, or nothing but empties: owned as a whole. */
function isLeaf(type: FieldType, before: Json | undefined, after: Json | undefined): boolean {
  if (type.kind === 'scalar' || type.kind === 'any') return true;
  if (type.kind === 'list') return type.merge === 'atomic' || (isEmpty(before) && isEmpty(after));
  return type.atomic || (isEmpty(before) && isEmpty(after));
}

function isEmpty(value: Json | undefined): boolean {
  if (isList(value)) return value.length === 0;
  return !isMap(value) || Object.keys(value).length === 0;
}

/** Items are matched by element; an element that occurs more than once is compared as a whole. */
function items(type: ListType, before: readonly Json[], after: readonly Json[], path: readonly PathElement[], result: Comparison): void {
  const [left, right] = [group(type, before, path), group(type, after, path)];
  for (const element of new Set([...left.keys(), ...right.keys()])) {
    const [old, now] = [left.get(element) ?? [], right.get(element) ?? []];
    const below = [...path, element];
    if (old.length <= 1 && now.length <= 1) {
      walk(type.items(), old[0], now[0], below, result);
    } else if (old.length >= 2 && now.length >= 2) {
      if (!sameJson(old, now)) result.modified.insert(below);
    } else if (old.length >= 2) {
      if (now.length > 0) walk(type.items(), undefined, now[0], below, result);
      result.removed.insert(below);
    } else {
      if (old.length > 0) walk(type.items(), old[0], undefined, below, result);
      result.added.insert(below);
    }
  }
}

function group(type: ListType, list: readonly Json[], path: readonly PathElement[]): Map<PathElement, Json[]> {
  const groups = new Map<PathElement, Json[]>();
  for (const item of list) {
    const element = itemElement(type, item, path);
    const same = groups.get(element);
    if (same === undefined) groups.set(element, [item]);
    else same.push(item);
  }
  return groups;
}

function own(map: { readonly [key: string]: Json }, key: string): Json | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
