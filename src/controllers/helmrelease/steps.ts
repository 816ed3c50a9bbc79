import type { HelmReleaseStatus, Snapshot } from '../../api/index.ts';
import type { Release } from '../../helm/index.ts';
import { activeFailures, activePolicy, type ReleaseState } from './state.ts';
import { isUnfinishedInstall, wasCutShort } from './origin.ts';
import type { FailurePolicies, FailurePolicy } from './settings.ts';
import { isRevision, isSnapshotOf, isSupersededSince, latestHistory, previousSnapshot, sortHistory, truncateHistory } from './snapshot.ts';

/** An action on a release. */
export type Action =
  | { kind: 'install' }
  | { kind: 'upgrade' }
  | { kind: 'rollback'; to: Snapshot }
  | { kind: 'uninstall' }
  | { kind: 'test' }
  | { kind: 'unlock' }
  | { kind: 'adopt' }
  | { kind: 'correct' };

/** Each of these is done at most once in a pass (HB39). */
export type ActionType = 'release' | 'remediate' | 'test' | 'unlock' | 'adopt' | 'correct';

/** What comes next. */
export type Step =
  | { kind: 'run'; action: Action }
  /** Nothing is left to do. */
  | { kind: 'finish' }
  /** The end until something changes. */
  | { kind: 'stall'; reason: 'RetriesExceeded' | 'MissingRollbackTarget'; message: string }
  /** Try again after a pause. */
  | { kind: 'retry' }
  /** The next attempt of a remediated release begins a new pass. */
  | { kind: 'again' };

/** A step, and the history it goes on with. */
export type Decision = { step: Step; history: Snapshot[] };

/** What a decision looks at. */
export type Situation = {
  state: ReleaseState;
  status: HelmReleaseStatus;
  policies: FailurePolicies;
  /** Records in the storage, to make sure of what is gone back to. */
  records: readonly Release[];
  /** Someone asked for an upgrade whatever is (C08). */
  forced: boolean;
  correctsDrift: boolean;
  /** What was done in this pass already. */
  done: ReadonlySet<ActionType>;
};

/** The type of an action. */
export function actionType({ kind }: Action): ActionType {
  switch (kind) {
    case 'install':
    case 'upgrade':
      return 'release';
    case 'rollback':
    case 'uninstall':
      return 'remediate';
    default:
      return kind;
  }
}

/** What to do next in a state (HB30–HB42). Pure. */
export function nextStep(situation: Situation): Decision {
  const decision = choose(situation);
  const { step } = decision;
  if (step.kind !== 'run' || !situation.done.has(actionType(step.action))) return decision;
  return { ...decision, step: afterRepeat(situation) };
}

/** What follows when the same type of action would have to run twice in a pass. */
function afterRepeat({ status, policies }: Situation): Step {
  const policy = activePolicy(status, policies);
  if (policy?.retry !== undefined) return { kind: 'retry' };
  return policy === undefined || !isExhausted(policy, activeFailures(status)) ? { kind: 'again' } : { kind: 'finish' };
}

/** What follows a rollback or uninstall that was to put a failure right: it ends the pass (HB39, HB42). */
export function afterRemediation(status: HelmReleaseStatus, policies: FailurePolicies, succeeded: boolean): Step {
  const policy = activePolicy(status, policies);
  if (policy?.retry !== undefined) return { kind: 'retry' };
  const goesOn = succeeded && status.lastAttemptedReleaseAction === 'upgrade' && policy?.strategy === 'uninstall';
  if (policy === undefined || goesOn || !isExhausted(policy, activeFailures(status))) return { kind: 'again' };
  return retriesExceeded(status);
}

