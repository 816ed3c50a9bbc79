import type { KubeObject } from '../manifest/index.ts';
import { KubeError } from './errors.ts';
import { isRecord } from './json.ts';
import type { KindRef, ObjectList, Target } from './kube-client.ts';

/** Where an object lives: what client calls take. */
export function targetOf(object: KubeObject): Target {
  const { apiVersion, kind, metadata } = object;
  return { apiVersion, kind, name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
}

/** A target for people: `Deployment/default/web`. */
export function formatTarget(target: Target): string {
  return (target.namespace ?? '') === '' ? `${target.kind}/${target.name}` : `${target.kind}/${target.namespace}/${target.name}`;
}

/**
 * Takes parsed JSON for an object.
 * @param kind given to an object that does not say it: items of built-in lists, and PartialObjectMetadata (which names itself)
 * @throws KubeError `ResponseInvalid`
 */
export function toObject(value: unknown, what: string, kind: KindRef): KubeObject {
  if (!isRecord(value) || !isRecord(value['metadata'])) throw notAnObject(what);
  if (typeof value['kind'] !== 'string' || value['kind'] === 'PartialObjectMetadata') {
    value['apiVersion'] = kind.apiVersion;
    value['kind'] = kind.kind;
  }
  return value as KubeObject;
}

/** Takes parsed JSON for a list and moves its items, completed with their kind, to `items`. Returns where to continue. */
export function appendList(value: unknown, what: string, kind: KindRef, into: ObjectList): string {
  if (!isRecord(value) || !isRecord(value['metadata'])) throw notAnObject(what);
  const { metadata, items } = value;
  // A nil Go slice is written as null.
  if (items !== null && items !== undefined && !Array.isArray(items)) throw notAnObject(what);
  for (const item of items ?? []) into.items.push(toObject(item, what, kind));
  if (typeof metadata['resourceVersion'] === 'string') into.resourceVersion = metadata['resourceVersion'];
  return typeof metadata['continue'] === 'string' ? metadata['continue'] : '';
}

function notAnObject(what: string): KubeError {
  return new KubeError({ code: 'ResponseInvalid', message: `${what}: answer is not a Kubernetes object`, subject: what });
}
