import type { LiveRecord } from '../../../apply/index.ts';
import { isKubeError, targetOf, type Informer } from '../../../kube/index.ts';
import { objectRef, objectRefKey, type KubeObject, type ObjectRef } from '../../../manifest/index.ts';
import type { Wait } from '../../../runtime/index.ts';
import { OWNER_GROUP } from './action.ts';
import { isLabelled } from './objects.ts';
import type { Run } from './run.ts';

/** What is known of an object: whole, or the record of the shared watches; undefined while nobody knows. */
export type Sight = { object: KubeObject } | { record: LiveRecord } | 'absent' | undefined;

type Followed = {
  object: KubeObject;
  ref: ObjectRef;
  key: string;
  informer: Informer | undefined;
  /** The state our own write left it in. */
  written: string | undefined;
  /** A watch has shown it since: when it is absent now, it has gone. */
  seen: boolean;
  /** The shared watch began after our write: what it does not show is not there. */
  late: boolean;
};

/**
 * Follows some objects of a release by watches: those with our labels through the shared ones, others (or where the whole object is needed)
 * through watches of their own. Where watching is not allowed, {@link refresh} reads them. Must be closed.
 */
export class Following {
  readonly #run: Run;
  readonly #followed = new Map<string, Followed>();
  readonly #informers = new Map<string, Informer>();
  readonly #read = new Map<string, KubeObject | 'absent'>();
  readonly #stops: (() => void)[] = [];
  readonly #closed = new AbortController();
  #moved = false;
  #wake: (() => void) | undefined;

  /**
   * @param answers objects as our own writes left them, by `objectRefKey`
   * @param isWhole true for objects whose every field is needed
   */
  constructor(
    objects: readonly KubeObject[],
    answers: ReadonlyMap<string, KubeObject>,
    run: Run,
    isWhole: (object: KubeObject) => boolean,
  ) {
    this.#run = run;
    const tell = (): void => this.#tell();
    this.#stops.push(
      run.target.owned.subscribeTo(run.target.owner, ({ ref, record }) => {
        const followed = this.#followed.get(objectRefKey(ref));
        if (followed === undefined) return;
        followed.seen ||= record !== undefined;
        tell();
      }),
    );
    for (const object of objects) {
      const ref = objectRef(object);
      const key = objectRefKey(ref);
      const written = answers.get(key)?.metadata.resourceVersion;
      const shared = isLabelled(object, run.target.owner) && !isWhole(object);
      const informer = shared ? undefined : this.#informer(object);
      const followed = { object, ref, key, informer, written, seen: false, late: false };
      this.#followed.set(key, followed);
      if (shared) this.#share(followed);
    }
    for (const informer of this.#informers.values()) {
      this.#stops.push(informer.subscribe({ added: tell, updated: tell, deleted: tell }));
    }
  }

  /** What is known of an object now. */
  find(object: KubeObject): Sight {
    const followed = this.#followed.get(objectRefKey(objectRef(object)));
    if (followed === undefined) return undefined;
    const sight = this.#watched(followed);
    if (sight !== undefined) return sight;
    const read = this.#read.get(followed.key);
    return read === undefined || read === 'absent' ? read : { object: read };
  }

  /** True when some object is in no watch's sight: it is to be read now and then. */
  get isBlind(): boolean {
    return [...this.#followed.values()].some((each) => this.#watched(each) === undefined);
  }

  /** Reads what no watch shows. */
  async refresh(): Promise<void> {
    const { client } = this.#run.target;
    await Promise.all(
      [...this.#followed.values()]
        .filter((each) => this.#watched(each) === undefined)
        .map(async ({ object, key }) => {
          try {
            this.#read.set(key, (await client.find(targetOf(object), { signal: this.#run.signal })) ?? 'absent');
          } catch (error) {
            // Not to know is what this state is about; the deadline ends it.
            if (!isKubeError(error) || error.code === 'Aborted') throw error;
          }
        }),
    );
  }

  /** Says that everything known so far was looked at. */
  looked(): void {
    this.#moved = false;
  }

  /** Wakes when any of the objects moved since they were looked at. */
  wait(what: string): Wait {
    return {
      what,
      subscribe: (wake) => {
        this.#wake = wake;
        if (this.#moved) wake();
        return () => {
          if (this.#wake === wake) this.#wake = undefined;
        };
      },
    };
  }

  close(): void {
    this.#closed.abort();
    for (const stop of this.#stops) stop();
    for (const informer of this.#informers.values()) informer.release();
  }

  #tell(): void {
    this.#moved = true;
    this.#wake?.();
  }

  #share(followed: Followed): void {
    const { owned } = this.#run.target;
    const { object, ref } = followed;
    const record = owned.find(ref, object.apiVersion);
    followed.seen = record !== undefined && record !== 'absent';
    if (record !== undefined) return;
    followed.late = true;
    // Not waited for: until the watch is there, the answers of our own writes are known, and after that objects are read.
    owned.watch({ apiVersion: object.apiVersion, kind: object.kind }, this.#closed.signal).then(
      () => this.#tell(),
      () => undefined,
    );
  }

  #informer({ apiVersion, kind, metadata }: KubeObject & { metadata: { name: string } }): Informer | undefined {
    const { client, owner } = this.#run.target;
    if (client.mapper.cached({ apiVersion, kind }) === undefined) return undefined;
    const labelled = isLabelled({ apiVersion, kind, metadata }, owner);
    const at = metadata.namespace === undefined ? {} : { namespace: metadata.namespace };
    const selector = labelled
      ? { labelSelector: `${OWNER_GROUP}/name=${owner.name},${OWNER_GROUP}/namespace=${owner.namespace}` }
      : { fieldSelector: `metadata.name=${metadata.name}` };
    const key = JSON.stringify([apiVersion, kind, at, selector]);
    const informer = this.#informers.get(key) ?? client.informer({ apiVersion, kind }, { ...at, ...selector });
    this.#informers.set(key, informer);
    return informer;
  }

  /** What watches tell; an object that is absent may just not have been shown yet. */
  #watched({ object, ref, informer, written, seen, late }: Followed): Sight {
    if (informer === undefined) {
      const record = this.#run.target.owned.find(ref, object.apiVersion);
      if (record === 'absent') return seen || late || written === undefined ? 'absent' : undefined;
      return record === undefined ? undefined : { record };
    }
    if (!informer.synced) return undefined;
    const found = informer.get(ref.namespace, ref.name);
    if (found !== undefined) return { object: found };
    return written === undefined || !isOlder(informer.resourceVersion, written) ? 'absent' : undefined;
  }
}

/** resourceVersions count up within a cluster (KEP-5504). */
export function isOlder(a: string, b: string | undefined): boolean {
  return b !== undefined && /^\d+$/.test(a) && /^\d+$/.test(b) && (a.length === b.length ? a < b : a.length < b.length);
}
