import {
  conditionTypes,
  finalizer,
  groups,
  reasons,
  type Artifact,
  type ConditionType,
  type HelmRelease,
  type Reason,
} from '../../api/index.ts';
import { compileHealthChecks } from '../../health/index.ts';
import type { KubeClient } from '../../kube/index.ts';
import {
  formatKey,
  type Controller,
  type EventRecorder,
  type Key,
  type Outcome,
  type ReconcileContext,
  type ResourceView,
  type StatusWriter,
  type Wait,
} from '../../runtime/index.ts';
import { errorMessage, formatDuration, milliseconds, type Duration, type Instant } from '../../std/index.ts';
import {
  Blocked,
  correctionDelay,
  formatSourceKey,
  isPassing,
  parseReadyExpression,
  type SourceKey,
  type Sources,
} from '../applier/index.ts';
import type { ReleaseStorage, ReleaseTarget } from './actions/index.ts';
import { forgetFailures, recordHistory, resetReason } from './bookkeeping.ts';
import { unmetDependency } from './dependencies.ts';
import { HelmReleaseFailure } from './failure.ts';
import { finalize } from './finalize.ts';
import type { Flight } from './flight.ts';
import type { Memories } from './memory.ts';
import { moveAway } from './move-away.ts';
import { Pass } from './pass.ts';
import { prepare, type Prepared, type PrepareOptions } from './prepare.ts';
import { ActionFailure, ReleaseRun, type ReleaseRunOptions, type RunEnds } from './release-run.ts';
import { detectsDrift, interval, storageNamespace } from './settings.ts';
import { allowedSource, lookupFailure, readyArtifact } from './source.ts';

/** What a {@link HelmReleaseController} works with. */
export type HelmReleaseOptions = PrepareOptions &
  ReleaseRunOptions & {
    view: ResourceView<HelmRelease>;
    writer: StatusWriter;
    memories: Memories;
    events: EventRecorder;
    sources: Sources;
    /** The records of a release. */
    storage: (target: Pick<ReleaseTarget, 'name' | 'storageNamespace'> & { client: KubeClient }, isLocal: boolean) => ReleaseStorage;
    /** Asks for a reconcile of a HelmRelease because of drift, after a while. */
    correct: (key: string, delay: Duration) => void;
    requeueDependency: Duration;
    noCrossNamespaceRefs: boolean;
  };

/** Conditions this controller writes. */
export const helmReleaseConditions: readonly ConditionType[] = [
  conditionTypes.ready,
  conditionTypes.reconciling,
  conditionTypes.stalled,
  conditionTypes.released,
  conditionTypes.remediated,
  conditionTypes.testSuccess,
  conditionTypes.drifted,
];

/** Keeps a chart with its values released (HB01–HB66). */
export class HelmReleaseController implements Controller {
  readonly name = 'helmrelease';
  readonly group: string = groups.helm;
  readonly kind = 'HelmRelease';
  readonly #options: HelmReleaseOptions;
  readonly #blocked: Blocked = new Blocked();

  constructor(options: HelmReleaseOptions) {
    this.#options = options;
  }

