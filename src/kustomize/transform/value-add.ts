import { applyNamespace } from './namespace.ts';
import { KustomizeError } from '../errors.ts';
import type { SelectorFields } from '../kustomization.ts';
import { wrongKind } from '../plain.ts';
import type { ResourceList } from '../resource-list.ts';
import type { Resource } from '../resource.ts';
import { select } from '../selector.ts';
import { assignScalar, field, isMapping, isMissing, isScalar, setField, textOf, withText, type Mapping, type Value } from '../value.ts';
import { toSelector } from './patches.ts';

/** A field that gets the value, in the resources a selector fits. */
export type ValueAddTarget = { selector?: SelectorFields; fieldPath?: string; filePathPosition?: number };

/** Throws when a target names no field or a negative position. */
export function checkValueAddTargets(targets: readonly ValueAddTarget[]): void {
  if (targets.length === 0) throw new KustomizeError('KustomizationInvalid', 'must specify at least one target');
  for (const { fieldPath = '', filePathPosition = 0 } of targets) {
    if (fieldPath === '') throw new KustomizeError('KustomizationInvalid', 'fieldPath cannot be empty');
    if (filePathPosition < 0) {
      throw new KustomizeError('KustomizationInvalid', `value of FilePathPosition (${filePathPosition}) cannot be negative`);
    }
  }
}

/** Puts a value in fields, or as one part into the file paths they hold. */
export function addValue(list: ResourceList, value: string, targets: readonly ValueAddTarget[]): void {
  for (const { selector, fieldPath = '', filePathPosition = 0 } of targets) {
    const resources = selector === undefined ? list.items : select(list.items, toSelector(selector));
    for (const resource of resources) addTo(resource, value, fieldPath, filePathPosition);
  }
  list.invalidate();
}

function addTo(resource: Resource, value: string, path: string, position: number): void {
  if (path === 'metadata/namespace') applyNamespace(resource, { namespace: value, specs: [] });
  else setPath(resource.object, splitEscaped(path), value, position);
}

/** Sets a field below an object, making mappings on the way; with a position, puts the value into the path the field holds. */
export function setPath(object: Mapping, fields: readonly string[], value: string, position: number): void {
  const last = fields.at(-1) ?? '';
  let mapping = object;
  for (const name of fields.slice(0, -1)) mapping = childOf(mapping, name);
  const old: Value = field(mapping, last) ?? '';
  if (!isScalar(old)) throw wrongKind('ScalarNode', old);
  const text = position > 0 ? insertPart(textOf(old), position - 1, value) : value;
  if (field(mapping, last) === undefined) setField(mapping, last, text);
  else assignScalar(mapping, last, withText(old, text));
}

function childOf(mapping: Mapping, name: string): Mapping {
  const child = field(mapping, name);
  if (isMapping(child)) return child;
  if (!isMissing(child)) throw wrongKind('MappingNode', child);
  const made: Mapping = {};
  setField(mapping, name, made);
  return made;
}

/** Splits at slashes that no backslash escapes. */
export function splitEscaped(path: string): string[] {
  const result: string[] = [];
  for (const part of path.split('/')) {
    const last = result.at(-1);
    if (last?.endsWith('\\') === true) result[result.length - 1] = `${last.slice(0, -1)}/${part}`;
    else result.push(part);
  }
  return result;
}

/** Inserts a part into a path; an absolute path stays one. */
function insertPart(path: string, position: number, part: string): string {
  if (part === '') return path;
  const absolute = path.startsWith('/');
  const parts = path.split('/').filter((each) => each !== '');
  parts.splice(Math.min(position, parts.length), 0, part);
  return `${absolute ? '/' : ''}${parts.join('/')}`;
}
