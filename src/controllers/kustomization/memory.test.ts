import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LiveRecord, OwnedChange } from '../../apply/index.ts';
import { objectRefKey } from '../../manifest/index.ts';
import type { Instant } from '../../std/index.ts';
import { correctionDelay } from '../applier/index.ts';
import { Memory } from './memory.ts';

const ref = { group: '', kind: 'ConfigMap', namespace: 'ns', name: 'a' };
const record = (resourceVersion: string, driftHash: string): LiveRecord => ({
  ref,
  apiVersion: 'v1',
  uid: 'u',
  resourceVersion,
  labels: {},
  annotations: {},
  driftHash,
  contentHash: '',
  foreign: false,
  deleting: false,
  health: { status: 'Current', message: '' },
});
const change = (now: LiveRecord | undefined): OwnedChange => ({ ref, record: now, previous: undefined });
const known = (resourceVersion: string, driftHash: string): Memory['known'] =>
  new Map([[objectRefKey(ref), { desiredHash: 'd', driftHash, resourceVersion, uid: 'u' }]]);

test('a change of our fields is drift, one of others is not, and neither is an object we do not know', () => {
  const memory = new Memory();
  assert.equal(memory.noticed(change(record('9', 'other'))), false);
  memory.known = known('5', 'ours');
  assert.equal(memory.noticed(change(record('6', 'ours'))), false);
  assert.equal(memory.noticed(change(record('6', 'other'))), true);
  assert.equal(memory.noticed(change(undefined)), true);
});

test('what is seen while a reconcile writes is judged by what it wrote', () => {
  const memory = new Memory();
  memory.known = known('5', 'old');
  memory.busy = true;
  assert.equal(memory.noticed(change(record('6', 'new'))), false);
  memory.known = known('6', 'new');
  assert.equal(memory.settle(), false, 'our own write');
  memory.busy = true;
  memory.noticed(change(record('7', 'theirs')));
  assert.equal(memory.settle(), true, 'someone else wrote meanwhile');
});

test('another account has to find out for itself', () => {
  const memory = new Memory();
  memory.actAs('');
  memory.known = known('5', 'ours');
  memory.actAs('');
  assert.equal(memory.known.size, 1);
  memory.actAs('tenant');
  assert.equal(memory.known.size, 0);
});

test('corrections are immediate until there are many of them', () => {
  const memory = { corrections: [] as Instant[] };
  const at = (second: number): Instant => (second * 1000) as Instant;
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((second) => correctionDelay(memory, at(second))),
    [0, 0, 0, 0, 0],
  );
  assert.deepEqual(
    [5, 6, 7].map((second) => correctionDelay(memory, at(second))),
    [2000, 4000, 8000],
  );
  assert.equal(correctionDelay(memory, at(200)), 0, 'a quiet minute forgives');
});
