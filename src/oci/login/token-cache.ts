import { type Clock, type Duration, Lru, minutes } from '../../std/index.ts';
import { Coalescer } from '../coalesce.ts';
import type { Expiring } from './login-host.ts';

/** Bounds of a {@link TokenCache}. */
export type TokenCacheOptions = {
  /** Tokens kept, 0 for none (`--token-cache-max-size`). Default 1,000. */
  maxSize?: number;
  /** Longest time a token is used. Default 1 h (`--token-cache-max-duration`). */
  maxDuration?: Duration;
};

const DEFAULT_SIZE = 1000;
const DEFAULT_DURATION = minutes(60);
/** The share of its life a token is used for: the rest is margin for clocks and for requests under way. */
const USED_LIFE = 0.8;

/** Tokens by who they are for. Those who ask for the same at the same time share one request; a failure is remembered by nobody. */
export class TokenCache {
  readonly #clock: Clock;
  readonly #maxSize: number;
  readonly #maxDuration: Duration;
  readonly #tokens: Lru<string, { token: Expiring<unknown>; until: number }>;
  readonly #coalescer = new Coalescer();

  constructor(clock: Clock, options: TokenCacheOptions = {}) {
    this.#clock = clock;
    this.#maxDuration = options.maxDuration ?? DEFAULT_DURATION;
    this.#maxSize = options.maxSize ?? DEFAULT_SIZE;
    this.#tokens = new Lru(this.#maxSize);
  }

  /** The token kept under `key`, else the one `create` gives. Equal keys promise equal types. */
  get<T>(key: string, signal: AbortSignal, create: (signal: AbortSignal) => Promise<Expiring<T>>): Promise<Expiring<T>> {
    const known = this.#tokens.get(key);
    // The key names the kind of token.
    if (known !== undefined && known.until > this.#clock.now()) return Promise.resolve(known.token as Expiring<T>);
    return this.#coalescer.run(key, signal, async (shared) => {
      const token = await create(shared);
      const now = this.#clock.now();
      const life = Math.min((token.expiresAt - now) * USED_LIFE, this.#maxDuration);
      if (life > 0 && this.#maxSize > 0) this.#tokens.set(key, { token, until: now + life });
      return token;
    });
  }

  /** Forgets a token that turned out to be worth nothing; false when it is not the one that is kept. */
  forget(key: string, isIt: (value: unknown) => boolean): boolean {
    const known = this.#tokens.get(key);
    if (known === undefined || !isIt(known.token.value)) return false;
    this.#tokens.delete(key);
    return true;
  }
}
