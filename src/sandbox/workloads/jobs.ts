import { type Duration, milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { hasCondition, withCondition } from './conditions.ts';
import { endOf, formatIndexes, isIndexed, type JobEnd, type JobProgress, judge, parseIndexes } from './job-end.ts';
import { createPod, dropZeros, isReady } from './pod-of.ts';
import { isFinished } from './pod-status.ts';

const JOBS = 'batch/jobs';
const PODS = '/pods';
const INDEX = 'batch.kubernetes.io/job-completion-index';
/** The longest wait before a failed pod is replaced. */
const LONGEST_BACKOFF = 600_000;

/** The Job controller: pods until enough have succeeded or too many have failed; finished Jobs go after their time to live. */
export function runJobs(cluster: Cluster, backoff: Duration): () => void {
  const { api } = cluster;
  const tallies = new Tallies();
  const loop = new Loop(api, (namespace, name) => {
    const job = cluster.get(JOBS, namespace, name);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return;
    const again = reconcile(cluster, job, tallies, backoff);
    if (again !== undefined) loop.touch(job, milliseconds(again));
  });
  const stops = [
    api.store.watch(JOBS, undefined, (change) => {
      if (change.type === 'deleted') tallies.drop(change.object);
      loop.touch(change.object);
    }),
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

/** Which finished pods of a Job have been counted: a pod that is deleted afterwards still counts. */
class Tallies {
  readonly #jobs = new Map<string, { succeeded: Set<string>; failed: Set<string>; earlier: { succeeded: number; failed: number } }>();

  /** The numbers of succeeded and failed pods, and which pods failed since the last count. */
  count(
    job: KubeObject,
    succeeded: readonly KubeObject[],
    failed: readonly KubeObject[],
  ): { succeeded: number; failed: number; fresh: KubeObject[] } {
    const uid = job.metadata.uid ?? '';
    const status = mapAt(job, 'status');
    let tally = this.#jobs.get(uid);
    if (tally === undefined) {
      // Counted before this process: what the status says beyond the pods that are still there.
      const beyond = (field: string, there: number): number => Math.max(0, Number(status?.[field] ?? 0) - there);
      const earlier = { succeeded: beyond('succeeded', succeeded.length), failed: beyond('failed', failed.length) };
      this.#jobs.set(uid, (tally = { succeeded: new Set(), failed: new Set(), earlier }));
    }
    for (const pod of succeeded) tally.succeeded.add(pod.metadata.uid ?? '');
    const fresh = failed.filter((pod) => !tally.failed.has(pod.metadata.uid ?? ''));
    for (const pod of failed) tally.failed.add(pod.metadata.uid ?? '');
    return { succeeded: tally.earlier.succeeded + tally.succeeded.size, failed: tally.earlier.failed + tally.failed.size, fresh };
  }

  drop(job: KubeObject): void {
    this.#jobs.delete(job.metadata.uid ?? '');
  }
}

const phaseOf = (pod: KubeObject): unknown => mapAt(pod, 'status')?.['phase'];
const indexOf = (pod: KubeObject): number => Number(pod.metadata.annotations?.[INDEX] ?? -1);

/** One pass over a Job; gives in how many milliseconds it must be looked at again. */
function reconcile(cluster: Cluster, job: KubeObject, tallies: Tallies, backoff: Duration): number | undefined {
  const spec = mapAt(job, 'spec') ?? {};
  const status = mapAt(job, 'status') ?? {};
  if (spec['managedBy'] !== undefined && spec['managedBy'] !== 'kubernetes.io/job-controller') return undefined;
  if (isOver(status)) return timeToLive(cluster, job, spec, status);
  const now = cluster.api.clock.now();
  const suspended = spec['suspend'] === true;
  const startTime = suspended ? undefined : (status['startTime'] ?? cluster.now());
  const progress = progressOf(cluster, job, tallies, startTime === undefined ? 0 : now - Date.parse(String(startTime)));
  const end = endOf(spec, progress);
  let wait: number | undefined;
  if (end !== undefined || suspended) for (const pod of progress.active) cluster.delete(PODS, pod);
  else wait = manage(cluster, job, progress, { backoff, now });
  writeStatus(cluster, job, { progress, end, startTime, suspended });
  const deadline = spec['activeDeadlineSeconds'];
  if (end !== undefined || suspended || typeof deadline !== 'number') return wait;
  return Math.min(wait ?? Infinity, deadline * 1000 - progress.elapsed);
}

function isOver(status: Draft0): boolean {
  const conditions = mapsOf(status, 'conditions');
  return hasCondition(conditions, 'Complete', 'True') || hasCondition(conditions, 'Failed', 'True');
}

function progressOf(cluster: Cluster, job: KubeObject, tallies: Tallies, elapsed: number): JobProgress {
  const spec = mapAt(job, 'spec') ?? {};
  const status = mapAt(job, 'status') ?? {};
  const pods = cluster.ownedBy(PODS, job);
  const succeeded = pods.filter((it) => phaseOf(it) === 'Succeeded');
  const failed = pods.filter((it) => phaseOf(it) === 'Failed' && judge(spec, it)?.action !== 'Ignore');
  const counted = tallies.count(job, succeeded, failed);
  const completions = Number(spec['completions'] ?? 0);
  const completedIndexes = parseIndexes(String(status['completedIndexes'] ?? ''));
  const failedIndexes = parseIndexes(String(status['failedIndexes'] ?? ''));
  if (isIndexed(spec)) {
    for (const pod of succeeded) if (indexOf(pod) < completions) completedIndexes.add(indexOf(pod));
    for (const index of exhaustedIndexes(spec, failed)) failedIndexes.add(index);
  }
  return {
    succeeded: isIndexed(spec) ? completedIndexes.size : counted.succeeded,
    failed: counted.failed,
    active: pods.filter((it) => !isFinished(it) && it.metadata.deletionTimestamp === undefined),
    completedIndexes,
    failedIndexes,
    elapsed,
    freshlyFailed: counted.fresh,
  };
}

function exhaustedIndexes(spec: Draft0, failed: readonly KubeObject[]): number[] {
  const limit = spec['backoffLimitPerIndex'];
  if (typeof limit !== 'number') return [];
  const counts = new Map<number, number>();
  for (const pod of failed) counts.set(indexOf(pod), (counts.get(indexOf(pod)) ?? 0) + 1);
  return [...counts].filter(([, count]) => count > limit).map(([index]) => index);
}

/** Creates and deletes pods; gives how long failures hold back the next one. */
function manage(
  cluster: Cluster,
  job: KubeObject,
  progress: JobProgress,
  { backoff, now }: { backoff: Duration; now: number },
): number | undefined {
  const spec = mapAt(job, 'spec') ?? {};
  const { active, succeeded } = progress;
  const parallelism = Number(spec['parallelism'] ?? 1);
  const completions = spec['completions'];
  const wanted =
    typeof completions === 'number' ? Math.min(parallelism, completions - succeeded) : succeeded > 0 ? active.length : parallelism;
  for (const pod of active.slice(Math.max(0, wanted))) cluster.delete(PODS, pod);
  if (active.length >= wanted) return undefined;
  const wait = heldBack(cluster.ownedBy(PODS, job), backoff, now);
  if (wait > 0) return wait;
  const missing = wanted - active.length;
  if (!isIndexed(spec)) for (let i = 0; i < missing; i++) createPod(cluster, job);
  else for (const index of nextIndexes(progress, Number(completions ?? 0), missing)) createIndexed(cluster, job, index);
  return undefined;
}

function nextIndexes({ active, completedIndexes, failedIndexes }: JobProgress, completions: number, missing: number): number[] {
  const busy = new Set(active.map(indexOf));
  const out: number[] = [];
  for (let i = 0; i < completions && out.length < missing; i++)
    if (!busy.has(i) && !completedIndexes.has(i) && !failedIndexes.has(i)) out.push(i);
  return out;
}

function createIndexed(cluster: Cluster, job: KubeObject, index: number): void {
  createPod(cluster, job, undefined, (pod) => {
    pod.metadata['generateName'] = `${job.metadata.name}-${index}-`;
    pod.metadata.labels = { ...pod.metadata.labels, [INDEX]: String(index) };
    pod.metadata.annotations = { ...pod.metadata.annotations, [INDEX]: String(index) };
    (pod['spec'] as Draft0)['hostname'] = `${job.metadata.name}-${index}`;
  });
}

/** How long the failures since the last success hold back the next pod: a back-off that doubles. */
function heldBack(pods: readonly KubeObject[], base: Duration, now: number): number {
  const endOfPod = (pod: KubeObject): number =>
    Math.max(
      0,
      ...mapsOf(mapAt(pod, 'status'), 'containerStatuses').map(
        (it) => Date.parse(String(mapAt(mapAt(it, 'state'), 'terminated')?.['finishedAt'])) || 0,
      ),
    );
  const lastSuccess = Math.max(0, ...pods.filter((it) => phaseOf(it) === 'Succeeded').map(endOfPod));
  const failures = pods.filter((it) => phaseOf(it) === 'Failed' && endOfPod(it) >= lastSuccess);
  if (failures.length === 0 || base === 0) return 0;
  const wait = Math.min(LONGEST_BACKOFF, base * 2 ** Math.min(30, failures.length - 1));
  return Math.max(0, ...failures.map(endOfPod)) + wait - now;
}

type Verdict = { progress: JobProgress; end: JobEnd | undefined; startTime: unknown; suspended: boolean };

function writeStatus(cluster: Cluster, job: KubeObject, { progress, end, startTime, suspended }: Verdict): void {
  const now = cluster.now();
  const spec = mapAt(job, 'spec') ?? {};
  const conditions = conditionsOf(mapsOf(mapAt(job, 'status'), 'conditions'), end, suspended, now);
  const living = cluster.ownedBy(PODS, job).filter((it) => !isFinished(it) && it.metadata.deletionTimestamp === undefined);
  const indexes = (field: string, set: ReadonlySet<number>, always: boolean): Draft0 =>
    isIndexed(spec) && (always || set.size > 0) ? { [field]: formatIndexes(set) } : {};
  // What the failure of the Job cuts short has failed, too.
  const failed = progress.failed + (end?.type === 'Failed' ? progress.active.length : 0);
  const next: Draft0 = {
    ...dropZeros({ active: end !== undefined || suspended ? 0 : living.length, succeeded: progress.succeeded, failed }),
    ...indexes('completedIndexes', progress.completedIndexes, false),
    ...indexes('failedIndexes', progress.failedIndexes, false),
    ready: living.filter(isReady).length,
    terminating: 0,
    uncountedTerminatedPods: {},
    ...(startTime === undefined ? {} : { startTime }),
    ...(end?.type === 'Complete' ? { completionTime: now } : {}),
    ...(conditions.length === 0 ? {} : { conditions: conditions.map(jobCondition) }),
  };
  cluster.update(
    JOBS,
    job,
    (draft) => {
      draft['status'] = next;
    },
    'status',
  );
}

function conditionsOf(before: readonly Draft0[], end: JobEnd | undefined, suspended: boolean, now: string): Draft0[] {
  const list = suspensionOf(before, suspended, now);
  if (end === undefined) return list;
  const { type, reason, message } = end;
  const first = type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
  return withCondition(
    withCondition(list, { type: first, status: 'True', reason, message }, now),
    { type, status: 'True', reason, message },
    now,
  );
}

function suspensionOf(before: readonly Draft0[], suspended: boolean, now: string): Draft0[] {
  if (suspended) return withCondition(before, { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }, now);
  return hasCondition(before, 'Suspended', 'True')
    ? withCondition(before, { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' }, now)
    : [...before];
}

/** Job conditions have probe times, not update times. */
function jobCondition(condition: Draft0): Draft0 {
  const { lastUpdateTime, ...rest } = condition;
  return { ...rest, lastProbeTime: lastUpdateTime ?? condition['lastProbeTime'] };
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
