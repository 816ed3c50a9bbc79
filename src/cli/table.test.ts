import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTable, shortenHashes } from './table.ts';

test('formatTable() pads cells and ends each with a tab, as flux does', () => {
  assert.equal(formatTable(['NAME', 'READY'], [['podinfo', 'True']]), 'NAME   \tREADY\t\npodinfo\tTrue \t\n');
});

test('shortenHashes() leaves eight digits', () => {
  const hex = 'a'.repeat(64);
  assert.equal(shortenHashes(`Applied revision: 6.3.5@sha256:${hex}`), 'Applied revision: 6.3.5@sha256:aaaaaaaa');
  assert.equal(shortenHashes(`main@sha1:${'b'.repeat(40)}`), 'main@sha1:bbbbbbbb');
  assert.equal(shortenHashes('no hash here'), 'no hash here');
});
