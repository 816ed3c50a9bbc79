import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isPending, lastDeployed, lastRelease, surplusReleases } from './history.ts';
import type { Release, ReleaseStatus } from './release.ts';

function history(...statuses: ReleaseStatus[]): Release[] {
  return statuses.map((status, index) => ({
    name: 'r',
    namespace: 'n',
    version: index + 1,
    status,
    description: '',
    notes: '',
    config: undefined,
    chart: {},
    manifest: '',
    hooks: [],
    labels: {},
  }));
}

describe('a release history', () => {
  it('has a newest revision, and a newest deployed one', () => {
    const releases = history('superseded', 'deployed', 'failed').toReversed();
    assert.equal(lastRelease(releases)?.version, 3);
    assert.equal(lastDeployed(releases)?.version, 2);
    assert.equal(lastRelease([]), undefined);
    assert.equal(lastDeployed(history('failed')), undefined);
  });

  it('gives up its oldest revisions, but never the deployed one', () => {
    const versions = (max: number, ...statuses: ReleaseStatus[]): number[] =>
      surplusReleases(history(...statuses), max).map(({ version }) => version);
    assert.deepEqual(versions(2, 'superseded', 'superseded', 'superseded', 'deployed'), [1, 2]);
    assert.deepEqual(versions(2, 'deployed', 'failed', 'failed', 'failed'), [2, 3]);
    assert.deepEqual(versions(0, 'deployed'), []);
    assert.deepEqual(versions(5, 'superseded', 'deployed'), []);
    assert.deepEqual(versions(-1, 'superseded', 'deployed'), []);
  });

  it('is pending while a writer is at work', () => {
    assert.deepEqual(history('pending-install', 'pending-upgrade', 'pending-rollback', 'failed', 'uninstalling').map(isPending), [
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
