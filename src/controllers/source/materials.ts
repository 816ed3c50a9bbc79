import type { Descriptor, RegistryClient, Repository } from '../../oci/index.ts';
import type { Digest } from '../../std/index.ts';
import type { CosignMaterial, NotationMaterial, Subject } from '../../verify/index.ts';
import { cosignMaterial, notationMaterial, oldAttestations, signedSubject, type SignedPlace } from './signatures.ts';

/** The signatures of one digest. Each is fetched when somebody first asks for it, and once, however many look at it. */
export class Materials {
  readonly repository: Repository;
  readonly digest: Digest;
  readonly cosign: AsyncIterable<CosignMaterial>;
  readonly attestations: AsyncIterable<CosignMaterial>;
  readonly notation: AsyncIterable<NotationMaterial>;
  readonly #place: SignedPlace;
  #subject: Promise<Subject> | undefined;

  constructor(client: RegistryClient, repository: Repository, digest: Digest, signal: AbortSignal) {
    let referrers: Promise<readonly Descriptor[]> | undefined;
    const ask = (): Promise<readonly Descriptor[]> => (referrers ??= client.referrers(repository, digest, signal));
    this.repository = repository;
    this.digest = digest;
    this.#place = { client, repository, digest, signal, referrers: ask };
    this.cosign = new Replay(cosignMaterial(this.#place));
    this.attestations = new Replay(oldAttestations(this.#place));
    this.notation = new Replay(notationMaterial(this.#place));
  }

  /** What is about to be pulled, as the registry calls it. @throws RegistryError */
  subject(): Promise<Subject> {
    this.#subject ??= signedSubject(this.#place);
    return this.#subject;
  }
}

/** A sequence that may be gone through more than once, one after the other; its source only once, and no further than was asked. */
class Replay<T> implements AsyncIterable<T> {
  readonly #source: AsyncIterator<T, void>;
  readonly #known: T[] = [];
  #end: { error?: unknown } | undefined;

  constructor(source: AsyncIterator<T, void>) {
    this.#source = source;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (let index = 0; ; index++) {
      if (index === this.#known.length) await this.#pull();
      const next = this.#known[index];
      if (next !== undefined) yield next;
      // A source that failed is over, but it is not empty: whoever comes next must hear of it too.
      else if (this.#end !== undefined && 'error' in this.#end) throw this.#end.error;
      else return;
    }
  }

  async #pull(): Promise<void> {
    if (this.#end !== undefined) return;
    try {
      const next = await this.#source.next();
      if (next.done === true) this.#end = {};
      else this.#known.push(next.value);
    } catch (error) {
      this.#end = { error };
    }
  }
}
