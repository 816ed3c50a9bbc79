import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { archiveTree } from './archive-tree.ts';
import { ArtifactError, type ArtifactErrorCode } from './errors.ts';
import type { ArchiveLimits } from './limits.ts';
import { readArchive, readTar, type ReadArchiveOptions } from './read-archive.ts';
import { writeTar } from './write-archive.ts';

type RawEntry = {
  name: string;
  type?: string;
  content?: string | Uint8Array;
  size?: number;
  prefix?: string;
  link?: string;
  mode?: number;
  breakChecksum?: boolean;
};

/** Builds tar bytes entry by entry, well-formed or not. */
function raw(entries: readonly RawEntry[], end = true): Buffer {
  const blocks = entries.map((entry) => {
    const content = Buffer.from(entry.content ?? '');
    const block = Buffer.alloc(512);
    block.write(entry.name, 0, 100, 'utf8');
    block.write((entry.mode ?? 0o644).toString(8).padStart(7, '0'), 100);
    block.write('0000000', 108);
    block.write('0000000', 116);
    block.write((entry.size ?? content.length).toString(8).padStart(11, '0'), 124);
    block.write('00000000000', 136);
    block.write(entry.type ?? '0', 156);
    block.write(entry.link ?? '', 157, 100);
    block.write('ustar\u000000', 257, 'latin1');
    block.write(entry.prefix ?? '', 345, 155);
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0) + (entry.breakChecksum === true ? 1 : 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, 148, 'latin1');
    return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
  });
  return Buffer.concat([...blocks, Buffer.alloc(end ? 1024 : 0)]);
}

const pax = (records: Record<string, string>): RawEntry => ({
  name: 'PaxHeaders.0/x',
  type: 'x',
  content: Object.entries(records)
    .map(([key, value]) => {
      const rest = Buffer.byteLength(` ${key}=${value}\n`);
      const length = [1, 2, 3, 4].map((digits) => rest + digits).find((total) => String(total).length === total - rest);
      return `${length} ${key}=${value}\n`;
    })
    .join(''),
});

const options: ReadArchiveOptions = { subject: 'layer "sha256:x"', links: 'skip' };
const fails =
  (code: ArtifactErrorCode, pattern = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof ArtifactError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    assert.match(error.message, /^unpack layer "sha256:x": /);
    return true;
  };
const read = (entries: readonly RawEntry[], more: Partial<ReadArchiveOptions> = {}): ReturnType<typeof readTar> =>
  readTar(raw(entries), { ...options, ...more });

