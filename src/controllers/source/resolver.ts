import type { Reference, RegistryClient } from '../../oci/index.ts';
import { Lru, type Clock, type Digest, type Instant } from '../../std/index.ts';

/** What a tag pointed to when the registry was last asked; `at` is when the question was sent. */
type Seen = { digest: Digest; at: Instant };

/** Distinct (registry access, repository, tag) remembered. */
const REMEMBERED = 20_000;

/**
 * What tags point to, asked once for all objects that want to know the same with the same credentials. An answer serves everybody to whom
 * it is new enough. When one differs from the one before, everybody who follows that tag is told, so that one HEAD updates them all.
 */
export class Resolver {
  readonly #clock: Clock;
  readonly #seen = new Lru<string, Seen>(REMEMBERED);
  readonly #asking = new Map<string, { at: Instant; answer: Promise<Seen> }>();
  readonly #followers = new Map<string, Set<string>>();
  readonly #following = new Map<string, string>();
  readonly #moved: (key: string) => void;

  /** @param moved told the object keys whose tag was seen to move, other than the one that asked */
  constructor(clock: Clock, moved: (key: string) => void) {
    this.#clock = clock;
    this.#moved = moved;
  }

  /**
   * @param key the object that asks, `namespace/name`
   * @param access fingerprint of the registry access: only equal ones share answers
   * @param notBefore answers to questions sent before this are too old
   * @throws RegistryError
   */
  async resolve(
    key: string,
    access: string,
    client: RegistryClient,
    reference: Reference,
    notBefore: Instant,
    signal: AbortSignal,
  ): Promise<Digest> {
    const id = `${access}\n${reference.registry}/${reference.path}:${reference.tag ?? 'latest'}`;
    this.#follow(key, id);
    for (;;) {
      const seen = this.#seen.get(id);
      if (seen !== undefined && seen.at >= notBefore) return seen.digest;
      const asking = this.#asking.get(id);
      if (asking === undefined) break;
      // One under way may be new enough; whether it fails is for whoever sent it to say, we then ask ourselves.
      await asking.answer.catch(() => undefined);
    }
    const at = this.#clock.now();
    const answer = client.resolve(reference, signal).then(({ digest }) => ({ digest, at }));
    this.#asking.set(id, { at, answer });
    const before = this.#seen.get(id);
    let now: Seen;
    try {
      now = await answer;
    } finally {
      this.#asking.delete(id);
    }
    this.#seen.set(id, now);
    if (before !== undefined && before.digest !== now.digest) {
      for (const follower of this.#followers.get(id) ?? []) if (follower !== key) this.#moved(follower);
    }
    return now.digest;
  }

  /** Forgets an object that is gone or no longer follows a tag. */
  forget(key: string): void {
    const id = this.#following.get(key);
    if (id === undefined) return;
    this.#following.delete(key);
    const followers = this.#followers.get(id);
    followers?.delete(key);
    if (followers?.size === 0) this.#followers.delete(id);
  }

  #follow(key: string, id: string): void {
    if (this.#following.get(key) === id) return;
    this.forget(key);
    this.#following.set(key, id);
    const followers = this.#followers.get(id) ?? new Set();
    followers.add(key);
    this.#followers.set(id, followers);
  }
}
