import { formatRepository, type Reference, type RegistryClient, type Repository } from '../../oci/index.ts';
import { Lru, type Clock, type Digest, type Instant } from '../../std/index.ts';

/** Distinct (registry access, repository, tag) remembered. */
const REMEMBERED = 20_000;
/** Tags of all lists together that are remembered. */
const REMEMBERED_TAGS = 2_000_000;

/** Who asks, and how new the answer must be. */
export type Question = {
  /** Fingerprint of the registry access: only equal ones share answers. */
  access: string;
  client: RegistryClient;
  /** Answers to questions sent before this are too old. */
  notBefore: Instant;
  signal: AbortSignal;
};

/**
 * What tags point to and which tags there are, asked once for all objects that want to know the same with the same credentials. An answer
 * serves everybody to whom it is new enough. When one differs from the one before, everybody who follows that tag is told, so that one
 * HEAD updates them all.
 */
export class Resolver {
  readonly #digests: Shared<Digest>;
  readonly #tags: Shared<readonly string[]>;
  readonly #followers = new Map<string, Set<string>>();
  readonly #following = new Map<string, string>();
  readonly #moved: (key: string) => void;

  /** @param moved told the object keys whose tag was seen to move, other than the one that asked */
  constructor(clock: Clock, moved: (key: string) => void) {
    this.#digests = new Shared(clock, new Lru(REMEMBERED));
    this.#tags = new Shared(clock, new Lru(REMEMBERED_TAGS, ({ value }) => value.length + 1));
    this.#moved = moved;
  }

  /**
   * The digest a tag points to.
   * @param key the object that asks, `namespace/name`; it follows the tag from now on
   * @param known where the tag was when it was last seen: all that a mirror may say while the registry is out of order
   * @throws RegistryError
   */
  async resolve(key: string, reference: Reference, question: Question, known?: Digest): Promise<Digest> {
    const id = `${question.access}\n${formatRepository(reference)}:${reference.tag ?? 'latest'}`;
    this.#follow(key, id);
    const { value, before } = await this.#digests.get(id, question.notBefore, async () => {
      const { digest } = await question.client.resolve(reference, question.signal, known);
      return digest;
    });
    if (before !== undefined && before !== value) {
      for (const follower of this.#followers.get(id) ?? []) if (follower !== key) this.#moved(follower);
    }
    return value;
  }

  /** The tags of a repository. @throws RegistryError */
  async tags(repository: Repository, { access, client, notBefore, signal }: Question): Promise<readonly string[]> {
    const id = `${access}\n${formatRepository(repository)}`;
    return (await this.#tags.get(id, notBefore, () => client.listTags(repository, signal))).value;
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

/** An answer; `at` is when its question was sent. */
type Answer<T> = { value: T; at: Instant };

/** Questions asked once for everybody to whom the answer is new enough. */
class Shared<T> {
  readonly #clock: Clock;
  readonly #seen: Lru<string, Answer<T>>;
  readonly #asking = new Map<string, Promise<Answer<T>>>();

  constructor(clock: Clock, seen: Lru<string, Answer<T>>) {
    this.#clock = clock;
    this.#seen = seen;
  }

  /** The answer; `before` is the one it replaces, when this call got it from the registry. */
  async get(id: string, notBefore: Instant, ask: () => Promise<T>): Promise<{ value: T; before: T | undefined }> {
    for (;;) {
      const seen = this.#seen.get(id);
      if (seen !== undefined && seen.at >= notBefore) return { value: seen.value, before: undefined };
      const asking = this.#asking.get(id);
      if (asking === undefined) break;
      // One under way may be new enough; whether it fails is for whoever sent it to say, we then ask ourselves.
      await asking.catch(() => undefined);
    }
    const at = this.#clock.now();
    const before = this.#seen.get(id)?.value;
    const answer = ask().then((value) => ({ value, at }));
    this.#asking.set(id, answer);
    try {
      const now = await answer;
      this.#seen.set(id, now);
      return { value: now.value, before };
    } finally {
      this.#asking.delete(id);
    }
  }
}
