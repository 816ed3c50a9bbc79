import { type Clock, type Duration, milliseconds, sleep } from '../std/index.ts';

/**
 * A token bucket for one registry: `burst` requests at once, `perSecond` after that. Whoever waits gets its turn in order. A pause
 * (Retry-After) holds everybody.
 */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number;
  #pausedUntil = 0;

  constructor(clock: Clock, rate: { perSecond: number; burst: number }) {
    this.#clock = clock;
    this.#perSecond = rate.perSecond;
    this.#burst = rate.burst;
    this.#tokens = rate.burst;
    this.#filledAt = clock.now();
  }

  /** Time until everybody may go on again; 0 when there is no pause. */
  get pause(): Duration {
    return milliseconds(Math.max(0, this.#pausedUntil - this.#clock.now()));
  }

  /** Holds all requests for `delay`. */
  pauseFor(delay: Duration): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, this.#clock.now() + delay);
  }

  /** Waits for a turn. Rejects with the signal's reason, giving the turn back. */
  async take(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond);
    this.#filledAt = now;
    this.#tokens -= 1;
    const wait = Math.max(this.#tokens < 0 ? (-this.#tokens / this.#perSecond) * 1000 : 0, this.#pausedUntil - now);
    if (wait <= 0) return;
    try {
      await sleep(this.#clock, milliseconds(wait), signal);
    } catch (error) {
      this.#tokens += 1;
      throw error;
    }
  }
}
