import {
  conditionTypes,
  eventKeys,
  finalizer,
  groups,
  reasons,
  type Artifact,
  type ConditionType,
  type Kustomization,
  type Reason,
} from '../../api/index.ts';
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
import { errorMessage, formatDuration, jitter, milliseconds, type Duration, type Instant } from '../../std/index.ts';
import {
  Blocked,
  correctionDelay,
  evaluateReadyExpression,
  formatSourceKey,
  isPassing,
  originRevision,
  parseReadyExpression,
} from '../applier/index.ts';
import { applyManifests, type Applied, type ApplyManifestsOptions } from './apply-manifests.ts';
import { unmetDependency, type DependencyView } from './dependencies.ts';
import { KustomizationFailure } from './failure.ts';
import { finalize } from './finalize.ts';
import { assertHealthExpressions } from './health.ts';
import { waitForHealth } from './health-wait.ts';
import type { Memories, Memory } from './memory.ts';
import { openSession, Pass } from './pass.ts';
import { sourceKey } from './source.ts';
import { interval, retryInterval } from './timing.ts';

/** What a {@link KustomizationController} works with. */
export type KustomizationOptions = ApplyManifestsOptions & {
  view: ResourceView<Kustomization>;
  writer: StatusWriter;
  memories: Memories;
  events: EventRecorder;
  random: () => number;
  /** Asks for a reconcile of a Kustomization because of drift, after a while. */
  correct: (key: string, delay: Duration) => void;
  /** Fraction of the interval (C11). */
  intervalJitter: number;
  noCrossNamespaceRefs: boolean;
};

/** Conditions this controller writes. */
export const kustomizationConditions: readonly ConditionType[] = [
  conditionTypes.ready,
  conditionTypes.reconciling,
  conditionTypes.stalled,
  conditionTypes.healthy,
];

/** Keeps what an artifact says applied (KB01–KB91). */
export class KustomizationController implements Controller {
  readonly name = 'kustomization';
  readonly group: string = groups.kustomize;
  readonly kind = 'Kustomization';
  readonly #options: KustomizationOptions;
  /** Wakers of Kustomizations whose dependencies were not met when last looked. */
  readonly #blocked = new Blocked();

  constructor(options: KustomizationOptions) {
    this.#options = options;
  }

