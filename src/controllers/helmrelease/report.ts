import { conditionTypes, reasons, type ConditionType, type HelmReleaseStatus, type Reason, type Snapshot } from '../../api/index.ts';
import type { Release } from '../../helm/index.ts';
import type { Flight } from './flight.ts';
import type { EventSubject, Pass } from './pass.ts';
import { wasCutShort } from './origin.ts';
import { chartName, chartOf, fullName, isTested, previousSnapshot, sortHistory } from './snapshot.ts';
import type { Action } from './steps.ts';
import { configDigest } from './values-digest.ts';

type Outcome = { condition: ConditionType; reason: Reason };

const OUTCOMES: Readonly<Record<'install' | 'upgrade' | 'rollback' | 'uninstall' | 'test', { done: Outcome; failed: Outcome }>> = {
  install: outcomes(conditionTypes.released, reasons.InstallSucceeded, reasons.InstallFailed),
  upgrade: outcomes(conditionTypes.released, reasons.UpgradeSucceeded, reasons.UpgradeFailed),
  rollback: outcomes(conditionTypes.remediated, reasons.RollbackSucceeded, reasons.RollbackFailed),
  uninstall: outcomes(conditionTypes.remediated, reasons.UninstallSucceeded, reasons.UninstallFailed),
  test: outcomes(conditionTypes.testSuccess, reasons.TestSucceeded, reasons.TestFailed),
};

function outcomes(condition: ConditionType, done: Reason, failed: Reason): { done: Outcome; failed: Outcome } {
  return { done: { condition, reason: done }, failed: { condition, reason: failed } };
}

/** The latest revision the status speaks of. */
export function latestOf(status: HelmReleaseStatus): Snapshot | undefined {
  return sortHistory(status.history)[0];
}

/** Says in conditions and an event that an action succeeded. */
export function reportSuccess(pass: Pass, { action, prepared }: Flight): void {
  const latest = latestOf(pass.draft);
  if (latest === undefined || action.kind === 'unlock' || action.kind === 'adopt' || action.kind === 'correct') return;
  const { condition, reason } = OUTCOMES[action.kind].done;
  const about = action.kind === 'rollback' ? action.to : latest;
  const message = successText(action, about);
  pass.session.conditions.mark(condition, 'True', reason, message);
  if (action.kind === 'install' || action.kind === 'upgrade') awaitTests(pass, latest);
  pass.notice('Normal', reason, message, action.kind === 'rollback' ? rolledBackTo(action.to, prepared) : subjectOf(about));
}

function awaitTests({ object, session }: Pass, latest: Snapshot): void {
  if (object.spec.test?.enable !== true || isTested(latest)) return;
  const message = `Helm release ${fullName(latest)} with chart ${chartName(latest)} is awaiting tests`;
  session.conditions.mark(conditionTypes.testSuccess, 'Unknown', reasons.AwaitingTests, message);
}

function successText(action: Action, about: Snapshot): string {
  const of = `release ${fullName(about)} with chart ${chartName(about)}`;
  switch (action.kind) {
    case 'rollback':
      return `Helm rollback to previous ${of} succeeded`;
    case 'uninstall':
      return `Helm uninstall remediation for ${of} succeeded`;
    case 'test':
      return `Helm test succeeded for ${of}: ${testText(about)}`;
    default:
      return `Helm ${action.kind} succeeded for ${of}`;
  }
}

function testText({ testHooks = {} }: Snapshot): string {
  const count = Object.keys(testHooks).length;
  return count === 0 ? 'no test hooks' : `${count} test hook${count === 1 ? '' : 's'} completed successfully`;
}

/** Says in conditions and an event that an action failed. */
export function reportFailure(pass: Pass, { action, prepared, trace, output }: Flight, why: string): void {
  if (action.kind === 'unlock' || action.kind === 'adopt' || action.kind === 'correct') return;
  const { condition, reason } = OUTCOMES[action.kind].failed;
  const message = failureText(pass, action, prepared, output === '' ? why.trim() : `${why.trim()}\n${output}`);
  pass.session.conditions.mark(condition, 'False', reason, message);
  const latest = latestOf(pass.draft);
  const releases = action.kind === 'install' || action.kind === 'upgrade';
  const isRollback = action.kind === 'rollback';
  const subject = isRollback
    ? rolledBackTo(action.to, prepared)
    : releases || latest === undefined
      ? attempted(pass, prepared)
      : subjectOf(latest);
  const logs = trace.length === 0 || action.kind === 'test' ? '' : `\n\nLast Helm logs:\n\n${trace.join('\n')}`;
  pass.notice('Warning', reason, message + logs, subject);
}

