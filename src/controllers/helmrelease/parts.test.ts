import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Artifact } from '../../api/index.ts';
import { writeArchive, archiveTree } from '../../artifact/index.ts';
import { setManifestMetadata } from '../../helm/index.ts';
import type { Sources } from '../applier/index.ts';
import { Charts, trackedVersion } from './charts.ts';
import { unmetDependency } from './dependencies.ts';
import { hookListener } from './flight.ts';
import { targetChange } from './move-away.ts';
import { postRenderWith } from './post-render.ts';
import { installOptions, uninstallOptions, upgradeOptions } from './release-options.ts';
import { parseFeatureGates } from '../../runtime/index.ts';
import { noteRequests, readRequests } from './requests.ts';
import { failurePolicies, releaseName, releaseNamespace, storageNamespace, timeoutOf } from './settings.ts';
import { isSnapshotOf, isTested, releaseDigest, snapshotOf, testHooksOf } from './snapshot.ts';
import { allowedSource, readyArtifact } from './source.ts';
import { commonMetadataDigest, postRenderersDigest } from './spec-digest.ts';
import { example } from './testing/example-release.ts';
import { helmRelease, storedRelease } from './testing/releases.ts';

test('HB08: the release name is releaseName, or the name with the target namespace before it, at most 53 characters', () => {
  assert.equal(releaseName(helmRelease()), 'app');
  assert.equal(releaseName(helmRelease({ targetNamespace: 'there' })), 'there-app');
  assert.equal(releaseName(helmRelease({ targetNamespace: 'there', releaseName: 'x' })), 'x');
  const long = releaseName(helmRelease({ targetNamespace: 'n'.repeat(60) }));
  assert.match(long, /^n{40}-[0-9a-f]{12}$/);
  assert.equal(long.length, 53);
});

test('namespaces fall back to that of the object; timeouts to spec.timeout, then five minutes', () => {
  const object = helmRelease({ targetNamespace: 'there', storageNamespace: 'records', timeout: '1m', install: { timeout: '2m' } });
  assert.deepEqual([releaseNamespace(object), storageNamespace(object)], ['there', 'records']);
  assert.deepEqual([releaseNamespace(helmRelease()), storageNamespace(helmRelease())], ['apps', 'apps']);
  assert.deepEqual([timeoutOf(object, 'install'), timeoutOf(object, 'upgrade'), timeoutOf(helmRelease())], [120_000, 60_000, 300_000]);
});

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const revisions: [version: string, revision: string, want: string, revisionDigest: string][] = [
  ['1.2.3', `1.2.3@${digest}`, '1.2.3+0123456789ab', digest],
  ['1.2.3+build', `1.2.3_build@${digest}`, '1.2.3+0123456789ab', digest],
  ['v1.2', `latest@${digest}`, '1.2.0+0123456789ab', `latest@${digest}`],
  ['1.2.3-rc.1', digest, '1.2.3-rc.1+0123456789ab', digest],
  ['1.2.3', 'v7', '1.2.3', ''],
];
for (const [version, revision, want, revisionDigest] of revisions) {
  test(`HB05: chart ${version} of revision ${revision} is ${want}`, () => {
    assert.deepEqual(trackedVersion(version, revision), { version: want, revisionDigest });
  });
}

test('HB05: a tag that is another version than the chart is refused', () => {
  assert.throws(() => trackedVersion('1.2.3', `1.2.4@${digest}`), {
    code: 'ChartMutateError',
    message: 'artifact revision 1.2.4 does not match chart version 1.2.3',
  });
  assert.throws(() => trackedVersion('none', digest), { message: 'invalid chart version none' });
  assert.throws(() => trackedVersion('1.0.0', 'sha256:abc'), { message: 'invalid artifact revision sha256:abc' });
});

