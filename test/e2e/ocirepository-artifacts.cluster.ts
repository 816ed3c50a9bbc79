// Artifacts of every maker, registries that fail, and logins to clouds, with real controllers on a real API server.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { cloudIdentities } from '../../src/cli/cloud-identities.ts';
import { createKubeClient, loadClusterConfig, nodeHost } from '../../src/kube/index.ts';
import {
  createCloudLogins,
  createRegistryClient,
  createRegistryClients,
  FaultPlan,
  memoryStore,
  parseMirrorRule,
  parseReference,
  pushArtifact,
  startRegistry,
  type RunningRegistry,
} from '../../src/oci/index.ts';
import { fakeEcr, fakeSts, startClouds } from '../../src/oci/testing/fake-clouds.ts';
import { archiveTree, writeArchive } from '../../src/artifact/index.ts';
import { parseFeatureGates } from '../../src/runtime/index.ts';
import { digestOf, systemClock } from '../../src/std/index.ts';
import { corpus, freePort, kubeconfig, loadLayout } from './harness.ts';
import { condition, CONFIG_MAP, configMap, KS, Lab, OCI, type Status } from './kustomization-lab.ts';

const MERGE = { 'source.sluice.dev/layers': 'merge' };

describe('artifacts of other makers', { timeout: 300_000 }, () => {
  const layouts = corpus('artifacts');
  const skip = layouts === undefined ? 'the corpus is not here' : false;
  let lab: Lab;
  before(async () => {
    lab = await Lab.open('makers');
    for (const name of layouts === undefined ? [] : ['empty', 'index', 'many', 'plain-file', 'two-layers'])
      await loadLayout(join(layouts ?? '', 'layouts/misc', name), lab.registry.host, `misc/${name}`);
  });
  after(async () => await lab.close());
  const source = (name: string, spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}): Promise<unknown> =>
    lab.apply({
      ...OCI,
      metadata: { name, annotations },
      spec: { interval: '10m', url: `oci://${lab.registry.host}/misc/${name}`, ref: { tag: 'v1' }, ...spec },
    });
  const said = (status: Status): string => condition(status, 'FetchFailed')?.message ?? '';

  test('OB01 OB17 OB24 C09 C14: a pass ends with a finalizer, an artifact that tells its origin, and the conditions of success', async () => {
    const revision = await lab.push('plain', { 'a.yaml': configMap('a') });
    await lab.source('plain', 'plain');
    const status = await lab.ready(OCI, 'plain', revision);
    const { artifact } = status as { artifact?: Record<string, unknown> };
    const digest = revision.slice(revision.indexOf('@') + 1);
    assert.deepEqual(
      {
        ...artifact,
        lastUpdateTime: typeof artifact?.['lastUpdateTime'],
        digest: typeof artifact?.['digest'],
        size: typeof artifact?.['size'],
      },
      {
        digest: 'string',
        lastUpdateTime: 'string',
        metadata: { 'org.opencontainers.image.revision': 'main@sha1:abc', 'org.opencontainers.image.source': 'test' },
        path: `ocirepository/makers/plain/${digest}.tar.gz`,
        revision,
        size: 'number',
        url: `http://127.0.0.1:1/ocirepository/makers/plain/${digest}.tar.gz`,
      },
    );
    const found = (status.conditions ?? []).map(({ type, status: value, reason, message }) => [type, value, reason, message]);
    const stored = ['True', 'Succeeded', `stored artifact for digest '${revision}'`];
    assert.deepEqual(found.sort(), [
      ['ArtifactInStorage', ...stored],
      ['Ready', ...stored],
    ]);
    assert.equal(status.observedGeneration, 1);
    assert.deepEqual((await lab.find(OCI, 'plain'))?.metadata.finalizers, ['finalizers.fluxcd.io']);
    const event = lab.posted.find(({ reason, involvedObject }) => reason === 'NewArtifact' && involvedObject.name === 'plain');
    assert.match(event?.message ?? '', /, origin source 'test', origin revision 'main@sha1:abc'$/);
  });

  test('E03 C04: however long a message is, condition and event hold what they may, and say who reports', async () => {
    const revision = await lab.push('long', { 'a.yaml': configMap('a') }, '1.0.0');
    const range = `${'>=9.0.0 || '.repeat(5000)}>=9.0.0`;
    await lab.source('long', 'long', { ref: { semver: range } });
    const failed = await lab.notReady(OCI, 'long', 'ReadOperationFailed');
    assert.equal(said(failed).length, 32_768);
    const event = lab.posted.find(({ reason, involvedObject }) => reason === 'ReadOperationFailed' && involvedObject.name === 'long');
    assert.equal(event?.message.length, 39_000);
    assert.deepEqual([event.reportingController, typeof event.reportingInstance], ['source-controller', 'string']);
    await lab.source('long', 'long', { ref: { semver: '1.x' } });
    await lab.ready(OCI, 'long', revision);
    await lab.remove(OCI, 'long');
  });

  test('OB18: an artifact without content, and an empty index, are said to be so', { skip }, async () => {
    await source('empty');
    assert.match(said(await lab.notReady(OCI, 'empty', 'OCIArtifactLayerOperationFailed')), /it has no content, only an empty layer/);
    await source('index');
    const failed = await lab.notReady(OCI, 'index', 'OCIArtifactPullFailed');
    assert.match(said(failed), /no child with platform linux\/amd64 in index: it is empty/);
  });

  test('OB18 OB20: a plain file is told with its selector, copied when asked, and becomes a file when merged', { skip }, async () => {
    await source('plain-file');
    const failed = await lab.notReady(OCI, 'plain-file', 'OCIArtifactLayerOperationFailed');
    assert.match(
      said(failed),
      /the layer is 'application\/yaml' \(68 bytes, "plain\.yaml"\): set spec\.layerSelector to \{mediaType: application\/yaml, operation: copy\}/,
    );
    await source('plain-file', { layerSelector: { mediaType: 'application/yaml', operation: 'copy' } });
    await lab.ready(OCI, 'plain-file');
    await source('plain-file', {}, MERGE);
    await lab.waitStatus(
      OCI,
      'plain-file',
      'merged',
      ({ artifact }) => (artifact as { metadata?: Record<string, string> })?.metadata?.['source.sluice.dev/layers'] === 'merge',
    );
    await lab.kustomization('plain-file');
    await lab.ready(KS, 'plain-file');
  });

  test('OB18: of two layers one is taken, or both when asked; the annotation alone is enough to ask', { skip }, async () => {
    await source('two-layers');
    const one = await lab.ready(OCI, 'two-layers');
    await source('two-layers', {}, MERGE);
    const both = await lab.waitStatus(OCI, 'two-layers', 'merged', ({ artifact }) => artifact?.digest !== one.artifact?.digest);
    assert.equal(both.artifact?.revision, one.artifact?.revision);
    await source('two-layers', { layerSelector: { mediaType: 'text/plain' } });
    assert.match(
      said(await lab.notReady(OCI, 'two-layers', 'OCIArtifactLayerOperationFailed')),
      /it has 2 layers: \[1\] 'application\/vnd\.example\.manifests\.tar\+gzip'/,
    );
  });

  test('OB12: an index gives the image for linux/amd64, or the one that is asked for', { skip }, async () => {
    await source('many');
    await lab.ready(OCI, 'many');
    await source('many', {}, { 'source.sluice.dev/artifact-type': 'application/vnd.cncf.flux.config.v1+json' });
    await lab.waitStatus(
      OCI,
      'many',
      'by type',
      ({ artifact }) => 'source.sluice.dev/artifact-type' in ((artifact as { metadata?: object })?.metadata ?? {}),
    );
    await source('many', {}, { 'source.sluice.dev/platform': 'linux/arm64' });
    assert.match(
      said(await lab.notReady(OCI, 'many', 'OCIArtifactPullFailed')),
      /no child with platform linux\/arm64 in index: it has any platform application\/vnd\.cncf\.flux/,
    );
    await source('many', {}, { 'source.sluice.dev/platform': 'linux' });
    const stalled = await lab.notReady(OCI, 'many', 'OCIArtifactLayerOperationFailed');
    assert.equal(condition(stalled, 'Stalled')?.status, 'True');
    await source('many');
    await lab.ready(OCI, 'many');
  });
});

