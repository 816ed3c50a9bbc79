// Odd charts through a whole life, by us in one namespace and by the real helm in another: what is in the cluster must be the same, and helm
// must understand what we have stored as its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import type { HelmReleaseStatus } from '../../src/api/index.ts';
import { readObjects, type KubeObject } from '../../src/manifest/index.ts';
import { parseFeatureGates } from '../../src/runtime/index.ts';
import { tool } from '../tools/build.ts';
import { kubeconfig } from './harness.ts';
import { HR, release, said, waitFor } from './helmrelease-lab.ts';
import { Lab, OCI } from './kustomization-lab.ts';
import { oddCharts, type OddChart } from './odd-charts.ts';

const run = promisify(execFile);
// A second try finds nothing of the first.
const OURS = `odd-sluice-${process.pid}`;
const THEIRS = `odd-helm-${process.pid}`;
const TIMEOUT = '8s';
const NAMESPACE = { apiVersion: 'v1', kind: 'Namespace' };

const KINDS: readonly (readonly [string, string])[] = [
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'Service'],
  ['v1', 'PersistentVolumeClaim'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
  ['apps/v1', 'DaemonSet'],
  ['batch/v1', 'Job'],
  ['batch/v1', 'CronJob'],
  ['networking.k8s.io/v1', 'Ingress'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['rbac.authorization.k8s.io/v1', 'Role'],
  ['rbac.authorization.k8s.io/v1', 'RoleBinding'],
];
const CLUSTER_KINDS: readonly (readonly [string, string])[] = [['rbac.authorization.k8s.io/v1', 'ClusterRole']];

const helm = await tool('helm');
const skip = helm === undefined ? 'no Go toolchain to build helm with' : false;

describe('odd charts, by us and by helm', { timeout: 900_000, concurrency: 5, skip }, () => {
  let lab: Lab;
  let folder: string;
  before(async () => {
    // The digest in the chart's version would be in everything that helm is compared with.
    lab = await Lab.open(OURS, { gates: parseFeatureGates('DefaultToRetryOnFailure=false,DisableChartDigestTracking=true') });
    folder = mkdtempSync(join(tmpdir(), 'sluice-odd-'));
    for (const name of [THEIRS, `${OURS}-elsewhere`, `${THEIRS}-elsewhere`]) {
      await lab.kube.apply({ ...NAMESPACE, metadata: { name } }, { fieldManager: 'lab', force: true });
    }
  });
  after(async () => {
    for (const name of [OURS, THEIRS, `${OURS}-elsewhere`, `${THEIRS}-elsewhere`]) await lab.kube.delete({ ...NAMESPACE, name });
    await lab.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs helm in a namespace; gives what it printed, also when it failed. */
  async function cli(side: string, ...args: readonly string[]): Promise<{ ok: boolean; text: string }> {
    const env = { ...process.env, HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
    const common = ['--kubeconfig', kubeconfig(), '--namespace', side, '--qps', '500', '--burst-limit', '500'];
    try {
      const { stdout } = await run(helm ?? '', [...args, ...common], { env, maxBuffer: 64 << 20 });
      return { ok: true, text: stdout };
    } catch (error) {
      return { ok: false, text: (error as Error).message };
    }
  }
  async function succeeds(side: string, ...args: readonly string[]): Promise<string> {
    const { ok, text } = await cli(side, ...args);
    assert.ok(ok, text);
    return text;
  }

  function writeChart(name: string, files: OddChart['files']): string {
    const root = join(folder, name);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    return root;
  }
  function writeValues(name: string, values: Record<string, unknown>): string {
    const path = join(folder, `${name}-${Math.random()}.json`);
    writeFileSync(path, JSON.stringify(values));
    return path;
  }

  /** What a chart has put into the cluster, but for what differs by itself. */
  async function objects(side: string, name: string): Promise<string[]> {
    const found: string[] = [];
    const add = async (kinds: typeof KINDS, namespace?: string): Promise<void> => {
      for (const [apiVersion, kind] of kinds) {
        const { items } = await lab.kube.list({ apiVersion, kind }, namespace === undefined ? {} : { namespace });
        found.push(...items.filter((each) => isOf(each, side, name)).map((each) => plain({ ...each, apiVersion, kind }, side)));
      }
    };
    await add(KINDS, side);
    await add(KINDS, `${side}-elsewhere`);
    await add(CLUSTER_KINDS);
    return found.sort();
  }

  async function same(name: string, what: string): Promise<void> {
    const [ours, theirs] = await Promise.all([objects(OURS, name), objects(THEIRS, name)]);
    assert.deepEqual(ours, theirs, what);
  }

  /** Revisions as helm tells them; what follows a failure's beginning is told in different words. */
  async function history(side: string, name: string): Promise<string[]> {
    const rows = JSON.parse(await succeeds(side, 'history', name, '-o', 'json')) as {
      revision: number;
      status: string;
      description: string;
    }[];
    return rows.map(({ revision, status, description }) => `${revision} ${status} ${description.replace(/ failed: [^]*/, ' failed')}`);
  }

  for (const [key, chart] of Object.entries(oddCharts)) {
    const name = `odd-${key}`;
    const second = { message: 'two', ...chart.second };
    const bad = { message: 'bad', fate: 'unready', ...chart.bad };

    test(`HB09 HB50 HB51 HB52 HB53 HB58: ${key}: install, upgrade, failed upgrade, helm’s rollback, upgrade, uninstall`, async () => {
      const path = writeChart(key, chart.files);
      const wait = chart.unwaited === true ? [] : ['--wait'];
      const flags = [...wait, ...(chart.flags ?? [])];
      const own: Record<string, unknown> = { disableWait: chart.unwaited === true };
      const spec = (values: Record<string, unknown>, upgrade: Record<string, unknown> = {}): Record<string, unknown> => ({
        timeout: TIMEOUT,
        maxHistory: 10,
        values,
        install: own,
        upgrade: { ...own, ...upgrade },
        rollback: own,
        uninstall: own,
      });
      const ready = (version: number): Promise<HelmReleaseStatus> =>
        waitFor(
          lab,
          name,
          `revision ${version}`,
          (it) => said(it, 'Ready').startsWith('True') && it.history?.[0]?.version === version,
          60_000,
        );
      for (const object of chart.before ?? []) {
        for (const namespace of [OURS, THEIRS]) {
          const at = { ...object, metadata: { ...object.metadata, namespace } };
          await lab.kube.apply(at as KubeObject, { fieldManager: 'lab', force: true });
        }
      }

      await lab.push(name, Object.fromEntries(Object.entries(chart.files).map(([file, text]) => [`odd/${file}`, text])));
      await lab.source(name, name);
      await release(lab, name, spec({}));
      const theirs = succeeds(THEIRS, 'install', name, path, ...flags);
      await Promise.all([ready(1), theirs]);
      await same(name, 'installed');

      await release(lab, name, spec(second));
      const values = writeValues(key, second);
      await Promise.all([ready(2), succeeds(THEIRS, 'upgrade', name, path, '-f', values, ...flags)]);
      await same(name, 'upgraded');

      await release(lab, name, spec(bad, { remediation: { retries: 0, remediateLastFailure: true } }));
      const broken = ['-f', writeValues(key, bad), '--timeout', TIMEOUT];
      const [status, answer] = await Promise.all([
        waitFor(
          lab,
          name,
          'failed and put right',
          (it) =>
            it.lastAttemptedGeneration === 3 &&
            it.failures !== undefined &&
            said(it, 'Reconciling') !== 'True ProgressingWithRetry' &&
            (it.history?.[0]?.version === 4 || it.history?.[0]?.version === 2),
          60_000,
        ),
        cli(THEIRS, 'upgrade', name, path, ...broken, ...(chart.unwaited === true ? [] : ['--rollback-on-failure', ...flags])),
      ]);
      assert.ok(!answer.ok, answer.text);
      assert.ok(said(status, 'Ready').startsWith('False') || said(status, 'Ready').startsWith('Unknown'));
      await waitFor(lab, name, 'its end', (it) => /^False (RollbackSucceeded|UpgradeFailed)$/.test(said(it, 'Ready')), 60_000);
      // Without waiting helm leaves the failed revision as it is.
      if (chart.unwaited === true) await cli(THEIRS, 'rollback', name);
      await same(name, 'failed and rolled back');
      assert.deepEqual(await history(OURS, name), await history(THEIRS, name));

      await lab.patch(HR, name, { spec: { suspend: true } });
      await lab.settled();
      await Promise.all([OURS, THEIRS].map((side) => succeeds(side, 'rollback', name, '1', '--force-conflicts', ...wait)));
      // Fields that we own and helm does not name stay until we apply again: lists of objects are compared then.
      const [mine = '', yours = ''] = await Promise.all([OURS, THEIRS].map((side) => succeeds(side, 'get', 'all', name)));
      assert.deepEqual(comparable(mine, OURS), comparable(yours, THEIRS));

      await lab.apply({
        ...HR,
        metadata: { name },
        spec: { interval: '10m', chartRef: { kind: 'OCIRepository', name }, ...spec(second), suspend: false },
      });
      const version = (await history(THEIRS, name)).length + 1;
      await Promise.all([ready(version), succeeds(THEIRS, 'upgrade', name, path, '-f', values, ...flags)]);
      await same(name, 'upgraded once more');
      assert.deepEqual(await history(OURS, name), await history(THEIRS, name));

      await Promise.all([lab.remove(HR, name, 60_000), succeeds(THEIRS, 'uninstall', name, ...wait)]);
      await same(name, 'uninstalled');
      await lab.remove(OCI, name);
    });
  }
});

function isOf({ metadata, ...rest }: KubeObject, side: string, name: string): boolean {
  if (rest['type'] === 'helm.sh/release.v1' || metadata.name.endsWith('-before')) return false;
  const { annotations = {} } = metadata;
  const owner = annotations['meta.helm.sh/release-name'];
  if (owner !== undefined) return owner === name && annotations['meta.helm.sh/release-namespace'] === side;
  // Hooks have no such annotations.
  return metadata.name === name || metadata.name.startsWith(`${name}-`);
}

/** Labels and annotations of owners, and those the server gives Jobs that have none. */
const OWNERSHIP = /^(helm\.toolkit\.fluxcd\.io|deployment\.kubernetes\.io|batch\.kubernetes\.io)\/|^(controller-uid|job-name)$/;

/** An object as text, without what the server or its owner put on it. */
function plain(object: KubeObject, side: string): string {
  const { name, namespace, labels, annotations } = object.metadata;
  const keep = (entries: Record<string, string> | null | undefined): Record<string, string> =>
    Object.fromEntries(Object.entries(entries ?? {}).filter(([key]) => !OWNERSHIP.test(key)));
  const text = JSON.stringify(
    sorted({ ...object, status: undefined, metadata: { name, namespace, labels: keep(labels), annotations: keep(annotations) } }),
  );
  return text
    .replaceAll(side, 'NS')
    .replace(/"(clusterIP|clusterIPs|volumeName|uid)":("[^"]*"|\[[^\]]*\]),?/g, '')
    .replace(/"(batch\.kubernetes\.io\/)?controller-uid":"[^"]*"/g, '"controller-uid":""')
    .replace(/"nodePort":\d+,?/g, '');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]));
}

/** What `helm get all` prints of a release: objects as they are in the cluster, other text as it is. */
function comparable(text: string, side: string): Record<string, unknown> {
  const parts = text.split(/^(USER-SUPPLIED VALUES|COMPUTED VALUES|HOOKS|MANIFEST|NOTES):$/m);
  const found: Record<string, unknown> = {};
  for (let i = 1; i < parts.length; i += 2) {
    const [title = '', content = ''] = parts.slice(i, i + 2);
    const isObjects = title === 'HOOKS' || title === 'MANIFEST';
    found[title] = isObjects ? readObjects(content).map((object) => plain(object, side)) : content.replaceAll(side, 'NS');
  }
  return found;
}
