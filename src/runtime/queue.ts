import type { CancelTimer, Clock, Duration, Instant } from '../std/index.ts';
import { periodicTriggers, type Trigger } from './outcome.ts';

/** What a worker takes from the queue. */
export type QueueItem = { key: string; triggers: ReadonlySet<Trigger>; enqueued: Instant };

type Pending = { triggers: Set<Trigger>; urgent: boolean; enqueued: Instant };

/**
 * Keys that want to be reconciled. A key is in it at most once; its triggers add up. Changes go before periodic work. A key that is
 * being worked on waits until `done` and so is never worked on twice at the same time. Delayed keys: only the earliest delay counts.
 */
export class KeyQueue {
  readonly #clock: Clock;
  readonly #pending = new Map<string, Pending>();
  readonly #urgent = new Set<string>();
  readonly #periodic = new Set<string>();
  readonly #active = new Set<string>();
  readonly #delayed = new Map<string, { at: number; trigger: Trigger; cancel: CancelTimer }>();
  #takers: ((item: QueueItem | undefined) => void)[] = [];
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keys that are ready and not being worked on. */
  get depth(): number {
    return this.#urgent.size + this.#periodic.size;
  }

  /** Adds a key, or a trigger to a key that is in already. */
  add(key: string, trigger: Trigger): void {
    if (this.#closed) return;
    const urgent = !periodicTriggers.has(trigger);
    const pending = this.#pending.get(key);
    if (pending === undefined) {
      this.#pending.set(key, { triggers: new Set([trigger]), urgent, enqueued: this.#clock.now() });
    } else {
      pending.triggers.add(trigger);
      pending.urgent ||= urgent;
    }
    if (this.#active.has(key)) return;
    if (urgent) {
      this.#periodic.delete(key);
      this.#urgent.add(key);
    } else if (!this.#urgent.has(key)) {
      this.#periodic.add(key);
    }
    this.#serve();
  }

  /** Adds a key after `delay`, unless an earlier delay is set for it already. */
  addAfter(key: string, delay: Duration, trigger: Trigger): void {
    if (this.#closed) return;
    if (delay <= 0) {
      this.add(key, trigger);
      return;
    }
    const at = this.#clock.now() + delay;
    const existing = this.#delayed.get(key);
    if (existing !== undefined && existing.at <= at) return;
    existing?.cancel();
    const cancel = this.#clock.after(delay, () => {
      this.#delayed.delete(key);
      this.add(key, trigger);
    });
    this.#delayed.set(key, { at, trigger, cancel });
  }

  /** Forgets the delay of a key: what it would have done is being done. */
  cancelDelay(key: string): void {
    this.#delayed.get(key)?.cancel();
    this.#delayed.delete(key);
  }

  /** The next key; resolves with undefined when the queue is closed. Call {@link done} when finished with it. */
  take(): Promise<QueueItem | undefined> {
    return new Promise((resolve) => {
      this.#takers.push(resolve);
      this.#serve();
    });
  }

  /** Ends work on a key; what came in meanwhile becomes ready. */
  done(key: string): void {
    this.#active.delete(key);
    const pending = this.#pending.get(key);
    if (pending === undefined) return;
    (pending.urgent ? this.#urgent : this.#periodic).add(key);
    this.#serve();
  }

  /** Ends the queue: nothing comes in or out any more. */
  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#pending.clear();
    this.#urgent.clear();
    this.#periodic.clear();
    this.#serve();
  }

  #serve(): void {
    while (this.#takers.length > 0) {
      if (this.#closed) {
        for (const taker of this.#takers.splice(0)) taker(undefined);
        return;
      }
      const key = first(this.#urgent) ?? first(this.#periodic);
      if (key === undefined) return;
      this.#urgent.delete(key);
      this.#periodic.delete(key);
      const pending = this.#pending.get(key);
      if (pending === undefined) continue;
      this.#pending.delete(key);
      this.#active.add(key);
      this.#takers.shift()?.({ key, triggers: pending.triggers, enqueued: pending.enqueued });
    }
  }
}

function first(keys: ReadonlySet<string>): string | undefined {
  return keys.values().next().value;
}
