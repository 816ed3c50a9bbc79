import { objectRef, parseApiVersion } from '../manifest/index.ts';
import { isKubeError, type KubeClient, type Resource } from '../kube/index.ts';
import { ownEntry } from './managed-fields.ts';
import { mapLimited } from './pool.ts';
import type { InventoryObject } from './inventory.ts';

export type SweepOptions = {
  /** API group of the owners: `kustomize.toolkit.fluxcd.io`. */
  group: string;
  fieldManager: string;
  concurrency?: number;
  signal?: AbortSignal;
};

/** What a sweep found: objects by owner (`namespace/name`), and the kinds it was not allowed to list. */
export type SweepResult = { owned: ReadonlyMap<string, readonly InventoryObject[]>; skipped: readonly string[] };

/** Kinds that are never applied and may be many. */
const PASSED_OVER: ReadonlySet<string> = new Set([
  '/Event',
  'events.k8s.io/Event',
  '/Pod',
  'coordination.k8s.io/Lease',
  'discovery.k8s.io/EndpointSlice',
  '/Endpoints',
]);

/**
 * Finds everything we ever applied: objects of all kinds that carry an owner's labels and our Apply entry in their managedFields (a copy
 * someone made with the labels has none). One metadata-only list for each kind. Run once when a process begins to lead: what a killed
 * predecessor applied without recording it is here and in no inventory (README, "Crash anywhere").
 */
export async function sweepOwned(client: KubeClient, options: SweepOptions): Promise<SweepResult> {
  const { group, fieldManager, concurrency = 8, signal } = options;
  const resources = preferredListable(await client.mapper.all(signal));
  const owned = new Map<string, InventoryObject[]>();
  const skipped: string[] = [];
  await mapLimited(resources, concurrency, async (resource) => {
    const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
    try {
      const list = await client.list({ apiVersion, kind: resource.kind }, { labelSelector: `${group}/name`, form: 'metadata', signal });
      for (const object of list.items) {
        const entry = ownEntry(object, fieldManager);
        if (entry === undefined) continue;
        const owner = `${object.metadata.labels?.[`${group}/namespace`] ?? ''}/${object.metadata.labels?.[`${group}/name`] ?? ''}`;
        const version = parseApiVersion(entry.apiVersion ?? apiVersion).version;
        owned.set(owner, [...(owned.get(owner) ?? []), { ref: objectRef(object), version }]);
      }
    } catch (error) {
      if (!isKubeError(error, 'Forbidden', 'NotFound', 'NoMatch', 'MethodNotAllowed')) throw error;
      skipped.push(`${resource.group}/${resource.kind}`);
    }
  });
  return { owned, skipped };
}

function preferredListable(resources: readonly Resource[]): Resource[] {
  const byKind = new Map<string, Resource>();
  for (const resource of resources) {
    const key = `${resource.group}/${resource.kind}`;
    const wanted = resource.verbs.includes('list') && resource.verbs.includes('patch') && !PASSED_OVER.has(key);
    if (wanted && !byKind.has(key)) byKind.set(key, resource);
  }
  return [...byKind.values()];
}
