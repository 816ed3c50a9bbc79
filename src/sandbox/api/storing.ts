import { randomUUID } from 'node:crypto';
import type { KubeObject, ObjectMeta } from '../../manifest/index.ts';
import { hasStatus, type ServedKind } from '../catalog/kind.ts';
import { isMap, type Json, sameJson } from '../fields/index.ts';
import { type Draft, rulesOf, validateMetadata } from '../kinds/index.ts';
import { alreadyExists, conflict, type FieldFault, forbidden, invalid, modified, notFound, StatusError } from '../request/status.ts';
import { isWriteFailure, keyOf } from '../storage/store.ts';
import { replicaFaults } from './scale.ts';
import { keepAllButStatus } from './status-endpoint.ts';
import type { WriteOptions } from './write-options.ts';
import { now, type ObjectsDeps, presentObject, type Write } from './write.ts';

/** How many characters `generateName` adds, and from which. */
const SUFFIX_LENGTH = 5;
const SUFFIX_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Stores a new object; `track` notes who owns what. @throws StatusError 403, 404, 409, 422 */
export function insertObject(
  deps: ObjectsDeps,
  kind: ServedKind,
  draft: Draft,
  options: WriteOptions,
  track: (object: Draft) => void,
): KubeObject {
  const rules = rulesOf(kind.collection);
  const { metadata } = draft;
  if (metadata.name === '' && metadata.generateName !== undefined) metadata.name = generateName(metadata.generateName, deps.random);
  if (metadata.resourceVersion !== undefined && metadata.resourceVersion !== '')
    throw new StatusError(500, '', 'resourceVersion should not be set on objects to be created');
  checkNamespace(deps, kind, metadata);
  metadata.uid = randomUUID();
  metadata.creationTimestamp = now(deps);
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'resourceVersion'] as const) delete metadata[field];
  if (rules.hasGeneration === true || kind.schemaName === undefined) metadata.generation = 1;
  if (hasStatus(kind) && kind.collection !== '/pods') resetStatus(deps, kind, draft);
  rules.defaults?.(draft);
  // The API server decides who owns what before it prepares and admits the object: allocations belong to nobody.
  track(draft);
  rules.prepareCreate?.(draft, deps.store);
  options.guard?.(draft, undefined);
  deps.admit(draft, undefined, kind);
  refuse(kind, draft, [
    ...validateMetadata(draft, rules, kind.schemaName !== undefined),
    ...replicaFaults(kind, draft),
    ...deps.schemaOf(kind).validate(draft as Json, undefined),
    ...(rules.validate?.(draft, undefined) ?? []),
  ]);
  const existing = deps.store.get(kind.collection, metadata.namespace ?? '', metadata.name);
  if (existing !== undefined) throw alreadyExists(kind, metadata.name);
  if (options.dryRun) return draft;
  const stored = deps.store.create(kind.collection, draft);
  if (isWriteFailure(stored)) throw alreadyExists(kind, metadata.name);
  return stored;
}

/** A new object's status is not the user's to set; a CRD's default for it stays. */
function resetStatus(deps: ObjectsDeps, kind: ServedKind, draft: Draft): void {
  delete draft.status;
  const { value } = deps.schemaOf(kind).read(draft as Json);
  const status = isMap(value) ? value['status'] : undefined;
  if (status !== undefined) draft.status = status as Record<string, unknown>;
}

/** Replaces an object, or its status. @throws StatusError 409, 422 */
export function replaceObject(deps: ObjectsDeps, write: Write<KubeObject>, draft: Draft, track: (object: Draft) => void): KubeObject {
  const { kind, old, options } = write;
  const rules = rulesOf(kind.collection);
  const live = presentObject(kind, old);
  keepSystemMetadata(draft.metadata, live.metadata);
  if (options.subresource === 'status') {
    track(draft);
    keepAllButStatus(kind, draft, live);
  } else {
    if (hasStatus(kind)) keep(draft, live, 'status');
    rules.defaults?.(draft);
    track(draft);
    rules.prepareUpdate?.(draft, live, deps.store);
  }
  const counts = rules.hasGeneration === true || kind.schemaName === undefined;
  if (counts && options.subresource === '' && specChanged(draft, live, hasStatus(kind)))
    draft.metadata.generation = (live.metadata.generation ?? 0) + 1;
  options.guard?.(draft, live);
  deps.admit(draft, live, kind);
  refuse(kind, draft, [
    ...newFinalizerFaults(draft, live),
    ...validateMetadata(draft, rules, kind.schemaName !== undefined),
    ...replicaFaults(kind, draft),
    ...deps.schemaOf(kind).validate(draft as Json, live as Json),
    ...(options.subresource === '' ? (rules.validate?.(draft, live) ?? []) : (rules.validateStatus?.(draft) ?? [])),
  ]);
  if (!isReleased(draft, live)) return storeObject(deps, kind, old, draft, options.dryRun);
  if (options.dryRun) return draft;
  const last = storeObject(deps, kind, old, draft, false);
  return kind.collection === '/namespaces' ? last : removeObject(deps, kind, last, false);
}

