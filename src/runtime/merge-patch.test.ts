import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deepEqual, mergePatch } from './index.ts';

const cases: { name: string; before: unknown; after: unknown; want: unknown }[] = [
  { name: 'nothing changed', before: { a: 1, b: [1, { c: 2 }] }, after: { b: [1, { c: 2 }], a: 1 }, want: undefined },
  { name: 'a field more', before: { a: 1 }, after: { a: 1, b: 2 }, want: { b: 2 } },
  { name: 'a field less', before: { a: 1, b: 2 }, after: { a: 1 }, want: { b: null } },
  { name: 'undefined is not there', before: { a: 1 }, after: { a: undefined }, want: { a: null } },
  { name: 'only what differs inside', before: { s: { a: 1, b: 2 } }, after: { s: { a: 1, b: 3 } }, want: { s: { b: 3 } } },
  { name: 'lists are replaced whole', before: { l: [1, 2] }, after: { l: [1] }, want: { l: [1] } },
  { name: 'an object in place of a value', before: { a: 1 }, after: { a: { b: 1 } }, want: { a: { b: 1 } } },
];
for (const { name, before, after, want } of cases) {
  test(`merge patch: ${name}`, () => assert.deepEqual(mergePatch(before, after), want));
}

test('equality looks at structure', () => {
  assert.equal(deepEqual({ a: [1, { b: undefined }] }, { a: [1, {}] }), true);
  assert.equal(deepEqual({ a: [] }, { a: {} }), false);
  assert.equal(deepEqual([1, 2], [1]), false);
});
