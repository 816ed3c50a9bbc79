import { effectiveType, fieldType, isList, isMap, itemElement, type Json } from './element.ts';
import { FieldSet, type PathElement } from './field-set.ts';
import type { FieldType } from './field-type.ts';

/** The value without the fields and items of `set`. A map or list of which nothing is left is removed too. */
export function removeFields(declared: FieldType, value: Json, set: FieldSet, path: readonly PathElement[] = []): Json | undefined {
  const type = effectiveType(declared, value);
  if (type.kind === 'list' && isList(value)) {
    if (value.length === 0 || type.merge === 'atomic') return undefined;
    const kept: Json[] = [];
    for (const item of value) {
      const element = itemElement(type, item, path);
      if (set.members.has(element)) continue;
      const below = set.below(element);
      const left = below.isEmpty ? item : removeFields(type.items(), item, below, [...path, element]);
      kept.push(left ?? null);
    }
    return kept.length === 0 ? undefined : kept;
  }
  if (type.kind === 'map' && isMap(value)) {
    if (Object.keys(value).length === 0 || type.atomic) return undefined;
    const kept: Record<string, Json> = Object.create(null) as Record<string, Json>;
    for (const [key, child] of Object.entries(value)) {
      const element = `f:${key}`;
      if (set.members.has(element)) continue;
      const below = set.below(element);
      kept[key] = (below.isEmpty ? child : removeFields(fieldType(type, key), child, below, [...path, element])) ?? null;
    }
    return Object.keys(kept).length === 0 ? undefined : kept;
  }
  return value;
}

/** The set with every named field of a struct that has members below it as a member itself. */
export function ensureNamedFields(declared: FieldType, set: FieldSet): FieldSet {
  const type = declared;
  const members = new Set(set.members);
  const children = new Map<PathElement, FieldSet>();
  for (const [element, child] of set.children) {
    const name = element.slice(2);
    if (element.startsWith('f:') && type.kind === 'map' && type.fields.has(name)) members.add(element);
    const below: FieldType = element.startsWith('f:')
      ? type.kind === 'map'
        ? fieldType(type, name)
        : { kind: 'any' }
      : type.kind === 'list'
        ? type.items()
        : { kind: 'any' };
    children.set(element, ensureNamedFields(below, child));
  }
  return new FieldSet(members, children);
}
