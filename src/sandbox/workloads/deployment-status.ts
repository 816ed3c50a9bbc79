import type { KubeObject } from '../../manifest/index.ts';
import type { Cluster } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { withCondition } from './conditions.ts';
import { dropZeros } from './pod-of.ts';
import { leewayOf } from './rolling.ts';

const DEPLOYMENTS = 'apps/deployments';
/** The progress deadline that means none. */
const NO_DEADLINE = 2_147_483_647;

const PROGRESS_REASONS = {
  created: 'NewReplicaSetCreated',
  found: 'FoundNewReplicaSet',
  updated: 'ReplicaSetUpdated',
  available: 'NewReplicaSetAvailable',
  late: 'ProgressDeadlineExceeded',
  paused: 'DeploymentPaused',
  resumed: 'DeploymentResumed',
} as const;

/** How many pods a workload wants. */
export const replicasOf = (object: KubeObject): number => Number(mapAt(object, 'spec')?.['replicas'] ?? 0);
/** A counter of a status; 0 when it is absent. */
export const statusNumber = (object: KubeObject | undefined, field: string): number => Number(mapAt(object, 'status')?.[field] ?? 0);

/** What a status is written from. `noted` is a Progressing condition that this pass has already decided on. */
export type Rollout = {
  deployment: KubeObject;
  current: KubeObject | undefined;
  old: readonly KubeObject[];
  noted: 'created' | 'found' | 'paused' | 'resumed' | undefined;
};

/** Writes a Deployment's status; gives in how many milliseconds its progress deadline passes. */
export function writeDeploymentStatus(cluster: Cluster, rollout: Rollout): number | undefined {
  const { deployment, current, old } = rollout;
  const all = current === undefined ? old : [current, ...old];
  const sum = (field: string): number => all.reduce((total, it) => total + statusNumber(it, field), 0);
  const available = sum('availableReplicas');
  const counts = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum('replicas'),
    updatedReplicas: statusNumber(current, 'replicas'),
    readyReplicas: sum('readyReplicas'),
    availableReplicas: available,
    terminatingReplicas: sum('terminatingReplicas'),
    unavailableReplicas: Math.max(0, all.reduce((total, it) => total + replicasOf(it), 0) - available),
  };
  const now = cluster.now();
  const before = mapsOf(mapAt(deployment, 'status'), 'conditions');
  const availability = availableCondition(deployment, available);
  const conditions =
    rollout.noted === 'paused'
      ? withCondition(progress(before, rollout, counts, now), availability, now)
      : progress(withCondition(before, availability, now), rollout, counts, now);
  const collisionCount = mapAt(deployment, 'status')?.['collisionCount'];
  cluster.update(
    DEPLOYMENTS,
    deployment,
    (draft) => {
      draft['status'] = {
        ...dropZeros({ ...counts }, 'terminatingReplicas'),
        conditions,
        ...(collisionCount === undefined ? {} : { collisionCount }),
      };
    },
    'status',
  );
  return untilLate(deployment, conditions, cluster.api.clock.now());
}

function availableCondition(deployment: KubeObject, available: number): Draft0 {
  const wanted = replicasOf(deployment);
  const strategy = mapAt(mapAt(deployment, 'spec'), 'strategy');
  const spared = strategy?.['type'] === 'RollingUpdate' ? leewayOf(mapAt(strategy, 'rollingUpdate'), wanted).maxUnavailable : 0;
  return available >= wanted - spared
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

type Counts = Readonly<Record<string, number>>;

/** The conditions with the right Progressing: complete, moving, or late. */
function progress(conditions: readonly Draft0[], rollout: Rollout, counts: Counts, now: string): Draft0[] {
  const { deployment, current, noted } = rollout;
  if (deadlineOf(deployment) === undefined) return conditions.filter((it) => it['type'] !== 'Progressing');
  const before = conditions.find((it) => it['type'] === 'Progressing');
  const name = current?.metadata.name ?? deployment.metadata.name;
  const set = (status: string, why: keyof typeof PROGRESS_REASONS, message: string): Draft0[] =>
    withCondition(conditions, { type: 'Progressing', status, reason: PROGRESS_REASONS[why], message }, now);
  if (noted === 'paused' || noted === 'resumed') {
    if (before?.['reason'] === PROGRESS_REASONS.late) return [...conditions];
    return set('Unknown', noted, `Deployment is ${noted}`);
  }
  const wanted = replicasOf(deployment);
  const complete = counts['updatedReplicas'] === wanted && counts['replicas'] === wanted && counts['availableReplicas'] === wanted;
  if (complete) {
    if (before?.['reason'] === PROGRESS_REASONS.paused && current === undefined) return [...conditions];
    return set('True', 'available', `ReplicaSet "${name}" has successfully progressed.`);
  }
  // Complete once, it is not rolling out any more: pods that come and go later are not progress.
  if (before?.['reason'] === PROGRESS_REASONS.available && counts['replicas'] === counts['updatedReplicas'] && noted === undefined)
    return [...conditions];
  if (noted === 'created') return moved(set('True', 'created', `Created new replica set "${name}"`), now);
  if (noted === 'found') return moved(set('True', 'found', `Found new replica set "${name}"`), now);
  if (isMoving(deployment, counts)) return moved(set('True', 'updated', `ReplicaSet "${name}" is progressing.`), now);
  if (before !== undefined && untilLate(deployment, conditions, Date.parse(now)) === 0)
    return set('False', 'late', `ReplicaSet "${name}" has timed out progressing.`);
  return [...conditions];
}

/** Progress renews the time that the deadline counts from. */
function moved(conditions: Draft0[], now: string): Draft0[] {
  return conditions.map((it) => (it['type'] === 'Progressing' ? { ...it, lastUpdateTime: now } : it));
}

/** True when more pods are updated, ready or available than the status says, or fewer old ones are there. */
function isMoving(deployment: KubeObject, counts: Counts): boolean {
  const was = (field: string): number => statusNumber(deployment, field);
  const more = ['updatedReplicas', 'readyReplicas', 'availableReplicas'].some((field) => (counts[field] ?? 0) > was(field));
  return more || (counts['replicas'] ?? 0) - (counts['updatedReplicas'] ?? 0) < was('replicas') - was('updatedReplicas');
}

function deadlineOf(deployment: KubeObject): number | undefined {
  const deadline = mapAt(deployment, 'spec')?.['progressDeadlineSeconds'];
  return typeof deadline === 'number' && deadline !== NO_DEADLINE ? deadline : undefined;
}

/** Milliseconds until a Deployment that does not move is late; undefined when it cannot be. */
function untilLate(deployment: KubeObject, conditions: readonly Draft0[], now: number): number | undefined {
  const deadline = deadlineOf(deployment);
  const condition = conditions.find((it) => it['type'] === 'Progressing');
  const { reason } = condition ?? {};
  if (deadline === undefined || condition === undefined || mapAt(deployment, 'spec')?.['paused'] === true) return undefined;
  if (reason === PROGRESS_REASONS.available || reason === PROGRESS_REASONS.late) return undefined;
  return Math.max(0, Date.parse(String(condition['lastUpdateTime'])) + deadline * 1000 - now);
}
