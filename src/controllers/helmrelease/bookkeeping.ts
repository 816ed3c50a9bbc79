import type { HelmReleaseStatus, Snapshot } from '../../api/index.ts';
import type { Release } from '../../helm/index.ts';
import { activePolicy } from './state.ts';
import type { FailurePolicies } from './settings.ts';
import { isRevision, isTested, snapshotOf, sortHistory, testHooksOf } from './snapshot.ts';
import type { Action } from './steps.ts';

/** Records an action wrote, by revision; the last write of each counts. */
export type Observed = ReadonlyMap<number, Release>;

/** What snapshots say besides what is in the record. */
export type SnapshotDetails = {
  /** Digest of the artifact the chart came from. */
  ociDigest: string;
  testFilters: readonly { name: string; exclude?: boolean }[];
};

/**
 * The history after an action: revisions it knows are seen anew, and the newest one it does not know comes to the front. Pure.
 * A rollback's own revision has no artifact, as with Flux.
 */
export function recordHistory(history: readonly Snapshot[], action: Action, observed: Observed, details: SnapshotDetails): Snapshot[] {
  const versions = [...observed.keys()].sort((a, b) => b - a);
  const updated = history.map((snapshot) => {
    const release = observed.get(snapshot.version);
    return release === undefined || !isRevision(snapshot, release) ? snapshot : seenAgain(snapshot, release, action, details);
  });
  const newest = observed.get(versions[0] ?? 0);
  if (newest === undefined || updated.some((snapshot) => isRevision(snapshot, newest)) || !makesRevisions(action))
    return sortHistory(updated);
  const ociDigest = action.kind === 'rollback' ? '' : details.ociDigest;
  return sortHistory([snapshotOf(newest, { action: nameOf(action, newest), ociDigest }), ...updated]);
}

function seenAgain(snapshot: Snapshot, release: Release, action: Action, { testFilters }: SnapshotDetails): Snapshot {
  const { ociDigest = '' } = snapshot;
  const name = action.kind === 'uninstall' ? nameOf(action, release) : (snapshot.action ?? '');
  const testHooks = action.kind === 'test' ? testHooksOf(release, testFilters) : snapshot.testHooks;
  return snapshotOf(release, { action: name, ociDigest, ...(testHooks === undefined ? {} : { testHooks }) });
}

function makesRevisions({ kind }: Action): boolean {
  return kind === 'install' || kind === 'upgrade' || kind === 'rollback' || kind === 'adopt';
}

function nameOf({ kind }: Action, release: Release): string {
  if (kind === 'adopt') return release.version === 1 ? 'install' : 'upgrade';
  return kind === 'uninstall' ? 'uninstall-remediation' : kind;
}

type Counters = Pick<HelmReleaseStatus, 'failures' | 'installFailures' | 'upgradeFailures'>;

/**
 * The counters after an action failed (HB40). An install or upgrade counts for its retries only when it left a record; a test when its failure
 * matters.
 */
export function countFailure(status: HelmReleaseStatus, action: Action, observed: Observed, policies: FailurePolicies): Counters {
  const counters: Counters = {
    failures: (status.failures ?? 0) + 1,
    installFailures: status.installFailures ?? 0,
    upgradeFailures: status.upgradeFailures ?? 0,
  };
  const blamed = blame(status, action, observed, policies);
  if (blamed === 'install') counters.installFailures = (counters.installFailures ?? 0) + 1;
  if (blamed === 'upgrade') counters.upgradeFailures = (counters.upgradeFailures ?? 0) + 1;
  return counters;
}

function blame(
  status: HelmReleaseStatus,
  { kind }: Action,
  observed: Observed,
  policies: FailurePolicies,
): 'install' | 'upgrade' | undefined {
  if (kind === 'install' || kind === 'upgrade') return observed.size > 0 ? kind : undefined;
  // Nothing else would end an uninstall that never succeeds.
  if (kind === 'uninstall') return status.lastAttemptedReleaseAction;
  if (kind !== 'test') return undefined;
  const [latest] = sortHistory(status.history);
  const policy = activePolicy(status, policies);
  const matters = latest !== undefined && isTested(latest) && policy !== undefined && !policy.ignoreTestFailures;
  return matters ? status.lastAttemptedReleaseAction : undefined;
}

/** Counters of a release that has not failed. */
export const NO_FAILURES: Counters = { failures: 0, installFailures: 0, upgradeFailures: 0 };

/** Why the counters begin anew (HB07); undefined when what is attempted is what was attempted last. */
export function resetReason(
  status: HelmReleaseStatus,
  attempt: { generation: number; chartVersion: string; configDigest: string; resetRequested: boolean },
): string | undefined {
  if (status.lastAttemptedGeneration !== attempt.generation) return 'generation differs from last attempt';
  if (status.lastAttemptedRevision !== attempt.chartVersion) return 'chart version differs from last attempt';
  const { lastAttemptedConfigDigest: last = '' } = status;
  if (last !== '' && last !== attempt.configDigest) return 'values differ from last attempt';
  return attempt.resetRequested ? 'reset requested through annotation' : undefined;
}
