import { effectiveType, fieldType, isList, isMap, itemElement, type Json, type ListType, type MapType } from './element.ts';
import { FieldSet, type PathElement } from './field-set.ts';
import type { FieldType } from './field-type.ts';

/** The fields an applied configuration names: leaves, atomic lists and maps as a whole, items of granular lists, keys of maps. */
export function fieldSetOf(type: FieldType, value: Json): FieldSet {
  return below(effectiveType(type, value), value, []) ?? new FieldSet();
}

/** The set of what is named inside a value; undefined for one that is named as a whole. */
function below(type: FieldType, value: Json, path: readonly PathElement[]): FieldSet | undefined {
  switch (type.kind) {
    case 'scalar':
    case 'any':
      return undefined;
    case 'list':
      return type.merge === 'atomic' ? undefined : itemsOf(type, value, path);
    case 'map':
      return type.atomic ? undefined : fieldsOf(type, value, path);
  }
}

function itemsOf(type: ListType, value: Json, path: readonly PathElement[]): FieldSet {
  const set = new FieldSet();
  for (const item of isList(value) ? value : []) {
    const element = itemElement(type, item, path);
    const itemType = effectiveType(type.items(), item);
    add(set, element, below(itemType, item, [...path, element]));
    set.members.add(element);
  }
  return set;
}

function fieldsOf(type: MapType, value: Json, path: readonly PathElement[]): FieldSet {
  const set = new FieldSet();
  for (const [key, child] of isMap(value) ? Object.entries(value) : []) {
    const element = `f:${key}`;
    const childSet = below(effectiveType(fieldType(type, key), child), child, [...path, element]);
    const empty = child === null || (isMap(child) && Object.keys(child).length === 0);
    if (childSet === undefined || empty || !type.fields.has(key)) set.members.add(element);
    add(set, element, childSet);
  }
  return set;
}

/** An item that comes twice names what either names. */
function add(set: FieldSet, element: PathElement, child: FieldSet | undefined): void {
  if (child === undefined || child.isEmpty) return;
  const before = set.children.get(element);
  set.children.set(element, before === undefined ? child : before.union(child));
}
