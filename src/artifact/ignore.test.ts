import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { archiveTree, filterArchive, walkArchive } from './archive-tree.ts';
import { ArtifactError } from './errors.ts';
import { compileGlob } from './glob.ts';
import { compileIgnore, parseIgnoreText, sourceIgnore } from './ignore.ts';

/** What stays of some files. */
function kept(files: readonly string[] | Record<string, string>, specIgnore?: string): string[] {
  const tree = archiveTree(Array.isArray(files) ? Object.fromEntries(files.map((name) => [name, ''])) : (files as Record<string, string>));
  return [...walkArchive(filterArchive(tree, sourceIgnore(tree, specIgnore)))]
    .filter(({ kind }) => kind === 'file')
    .map(({ path }) => path);
}

describe('ignore patterns', () => {
  // Answers of fluxcd/pkg sourceignore for the same lines and path; the last number is what it says for a folder.
  const cases: [lines: string, path: string, file: boolean, folder: boolean][] = [
    ['*.yaml', 'a/b/x.yaml', true, true],
    ['*.yaml', 'x.yaml/inside', true, true],
    ['/x.yaml', 'x.yaml', true, true],
    ['/x.yaml', 'a/x.yaml', false, false],
    ['a/', 'a', false, true],
    ['a/', 'a/b', true, true],
    ['a/', 'b/a', false, true],
    ['a/b', 'a/b/c', true, true],
    ['a/b', 'x/a/b', false, false],
    ['**/b', 'x/a/b', true, true],
    ['a/**', 'a/b/c', true, true],
    ['a/**', 'a', true, true],
    ['a/**/c', 'a/c', true, true],
    ['a/**/c', 'a/b/b/c', true, true],
    ['a/**b', 'a/xb', false, false],
    ['*\n!keep.yaml', 'keep.yaml', false, false],
    ['*\n!keep.yaml', 'other', true, true],
    ['/*\n!/deploy', 'deploy/x.yaml', false, false],
    ['/*\n!/deploy', 'docs/x.md', true, true],
    ['# comment', '# comment', false, false],
    ['a ', 'a', true, true],
    ['[a-c]x', 'bx', true, true],
    ['[^a-c]x', 'bx', false, false],
    ['[a', '[a', false, false],
    ['a\\*', 'a*', true, true],
    ['a\\*', 'ab', false, false],
    ['?', 'é', true, true],
    ['**', 'a/b', true, true],
  ];
  for (const [lines, path, file, folder] of cases) {
    it(`${JSON.stringify(lines)} ${file ? 'takes' : 'leaves'} ${path}`, () => {
      const ignored = compileIgnore(parseIgnoreText(lines));
      assert.deepEqual([ignored(path, false), ignored(path, true)], [file, folder]);
    });
  }

  it('reads lines as Flux does: comments, blanks, carriage returns', () => {
    assert.equal(parseIgnoreText('# no\n\n   \na\r\n!b\n').length, 2);
    assert.ok(compileIgnore(parseIgnoreText('a\r\n'))('a', false));
  });

  it('matches globs in bounded time, and knows malformed ones', () => {
    const glob = compileGlob('*a*a*a*a*a*a*a*a*a*a*b');
    assert.ok(glob !== undefined && !glob('a'.repeat(5000)));
    for (const pattern of ['[', '[]', '[a-]', '[-a]', 'a\\', '[a', '[^]']) assert.equal(compileGlob(pattern), undefined, pattern);
  });

  it('bounds the number of patterns', () => {
    assert.throws(
      () => parseIgnoreText('x\n'.repeat(3000)),
      (error) => error instanceof ArtifactError && error.code === 'LimitExceeded',
    );
  });
});

describe('what an artifact leaves out (OB22)', () => {
  const files = [
    '.git/config',
    '.gitignore',
    'a.jpg',
    'app.zip',
    '.github/x.yml',
    '.travis.yml',
    'sub/.sops.yaml',
    'sub/.flux.yaml',
    'deploy.yaml',
    'sub/.gitlab-ci.yml',
  ];

  it('without patterns of its own: version control, binaries, CI files', () => assert.deepEqual(kept(files), ['deploy.yaml']));

  it('with a .sourceignore: version control and its patterns only', () => {
    const own = { ...Object.fromEntries(files.map((name) => [name, ''])), '.sourceignore': 'deploy.yaml' };
    assert.deepEqual(kept(own), [
      '.github/x.yml',
      '.sourceignore',
      '.travis.yml',
      'a.jpg',
      'app.zip',
      'sub/.flux.yaml',
      'sub/.gitlab-ci.yml',
      'sub/.sops.yaml',
    ]);
  });

  it('spec.ignore comes after .sourceignore and may overrule it', () => {
    const own = { 'a.yaml': '', 'b.yaml': '', '.sourceignore': '*.yaml' };
    assert.deepEqual(kept(own, '!b.yaml'), ['.sourceignore', 'b.yaml']);
    assert.deepEqual(kept(['a.jpg', 'b.yaml'], 'b.yaml'), ['a.jpg'], 'spec.ignore replaces the defaults');
    assert.deepEqual(kept(['a.jpg', 'b.yaml'], '# nothing\n'), ['b.yaml'], 'a text without patterns replaces nothing');
  });

  it('a .sourceignore in a folder is about that folder', () => {
    const own = { 'a/.sourceignore': '/x.yaml\n*.md', 'a/x.yaml': '', 'a/b/x.yaml': '', 'a/b/y.md': '', 'x.yaml': '', 'y.md': '' };
    assert.deepEqual(kept(own), ['a/.sourceignore', 'a/b/x.yaml', 'x.yaml', 'y.md']);
  });
});
