import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, ownerReference } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { hasCondition } from './conditions.ts';
import { isFinished } from './pod-status.ts';

const PODS = '/pods';

/** A pod of a template, owned by `owner`. @param template instead of the owner's own */
export function createPod(
  cluster: Cluster,
  owner: KubeObject,
  name?: string,
  change: (pod: KubeObject) => void = () => {},
  template: Draft0 = mapAt(mapAt(owner, 'spec'), 'template') ?? {},
): KubeObject | undefined {
  const metadata = mapAt(template, 'metadata') ?? {};
  const annotations = mapAt(metadata, 'annotations') as Record<string, string> | undefined;
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: name ?? '',
      ...(name === undefined ? { generateName: `${owner.metadata.name}-` } : {}),
      namespace: owner.metadata.namespace ?? '',
      labels: { ...(mapAt(metadata, 'labels') as Record<string, string> | undefined) },
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ownerReferences: [ownerReference(owner)],
    },
    spec: structuredClone(mapAt(template, 'spec') ?? {}),
  };
  change(pod);
  return cluster.create(PODS, pod);
}

/** Pods that are neither finished nor being deleted. */
export function activePods(cluster: Cluster, owner: KubeObject): KubeObject[] {
  return cluster.ownedBy(PODS, owner).filter((it) => it.metadata.deletionTimestamp === undefined && !isFinished(it));
}

/** True when a pod's Ready condition is. */
export function isReady(pod: KubeObject): boolean {
  return hasCondition(mapsOf(mapAt(pod, 'status'), 'conditions'), 'Ready', 'True');
}

/** How long until a pod has been Ready for `minReadySeconds`, in milliseconds: 0 when it has, undefined when it is not Ready. */
export function untilAvailable(pod: KubeObject, minReadySeconds: number, now: number): number | undefined {
  const ready = mapsOf(mapAt(pod, 'status'), 'conditions').find((it) => it['type'] === 'Ready' && it['status'] === 'True');
  if (ready === undefined) return undefined;
  return Math.max(0, Date.parse(String(ready['lastTransitionTime'])) + minReadySeconds * 1000 - now);
}

/** How many pods are available, and when the next one will be. */
export function availability(
  pods: readonly KubeObject[],
  minReadySeconds: number,
  now: number,
): { available: number; next: number | undefined } {
  const left = pods.map((pod) => untilAvailable(pod, minReadySeconds, now)).filter((it) => it !== undefined);
  const waits = left.filter((it) => it > 0);
  return { available: left.length - waits.length, next: waits.length === 0 ? undefined : Math.min(...waits) };
}

/** Go's omitempty: counters at zero are left out, but for those in `kept`. */
export function dropZeros(status: Draft0, ...kept: readonly string[]): Draft0 {
  return Object.fromEntries(Object.entries(status).filter(([key, value]) => value !== 0 || kept.includes(key)));
}
