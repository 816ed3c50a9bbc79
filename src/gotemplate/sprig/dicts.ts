import {
  anyMapType,
  anySliceType,
  anyType,
  boolType,
  GoError,
  GoMap,
  goMap,
  goTypeName,
  stringSlice,
  stringSliceType,
  stringType,
  type GoValue,
} from '../../golang/index.ts';
import { toText } from './convert.ts';
import { deepCopy } from './copy.ts';
import { fn, map, text, variadic, type Functions } from './define.ts';
import { mergeMaps, type MergeMode } from './merge.ts';

const A = anyType;
const M = anyMapType;
const S = stringType;

function dict(values: readonly GoValue[]): GoMap {
  const entries = new Map<string, GoValue>();
  for (let i = 0; i < values.length; i += 2) {
    const value = values[i + 1];
    entries.set(toText(values[i]), i + 1 < values.length ? (value ?? null) : '');
  }
  return new GoMap(M, entries);
}

function merge(mode: MergeMode, lenient: boolean): Functions[string] {
  return variadic([M, M], A, ([target, ...sources]) => {
    let merged = map(target);
    try {
      for (const source of sources) merged = mergeMaps(merged, map(source), mode);
      return merged;
    } catch (error) {
      // Errors of mergo are swallowed, panics are not: those come from reflect.
      if (lenient && error instanceof GoError && !error.message.startsWith('reflect')) return '';
      throw error;
    }
  });
}

/** The panic of `x.(T)`. */
function conversion(value: GoValue, want: string): GoError {
  const have = value === null || value === undefined ? 'nil' : goTypeName(value);
  return new GoError(`interface conversion: interface {} is ${have}, not ${want}`);
}

function exactMap(value: GoValue): GoMap {
  if (value instanceof GoMap && value.type === M) return value;
  throw conversion(value, 'map[string]interface {}');
}

/** Walks down by keys; the default where a key is missing. Only plain maps are walked: `.Values` itself is none. */
function dig(values: readonly GoValue[]): GoValue {
  if (values.length < 3) throw new GoError('dig needs at least three arguments');
  let current = exactMap(values.at(-1));
  const keys = values.slice(0, -2).map((key) => {
    if (typeof key !== 'string') throw conversion(key, 'string');
    return key;
  });
  for (const [i, key] of keys.entries()) {
    const next = current.get(key);
    if (next === undefined) return values.at(-2);
    if (i === keys.length - 1) return next;
    current = exactMap(next);
  }
  return null;
}

function only(source: GoMap, keep: (key: string) => boolean): GoMap {
  const kept = goMap();
  for (const [key, value] of source.entries()) if (keep(key)) kept.set(key, value);
  return kept;
}

const copy = fn([A], A, deepCopy);

/**
 * Maps. Go gives `keys` and `values` a random order; here it is that of the keys' bytes, so that a render can be repeated.
 */
export const dictFunctions: Functions = {
  dict: variadic([A], M, dict),
  get: fn([M, S], A, (source, key) => map(source).get(text(key)) ?? (map(source).has(text(key)) ? null : '')),
  set: fn([M, S, A], M, (target, key, value) => {
    map(target).set(text(key), value);
    return target;
  }),
  unset: fn([M, S], M, (target, key) => {
    map(target).delete(text(key));
    return target;
  }),
  hasKey: fn([M, S], boolType, (source, key) => map(source).has(text(key))),
  pluck: variadic([S, M], anySliceType, ([key, ...sources]) =>
    sources.filter((source) => map(source).has(text(key))).map((source) => map(source).get(text(key))),
  ),
  keys: variadic([M], stringSliceType, (sources) => stringSlice(sources.flatMap((source) => map(source).sortedKeys()))),
  pick: variadic([M, S], M, ([source, ...keys]) => {
    const wanted = new Set(keys.map(text));
    return only(map(source), (key) => wanted.has(key));
  }),
  omit: variadic([M, S], M, ([source, ...keys]) => {
    const unwanted = new Set(keys.map(text));
    return only(map(source), (key) => !unwanted.has(key));
  }),
  values: fn([M], anySliceType, (source) =>
    map(source)
      .sortedKeys()
      .map((key) => map(source).get(key)),
  ),
  merge: merge('fill', true),
  mustMerge: merge('fill', false),
  mergeOverwrite: merge('overwrite', true),
  mustMergeOverwrite: merge('overwrite', false),
  deepCopy: copy,
  mustDeepCopy: copy,
  dig: variadic([A], A, dig),
};
