import type { KubeObject, ObjectMeta, ObjectRef } from '../manifest/index.ts';
import { objectRef, objectRefKey } from '../manifest/index.ts';

/** Which `managedFields` a snapshot keeps: of objects Flux applied (removed fields and drift need them), of all, of none. */
export type KeptManagers = 'applied' | 'all' | 'none';

/** What stands in a snapshot for a Secret's value. Valid base64, so that the Secret loads. */
export const MASK: string = Buffer.from('**masked**').toString('base64');

/** Holds the whole object as it once was, Secret values included. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** Annotations that controllers of the cluster write beside the user. */
const CONTROLLER_ANNOTATIONS = [
  LAST_APPLIED,
  'deployment.kubernetes.io/revision',
  'deprecated.daemonset.template.generation',
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
  'volume.kubernetes.io/storage-provisioner',
  'reconcile.fluxcd.io/requestedAt',
];

/** The value at a path of an object; undefined when there is none. */
export function valueAt(object: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), object);
}

/** The text at a path of an object; empty when there is none. */
export function textAt(object: unknown, ...path: readonly string[]): string {
  const value = valueAt(object, ...path);
  return typeof value === 'string' ? value : '';
}

/** A JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object as the key of a map. */
export function keyOf(object: KubeObject): string {
  return objectRefKey(objectRef(object));
}

/** An object without what its API server wrote, so that another one takes it. */
export function portable(object: KubeObject, options: { managers: boolean; secrets: boolean }): KubeObject {
  const { name, namespace, labels, annotations, finalizers, managedFields } = object.metadata;
  const metadata: ObjectMeta = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels === undefined ? {} : { labels }),
    ...kept('annotations', without(annotations, [LAST_APPLIED])),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(options.managers && managedFields !== undefined ? { managedFields } : {}),
  };
  const { status, ...fields } = object;
  const inventory = valueAt(status, 'inventory');
  return {
    ...fields,
    ...(object.kind === 'Secret' && object.apiVersion === 'v1' && !options.secrets ? masked(object) : {}),
    metadata,
    ...(object.kind === 'CustomResourceDefinition' && status !== undefined ? { status } : {}),
    ...(object.kind === 'Kustomization' && inventory !== undefined ? { status: { inventory } } : {}),
  };
}

function masked(secret: KubeObject): { data?: Record<string, unknown> } {
  const { data } = secret;
  return isRecord(data)
    ? { data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, isPublic(key, value) ? value : MASK])) }
    : {};
}

/** What a Secret holds so that signatures can be verified is no secret: public keys, certificates, trust policies and roots. */
function isPublic(key: string, value: unknown): boolean {
  if (key === 'trustpolicy.json' || key === 'trusted_root.json') return true;
  if (typeof value !== 'string' || !/\.(pub|crt|pem)$/.test(key)) return false;
  const text = Buffer.from(value, 'base64').toString('latin1').trim();
  return /^(?:-----BEGIN (PUBLIC KEY|CERTIFICATE)-----[A-Za-z0-9+/=\s]*-----END \1-----\s*)+$/.test(text);
}

/** True for a Secret out of a snapshot that was taken without its values. */
export function isMasked(object: KubeObject): boolean {
  return object.kind === 'Secret' && isRecord(object['data']) && Object.values(object['data']).includes(MASK);
}

/** What a user can have written of an object: two states with equal ones are the same to the user. */
export function comparable(object: KubeObject): KubeObject {
  const { name, namespace, labels, annotations } = object.metadata;
  const { status: _, ...fields } = object;
  return {
    ...fields,
    ...(object.kind === 'PersistentVolumeClaim' && isRecord(object['spec']) ? { spec: without(object['spec'], ['volumeName']) } : {}),
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...kept('labels', labels),
      ...kept('annotations', without(annotations, CONTROLLER_ANNOTATIONS)),
    },
  };
}

/**
 * Both states with Secret values hidden: equal ones become `***`, others say which side they are on. A value that the snapshot masks
 * counts as equal, for nobody can tell.
 */
export function hideSecrets(
  before: KubeObject | undefined,
  after: KubeObject | undefined,
): { before: KubeObject | undefined; after: KubeObject | undefined } {
  if ((before ?? after)?.kind !== 'Secret') return { before, after };
  const [old, now] = [dataOf(before), dataOf(after)];
  const same = (key: string): boolean => old[key] === undefined || now[key] === undefined || old[key] === MASK || old[key] === now[key];
  const hide = (object: KubeObject | undefined, data: Record<string, unknown>, side: string): KubeObject | undefined =>
    object === undefined || object['data'] === undefined
      ? object
      : { ...object, data: Object.fromEntries(Object.keys(data).map((key) => [key, same(key) ? '***' : `*** (${side})`])) };
  return { before: hide(before, old, 'before'), after: hide(after, now, 'after') };
}

function dataOf(object: KubeObject | undefined): Record<string, unknown> {
  const data = object?.['data'];
  return isRecord(data) ? data : {};
}

function without<T>(values: Record<string, T> | undefined, keys: readonly string[]): Record<string, T> | undefined {
  return values === undefined ? undefined : Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)));
}

/** The field, unless it would be empty. */
function kept<T>(name: string, values: Record<string, T> | undefined): Record<string, Record<string, T>> {
  return values === undefined || Object.keys(values).length === 0 ? {} : { [name]: values };
}

/** Runs `task` over the items, sixteen at once; results keep the items' order. */
export async function each<T, R>(items: readonly T[], task: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) results[index] = await task(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(16, items.length) }, worker));
  return results;
}

/** Kind, namespace and name as three cells. */
export function cellsOf(ref: ObjectRef): [string, string, string] {
  return [ref.group === '' ? ref.kind : `${ref.kind}.${ref.group}`, ref.namespace, ref.name];
}
