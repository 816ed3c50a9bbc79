// Flux's own end-to-end manifests of HelmReleases, and what its scripts assert of each. Charts come from a registry: where a manifest names a
// HelmRepository or a GitRepository, the test puts an OCIRepository in its place. What breaks podinfo there tells the fate of pods here.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { HelmReleaseStatus } from '../../src/api/index.ts';
import { readObjects, type KubeObject } from '../../src/manifest/index.ts';
import { parseFeatureGates } from '../../src/runtime/index.ts';
import { corpus, loadLayout } from './harness.ts';
import { HR, revisions, said, SECRET, waitFor } from './helmrelease-lab.ts';
import { DEPLOYMENT, Lab, OCI, until } from './kustomization-lab.ts';

const charts = 'stefanprodan/charts/podinfo';
const flux = corpus('flux');
const artifacts = corpus('artifacts');
const skip = flux === undefined || artifacts === undefined ? 'needs the corpus' : false;
const testdata = join(flux ?? '', 'e2e/helm/testdata');

type Values = Record<string, unknown> & { faults?: { unready?: boolean; testFail?: boolean } };
type Spec = Record<string, unknown> & { chart?: { spec: { chart: string; version?: string } }; chartRef?: unknown; values?: Values };

/** The files of a folder of the corpus, under the name of the folder. */
function folder(path: string, name = path.slice(path.lastIndexOf('/') + 1)): Record<string, string> {
  const files: Record<string, string> = {};
  const walk = (below: string): void => {
    for (const entry of readdirSync(join(path, below))) {
      const relative = below === '' ? entry : `${below}/${entry}`;
      if (statSync(join(path, relative)).isDirectory()) walk(relative);
      else files[`${name}/${relative}`] = readFileSync(join(path, relative), 'utf8');
    }
  };
  walk('');
  return files;
}

