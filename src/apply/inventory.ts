import { CodedError } from '../std/index.ts';
import { objectRefKey, parseApiVersion, type ObjectRef } from '../manifest/index.ts';
import { compareRefs } from './order.ts';

/** One applied object as status records it: `id` as Flux writes it, `v` the API version without group. */
export type InventoryEntry = { id: string; v: string };

/** What was applied last; `status.inventory` of a Kustomization or HelmRelease. */
export type Inventory = { entries: readonly InventoryEntry[] };

/** An object of an inventory: which one, and at which version it was applied. */
export type InventoryObject = { ref: ObjectRef; version: string };

export const EMPTY_INVENTORY: Inventory = { entries: [] };

const RBAC = 'rbac.authorization.k8s.io';
const RBAC_KINDS: ReadonlySet<string> = new Set(['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding']);

/** `<namespace>_<name>_<group>_<kind>`; only RBAC names may hold a colon, which becomes `__`. */
export function formatInventoryId(ref: ObjectRef): string {
  const name = ref.group === RBAC && RBAC_KINDS.has(ref.kind) ? ref.name.replaceAll(':', '__') : ref.name;
  return `${ref.namespace}_${name}_${ref.group}_${ref.kind}`;
}

/**
 * Reads an inventory id: the first `_` ends the namespace, the last two begin group and kind, `__` in the name is a colon.
 * @throws CodedError `InventoryInvalid`
 */
export function parseInventoryId(id: string): ObjectRef {
  const first = id.indexOf('_');
  const last = id.lastIndexOf('_');
  const middle = last <= 0 ? -1 : id.lastIndexOf('_', last - 1);
  if (first < 0 || middle <= first) {
    throw new CodedError({
      code: 'InventoryInvalid',
      message: `parse inventory id ${JSON.stringify(id.slice(0, 300))}: want namespace_name_group_kind`,
      subject: id.slice(0, 300),
      retryable: false,
    });
  }
  return {
    namespace: id.slice(0, first),
    name: id.slice(first + 1, middle).replaceAll('__', ':'),
    group: id.slice(middle + 1, last),
    kind: id.slice(last + 1),
  };
}

/** The entry for an object applied at `apiVersion`. */
export function inventoryEntry(ref: ObjectRef, apiVersion: string): InventoryEntry {
  return { id: formatInventoryId(ref), v: parseApiVersion(apiVersion).version };
}

/** The objects of an inventory in apply order. @throws CodedError `InventoryInvalid` */
export function inventoryObjects(inventory: Inventory): InventoryObject[] {
  return inventory.entries.map(({ id, v }) => ({ ref: parseInventoryId(id), version: v })).sort((a, b) => compareRefs(a.ref, b.ref));
}

/** apiVersion of an inventory object. */
export function apiVersionOf({ ref, version }: InventoryObject): string {
  return ref.group === '' ? version : `${ref.group}/${version}`;
}

/** Entries of `old` whose objects `next` does not hold: what pruning looks at (KB70). Versions do not matter. */
export function staleEntries(old: Inventory, next: Inventory): InventoryObject[] {
  const kept = new Set(next.entries.map(({ id }) => objectRefKey(parseInventoryId(id))));
  return inventoryObjects(old).filter(({ ref }) => !kept.has(objectRefKey(ref)));
}

/** `base` and whatever `more` has beyond it, in that order; equal ids are taken once, `base` wins (KB71). */
export function mergeInventories(base: Inventory, more: Inventory): Inventory {
  const ids = new Set(base.entries.map(({ id }) => id));
  const added = more.entries.filter(({ id }) => !ids.has(id) && ids.add(id));
  return added.length === 0 ? base : { entries: [...base.entries, ...added] };
}