  async reconcile(key: Key, context: ReconcileContext): Promise<Outcome> {
    const { view, writer, memories } = this.#options;
    let object = view.get(key);
    if (object === undefined) {
      memories.forget(formatKey(key));
      return { kind: 'done' };
    }
    if (object.metadata.deletionTimestamp !== undefined) {
      await this.#abandonFlight(object, 'the HelmRelease is being deleted');
      return finalize(this.#newPass(object, context), this.#options);
    }
    if (!(object.metadata.finalizers ?? []).includes(finalizer)) {
      // Flux ends the pass here (C09); nobody can tell, and going on saves one.
      if ((await writer.writeFinalizer(object.metadata, finalizer, true)) === undefined) return { kind: 'done' };
      object = view.get(key) ?? object;
    }
    if (object.spec.suspend === true) {
      await this.#abandonFlight(object, 'the HelmRelease is suspended');
      await this.#newPass(object, context).finish(true);
      return { kind: 'done' };
    }
    return this.#run(this.#newPass(object, context));
  }

  /** Wakes a HelmRelease that waits for its dependencies or its source. */
  wake(key: string): void {
    this.#blocked.wake(key);
  }

  /** Puts drift right: at once, unless there has been much of it lately. */
  drifted(key: string): void {
    const memory = this.#options.memories.of(key);
    if (memory.watchesDrift) this.#options.correct(key, correctionDelay(memory, this.#options.clock.now()));
  }

  #newPass(object: HelmRelease, context: ReconcileContext): Pass {
    const key = formatKey(object.metadata);
    return new Pass(key, object, this.#options.memories.of(key), context, this.#options);
  }

  async #run(pass: Pass): Promise<Outcome> {
    const { object, memory, context } = pass;
    memory.busy = true;
    memory.watchesDrift = detectsDrift(object);
    let outcome: Outcome;
    try {
      assertExpressions(object);
      pass.progress('Fulfilling prerequisites', false);
      const additive = this.#options.gates.enabled('AdditiveCELDependencyCheck');
      const unmet = unmetDependency(object, (key) => this.#options.view.get(key), additive);
      if (unmet !== undefined) return await this.#waitForDependency(pass, unmet);
      const source = await this.#source(object, context);
      if (typeof source === 'string') return await this.#waitForSource(pass, source);
      const { key, artifact } = source;
      const prepared = await prepare(object, key, artifact, this.#options, context.signal);
      outcome = await this.#release(pass, prepared);
    } catch (error) {
      await this.#abandonFlight(object, 'it cannot be reconciled any more');
      outcome = await this.#fail(pass, error);
    }
    if (outcome.kind !== 'waiting') this.#settle(pass);
    return outcome;
  }

  async #release(pass: Pass, prepared: Prepared): Promise<Outcome> {
    const { memory } = pass;
    memory.actAs(prepared.identity);
    const flight = memory.flight;
    memory.flight = undefined;
    if (flight !== undefined && flight.prepared.inputs === prepared.inputs && !pass.context.triggers.has('requested')) {
      this.#noteAttempt(pass, prepared);
      return this.#newRun(pass, flight.prepared).takeOver(flight);
    }
    if (flight !== undefined) await this.#cancel(pass, flight);
    const moving = await moveAway(pass, prepared, this.#options, (context) => this.reconcile(pass.object.metadata, context));
    if (moving !== undefined) return moving;
    this.#noteAttempt(pass, prepared);
    return this.#newRun(pass, prepared).begin();
  }

  #newRun(pass: Pass, prepared: Prepared): ReleaseRun {
    const storage = this.#options.storage(prepared.target, prepared.cluster.id === '');
    const ends: RunEnds = {
      fail: (error) => this.#fail(pass, error),
      ended: () => this.#settle(pass),
      handOver: async (flight) => {
        pass.memory.flight = flight;
        await pass.handOver();
      },
    };
    return new ReleaseRun(pass, prepared, storage, this.#options, ends);
  }

  /** Notes what is attempted (HB10), and begins to count anew when it is something else (HB07). */
  #noteAttempt(pass: Pass, { chart, desired }: Prepared): void {
    const { draft, object, requests, context } = pass;
    const { generation } = object.metadata;
    const reason = resetReason(draft, {
      generation,
      chartVersion: chart.version,
      configDigest: desired.configDigest,
      resetRequested: requests.reset,
    });
    if (reason !== undefined) {
      context.log.debug('resetting failure count', { reason });
      forgetFailures(draft);
    }
    draft.storageNamespace = storageNamespace(object);
    draft.lastAttemptedGeneration = generation;
    draft.lastAttemptedRevision = chart.version;
    draft.lastAttemptedConfigDigest = desired.configDigest;
    if (chart.revisionDigest === '') delete draft.lastAttemptedRevisionDigest;
    else draft.lastAttemptedRevisionDigest = chart.revisionDigest;
    delete draft.lastAttemptedValuesChecksum;
    delete draft.lastReleaseRevision;
  }

  /** Ends an action whose inputs are out of date, and notes what it has left. */
  async #cancel(pass: Pass, flight: Flight): Promise<void> {
    const [trigger = 'changed'] = pass.context.triggers;
    const { kind, metadata } = pass.object;
    const by = `${kind}/${metadata.namespace}/${metadata.name}`;
    await flight.waiting?.cancel(`new reconciliation triggered (${trigger})`);
    const details = { ociDigest: pass.draft.lastAttemptedRevisionDigest ?? '', testFilters: [] };
    pass.draft.history = recordHistory(pass.draft.history ?? [], flight.action, flight.storage.written, details);
    pass.session.conditions.mark(conditionTypes.ready, 'False', reasons.HealthCheckCanceled, `New reconciliation triggered by ${by}`);
    const message = `Health checks canceled due to new reconciliation triggered by ${by}`;
    pass.notice('Normal', reasons.HealthCheckCanceled, message);
    pass.context.log.info(message, { trigger });
  }

