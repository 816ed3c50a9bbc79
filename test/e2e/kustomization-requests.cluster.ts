// How many requests an application costs: an install, an upgrade, a revision that changes nothing of it, and doing nothing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { configMap, CONFIG_MAP, deployment, KS, Lab, OCI, until } from './kustomization-lab.ts';

const service = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'app' },
  spec: { selector: { app: 'app' }, ports: [{ port: 80 }] },
});
const account = JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'app' } });
const app = (version: string): Record<string, string> => ({
  'a.yaml': account,
  'c.yaml': configMap('app', { version }),
  'd.yaml': deployment('app', { version }, { replicas: 0 }),
  's.yaml': service,
});

const total = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

describe('requests of one application', { timeout: 300_000 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.open('requests');
    // The first application of a process also pays for watches; an earlier one has paid.
    await lab.push('warm', app('0'));
    await lab.source('warm', 'warm');
    await lab.kustomization('warm', { namePrefix: 'warm-' });
    await lab.ready(KS, 'warm');
    await lab.settled();
  });
  after(async () => {
    for (const name of ['app', 'warm', 'other']) {
      if ((await lab.find(KS, name)) !== undefined) await lab.remove(KS, name);
      if ((await lab.find(OCI, name)) !== undefined) await lab.remove(OCI, name);
    }
    await lab.close();
  });

  test('an install of four objects takes at most 16', async (t) => {
    await lab.push('app', app('1'));
    lab.forget();
    await lab.source('app', 'app');
    await lab.kustomization('app');
    await lab.ready(KS, 'app');
    await lab.settled();
    const counts = lab.counts();
    t.diagnostic(JSON.stringify(counts));
    assert.equal(counts['apply services'], 1);
    assert.ok(total(counts) <= 16, JSON.stringify(counts));
  });

  test('an upgrade of one of them costs its dry-run, its apply, two statuses and two events', async (t) => {
    lab.forget();
    const revision = await lab.push('app', { ...app('1'), 'c.yaml': configMap('app', { version: '2' }) });
    const pushed = Date.now();
    await lab.request(OCI, 'app');
    await lab.ready(KS, 'app', revision);
    t.diagnostic(`Ready seen after ${Date.now() - pushed} ms`);
    await lab.settled();
    const counts = lab.counts();
    t.diagnostic(JSON.stringify(counts));
    assert.equal(counts['apply configmaps'], 1);
    assert.equal(counts['apply services'], undefined);
    assert.ok(total(counts) <= 6, JSON.stringify(counts));
  });

  test('a revision that changes nothing of it costs two statuses and the event of the source', async () => {
    lab.forget();
    const revision = await lab.push('app', { ...app('1'), 'c.yaml': configMap('app', { version: '2' }), 'README.md': 'new' });
    await lab.request(OCI, 'app');
    await lab.ready(KS, 'app', revision);
    await lab.settled();
    const counts = lab.counts();
    assert.equal(counts['patch kustomizations/status'], 1);
    assert.equal(counts['patch ocirepositories/status'], 1);
    assert.deepEqual(
      Object.keys(counts).filter((key) => /apply|configmaps|deployments|services/.test(key)),
      [],
    );
    assert.ok(total(counts) <= 5, JSON.stringify(counts));
  });

  test('of two applications in one artifact only the changed one is looked at', async () => {
    const files = (version: string): Record<string, string> => ({
      'one/a.yaml': configMap('one', { version: '1' }),
      'two/a.yaml': configMap('two', { version }),
    });
    await lab.push('pair', files('1'));
    await lab.source('pair', 'pair');
    for (const part of ['one', 'two'])
      await lab.kustomization(part, { path: `./${part}`, sourceRef: { kind: 'OCIRepository', name: 'pair' } });
    for (const part of ['one', 'two']) await lab.ready(KS, part);
    await lab.settled();
    lab.forget();
    const revision = await lab.push('pair', files('2'));
    await lab.request(OCI, 'pair');
    for (const part of ['one', 'two']) await lab.ready(KS, part, revision);
    await lab.settled();
    const counts = lab.counts();
    assert.equal(counts['apply configmaps'], 1);
    assert.equal(counts['patch kustomizations/status'], 2);
    for (const part of ['one', 'two']) await lab.remove(KS, part);
    await lab.remove(OCI, 'pair');
  });

  test('intervals that find everything as published send nothing to the API server, and one HEAD for a shared reference', async (t) => {
    await lab.push('idle', { 'a.yaml': configMap('idle') });
    for (const name of ['idle-a', 'idle-b', 'idle-c']) {
      await lab.source(name, 'idle', { interval: '1s' });
      await lab.kustomization(name, { interval: '1s', namePrefix: `${name}-` });
    }
    for (const name of ['idle-a', 'idle-b', 'idle-c']) await lab.ready(KS, name);
    await lab.settled();
    lab.forget();
    const started = Date.now();
    await until('five seconds', async () => Date.now() - started > 5000);
    const heads = lab.registryRequests.length;
    t.diagnostic(`${heads} registry requests in 5 s for 3 sources of one reference at 1 s`);
    assert.deepEqual(lab.counts(), {});
    assert.ok(heads >= 4 && heads <= 7, `${heads} registry requests`);
    for (const name of ['idle-a', 'idle-b', 'idle-c']) {
      await lab.remove(KS, name);
      await lab.remove(OCI, name);
    }
  });

  test('drift costs a dry-run and an apply', async (t) => {
    lab.forget();
    const tampered = Date.now();
    await lab.kube.patch(
      { ...CONFIG_MAP, name: 'app', namespace: lab.namespace },
      { type: 'merge', body: { data: { version: 'tampered' } } },
      { fieldManager: 'intruder' },
    );
    await until(
      'put back',
      async () => ((await lab.find(CONFIG_MAP, 'app'))?.['data'] as { version?: string } | undefined)?.version === '2',
    );
    t.diagnostic(`put back after ${Date.now() - tampered} ms`);
    await lab.settled();
    const counts = lab.counts();
    t.diagnostic(JSON.stringify(counts));
    assert.equal(counts['apply configmaps'], 1);
    assert.ok(total(counts) <= 5, JSON.stringify(counts));
    assert.ok(
      lab.posted.some(({ message }) => /drift corrected: ConfigMap\/requests\/app: data\.version changed by intruder/.test(message)),
    );
  });
});
