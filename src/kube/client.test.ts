import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { createKubeClient } from './connect.ts';
import type { KubeClientOptions } from './connect.ts';
import { KubeError } from './errors.ts';
import { FakeApiServer, type SeenRequest } from './testing/fake-api-server.ts';
import { fastClock } from './testing/fast-clock.ts';
import type { KubeClient, RequestRecord } from './kube-client.ts';

const configMap = (name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
});
const at = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default', name });
const isGet = ({ method, path }: SeenRequest): boolean => method === 'GET' && path.includes('/configmaps/');
const isPatch = ({ method }: SeenRequest): boolean => method === 'PATCH';

describe('client', () => {
  const server = new FakeApiServer();
  const records: RequestRecord[] = [];
  let client: KubeClient;

  function connect(options: KubeClientOptions = {}): KubeClient {
    const config = { server: server.url, namespace: 'default', tls: {}, credential: { kind: 'token', token: 'secret' } } as const;
    return createKubeClient(config, { clock: fastClock(50), random: () => 0.5, onRequest: (record) => records.push(record), ...options });
  }

  before(async () => {
    await server.start();
    client = connect();
    await client.mapper.all();
  });
  beforeEach(() => {
    server.seen.length = 0;
    records.length = 0;
  });
  after(async () => {
    await client.close();
    await server.stop();
  });

  it('reads, writes and deletes with typed errors that name object and cause', async () => {
    const made = await client.create(configMap('crud', { a: '1' }));
    await assert.rejects(client.create(configMap('crud')), { code: 'AlreadyExists', subject: 'ConfigMap/default/crud' });
    const changed = await client.patch(at('crud'), { type: 'merge', body: { data: { a: '2' } } });
    assert.deepEqual(changed['data'], { a: '2' });
    await assert.rejects(client.update({ ...made, data: {} }), { code: 'Conflict', httpStatus: 409 });
    await assert.rejects(client.delete(at('crud'), { preconditions: { uid: 'other' } }), { code: 'Conflict' });
    assert.equal(await client.delete(at('crud')), undefined);
    await assert.rejects(client.get(at('crud')), { code: 'NotFound', message: 'get ConfigMap/default/crud: configmaps "crud" not found' });
    assert.equal(await client.find(at('crud')), undefined);
  });

  it('sends field manager, force, dry run and validation as query, and records what was sent', async () => {
    await client.apply(configMap('query'), { fieldManager: 'kc', force: true, dryRun: true, fieldValidation: 'Strict' });
    assert.equal(server.seen[0]?.query.toString(), 'fieldManager=kc&dryRun=All&fieldValidation=Strict&force=true');
    assert.equal(server.seen[0]?.headers['content-type'], 'application/apply-patch+yaml');
    assert.deepEqual(
      records.map(({ verb, resource, dryRun, status }) => ({ verb, resource, dryRun, status })),
      [{ verb: 'apply', resource: 'configmaps', dryRun: true, status: 200 }],
    );
  });

  it('reads lists page by page and gives every item its kind', async () => {
    for (let i = 0; i < 7; i++) server.put({ ...configMap(`page-${i}`), metadata: { name: `page-${i}`, namespace: 'paged' } });
    const list = await client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: 'paged', pageSize: 3 });
    assert.equal(list.items.length, 7);
    assert.ok(list.items.every(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'ConfigMap'));
    assert.equal(server.seen.length, 3);
    await assert.rejects(client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: 'paged', limit: 5 }), { code: 'LimitExceeded' });
  });

  it('starts a list again in one page when its continue token expires', async () => {
    server.fail(({ query }) => query.has('continue'), { kind: 'status', code: 410, reason: 'Expired' });
    const list = await client.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: 'paged', pageSize: 3 });
    assert.equal(list.items.length, 7);
  });

  it('sends again after 429 and 503, waiting as long as the server asked', async () => {
    server.put(configMap('busy'));
    server.fail(isGet, { kind: 'status', code: 429, reason: 'TooManyRequests', retryAfter: 2 });
    server.fail(isGet, { kind: 'status', code: 503, reason: 'ServiceUnavailable' });
    const started = Date.now();
    await client.get(at('busy'));
    assert.ok(Date.now() - started >= 40, 'two seconds at fifty times the speed');
    assert.equal(records[0]?.retries, 2);
    server.fail(isPatch, { kind: 'status', code: 429, reason: 'TooManyRequests', retryAfter: 600 });
    const error: unknown = await client.patch(at('busy'), { type: 'merge', body: {} }).catch((caught: unknown) => caught);
    assert.ok(error instanceof KubeError);
    assert.equal(error.code, 'TooManyRequests');
    assert.equal(error.retryAfter, 600_000);
  });

  it('sends a lost read or apply again, never a lost create', async () => {
    server.fail(isGet, { kind: 'drop' });
    await client.get(at('busy'));
    server.fail(isPatch, { kind: 'drop' });
    await client.apply(configMap('busy', { x: 'y' }), { fieldManager: 'kc' });
    server.fail(({ method }) => method === 'POST', { kind: 'drop' });
    await assert.rejects(client.create(configMap('lost')), { code: 'ConnectionFailed' });
    assert.equal(server.seen.filter(({ method }) => method === 'POST').length, 1);
  });

  it('gives up on a server that does not answer, and on a caller that aborts', async () => {
    server.fail(isGet, { kind: 'hang' }, 2);
    await assert.rejects(client.get(at('busy'), { timeout: 2000 }), { code: 'Timeout', message: /no answer within 2 s/ });
    const controller = new AbortController();
    const pending = client.get(at('busy'), { signal: controller.signal });
    setTimeout(() => controller.abort(), 10);
    await assert.rejects(pending, { code: 'Aborted' });
  });

  it('says what came instead of JSON, and bounds what it reads', async () => {
    server.fail(isGet, { kind: 'garbage' });
    await assert.rejects(client.get(at('busy')), { code: 'ResponseInvalid', message: /<html>/ });
    server.fail(isPatch, { kind: 'status', code: 502, reason: '', message: '<html>bad gateway</html>', plain: true });
    await assert.rejects(client.patch(at('busy'), { type: 'json', operations: [] }), {
      code: 'Unavailable',
      message: 'patch ConfigMap/default/busy: <html>bad gateway</html>',
    });
    server.put(configMap('large', { x: 'y'.repeat(10_000) }));
    const small = connect({ responseLimit: 8000 });
    await assert.rejects(small.get(at('large')), { code: 'LimitExceeded' });
    await small.close();
  });

  it('names causes of an invalid object', () => {
    const error = new KubeError({
      code: 'Invalid',
      message: 'x',
      causes: [{ reason: 'FieldValueInvalid', field: 'spec.replicas', message: 'must not be negative' }],
    });
    assert.equal(error.retryable, false);
    assert.equal(error.causes[0]?.field, 'spec.replicas');
  });

  it('acts as another identity with repeated headers on the same connections', async () => {
    const other = client.impersonate({ user: 'system:serviceaccount:a:b', groups: ['g1', 'g2'], extra: { 'Example.com/Scope': ['s'] } });
    await other.find(at('busy'));
    const { rawHeaders = [] } = server.seen[0] ?? {};
    const values = (name: string): string[] =>
      rawHeaders.flatMap((header, index) => (header.toLowerCase() === name && index % 2 === 0 ? [rawHeaders[index + 1] ?? ''] : []));
    assert.deepEqual(values('impersonate-user'), ['system:serviceaccount:a:b']);
    assert.deepEqual(values('impersonate-group'), ['g1', 'g2']);
    assert.deepEqual(values('impersonate-extra-example.com%2fscope'), ['s']);
    assert.equal(server.seen.length, 1, 'discovery is shared');
  });

  it('KB54 refuses a namespaced object without a namespace before sending it', async () => {
    await assert.rejects(client.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'x' }), {
      code: 'NotFound',
      message: /namespace not specified/,
    });
    assert.equal(server.seen.length, 0);
  });
});

