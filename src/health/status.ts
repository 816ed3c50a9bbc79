import { parseApiVersion, type KubeObject } from '../manifest/index.ts';
import { conditionsOf, fieldAt, integerAt, isRecord, textAt, type Condition } from './fields.ts';
import type { ComputeOptions, HealthResult, HealthStatus } from './result.ts';

type Rule = (object: KubeObject, options: ComputeOptions) => HealthResult;

/** Kinds with rules of their own, by `group/kind` (kstatus README, "Statuses of built-in types"). Everything else goes by its conditions. */
const RULES: Readonly<Record<string, Rule>> = {
  '/Service': service,
  '/Pod': pod,
  '/Secret': alwaysReady,
  '/ConfigMap': alwaysReady,
  '/PersistentVolumeClaim': claim,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'apps/Deployment': deployment,
  'apps/ReplicaSet': replicaSet,
  'extensions/DaemonSet': daemonSet,
  'extensions/Deployment': deployment,
  'extensions/ReplicaSet': replicaSet,
  'policy/PodDisruptionBudget': () => result('Current', 'AllowedDisruptions has been computed.'),
  'batch/CronJob': alwaysReady,
  'batch/Job': job,
  'apiextensions.k8s.io/CustomResourceDefinition': definition,
};

/**
 * The health of one object from its own fields, by kstatus' rules: pure, needs the whole object with its status.
 * Jobs follow Flux's stricter rule (KB82): Current only when complete or suspended.
 */
export function computeStatus(object: KubeObject, options: ComputeOptions): HealthResult {
  const generic = genericStatus(object);
  const key = `${parseApiVersion(object.apiVersion).group}/${object.kind}`;
  // KB82: Flux's Job reader does not look at the generic properties.
  if (key === 'batch/Job' && generic?.status !== 'Terminating') return job(object);
  if (generic !== undefined) return generic;
  const rule = Object.hasOwn(RULES, key) ? RULES[key] : undefined;
  return rule?.(object, options) ?? readyStatus(object);
}

function genericStatus(object: KubeObject): HealthResult | undefined {
  if ((object.metadata.deletionTimestamp ?? '') !== '') return result('Terminating', 'Resource scheduled for deletion');
  const { generation } = object.metadata;
  const observed = fieldAt(object, 'status', 'observedGeneration');
  if (typeof generation === 'number' && typeof observed === 'number' && observed !== generation) {
    return inProgress(`${object.kind} generation is ${generation}, but latest observed generation is ${observed}`);
  }
  for (const condition of conditionsOf(object)) {
    if (condition.type === 'Reconciling' && condition.status === 'True') return inProgress(condition.message);
    if (condition.type === 'Stalled' && condition.status === 'True') return result('Failed', condition.message);
  }
  return undefined;
}

function readyStatus(object: KubeObject): HealthResult {
  const ready = conditionsOf(object).find(({ type, status }) => type === 'Ready' && KNOWN_STATUS.has(status));
  if (ready === undefined) return result('Current', 'Resource is current');
  return ready.status === 'True' ? result('Current', 'Resource is Ready') : inProgress(ready.message);
}

const KNOWN_STATUS: ReadonlySet<string> = new Set(['True', 'False', 'Unknown']);

function alwaysReady(): HealthResult {
  return result('Current', 'Resource is always ready');
}

function service(object: KubeObject): HealthResult {
  const balancer = textAt(object, ['spec', 'type'], 'ClusterIP') === 'LoadBalancer';
  if (balancer && textAt(object, ['spec', 'clusterIP'], '') === '') return inProgress('ClusterIP not set. Service type: LoadBalancer');
  return result('Current', 'Service is ready');
}

function claim(object: KubeObject): HealthResult {
  const phase = textAt(object, ['status', 'phase'], 'unknown');
  return phase === 'Bound' ? result('Current', 'PVC is Bound') : inProgress(`PVC is not Bound. phase: ${phase}`);
}

