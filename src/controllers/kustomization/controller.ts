import {
  conditionTypes,
  eventKeys,
  finalizer,
  groups,
  reasons,
  requestAnnotations,
  type Artifact,
  type ConditionType,
  type Kustomization,
  type KustomizationStatus,
  type Reason,
} from '../../api/index.ts';
import type { OwnedObjects } from '../../apply/index.ts';
import type { KubeClient } from '../../kube/index.ts';
import {
  formatKey,
  StatusSession,
  type ConfigReader,
  type Controller,
  type EventNotice,
  type EventRecorder,
  type FeatureGates,
  type Key,
  type Outcome,
  type ReconcileContext,
  type ResourceView,
  type StatusWriter,
  type Wait,
} from '../../runtime/index.ts';
import { CodedError, errorMessage, formatDuration, jitter, milliseconds, type Clock, type Duration, type Instant } from '../../std/index.ts';
import { applyManifests, type Applied } from './apply-manifests.ts';
import { evaluateReadyExpression, parseReadyExpression, unmetDependency, type DependencyView } from './dependencies.ts';
import { isPassing, KustomizationFailure } from './failure.ts';
import { deleteAll, deletesObjects, inventoryOf, pruneFailureText, unableToPruneText } from './finalize.ts';
import { assertHealthExpressions, HealthCheck } from './health.ts';
import { recordAttempt } from './history.ts';
import type { Memories, Memory } from './memory.ts';
import { formatSourceKey, originRevision, sourceKey, type Sources } from './source.ts';
import { interval, retryInterval, timeout } from './timing.ts';

/** What a {@link KustomizationController} works with. */
export type KustomizationOptions = {
  view: ResourceView<Kustomization>;
  writer: StatusWriter;
  configs: ConfigReader;
  sources: Sources;
  owned: OwnedObjects;
  memories: Memories;
  kube: KubeClient;
  events: EventRecorder;
  clock: Clock;
  random: () => number;
  gates: FeatureGates;
  /** Asks for a reconcile of a Kustomization because of drift, after a while. */
  correct: (key: string, delay: Duration) => void;
  /** Fraction of the interval (C11). */
  intervalJitter: number;
  requeueDependency: Duration;
  noCrossNamespaceRefs: boolean;
  /** Account to act as when the spec names none; empty for the controller's own (KB91). */
  defaultServiceAccount: string;
  overrideManagers: readonly string[];
  customStageKinds: ReadonlySet<string>;
};

/** Conditions this controller writes. */
export const kustomizationConditions: readonly ConditionType[] = [
  conditionTypes.ready,
  conditionTypes.reconciling,
  conditionTypes.stalled,
  conditionTypes.healthy,
];

type Session = StatusSession<KustomizationStatus>;

/** One reconcile of one Kustomization on its way. */
type Pass = {
  key: string;
  object: Kustomization;
  session: Session;
  memory: Memory;
  context: ReconcileContext;
  /** What there is to tell, not told yet. */
  notices: EventNotice[];
  artifact: Artifact;
  /** Hash of the build, once there is one. */
  digest: string;
};

/** Keeps what an artifact says applied (KB01–KB91). */
export class KustomizationController implements Controller {
  readonly name = 'kustomization';
  readonly group: string = groups.kustomize;
  readonly kind = 'Kustomization';
  readonly #options: KustomizationOptions;
  /** Keys whose dependencies were not met when last looked. */
  readonly #blocked = new Map<string, Set<() => void>>();

  constructor(options: KustomizationOptions) {
    this.#options = options;
  }

  async reconcile(key: Key, context: ReconcileContext): Promise<Outcome> {
    const { view, writer, memories } = this.#options;
    const text = formatKey(key);
    let object = view.get(key);
    if (object === undefined) {
      memories.forget(text);
      return { kind: 'done' };
    }
    if (object.metadata.deletionTimestamp !== undefined) return this.#finalize(object, context);
    if (!(object.metadata.finalizers ?? []).includes(finalizer)) {
      // Flux ends the pass here (C09); nobody can tell, and going on saves one.
      if ((await writer.writeFinalizer(object.metadata, finalizer, true)) === undefined) return { kind: 'done' };
      object = view.get(key) ?? object;
    }
    if (object.spec.suspend === true) {
      await this.#session(object, context).finish();
      return { kind: 'done' };
    }
    return this.#run(object, context);
  }

