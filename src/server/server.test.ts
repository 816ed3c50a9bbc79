import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createMetrics } from '../runtime/index.ts';
import { artifactFiles, healthHandler, listen, metricsHandler, parseAddress, type Listening } from './index.ts';

let folder = '';
let server: Listening;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-server-'));
  mkdirSync(join(folder, 'root', 'ocirepository', 'ns', 'app'), { recursive: true });
  writeFileSync(join(folder, 'secret'), 'secret');
  const at = (name: string): string => join(folder, 'root', 'ocirepository', 'ns', 'app', name);
  writeFileSync(at('sha256:abc.tar.gz'), '0123456789');
  symlinkSync('sha256:abc.tar.gz', at('latest.tar.gz'));
  symlinkSync(join(folder, 'secret'), at('escape'));
  server = await listen('127.0.0.1:0', artifactFiles(join(folder, 'root')));
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

/** A request whose path is sent exactly as given. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
  return new Promise((resolve, reject) => {
    const call = request({ host: '127.0.0.1', port: server.port, path, agent: false, ...options }, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    call.on('error', reject).end();
  });
}

test('an artifact is served by its path and by latest', async () => {
  for (const name of ['sha256:abc.tar.gz', 'sha256%3Aabc.tar.gz', 'latest.tar.gz']) {
    const answer = await ask(`/ocirepository/ns/app/${name}`);
    assert.equal(answer.status, 200, name);
    assert.equal(answer.body, '0123456789');
    assert.equal(answer.headers['content-type'], 'application/gzip');
  }
});

test('HEAD, ranges and conditional requests', async () => {
  const path = '/ocirepository/ns/app/latest.tar.gz';
  const head = await ask(path, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '10', '']);
  const part = await ask(path, { headers: { range: 'bytes=2-4' } });
  assert.deepEqual([part.status, part.headers['content-range'], part.body], [206, 'bytes 2-4/10', '234']);
  assert.equal((await ask(path, { headers: { range: 'bytes=-3' } })).body, '789');
  assert.equal((await ask(path, { headers: { range: 'bytes=10-' } })).status, 416);
  assert.equal((await ask(path, { headers: { 'if-none-match': String(head.headers['etag']) } })).status, 304);
});

for (const path of [
  '/../secret',
  '/%2e%2e/secret',
  '/ocirepository/..%2f..%2fsecret',
  '/ocirepository/ns/app/escape',
  '/x%00',
  '/%',
  '/a\\b',
  `/${'a'.repeat(3000)}`,
  '/none',
]) {
  test(`what is not below the root is not there: ${path.slice(0, 40)}`, async () => {
    const answer = await ask(path);
    assert.equal(answer.status, 404);
    assert.doesNotMatch(answer.body, /secret/);
  });
}

test('it is read-only', async () => {
  assert.equal((await ask('/ocirepository/ns/app/latest.tar.gz', { method: 'DELETE' })).status, 405);
});

test('a folder is listed', async () => {
  assert.match((await ask('/ocirepository/ns/app/')).body, /sha256%3Aabc\.tar\.gz/);
});

test('probes and metrics', async () => {
  let ready = false;
  const health = await listen('127.0.0.1:0', healthHandler({ live: () => true, ready: () => ready }));
  const metrics = createMetrics({ processMetrics: false });
  metrics.reconciled({ controller: 'c', kind: 'Kustomization', namespace: 'ns', name: 'app' }, 0.1, 'success');
  const exposed = await listen('127.0.0.1:0', metricsHandler(metrics));
  const status = async (path: string): Promise<number> => (await fetch(`http://127.0.0.1:${health.port}${path}`)).status;
  assert.deepEqual([await status('/healthz'), await status('/readyz'), await status('/x')], [200, 503, 404]);
  ready = true;
  assert.equal(await status('/readyz'), 200);
  const text = await (await fetch(`http://127.0.0.1:${exposed.port}/metrics`)).text();
  assert.match(
    text,
    /gotk_reconcile_duration_seconds_count\{kind="Kustomization",name="app",namespace="ns"\} 1|gotk_reconcile_duration_seconds_count\{kind="Kustomization",namespace="ns",name="app"\} 1/,
  );
  await health.close();
  await exposed.close();
});

test('addresses', () => {
  assert.deepEqual(parseAddress(':9090'), { host: undefined, port: 9090 });
  assert.deepEqual(parseAddress('127.0.0.1:0'), { host: '127.0.0.1', port: 0 });
  assert.deepEqual(parseAddress('[::1]:80'), { host: '::1', port: 80 });
  assert.throws(() => parseAddress('9090'), { code: 'AddressInvalid' });
});
