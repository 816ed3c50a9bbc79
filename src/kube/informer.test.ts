import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { KubeObject } from '../manifest/index.ts';
import { createKubeClient } from './connect.ts';
import { FakeApiServer, type SeenRequest } from './testing/fake-api-server.ts';
import { fastClock } from './testing/fast-clock.ts';
import type { Informer, KubeClient } from './kube-client.ts';

const kind = { apiVersion: 'v1', kind: 'ConfigMap' };
const isWatch = ({ query }: SeenRequest): boolean => query.get('watch') === 'true';
const isList = ({ path, query }: SeenRequest): boolean => path.endsWith('/configmaps') && query.get('watch') !== 'true';

describe('informer', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  let errors: string[];

  beforeEach(async () => {
    errors = [];
    server = new FakeApiServer();
    const config = { server: await server.start(), namespace: 'default', tls: {}, credential: { kind: 'none' } } as const;
    client = createKubeClient(config, { clock: fastClock(40), random: () => 0.5, onWatchError: (_, error) => errors.push(error.code) });
  });
  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  const put = (name: string, text: string, labels: Record<string, string> = {}): KubeObject =>
    server.put({ ...kind, metadata: { name, namespace: 'default', labels, managedFields: [{ manager: 'x' }] }, data: { value: text } });

  async function watching(informer: Informer): Promise<void> {
    await informer.waitSynced();
    await until(() => server.openWatches > 0);
  }

  it('lists, then follows additions, changes and deletions, telling handlers and indexes', async () => {
    put('a', '1', { app: 'x' });
    const informer = client.informer(kind, { indexes: { app: (object) => [object.metadata.labels?.['app'] ?? ''] } });
    const heard: string[] = [];
    informer.subscribe({
      added: (object) => heard.push(`+${object.metadata.name}`),
      updated: (object, old) => heard.push(`~${object.metadata.name} ${String(value(old))}>${String(value(object))}`),
      deleted: (object) => heard.push(`-${object.metadata.name}`),
    });
    await watching(informer);
    put('b', '1', { app: 'x' });
    put('a', '2', { app: 'y' });
    server.remove('ConfigMap', 'default', 'b');
    await until(() => heard.length === 4);
    assert.deepEqual(heard, ['+a', '+b', '~a 1>2', '-b']);
    assert.deepEqual(
      informer.byIndex('app', 'y').map(({ metadata }) => metadata.name),
      ['a'],
    );
    assert.deepEqual(informer.byIndex('app', 'x'), []);
    assert.equal(informer.get('default', 'a')?.metadata.managedFields, undefined);
    assert.equal(informer.get('default', 'a')?.kind, 'ConfigMap');
  });

  it('shares one watch among equal informers and ends it with the last', async () => {
    const [one, two] = [client.informer(kind), client.informer(kind)];
    const other = client.informer(kind, { labelSelector: 'app' });
    await Promise.all([watching(one), watching(two), watching(other)]);
    await until(() => server.openWatches === 2);
    one.release();
    one.release();
    other.release();
    await until(() => server.openWatches === 1);
    two.release();
    await until(() => server.openWatches === 0);
  });

  it('resumes after the server ends the watch or the connection drops, missing nothing', async () => {
    const informer = client.informer(kind);
    await watching(informer);
    for (const how of ['end', 'cut', 'end'] as const) {
      server.endWatches(how);
      put(`after-${how}-${server.seen.length}`, '1');
      const count = informer.list().length;
      await until(() => informer.list().length > count && server.openWatches > 0);
    }
    assert.equal(server.seen.filter(isList).length, 1, 'no second list');
  });

  it('lists again after 410, and tells what changed meanwhile', async () => {
    put('stays', '1');
    put('goes', '1');
    put('again', '1');
    const informer = client.informer(kind);
    await watching(informer);
    const heard: string[] = [];
    informer.subscribe({
      added: (object) => heard.push(`+${object.metadata.name}`),
      updated: (object) => heard.push(`~${object.metadata.name}`),
      deleted: (object) => heard.push(`-${object.metadata.name}`),
    });
    heard.length = 0;
    server.fail(isWatch, { kind: 'status', code: 500, reason: 'InternalError' });
    server.endWatches('cut');
    server.remove('ConfigMap', 'default', 'goes');
    server.remove('ConfigMap', 'default', 'again');
    put('again', '2');
    put('new', '1');
    server.compact();
    await until(() => informer.get('default', 'new') !== undefined);
    assert.deepEqual(heard.toSorted(), ['+again', '+new', '-again', '-goes']);
    assert.ok(errors.includes('Gone'));
  });

  it('survives malformed events, ERROR events, refusals and a server that answers garbage', async () => {
    const informer = client.informer(kind);
    await watching(informer);
    const watches = (): number => server.seen.filter(isWatch).length;
    server.sendRaw('{"type":"ADDED","object":{"metadata":\n');
    await until(() => errors.length === 1 && watches() === 2 && server.openWatches === 1);
    server.sendRaw(
      `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 500, reason: 'InternalError', message: 'etcd' } })}\n`,
    );
    await until(() => errors.length === 2 && watches() === 3 && server.openWatches === 1);
    server.fail(isWatch, { kind: 'status', code: 429, reason: 'TooManyRequests', retryAfter: 1 });
    server.fail(isWatch, { kind: 'garbage' });
    server.endWatches('cut');
    put('late', '1');
    await until(() => informer.get('default', 'late') !== undefined && errors.includes('TooManyRequests'));
    assert.deepEqual([...new Set(errors)].toSorted(), ['ConnectionFailed', 'InternalError', 'ResponseInvalid', 'TooManyRequests']);
    await until(() => informer.lastError === undefined);
  });

  it('replaces a watch that has gone silent', async () => {
    const config = { server: server.url, namespace: 'default', tls: {}, credential: { kind: 'none' } } as const;
    const hasty = createKubeClient(config, { clock: fastClock(400) });
    await watching(hasty.informer(kind));
    await until(() => server.seen.filter(isWatch).length >= 2);
    assert.equal(server.seen.filter(isList).length, 1);
    await hasty.close();
  });

  it('takes bookmarks as places to resume from', async () => {
    const informer = client.informer(kind);
    await watching(informer);
    const before = informer.resourceVersion;
    server.bookmark();
    await until(() => informer.resourceVersion !== before);
    server.compact();
    server.endWatches('cut');
    put('late', '1');
    await until(() => informer.get('default', 'late') !== undefined);
    assert.equal(server.seen.filter(isList).length, 1);
  });

  it('waits for a kind that is not served yet', async () => {
    const widget = { apiVersion: 'x.io/v1', kind: 'Widget' };
    const informer = client.informer(widget);
    await until(() => informer.lastError?.code === 'NoMatch');
    assert.equal(informer.synced, false);
    server.kinds.push({ group: 'x.io', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true });
    await informer.waitSynced();
  });

  it('keeps going when a handler throws', async () => {
    const caught: unknown[] = [];
    const config = { server: server.url, namespace: 'default', tls: {}, credential: { kind: 'none' } } as const;
    const careless = createKubeClient(config, { onHandlerError: (error) => caught.push(error) });
    const informer = careless.informer(kind);
    informer.subscribe({
      added: () => {
        throw new Error('bug');
      },
    });
    await informer.waitSynced();
    put('a', '1');
    put('b', '1');
    await until(() => informer.list().length === 2);
    assert.equal(caught.length, 2);
    await careless.close();
  });

  it('caches what a transform makes of an object', async () => {
    put('a', '1');
    const transform = ({ apiVersion, kind: name, metadata }: KubeObject) => ({
      apiVersion,
      kind: name,
      metadata: { name: metadata.name, namespace: 'default' },
      size: 1,
    });
    const informer = client.informer(kind, { transform });
    await informer.waitSynced();
    assert.deepEqual(Object.keys(informer.get('default', 'a') ?? {}), ['apiVersion', 'kind', 'metadata', 'size']);
  });
});

function value(object: KubeObject): unknown {
  return (object['data'] as Record<string, unknown>)['value'];
}

async function until(condition: () => boolean, timeout = 4000): Promise<void> {
  const end = Date.now() + timeout;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`timed out waiting for ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