describe('reading archives', () => {
  it('reads files, folders, modes, long names of every kind', () => {
    const long = `${'d'.repeat(150)}/${'f'.repeat(120)}`;
    const tree = read([
      { name: './', type: '5', mode: 0o755 },
      { name: './a//b/', type: '5', mode: 0o700 },
      { name: './a/b/./run', content: 'x', mode: 0o755 },
      { name: 'name', prefix: 'prefix/of', content: 'ustar' },
      pax({ path: `${long}/é`, mtime: '1.5', comment: 'c' }),
      { name: 'cut', content: 'pax' },
      { name: '././@LongLink', type: 'L', content: `${long}/gnu\0` },
      { name: 'cut', content: 'gnu' },
      { name: 'old-folder/', type: '0' },
      { name: 'old', type: '\0', content: 'v7' },
      { name: 'whatever', type: 'g', content: '11 path=abc\n' },
    ]);
    const text = (path: string): string | undefined => tree.read(path)?.toString();
    assert.deepEqual(
      [text('a/b/run'), text('prefix/of/name'), text(`${long}/é`), text(`${long}/gnu`), text('old')],
      ['x', 'ustar', 'pax', 'gnu', 'v7'],
    );
    assert.deepEqual([tree.mode('a/b'), tree.mode('a/b/run')], [0o700, 0o755]);
    assert.deepEqual(tree.list('old-folder'), []);
    assert.equal(tree.list('').find((entry) => entry.name === 'old-folder')?.kind, 'directory');
    assert.deepEqual([tree.read('a'), tree.read('nope'), tree.read('../x'), tree.list('nope')], [undefined, undefined, undefined, []]);
  });

  it('reads an archive without entries, with padding, and without an end', async () => {
    assert.equal(readTar(new Uint8Array(), options).count, 0);
    assert.equal(readTar(Buffer.alloc(10_240), options).count, 0);
    assert.equal(readTar(raw([{ name: 'a', content: 'x' }], false), options).count, 1);
    assert.equal(
      (await readArchive(Buffer.concat([gzipSync(raw([{ name: 'a' }], false)), gzipSync(raw([{ name: 'b' }]))]), options)).count,
      2,
      'two gzip members',
    );
  });

  for (const name of ['/etc/passwd', '../x', 'a/../../x', '..', 'a/..', 'a\\b', 'C:\\x', '..\\x', 'a/../b']) {
    it(`refuses the name ${JSON.stringify(name)} (OB19)`, () => {
      assert.throws(() => read([{ name, content: 'x' }]), fails('PathRefused', /tar contained invalid name error/));
      assert.throws(() => read([pax({ path: name }), { name: 'harmless', content: 'x' }]), fails('PathRefused'));
      assert.throws(
        () =>
          read([
            { name: 'x', type: 'L', content: name },
            { name: 'harmless', content: 'x' },
          ]),
        fails('PathRefused'),
      );
      assert.throws(() => read([{ name, type: '5' }]), fails('PathRefused'));
      assert.throws(() => read([{ name, type: '2', link: 'x' }]), fails('PathRefused'), 'before it is skipped as a link');
    });
  }

  it('refuses a name with NUL hidden in a PAX record, and a file without a name', () => {
    assert.throws(() => read([pax({ path: 'a\0b' }), { name: 'x' }]), fails('PathRefused'));
    assert.throws(() => read([{ name: './', content: 'x' }].map((entry) => ({ ...entry, type: '7', name: '.' }))), fails('PathRefused'));
    assert.throws(() => read([{ name: '' }]), fails('PathRefused'));
  });

  it('skips links, or refuses them: the caller decides (OB19, KB07)', () => {
    const entries = [
      { name: 'link', type: '2', link: '/etc/passwd' },
      { name: 'hard', type: '1', link: 'a' },
      { name: 'a', content: 'x' },
    ];
    const tree = read(entries);
    assert.deepEqual(
      tree.list('').map((entry) => entry.name),
      ['a'],
    );
    assert.throws(
      () => read(entries, { links: 'reject' }),
      fails('LinkRefused', /"link" is a symlink, which is not allowed in this context/),
    );
    assert.throws(() => read(entries.slice(1), { links: 'reject' }), fails('LinkRefused', /hard link/));
    assert.equal(
      read([
        { name: 'd', type: '2', link: '/etc' },
        { name: 'd/passwd', content: 'mine' },
      ])
        .read('d/passwd')
        ?.toString(),
      'mine',
      'nothing goes through a link',
    );
  });

  for (const type of ['3', '4', '6', 'S', 'V', 'Z']) {
    it(`refuses entries of type ${type}`, () =>
      assert.throws(() => read([{ name: 'x', type }]), fails('EntryUnsupported', /unsupported file type/)));
  }

  it('refuses sparse files', () => {
    assert.throws(() => read([pax({ 'GNU.sparse.major': '1' }), { name: 'x' }]), fails('EntryUnsupported'));
  });

  it('refuses what two readers could read differently', () => {
    assert.throws(
      () =>
        read([
          { name: 'a', content: 'x' },
          { name: './a', content: 'y' },
        ]),
      fails('EntryAmbiguous', /twice with different content/),
    );
    assert.equal(
      read([
        { name: 'a', content: 'x' },
        { name: 'a', content: 'x' },
      ]).count,
      1,
    );
    assert.throws(
      () =>
        read([
          { name: 'a', content: 'x' },
          { name: 'a/b', content: 'y' },
        ]),
      fails('EntryAmbiguous', /is a file already/),
    );
    assert.throws(
      () =>
        read([
          { name: 'a/b', content: 'y' },
          { name: 'a', content: 'x' },
        ]),
      fails('EntryAmbiguous', /is a folder already/),
    );
    assert.throws(
      () =>
        read([
          { name: 'a', content: 'x' },
          { name: 'a', type: '5' },
        ]),
      fails('EntryAmbiguous'),
    );
    assert.throws(
      () => readTar(Buffer.concat([raw([{ name: 'a' }]), raw([{ name: 'b' }])]), options),
      fails('ArchiveInvalid', /data after the end/),
    );
  });

  it('tells names apart by case, or refuses to where the disk cannot', () => {
    const entries = [
      { name: 'Kustomization', content: 'x' },
      { name: 'kustomization', content: 'y' },
    ];
    assert.equal(read(entries).count, 2);
    assert.throws(() => read(entries, { caseCollisions: 'reject' }), fails('EntryAmbiguous', /differs only by case from "Kustomization"/));
    assert.throws(() => read([{ name: 'A/x' }, { name: 'a/y' }], { caseCollisions: 'reject' }), fails('EntryAmbiguous'));
    assert.throws(() => read([{ name: 'caf\u00e9' }, { name: 'cafe\u0301' }], { caseCollisions: 'reject' }), fails('EntryAmbiguous'));
    assert.equal(read([{ name: 'a/x' }, { name: 'a/y' }, { name: 'a', type: '5' }], { caseCollisions: 'reject' }).count, 3);
  });

  it('refuses broken archives', async () => {
    const whole = raw([{ name: 'a', content: 'x'.repeat(2000) }]);
    for (const cut of [100, 600, 1500, 2400])
      assert.throws(() => readTar(whole.subarray(0, cut), options), fails('ArchiveInvalid', /cut off/));
    assert.throws(() => read([{ name: 'a', breakChecksum: true }]), fails('ArchiveInvalid', /invalid tar header/));
    assert.throws(() => readTar(Buffer.alloc(2048, 'garbage '), options), fails('ArchiveInvalid'));
    assert.throws(() => read([{ name: 'a', size: 8 ** 11 - 1 }]), fails('ArchiveInvalid', /cut off/));
    assert.throws(
      () => read([{ name: 'x', type: 'x', content: 'abc path=x\n' }, { name: 'a' }]),
      fails('ArchiveInvalid', /extended header/),
    );
    assert.throws(() => read([{ name: 'x', type: 'x', content: '999 path=x\n' }, { name: 'a' }]), fails('ArchiveInvalid'));
    assert.throws(() => read([pax({ size: '-1' }), { name: 'a' }]), fails('ArchiveInvalid'));
    assert.throws(() => read([pax({ size: '99999999' }), { name: 'a' }]), fails('ArchiveInvalid', /cut off/));
    const zipped = gzipSync(whole);
    await assert.rejects(readArchive(new Uint8Array(), options), fails('ArchiveInvalid', /requires gzip-compressed body/));
    await assert.rejects(readArchive(whole, options), fails('ArchiveInvalid', /requires gzip-compressed body/));
    await assert.rejects(readArchive(zipped.subarray(0, zipped.length - 10), options), fails('ArchiveInvalid', /broken gzip/));
    await assert.rejects(readArchive(Buffer.concat([zipped, Buffer.from('garbage')]), options), fails('ArchiveInvalid'));
    const flipped = Buffer.from(zipped);
    flipped[zipped.length - 6] = (flipped[zipped.length - 6] ?? 0) ^ 1;
    await assert.rejects(readArchive(flipped, options), fails('ArchiveInvalid'));
  });

  it('holds every bound (OB28)', async () => {
    const limited =
      (limits: Partial<ArchiveLimits>, entries: readonly RawEntry[]): (() => unknown) =>
      () =>
        read(entries, { limits });
    const many = Array.from({ length: 11 }, (_, index) => ({ name: `f${index}` }));
    assert.throws(limited({ entries: 10 }, many), fails('LimitExceeded', /more than 10 entries/));
    assert.throws(limited({ depth: 3 }, [{ name: 'a/b/c/d' }]), fails('LimitExceeded', /3 folders/));
    assert.throws(limited({ pathBytes: 10 }, [{ name: 'a'.repeat(11) }]), fails('LimitExceeded', /bytes in a path/));
    assert.throws(limited({ bytes: 2000 }, [{ name: 'a', content: 'x'.repeat(1000) }]), fails('LimitExceeded', /2000 unpacked bytes/));
    assert.throws(
      limited({ headerBytes: 100 }, [pax({ comment: 'x'.repeat(200) }), { name: 'a' }]),
      fails('LimitExceeded', /extended header/),
    );
    const bomb = gzipSync(raw([{ name: 'zeros', content: Buffer.alloc(2_000_000) }]));
    await assert.rejects(readArchive(bomb, { ...options, limits: { bytes: 1_000_000 } }), fails('LimitExceeded', /1000000 unpacked bytes/));
    await assert.rejects(
      readArchive(bomb, { ...options, limits: { ratio: 10, ratioFloor: 100_000 } }),
      fails('LimitExceeded', /per compressed byte/),
    );
    await assert.rejects(
      readArchive(bomb, { ...options, limits: { compressedBytes: 100 } }),
      fails('LimitExceeded', /100 compressed bytes/),
    );
    assert.equal((await readArchive(bomb, options)).size, 2_000_000);
  });

  it('does not fall for names that mean something to JavaScript', () => {
    const tree = read([
      { name: '__proto__', content: 'x' },
      { name: 'constructor/toString', content: 'y' },
    ]);
    assert.equal(tree.read('__proto__')?.toString(), 'x');
    assert.equal(tree.read('toString'), undefined);
    assert.deepEqual(
      tree.list('constructor').map((entry) => entry.name),
      ['toString'],
    );
  });

  it('reads what it wrote, and what a reader of streams would find in it', () => {
    const tree = archiveTree({ 'a/b.yaml': 'x', 'c.yaml': 'y' });
    const back = readTar(writeTar(tree, 'kept'), { ...options, links: 'reject' });
    assert.equal(back.read('a/b.yaml')?.toString(), 'x');
    assert.equal(back.count, 3);
  });
});
