import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { clusterVerificationPolicyKind, kindApiVersion } from '../api/index.ts';
import { archiveTree, writeArchive } from '../artifact/index.ts';
import { type KubeObject, readObjects } from '../manifest/index.ts';
import { createRegistryClient, memoryStore, parseReference, pushArtifact, startRegistry, type RunningRegistry } from '../oci/index.ts';
import { systemClock } from '../std/index.ts';
import { loadSnapshot } from './preview-load.ts';
import { openStage, type Stage } from './preview-run.ts';
import { placeTarget } from './preview-target.ts';
import { waitForFlux } from './preview-wait.ts';

type Run = { code: number | null; out: string; err: string; left: string[] };
type Result = {
  ready: boolean;
  seconds: number;
  summary: Record<string, number>;
  objects: { kind: string; namespace: string; name: string; change: string; diff?: string }[];
  failures: { kind: string; namespace: string; name: string; reason: string; message: string }[];
  notLoaded: unknown[];
};

const EXAMPLE = join(import.meta.dirname, '../../examples/podinfo');
const folder = mkdtempSync(join(tmpdir(), 'preview-test-'));
/** Kept from run to run: compiling the sources is half of what a preview costs. */
const cache = join(tmpdir(), 'sluice-test-compile-cache');
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the command line with a folder of its own for temporary files (`left`: what it leaves there), and one for compiled sources. */
function sluice(given: readonly string[], options: { started?: (kill: () => void) => void } = {}): Promise<Run> {
  const temporary = mkdtempSync(join(folder, 'tmp-'));
  const args = given[0] === 'preview' && !given.includes('--wait') ? [...given, '--wait', '30s'] : given;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'main.ts'), ...args], {
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: temporary, NODE_COMPILE_CACHE: cache },
    });
    const run: Run = { code: null, out: '', err: '', left: [] };
    child.stdout.on('data', (chunk: Buffer) => (run.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      run.err += chunk.toString();
      if (run.err.includes('reconciling')) options.started?.(() => child.kill('SIGINT'));
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...run, code, left: readdirSync(temporary) }));
  });
}

function once<T>(call: (value: T) => void): (value: T) => void {
  let called = false;
  return (value) => {
    if (!called) call(value);
    called = true;
  };
}

function files(name: string, content: Readonly<Record<string, string>>): string {
  mkdirSync(join(folder, name), { recursive: true });
  for (const [file, text] of Object.entries(content)) writeFileSync(join(folder, name, file), text);
  return join(folder, name);
}

function changes(result: Result): string[] {
  return result.objects.map(({ kind, namespace, name, change }) => `${kind}/${namespace}/${name} ${change}`).sort();
}

function parse(run: Run): Result {
  return JSON.parse(run.out) as Result;
}

