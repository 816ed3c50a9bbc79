// Waits, dependencies, drift, deletion, suspension and faults of Kustomizations on a real API server.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { condition, configMap, CONFIG_MAP, deployment, DEPLOYMENT, KS, Lab, OCI, until } from './kustomization-lab.ts';
import type { KubeObject } from '../../src/manifest/index.ts';

const JOB = { apiVersion: 'batch/v1', kind: 'Job' };
const data = (object: KubeObject | undefined): Record<string, string> => (object?.['data'] ?? {}) as Record<string, string>;

describe('Kustomizations', { timeout: 600_000 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.open('behaviour');
  });
  after(async () => await lab.close());

  /** Source and Kustomization of one name. */
  const install = async (name: string, files: Record<string, string>, spec: Record<string, unknown> = {}): Promise<string> => {
    const revision = await lab.push(name, files);
    await lab.source(name, name);
    await lab.kustomization(name, spec);
    return revision;
  };
  const remove = async (name: string): Promise<void> => {
    await lab.remove(KS, name);
    if ((await lab.find(OCI, name)) !== undefined) await lab.remove(OCI, name);
  };

  test('KB80 KB84: wait shows that it waits, and is Ready when the objects are', async () => {
    const name = 'waits';
    await install(name, { 'd.yaml': deployment(name, { 'control-plane.test/delay': '7s' }) }, { wait: true });
    const waiting = await lab.waitStatus(KS, name, 'waits', (status) => condition(status, 'Healthy')?.status === 'Unknown', 15_000);
    assert.equal(condition(waiting, 'Ready')?.status, 'Unknown');
    assert.match(
      condition(waiting, 'Reconciling')?.message ?? '',
      /^Running health checks for revision latest@sha256:\w+ with a timeout of 9m30s$/,
    );
    const ready = await lab.ready(KS, name);
    assert.equal(condition(ready, 'Healthy')?.reason, 'Succeeded');
    assert.match(condition(ready, 'Healthy')?.message ?? '', /^Health check passed in \d/);
    assert.equal(condition(ready, 'Reconciling'), undefined);
    assert.ok(
      lab.posted.some(({ message, involvedObject }) => involvedObject.name === name && message.startsWith('Health check passed in')),
    );
    await remove(name);
  });

  test('KB13: a newer revision ends a wait that would never end', async () => {
    const name = 'superseded';
    await install(name, { 'd.yaml': deployment(name, { 'control-plane.test/fate': 'pending' }) }, { wait: true });
    await lab.waitStatus(KS, name, 'waits', (status) => condition(status, 'Ready')?.status === 'Unknown');
    const revision = await lab.push(name, { 'd.yaml': deployment(name) });
    const pushed = Date.now();
    await lab.request(OCI, name);
    await lab.ready(KS, name, revision, 15_000);
    assert.ok(Date.now() - pushed < 10_000);
    const canceled = lab.posted.find(({ reason, involvedObject }) => reason === 'HealthCheckCanceled' && involvedObject.name === name);
    assert.equal(canceled?.message, `Health checks canceled due to new reconciliation triggered by OCIRepository/behaviour/${name}`);
    await remove(name);
  });

  test('KB12 KB81 KB82: a failed Job ends the wait early; what was applied stays', async () => {
    const name = 'failing';
    const template = {
      metadata: { annotations: { 'control-plane.test/fate': 'fail' } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'app' }] },
    };
    const job = JSON.stringify({ ...JOB, metadata: { name }, spec: { backoffLimit: 0, template } });
    await install(name, { 'j.yaml': job, 'c.yaml': configMap(name) }, { wait: true });
    const failed = await lab.notReady(KS, name, 'HealthCheckFailed', 30_000);
    assert.equal(condition(failed, 'Ready')?.message, `failed early due to stalled resources: [Job/behaviour/${name} status: 'Failed']`);
    assert.equal(condition(failed, 'Healthy')?.status, 'False');
    assert.equal(failed.lastAppliedRevision, undefined);
    assert.equal(failed.inventory?.entries.length, 2);
    const told = lab.posted.find(
      ({ severity, involvedObject }) => severity === 'error' && involvedObject.kind === 'Kustomization' && involvedObject.name === name,
    );
    assert.match(told?.message ?? '', /^health check failed after \S+: failed early due to stalled resources: /);
    await remove(name);
  });

  test('KB80: healthChecks names objects nobody here applied', async () => {
    const name = 'named';
    const revision = await install(
      name,
      { 'c.yaml': configMap(name) },
      { healthChecks: [{ kind: 'Deployment', name: 'foreign', namespace: 'behaviour' }] },
    );
    await lab.waitStatus(KS, name, 'waits', (status) => condition(status, 'Healthy')?.status === 'Unknown', 15_000);
    await lab.apply(JSON.parse(deployment('foreign')) as KubeObject);
    await lab.ready(KS, name, revision);
    await remove(name);
    await lab.remove(DEPLOYMENT, 'foreign');
  });

  test('KB83: an expression tells the health of a kind the standard rules do not know', async () => {
    const name = 'expression';
    const expression = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      inProgress: '!has(data.state)',
      current: "data.state == 'good'",
      failed: "data.state == 'bad'",
    };
    await install(name, { 'c.yaml': configMap(name, { v: '1' }) }, { wait: true, healthCheckExprs: [expression] });
    await lab.waitStatus(KS, name, 'waits', (status) => condition(status, 'Healthy')?.status === 'Unknown', 15_000);
    await lab.kube.patch(
      { ...CONFIG_MAP, name, namespace: lab.namespace },
      { type: 'merge', body: { data: { state: 'bad' } } },
      { fieldManager: 'operator' },
    );
    const failed = await lab.notReady(KS, name, 'HealthCheckFailed');
    assert.match(
      condition(failed, 'Ready')?.message ?? '',
      /^failed early due to stalled resources: \[ConfigMap\/behaviour\/expression status: 'Failed'\]$/,
    );
    const healed = Date.now();
    await lab.kube.patch(
      { ...CONFIG_MAP, name, namespace: lab.namespace },
      { type: 'merge', body: { data: { state: 'good' } } },
      { fieldManager: 'operator' },
    );
    await lab.ready(KS, name);
    assert.ok(Date.now() - healed < 5000, 'what heals by itself is Ready at once, not at the next interval');
    await remove(name);
  });

  test('KB02: an expression that does not parse stalls the object', async () => {
    const name = 'broken-expression';
    await install(name, { 'c.yaml': configMap(name) }, { dependsOn: [{ name: 'other', readyExpr: 'self.spec..' }] });
    const stalled = await lab.notReady(KS, name, 'InvalidCELExpression');
    assert.equal(condition(stalled, 'Stalled')?.status, 'True');
    assert.equal(stalled.observedGeneration, 1);
    assert.match(condition(stalled, 'Ready')?.message ?? '', /^Reconciliation failed terminally due to configuration error: /);
    await lab.patch(KS, name, { spec: { dependsOn: null } });
    const ready = await lab.ready(KS, name);
    assert.equal(condition(ready, 'Stalled'), undefined);
    await remove(name);
  });

  test('KB04: a dependent goes on in moments when its dependency turns ready', async (t) => {
    await lab.push('chain', { 'a/d.yaml': deployment('chain-a', { 'control-plane.test/delay': '2s' }), 'b/c.yaml': configMap('chain-b') });
    await lab.source('chain', 'chain');
    const sourceRef = { kind: 'OCIRepository', name: 'chain' };
    await lab.kustomization('chain-b', { sourceRef, path: 'b', dependsOn: [{ name: 'chain-a' }] });
    const blocked = await lab.notReady(KS, 'chain-b', 'DependencyNotReady');
    assert.equal(condition(blocked, 'Ready')?.message, "dependency 'behaviour/chain-a' not found");
    await lab.kustomization('chain-a', { sourceRef, path: 'a', wait: true });
    await lab.ready(KS, 'chain-b');
    const finished = (name: string): number => {
      const line = lab.log
        .map((text) => JSON.parse(text) as { msg: string; name?: string; ts: string })
        .find((entry) => entry.name === name && entry.msg.startsWith('Reconciliation finished'));
      return Date.parse(line?.ts ?? '');
    };
    const gap = finished('chain-b') - finished('chain-a');
    t.diagnostic(`${gap} ms from one to the other`);
    assert.ok(gap >= 0 && gap < 1000, `${gap} ms`);
    await lab.remove(KS, 'chain-b');
    await remove('chain-a');
    await lab.remove(OCI, 'chain');
  });

  test('KB05: readyExpr decides in place of the built-in test', async () => {
    await install('gate', { 'c.yaml': configMap('gate') });
    await lab.ready(KS, 'gate');
    await install(
      'gated',
      { 'c.yaml': configMap('gated') },
      { dependsOn: [{ name: 'gate', readyExpr: "dep.metadata.labels.open == 'yes'" }] },
    );
    await lab.notReady(KS, 'gated', 'DependencyNotReady');
    await lab.patch(KS, 'gate', { metadata: { labels: { open: 'yes' } } });
    await lab.ready(KS, 'gated');
    await remove('gated');
    await remove('gate');
  });

  test('KB03: a source that does not exist yet is waited for, not polled', async () => {
    const name = 'late';
    const revision = await lab.push(name, { 'c.yaml': configMap(name) });
    await lab.kustomization(name);
    const missing = await lab.notReady(KS, name, 'ArtifactFailed');
    assert.equal(condition(missing, 'Ready')?.message, "Source 'OCIRepository/behaviour/late' not found");
    const created = Date.now();
    await lab.source(name, name);
    await lab.ready(KS, name, revision);
    assert.ok(Date.now() - created < 5000);
    await remove(name);
  });

  test('KB40 KB48 C13: variables from a labelled ConfigMap; its change reconciles at once; a missing one is named', async () => {
    const name = 'variables';
    await lab.apply({
      ...CONFIG_MAP,
      metadata: { name: 'vars', labels: { 'reconcile.fluxcd.io/watch': 'Enabled' } },
      data: { color: 'red' },
    });
    const spec = { postBuild: { substitute: { size: 'big' }, substituteFrom: [{ kind: 'ConfigMap', name: 'vars' }] } };
    await install(name, { 'c.yaml': configMap(name, { v: '${color} ${size} ${shape:=round}' }) }, spec);
    await lab.ready(KS, name);
    assert.equal(data(await lab.find(CONFIG_MAP, name))['v'], 'red big round');
    await lab.patch(CONFIG_MAP, 'vars', { data: { color: 'blue' } });
    await until('the change arrives', async () => data(await lab.find(CONFIG_MAP, name))['v'] === 'blue big round', 5000);
    await lab.patch(KS, name, { spec: { postBuild: { substituteFrom: [{ kind: 'Secret', name: 'nowhere' }] } } });
    const failed = await lab.notReady(KS, name, 'BuildFailed');
    assert.match(condition(failed, 'Ready')?.message ?? '', /substitute from 'Secret\/nowhere' error/);
    await lab.push(name, { 'c.yaml': configMap(name, { v: '${unset}' }) });
    await lab.patch(KS, name, { spec: { postBuild: { substituteFrom: null } } });
    await lab.request(OCI, name);
    const strict = await lab.waitStatus(
      KS,
      name,
      'strict',
      (status) => condition(status, 'Ready')?.message.includes('variable not set') === true,
    );
    assert.match(condition(strict, 'Ready')?.message ?? '', /ConfigMap\/behaviour\/variables.*variable not set \(strict mode\): "\w+"/);
    await remove(name);
    await lab.remove(CONFIG_MAP, 'vars');
  });

  test('KB34: an encrypted Secret is refused, and nothing is applied', async () => {
    const name = 'encrypted';
    const secret = JSON.stringify({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      data: { a: 'ENC[AES256_GCM,data:x]' },
      sops: { mac: 'x' },
    });
    await install(name, { 's.yaml': secret, 'c.yaml': configMap(name) });
    const failed = await lab.notReady(KS, name, 'BuildFailed');
    assert.match(condition(failed, 'Ready')?.message ?? '', /SOPS encrypted, configuring decryption is required/);
    assert.equal(await lab.find(CONFIG_MAP, name), undefined);
    await remove(name);
  });

  test('C07 C10: a suspended object is left alone but takes note of requests', async () => {
    const name = 'suspended';
    const revision = await install(name, { 'c.yaml': configMap(name) });
    await lab.ready(KS, name, revision);
    await lab.patch(KS, name, { spec: { suspend: true } });
    await lab.push(name, { 'c.yaml': configMap(name, { v: '2' }) });
    await lab.request(OCI, name);
    const requested = await lab.request(KS, name);
    const status = await lab.waitStatus(KS, name, 'noted', ({ lastHandledReconcileAt }) => lastHandledReconcileAt === requested);
    assert.equal(status.lastAppliedRevision, revision);
    assert.equal(status.observedGeneration, (await lab.find(KS, name))?.metadata.generation, 'what waits for its generation goes on');
    assert.equal(data(await lab.find(CONFIG_MAP, name))['v'], '1');
    await lab.kube.delete({ ...CONFIG_MAP, name, namespace: lab.namespace });
    await lab.settled();
    assert.equal(await lab.find(CONFIG_MAP, name), undefined, 'no drift correction while suspended');
    await lab.patch(KS, name, { spec: { suspend: false } });
    await until('resumed', async () => data(await lab.find(CONFIG_MAP, name))['v'] === '2');
    await lab.patch(KS, name, { spec: { suspend: true } });
    await remove(name);
    assert.notEqual(await lab.find(CONFIG_MAP, name), undefined, 'KB90: deleted while suspended leaves everything');
    await lab.remove(CONFIG_MAP, name);
  });

  for (const [policy, prune, stays] of [
    ['MirrorPrune', true, false],
    ['MirrorPrune', false, true],
    ['Orphan', true, true],
    ['Delete', false, false],
    ['WaitForTermination', false, false],
  ] as const) {
    test(`KB90: deletionPolicy ${policy} with prune ${prune} ${stays ? 'leaves' : 'deletes'} what was applied`, async () => {
      const name = 'deleted';
      await install(name, { 'c.yaml': configMap(name), 'd.yaml': deployment(name) }, { deletionPolicy: policy, prune });
      await lab.ready(KS, name);
      await remove(name);
      await until('settled', async () => ((await lab.find(CONFIG_MAP, name)) !== undefined) === stays);
      if (stays) for (const kind of [CONFIG_MAP, DEPLOYMENT]) await lab.remove(kind, name);
      else await until('gone', async () => (await lab.find(DEPLOYMENT, name)) === undefined);
    });
  }

  test('KB90: WaitForTermination keeps the Kustomization until its objects are gone', async () => {
    const name = 'terminating';
    await install(
      name,
      { 'c.yaml': JSON.stringify({ ...CONFIG_MAP, metadata: { name, finalizers: ['test.example/hold'] } }) },
      { deletionPolicy: 'WaitForTermination' },
    );
    await lab.ready(KS, name);
    await lab.kube.delete({ ...KS, name, namespace: lab.namespace });
    await until('the object is being deleted', async () => (await lab.find(CONFIG_MAP, name))?.metadata.deletionTimestamp);
    await lab.settled();
    assert.notEqual(await lab.find(KS, name), undefined);
    await lab.patch(CONFIG_MAP, name, { metadata: { finalizers: null } });
    await until('the Kustomization is gone', async () => (await lab.find(KS, name)) === undefined, 5000);
    await lab.remove(OCI, name);
  });

  test('KB70: objects marked against pruning, and objects others took over, stay', async () => {
    const name = 'prunes';
    const marked = JSON.stringify({
      ...CONFIG_MAP,
      metadata: { name: 'marked', annotations: { 'kustomize.toolkit.fluxcd.io/prune': 'disabled' } },
    });
    await install(name, { 'a.yaml': configMap('stays'), 'b.yaml': configMap('goes'), 'm.yaml': marked, 't.yaml': configMap('taken') });
    await lab.ready(KS, name);
    const other = { 'kustomize.toolkit.fluxcd.io/name': 'someone-else' };
    const revision = await lab.push(name, { 'a.yaml': configMap('stays') });
    await lab.patch(KS, name, { spec: { suspend: true } });
    await lab.waitStatus(KS, name, 'suspended', () => true);
    await lab.kube.patch(
      { ...CONFIG_MAP, name: 'taken', namespace: lab.namespace },
      { type: 'merge', body: { metadata: { labels: other } } },
      { fieldManager: 'other' },
    );
    await lab.request(OCI, name);
    await lab.waitStatus(OCI, name, 'new', ({ artifact }) => artifact?.revision === revision);
    await lab.patch(KS, name, { spec: { suspend: false } });
    await lab.ready(KS, name, revision);
    assert.equal(await lab.find(CONFIG_MAP, 'goes'), undefined);
    assert.notEqual(await lab.find(CONFIG_MAP, 'marked'), undefined);
    assert.notEqual(await lab.find(CONFIG_MAP, 'taken'), undefined);
    assert.deepEqual(
      (await lab.status(KS, name)).inventory?.entries.map(({ id }) => id),
      ['behaviour_stays__ConfigMap'],
    );
    for (const left of ['marked', 'taken']) await lab.remove(CONFIG_MAP, left);
    await remove(name);
  });

  test('KB52: when one dry-run fails nothing is applied, and every failure is told', async () => {
    const name = 'refused';
    const bad = (label: string): string =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata: { name: label }, spec: { ports: [{ port: 99_999 }] } });
    await install(name, { 'c.yaml': configMap(name), 'one.yaml': bad('bad-one'), 'two.yaml': bad('bad-two') });
    const failed = await lab.notReady(KS, name, 'ReconciliationFailed');
    assert.match(
      condition(failed, 'Ready')?.message ?? '',
      /Service\/behaviour\/bad-one dry-run failed \(Invalid\): .*\n.*Service\/behaviour\/bad-two dry-run failed/s,
    );
    assert.equal(await lab.find(CONFIG_MAP, name), undefined);
    assert.equal(failed.history?.[0]?.lastReconciledStatus, 'ReconciliationFailed');
    await remove(name);
  });

  test('E01 E04: what happened is a Kubernetes event and a posted one, with the revision', async () => {
    const name = 'told';
    const revision = await install(name, { 'c.yaml': configMap(name) });
    await lab.ready(KS, name);
    await lab.settled();
    const mine = lab.posted.filter(({ involvedObject }) => involvedObject.name === name && involvedObject.kind === 'Kustomization');
    assert.deepEqual(
      mine.map(({ message }) => message.replace(/in .*,/, 'in X,')),
      [`ConfigMap/behaviour/${name} created`, 'Reconciliation finished in X, next run in 10m'],
    );
    assert.deepEqual(mine[1]?.metadata, {
      'kustomize.toolkit.fluxcd.io/revision': revision,
      'kustomize.toolkit.fluxcd.io/originRevision': 'main@sha1:abc',
      'kustomize.toolkit.fluxcd.io/commit_status': 'update',
    });
    const source = lab.posted.find(({ involvedObject, reason }) => involvedObject.name === name && reason === 'NewArtifact');
    assert.match(
      source?.message ?? '',
      /^stored artifact with revision 'latest@sha256:\w+' from 'oci:\/\/.*', origin source 'test', origin revision 'main@sha1:abc'$/,
    );
    const events = await lab.kube.list(
      { apiVersion: 'v1', kind: 'Event' },
      { namespace: lab.namespace, fieldSelector: `involvedObject.uid=${mine[0]?.involvedObject.uid}` },
    );
    assert.equal(events.items.length, 1);
    assert.equal((events.items[0] as unknown as { reportingComponent: string }).reportingComponent, 'kustomize-controller');
    await remove(name);
  });

  test('KB91: an account that is gone does not keep its Kustomization from being deleted', async () => {
    const name = 'accountless';
    await install(name, { 'c.yaml': configMap(name) });
    await lab.ready(KS, name);
    await lab.patch(KS, name, { spec: { serviceAccountName: 'never-was' } });
    const refused = await lab.notReady(KS, name, 'ReconciliationFailed');
    assert.match(condition(refused, 'Ready')?.message ?? '', /system:serviceaccount:behaviour:never-was/);
    await remove(name);
    assert.ok(lab.posted.some(({ message }) => message === `unable to prune objects: \nConfigMap/behaviour/${name}`));
    await lab.remove(CONFIG_MAP, name);
  });

  test('what changed while the process was down is put right when it starts again', async () => {
    const name = 'restarted';
    await install(name, { 'c.yaml': configMap(name) });
    await lab.ready(KS, name);
    await lab.stop();
    await lab.kube.patch(
      { ...CONFIG_MAP, name, namespace: lab.namespace },
      { type: 'merge', body: { data: { v: 'tampered' } } },
      { fieldManager: 'intruder' },
    );
    await lab.start();
    await until('put back', async () => data(await lab.find(CONFIG_MAP, name))['v'] === '1', 10_000);
    await remove(name);
  });
});
