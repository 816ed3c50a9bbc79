import { errorMessage, type Clock, type Duration, type Instant } from '../../std/index.ts';
import { parseTrustedRoot, type TrustedRoot } from './trusted-root.ts';

export type RefreshingRootOptions = {
  /** What to trust until the first refresh: {@link publicGoodRoot}. */
  initial: TrustedRoot;
  /**
   * Brings the newest `trusted_root.json`, verified by TUF: a client with its own cache, or a file. Rejects when it cannot; a cached
   * target is a good answer.
   */
  load: (signal: AbortSignal) => Promise<Uint8Array>;
  clock: Clock;
  /** How old a root may be before the next use asks again. */
  every: Duration;
  /** How long to go without asking after a failure. */
  retryAfter: Duration;
  /** Told why a refresh failed; the last good root stays in use. */
  onError: (message: string) => void;
};

/**
 * A trusted root that renews itself when it is used, never more often than `every`: a first use right after start waits for nothing but
 * the embedded root, and an outage of TUF stops no verification. Keys that rotated are known after one refresh.
 */
export class RefreshingRoot {
  readonly #options: RefreshingRootOptions;
  #root: TrustedRoot;
  #askAgain: Instant | undefined;
  #under: Promise<void> | undefined;

  constructor(options: RefreshingRootOptions) {
    this.#options = options;
    this.#root = options.initial;
  }

  /** The root at hand; starts a refresh when it is due, and does not wait for it. */
  current(signal: AbortSignal): TrustedRoot {
    if (this.#isDue()) void this.refresh(signal);
    return this.#root;
  }

  /** The root after a refresh that is due or under way: for a signature that the root at hand could not verify. */
  async refreshed(signal: AbortSignal): Promise<TrustedRoot> {
    if (this.#isDue() || this.#under !== undefined) await this.refresh(signal);
    return this.#root;
  }

  /** Asks for the newest root now; requests at the same time are one. Never rejects: `onError` is told. */
  refresh(signal: AbortSignal): Promise<void> {
    this.#under ??= this.#load(signal).finally(() => (this.#under = undefined));
    return this.#under;
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { load, clock, every, retryAfter, onError, initial } = this.#options;
    try {
      this.#root = parseTrustedRoot(await load(signal), initial.name);
      this.#askAgain = (clock.now() + every) as Instant;
    } catch (error) {
      this.#askAgain = (clock.now() + retryAfter) as Instant;
      onError(`refresh trusted root ${JSON.stringify(initial.name)}: ${errorMessage(error)}; the last one stays in use`);
    }
  }

  #isDue(): boolean {
    return this.#askAgain === undefined || this.#options.clock.now() >= this.#askAgain;
  }
}
