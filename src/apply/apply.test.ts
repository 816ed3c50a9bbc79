import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { KubeObject } from '../manifest/index.ts';
import { createKubeClient, type KubeClient } from '../kube/index.ts';
import { FakeApiServer } from '../kube/testing/fake-api-server.ts';
import { fastClock } from '../kube/testing/fast-clock.ts';
import { ApplyError, EMPTY_INVENTORY, applyObjects, inventoryObjects, pruneObjects, type ApplyRequest } from './index.ts';

const group = 'kustomize.toolkit.fluxcd.io';
const owner = { group, name: 'app', namespace: 'default' };
const labels = { [`${group}/name`]: 'app', [`${group}/namespace`]: 'default' };
const definition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.x.io' },
  spec: { group: 'x.io', names: { kind: 'Thing', plural: 'things' }, scope: 'Namespaced', versions: [{ name: 'v1', served: true }] },
};
const established = { ...definition, status: { conditions: [{ type: 'Established', status: 'True' }] } };

const configMap = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data: { k: 'v' },
});

describe('apply over a failing network', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  const clock = fastClock(20);

  beforeEach(async () => {
    server = new FakeApiServer();
    server.kinds.push({
      group: 'apiextensions.k8s.io',
      version: 'v1',
      kind: 'CustomResourceDefinition',
      plural: 'customresourcedefinitions',
      namespaced: false,
    });
    const config = { server: await server.start(), namespace: 'default', tls: {}, credential: { kind: 'none' } } as const;
    client = createKubeClient(config, { clock });
    await client.mapper.all();
  });
  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  const apply = (objects: KubeObject[], more: Partial<ApplyRequest> = {}): ReturnType<typeof applyObjects> =>
    applyObjects({ client, clock, objects, owner, fieldManager: 'kustomize-controller', inventory: EMPTY_INVENTORY, ...more });

  const requests = (method: string): string[] =>
    server.seen
      .filter((request) => request.method === method && request.query.get('dryRun') === null)
      .map(({ path }) => path.split('/').at(-1) ?? '');

  it('KB51 waits for a definition by watch, through broken watches, before anything else is touched', async () => {
    const running = apply([configMap('later'), definition]);
    await until(() => server.openWatches === 1);
    server.endWatches('cut');
    await until(() => server.openWatches === 1);
    server.fail(({ query }) => query.get('watch') === 'true', { kind: 'status', code: 500, reason: 'InternalError' });
    server.endWatches('end');
    assert.equal(await client.find({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name: 'later' }), undefined);
    server.put(established);
    const { changes } = await running;
    assert.deepEqual(
      changes.map(({ ref, action }) => `${ref.name} ${action}`),
      ['things.x.io created', 'later created'],
    );
  });

  it('KB51 says what was not ready in time, and keeps what was applied in the inventory', async () => {
    const error = await failure(apply([configMap('later'), definition], { stageTimeout: 2000 }));
    assert.equal(error.code, 'StageNotReady');
    assert.equal(error.message, "timeout waiting for: [CustomResourceDefinition/things.x.io status: 'InProgress']");
    assert.deepEqual(
      inventoryObjects(error.partial.inventory).map(({ ref }) => ref.name),
      ['things.x.io'],
    );
  });

  it('falls back to reading when it may not watch', async () => {
    server.fail(({ query }) => query.get('watch') === 'true', { kind: 'status', code: 403, reason: 'Forbidden' }, 100);
    const running = apply([definition]);
    await until(() => requests('PATCH').length === 1);
    server.put(established);
    assert.equal((await running).changes[0]?.action, 'created');
  });

  it('ends a wait as soon as it is told to', async () => {
    const controller = new AbortController();
    const running = apply([definition], { signal: controller.signal });
    await until(() => server.openWatches === 1);
    controller.abort();
    assert.equal((await failure(running)).code, 'Aborted');
    await until(() => server.openWatches === 0);
  });

  it('stops after the wave in which a write failed, and loses track of nothing', async () => {
    server.fail(({ path, method, query }) => method === 'PATCH' && path.endsWith('/b') && query.get('dryRun') === null, {
      kind: 'status',
      code: 403,
      reason: 'Forbidden',
      message: 'no',
    });
    const deployment: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'default' }, spec: {} };
    const old = { entries: [{ id: 'default_old__ConfigMap', v: 'v1' }] };
    const error = await failure(apply([configMap('a'), configMap('b'), deployment], { inventory: old }));
    assert.equal(error.message, 'ConfigMap/default/b apply failed: no');
    assert.deepEqual(
      error.partial.changes.map(({ ref, action }) => `${ref.name} ${action}`),
      ['a created'],
    );
    assert.deepEqual(
      inventoryObjects(error.partial.inventory).map(({ ref }) => ref.name),
      ['a', 'b', 'old', 'd'],
    );
    assert.ok(!requests('PATCH').includes('d'));
  });

  it('sends a lost apply again, and gives up on one that never gets through', async () => {
    server.fail(({ method }) => method === 'PATCH', { kind: 'drop' }, 3);
    assert.equal((await apply([configMap('a')])).changes[0]?.action, 'created');
    server.fail(({ method }) => method === 'PATCH', { kind: 'drop' }, 100);
    const error = await failure(apply([configMap('b')]));
    assert.equal(error.code, 'DryRunFailed');
    assert.match(error.message, /^ConfigMap\/default\/b dry-run failed: /);
    assert.equal(error.retryable, true);
  });

  it('never has more requests in flight than it may', async () => {
    const gauge = { now: 0, most: 0 };
    const counting: KubeClient = {
      __proto__: null,
      mapper: client.mapper,
      apply: async (object: KubeObject, options: Parameters<KubeClient['apply']>[1]) => {
        gauge.most = Math.max(gauge.most, ++gauge.now);
        try {
          return await client.apply(object, options);
        } finally {
          gauge.now--;
        }
      },
    } as unknown as KubeClient;
    await apply(
      Array.from({ length: 20 }, (_, index) => configMap(`n${index}`)),
      { client: counting, concurrency: 3 },
    );
    assert.equal(gauge.most, 3);
  });

  it('KB70 looks again when an object changed under the prune, and lets go of one that moved', async () => {
    const at = (name: string) => ({ ref: { group: '', kind: 'ConfigMap', namespace: 'default', name }, version: 'v1' });
    const owned = (name: string): KubeObject => server.put({ ...configMap(name), metadata: { name, namespace: 'default', labels } });
    for (const name of ['changed', 'moved']) owned(name);
    let interfered = false;
    const racing = new Proxy(client, {
      get(target, property) {
        if (property !== 'delete') {
          const value: unknown = Reflect.get(target, property, target);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return async (...args: Parameters<KubeClient['delete']>) => {
          if (!interfered) {
            interfered = true;
            owned('changed');
            server.put({
              ...configMap('moved'),
              metadata: { name: 'moved', namespace: 'default', labels: { ...labels, [`${group}/name`]: 'other' } },
            });
          }
          return target.delete(...args);
        };
      },
    });
    const { changes, failures } = await pruneObjects({ client: racing, owner, objects: [at('changed'), at('moved')], concurrency: 2 });
    assert.deepEqual(changes.map(({ ref, action }) => `${ref.name} ${action}`).toSorted(), ['changed deleted', 'moved skipped']);
    assert.deepEqual(failures, []);
  });

  it('KB71 gives back what could not be deleted', async () => {
    server.put({ ...configMap('stuck'), metadata: { name: 'stuck', namespace: 'default', labels } });
    server.fail(({ method }) => method === 'DELETE', { kind: 'status', code: 403, reason: 'Forbidden', message: 'denied by webhook' });
    const objects = [{ ref: { group: '', kind: 'ConfigMap', namespace: 'default', name: 'stuck' }, version: 'v1' }];
    const { survivors, failures } = await pruneObjects({ client, owner, objects });
    assert.deepEqual(survivors.entries, [{ id: 'default_stuck__ConfigMap', v: 'v1' }]);
    assert.equal(failures[0]?.message, 'ConfigMap/default/stuck delete failed: denied by webhook');
  });
});

async function failure(work: Promise<unknown>): Promise<ApplyError> {
  const error = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  assert.ok(error instanceof ApplyError, `want an ApplyError, have ${String(error)}`);
  return error;
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
