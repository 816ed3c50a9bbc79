import { formatObjectRef, type ObjectRef } from '../manifest/index.ts';
import { isKubeError, type DeleteOptions, type KubeClient, type Target } from '../kube/index.ts';
import type { Action, Change } from './change-set.ts';
import { causeText } from './errors.ts';
import { apiVersionOf, inventoryEntry, type Inventory, type InventoryObject } from './inventory.ts';
import { MARKS, hasMark, isOwnedBy, type Owner } from './marks.ts';
import { kindRank } from './order.ts';
import { mapLimited } from './pool.ts';
import type { LiveRecord, LiveSource } from './request.ts';

export type PruneRequest = {
  client: KubeClient;
  owner: Owner;
  /** What is to go: `staleEntries(old, next)`, or a whole inventory when the owner is deleted. In apply order. */
  objects: readonly InventoryObject[];
  live?: LiveSource;
  /** Default `Background` (KB70). */
  propagation?: NonNullable<DeleteOptions['propagation']>;
  concurrency?: number;
  signal?: AbortSignal;
};

export type PruneFailure = { ref: ObjectRef; message: string; cause: unknown };

export type PruneResult = {
  changes: readonly Change[];
  failures: readonly PruneFailure[];
  /** What could not be deleted: to merge back into the inventory (KB71). */
  survivors: Inventory;
};

const DEFAULT_CONCURRENCY = 16;
const ATTEMPTS = 5;

/**
 * Deletes what left the inventory, in reverse apply order, kinds of one rank in parallel (KB70). Only an object that still carries this owner's
 * labels and no mark against it is deleted, and only in the very state that was looked at (uid and resourceVersion preconditions): one that
 * moved to another owner, or was made anew by someone else, stays.
 */
export async function pruneObjects(request: PruneRequest): Promise<PruneResult> {
  const changes: Change[] = [];
  const failures: PruneFailure[] = [];
  const survivors: InventoryObject[] = [];
  for (const group of reverseRanks(request.objects)) {
    await mapLimited(group, request.concurrency ?? DEFAULT_CONCURRENCY, async (object) => {
      const apiVersion = apiVersionOf(object);
      try {
        const action = await pruneOne(object, request);
        changes.push({ ref: object.ref, apiVersion, action });
      } catch (error) {
        changes.push({ ref: object.ref, apiVersion, action: 'unknown' });
        failures.push({ ref: object.ref, message: `${formatObjectRef(object.ref)} delete failed: ${causeText(error)}`, cause: error });
        survivors.push(object);
      }
    });
  }
  return { changes, failures, survivors: { entries: survivors.map((object) => inventoryEntry(object.ref, apiVersionOf(object))) } };
}

/** Flux's text for a prune that failed. */
export function formatPruneFailures(failures: readonly PruneFailure[]): string {
  return `delete failed, errors: ${failures.map(({ message }) => `${message};`).join('')}`;
}

function reverseRanks(objects: readonly InventoryObject[]): InventoryObject[][] {
  const groups = new Map<number, InventoryObject[]>();
  for (const object of objects) {
    const rank = kindRank(object.ref.kind);
    groups.set(rank, [...(groups.get(rank) ?? []), object]);
  }
  return [...groups.entries()].sort(([a], [b]) => b - a).map(([, group]) => group);
}

/** What pruning looks at: from a watch, or read. */
type Seen = Pick<LiveRecord, 'uid' | 'resourceVersion' | 'labels' | 'annotations' | 'deleting'>;

async function pruneOne(object: InventoryObject, request: PruneRequest): Promise<Action> {
  const { client, owner, live, propagation, signal } = request;
  const target = await targetFor(object, client, signal);
  if (target === undefined) return 'deleted';
  const record = live?.find(object.ref, target.apiVersion);
  let seen: Seen | undefined = record === 'absent' ? undefined : record;
  for (let attempt = 1; ; attempt++) {
    seen ??= await look(client, target, signal);
    if (seen === undefined) return 'deleted';
    if (!mayPrune(seen, owner)) return 'skipped';
    if (seen.deleting) return 'deleted';
    try {
      const preconditions = { uid: seen.uid, resourceVersion: seen.resourceVersion };
      await client.delete(target, { propagation: propagation ?? 'Background', preconditions, signal });
      return 'deleted';
    } catch (error) {
      if (isKubeError(error, 'NotFound', 'NoMatch')) return 'deleted';
      // It changed since it was looked at: look again, it may be someone else's by now.
      if (!isKubeError(error, 'Conflict') || attempt >= ATTEMPTS) throw error;
      seen = undefined;
    }
  }
}

/** The version it was applied at may be served no more; a kind that is gone took its objects along. */
async function targetFor(
  { ref, version }: InventoryObject,
  client: KubeClient,
  signal: AbortSignal | undefined,
): Promise<Target | undefined> {
  const apiVersion = apiVersionOf({ ref, version });
  const at = ref.namespace === '' ? {} : { namespace: ref.namespace };
  if (client.mapper.cached({ apiVersion, kind: ref.kind }) !== undefined) return { apiVersion, kind: ref.kind, name: ref.name, ...at };
  try {
    const { group, version: served } = await client.mapper.preferred(ref.group, ref.kind, signal);
    return { apiVersion: group === '' ? served : `${group}/${served}`, kind: ref.kind, name: ref.name, ...at };
  } catch (error) {
    if (isKubeError(error, 'NoMatch')) return undefined;
    throw error;
  }
}

async function look(client: KubeClient, target: Target, signal: AbortSignal | undefined): Promise<Seen | undefined> {
  const { metadata } = (await client.find(target, { form: 'metadata', signal })) ?? {};
  if (metadata === undefined) return undefined;
  return {
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    deleting: metadata.deletionTimestamp !== undefined,
  };
}

function mayPrune(seen: Seen, owner: Owner): boolean {
  const metadata = { labels: { ...seen.labels }, annotations: { ...seen.annotations } };
  if (!isOwnedBy(metadata, owner)) return false;
  return !hasMark(metadata, MARKS.pruneDisabled) && !hasMark(metadata, MARKS.reconcileDisabled) && !hasMark(metadata, MARKS.ssaIgnore);
}