  /** Wakes a Kustomization that waits for its dependencies. */
  dependencyChanged(key: string): void {
    for (const wake of this.#blocked.get(key) ?? []) wake();
  }

  /** Puts drift right: at once, unless there has been much of it lately. */
  drifted(key: string): void {
    this.#correct(key, this.#options.memories.of(key));
  }

  async #run(object: Kustomization, context: ReconcileContext): Promise<Outcome> {
    const key = formatKey(object.metadata);
    const memory = this.#options.memories.of(key);
    memory.busy = true;
    const pass: Pass = {
      key,
      object,
      session: this.#session(object, context),
      memory,
      context,
      notices: [],
      artifact: { path: '', url: '', revision: '', digest: '', lastUpdateTime: '' },
      digest: '',
    };
    pass.session.onProgress = () => this.#tell(pass);
    try {
      assertExpressions(object);
      const artifact = await this.#artifact(object, context);
      if (typeof artifact === 'string') return this.#waitForSource(pass, artifact);
      pass.artifact = artifact;
      const unmet = await this.#unmetDependency(object, artifact.revision);
      if (unmet !== undefined) return this.#waitForDependency(pass, unmet);
      this.#progress(pass, `Fetching manifests for revision ${artifact.revision} with a timeout of ${formatDuration(timeout(object))}`);
      const applied = await applyManifests(object, artifact, this.#options, {
        memory,
        session: pass.session,
        triggers: context.triggers,
        signal: context.signal,
        log: context.log,
        building: () => this.#progress(pass, `Building manifests for revision ${artifact.revision} with a timeout of ${formatDuration(timeout(object))}`),
        applying: (digest) => {
          pass.digest = digest;
          this.#progress(pass, `Detecting drift for revision ${artifact.revision} with a timeout of ${formatDuration(timeout(object))}`);
        },
        tell: (message) => this.#notice(pass, 'Normal', message),
      });
      pass.digest = applied.digest;
      return await this.#checkHealth(pass, applied);
    } catch (error) {
      return this.#fail(pass, error);
    } finally {
      if (memory.settle()) this.#correct(key, memory);
    }
  }

  /** The artifact of the source, or why there is none yet (KB02, KB03). @throws KustomizationFailure */
  async #artifact(object: Kustomization, context: ReconcileContext): Promise<Artifact | string> {
    const { sources, noCrossNamespaceRefs, gates, requeueDependency } = this.#options;
    const source = sourceKey(object);
    const name = `${source.kind}/${source.namespace}/${source.name}`;
    if (noCrossNamespaceRefs && source.namespace !== object.metadata.namespace) {
      throw new KustomizationFailure('AccessDenied', `can't access '${name}', cross-namespace references have been blocked`, { follow: 'stall' });
    }
    if (source.kind === 'ExternalArtifact' && !gates.enabled('ExternalArtifact')) {
      throw new KustomizationFailure('AccessDenied', `can't access '${name}', ExternalArtifact feature gate is disabled`, { follow: 'stall' });
    }
    const artifact = await sources.artifact(source, context.signal);
    if (artifact === 'absent') return `Source '${formatSourceKey(source)}' not found`;
    return artifact ?? `Source artifact not found, retrying in ${formatDuration(requeueDependency)}`;
  }

  /** Waits for the source without a worker; its first artifact ends the wait at once. */
  #waitForSource(pass: Pass, problem: string): Outcome {
    const { object, session, context } = pass;
    session.conditions.mark(conditionTypes.ready, 'False', reasons.ArtifactFailed, problem);
    pass.memory.success = undefined;
    context.log.info(problem);
    return this.#waitFor(pass, { what: problem, subscribe: () => () => {} }, object.metadata);
  }

  /** Waits for something another object has to bring, then reconciles afresh; shown in the status once it takes a while. */
  #waitFor(pass: Pass, on: Wait, key: Key): Outcome {
    const { session } = pass;
    const { clock, requeueDependency } = this.#options;
    return {
      kind: 'waiting',
      on,
      deadline: (clock.now() + requeueDependency) as Instant,
      resume: async (_cause, context) => {
        await session.abandon();
        return this.reconcile(key, context);
      },
      superseded: () => session.abandon(),
    };
  }

  async #unmetDependency(object: Kustomization, revision: string): Promise<string | undefined> {
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
    const { object, session, key } = pass;
    const { requeueDependency } = this.#options;
    const before = session.conditions.find(conditionTypes.ready);
    session.conditions.mark(conditionTypes.ready, 'False', reasons.DependencyNotReady, unmet);
    if (before?.reason !== reasons.DependencyNotReady || before.message !== unmet) {
      this.#notice(pass, 'Normal', `Dependencies do not meet ready condition, retrying in ${formatDuration(requeueDependency)}`);
    }
    return this.#waitFor(pass, { what: unmet, subscribe: (wake) => this.#onDependency(key, wake) }, object.metadata);
  }

  #onDependency(key: string, wake: () => void): () => void {
    const wakers = this.#blocked.get(key) ?? new Set();
    wakers.add(wake);
    this.#blocked.set(key, wakers);
    return () => {
      wakers.delete(wake);
      if (wakers.size === 0) this.#blocked.delete(key);
    };
  }

  async #checkHealth(pass: Pass, applied: Applied): Promise<Outcome> {
    const { object, session, context } = pass;
    const { owned, kube, memories, clock, gates } = this.#options;
    if (applied.result === undefined && pass.memory.success !== undefined && session.conditions.isTrue(conditionTypes.ready) && !applied.checkHealth) {
      return this.#succeed(pass, applied);
    }
    if (object.spec.wait !== true && (object.spec.healthChecks ?? []).length === 0) {
      session.conditions.remove(conditionTypes.healthy);
      return this.#succeed(pass, applied);
    }
    const result = applied.result ?? applied.last;
    const check = await HealthCheck.open(object, result, applied.objects, {
      owned,
      client: kube,
      memories,
      clock,
      failFast: !gates.enabled('DisableFailFastBehavior'),
      signal: context.signal,
    });
    if (check === undefined) {
      session.conditions.remove(conditionTypes.healthy);
      return this.#succeed(pass, applied);
    }
    const wasHealthy = object.status.conditions?.some(({ type, status }) => type === conditionTypes.healthy && status === 'True') === true;
    const progress = `Running health checks for revision ${pass.artifact.revision} with a timeout of ${formatDuration(timeout(object))}`;
    const started = clock.now();
    const judgeNow = async (timedOut: boolean): Promise<Outcome | undefined> => {
      const verdict = check.verdict(timedOut);
      const took = formatDuration(milliseconds(clock.now() - started));
      if (verdict.kind === 'waiting') return undefined;
      check.close();
      if (verdict.kind === 'failed') {
        session.conditions.mark(conditionTypes.healthy, 'False', reasons.HealthCheckFailed, verdict.message);
        return this.#fail(pass, new KustomizationFailure('HealthCheckFailed', `health check failed after ${took}: ${verdict.message}`), verdict.message);
      }
      const passed = `Health check passed in ${took}`;
      if (!wasHealthy || (applied.changed && object.status.lastAppliedRevision !== pass.artifact.revision)) this.#notice(pass, 'Normal', passed);
      // An unchanged "healthy" is left as it is, so that looking writes nothing.
      if (!wasHealthy || applied.changed) session.conditions.mark(conditionTypes.healthy, 'True', reasons.Succeeded, passed);
      return this.#succeed(pass, applied);
    };
    const now = await judgeNow(false);
    if (now !== undefined) return now;
    this.#progress(pass, progress);
    session.conditions.mark(conditionTypes.healthy, 'Unknown', reasons.Progressing, progress);
    const deadline = (started + timeout(object)) as Instant;
    const wait = (): Outcome => ({
      kind: 'waiting',
      on: check.wait(),
      deadline,
      resume: async (cause, resumed) => {
        if (resumed.triggers.has('drift')) {
          // Something was changed while we wait: put it right first, then wait again for what is left of the time.
          check.close();
          await session.abandon();
          return this.reconcile(object.metadata, resumed);
        }
        return (await judgeNow(cause === 'deadline')) ?? wait();
      },
      superseded: async (trigger) => {
        check.close();
        await session.abandon();
        this.#canceled(pass, trigger);
      },
    });
    return wait();
  }

  /** KB13: what is newer ends the wait; the reconcile that follows writes the status. */
  #canceled(pass: Pass, trigger: string): void {
    const { object, context } = pass;
    const by = trigger === 'source' ? formatSourceKey(sourceKey(object)) : `Kustomization/${pass.key}`;
    context.log.info('New reconciliation triggered, canceling health checks', { trigger, by });
    this.#notice(pass, 'Normal', `Health checks canceled due to new reconciliation triggered by ${by}`, reasons.HealthCheckCanceled);
    this.#tell(pass);
  }

  async #succeed(pass: Pass, applied: Applied): Promise<Outcome> {
    const { object, session, artifact, memory } = pass;
    const { clock } = this.#options;
    const { draft, conditions } = session;
    const { revision } = artifact;
    const origin = originRevision(artifact);
    const wasReady = object.status.conditions?.some(({ type, status }) => type === conditionTypes.ready && status === 'True') === true;
    const news = applied.changed || applied.pruned || !wasReady || object.status.lastAppliedRevision !== revision || object.status.observedGeneration !== object.metadata.generation;
    draft.lastAppliedRevision = revision;
    draft.lastAttemptedRevision = revision;
    if (origin === '') delete draft.lastAppliedOriginRevision;
    else draft.lastAppliedOriginRevision = origin;
    draft.observedGeneration = object.metadata.generation;
    conditions.remove(conditionTypes.reconciling, conditionTypes.stalled);
    conditions.mark(conditionTypes.ready, 'True', reasons.ReconciliationSucceeded, `Applied revision: ${revision}`);
    if (news) this.#record(pass, reasons.ReconciliationSucceeded);
    memory.success = applied.success;
    memory.passing = 0;
    const requeueAfter = jitter(interval(object), this.#options.intervalJitter, this.#options.random);
    if (news || pass.context.triggers.has('requested')) {
      const took = formatDuration(milliseconds(clock.now() - pass.context.start));
      const message = `Reconciliation finished in ${took}, next run in ${object.spec.interval}`;
      pass.context.log.info(message, { revision });
      const metadata = { ...this.#metadata(pass), [eventKeys.commitStatus]: 'update' };
      // Nothing but the revision is new: those who follow revisions hear of it, the cluster's event log need not.
      const quiet = applied.result === undefined && wasReady;
      pass.notices.push({ type: 'Normal', reason: reasons.ReconciliationSucceeded, message, metadata, ...(quiet ? { quiet } : {}) });
    }
    for (const notice of pass.notices) notice.reason = reasons.ReconciliationSucceeded;
    if (await session.finish()) this.#tell(pass);
    return { kind: 'done', requeueAfter };
  }

  async #fail(pass: Pass, error: unknown, detail?: string): Promise<Outcome> {
    const { object, session, memory, context } = pass;
    if (context.signal.aborted) {
      await session.abandon();
      throw error;
    }
    const failure = error instanceof KustomizationFailure ? error : undefined;
    const message = failure?.message ?? (error instanceof Error ? error.message : String(error));
    const reason: Reason = failure?.code ?? reasons.ReconciliationFailed;
    const { conditions, draft } = session;
    const before = object.status.conditions?.find(({ type }) => type === conditionTypes.ready);
    conditions.mark(conditionTypes.ready, 'False', reason, detail ?? message);
    if (failure?.follow === 'stall') {
      conditions.remove(conditionTypes.reconciling);
      conditions.mark(conditionTypes.stalled, 'True', reason, message);
      draft.observedGeneration = object.metadata.generation;
    } else if (conditions.find(conditionTypes.reconciling) !== undefined) {
      const progress = conditions.find(conditionTypes.reconciling)?.message ?? '';
      conditions.mark(conditionTypes.reconciling, 'True', reasons.ProgressingWithRetry, progress);
    }
    if (pass.digest !== '') this.#record(pass, reason);
    memory.success = undefined;
    const retry = retryInterval(object);
    const delay = this.#retryDelay(error, memory, retry);
    if (failure?.tell !== false) {
      const took = formatDuration(milliseconds(this.#options.clock.now() - context.start));
      context.log.error(`Reconciliation failed after ${took}, next try in ${formatDuration(delay)}`, error, { revision: pass.artifact.revision });
      // The same failure again is told again only when it is a new attempt someone asked for.
      if (before?.message !== (detail ?? message) || before.status !== 'False' || context.triggers.has('requested') || context.triggers.has('changed')) {
        this.#notice(pass, 'Warning', message, reason);
      }
    } else {
      context.log.info(message);
    }
    for (const notice of pass.notices) notice.reason = reason;
    if (await session.finish()) this.#tell(pass);
    if (failure?.follow === 'stall') return { kind: 'stalled', reason, message };
    return { kind: 'done', requeueAfter: delay, failed: true };
  }

  #retryDelay(error: unknown, memory: Memory, retry: Duration): Duration {
    if (error instanceof KustomizationFailure && error.follow === 'dependency') return this.#options.requeueDependency;
    if (isPassing(error)) return milliseconds(Math.min(retry, 1000 * 2 ** Math.min(memory.passing++, 20)));
    memory.passing = 0;
    return retry;
  }

  async #finalize(object: Kustomization, context: ReconcileContext): Promise<Outcome> {
    const { owned, writer, memories } = this.#options;
    if (!(object.metadata.finalizers ?? []).includes(finalizer)) return { kind: 'done' };
    if (deletesObjects(object)) {
      const client = await this.#identity(object);
      if (client === undefined) {
        this.#options.events.record(involved(object), [this.#deletionNotice(object, 'Warning', unableToPruneText(object))]);
      } else {
        const result = await deleteAll(object, { client, live: owned, group: groups.kustomize, signal: context.signal });
        if (result.failures.length > 0) {
          const message = `pruning for deleted resource failed: ${pruneFailureText(result)}`;
          this.#options.events.record(involved(object), [this.#deletionNotice(object, 'Warning', message)]);
          throw new CodedError({ code: 'PruneFailed', message, subject: `Kustomization/${formatKey(object.metadata)}` });
        }
        const lines = result.changes.map(({ ref, action }) => `${ref.kind}/${ref.namespace === '' ? '' : `${ref.namespace}/`}${ref.name} ${action}`);
        if (lines.length > 0) this.#options.events.record(involved(object), [this.#deletionNotice(object, 'Normal', lines.join('\n'))]);
        if (object.spec.deletionPolicy === 'WaitForTermination') return this.#waitForTermination(object);
      }
    }
    await writer.writeFinalizer(object.metadata, finalizer, false);
    memories.forget(formatKey(object.metadata));
    return { kind: 'done' };
  }

  /** Keeps the finalizer until what was deleted is gone, or the time is up (KB90). */
  #waitForTermination(object: Kustomization): Outcome {
    const { owned, memories, clock, writer } = this.#options;
    const key = formatKey(object.metadata);
    const kinds = inventoryOf(object);
    const remaining = (): boolean => kinds.some(({ ref, version }) => {
      const apiVersion = ref.group === '' ? version : `${ref.group}/${version}`;
      const live = owned.find(ref, apiVersion);
      return live !== undefined && live !== 'absent' && live.deleting;
    });
    const end = async (): Promise<Outcome> => {
      await writer.writeFinalizer(object.metadata, finalizer, false);
      memories.forget(key);
      return { kind: 'done' };
    };
    const wait = (): Outcome => ({
      kind: 'waiting',
      deadline: (clock.now() + timeout(object)) as Instant,
      on: {
        what: 'termination of deleted objects',
        subscribe: (wake) => {
          const stop = memories.onChange(key, wake);
          // What is gone already will not tell.
          if (!remaining()) wake();
          return stop;
        },
      },
      resume: async (cause) => {
        if (cause === 'deadline') {
          this.#options.events.record(involved(object), [this.#deletionNotice(object, 'Warning', 'failed to wait for resources termination')]);
          return end();
        }
        return remaining() ? wait() : end();
      },
    });
    return wait();
  }

  /** Who deletes; undefined when the account to act as is gone (KB90). */
  async #identity(object: Kustomization): Promise<KubeClient | undefined> {
    const { kube, defaultServiceAccount, configs } = this.#options;
    const account = object.spec.serviceAccountName ?? defaultServiceAccount;
    if (account === '') return kube;
    const { namespace } = object.metadata;
    if ((await configs.find('ServiceAccount', namespace, account)) === undefined) return undefined;
    return kube.impersonate({ user: `system:serviceaccount:${namespace}:${account}` });
  }

  /** Drift is put right at once, but a fight with another writer is not kept up at full speed. */
  #correct(key: string, memory: Memory): void {
    this.#options.correct(key, correctionDelay(memory, this.#options.clock.now()));
  }

  #session(object: Kustomization, context: ReconcileContext): Session {
    const { writer, clock } = this.#options;
    const session: Session = new StatusSession({ writer, object, clock, isBusy: context.isBusy, onError: (error) => context.log.error('could not show progress', error) });
    const requested = object.metadata.annotations?.[requestAnnotations.requestedAt];
    if (requested !== undefined) session.draft.lastHandledReconcileAt = requested;
    return session;
  }

  #progress(pass: Pass, message: string): void {
    const { conditions } = pass.session;
    conditions.mark(conditionTypes.ready, 'Unknown', reasons.Progressing, 'Reconciliation in progress');
    conditions.mark(conditionTypes.reconciling, 'True', reasons.Progressing, message);
  }

  #record(pass: Pass, status: Reason): void {
    const { clock } = this.#options;
    const origin = originRevision(pass.artifact);
    pass.session.draft.history = recordAttempt(pass.session.draft.history, {
      digest: pass.digest,
      status,
      at: clock.now(),
      took: milliseconds(clock.now() - pass.context.start),
      metadata: { revision: pass.artifact.revision, ...(origin === '' ? {} : { originRevision: origin }) },
    });
  }

  #notice(pass: Pass, type: 'Normal' | 'Warning', message: string, reason?: Reason): void {
    const current = pass.session.conditions.find(conditionTypes.ready)?.reason ?? (type === 'Warning' ? 'error' : 'info');
    pass.notices.push({ type, reason: reason ?? current, message, metadata: this.#metadata(pass) });
  }

  #metadata(pass: Pass): Record<string, string> {
    const origin = originRevision(pass.artifact);
    return {
      ...(pass.artifact.revision === '' ? {} : { [eventKeys.revision]: pass.artifact.revision }),
      ...(origin === '' ? {} : { [eventKeys.originRevision]: origin }),
    };
  }

  #deletionNotice(object: Kustomization, type: 'Normal' | 'Warning', message: string): EventNotice {
    const reason = object.status.conditions?.find((condition) => condition.type === conditionTypes.ready)?.reason ?? (type === 'Warning' ? 'error' : 'info');
    const revision = object.status.lastAppliedRevision;
    return { type, reason, message, metadata: revision === undefined ? {} : { [eventKeys.revision]: revision } };
  }

  #tell(pass: Pass): void {
    const { notices } = pass;
    if (notices.length > 0) this.#options.events.record(involved(pass.object), notices.splice(0));
  }
}

