import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { correctDrift, detectDrift, formatDrift } from '../drift.ts';
import { chartOf, type ReleaseWorld } from './release-world.ts';
import { APP, CONFIG, failure, settled } from './samples.ts';

/** Definitions, ownership, ways to apply and drift, on any cluster. */
export function objectSuite(open: () => Promise<ReleaseWorld>, options: { skip: string | false }): void {
  describe('the objects of a release', options, () => {
    let world: ReleaseWorld;
    before(async () => {
      world = await open();
      await world.client.mapper.all();
    });
    after(() => world.close());

    it('an object the server refuses fails the release in Helm’s words; all objects are tried', async () => {
      const release = await world.release();
      const bad = (name: string): string => `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: 99999}]}\n`;
      const chart = chartOf({ 'templates/a.yaml': bad('a'), 'templates/b.yaml': bad('b'), 'templates/config.yaml': CONFIG });
      const lines = failure(await release.install(chart)).split('\n');
      const refused = (name: string): string =>
        `server-side apply failed for object ${release.namespace}/${name} /v1, Kind=Service: Service "${name}" is invalid`;
      assert.deepEqual(
        lines.map((line) => line.split(': [spec')[0]),
        [refused('a'), refused('b')],
      );
      assert.deepEqual(await release.objects('ConfigMap'), ['ConfigMap/app-config']);
      const other = await world.release();
      await other.install(chartOf({ 'templates/config.yaml': CONFIG }));
      const text = failure(await other.upgrade(chart));
      assert.ok(text.includes(' && failed to create resource: '), text);
      assert.match(
        (await other.log()).at(-1) ?? '',
        /^v2 failed: Upgrade "app" failed: failed to create resource: server-side apply failed/,
      );
    });

    it('never deletes what another release has taken over', async () => {
      const release = await world.release();
      await release.install(chartOf({ 'templates/config.yaml': CONFIG.replace('{{ .Release.Name }}-config', 'shared') }));
      const other = Object.assign(await world.release('other'), { namespace: release.namespace });
      await other.install(chartOf({ 'templates/config.yaml': CONFIG.replace('{{ .Release.Name }}-config', 'shared') }));
      assert.equal((await release.uninstall()).kind, 'succeeded');
      assert.deepEqual(await release.objects('ConfigMap'), ['ConfigMap/shared']);
      assert.equal((await other.uninstall()).kind, 'succeeded');
      assert.deepEqual(await release.objects('ConfigMap'), []);
    });

    it('HB50 without taking ownership an object of somebody else stops the install before anything is stored', async () => {
      const release = await world.release();
      const at = { name: 'app-config', namespace: release.namespace };
      await world.client.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: at, data: { theirs: 'x' } });
      const result = await release.install(APP, {}, { takeOwnership: false });
      const where = `ConfigMap "app-config" in namespace "${release.namespace}"`;
      assert.equal(
        failure(result),
        `unable to continue with install: ${where} exists and cannot be imported into the current release: invalid ownership metadata; ` +
          'label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"; ' +
          'annotation validation error: missing key "meta.helm.sh/release-name": must be set to "app"; ' +
          `annotation validation error: missing key "meta.helm.sh/release-namespace": must be set to "${release.namespace}"`,
      );
      assert.ok(result.kind === 'failed' && !result.stored);
      assert.deepEqual(await release.history(), []);
      assert.equal((await release.install(APP)).kind, 'succeeded');
      assert.deepEqual((await release.find('v1', 'ConfigMap', 'app-config'))?.['data'], { theirs: 'x', colour: 'blue' });
    });

    it('HB50 createNamespace makes the namespace; a kind nobody serves stops the install before anything is stored', async () => {
      const release = Object.assign(await world.release(), { namespace: `new-${process.pid}-${Date.now()}` });
      const bad = chartOf({ 'templates/x.yaml': 'apiVersion: nobody.example/v1\nkind: Thing\nmetadata: {name: x}\n' });
      assert.match(
        failure(await release.install(bad, {}, { createNamespace: true })),
        /no matches for kind "Thing" in version "nobody.example\/v1"/,
      );
      assert.equal((await release.install(APP, {}, { createNamespace: true })).kind, 'succeeded');
      const namespace = await world.client.get({ apiVersion: 'v1', kind: 'Namespace', name: release.namespace });
      assert.equal(namespace.metadata.labels?.['name'], release.namespace);
    });

    it('HB55 definitions of crds/ are applied first, served before their objects are written, and left alone by Create', async () => {
      const release = await world.release();
      const group = `g${process.pid}${Date.now()}.example`;
      const definition = (more: string): string =>
        [
          'apiVersion: apiextensions.k8s.io/v1',
          'kind: CustomResourceDefinition',
          `metadata: {name: things.${group}, annotations: {more: "${more}"}}`,
          'spec:',
          `  group: ${group}`,
          '  scope: Namespaced',
          '  names: {kind: Thing, plural: things}',
          '  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]',
          '',
        ].join('\n');
      const thing = `apiVersion: ${group}/v1\nkind: Thing\nmetadata: {name: one}\nspec: {size: 1}\n`;
      const chart = (more: string): ReturnType<typeof chartOf> =>
        chartOf({ 'crds/thing.yaml': definition(more), 'templates/thing.yaml': thing });
      assert.equal((await release.install(chart('one'))).kind, 'succeeded', JSON.stringify(release.trace));
      const read = async (): Promise<string | undefined> => {
        const target = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', name: `things.${group}` };
        return (await world.client.get(target)).metadata.annotations?.['more'];
      };
      assert.equal(await read(), 'one');
      await release.upgrade(chart('two'), {}, { crds: 'Create' });
      assert.equal(await read(), 'one');
      await release.upgrade(chart('two'), {}, { crds: 'CreateReplace' });
      assert.equal(await read(), 'two');
      assert.notEqual(await release.find(`${group}/v1`, 'Thing', 'one'), undefined);
    });

    it('a chart whose templates define the kinds they use is installed in one go', async () => {
      const release = await world.release();
      const group = `t${process.pid}${Date.now()}.example`;
      const definition = [
        'apiVersion: apiextensions.k8s.io/v1',
        'kind: CustomResourceDefinition',
        `metadata: {name: gadgets.${group}}`,
        'spec:',
        `  group: ${group}`,
        '  scope: Namespaced',
        '  names: {kind: Gadget, plural: gadgets}',
        '  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]',
        '',
      ].join('\n');
      const gadget = `apiVersion: ${group}/v1\nkind: Gadget\nmetadata: {name: one}\nspec: {size: 1}\n`;
      const result = await release.install(chartOf({ 'templates/crd.yaml': definition, 'templates/gadget.yaml': gadget }));
      assert.equal(result.kind, 'succeeded', JSON.stringify(release.trace));
      assert.notEqual(await release.find(`${group}/v1`, 'Gadget', 'one'), undefined);
      assert.equal((await release.uninstall()).kind, 'succeeded', JSON.stringify(release.trace));
    });

    it('HB51 client-side apply: three-way merges, keeps what others added, removes what the chart dropped', async () => {
      const release = await world.release();
      assert.equal((await release.install(APP, { extra: 'x' }, { serverSideApply: false })).kind, 'succeeded');
      const web = await release.find('apps/v1', 'Deployment', 'web');
      const ours = web?.metadata.managedFields?.filter(({ manager }) => manager === 'helm-controller');
      assert.deepEqual(
        ours?.map(({ operation }) => operation),
        ['Update'],
      );
      const target = { apiVersion: 'v1', kind: 'ConfigMap', name: 'app-config', namespace: release.namespace };
      await world.client.patch(target, { type: 'merge', body: { data: { theirs: 'y' } } });
      assert.equal((await release.upgrade(APP, { colour: 'red' })).kind, 'succeeded');
      assert.deepEqual((await world.client.get(target))['data'], { colour: 'red', theirs: 'y' });
      assert.equal((await release.history()).at(-1)?.applyMethod, 'csa');
      const { verbs } = await world.counted(() => release.upgrade(APP, { colour: 'red' }));
      assert.deepEqual(
        verbs.filter((verb) => verb.startsWith('patch')),
        [],
      );
    });

    it('HB51 changes from client-side to server-side apply and back; removed fields disappear', async () => {
      const release = await world.release();
      await release.install(APP, { extra: 'x' }, { serverSideApply: false });
      assert.equal((await release.upgrade(APP, {}, { serverSideApply: 'enabled' })).kind, 'succeeded');
      const config = await release.find('v1', 'ConfigMap', 'app-config');
      assert.deepEqual(config?.['data'], { colour: 'blue' });
      assert.deepEqual(
        config?.metadata.managedFields?.map(({ manager, operation }) => [manager, operation]),
        [['helm-controller', 'Apply']],
      );
      assert.equal((await release.upgrade(APP, { extra: 'y' })).kind, 'succeeded');
      assert.equal((await release.history()).at(-1)?.applyMethod, 'ssa');
      assert.equal((await release.upgrade(APP, {}, { serverSideApply: 'disabled' })).kind, 'succeeded');
      assert.deepEqual((await release.find('v1', 'ConfigMap', 'app-config'))?.['data'], { colour: 'blue' });
      assert.equal((await release.history()).at(-1)?.applyMethod, 'csa');
    });

    it('HB51 force replaces objects of a client-side release', async () => {
      const release = await world.release();
      await release.install(APP, {}, { serverSideApply: false });
      const target = { apiVersion: 'v1', kind: 'ConfigMap', name: 'app-config', namespace: release.namespace };
      await world.client.patch(target, { type: 'merge', body: { data: { theirs: 'y' } } });
      assert.equal((await release.upgrade(APP, { colour: 'red' }, { force: true })).kind, 'succeeded', JSON.stringify(release.trace));
      assert.deepEqual((await world.client.get(target))['data'], { colour: 'red' });
    });

    it('HB59 drift is found and put right; ignored fields and exempt objects stay as they are', async () => {
      const release = await world.release();
      await release.install(APP);
      const [record] = await release.history();
      assert.ok(record !== undefined);
      await settled(release);
      const quiet = await world.counted(() => detectDrift(record, {}, release.context()));
      assert.deepEqual(quiet.value, []);
      const at = { namespace: release.namespace };
      const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'app-config', ...at };
      const web = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', ...at };
      await world.client.patch(config, { type: 'merge', body: { data: { colour: 'pink' } } }, { fieldManager: 'somebody' });
      await world.client.patch(web, { type: 'merge', body: { spec: { replicas: 3 } } }, { fieldManager: 'scaler' });
      await world.client.delete({ apiVersion: 'v1', kind: 'Service', name: 'web', ...at });
      release.memory = new Map();
      const ignore = [{ paths: ['/spec/replicas'], target: { kind: 'Deployment' } }];
      const drift = await detectDrift(record, { ignore }, release.context());
      assert.equal(
        formatDrift(drift),
        `ConfigMap/${release.namespace}/app-config changed (0 additions, 1 changes, 0 removals)\nService/${release.namespace}/web removed`,
      );
      const [changed] = drift;
      assert.deepEqual([changed?.fields, changed?.managers], [['data.colour'], ['somebody']]);
      const corrected = await correctDrift(record, drift, release.context());
      assert.deepEqual(corrected.failures, []);
      assert.deepEqual(
        corrected.changes.map(({ ref, action }) => `${ref.kind} ${action}`),
        ['ConfigMap configured', 'Service created'],
      );
      assert.deepEqual((await world.client.get(config))['data'], { colour: 'blue' });
      assert.equal(((await world.client.get(web))['spec'] as { replicas: number }).replicas, 3);
      assert.deepEqual(await detectDrift(record, { ignore }, release.context()), []);
      // What is ignored does not cost anything for ever.
      await settled(release);
      const again = await world.counted(() => detectDrift(record, { ignore }, release.context()));
      assert.deepEqual(again, { value: [], verbs: [] });
    });

    it('HB59 drift of a client-side release costs nothing while nothing changes, and one look where something did', async () => {
      const release = await world.release();
      await release.install(APP, {}, { serverSideApply: false });
      const [record] = await release.history();
      assert.ok(record !== undefined);
      await settled(release);
      const first = await world.counted(() => detectDrift(record, {}, release.context()));
      assert.deepEqual([first.value, first.verbs.length], [[], 6]);
      assert.deepEqual(await world.counted(() => detectDrift(record, {}, release.context())), { value: [], verbs: [] });
      const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'app-config', namespace: release.namespace };
      await world.client.patch(config, { type: 'merge', body: { data: { theirs: 'y' } } }, { fieldManager: 'somebody' });
      await settled(release);
      const looked = await world.counted(() => detectDrift(record, {}, release.context()));
      assert.deepEqual([looked.value, looked.verbs.length], [[], 2]);
      await world.client.patch(config, { type: 'merge', body: { data: { colour: 'pink' } } }, { fieldManager: 'somebody' });
      await settled(release);
      const drift = await detectDrift(record, {}, release.context());
      assert.equal(formatDrift(drift), `ConfigMap/${release.namespace}/app-config changed (0 additions, 1 changes, 0 removals)`);
      await correctDrift(record, drift, release.context());
      assert.deepEqual((await world.client.get(config))['data'], { colour: 'blue', theirs: 'y' });
      // What was found to be as wanted is not ours yet: server-side apply takes it over.
      assert.equal((await release.upgrade(APP, {}, { serverSideApply: 'enabled' })).kind, 'succeeded');
      const web = await release.find('apps/v1', 'Deployment', 'web');
      assert.ok(web?.metadata.managedFields?.some(({ manager, operation }) => manager === 'helm-controller' && operation === 'Apply'));
    });

    it('HB59 fields of an overridden manager are drift, of others they are not', async () => {
      const release = await world.release();
      await release.install(chartOf({ 'templates/config.yaml': CONFIG }));
      const [record] = await release.history();
      assert.ok(record !== undefined);
      const config = { apiVersion: 'v1', kind: 'ConfigMap', name: 'app-config', namespace: release.namespace };
      await world.client.patch(config, { type: 'merge', body: { data: { extra: 'x' } } }, { fieldManager: 'meddler' });
      release.memory = new Map();
      assert.deepEqual(await detectDrift(record, {}, release.context()), []);
      release.memory = new Map();
      const override = { overrideManagers: ['meddler'] };
      const drift = await detectDrift(record, override, release.context());
      assert.deepEqual(
        drift.map(({ fields, managers, removals }) => [fields, managers, removals]),
        [[['data.extra'], ['meddler'], 1]],
      );
      await correctDrift(record, drift, release.context(), override);
      assert.deepEqual((await world.client.get(config))['data'], { colour: 'blue' });
      assert.deepEqual(await detectDrift(record, override, release.context()), []);
    });
  });
}
