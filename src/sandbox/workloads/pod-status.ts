import { createHash } from 'node:crypto';
import { type Duration, formatDuration, milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { withCondition } from './conditions.ts';
import type { Fate } from './fate.ts';

/** Where a pod is going: its fate under its restart policy. */
export type Course = 'running' | 'unready' | 'succeeded' | 'failed' | 'looping' | 'pulling';

/** The longest a kubelet waits before it starts a crashing container again. */
const LONGEST_BACKOFF = 300_000;
/** Restarts of a container that crashes when no time passes between them. */
const INSTANT_RESTARTS = 5;

/** Containers restart in place unless the policy is Never; those that exit well restart under Always only. */
export function courseOf(pod: KubeObject, fate: Fate): Course {
  const policy = mapAt(pod, 'spec')?.['restartPolicy'];
  if (fate === 'unready') return 'unready';
  if (fate === 'ready') return policy === 'Always' ? 'running' : 'succeeded';
  if (fate === 'crash' || fate === 'fail') return policy === 'Never' ? 'failed' : 'looping';
  return 'pulling';
}

/** True when a pod's status says that it will not change any more. */
export function isFinished(pod: KubeObject): boolean {
  const phase = mapAt(pod, 'status')?.['phase'];
  return phase === 'Succeeded' || phase === 'Failed';
}

/** How often a crashing pod's containers have restarted, and how long until they do again (undefined: never). */
export function restartsOf(pod: KubeObject, base: Duration, now: number): { count: number; left: Duration | undefined } {
  const [first] = mapsOf(mapAt(pod, 'status'), 'containerStatuses');
  const ended = Date.parse(String(mapAt(mapAt(first, 'lastState'), 'terminated')?.['finishedAt'] ?? ''));
  const count = Number(first?.['restartCount'] ?? 0);
  if (base === 0) return { count: INSTANT_RESTARTS, left: undefined };
  if (count === 0 || Number.isNaN(ended)) return { count: 1, left: backoffAfter(1, base) };
  const left = ended + backoffAfter(count, base) - now;
  return left > 0 ? { count, left: milliseconds(left) } : { count: count + 1, left: backoffAfter(count + 1, base) };
}

/** What a kubelet waits after a number of restarts. */
export function backoffAfter(restarts: number, base: Duration): Duration {
  return milliseconds(Math.min(LONGEST_BACKOFF, base * 2 ** Math.min(30, restarts - 1)));
}

/** The status of a pod that got where it goes. `now` is a time as the API writes it. */
export function podStatus(pod: KubeObject, course: Course, now: string, restarts: number, base: Duration): Record<string, unknown> {
  const spec = mapAt(pod, 'spec') ?? {};
  const before = mapAt(pod, 'status') ?? {};
  const containers = mapsOf(spec, 'containers');
  const startTime = before['startTime'] ?? now;
  const gatesOpen = mapsOf(spec, 'readinessGates').every((gate) =>
    mapsOf(before, 'conditions').some((it) => it['type'] === gate['conditionType'] && it['status'] === 'True'),
  );
  const phase = ({ succeeded: 'Succeeded', failed: 'Failed', pulling: 'Pending' } as Partial<Record<Course, string>>)[course] ?? 'Running';
  const ready = course === 'running';
  const state = (container: Draft0): Draft0 => stateOf(pod, container, course, { now, startTime, restarts, base });
  const status = (container: Draft0, own: Draft0, isReady: boolean): Draft0 =>
    containerStatus(pod, container, own, { ready: isReady, restarts: course === 'looping' ? restarts : 0, now, startTime });
  const done = { terminated: { exitCode: 0, reason: 'Completed', startedAt: startTime, finishedAt: now } };
  const ip = addressOf(pod);
  return {
    observedGeneration: pod.metadata.generation,
    phase,
    conditions: conditionsOf(pod, containers, { course, ready, gatesOpen, now }),
    ...(mapsOf(spec, 'initContainers').length === 0
      ? {}
      : {
          initContainerStatuses: mapsOf(spec, 'initContainers').map((it) =>
            it['restartPolicy'] === 'Always' || course === 'pulling' ? status(it, state(it), ready) : status(it, done, true),
          ),
        }),
    containerStatuses: containers.map((it) => status(it, state(it), ready)),
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    ...(course === 'pulling' ? {} : { podIP: ip, podIPs: [{ ip }] }),
    startTime,
  };
}

type Moment = { now: string; startTime: unknown; restarts: number; base: Duration };

function stateOf(pod: KubeObject, container: Draft0, course: Course, { now, startTime, restarts, base }: Moment): Draft0 {
  switch (course) {
    case 'succeeded':
      return { terminated: { exitCode: 0, reason: 'Completed', startedAt: startTime, finishedAt: now } };
    case 'failed':
      return { terminated: { exitCode: 1, reason: 'Error', startedAt: startTime, finishedAt: now } };
    case 'pulling':
      return { waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image ${JSON.stringify(container['image'])}` } };
    case 'looping': {
      const wait = base === 0 ? '5m0s' : formatDuration(backoffAfter(restarts, base));
      const { name, namespace = '', uid = '' } = pod.metadata;
      const what = `failed container=${String(container['name'])} pod=${name}_${namespace}(${uid})`;
      return { waiting: { reason: 'CrashLoopBackOff', message: `back-off ${wait} restarting ${what}` } };
    }
    default:
      return { running: { startedAt: startTime } };
  }
}

function containerStatus(
  pod: KubeObject,
  container: Draft0,
  state: Draft0,
  { ready, restarts, now, startTime }: { ready: boolean; restarts: number; now: string; startTime: unknown },
): Draft0 {
  return {
    name: container['name'],
    image: container['image'],
    imageID: `sandbox://${String(container['image'])}`,
    containerID: `sandbox://${pod.metadata.uid}/${String(container['name'])}`,
    ready,
    started: state['running'] !== undefined,
    restartCount: restarts,
    state,
    lastState: restarts > 0 ? { terminated: { exitCode: 1, reason: 'Error', startedAt: startTime, finishedAt: now } } : {},
  };
}

type Situation = { course: Course; ready: boolean; gatesOpen: boolean; now: string };

function conditionsOf(pod: KubeObject, containers: readonly Draft0[], { course, ready, gatesOpen, now }: Situation): Draft0[] {
  const names = containers.map((it) => String(it['name'])).join(' ');
  const unready: Draft0 =
    course === 'succeeded'
      ? { reason: 'PodCompleted' }
      : course === 'failed'
        ? { reason: 'PodFailed' }
        : { reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` };
  const gated: Draft0 = { reason: 'ReadinessGatesNotReady', message: 'a readiness gate of the pod is not open' };
  const started = course !== 'pulling';
  const wanted: [string, boolean, Draft0][] = [
    ['PodReadyToStartContainers', started, {}],
    ['Initialized', started || mapsOf(mapAt(pod, 'spec'), 'initContainers').length === 0, unready],
    ['Ready', ready && gatesOpen, ready ? gated : unready],
    ['ContainersReady', ready, unready],
    ['PodScheduled', true, {}],
  ];
  let list = mapsOf(mapAt(pod, 'status'), 'conditions');
  for (const [type, holds, otherwise] of wanted) {
    const condition = { type, status: holds ? 'True' : 'False', ...(holds ? {} : otherwise) };
    list = withCondition(list, condition, now).map((it) => (it['type'] === type ? podCondition(it, pod) : it));
  }
  return list;
}

/** Conditions of pods have probe times and say which generation they are of. */
export function podCondition(condition: Draft0, pod: KubeObject): Draft0 {
  const { lastUpdateTime: _, ...rest } = condition;
  return { ...rest, lastProbeTime: null, observedGeneration: pod.metadata.generation };
}

function addressOf(pod: KubeObject): string {
  const [a = 0, b = 0] = createHash('sha256')
    .update(pod.metadata.uid ?? '')
    .digest();
  return `10.244.${a}.${b}`;
}