function failureText(pass: Pass, action: Action, { target, chart }: Flight['prepared'], why: string): string {
  if (action.kind === 'install' || action.kind === 'upgrade') {
    return `Helm ${action.kind} failed for release ${target.namespace}/${target.name} with chart ${chart.name}@${chart.version}: ${why}`;
  }
  const about = action.kind === 'rollback' ? action.to : latestOf(pass.draft);
  const of =
    about === undefined ? `release ${target.namespace}/${target.name}` : `release ${fullName(about)} with chart ${chartName(about)}`;
  switch (action.kind) {
    case 'rollback':
      return `Helm rollback to previous ${of} failed: ${why}`;
    case 'uninstall':
      return `Helm uninstall remediation for ${of} failed: ${why}`;
    default:
      return `Helm ${action.kind} failed for ${of}: ${why}`;
  }
}

/** Says that a record that was left in the middle of an action can be worked with again. */
export function reportUnlock(pass: Pass, locked: Release): void {
  const { name = '', version = '', appVersion } = chartOf(locked);
  const message = `Unlocked Helm release ${locked.namespace}/${locked.name}.v${locked.version} with chart ${name}@${version} in ${locked.status} state`;
  pass.session.conditions.mark(conditionTypes.released, 'False', reasons.PendingRelease, message);
  pass.notice('Normal', reasons.PendingRelease, message, {
    chartVersion: version,
    configDigest: configDigest(locked.config ?? {}),
    ...(appVersion === undefined ? {} : { appVersion }),
  });
}

/** Says of a release that was found as our own last action left it what that action would have said. */
export function reportAdoption(pass: Pass, release: Release, kind: 'install' | 'upgrade' | 'rollback'): void {
  const latest = latestOf(pass.draft);
  // That it was cut short is told already.
  if (latest === undefined || wasCutShort(release)) return;
  const succeeded = release.status === 'deployed';
  const { condition, reason } = OUTCOMES[kind][succeeded ? 'done' : 'failed'];
  const about = kind === 'rollback' ? (previousSnapshot(pass.draft.history ?? [], true) ?? latest) : latest;
  const of = `release ${fullName(about)} with chart ${chartName(about)}`;
  const message = adoptionText(kind, of, succeeded, release.description);
  pass.session.conditions.mark(condition, succeeded ? 'True' : 'False', reason, message);
  if (succeeded && kind !== 'rollback') awaitTests(pass, latest);
  pass.notice(succeeded ? 'Normal' : 'Warning', reason, message, subjectOf(about));
}

function adoptionText(kind: string, of: string, succeeded: boolean, why: string): string {
  if (kind === 'rollback') return `Helm rollback to previous ${of} ${succeeded ? 'succeeded' : `failed: ${why}`}`;
  return succeeded ? `Helm ${kind} succeeded for ${of}` : `Helm ${kind} failed for ${of}: ${why}`;
}

/** Puts Released right for a release that is as it should be (HB37): one that was rolled back to what is wanted, or healed. */
export function reportInSync(pass: Pass): void {
  const { conditions } = pass.session;
  const latest = latestOf(pass.draft);
  if (latest === undefined) return;
  const text = (kind: 'install' | 'upgrade'): string =>
    `Helm ${kind} succeeded for release ${fullName(latest)} with chart ${chartName(latest)}`;
  if (conditions.isTrue(conditionTypes.remediated)) {
    conditions.remove(conditionTypes.remediated);
    conditions.mark(conditionTypes.released, 'True', reasons.UpgradeSucceeded, text('upgrade'));
  }
  const released = conditions.find(conditionTypes.released);
  if (released?.status === 'True') return;
  const installed = released?.reason === reasons.InstallFailed || (released === undefined && latest.version === 1);
  const reason = installed ? reasons.InstallSucceeded : reasons.UpgradeSucceeded;
  conditions.mark(conditionTypes.released, 'True', reason, text(installed ? 'install' : 'upgrade'));
}

/** What events say of a revision. */
export function subjectOf({ chartVersion, configDigest: config, appVersion, ociDigest }: Snapshot): EventSubject {
  return {
    chartVersion,
    configDigest: config,
    ...(appVersion === undefined ? {} : { appVersion }),
    ...(ociDigest === undefined ? {} : { ociDigest }),
  };
}

/** What events say of a rollback: the revision gone back to, and as their token the values that are wanted. */
function rolledBackTo(to: Snapshot, { desired: { configDigest: wanted } }: Flight['prepared']): EventSubject {
  return { ...subjectOf(to), configDigest: wanted };
}

/** What events say of an attempt that may have left no revision. */
function attempted({ draft }: Pass, { chart, desired }: Flight['prepared']): EventSubject {
  const { lastAttemptedRevisionDigest: ociDigest } = draft;
  return {
    chartVersion: chart.version,
    configDigest: desired.configDigest,
    appVersion: chart.appVersion,
    ...(ociDigest === undefined ? {} : { ociDigest }),
  };
}
