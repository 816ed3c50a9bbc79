import { conditionTypes, reasons } from '../../api/index.ts';
import { formatChanges } from '../../apply/index.ts';
import type { Release } from '../../helm/index.ts';
import { readObjects, type KubeObject } from '../../manifest/index.ts';
import type { Outcome } from '../../runtime/index.ts';
import { CodedError, errorMessage, formatDuration, jitter, milliseconds, type Clock, type Duration } from '../../std/index.ts';
import type { ActionContext, ActionProgress, ActionResult, Drift, DriftOptions, ReleaseStorage } from './actions/index.ts';
import { definitionsIn } from './charts.ts';
import { countFailure, forgetFailures, observedSince, recordHistory, type SnapshotDetails } from './bookkeeping.ts';
import { HelmReleaseFailure, step } from './failure.ts';
import { addTrace, hookListener, ObservedStorage, type Flight } from './flight.ts';
import { launch, type LaunchOptions } from './launch.ts';
import { isSince, originOf, wasCutShort } from './origin.ts';
import type { Pass } from './pass.ts';
import type { Prepared } from './prepare.ts';
import { latestOf, reportAdoption, reportFailure, reportInSync, reportSuccess, reportUnlock, subjectOf } from './report.ts';
import { detectsDrift, interval, retryDelay, timeoutOf } from './settings.ts';
import { fullName } from './snapshot.ts';
import { activePolicy, determineState, isDesired, type ReleaseState } from './state.ts';
import { releasedValues } from './values.ts';
import { configDigest } from './values-digest.ts';
import { actionType, afterRemediation, nextStep, type Action, type Step } from './steps.ts';

/** What bringing a release to what is wanted works with. */
export type ReleaseRunOptions = LaunchOptions & {
  /** `--override-manager`: managers whose fields are drift (HB59). */
  overrideManagers?: readonly string[];
  clock: Clock;
  random: () => number;
  /** Fraction of the interval (C11). */
  intervalJitter: number;
};

/** What the run needs of whoever started it. */
export type RunEnds = {
  /** Ends the pass with what went wrong before or beside an action. */
  fail: (error: unknown) => Promise<Outcome>;
  /** The pass is over. */
  ended: () => void;
  /** Something newer came: the pass that follows decides what becomes of the action under way. */
  handOver: (flight: Flight) => Promise<void>;
};

/**
 * Brings a release to what is wanted: looks what is there, does the next action, writes down what came of it, and looks again (HB30–HB44). Waits
 * hold no worker.
 */
export class ReleaseRun {
  readonly #pass: Pass;
  readonly #prepared: Prepared;
  readonly #storage: ReleaseStorage;
  readonly #options: ReleaseRunOptions;
  readonly #ends: RunEnds;
  #drift: readonly Drift[] = [];

  constructor(pass: Pass, prepared: Prepared, storage: ReleaseStorage, options: ReleaseRunOptions, ends: RunEnds) {
    this.#pass = pass;
    this.#prepared = prepared;
    this.#storage = storage;
    this.#options = options;
    this.#ends = ends;
  }

  /** Begins with what there is. */
  begin(): Promise<Outcome> {
    return this.#guarded(() => this.#advance());
  }

  /** Goes on with an action an earlier pass has begun for the same inputs. */
  takeOver(flight: Flight): Promise<Outcome> {
    const { waiting } = flight;
    if (waiting === undefined) return this.begin();
    this.#pass.done.add(actionType(flight.action));
    this.#announce(flight.action);
    // The pass that began it may not have written anything yet.
    this.#noteAttempt(flight.action);
    return Promise.resolve(this.#wait(flight, waiting));
  }

  async #guarded(run: () => Promise<Outcome>): Promise<Outcome> {
    let outcome: Outcome;
    try {
      outcome = await run();
    } catch (error) {
      outcome = await this.#ends.fail(error);
    }
    if (outcome.kind !== 'waiting') this.#ends.ended();
    return outcome;
  }

  async #advance(): Promise<Outcome> {
    const pass = this.#pass;
    for (;;) {
      const records = await step('FactoryError', () => this.#storage.list(pass.context.signal), { tell: false });
      const state = await this.#determine(records);
      pass.context.log.debug('state of the release', { state: state.kind, reason: state.reason });
      const { step: next, history } = nextStep({
        state,
        status: pass.status,
        policies: this.#prepared.desired.policies,
        records,
        forced: pass.forced,
        correctsDrift: pass.object.spec.driftDetection?.mode === 'enabled',
        done: pass.done,
      });
      if (history.length > 0) pass.draft.history = history;
      else delete pass.draft.history;
      if (state.kind === 'in-sync' && next.kind === 'finish') reportInSync(pass);
      if (next.kind !== 'run') return this.#end(next);
      const outcome = await this.#start(next.action, records);
      if (outcome !== undefined) return outcome;
    }
  }

