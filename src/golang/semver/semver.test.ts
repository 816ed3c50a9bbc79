import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import {
  checkConstraint,
  compareVersions,
  explainConstraint,
  formatConstraint,
  formatVersion,
  nextVersion,
  parseConstraint,
  parseStrictVersion,
  parseVersion,
} from '../index.ts';

function matches(constraint: string, version: string): boolean {
  return checkConstraint(parseConstraint(constraint), parseVersion(version));
}

suite('semver', () => {
  test('loose and strict reading', () => {
    assert.equal(formatVersion(parseVersion('v1')), '1.0.0');
    assert.equal(formatVersion(parseVersion('01.2.3-rc.1+b')), '1.2.3-rc.1+b');
    for (const [text, message] of [
      ['', 'invalid semantic version'],
      ['1.2.3.4', 'invalid semantic version'],
      ['1.2.3-01', 'version segment starts with 0'],
      ['18446744073709551616', 'error parsing version segment: strconv.ParseUint: parsing "18446744073709551616": value out of range'],
      ['1'.repeat(300), 'version string is too long (max 256 bytes)'],
    ] as const) {
      assert.throws(() => parseVersion(text), { message });
    }
    for (const [text, message] of [
      ['', 'version string empty'],
      ['1.2', 'invalid semantic version'],
      ['v1.2.3', 'invalid characters in version'],
      ['1.02.3', 'version segment starts with 0'],
      ['1.2.3-', 'invalid prerelease string'],
      ['1.2.3+', 'invalid metadata string'],
    ] as const) {
      assert.throws(() => parseStrictVersion(text), { message });
    }
  });

  test('order', () => {
    const sorted = [
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.0.1',
      'v1.1',
      '2',
    ];
    assert.deepEqual(
      [...sorted]
        .reverse()
        .map(parseVersion)
        .sort(compareVersions)
        .map((version) => version.original),
      sorted,
    );
    assert.equal(compareVersions(parseVersion('1.0.0+a'), parseVersion('1.0.0+b')), 0);
    const version = fc
      .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.constantFrom('', '-a', '-a.1', '-1', '-a.b'))
      .map(([a, b, c, pre]) => parseVersion(`${a}.${b}.${c}${pre}`));
    fc.assert(fc.property(version, version, (a, b) => assert.equal(compareVersions(a, b), 0 - compareVersions(b, a))));
  });

  test('the next version', () => {
    const version = parseVersion('v1.2.3-rc.1+b');
    assert.deepEqual(
      (['patch', 'minor', 'major'] as const).map((part) => nextVersion(version, part).original),
      ['v1.2.3', 'v1.3.0', 'v2.0.0'],
    );
    assert.throws(() => nextVersion(parseVersion('18446744073709551615.0.0'), 'major'), {
      message: 'major version increment would overflow uint64',
    });
  });

  test('constraints', () => {
    for (const [constraint, yes, no] of [
      ['>=1.14-0', ['1.14.0-beta', '1.20.3-gke.100'], ['1.13.9']],
      ['>=1.14', ['1.14.0', '2.0.0'], ['1.15.0-beta', '1.13.0']],
      ['^1.2.3', ['1.2.3', '1.9.0'], ['2.0.0', '1.2.2']],
      ['^0.2', ['0.2.9'], ['0.3.0']],
      ['~1.2', ['1.2.9'], ['1.3.0']],
      ['1.x', ['1.9.9'], ['2.0.0']],
      ['*', ['0.0.1'], ['1.0.0-a']],
      ['>1', ['2.0.0'], ['1.5.0']],
      ['<=1', ['1.9.9'], ['2.0.0']],
      ['!=1.2.x', ['1.3.0'], ['1.2.5']],
      ['1.2 - 1.4', ['1.4.9', '1.2.0'], ['1.5.0']],
      ['>=1, <2 || >=3', ['1.5.0', '3.1.0'], ['2.1.0']],
      ['=>1.2 =<1.3', ['1.2.5'], ['1.4.0']],
    ] as const) {
      for (const version of yes) assert.ok(matches(constraint, version), `${constraint} takes ${version}`);
      for (const version of no) assert.ok(!matches(constraint, version), `${constraint} refuses ${version}`);
    }
    assert.throws(() => parseConstraint('>= a'), { message: 'improper constraint: ">= a"' });
    assert.throws(() => parseConstraint('1||'.repeat(40)), { message: 'too many constraint groups (max 32)' });
    assert.equal(formatConstraint(parseConstraint('1.2 - 1.4||^2')), '>=1.2 <=1.4 || ^2');
  });

  test('reasons', () => {
    const reasons = (constraint: string, version: string): string[] =>
      explainConstraint(parseConstraint(constraint), parseVersion(version));
    assert.deepEqual(reasons('^1 || ~3', '2.0.0'), ['"2.0.0" does not have same major version as "1"', '"2.0.0" is less than "3"']);
    assert.deepEqual(reasons('>1, <2 || >4', '1.0.0-a'), [
      '"1.0.0-a" is a prerelease version and the constraint is only looking for release versions',
    ]);
    assert.deepEqual(reasons('^1', '1.0.0'), []);
  });

  test('no constraint takes exponential time', () => {
    const started = performance.now();
    assert.throws(() => parseConstraint(`${'1  '.repeat(165)}!`), /improper constraint/);
    assert.ok(performance.now() - started < 2000);
  });
});
