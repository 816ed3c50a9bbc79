import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { tool } from '../../../../../test/tools/build.ts';
import { chartOf, WAIT, type ReleaseWorld, type TestedRelease } from './release-world.ts';

const run = promisify(execFile);

const FILES = {
  'Chart.yaml': 'apiVersion: v2\nname: demo\nversion: 1.0.0\n',
  'values.yaml': 'colour: blue\n',
  'templates/config.yaml': [
    'apiVersion: v1',
    'kind: ConfigMap',
    'metadata: {name: config}',
    'data:',
    '  colour: {{ .Values.colour }}',
    '{{- if .Values.extra }}',
    '  extra: {{ .Values.extra }}',
    '{{- end }}',
    '',
  ].join('\n'),
  'templates/service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n',
  'templates/NOTES.txt': 'The colour is {{ .Values.colour }}.\n',
};

/** Releases made by us and by the real Helm, handed to and fro. */
export function helmCliSuite(open: () => Promise<ReleaseWorld>, kubeconfig: string, options: { skip: string | false }): void {
  describe('release actions and the helm CLI', options, () => {
    let world: ReleaseWorld;
    let helm: string | undefined;
    let folder: string;
    before(async () => {
      world = await open();
      await world.client.mapper.all();
      helm = await tool('helm');
      folder = mkdtempSync(join(tmpdir(), 'sluice-helm-'));
      for (const [path, text] of Object.entries(FILES)) {
        mkdirSync(dirname(join(folder, 'chart', path)), { recursive: true });
        writeFileSync(join(folder, 'chart', path), text);
      }
    });
    after(async () => {
      rmSync(folder, { recursive: true, force: true });
      await world.close();
    });

    const chart = chartOf(FILES);

    /** Runs helm on a release's namespace; undefined when there is none to run. */
    async function cli(release: TestedRelease, ...args: string[]): Promise<string> {
      const env = { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
      const common = ['--kubeconfig', kubeconfig, '--namespace', release.namespace];
      const { stdout } = await run(helm ?? '', [...args, ...common], { env });
      return stdout;
    }

    function needsHelm(context: TestContext): boolean {
      if (helm === undefined) context.skip('no Go toolchain to build helm with');
      return helm !== undefined;
    }

    it('HB09 helm lists, gets and shows the history of our releases', async (context) => {
      if (!needsHelm(context)) return;
      const release = await world.release();
      await release.install(chart, { colour: 'green' });
      await release.upgrade(chart, { colour: 'red' });
      const [listed] = JSON.parse(await cli(release, 'list', '-o', 'json')) as Record<string, string>[];
      assert.deepEqual(
        [listed?.['name'], listed?.['revision'], listed?.['status'], listed?.['chart']],
        ['app', '2', 'deployed', 'demo-1.0.0'],
      );
      assert.deepEqual(JSON.parse(await cli(release, 'get', 'values', 'app', '-o', 'json')), { colour: 'red' });
      assert.equal((await cli(release, 'get', 'manifest', 'app')).trim(), (await release.history()).at(-1)?.manifest.trim());
      assert.match(await cli(release, 'get', 'notes', 'app'), /The colour is red\./);
      const history = JSON.parse(await cli(release, 'history', 'app', '-o', 'json')) as Record<string, unknown>[];
      assert.deepEqual(
        history.map(({ revision, status, description }) => [revision, status, description]),
        [
          [1, 'superseded', 'Install complete'],
          [2, 'deployed', 'Upgrade complete'],
        ],
      );
    });

    it('HB52 helm rolls our release back, we go on from there', async (context) => {
      if (!needsHelm(context)) return;
      const release = await world.release();
      await release.install(chart, { extra: 'x' });
      await release.upgrade(chart, { colour: 'red' });
      await cli(release, 'rollback', 'app', '1', '--force-conflicts');
      assert.deepEqual((await release.find('v1', 'ConfigMap', 'config'))?.['data'], { colour: 'blue', extra: 'x' });
      assert.equal((await release.upgrade(chart)).kind, 'succeeded');
      // What helm applied meanwhile is ours again: a field the chart drops goes.
      assert.deepEqual((await release.find('v1', 'ConfigMap', 'config'))?.['data'], { colour: 'blue' });
      assert.deepEqual(await release.log(), [
        'v1 superseded: Install complete',
        'v2 superseded: Upgrade complete',
        'v3 superseded: Rollback to 1',
        'v4 deployed: Upgrade complete',
      ]);
    });

    it('helm uninstalls our release', async (context) => {
      if (!needsHelm(context)) return;
      const release = await world.release();
      await release.install(chart);
      await cli(release, 'uninstall', 'app');
      assert.deepEqual(await release.objects('ConfigMap', 'Service'), []);
      assert.deepEqual(await release.uninstall(), { kind: 'succeeded', release: undefined });
    });

    for (const [method, flags] of [
      ['server-side', []],
      ['client-side', ['--server-side=false']],
    ] as const) {
      it(`a release helm made ${method} is upgraded, rolled back and uninstalled by us`, async (context) => {
        if (!needsHelm(context)) return;
        const release = await world.release();
        await cli(release, 'install', 'app', join(folder, 'chart'), '--set', 'extra=x', ...flags);
        assert.equal((await release.upgrade(chart, { colour: 'red' }, { wait: WAIT })).kind, 'succeeded', JSON.stringify(release.trace));
        assert.deepEqual((await release.find('v1', 'ConfigMap', 'config'))?.['data'], { colour: 'red' });
        assert.equal((await release.history()).at(-1)?.applyMethod, method === 'server-side' ? 'ssa' : 'csa');
        assert.equal((await release.rollback(1)).kind, 'succeeded');
        assert.deepEqual((await release.find('v1', 'ConfigMap', 'config'))?.['data'], { colour: 'blue', extra: 'x' });
        assert.equal((await release.uninstall()).kind, 'succeeded');
        assert.deepEqual(await release.objects('ConfigMap', 'Service'), []);
        assert.deepEqual(JSON.parse(await cli(release, 'list', '-o', 'json')), []);
      });
    }
  });
}
