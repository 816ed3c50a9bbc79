import assert from 'node:assert/strict';
import { after, before as prepare, describe, it } from 'node:test';
import type { Release } from '../../../helm/index.ts';
import { createKubeClient, type KubeClient } from '../../../kube/index.ts';
import { FakeApiServer, type SeenRequest } from '../../../kube/testing/fake-api-server.ts';
import { fastClock } from '../../../kube/testing/fast-clock.ts';
import { kubeReleaseStorage } from './storage.ts';

const signal = new AbortController().signal;

function release(version: number, more: Partial<Release> = {}): Release {
  return {
    name: 'app',
    namespace: 'shop',
    version,
    status: 'deployed',
    description: '',
    notes: '',
    config: undefined,
    chart: {},
    manifest: '',
    hooks: [],
    labels: {},
    ...more,
  };
}

describe('records in the cluster (HB09)', () => {
  const server = new FakeApiServer();
  const clock = fastClock(100);
  let client: KubeClient;
  prepare(async () => {
    server.kinds.push({ group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true });
    const config = { server: await server.start(), namespace: 'default', tls: {}, credential: { kind: 'none' } } as const;
    client = createKubeClient(config, { clock, attempts: 1 });
    await client.mapper.all();
  });
  after(async () => {
    await client.close();
    await server.stop();
  });
  const storage = (name = 'app'): ReturnType<typeof kubeReleaseStorage> =>
    kubeReleaseStorage({ client, namespace: 'records', clock }, name);
  const writes =
    (method: string) =>
    (request: SeenRequest): boolean =>
      request.method === method && request.path.includes('secrets');

  it('live in the storage namespace, oldest first, and are listed once', async () => {
    await storage().create(release(2), signal);
    await storage().create(release(1, { status: 'superseded' }), signal);
    const reader = storage();
    const from = server.seen.length;
    assert.deepEqual(
      (await reader.list(signal)).map(({ version, status, namespace }) => [version, status, namespace]),
      [
        [1, 'superseded', 'shop'],
        [2, 'deployed', 'shop'],
      ],
    );
    await reader.update(release(2, { status: 'failed' }), signal);
    await reader.create(release(3), signal);
    await reader.delete(1, signal);
    await reader.delete(1, signal);
    assert.deepEqual(
      (await reader.list(signal)).map(({ version, status }) => [version, status]),
      [
        [2, 'failed'],
        [3, 'deployed'],
      ],
    );
    assert.equal(server.seen.slice(from).filter(({ method }) => method === 'GET').length, 1);
    assert.deepEqual(await storage('ap').list(signal), []);
  });

  it('a revision that is there is not overwritten', async () => {
    await assert.rejects(storage().create(release(3), signal), { code: 'ReleaseExists', message: 'release: already exists' });
  });

  it('what fails in passing is written after all', async () => {
    server.fail(writes('PUT'), { kind: 'status', code: 503, reason: 'ServiceUnavailable' }, 2);
    await storage().update(release(3, { status: 'superseded' }), signal);
    server.fail(writes('POST'), { kind: 'drop' });
    await storage().create(release(4), signal);
    assert.deepEqual((await storage().list(signal)).at(-1)?.version, 4);
  });

  it('one that cannot be read is passed over, told, and in nobody’s way', async () => {
    server.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'sh.helm.release.v1.app.v9', namespace: 'records', labels: { name: 'app', owner: 'helm' } },
      type: 'helm.sh/release.v1',
      data: { release: 'AAAA' },
    });
    const told: string[] = [];
    const options = { client, namespace: 'records', clock, unreadable: (name: string) => told.push(name) };
    assert.equal((await kubeReleaseStorage(options, 'app').list(signal)).at(-1)?.version, 4);
    assert.deepEqual(told, ['sh.helm.release.v1.app.v9']);
    const writer = storage();
    await writer.list(signal);
    await writer.create(release(9), signal);
    assert.equal((await storage().list(signal)).at(-1)?.version, 9);
  });

  it('a failure keeps Helm’s words', async () => {
    server.fail(writes('PUT'), { kind: 'status', code: 403, reason: 'Forbidden', message: 'no' });
    await assert.rejects(storage().update(release(4), signal), { code: 'ReleaseStorageFailed', message: 'update: failed to update: no' });
  });
});
