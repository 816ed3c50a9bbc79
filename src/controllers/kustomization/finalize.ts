import type { Kustomization } from '../../api/index.ts';
import { formatChanges, formatPruneFailures, inventoryObjects, pruneObjects, type InventoryObject, type LiveSource, type PruneResult } from '../../apply/index.ts';
import type { KubeClient } from '../../kube/index.ts';
import { formatObjectRef } from '../../manifest/index.ts';

/** True when deleting the Kustomization deletes what it applied (KB90). */
export function deletesObjects(object: Kustomization): boolean {
  const { suspend, deletionPolicy = 'MirrorPrune', prune } = object.spec;
  if (suspend === true || (object.status.inventory?.entries ?? []).length === 0) return false;
  switch (deletionPolicy) {
    case 'MirrorPrune':
      return prune;
    case 'Delete':
    case 'WaitForTermination':
      return true;
    case 'Orphan':
      return false;
  }
}

/** Deletes everything of the inventory. */
export function deleteAll(
  object: Kustomization,
  options: { client: KubeClient; live: LiveSource; group: string; signal: AbortSignal },
): Promise<PruneResult> {
  const { name, namespace } = object.metadata;
  const { client, live, group, signal } = options;
  return pruneObjects({ client, live, signal, owner: { group, name, namespace }, objects: inventoryOf(object) });
}

/** The objects of the inventory. */
export function inventoryOf(object: Kustomization): InventoryObject[] {
  return inventoryObjects(object.status.inventory ?? { entries: [] });
}

/** What an event says of a deletion that is not complete. */
export function pruneFailureText(result: PruneResult): string {
  return [formatPruneFailures(result.failures), formatChanges(result.changes)].filter((text) => text !== '').join('\n');
}

/** What an event says when the account to act as is gone. */
export function unableToPruneText(object: Kustomization): string {
  return `unable to prune objects: \n${inventoryOf(object)
    .map(({ ref }) => formatObjectRef(ref))
    .join('\n')}`;
}
