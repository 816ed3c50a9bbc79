import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { readArchive } from './read-archive.ts';

/** Publishes one revision after another, as fast as it can, until it is killed. */
const WRITER = `
  const { openArtifactStore, writeArchive, archiveTree } = await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)});
  const { digestOf, systemClock } = await import(${JSON.stringify(new URL('../std/index.ts', import.meta.url).href)});
  const store = await openArtifactStore({ root: process.argv[1], clock: systemClock, retention: { ttl: 1000, records: 3 } });
  const publisher = { kind: 'ocirepository', namespace: 'a', name: 'b' };
  for (let i = 0; ; i++) {
    const layer = await writeArchive(archiveTree({ 'x.yaml': String(i).repeat(20_000) }), 'kept');
    const operation = i % 3 === 0 ? 'copy' : 'extract';
    const stored = await store.publish({ publisher, revision: digestOf(String(i)), layer: digestOf(layer), operation, ignore: undefined, open: async function* () { yield layer; } }, AbortSignal.timeout(10_000));
    await store.collect(publisher, stored.path);
    if (i === 0) console.log('writing');
  }
`;

it('a process killed while publishing leaves the old artifact or the new one (OB23)', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'store-crash-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const folder = join(root, 'ocirepository', 'a', 'b');
  for (let round = 0; round < 3; round++) {
    await killedAfter(root, 10 + round * 17);
    const latest = await readlink(join(folder, 'latest.tar.gz'));
    const names = (await readdir(folder)).filter((name) => !name.endsWith('.tmp') && name !== 'latest.tar.gz');
    assert.ok(names.includes(latest), 'latest.tar.gz leads to an artifact');
    for (const name of names) {
      const tree = await readArchive(await readFile(join(folder, name)), { subject: name, links: 'reject' });
      assert.ok((tree.read('x.yaml')?.length ?? 0) >= 20_000, `${name} is whole`);
    }
  }
});

function killedAfter(root: string, milliseconds: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', WRITER, root], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.on('error', reject);
    child.on('exit', () => resolve());
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), milliseconds));
  });
}