describe('registries that fail', { timeout: 300_000 }, () => {
  const faults = new FaultPlan();
  let home: RunningRegistry;
  let copy: RunningRegistry;
  let lab: Lab;
  before(async () => {
    home = await startRegistry({ store: memoryStore(), clock: systemClock, faults });
    copy = await startRegistry({ store: memoryStore(), clock: systemClock });
    const registries = createRegistryClients({ clock: systemClock, random: Math.random, limits: { attempts: 1 } });
    lab = await Lab.open('outage', { registries });
  });
  after(async () => {
    await lab.close();
    await home.close();
    await copy.close();
  });
  const push = async (registry: string, path: string, version: string, tag = 'latest'): Promise<string> => {
    const client = createRegistryClient({ clock: systemClock, random: Math.random });
    const layer = await writeArchive(archiveTree({ 'a.yaml': configMap('outage', { version }) }), 'kept');
    const { digest } = await pushArtifact(client, parseReference(`${registry}/${path}:${tag}`), { layer }, AbortSignal.timeout(10_000));
    await client.close();
    return `${tag}@${digest}`;
  };
  const source = (annotations: Record<string, string> = {}): Promise<unknown> =>
    lab.apply({ ...OCI, metadata: { name: 'app', annotations }, spec: { interval: '10m', url: `oci://${home.host}/app`, timeout: '5s' } });

  test('OB26: the last artifact keeps serving, with its age in the condition', async () => {
    const revision = await push(home.host, 'app', '1');
    await push(copy.host, 'cache/app', '1');
    await source();
    await lab.kustomization('app');
    await lab.ready(KS, 'app', revision);
    faults.add(() => true, { kind: 'status', status: 503 });
    await lab.request(OCI, 'app');
    const failed = await lab.notReady(OCI, 'app', 'OCIArtifactPullFailed');
    const message = condition(failed, 'FetchFailed')?.message ?? '';
    assert.match(message, new RegExp(`answered 503.*; revision '${revision}', stored less than a minute ago, is still served$`));
    assert.equal(failed.artifact?.revision, revision);
    await lab.patch(KS, 'app', { spec: { force: true } });
    await lab.waitStatus(KS, 'app', 'applied again', ({ observedGeneration }) => observedGeneration === 2);
    await lab.ready(KS, 'app', revision);
  });

  test('OB02: a mirror that agrees keeps it Ready, and gives back what the disk lost', async () => {
    await source({ 'source.sluice.dev/mirrors': `http://${copy.host}/cache` });
    const ready = await lab.ready(OCI, 'app');
    await lab.stop();
    lab.emptyStore();
    await lab.start();
    await lab.request(OCI, 'app');
    await lab.waitStatus(OCI, 'app', 'stored again', () => lab.hasStored(ready.artifact?.path ?? ''));
    assert.equal((await lab.ready(OCI, 'app')).artifact?.digest, ready.artifact?.digest);
  });

  test('OB10: a version that was selected stands while mirrors confirm it', async () => {
    await source({ 'source.sluice.dev/mirrors': `http://${copy.host}/cache` });
    faults.clear();
    for (const host of [`${home.host}/versions`, `${copy.host}/cache/versions`])
      await push(host.slice(0, host.indexOf('/')), host.slice(host.indexOf('/') + 1), '1', '1.2.0');
    const spec = { interval: '10m', url: `oci://${home.host}/versions`, timeout: '5s', ref: { semver: '1.x' } };
    const annotations = { 'source.sluice.dev/mirrors': `http://${copy.host}/cache` };
    await lab.apply({ ...OCI, metadata: { name: 'versions', annotations }, spec });
    await lab.ready(OCI, 'versions');
    faults.add(() => true, { kind: 'status', status: 503 });
    const asked = await lab.request(OCI, 'versions');
    const status = await lab.waitStatus(OCI, 'versions', 'looked at', ({ lastHandledReconcileAt }) => lastHandledReconcileAt === asked);
    assert.equal(condition(status, 'Ready')?.status, 'True', condition(status, 'Ready')?.message);
  });

  test('OB03: a new generation is shown while it takes its time', async () => {
    faults.clear();
    faults.add(({ method }) => method === 'HEAD', { kind: 'slow', milliseconds: 1500 });
    await lab.patch(OCI, 'app', { spec: { interval: '11m' } });
    const busy = await lab.waitStatus(OCI, 'app', 'busy', (status) => condition(status, 'Reconciling')?.status === 'True');
    assert.match(condition(busy, 'Reconciling')?.message ?? '', /^processing object: new generation \d+ -> \d+$/);
    assert.equal(condition(busy, 'Ready')?.status, 'True', 'what is there is as good as before');
    await lab.waitStatus(OCI, 'app', 'done', (status) => condition(status, 'Reconciling') === undefined);
    faults.clear();
    faults.add(() => true, { kind: 'status', status: 503 });
  });

  test('a mirror that does not agree moves nothing', async () => {
    const before1 = await lab.ready(OCI, 'app');
    await push(copy.host, 'cache/app', 'evil');
    await lab.request(OCI, 'app');
    const failed = await lab.notReady(OCI, 'app', 'OCIArtifactPullFailed');
    assert.match(condition(failed, 'FetchFailed')?.message ?? '', /; mirror .*: it has sha256:\w+, want sha256:\w+ as before; revision/);
    assert.equal(failed.artifact?.revision, before1.artifact?.revision);
    faults.clear();
    const next = await push(home.host, 'app', '2');
    await lab.request(OCI, 'app');
    await lab.ready(OCI, 'app', next);
    const object = await lab.find(CONFIG_MAP, 'outage');
    assert.ok(object !== undefined);
  });
});

