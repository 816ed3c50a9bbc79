import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { archiveTree, ArchiveTreeBuilder, walkArchive, type ArchiveTree } from './archive-tree.ts';
import { defaultArchiveLimits } from './limits.ts';
import { LayerMerge, type LayerContent } from './merge-layers.ts';
import { isArchive, readArchive } from './read-archive.ts';
import { compress, writeTar } from './write-archive.ts';

const archive = (files: Record<string, string>, whiteouts = false): LayerContent => ({
  kind: 'archive',
  tree: archiveTree(files),
  whiteouts,
});
const file = (path: string, text: string): LayerContent => ({ kind: 'file', path, bytes: Buffer.from(text) });
const merge = (...layers: LayerContent[]): ArchiveTree => {
  const merged = new LayerMerge(defaultArchiveLimits);
  for (const layer of layers) merged.add(layer);
  return merged.build();
};
const content = (tree: ArchiveTree): Record<string, string> =>
  Object.fromEntries(
    [...walkArchive(tree)].filter(({ kind }) => kind === 'file').map(({ path }) => [path, Buffer.from(tree.read(path) ?? []).toString()]),
  );

describe('merged layers', () => {
  const cases: { name: string; layers: LayerContent[]; want: Record<string, string> }[] = [
    {
      name: 'the last one decides',
      layers: [archive({ a: '1', 'd/b': '1' }), archive({ 'd/b': '2', c: '2' })],
      want: { a: '1', 'd/b': '2', c: '2' },
    },
    {
      name: 'files of oras go under their titles',
      layers: [file('app.yaml', 'x'), file('./sub/b.yaml', 'y')],
      want: { 'app.yaml': 'x', 'sub/b.yaml': 'y' },
    },
    { name: 'a file takes the place of a folder', layers: [archive({ 'd/a': '1', 'd/b': '1' }), archive({ d: '2' })], want: { d: '2' } },
    { name: 'a folder takes the place of a file', layers: [archive({ d: '1' }), archive({ 'd/a': '2' })], want: { 'd/a': '2' } },
    {
      name: 'whiteouts of images delete',
      layers: [archive({ a: '1', 'd/b': '1' }), archive({ '.wh.a': '', 'd/.wh.b': '' }, true)],
      want: {},
    },
    {
      name: 'an opaque folder hides all below, not what comes with it',
      layers: [archive({ 'd/a': '1', 'd/e/f': '1' }), archive({ 'd/new': '2', 'd/.wh..wh..opq': '' }, true)],
      want: { 'd/new': '2' },
    },
    { name: 'elsewhere such a name is a name', layers: [archive({ a: '1' }), archive({ '.wh.a': '' })], want: { a: '1', '.wh.a': '' } },
    { name: 'a whiteout of nothing', layers: [archive({ a: '1' }), archive({ 'x/y/.wh.z': '', 'q/.wh.b': '' }, true)], want: { a: '1' } },
  ];
  for (const { name, layers, want } of cases) test(name, () => assert.deepEqual(content(merge(...layers)), want));

  for (const title of ['../evil', '/etc/passwd', 'a\\b', '', '.', 'a/../../b', 'x'.repeat(5000), Array(200).fill('d').join('/')]) {
    test(`a title that is no path is refused: ${title.slice(0, 20)}`, () => {
      assert.throws(() => merge(file(title, 'x')), { code: 'PathRefused' });
    });
  }

  test('bounds hold for all layers together', () => {
    const merged = new LayerMerge({ ...defaultArchiveLimits, bytes: 10, entries: 5 });
    merged.add(file('a', '123456'));
    assert.throws(() => merged.add(file('a', '123456')), { code: 'LimitExceeded', message: /more than 10 bytes/ });
    const many = new LayerMerge({ ...defaultArchiveLimits, entries: 5 });
    assert.throws(() => many.add(archive(Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`f${i}`, ''])))), {
      message: /more than 5 entries/,
    });
  });

  test('a hundred thousand whiteouts cost no time', () => {
    const builder = new ArchiveTreeBuilder();
    for (let i = 0; i < 50_000; i++) builder.addFile(`.wh.f${i}`, new Uint8Array(), 0o644);
    const started = performance.now();
    merge(archive(Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`f${i}`, '']))), {
      kind: 'archive',
      tree: builder.build(),
      whiteouts: true,
    });
    assert.ok(performance.now() - started < 2000);
  });
});

describe('layers of images', () => {
  test('are unpacked whether gzip, zstd or plain tar', async () => {
    const tar = writeTar(archiveTree({ 'a.yaml': 'a: 1' }), 'kept');
    for (const bytes of [await compress(tar), zstdCompressSync(tar), tar]) {
      assert.ok(isArchive(bytes));
      assert.deepEqual(content(await readArchive(bytes, { subject: 'layer', links: 'skip', compression: 'any' })), { 'a.yaml': 'a: 1' });
    }
    assert.ok(!isArchive(Buffer.from('kind: ConfigMap')));
  });

  test('a zstd bomb is stopped', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(100 * 1024 * 1024));
    await assert.rejects(readArchive(bomb, { subject: 'layer', links: 'skip', compression: 'any' }), { code: 'LimitExceeded' });
    await assert.rejects(readArchive(bomb.subarray(0, 100), { subject: 'layer', links: 'skip', compression: 'any' }), {
      code: 'ArchiveInvalid',
      message: /broken zstd stream/,
    });
  });
});
