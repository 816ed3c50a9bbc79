import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { joinTreePath, memoryTree, walkTree } from './file-tree.ts';

test('memoryTree() lists folders in byte order and walks depth first', () => {
  const tree = memoryTree({ 'b/c.yaml': 'c', 'a.yaml': 'a', 'b/d/e.yaml': 'e', 'Z.yaml': 'z' });
  assert.deepEqual(
    tree.list('').map((it) => `${it.name}:${it.kind}`),
    ['Z.yaml:file', 'a.yaml:file', 'b:directory'],
  );
  assert.deepEqual([...walkTree(tree)], ['Z.yaml', 'a.yaml', 'b/c.yaml', 'b/d/e.yaml']);
  assert.equal(Buffer.from(tree.read('b/d/e.yaml') ?? []).toString(), 'e');
  assert.equal(tree.read('b'), undefined);
  assert.deepEqual(tree.list('nope'), []);
});

test('nothing outside the root is there', () => {
  const tree = memoryTree({ 'a/b': 'x' });
  for (const path of ['../a/b', '/a/b', 'a/../a/b', './a/b', 'a//b', '__proto__', 'constructor'])
    assert.equal(tree.read(path), undefined, path);
});

test('joinTreePath() resolves . and .. and refuses to leave', () => {
  assert.equal(joinTreePath('a/b', '../c/./d'), 'a/c/d');
  assert.equal(joinTreePath('a', '../..'), undefined);
  assert.equal(joinTreePath('', './'), '');
  fc.assert(
    fc.property(fc.array(fc.constantFrom('..', '.', 'a', 'b', '')), (parts) => {
      const joined = joinTreePath('x', parts.join('/'));
      return joined === undefined || !joined.split('/').some((part) => part === '..' || part === '.');
    }),
  );
});