describe('Flux’s end-to-end tests of HelmReleases', { timeout: 900_000, concurrency: 4 }, () => {
  let lab: Lab;
  before(async () => {
    if (skip !== false) return;
    // Flux's own default after failures.
    lab = await Lab.open('helm-system', { gates: parseFeatureGates('DefaultToRetryOnFailure=false'), namespace: undefined });
    await loadLayout(join(artifacts ?? '', 'layouts', charts), lab.registry.host, charts);
    for (const version of ['v1', 'v2']) await lab.push(`crds-${version}`, folder(join(testdata, 'charts/crds', version)));
    await lab.push('renamed', folder(join(testdata, 'charts/upgrade-chart-name-change/podinfo-renamed')));
  });
  after(async () => lab?.close());

  /** The OCIRepository that stands for the chart of a manifest. */
  async function sourceOf({ metadata }: KubeObject, { chart }: Spec): Promise<void> {
    const [, version] = /charts\/crds\/(v\d)$/.exec(chart?.spec.chart ?? '') ?? [];
    const namespace = metadata.namespace ?? lab.namespace;
    const local =
      version === undefined ? (chart?.spec.chart.endsWith('podinfo-renamed') === true ? 'renamed' : undefined) : `crds-${version}`;
    const layerSelector = { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', operation: 'copy' };
    // The corpus has few versions of podinfo: those that fit the ranges, and 6.8.0 for all others.
    const range = chart?.spec.version ?? '';
    const ref = local === undefined ? (range.includes('>=') ? { semver: range } : { tag: '6.8.0' }) : { tag: 'latest' };
    const url = `oci://${lab.registry.host}/${local ?? charts}`;
    const spec = { interval: '10m', url, ref, ...(local === undefined ? { layerSelector } : {}) };
    await lab.apply({ ...OCI, metadata: { name: `chart-of-${metadata.name}`, namespace }, spec });
  }

  /** A spec whose faults the simulated pods understand. */
  function withFates(spec: Spec): Spec {
    const { faults, ...values } = spec.values ?? {};
    const { chart, ...rest } = spec;
    const fates = { 'control-plane.test/fate': 'unready' };
    const podAnnotations = faults?.unready === true ? { podAnnotations: { ...(values['podAnnotations'] as object), ...fates } } : {};
    const fails = faults?.testFail === true ? { faults } : {};
    // The hook of podinfo's failing test runs `false`: here its image tells that.
    const images = [{ name: 'alpine', newName: 'control-plane.test/fail', newTag: '1' }];
    const tests = faults?.testFail === true ? { postRenderers: [{ kustomize: { images } }] } : {};
    return { ...rest, ...(chart === undefined ? {} : { chart }), ...tests, values: { ...values, ...podAnnotations, ...fails } };
  }

  /** Applies a manifest of the corpus. */
  async function apply(path: string): Promise<void> {
    for (const object of readObjects(readFileSync(join(testdata, path), 'utf8'), path)) {
      if (object.kind === 'HelmRepository') continue;
      if (object.kind === 'OCIRepository') {
        await applySource(object);
        continue;
      }
      if (object.kind !== 'HelmRelease') {
        const namespaced = object.kind !== 'Namespace';
        await lab.kube.apply(namespaced ? { ...object, metadata: { namespace: lab.namespace, ...object.metadata } } : object, {
          fieldManager: 'lab',
          force: true,
        });
        continue;
      }
      const spec = withFates(object['spec'] as Spec);
      if (spec.chart === undefined) {
        await lab.apply({ ...object, spec });
        continue;
      }
      await sourceOf(object, spec);
      const { chart: _chart, ...rest } = spec;
      await lab.apply({ ...object, spec: { ...rest, chartRef: { kind: 'OCIRepository', name: `chart-of-${object.metadata.name}` } } });
    }
  }

  /** An OCIRepository of the corpus, with a version the corpus has. */
  async function applySource(object: KubeObject, tag = '6.9.4'): Promise<void> {
    const url = `oci://${lab.registry.host}/${charts}`;
    await lab.apply({ ...object, spec: { interval: '10m', url, ref: { tag } } });
  }

  const names: string[] = [];
  /** Waits for conditions, `Released=False Ready=False`. */
  function conditions(name: string, wanted: string, also: (status: HelmReleaseStatus) => boolean = () => true): Promise<HelmReleaseStatus> {
    names.push(name);
    const holds = (status: HelmReleaseStatus): boolean =>
      also(status) &&
      wanted.split(' ').every((each) => {
        const [type = '', value = ''] = each.split('=');
        return said(status, type).split(' ')[0] === value;
      });
    return waitFor(lab, name, wanted, holds, 60_000);
  }
  async function remove(name: string): Promise<void> {
    await lab.remove(HR, name, 60_000);
  }
  const managers = async (name: string): Promise<Set<string>> => {
    const found = await lab.find(DEPLOYMENT, name);
    const fields = found?.metadata.managedFields ?? [];
    return new Set(fields.filter(({ manager }) => manager?.includes('helm')).map(({ operation }) => operation ?? ''));
  };

  test('status-defaults', { skip }, async () => {
    const { customResourceDefinition, helmReleaseKind } = await import('../../src/api/index.ts');
    const crd = JSON.stringify(customResourceDefinition(helmReleaseKind));
    assert.ok(crd.includes('"default":{"observedGeneration":-1}'));
  });

  test('podinfo: Ready, with an inventory', { skip }, async () => {
    await apply('podinfo/helmrelease.yaml');
    const status = await conditions('podinfo', 'Ready=True');
    assert.ok(status.inventory?.entries.some(({ id }) => id.endsWith('_Deployment')));
    await remove('podinfo');
  });

  test('job-ttl: a hook Job that vanishes does no harm', { skip }, async () => {
    await apply('job-ttl/helmrelease.yaml');
    await conditions('job-ttl', 'Ready=True');
    await remove('job-ttl');
  });

  test('dependencies: backend before frontend', { skip }, async () => {
    await apply('dependencies/helmrelease-frontend.yaml');
    await conditions('frontend', 'Ready=False');
    await apply('dependencies/helmrelease-backend.yaml');
    const [backend, frontend] = [await conditions('backend', 'Ready=True'), await conditions('frontend', 'Ready=True')];
    assert.ok((backend.history?.[0]?.lastDeployed ?? '') <= (frontend.history?.[0]?.firstDeployed ?? ''));
    await remove('frontend');
    await remove('backend');
  });

  test('valuesfrom: the values Helm has are the golden ones', { skip }, async () => {
    for (const file of ['configmap.yaml', 'secret.yaml', 'helmrelease.yaml']) await apply(`valuesfrom/${file}`);
    await conditions('valuesfrom', 'Ready=True');
    const { items } = await lab.kube.list(SECRET, { namespace: lab.namespace, labelSelector: 'owner=helm,name=valuesfrom' });
    const { releaseOf } = await import('../../src/helm/index.ts');
    const { writeYaml } = await import('../../src/golang/index.ts');
    const { config } = releaseOf(items[0] ?? assert.fail('no record'));
    const golden = readFileSync(join(testdata, 'valuesfrom/golden.txt'), 'utf8');
    assert.equal(`USER-SUPPLIED VALUES:\n${writeYaml(config ?? {})}`.trim(), golden.trim());
    await remove('valuesfrom');
  });

  test('targetnamespace: the name has the namespace before it', { skip }, async () => {
    await apply('targetnamespace/helmrelease.yaml');
    await conditions('targetnamespace', 'Ready=True');
    assert.ok(await lab.kube.find({ ...DEPLOYMENT, name: 'default-targetnamespace-podinfo', namespace: 'default' }));
    await remove('targetnamespace');
  });

  test('install-create-target-ns: the namespace is created', { skip }, async () => {
    await apply('install-create-target-ns/helmrelease.yaml');
    await conditions('install-create-target-ns', 'Ready=True');
    assert.ok(await lab.kube.find({ apiVersion: 'v1', kind: 'Namespace', name: 'install-create-target-ns' }));
    await remove('install-create-target-ns');
  });

  test('install-from-ocirepo-source: Ready', { skip }, async () => {
    await apply('install-from-ocirepo-source/test.yaml');
    await conditions('podinfo-from-ocirepo', 'Ready=True');
    await remove('podinfo-from-ocirepo');
  });

  test('post-renderer-kustomize: both patches', { skip }, async () => {
    await apply('post-renderer-kustomize/helmrelease.yaml');
    await conditions('post-renderer-kustomize', 'Ready=True');
    const labels = (await lab.find(DEPLOYMENT, 'mypodinfo'))?.metadata.labels;
    assert.equal(labels?.['xxxx'], 'yyyy');
    assert.equal(labels?.['yyyy'], 'xxxx');
    await remove('post-renderer-kustomize');
  });

  test('install-fail: failed, one revision', { skip }, async () => {
    await apply('install-fail/helmrelease.yaml');
    await conditions('install-fail', 'Released=False Ready=False');
    assert.equal((await revisions(lab, 'install-fail')).length, 1);
    await remove('install-fail');
  });

  for (const [name, ready] of [
    ['install-test-fail', 'False'],
    ['install-test-fail-ignore', 'True'],
  ] as const) {
    test(`${name}: released, TestSuccess False, Ready ${ready}`, { skip }, async () => {
      await apply(`${name}/helmrelease.yaml`);
      await conditions(name, `Released=True TestSuccess=False Ready=${ready}`);
      assert.equal((await revisions(lab, name)).length, 1);
      await remove(name);
    });
  }

  test('install-fail-remediate: uninstalled, history kept', { skip }, async () => {
    await apply('install-fail-remediate/helmrelease.yaml');
    await conditions('install-fail-remediate', 'Released=False Ready=False Remediated=True');
    assert.deepEqual(await revisions(lab, 'install-fail-remediate'), ['1 uninstalled']);
    await remove('install-fail-remediate');
    assert.deepEqual(await revisions(lab, 'install-fail-remediate'), ['1 uninstalled']);
  });

  test('install-fail-retry: two failures, stalled, one revision', { skip }, async () => {
    await apply('install-fail-retry/helmrelease.yaml');
    await conditions('install-fail-retry', 'Released=False Ready=False Stalled=True', ({ installFailures }) => installFailures === 2);
    assert.equal((await revisions(lab, 'install-fail-retry')).length, 1);
    await remove('install-fail-retry');
  });

  test('upgrade-fail: stalled, two revisions', { skip }, async () => {
    await apply('upgrade-fail/install.yaml');
    await conditions('upgrade-fail', 'Released=True Ready=True');
    assert.equal((await revisions(lab, 'upgrade-fail')).length, 1);
    await apply('upgrade-fail/upgrade.yaml');
    await conditions('upgrade-fail', 'Released=False Ready=False Stalled=True');
    assert.equal((await revisions(lab, 'upgrade-fail')).length, 2);
    await remove('upgrade-fail');
  });

  test('upgrade-test-fail: released, stalled, two revisions', { skip }, async () => {
    await apply('upgrade-test-fail/install.yaml');
    await conditions('upgrade-test-fail', 'Released=True Ready=True');
    await apply('upgrade-test-fail/upgrade.yaml');
    await conditions('upgrade-test-fail', 'Released=True TestSuccess=False Ready=False Stalled=True');
    assert.equal((await revisions(lab, 'upgrade-test-fail')).length, 2);
    await remove('upgrade-test-fail');
  });

  const description = async (name: string): Promise<string> => {
    const { items } = await lab.kube.list(SECRET, { namespace: lab.namespace, labelSelector: `owner=helm,name=${name}` });
    const { releaseOf } = await import('../../src/helm/index.ts');
    return (
      items
        .map(releaseOf)
        .sort((a, b) => a.version - b.version)
        .at(-1)?.description ?? ''
    );
  };

  test('upgrade-fail-remediate: rolled back to 1, three revisions', { skip }, async () => {
    await apply('upgrade-fail-remediate/install.yaml');
    await conditions('upgrade-fail-remediate', 'Released=True Ready=True');
    await apply('upgrade-fail-remediate/upgrade.yaml');
    await conditions('upgrade-fail-remediate', 'Released=False Ready=False Remediated=True');
    assert.equal((await revisions(lab, 'upgrade-fail-remediate')).length, 3);
    assert.equal(await description('upgrade-fail-remediate'), 'Rollback to 1');
    await remove('upgrade-fail-remediate');
  });

  test('upgrade-fail-retry: two failures, five revisions, rolled back to 3', { skip }, async () => {
    await apply('upgrade-fail-retry/install.yaml');
    await conditions('upgrade-fail-retry', 'Released=True Ready=True');
    await apply('upgrade-fail-retry/upgrade.yaml');
    await conditions('upgrade-fail-retry', 'Released=False Ready=False Stalled=True', ({ upgradeFailures }) => upgradeFailures === 2);
    assert.equal((await revisions(lab, 'upgrade-fail-retry')).length, 5);
    assert.equal(await description('upgrade-fail-retry'), 'Rollback to 3');
    await remove('upgrade-fail-retry');
  });

  test('upgrade-fail-remediate-uninstall: one failure of each, one failed revision', { skip }, async () => {
    const name = 'upgrade-fail-remediate-uninstall';
    await apply(`${name}/install.yaml`);
    await conditions(name, 'Released=True Ready=True');
    await apply(`${name}/upgrade.yaml`);
    const counted = ({ upgradeFailures, installFailures }: HelmReleaseStatus): boolean => upgradeFailures === 1 && installFailures === 1;
    await conditions(name, 'Released=False Ready=False Stalled=True', counted);
    assert.deepEqual(await revisions(lab, name), ['1 failed']);
    await remove(name);
  });

  test('upgrade-from-ocirepo-source: another digest upgrades', { skip }, async () => {
    const name = 'upgrade-from-ocirepo-source';
    const [source] = readObjects(readFileSync(join(testdata, name, 'install.yaml'), 'utf8'), 'install.yaml');
    await apply(`${name}/install.yaml`);
    await conditions(name, 'Released=True Ready=True');
    await applySource(source ?? assert.fail('no source'), '6.13.0');
    await conditions(name, 'Released=True Ready=True', ({ history }) => history?.[0]?.version === 2 && history[0].status === 'deployed');
    await remove(name);
  });

  test('impersonation: an account may what it may', { skip }, async () => {
    await apply('impersonation/test.yaml');
    const own = async (name: string, what: string, holds: (status: HelmReleaseStatus) => boolean): Promise<void> => {
      await until(
        `impersonation/${name} ${what}`,
        async () => {
          const found = await lab.kube.find({ ...HR, name, namespace: 'impersonation' });
          return holds((found?.['status'] ?? {}) as HelmReleaseStatus);
        },
        60_000,
      );
    };
    await own('podinfo', 'Ready', (status) => said(status, 'Ready').startsWith('True'));
    await own(
      'podinfo-fail',
      'refused',
      (status) => said(status, 'Released').startsWith('False') && said(status, 'Ready').startsWith('False'),
    );
    await lab.kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'impersonation' });
  });

  test('delete-ns: a namespace with a release goes', { skip }, async () => {
    await apply('delete-ns/test.yaml');
    const find = (): Promise<KubeObject | undefined> => lab.kube.find({ ...HR, name: 'podinfo', namespace: 'delete-ns' });
    await until('Ready', async () => said(((await find())?.['status'] ?? {}) as HelmReleaseStatus, 'Ready').startsWith('True'), 60_000);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: 'delete-ns' };
    await lab.kube.delete(namespace);
    await until('the namespace is gone', async () => (await lab.kube.find(namespace)) === undefined, 120_000);
  });

  test('crds-upgrade: Create, then CreateReplace', { skip }, async () => {
    const at = (status: HelmReleaseStatus, version: number): boolean =>
      status.history?.[0]?.version === version && status.history[0].status === 'deployed';
    const wait = async (version: number): Promise<void> => {
      await until(
        `revision ${version} is Ready`,
        async () => {
          const found = await lab.kube.find({ ...HR, name: 'crds-upgrade-test', namespace: 'default' });
          const status = (found?.['status'] ?? {}) as HelmReleaseStatus;
          return at(status, version) && said(status, 'Ready').startsWith('True');
        },
        60_000,
      );
    };
    await apply('crds-upgrade/init/helmrelease.yaml');
    await wait(1);
    await apply('crds-upgrade/create/helmrelease.yaml');
    await wait(2);
    await apply('crds-upgrade/create-replace/helmrelease.yaml');
    await wait(3);
    await lab.kube.delete({ ...HR, name: 'crds-upgrade-test', namespace: 'default' });
    await until('gone', async () => (await lab.kube.find({ ...HR, name: 'crds-upgrade-test', namespace: 'default' })) === undefined);
  });

  test('upgrade-chart-name-change: 1, 1 and 2 revisions', { skip }, async () => {
    // All of them are of one name: one after the other.
    const name = 'upgrade-chart-name-change';
    for (const [file, count] of [
      ['upgrade', 1],
      ['upgrade-reinstall', 1],
      ['upgrade-inplace', 2],
    ] as const) {
      await apply(`${name}/install.yaml`);
      await conditions(name, 'Released=True Ready=True');
      assert.deepEqual(await revisions(lab, name), ['1 deployed']);
      await apply(`${name}/${file}.yaml`);
      const renamed = ({ history }: HelmReleaseStatus): boolean =>
        history?.[0]?.chartName === 'podinfo-renamed' && history[0].status === 'deployed';
      await conditions(name, 'Released=True Ready=True', renamed);
      assert.equal((await revisions(lab, name)).length, count, file);
      await remove(name);
    }
  });

  /** Upgrades a release by an annotation of its pods, as Flux's script does. */
  async function annotate(name: string): Promise<void> {
    await lab.patch(HR, name, { spec: { values: { podAnnotations: { upgraded: 'yes' } } } });
    await conditions(name, 'Ready=True', ({ history }) => history?.[0]?.version === 2 && history[0].status === 'deployed');
  }

  for (const [file, name, installed, upgraded] of [
    ['no-ssa', 'no-server-side-apply', ['Update'], ['Update']],
    ['install', 'server-side-apply', ['Apply'], ['Apply']],
    ['no-ssa-install-ssa-upgrade', 'no-ssa-install-ssa-upgrade', ['Update'], ['Apply']],
    ['ssa-install-no-ssa-upgrade', 'ssa-install-no-ssa-upgrade', ['Apply'], ['Update']],
  ] as const) {
    test(`server-side-apply, ${file}: ${installed.join()}, then ${upgraded.join()}`, { skip }, async () => {
      await apply(`server-side-apply/${file}.yaml`);
      await conditions(name, 'Ready=True');
      assert.deepEqual([...(await managers(`${name}-podinfo`))], [...installed]);
      await annotate(name);
      const now = await managers(`${name}-podinfo`);
      for (const operation of upgraded) assert.ok(now.has(operation), [...now].join());
      await remove(name);
    });
  }

  test('server-side-apply, ssa-to-csa-field-removal: what the values leave out goes', { skip }, async () => {
    const name = 'ssa-to-csa-field-removal';
    await apply(`server-side-apply/${name}.yaml`);
    await conditions(name, 'Ready=True');
    await lab.patch(HR, name, { spec: { values: { podAnnotations: { 'ssa-owned-field': null, upgraded: 'yes' } } } });
    await conditions(name, 'Ready=True', ({ history }) => history?.[0]?.version === 2 && history[0].status === 'deployed');
    const deployment = JSON.stringify((await lab.find(DEPLOYMENT, `${name}-podinfo`))?.['spec']);
    assert.ok(deployment.includes('"upgraded":"yes"') && !deployment.includes('ssa-owned-field'));
    await remove(name);
  });

  test('server-side-apply, rollback: by server-side apply', { skip }, async () => {
    const name = 'server-side-apply-rollback';
    await apply('server-side-apply/rollback-install.yaml');
    await conditions(name, 'Ready=True');
    await apply('server-side-apply/rollback-upgrade.yaml');
    await conditions(name, 'Remediated=True');
    assert.deepEqual([...(await managers(`${name}-podinfo`))], ['Apply']);
    await remove(name);
  });
});