function choose(situation: Situation): Decision {
  const { state, status, policies, forced } = situation;
  const history = status.history ?? [];
  const go = (action: Action, kept: Snapshot[] = history): Decision => ({ step: { kind: 'run', action }, history: kept });
  switch (state.kind) {
    case 'absent':
      if (!forced && isExhausted(policies.install, status.installFailures ?? 0)) return { step: retriesExceeded(status), history };
      // An install begins a new life: nothing before it is ever gone back to.
      return go({ kind: 'install' }, []);
    case 'locked':
      return go({ kind: 'unlock' });
    case 'leaving':
      return go({ kind: 'uninstall' });
    case 'unobserved':
      return go({ kind: 'adopt' });
    case 'unmanaged':
      return go({ kind: 'upgrade' }, []);
    case 'out-of-sync':
      if (!forced && isExhausted(policies.upgrade, status.upgradeFailures ?? 0)) return { step: retriesExceeded(status), history };
      return go({ kind: 'upgrade' });
    case 'untested':
      return go({ kind: 'test' });
    case 'failed':
      return afterFailure(situation);
    case 'drifted':
      return situation.correctsDrift ? go({ kind: 'correct' }) : { step: { kind: 'finish' }, history };
    case 'in-sync':
      return inSync(situation);
  }
}

function inSync({ status, policies, forced }: Situation): Decision {
  const policy = activePolicy(status, policies);
  const history = status.history ?? [];
  const kept = policy?.retry === undefined ? truncateHistory(history, policy?.ignoreTestFailures ?? false) : latestHistory(history);
  return { step: forced ? { kind: 'run', action: { kind: 'upgrade' } } : { kind: 'finish' }, history: kept };
}

/** HB35. */
function afterFailure(situation: Situation): Decision {
  const { status, policies, forced, records } = situation;
  const history = status.history ?? [];
  const policy = activePolicy(status, policies);
  const failures = activeFailures(status);
  const [latest] = sortHistory(history);
  const record = records.find((release) => latest !== undefined && isRevision(latest, release));
  // A process that died over an install has not installed anything yet.
  if (record !== undefined && isUnfinishedInstall(record) && (forced || !isExhausted(policies.install, status.installFailures ?? 0))) {
    return { step: { kind: 'run', action: { kind: 'install' } }, history: [] };
  }
  const upgrade: Step = { kind: 'run', action: { kind: 'upgrade' } };
  if (policy?.retry !== undefined) return { step: upgrade, history: latestHistory(history) };
  // Without failures to count, what it failed with has changed since.
  if (policy === undefined || failures <= 0 || forced) return { step: upgrade, history };
  if (isExhausted(policy, failures) && !policy.remediateLastFailure) return { step: retriesExceeded(status), history };
  // A rollback that failed itself is not tried again: the next attempt is an upgrade, as long as there are any left. One that was cut short is.
  const cutShort = record !== undefined && wasCutShort(record);
  if (latest?.action === 'rollback' && latest.status === 'failed' && !cutShort) {
    return { step: isExhausted(policy, failures) ? retriesExceeded(status) : upgrade, history };
  }
  const kept = truncateHistory(history, policy.ignoreTestFailures);
  if (policy.strategy === 'uninstall') return { step: { kind: 'run', action: { kind: 'uninstall' } }, history: kept };
  return { step: rollback(kept, policy, situation), history: kept };
}

/** Goes back to the revision before, when it is there and as it was left. */
function rollback(history: Snapshot[], policy: FailurePolicy, { records }: Situation): Step {
  const target = previousSnapshot(history, policy.ignoreTestFailures);
  if (target === undefined) {
    const why = 'missing target release for rollback: cannot remediate failed release';
    return { kind: 'stall', reason: 'MissingRollbackTarget', message: `Failed to perform remediation: ${why}` };
  }
  const record = records.find((release) => isRevision(target, release));
  if (record === undefined || !(isSnapshotOf(target, record) || isSupersededSince(target, record)))
    return { kind: 'run', action: { kind: 'upgrade' } };
  return { kind: 'run', action: { kind: 'rollback', to: target } };
}

/** True when it has failed as often as it may (HB30, HB33, HB35). Those that are tried again never are. */
export function isExhausted({ retry, retries }: FailurePolicy, failures: number): boolean {
  return retry === undefined && retries >= 0 && failures > retries;
}

function retriesExceeded(status: HelmReleaseStatus): Step {
  const message = `Failed to ${status.lastAttemptedReleaseAction ?? 'install'} after ${activeFailures(status)} attempt(s)`;
  return { kind: 'stall', reason: 'RetriesExceeded', message };
}
