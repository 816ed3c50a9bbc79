import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop, ownerReference, shortHash } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { hasCondition, podsReady, withCondition } from './conditions.ts';

const DEPLOYMENTS = 'apps/deployments';
const REPLICA_SETS = 'apps/replicasets';
const PODS = '/pods';
const REVISION = 'deployment.kubernetes.io/revision';
const TEMPLATE_HASH = 'pod-template-hash';

/** The Deployment and ReplicaSet controllers: a new template makes a new ReplicaSet; the old one goes down once the new one is up. */
export function runDeployments(cluster: Cluster): () => void {
  const { api } = cluster;
  const deployments = new Loop(api, (namespace, name) => {
    const deployment = cluster.get(DEPLOYMENTS, namespace, name);
    if (deployment !== undefined && deployment.metadata.deletionTimestamp === undefined) reconcileDeployment(cluster, deployment);
  });
  const replicaSets = new Loop(api, (namespace, name) => {
    const set = cluster.get(REPLICA_SETS, namespace, name);
    if (set !== undefined && set.metadata.deletionTimestamp === undefined) reconcileReplicaSet(cluster, set);
  });
  const stops = [
    api.store.watch(DEPLOYMENTS, undefined, (change) => deployments.touch(change.object)),
    api.store.watch(REPLICA_SETS, undefined, (change) => {
      if (change.type !== 'deleted') replicaSets.touch(change.object);
      const owner = controllerOf(change.object);
      if (owner?.kind === 'Deployment') deployments.touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
    api.store.watch(PODS, undefined, (change) => {
      const owner = controllerOf(change.object);
      if (owner?.kind === 'ReplicaSet') replicaSets.touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
  ];
  for (const it of cluster.list(DEPLOYMENTS)) deployments.touch(it);
  for (const it of cluster.list(REPLICA_SETS)) replicaSets.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    deployments.close();
    replicaSets.close();
  };
}

const replicasOf = (object: KubeObject): number => Number(mapAt(object, 'spec')?.['replicas'] ?? 0);
const statusNumber = (object: KubeObject, field: string): number => Number(mapAt(object, 'status')?.[field] ?? 0);

function reconcileDeployment(cluster: Cluster, deployment: KubeObject): void {
  const spec = mapAt(deployment, 'spec') ?? {};
  const hash = shortHash(JSON.stringify(spec['template']));
  const owned = cluster.ownedBy(REPLICA_SETS, deployment);
  let current = owned.find((it) => it.metadata.labels?.[TEMPLATE_HASH] === hash);
  if (current === undefined && spec['paused'] !== true) current = createReplicaSet(cluster, deployment, hash, owned);
  if (current === undefined) return;
  const wanted = replicasOf(deployment);
  if (replicasOf(current) !== wanted) current = setReplicas(cluster, current, wanted) ?? current;
  const ready = statusNumber(current, 'readyReplicas') >= wanted || mapAt(spec, 'strategy')?.['type'] === 'Recreate';
  if (ready) for (const old of owned) if (old.metadata.uid !== current.metadata.uid && replicasOf(old) > 0) setReplicas(cluster, old, 0);
  trimHistory(cluster, owned, current, Number(spec['revisionHistoryLimit'] ?? 10));
  writeDeploymentStatus(
    cluster,
    deployment,
    current,
    owned.filter((it) => it.metadata.uid !== current?.metadata.uid),
  );
}

function createReplicaSet(cluster: Cluster, deployment: KubeObject, hash: string, owned: readonly KubeObject[]): KubeObject | undefined {
  const spec = mapAt(deployment, 'spec') ?? {};
  const template = structuredClone(mapAt(spec, 'template') ?? {});
  const metadata = mapAt(template, 'metadata') ?? {};
  const labels = { ...(mapAt(metadata, 'labels') as Record<string, string> | undefined), [TEMPLATE_HASH]: hash };
  template['metadata'] = { ...metadata, labels };
  const selector = mapAt(spec, 'selector') ?? {};
  const revision = String(1 + Math.max(0, ...owned.map((it) => Number(it.metadata.annotations?.[REVISION] ?? 0))));
  cluster.update(DEPLOYMENTS, deployment, (draft) => {
    draft.metadata.annotations = { ...draft.metadata.annotations, [REVISION]: revision };
  });
  return cluster.create(REPLICA_SETS, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: { [REVISION]: revision },
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas: replicasOf(deployment),
      selector: { ...selector, matchLabels: { ...mapAt(selector, 'matchLabels'), [TEMPLATE_HASH]: hash } },
      template,
    },
  });
}

function setReplicas(cluster: Cluster, set: KubeObject, replicas: number): KubeObject | undefined {
  return cluster.update(REPLICA_SETS, set, (draft) => {
    (draft['spec'] as Draft0)['replicas'] = replicas;
  });
}

function trimHistory(cluster: Cluster, owned: readonly KubeObject[], current: KubeObject, limit: number): void {
  const old = owned.filter((it) => it.metadata.uid !== current.metadata.uid && replicasOf(it) === 0 && statusNumber(it, 'replicas') === 0);
  const byAge = old.sort((a, b) => Number(a.metadata.annotations?.[REVISION] ?? 0) - Number(b.metadata.annotations?.[REVISION] ?? 0));
  for (const it of byAge.slice(0, Math.max(0, byAge.length - limit))) cluster.delete(REPLICA_SETS, it);
}

function writeDeploymentStatus(cluster: Cluster, deployment: KubeObject, current: KubeObject, old: readonly KubeObject[]): void {
  const all = [current, ...old];
  const sum = (field: string): number => all.reduce((total, it) => total + statusNumber(it, field), 0);
  const wanted = replicasOf(deployment);
  const [replicas, available] = [sum('replicas'), sum('availableReplicas')];
  const complete =
    statusNumber(current, 'replicas') === wanted && statusNumber(current, 'availableReplicas') >= wanted && replicas === wanted;
  const before = mapsOf(mapAt(deployment, 'status'), 'conditions');
  const now = cluster.now();
  const isAvailable = available >= wanted;
  const failing = hasCondition(before, 'Progressing', 'False');
  const progressing: Draft0 = complete
    ? {
        type: 'Progressing',
        status: 'True',
        reason: 'NewReplicaSetAvailable',
        message: `ReplicaSet "${current.metadata.name}" has successfully progressed.`,
      }
    : failing
      ? {
          type: 'Progressing',
          status: 'False',
          reason: 'ProgressDeadlineExceeded',
          message: `ReplicaSet "${current.metadata.name}" has timed out progressing.`,
        }
      : {
          type: 'Progressing',
          status: 'True',
          reason: 'ReplicaSetUpdated',
          message: `ReplicaSet "${current.metadata.name}" is progressing.`,
        };
  const availableCondition: Draft0 = isAvailable
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
  const counts: Draft0 = {
    observedGeneration: deployment.metadata.generation,
    replicas,
    updatedReplicas: statusNumber(current, 'replicas'),
    readyReplicas: sum('readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, Math.max(replicas, wanted) - available),
    terminatingReplicas: 0,
    conditions: withCondition(withCondition(before, availableCondition, now), progressing, now),
  };
  cluster.update(
    DEPLOYMENTS,
    deployment,
    (draft) => {
      draft['status'] = dropZeros(counts);
    },
    'status',
  );
}

function reconcileReplicaSet(cluster: Cluster, set: KubeObject): void {
  const pods = cluster
    .ownedBy(PODS, set)
    .filter((it) => it.metadata.deletionTimestamp === undefined && mapAt(it, 'status')?.['phase'] !== 'Failed');
  const wanted = replicasOf(set);
  for (let i = pods.length; i < wanted; i++) createPod(cluster, set);
  for (const pod of pods.slice(wanted)) cluster.delete(PODS, pod);
  const living = cluster
    .ownedBy(PODS, set)
    .filter((it) => it.metadata.deletionTimestamp === undefined && mapAt(it, 'status')?.['phase'] !== 'Failed');
  const ready = podsReady(living);
  cluster.update(
    REPLICA_SETS,
    set,
    (draft) => {
      draft['status'] = dropZeros(
        {
          observedGeneration: set.metadata.generation,
          replicas: living.length,
          fullyLabeledReplicas: living.length,
          readyReplicas: ready,
          availableReplicas: ready,
          terminatingReplicas: 0,
        },
        'replicas',
      );
    },
    'status',
  );
}

/** A pod of a template, owned by `owner`. */
export function createPod(
  cluster: Cluster,
  owner: KubeObject,
  name?: string,
  change: (pod: KubeObject) => void = () => {},
): KubeObject | undefined {
  const template = mapAt(mapAt(owner, 'spec'), 'template') ?? {};
  const metadata = mapAt(template, 'metadata') ?? {};
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: name ?? '',
      ...(name === undefined ? { generateName: `${owner.metadata.name}-` } : {}),
      namespace: owner.metadata.namespace ?? '',
      labels: { ...(mapAt(metadata, 'labels') as Record<string, string> | undefined) },
      ...(mapAt(metadata, 'annotations') === undefined ? {} : { annotations: mapAt(metadata, 'annotations') as Record<string, string> }),
      ownerReferences: [ownerReference(owner)],
    },
    spec: structuredClone(mapAt(template, 'spec') ?? {}),
  };
  change(pod);
  return cluster.create(PODS, pod);
}

/** Go's omitempty: counters at zero are left out, but for those in `kept`. */
export function dropZeros(status: Draft0, ...kept: readonly string[]): Draft0 {
  return Object.fromEntries(Object.entries(status).filter(([key, value]) => value !== 0 || kept.includes(key)));
}
