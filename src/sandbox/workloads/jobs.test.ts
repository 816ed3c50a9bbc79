import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { KubeObject } from '../../manifest/index.ts';
import { seconds } from '../../std/index.ts';
import { formatIndexes, parseIndexes } from './job-end.ts';
import { type Lab, openLab } from './testing/lab.ts';

const JOBS = 'batch/jobs';
const CRON_JOBS = 'batch/cronjobs';

const job = (spec = '', image = 'example.com/work:1', policy = 'Never'): string => `
apiVersion: batch/v1
kind: Job
metadata: {name: work}
spec:
  ${spec}
  template: {spec: {restartPolicy: ${policy}, containers: [{name: work, image: "${image}"}]}}
`;
const FAIL = 'sandbox.sluice.dev/fail:1';
const HANG = 'sandbox.sluice.dev/hang:1';

describe('Jobs', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());
  const phases = (): unknown[] => lab.list('/pods', 'default').map((item) => (item['status'] as { phase: string }).phase);
  const status = (): Record<string, unknown> => lab.status(JOBS, 'work');
  const patch = async (spec: unknown): Promise<void> => {
    const reply = lab.ask('PATCH', '/apis/batch/v1/namespaces/default/jobs/work', { spec }, 'application/merge-patch+json');
    assert.equal(reply.status, 200);
    await lab.settle();
  };

  it('run as many pods as wanted, so many at a time, and are Complete', async () => {
    let most = 0;
    lab.store.watch('/pods', undefined, () => (most = Math.max(most, Number(status()['active'] ?? 0))));
    await lab.apply(job('{completions: 5, parallelism: 2}'.slice(1, -1).replace(', ', '\n  ')));
    const { succeeded, completionTime, startTime, active } = status();
    assert.deepEqual({ succeeded, active }, { succeeded: 5, active: undefined });
    assert.ok(completionTime !== undefined && startTime !== undefined);
    assert.ok(most <= 2);
    assert.equal(lab.condition(JOBS, 'work', 'Complete'), 'True CompletionsReached: Reached expected number of succeeded pods');
    assert.match(lab.condition(JOBS, 'work', 'SuccessCriteriaMet'), /^True/);
  });

  it('without completions are Complete with the first success, once nobody works', async () => {
    await lab.apply(job('parallelism: 3'));
    assert.equal(status()['succeeded'], 3);
    assert.match(lab.condition(JOBS, 'work', 'Complete'), /^True/);
  });

  it('fail when backoffLimit is exceeded', async () => {
    await lab.apply(job('backoffLimit: 2', FAIL));
    assert.equal(status()['failed'], 3);
    assert.deepEqual(phases(), ['Failed', 'Failed', 'Failed']);
    assert.equal(lab.condition(JOBS, 'work', 'Failed'), 'True BackoffLimitExceeded: Job has reached the specified backoff limit');
    assert.match(lab.condition(JOBS, 'work', 'FailureTarget'), /^True BackoffLimitExceeded/);
  });

  it('hold back the next pod, twice as long each time', async () => {
    lab.close();
    lab = openLab({ backoff: seconds(10) });
    await lab.apply(job('backoffLimit: 3', FAIL));
    const counts: number[] = [];
    for (let i = 0; i < 8; i++) {
      counts.push(phases().length);
      await lab.advance(10);
    }
    assert.deepEqual(counts, [1, 2, 2, 3, 3, 3, 3, 4]);
    assert.match(lab.condition(JOBS, 'work', 'Failed'), /^True BackoffLimitExceeded/);
  });

  it('with restartPolicy OnFailure count restarts', async () => {
    lab.close();
    lab = openLab({ backoff: seconds(1) });
    await lab.apply(job('backoffLimit: 2', FAIL, 'OnFailure'));
    assert.equal(lab.condition(JOBS, 'work', 'Failed'), 'none');
    await lab.advance(5, 1);
    assert.match(lab.condition(JOBS, 'work', 'Failed'), /^True BackoffLimitExceeded/);
    assert.equal(lab.list('/pods', 'default').length, 0);
  });

  it('fail when they are active longer than activeDeadlineSeconds', async () => {
    await lab.apply(job('activeDeadlineSeconds: 30', HANG));
    await lab.advance(29);
    assert.equal(lab.condition(JOBS, 'work', 'Failed'), 'none');
    await lab.advance(1);
    assert.equal(lab.condition(JOBS, 'work', 'Failed'), 'True DeadlineExceeded: Job was active longer than specified deadline');
    assert.deepEqual(phases(), []);
  });

  it('end their pods while suspended and begin anew when resumed', async () => {
    await lab.apply(job('', HANG));
    await patch({ suspend: true });
    assert.equal(lab.condition(JOBS, 'work', 'Suspended'), 'True JobSuspended: Job suspended');
    assert.deepEqual([phases(), status()['startTime'], status()['failed']], [[], undefined, undefined]);
    await lab.advance(60);
    await patch({ suspend: false });
    assert.equal(lab.condition(JOBS, 'work', 'Suspended'), 'False JobResumed: Job resumed');
    assert.deepEqual([phases(), status()['startTime']], [['Running'], '2026-01-01T00:01:00Z']);
  });

  it('go with their pods when their time to live is over', async () => {
    await lab.apply(job('ttlSecondsAfterFinished: 100'));
    await lab.advance(99);
    assert.notEqual(lab.find(JOBS, 'work'), undefined);
    await lab.advance(1);
    assert.deepEqual([lab.find(JOBS, 'work'), phases()], [undefined, []]);
  });

  it('count pods that are deleted after they finished', async () => {
    await lab.apply(job('completions: 3\n  parallelism: 1\n  backoffLimit: 100', FAIL));
    assert.equal(status()['failed'], 101);
    const [pod] = lab.list('/pods', 'default');
    lab.ask('DELETE', `/api/v1/namespaces/default/pods/${pod?.metadata.name}`);
    await lab.settle();
    assert.equal(status()['failed'], 101);
  });

  it('with completionMode Indexed give every pod a number', async () => {
    await lab.apply(job('completionMode: Indexed\n  completions: 3\n  parallelism: 3'));
    assert.equal(status()['completedIndexes'], '0-2');
    assert.deepEqual(
      lab.list('/pods', 'default').map((item) => (item['spec'] as { hostname: string }).hostname),
      ['work-0', 'work-1', 'work-2'],
    );
  });

  it('with backoffLimitPerIndex fail index by index', async () => {
    await lab.apply(job('completionMode: Indexed\n  completions: 2\n  parallelism: 2\n  backoffLimitPerIndex: 1', FAIL));
    assert.deepEqual([status()['failedIndexes'], status()['failed']], ['0,1', 4]);
    assert.equal(lab.condition(JOBS, 'work', 'Failed'), 'True FailedIndexes: Job has failed indexes');
  });

  it('succeed early by successPolicy', async () => {
    const policy = 'successPolicy: {rules: [{succeededIndexes: "0", succeededCount: 1}]}';
    await lab.apply(job(`completionMode: Indexed\n  completions: 5\n  parallelism: 1\n  ${policy}`));
    assert.equal(lab.condition(JOBS, 'work', 'Complete'), 'True SuccessPolicy: Matched rules at index 0');
    assert.equal(status()['completedIndexes'], '0');
  });

  it('fail at once by podFailurePolicy', async () => {
    const policy = 'podFailurePolicy: {rules: [{action: FailJob, onExitCodes: {operator: In, values: [1]}}]}';
    await lab.apply(job(policy, FAIL));
    assert.match(
      lab.condition(JOBS, 'work', 'Failed'),
      /^True PodFailurePolicy: Container work for pod default\/work-\w+ failed with exit code 1 matching FailJob rule at index 0$/,
    );
  });
});

