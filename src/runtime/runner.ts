import { randomUUID } from 'node:crypto';
import { backoffDelay, milliseconds, type Backoff, type Clock, type Duration, type Instant } from '../std/index.ts';
import { parseKey } from './key.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { KeyQueue, type QueueItem } from './queue.ts';
import { supersedingTriggers, type Controller, type Outcome, type ReconcileContext, type Trigger } from './outcome.ts';

/** What a {@link ControllerRunner} works with. */
export type RunnerOptions = {
  controller: Controller;
  clock: Clock;
  random: () => number;
  log: Logger;
  metrics: Metrics;
  /** How many keys are worked on at the same time. */
  concurrency: number;
  /** Between attempts of a key whose reconcile throws. */
  backoff: Backoff;
};

type Waiting = Extract<Outcome, { kind: 'waiting' }> & { stop: () => void; due: boolean };

/**
 * Runs one controller: takes keys from the queue, reconciles at most `concurrency` at a time and never one key twice at once, and does
 * what the outcome says. Waits hold no worker; they end early when a newer spec, revision or request comes in.
 */
export class ControllerRunner {
  readonly #options: RunnerOptions;
  readonly #queue: KeyQueue;
  readonly #waiting = new Map<string, Waiting>();
  readonly #failures = new Map<string, number>();
  readonly #stop = new AbortController();
  #workers: Promise<void>[] = [];
  #active = 0;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#queue = new KeyQueue(options.clock);
  }

  /** Asks for a reconcile of `namespace/name`. */
  enqueue(key: string, trigger: Trigger): void {
    this.#options.metrics.queueAdded(this.#options.controller.name);
    this.#queue.add(key, trigger);
  }

  /** Asks for a reconcile later. */
  enqueueAfter(key: string, delay: Duration, trigger: Trigger): void {
    this.#queue.addAfter(key, delay, trigger);
  }

  /** True while the key waits for something without holding a worker. */
  isWaiting(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** True while more keys wait for their turn than are being worked on. */
  get isBusy(): boolean {
    return this.#queue.depth > this.#options.concurrency;
  }

  /** Starts the workers. */
  start(): void {
    this.#workers = Array.from({ length: this.#options.concurrency }, () => this.#work());
  }

  /** Takes no more work, ends waits and resolves when what is under way has ended. */
  async stop(): Promise<void> {
    this.#queue.close();
    this.#stop.abort();
    for (const waiting of this.#waiting.values()) waiting.stop();
    this.#waiting.clear();
    await Promise.all(this.#workers);
  }

  async #work(): Promise<void> {
    const { controller, metrics, clock, concurrency } = this.#options;
    for (;;) {
      const item = await this.#queue.take();
      if (item === undefined) return;
      metrics.queueDepth(controller.name, this.#queue.depth);
      metrics.queueTaken(controller.name, (clock.now() - item.enqueued) / 1000);
      metrics.activeWorkers(controller.name, ++this.#active, concurrency);
      try {
        await this.#serve(item);
      } finally {
        metrics.activeWorkers(controller.name, --this.#active, concurrency);
        this.#queue.done(item.key);
      }
    }
  }

  async #serve(item: QueueItem): Promise<void> {
    const { controller, clock, metrics, log } = this.#options;
    const key = parseKey(item.key);
    const start = clock.now();
    const context = this.#context(item, start);
    const labels = { controller: controller.name, kind: controller.kind, ...key };
    this.#queue.cancelDelay(item.key);
    try {
      const outcome = await this.#step(item, context);
      this.#failures.delete(item.key);
      this.#follow(item.key, outcome);
      metrics.reconciled(labels, (clock.now() - start) / 1000, resultOf(outcome));
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      metrics.reconciled(labels, (clock.now() - start) / 1000, 'error');
      const failures = this.#failures.get(item.key) ?? 0;
      this.#failures.set(item.key, failures + 1);
      const delay = backoffDelay(this.#options.backoff, failures, this.#options.random);
      log.with(this.#fields(item.key)).error('Reconciler error', error, { retryInMilliseconds: Math.round(delay) });
      this.#queue.addAfter(item.key, delay, 'retry');
    }
  }

  async #step(item: QueueItem, context: ReconcileContext): Promise<Outcome> {
    const waiting = this.#waiting.get(item.key);
    const key = parseKey(item.key);
    if (waiting === undefined) return this.#options.controller.reconcile(key, context);
    waiting.stop();
    this.#waiting.delete(item.key);
    const newer = [...item.triggers].find((trigger) => supersedingTriggers.has(trigger));
    if (newer === undefined) return waiting.resume(waiting.due ? 'deadline' : 'woken', context);
    await waiting.superseded?.(newer);
    return this.#options.controller.reconcile(key, context);
  }

  #follow(key: string, outcome: Outcome): void {
    switch (outcome.kind) {
      case 'done':
        if (outcome.requeueAfter !== undefined) {
          this.#queue.addAfter(key, outcome.requeueAfter, outcome.failed === true ? 'retry' : 'interval');
        }
        return;
      case 'stalled':
        return;
      case 'waiting':
        this.#wait(key, outcome);
    }
  }

  #wait(key: string, outcome: Extract<Outcome, { kind: 'waiting' }>): void {
    if (this.#stop.signal.aborted) return;
    const waiting: Waiting = { ...outcome, due: false, stop: () => {} };
    this.#waiting.set(key, waiting);
    const left = milliseconds(outcome.deadline - this.#options.clock.now());
    const cancel = this.#options.clock.after(left, () => {
      waiting.due = true;
      this.#queue.add(key, 'wait');
    });
    const unsubscribe = outcome.on.subscribe(() => this.#queue.add(key, 'wait'));
    waiting.stop = () => {
      cancel();
      unsubscribe();
    };
  }

  #context(item: QueueItem, start: Instant): ReconcileContext {
    const log = this.#options.log.with({ ...this.#fields(item.key), reconcileID: randomUUID() });
    return {
      triggers: item.triggers,
      signal: this.#stop.signal,
      log,
      start,
      enqueued: item.enqueued,
      isBusy: () => this.isBusy,
    };
  }

  #fields(key: string): Record<string, unknown> {
    const { controller } = this.#options;
    const { namespace, name } = parseKey(key);
    return {
      controller: controller.name,
      controllerGroup: controller.group,
      controllerKind: controller.kind,
      [controller.kind]: { name, namespace },
      namespace,
      name,
    };
  }
}

function resultOf(outcome: Outcome): 'success' | 'requeue_after' {
  return outcome.kind === 'done' && outcome.requeueAfter !== undefined ? 'requeue_after' : 'success';
}
