import { milliseconds, sleep, type Clock } from '../std/index.ts';

/** A client-side limit on requests: a token bucket of `burst`, refilled at `qps` a second. Off unless asked for. */
export type RateLimit = { qps: number; burst: number };

/** Waits for a turn. Fair: turns are given in the order they were asked for. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #clock: Clock;
  /** When the bucket would be full again if nobody asked (theoretical arrival time, in milliseconds). */
  #arrival = 0;

  constructor(limit: RateLimit, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  async turn(signal?: AbortSignal): Promise<void> {
    const interval = 1000 / this.#limit.qps;
    const now = this.#clock.now();
    this.#arrival = Math.max(this.#arrival, now) + interval;
    const wait = this.#arrival - now - this.#limit.burst * interval;
    if (wait > 0) await sleep(this.#clock, milliseconds(wait), signal);
  }
}