  async reconcile(key: Key, context: ReconcileContext): Promise<Outcome> {
    const { view, writer, memories } = this.#options;
    let object = view.get(key);
    if (object === undefined) {
      memories.forget(formatKey(key));
      return { kind: 'done' };
    }
    if (object.metadata.deletionTimestamp !== undefined) return finalize(object, this.#options, context);
    if (!(object.metadata.finalizers ?? []).includes(finalizer)) {
      // Flux ends the pass here (C09); nobody can tell, and going on saves one.
      if ((await writer.writeFinalizer(object.metadata, finalizer, true)) === undefined) return { kind: 'done' };
      object = view.get(key) ?? object;
    }
    if (object.spec.suspend === true) {
      const session = openSession(object, this.#options, context);
      // As with Flux: else whoever waits for its latest generation would wait until it is resumed.
      if (session.conditions.isTrue(conditionTypes.ready)) {
        session.conditions.remove(conditionTypes.reconciling);
        session.draft.observedGeneration = object.metadata.generation;
      }
      await session.finish();
      return { kind: 'done' };
    }
    return this.#run(object, context);
  }

  /** Wakes a Kustomization that waits for its dependencies. */
  dependencyChanged(key: string): void {
    this.#blocked.wake(key);
  }

  /** Puts drift right: at once, unless there has been much of it lately. */
  drifted(key: string): void {
    this.#correct(key, this.#options.memories.of(key));
  }

  async #run(object: Kustomization, context: ReconcileContext): Promise<Outcome> {
    const key = formatKey(object.metadata);
    const memory = this.#options.memories.of(key);
    memory.busy = true;
    const pass = new Pass(key, object, memory, context, this.#options);
    try {
      assertExpressions(object);
      const artifact = await this.#artifact(object, context);
      if (typeof artifact === 'string') return this.#waitForSource(pass, artifact);
      pass.artifact = artifact;
      const unmet = this.#unmetDependency(object, artifact.revision);
      if (unmet !== undefined) return this.#waitForDependency(pass, unmet);
      pass.progress('Fetching manifests');
      const applied = await applyManifests(artifact, this.#options, pass);
      return await this.#checkHealth(pass, applied);
    } catch (error) {
      return await this.#fail(pass, error);
    } finally {
      if (memory.settle()) this.#correct(key, memory);
    }
  }

  /** The artifact of the source, or why there is none yet (KB02, KB03). @throws KustomizationFailure */
  async #artifact(object: Kustomization, context: ReconcileContext): Promise<Artifact | string> {
    const { sources, noCrossNamespaceRefs, gates, requeueDependency } = this.#options;
    const source = sourceKey(object);
    const name = formatSourceKey(source);
    if (noCrossNamespaceRefs && source.namespace !== object.metadata.namespace) {
      throw new KustomizationFailure('AccessDenied', `can't access '${name}', cross-namespace references have been blocked`, {
        follow: 'stall',
      });
    }
    if (source.kind === 'ExternalArtifact' && !gates.enabled('ExternalArtifact')) {
      throw new KustomizationFailure('AccessDenied', `can't access '${name}', ExternalArtifact feature gate is disabled`, {
        follow: 'stall',
      });
    }
    const artifact = await sources.artifact(source, context.signal);
    if (artifact === 'absent') return `Source '${name}' not found`;
    return artifact ?? `Source artifact not found, retrying in ${formatDuration(requeueDependency)}`;
  }

  /** Waits for the source without a worker; its first artifact ends the wait at once. */
  #waitForSource(pass: Pass, problem: string): Outcome {
    pass.session.conditions.mark(conditionTypes.ready, 'False', reasons.ArtifactFailed, problem);
    pass.memory.success = undefined;
    pass.context.log.info(problem);
    return this.#waitFor(pass, { what: problem, subscribe: () => () => {} });
  }

  #unmetDependency(object: Kustomization, revision: string): string | undefined {
    const { view, gates } = this.#options;
    const dependencies = (object.spec.dependsOn ?? []).map((reference): DependencyView => {
      const { namespace = object.metadata.namespace, name, readyExpr = '' } = reference;
      const found = view.get({ namespace, name });
      const expression = readyExpr === '' ? undefined : parseReadyExpression(readyExpr);
      const answer = found === undefined || expression === undefined ? undefined : evaluateReadyExpression(expression, object, found);
      return { reference, found, expression: answer };
    });
    return unmetDependency(object, revision, dependencies, gates.enabled('AdditiveCELDependencyCheck'));
  }

