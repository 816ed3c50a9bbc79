import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { basePath, cleanPath, compileGlob, dirPath, extPath, filepathMatch, isAbsPath, joinPath } from './index.ts';
import { isCodedError } from '../std/index.ts';

suite('path', () => {
  test('clean, base, dir, ext, join', () => {
    for (const [path, clean, base, dir, ext] of [
      ['', '.', '.', '.', ''],
      ['/', '/', '/', '/', ''],
      ['a/b/../c.tar.gz', 'a/c.tar.gz', 'c.tar.gz', 'a', '.gz'],
      ['../..//x/', '../../x', 'x', '../../x', ''],
      ['/../a/./b//', '/a/b', 'b', '/a/b', ''],
      ['a/.x', 'a/.x', '.x', 'a', '.x'],
    ] as const) {
      assert.deepEqual([cleanPath(path), basePath(path), dirPath(path), extPath(path)], [clean, base, dir, ext], path);
    }
    assert.equal(joinPath('', 'a', '', '../b'), 'b');
    assert.equal(joinPath('', ''), '');
    assert.ok(isAbsPath('/a') && !isAbsPath('a'));
  });
});

suite('globs', () => {
  test('gobwas patterns with / as separator', () => {
    const cases: [string, readonly string[], readonly string[]][] = [
      ['*.txt', ['a.txt', '.txt'], ['a/b.txt', 'a.txt.x']],
      ['**.txt', ['a.txt', 'a/b.txt'], ['a.tx']],
      ['conf/*', ['conf/x', 'conf/'], ['conf/x/y', 'conf']],
      // Runes of several bytes inside a row of single characters are cut, as in gobwas.
      ['a?c', ['abc'], ['a/c', 'ac', 'aéc']],
      ['{a,b*}.md', ['a.md', 'bcd.md'], ['c.md', '.md']],
      ['[!a-c]x', ['dx'], ['ax', 'bx']],
      ['[ab]\\*', ['a*'], ['ab']],
      ['a**a', ['aba', 'a', 'a/a'], ['ab']],
    ];
    for (const [pattern, yes, no] of cases) {
      const glob = compileGlob(pattern);
      for (const name of yes) assert.ok(glob(name), `${pattern} matches ${name}`);
      for (const name of no) assert.ok(!glob(name), `${pattern} does not match ${name}`);
    }
    assert.throws(() => compileGlob('[]a]'), { message: 'could not parse range' });
    assert.throws(() => compileGlob('[a'), { message: 'unexpected end of input' });
  });

  test('hostile globs are refused', () => {
    assert.throws(
      () => compileGlob('*'.repeat(1000)),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
    const glob = compileGlob('*a?'.repeat(60));
    assert.throws(
      () => glob('a'.repeat(4000)),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
  });

  test('filepath.Match', () => {
    assert.ok(filepathMatch('a*/b?[^x-z]', 'abc/béq'));
    assert.ok(!filepathMatch('*', 'a/b'));
    assert.ok(filepathMatch('a\\*', 'a*'));
    assert.throws(() => filepathMatch('[a', 'a'), { message: 'syntax error in pattern' });
    assert.throws(() => filepathMatch('b[a', 'a'), { message: 'syntax error in pattern' });
    assert.equal(filepathMatch('b*[a', 'a'), false, 'what is not looked at is not checked');
  });
});
