// Where a HelmRelease takes its chart from, besides an OCIRepository: an ExternalArtifact of a third party; what is said of what is not served;
// and what the Pods of a failed hook have said.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { archiveTree, writeArchive } from '../../src/artifact/index.ts';
import { isKubeError } from '../../src/kube/index.ts';
import { parseFeatureGates } from '../../src/runtime/index.ts';
import { digestOf, type Digest } from '../../src/std/index.ts';
import { chart, HR, release, revisions, said, waitFor } from './helmrelease-lab.ts';
import { condition, CONFIG_MAP, Lab, OCI } from './kustomization-lab.ts';

const EXTERNAL = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'ExternalArtifact' };

describe('sources of a HelmRelease', { timeout: 300_000 }, () => {
  let lab: Lab;
  let archive = Buffer.alloc(0);
  let server: Server;
  const used: string[] = [];

  before(async () => {
    lab = await Lab.open('release-source', { gates: parseFeatureGates('ExternalArtifact=true,DefaultToRetryOnFailure=false') });
    server = createServer((_, response) => void response.end(archive));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    for (const name of used) if ((await lab.find(HR, name)) !== undefined) await lab.remove(HR, name);
    for (const kind of [EXTERNAL, OCI])
      for (const name of used) if ((await lab.find(kind, name)) !== undefined) await lab.remove(kind, name);
    server.close();
    await lab.close();
  });

  const data = async (name: string): Promise<Record<string, string> | undefined> =>
    (await lab.find(CONFIG_MAP, name))?.['data'] as Record<string, string> | undefined;
  const ready = async (name: string): Promise<string> => condition(await lab.status(HR, name), 'Ready')?.message ?? '';

  /** Publishes a chart as an artifact of a controller that is not ours. */
  async function publish(name: string, files: Record<string, string>, digest?: Digest): Promise<Digest> {
    archive = Buffer.from(await writeArchive(archiveTree(files), 'stored'));
    const own = digestOf(archive);
    const artifact = {
      path: `externalartifact/${lab.namespace}/${name}/x.tar.gz`,
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.tar.gz`,
      revision: `latest@${own}`,
      digest: digest ?? own,
      lastUpdateTime: new Date().toISOString(),
    };
    await lab.kube.patchStatus({ ...EXTERNAL, name, namespace: lab.namespace }, { type: 'merge', body: { status: { artifact } } });
    return own;
  }

  test('HB04 HB05: the chart of an ExternalArtifact is fetched over HTTP and must have the digest it says', async () => {
    const name = 'external';
    used.push(name);
    await lab.apply({ ...EXTERNAL, metadata: { name }, spec: {} });
    const spec = { chartRef: { kind: EXTERNAL.kind, name }, values: { replicas: 0 } };
    await release(lab, name, spec);
    await waitFor(lab, name, 'no artifact yet', (it) => said(it, 'Ready') === 'False SourceNotReady');
    assert.equal(await ready(name), `ExternalArtifact 'release-source/external' is not ready: does not have an artifact`);

    const first = await publish(name, chart('1.0.0'));
    const installed = await waitFor(lab, name, 'installed', (it) => said(it, 'Ready') === 'True InstallSucceeded');
    assert.equal(installed.history?.[0]?.chartVersion, `1.0.0+${first.slice(7, 19)}`);
    assert.equal((await data(name))?.['chart'], installed.history[0].chartVersion);

    const second = await publish(name, chart('1.0.1'));
    const upgraded = await waitFor(lab, name, 'upgraded', (it) => said(it, 'Ready') === 'True UpgradeSucceeded');
    assert.equal(upgraded.history?.[0]?.chartVersion, `1.0.1+${second.slice(7, 19)}`);

    await publish(name, chart('1.0.2'), digestOf('something else'));
    await waitFor(lab, name, 'refused', (it) => said(it, 'Ready') === 'False ArtifactFailed');
    assert.match(await ready(name), /^Could not load chart: fetch artifact "http:\S+": digest mismatch: got sha256:\w+, want sha256:\w+$/);
    assert.deepEqual(await revisions(lab, name), ['1 superseded', '2 deployed']);
    assert.equal((await data(name))?.['chart'], upgraded.history[0].chartVersion);

    await publish(name, chart('1.0.3'));
    await waitFor(
      lab,
      name,
      'healed',
      (it) => (it.history?.[0]?.chartVersion ?? '').startsWith('1.0.3+') && said(it, 'Ready').startsWith('True'),
    );
  });

  test('spec.chart stalls and says how to move to chartRef', async () => {
    const name = 'classic';
    used.push(name);
    const spec = { chart: 'podinfo', version: '6.x', sourceRef: { kind: 'HelmRepository', name: 'podinfo' } };
    await lab.apply({ ...HR, metadata: { name }, spec: { interval: '10m', chart: { spec } } });
    const status = await waitFor(lab, name, 'stalled', (it) => said(it, 'Stalled') === 'True UnsupportedChartSource');
    assert.equal(said(status, 'Ready'), 'False UnsupportedChartSource');
    assert.equal(
      await ready(name),
      "spec.chart: charts of a HelmRepository ('podinfo') are not served, only those of a registry: push the chart to a registry " +
        '(helm push podinfo-VERSION.tgz oci://REGISTRY/charts), describe it with an OCIRepository whose layerSelector is ' +
        '{mediaType: application/vnd.cncf.helm.chart.content.v1.tar+gzip, operation: copy}, and replace spec.chart by ' +
        'spec.chartRef: {kind: OCIRepository, name: …}',
    );
    assert.deepEqual(await revisions(lab, name), []);
  });

  test('a chartRef to a HelmChart says what is missing when nobody makes HelmCharts', async () => {
    const name = 'chart';
    used.push(name);
    await release(lab, name, { chartRef: { kind: 'HelmChart', name: 'podinfo' } });
    await waitFor(lab, name, 'told', (it) => said(it, 'Ready') === 'False ArtifactFailed');
    assert.match(
      await ready(name),
      /^could not get Source object: HelmChart\/release-source\/podinfo: this cluster has no HelmCharts .*spec\.chartRef: \{kind: OCIRepository/,
    );
  });

  test('a HelmRelease with both or neither of chart and chartRef is refused by the API server', async () => {
    const chartSpec = { spec: { chart: 'podinfo', sourceRef: { kind: 'HelmRepository', name: 'podinfo' } } };
    for (const spec of [{}, { chart: chartSpec, chartRef: { kind: 'OCIRepository', name: 'podinfo' } }]) {
      await assert.rejects(
        lab.apply({ ...HR, metadata: { name: 'wrong' }, spec: { interval: '10m', ...spec } }),
        (error: unknown) => isKubeError(error, 'Invalid') && error.message.includes('either chart or chartRef must be set'),
      );
    }
  });

  test('HB57 HB66: what the container of a failed hook or test did is in the condition', async () => {
    const name = 'said';
    used.push(name);
    const pod = (hook: string, of: string): string => `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-${of}
  annotations: {helm.sh/hook: ${hook}}
spec: {restartPolicy: Never, containers: [{name: main, image: "control-plane.test/fail:1"}]}
`;
    await lab.push(name, chart('1.0.0', { 'test.yaml': pod('test', 'test') }));
    await lab.source(name, name);
    await release(lab, name, { values: { replicas: 0 }, test: { enable: true } });
    await waitFor(lab, name, 'its test failed', (it) => said(it, 'TestSuccess') === 'False TestFailed');
    const tested = condition(await lab.status(HR, name), 'TestSuccess')?.message ?? '';
    assert.match(tested, /\nPod\/release-source\/said-test container main ended with exit code \d+(?: \(\w+\))?(?::\n.+)?$/);
    await lab.push(name, chart('1.0.1', { 'hook.yaml': pod('pre-upgrade', 'migrate') }));
    await lab.request(OCI, name);
    await waitFor(lab, name, 'its hook failed', (it) => said(it, 'Released') === 'False UpgradeFailed');
    const released = condition(await lab.status(HR, name), 'Released')?.message ?? '';
    assert.match(released, /pre-upgrade hooks failed: .*\nPod\/release-source\/said-migrate container main ended with exit code \d+/s);
  });
});
