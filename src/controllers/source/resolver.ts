import type { Reference, RegistryClient } from '../../oci/index.ts';
import { Lru, type Clock, type Digest, type Duration } from '../../std/index.ts';

/** What a tag pointed to when the registry was last asked. */
type Seen = { digest: Digest; at: number };

/** Distinct (registry access, repository, tag) remembered. */
const REMEMBERED = 20_000;

/**
 * What tags point to, asked once for all objects that want to know the same with the same credentials. Who asks because of its interval
 * takes an answer that is younger than that; who asks because of a change asks the registry. When an answer differs from the one
 * before, everybody who follows that tag is told, so that one HEAD updates them all.
 */
export class Resolver {
  readonly #clock: Clock;
  readonly #seen = new Lru<string, Seen>(REMEMBERED);
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
   * @param maxAge how old an answer may be
   * @throws RegistryError
   */
  async resolve(
    key: string,
    access: string,
    client: RegistryClient,
    reference: Reference,
    maxAge: Duration,
    signal: AbortSignal,
  ): Promise<Digest> {
    const id = `${access}\n${reference.registry}/${reference.path}:${reference.tag ?? 'latest'}`;
    this.#follow(key, id);
    const seen = this.#seen.get(id);
    const now = this.#clock.now();
    if (seen !== undefined && now - seen.at < maxAge) return seen.digest;
    const { digest } = await client.resolve(reference, signal);
    const before = this.#seen.get(id);
    this.#seen.set(id, { digest, at: this.#clock.now() });
    if (before !== undefined && before.digest !== digest) {
      for (const follower of this.#followers.get(id) ?? []) if (follower !== key) this.#moved(follower);
    }
    return digest;
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
