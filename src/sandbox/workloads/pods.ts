import { type Duration, milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, Loop } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { hasCondition, withCondition } from './conditions.ts';
import { delayOf, fateOf } from './fate.ts';
import { type Course, courseOf, isFinished, podCondition, podStatus, restartsOf } from './pod-status.ts';

const PODS = '/pods';

/** How fast simulated pods are. All zero: everything happens at once. */
export type Pace = {
  /** From a pod's creation to where it goes. */
  podStart: Duration;
  /** The first back-off of a crashing container and of a Job's failed pod; it doubles. 0: none. */
  backoff: Duration;
  /** Whose annotations and images tell fates. */
  fateDomains: readonly string[];
};

/** Stands in for the scheduler and the kubelet: binds pods, makes them what their fate says, ends them when they are deleted. */
export function runPods(cluster: Cluster, pace: Pace): () => void {
  const { api } = cluster;
  const loop = new Loop(api, (namespace, name) => {
    const pod = cluster.get(PODS, namespace, name);
    if (pod === undefined) return;
    const wait = advance(cluster, pod, pace);
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
function advance(cluster: Cluster, pod: KubeObject, pace: Pace): Duration | undefined {
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (pod.metadata.deletionGracePeriodSeconds !== 0 || (pod.metadata.finalizers ?? []).length === 0) cluster.delete(PODS, pod, 0);
    return undefined;
  }
  if (isFinished(pod)) return undefined;
  const fate = fateOf(pod, pace.fateDomains);
  if (!isBound(pod)) {
    if (mapsOf(mapAt(pod, 'spec'), 'schedulingGates').length > 0)
      return unscheduled(cluster, pod, 'SchedulingGated', 'Scheduling is blocked due to non-empty scheduling gates');
    if (fate === 'unschedulable') return unscheduled(cluster, pod, 'Unschedulable', '0/1 nodes are available: 1 node(s) were told so.');
    return bind(cluster, pod);
  }
  const now = cluster.api.clock.now();
  const left = Date.parse(pod.metadata.creationTimestamp ?? '') + delayOf(pod, pace.podStart, pace.fateDomains) - now;
  if (left > 0) return milliseconds(left);
  return arrive(cluster, pod, courseOf(pod, fate), pace);
}

/** Writes the status of a pod that had the time to get there. */
function arrive(cluster: Cluster, pod: KubeObject, course: Course, { backoff }: Pace): Duration | undefined {
  const now = cluster.api.clock.now();
  const deadline = deadlineOf(pod);
  if (deadline !== undefined && deadline <= now) {
    cluster.setStatus(PODS, pod, {
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
    return undefined;
  }
  const restarts = course === 'looping' ? restartsOf(pod, backoff, now) : { count: 0, left: undefined };
  if (!isSettled(pod, course, restarts.count)) cluster.setStatus(PODS, pod, podStatus(pod, course, cluster.now(), restarts.count, backoff));
  const untilDeadline = deadline === undefined ? undefined : milliseconds(deadline - now);
  if (restarts.left === undefined || untilDeadline === undefined) return restarts.left ?? untilDeadline;
  return restarts.left < untilDeadline ? restarts.left : untilDeadline;
}

function deadlineOf(pod: KubeObject): number | undefined {
  const limit = mapAt(pod, 'spec')?.['activeDeadlineSeconds'];
  const started = mapAt(pod, 'status')?.['startTime'];
  return typeof limit === 'number' && typeof started === 'string' ? Date.parse(started) + limit * 1000 : undefined;
}

const isBound = (pod: KubeObject): boolean => (mapAt(pod, 'spec')?.['nodeName'] ?? '') !== '';

function bind(cluster: Cluster, pod: KubeObject): undefined {
  cluster.update(
    PODS,
    pod,
    (draft) => {
      (draft['spec'] as Draft0)['nodeName'] = 'sandbox';
    },
    'binding',
  );
}

function unscheduled(cluster: Cluster, pod: KubeObject, reason: string, message: string): undefined {
  const conditions = mapsOf(mapAt(pod, 'status'), 'conditions');
  if (hasCondition(conditions, 'PodScheduled', 'False')) return;
  const [condition = {}] = withCondition([], { type: 'PodScheduled', status: 'False', reason, message }, cluster.now());
  cluster.setStatus(PODS, pod, { conditions: [...conditions, podCondition(condition, pod)] });
}

function isSettled(pod: KubeObject, course: Course, restarts: number): boolean {
  const status = mapAt(pod, 'status');
  if (status?.['observedGeneration'] !== pod.metadata.generation) return false;
  if (status?.['phase'] !== (course === 'pulling' ? 'Pending' : 'Running')) return false;
  const statuses = mapsOf(status, 'containerStatuses');
  const same = mapsOf(mapAt(pod, 'spec'), 'containers').every((container) =>
    statuses.some((it) => it['name'] === container['name'] && it['image'] === container['image'] && it['restartCount'] === restarts),
  );
  if (!same || course === 'succeeded' || course === 'failed') return false;
  const gates = mapsOf(mapAt(pod, 'spec'), 'readinessGates');
  const conditions = mapsOf(status, 'conditions');
  const open = gates.every((gate) => hasCondition(conditions, String(gate['conditionType']), 'True'));
  return hasCondition(conditions, 'Ready', course === 'running' && open ? 'True' : 'False');
}
