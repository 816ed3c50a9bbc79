// What a HelmRelease does, condition by condition, on a real API server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseFeatureGates } from '../../src/runtime/index.ts';
import { milliseconds, sleep, systemClock } from '../../src/std/index.ts';
import { chart, HR, release, revisions, said, SECRET, waitFor } from './helmrelease-lab.ts';
import { CONFIG_MAP, DEPLOYMENT, Lab, OCI, until } from './kustomization-lab.ts';

const testPod = (fate: string): string => `apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-test
  annotations: {helm.sh/hook: test, control-plane.test/fate: "${fate}"}
spec:
  restartPolicy: Never
  containers: [{name: main, image: app}]
`;

describe('HelmRelease', { timeout: 600_000 }, () => {
  let lab: Lab;
  const used = new Set<string>();
  before(async () => {
    lab = await Lab.open('release-behaviour', { gates: parseFeatureGates('DefaultToRetryOnFailure=false') });
  });
  after(async () => {
    for (const name of used) {
      if ((await lab.find(HR, name)) !== undefined) await lab.remove(HR, name);
      if ((await lab.find(OCI, name)) !== undefined) await lab.remove(OCI, name);
    }
    await lab.close();
  });

  /** A release of a chart of its own. */
  async function install(name: string, spec: Record<string, unknown> = {}, files = chart()): Promise<void> {
    used.add(name);
    await lab.push(name, files);
    await lab.source(name, name);
    await release(lab, name, spec);
  }
  const data = async (name: string): Promise<Record<string, string> | undefined> =>
    (await lab.find(CONFIG_MAP, name))?.['data'] as Record<string, string> | undefined;

  test('HB05: a tag that moves is a new chart version, and upgrades', async () => {
    await install('moved');
    await lab.ready(HR, 'moved');
    await lab.push('moved', chart('1.0.0', { 'more.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: moved-more}\n' }));
    await lab.request(OCI, 'moved');
    const status = await waitFor(
      lab,
      'moved',
      'upgraded',
      ({ history }) => history?.[0]?.version === 2 && history[0].status === 'deployed',
    );
    assert.match(status.history?.[0]?.chartVersion ?? '', /^1\.0\.0\+[0-9a-f]{12}$/);
    assert.notEqual(status.history?.[0]?.chartVersion, status.history?.[1]?.chartVersion);
    assert.ok(await lab.find(CONFIG_MAP, 'moved-more'));
    assert.match(status.lastAttemptedRevisionDigest ?? '', /^latest@sha256:/);
  });

  test('HB54 HB35: an install that does not get ready in time fails; without retries that is the end', async () => {
    await install('stuck', { timeout: '1s', values: { fate: 'unready' } });
    const status = await waitFor(lab, 'stuck', 'stalled', (it) => said(it, 'Stalled') === 'True RetriesExceeded');
    assert.equal(said(status, 'Ready'), 'False InstallFailed');
    assert.equal(said(status, 'Released'), 'False InstallFailed');
    assert.equal(status.installFailures, 1);
    assert.deepEqual(await revisions(lab, 'stuck'), ['1 failed']);
    const message = status.conditions?.find(({ type }) => type === 'Released')?.message ?? '';
    assert.match(message, /^Helm install failed for release release-behaviour\/stuck with chart app@1\.0\.0\+\w{12}: /);
    assert.ok(lab.posted.some(({ reason, severity }) => reason === 'InstallFailed' && severity === 'error'));
  });

  test('HB35: changed values begin anew and heal it', async () => {
    await release(lab, 'stuck', { timeout: '10s' });
    const status = await waitFor(lab, 'stuck', 'healed', (it) => said(it, 'Ready') === 'True UpgradeSucceeded');
    assert.equal(said(status, 'Stalled'), '');
    assert.equal(status.failures ?? 0, 0);
    assert.deepEqual(await revisions(lab, 'stuck'), ['1 superseded', '2 deployed']);
  });

  test('HB35: a failed upgrade goes back to the revision before', async () => {
    await install('back', { timeout: '10s' });
    await lab.ready(HR, 'back');
    await release(lab, 'back', { timeout: '1s', values: { fate: 'unready' }, upgrade: { remediation: { remediateLastFailure: true } } });
    const status = await waitFor(lab, 'back', 'rolled back', (it) => said(it, 'Remediated') === 'True RollbackSucceeded');
    assert.equal(said(status, 'Ready'), 'False RollbackSucceeded');
    const records = await revisions(lab, 'back');
    assert.deepEqual(records, ['1 superseded', '2 failed', '3 deployed']);
    await waitFor(lab, 'back', 'stalled', (it) => said(it, 'Stalled') === 'True RetriesExceeded');
    assert.equal(status.upgradeFailures, 1);
  });

  test('HB35 HB42: install.remediation.retries: tried again after an uninstall, then stalled', async () => {
    await install('retries', { timeout: '1s', values: { fate: 'unready' }, install: { remediation: { retries: 1 } } });
    const status = await waitFor(lab, 'retries', 'stalled', (it) => said(it, 'Stalled') === 'True RetriesExceeded', 40_000);
    assert.equal(status.installFailures, 2);
  });

  test('HB41: RetryOnFailure tries again after the interval', async () => {
    const strategy = { name: 'RetryOnFailure', retryInterval: '1s' };
    await install('again', { timeout: '1s', values: { fate: 'unready' }, install: { strategy }, upgrade: { strategy } });
    await waitFor(lab, 'again', 'a second revision', ({ history }) => (history?.[0]?.version ?? 0) >= 2);
    const status = await waitFor(lab, 'again', 'waits for its retry', (it) => said(it, 'Reconciling') === 'True ProgressingWithRetry');
    assert.equal(said(status, 'Stalled'), '');
  });

  test('HB34 HB57: tests run after an install and are noted', async () => {
    await install('tested', { test: { enable: true }, timeout: '20s' }, chart('1.0.0', { 'test.yaml': testPod('') }));
    const status = await waitFor(lab, 'tested', 'tested', (it) => said(it, 'TestSuccess') === 'True TestSucceeded');
    assert.equal(said(status, 'Ready'), 'True TestSucceeded');
    assert.equal(status.history?.[0]?.testHooks?.['tested-test']?.phase, 'Succeeded');
  });

  test('HB35: a test that fails stalls a release without retries, unless it is ignored', async () => {
    const files = chart('1.0.0', { 'test.yaml': testPod('fail') });
    await install('untested', { test: { enable: true }, timeout: '10s' }, files);
    const status = await waitFor(lab, 'untested', 'stalled', (it) => said(it, 'Stalled') === 'True RetriesExceeded');
    assert.equal(said(status, 'Ready'), 'False TestFailed');
    assert.equal(said(status, 'Released'), 'True InstallSucceeded');
    await install('ignored', { test: { enable: true, ignoreFailures: true }, timeout: '10s' }, files);
    const ignored = await waitFor(lab, 'ignored', 'tested', (it) => said(it, 'TestSuccess') === 'False TestFailed');
    assert.equal(said(ignored, 'Ready'), 'True InstallSucceeded');
  });

  test('HB65: a newer chart ends the wait for the older one at once', async () => {
    await install('newer', { timeout: '5m', values: { fate: 'unready' } });
    await waitFor(lab, 'newer', 'waits', (it) => said(it, 'Ready') === 'Unknown Progressing');
    await until('its record is there', async () => (await revisions(lab, 'newer'))[0] === '1 pending-install');
    const files = chart('1.0.0');
    await lab.push('newer', { ...files, 'app/values.yaml': 'replicas: 0\nfate: ""\nmessage: new\n' });
    const changed = Date.now();
    await release(lab, 'newer', { timeout: '5m', values: { fate: '' } });
    await waitFor(lab, 'newer', 'ready', (it) => said(it, 'Ready') === 'True UpgradeSucceeded', 20_000);
    assert.ok(Date.now() - changed < 15_000);
    assert.deepEqual(await revisions(lab, 'newer'), ['1 superseded', '2 deployed']);
    assert.ok(lab.posted.some(({ reason }) => reason === 'HealthCheckCanceled'));
  });

  test('a source that says the same again does not end the wait', async () => {
    await install('same', { timeout: '5m', values: { fate: 'unready' } });
    await until('its record is there', async () => (await revisions(lab, 'same'))[0] === '1 pending-install');
    await lab.source('same', 'same', { interval: '11m' });
    await lab.request(OCI, 'same');
    await sleep(systemClock, milliseconds(1500));
    assert.deepEqual(await revisions(lab, 'same'), ['1 pending-install']);
    await lab.kube.patch(
      { ...DEPLOYMENT, name: 'same', namespace: lab.namespace },
      { type: 'merge', body: { spec: { replicas: 0 } } },
      { fieldManager: 'helper' },
    );
    await waitFor(lab, 'same', 'ready', (it) => said(it, 'Ready') === 'True InstallSucceeded');
    assert.deepEqual(await revisions(lab, 'same'), ['1 deployed']);
  });

  test('HB36 HB59: drift is put right by an event, and told', async () => {
    await install('drift', { driftDetection: { mode: 'enabled' } });
    await lab.ready(HR, 'drift');
    await lab.settled();
    const at = Date.now();
    await lab.patch(CONFIG_MAP, 'drift', { data: { message: 'changed' } });
    await until('put back', async () => (await data('drift'))?.['message'] === 'hello');
    assert.ok(Date.now() - at < 5000);
    await waitFor(
      lab,
      'drift',
      'no drift',
      (it) => said(it, 'Drifted') === 'False NoDriftDetected' && said(it, 'Ready') === 'True InstallSucceeded',
    );
    await until('told', async () => lab.posted.some(({ reason }) => reason === 'DriftCorrected'));
    assert.ok(
      lab.posted.some(({ reason, message }) => reason === 'DriftDetected' && message.includes('ConfigMap/release-behaviour/drift')),
    );
    assert.deepEqual(await revisions(lab, 'drift'), ['1 deployed']);
  });

  test('HB36: drift that is only told', async () => {
    await install('warn', { driftDetection: { mode: 'warn' } });
    await lab.ready(HR, 'warn');
    await lab.settled();
    await lab.patch(CONFIG_MAP, 'warn', { data: { message: 'changed' } });
    await waitFor(lab, 'warn', 'drifted', (it) => said(it, 'Drifted') === 'True DriftDetected');
    assert.equal((await data('warn'))?.['message'], 'changed');
  });

  test('HB06: another target namespace moves the release', async () => {
    const other = `${lab.namespace}-other`;
    await lab.kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: other } }, { fieldManager: 'lab', force: true });
    await install('mover', { releaseName: 'mover' });
    await lab.ready(HR, 'mover');
    await release(lab, 'mover', { releaseName: 'mover', targetNamespace: other });
    await waitFor(lab, 'mover', 'moved', ({ history }) => history?.[0]?.namespace === other && history[0].status === 'deployed');
    assert.equal(await lab.find(CONFIG_MAP, 'mover'), undefined);
    assert.ok(await lab.kube.find({ ...CONFIG_MAP, name: 'mover', namespace: other }));
    await lab.remove(HR, 'mover');
    assert.equal(await lab.kube.find({ ...CONFIG_MAP, name: 'mover', namespace: other }), undefined);
  });

  test('HB31: a release left in the middle is taken over', async () => {
    await install('locked');
    await lab.ready(HR, 'locked');
    await lab.settled();
    await lab.stop();
    const [secret] = (await lab.kube.list(SECRET, { namespace: lab.namespace, labelSelector: 'owner=helm,name=locked' })).items;
    const { releaseObject, releaseOf } = await import('../../src/helm/index.ts');
    const last = releaseOf(secret ?? assert.fail('no record'));
    const pending = releaseObject({ ...last, version: 2, status: 'pending-upgrade' }, 'Secret', { createdAt: 0 });
    await lab.kube.create({ ...pending, metadata: { ...pending.metadata, namespace: lab.namespace } });
    await lab.start();
    const status = await waitFor(lab, 'locked', 'released again', ({ history }) => (history?.[0]?.version ?? 0) >= 3);
    assert.equal(said(status, 'Ready'), 'True UpgradeSucceeded');
    assert.deepEqual((await revisions(lab, 'locked')).at(-1), '3 deployed');
  });

  test('C08: forceAt upgrades what is in sync', async () => {
    await install('forced');
    await lab.ready(HR, 'forced');
    const token = 'now';
    const annotations = { 'reconcile.fluxcd.io/requestedAt': token, 'reconcile.fluxcd.io/forceAt': token };
    await lab.patch(HR, 'forced', { metadata: { annotations } });
    const status = await waitFor(lab, 'forced', 'upgraded', ({ history }) => history?.[0]?.version === 2);
    assert.equal(status.lastHandledForceAt, token);
    assert.equal(status.lastHandledReconcileAt, token);
  });

  test('HB03: a release waits for what it depends on', async () => {
    await install('front', { dependsOn: [{ name: 'behind' }] });
    await waitFor(lab, 'front', 'waits', (it) => said(it, 'Ready') === 'False DependencyNotReady');
    await install('behind');
    await lab.ready(HR, 'behind');
    const at = Date.now();
    await lab.ready(HR, 'front');
    assert.ok(Date.now() - at < 5000);
  });

  test('HB02: a source without an artifact is waited for', async () => {
    used.add('late');
    await release(lab, 'late');
    await waitFor(lab, 'late', 'no source', (it) => said(it, 'Ready') === 'False ArtifactFailed');
    await lab.source('late', 'late');
    await waitFor(lab, 'late', 'no artifact', (it) => said(it, 'Ready') === 'False SourceNotReady');
    await lab.push('late', chart());
    await lab.request(OCI, 'late');
    await lab.ready(HR, 'late');
  });

  test('HB91: a serviceAccountName without rights fails, with rights it goes on', async () => {
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'tenant', namespace: lab.namespace } };
    await lab.kube.apply(account, { fieldManager: 'lab', force: true });
    await install('tenant', { serviceAccountName: 'tenant' });
    const status = await waitFor(lab, 'tenant', 'refused', (it) => said(it, 'Ready').startsWith('False'));
    assert.match(status.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /forbidden/);
    await lab.kube.apply(
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'tenant', namespace: lab.namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', name: 'tenant', namespace: lab.namespace }],
      },
      { fieldManager: 'lab', force: true },
    );
    await waitFor(lab, 'tenant', 'ready', (it) => said(it, 'Ready') === 'True InstallSucceeded');
  });

  test('HB51: preserveValues keeps what the last revision had, and upgrades once', async () => {
    await install('kept', { values: { message: 'one', replicas: 0 } });
    await lab.ready(HR, 'kept');
    const next = { ...chart('2.0.0'), 'app/values.yaml': 'replicas: 0\nfate: ""\nmessage: two\n' };
    await lab.push('kept', next);
    await release(lab, 'kept', { upgrade: { preserveValues: true }, values: { fate: '' } });
    await lab.request(OCI, 'kept');
    const upgraded = await waitFor(
      lab,
      'kept',
      'upgraded',
      (it) =>
        (it.history?.[0]?.chartVersion ?? '').startsWith('2.') &&
        it.history?.[0]?.status === 'deployed' &&
        said(it, 'Ready').startsWith('True'),
    );
    assert.equal((await data('kept'))?.['message'], 'one');
    await lab.request(HR, 'kept');
    await lab.settled();
    const status = await waitFor(lab, 'kept', 'ready again', (it) => said(it, 'Ready').startsWith('True'));
    assert.equal(status.history?.[0]?.version, upgraded.history?.[0]?.version);
  });

  test('HB56: post-renderers and common metadata change what is released, and changing them upgrades', async () => {
    const patch = '- {op: add, path: /data/patched, value: "yes"}';
    const postRenderers = [{ kustomize: { patches: [{ patch, target: { kind: 'ConfigMap' } }] } }];
    await install('patched', { postRenderers, commonMetadata: { labels: { team: 'a' } } });
    await lab.ready(HR, 'patched');
    assert.equal((await data('patched'))?.['patched'], 'yes');
    assert.equal((await lab.find(CONFIG_MAP, 'patched'))?.metadata.labels?.['team'], 'a');
    await release(lab, 'patched', { commonMetadata: { labels: { team: 'b' } } });
    await waitFor(lab, 'patched', 'upgraded', ({ history }) => history?.[0]?.version === 2 && history[0].status === 'deployed');
    assert.equal((await data('patched'))?.['patched'], undefined);
    assert.equal((await lab.find(CONFIG_MAP, 'patched'))?.metadata.labels?.['team'], 'b');
  });

  test('C10 HB64: a suspended release is left alone, also when it is deleted', async () => {
    await install('paused');
    await lab.ready(HR, 'paused');
    await lab.patch(HR, 'paused', { spec: { suspend: true, values: { message: 'no' } } });
    await lab.settled();
    assert.equal((await data('paused'))?.['message'], 'hello');
    await lab.remove(HR, 'paused');
    assert.ok(await lab.find(CONFIG_MAP, 'paused'));
  });

  test('HB55: a chart that cannot be rendered says where, and is tried again', async () => {
    await install('broken', {}, chart('1.0.0', { 'bad.yaml': '{{ fail "no luck" }}' }));
    const status = await waitFor(lab, 'broken', 'failed', (it) => said(it, 'Ready') === 'False InstallFailed');
    assert.match(status.conditions?.find(({ type }) => type === 'Ready')?.message ?? '', /no luck/);
    assert.equal(status.installFailures ?? 0, 0);
    await lab.push('broken', chart());
    await lab.request(OCI, 'broken');
    await lab.ready(HR, 'broken');
  });
});
