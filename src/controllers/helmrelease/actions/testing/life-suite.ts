import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { milliseconds } from '../../../../std/index.ts';
import { ReleaseRecords } from '../records.ts';
import { kubeReleaseStorage } from '../storage.ts';
import { chartOf, WAIT, type ReleaseWorld } from './release-world.ts';
import { APP, CONFIG, HANG, WEB, failure, pause, settled } from './samples.ts';

/** Install, upgrade, rollback, uninstall and their records, on any cluster. */
export function lifeSuite(open: () => Promise<ReleaseWorld>, options: { skip: string | false }): void {
  describe('the life of a release', options, () => {
    let world: ReleaseWorld;
    before(async () => {
      world = await open();
      await world.client.mapper.all();
    });
    after(() => world.close());

    it('HB09 HB50 HB58 install stores the record twice and sends one request for each object', async () => {
      const release = await world.release();
      const { value, verbs } = await world.counted(() => release.install(APP));
      assert.equal(value.kind, 'succeeded');
      const expected = ['list secrets', 'create secrets', 'apply configmaps', 'apply deployments', 'apply services', 'update secrets'];
      assert.deepEqual(verbs.filter((verb) => !/^(get|list) deployments/.test(verb)).sort(), expected.sort());
      assert.deepEqual(await release.log(), ['v1 deployed: Install complete']);
      const config = await release.find('v1', 'ConfigMap', 'app-config');
      assert.equal(config?.metadata.labels?.['app.kubernetes.io/managed-by'], 'Helm');
      assert.equal(config?.metadata.annotations?.['meta.helm.sh/release-name'], 'app');
      assert.deepEqual(
        config?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation]),
        [['helm-controller', 'Apply']],
      );
    });

    it('with a watch of all records nothing is listed: install, upgrade, uninstall', async () => {
      const records = new ReleaseRecords({ client: world.client });
      try {
        await records.waitSynced();
        const release = await world.release('app', { records });
        const install = await world.counted(() => release.install(APP, {}, { wait: { ...WAIT, resources: false } }));
        assert.equal(install.value.kind, 'succeeded');
        assert.deepEqual(install.verbs, ['create secrets', 'apply configmaps', 'apply services', 'apply deployments', 'update secrets']);
        await settled(release);
        const upgrade = await world.counted(() => release.upgrade(APP, { extra: 'x' }));
        assert.equal(upgrade.value.kind, 'succeeded');
        assert.deepEqual(upgrade.verbs, ['create secrets', 'apply configmaps', 'update secrets', 'update secrets']);
        const shown = (): string | undefined => records.fingerprint(release.namespace, 'app');
        for (let tries = 0; tries < 100 && shown() === undefined; tries++) await pause(20);
        const fingerprint = shown();
        // Someone else writes a record: now it is read.
        const [first] = await release.history();
        assert.ok(first !== undefined);
        const theirs = kubeReleaseStorage({ client: world.client, namespace: release.namespace, clock: world.clock }, 'app');
        await theirs.update({ ...first, description: 'changed by hand' }, release.signal);
        for (let tries = 0; tries < 100 && shown() === fingerprint; tries++) await pause(20);
        const read = await world.counted(() => release.context().storage.list(release.signal));
        assert.deepEqual(read.verbs, ['list secrets']);
        assert.equal(read.value[0]?.description, 'changed by hand');
        assert.equal((await release.uninstall()).kind, 'succeeded');
        // Our own deletions may not have been shown yet; then the answer is the list's.
        assert.deepEqual(await release.context().storage.list(release.signal), []);
        const gone = Object.assign(await world.release('never'), { records });
        assert.deepEqual((await world.counted(() => gone.context().storage.list(gone.signal))).verbs, []);
      } finally {
        records.close();
      }
    });

    it('HB51 upgrade touches only what changed, supersedes the old record and removes what is no more', async () => {
      const release = await world.release();
      await release.install(APP);
      const next = chartOf({ 'templates/config.yaml': CONFIG, 'templates/web.yaml': WEB }, '1.1.0');
      await settled(release);
      const { value, verbs } = await world.counted(() => release.upgrade(next, { extra: 'yes' }));
      assert.equal(value.kind, 'succeeded');
      assert.deepEqual(
        verbs.filter((verb) => !verb.startsWith('list secrets')),
        ['create secrets', 'apply configmaps', 'delete services', 'update secrets', 'update secrets'],
      );
      assert.deepEqual(await release.log(), ['v1 superseded: Install complete', 'v2 deployed: Upgrade complete']);
      assert.equal(await release.find('v1', 'Service', 'web'), undefined);
      const back = await world.counted(() => release.upgrade(APP));
      assert.equal(back.value.kind, 'succeeded');
      assert.deepEqual((await release.find('v1', 'ConfigMap', 'app-config'))?.['data'], { colour: 'blue' });
    });

    it('HB52 rollback makes a new revision of an old one’s content', async () => {
      const release = await world.release();
      await release.install(APP);
      await release.upgrade(chartOf({ 'templates/config.yaml': CONFIG }, '2.0.0'), { extra: 'x' });
      assert.equal((await release.rollback(1)).kind, 'succeeded');
      assert.deepEqual(await release.log(), [
        'v1 superseded: Install complete',
        'v2 superseded: Upgrade complete',
        'v3 deployed: Rollback to 1',
      ]);
      assert.deepEqual((await release.find('v1', 'ConfigMap', 'app-config'))?.['data'], { colour: 'blue' });
      assert.notEqual(await release.find('apps/v1', 'Deployment', 'web'), undefined);
      assert.match(failure(await release.rollback(9)), /release has no 9 version/);
    });

    it('HB52 a failed upgrade is rolled back, what it added goes', async () => {
      const release = await world.release();
      await release.install(chartOf({ 'templates/config.yaml': CONFIG }));
      const failed = await release.upgrade(APP, { image: HANG, extra: 'x' }, { wait: { ...WAIT, timeout: milliseconds(500) } });
      assert.equal(failed.kind, 'failed');
      assert.equal((await release.rollback(1)).kind, 'succeeded');
      assert.deepEqual(await release.objects('ConfigMap', 'Deployment.apps/v1', 'Service'), ['ConfigMap/app-config']);
      assert.deepEqual((await release.find('v1', 'ConfigMap', 'app-config'))?.['data'], { colour: 'blue' });
      assert.deepEqual(
        (await release.log()).map((line) => line.split(':')[0]),
        ['v1 superseded', 'v2 failed', 'v3 deployed'],
      );
    });

    it('cleanupOnFail deletes what the failed upgrade created and nothing else', async () => {
      const release = await world.release();
      await release.install(chartOf({ 'templates/config.yaml': CONFIG }));
      const wait = { ...WAIT, timeout: milliseconds(500) };
      await release.upgrade(APP, { image: HANG }, { cleanupOnFail: true, wait });
      assert.deepEqual(await release.objects('ConfigMap', 'Deployment.apps/v1', 'Service'), ['ConfigMap/app-config']);
    });

    it('HB53 keepHistory keeps the records; replace goes on with them', async () => {
      const release = await world.release();
      await release.install(APP);
      assert.equal((await release.uninstall({ keepHistory: true })).kind, 'succeeded');
      assert.deepEqual(await release.log(), ['v1 uninstalled: Uninstallation complete']);
      assert.match(failure(await release.install(APP)), /cannot reuse a name that is still in use/);
      assert.equal((await release.install(APP, {}, { replace: true })).kind, 'succeeded');
      assert.deepEqual(await release.log(), ['v1 superseded: Uninstallation complete', 'v2 deployed: Install complete']);
    });

    it('keeps at most maxHistory records, never dropping the deployed one', async () => {
      const release = await world.release();
      await release.install(APP);
      for (const colour of ['red', 'green', 'pink']) await release.upgrade(APP, { colour }, { maxHistory: 2 });
      assert.deepEqual(
        (await release.log()).map((line) => line.split(':')[0]),
        ['v3 superseded', 'v4 deployed'],
      );
    });
  });
}
