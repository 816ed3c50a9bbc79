import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop, shortHash } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { podsReady } from './conditions.ts';
import { createPod, dropZeros } from './deployments.ts';

const STATEFUL_SETS = 'apps/statefulsets';
const DAEMON_SETS = 'apps/daemonsets';
const PODS = '/pods';
const CLAIMS = '/persistentvolumeclaims';
const REVISION_HASH = 'controller-revision-hash';

/** The StatefulSet controller (one pod after the other, claims from templates) and the DaemonSet controller (one node, one pod). */
export function runSets(cluster: Cluster): () => void {
  const { api } = cluster;
  const loops = {
    StatefulSet: new Loop(api, (namespace, name) => reconcile(cluster, STATEFUL_SETS, namespace, name, reconcileStatefulSet)),
    DaemonSet: new Loop(api, (namespace, name) => reconcile(cluster, DAEMON_SETS, namespace, name, reconcileDaemonSet)),
  };
  const stops = [
    api.store.watch(STATEFUL_SETS, undefined, (change) => loops.StatefulSet.touch(change.object)),
    api.store.watch(DAEMON_SETS, undefined, (change) => loops.DaemonSet.touch(change.object)),
    api.store.watch(PODS, undefined, (change) => {
      const owner = controllerOf(change.object);
      if (owner?.kind === 'StatefulSet' || owner?.kind === 'DaemonSet')
        loops[owner.kind].touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
  ];
  for (const it of cluster.list(STATEFUL_SETS)) loops.StatefulSet.touch(it);
  for (const it of cluster.list(DAEMON_SETS)) loops.DaemonSet.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    loops.StatefulSet.close();
    loops.DaemonSet.close();
  };
}

function reconcile(
  cluster: Cluster,
  collection: string,
  namespace: string,
  name: string,
  run: (cluster: Cluster, object: KubeObject) => void,
): void {
  const object = cluster.get(collection, namespace, name);
  if (object !== undefined && object.metadata.deletionTimestamp === undefined) run(cluster, object);
}

const ordinalOf = (pod: KubeObject): number => Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? -1);
const isReady = (pod: KubeObject): boolean => podsReady([pod]) === 1;

function reconcileStatefulSet(cluster: Cluster, set: KubeObject): void {
  const spec = mapAt(set, 'spec') ?? {};
  const wanted = Number(spec['replicas'] ?? 1);
  const revision = `${set.metadata.name}-${shortHash(JSON.stringify(spec['template']))}`;
  const pods = cluster.ownedBy(PODS, set).sort((a, b) => ordinalOf(a) - ordinalOf(b));
  const parallel = spec['podManagementPolicy'] === 'Parallel';
  for (let i = 0; i < wanted; i++) {
    const pod = pods.find((it) => ordinalOf(it) === i);
    if (pod === undefined) createOrdinal(cluster, set, i, revision);
    if (!parallel && (pod === undefined || !isReady(pod))) break;
  }
  const surplus = pods.filter((it) => ordinalOf(it) >= wanted && it.metadata.deletionTimestamp === undefined).reverse();
  for (const pod of parallel ? surplus : surplus.slice(0, 1)) cluster.delete(PODS, pod);
  const strategy = mapAt(spec, 'updateStrategy');
  const partition = Number(mapAt(strategy, 'rollingUpdate')?.['partition'] ?? 0);
  const outdated = pods
    .filter(
      (it) => it.metadata.labels?.[REVISION_HASH] !== revision && ordinalOf(it) >= partition && it.metadata.deletionTimestamp === undefined,
    )
    .reverse();
  // The next pod is replaced only when every other one is ready, highest ordinal first.
  if (
    strategy?.['type'] !== 'OnDelete' &&
    pods.length === wanted &&
    pods.every((it) => isReady(it) || it === outdated[0]) &&
    outdated[0] !== undefined
  )
    cluster.delete(PODS, outdated[0]);
  writeSetStatus(cluster, set, revision, wanted);
}

