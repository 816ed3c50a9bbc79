// Kustomizations that reach beyond this process: other clusters, sources of other controllers, and another process that leads.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { archiveTree, writeArchive } from '../../src/artifact/index.ts';
import { parseFeatureGates } from '../../src/runtime/index.ts';
import { digestOf, seconds, sleep, systemClock } from '../../src/std/index.ts';
import { eventually, startController } from './harness.ts';
import { condition, configMap, CONFIG_MAP, KS, Lab, OCI, until } from './kustomization-lab.ts';

const EXTERNAL = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'ExternalArtifact' };
const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
const SECRET = { apiVersion: 'v1', kind: 'Secret' };

describe('Kustomizations that reach further', { timeout: 300_000 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.open('reach', { gates: parseFeatureGates('ExternalArtifact=true') });
  });
  after(async () => await lab.close());

  const value = async (name: string): Promise<string | undefined> =>
    ((await lab.find(CONFIG_MAP, name))?.['data'] as Record<string, string> | undefined)?.['v'];

  test('KB91: kubeConfig.secretRef: applied, watched and deleted in the cluster it names; a missing one is named', async () => {
    const name = 'remote';
    await lab.push(name, { 'c.yaml': configMap(name) });
    await lab.source(name, name);
    await lab.kustomization(name, { kubeConfig: { secretRef: { name: 'cluster' } }, retryInterval: '1s' });
    const failed = await lab.notReady(KS, name, 'ReconciliationFailed');
    assert.match(condition(failed, 'Ready')?.message ?? '', /get Secret "reach\/cluster": not found/);
    const kubeconfig = readFileSync(process.env['SLUICE_KUBECONFIG'] ?? '', 'utf8');
    await lab.apply({ ...SECRET, metadata: { name: 'cluster' }, stringData: { value: kubeconfig } });
    await lab.ready(KS, name);
    assert.equal(await value(name), '1');
    await lab.kube.patch(
      { ...CONFIG_MAP, name, namespace: lab.namespace },
      { type: 'merge', body: { data: { v: 'tampered' } } },
      { fieldManager: 'intruder' },
    );
    await until('drift is seen there too', async () => (await value(name)) === '1', 5000);
    await lab.remove(KS, name);
    assert.equal(await lab.find(CONFIG_MAP, name), undefined);

    await lab.kustomization(name, { kubeConfig: { secretRef: { name: 'cluster' } } });
    await lab.ready(KS, name);
    await lab.remove(SECRET, 'cluster');
    // What was read of a Secret serves everybody for two seconds.
    await sleep(systemClock, seconds(2.5));
    await lab.remove(KS, name);
    assert.ok(
      lab.posted.some(({ message }) => message === `unable to prune objects: \nConfigMap/reach/${name}`),
      'KB90',
    );
    await lab.remove(CONFIG_MAP, name);
    await lab.remove(OCI, name);
  });

  test('KB06: an ExternalArtifact is fetched over HTTP and must have the digest it says', async () => {
    const name = 'external';
    let archive = Buffer.alloc(0);
    const server: Server = createServer((_, response) => void response.end(archive));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const publish = async (version: string, digest?: string): Promise<void> => {
      archive = Buffer.from(await writeArchive(archiveTree({ 'c.yaml': configMap(name, { v: version }) }), 'stored'));
      const artifact = {
        path: `externalartifact/reach/${name}/${version}.tar.gz`,
        url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${version}.tar.gz`,
        revision: `${version}@sha256:abc`,
        digest: digest ?? digestOf(archive),
        lastUpdateTime: new Date().toISOString(),
      };
      await lab.kube.patchStatus({ ...EXTERNAL, name, namespace: lab.namespace }, { type: 'merge', body: { status: { artifact } } });
    };
    await lab.apply({ ...EXTERNAL, metadata: { name }, spec: {} });
    await lab.kustomization(name, { sourceRef: { kind: 'ExternalArtifact', name } });
    const missing = await lab.notReady(KS, name, 'ArtifactFailed');
    assert.match(condition(missing, 'Ready')?.message ?? '', /^Source artifact not found, retrying in 30s$/);
    await publish('1');
    await lab.ready(KS, name, '1@sha256:abc');
    assert.equal(await value(name), '1');
    await publish('2');
    await lab.ready(KS, name, '2@sha256:abc');
    assert.equal(await value(name), '2');
    await publish('3', digestOf('something else'));
    const refused = await lab.notReady(KS, name, 'ArtifactFailed');
    assert.match(condition(refused, 'Ready')?.message ?? '', /digest mismatch: got sha256:\w+, want sha256:/);
    assert.equal(await value(name), '2');
    await lab.remove(KS, name);
    await lab.remove(EXTERNAL, name);
    server.close();
  });

  test('C12: of two processes one works; when it is killed the other takes over', async () => {
    await lab.stop();
    const namespace = 'flux-system';
    const flags = [
      '--enable-leader-election',
      '--leader-election-lease-duration=4s',
      '--leader-election-renew-deadline=3s',
      '--leader-election-retry-period=1s',
    ];
    await lab.kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { fieldManager: 'lab', force: true });
    const first = await startController(flags);
    const second = await startController(flags, { waitReady: false });
    await eventually('the second one waits', () => second.log().includes('another process leads'));
    assert.ok(!second.log().includes('"msg":"ready"'));
    const lease = await lab.kube.get({ ...LEASE, name: 'kustomize-controller-leader-election', namespace });
    assert.ok((lease['spec'] as { holderIdentity: string }).holderIdentity.length > 0);
    await first.kill();
    await eventually('the second one leads', () => second.log().includes('"msg":"ready"'));
    const third = await startController(flags, { waitReady: false });
    await eventually('the third one waits', () => third.log().includes('another process leads'));
    const stopped = Date.now();
    await second.stop();
    await eventually('the third one leads at once, for the lease was given up', () => third.log().includes('"msg":"ready"'));
    assert.ok(Date.now() - stopped < 4000);
    await third.stop();
    await lab.start();
  });
});
