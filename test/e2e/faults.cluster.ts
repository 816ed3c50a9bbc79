// A registry that misbehaves in every way: each a clear condition, nothing stored, and health again as soon as it behaves.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { globSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  apply,
  condition,
  type Controller,
  installCrds,
  kubectl,
  pushFiles,
  type Registry,
  startController,
  startDockerRegistry,
  waitCondition,
} from './harness.ts';

type Fault = (incoming: IncomingMessage, answer: ServerResponse) => boolean;

/** Size of the layer under test, in bytes. */
let layerSize = 0;

/** A proxy in front of the real registry that spoils answers while `fault` says so. */
class FaultProxy {
  readonly #server: Server;
  readonly #upstream: string;
  fault: Fault = () => false;
  /** Times of requests that reached it, in ms. */
  readonly seen: number[] = [];

  constructor(upstream: string) {
    this.#upstream = upstream;
    this.#server = createServer((incoming, answer) => {
      this.seen.push(Date.now());
      if (!this.fault(incoming, answer)) this.#forward(incoming, answer);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #forward(incoming: IncomingMessage, answer: ServerResponse): void {
    const [host = '', port = ''] = this.#upstream.split(':');
    const upstream = request({ host, port, path: incoming.url, method: incoming.method, headers: incoming.headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    upstream.on('error', () => answer.destroy());
    incoming.pipe(upstream);
  }
}

const isBlob = (incoming: IncomingMessage): boolean => incoming.url?.includes('/blobs/') === true && incoming.method === 'GET';
const failWith =
  (status: number, code: string, headers: Record<string, string> = {}): Fault =>
  (_incoming, answer) => {
    answer.writeHead(status, { 'content-type': 'application/json', ...headers });
    answer.end(JSON.stringify({ errors: [{ code, message: `${code} says the registry` }] }));
    return true;
  };
const spoilBlob =
  (spoil: (answer: ServerResponse) => void): Fault =>
  (incoming, answer) => {
    if (!isBlob(incoming)) return false;
    spoil(answer);
    return true;
  };

/** Pushes content nobody has pulled yet, so that a pull must reach the registry; notes the size of its layer. */
async function pushFresh(host: string, repository: string): Promise<void> {
  const noise = randomBytes(3000).toString('base64');
  pushFiles(`${host}/${repository}:latest`, {
    'a.yaml': JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'faults' }, data: { noise } }),
  });
  const answer = await fetch(`http://${host}/v2/${repository}/manifests/latest`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  layerSize = ((await answer.json()) as { layers: { size: number }[] }).layers[0]?.size ?? 0;
}

describe('a registry that misbehaves', { timeout: 600_000 }, () => {
  let registry: Registry;
  let controller: Controller;
  let proxy: FaultProxy;
  let host: string;

  before(async () => {
    installCrds();
    registry = await startDockerRegistry();
    proxy = new FaultProxy(registry.host);
    host = await proxy.listen();
    controller = await startController(['--max-retry-delay', '2s']);
  });
  after(async () => {
    await controller.stop();
    await proxy.close();
    await registry.stop();
  });

  const cases: readonly [name: string, fault: Fault, message: RegExp][] = [
    ['401', failWith(401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="x"' }), /401|unauthorized|authentication/i],
    ['404', failWith(404, 'MANIFEST_UNKNOWN'), /not found|404|MANIFEST_UNKNOWN/i],
    ['429', failWith(429, 'TOOMANYREQUESTS', { 'retry-after': '1' }), /429|too many requests|TOOMANYREQUESTS/i],
    ['500', failWith(500, 'UNKNOWN'), /500|internal server error/i],
    [
      'truncated blob',
      spoilBlob((answer) => {
        answer.writeHead(200, { 'content-length': String(layerSize) });
        answer.write('x'.repeat(100));
        setTimeout(() => answer.destroy(), 50);
      }),
      /truncated|ended|closed|terminated|other side/i,
    ],
    [
      'wrong digest',
      spoilBlob((answer) => {
        answer.writeHead(200);
        answer.end('x'.repeat(layerSize));
      }),
      /digest|size/i,
    ],
    [
      'slow body',
      spoilBlob((answer) => {
        answer.writeHead(200);
        const timer = setInterval(() => answer.write('x'), 400);
        answer.on('close', () => clearInterval(timer));
      }),
      /timeout|timed out|deadline|size|within/i,
    ],
    [
      'endless body',
      spoilBlob((answer) => {
        answer.writeHead(200);
        const pump = (): void => {
          while (!answer.destroyed && answer.write(Buffer.alloc(65_536)));
          if (!answer.destroyed) answer.once('drain', pump);
        };
        pump();
      }),
      /size|more than|exceed/i,
    ],
  ];

  for (const [name, fault, message] of cases) {
    const object = `fault-${name.replaceAll(' ', '-')}`;
    test(`${name}: FetchFailed says why, nothing is stored, and it recovers`, async () => {
      await pushFresh(registry.host, `faults/${object}`);
      proxy.fault = fault;
      apply(
        `{apiVersion: source.toolkit.fluxcd.io/v1, kind: OCIRepository, metadata: {name: "${object}", namespace: flux-system}, spec: {interval: 10m, timeout: 3s, url: "oci://${host}/faults/${object}", ref: {tag: latest}}}`,
      );
      const failed = await waitCondition(
        'ocirepository',
        object,
        'flux-system',
        'Ready',
        'False',
        60_000,
        (it) => condition(it, 'FetchFailed') !== undefined,
      );
      assert.match(condition(failed, 'FetchFailed')?.message ?? '', message);
      assert.equal(failed.status.artifact, undefined);
      assert.deepEqual(globSync(join(controller.storage, 'ocirepository', 'flux-system', object, '**', '*.tar.gz')), [], 'nothing stored');
      proxy.fault = () => false;
      await waitCondition('ocirepository', object, 'flux-system', 'Ready', 'True', 60_000);
      kubectl(['delete', 'ocirepository', object, '-n', 'flux-system', '--timeout=30s']);
    });
  }

  test('the last good artifact keeps serving while the registry is down', async () => {
    await pushFresh(registry.host, 'faults/app');
    const spec = (interval: string): string =>
      `{apiVersion: source.toolkit.fluxcd.io/v1, kind: OCIRepository, metadata: {name: down, namespace: flux-system}, spec: {interval: ${interval}, timeout: 3s, url: "oci://${host}/faults/app", ref: {tag: latest}}}`;
    apply(spec('10m'));
    const good = await waitCondition('ocirepository', 'down', 'flux-system', 'Ready', 'True');
    proxy.fault = failWith(503, 'UNAVAILABLE');
    kubectl(['annotate', '--overwrite', 'ocirepository', 'down', '-n', 'flux-system', `reconcile.fluxcd.io/requestedAt=${Date.now()}`]);
    const failed = await waitCondition('ocirepository', 'down', 'flux-system', 'Ready', 'False');
    assert.deepEqual(failed.status.artifact, good.status.artifact);
    proxy.fault = () => false;
    await waitCondition('ocirepository', 'down', 'flux-system', 'Ready', 'True');
    kubectl(['delete', 'ocirepository', 'down', '-n', 'flux-system', '--timeout=30s']);
  });
});
