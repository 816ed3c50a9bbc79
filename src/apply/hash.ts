import type { KubeObject } from '../manifest/index.ts';
import { isRecord } from './json.ts';
import { shortHash } from './managed-fields.ts';

/** A hash of what a user wants of one object: equal hashes need no look at the cluster. Key order does not matter. */
export function desiredHash(object: KubeObject): string {
  let known = hashes.get(object);
  if (known === undefined) {
    known = shortHash(canonical(object));
    hashes.set(object, known);
  }
  return known;
}

/** Objects on their way are never changed, so one that comes again (a release looked at for drift) is hashed once. */
const hashes = new WeakMap<KubeObject, string>();

/**
 * A hash of what drift detection compares (KB53): labels, annotations and body without metadata and status. Meant for objects that come from
 * one server, which writes equal objects alike.
 */
export function contentHash(object: KubeObject): string {
  // Lists of built-in kinds give items without apiVersion and kind.
  const { apiVersion: _apiVersion, kind: _kind, metadata, status: _status, ...body } = object;
  return shortHash(JSON.stringify([metadata.labels ?? {}, metadata.annotations ?? {}, body]));
}

/** JSON with sorted keys; `bigint`s as integer literals, absent values left out. */
export function canonical(value: unknown): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map((item) => (item === undefined ? 'null' : canonical(item))).join(',')}]`;
  if (!isRecord(value) || Object.isFrozen(value)) return JSON.stringify(value) ?? 'null';
  const keys = Object.keys(value).filter((key) => value[key] !== undefined);
  return `{${keys
    .sort()
    .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
    .join(',')}}`;
}
