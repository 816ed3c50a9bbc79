import type { HelmReleaseStatus, Snapshot } from '../../api/index.ts';
import type { Release } from '../../helm/index.ts';
import type { FailurePolicies, FailurePolicy } from './settings.ts';
import { originOf } from './origin.ts';
import { chartOf, hasFailedTest, isSnapshotOf, isTested, sortHistory } from './snapshot.ts';
import { configDigest } from './values-digest.ts';

/** What is there of a release, compared with what is wanted (HB30–HB38). */
export type ReleaseState =
  /** Nothing is installed. */
  | { kind: 'absent'; reason: string }
  /** An action is under way, or was when whoever did it ended. */
  | { kind: 'locked'; release: Release; reason: string }
  /** An uninstall did not come to its end. */
  | { kind: 'leaving'; release: Release; reason: string }
  /** Our own last action was stored, but ended before its result was noted in the status. */
  | { kind: 'unobserved'; release: Release; reason: string }
  /** Someone else made or changed it. */
  | { kind: 'unmanaged'; reason: string }
  | { kind: 'out-of-sync'; reason: string }
  | { kind: 'untested'; reason: string }
  | { kind: 'failed'; reason: string }
  /** Objects in the cluster are not as released. */
  | { kind: 'drifted'; reason: string }
  | { kind: 'in-sync'; reason: string };

/** What is wanted. */
export type Desired = {
  chartName: string;
  chartVersion: string;
  configDigest: string;
  /** Empty without any. */
  postRenderersDigest: string;
  /** Empty without any. */
  commonMetadataDigest: string;
  tests: boolean;
  policies: FailurePolicies;
  generation: number;
  /** Finds our own mark in a record. */
  isOurs: (release: Release) => boolean;
};

const PENDING: ReadonlySet<string> = new Set(['pending-install', 'pending-upgrade', 'pending-rollback']);

/**
 * What state a release is in (HB30–HB38), drift aside. Pure.
 * @param last the latest record in the storage
 */
export function determineState(last: Release | undefined, status: HelmReleaseStatus, desired: Desired): ReleaseState {
  if (last === undefined) return { kind: 'absent', reason: 'no release in storage for object' };
  if (PENDING.has(last.status)) return { kind: 'locked', release: last, reason: `release with status '${last.status}'` };
  if (last.status === 'uninstalling') {
    const reason = `release with status '${last.status}'`;
    // Something newer need not wait for the end of what is old: an upgrade brings back what is gone.
    return isDesired(last, desired) ? { kind: 'leaving', release: last, reason } : { kind: 'out-of-sync', reason };
  }
  const [latest] = sortHistory(status.history);
  if (latest === undefined || !isSnapshotOf(latest, last)) return unknownRecord(last, latest, desired);
  switch (last.status) {
    case 'failed':
      return { kind: 'failed', reason: '' };
    case 'uninstalled':
      return { kind: 'absent', reason: 'found uninstalled release in storage' };
    case 'deployed':
      return deployed(last, latest, status, desired);
    default:
      // Flux gives up here (HB38); an upgrade makes a revision whose status is known.
      return { kind: 'unmanaged', reason: `unable to determine state for release with status '${last.status}'` };
  }
}

/** A record the status does not speak of. */
function unknownRecord(last: Release, latest: Snapshot | undefined, desired: Desired): ReleaseState {
  if (latest === undefined && last.status === 'uninstalled') return { kind: 'absent', reason: 'found uninstalled release in storage' };
  const isNew = latest === undefined || last.version > latest.version;
  const isAttempt = last.status === 'failed' || (last.status === 'deployed' && (isDesired(last, desired) || undoes(last, latest)));
  if (isNew && isAttempt && desired.isOurs(last)) {
    return { kind: 'unobserved', release: last, reason: 'found a release that was made for this object' };
  }
  const reason = latest === undefined ? 'found existing release in storage' : 'release not observed to be made for object';
  return { kind: 'unmanaged', reason };
}

/** True for the end of a rollback that was to put right what the status speaks of. */
function undoes(last: Release, latest: Snapshot | undefined): boolean {
  return latest !== undefined && originOf(last, false) === 'rollback' && (latest.status === 'failed' || hasFailedTest(latest));
}

/** True when a revision is of the chart and the values that are wanted. */
export function isDesired(release: Release, desired: Desired): boolean {
  const { name, version } = chartOf(release);
  return name === desired.chartName && version === desired.chartVersion && configDigest(release.config ?? {}) === desired.configDigest;
}

function deployed(last: Release, latest: Snapshot, status: HelmReleaseStatus, desired: Desired): ReleaseState {
  const chart = chartOf(last);
  if (chart.name !== desired.chartName || chart.version !== desired.chartVersion) {
    return { kind: 'out-of-sync', reason: 'release chart changed' };
  }
  if (latest.configDigest !== desired.configDigest) return { kind: 'out-of-sync', reason: 'release config values changed' };
  if (status.observedGeneration !== desired.generation) {
    if ((status.observedPostRenderersDigest ?? '') !== desired.postRenderersDigest) {
      return { kind: 'out-of-sync', reason: 'postrenderers digest has changed' };
    }
    if ((status.observedCommonMetadataDigest ?? '') !== desired.commonMetadataDigest) {
      return { kind: 'out-of-sync', reason: 'common metadata digest has changed' };
    }
  }
  if (desired.tests) {
    if (!isTested(latest)) return { kind: 'untested', reason: '' };
    const policy = activePolicy(status, desired.policies);
    if (policy !== undefined && !policy.ignoreTestFailures && hasFailedTest(latest)) {
      return { kind: 'failed', reason: 'release has test in failed phase' };
    }
  }
  return { kind: 'in-sync', reason: '' };
}

/** The policy of the last action that was attempted (HB41). */
export function activePolicy(status: HelmReleaseStatus, policies: FailurePolicies): FailurePolicy | undefined {
  const { lastAttemptedReleaseAction: action } = status;
  return action === undefined ? undefined : policies[action];
}

/** How often the last action that was attempted has failed (HB40). */
export function activeFailures(status: HelmReleaseStatus): number {
  switch (status.lastAttemptedReleaseAction) {
    case 'install':
      return status.installFailures ?? 0;
    case 'upgrade':
      return status.upgradeFailures ?? 0;
    default:
      return 0;
  }
}
