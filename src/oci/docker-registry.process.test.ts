import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { systemClock } from '../std/index.ts';
import { createRegistryClient } from './client.ts';
import { pushLayout, readLayout } from './layout.ts';
import { corpusLayouts, REPOSITORIES } from './testing/corpus.ts';
import { registryContract } from './testing/registry-contract.ts';

const BINARY = '/usr/bin/docker-registry';

if (existsSync(BINARY)) {
  let registry: { host: string; process: ChildProcess; folder: string };
  before(async () => {
    registry = await startDockerRegistry();
  });
  after(async () => {
    registry.process.kill();
    await rm(registry.folder, { recursive: true, force: true });
  });
  registryContract('docker-registry', () => ({ host: registry.host, referrersApi: false, deletes: true }));

  const layouts = corpusLayouts();
  it('layouts of real tools survive docker-registry', { skip: layouts === undefined ? 'the corpus is absent' : false }, async () => {
    const client = createRegistryClient({ clock: systemClock, random: Math.random });
    const signal = AbortSignal.timeout(30_000);
    for (const path of REPOSITORIES) {
      const repository = { registry: registry.host, path };
      const tags = await pushLayout(await readLayout(join(layouts ?? '', path)), client, repository, signal);
      for (const [tag, digest] of tags) {
        assert.equal((await client.resolve({ ...repository, tag }, signal)).digest, digest);
        assert.equal((await client.fetchManifest({ ...repository, tag }, signal)).descriptor.digest, digest);
      }
    }
    await client.close();
  });

  // docker-registry keeps the state of an upload in its location: when the answer with the next one is lost, only starting over helps.
  it('an upload of which an answer is lost ends well', async (t) => {
    const { proxy, close, requests } = await forgetfulProxy(registry.host);
    const client = createRegistryClient({ clock: systemClock, random: () => 0, limits: { attempts: 1 } });
    t.after(async () => {
      await client.close();
      await close();
    });
    const repository = { registry: proxy, path: 'upload/resumed' };
    const bytes = randomBytes(400_000);
    const signal = AbortSignal.timeout(20_000);
    const descriptor = await client.pushBlob(repository, { mediaType: 'application/octet-stream', bytes }, signal, { chunkBytes: 70_000 });
    assert.deepEqual(Buffer.from(await client.readBlob(repository, descriptor, bytes.length, signal)), bytes);
    assert.equal(requests.filter((method) => method === 'POST').length, 2, requests.join());
  });
} else {
  it('client against docker-registry', { skip: `${BINARY} is not installed` }, () => undefined);
}

async function startDockerRegistry(): Promise<{ host: string; process: ChildProcess; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-registry-'));
  const port = await freePort();
  const config = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    'storage:',
    `  filesystem: {rootdirectory: ${folder}}`,
    '  delete: {enabled: true}',
    'http:',
    `  addr: 127.0.0.1:${port}`,
    '',
  ];
  await writeFile(join(folder, 'config.yml'), config.join('\n'));
  const child = spawn(BINARY, ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
    if (answer?.ok === true) return { host: `127.0.0.1:${port}`, process: child, folder };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill();
  throw new Error('docker-registry did not start');
}

/** A proxy that loses the answer to the second PATCH, after the registry has taken the piece. */
async function forgetfulProxy(host: string): Promise<{ proxy: string; requests: string[]; close(): Promise<void> }> {
  const requests: string[] = [];
  let patches = 0;
  const server = createHttpServer((incoming, outgoing) => {
    requests.push(incoming.method ?? '');
    const lose = incoming.method === 'PATCH' && ++patches === 2;
    const upstream = request(
      { host: host.split(':')[0], port: host.split(':')[1], method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        if (lose) {
          answer.resume();
          answer.on('end', () => incoming.socket.destroy());
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(upstream);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    proxy: `127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
