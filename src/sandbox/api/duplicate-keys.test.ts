import assert from 'node:assert/strict';
import { test } from 'node:test';
import { duplicateKeys } from './duplicate-keys.ts';

test('keys that come twice in one object are found by path, wherever they are', () => {
  assert.deepEqual(duplicateKeys('{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}'), []);
  assert.deepEqual(duplicateKeys('{"data":{"a":"1","a":"2"},"list":[{"x":1},{"y":"{\\"x\\":1","y":2}]}'), ['data.a', 'list[1].y']);
  assert.deepEqual(duplicateKeys('{"a":"b","c":"a","\\u0061":1}'), ['a']);
  assert.deepEqual(duplicateKeys(`${'['.repeat(10_000)}${']'.repeat(10_000)}`), []);
});
