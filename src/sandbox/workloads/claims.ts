import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, Loop } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapIn, mapsOf } from '../kinds/index.ts';
import { isFinished } from './pod-status.ts';

const CLAIMS = '/persistentvolumeclaims';
const VOLUMES = '/persistentvolumes';
const PODS = '/pods';
const PROTECTION: readonly string[] = ['kubernetes.io/pvc-protection', 'kubernetes.io/pv-protection'];

/** What provisioners do: every claim gets the volume it names or a new one at once, whatever its class; the volume goes with the claim.
 * What is in use is protected from deletion. */
export function runClaims(cluster: Cluster): () => void {
  const { api } = cluster;
  const claims = new Loop(api, (namespace, name) => {
    const claim = cluster.get(CLAIMS, namespace, name);
    if (claim === undefined) return;
    if (claim.metadata.deletionTimestamp === undefined) bind(cluster, claim);
    else if (!isUsed(cluster, claim)) unprotect(cluster, CLAIMS, claim);
  });
  const volumes = new Loop(api, (_, name) => {
    const volume = cluster.get(VOLUMES, '', name);
    if (volume === undefined) return;
    settle(cluster, volume);
    if (volume.metadata.deletionTimestamp !== undefined && phaseOf(volume) !== 'Bound') unprotect(cluster, VOLUMES, volume);
  });
  const stops = [
    api.store.watch(CLAIMS, undefined, (change) => {
      claims.touch(change.object);
      const volume = mapAt(change.object, 'spec')?.['volumeName'];
      if (change.type === 'deleted' && typeof volume === 'string') volumes.touchKey('', volume);
    }),
    api.store.watch(VOLUMES, undefined, (change) => volumes.touch(change.object)),
    api.store.watch(PODS, undefined, ({ object, type }) => {
      if (type === 'added') return;
      for (const claim of claimsOf(object)) claims.touchKey(object.metadata.namespace ?? '', claim);
    }),
  ];
  for (const it of cluster.list(CLAIMS)) claims.touch(it);
  for (const it of cluster.list(VOLUMES)) volumes.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    claims.close();
    volumes.close();
  };
}

/** The names of the claims a pod uses. */
function claimsOf(pod: KubeObject): string[] {
  return mapsOf(mapAt(pod, 'spec'), 'volumes')
    .map((it) => mapAt(it, 'persistentVolumeClaim')?.['claimName'])
    .filter((it) => typeof it === 'string');
}

/** A claim that a pod uses is not taken away from it. */
function isUsed(cluster: Cluster, claim: KubeObject): boolean {
  const pods = cluster.list(PODS, claim.metadata.namespace ?? '');
  return pods.some((pod) => !isFinished(pod) && claimsOf(pod).includes(claim.metadata.name));
}

function unprotect(cluster: Cluster, collection: string, object: KubeObject): void {
  cluster.update(collection, object, (draft) => {
    draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((it) => !PROTECTION.includes(it));
  });
}

const phaseOf = (object: KubeObject): unknown => mapAt(object, 'status')?.['phase'];

function bind(cluster: Cluster, claim: KubeObject): void {
  if (phaseOf(claim) === 'Bound') return;
  const spec = mapAt(claim, 'spec') ?? {};
  const named = typeof spec['volumeName'] === 'string' && spec['volumeName'] !== '' ? spec['volumeName'] : undefined;
  const volume = named === undefined ? (matching(cluster, claim) ?? provision(cluster, claim)) : cluster.get(VOLUMES, '', named);
  if (volume === undefined || !isFor(volume, claim)) return; // it comes when the volume does
  const { name, namespace = '', uid } = claim.metadata;
  const taken = cluster.update(VOLUMES, volume, (draft) => {
    mapIn(draft, 'spec')['claimRef'] = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid };
  });
  if (taken !== undefined) cluster.setStatus(VOLUMES, taken, { phase: 'Bound' });
  const bound = cluster.update(CLAIMS, claim, (draft) => {
    mapIn(draft, 'spec')['volumeName'] = volume.metadata.name;
    draft.metadata.annotations = { ...draft.metadata.annotations, 'pv.kubernetes.io/bind-completed': 'yes' };
  });
  const { capacity, accessModes } = mapAt(volume, 'spec') ?? {};
  if (bound !== undefined) cluster.setStatus(CLAIMS, bound, { phase: 'Bound', accessModes, capacity });
}

/** True for a volume that is free or already meant for a claim. */
function isFor(volume: KubeObject, claim: KubeObject): boolean {
  const reference = mapAt(mapAt(volume, 'spec'), 'claimRef');
  if (reference === undefined) return true;
  const same = reference['name'] === claim.metadata.name && reference['namespace'] === claim.metadata.namespace;
  return same && (reference['uid'] === undefined || reference['uid'] === claim.metadata.uid);
}

/** A free volume that somebody made for a claim like this: of the class it names (an empty one, too). */
function matching(cluster: Cluster, claim: KubeObject): KubeObject | undefined {
  const wanted = mapAt(claim, 'spec')?.['storageClassName'];
  if (wanted === undefined) return undefined;
  return cluster
    .list(VOLUMES)
    .find((it) => (mapAt(it, 'spec')?.['storageClassName'] ?? '') === wanted && phaseOf(it) === 'Available' && isFor(it, claim));
}

function provision(cluster: Cluster, claim: KubeObject): KubeObject | undefined {
  const spec = mapAt(claim, 'spec') ?? {};
  const name = `pvc-${claim.metadata.uid}`;
  const present = cluster.get(VOLUMES, '', name);
  if (present !== undefined) return present;
  const volume: Draft0 = {
    capacity: { storage: mapAt(mapAt(spec, 'resources'), 'requests')?.['storage'] ?? '1Gi' },
    accessModes: spec['accessModes'] ?? ['ReadWriteOnce'],
    hostPath: { path: `/sandbox/${name}`, type: '' },
    persistentVolumeReclaimPolicy: 'Delete',
    ...(spec['storageClassName'] === undefined ? {} : { storageClassName: spec['storageClassName'] }),
    volumeMode: spec['volumeMode'] ?? 'Filesystem',
  };
  const annotations = { 'pv.kubernetes.io/provisioned-by': 'sandbox.sluice.dev' };
  return cluster.create(VOLUMES, { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name, annotations }, spec: volume });
}

/** A volume is Available until a claim takes it; without its claim it is deleted or Released, as its policy says. */
function settle(cluster: Cluster, volume: KubeObject): void {
  const spec = mapAt(volume, 'spec') ?? {};
  const reference = mapAt(spec, 'claimRef');
  if (reference?.['uid'] === undefined) {
    if (phaseOf(volume) !== 'Available') cluster.setStatus(VOLUMES, volume, { phase: 'Available' });
    wakeClaims(cluster);
    return;
  }
  const claim = cluster.get(CLAIMS, String(reference['namespace']), String(reference['name']));
  if (claim?.metadata.uid === reference['uid']) return;
  if (phaseOf(volume) !== 'Released') cluster.setStatus(VOLUMES, volume, { phase: 'Released' });
  if (spec['persistentVolumeReclaimPolicy'] === 'Delete' && volume.metadata.deletionTimestamp === undefined)
    cluster.delete(VOLUMES, volume);
}

function wakeClaims(cluster: Cluster): void {
  for (const claim of cluster.list(CLAIMS)) {
    const named = mapAt(claim, 'spec')?.['volumeName'];
    if (phaseOf(claim) !== 'Bound' && named !== undefined && claim.metadata.deletionTimestamp === undefined) bind(cluster, claim);
  }
}