test('HB04 HB05: a chart is read once for each digest, and carries the digest in its version', async () => {
  const tree = archiveTree({
    'app/Chart.yaml': 'apiVersion: v2\nname: app\nversion: 1.0.0\nappVersion: "2"\n',
    'app/templates/a.yaml': 'a: {{ .Chart.Version }}',
  });
  const bytes = await writeArchive(tree, 'kept');
  let reads = 0;
  const sources = {
    archive: async () => {
      reads++;
      return bytes;
    },
  } as unknown as Sources;
  const artifact: Artifact = { digest, revision: `latest@${digest}`, path: 'p', url: 'u', lastUpdateTime: '' };
  const charts = new Charts(sources, true);
  const signal = new AbortController().signal;
  const [one, two] = await Promise.all([charts.load(artifact, true, signal), charts.load(artifact, true, signal)]);
  assert.equal(one, two);
  assert.equal(reads, 1);
  assert.deepEqual([one.name, one.version, one.appVersion], ['app', '1.0.0+0123456789ab', '2']);
  assert.equal(one.chart.metadata.version, '1.0.0+0123456789ab');
  assert.equal((await new Charts(sources, false).load(artifact, true, signal)).version, '1.0.0');
  assert.equal((await charts.load(artifact, false, signal)).version, '1.0.0');
});

test('HB44: the digest of a record is the one Flux computes', () => {
  assert.equal(releaseDigest(example, 'sha256:abc'), 'sha256:40d38627ba674f38ac98890a400ff1066a6fc3e5a40af2809d661b51db72783b');
  assert.ok(isSnapshotOf(snapshotOf(example, { ociDigest: 'sha256:abc' }), example));
  assert.ok(!isSnapshotOf(snapshotOf(example), { ...example, manifest: 'other' }));
});

test('HB57: results of tests do not change the digest; filters choose which are noted', () => {
  const rerun = {
    ...example,
    hooks: example.hooks.map((hook) => ({ ...hook, lastRun: { ...hook.lastRun, phase: 'Succeeded' as const } })),
  };
  assert.equal(releaseDigest(rerun), releaseDigest(example));
  assert.deepEqual(testHooksOf(example, []), { test: { phase: 'Failed' } });
  assert.deepEqual(testHooksOf(example, [{ name: 'test', exclude: true }]), {});
  assert.deepEqual(testHooksOf(example, [{ name: 'other' }]), {});
  assert.ok(isTested(snapshotOf(example, { testHooks: {} })));
  assert.ok(!isTested(snapshotOf(example)));
});

test('HB33: digests of post-renderers and common metadata are those Flux computes', () => {
  const patches = [{ patch: '- op: add\n  path: /a<b>', target: { kind: 'Deployment', name: 'x', labelSelector: 'a=b' } }];
  const images = [{ name: 'n', newTag: '1', digest: 'sha256:x' }];
  const object = helmRelease({
    postRenderers: [{ kustomize: { patches, images } }, { kustomize: {} }],
    commonMetadata: { labels: { b: '1', a: '2' } },
  });
  assert.equal(postRenderersDigest(object), 'sha256:de4ba7a39a6412144b536a3a16fa44876ee503df4c5637686f59272e60f32d06');
  assert.equal(commonMetadataDigest(object), 'sha256:1c1fafdb41dba8d161861440e884be3e37ad8d900b89c7bf75c4e11c2d7adef8');
  assert.deepEqual([postRenderersDigest(helmRelease()), commonMetadataDigest(helmRelease())], ['', '']);
});

test('HB56: patches, then common metadata, then the owner’s labels, which win', () => {
  const object = helmRelease({
    postRenderers: [{ kustomize: { images: [{ name: 'app', newTag: '2' }] } }],
    commonMetadata: { labels: { team: 'a', 'helm.toolkit.fluxcd.io/name': 'other' }, annotations: { note: 'n' } },
  });
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: "app:1"}]}\n';
  const { run = (manifests) => manifests, metadata } = postRenderWith(object);
  const text = setManifestMetadata(run(`${pod}---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n`), metadata);
  assert.match(text, /image: app:2/);
  assert.equal(text.match(/helm\.toolkit\.fluxcd\.io\/name: app\n/g)?.length, 2);
  assert.equal(text.match(/team: a\n/g)?.length, 2);
  assert.equal(text.match(/note: "n"\n/g)?.length, 2);
});

