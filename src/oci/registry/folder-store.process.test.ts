import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { digestOf, isDigest, parseDigest } from '../../std/index.ts';
import { parseManifest } from '../manifest.ts';
import { RegistryContent } from './content.ts';
import { folderStore } from './folder-store.ts';

const DOOR = new URL('../index.ts', import.meta.url).href;
/** Pushes artifact after artifact to one tag, as fast as it can, until it is killed. */
const WRITER = `
  const { folderStore, registryHandler, createRegistryClient, pushArtifact, startRegistry } = await import(${JSON.stringify(DOOR)});
  const { systemClock } = await import(${JSON.stringify(new URL('../../std/index.ts', import.meta.url).href)});
  const registry = await startRegistry({ store: await folderStore(process.argv[1]), clock: systemClock });
  const client = createRegistryClient({ clock: systemClock, random: Math.random, rate: { perSecond: 1e6, burst: 1e6 } });
  for (let i = 0; ; i++) {
    await pushArtifact(client, { registry: registry.host, path: 'a/b', tag: 'latest' }, { layer: Buffer.alloc(50_000, String(i)), annotations: { i: String(i) } }, AbortSignal.timeout(10_000));
    if (i === 0) console.log('writing');
  }
`;

it('a registry killed while writing holds only whole artifacts', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'registry-crash-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (let round = 0; round < 3; round++) {
    await killedAfter(folder, 15 + round * 23);
    const content = new RegistryContent(await folderStore(folder));
    const tagged = await content.manifest('a/b', 'latest');
    assert.ok(tagged !== undefined, 'the tag leads to a manifest');
    assert.equal(digestOf(tagged.bytes), tagged.digest);
    const manifest = parseManifest(tagged.bytes, tagged.mediaType, 'latest');
    assert.ok(manifest.kind === 'image');
    for (const blob of [manifest.config, ...manifest.layers]) {
      assert.equal(await content.blobSize('a/b', blob.digest), blob.size);
      const chunks: Uint8Array[] = [];
      for await (const chunk of content.readBlob(blob.digest, 0, blob.size)) chunks.push(chunk);
      assert.equal(digestOf(Buffer.concat(chunks)), blob.digest);
    }
    for (const hex of await content.store.list('blobs/sha256')) {
      assert.ok(isDigest(`sha256:${hex}`), `${hex} is a whole blob's name`);
      assert.equal(digestOf((await content.store.get(`blobs/sha256/${hex}`)) ?? ''), parseDigest(`sha256:${hex}`));
    }
  }
});

function killedAfter(folder: string, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.on('error', reject);
    child.on('exit', () => resolve());
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), milliseconds));
  });
}
