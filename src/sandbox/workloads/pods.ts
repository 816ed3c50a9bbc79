import { createHash } from 'node:crypto';
import { type Duration, milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, Loop } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { delayOf, fateOf } from './fate.ts';

const PODS = '/pods';

/** Stands in for the scheduler and the kubelet: binds pods, makes them what their fate says, ends them when they are deleted. */
export function runPods(cluster: Cluster, startDelay: Duration): () => void {
  const { api } = cluster;
  const loop = new Loop(api, (namespace, name) => {
    const pod = cluster.get(PODS, namespace, name);
    if (pod === undefined) return;
    const wait = advance(cluster, pod, startDelay);
    if (wait !== undefined) loop.touch(pod, wait);
  });
  const stop = api.store.watch(PODS, undefined, (change) => {
    if (change.type !== 'deleted') loop.touch(change.object);
  });
  for (const pod of cluster.list(PODS)) loop.touch(pod);
  return () => {
    stop?.();
    loop.close();
  };
}

/** Moves a pod one step; gives how long until there is more to do. */
function advance(cluster: Cluster, pod: KubeObject, startDelay: Duration): Duration | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) {
    cluster.delete(PODS, pod, 0);
    return undefined;
  }
  const spec = mapAt(pod, 'spec') ?? {};
  const gates = mapsOf(spec, 'schedulingGates');
  if (gates.length > 0) return undefined;
  const fate = fateOf(pod);
  if (fate === 'pending') return undefined;
  const left = Date.parse(pod.metadata.creationTimestamp ?? '') + delayOf(pod, startDelay) - cluster.api.clock.now();
  const bound =
    spec['nodeName'] === undefined
      ? cluster.update(PODS, pod, (draft) => {
          (draft['spec'] as Draft0)['nodeName'] = 'sandbox';
        })
      : pod;
  if (left > 0) return milliseconds(left);
  if (bound !== undefined && !isSettled(bound, fate)) cluster.setStatus(PODS, bound, podStatus(cluster, bound));
  return undefined;
}

function isSettled(pod: KubeObject, fate: string): boolean {
  const status = mapAt(pod, 'status');
  const phase = status?.['phase'];
  if (phase === 'Succeeded' || phase === 'Failed') return true;
  if (phase !== 'Running') return false;
  const containers = mapsOf(mapAt(pod, 'spec'), 'containers');
  const statuses = mapsOf(status, 'containerStatuses');
  const sameImages = containers.every((container) =>
    statuses.some((it) => it['name'] === container['name'] && it['image'] === container['image']),
  );
  return (
    sameImages && mapsOf(status, 'conditions').some((it) => it['type'] === 'Ready' && (it['status'] === 'True') === (fate === 'ready'))
  );
}

function podStatus(cluster: Cluster, pod: KubeObject): Record<string, unknown> {
  const now = cluster.now();
  const spec = mapAt(pod, 'spec') ?? {};
  const fate = fateOf(pod);
  const runs = spec['restartPolicy'] === 'Always';
  const phase = fate === 'fail' ? 'Failed' : fate === 'ready' && !runs ? 'Succeeded' : 'Running';
  const ready = phase === 'Running' && fate === 'ready';
  const flag = (value: boolean): string => (value ? 'True' : 'False');
  const condition = (type: string, value: boolean): Draft0 => ({
    type,
    status: flag(value),
    lastProbeTime: null,
    lastTransitionTime: now,
    ...(value
      ? {}
      : {
          reason: 'ContainersNotReady',
          message: `containers with unready status: [${mapsOf(spec, 'containers')
            .map((it) => String(it['name']))
            .join(' ')}]`,
        }),
  });
  const state: Draft0 =
    phase === 'Succeeded'
      ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } }
      : phase === 'Failed'
        ? { terminated: { exitCode: 1, reason: 'Error', startedAt: now, finishedAt: now } }
        : fate === 'crash'
          ? { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' } }
          : { running: { startedAt: now } };
  const statusOf = (container: Draft0, own: Draft0, isReady: boolean): Draft0 => ({
    name: container['name'],
    image: container['image'],
    imageID: `sandbox://${String(container['image'])}`,
    containerID: `sandbox://${pod.metadata.uid}/${String(container['name'])}`,
    ready: isReady,
    started: own['running'] !== undefined,
    restartCount: fate === 'crash' ? 5 : 0,
    state: own,
    lastState: {},
  });
  const done = { terminated: { exitCode: 0, reason: 'Completed', startedAt: now, finishedAt: now } };
  const ip = addressOf(pod);
  return {
    phase,
    conditions: [
      condition('PodReadyToStartContainers', true),
      condition('Initialized', true),
      condition('Ready', ready),
      condition('ContainersReady', ready),
      condition('PodScheduled', true),
    ],
    containerStatuses: mapsOf(spec, 'containers').map((it) => statusOf(it, state, ready)),
    ...(mapsOf(spec, 'initContainers').length === 0
      ? {}
      : {
          initContainerStatuses: mapsOf(spec, 'initContainers').map((it) =>
            it['restartPolicy'] === 'Always' ? statusOf(it, state, ready) : statusOf(it, done, true),
          ),
        }),
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    podIP: ip,
    podIPs: [{ ip }],
    startTime: now,
  };
}

function addressOf(pod: KubeObject): string {
  const [a = 0, b = 0] = createHash('sha256')
    .update(pod.metadata.uid ?? '')
    .digest();
  return `10.244.${a}.${b}`;
}