  async #determine(records: readonly Release[]): Promise<ReleaseState> {
    const last = records.at(-1);
    const { object, session, status } = this.#pass;
    const { values, desired } = this.#prepared;
    // What is preserved is part of what is wanted.
    const config = configDigest(releasedValues(object, values, last));
    const state = determineState(last, status, { ...desired, configDigest: config });
    if (state.kind !== 'in-sync' || last === undefined || !detectsDrift(object)) return state;
    const { actions } = this.#options;
    const context = this.#context(this.#storage, []);
    this.#drift = await step('StateError', () => actions.detectDrift(last, this.#driftOptions(), context), {
      prefix: 'Could not determine release state: ',
    });
    if (this.#drift.length > 0) return this.#drifted();
    session.conditions.mark(conditionTypes.drifted, 'False', reasons.NoDriftDetected, 'No drift detected against the cluster state');
    return state;
  }

  #drifted(): ReleaseState {
    const { draft, session } = this.#pass;
    const latest = latestOf(draft);
    const name = latest === undefined ? this.#prepared.target.name : fullName(latest);
    const lines = this.#options.actions.formatDrift(this.#drift);
    const message = `Cluster state of release ${name} has drifted from the desired state:\n${lines}`;
    // The same drift again is not told again.
    const before = session.conditions.find(conditionTypes.drifted);
    session.conditions.mark(conditionTypes.drifted, 'True', reasons.DriftDetected, message);
    if (before?.status !== 'True' || before.message !== message) this.#pass.notice('Warning', reasons.DriftDetected, message);
    return { kind: 'drifted', reason: lines };
  }

  /** Starts an action. Gives undefined when it has ended and there is more to look at. */
  async #start(action: Action, records: readonly Release[]): Promise<Outcome | undefined> {
    const pass = this.#pass;
    const last = records.at(-1);
    pass.done.add(actionType(action));
    if (action.kind === 'unlock') return this.#unlock();
    if (action.kind === 'adopt') return this.#adopt(records);
    if (action.kind === 'correct') return this.#correct(last);
    this.#announce(action);
    this.#noteAttempt(action);
    if (this.#isNotedFirst(action)) await pass.session.flush();
    const storage = new ObservedStorage(this.#storage);
    const flight: Flight = {
      action,
      prepared: this.#prepared,
      storage,
      started: this.#options.clock.now(),
      trace: [],
      output: '',
      rendered: undefined,
      waiting: undefined,
    };
    return this.#follow(flight, await launch(flight, pass.object, last, this.#options, this.#flightContext(flight)));
  }

  /** Notes which action is attempted: its policy decides what follows a failure (HB41). */
  #noteAttempt({ kind }: Action): void {
    if (kind !== 'install' && kind !== 'upgrade') return;
    const pass = this.#pass;
    pass.draft.lastAttemptedReleaseAction = kind;
    pass.session.conditions.remove(conditionTypes.testSuccess, conditionTypes.remediated);
    pass.forced = false;
  }

  /**
   * Whether the status is written before an action (HB10), so that whoever comes after us knows that there may be something. An install or
   * upgrade writes a record first, which says that as well and which everybody finds; only in another cluster it is out of sight. What takes
   * long shows its progress in any case.
   */
  #isNotedFirst(action: Action): boolean {
    const { object, draft } = this.#pass;
    switch (action.kind) {
      case 'test':
        return false;
      case 'install':
      case 'upgrade':
        return this.#prepared.cluster.id !== '' || draft.history !== object.status.history;
      default:
        return true;
    }
  }

  #announce(action: Action): void {
    const isTimed = action.kind !== 'unlock' && action.kind !== 'adopt' && action.kind !== 'correct';
    const timeout = formatDuration(timeoutOf(this.#pass.object, isTimed ? action.kind : undefined));
    const message = `Running '${action.kind}' action with timeout of ${timeout}`;
    this.#pass.progress(message, actionType(action) === 'release');
    this.#pass.context.log.info(message);
  }

  #flightContext(flight: Flight): ActionContext {
    return {
      ...this.#context(flight.storage, flight.trace),
      ...hookListener(this.#pass, this.#options.gates, (text) => {
        flight.output = text;
      }),
    };
  }

  #context(storage: ReleaseStorage, trace: string[]): ActionContext {
    const { context, memory } = this.#pass;
    return {
      target: this.#prepared.target,
      storage,
      memory: memory.known,
      clock: this.#options.clock,
      log: context.log,
      trace: (line) => {
        context.log.debug(line);
        addTrace(trace, line);
      },
      signal: context.signal,
    };
  }

  async #follow(flight: Flight, progress: ActionProgress): Promise<Outcome | undefined> {
    if (progress.kind === 'waiting') return this.#wait(flight, progress);
    flight.waiting = undefined;
    const next = await this.#settle(flight, progress.result);
    return next === undefined || next.kind === 'run' ? undefined : this.#end(next);
  }

  #wait(flight: Flight, waiting: Extract<ActionProgress, { kind: 'waiting' }>): Outcome {
    flight.waiting = waiting;
    const pass = this.#pass;
    return {
      kind: 'waiting',
      on: waiting.on,
      deadline: waiting.deadline,
      resume: (cause, context) =>
        this.#guarded(async () => {
          pass.context = context;
          const outcome = await this.#follow(flight, await waiting.resume(cause, context.signal));
          return outcome ?? (await this.#advance());
        }),
      superseded: () => this.#ends.handOver(flight),
    };
  }

  /** Writes down what came of an action. Gives what follows; undefined to look again. */
  async #settle(flight: Flight, result: ActionResult): Promise<Step | undefined> {
    const { action, storage, started } = flight;
    const pass = this.#pass;
    if (result.kind === 'canceled' || (result.kind === 'failed' && pass.context.signal.aborted)) {
      throw new HelmReleaseFailure('ReconcileError', 'the process stops', { tell: false });
    }
    const written = new Map(storage.written);
    if (result.kind === 'succeeded' && result.release !== undefined && action.kind === 'uninstall') {
      written.set(result.release.version, { ...result.release, status: 'uninstalled' });
    }
    const { desired } = this.#prepared;
    const releases = action.kind === 'install' || action.kind === 'upgrade';
    if (releases) {
      pass.draft.lastAttemptedReleaseActionDuration = formatDuration(milliseconds(this.#options.clock.now() - started));
    }
    pass.draft.history = recordHistory(pass.draft.history ?? [], action, written, this.#details());
    await this.#inventory(flight);
    if (result.kind === 'failed') {
      const { error } = result;
      Object.assign(pass.draft, countFailure(pass.draft, action, written, desired.policies));
      reportFailure(pass, flight, error.message);
      pass.context.log.error(`${action.kind} failed`, error);
      pass.summarize();
      if (written.size === 0) throw new ActionFailure(error);
    } else {
      reportSuccess(pass, flight);
      if (releases && desired.policies[action.kind].retry !== undefined) forgetFailures(pass.draft);
      pass.summarize();
    }
    return actionType(action) === 'remediate' ? afterRemediation(pass.status, desired.policies, result.kind === 'succeeded') : undefined;
  }

  #details(): SnapshotDetails {
    return {
      ociDigest: this.#pass.draft.lastAttemptedRevisionDigest ?? '',
      testFilters: this.#pass.object.spec.test?.filters ?? [],
    };
  }

  /** Notes which objects the release has now (HB60). */
  async #inventory({ action, storage, rendered }: Flight): Promise<void> {
    const newest = storage.written.get(Math.max(...storage.written.keys()));
    if (action.kind === 'test' || newest === undefined) return;
    if (action.kind === 'uninstall') delete this.#pass.draft.inventory;
    else await this.#noteObjects(() => rendered?.manifest ?? readObjects(newest.manifest, 'release manifest'));
  }

  async #noteObjects(manifest: () => readonly KubeObject[]): Promise<void> {
    const { draft, object } = this.#pass;
    try {
      const crds = definitionsIn(this.#prepared.chart.chart);
      const { entries } = await this.#options.actions.buildInventory(manifest(), crds, this.#context(this.#storage, []));
      draft.inventory = { entries: [...entries] };
    } catch (error) {
      const { namespace, name } = object.metadata;
      this.#pass.notice(
        'Warning',
        reasons.InventoryBuildFailed,
        `failed to build inventory for ${namespace}/${name}: ${errorMessage(error)}`,
      );
    }
  }

  /** Takes over what an action left in its middle (HB31). */
  async #unlock(): Promise<undefined> {
    const pass = this.#pass;
    const storage = new ObservedStorage(this.#storage);
    const { signal } = pass.context;
    const unlocked = await step('ReconcileError', () => this.#options.actions.unlockRelease({ storage, signal }));
    pass.draft.history = recordHistory(pass.draft.history ?? [], { kind: 'unlock' }, storage.written, this.#details());
    if (unlocked !== undefined) reportUnlock(pass, { ...unlocked.release, status: unlocked.from });
    pass.summarize();
  }

  /** Takes a revision our own last action stored into the history. */
  async #adopt(records: readonly Release[]): Promise<undefined> {
    const last = records.at(-1);
    if (last === undefined) return;
    const pass = this.#pass;
    const { draft } = pass;
    const { desired } = this.#prepared;
    const before = draft.history ?? [];
    const origin = originOf(last, before.length === 0);
    const isWanted = isDesired(last, desired);
    // Which artifact something older came from is not known any more.
    const details = { ...this.#details(), ...(isWanted && origin !== 'rollback' ? {} : { ociDigest: '' }) };
    draft.history = recordHistory(before, { kind: 'adopt' }, observedSince(before, records, last), details);
    if (origin !== 'rollback') {
      draft.lastAttemptedReleaseAction = origin;
      const counts = last.status === 'failed' && !wasCutShort(last) && isWanted && isSince(last, pass.object.metadata.creationTimestamp);
      if (counts) Object.assign(draft, countFailure(draft, { kind: origin }, new Map([[last.version, last]]), desired.policies));
    }
    reportAdoption(pass, last, origin);
    pass.summarize();
    await this.#noteObjects(() => readObjects(last.manifest, 'release manifest'));
  }

  #driftOptions(): DriftOptions {
    const { ignore } = this.#pass.object.spec.driftDetection ?? {};
    const { overrideManagers = [] } = this.#options;
    return { overrideManagers, ...(ignore === undefined ? {} : { ignore }) };
  }

  /** Puts drift right (HB36, HB59). */
  async #correct(last: Release | undefined): Promise<undefined> {
    const pass = this.#pass;
    const latest = latestOf(pass.draft);
    if (last === undefined || latest === undefined) return;
    pass.progress('correcting cluster drift', true);
    const { actions } = this.#options;
    const context = this.#context(this.#storage, []);
    const { changes, failures } = await step('ReconcileError', () =>
      actions.correctDrift(last, this.#drift, context, this.#driftOptions()),
    );
    const done = formatChanges(changes);
    if (failures.length > 0) {
      const tail = done === '' ? '' : `\n\nSuccessful corrections:\n${done}`;
      const what = `Failed to ${done === '' ? '' : 'partially '}correct cluster state of release ${fullName(latest)}`;
      pass.notice('Warning', reasons.DriftCorrectionFailed, `${what}:\n${failures.join('\n')}${tail}`, subjectOf(latest));
    } else if (done !== '') {
      const message = `Cluster state of release ${fullName(latest)} has been corrected:\n${done}`;
      pass.notice('Normal', reasons.DriftCorrected, message, subjectOf(latest));
    }
  }

  async #end(next: Exclude<Step, { kind: 'run' }>): Promise<Outcome> {
    const pass = this.#pass;
    const { conditions } = pass.session;
    pass.summarize();
    switch (next.kind) {
      case 'finish': {
        conditions.remove(conditionTypes.reconciling);
        pass.memory.passing = 0;
        await pass.finish(true);
        return { kind: 'done', requeueAfter: jitter(interval(pass.object), this.#options.intervalJitter, this.#options.random) };
      }
      case 'stall': {
        const { reason, message } = next;
        conditions.remove(conditionTypes.reconciling);
        conditions.mark(conditionTypes.stalled, 'True', reason, message);
        pass.context.log.info(message);
        await pass.finish(true);
        return { kind: 'stalled', reason, message };
      }
      case 'retry':
        return this.#later(this.#retryDelay(), (delay) => `retrying after ${formatDuration(delay)}`, true);
      case 'again':
        return this.#later(againDelay(pass.draft.failures ?? 0), () => conditions.find(conditionTypes.ready)?.message ?? '', false);
    }
  }

  async #later(delay: Duration, message: (delay: Duration) => string, observed: boolean): Promise<Outcome> {
    const pass = this.#pass;
    pass.session.conditions.mark(conditionTypes.reconciling, 'True', reasons.ProgressingWithRetry, message(delay));
    await pass.finish(observed);
    return { kind: 'done', requeueAfter: jitter(delay, this.#options.intervalJitter, this.#options.random), failed: true };
  }

  #retryDelay(): Duration {
    const { draft } = this.#pass;
    const policy = activePolicy(draft, this.#prepared.desired.policies);
    return policy?.retry === undefined ? interval(this.#pass.object) : retryDelay(policy.retry, draft.failures ?? 0);
  }
}

/** An action failed without leaving a record: conditions and events have said it. */
export class ActionFailure extends CodedError<'ReconcileError'> {
  constructor(cause: Error) {
    super({ code: 'ReconcileError', message: cause.message, cause });
  }
}

const LONGEST_PAUSE = 60_000;

/** The pause before the next attempt of a release that was put right: none after the first failure, then longer each time. */
function againDelay(failures: number): Duration {
  return milliseconds(failures <= 1 ? 0 : Math.min(LONGEST_PAUSE, 1000 * 2 ** Math.min(failures - 2, 20)));
}
