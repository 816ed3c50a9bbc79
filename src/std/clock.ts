import { CodedError } from './coded-error.ts';
import type { Duration } from './duration.ts';

/** A point in time: milliseconds since the epoch. */
export type Instant = number & { readonly __brand: 'Instant' };

/** Cancels a timer started with {@link Clock.after}. */
export type CancelTimer = () => void;

/** Time as an argument: the real clock in production, {@link FakeClock} in tests. */
export interface Clock {
  now(): Instant;
  /** Calls `callback` once after `delay`; timers do not keep the process alive. */
  after(delay: Duration, callback: () => void): CancelTimer;
}

/** The wall clock. */
export const systemClock: Clock = {
  now: () => Date.now() as Instant,
  after: (delay, callback) => {
    // setTimeout's limit is 2^31-1 ms; a longer wait is cut and whoever waits looks again.
    const timer = setTimeout(callback, Math.min(Math.max(0, delay), 0x7fffffff));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delay`; rejects with the signal's reason when it aborts first. */
export function sleep(clock: Clock, delay: Duration, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortReason(signal));
      return;
    }
    const onAbort = (): void => {
      cancel();
      reject(abortReason(signal));
    };
    const cancel = clock.after(delay, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new CodedError({ code: 'Aborted', message: 'wait: aborted' });
}

/** A clock that stands still until told to move: `advance` runs the timers that fall due, in order. */
export class FakeClock implements Clock {
  #now: number;
  #timers: { at: number; callback: () => void }[] = [];

  constructor(now = 1_767_225_600_000) {
    this.#now = now;
  }

  now(): Instant {
    return this.#now as Instant;
  }

  after(delay: Duration, callback: () => void): CancelTimer {
    const timer = { at: this.#now + delay, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves time forward by `delay` and runs every timer that falls due, earliest first. */
  advance(delay: Duration): void {
    const end = this.#now + delay;
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
    }
    this.#now = end;
  }
}
