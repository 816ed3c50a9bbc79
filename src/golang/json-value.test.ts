import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { isCodedError } from '../std/index.ts';
import {
  encodeJson,
  encodeValueJson,
  fromYamlValue,
  GoByteSlice,
  goInt64,
  goMap,
  parseVersion,
  stringSlice,
  versionValue,
  type GoValue,
} from './index.ts';

suite('json.Marshal of Go values', () => {
  test('agrees with the writer of plain data', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (plain) => {
        const value = fromYamlValue(plain as never);
        assert.equal(encodeValueJson(value), encodeJson(plain as never));
        assert.equal(encodeValueJson(value, { indent: '  ', prefix: '' }), encodeJson(plain as never, { indent: '  ', prefix: '' }));
      }),
    );
  });

  test('Go types', () => {
    assert.equal(
      encodeValueJson([
        goInt64(9007199254740993n),
        new GoByteSlice(Uint8Array.of(1, 2)),
        null,
        stringSlice([], true),
        versionValue(parseVersion('v1')),
      ]),
      '[9007199254740993,"AQI=",null,null,"1.0.0"]',
    );
    assert.equal(encodeValueJson('<\udcff&\u2028'), String.raw`"\u003c\ufffd\u0026\u2028"`);
    assert.equal(encodeValueJson('<&', { escapeHtml: false }), '"<&"');
    assert.throws(() => encodeValueJson(Infinity), { message: 'json: unsupported value: +Inf' });
  });

  test('values that are large by sharing are refused', () => {
    let shared: GoValue = goMap([['a', 1]]);
    for (let i = 0; i < 60; i++)
      shared = goMap([
        ['a', shared],
        ['b', shared],
      ]);
    assert.throws(
      () => encodeValueJson(shared),
      (error) => isCodedError(error, 'BudgetExceeded'),
    );
  });
});