/** True when the last finalizer of an object that waits for nothing else goes. */
function isReleased(draft: Draft, live: KubeObject): boolean {
  return (
    live.metadata.deletionTimestamp !== undefined &&
    (draft.metadata.finalizers ?? []).length === 0 &&
    (live.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
    (live.metadata.finalizers ?? []).length > 0
  );
}

/** Stores a new state, unless nothing changed: then the revision stays as it is. @throws StatusError 409 */
export function storeObject(deps: ObjectsDeps, kind: ServedKind, old: KubeObject, draft: Draft, dryRun: boolean): KubeObject {
  const { resourceVersion = '' } = old.metadata;
  draft.metadata.resourceVersion = resourceVersion;
  const live = presentObject(kind, old);
  if (sameJson(draft as Json, live as Json)) return live;
  if (dryRun) return draft;
  const stored = deps.store.update(kind.collection, draft, resourceVersion);
  if (isWriteFailure(stored)) throw modified(kind, draft.metadata.name);
  return stored;
}

/** Takes an object away for good. @throws StatusError 409 */
export function removeObject(deps: ObjectsDeps, kind: ServedKind, object: KubeObject, dryRun: boolean): KubeObject {
  if (dryRun) return object;
  const { namespace = '', name, resourceVersion = '' } = object.metadata;
  const result = deps.store.delete(kind.collection, namespace, name, resourceVersion);
  if (isWriteFailure(result)) throw modified(kind, name);
  return presentObject(kind, result);
}

function keepSystemMetadata(metadata: ObjectMeta, live: ObjectMeta): void {
  for (const field of [
    'uid',
    'creationTimestamp',
    'generation',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'generateName',
  ] as const) {
    if (live[field] === undefined) delete metadata[field];
    else Object.assign(metadata, { [field]: live[field] });
  }
  delete metadata['selfLink'];
}

/** Checks that a write is about the object that is there. @throws StatusError 409 */
export function checkIdentity(kind: ServedKind, metadata: ObjectMeta, live: KubeObject, isPatch = false): void {
  const { name, resourceVersion, uid } = metadata;
  if (resourceVersion !== undefined && resourceVersion !== '' && resourceVersion !== live.metadata.resourceVersion)
    throw modified(kind, name);
  if (uid !== undefined && uid !== '' && uid !== live.metadata.uid) {
    if (isPatch) {
      const message = `Invalid value: ${JSON.stringify(uid)}: field is immutable`;
      throw invalid(kind.group, kind.kind, name, [{ type: 'FieldValueInvalid', field: 'metadata.uid', message }]);
    }
    const key = `/registry/${kind.group === '' ? '' : `${kind.group}/`}${kind.plural}/${keyOf(live.metadata.namespace ?? '', name)}`;
    const cause = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live.metadata.uid}`;
    throw conflict(kind, name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${cause}`);
  }
}

function checkNamespace(deps: ObjectsDeps, kind: ServedKind, metadata: ObjectMeta): void {
  if (!kind.namespaced) return;
  const { namespace = '' } = metadata;
  const found = deps.store.get('/namespaces', '', namespace);
  if (found === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace);
  if (found.metadata.deletionTimestamp !== undefined) {
    const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' };
    throw forbidden(kind, metadata.name, `unable to create new content in namespace ${namespace} because it is being terminated`, [cause]);
  }
}

function refuse(kind: ServedKind, draft: Draft, faults: readonly FieldFault[]): void {
  // Both APIs of events tell of the one kind they share.
  const group = kind.collection === '/events' ? '' : kind.group;
  if (faults.length > 0) throw invalid(group, kind.kind, draft.metadata.name, faults);
}

function generateName(prefix: string, random: () => number): string {
  let suffix = '';
  for (let i = 0; i < SUFFIX_LENGTH; i++) suffix += SUFFIX_ALPHABET[Math.floor(random() * SUFFIX_ALPHABET.length)];
  return `${prefix.slice(0, 63 - SUFFIX_LENGTH)}${suffix}`;
}

function keep(draft: Draft, live: KubeObject, field: string): void {
  if (live[field] === undefined) delete draft[field];
  else draft[field] = live[field];
}

/** What is being deleted takes no more finalizers. */
function newFinalizerFaults(draft: Draft, live: KubeObject): FieldFault[] {
  if (live.metadata.deletionTimestamp === undefined) return [];
  const before = new Set(live.metadata.finalizers);
  const added = (draft.metadata.finalizers ?? []).filter((it) => !before.has(it));
  if (added.length === 0) return [];
  const names = added.map((it) => JSON.stringify(it)).join(', ');
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${names}}`;
  return [{ type: 'FieldValueForbidden', field: 'metadata.finalizers', message }];
}

/** True when anything but metadata and status differs. */
function specChanged(draft: Draft, live: KubeObject, statusApart: boolean): boolean {
  const keys = new Set([...Object.keys(draft), ...Object.keys(live)]);
  for (const key of keys) {
    if (key === 'metadata' || (key === 'status' && statusApart)) continue;
    if (!sameJson(draft[key] as Json | undefined, live[key] as Json | undefined)) return true;
  }
  return false;
}
