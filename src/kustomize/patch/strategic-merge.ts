import { KustomizeError } from '../errors.ts';
import { wrongKind } from '../plain.ts';
import type { MergeType } from '../openapi.ts';
import type { Schemas } from '../schemas.ts';
import {
  assignScalar,
  field,
  isEmpty,
  isMapping,
  isMissing,
  isNull,
  isScalar,
  isSequence,
  setField,
  textOf,
  type Mapping,
  type Value,
} from '../value.ts';
import { findElement, keyValues, SCALAR_KEYS, setElement, type Keys } from './merge-keys.ts';

type Directive = 'merge' | 'replace' | 'delete';
const DIRECTIVE = '$patch';

/**
 * Merges a strategic merge patch into an object, as kustomize's merge2 does: maps field by field, null removes, lists that have merge
 * keys in the schema element by element (those of the patch first, in its order), other lists as a whole; `$patch` says `merge`,
 * `replace` or `delete`. Both arguments are changed. Returns false when the patch removes the object.
 */
export function mergePatch(object: Mapping, patch: Mapping, schemas: Schemas): boolean {
  return new Merger(schemas).walk(object, patch, undefined) !== undefined;
}

class Merger {
  readonly #schemas: Schemas;

  constructor(schemas: Schemas) {
    this.#schemas = schemas;
  }

  /** Merges `patch` into `old`; undefined when nothing is left. */
  walk(old: Value | undefined, patch: Value | undefined, known: Known | undefined): Value | undefined {
    const schema = known ?? this.#schemaOf(old) ?? this.#schemaOf(patch);
    const first = isMissing(old) ? patch : old;
    if (isMissing(first)) return this.#map(old, patch, schema);
    if (isMapping(first)) {
      expectKind('MappingNode', isMapping, old, patch);
      return this.#map(old, patch, schema);
    }
    if (isSequence(first)) {
      expectKind('SequenceNode', isSequence, old, patch);
      return schema?.keys === undefined ? override(old, patch) : this.#list(old, patch, schema, schema.keys);
    }
    expectKind('ScalarNode', isScalar, old, patch);
    return override(old, patch);
  }

  /** An object that names its kind is merged by the schema of that kind, wherever it stands. */
  #schemaOf(value: Value | undefined): Known | undefined {
    if (!isMapping(value)) return undefined;
    const kind = value['kind'];
    const apiVersion = value['apiVersion'];
    if (kind === undefined || apiVersion === undefined) return undefined;
    const type = this.#schemas.typeOfKind(textOf(apiVersion), textOf(kind));
    return type === undefined ? undefined : { type };
  }

  #fieldSchema(known: Known | undefined, key: string): Known | undefined {
    const type = known?.type;
    if (type === undefined) return undefined;
    const found = Object.hasOwn(type, key) ? type[key] : type['*'];
    if (found === undefined) return undefined;
    const below = this.#schemas.type(found);
    return { ...(below === undefined ? {} : { type: below }), ...(found.keys === undefined ? {} : { keys: found.keys }) };
  }

  #map(old: Value | undefined, patch: Value | undefined, schema: Known | undefined): Value | undefined {
    const target = visitMap(old, patch);
    if (!isMapping(target)) return target;
    const source = isMapping(patch) ? patch : undefined;
    for (const key of fieldNames(target, source)) {
      const was = field(target, key);
      const by = source === undefined ? undefined : field(source, key);
      const value = this.walk(was, by, this.#fieldSchema(schema, key));
      if (value === undefined || (isNull(value) && !keepsNull(was, by))) delete target[key];
      else if (value === was) continue;
      else if (isScalar(value)) assignScalar(target, key, value);
      else setField(target, key, value);
    }
    return target;
  }

  #list(old: Value | undefined, patch: Value | undefined, schema: Known, keys: Keys): Value | undefined {
    const target = visitList(old, patch);
    if (!isSequence(target)) return target;
    const source = isSequence(patch) ? patch : undefined;
    const values = keys.length === 0 ? scalarValues(source, target) : distinct([...keyed(source, keys), ...keyed(target, keys)]);
    const merged = new ListMerge(keys.length === 0 ? SCALAR_KEYS : keys, values, target, source);
    const element = schema.type === undefined ? undefined : { type: schema.type };
    return merged.run((was, by) => this.walk(was, by, element));
  }
}

/** What the schema says of a value: the type of its fields (or of its elements), and the keys if it is a list that merges. */
type Known = { readonly type?: MergeType; readonly keys?: readonly string[] };

/** What was there before the patch, unless that says something. */
function override(old: Value | undefined, patch: Value | undefined): Value | undefined {
  return patch === undefined ? old : patch;
}

/** A null that was spelled out stays, unless the patch says something; an empty value does not. */
function keepsNull(old: Value | undefined, patch: Value | undefined): boolean {
  return patch === undefined && isNull(old) && textOf(old) !== '';
}

function visitMap(old: Value | undefined, patch: Value | undefined): Value | undefined {
  if (isMissing(old)) {
    if (isMapping(patch) && mapDirective(patch) === 'delete') return undefined;
    return keepsNull(old, patch) ? old : patch;
  }
  if (patch === undefined) return old;
  if (isNull(patch) || !isMapping(patch)) return undefined;
  const directive = mapDirective(patch);
  if (directive === 'delete') return undefined;
  return directive === 'replace' ? patch : old;
}

function visitList(old: Value | undefined, patch: Value | undefined): Value | undefined {
  if (isMissing(old)) return patch;
  if (patch === undefined) return old;
  if (!isSequence(patch)) return undefined;
  const directive = listDirective(patch);
  if (directive === 'delete') return undefined;
  return directive === 'replace' ? patch : old;
}

