import {
  budgetExceeded,
  GoByteSlice,
  GoError,
  GoMap,
  GoSlice,
  GoStruct,
  MAX_LIST,
  MAX_VALUE_DEPTH,
  versionType,
  type GoValue,
  type Version,
} from '../../golang/index.ts';

/** copystructure.Copy: nothing of the copy is shared with the original. Throws a GoError for nil. */
export function deepCopy(value: GoValue): GoValue {
  if (value === null || value === undefined) throw new GoError('reflect: call of reflect.Value.Type on zero Value');
  return new Copier().copy(value, 0);
}

class Copier {
  #made = 0;

  copy(value: GoValue, depth: number): GoValue {
    if (typeof value !== 'object' || value === null) return value ?? null;
    if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of a copied value', MAX_VALUE_DEPTH);
    if (Array.isArray(value)) return this.#items(value, depth);
    if (value instanceof GoMap) return this.#map(value, depth);
    if (value instanceof GoSlice) return new GoSlice(value.type, this.#items(value.items, depth), value.isNil);
    if (value instanceof GoByteSlice) return new GoByteSlice(value.bytes.slice(), value.type);
    if (value instanceof GoStruct) return copyStruct(value);
    return value;
  }

  #items(items: readonly GoValue[], depth: number): GoValue[] {
    this.#count(items.length);
    return items.map((item) => this.copy(item, depth + 1));
  }

  #map(map: GoMap, depth: number): GoMap {
    this.#count(map.size);
    const entries = new Map<string, GoValue>();
    for (const [key, item] of map.entries()) entries.set(key, this.copy(item, depth + 1));
    return new GoMap(map.type, entries, map.isNil);
  }

  /** Aliases make a small value large when it is copied. */
  #count(values: number): void {
    this.#made += values;
    if (this.#made > MAX_LIST) throw budgetExceeded('size of a copied value', MAX_LIST);
  }
}

const zeroVersion: Version = { major: 0n, minor: 0n, patch: 0n, prerelease: '', metadata: '', original: '' };

/** Nothing changes a struct, so it can be shared. Unexported fields are not copied: a version, which has no others, becomes 0.0.0. */
function copyStruct(value: GoStruct): GoStruct {
  return value.structType === versionType ? new GoStruct(value.type, zeroVersion) : value;
}
