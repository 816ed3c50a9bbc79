import { effectiveType, fieldType, isList, isMap, itemElement, type Json } from './element.ts';
import { FieldSet, formatPath, type PathElement } from './field-set.ts';
import type { FieldType } from './field-type.ts';

/** The fields an applied configuration names: leaves, atomic lists and maps as a whole, items of granular lists, keys of maps. */
export function fieldSetOf(type: FieldType, value: Json): FieldSet {
  const set = new FieldSet();
  walk(type, value, [], set);
  return set;
}

function walk(declared: FieldType, value: Json, path: readonly PathElement[], set: FieldSet): void {
  const type = effectiveType(declared, value);
  switch (type.kind) {
    case 'scalar':
    case 'any':
      set.insert(path);
      return;
    case 'list':
      if (type.merge === 'atomic') {
        set.insert(path);
        return;
      }
      if (!isList(value)) return;
      value.forEach((item) => {
        const below = [...path, itemElement(type, item, formatPath(path))];
        walk(type.items(), item, below, set);
        set.insert(below);
      });
      return;
    case 'map':
      if (type.atomic) {
        set.insert(path);
        return;
      }
      if (!isMap(value)) return;
      for (const [key, child] of Object.entries(value)) {
        const below = [...path, `f:${key}`];
        walk(fieldType(type, key), child, below, set);
        const empty = child === null || (isMap(child) && Object.keys(child).length === 0);
        if (empty || !type.fields.has(key)) set.insert(below);
      }
  }
}
