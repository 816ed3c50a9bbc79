import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { writeYaml, writeYamlFromJson, writeYamlV3, type YamlValue } from '../index.ts';

suite('writeYaml() as sigs.k8s.io/yaml', () => {
  const cases: readonly [YamlValue, string][] = [
    [null, 'null\n'],
    [{}, '{}\n'],
    [[], '[]\n'],
    [{ b: [1, [], { c: {} }], a: null }, 'a: null\nb:\n- 1\n- []\n- c: {}\n'],
    [[[1, 2], [{ a: 1, b: 2 }]], '- - 1\n  - 2\n- - a: 1\n    b: 2\n'],
    [
      ['', 'yes', '1', '0x1', '1:30', '2001-01-01', '~', 'null'],
      '- ""\n- "yes"\n- "1"\n- "0x1"\n- "1:30"\n- "2001-01-01"\n- "~"\n- "null"\n',
    ],
    [
      ['a: b', '- a', '#a', 'a #b', ' a', '*a', '---', "it's", 'a:'],
      "- 'a: b'\n- '- a'\n- '#a'\n- 'a #b'\n- ' a'\n- '*a'\n- '---'\n- it's\n- 'a:'\n",
    ],
    [
      { a: 'x\ny\n', b: 'x\n\n', c: ' x\ny', d: 'x \ny', e: '\n' },
      'a: |\n  x\n  y\nb: |+\n  x\n\nc: |2-\n   x\n  y\nd: "x \\ny"\ne: |2+\n\n',
    ],
    [
      ['\t', '\u0007', '\u00a0', '😀', '\ufeff', 'a\u2028b'],
      '- "\\t"\n- "\\a"\n- \u00a0\n- "\\U0001F600"\n- "\\uFEFF"\n- \'a\u2028  b\'\n',
    ],
    [{ 'a\nb': 1, yes: 2, '': 3 }, '"": 3\n? |-\n  a\n  b\n: 1\n"yes": 2\n'],
    [{ a10: 1, a9: 2, A: 3, _: 4, b: 5 }, '_: 4\nA: 3\na9: 2\na10: 1\nb: 5\n'],
    [[1, -0, 1.5, 1e6, 1e20, 1e21, 1e-7, 123456789.123], '- 1\n- 0\n- 1.5\n- 1000000\n- 1e+20\n- 1e+21\n- 1e-07\n- 1.23456789123e+08\n'],
    [[2 ** 63, -(2 ** 63), 9223372036854775807n], '- 9223372036854776000\n- -9.223372036854776e+18\n- 9223372036854775807\n'],
    ['\udcff', '\ufffd\n'],
  ];
  for (const [value, want] of cases) {
    const name = JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? String(item) : item));
    test(name, () => assert.equal(writeYaml(value), want));
  }

  test('folds at 80 columns, plain and quoted', () => {
    const words = 'word '.repeat(20).trim();
    assert.equal(writeYaml({ a: words }), `a: ${'word '.repeat(16).trim()}\n  ${'word '.repeat(4).trim()}\n`);
    assert.equal(writeYaml({ a: `${words}: x` }), `a: '${'word '.repeat(16).trim()}\n  ${'word '.repeat(3)}word: x'\n`);
  });

  test('writes a long key with a question mark', () => {
    assert.equal(writeYaml({ ['k'.repeat(129)]: [1] }), `? ${'k'.repeat(129)}\n: - 1\n`);
  });

  test('fails where the JSON in between does not survive being read as YAML', () => {
    assert.throws(() => writeYaml('\u007f'), { code: 'GoError', message: 'yaml: control characters are not allowed' });
    assert.throws(() => writeYaml({ 'a\u0085b': 1 }), { code: 'GoError', message: "yaml: line 1: did not find expected ',' or '}'" });
    assert.throws(() => writeYaml(Number.NaN), { code: 'GoError', message: 'error marshaling into JSON: json: unsupported value: NaN' });
    assert.equal(writeYaml('a\u0085 b'), 'a b\n');
  });
});

suite('writeYamlFromJson()', () => {
  test('keeps what the digits say', () => {
    assert.equal(
      writeYamlFromJson('{"a":1.0,"b":1e2,"c":12345678901234567890,"d":1e6}'),
      'a: 1\nb: 100\nc: 12345678901234567890\nd: 1e+06\n',
    );
  });
});

suite('writeYamlV3()', () => {
  test('indents sequences, or not, and never folds', () => {
    const value = { a: { b: ['x', { c: 1e6, d: 'yes' }] }, e: 'w '.repeat(60).trim() };
    assert.equal(writeYamlV3(value), `a:\n  b:\n    - x\n    - c: 1e+06\n      d: "yes"\ne: ${value.e}\n`);
    assert.equal(writeYamlV3(value, { compactSequences: true }), `a:\n  b:\n  - x\n  - c: 1e+06\n    d: "yes"\ne: ${value.e}\n`);
    assert.equal(writeYamlV3({ a: { b: [1] } }, { indent: 4 }), 'a:\n    b:\n        - 1\n');
  });

  test('writes integers that are bigints, and bytes outside UTF-8 in base64', () => {
    assert.equal(writeYamlV3([1000000n, '\udcff']), '- 1000000\n- !!binary /w==\n');
  });
});
