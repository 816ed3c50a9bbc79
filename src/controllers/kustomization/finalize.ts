import { conditionTypes, eventKeys, finalizer, groups, type Kustomization } from '../../api/index.ts';
import {
  formatChange,
  formatChanges,
  formatPruneFailures,
  inventoryObjects,
  pruneObjects,
  type Change,
  type InventoryObject,
  type PruneResult,
} from '../../apply/index.ts';
import type { KubeClient } from '../../kube/index.ts';
import { formatObjectRef } from '../../manifest/index.ts';
import {
  formatKey,
  type ConfigReader,
  type EventRecorder,
  type Outcome,
  type ReconcileContext,
  type StatusWriter,
} from '../../runtime/index.ts';
import { CodedError, errorMessage, isCodedError, type Clock, type Duration, type Instant } from '../../std/index.ts';
import type { Cluster, Clusters } from '../applier/index.ts';
import type { Memories } from './memory.ts';
import { timeout } from './timing.ts';

/** What finalizing works with. */
export type FinalizeOptions = {
  clusters: Clusters;
  memories: Memories;
  writer: StatusWriter;
  events: EventRecorder;
  configs: ConfigReader;
  clock: Clock;
  defaultServiceAccount: string;
};

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

/** Ends a Kustomization that is being deleted: deletes what it applied as its policy says, then lets it go (KB90). @throws CodedError `PruneFailed` */
export async function finalize(object: Kustomization, options: FinalizeOptions, context: ReconcileContext): Promise<Outcome> {
  if (!(object.metadata.finalizers ?? []).includes(finalizer)) return { kind: 'done' };
  if (!deletesObjects(object)) return letGo(object, options);
  const cluster = await reachable(object, options);
  const client = cluster === undefined ? undefined : await actingClient(object, cluster, options);
  if (cluster === undefined || client === undefined) {
    tell(object, options, 'Warning', unableToPruneText(object));
    return letGo(object, options);
  }
  const { name, namespace } = object.metadata;
  const owner = { group: groups.kustomize, name, namespace };
  const result = await pruneObjects({ client, owner, live: cluster.owned, objects: inventoryOf(object), signal: context.signal });
  if (result.failures.length > 0) {
    const message = `pruning for deleted resource failed: ${pruneFailureText(result)}`;
    tell(object, options, 'Warning', message);
    throw new CodedError({ code: 'PruneFailed', message, subject: `Kustomization/${formatKey(object.metadata)}` });
  }
  if (result.changes.length > 0) tell(object, options, 'Normal', result.changes.map(formatChange).join('\n'));
  if (object.spec.deletionPolicy !== 'WaitForTermination') return letGo(object, options);
  return waitForTermination(object, result, cluster, options, context);
}

/** Keeps the finalizer until what was deleted is gone, or the time is up. */
async function waitForTermination(
  object: Kustomization,
  { changes }: PruneResult,
  cluster: Cluster,
  options: FinalizeOptions,
  context: ReconcileContext,
): Promise<Outcome> {
  const { owned } = cluster;
  const { memories, clock } = options;
  const deleted = changes.filter(({ action }) => action === 'deleted');
  const deadline = (clock.now() + timeout(object)) as Instant;
  await watchKinds(deleted, timeout(object), cluster, context);
  // A kind that cannot be watched, because its definition went too, is not waited for.
  const remaining = (): boolean =>
    deleted.some(({ ref, apiVersion }) => {
      const live = owned.find(ref, apiVersion);
      return live !== undefined && live !== 'absent';
    });
  const subscribe = (wake: () => void): (() => void) => memories.onChange(formatKey(object.metadata), wake);
  const wait = (): Outcome => ({
    kind: 'waiting',
    deadline,
    on: { what: 'termination of deleted objects', subscribe },
    resume: async (cause) => {
      if (cause === 'woken' && remaining()) return wait();
      if (cause === 'deadline') tell(object, options, 'Warning', 'failed to wait for resources termination');
      return letGo(object, options);
    },
  });
  return remaining() ? wait() : letGo(object, options);
}

async function letGo(object: Kustomization, { writer, memories }: FinalizeOptions): Promise<Outcome> {
  await writer.writeFinalizer(object.metadata, finalizer, false);
  memories.forget(formatKey(object.metadata));
  return { kind: 'done' };
}

/** Watches the kinds of some changes, those that are served; gives up after `limit`. */
async function watchKinds(changes: readonly Change[], limit: Duration, { owned, kube }: Cluster, context: ReconcileContext): Promise<void> {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(limit)]);
  const kinds = new Map(changes.map(({ ref, apiVersion }) => [`${apiVersion}/${ref.kind}`, { apiVersion, kind: ref.kind }]));
  await Promise.all(
    [...kinds.values()].map(async (kind) => {
      try {
        await kube.mapper.resource(kind, signal);
        await owned.watch(kind, signal);
      } catch (error) {
        if (context.signal.aborted) throw error;
        context.log.info('could not watch a kind', { ...kind, cause: errorMessage(error) });
      }
    }),
  );
}

/** The cluster to delete from; undefined when its kubeconfig is gone. */
async function reachable(object: Kustomization, { clusters }: FinalizeOptions): Promise<Cluster | undefined> {
  try {
    return await clusters.of(object);
  } catch (error) {
    if (isCodedError(error, 'ConfigNotFound', 'KubeconfigUnsupported')) return undefined;
    throw error;
  }
}

/** Who deletes; undefined when the account to act as is gone. */
async function actingClient(object: Kustomization, { kube }: Cluster, options: FinalizeOptions): Promise<KubeClient | undefined> {
  const account = object.spec.serviceAccountName ?? options.defaultServiceAccount;
  if (account === '') return kube;
  const { namespace } = object.metadata;
  if ((await options.configs.find('ServiceAccount', namespace, account)) === undefined) return undefined;
  return kube.impersonate({ user: `system:serviceaccount:${namespace}:${account}` });
}

function inventoryOf(object: Kustomization): InventoryObject[] {
  return inventoryObjects(object.status.inventory ?? { entries: [] });
}

function pruneFailureText(result: PruneResult): string {
  return [formatPruneFailures(result.failures), formatChanges(result.changes)].filter((text) => text !== '').join('\n');
}

function unableToPruneText(object: Kustomization): string {
  const lines = inventoryOf(object).map(({ ref }) => formatObjectRef(ref));
  return `unable to prune objects: \n${lines.join('\n')}`;
}

function tell(object: Kustomization, { events }: FinalizeOptions, type: 'Normal' | 'Warning', message: string): void {
  const ready = object.status.conditions?.find((condition) => condition.type === conditionTypes.ready);
  const reason = ready?.reason ?? (type === 'Warning' ? 'error' : 'info');
  const revision = object.status.lastAppliedRevision;
  events.record(object, [{ type, reason, message, metadata: revision === undefined ? {} : { [eventKeys.revision]: revision } }]);
}
