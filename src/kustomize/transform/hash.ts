import { createHash } from 'node:crypto';
import { encodeJson, type YamlObject, type YamlValue } from '../../golang/index.ts';
import { toPlain, toPlainObject } from '../plain.ts';
import type { ResourceList } from '../resource-list.ts';
import { field, isMapping, textOf, type Mapping } from '../value.ts';

/** Appends a hash of their content to the names of the resources that ask for it. */
export function addHashes(list: ResourceList): void {
  let changed = false;
  for (const resource of list.items) {
    if (!resource.state.needsHash) continue;
    const hash = hashOf(resource.object);
    resource.storePreviousId();
    resource.setName(`${resource.name}-${hash}`);
    changed = true;
  }
  if (changed) list.invalidate();
}

const LETTERS: Readonly<Record<string, string>> = { '0': 'g', '1': 'h', '3': 'k', a: 'm', e: 't' };
const HASH_LENGTH = 10;

/** The hash kustomize puts behind the name of a ConfigMap or Secret: no vowels, and no digits that look like letters. */
export function hashOf(object: Mapping): string {
  const hex = createHash('sha256').update(encoded(object)).digest('hex');
  return hex.slice(0, HASH_LENGTH).replace(/[013ae]/g, (char) => LETTERS[char] ?? char);
}

function encoded(object: Mapping): string {
  const kind = textOf(object['kind']);
  // kustomize means to hash the name as well, but looks for it where it never is.
  if (kind === 'ConfigMap') {
    return encodeJson({ ...optionalMap(object, 'binaryData'), data: part(object, 'data'), kind, name: '' });
  }
  if (kind === 'Secret') {
    return encodeJson({ data: part(object, 'data'), kind, name: '', ...optionalMap(object, 'stringData'), type: part(object, 'type') });
  }
  return encodeJson(toPlainObject(object));
}

function part(object: Mapping, name: string): YamlValue {
  const value = field(object, name);
  if (value === undefined) return '';
  return typeof value === 'object' && value !== null && (isMapping(value) || Array.isArray(value)) ? sorted(toPlain(value)) : textOf(value);
}

function optionalMap(object: Mapping, name: string): YamlObject {
  return isMapping(field(object, name)) ? { [name]: part(object, name) } : {};
}

function sorted(value: YamlValue): YamlValue {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, value[key] ?? null]),
  );
}