function involved(object: Kustomization): Kustomization {
  return object;
}

/** Expressions that do not parse stall the object before anything is done (KB02). @throws KustomizationFailure */
function assertExpressions(object: Kustomization): void {
  try {
    assertHealthExpressions(object);
    for (const { readyExpr = '' } of object.spec.dependsOn ?? []) if (readyExpr !== '') parseReadyExpression(readyExpr);
  } catch (error) {
    const message = `${TERMINAL}: ${errorMessage(error)}`;
    throw new KustomizationFailure('InvalidCELExpression', message, { cause: error, follow: 'stall' });
  }
}

const TERMINAL = 'Reconciliation failed terminally due to configuration error';

const FIGHT_WINDOW = 60_000;
const FREE_CORRECTIONS = 5;
const SLOWEST = 60_000;

/** How long to wait before putting drift right: nothing, unless there were many corrections within a minute. */
export function correctionDelay(memory: Pick<Memory, 'corrections'>, now: Instant): Duration {
  memory.corrections = [...memory.corrections.filter((at) => now - at < FIGHT_WINDOW), now].slice(-50);
  const excess = memory.corrections.length - FREE_CORRECTIONS;
  return milliseconds(excess <= 0 ? 0 : Math.min(SLOWEST, 1000 * 2 ** Math.min(excess, 10)));
}
