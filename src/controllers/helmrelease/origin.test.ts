import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSince, isUnfinishedInstall, originOf, wasCutShort } from './origin.ts';
import { storedRelease } from './testing/releases.ts';

const cases: readonly [description: string, version: number, origin: string, cutShort?: boolean, isFirst?: boolean][] = [
  ['Initial install underway', 1, 'install'],
  ['Install complete', 4, 'install'],
  ['Release "app" failed: context deadline exceeded', 1, 'install', false, true],
  ['Release "app" failed: context deadline exceeded', 4, 'install', false, true],
  ["Release unlocked from stale 'pending-install' state", 1, 'install', true],
  ['Preparing upgrade', 2, 'upgrade'],
  ['Upgrade complete', 2, 'upgrade'],
  ['Upgrade "app" failed: canceled: new reconciliation triggered (changed)', 2, 'upgrade', true],
  ["Release unlocked from stale 'pending-upgrade' state", 2, 'upgrade', true],
  ['Rollback to 1', 3, 'rollback'],
  ['Rollback "app" failed: no', 3, 'rollback'],
  ['Release "app" failed: timed out', 3, 'rollback'],
  ["Release unlocked from stale 'pending-rollback' state", 3, 'rollback', true],
  ['something else', 1, 'install'],
  ['something else', 2, 'upgrade'],
];
for (const [description, version, origin, cutShort = false, isFirst = false] of cases) {
  test(`HB31: v${version} "${description}" comes from an ${origin}${isFirst ? ' when it is the first' : ''}`, () => {
    const release = { ...storedRelease(version, 'failed'), description };
    assert.equal(originOf(release, isFirst), origin);
    assert.equal(wasCutShort(release), cutShort);
  });
}

test('HB31: only an install whose writer died is begun again as an install', () => {
  const unlocked = { ...storedRelease(1, 'failed'), description: "Release unlocked from stale 'pending-install' state" };
  assert.equal(isUnfinishedInstall(unlocked), true);
  assert.equal(isUnfinishedInstall({ ...unlocked, status: 'superseded' }), false);
  assert.equal(isUnfinishedInstall({ ...unlocked, description: "Release unlocked from stale 'pending-upgrade' state" }), false);
  assert.equal(isUnfinishedInstall(storedRelease(1, 'failed')), false);
});

test('HB40: a HelmRelease has failed at what was made since it is there, not at what one before it left', () => {
  const made = (lastDeployed: string): boolean => isSince({ ...storedRelease(1, 'failed'), lastDeployed }, '2026-01-02T00:00:00Z');
  assert.equal(made('2026-01-02T00:00:00.2Z'), true);
  assert.equal(made('2026-01-01T23:59:59.9Z'), false);
  assert.equal(made(''), false);
});
