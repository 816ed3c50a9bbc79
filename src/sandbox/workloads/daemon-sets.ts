import { milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop } from '../controllers/cluster.ts';
import { mapAt } from '../kinds/index.ts';
import { availability, createPod, dropZeros, isReady, untilAvailable } from './pod-of.ts';
import { isFinished } from './pod-status.ts';
import { REVISION_HASH, syncRevisions, trimRevisions } from './revisions.ts';
import { scaledValue } from './rolling.ts';

const DAEMON_SETS = 'apps/daemonsets';
const PODS = '/pods';
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** The DaemonSet controller: one node, one pod. */
export function runDaemonSets(cluster: Cluster): () => void {
  const { api } = cluster;
  const loop = new Loop(api, (namespace, name) => {
    const set = cluster.get(DAEMON_SETS, namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const again = reconcile(cluster, set);
    if (again !== undefined) loop.touch(set, milliseconds(again));
  });
  const stops = [
    api.store.watch(DAEMON_SETS, undefined, (change) => loop.touch(change.object)),
    api.store.watch(PODS, undefined, (change) => {
      const owner = controllerOf(change.object);
      if (owner?.kind === 'DaemonSet') loop.touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
  ];
  for (const it of cluster.list(DAEMON_SETS)) loop.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    loop.close();
  };
}

function reconcile(cluster: Cluster, set: KubeObject): number | undefined {
  const spec = mapAt(set, 'spec') ?? {};
  const minReady = Number(spec['minReadySeconds'] ?? 0);
  const now = cluster.api.clock.now();
  if (mapAt(set, 'status')?.['observedGeneration'] === undefined) cluster.adopt(PODS, set, spec['selector']);
  const revisions = syncRevisions(cluster, set);
  const hash = revisions.at(-1)?.hash ?? '';
  const all = cluster.ownedBy(PODS, set);
  for (const pod of all) if (isFinished(pod) && pod.metadata.deletionTimestamp === undefined) cluster.delete(PODS, pod);
  const living = all.filter((it) => it.metadata.deletionTimestamp === undefined && !isFinished(it));
  const isNew = (pod: KubeObject): boolean => pod.metadata.labels?.[REVISION_HASH] === hash;
  const [newest, outdated] = [living.find(isNew), living.filter((it) => !isNew(it))];
  const strategy = mapAt(spec, 'updateStrategy');
  const surges = scaledValue(mapAt(strategy, 'rollingUpdate')?.['maxSurge'], 1, true) > 0;
  const rolls = strategy?.['type'] !== 'OnDelete';
  const wantsNew = newest === undefined && (outdated.length === 0 || (rolls && surges));
  // A pod of the old template that still ends has its place; with maxSurge the new one comes beside it.
  if (wantsNew && (surges || all.every(isFinished))) createDaemon(cluster, set, hash);
  const replaced = newest !== undefined && untilAvailable(newest, minReady, now) === 0;
  if (rolls && (!surges || replaced)) for (const pod of outdated) cluster.delete(PODS, pod);
  trimRevisions(cluster, set, revisions, new Set(living.map((it) => it.metadata.labels?.[REVISION_HASH] ?? '')));
  return writeStatus(cluster, set, { hash, minReady, now });
}

function createDaemon(cluster: Cluster, set: KubeObject, hash: string): void {
  createPod(cluster, set, undefined, (pod) => {
    const generation = set.metadata.annotations?.[TEMPLATE_GENERATION];
    pod.metadata.labels = {
      ...pod.metadata.labels,
      [REVISION_HASH]: hash,
      ...(generation === undefined ? {} : { 'pod-template-generation': generation }),
    };
  });
}

function writeStatus(
  cluster: Cluster,
  set: KubeObject,
  { hash, minReady, now }: { hash: string; minReady: number; now: number },
): number | undefined {
  const pods = cluster.ownedBy(PODS, set).filter((it) => it.metadata.deletionTimestamp === undefined && !isFinished(it));
  const { available, next } = availability(pods, minReady, now);
  const status = {
    observedGeneration: set.metadata.generation,
    currentNumberScheduled: Math.min(1, pods.length),
    desiredNumberScheduled: 1,
    numberMisscheduled: 0,
    numberReady: Math.min(1, pods.filter(isReady).length),
    ...dropZeros({
      updatedNumberScheduled: pods.filter((it) => it.metadata.labels?.[REVISION_HASH] === hash).length,
      numberAvailable: Math.min(1, available),
      numberUnavailable: 1 - Math.min(1, available),
    }),
  };
  cluster.update(
    DAEMON_SETS,
    set,
    (draft) => {
      draft['status'] = status;
    },
    'status',
  );
  return next;
}
