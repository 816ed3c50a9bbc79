import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HelmReleaseStatus, Snapshot } from '../../api/index.ts';
import type { Release } from '../../helm/index.ts';
import { snapshotOf } from './snapshot.ts';
import { determineState, type Desired, type ReleaseState } from './state.ts';
import { desired, helmRelease, storedRelease } from './testing/releases.ts';

type Case = {
  name: string;
  last?: Release;
  history?: Snapshot[];
  status?: Partial<HelmReleaseStatus>;
  spec?: Record<string, unknown>;
  want: Partial<Desired>;
  state: ReleaseState['kind'];
  reason?: string;
};

const deployed = storedRelease(1, 'deployed');
const snap = (release: Release, testHooks?: Snapshot['testHooks']): Snapshot =>
  snapshotOf(release, { action: 'install', ...(testHooks === undefined ? {} : { testHooks }) });
const tests = { test: { enable: true } };

const cases: Case[] = [
  { name: 'HB30: nothing in storage', want: {}, state: 'absent', reason: 'no release in storage for object' },
  {
    name: 'HB30: the last record is uninstalled',
    last: storedRelease(1, 'uninstalled'),
    history: [snap(storedRelease(1, 'uninstalled'))],
    want: {},
    state: 'absent',
  },
  { name: 'HB30: an uninstalled release nobody noted', last: storedRelease(1, 'uninstalled'), want: {}, state: 'absent' },
  ...(['pending-install', 'pending-upgrade', 'pending-rollback'] as const).map((status): Case => ({
    name: `HB31: ${status}`,
    last: storedRelease(2, status),
    history: [snap(deployed)],
    want: {},
    state: 'locked',
    reason: `release with status '${status}'`,
  })),
  { name: 'HB32: a release without history', last: deployed, want: {}, state: 'unmanaged', reason: 'found existing release in storage' },
  {
    name: 'HB32: a record that was changed',
    last: { ...deployed, manifest: 'other' },
    history: [snap(deployed)],
    want: {},
    state: 'unmanaged',
    reason: 'release not observed to be made for object',
  },
  {
    name: 'HB32: a revision somebody else made',
    last: storedRelease(2, 'deployed'),
    history: [snap(deployed)],
    want: {},
    state: 'unmanaged',
  },
  {
    name: 'HB44: a snapshot made another way is not compared',
    last: deployed,
    history: [{ ...snap(deployed), apiVersion: 'v1', digest: 'sha256:0' }],
    want: {},
    state: 'in-sync',
  },
  { name: 'our own first revision, noted by nobody', last: storedRelease(1, 'deployed', { ours: true }), want: {}, state: 'unobserved' },
  {
    name: 'our own failed revision, noted by nobody',
    last: storedRelease(2, 'failed', { ours: true }),
    history: [snap(deployed)],
    want: {},
    state: 'unobserved',
  },
  {
    name: 'our own failed revision of something older, noted by nobody',
    last: storedRelease(2, 'failed', { ours: true, chart: '0.9.0' }),
    history: [snap(deployed)],
    want: {},
    state: 'unobserved',
  },
  {
    name: 'a failed revision somebody else made',
    last: storedRelease(2, 'failed'),
    history: [snap(deployed)],
    want: {},
    state: 'unmanaged',
  },
  {
    name: 'the end of our own rollback of what failed, noted by nobody',
    last: { ...storedRelease(3, 'deployed', { ours: true, chart: '0.9.0' }), description: 'Rollback to 1' },
    history: [snap(storedRelease(2, 'failed')), snap(deployed)],
    want: {},
    state: 'unobserved',
  },
  {
    name: 'somebody’s rollback of what had not failed',
    last: { ...storedRelease(3, 'deployed', { ours: true, chart: '0.9.0' }), description: 'Rollback to 1' },
    history: [snap(storedRelease(2, 'deployed')), snap(deployed)],
    want: {},
    state: 'unmanaged',
  },
  {
    name: 'HB38: something newer does not wait for the end of an uninstall',
    last: storedRelease(1, 'uninstalling', { chart: '0.9.0' }),
    history: [snap(deployed)],
    want: {},
    state: 'out-of-sync',
    reason: "release with status 'uninstalling'",
  },
  {
    name: 'our own revision of another chart, noted by nobody',
    last: storedRelease(2, 'deployed', { ours: true, chart: '0.9.0' }),
    history: [snap(deployed)],
    want: {},
    state: 'unmanaged',
  },
  {
    name: 'HB33: another chart version',
    last: deployed,
    history: [snap(deployed)],
    want: { chartVersion: '2.0.0' },
    state: 'out-of-sync',
    reason: 'release chart changed',
  },
  { name: 'HB33: another chart', last: deployed, history: [snap(deployed)], want: { chartName: 'other' }, state: 'out-of-sync' },
  {
    name: 'HB33: other values',
    last: deployed,
    history: [snap(deployed)],
    want: { configDigest: 'sha256:1' },
    state: 'out-of-sync',
    reason: 'release config values changed',
  },
  {
    name: 'HB33: other post-renderers in a new generation',
    last: deployed,
    history: [snap(deployed)],
    want: { postRenderersDigest: 'sha256:1', generation: 2 },
    state: 'out-of-sync',
    reason: 'postrenderers digest has changed',
  },
  {
    name: 'HB33: other post-renderers count only for a new generation',
    last: deployed,
    history: [snap(deployed)],
    want: { postRenderersDigest: 'sha256:1' },
    state: 'in-sync',
  },
  {
    name: 'HB33: other common metadata in a new generation',
    last: deployed,
    history: [snap(deployed)],
    want: { commonMetadataDigest: 'sha256:1', generation: 2 },
    state: 'out-of-sync',
    reason: 'common metadata digest has changed',
  },
  { name: 'HB34: tests have not run', spec: tests, last: deployed, history: [snap(deployed)], want: {}, state: 'untested' },
  {
    name: 'HB34: a chart without tests counts as tested',
    spec: tests,
    last: deployed,
    history: [snap(deployed, {})],
    want: {},
    state: 'in-sync',
  },
  {
    name: 'HB34: a test that did not end',
    spec: tests,
    last: deployed,
    history: [snap(deployed, { a: { phase: 'Running' } })],
    want: {},
    state: 'untested',
  },
  {
    name: 'HB35: the last action failed',
    last: storedRelease(1, 'failed'),
    history: [snap(storedRelease(1, 'failed'))],
    want: {},
    state: 'failed',
  },
  {
    name: 'HB35: a test failed',
    spec: tests,
    last: deployed,
    history: [snap(deployed, { a: { phase: 'Failed' } })],
    status: { lastAttemptedReleaseAction: 'install' },
    want: {},
    state: 'failed',
    reason: 'release has test in failed phase',
  },
  {
    name: 'HB35: a failed test that is ignored',
    spec: { test: { enable: true, ignoreFailures: true } },
    last: deployed,
    history: [snap(deployed, { a: { phase: 'Failed' } })],
    status: { lastAttemptedReleaseAction: 'install' },
    want: {},
    state: 'in-sync',
  },
  { name: 'HB37: all is as wanted', last: deployed, history: [snap(deployed)], want: {}, state: 'in-sync' },
  {
    name: 'HB38: a status nobody knows is made known by an upgrade',
    last: storedRelease(1, 'superseded'),
    history: [snap(storedRelease(1, 'superseded'))],
    want: {},
    state: 'unmanaged',
    reason: "unable to determine state for release with status 'superseded'",
  },
  {
    name: 'HB38: an uninstall that did not end goes on',
    last: storedRelease(1, 'uninstalling'),
    history: [snap(deployed)],
    want: {},
    state: 'leaving',
  },
];
for (const { name, last, history, status, spec, want, state, reason } of cases) {
  test(`${name}: ${state}`, () => {
    const object = helmRelease(spec, { ...(history === undefined ? {} : { history }), ...status });
    const found = determineState(last, object.status, desired(object, want));
    assert.equal(found.kind, state);
    if (reason !== undefined) assert.equal(found.reason, reason);
  });
}