function statefulSet(object: KubeObject): HealthResult {
  if (textAt(object, ['spec', 'updateStrategy', 'type'], '') === 'OnDelete') {
    return result('Current', 'StatefulSet is using the ondelete update strategy');
  }
  const want = integerAt(object, ['spec', 'replicas'], 1);
  const count = (field: string): number => integerAt(object, ['status', field], 0);
  const partition = integerAt(object, ['spec', 'updateStrategy', 'rollingUpdate', 'partition'], -1);
  if (want > count('replicas')) return inProgress(`Replicas: ${count('replicas')}/${want}`);
  if (want > count('readyReplicas')) return inProgress(`Ready: ${count('readyReplicas')}/${want}`);
  if (count('replicas') > want) return inProgress(`Pending termination: ${count('replicas') - want}`);
  const updated = count('updatedReplicas');
  if (partition !== -1) {
    if (updated < want - partition) return inProgress(`updated: ${updated}/${want - partition}`);
    return result('Current', `Partition rollout complete. updated: ${updated}`);
  }
  if (want > count('currentReplicas')) return inProgress(`current: ${count('currentReplicas')}/${want}`);
  if (textAt(object, ['status', 'currentRevision'], '') !== textAt(object, ['status', 'updateRevision'], '')) {
    return inProgress('Waiting for updated revision to match current');
  }
  return result('Current', `All replicas scheduled as expected. Replicas: ${count('replicas')}`);
}

/** Without a progress deadline (or with Kubernetes' stand-in for none) the controller sets no Progressing condition. */
const NO_DEADLINE = 2 ** 31 - 1;

function deployment(object: KubeObject): HealthResult {
  let progressing = integerAt(object, ['spec', 'progressDeadlineSeconds'], NO_DEADLINE) === NO_DEADLINE;
  let available = false;
  for (const condition of conditionsOf(object)) {
    if (condition.type === 'Progressing') {
      if (condition.reason === 'ProgressDeadlineExceeded') return result('Failed', 'Progress deadline exceeded');
      if (condition.status === 'True' && condition.reason === 'NewReplicaSetAvailable') progressing = true;
    }
    if (condition.type === 'Available' && condition.status === 'True') available = true;
  }
  const want = integerAt(object, ['spec', 'replicas'], 1);
  const count = (field: string): number => integerAt(object, ['status', field], 0);
  const updated = count('updatedReplicas');
  if (want > count('replicas')) return inProgress(`Replicas: ${count('replicas')}/${want}`);
  if (want > updated) return inProgress(`Updated: ${updated}/${want}`);
  if (count('replicas') > want) return inProgress(`Pending termination: ${count('replicas') - want}`);
  if (updated > count('availableReplicas')) return inProgress(`Available: ${count('availableReplicas')}/${updated}`);
  if (want > count('readyReplicas')) return inProgress(`Ready: ${count('readyReplicas')}/${want}`);
  if (!progressing) return inProgress('ReplicaSet not Available');
  if (!available) return inProgress('Deployment not Available');
  return result('Current', `Deployment is available. Replicas: ${count('replicas')}`);
}