describe('sets of indexes', () => {
  it('are written in runs and read back', () => {
    assert.equal(formatIndexes(new Set([4, 0, 1, 2, 7, 8])), '0-2,4,7,8');
    assert.deepEqual([...parseIndexes('0-2,5')], [0, 1, 2, 5]);
    assert.deepEqual([...parseIndexes('')], []);
    assert.ok(parseIndexes('0-99999999999').size <= 100_001, 'bounded');
  });
});

describe('CronJobs', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());
  const cron = (spec = '', image = 'example.com/work:1', schedule = '*/10 * * * *'): string => `
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "${schedule}"
  ${spec}
  jobTemplate:
    metadata: {labels: {made: by-cron}}
    spec: {template: {spec: {restartPolicy: Never, containers: [{name: work, image: "${image}"}]}}}
`;
  const jobs = (): KubeObject[] => lab.list(JOBS, 'default').sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const names = (): string[] => jobs().map((item) => item.metadata.name);
  const at = (iso: string): string => `nightly-${Date.parse(iso) / 60_000}`;
  const status = (): Record<string, unknown> => lab.status(CRON_JOBS, 'nightly');

  it('start a Job at each time, with labels and the time it is of', async () => {
    await lab.apply(cron());
    assert.deepEqual(names(), []);
    await lab.advance(20 * 60, 300);
    assert.deepEqual(names(), [at('2026-01-01T00:10:00Z'), at('2026-01-01T00:20:00Z')]);
    assert.deepEqual(jobs()[0]?.metadata.labels?.['made'], 'by-cron');
    assert.equal(jobs()[0]?.metadata.annotations?.['batch.kubernetes.io/cronjob-scheduled-timestamp'], '2026-01-01T00:10:00Z');
    assert.deepEqual(status(), { lastScheduleTime: '2026-01-01T00:20:00Z', lastSuccessfulTime: '2026-01-01T00:20:00Z' });
  });

  it('say which Jobs are active; Allow lets them run side by side', async () => {
    await lab.apply(cron('', HANG));
    await lab.advance(20 * 60, 600);
    assert.deepEqual(
      (status()['active'] as { name: string }[]).map((item) => item.name),
      names(),
    );
    assert.equal(names().length, 2);
  });

  it('Forbid waits for the one that runs, then makes up for the latest missed', async () => {
    await lab.apply(cron('concurrencyPolicy: Forbid', HANG));
    await lab.advance(25 * 60, 300);
    assert.deepEqual(names(), [at('2026-01-01T00:10:00Z')]);
    lab.ask('DELETE', `/apis/batch/v1/namespaces/default/jobs/${names()[0]}`, { propagationPolicy: 'Background' });
    await lab.settle();
    assert.deepEqual(names(), [at('2026-01-01T00:20:00Z')]);
  });

  it('Replace ends the one that runs', async () => {
    await lab.apply(cron('concurrencyPolicy: Replace', HANG));
    await lab.advance(20 * 60, 600);
    assert.deepEqual(names(), [at('2026-01-01T00:20:00Z')]);
    assert.equal(lab.list('/pods', 'default').length, 1);
  });

  it('start nothing while suspended and make up for the latest missed time only', async () => {
    await lab.apply(cron('suspend: true'));
    await lab.advance(35 * 60);
    assert.deepEqual(names(), []);
    await lab.apply(cron());
    assert.deepEqual(names(), [at('2026-01-01T00:30:00Z')]);
  });

  it('start nothing later than startingDeadlineSeconds', async () => {
    await lab.apply(cron('suspend: true\n  startingDeadlineSeconds: 100'));
    await lab.advance(35 * 60);
    await lab.apply(cron('startingDeadlineSeconds: 100'));
    assert.deepEqual(names(), []);
    await lab.advance(5 * 60);
    assert.deepEqual(names(), [at('2026-01-01T00:40:00Z')]);
  });

  it('keep no more finished Jobs than the history limits', async () => {
    await lab.apply(cron('successfulJobsHistoryLimit: 2'));
    await lab.advance(50 * 60, 600);
    assert.deepEqual(names(), [at('2026-01-01T00:40:00Z'), at('2026-01-01T00:50:00Z')]);
    await lab.apply(
      cron('failedJobsHistoryLimit: 0', FAIL).replace('template: {spec: {restart', 'backoffLimit: 0, template: {spec: {restart'),
    );
    await lab.advance(10 * 60);
    assert.ok(names().every((name) => name < at('2026-01-01T01:00:00Z')));
  });

  it('go by a time zone', async () => {
    await lab.apply(cron('timeZone: America/New_York', 'example.com/work:1', '0 9 * * *'));
    await lab.advance(24 * 3600, 3600);
    assert.deepEqual(names(), [at('2026-01-01T14:00:00Z')]);
  });

  it('take their Jobs with them', async () => {
    await lab.apply(cron('', HANG));
    await lab.advance(600);
    lab.ask('DELETE', '/apis/batch/v1/namespaces/default/cronjobs/nightly');
    await lab.settle();
    assert.deepEqual([names(), lab.list('/pods', 'default')], [[], []]);
  });
});
