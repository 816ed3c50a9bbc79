import { parseApiVersion, type KubeObject } from '../../../manifest/index.ts';

/** How far an object is, by the rules of Helm 3 (pkg/kube/ready.go). */
export type LegacyVerdict = { kind: 'ready' } | { kind: 'waiting' } | { kind: 'failed'; message: string };

type Rule = (object: KubeObject) => LegacyVerdict;

const READY: LegacyVerdict = { kind: 'ready' };
const WAITING: LegacyVerdict = { kind: 'waiting' };

const RULES: Readonly<Record<string, Rule>> = {
  '/Pod': (object) => when(hasCondition(object, 'Ready')),
  '/PersistentVolumeClaim': (object) => when(at(object, 'status', 'phase') === 'Bound'),
  '/Service': service,
  '/ReplicationController': podsReady,
  'apps/ReplicaSet': podsReady,
  'apps/Deployment': deployment,
  'apps/DaemonSet': daemonSet,
  'apps/StatefulSet': statefulSet,
  'apiextensions.k8s.io/CustomResourceDefinition': (object) =>
    when(hasCondition(object, 'Established') || hasCondition(object, 'NamesAccepted', 'False')),
};

/** Judges one whole object; kinds without a rule are always ready. Jobs only count when they are asked for. */
export function legacyReadiness(object: KubeObject, options: { jobs: boolean }): LegacyVerdict {
  const key = `${parseApiVersion(object.apiVersion).group}/${object.kind}`;
  if (key === 'batch/Job') return options.jobs ? job(object) : READY;
  return (Object.hasOwn(RULES, key) ? RULES[key]?.(object) : undefined) ?? READY;
}

/** What Helm 3 waits for in a hook: Jobs that complete and Pods that succeed. */
export function legacyHookReadiness(object: KubeObject): LegacyVerdict {
  const { name } = object.metadata;
  const key = `${parseApiVersion(object.apiVersion).group}/${object.kind}`;
  if (key === 'batch/Job') {
    if (hasCondition(object, 'Complete')) return READY;
    const failed = conditions(object).find(({ type, status }) => type === 'Failed' && status === 'True');
    return failed === undefined ? WAITING : { kind: 'failed', message: `job ${name} failed: ${String(failed['reason'] ?? '')}` };
  }
  if (key !== '/Pod') return READY;
  const phase = at(object, 'status', 'phase');
  return phase === 'Failed' ? { kind: 'failed', message: `pod ${name} failed` } : when(phase === 'Succeeded');
}

function when(ready: boolean): LegacyVerdict {
  return ready ? READY : WAITING;
}

function service(object: KubeObject): LegacyVerdict {
  if (at(object, 'spec', 'type') === 'ExternalName') return READY;
  if ((at(object, 'spec', 'clusterIP') ?? '') === '') return WAITING;
  if (at(object, 'spec', 'type') !== 'LoadBalancer') return READY;
  const external = at(object, 'spec', 'externalIPs');
  if (Array.isArray(external) && external.length > 0) return READY;
  return when(at(object, 'status', 'loadBalancer', 'ingress') !== undefined);
}

function isObserved(object: KubeObject): boolean {
  return at(object, 'status', 'observedGeneration') === object.metadata.generation;
}

/** Helm also looks at every Pod; their ready count says the same. */
function podsReady(object: KubeObject): LegacyVerdict {
  return when(isObserved(object) && number(object, 0, 'status', 'readyReplicas') >= number(object, 0, 'status', 'replicas'));
}

/** Helm reads the newest ReplicaSet; what of it is ready follows from the Deployment's own counts. */
function deployment(object: KubeObject): LegacyVerdict {
  if (at(object, 'spec', 'paused') === true) return READY;
  if (!isObserved(object)) return WAITING;
  const want = number(object, 1, 'spec', 'replicas');
  const total = number(object, 0, 'status', 'replicas');
  const updated = number(object, 0, 'status', 'updatedReplicas');
  const readyOfNew = number(object, 0, 'status', 'readyReplicas') - (total - updated);
  const expected = want - maxUnavailable(object, want);
  return when(updated >= Math.min(want, Math.max(expected, 1)) && readyOfNew >= expected);
}

function maxUnavailable(object: KubeObject, want: number): number {
  if (want === 0 || at(object, 'spec', 'strategy', 'type') !== 'RollingUpdate') return 0;
  const unavailable = scaled(at(object, 'spec', 'strategy', 'rollingUpdate', 'maxUnavailable'), want, 'down');
  const surge = scaled(at(object, 'spec', 'strategy', 'rollingUpdate', 'maxSurge'), want, 'up');
  // Kubernetes lets at least one Pod go when neither leaves room.
  return Math.min(want, unavailable === 0 && surge === 0 ? 1 : unavailable);
}

function scaled(value: unknown, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const percent = typeof value === 'string' ? /^(\d+)%$/.exec(value)?.[1] : undefined;
  if (percent === undefined) return 0;
  const exact = (Number(percent) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

function daemonSet(object: KubeObject): LegacyVerdict {
  if (!isObserved(object)) return WAITING;
  if (at(object, 'spec', 'updateStrategy', 'type') !== 'RollingUpdate') return READY;
  const want = number(object, 0, 'status', 'desiredNumberScheduled');
  if (number(object, 0, 'status', 'updatedNumberScheduled') !== want) return WAITING;
  const unavailable = scaled(at(object, 'spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable'), want, 'up');
  return when(number(object, 0, 'status', 'numberReady') >= want - unavailable);
}

function statefulSet(object: KubeObject): LegacyVerdict {
  if (!isObserved(object)) return WAITING;
  if (at(object, 'spec', 'updateStrategy', 'type') !== 'RollingUpdate') return READY;
  const want = number(object, 1, 'spec', 'replicas');
  const partition = number(object, 0, 'spec', 'updateStrategy', 'rollingUpdate', 'partition');
  if (number(object, 0, 'status', 'updatedReplicas') < want - partition) return WAITING;
  if (number(object, 0, 'status', 'readyReplicas') !== want) return WAITING;
  return when(partition !== 0 || at(object, 'status', 'currentRevision') === at(object, 'status', 'updateRevision'));
}

function job(object: KubeObject): LegacyVerdict {
  const { name, namespace = '' } = object.metadata;
  if (number(object, 0, 'status', 'failed') > number(object, 6, 'spec', 'backoffLimit')) {
    return { kind: 'failed', message: `job is failed: ${namespace}/${name}` };
  }
  const completions = at(object, 'spec', 'completions');
  return when(typeof completions !== 'number' || number(object, 0, 'status', 'succeeded') >= completions);
}

function hasCondition(object: KubeObject, type: string, status = 'True'): boolean {
  return conditions(object).some((each) => each['type'] === type && each['status'] === status);
}

function conditions(object: KubeObject): Record<string, unknown>[] {
  const list = at(object, 'status', 'conditions');
  return Array.isArray(list) ? list.filter((each) => typeof each === 'object' && each !== null) : [];
}

function number(object: KubeObject, fallback: number, ...path: readonly string[]): number {
  const value = at(object, ...path);
  return typeof value === 'number' ? value : fallback;
}

function at(object: KubeObject, ...path: readonly string[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
