import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../fields/index.ts';
import { applyJsonPatch } from './json-patch.ts';
import { applyMergePatch } from './merge-patch.ts';
import { applyStrategicMergePatch, type StrategicSchema } from './strategic-merge-patch.ts';

const plain = (value: Json): unknown => JSON.parse(JSON.stringify(value));

test('JSON patch: every operation of RFC 6902', () => {
  const cases: [Json, Json, Json][] = [
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    [{ a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    [{ a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    [{ 'x/y': { '~': 1 } }, [{ op: 'replace', path: '/x~1y/~0', value: 2 }], { 'x/y': { '~': 2 } }],
    [{ a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    [
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'test', path: '/c/b', value: 1 },
      ],
      { a: { b: 1 }, c: { b: 1 } },
    ],
  ];
  for (const [document, patch, want] of cases) assert.deepEqual(plain(applyJsonPatch(document, patch)), want);
});

test('JSON patch: what cannot be applied is refused, and the document stays as it was', () => {
  const document: Json = { a: [1] };
  const bad: Json[] = [
    [{ op: 'remove', path: '/b' }],
    [{ op: 'replace', path: '/b/c', value: 1 }],
    [{ op: 'add', path: '/a/5', value: 1 }],
    [{ op: 'test', path: '/a/0', value: 2 }],
    [{ op: 'nope', path: '/a' }],
    { op: 'add' },
  ];
  for (const patch of bad) assert.throws(() => applyJsonPatch(document, patch), { name: 'CodedError' });
  assert.deepEqual(document, { a: [1] });
  const copies = Array.from({ length: 40 }, () => ({ op: 'copy', from: '', path: '/a/-' }));
  assert.throws(() => applyJsonPatch({ a: ['x'.repeat(1000)] }, copies), /exceeding the limit/);
});

test('merge patch: null removes, maps merge, lists replace', () => {
  assert.deepEqual(plain(applyMergePatch({ a: { b: 1, c: 2 }, l: [1] }, { a: { b: null, d: 3 }, l: [2] })), { a: { c: 2, d: 3 }, l: [2] });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.integer()), (value) => {
      assert.deepEqual(plain(applyMergePatch({}, value)), plain(value));
    }),
  );
});

const schema: StrategicSchema = {
  properties: {
    containers: {
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
      items: { properties: { args: { type: 'array' } } },
    } as StrategicSchema,
    finalizers: { 'x-kubernetes-patch-strategy': 'merge' } as StrategicSchema,
    strategy: { 'x-kubernetes-patch-strategy': 'retainKeys' } as StrategicSchema,
  },
};
const patched = (document: Json, patch: Json): unknown => plain(applyStrategicMergePatch(document, patch, schema, () => undefined));

test('strategic merge patch: lists merge by key, directives are obeyed', () => {
  const document = {
    containers: [
      { name: 'a', image: '1', args: ['x'] },
      { name: 'b', image: '1' },
    ],
    finalizers: ['one'],
    strategy: { type: 'RollingUpdate', rollingUpdate: {} },
  };
  assert.deepEqual(patched(document, { containers: [{ name: 'a', image: '2', args: ['y'] }, { name: 'c' }] }), {
    ...document,
    containers: [{ name: 'a', image: '2', args: ['y'] }, { name: 'c' }, { name: 'b', image: '1' }],
  });
  assert.deepEqual(patched(document, { containers: [{ name: 'a', $patch: 'delete' }] }), {
    ...document,
    containers: [{ name: 'b', image: '1' }],
  });
  assert.deepEqual(patched(document, { containers: [{ $patch: 'replace' }, { name: 'z' }] }), { ...document, containers: [{ name: 'z' }] });
  assert.deepEqual(patched(document, { finalizers: ['two'] }), { ...document, finalizers: ['two', 'one'] });
  assert.deepEqual(patched(document, { '$deleteFromPrimitiveList/finalizers': ['one'] }), { ...document, finalizers: [] });
  assert.deepEqual(patched(document, { strategy: { $retainKeys: ['type'], type: 'Recreate' } }), {
    ...document,
    strategy: { type: 'Recreate' },
  });
  const order = { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }], containers: [{ name: 'a', image: '9' }] };
  assert.deepEqual(
    (patched(document, order) as { containers: { name: string }[] }).containers.map((it) => it.name),
    ['b', 'a'],
  );
  assert.throws(() => patched(document, { containers: [{ image: 'x' }] }), /does not contain declared merge key: name/);
});

test('patches cannot reach the prototype', () => {
  const evil = JSON.parse('{"__proto__": {"polluted": true}}') as Json;
  for (const result of [
    applyMergePatch({}, evil),
    applyStrategicMergePatch({}, evil, schema, () => undefined),
    applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }]),
  ]) {
    assert.ok(result !== null);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  }
});
