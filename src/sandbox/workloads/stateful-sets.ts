import { milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop, ownerReference } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { availability, createPod, dropZeros, isReady, untilAvailable } from './pod-of.ts';
import { isFinished } from './pod-status.ts';
import { type Revision, REVISION_HASH, syncRevisions, trimRevisions } from './revisions.ts';
import { scaledValue } from './rolling.ts';

const STATEFUL_SETS = 'apps/statefulsets';
const PODS = '/pods';
const CLAIMS = '/persistentvolumeclaims';

/** The StatefulSet controller: pods with numbers, one after the other or all at once, with claims of their own. */
export function runStatefulSets(cluster: Cluster): () => void {
  const { api } = cluster;
  const loop = new Loop(api, (namespace, name) => {
    const set = cluster.get(STATEFUL_SETS, namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const again = reconcile(cluster, set);
    if (again !== undefined) loop.touch(set, milliseconds(again));
  });
  const stops = [
    api.store.watch(STATEFUL_SETS, undefined, (change) => loop.touch(change.object)),
    api.store.watch(PODS, undefined, (change) => {
      const owner = controllerOf(change.object);
      if (owner?.kind === 'StatefulSet') loop.touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
  ];
  for (const it of cluster.list(STATEFUL_SETS)) loop.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    loop.close();
  };
}

const ordinalOf = (pod: KubeObject): number => Number(/-(\d+)$/.exec(pod.metadata.name)?.[1] ?? -1);
const isEnding = (pod: KubeObject): boolean => pod.metadata.deletionTimestamp !== undefined;

/** What one pass knows. */
type Pass = {
  cluster: Cluster;
  set: KubeObject;
  spec: Draft0;
  pods: readonly KubeObject[];
  current: Revision | undefined;
  update: Revision | undefined;
  start: number;
  wanted: number;
  parallel: boolean;
  available: (pod: KubeObject) => boolean;
};

function reconcile(cluster: Cluster, set: KubeObject): number | undefined {
  const spec = mapAt(set, 'spec') ?? {};
  if (mapAt(set, 'status')?.['observedGeneration'] === undefined) cluster.adopt(PODS, set, spec['selector']);
  const revisions = syncRevisions(cluster, set);
  const now = cluster.api.clock.now();
  const minReady = Number(spec['minReadySeconds'] ?? 0);
  const pass: Pass = {
    cluster,
    set,
    spec,
    pods: cluster.ownedBy(PODS, set).sort((a, b) => ordinalOf(a) - ordinalOf(b)),
    current: revisions.find((it) => it.name === mapAt(set, 'status')?.['currentRevision']) ?? revisions.at(-1),
    update: revisions.at(-1),
    start: Number(mapAt(spec, 'ordinals')?.['start'] ?? 0),
    wanted: Number(spec['replicas'] ?? 1),
    parallel: spec['podManagementPolicy'] === 'Parallel',
    available: (pod) => !isEnding(pod) && untilAvailable(pod, minReady, now) === 0,
  };
  if (fill(pass) && shrink(pass)) replaceOutdated(pass);
  dropClaims(pass);
  const used = new Set(pass.pods.map((it) => it.metadata.labels?.[REVISION_HASH] ?? ''));
  trimRevisions(cluster, set, revisions, new Set([...used, pass.current?.name ?? '']));
  writeStatus(pass);
  return availability(cluster.ownedBy(PODS, set), minReady, now).next;
}

/** Creates what is missing, in order; true when every number is there (and, one after the other, available). */
function fill(pass: Pass): boolean {
  const { cluster, pods, start, wanted, parallel } = pass;
  for (let ordinal = start; ordinal < start + wanted; ordinal++) {
    const pod = pods.find((it) => ordinalOf(it) === ordinal);
    if (pod !== undefined && isFinished(pod) && !isEnding(pod)) cluster.delete(PODS, pod);
    if (pod === undefined) createOrdinal(pass, ordinal);
    if (!parallel && (pod === undefined || !pass.available(pod))) return false;
  }
  return true;
}

/** Deletes what is too many, the highest number first; true when nothing was. */
function shrink({ cluster, pods, start, wanted, parallel }: Pass): boolean {
  const surplus = pods.filter((it) => ordinalOf(it) >= start + wanted || ordinalOf(it) < start).reverse();
  if (!parallel && surplus.some(isEnding)) return false;
  for (const pod of parallel ? surplus : surplus.slice(0, 1)) if (!isEnding(pod)) cluster.delete(PODS, pod);
  return surplus.length === 0;
}

/** Deletes pods of an older template from the highest number down: one at a time, or as many as may be unavailable. */
function replaceOutdated(pass: Pass): void {
  const { spec, pods, start, wanted, update } = pass;
  const strategy = mapAt(spec, 'updateStrategy');
  if (strategy?.['type'] === 'OnDelete') return;
  const rolling = mapAt(strategy, 'rollingUpdate');
  const least = start + Number(rolling?.['partition'] ?? 0);
  const highestFirst = pods.filter((it) => ordinalOf(it) >= least && ordinalOf(it) < start + wanted).reverse();
  const isOutdated = (pod: KubeObject): boolean => pod.metadata.labels?.[REVISION_HASH] !== update?.name && !isEnding(pod);
  if (rolling?.['maxUnavailable'] === undefined) replaceOne(pass, highestFirst, isOutdated);
  else replaceSome(pass, highestFirst, isOutdated, Math.max(1, scaledValue(rolling['maxUnavailable'], wanted, true)));
}

function replaceOne({ cluster, available }: Pass, pods: readonly KubeObject[], isOutdated: (pod: KubeObject) => boolean): void {
  const next = pods.find((pod) => isOutdated(pod) || !available(pod));
  // One that is of the new template and not available is waited for.
  if (next !== undefined && isOutdated(next)) cluster.delete(PODS, next);
}

function replaceSome(
  { cluster, pods: all, available }: Pass,
  pods: readonly KubeObject[],
  isOutdated: (pod: KubeObject) => boolean,
  most: number,
): void {
  let unavailable = all.filter((it) => !available(it)).length;
  for (const pod of pods.filter(isOutdated)) {
    if (available(pod) && unavailable >= most) continue;
    if (available(pod)) unavailable += 1;
    cluster.delete(PODS, pod);
  }
}

/** A new pod below the partition is of the revision that the set comes from. */
function createOrdinal(pass: Pass, ordinal: number): void {
  const { cluster, set, spec, start } = pass;
  const strategy = mapAt(spec, 'updateStrategy');
  const partition = Number(mapAt(strategy, 'rollingUpdate')?.['partition'] ?? 0);
  const revision = strategy?.['type'] !== 'OnDelete' && ordinal < start + partition ? pass.current : pass.update;
  const name = `${set.metadata.name}-${ordinal}`;
  const claims = mapsOf(spec, 'volumeClaimTemplates');
  for (const claim of claims) createClaim(pass, claim, name);
  const labels = {
    [REVISION_HASH]: revision?.name ?? '',
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  };
  const change = (pod: KubeObject): void => {
    pod.metadata['generateName'] = `${set.metadata.name}-`;
    pod.metadata.labels = { ...pod.metadata.labels, ...labels };
    const podSpec = pod['spec'] as Draft0;
    podSpec['hostname'] = name;
    if (typeof spec['serviceName'] === 'string' && spec['serviceName'] !== '') podSpec['subdomain'] = spec['serviceName'];
    const volumes = claims.map((claim): Draft0 => {
      const volume = String(mapAt(claim, 'metadata')?.['name']);
      return { name: volume, persistentVolumeClaim: { claimName: `${volume}-${name}` } };
    });
    const taken = new Set(volumes.map((it) => it['name']));
    if (volumes.length > 0) podSpec['volumes'] = [...volumes, ...mapsOf(podSpec, 'volumes').filter((it) => !taken.has(it['name']))];
  };
  createPod(cluster, set, name, change, revision?.template);
}

function createClaim({ cluster, set, spec }: Pass, template: Draft0, pod: string): void {
  const namespace = set.metadata.namespace ?? '';
  const metadata = mapAt(template, 'metadata');
  const name = `${String(metadata?.['name'])}-${pod}`;
  if (cluster.get(CLAIMS, namespace, name) !== undefined) return;
  const labels = { ...mapAt(metadata, 'labels'), ...mapAt(mapAt(spec, 'selector'), 'matchLabels') } as Record<string, string>;
  const annotations = mapAt(metadata, 'annotations') as Record<string, string> | undefined;
  const owned = mapAt(spec, 'persistentVolumeClaimRetentionPolicy')?.['whenDeleted'] === 'Delete';
  cluster.create(CLAIMS, {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name,
      namespace,
      labels,
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(owned ? { ownerReferences: [ownerReference(set)] } : {}),
    },
    spec: structuredClone(mapAt(template, 'spec') ?? {}),
  });
}

/** With `whenScaled: Delete` the claims of numbers that are gone go, too. */
function dropClaims({ cluster, set, spec, start, wanted, pods }: Pass): void {
  if (mapAt(spec, 'persistentVolumeClaimRetentionPolicy')?.['whenScaled'] !== 'Delete') return;
  const prefixes = mapsOf(spec, 'volumeClaimTemplates').map((it) => `${String(mapAt(it, 'metadata')?.['name'])}-${set.metadata.name}-`);
  for (const claim of cluster.list(CLAIMS, set.metadata.namespace ?? '')) {
    const prefix = prefixes.find((it) => claim.metadata.name.startsWith(it));
    const ordinal = Number(claim.metadata.name.slice(prefix?.length ?? 0));
    if (prefix === undefined || !Number.isInteger(ordinal) || (ordinal >= start && ordinal < start + wanted)) continue;
    if (pods.every((it) => ordinalOf(it) !== ordinal)) cluster.delete(CLAIMS, claim);
  }
}

function writeStatus({ cluster, set, current, update, wanted, available }: Pass): void {
  const pods = cluster.ownedBy(PODS, set).filter((it) => !isFinished(it));
  const of = (revision: Revision | undefined): number =>
    pods.filter((it) => !isEnding(it) && it.metadata.labels?.[REVISION_HASH] === revision?.name).length;
  const ready = pods.filter((it) => isReady(it) && !isEnding(it)).length;
  const updated = of(update);
  const complete = updated === wanted && ready === wanted && pods.length === wanted;
  const status = dropZeros(
    {
      observedGeneration: set.metadata.generation,
      replicas: pods.length,
      readyReplicas: ready,
      currentReplicas: complete ? updated : of(current),
      updatedReplicas: updated,
      currentRevision: (complete ? update : current)?.name,
      updateRevision: update?.name,
      collisionCount: 0,
      availableReplicas: pods.filter(available).length,
    },
    'replicas',
    'collisionCount',
    'availableReplicas',
  );
  cluster.update(
    STATEFUL_SETS,
    set,
    (draft) => {
      draft['status'] = status;
    },
    'status',
  );
}
