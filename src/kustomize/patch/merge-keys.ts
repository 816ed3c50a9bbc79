import { wrongKind } from '../plain.ts';
import { field, isEmpty, isMapping, isMissing, isScalar, textOf, type Value } from '../value.ts';

/*
 * Finding, replacing and removing elements of a list by their keys, as kyaml's ElementMatcher and ElementSetter do it. The key list
 * [''] means a list of scalars, which are their own keys. Values are compared by their text: 80 and "80" are the same port.
 */

export type Keys = readonly string[];
export const SCALAR_KEYS: Keys = [''];

/** The first element whose keys have these values. */
export function findElement(list: readonly Value[], keys: Keys, values: readonly string[]): Value | undefined {
  if (keys[0] === '' || keys.length === 0) return list.find((element) => textOf(element) === (values[0] ?? ''));
  return list.find((element) => isMapping(element) && keys.every((key, i) => hasText(field(element, key), values[i] ?? '')));
}

function hasText(value: Value | undefined, text: string): boolean {
  return value !== undefined && textOf(value) === text;
}

/** The values of the keys in each element; `` where a key is missing or empty. */
export function keyValues(list: readonly Value[], keys: Keys): string[][] {
  return list.map((element) =>
    keys.map((key) => {
      const value = isMapping(element) ? field(element, key) : undefined;
      return isEmpty(value) ? '' : textOf(value);
    }),
  );
}

/**
 * Replaces the elements with these key values by `element`, or appends it when there are none; without `element` they are removed.
 * Null and empty elements go away, and so does everything that does not match when there are keys but no values (kyaml's ElementSetter).
 */
export function setElement(list: Value[], keys: Keys, values: readonly string[], element?: Value): void {
  const wantsMapping = (keys[0] ?? '') !== '' && (values[0] ?? '') !== '';
  let found = false;
  let kept = 0;
  for (const each of list) {
    if (isMissing(each) || (isMapping(each) && isEmpty(each))) continue;
    if (wantsMapping && !isMapping(each)) {
      list[kept++] = each;
    } else if (!matches(each, keys, values)) {
      if (values.length > 0) list[kept++] = each;
    } else {
      found = true;
      if (element !== undefined) list[kept++] = element;
    }
  }
  list.length = kept;
  if (element !== undefined && !isMissing(element) && !found) list.push(element);
}

function matches(element: Value, keys: Keys, values: readonly string[]): boolean {
  let found = false;
  for (const [i, key] of keys.entries()) {
    const wanted = values[i];
    if (wanted !== undefined) found = matchesKey(element, key, wanted);
    if (!found) return false;
  }
  return true;
}

/** An empty wanted value stands for any value of a field. */
function matchesKey(element: Value, key: string, wanted: string): boolean {
  if (key === '') {
    if (!isScalar(element)) throw wrongKind('ScalarNode', element);
    return textOf(element) === wanted;
  }
  if (!isMapping(element)) throw wrongKind('MappingNode', element);
  const value = field(element, key);
  return value !== undefined && (wanted === '' || textOf(value) === wanted);
}
