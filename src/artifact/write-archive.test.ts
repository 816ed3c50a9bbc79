import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { digestOf } from '../std/index.ts';
import { corpus } from '../../test/corpus.ts';
import { archiveTree, type ArchiveTree, ArchiveTreeBuilder } from './archive-tree.ts';
import { readArchive, readTar } from './read-archive.ts';
import { writeArchive, writeTar } from './write-archive.ts';

type Spec = [path: string, mode: number, size?: number][];

/** Entries without a size are folders; files hold zeros. */
function treeOf(spec: Spec): ArchiveTree {
  const builder = new ArchiveTreeBuilder();
  for (const [path, mode, size] of spec) {
    if (size === undefined) builder.addFolder(path, mode);
    else builder.addFile(path, new Uint8Array(size), mode);
  }
  return builder.build();
}

describe('writeTar', () => {
  // The digests are those of the same entries written by Go's archive/tar (times zero, no owner).
  const golden: [string, Spec, string][] = [
    [
      'plain names',
      [
        ['', 0o755],
        ['a', 0o750],
        ['a/x.yaml', 0o640, 700],
        ['b.yaml', 0o600, 0],
      ],
      'd8769face1ddd414edd002a71cbaf1e2b0eb2a0dee41434eafb54d5f1afac594',
    ],
    [
      'a long path, split for ustar',
      [
        ['', 0o755],
        ['d'.repeat(60), 0o755],
        [`${'d'.repeat(60)}/${'f'.repeat(90)}`, 0o644, 3],
      ],
      '613f9a16414fada0d5e5f31cb6c01df02e962f9678d6939db9704d64f5cf38f2',
    ],
    [
      'a long name, in a PAX record',
      [
        ['', 0o755],
        ['n'.repeat(120), 0o644, 3],
      ],
      '57aff336040378dd80216f5852d64f3b55bfce464ece8a213d978c7639c54bcc',
    ],
    [
      'a name beyond ASCII',
      [
        ['', 0o755],
        ['日本.yaml', 0o644, 513],
      ],
      '1188e859dde91415e126646d281c29f40c15257da37708b4c9794d49c9ade6ef',
    ],
  ];
  for (const [name, spec, hex] of golden) {
    it(`writes ${name} byte for byte as Go does (A05)`, () => assert.equal(digestOf(writeTar(treeOf(spec), 'kept')), `sha256:${hex}`));
  }

  it('forces modes for stored artifacts (OB21)', () => {
    const stored = readTar(
      writeTar(
        treeOf([
          ['', 0o777],
          ['bin', 0o777],
          ['bin/run', 0o711, 1],
          ['x.yaml', 0o666, 1],
        ]),
        'stored',
      ),
      { subject: 'x', links: 'reject' },
    );
    assert.deepEqual(
      ['', 'bin', 'bin/run', 'x.yaml'].map((path) => stored.mode(path)),
      [0o750, 0o750, 0o700, 0o600],
    );
  });

  it('walks in byte order, and comes back as it went in', () => {
    const tree = treeOf([
      ['b', 0o755],
      ['b.yaml', 0o644, 1],
      ['b/c', 0o644, 600],
      ['a\u{1F600}', 0o644, 2],
      ['a\uFFFD', 0o644, 3],
      ['empty', 0o700],
    ]);
    const bytes = writeTar(tree, 'kept');
    const back = readTar(bytes, { subject: 'x', links: 'reject' });
    assert.deepEqual(writeTar(back, 'kept'), bytes);
    assert.deepEqual(
      back.list('').map((entry) => entry.name),
      ['a\uFFFD', 'a\u{1F600}', 'b', 'b.yaml', 'empty'],
    );
  });

  it('compresses equal content to equal bytes, with no time and no system in them', async () => {
    const [one, two] = await Promise.all([
      writeArchive(archiveTree({ a: 'x' }), 'stored'),
      writeArchive(archiveTree({ a: 'x' }), 'stored'),
    ]);
    assert.deepEqual(one, two);
    assert.deepEqual([...one.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  });

  const artifacts = corpus('artifacts');
  it(
    'gives the tar `flux push artifact --reproducible` gives',
    { skip: artifacts === undefined ? 'the corpus is absent' : false },
    async () => {
      const folder = join(artifacts ?? '', 'reproducible-input');
      const builder = new ArchiveTreeBuilder();
      builder.addFolder('', 0o775);
      for (const name of await readdir(folder)) builder.addFile(name, await readFile(join(folder, name)), 0o664);
      const tree = builder.build();
      assert.equal(digestOf(writeTar(tree, 'kept')), 'sha256:ec18090e413bafb239b95fa1c45305150ba8ae9efcbeaae3aaf43e105a4bcb03');
      assert.equal(
        digestOf(gunzipSync(await writeArchive(tree, 'kept'))),
        'sha256:ec18090e413bafb239b95fa1c45305150ba8ae9efcbeaae3aaf43e105a4bcb03',
      );
      const layer = join(
        artifacts ?? '',
        'layouts',
        'misc',
        'reproducible',
        'blobs',
        'sha256',
        'f0a3018e1cba85010fa2a25a1ab14cfbcc7bd4f00ba1a7830a1cd80d89b108d1',
      );
      const pushed = await readArchive(await readFile(layer), { subject: 'layer', links: 'reject' });
      assert.deepEqual(writeTar(pushed, 'kept'), writeTar(tree, 'kept'));
    },
  );
});
