import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { decodeJson, encodeJson, jsonValueEnd, type YamlValue } from './index.ts';

suite('encodeJson() as encoding/json', () => {
  const cases: readonly [YamlValue, string][] = [
    [{ b: 1, a: [null, true], B: {} }, '{"B":{},"a":[null,true],"b":1}'],
    ['<a&b>\u2028\u2029', '"\\u003ca\\u0026b\\u003e\\u2028\\u2029"'],
    ['\u0000\b\f\n\r\t\u001f"\\/\u007f', '"\\u0000\\b\\f\\n\\r\\t\\u001f\\"\\\\/\u007f"'],
    ['é😀\udcff', '"é😀\\ufffd"'],
    [[1, 1.5, -0, 1e20, 1e21, 1e-6, 1e-7, 2 ** 53], '[1,1.5,-0,100000000000000000000,1e+21,0.000001,1e-7,9007199254740992]'],
    [12345678901234567890n, '12345678901234567890'],
  ];
  for (const [value, want] of cases) test(want, () => assert.equal(encodeJson(value), want));

  test('leaves HTML alone where asked, and indents', () => {
    assert.equal(encodeJson('<', { escapeHtml: false }), '"<"');
    assert.equal(encodeJson({ a: [1, {}], b: [] }, { indent: '  ', prefix: '>' }), '{\n>  "a": [\n>    1,\n>    {}\n>  ],\n>  "b": []\n>}');
  });

  test('refuses what JSON cannot hold', () => {
    assert.throws(() => encodeJson({ a: Number.POSITIVE_INFINITY }), { code: 'GoError', message: 'json: unsupported value: +Inf' });
  });
});

suite('decodeJson() as encoding/json', () => {
  const errors: readonly [string, string][] = [
    ['', 'unexpected end of JSON input'],
    ['{"a":1', 'unexpected end of JSON input'],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['{a}', "invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['1 2', "invalid character '2' after top-level value"],
    ['"\n"', String.raw`invalid character '\n' in string literal`],
    [String.raw`"\x"`, "invalid character 'x' in string escape code"],
    [String.raw`"\u00g0"`, String.raw`invalid character 'g' in \u hexadecimal character escape`],
    ['trux', "invalid character 'x' in literal true (expecting 'e')"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e', "invalid character ' ' in exponent of numeric literal"],
    ['é', "invalid character 'Ã' looking for beginning of value"],
    ['1e400', 'json: cannot unmarshal number 1e400 into Go value of type float64'],
    ['['.repeat(10_001), 'exceeded max depth'],
  ];
  for (const [text, message] of errors) {
    test(JSON.stringify(text.slice(0, 20)), () => assert.throws(() => decodeJson(text), { code: 'GoError', message }));
  }

  test('replaces what is no UTF-8 and keeps any key', () => {
    assert.deepEqual(
      decodeJson(String.raw`{"a":"\ud800","__proto__":1,"\udc00":[]}`),
      JSON.parse('{"a":"\ufffd","__proto__":1,"\ufffd":[]}'),
    );
  });

  test('keeps the digits of large integers where asked', () => {
    assert.deepEqual(decodeJson('[12345678901234567890, 1, 1.5]', { numbers: 'exact' }), [12345678901234567890n, 1, 1.5]);
  });
});

suite('jsonValueEnd()', () => {
  test('finds where a value ends', () => {
    assert.equal(jsonValueEnd(' {"a":[1]} {}', 0), 10);
    assert.equal(jsonValueEnd('{', 0), undefined);
  });
});