describe('artifacts of other controllers', { timeout: 300_000 }, () => {
  const EXTERNAL = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'ExternalArtifact' };
  let archive: Buffer;
  before(async () => {
    archive = Buffer.from(await writeArchive(archiveTree({ 'a.yaml': configMap('external') }), 'stored'));
  });
  const publish = async (lab: Lab, name: string, url: string): Promise<void> => {
    const artifact = {
      path: `externalartifact/${lab.namespace}/${name}/1.tar.gz`,
      url,
      revision: 'v1@sha256:abc',
      digest: digestOf(archive),
      lastUpdateTime: new Date().toISOString(),
    };
    const conditions = [
      {
        type: 'Ready',
        status: 'False',
        reason: 'Failed',
        message: 'no',
        lastTransitionTime: new Date().toISOString().replace(/\.\d+/, ''),
      },
    ];
    await lab.kube.patchStatus(
      { ...EXTERNAL, name, namespace: lab.namespace },
      { type: 'merge', body: { status: { artifact, conditions } } },
    );
  };

  test('KB03 KB06: whoever publishes cannot be reached: the cause is said, and it goes on by itself; what it says of itself does not matter', async () => {
    const lab = await Lab.open('external', { gates: parseFeatureGates('ExternalArtifact=true') });
    const port = await freePort();
    await lab.apply({ ...EXTERNAL, metadata: { name: 'a' }, spec: { sourceRef: { kind: 'Thing', name: 'x' } } });
    await lab.kustomization('a', { sourceRef: { kind: 'ExternalArtifact', name: 'a' }, interval: '10m', retryInterval: '5m' });
    await lab.notReady(KS, 'a', 'ArtifactFailed');
    await publish(lab, 'a', `http://127.0.0.1:${port}/a.tar.gz`);
    const said = await lab.waitStatus(KS, 'a', 'the cause', (status) => /ECONNREFUSED/.test(condition(status, 'Ready')?.message ?? ''));
    assert.equal(condition(said, 'Ready')?.reason, 'ArtifactFailed');
    const server = createServer((_request, response) => response.end(archive));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    await lab.ready(KS, 'a', 'v1@sha256:abc');
    await lab.close();
    server.close();
    server.closeAllConnections();
  });

  test('KB02: in another namespace, or without the gate, it is denied', async () => {
    const shared = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'external-shared' } };
    const strict = await Lab.open('external-strict', { gates: parseFeatureGates('ExternalArtifact=true'), noCrossNamespaceRefs: true });
    await strict.kube.apply(shared, { fieldManager: 'lab', force: true });
    await strict.kustomization('a', { sourceRef: { kind: 'ExternalArtifact', name: 'a', namespace: 'external-shared' } });
    const denied = await strict.notReady(KS, 'a', 'AccessDenied');
    assert.match(condition(denied, 'Ready')?.message ?? '', /can't access 'ExternalArtifact\/external-shared\/a', cross-namespace/);
    assert.equal(condition(denied, 'Stalled')?.status, 'True');
    await strict.close();
    const closed = await Lab.open('external-closed');
    await closed.kustomization('a', { sourceRef: { kind: 'ExternalArtifact', name: 'a' } });
    assert.match(
      condition(await closed.notReady(KS, 'a', 'AccessDenied'), 'Ready')?.message ?? '',
      /ExternalArtifact feature gate is disabled/,
    );
    await closed.close();
  });
});

