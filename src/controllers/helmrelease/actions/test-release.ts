import { lastRelease, type ReleaseHook } from '../../../helm/index.ts';
import type { ActionContext, ActionProgress, ActionResult, TestOptions } from './action.ts';
import { actionError } from './errors.ts';
import { runHooks } from './hooks.ts';
import { failedEarly, Ledger } from './ledger.ts';
import { drive, isCanceled, Run, toError, type Steps } from './run.ts';

/** Runs the test hooks of the last revision as `helm test` does (HB57); how each went is in the record's hooks. */
export function testRelease(options: TestOptions, context: ActionContext): Promise<ActionProgress> {
  const run = new Run(context);
  return drive(run, test(options, run));
}

async function* test({ filters, wait }: TestOptions, run: Run): Steps<ActionResult> {
  let ledger: Ledger;
  try {
    const last = lastRelease(await run.storage.list(run.signal));
    if (last === undefined) throw actionError('NoDeployedReleases', `no revision for release ${JSON.stringify(run.target.name)}`);
    ledger = new Ledger(run, last);
  } catch (error) {
    return failedEarly(run, error);
  }
  const options = { serverSide: ledger.release.applyMethod === 'ssa', wait, awaitDeletion: true, select: selection(filters) };
  try {
    yield* runHooks('test', ledger, options, run);
    await ledger.write();
    return { kind: 'succeeded', release: ledger.release };
  } catch (thrown) {
    const error = toError(thrown);
    const canceled = isCanceled(error, run);
    run.trace(error.message);
    try {
      if (ledger.stored) await ledger.write({}, canceled ? run.settleSignal() : run.signal);
    } catch (second) {
      run.trace(`failed to record the tests: ${toError(second).message}`);
    }
    const { release, stored } = ledger;
    return canceled ? { kind: 'canceled', release } : { kind: 'failed', error, release, stored };
  }
}

/** Excluded names first, then, if any is asked for by name, only those. */
function selection(filters: TestOptions['filters']): (hook: ReleaseHook) => boolean {
  const excluded = new Set(filters.filter(({ exclude }) => exclude === true).map(({ name }) => name));
  const included = new Set(filters.filter(({ exclude }) => exclude !== true).map(({ name }) => name));
  return ({ name }) => !excluded.has(name) && (included.size === 0 || included.has(name));
}