function createOrdinal(cluster: Cluster, set: KubeObject, ordinal: number, revision: string): void {
  const spec = mapAt(set, 'spec') ?? {};
  const name = `${set.metadata.name}-${ordinal}`;
  const namespace = set.metadata.namespace ?? '';
  const claims = mapsOf(spec, 'volumeClaimTemplates');
  for (const claim of claims) {
    const claimName = `${String(mapAt(claim, 'metadata')?.['name'])}-${name}`;
    if (cluster.get(CLAIMS, namespace, claimName) === undefined) {
      cluster.create(CLAIMS, {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: claimName, namespace, labels: (mapAt(mapAt(spec, 'selector'), 'matchLabels') ?? {}) as Record<string, string> },
        spec: structuredClone(mapAt(claim, 'spec') ?? {}),
      });
    }
  }
  createPod(cluster, set, name, (pod) => {
    pod.metadata.labels = {
      ...pod.metadata.labels,
      [REVISION_HASH]: revision,
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
    };
    const podSpec = pod['spec'] as Draft0;
    podSpec['hostname'] = name;
    if (typeof spec['serviceName'] === 'string' && spec['serviceName'] !== '') podSpec['subdomain'] = spec['serviceName'];
    const volumes = claims.map((claim): Draft0 => {
      const claimName = String(mapAt(claim, 'metadata')?.['name']);
      return { name: claimName, persistentVolumeClaim: { claimName: `${claimName}-${name}` } };
    });
    if (volumes.length > 0) podSpec['volumes'] = [...volumes, ...mapsOf(podSpec, 'volumes')];
  });
}

function writeSetStatus(cluster: Cluster, set: KubeObject, revision: string, wanted: number): void {
  const pods = cluster.ownedBy(PODS, set);
  const updated = pods.filter((it) => it.metadata.labels?.[REVISION_HASH] === revision).length;
  const ready = podsReady(pods);
  const before = String(mapAt(set, 'status')?.['currentRevision'] ?? revision);
  const complete = updated === wanted && ready === wanted && pods.length === wanted;
  cluster.update(
    STATEFUL_SETS,
    set,
    (draft) => {
      draft['status'] = dropZeros(
        {
          observedGeneration: set.metadata.generation,
          replicas: pods.length,
          readyReplicas: ready,
          availableReplicas: ready,
          updatedReplicas: updated,
          currentReplicas: complete ? updated : pods.length - updated,
          currentRevision: complete ? revision : before,
          updateRevision: revision,
          collisionCount: 0,
        },
        'replicas',
        'collisionCount',
        'availableReplicas',
      );
    },
    'status',
  );
}

function reconcileDaemonSet(cluster: Cluster, set: KubeObject): void {
  const revision = shortHash(JSON.stringify(mapAt(set, 'spec')?.['template']));
  const pods = cluster.ownedBy(PODS, set).filter((it) => it.metadata.deletionTimestamp === undefined);
  const [pod] = pods;
  if (pod === undefined) {
    createPod(cluster, set, undefined, (it) => {
      it.metadata.labels = { ...it.metadata.labels, [REVISION_HASH]: revision };
    });
  } else if (pod.metadata.labels?.[REVISION_HASH] !== revision) {
    cluster.delete(PODS, pod);
  }
  const living = cluster.ownedBy(PODS, set);
  const ready = podsReady(living);
  cluster.update(
    DAEMON_SETS,
    set,
    (draft) => {
      draft['status'] = {
        observedGeneration: set.metadata.generation,
        currentNumberScheduled: Math.min(1, living.length),
        desiredNumberScheduled: 1,
        numberMisscheduled: 0,
        numberReady: ready,
        ...dropZeros({
          updatedNumberScheduled: living.filter((it) => it.metadata.labels?.[REVISION_HASH] === revision).length,
          numberAvailable: ready,
          numberUnavailable: 1 - Math.min(1, ready),
        }),
      };
    },
    'status',
  );
}
