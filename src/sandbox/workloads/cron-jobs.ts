import { milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop, ownerReference } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { hasCondition } from './conditions.ts';
import { parseSchedule, type Schedule } from './cron-schedule.ts';

const CRON_JOBS = 'batch/cronjobs';
const JOBS = 'batch/jobs';
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';
/** Missed times that are looked through for the latest one. */
const MISSED_LIMIT = 100_000;

/** The CronJob controller: a Job at each time of the schedule, and no more of the finished ones than the history keeps. */
export function runCronJobs(cluster: Cluster): () => void {
  const { api } = cluster;
  const loop = new Loop(api, (namespace, name) => {
    const cronJob = cluster.get(CRON_JOBS, namespace, name);
    if (cronJob === undefined || cronJob.metadata.deletionTimestamp !== undefined) return;
    const again = reconcile(cluster, cronJob);
    if (again !== undefined) loop.touch(cronJob, milliseconds(again));
  });
  const stops = [
    api.store.watch(CRON_JOBS, undefined, (change) => loop.touch(change.object)),
    api.store.watch(JOBS, undefined, (change) => {
      const owner = controllerOf(change.object);
      if (owner?.kind === 'CronJob') loop.touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
  ];
  for (const it of cluster.list(CRON_JOBS)) loop.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    loop.close();
  };
}

const conditionsOf = (job: KubeObject): Draft0[] => mapsOf(mapAt(job, 'status'), 'conditions');
const isComplete = (job: KubeObject): boolean => hasCondition(conditionsOf(job), 'Complete', 'True');
const isFailed = (job: KubeObject): boolean => hasCondition(conditionsOf(job), 'Failed', 'True');

/** One pass; gives in how many milliseconds the next time comes. */
function reconcile(cluster: Cluster, cronJob: KubeObject): number | undefined {
  const spec = mapAt(cronJob, 'spec') ?? {};
  const owned = cluster.ownedBy(JOBS, cronJob);
  trimHistory(cluster, spec, owned);
  const schedule = parseSchedule(String(spec['schedule'] ?? ''), typeof spec['timeZone'] === 'string' ? spec['timeZone'] : 'UTC');
  const { due, next } = spec['suspend'] === true || schedule === undefined ? {} : dueTime(cluster, cronJob, schedule);
  const started = due === undefined ? undefined : start(cluster, cronJob, due);
  writeStatus(cluster, cronJob, started === undefined ? undefined : due);
  return next === undefined ? undefined : next - cluster.api.clock.now();
}

/** The latest time that is due and not yet served, and the next one to come. */
function dueTime(cluster: Cluster, cronJob: KubeObject, schedule: Schedule): { due?: number; next?: number } {
  const spec = mapAt(cronJob, 'spec') ?? {};
  const now = cluster.api.clock.now();
  const served = mapAt(cronJob, 'status')?.['lastScheduleTime'];
  const deadline = spec['startingDeadlineSeconds'];
  const since = Date.parse(String(served ?? cronJob.metadata.creationTimestamp));
  const earliest = typeof deadline === 'number' ? Math.max(since, now - deadline * 1000) : since;
  let due: number | undefined;
  let time = schedule.next(earliest);
  for (let i = 0; time !== undefined && time <= now && i < MISSED_LIMIT; i++) {
    due = time;
    time = schedule.next(time);
  }
  const late = due !== undefined && typeof deadline === 'number' && due + deadline * 1000 < now;
  return { ...(due === undefined || late ? {} : { due }), ...(time === undefined ? {} : { next: time }) };
}

/** Creates the Job of a time, unless the concurrency policy forbids it; gives the Job. */
function start(cluster: Cluster, cronJob: KubeObject, due: number): KubeObject | undefined {
  const spec = mapAt(cronJob, 'spec') ?? {};
  const active = cluster.ownedBy(JOBS, cronJob).filter((it) => !isComplete(it) && !isFailed(it));
  if (spec['concurrencyPolicy'] === 'Forbid' && active.length > 0) return undefined;
  if (spec['concurrencyPolicy'] === 'Replace') for (const job of active) cluster.delete(JOBS, job);
  const template = mapAt(spec, 'jobTemplate') ?? {};
  const metadata = mapAt(template, 'metadata') ?? {};
  const namespace = cronJob.metadata.namespace ?? '';
  const name = `${cronJob.metadata.name.slice(0, 52)}-${Math.floor(due / 60_000)}`;
  const job: KubeObject = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace,
      labels: { ...(mapAt(metadata, 'labels') as Record<string, string> | undefined) },
      annotations: {
        ...(mapAt(metadata, 'annotations') as Record<string, string> | undefined),
        [SCHEDULED_AT]: `${new Date(due).toISOString().slice(0, 19)}Z`,
      },
      ownerReferences: [ownerReference(cronJob)],
    },
    spec: structuredClone(mapAt(template, 'spec') ?? {}),
  };
  return cluster.create(JOBS, job) ?? cluster.get(JOBS, namespace, name);
}

function writeStatus(cluster: Cluster, cronJob: KubeObject, scheduled: number | undefined): void {
  const owned = cluster.ownedBy(JOBS, cronJob);
  const active = owned
    .filter((it) => !isComplete(it) && !isFailed(it))
    .map(({ metadata }) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      name: metadata.name,
      namespace: metadata.namespace,
      resourceVersion: metadata.resourceVersion,
      uid: metadata.uid,
    }));
  const before = mapAt(cronJob, 'status') ?? {};
  const known = new Map(mapsOf(before, 'active').map((it) => [it['uid'], it]));
  const ended = owned.filter(isComplete).map((it) => String(mapAt(it, 'status')?.['completionTime'] ?? ''));
  const lastSuccess = [...ended, String(before['lastSuccessfulTime'] ?? '')].sort().at(-1) ?? '';
  const status: Draft0 = {
    ...(active.length === 0 ? {} : { active: active.map((it) => known.get(it.uid) ?? it) }),
    ...(scheduled === undefined
      ? before['lastScheduleTime'] === undefined
        ? {}
        : { lastScheduleTime: before['lastScheduleTime'] }
      : { lastScheduleTime: `${new Date(scheduled).toISOString().slice(0, 19)}Z` }),
    ...(lastSuccess === '' ? {} : { lastSuccessfulTime: lastSuccess }),
  };
  cluster.update(
    CRON_JOBS,
    cronJob,
    (draft) => {
      draft['status'] = status;
    },
    'status',
  );
}

function trimHistory(cluster: Cluster, spec: Draft0, owned: readonly KubeObject[]): void {
  const startOf = (job: KubeObject): string => String(mapAt(job, 'status')?.['startTime'] ?? job.metadata.creationTimestamp);
  for (const [field, belongs, usual] of [
    ['successfulJobsHistoryLimit', isComplete, 3],
    ['failedJobsHistoryLimit', isFailed, 1],
  ] as const) {
    const jobs = owned.filter(belongs).sort((a, b) => startOf(a).localeCompare(startOf(b)));
    for (const job of jobs.slice(0, Math.max(0, jobs.length - Number(spec[field] ?? usual)))) cluster.delete(JOBS, job);
  }
}