function replicaSet(object: KubeObject): HealthResult {
  const failing = conditionsOf(object).some(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  if (failing) return inProgress('Replica Failure condition. Check Pods');
  const want = integerAt(object, ['spec', 'replicas'], 1);
  const count = (field: string): number => integerAt(object, ['status', field], 0);
  if (want > count('fullyLabeledReplicas')) return inProgress(`Labelled: ${count('fullyLabeledReplicas')}/${want}`);
  if (want > count('availableReplicas')) return inProgress(`Available: ${count('availableReplicas')}/${want}`);
  if (want > count('readyReplicas')) return inProgress(`Ready: ${count('readyReplicas')}/${want}`);
  if (count('replicas') > want) return inProgress(`Pending termination: ${count('replicas') - want}`);
  return result('Current', `ReplicaSet is available. Replicas: ${count('replicas')}`);
}

function daemonSet(object: KubeObject): HealthResult {
  if (typeof object.metadata.generation !== 'number') return inProgress(`${object.kind} metadata.generation not found`);
  if (typeof fieldAt(object, 'status', 'observedGeneration') !== 'number')
    return inProgress(`${object.kind} status.observedGeneration not found`);
  const want = integerAt(object, ['status', 'desiredNumberScheduled'], -1);
  const count = (field: string): number => integerAt(object, ['status', field], 0);
  if (want === -1) return inProgress('Missing .status.desiredNumberScheduled');
  if (want > count('currentNumberScheduled')) return inProgress(`Current: ${count('currentNumberScheduled')}/${want}`);
  if (want > count('updatedNumberScheduled')) return inProgress(`Updated: ${count('updatedNumberScheduled')}/${want}`);
  if (want > count('numberAvailable')) return inProgress(`Available: ${count('numberAvailable')}/${want}`);
  if (want > count('numberReady')) return inProgress(`Ready: ${count('numberReady')}/${want}`);
  return result('Current', `All replicas scheduled as expected. Replicas: ${want}`);
}

/** A Pod may stay unscheduled this long before that counts as a failure, in milliseconds. */
const SCHEDULE_WINDOW = 15_000;

function pod(object: KubeObject, { now }: ComputeOptions): HealthResult {
  const conditions = conditionsOf(object);
  const phase = textAt(object, ['status', 'phase'], '');
  switch (phase) {
    case 'Succeeded':
      return result('Current', 'Pod has completed successfully');
    case 'Failed':
      return result('Current', 'Pod has completed, but not successfully');
    case 'Running': {
      if (conditions.some(({ type, status }) => type === 'Ready' && status === 'True')) return result('Current', 'Pod is Ready');
      const looping = crashLooping(object);
      if (looping.length > 0) return result('Failed', `Containers in CrashLoop state: ${looping.join(',')}`);
      return inProgress('Pod is running but is not Ready');
    }
    case 'Pending': {
      if (!isUnschedulable(conditions)) return inProgress('Pod is in the Pending phase');
      const created = Date.parse(object.metadata.creationTimestamp ?? '');
      return now - SCHEDULE_WINDOW < created ? inProgress('Pod has not been scheduled') : result('Failed', 'Pod could not be scheduled');
    }
    case '':
      return inProgress('Pod phase not available');
    default:
      return result('Unknown', `unknown phase ${phase}`);
  }
}

function crashLooping(object: KubeObject): string[] {
  const statuses = fieldAt(object, 'status', 'containerStatuses');
  if (!Array.isArray(statuses)) return [];
  return statuses.filter(isRecord).flatMap((status) => {
    const state = isRecord(status['state']) ? status['state'] : {};
    const waiting = isRecord(state['waiting']) ? state['waiting'] : {};
    return waiting['reason'] === 'CrashLoopBackOff' ? [String(status['name'])] : [];
  });
}

/** True when the scheduler found no place for the Pod. */
function isUnschedulable(conditions: readonly Condition[]): boolean {
  return conditions.some(({ type, status, reason }) => type === 'PodScheduled' && status === 'False' && reason === 'Unschedulable');
}

/** KB82, as fluxcd/pkg's Job reader: running is not enough. */
function job(object: KubeObject): HealthResult {
  if (fieldAt(object, 'spec', 'suspend') === true) return result('Current', 'Job is suspended');
  const parallelism = integerAt(object, ['spec', 'parallelism'], 1);
  const completions = integerAt(object, ['spec', 'completions'], parallelism);
  const count = (field: string): number => integerAt(object, ['status', field], 0);
  for (const { type, status } of conditionsOf(object)) {
    if (type === 'Complete' && status === 'True')
      return result('Current', `Job Completed. succeeded: ${count('succeeded')}/${completions}`);
    if (type === 'Failed' && status === 'True') return result('Failed', `Job Failed. failed: ${count('failed')}/${completions}`);
  }
  if (textAt(object, ['status', 'startTime'], '') === '') return inProgress(`Job not started. active: 0/${parallelism}`);
  return inProgress(`Job in progress. success:${count('succeeded')}, active: ${count('active')}, failed: ${count('failed')}`);
}

function definition(object: KubeObject): HealthResult {
  for (const { type, status, reason, message } of conditionsOf(object)) {
    if (type === 'NamesAccepted' && status === 'False') return result('Failed', message);
    if (type !== 'Established') continue;
    if (status === 'False' && reason !== 'Installing') return result('Failed', message);
    if (status === 'True') return result('Current', 'CRD is established');
  }
  return inProgress('Install in progress');
}

/**
 * What failing Pods say about the StatefulSet or ReplicaSet that owns them: while it is in progress, a Pod that has failed for good makes
 * it Failed. Pods being deleted and Pods waiting to be scheduled do not count (an autoscaler may still help).
 */
export function withPods(owner: HealthResult, pods: readonly KubeObject[], options: ComputeOptions): HealthResult {
  if (owner.status !== 'InProgress') return owner;
  const failed = pods.filter((each) => {
    if (each.metadata.deletionTimestamp !== undefined || isUnschedulable(conditionsOf(each))) return false;
    return computeStatus(each, options).status === 'Failed';
  });
  return failed.length === 0 ? owner : result('Failed', `${failed.length} pods have failed`);
}

function inProgress(message: string): HealthResult {
  return result('InProgress', message);
}

function result(status: HealthStatus, message: string): HealthResult {
  return { status, message };
}