describe('sluice preview of what must be signed', { concurrency: 3 }, () => {
  const client = createRegistryClient({ insecure: true, clock: systemClock, random: Math.random });
  let registry: RunningRegistry;
  let digest: string;
  const keys = ['ours', 'theirs'].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }));
  before(async () => {
    registry = await startRegistry({ store: memoryStore(), clock: systemClock });
    const { signal } = new AbortController();
    const push = async (tag: string, content: string): Promise<string> => {
      const layer = await writeArchive(archiveTree({ 'a.yaml': content }), 'kept');
      return (await pushArtifact(client, parseReference(`${registry.host}/org/apps:${tag}`), { layer }, signal)).digest;
    };
    const config = (value: string): string =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: default}\ndata: {v: ${value}}\n`;
    digest = await push('signed', config('signed'));
    await push('unsigned', config('unsigned'));
    const image = { 'docker-manifest-digest': digest };
    const payload = Buffer.from(JSON.stringify({ critical: { identity: {}, image, type: 'cosign container image signature' } }));
    assert.ok(keys[0] !== undefined);
    const annotations = { 'dev.cosignproject.cosign/signature': sign('sha256', payload, keys[0].privateKey).toString('base64') };
    const repository = parseReference(`${registry.host}/org/apps:${digest.replace(':', '-')}.sig`);
    const blob = { mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', bytes: payload };
    const layers = [{ ...(await client.pushBlob(repository, blob, signal)), annotations }];
    const empty = await client.pushBlob(repository, { mediaType: 'application/json', bytes: Buffer.from('{}') }, signal);
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: empty, layers }));
    await client.pushManifest(repository, { mediaType, bytes }, signal);
  });
  after(async () => {
    await client.close();
    await registry.close();
  });

  /** A snapshot in which the source wants the signature of a key. */
  const snapshotWith = (name: string, secret: Record<string, string> | undefined, more: readonly object[] = []): string => {
    const metadata = { name: 'apps', namespace: 'flux-system' };
    const objects = [
      {
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'OCIRepository',
        metadata,
        spec: { interval: '1m', url: `oci://${registry.host}/org/apps`, verify: { secretRef: { name: 'keys' } } },
      },
      {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        metadata,
        spec: { interval: '1m', prune: true, path: './', sourceRef: { kind: 'OCIRepository', name: 'apps' } },
      },
      ...(secret === undefined
        ? []
        : [{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'keys', namespace: 'flux-system' }, data: secret }]),
      ...more,
    ];
    return join(files(name, { 'snapshot.yaml': objects.map((object) => JSON.stringify(object)).join('\n---\n') }), 'snapshot.yaml');
  };
  const pub = (index: number): Record<string, string> => ({
    'cosign.pub': Buffer.from(keys[index]?.publicKey.export({ type: 'spki', format: 'pem' }) ?? '').toString('base64'),
  });

  it('OB13 OB14: verifies the artifact first, and takes what was verified', async () => {
    const run = await sluice([
      'preview',
      `oci://${registry.host}/org/apps:signed`,
      '--snapshot',
      snapshotWith('good', pub(0)),
      '-o',
      'json',
    ]);
    assert.equal(run.code, 0, run.err);
    assert.match(run.err, new RegExp(`✔ ${registry.host}/org/apps@${digest} verified: key "cosign\\.pub" \\(sha256:`));
    assert.deepEqual(changes(parse(run)), ['ConfigMap/default/a created']);
  });

  it('OB13 OB14: says what was found and wanted, and shows nothing of what is not signed as wanted', async () => {
    const [other, none] = await Promise.all([
      sluice(['preview', `oci://${registry.host}/org/apps:signed`, '--snapshot', snapshotWith('other', pub(1))]),
      sluice(['preview', `oci://${registry.host}/org/apps:unsigned`, '--snapshot', snapshotWith('none', pub(0))]),
    ]);
    assert.deepEqual([other.code, none.code, other.out, none.out], [1, 1, '', '']);
    assert.match(other.err, /✗ sha256-\w+\.sig: found a signature by another key, or a changed payload, want one by "cosign\.pub"/);
    assert.match(none.err, /✗ verify ".*:unsigned" as OCIRepository\/flux-system\/apps asks: .*no signature/);
    for (const run of [other, none]) assert.ok(!run.err.includes('reconciling'));
  });

  it('obeys the verification policies of the snapshot', async () => {
    const policy = (count: number): object => ({
      apiVersion: kindApiVersion(clusterVerificationPolicyKind),
      kind: 'ClusterVerificationPolicy',
      metadata: { name: 'two' },
      spec: {
        signers: [
          { name: 'ours', provider: 'cosign', secretRef: { name: 'keys' } },
          { name: 'theirs', provider: 'cosign', secretRef: { name: 'theirs' } },
        ].slice(0, count),
        threshold: count,
      },
    });
    const theirs = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'theirs', namespace: 'flux-system' }, data: pub(1) };
    const target = `oci://${registry.host}/org/apps:signed`;
    const [one, two] = await Promise.all(
      [1, 2].map((count) => sluice(['preview', target, '--snapshot', snapshotWith(`policy-${count}`, pub(0), [policy(count), theirs])])),
    );
    assert.deepEqual([one?.code, two?.code], [0, 1], `${one?.err}\n${two?.err}`);
    assert.match(one?.err ?? '', /✔ policy ClusterVerificationPolicy\/two: signed by key "cosign\.pub"/);
    assert.match(two?.err ?? '', /✗ policy ClusterVerificationPolicy\/two/);
    assert.ok(two?.err.includes('reconciling') === false);
  });

  it('says when nobody knows whose signature is wanted, and goes on without when told to', async () => {
    const target = `oci://${registry.host}/org/apps:unsigned`;
    const masked = { 'cosign.pub': Buffer.from('**masked**').toString('base64') };
    const [missing, hidden, skipped, plain] = await Promise.all([
      sluice(['preview', target, '--snapshot', snapshotWith('missing', undefined)]),
      sluice(['preview', target, '--snapshot', snapshotWith('hidden', masked)]),
      sluice(['preview', target, '--snapshot', snapshotWith('skipped', undefined), '--skip-verify']),
      sluice(['preview', files('plain', { 'a.yaml': CONFIG }), '--snapshot', snapshotWith('folder', undefined), '-n', 'default']),
    ]);
    assert.match(missing.err, /Secret "flux-system\/keys": not found\n {2}try: .*--with-secrets.*--kustomization.*--skip-verify/);
    assert.match(hidden.err, /Secret "flux-system\/keys" has no value of cosign\.pub in the snapshot/);
    assert.deepEqual([missing.code, hidden.code, skipped.code], [1, 1, 0], skipped.err);
    assert.match(skipped.err, /the signature that is asked for is not verified: --skip-verify/);
    assert.equal(plain.code, 0, plain.err);
    assert.match(plain.err, /is not verified: ".*plain" is no artifact, which alone can be signed/);
  });
});

