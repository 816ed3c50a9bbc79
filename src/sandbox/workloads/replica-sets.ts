import { milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop } from '../controllers/cluster.ts';
import { mapAt } from '../kinds/index.ts';
import { activePods, availability, createPod, dropZeros, isReady } from './pod-of.ts';

const PODS = '/pods';
const COLLECTIONS = { ReplicaSet: 'apps/replicasets', ReplicationController: '/replicationcontrollers' } as const;

/** The ReplicaSet and ReplicationController controllers: as many pods as wanted. */
export function runReplicaSets(cluster: Cluster): () => void {
  const stops = Object.entries(COLLECTIONS).map(([kind, collection]) => runKind(cluster, kind, collection));
  return () => {
    for (const stop of stops) stop();
  };
}

function runKind(cluster: Cluster, kind: string, collection: string): () => void {
  const { store } = cluster.api;
  const loop = new Loop(cluster.api, (namespace, name) => {
    const set = cluster.get(collection, namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const again = reconcile(cluster, collection, set);
    if (again !== undefined) loop.touch(set, milliseconds(again));
  });
  const stops = [
    store.watch(collection, undefined, (change) => loop.touch(change.object)),
    store.watch(PODS, undefined, (change) => {
      const owner = controllerOf(change.object);
      if (owner?.kind === kind) loop.touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
  ];
  for (const it of cluster.list(collection)) loop.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    loop.close();
  };
}

/** One pass; gives in how many milliseconds a pod will be available. */
function reconcile(cluster: Cluster, collection: string, set: KubeObject): number | undefined {
  const spec = mapAt(set, 'spec') ?? {};
  const selector = collection === COLLECTIONS.ReplicaSet ? spec['selector'] : { matchLabels: spec['selector'] };
  if (mapAt(set, 'status')?.['observedGeneration'] === undefined) cluster.adopt(PODS, set, selector);
  const wanted = Number(spec['replicas'] ?? 1);
  const pods = activePods(cluster, set);
  for (let i = pods.length; i < wanted; i++) createPod(cluster, set);
  for (const pod of [...pods].sort(leastWorthFirst).slice(0, Math.max(0, pods.length - wanted))) cluster.delete(PODS, pod);
  const living = activePods(cluster, set);
  const { available, next } = availability(living, Number(spec['minReadySeconds'] ?? 0), cluster.api.clock.now());
  const ending = cluster.ownedBy(PODS, set).filter((it) => it.metadata.deletionTimestamp !== undefined);
  const status = dropZeros(
    {
      replicas: living.length,
      fullyLabeledReplicas: living.length,
      readyReplicas: living.filter(isReady).length,
      availableReplicas: available,
      observedGeneration: set.metadata.generation,
      ...(collection === COLLECTIONS.ReplicaSet ? { terminatingReplicas: ending.length } : {}),
    },
    'replicas',
    'terminatingReplicas',
  );
  cluster.update(
    collection,
    set,
    (draft) => {
      draft['status'] = status;
    },
    'status',
  );
  return next;
}

/** Which pods go first when there are too many: those that are not ready, then the younger ones. */
function leastWorthFirst(a: KubeObject, b: KubeObject): number {
  const readiness = Number(isReady(a)) - Number(isReady(b));
  return readiness !== 0 ? readiness : (a.metadata.creationTimestamp ?? '') > (b.metadata.creationTimestamp ?? '') ? -1 : 1;
}