  /** Ends an action that nobody goes on with. */
  async #abandonFlight(object: HelmRelease, why: string): Promise<void> {
    const memory = this.#options.memories.of(formatKey(object.metadata));
    const { flight } = memory;
    memory.flight = undefined;
    await flight?.waiting?.cancel(why);
  }

  /** The source of the chart and what it publishes, or why it is not ready (HB02). @throws HelmReleaseFailure */
  async #source(object: HelmRelease, { signal }: ReconcileContext): Promise<{ key: SourceKey; artifact: Artifact } | string> {
    const { sources, noCrossNamespaceRefs, gates } = this.#options;
    const key = allowedSource(object, { noCrossNamespaceRefs, externalArtifacts: gates.enabled('ExternalArtifact') });
    try {
      const source = await sources.find(key, signal);
      if (source === undefined) return `${formatSourceKey(key)}: not found`;
      const artifact = readyArtifact(key, source);
      return typeof artifact === 'string' ? artifact : { key, artifact };
    } catch (error) {
      throw lookupFailure(key, error);
    }
  }

  async #waitForDependency(pass: Pass, unmet: string): Promise<Outcome> {
    const before = pass.session.conditions.find(conditionTypes.ready);
    pass.session.conditions.mark(conditionTypes.ready, 'False', reasons.DependencyNotReady, unmet);
    if (before?.reason !== reasons.DependencyNotReady || before.message !== unmet) pass.notice('Normal', reasons.DependencyNotReady, unmet);
    const { requeueDependency } = this.#options;
    pass.context.log.info(`dependencies do not meet ready condition (${unmet}): retrying in ${formatDuration(requeueDependency)}`);
    return this.#waitFor(pass, unmet);
  }

  async #waitForSource(pass: Pass, problem: string): Promise<Outcome> {
    const isMissing = problem.endsWith(': not found');
    const reason = isMissing ? reasons.ArtifactFailed : reasons.SourceNotReady;
    pass.session.conditions.mark(conditionTypes.ready, 'False', reason, isMissing ? `could not get Source object: ${problem}` : problem);
    pass.context.log.info(problem);
    return this.#waitFor(pass, problem);
  }

  /** Waits for something another object has to bring, without a worker, then reconciles afresh. */
  async #waitFor(pass: Pass, what: string): Promise<Outcome> {
    const { key, session, object } = pass;
    await this.#abandonFlight(object, what);
    this.#settle(pass);
    const { clock, requeueDependency } = this.#options;
    const on: Wait = { what, subscribe: (wake) => this.#blocked.add(key, wake) };
    return {
      kind: 'waiting',
      on,
      deadline: (clock.now() + requeueDependency) as Instant,
      resume: async (_cause, context) => {
        await session.abandon();
        return this.reconcile(object.metadata, context);
      },
      superseded: () => session.abandon(),
    };
  }

  /** Ends a pass: what drifted while it was busy is put right. */
  #settle({ memory, key }: Pass): void {
    if (memory.settle()) this.drifted(key);
  }

  async #fail(pass: Pass, error: unknown): Promise<Outcome> {
    const { object, session, memory, context } = pass;
    if (context.signal.aborted) {
      await session.abandon();
      throw error;
    }
    const failure = error instanceof HelmReleaseFailure ? error : undefined;
    const message = errorMessage(error);
    if (failure?.follow === 'stall') return this.#stall(pass, failure);
    const delay = this.#retryDelay(error, pass);
    if (error instanceof ActionFailure) {
      context.log.error(`Reconciliation failed after ${pass.took()}, next try in ${formatDuration(delay)}`, error);
    } else {
      const reason: Reason = failure?.code ?? reasons.ReconcileError;
      const before = object.status.conditions?.find(({ type }) => type === conditionTypes.ready);
      session.conditions.mark(conditionTypes.ready, 'False', reason, message);
      context.log.error(`Reconciliation failed after ${pass.took()}, next try in ${formatDuration(delay)}`, error);
      const same = before?.status === 'False' && before.message === message;
      const asked = context.triggers.has('requested') || context.triggers.has('changed');
      if (failure?.tell !== false && (!same || asked)) pass.notice('Warning', reason, message);
    }
    memory.passing++;
    await pass.finish(false);
    return { kind: 'done', requeueAfter: delay, failed: true };
  }

  async #stall(pass: Pass, { code: reason, message }: HelmReleaseFailure): Promise<Outcome> {
    const { conditions } = pass.session;
    conditions.remove(conditionTypes.reconciling);
    conditions.mark(conditionTypes.ready, 'False', reason, message);
    conditions.mark(conditionTypes.stalled, 'True', reason, message);
    pass.context.log.info(message, { reason });
    if (pass.object.status.observedGeneration !== pass.object.metadata.generation) pass.notice('Warning', reason, message);
    await pass.finish(true);
    return { kind: 'stalled', reason, message };
  }

  /** Soon when the cause passes by itself, later each time; never later than the interval. */
  #retryDelay(error: unknown, { memory, object }: Pass): Duration {
    if (error instanceof HelmReleaseFailure && error.follow === 'dependency') return this.#options.requeueDependency;
    const first = isPassing(error) ? 1000 : 5000;
    return milliseconds(Math.min(interval(object), first * 2 ** Math.min(memory.passing, 20)));
  }
}

const TERMINAL = 'Reconciliation failed terminally due to configuration error';

/** Expressions that do not parse stall the object before anything is done. @throws HelmReleaseFailure */
function assertExpressions({ spec }: HelmRelease): void {
  try {
    const checks = spec.healthCheckExprs ?? [];
    if (checks.length > 0) compileHealthChecks(checks.map((check) => ({ ...check, kind: check.kind ?? '' })));
    for (const { readyExpr = '' } of spec.dependsOn ?? []) if (readyExpr !== '') parseReadyExpression(readyExpr);
  } catch (error) {
    throw new HelmReleaseFailure('InvalidCELExpression', `${TERMINAL}: ${errorMessage(error)}`, { cause: error, follow: 'stall' });
  }
}