describe('sluice preview without a snapshot', { concurrency: 3 }, () => {
  it('previews the example, and leaves nothing behind', async () => {
    const run = await sluice(['preview', EXAMPLE, '-n', 'default']);
    assert.equal(run.code, 0, run.err);
    const cells = run.out.split('\n').map((line) =>
      line
        .split('\t')
        .map((cell) => cell.trim())
        .join(' ')
        .trim(),
    );
    assert.deepEqual(cells, [
      'KIND NAMESPACE NAME CHANGE',
      '+ ConfigMap default podinfo created',
      '+ Service default podinfo created',
      '+ Deployment.apps default podinfo created',
      '',
    ]);
    assert.match(run.err, /✔ Kustomization\/flux-system\/preview: Applied revision: latest@sha256:[0-9a-f]{8}\n/);
    assert.deepEqual(run.left, []);
  });

  it('says which file of an overlay is missing, and which field of an object is wrong', async () => {
    const overlay = files('broken', { 'kustomization.yaml': 'resources: [missing.yaml]\n' });
    const wrong = join(folder, 'wrong');
    cpSync(EXAMPLE, wrong, { recursive: true });
    const text = readFileSync(join(wrong, 'podinfo.yaml'), 'utf8');
    writeFileSync(join(wrong, 'podinfo.yaml'), text.replace('replicas: 2', 'replicas: two'));
    const [missing, field] = await Promise.all(
      [overlay, wrong].map(async (target) => await sluice(['preview', target, '-n', 'default', '--output=json'])),
    );
    assert.ok(missing !== undefined && field !== undefined);
    assert.deepEqual([missing.code, field.code], [1, 1]);
    assert.equal(parse(missing).failures[0]?.reason, 'BuildFailed');
    assert.match(parse(missing).failures[0]?.message ?? '', /missing\.yaml/);
    assert.match(parse(field).failures[0]?.message ?? '', /Deployment\/default\/podinfo.*spec\.replicas/s);
    assert.deepEqual(parse(field).objects, []);
    assert.match(field.err, /✗ Kustomization\/flux-system\/preview: /);
  });

  it('refuses command lines that cannot be meant with exit code 2', async () => {
    const runs = await Promise.all(
      [
        ['preview', '/nowhere'],
        ['preview', EXAMPLE, '--bad'],
      ].map(async (args) => await sluice(args)),
    );
    assert.deepEqual(
      runs.map(({ code, out }) => [code, out]),
      runs.map(() => [2, '']),
    );
    assert.match(runs[0]?.err ?? '', /✗ preview "\/nowhere": no such folder or file\n {2}try: /);
  });

  it('names what it still waits for when the time is over', async () => {
    const hanging = files('hanging', { 'pod.yaml': POD });
    const run = await sluice(['preview', hanging, '-n', 'default', '--wait', '2s']);
    assert.equal(run.code, 1, run.err);
    assert.match(run.err, /✗ Kustomization\/flux-system\/preview: not ready in time: .*; waiting for Pod\/default\/stuck \(InProgress/);
  });

  it('cleans up when it is interrupted', async () => {
    const hanging = files('hanging', { 'pod.yaml': POD });
    const run = await sluice(['preview', hanging, '-n', 'default'], { started: once((kill) => setTimeout(kill, 200)) });
    assert.equal(run.code, 130, run.err);
    assert.deepEqual(run.left, []);
  });
});

const POD = `
apiVersion: v1
kind: Pod
metadata: {name: stuck}
spec: {containers: [{name: stuck, image: 'sandbox.sluice.dev/pending:1'}]}
`;

const CLUSTER = `
apiVersion: v1
kind: Namespace
metadata: {name: apps, labels: {team: web}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: deployer, namespace: flux-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: deployer, namespace: apps}
rules: [{apiGroups: ['', apps], resources: [configmaps, secrets, deployments], verbs: ['*']}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: deployer, namespace: apps}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: deployer}
subjects: [{kind: ServiceAccount, name: deployer, namespace: flux-system}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: vars, namespace: flux-system}
data: {colour: green}
---
apiVersion: v1
kind: Secret
metadata: {name: unrelated, namespace: apps}
stringData: {token: never-exported}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata: {name: apps, namespace: flux-system}
spec: {interval: 10m, url: 'oci://REGISTRY/org/apps', ref: {tag: stable}}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: apps, namespace: flux-system}
spec:
  interval: 10m
  prune: true
  wait: true
  path: ./
  serviceAccountName: deployer
  targetNamespace: apps
  sourceRef: {kind: OCIRepository, name: apps}
  postBuild: {substituteFrom: [{kind: ConfigMap, name: vars}]}
`;

const CONFIG = `
apiVersion: v1
kind: ConfigMap
metadata: {name: web}
data: {colour: '\${colour}', removed: 'yes'}
`;
const EXTRA = `
apiVersion: v1
kind: ConfigMap
metadata: {name: extra}
data: {a: b}
`;
const SECRET = `
apiVersion: v1
kind: Secret
metadata: {name: web}
stringData: {password: hunter2}
`;
const DEPLOYMENT = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: 'nginx:1'}]}
`;

describe('sluice snapshot, then preview', { concurrency: 3 }, () => {
  let cluster: Stage;
  let kubeconfig: string;
  let snapshot: string;
  let v1: string;
  before(async () => {
    cluster = await openStage({ verbose: false });
    kubeconfig = join(folder, 'kubeconfig');
    cluster.writeKubeconfig(kubeconfig);
    v1 = files('v1', { 'config.yaml': CONFIG, 'extra.yaml': EXTRA, 'secret.yaml': SECRET, 'deployment.yaml': DEPLOYMENT });
    const loaded = await loadSnapshot(cluster.client, readObjects(CLUSTER.replace('REGISTRY', cluster.registry)), ['flux-system']);
    assert.deepEqual(loaded.refused, []);
    const registry = cluster.registries.client({ insecure: true });
    const reference = { registry: cluster.registry, path: 'org/apps', tag: 'stable' };
    await placeTarget(v1, registry, registry, reference, AbortSignal.timeout(5000));
    await cluster.control(undefined);
    assert.deepEqual((await waitForFlux(cluster.client, AbortSignal.timeout(20_000))).failures, []);
    snapshot = join(folder, 'snapshot.yaml');
    const run = await sluice(['snapshot', '--kubeconfig', kubeconfig, '-o', snapshot]);
    assert.equal(run.code, 0, run.err);
  });
  after(async () => await cluster[Symbol.asyncDispose]());

  it('exports what a preview needs, Secrets masked, ownership kept, and nothing of the server', async () => {
    const text = readFileSync(snapshot, 'utf8');
    for (const secret of ['hunter2', Buffer.from('hunter2').toString('base64'), 'never-exported']) assert.ok(!text.includes(secret));
    const objects = readObjects(text);
    const find = (kind: string, name: string): KubeObject => {
      const found = objects.find((object) => object.kind === kind && object.metadata.name === name);
      assert.ok(found !== undefined, `${kind}/${name}`);
      return found;
    };
    for (const [kind, name] of [
      ['CustomResourceDefinition', 'kustomizations.kustomize.toolkit.fluxcd.io'],
      ['Namespace', 'apps'],
      ['ServiceAccount', 'deployer'],
      ['Role', 'deployer'],
      ['RoleBinding', 'deployer'],
      ['ConfigMap', 'vars'],
      ['OCIRepository', 'apps'],
    ] as const)
      find(kind, name);
    for (const { metadata } of objects)
      assert.deepEqual([metadata.uid, metadata.resourceVersion, metadata.generation], [undefined, undefined, undefined]);
    assert.deepEqual(Object.keys(find('Kustomization', 'apps')['status'] ?? {}), ['inventory']);
    assert.ok(find('Deployment', 'web').metadata.managedFields?.some((entry) => entry.manager === 'kustomize-controller'));
    assert.equal(find('Deployment', 'web')['status'], undefined);
    assert.equal(find('Namespace', 'apps').metadata.managedFields, undefined);
    const [again, values] = await Promise.all([
      sluice(['snapshot', '--kubeconfig', kubeconfig]),
      sluice([
        'snapshot',
        '--kubeconfig',
        kubeconfig,
        '--with-secrets',
        '--kinds',
        'Secret',
        '--namespaces',
        'apps',
        '--managed-fields=none',
      ]),
    ]);
    assert.equal(again.out, text);
    assert.ok(values.out.includes(Buffer.from('hunter2').toString('base64')));
    assert.ok(values.out.includes('name: unrelated'));
    assert.ok(!values.out.includes('managedFields') && !values.out.includes('name: vars'));
  });

  it('changes nothing when the target is what the cluster runs', async () => {
    const url = `oci://${cluster.registry}/snapshots/test:latest`;
    const pushed = await sluice(['snapshot', '--kubeconfig', kubeconfig, '--push', url]);
    assert.equal(pushed.code, 0, pushed.err);
    const [fromFile, fromArtifact] = await Promise.all([
      sluice(['preview', v1, '--snapshot', snapshot, '-o', 'json']),
      sluice(['preview', `oci://${cluster.registry}/org/apps:stable`, '--snapshot', url, '-o', 'json']),
    ]);
    for (const run of [fromFile, fromArtifact]) {
      assert.equal(run.code, 0, run.err);
      assert.deepEqual(changes(parse(run)), [
        'ConfigMap/apps/extra unchanged',
        'ConfigMap/apps/web unchanged',
        'Deployment/apps/web unchanged',
        'Secret/apps/web unchanged',
      ]);
      assert.deepEqual(parse(run).notLoaded, []);
    }
  });

  it('shows what a new version creates, configures and deletes, Secrets masked', async () => {
    const v2 = files('v2', {
      'config.yaml': CONFIG.replace(", removed: 'yes'", ''),
      'secret.yaml': `${SECRET.trimEnd().slice(0, -1)}, token: s3cr3t}\n`,
      'deployment.yaml': DEPLOYMENT,
      'new.yaml': EXTRA.replace('name: extra', 'name: new'),
    });
    const run = await sluice(['preview', v2, '--snapshot', snapshot, '--diff', '--output', 'json']);
    assert.equal(run.code, 0, run.err);
    const result = parse(run);
    assert.deepEqual(changes(result), [
      'ConfigMap/apps/extra deleted',
      'ConfigMap/apps/new created',
      'ConfigMap/apps/web configured',
      'Deployment/apps/web unchanged',
      'Secret/apps/web configured',
    ]);
    const diff = (name: string, kind: string): string =>
      result.objects.find((object) => object.name === name && object.kind === kind)?.diff ?? '';
    // A field that left the manifest goes, for the snapshot kept who owns it.
    assert.match(
      diff('web', 'ConfigMap'),
      /^--- before\/ConfigMap\/apps\/web\n\+\+\+ after\/ConfigMap\/apps\/web\n@@[^]*\n data:\n {3}colour: green\n- {2}removed: /m,
    );
    assert.match(diff('web', 'Secret'), /\+ {2}token: '\*\*\*'/);
    for (const secret of ['s3cr3t', Buffer.from('s3cr3t').toString('base64')]) assert.ok(!run.out.includes(secret));
  });

  it('obeys the access of the account a Kustomization acts as', async () => {
    const forbidden = files('forbidden', {
      'service.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n',
    });
    const run = await sluice(['preview', forbidden, '--snapshot', snapshot, '-o', 'json']);
    assert.equal(run.code, 1, run.err);
    assert.match(parse(run).failures[0]?.message ?? '', /services "web" is forbidden|cannot patch resource "services"/);
    assert.deepEqual(parse(run).summary, { created: 0, configured: 0, unchanged: 4, deleted: 0 });
  });
});
