import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { archiveTree, walkArchive } from './archive-tree.ts';
import { readFolder, writeFolder } from './disk.ts';
import { ArtifactError, type ArtifactErrorCode } from './errors.ts';
import { compileIgnore, defaultPushIgnore, parseIgnoreText } from './ignore.ts';

const fails = (code: ArtifactErrorCode) => (error: unknown) => error instanceof ArtifactError && error.code === code;
const ignore = compileIgnore(defaultPushIgnore.flatMap((line) => parseIgnoreText(line)));

describe('folders on disk', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'disk-'));
    await mkdir(join(root, 'in/sub'), { recursive: true });
    await mkdir(join(root, 'in/.git'));
    await writeFile(join(root, 'in/a.yaml'), 'a');
    await writeFile(join(root, 'in/sub/run'), 'b');
    await chmod(join(root, 'in/sub/run'), 0o755);
    await writeFile(join(root, 'in/.git/config'), 'c');
    await writeFile(join(root, 'in/pic.png'), 'd');
    await writeFile(join(root, 'in/.sourceignore'), 'a.yaml');
    await writeFile(join(root, 'target.yaml'), 'linked');
    await symlink('../target.yaml', join(root, 'in/link.yaml'));
    await symlink('..', join(root, 'in/sub/loop'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const paths = (tree: Awaited<ReturnType<typeof readFolder>>): string[] => [...walkArchive(tree)].map(({ path }) => path);

  it('are read for a push: default patterns, no links, no .sourceignore (A05, A06)', async () => {
    const tree = await readFolder(join(root, 'in'), { ignore });
    assert.deepEqual(paths(tree), ['', '.sourceignore', 'a.yaml', 'sub', 'sub/run']);
    assert.equal(tree.mode('sub/run'), 0o755);
  });

  it('with links resolved, cycles cut', async () => {
    const tree = await readFolder(join(root, 'in'), { ignore, resolveSymlinks: true });
    assert.deepEqual(paths(tree), ['', '.sourceignore', 'a.yaml', 'link.yaml', 'sub', 'sub/run']);
    assert.equal(tree.read('link.yaml')?.toString(), 'linked');
  });

  it('a single file is a folder of one', async () =>
    assert.deepEqual(paths(await readFolder(join(root, 'target.yaml'), { ignore })), ['', 'target.yaml']));

  it('holds its bounds, and names what it cannot read', async () => {
    for (const limits of [{ entries: 2 }, { bytes: 1 }])
      await assert.rejects(readFolder(join(root, 'in'), { ignore, limits }), fails('LimitExceeded'));
    await mkdir(join(root, 'deep/1/2/3'), { recursive: true });
    await assert.rejects(readFolder(join(root, 'deep'), { ignore, limits: { depth: 2 } }), fails('LimitExceeded'));
    await assert.rejects(readFolder(join(root, 'nope'), { ignore }), fails('SourceUnreadable'));
  });

  it('are written by a pull, over what is there, never through a link', async () => {
    const out = join(root, 'out');
    await mkdir(out);
    await writeFile(join(out, 'a.yaml'), 'old and longer');
    await writeFolder(archiveTree({ 'a.yaml': 'new', 'x/y/z.yaml': 'z' }), out);
    assert.equal(await readFile(join(out, 'a.yaml'), 'utf8'), 'new');
    assert.equal(await readFile(join(out, 'x/y/z.yaml'), 'utf8'), 'z');
    await symlink(root, join(out, 'trap'));
    await symlink(join(root, 'target.yaml'), join(out, 'b.yaml'));
    await assert.rejects(writeFolder(archiveTree({ 'trap/target.yaml': 'evil' }), out), fails('PathRefused'));
    await assert.rejects(writeFolder(archiveTree({ 'b.yaml': 'evil' }), out), fails('PathRefused'));
    assert.equal(await readFile(join(root, 'target.yaml'), 'utf8'), 'linked');
  });
});
