import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { readYaml, readYamlDocuments, YamlError, type ReadYamlOptions } from '../index.ts';

/** The message of what reading throws. */
function problem(text: string | Uint8Array, options: ReadYamlOptions = {}): string {
  try {
    readYaml(text, options);
  } catch (error) {
    assert.ok(error instanceof YamlError, String(error));
    return error.message;
  }
  return 'none';
}

suite('readYaml() as sigs.k8s.io/yaml', () => {
  const cases: readonly [string, unknown][] = [
    ['', null],
    ['# only a comment', null],
    ['a: [yes, No, ON, off, y, N]', { a: [true, false, true, false, true, false] }],
    ['y: 1', { true: 1 }],
    ['a: [0777, 0o17, 0x1F, 0b11, 1_000, 08, 1e3, .5, +1, 1:30]', { a: [511, 15, 31, 3, 1000, 8, 1000, 0.5, 1, '1:30'] }],
    ['a: [~, null, Null, "", \'\']', { a: [null, null, null, '', ''] }],
    ['a: [2001-01-01, 1e400, 0xFFFFFFFFFFFFFFFFFF]', { a: ['2001-01-01', '1e400', '0xFFFFFFFFFFFFFFFFFF'] }],
    ['a: 12345678901234567890', { a: 12345678901234567000 }],
    ['1: a\n1.5: b\ntrue: c', { 1: 'a', '1.5': 'b', true: 'c' }],
    ['a: 1\na: 2', { a: 2 }],
    ['a: &x {b: 1}\nc: *x\nd: {b: 2, <<: *x}', { a: { b: 1 }, c: { b: 1 }, d: { b: 1 } }],
    ['a: !!str 1\nb: !!int "2"\nc: !foo x\nd: !!binary aGk=', { a: '1', b: 2, c: 'x', d: 'hi' }],
    ['a: |2-\n   x\n  y\nb: >\n  one\n  two\n\n  three\n', { a: ' x\ny', b: 'one two\nthree\n' }],
    ['a: "x\\\n  y\\u00e9\\x41\\n"', { a: 'xyéA\n' }],
    ["a: 'it''s\n\n  so'", { a: "it's\nso" }],
    ['? a\n: b\n? [c]\n', undefined],
    ['- - 1\n  - 2\n-\n- a: b\n  c: d', [[1, 2], null, { a: 'b', c: 'd' }]],
    ['{"a": [1, {"b": null}], c: , d}', { a: [1, { b: null }], c: null, d: null }],
    ['a: 1\n---\nb: 2', { a: 1 }],
  ];
  for (const [text, want] of cases) {
    if (want !== undefined) test(JSON.stringify(text), () => assert.deepEqual(readYaml(text), want));
  }

  test('keeps the digits of integers beyond 2^53 where asked', () => {
    assert.deepEqual(readYaml('[9223372036854775807, 18446744073709551615, 42, 1.0]', { numbers: 'exact' }), [
      9223372036854775807n,
      18446744073709551615n,
      42,
      1,
    ]);
  });

  test('makes own properties of any name', () => {
    const value = readYaml('__proto__: {a: 1}\nconstructor: 2\ntoString: 3');
    assert.deepEqual(Object.entries(value ?? {}), [
      ['__proto__', { a: 1 }],
      ['constructor', 2],
      ['toString', 3],
    ]);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });

  test('reads bytes: UTF-8, and UTF-16 after its mark', () => {
    assert.deepEqual(readYaml(Buffer.from('\ufeffa: é😀')), { a: 'é😀' });
    assert.deepEqual(readYaml(Buffer.from('\ufeffa: é', 'utf16le')), { a: 'é' });
    assert.deepEqual(readYaml(Buffer.from('\ufeffa: é', 'utf16le').swap16()), { a: 'é' });
  });
});

suite('readYaml() fails with the words of go-yaml', () => {
  const cases: readonly [string | Uint8Array, string][] = [
    ['a: b: c', 'yaml: mapping values are not allowed in this context'],
    ['a: 1\nb\nc: 2', "yaml: line 3: could not find expected ':'"],
    ['a: [1\nb: 2', "yaml: line 1: did not find expected ',' or ']'"],
    ['a:\n\t- b', 'yaml: line 2: found character that cannot start any token'],
    ['a: *x', "yaml: unknown anchor 'x' referenced"],
    ['a: &a [*a]', "yaml: anchor 'a' value contains itself"],
    ['a: "\\q"', 'yaml: found unknown escape character'],
    ['a: "\\ud800"', 'yaml: found invalid Unicode character escape code'],
    ['a: !!int x', 'yaml: cannot decode !!str `x` as a !!int'],
    ['? {a: 1}\n: x', 'yaml: invalid map key: map[interface {}]interface {}{"a":1}'],
    ['~: x', 'unsupported map key of type: %!s(<nil>), key: <nil>, value: "x"'],
    ['a: .nan', 'json: unsupported value: NaN'],
    ['<<: 1', 'yaml: map merge requires map or sequence of maps as the value'],
    ['a: \u0001', 'yaml: control characters are not allowed'],
    [Uint8Array.of(0x61, 0x3a, 0x20, 0xff), 'yaml: invalid leading UTF-8 octet'],
    [Uint8Array.of(0x61, 0xc3), 'yaml: incomplete UTF-8 octet sequence'],
    ['%YAML 1.2\n---\na', 'yaml: found incompatible YAML document'],
  ];
  for (const [text, want] of cases) test(JSON.stringify(text), () => assert.equal(problem(text), want));

  test('strict refuses a key set twice, and names the line', () => {
    assert.equal(problem('a: 1\nb: 2\na: 3', { strict: true }), 'yaml: unmarshal errors:\n  line 3: key "a" already set in map');
  });

  test('an error knows its line', () => {
    assert.throws(
      () => readYaml('a: 1\nb\nc: 2'),
      (error) => error instanceof YamlError && error.line === 3,
    );
  });
});

suite('readYamlDocuments()', () => {
  test('gives every document, an empty one as null', () => {
    assert.deepEqual(readYamlDocuments('a: 1\n---\n---\n- b\n...\n'), [{ a: 1 }, null, ['b']]);
    assert.deepEqual(readYamlDocuments(''), []);
  });
});

suite('readYaml() as yaml.v3', () => {
  const v3 = (text: string): unknown => readYaml(text, { dialect: 'v3' });
  test('yes is text, dates are times, a later merge does not overwrite', () => {
    assert.deepEqual(v3('a: yes\nb: 2001-01-01\nc: 2001-12-14t21:59:43.10-05:00\nd: 0o17\ne: 017'), {
      a: 'yes',
      b: '2001-01-01T00:00:00Z',
      c: '2001-12-14T21:59:43.1-05:00',
      d: 15,
      e: 15,
    });
    assert.deepEqual(v3('x: &x {b: 1, c: 1}\nd: {b: 2, <<: *x}'), { x: { b: 1, c: 1 }, d: { b: 2, c: 1 } });
  });

  test('refuses keys set twice and keys that are no text', () => {
    assert.equal(problem('a: 1\na: 2', { dialect: 'v3' }), 'yaml: unmarshal errors:\n  line 2: mapping key "a" already defined at line 1');
    assert.equal(problem('1: a', { dialect: 'v3' }), 'json: unsupported type: map[interface {}]interface {}');
  });
});
