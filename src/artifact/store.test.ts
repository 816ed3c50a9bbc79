import assert from 'node:assert/strict';
import { appendFile, lstat, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Digest, digestOf, FakeClock, minutes, seconds } from '../std/index.ts';
import { archiveTree } from './archive-tree.ts';
import { ArtifactError, type ArtifactErrorCode } from './errors.ts';
import { type ArchiveRequest, type ArtifactStore, openArtifactStore } from './store.ts';
import { writeArchive } from './write-archive.ts';

const { signal } = new AbortController();
const publisher = { kind: 'ocirepository', namespace: 'apps', name: 'podinfo' };
const fails = (code: ArtifactErrorCode) => (error: unknown) => error instanceof ArtifactError && error.code === code;
const revisionOf = (text: string): Digest => digestOf(text);

describe('artifact store', () => {
  let root: string;
  let clock: FakeClock;
  let store: ArtifactStore;
  let opened: number;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'store-'));
    clock = new FakeClock(Date.now());
    store = await openArtifactStore({ root, clock, retention: { ttl: seconds(60), records: 2 } });
    opened = 0;
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const layer = async (files: Record<string, string>): Promise<Uint8Array> => writeArchive(archiveTree(files), 'kept');
  const request = (bytes: Uint8Array, revision: string, more: Partial<ArchiveRequest> = {}): ArchiveRequest => ({
    publisher,
    revision: revisionOf(revision),
    layer: digestOf(bytes),
    operation: 'extract',
    ignore: undefined,
    open: async function* () {
      opened++;
      yield bytes;
    },
    ...more,
  });

  it("publishes at Flux's path, with latest.tar.gz, private to the process (OB23)", async () => {
    const stored = await store.publish(request(await layer({ 'a.yaml': 'a: 1', 'pic.png': 'x', '.git/config': '' }), 'one'), signal);
    assert.equal(stored.path, `ocirepository/apps/podinfo/${revisionOf('one')}.tar.gz`);
    const bytes = await readFile(join(root, stored.path));
    assert.deepEqual([digestOf(bytes), bytes.length], [stored.digest, stored.size]);
    assert.equal(await readlink(join(root, 'ocirepository/apps/podinfo/latest.tar.gz')), `${revisionOf('one')}.tar.gz`);
    assert.equal((await stat(join(root, stored.path))).mode & 0o777, 0o600);
    assert.ok(await store.verify(stored));
    const tree = await store.tree(stored, signal);
    assert.deepEqual(
      tree.list('').map((entry) => entry.name),
      ['a.yaml'],
      'default patterns applied (OB22)',
    );
  });

  it('shares content with a reader only after it had the bytes itself, once', async () => {
    const bytes = await layer({ 'secret.yaml': 'a: 1' });
    const as = (reader: string, more: Partial<ArchiveRequest> = {}): ArchiveRequest =>
      request(bytes, 'one', { reader, publisher: { ...publisher, namespace: reader }, ...more });
    const refused = (): AsyncIterable<Uint8Array> => {
      throw new Error('denied');
    };
    const owner = await store.publish(as('owner'), signal);
    await assert.rejects(store.publish(as('stranger', { open: refused }), signal), /denied/, 'to know a digest is not to have access');
    await assert.rejects(stat(join(root, 'ocirepository/stranger/podinfo', `${revisionOf('one')}.tar.gz`)));
    assert.equal(opened, 1);
    const guests = await Promise.all(Array.from({ length: 10 }, () => store.publish(as('guest'), signal)));
    assert.equal(opened, 2, 'whoever has access reads once');
    assert.equal((await stat(join(root, guests[0]?.path ?? ''))).ino, (await stat(join(root, owner.path))).ino, 'and shares the file');
    await store.publish(as('guest', { open: refused }), signal);
    const [one, two] = await Promise.allSettled([
      store.publish(as('first', { ignore: 'x' }), signal),
      store.publish(as('second', { ignore: 'x', open: refused }), signal),
    ]);
    assert.deepEqual([one.status, two.status], ['fulfilled', 'rejected'], 'nor while another is reading');
  });

  it('does equal work once, whoever asks', async () => {
    const bytes = await layer({ 'a.yaml': 'a: 1' });
    const others = Array.from({ length: 20 }, (_, index) => request(bytes, 'one', { publisher: { ...publisher, name: `app-${index}` } }));
    const stored = await Promise.all(others.map((each) => store.publish(each, signal)));
    assert.equal(opened, 1);
    assert.equal(new Set(stored.map((each) => each.digest)).size, 1);
    assert.equal(
      new Set(await Promise.all(stored.map(async (each) => (await stat(join(root, each.path))).ino))).size,
      1,
      'one file, many names',
    );
    for (const each of others.toReversed()) await store.publish(each, signal);
    assert.equal(opened, 1, 'and again, when all is there');
    for (const each of others) {
      const names = await readdir(join(root, 'ocirepository/apps', each.publisher.name));
      assert.ok(!names.some((name) => name.endsWith('.tmp')), names.join(' '));
    }
    await store.publish(request(bytes, 'one', { ignore: 'x' }), signal);
    assert.equal(opened, 2, 'other patterns are other content');
    assert.ok((await Promise.all(stored.map((each) => store.verify(each)))).every(Boolean));
  });

  it('is not held up when the first to ask gives up', async () => {
    const bytes = await layer({ 'a.yaml': 'a: 1' });
    const abort = new AbortController();
    const pulling = Promise.withResolvers<void>();
    const first = store.publish(
      request(bytes, 'one', {
        open: async function* () {
          pulling.resolve();
          yield bytes.subarray(0, 10);
          await new Promise((resolve) => setTimeout(resolve, 20));
          abort.abort(new Error('superseded'));
          throw new Error('superseded');
        },
      }),
      abort.signal,
    );
    const refused = assert.rejects(first, /superseded/);
    await pulling.promise;
    const second = store.publish(request(bytes, 'one', { publisher: { ...publisher, name: 'other' } }), signal);
    await refused;
    assert.ok(await store.verify(await second));
    assert.deepEqual(
      (await readdir(join(root, 'ocirepository/apps/podinfo'))).filter((name) => name.endsWith('.tmp')),
      [],
      'nothing half-written stays',
    );
  });

  it('copies a layer verbatim (OB20)', async () => {
    const bytes = Buffer.from('kind: ConfigMap');
    const stored = await store.publish(request(bytes, 'copy', { operation: 'copy', ignore: '*' }), signal);
    assert.deepEqual(await readFile(join(root, stored.path)), bytes);
    assert.equal(stored.digest, digestOf(bytes));
    assert.ok(stored.path.endsWith('.tar.gz'));
    await assert.rejects(store.tree(stored, signal), fails('ArchiveInvalid'));
  });

  it('notices files that are missing, cut or changed (OB02)', async () => {
    const stored = await store.publish(request(await layer({ 'a.yaml': 'a: 1' }), 'one'), signal);
    await appendFile(join(root, stored.path), 'x');
    assert.equal(await store.verify(stored), false);
    const fresh = await openArtifactStore({ root, clock, retention: { ttl: seconds(60), records: 2 } });
    await assert.rejects(fresh.tree(stored, signal), fails('DigestMismatch'));
    await rm(join(root, stored.path));
    assert.equal(await store.verify(stored), false);
    await assert.rejects(fresh.tree(stored, signal), fails('ArtifactNotFound'));
    const again = await store.publish(request(await layer({ 'a.yaml': 'a: 1' }), 'one'), signal);
    assert.equal(again.digest, stored.digest, 'made again, equal');
    assert.ok(await fresh.verify(again));
    await symlink('/etc/passwd', join(root, 'ocirepository/apps/podinfo/x'));
    assert.equal(await store.verify({ path: 'ocirepository/apps/podinfo/x', digest: stored.digest }), false);
  });

  it('stays inside its folder', async () => {
    await writeFile(join(root, '..', `outside-${process.pid}`), 'x');
    for (const path of [`../outside-${process.pid}`, '/etc/passwd', 'a/../../x', '', 'a\0b', 'a\\b']) {
      assert.equal(await store.verify({ path, digest: digestOf('x') }), false);
      await assert.rejects(store.tree({ path, digest: digestOf(`other ${path}`) }, signal), fails('ArtifactNotFound'));
    }
    await rm(join(root, '..', `outside-${process.pid}`));
    for (const name of ['..', '.', 'a/b', '../x', 'A', '', 'a..b', 'x'.repeat(300)]) {
      await assert.rejects(
        store.publish(request(new Uint8Array(), 'one', { publisher: { ...publisher, name } }), signal),
        fails('PathRefused'),
      );
      await assert.rejects(store.remove({ ...publisher, namespace: name }), fails('PathRefused'));
    }
  });

  it('unpacks once per digest and keeps a bounded amount', async () => {
    const small = await openArtifactStore({ root, clock, retention: { ttl: seconds(60), records: 2 }, cacheBytes: 3_000 });
    const stored = await Promise.all(
      ['one', 'two', 'three'].map(async (text) =>
        store.publish(request(await layer({ 'a.yaml': text }), text, { publisher: { ...publisher, name: text } }), signal),
      ),
    );
    const [one] = stored;
    assert.ok(one !== undefined);
    const trees = await Promise.all([small.tree(one, signal), small.tree(one, signal)]);
    assert.equal(trees[0], trees[1]);
    for (const each of stored) await small.tree(each, signal);
    assert.notEqual(await small.tree(one, signal), trees[0], 'the least used went');
  });

  it('collects what is old, then what is too many, never what is current (OB25)', async () => {
    const paths: string[] = [];
    for (const [index, text] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      const { path } = await store.publish(request(await layer({ 'x.yaml': text }), text), signal);
      paths.push(path);
      const when = clock.now() / 1000 - (5 - index) * 10;
      await utimes(join(root, path), when, when);
    }
    const [a = '', b = '', c = '', d = '', e = ''] = paths;
    const old = clock.now() / 1000 - 100;
    await utimes(join(root, a), old, old);
    await utimes(join(root, c), old, old);
    assert.deepEqual(
      [...(await store.collect(publisher, c))].toSorted(),
      [a, b, d].toSorted(),
      'a is old; of b, d, e and the current c two may stay',
    );
    assert.ok((await lstat(join(root, c))).isFile());
    assert.ok((await lstat(join(root, e))).isFile());
    assert.deepEqual(await store.collect(publisher, c), []);
    clock.advance(minutes(5));
    assert.deepEqual(await store.collect(publisher, c), [e]);
    assert.deepEqual(await store.collect({ ...publisher, name: 'nobody' }, ''), []);
  });

  it('clears away what a killed process left, but not what is being written', async () => {
    const folder = join(root, 'ocirepository/apps/podinfo');
    const stored = await store.publish(request(await layer({ 'a.yaml': '' }), 'one'), signal);
    await writeFile(join(folder, '.leftover.tmp'), 'half');
    const old = clock.now() / 1000 - 100;
    await utimes(join(folder, '.leftover.tmp'), old, old);
    assert.deepEqual(await store.collect(publisher, stored.path), ['ocirepository/apps/podinfo/.leftover.tmp']);
  });

  it('removes everything of a publisher (OB27)', async () => {
    const stored = await store.publish(request(await layer({ 'a.yaml': '' }), 'one'), signal);
    await store.remove(publisher);
    await store.remove(publisher);
    assert.equal(await store.verify(stored), false);
    assert.deepEqual(await readdir(join(root, 'ocirepository/apps')), []);
  });

  it('says when the disk refuses', async () => {
    await writeFile(join(root, 'ocirepository'), 'a file where a folder should be');
    await assert.rejects(store.publish(request(await layer({ 'a.yaml': '' }), 'one'), signal), fails('StorageFailed'));
    await assert.rejects(
      openArtifactStore({ root: join(root, 'ocirepository', 'x'), clock, retention: { ttl: seconds(60), records: 2 } }),
      fails('StorageFailed'),
    );
  });

  it('bounds a layer (OB28)', async () => {
    const small = await openArtifactStore({ root, clock, retention: { ttl: seconds(60), records: 2 }, limits: { compressedBytes: 100 } });
    for (const operation of ['extract', 'copy'] as const) {
      await assert.rejects(
        small.publish(request(Buffer.alloc(200), operation, { operation }), signal),
        (error) => error instanceof Error && 'code' in error && error.code === 'LimitExceeded',
      );
    }
  });
});