describe('discovery', () => {
  for (const legacyDiscovery of [false, true]) {
    it(`finds kinds ${legacyDiscovery ? 'group by group' : 'in two requests'}, notices new ones on a miss, and learns from a definition`, async () => {
      const server = new FakeApiServer();
      server.legacyDiscovery = legacyDiscovery;
      const config = { server: await server.start(), namespace: 'default', tls: {}, credential: { kind: 'none' } } as const;
      const client = createKubeClient(config, { clock: fastClock(1000) });
      const { mapper } = client;
      assert.deepEqual((await mapper.resource({ apiVersion: 'apps/v1', kind: 'Deployment' })).name, 'deployments');
      assert.equal((await mapper.preferred('apps', 'Deployment')).version, 'v1');
      await assert.rejects(mapper.resource({ apiVersion: 'x.io/v1', kind: 'Widget' }), {
        code: 'NoMatch',
        message: /no matches for kind "Widget" in version "x.io\/v1"/,
      });
      server.kinds.push({ group: 'x.io', version: 'v1', kind: 'Widget', plural: 'widgets', namespaced: true });
      await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal((await mapper.resource({ apiVersion: 'x.io/v1', kind: 'Widget' })).namespaced, true);
      server.seen.length = 0;
      const names = { kind: 'Gear', plural: 'gears' };
      mapper.learn({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'gears.x.io' },
        spec: { group: 'x.io', names, scope: 'Cluster', versions: [{ name: 'v1', served: true }] },
      });
      assert.equal((await mapper.resource({ apiVersion: 'x.io/v1', kind: 'Gear' })).name, 'gears');
      assert.equal(server.seen.length, 0);
      await client.close();
      await server.stop();
    });
  }
});
