import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { digestOf, systemClock } from '../std/index.ts';
import { createRegistryClient } from './client.ts';
import type { RegistryClient } from './client-types.ts';
import { isRegistryError } from './errors.ts';
import { pushArtifact } from './flux-artifact.ts';
import { layoutTag, pullLayout, pushLayout, readLayout, readLayoutManifest } from './layout.ts';
import { type RunningRegistry, startRegistry } from './registry/server.ts';
import { memoryStore } from './registry/store.ts';
import { corpusLayouts, REPOSITORIES } from './testing/corpus.ts';

const signal = (): AbortSignal => AbortSignal.timeout(20_000);

describe('image layouts', () => {
  let registry: RunningRegistry;
  let client: RegistryClient & { close(): Promise<void> };
  let folder: string;
  before(async () => {
    registry = await startRegistry({ store: memoryStore(), clock: systemClock });
    client = createRegistryClient({ clock: systemClock, random: Math.random });
    folder = await mkdtemp(join(tmpdir(), 'layout-'));
  });
  after(async () => {
    await client.close();
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('are written by a pull and read by a push, digests kept', async () => {
    const source = { registry: registry.host, path: 'layout/source' };
    const first = await pushArtifact(client, { ...source, tag: 'v1' }, { layer: Buffer.from('one') }, signal());
    const second = await pushArtifact(client, { ...source, tag: 'v2' }, { layer: Buffer.from('two') }, signal());
    const directory = join(folder, 'copy');
    for (const tag of ['v1', 'v2', 'v1']) await pullLayout(client, { ...source, tag }, directory, signal());
    const layout = await readLayout(directory);
    assert.deepEqual(
      layout.index.manifests.map((entry) => [layoutTag(entry), entry.digest]).toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      [
        ['v1', first.digest],
        ['v2', second.digest],
      ],
    );
    const target = { registry: registry.host, path: 'layout/target' };
    assert.deepEqual(
      await pushLayout(layout, client, target, signal()),
      new Map([
        ['v2', second.digest],
        ['v1', first.digest],
      ]),
    );
    assert.equal((await client.resolve({ ...target, tag: 'v1' }, signal())).digest, first.digest);
  });

  it('are refused when broken', async () => {
    await assert.rejects(readLayout(join(folder, 'nothing')), (error) => isRegistryError(error, 'NotFound'));
    const directory = join(folder, 'broken');
    const source = { registry: registry.host, path: 'layout/broken' };
    const pushed = await pushArtifact(client, { ...source, tag: 'v1' }, { layer: Buffer.from('x') }, signal());
    await pullLayout(client, { ...source, tag: 'v1' }, directory, signal());
    const path = join(directory, 'blobs', 'sha256', pushed.digest.slice('sha256:'.length));
    await writeFile(path, `${await readFile(path, 'utf8')} `);
    const layout = await readLayout(directory);
    await assert.rejects(readLayoutManifest(layout, pushed), (error) => isRegistryError(error, 'DigestMismatch'));
    await rm(path);
    await assert.rejects(
      pushLayout(layout, client, source, signal()),
      (error) => isRegistryError(error, 'ManifestInvalid') && error.message.includes('missing'),
    );
    await writeFile(join(directory, 'index.json'), '{"schemaVersion":2,"manifests":"x"}');
    await assert.rejects(readLayout(directory), (error) => isRegistryError(error, 'ManifestInvalid'));
    await writeFile(join(directory, 'oci-layout'), '{}');
    await assert.rejects(readLayout(directory), (error) => isRegistryError(error, 'ManifestInvalid'));
  });

  const layouts = corpusLayouts();
  it('of real tools survive a registry', { skip: layouts === undefined ? 'the corpus is absent' : false }, async () => {
    for (const path of REPOSITORIES) {
      const layout = await readLayout(join(layouts ?? '', path));
      const repository = { registry: registry.host, path };
      const tags = await pushLayout(layout, client, repository, signal());
      assert.ok(tags.size > 0);
      for (const [tag, digest] of tags) assert.equal((await client.resolve({ ...repository, tag }, signal())).digest, digest);
      const back = join(folder, 'back', path);
      for (const tag of tags.keys()) await pullLayout(client, { ...repository, tag }, back, signal(), true);
      for (const entry of layout.index.manifests) {
        const hex = entry.digest.slice('sha256:'.length);
        if (!existsSync(join(back, 'blobs', 'sha256', hex))) assert.fail(`${path}: ${entry.digest} did not come back`);
        assert.equal(digestOf(await readFile(join(back, 'blobs', 'sha256', hex))), entry.digest);
      }
    }
  });
});
