import type { KubeObject, ManagedFieldsEntry } from '../../manifest/index.ts';
import { apiVersionOf, hasStatus, type ServedKind } from '../catalog/kind.ts';
import {
  decodeManagers,
  EMPTY,
  encodeManagers,
  FieldSet,
  FieldsError,
  type Json,
  type Manager,
  type Managers,
  sameJson,
  trackUpdate,
} from '../fields/index.ts';
import type { Draft } from '../kinds/index.ts';
import { statusKeeps } from './status-endpoint.ts';
import type { WriteOptions } from './write-options.ts';
import { now, type ObjectsDeps, presentObject, type Write } from './write.ts';

/** Fields that deletion and the API itself write: a user's value is ignored. */
const STATUS_SET: FieldSet = new FieldSet(new Set(['f:status']));

/** What the status endpoint leaves alone: of kinds of CRDs, of most built-in kinds, of those whose labels stay as well. */
const CUSTOM_STATUS_ONLY: FieldSet = new FieldSet(new Set(['f:spec', 'f:metadata']));
const STATUS_ONLY: FieldSet = new FieldSet(new Set(['f:spec']));
const STATUS_WITHOUT_LABELS: FieldSet = new FieldSet(new Set(['f:spec']), new Map([['f:metadata', new FieldSet(new Set(['f:labels']))]]));

/** Notes on `object` who owns what after a create, update or patch. */
export function trackWrite(deps: ObjectsDeps, { kind, old, options }: Write, object: Draft): void {
  const given = object.metadata.managedFields;
  const cleared =
    old !== undefined && given !== undefined && (given.length === 0 || (given.length === 1 && Object.keys(given[0] ?? {}).length === 0));
  const live = old === undefined ? undefined : presentObject(kind, old);
  if (cleared || (live !== undefined && (live.metadata.managedFields ?? []).length === 0)) {
    // Nothing is tracked on an object that nothing was tracked on, until somebody applies it.
    delete object.metadata.managedFields;
    return;
  }
  const managers = live === undefined ? new Map<string, Manager>() : writtenManagers(given, live);
  const schema = deps.schemaOf(kind);
  let tracked: Managers;
  try {
    tracked = trackUpdate({
      type: schema.fields,
      live: live === undefined ? schema.zero : (withoutManagedFields(live) as Json),
      object: withoutManagedFields(object) as Json,
      managers,
      by: managerOf(kind, 'Update', options),
      now: now(deps),
      ignored: ignoredFields(kind, options),
    }).managers;
  } catch (error) {
    if (!(error instanceof FieldsError)) throw error;
    tracked = managers; // validation says what is wrong with it; who owns what stays as it was
  }
  setManagers(object, tracked, old);
}

/** A write may bring managed fields along (as `kubectl edit` and migrations do); malformed ones are ignored. */
function writtenManagers(given: readonly ManagedFieldsEntry[] | undefined, live: KubeObject): Managers {
  const written =
    given === undefined || sameJson(given as unknown as Json, live.metadata.managedFields as unknown as Json)
      ? undefined
      : decodeManagers(given);
  return written ?? managersOf(live);
}

/** The managers an apply meets: what nobody was tracked on belongs to `before-first-apply`. */
export function managersBefore(deps: ObjectsDeps, { kind, old, options }: Write<KubeObject>): Managers {
  if ((old.metadata.managedFields ?? []).length > 0) return managersOf(old);
  const by = managerOf(kind, 'Update', { ...options, fieldManager: 'before-first-apply', subresource: '' });
  const object = withoutManagedFields(presentObject(kind, old)) as Json;
  const type = deps.schemaOf(kind).fields;
  return trackUpdate({ type, live: {}, object, managers: new Map(), by, now: now(deps), ignored: EMPTY }).managers;
}

function managersOf(live: KubeObject): Managers {
  return decodeManagers(live.metadata.managedFields ?? []) ?? new Map();
}

/** Writes managers on an object. */
export function setManagers(object: Draft, managers: Managers, old: KubeObject | undefined): void {
  const entries = encodeManagers(managers);
  if (entries.length > 0) object.metadata.managedFields = entries;
  else if (old?.metadata.managedFields !== undefined || object.metadata.managedFields !== undefined) delete object.metadata.managedFields;
}

/** Who a write is by. */
export function managerOf(kind: ServedKind, operation: 'Apply' | 'Update', options: WriteOptions): Omit<Manager, 'fields' | 'time'> {
  return {
    manager: options.fieldManager,
    operation,
    apiVersion: apiVersionOf(kind),
    subresource: options.managerSubresource ?? options.subresource,
  };
}

/** What an endpoint does not write is not tracked by it. */
export function ignoredFields(kind: ServedKind, options: WriteOptions): FieldSet {
  if (options.subresource === 'status') {
    const keeps = statusKeeps(kind);
    return keeps.length > 1 ? CUSTOM_STATUS_ONLY : keeps.includes('labels') ? STATUS_WITHOUT_LABELS : STATUS_ONLY;
  }
  return hasStatus(kind) ? STATUS_SET : EMPTY;
}

/** An object as managers see it. */
export function withoutManagedFields(object: KubeObject): KubeObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