/** Takes the directive out of a mapping. */
function mapDirective(patch: Mapping): Directive {
  const value = field(patch, DIRECTIVE);
  if (value === undefined) return 'merge';
  const directive = asDirective(textOf(value));
  delete patch[DIRECTIVE];
  return directive;
}

/** Takes the directive out of a list: it is an element of its own. */
function listDirective(patch: Value[]): Directive {
  const element = patch.find((each) => isMapping(each) && field(each, DIRECTIVE) !== undefined);
  if (!isMapping(element) || Object.keys(element).length > 1) return 'merge';
  const text = textOf(field(element, DIRECTIVE));
  const directive = asDirective(text);
  setElement(patch, [DIRECTIVE], [text]);
  return directive;
}

function asDirective(text: string): Directive {
  if (text === 'merge' || text === 'replace' || text === 'delete') return text;
  throw new KustomizeError('PatchFailed', `unknown patch strategy '${text}'`, {
    remedy: 'use merge, replace or delete',
  });
}

function fieldNames(a: Mapping, b: Mapping | undefined): string[] {
  const names = new Set(Object.keys(a));
  if (b !== undefined) for (const name of Object.keys(b)) names.add(name);
  return [...names].sort();
}

function expectKind(
  kind: 'MappingNode' | 'SequenceNode' | 'ScalarNode',
  is: (value: Value) => boolean,
  ...values: (Value | undefined)[]
): void {
  for (const value of values) if (!isMissing(value) && !is(value)) throw wrongKind(kind, value);
}

function keyed(list: readonly Value[] | undefined, keys: Keys): string[][] {
  return list === undefined ? [] : keyValues(list, keys);
}

function scalarValues(...lists: (readonly Value[] | undefined)[]): string[][] {
  return distinct(lists.flatMap((list) => list ?? []).map((value) => [textOf(value)]));
}

function distinct(values: readonly string[][]): string[][] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const key = JSON.stringify(value);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** One merge of two lists by keys. */
class ListMerge {
  readonly #keys: Keys;
  readonly #values: string[][];
  readonly #target: Value[];
  readonly #source: readonly Value[] | undefined;

  constructor(keys: Keys, values: string[][], target: Value[], source: readonly Value[] | undefined) {
    this.#keys = keys;
    this.#values = keys.length > 1 ? joinPartialKeys(values) : values;
    this.#target = target;
    this.#source = source;
  }

  run(walk: (old: Value | undefined, patch: Value | undefined) => Value | undefined): Value[] {
    const added: Value[] = [];
    let usedKeys: Keys = [];
    for (const values of this.#values) {
      const used = usableKeys(this.#values, values, this.#keys);
      usedKeys = used.keys;
      const own = usableKeys([used.values], used.values, used.keys);
      const old = findElement(this.#target, own.keys, own.values);
      const patch = this.#source === undefined ? undefined : findElement(this.#source, own.keys, own.values);
      const value = walk(old, patch);
      if (isMissing(value) || (isMapping(value) && isEmpty(value))) {
        setElement(this.#target, used.keys, used.values);
        continue;
      }
      completeKeys(value, used.keys, used.values);
      setElement(added, used.keys, used.values, value);
    }
    return this.#values.length === 0 ? this.#target : appendList(added, this.#target, usedKeys);
  }
}

/** Elements found by some of their keys get the others too. */
function completeKeys(value: Value, keys: Keys, values: readonly string[]): void {
  if (!isMapping(value)) return;
  for (const [i, key] of keys.entries()) {
    const text = values[i] ?? '';
    if (field(value, key) === undefined && text !== '') setField(value, key, text);
  }
}

/** Puts what was in the list behind what the patch brought, in its own order. */
function appendList(added: Value[], target: readonly Value[], keys: Keys): Value[] {
  for (const element of target) {
    if (keys[0] === '') {
      setElement(added, SCALAR_KEYS, [textOf(element)], element);
      continue;
    }
    if (!isMissing(element) && !isMapping(element)) throw wrongKind('MappingNode', element);
    const values: string[] = [];
    for (const key of keys) {
      const value = isMapping(element) ? field(element, key) : undefined;
      if (value === undefined) added.push(element);
      else values.push(textOf(value));
    }
    if (keys.length > 1) setElement(added, keys, values);
    setElement(added, keys, values, element);
  }
  return added;
}

/** Keys that no element at all has do not count, unless none is left. */
function usableKeys(all: readonly (readonly string[])[], values: readonly string[], keys: Keys): { keys: Keys; values: readonly string[] } {
  const present = new Set<string>();
  for (const each of all) each.forEach((value, i) => value !== '' && present.add(keys[i] ?? ''));
  if (present.size === 0) return { keys, values };
  return {
    keys: keys.filter((key) => present.has(key)),
    values: values.filter((value, i) => value !== '' || present.has(keys[i] ?? '')),
  };
}

/** An element that lacks a key is the one that has the others in common: `80` and `80/TCP`. */
function joinPartialKeys(values: string[][]): string[][] {
  for (let i = 0; i < values.length; i++) {
    const one = values[i] ?? [];
    for (let j = 0; j < values.length; j++) {
      const joined = joinKeys(one, values[j] ?? []);
      if (joined === undefined) continue;
      values[i] = joined;
      values[j] = joined;
    }
  }
  return values;
}

function joinKeys(a: readonly string[], b: readonly string[]): string[] | undefined {
  if (a.length !== b.length) return undefined;
  let common = false;
  const joined: string[] = [];
  for (const [i, value] of a.entries()) {
    const other = b[i] ?? '';
    if (value === other) common = true;
    else if (value !== '' && other !== '') return undefined;
    joined.push(value === '' ? other : value);
  }
  return common ? joined : undefined;
}
