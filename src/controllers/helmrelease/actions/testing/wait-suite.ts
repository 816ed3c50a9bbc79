import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { milliseconds } from '../../../../std/index.ts';
import { unlockRelease } from '../unlock.ts';
import { chartOf, WAIT, type ReleaseWorld } from './release-world.ts';
import { APP, CONFIG, FAIL, HANG, WEB, failure, hookJob, phases } from './samples.ts';

/** Readiness, hooks, tests and what ends a wait, on any cluster. */
export function waitSuite(open: () => Promise<ReleaseWorld>, options: { skip: string | false }): void {
  describe('what a release waits for', options, () => {
    let world: ReleaseWorld;
    before(async () => {
      world = await open();
      await world.client.mapper.all();
    });
    after(() => world.close());

    it('HB54 a Deployment that never gets ready fails the release at the timeout, with Helm’s words in the record', async () => {
      const release = await world.release();
      const result = await release.install(APP, { image: HANG }, { wait: { ...WAIT, timeout: milliseconds(500) } });
      const text = failure(result);
      assert.match(text, /timeout waiting for: \[Deployment\/rel-.*\/web status: 'InProgress'\]/);
      assert.deepEqual(await release.log(), [`v1 failed: Release "app" failed: ${text}`]);
      assert.equal((await release.upgrade(APP)).kind, 'succeeded');
      assert.deepEqual(
        (await release.log()).map((line) => line.split(':')[0]),
        ['v1 superseded', 'v2 deployed'],
      );
    });

    it('HB54 disableWait ends without looking at objects', async () => {
      const release = await world.release();
      assert.equal((await release.install(APP, { image: HANG }, { wait: { ...WAIT, resources: false } })).kind, 'succeeded');
    });

    it('HB54 the legacy strategy waits by Helm 3’s rules', async () => {
      const release = await world.release();
      const wait = { ...WAIT, strategy: 'legacy' } as const;
      assert.equal((await release.install(APP, {}, { wait })).kind, 'succeeded');
      const late = { ...wait, timeout: milliseconds(500) };
      assert.equal(failure(await release.upgrade(APP, { image: HANG }, { wait: late })), 'context deadline exceeded');
    });

    it('HB54 healthCheckExprs decide for their kind', async () => {
      const release = await world.release();
      const never = [{ apiVersion: 'v1', kind: 'ConfigMap', current: "data.colour == 'green'" }];
      const wait = { ...WAIT, timeout: milliseconds(500), expressions: never };
      assert.match(failure(await release.install(APP, {}, { wait })), /ConfigMap\/.*app-config status: 'InProgress'/);
      assert.equal((await release.upgrade(APP, { colour: 'green' }, { wait })).kind, 'succeeded');
    });

    it('runs hooks by weight, deletes them by their policies and records how they went', async () => {
      const release = await world.release();
      const chart = chartOf({
        'templates/config.yaml': CONFIG,
        'templates/a.yaml': hookJob('second', { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-weight': '5' }),
        'templates/b.yaml': hookJob('first', {
          'helm.sh/hook': 'pre-install',
          'helm.sh/hook-weight': '-5',
          'helm.sh/hook-delete-policy': 'hook-succeeded',
        }),
        'templates/c.yaml': hookJob('after', { 'helm.sh/hook': 'post-install,post-upgrade' }),
      });
      const result = await release.install(chart);
      assert.equal(result.kind, 'succeeded', JSON.stringify(release.trace));
      assert.deepEqual(await release.objects('Job.batch/v1'), ['Job/after', 'Job/second']);
      const [record] = await release.history();
      assert.deepEqual(phases(record?.hooks ?? []), { first: 'Succeeded', second: 'Succeeded', after: 'Succeeded' });
      const started = (name: string): string => record?.hooks.find((hook) => hook.name === name)?.lastRun.startedAt ?? '';
      assert.ok(started('first') < started('second') && started('second') < started('after'));
      const uid = (await release.find('batch/v1', 'Job', 'after'))?.metadata.uid;
      assert.equal((await release.upgrade(chart)).kind, 'succeeded');
      assert.notEqual((await release.find('batch/v1', 'Job', 'after'))?.metadata.uid, uid);
    });

    it('a hook that fails ends the release before its objects are applied', async () => {
      const release = await world.release();
      const chart = chartOf({
        'templates/config.yaml': CONFIG,
        'templates/a.yaml': hookJob('migrate', { 'helm.sh/hook': 'pre-install', 'helm.sh/hook-delete-policy': 'hook-failed' }, FAIL),
      });
      const text = failure(await release.install(chart));
      assert.match(text, /^failed pre-install: failed early due to stalled resources: \[Job\/.*\/migrate status: 'Failed'\]/);
      assert.deepEqual(await release.log(), [`v1 failed: Release "app" failed: ${text}`]);
      assert.deepEqual(await release.objects('ConfigMap', 'Job.batch/v1'), []);
      assert.deepEqual(phases((await release.history())[0]?.hooks ?? []), { migrate: 'Failed' });
      assert.equal((await release.upgrade(chart, {}, { hooks: false })).kind, 'succeeded');
    });

    it('cancel ends a wait at once and leaves a failed record; the next upgrade goes on', async () => {
      const release = await world.release();
      const chart = chartOf({
        'templates/a.yaml': hookJob('slow', { 'helm.sh/hook': 'pre-install,pre-upgrade' }, HANG),
        'templates/c.yaml': CONFIG,
      });
      const progress = await release.beginInstall(chart);
      assert.equal(progress.kind, 'waiting');
      if (progress.kind === 'waiting') await progress.cancel('a newer revision is there');
      assert.deepEqual(await release.log(), ['v1 failed: Release "app" failed: canceled: a newer revision is there']);
      const next = chartOf({
        'templates/a.yaml': hookJob('slow', { 'helm.sh/hook': 'pre-install,pre-upgrade' }),
        'templates/c.yaml': CONFIG,
      });
      const done = await release.upgrade(next);
      assert.equal(done.kind, 'succeeded', JSON.stringify(release.trace));
    });

    it('HB31 what a killed process left pending is unlocked and goes on; its objects are not forgotten', async () => {
      const release = await world.release();
      await release.install(chartOf({ 'templates/config.yaml': CONFIG }));
      // Killed while it waited for health: new objects are there, the record says pending.
      const dying = await release.beginUpgrade(APP, { image: HANG });
      assert.equal(dying.kind, 'waiting');
      assert.equal((await release.history()).at(-1)?.status, 'pending-upgrade');
      assert.match(failure(await release.upgrade(APP)), /another operation \(install\/upgrade\/rollback\) is in progress/);
      const unlocked = await unlockRelease(release.context());
      assert.equal(unlocked?.from, 'pending-upgrade');
      release.memory = new Map();
      assert.equal((await release.upgrade(chartOf({ 'templates/config.yaml': CONFIG }))).kind, 'succeeded');
      assert.deepEqual(await release.objects('ConfigMap', 'Deployment.apps/v1', 'Service'), ['ConfigMap/app-config']);
      assert.equal(await unlockRelease(release.context()), undefined);
      if (dying.kind === 'waiting') await dying.cancel('test is over');
    });

    it('HB53 uninstall removes everything but what is to be kept, with its hooks and records', async () => {
      const release = await world.release();
      const kept = CONFIG.replace('-config}', '-kept, annotations: {helm.sh/resource-policy: keep}}');
      const chart = chartOf({
        'templates/config.yaml': CONFIG,
        'templates/kept.yaml': kept,
        'templates/web.yaml': WEB,
        'templates/hook.yaml': hookJob('bye', { 'helm.sh/hook': 'pre-delete', 'helm.sh/hook-delete-policy': 'hook-succeeded' }),
      });
      await release.install(chart);
      assert.equal((await release.uninstall()).kind, 'succeeded', JSON.stringify(release.trace));
      assert.deepEqual(await release.objects('ConfigMap', 'Deployment.apps/v1', 'Job.batch/v1'), ['ConfigMap/app-kept']);
      assert.deepEqual(await release.history(), []);
      assert.deepEqual(await release.uninstall(), { kind: 'succeeded', release: undefined });
    });

    it('HB57 tests run by filters; results are in the record', async () => {
      const release = await world.release();
      const chart = chartOf({
        'templates/config.yaml': CONFIG,
        'templates/good.yaml': hookJob('good', { 'helm.sh/hook': 'test' }),
        'templates/bad.yaml': hookJob('bad', { 'helm.sh/hook': 'test', 'helm.sh/hook-weight': '1' }, FAIL),
        'templates/pod.yaml': [
          'apiVersion: v1',
          'kind: Pod',
          'metadata: {name: pod, annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: "before-hook-creation,hook-succeeded"}}',
          'spec: {restartPolicy: Never, containers: [{name: main, image: "test:1"}]}',
          '',
        ].join('\n'),
      });
      await release.install(chart);
      assert.equal((await release.test([{ name: 'good' }])).kind, 'succeeded', JSON.stringify(release.trace));
      assert.deepEqual(phases((await release.history())[0]?.hooks ?? []), { good: 'Succeeded', bad: '', pod: '' });
      const bad = await release.test([{ name: 'pod', exclude: true }]);
      assert.match(failure(bad), /Job\/.*\/bad status: 'Failed'/);
      assert.ok(bad.kind === 'failed' && bad.stored);
      const [record] = await release.history();
      assert.deepEqual(phases(record?.hooks ?? []), { good: 'Succeeded', bad: 'Failed', pod: '' });
      assert.equal(record?.status, 'deployed');
    });
  });
}