test('HB02: what a source says of itself decides', () => {
  const key = { kind: 'OCIRepository', namespace: 'apps', name: 'app' };
  const artifact: Artifact = { digest, revision: 'r', path: 'p', url: 'u', lastUpdateTime: '' };
  const condition = (type: string, status: 'True' | 'False', message: string) => ({
    type,
    status,
    message,
    reason: 'R',
    lastTransitionTime: '',
  });
  const ready = (generation: number, status: object): unknown => readyArtifact(key, { metadata: { generation }, status });
  assert.equal(ready(1, { observedGeneration: 1, artifact }), artifact);
  assert.equal(ready(1, { observedGeneration: 1 }), "OCIRepository 'apps/app' is not ready: does not have an artifact");
  assert.match(String(ready(2, { observedGeneration: 1, artifact })), /latest generation of object has not been reconciled/);
  assert.match(String(ready(2, { observedGeneration: 1, conditions: [condition('Ready', 'False', 'no registry')] })), /no registry/);
  assert.match(String(ready(1, { observedGeneration: 1, artifact, conditions: [condition('Stalled', 'True', 'bad url')] })), /bad url/);
  assert.equal(readyArtifact({ ...key, kind: 'ExternalArtifact' }, { metadata: { generation: 2 }, status: { artifact } }), artifact);
});

