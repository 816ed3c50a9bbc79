import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