describe('logins to clouds', { timeout: 300_000 }, () => {
  test('OB06: a ServiceAccount gets a token of the API server for the provider, and the gate decides', async (t) => {
    const role = 'arn:aws:iam::123456789012:role/puller';
    const ecr = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
    const later = Date.now() + 3_600_000;
    const tokens: Record<string, unknown>[] = [];
    const clouds = await startClouds({
      'sts.eu-west-1.amazonaws.com': (request) => {
        const token = request.form.get('WebIdentityToken') ?? '';
        tokens.push(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>);
        return fakeSts(role, token, later)(request);
      },
      'api.ecr.eu-west-1.amazonaws.com': fakeEcr('private', 'eu-west-1', later),
    });
    const registry = await startRegistry({ store: memoryStore(), clock: systemClock });
    const kube = createKubeClient(await loadClusterConfig(nodeHost, { kubeconfig: kubeconfig() }), { userAgent: 'lab' });
    const shared = { clock: systemClock, random: Math.random };
    const gates = parseFeatureGates('ObjectLevelWorkloadIdentity=true');
    const logins = createCloudLogins({ ...shared, env: {}, readFile: () => Promise.reject(new Error('no files')), route: clouds.route });
    const identities = { ...cloudIdentities({ kube, ...shared, gates, defaultServiceAccount: '' }), logins };
    const registries = createRegistryClients({ ...shared, mirrors: [parseMirrorRule(`${ecr}=http://${registry.host}`)] });
    const lab = await Lab.open('clouds', { identities, registries });
    t.after(async () => {
      await lab.close();
      await registries.close();
      await kube.close();
      await registry.close();
      await clouds.close();
    });
    const client = createRegistryClient(shared);
    const layer = await writeArchive(archiveTree({ 'a.yaml': configMap('a') }), 'kept');
    await pushArtifact(client, parseReference(`${registry.host}/app:latest`), { layer }, AbortSignal.timeout(10_000));
    await client.close();
    const annotations = { 'eks.amazonaws.com/role-arn': role };
    await lab.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'puller', annotations } });
    const spec = { interval: '10m', url: `oci://${ecr}/app`, provider: 'aws', serviceAccountName: 'puller' };
    for (const name of ['one', 'two', 'three']) await lab.apply({ ...OCI, metadata: { name }, spec });
    for (const name of ['one', 'two', 'three']) await lab.ready(OCI, name);
    assert.equal(tokens.length, 1, 'one login for all objects of the account');
    assert.deepEqual([tokens[0]?.['aud'], tokens[0]?.['sub']], [['sts.amazonaws.com'], 'system:serviceaccount:clouds:puller']);
    await lab.stop();
    const closed = { ...identities, objectLevel: false };
    const without = await Lab.open('clouds-off', { identities: closed, registries });
    await without.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'puller', annotations } });
    await without.apply({ ...OCI, metadata: { name: 'one' }, spec });
    const stalled = await without.notReady(OCI, 'one', 'FeatureGateDisabled');
    assert.equal(condition(stalled, 'Stalled')?.status, 'True');
    await without.close();
  });
});