test('a chart of a Helm repository is told how to move; other namespaces and gated kinds are refused', () => {
  const rules = { noCrossNamespaceRefs: true, externalArtifacts: false };
  const classic = helmRelease({
    chartRef: undefined,
    chart: { spec: { chart: 'podinfo', sourceRef: { kind: 'HelmRepository', name: 'repo' } } },
  });
  assert.throws(() => allowedSource(classic, rules), {
    code: 'UnsupportedChartSource',
    follow: 'stall',
    message: /spec\.chartRef: \{kind: OCIRepository/,
  });
  const elsewhere = helmRelease({ chartRef: { kind: 'OCIRepository', name: 'a', namespace: 'b' } });
  assert.throws(() => allowedSource(elsewhere, rules), {
    code: 'AccessDenied',
    message: "can't access 'OCIRepository/b/a', cross-namespace references have been blocked",
  });
  const external = helmRelease({ chartRef: { kind: 'ExternalArtifact', name: 'a' } });
  assert.throws(() => allowedSource(external, rules), { code: 'AccessDenied', message: /feature gate is disabled/ });
  assert.equal(allowedSource(external, { ...rules, externalArtifacts: true }).name, 'a');
});

test('HB03: a dependency is met when it is ready for its latest spec, or its expression says so', () => {
  const ready = {
    conditions: [{ type: 'Ready', status: 'True', reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' } as const],
  };
  const of = (readyExpr?: string) => helmRelease({ dependsOn: [{ name: 'dep', ...(readyExpr === undefined ? {} : { readyExpr }) }] });
  assert.match(unmetDependency(of(), () => undefined, false) ?? '', /unable to get 'apps\/dep' dependency/);
  assert.equal(
    unmetDependency(of(), () => helmRelease(), false),
    "dependency 'apps/dep' is not ready",
  );
  assert.equal(
    unmetDependency(of(), () => helmRelease({}, { ...ready, observedGeneration: 0 }), false),
    "dependency 'apps/dep' is not ready",
  );
  assert.equal(
    unmetDependency(of(), () => helmRelease({}, ready), false),
    undefined,
  );
  assert.equal(
    unmetDependency(of("dep.metadata.name == 'app'"), () => helmRelease(), false),
    undefined,
  );
  assert.match(unmetDependency(of("dep.metadata.name == 'x'"), () => helmRelease({}, ready), false) ?? '', /according to readyExpr eval/);
  assert.equal(
    unmetDependency(of("dep.metadata.name == 'app'"), () => helmRelease(), true),
    "dependency 'apps/dep' is not ready",
  );
});

test('HB06: another namespace, name or chart is another release', () => {
  const status = { storageNamespace: 'apps', history: [snapshotOf(storedRelease(1, 'deployed'))] };
  const change = (spec: Record<string, unknown>, chart = 'app', extra = {}): string | undefined =>
    targetChange(helmRelease(spec, { ...status, ...extra }), chart);
  assert.equal(change({}), undefined);
  assert.equal(change({ storageNamespace: 'x' }), 'storage namespace');
  assert.equal(change({ targetNamespace: 'x', releaseName: 'app' }), 'release namespace');
  assert.equal(change({ releaseName: 'x' }), 'release name');
  assert.equal(change({}, 'other'), 'chart name');
  assert.equal(change({ upgrade: { chartNameChangeStrategy: 'InPlaceUpdate' } }, 'other'), undefined);
  assert.equal(change({ releaseName: 'x' }, 'app', { history: [] }), undefined);
});

test('C08: force and reset act once, and only together with a new request of the same value', () => {
  const of = (annotations: Record<string, string>, status = {}) => readRequests(helmRelease({}, status, annotations));
  const [at, force, reset] = ['reconcile.fluxcd.io/requestedAt', 'reconcile.fluxcd.io/forceAt', 'reconcile.fluxcd.io/resetAt'] as const;
  assert.deepEqual(of({ [at]: '1', [force]: '1', [reset]: '1' }), { force: true, reset: true });
  assert.deepEqual(of({ [at]: '2', [force]: '1' }), { force: false, reset: false });
  assert.deepEqual(of({ [force]: '1' }), { force: false, reset: false });
  assert.deepEqual(of({ [at]: '1', [force]: '1' }, { lastHandledReconcileAt: '1' }), { force: false, reset: false });
  assert.deepEqual(of({ [at]: '1', [force]: '1' }, { lastHandledForceAt: '1' }), { force: false, reset: false });
  const draft = {};
  noteRequests(helmRelease({}, {}, { [at]: '2', [force]: '1' }), draft);
  assert.deepEqual(draft, { lastHandledReconcileAt: '2', lastHandledForceAt: '1' });
});

const nothing = { manifest: [], crds: [], record: { ...example } };
test('HB50 HB51 HB53 HB55 HB62: defaults of the actions, and what the gate changes', () => {
  const gates = parseFeatureGates('');
  const install = installOptions(helmRelease({ install: { createNamespace: true } }), nothing, gates, false);
  assert.deepEqual(
    [install.serverSideApply, install.takeOwnership, install.crds, install.createNamespace, install.replace, install.wait.strategy],
    [true, true, 'Create', false, false, 'poller'],
  );
  const helm3 = parseFeatureGates('UseHelm3Defaults=true');
  assert.equal(installOptions(helmRelease(), nothing, helm3, false).serverSideApply, false);
  assert.equal(installOptions(helmRelease(), nothing, helm3, false).wait.strategy, 'legacy');
  assert.equal(
    installOptions(helmRelease({ targetNamespace: 'x', install: { createNamespace: true } }), nothing, gates, true).createNamespace,
    true,
  );
  const upgrade = upgradeOptions(helmRelease({ upgrade: { disableWait: true, force: true }, maxHistory: 0 }), nothing, helm3);
  assert.deepEqual(
    [upgrade.serverSideApply, upgrade.force, upgrade.maxHistory, upgrade.wait.resources, upgrade.crds],
    ['auto', true, 0, false, 'Create'],
  );
  assert.deepEqual(
    uninstallOptions(helmRelease({ uninstall: { deletionPropagation: 'orphan', keepHistory: true } }), gates).propagation,
    'Orphan',
  );
});

test('HB41: policies of the spec; without a word it is tried again, unless the gate says otherwise', () => {
  assert.deepEqual(failurePolicies(helmRelease(), true).install.retry, { interval: 300_000, capped: true });
  assert.equal(failurePolicies(helmRelease(), false).install.retry, undefined);
  assert.equal(failurePolicies(helmRelease({ install: { remediation: { retries: 3 } } }), true).install.retry, undefined);
  assert.equal(failurePolicies(helmRelease({ install: { strategy: { name: 'RemediateOnFailure' } } }), true).install.retry, undefined);
  const upgrade = failurePolicies(helmRelease({ upgrade: { remediation: { retries: 2 } } }), true).upgrade;
  assert.deepEqual([upgrade.strategy, upgrade.retries, upgrade.remediateLastFailure], ['rollback', 2, true]);
});

test('what hooks have said is told of those that failed, and kept to itself when the gate is off', () => {
  const logged: string[] = [];
  const told: string[] = [];
  const pass = { context: { log: { info: (message: string) => logged.push(message) } } };
  const listen = (gates: string): ReturnType<typeof hookListener> =>
    hookListener(pass, parseFeatureGates(gates), (text) => told.push(text));
  const { hookOutput } = listen('');
  hookOutput?.({ hook: 'migrate', failed: true, text: 'no route' });
  hookOutput?.({ hook: 'notify', failed: false, text: 'sent' });
  assert.deepEqual(logged, ['hook migrate failed', 'hook notify succeeded']);
  assert.deepEqual(told, ['no route']);
  assert.deepEqual(listen('HookOutput=false'), {});
});
