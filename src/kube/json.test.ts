import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseJson, writeJson } from './json.ts';

describe('JSON of the Kubernetes API', () => {
  it('keeps integers beyond 2^53 digit by digit', () => {
    const text =
      '{"spec":{"big":9223372036854775807,"small":-9007199254740993,"safe":1234567890123456,"float":0.1234567890123456,"text":"9223372036854775807"}}';
    assert.equal(writeJson(parseJson(text)), text);
    assert.equal(JSON.stringify(parseJson(text)), text);
  });

  it('writes bigints as integer literals', () => {
    assert.equal(writeJson({ big: 9223372036854775807n, list: [1n] }), '{"big":9223372036854775807,"list":[1]}');
  });
});
