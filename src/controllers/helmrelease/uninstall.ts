import { conditionTypes, reasons } from '../../api/index.ts';
import type { FeatureGates, Outcome, ReconcileContext } from '../../runtime/index.ts';
import type { Clock } from '../../std/index.ts';
import type { ActionContext, ActionProgress, ActionResult, ReleaseStorage, ReleaseTarget } from './actions/index.ts';
import { recordHistory } from './bookkeeping.ts';
import { addTrace, hookListener, ObservedStorage } from './flight.ts';
import type { ReleaseActions } from './launch.ts';
import type { Pass } from './pass.ts';
import { uninstallOptions } from './release-options.ts';
import { latestOf, subjectOf } from './report.ts';
import { chartName, fullName } from './snapshot.ts';

/** What uninstalling works with. */
export type UninstallRunOptions = { actions: ReleaseActions; clock: Clock; gates: FeatureGates };

/** What follows. */
export type UninstallEnds = {
  done: (context: ReconcileContext) => Promise<Outcome>;
  failed: (error: Error) => Promise<Outcome>;
};

/** Uninstalls a release that is no longer wanted, and says so (HB06, HB64). Waits hold no worker. */
export async function uninstall(
  pass: Pass,
  target: ReleaseTarget,
  storage: ReleaseStorage,
  { actions, clock, gates }: UninstallRunOptions,
  ends: UninstallEnds,
): Promise<Outcome> {
  const observed = new ObservedStorage(storage);
  const trace: string[] = [];
  const said: string[] = [];
  const context: ActionContext = {
    target,
    storage: observed,
    memory: pass.memory.known,
    clock,
    log: pass.context.log,
    trace: (line) => addTrace(trace, line),
    ...hookListener(pass, gates, (text) => said.push(text)),
    signal: pass.context.signal,
  };
  const follow = async (progress: ActionProgress): Promise<Outcome> => {
    if (progress.kind === 'waiting') {
      return {
        kind: 'waiting',
        on: progress.on,
        deadline: progress.deadline,
        resume: async (cause, next) => {
          pass.context = next;
          return follow(await progress.resume(cause, next.signal));
        },
        superseded: async (trigger) => {
          await progress.cancel(`new reconciliation triggered (${trigger})`);
          await pass.session.abandon();
        },
      };
    }
    report(pass, target, progress.result, observed, { trace, said });
    return progress.result.kind === 'succeeded' ? ends.done(pass.context) : ends.failed(errorOf(progress.result));
  };
  return follow(await actions.uninstallRelease(uninstallOptions(pass.object, gates), context));
}

function errorOf(result: ActionResult): Error {
  return result.kind === 'failed' ? result.error : new Error('the process stops');
}

/** What an action told on its way: the last of what Helm would log, and what hooks that failed have said. */
type Told = { trace: readonly string[]; said: readonly string[] };

function report(pass: Pass, target: ReleaseTarget, result: ActionResult, observed: ObservedStorage, { trace, said }: Told): void {
  const { draft, session } = pass;
  const latest = latestOf(draft);
  const details = { ociDigest: '', testFilters: [] };
  const history = recordHistory(draft.history ?? [], { kind: 'uninstall' }, observed.written, details);
  // Nothing is put right here: the release is no longer wanted.
  draft.history = history.map((snapshot) => (observed.written.has(snapshot.version) ? { ...snapshot, action: 'uninstall' } : snapshot));
  const of =
    latest === undefined ? `release ${target.namespace}/${target.name}` : `release ${fullName(latest)} with chart ${chartName(latest)}`;
  const subject = latest === undefined ? {} : subjectOf(latest);
  if (result.kind === 'succeeded') {
    delete draft.inventory;
    if (result.release === undefined) {
      const message = `Release ${latest === undefined ? `${target.namespace}/${target.name}` : fullName(latest)} was not found, assuming it is uninstalled`;
      session.conditions.mark(conditionTypes.released, 'False', reasons.UninstallSucceeded, message);
      return;
    }
    const message = `Helm uninstall succeeded for ${of}`;
    session.conditions.mark(conditionTypes.released, 'False', reasons.UninstallSucceeded, message);
    pass.notice('Normal', reasons.UninstallSucceeded, message, subject);
    return;
  }
  const message = [`Helm uninstall failed for ${of}: ${errorOf(result).message.trim()}`, ...said].join('\n');
  draft.failures = (draft.failures ?? 0) + 1;
  session.conditions.mark(conditionTypes.released, 'False', reasons.UninstallFailed, message);
  const logs = trace.length === 0 ? '' : `\n\nLast Helm logs:\n\n${trace.join('\n')}`;
  pass.notice('Warning', reasons.UninstallFailed, message + logs, subject);
}