  /** Waits for dependencies without a worker; shown in the status once it takes a while (KB05). */
  #waitForDependency(pass: Pass, unmet: string): Outcome {
    const { session, key } = pass;
    const before = session.conditions.find(conditionTypes.ready);
    session.conditions.mark(conditionTypes.ready, 'False', reasons.DependencyNotReady, unmet);
    if (before?.reason !== reasons.DependencyNotReady || before.message !== unmet) {
      pass.notice('Normal', `Dependencies do not meet ready condition, retrying in ${formatDuration(this.#options.requeueDependency)}`);
    }
    return this.#waitFor(pass, { what: unmet, subscribe: (wake) => this.#blocked.add(key, wake) });
  }

  /** Waits for something another object has to bring, then reconciles afresh. */
  #waitFor({ session, object }: Pass, on: Wait): Outcome {
    const { clock, requeueDependency } = this.#options;
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

  async #checkHealth(pass: Pass, applied: Applied): Promise<Outcome> {
    const { object, session } = pass;
    pass.digest = applied.digest;
    if (object.spec.wait !== true && (object.spec.healthChecks ?? []).length === 0) {
      session.conditions.remove(conditionTypes.healthy);
      return this.#succeed(pass, applied);
    }
    return waitForHealth(pass, applied, this.#options, {
      succeed: () => this.#succeed(pass, applied),
      fail: (failure, detail) => this.#fail(pass, failure, detail),
      reconcile: (context) => this.reconcile(object.metadata, context),
    });
  }

  async #succeed(pass: Pass, applied: Applied): Promise<Outcome> {
    const { object, session, memory, revision, context } = pass;
    const { draft, conditions } = session;
    const { status, metadata } = object;
    const wasReady = status.conditions?.some(({ type, status: value }) => type === conditionTypes.ready && value === 'True') === true;
    const seen = status.lastAppliedRevision === revision && status.observedGeneration === metadata.generation;
    const news = applied.changed || applied.pruned || !wasReady || !seen;
    const origin = pass.artifact === undefined ? '' : originRevision(pass.artifact);
    draft.lastAppliedRevision = revision;
    draft.lastAttemptedRevision = revision;
    if (origin === '') delete draft.lastAppliedOriginRevision;
    else draft.lastAppliedOriginRevision = origin;
    draft.observedGeneration = metadata.generation;
    conditions.remove(conditionTypes.reconciling, conditionTypes.stalled);
    conditions.mark(conditionTypes.ready, 'True', reasons.ReconciliationSucceeded, `Applied revision: ${revision}`);
    if (news) pass.record(reasons.ReconciliationSucceeded);
    memory.success = applied.success;
    memory.passing = 0;
    if (news || context.triggers.has('requested')) {
      const message = `Reconciliation finished in ${pass.took()}, next run in ${object.spec.interval}`;
      context.log.info(message, { revision });
      // Nothing but the revision is new: those who follow revisions hear of it, the cluster's event log need not.
      pass.notice('Normal', message, { metadata: { [eventKeys.commitStatus]: 'update' }, quiet: applied.result === undefined && wasReady });
    }
    await pass.finish(reasons.ReconciliationSucceeded);
    return { kind: 'done', requeueAfter: jitter(interval(object), this.#options.intervalJitter, this.#options.random) };
  }

  /** @param detail what the condition says, when less than the whole message */
  async #fail(pass: Pass, error: unknown, detail?: string): Promise<Outcome> {
    const { object, session, memory, context } = pass;
    if (context.signal.aborted) {
      await session.abandon();
      throw error;
    }
    const failure = error instanceof KustomizationFailure ? error : undefined;
    const stalls = failure?.follow === 'stall';
    const message = errorMessage(error);
    const reason: Reason = failure?.code ?? reasons.ReconciliationFailed;
    const before = object.status.conditions?.find(({ type }) => type === conditionTypes.ready);
    markFailed(pass, reason, detail ?? message, stalls);
    if (pass.digest !== '') pass.record(reason);
    memory.success = undefined;
    const delay = this.#retryDelay(error, memory, retryInterval(object));
    if (failure?.tell === false) {
      context.log.info(message);
    } else {
      const next = stalls ? 'next try when the spec changes' : `next try in ${formatDuration(delay)}`;
      context.log.error(`Reconciliation failed after ${pass.took()}, ${next}`, error, { revision: pass.revision });
      // The same failure again is told again only to who asked.
      const same = before?.status === 'False' && before.message === (detail ?? message);
      if (!same || context.triggers.has('requested') || context.triggers.has('changed')) pass.notice('Warning', message, { reason });
    }
    await pass.finish(reason);
    return stalls ? { kind: 'stalled', reason, message } : { kind: 'done', requeueAfter: delay, failed: true };
  }

  #retryDelay(error: unknown, memory: Memory, retry: Duration): Duration {
    if (error instanceof KustomizationFailure && error.follow === 'dependency') return this.#options.requeueDependency;
    if (isPassing(error)) return milliseconds(Math.min(retry, 1000 * 2 ** Math.min(memory.passing++, 20)));
    memory.passing = 0;
    return retry;
  }

  #correct(key: string, memory: Memory): void {
    this.#options.correct(key, correctionDelay(memory, this.#options.clock.now()));
  }
}

function markFailed({ session, object }: Pass, reason: Reason, message: string, stalls: boolean): void {
  const { conditions, draft } = session;
  conditions.mark(conditionTypes.ready, 'False', reason, message);
  const progress = conditions.find(conditionTypes.reconciling);
  if (stalls) {
    conditions.remove(conditionTypes.reconciling);
    conditions.mark(conditionTypes.stalled, 'True', reason, message);
    draft.observedGeneration = object.metadata.generation;
  } else if (progress !== undefined) {
    conditions.mark(conditionTypes.reconciling, 'True', reasons.ProgressingWithRetry, progress.message);
  }
}

const TERMINAL = 'Reconciliation failed terminally due to configuration error';

/** Expressions that do not parse stall the object before anything is done (KB02). @throws KustomizationFailure */
function assertExpressions(object: Kustomization): void {
  try {
    assertHealthExpressions(object);
    for (const { readyExpr = '' } of object.spec.dependsOn ?? []) if (readyExpr !== '') parseReadyExpression(readyExpr);
  } catch (error) {
    throw new KustomizationFailure('InvalidCELExpression', `${TERMINAL}: ${errorMessage(error)}`, { cause: error, follow: 'stall' });
  }
}
