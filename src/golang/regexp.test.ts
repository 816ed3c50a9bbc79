import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isCodedError } from '../std/index.ts';
import { GoRegexp, quoteMeta, toByteOffsets } from './index.ts';

suite('regexp', () => {
  test('matches with groups, in code units and in bytes', () => {
    const regexp = GoRegexp.compile('(?P<first>[a-zé]+)(,)?');
    const text = 'é,ab';
    assert.deepEqual(regexp.findAll(text), [
      [0, 2, 0, 1, 1, 2],
      [2, 4, 2, 4, -1, -1],
    ]);
    assert.deepEqual(toByteOffsets(text, regexp.findAll(text)[1] ?? []), [3, 5, 3, 5, -1, -1]);
    assert.deepEqual(regexp.groupNames, ['', 'first', '']);
  });

  test('an empty match right after a match is none', () => {
    assert.deepEqual(GoRegexp.compile('a*').findAllText('baab'), ['', 'aa', '']);
    assert.equal(GoRegexp.compile('a*').replaceAll('baac', 'x'), 'xbxcx');
    assert.deepEqual(GoRegexp.compile('').findAllText('é'), ['', '']);
  });

  test('templates: $name is as long as it can be', () => {
    const regexp = GoRegexp.compile('(\\w+) (?P<who>\\w+)');
    const cases: [string, string][] = [
      ['$1W', ''],
      ['${1}W', 'helloW'],
      ['$who-$2-$0', 'world-world-hello world'],
      ['$$1 $x ${y} $ ${', '$1   $ ${'],
    ];
    for (const [template, want] of cases) assert.equal(regexp.replaceAll('hello world', template), want);
    assert.equal(regexp.replaceAllLiteral('hello world', '$1'), '$1');
  });

  test('groups may share a name', () => {
    const regexp = GoRegexp.compile('(?P<x>a)|(?P<x>b)');
    assert.deepEqual(regexp.groupNames, ['', 'x', 'x']);
    assert.equal(regexp.replaceAll('ab', '<$x>'), '<a><b>');
  });

  test('splits as Go does', () => {
    const comma = GoRegexp.compile(',');
    assert.deepEqual(comma.split('a,b,,c', -1), ['a', 'b', '', 'c']);
    assert.deepEqual(comma.split('a,b,,c', 2), ['a', 'b,,c']);
    assert.deepEqual(comma.split('', -1), ['']);
    assert.equal(comma.split('a', 0), undefined);
    assert.deepEqual(GoRegexp.compile('').split('héy', -1), ['h', 'é', 'y']);
  });

  test('errors have the words of regexp/syntax', () => {
    for (const [pattern, message] of [
      ['a**', 'error parsing regexp: invalid nested repetition operator: `**`'],
      ['(?=a)', 'error parsing regexp: invalid or unsupported Perl syntax: `(?=`'],
      ['a{1001}', 'error parsing regexp: invalid repeat count: `{1001}`'],
      ['[b-a]', 'error parsing regexp: invalid character class range: `b-a`'],
      ['(', 'error parsing regexp: missing closing ): `(`'],
      ['\\', 'error parsing regexp: trailing backslash at end of expression: ``'],
      ['\udcff', 'error parsing regexp: invalid UTF-8: `\udcff`'],
    ] as const) {
      assert.throws(() => GoRegexp.compile(pattern), { message });
    }
  });

  test('bytes outside UTF-8 match as U+FFFD and stay what they are', () => {
    assert.deepEqual(GoRegexp.compile('\ufffd').findAllText('a\udcffb'), ['\udcff']);
    assert.equal(GoRegexp.compile('[ab]').replaceAll('a\udcffb', '-'), '-\udcff-');
  });

  test('a quoted text matches itself', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        assert.deepEqual(GoRegexp.compile(`^(?s:${quoteMeta(text)})$`).test(text), true);
      }),
    );
  });

  test('no pattern takes exponential time, and large ones are refused', () => {
    const started = performance.now();
    assert.equal(GoRegexp.compile('(a+)+$').test(`${'a'.repeat(20_000)}b`), false);
    assert.equal(GoRegexp.compile('(x+x+)+y').test('x'.repeat(20_000)), false);
    assert.ok(performance.now() - started < 2000);
    assert.throws(
      () => GoRegexp.compile('a'.repeat(200_000)),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
    assert.throws(() => GoRegexp.compile('(a{1000})'.repeat(10_000)), /expression too large/);
    assert.throws(() => GoRegexp.compile('('.repeat(5000) + ')'.repeat(5000)), /nests too deeply/);
    const wide = GoRegexp.compile('[\\pL]{900}');
    assert.throws(
      () => wide.test('a'.repeat(10_000_000)),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
  });
  test('finding all matches takes no quadratic time', () => {
    const started = performance.now();
    const text = 'x'.repeat(200_000);
    const refused = (error: unknown): boolean => isCodedError(error, 'BudgetExceeded');
    assert.throws(() => GoRegexp.compile('x.*y|x').findAll(text), refused);
    assert.throws(() => GoRegexp.compile('x[^z]*z|.').replaceAll(text, ''), refused);
    assert.ok(performance.now() - started < 30_000);
    assert.equal(GoRegexp.compile('x.*y|x').findAll('x'.repeat(1000)).length, 1000);
    assert.equal(GoRegexp.compile(String.raw`\w+`).findAll('abc def '.repeat(50_000)).length, 100_000);
    // The expression still works after it was stopped.
    assert.deepEqual(GoRegexp.compile('x.*y|x').findAllText('xxay x'), ['xxay', 'x']);
  });
});
