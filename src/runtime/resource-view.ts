import type { Informer, InformerHandler } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { formatKey, type Key } from './key.ts';

/** Told about each object once for every change, newest state only. `previous` is undefined when the object is new to us. */
export type ViewHandler<T> = { changed?: (object: T, previous: T | undefined) => void; deleted?: (object: T) => void };

/** What was parsed, and of which state: the answer to a write, with its managedFields, weighs more than all that is kept of it. */
type Entry<T> = { uid: string; resourceVersion: string; parsed: T };

/**
 * The objects of one of our kinds as they are now: what the watch says, or what our own last write answered when that is newer. So a
 * reconcile never sees a status older than the one it wrote, and those who wait hear of our own writes without a round trip.
 */
export class ResourceView<T> {
  readonly #informer: Informer;
  readonly #parse: (object: KubeObject) => T | undefined;
  readonly #entries = new Map<string, Entry<T>>();
  /** UIDs of objects the watch has reported deleted; a late answer to a write must not bring them back. */
  readonly #gone = new Set<string>();
  readonly #handlers = new Set<ViewHandler<T>>();
  readonly #unsubscribe: () => void;

  /** @param parse turns an object into its type; undefined (after telling the user) leaves it out */
  constructor(informer: Informer, parse: (object: KubeObject) => T | undefined) {
    this.#informer = informer;
    this.#parse = parse;
    const handler: InformerHandler = {
      added: (object) => this.#take(object),
      updated: (object) => this.#take(object),
      deleted: (object) => this.#drop(object),
    };
    this.#unsubscribe = informer.subscribe(handler);
  }

  /** Resolves when the first list is in. */
  waitSynced(signal: AbortSignal): Promise<void> {
    return this.#informer.waitSynced(signal);
  }

  /** The object as it is now. */
  get(key: Key): T | undefined {
    return this.#entries.get(formatKey(key))?.parsed;
  }

  /** Every object. */
  list(): T[] {
    return [...this.#entries.values()].map((entry) => entry.parsed);
  }

  /** Objects whose index (declared on the informer) has this value; as they are now. */
  byIndex(index: string, value: string): T[] {
    return this.#informer.byIndex(index, value).flatMap((object) => {
      const entry = this.#entries.get(rawKey(object));
      return entry === undefined ? [] : [entry.parsed];
    });
  }

  /** Takes the answer to one of our own writes. */
  observe(object: KubeObject): void {
    if (object.metadata.uid !== undefined && this.#gone.has(object.metadata.uid)) return;
    const done = object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
    if (done) this.#drop(object);
    else this.#take(object);
  }

  /** Calls the handler for every object there is (as changed), then for every change. Returns how to stop. */
  subscribe(handler: ViewHandler<T>): () => void {
    this.#handlers.add(handler);
    for (const { parsed } of this.#entries.values()) handler.changed?.(parsed, undefined);
    return () => this.#handlers.delete(handler);
  }

  /** Gives the informer back. */
  close(): void {
    this.#unsubscribe();
    this.#informer.release();
  }

  #take(raw: KubeObject): void {
    const key = rawKey(raw);
    const existing = this.#entries.get(key);
    const { uid = '', resourceVersion = '' } = raw.metadata;
    const isSame = existing?.uid === uid;
    if (isSame && !isNewer(resourceVersion, existing.resourceVersion)) return;
    const parsed = this.#parse(raw);
    if (parsed === undefined) return;
    this.#entries.set(key, { uid, resourceVersion, parsed });
    const previous = isSame ? existing.parsed : undefined;
    for (const handler of this.#handlers) handler.changed?.(parsed, previous);
  }

  #drop(raw: KubeObject): void {
    const key = rawKey(raw);
    const existing = this.#entries.get(key);
    if (existing === undefined || existing.uid !== (raw.metadata.uid ?? '')) return;
    this.#entries.delete(key);
    this.#remember(raw.metadata.uid);
    for (const handler of this.#handlers) handler.deleted?.(existing.parsed);
  }

  #remember(uid: string | undefined): void {
    if (uid === undefined) return;
    this.#gone.add(uid);
    if (this.#gone.size > 10_000) this.#gone.delete(this.#gone.values().next().value ?? '');
  }
}

function rawKey(object: KubeObject): string {
  return formatKey({ namespace: object.metadata.namespace ?? '', name: object.metadata.name });
}

/** True when `x` is a later state of the same object than `y`. Resource versions compare as integers (KEP-5504); else the watch wins. */
function isNewer(x: string, y: string): boolean {
  if (!/^\d+$/.test(x) || !/^\d+$/.test(y)) return x !== y;
  return x.length === y.length ? x > y : x.length > y.length;
}
