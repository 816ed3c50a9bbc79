import { anyMapType, GoMap, type GoType, type GoValue } from '../../golang/index.ts';

/** A deep copy: no map or list is shared with the original. `type` is the type of the outermost map. */
export function copyValues(map: GoMap, type: GoType = anyMapType): GoMap {
  const entries = new Map<string, GoValue>();
  for (const [key, value] of map.entries()) entries.set(key, typeof value === 'object' ? copyValue(value) : value);
  return new GoMap(type, entries);
}

function copyValue(value: GoValue): GoValue {
  if (value instanceof GoMap) return copyValues(value, value.type);
  return Array.isArray(value) ? value.map(copyValue) : value;
}

/** True for what YAML calls a mapping (a `map[string]interface {}`). */
export function isTable(value: GoValue): value is GoMap {
  return value instanceof GoMap && value.type === anyMapType;
}
