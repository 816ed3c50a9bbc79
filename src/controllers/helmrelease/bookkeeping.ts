import type { HelmReleaseStatus, Snapshot } from '../../api/index.ts';
import type { Release } from '../../helm/index.ts';
import { activePolicy } from './state.ts';
import type { FailurePolicies } from './settings.ts';
import { originOf } from './origin.ts';
import { isRevision, isSupersededSince, isTested, snapshotOf, sortHistory, testHooksOf } from './snapshot.ts';
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
  return sortHistory([snapshotOf(newest, { action: nameOf(action, newest, history.length === 0), ociDigest }), ...updated]);
}

function seenAgain(snapshot: Snapshot, release: Release, action: Action, { testFilters }: SnapshotDetails): Snapshot {
  const { ociDigest = '' } = snapshot;
  const name = action.kind === 'uninstall' ? nameOf(action, release, false) : (snapshot.action ?? '');
  const testHooks = action.kind === 'test' ? testHooksOf(release, testFilters) : snapshot.testHooks;
  return snapshotOf(release, { action: name, ociDigest, ...(testHooks === undefined ? {} : { testHooks }) });
}

function makesRevisions({ kind }: Action): boolean {
  return kind === 'install' || kind === 'upgrade' || kind === 'rollback' || kind === 'adopt';
}

function nameOf({ kind }: Action, release: Release, isFirst: boolean): string {
  if (kind === 'adopt') return originOf(release, isFirst);
  return kind === 'uninstall' ? 'uninstall-remediation' : kind;
}

/** What an action that nobody has noted has stored: the revision it worked on, and those it has put in their place. */
export function observedSince(history: readonly Snapshot[], records: readonly Release[], last: Release): Observed {
  const superseded = records.filter((release) =>
    history.some((snapshot) => isRevision(snapshot, release) && isSupersededSince(snapshot, release)),
  );
  return new Map([...superseded, last].map((release) => [release.version, release]));
}

type Counters = Pick<HelmReleaseStatus, 'failures' | 'installFailures' | 'upgradeFailures'>;

/**
 * The counters that are other after an action failed (HB40). An install or upgrade counts for its retries only when it left a record; a test when its failure
 * matters.
 */
export function countFailure(status: HelmReleaseStatus, action: Action, observed: Observed, policies: FailurePolicies): Counters {
  const counters: Counters = { failures: (status.failures ?? 0) + 1 };
  const blamed = blame(status, action, observed, policies);
  if (blamed === 'install') counters.installFailures = (status.installFailures ?? 0) + 1;
  if (blamed === 'upgrade') counters.upgradeFailures = (status.upgradeFailures ?? 0) + 1;
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

/** Begins to count anew. A counter that is zero is not there, as with Flux. */
export function forgetFailures(status: HelmReleaseStatus): void {
  delete status.failures;
  delete status.installFailures;
  delete status.upgradeFailures;
}

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
