import { conditionTypes, reasons } from '../../api/index.ts';
import type { FeatureGates, Outcome, ReconcileContext } from '../../runtime/index.ts';
import { formatDuration, milliseconds, type Clock, type Instant } from '../../std/index.ts';
import type { Applied } from './apply-manifests.ts';
import { formatSourceKey, type Clusters } from '../applier/index.ts';
import { KustomizationFailure } from './failure.ts';
import { HealthCheck } from './health.ts';
import type { Memories } from './memory.ts';
import type { Pass } from './pass.ts';
import { sourceKey } from './source.ts';
import { timeout } from './timing.ts';

/** What the wait for health works with. */
export type HealthWaitOptions = { clusters: Clusters; memories: Memories; clock: Clock; gates: FeatureGates };

/** How a pass goes on after its health check. */
export type HealthEnds = {
  succeed: () => Promise<Outcome>;
  /** Ends the pass as failed; gives what it would wait for anyway. */
  fail: (failure: KustomizationFailure, detail: string) => Promise<Outcome>;
  /** Begins afresh. */
  reconcile: (context: ReconcileContext) => Promise<Outcome>;
};

/** Checks the health of what was applied, as the spec asks, and waits for it without a worker (KB80–KB84). @throws KubeError */
export async function waitForHealth(pass: Pass, applied: Applied, options: HealthWaitOptions, ends: HealthEnds): Promise<Outcome> {
  const { object, session, context } = pass;
  const { clusters, memories, clock, gates } = options;
  const { owned, kube } = pass.cluster ?? (await clusters.of(object));
  const check = await HealthCheck.open(object, applied.result ?? applied.last, applied.objects, {
    owned,
    client: kube,
    memories,
    clock,
    failFast: !gates.enabled('DisableFailFastBehavior'),
    signal: AbortSignal.any([context.signal, AbortSignal.timeout(timeout(object))]),
  });
  if (check === undefined) {
    session.conditions.remove(conditionTypes.healthy);
    return ends.succeed();
  }
  return new HealthWait(pass, applied, check, clock, ends).begin();
}

/** One health check on its way. */
class HealthWait {
  readonly #pass: Pass;
  readonly #applied: Applied;
  readonly #check: HealthCheck;
  readonly #clock: Clock;
  readonly #ends: HealthEnds;
  readonly #started: Instant;
  readonly #wasHealthy: boolean;

  constructor(pass: Pass, applied: Applied, check: HealthCheck, clock: Clock, ends: HealthEnds) {
    this.#pass = pass;
    this.#applied = applied;
    this.#check = check;
    this.#clock = clock;
    this.#ends = ends;
    this.#started = clock.now();
    this.#wasHealthy = pass.session.conditions.isTrue(conditionTypes.healthy);
  }

  async begin(): Promise<Outcome> {
    const end = await this.#judge(false);
    if (end !== undefined) return end;
    const message = this.#pass.progress('Running health checks');
    this.#pass.session.conditions.mark(conditionTypes.healthy, 'Unknown', reasons.Progressing, message);
    return this.#wait();
  }

  async #judge(timedOut: boolean): Promise<Outcome | undefined> {
    const verdict = this.#check.verdict(timedOut);
    switch (verdict.kind) {
      case 'waiting':
        return undefined;
      case 'healthy':
        return this.#healthy();
      case 'failed':
        return this.#fail(verdict.message);
    }
  }

  #healthy(): Promise<Outcome> {
    this.#check.close();
    const { session, object, revision } = this.#pass;
    const { changed } = this.#applied;
    const passed = `Health check passed in ${this.#took()}`;
    if (!this.#wasHealthy || (changed && object.status.lastAppliedRevision !== revision)) this.#pass.notice('Normal', passed);
    // An unchanged "healthy" is left as it is, so that looking writes nothing.
    if (changed || !session.conditions.isTrue(conditionTypes.healthy))
      session.conditions.mark(conditionTypes.healthy, 'True', reasons.Succeeded, passed);
    return this.#ends.succeed();
  }

  async #fail(detail: string): Promise<Outcome> {
    const { session } = this.#pass;
    session.conditions.mark(conditionTypes.healthy, 'False', reasons.HealthCheckFailed, detail);
    const failure = new KustomizationFailure('HealthCheckFailed', `health check failed after ${this.#took()}: ${detail}`);
    const outcome = await this.#ends.fail(failure, detail);
    if (outcome.kind !== 'done' || outcome.requeueAfter === undefined) {
      this.#check.close();
      return outcome;
    }
    // Until the next attempt: what turns healthy by itself is Ready at once.
    return this.#recover((this.#clock.now() + outcome.requeueAfter) as Instant);
  }

  #recover(deadline: Instant): Outcome {
    return {
      kind: 'waiting',
      on: this.#check.wait(),
      deadline,
      resume: async (cause, context) => {
        const healthy = this.#check.verdict(false).kind === 'healthy';
        if (cause === 'woken' && !healthy && !context.triggers.has('drift')) return this.#recover(deadline);
        this.#check.close();
        return this.#ends.reconcile(context);
      },
      superseded: async () => this.#check.close(),
    };
  }

  #wait(): Outcome {
    const { session, object } = this.#pass;
    return {
      kind: 'waiting',
      on: this.#check.wait(),
      deadline: (this.#started + timeout(object)) as Instant,
      resume: async (cause, context) => {
        // Something was changed while we wait: put it right first, then wait again.
        if (context.triggers.has('drift')) {
          this.#check.close();
          await session.abandon();
          return this.#ends.reconcile(context);
        }
        return (await this.#judge(cause === 'deadline')) ?? this.#wait();
      },
      superseded: async (trigger) => {
        this.#check.close();
        await session.abandon();
        this.#canceled(trigger);
      },
    };
  }

  /** KB13: what is newer ends the wait; the reconcile that follows writes the status. */
  #canceled(trigger: string): void {
    const { object, key, context } = this.#pass;
    const by = trigger === 'source' ? formatSourceKey(sourceKey(object)) : `Kustomization/${key}`;
    context.log.info('New reconciliation triggered, canceling health checks', { trigger, by });
    const message = `Health checks canceled due to new reconciliation triggered by ${by}`;
    this.#pass.notice('Normal', message, { reason: reasons.HealthCheckCanceled });
    this.#pass.tell();
  }

  #took(): string {
    return formatDuration(milliseconds(this.#clock.now() - this.#started));
  }
}
