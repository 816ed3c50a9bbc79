import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { KubeObject } from '../../manifest/index.ts';
import { Journal } from './journal.ts';
import { readJson, writeJson } from './json-text.ts';
import { type Change, isWriteFailure, Store, WATCH_WINDOW } from './store.ts';

const map = (name: string, value: string, namespace = 'a'): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { value },
});
const MAPS = '/configmaps';

function created(store: Store, object: KubeObject): KubeObject {
  const result = store.create(MAPS, object);
  assert.ok(!isWriteFailure(result));
  return result;
}

test('every write gets the next revision; a stale one is refused', () => {
  const store = new Store();
  const first = created(store, map('x', '1'));
  assert.equal(first.metadata.resourceVersion, '2');
  const second = store.update(MAPS, map('x', '2'), '2');
  assert.ok(!isWriteFailure(second));
  assert.deepEqual(store.update(MAPS, map('x', '3'), '2'), { failure: 'conflict', current: second });
  assert.equal((store.create(MAPS, map('x', '4')) as { failure: string }).failure, 'exists');
  assert.equal((store.update(MAPS, map('y', '4'), '2') as { failure: string }).failure, 'missing');
  const gone = store.delete(MAPS, 'a', 'x', '3');
  assert.ok(!isWriteFailure(gone));
  assert.equal(gone.metadata.resourceVersion, '4', 'a deletion has its own revision');
});

test('a watch replays from a revision, then follows; an old revision is gone', () => {
  const store = new Store();
  created(store, map('a', '1'));
  const seen: Change[] = [];
  const stop = store.watch(MAPS, 1, (change) => seen.push(change));
  created(store, map('b', '1'));
  store.create('apps/deployments', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'a' } });
  stop?.();
  created(store, map('c', '1'));
  assert.deepEqual(
    seen.map((it) => `${it.type} ${it.object.metadata.name}`),
    ['added a', 'added b'],
  );
  for (let i = 0; i < WATCH_WINDOW * 2; i++) created(store, map(`n${i}`, ''));
  assert.equal(
    store.watch(MAPS, 1, () => {}),
    undefined,
  );
});

test('a listener that writes makes nobody hear of changes out of order', () => {
  const store = new Store();
  const seen: string[] = [];
  store.watch(MAPS, undefined, ({ type, object }) => {
    if (type === 'added') store.update(MAPS, map('a', '2'), object.metadata.resourceVersion ?? '');
  });
  store.watch(MAPS, undefined, ({ type, revision }) => seen.push(`${type} ${revision}`));
  created(store, map('a', '1'));
  assert.deepEqual(seen, ['added 2', 'modified 3']);
});

test('integers that no JavaScript number holds are written and read digit by digit', () => {
  const text = '{"big":9007199254740993,"list":[-12345678901234567890,1.5,null],"text":"1234567890123456","small":1}';
  const value = readJson(text);
  assert.equal((value as { big: bigint }).big, 9_007_199_254_740_993n);
  assert.equal(writeJson(value), text);
  assert.equal(writeJson({ a: undefined, b: [undefined], c: 1n }), '{"b":[null],"c":1}');
});

test('lists are in key order, by namespace, and go on after a key', () => {
  const store = new Store();
  for (const [name, namespace] of [
    ['b', 'z'],
    ['a', 'z'],
    ['c', 'a'],
  ] as const)
    created(store, map(name, '', namespace));
  assert.deepEqual(
    store.list(MAPS).map((it) => it.metadata.name),
    ['c', 'a', 'b'],
  );
  assert.deepEqual(
    store.list(MAPS, 'z', 'z/a').map((it) => it.metadata.name),
    ['b'],
  );
});

test('a journal survives being killed at any byte of its last write', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sandbox-journal-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const open = (): { store: Store; journal: Journal } => {
    const store = new Store();
    const journal = new Journal(folder, store);
    journal.open();
    return { store, journal };
  };
  const first = open();
  created(first.store, map('keep', '1'));
  created(first.store, map('drop', '1'));
  first.store.delete(MAPS, 'a', 'drop', '3');
  appendFileSync(join(folder, 'log.jsonl'), '{"r":5,"c":"/configmaps","o":{"api'); // cut short
  const second = open();
  assert.deepEqual(
    second.store.list(MAPS).map((it) => it.metadata.name),
    ['keep'],
  );
  assert.equal(second.store.revision, 4, 'revisions never go back');
  assert.equal(created(second.store, map('next', '1')).metadata.resourceVersion, '5');
  second.journal.close();
  assert.deepEqual(
    open()
      .store.list(MAPS)
      .map((it) => it.metadata.name),
    ['keep', 'next'],
  );
});
