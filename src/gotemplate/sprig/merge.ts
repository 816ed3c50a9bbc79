import {
  anyMapType,
  budgetExceeded,
  GoError,
  GoMap,
  goKind,
  GoSlice,
  GoStruct,
  goTypeName,
  goTypeOf,
  MAX_VALUE_DEPTH,
  MAX_VISITS,
  sliceItems,
  type GoValue,
} from '../../golang/index.ts';
import { isEmpty } from './define.ts';

/*
 * dario.cat/mergo 1.0 on maps, its two modes: `fill` (Merge) gives keys that are absent or empty in the target the source's value,
 * `overwrite` (MergeWithOverwrite) gives all keys the source's value, nil and empty ones too. Nested maps are merged into the target's
 * own maps; where the target has none, it gets the source's map itself, not a copy.
 */

export type MergeMode = 'fill' | 'overwrite';

/** Merges `source` into `target` and returns the target; a nil target becomes a new map. Throws a GoError for what mergo refuses. */
export function mergeMaps(target: GoMap, source: GoMap, mode: MergeMode): GoMap {
  const into = target.isNil && !source.isNil ? new GoMap(target.type) : target;
  new Merger(mode).maps(into, source, 0);
  return into;
}

class Merger {
  readonly #overwrite: boolean;
  #visits = 0;

  constructor(mode: MergeMode) {
    this.#overwrite = mode === 'overwrite';
  }

  maps(target: GoMap, source: GoMap, depth: number): void {
    if (depth > MAX_VALUE_DEPTH) throw budgetExceeded('nesting of merged maps', MAX_VALUE_DEPTH);
    if (target.isNil) return;
    this.#visits += source.size;
    if (this.#visits > MAX_VISITS) throw budgetExceeded('size of merged maps', MAX_VISITS);
    for (const [key, value] of source.entries()) this.#entry(target, key, value, depth);
  }

  #entry(target: GoMap, key: string, value: GoValue, depth: number): void {
    if (isNil(value)) {
      // Typed nils come here, too: mergo looks at the interface only, so it takes them as values.
      if (value !== null && value !== undefined) this.#value(target, key, value, depth);
      else if (this.#overwrite) put(target, key, null);
      return;
    }
    this.#value(target, key, value, depth);
  }

  #value(target: GoMap, key: string, value: GoValue, depth: number): void {
    const present = target.has(key);
    const before = target.get(key);
    const items = sliceItems(value);
    if (value instanceof GoMap || value instanceof GoStruct) this.#into(before, value, depth);
    else if (items !== undefined) {
      const replaced = this.#overwrite || target.size === 0;
      if (replaced) put(target, key, value);
      else if (!present || before === null) put(target, key, emptyLike(value));
    }
    if (present && !isEmpty(before)) {
      if (items !== undefined) return;
      if (value instanceof GoMap && before instanceof GoMap) return;
    }
    if (this.#overwrite || !present || isEmpty(before)) put(target, key, value);
  }

  /** Merges a map or struct into what the target has under the key. */
  #into(before: GoValue, value: GoMap | GoStruct, depth: number): void {
    if (before instanceof GoMap) {
      if (value instanceof GoMap) this.maps(before, value, depth + 1);
      return;
    }
    if (!(before instanceof GoStruct)) return;
    if (before.type.kind === 'ptr') this.#intoPointer(before, value);
    else if (value instanceof GoMap && hasExportedFields(before)) {
      throw new GoError('reflect: call of reflect.Value.Field on map Value');
    }
  }

  #intoPointer(before: GoStruct, value: GoMap | GoStruct): void {
    if (this.#overwrite || value.type.kind === 'ptr') return;
    if (before.structType !== value.type) throw new GoError('src and dst must be of same type');
  }
}

function hasExportedFields(struct: GoStruct): boolean {
  return (struct.structType.fields ?? []).some((field) => /^\p{Lu}/u.test(field.name));
}

function isNil(value: GoValue): boolean {
  return value === null || value === undefined;
}

function emptyLike(list: GoValue): GoValue {
  const type = goTypeOf(list);
  return Array.isArray(list) || type === undefined ? [] : new GoSlice(type, []);
}

/** SetMapIndex: the value must fit the map's element type. */
function put(target: GoMap, key: string, value: GoValue): void {
  const elem = target.type.elem ?? anyMapType;
  if (elem.kind !== 'interface' && elem.kind !== goKind(value)) {
    throw new GoError(`reflect.Value.SetMapIndex: value of type ${goTypeName(value)} is not assignable to type ${elem.name}`);
  }
  target.set(key, value);
}
