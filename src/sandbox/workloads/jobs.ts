import { milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { hasCondition, podsReady, withCondition } from './conditions.ts';
import { createPod, dropZeros } from './deployments.ts';

const JOBS = 'batch/jobs';
const PODS = '/pods';

/** The Job controller: pods until enough have succeeded or too many have failed; finished Jobs go after their time to live. */
export function runJobs(cluster: Cluster): () => void {
  const { api } = cluster;
  const loop = new Loop(api, (namespace, name) => {
    const job = cluster.get(JOBS, namespace, name);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return;
    const again = reconcile(cluster, job);
    if (again !== undefined) loop.touch(job, milliseconds(again));
  });
  const stops = [
    api.store.watch(JOBS, undefined, (change) => loop.touch(change.object)),
    api.store.watch(PODS, undefined, (change) => {
      const owner = controllerOf(change.object);
      if (owner?.kind === 'Job') loop.touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
  ];
  for (const it of cluster.list(JOBS)) loop.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    loop.close();
  };
}

/** One pass over a Job; gives in how many milliseconds it must be looked at again. */
function reconcile(cluster: Cluster, job: KubeObject): number | undefined {
  const spec = mapAt(job, 'spec') ?? {};
  const status = mapAt(job, 'status') ?? {};
  const conditions = mapsOf(status, 'conditions');
  if (hasCondition(conditions, 'Complete', 'True') || hasCondition(conditions, 'Failed', 'True'))
    return timeToLive(cluster, job, spec, status);
  const pods = cluster.ownedBy(PODS, job);
  const phase = (pod: KubeObject): unknown => mapAt(pod, 'status')?.['phase'];
  const succeeded = pods.filter((it) => phase(it) === 'Succeeded').length;
  const failed = pods.filter((it) => phase(it) === 'Failed').length;
  const active = pods.filter((it) => phase(it) !== 'Succeeded' && phase(it) !== 'Failed' && it.metadata.deletionTimestamp === undefined);
  const completions = Number(spec['completions'] ?? 1);
  const suspended = spec['suspend'] === true;
  const exhausted = failed > Number(spec['backoffLimit'] ?? 6);
  const done = succeeded >= completions;
  if (suspended || exhausted || done) for (const pod of active) cluster.delete(PODS, pod);
  else for (let i = active.length; i < Math.min(Number(spec['parallelism'] ?? 1), completions - succeeded); i++) createPod(cluster, job);
  const now = cluster.now();
  const started = status['startTime'] ?? now;
  const list = done
    ? withCondition(
        withCondition(
          conditions,
          {
            type: 'SuccessCriteriaMet',
            status: 'True',
            reason: 'CompletionsReached',
            message: 'Reached expected number of succeeded pods',
          },
          now,
        ),
        { type: 'Complete', status: 'True', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' },
        now,
      )
    : exhausted
      ? withCondition(
          withCondition(
            conditions,
            {
              type: 'FailureTarget',
              status: 'True',
              reason: 'BackoffLimitExceeded',
              message: 'Job has reached the specified backoff limit',
            },
            now,
          ),
          { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' },
          now,
        )
      : suspended
        ? withCondition(conditions, { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }, now)
        : conditions.filter((it) => it['type'] !== 'Suspended');
  const living = cluster
    .ownedBy(PODS, job)
    .filter((it) => phase(it) !== 'Succeeded' && phase(it) !== 'Failed' && it.metadata.deletionTimestamp === undefined);
  const next: Draft0 = {
    ...dropZeros({ active: done || exhausted || suspended ? 0 : living.length, succeeded, failed }),
    ready: podsReady(living),
    terminating: 0,
    uncountedTerminatedPods: {},
    ...(suspended ? {} : { startTime: started }),
    ...(done ? { completionTime: now } : {}),
    ...(list.length === 0 ? {} : { conditions: list.map(jobCondition) }),
  };
  cluster.update(
    JOBS,
    job,
    (draft) => {
      draft['status'] = next;
    },
    'status',
  );
  return undefined;
}

/** Job conditions have probe times, not update times. */
function jobCondition(condition: Draft0): Draft0 {
  const { lastUpdateTime, ...rest } = condition;
  return lastUpdateTime === undefined ? rest : { lastProbeTime: lastUpdateTime, ...rest };
}

function timeToLive(cluster: Cluster, job: KubeObject, spec: Draft0, status: Draft0): number | undefined {
  const ttl = spec['ttlSecondsAfterFinished'];
  if (typeof ttl !== 'number') return undefined;
  const finished = mapsOf(status, 'conditions').find((it) => it['type'] === 'Complete' || it['type'] === 'Failed')?.['lastTransitionTime'];
  const left = Date.parse(String(finished)) + ttl * 1000 - cluster.api.clock.now();
  if (left > 0) return left;
  cluster.delete(JOBS, job);
  return undefined;
}
