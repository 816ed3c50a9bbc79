import { compareUtf8 } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';

/** A collection, as `group/plural` (`/pods`, `apps/deployments`); versions share it. */
export type Collection = string;

/** One change. `object` is the state after it (of a deletion: the last state, with the deletion's revision). */
export type Change = {
  revision: number;
  collection: Collection;
  type: 'added' | 'modified' | 'deleted';
  object: KubeObject;
  previous: KubeObject | undefined;
};

/** How many changes a watch may lag behind before it must list again (410 Expired). */
export const WATCH_WINDOW = 20_000;

/** Why a write did not happen. */
export type WriteFailure = { failure: 'exists' | 'missing' | 'conflict'; current: KubeObject | undefined };

/** Called with every change in order, after it is visible and before the write (of a listener's: the write it listens to) returns. */
export type ChangeListener = (change: Change) => void;

/**
 * Every object of the API, in memory, under one revision counter. Objects are immutable: a write replaces one, so readers and
 * watchers share it. Single-threaded: each write is one step that others see whole.
 */
export class Store {
  #revision: number;
  #oldest: number;
  readonly #collections = new Map<Collection, CollectionData>();
  readonly #window: Change[] = [];
  readonly #listeners = new Map<Collection, Set<ChangeListener>>();
  readonly #everyone = new Set<ChangeListener>();
  /** Changes being told, the first of them right now. */
  readonly #untold: Change[] = [];

  constructor(revision = 1) {
    this.#revision = revision;
    this.#oldest = revision;
  }

  /** The revision of the last write. */
  get revision(): number {
    return this.#revision;
  }

  get(collection: Collection, namespace: string, name: string): KubeObject | undefined {
    return this.#collections.get(collection)?.objects.get(keyOf(namespace, name));
  }

  /** Objects of a collection in key order; of one namespace when it is not empty. `after` skips up to and including that key. */
  list(collection: Collection, namespace = '', after?: string): KubeObject[] {
    const data = this.#collections.get(collection);
    if (data === undefined) return [];
    const keys = data.sortedKeys();
    const prefix = namespace === '' ? '' : `${namespace}/`;
    let start = prefix === '' ? 0 : placeOf(keys, prefix);
    if (after !== undefined) {
      const next = placeOf(keys, after);
      start = Math.max(start, keys[next] === after ? next + 1 : next);
    }
    const out: KubeObject[] = [];
    for (let i = start; i < keys.length; i++) {
      const key = keys[i] ?? '';
      if (!key.startsWith(prefix)) break;
      const object = data.objects.get(key);
      if (object !== undefined) out.push(object);
    }
    return out;
  }

  /** How many objects a collection holds. */
  count(collection: Collection): number {
    return this.#collections.get(collection)?.objects.size ?? 0;
  }

  /** Every collection that has held an object. */
  collections(): Collection[] {
    return [...this.#collections.keys()];
  }

  /** Stores a new object under the next revision; gives it with its resourceVersion. */
  create(collection: Collection, object: KubeObject): KubeObject | WriteFailure {
    const current = this.get(collection, object.metadata.namespace ?? '', object.metadata.name);
    if (current !== undefined) return { failure: 'exists', current };
    return this.#commit(collection, 'added', object, undefined);
  }

  /** Replaces an object that is still at `expected`. */
  update(collection: Collection, object: KubeObject, expected: string): KubeObject | WriteFailure {
    const current = this.get(collection, object.metadata.namespace ?? '', object.metadata.name);
    if (current === undefined) return { failure: 'missing', current };
    if (current.metadata.resourceVersion !== expected) return { failure: 'conflict', current };
    return this.#commit(collection, 'modified', object, current);
  }

  /** Removes an object that is still at `expected`; gives its last state at the deletion's revision. */
  delete(collection: Collection, namespace: string, name: string, expected: string): KubeObject | WriteFailure {
    const current = this.get(collection, namespace, name);
    if (current === undefined) return { failure: 'missing', current };
    if (current.metadata.resourceVersion !== expected) return { failure: 'conflict', current };
    return this.#commit(collection, 'deleted', current, current);
  }

  /** Puts back what persistence has kept. Nobody is told. */
  restore(collection: Collection, object: KubeObject): void {
    this.#data(collection).put(object);
    this.#revision = Math.max(this.#revision, Number(object.metadata.resourceVersion ?? 0));
    this.#oldest = this.#revision;
  }

  /** Takes back out what persistence says was deleted. Nobody is told. */
  forget(collection: Collection, object: KubeObject): void {
    this.#data(collection).remove(object);
  }

  /** Moves the counter on, as persistence found it. */
  restoreRevision(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
    this.#oldest = this.#revision;
  }

  /**
   * Tells every later change of a collection (of all, for undefined). With `from`, the changes after that revision come first.
   * Returns how to stop; undefined when `from` is older than the window, so the caller must list again (410).
   */
  watch(collection: Collection | undefined, from: number | undefined, listener: ChangeListener): (() => void) | undefined {
    if (from !== undefined && from < this.#oldest) return undefined;
    if (from !== undefined && from < this.#revision) {
      for (const change of this.#window) {
        if (change.revision > from && (collection === undefined || change.collection === collection)) listener(change);
      }
    }
    const listeners = collection === undefined ? this.#everyone : (this.#listeners.get(collection) ?? new Set());
    if (collection !== undefined) this.#listeners.set(collection, listeners);
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  #commit(collection: Collection, type: Change['type'], object: KubeObject, previous: KubeObject | undefined): KubeObject {
    const revision = ++this.#revision;
    const stored: KubeObject = { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
    if (type === 'deleted') this.#data(collection).remove(stored);
    else this.#data(collection).put(stored);
    const change: Change = { revision, collection, type, object: stored, previous };
    this.#window.push(change);
    // Dropped in halves, so that a write never pays for shifting the whole window.
    if (this.#window.length > WATCH_WINDOW * 1.5) {
      const dropped = this.#window.splice(0, this.#window.length - WATCH_WINDOW);
      this.#oldest = dropped.at(-1)?.revision ?? this.#oldest;
    }
    this.#tell(change);
    return stored;
  }

  /** A listener that writes makes a change of its own: everybody hears of this one first. */
  #tell(change: Change): void {
    this.#untold.push(change);
    if (this.#untold.length > 1) return;
    try {
      for (let next = this.#untold[0]; next !== undefined; next = this.#untold[0]) {
        for (const listener of this.#everyone) listener(next);
        for (const listener of this.#listeners.get(next.collection) ?? []) listener(next);
        this.#untold.shift();
      }
    } finally {
      this.#untold.length = 0;
    }
  }

  #data(collection: Collection): CollectionData {
    let data = this.#collections.get(collection);
    if (data === undefined) this.#collections.set(collection, (data = new CollectionData()));
    return data;
  }
}

/** `namespace/name`; cluster-scoped objects have no namespace. Sorts as etcd's keys do. */
export function keyOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** True for a write that did not happen. */
export function isWriteFailure(result: KubeObject | WriteFailure): result is WriteFailure {
  return 'failure' in result && typeof result.failure === 'string';
}

/** Where a key is in a sorted list, or would be. */
function placeOf(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareUtf8(keys[middle] ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

class CollectionData {
  readonly objects = new Map<string, KubeObject>();
  /** The keys in order, once somebody has listed. */
  #keys: string[] | undefined;

  put(object: KubeObject): void {
    const key = keyOf(object.metadata.namespace ?? '', object.metadata.name);
    if (this.#keys !== undefined && !this.objects.has(key)) this.#keys.splice(placeOf(this.#keys, key), 0, key);
    this.objects.set(key, object);
  }

  remove(object: KubeObject): void {
    const key = keyOf(object.metadata.namespace ?? '', object.metadata.name);
    if (!this.objects.delete(key) || this.#keys === undefined) return;
    this.#keys.splice(placeOf(this.#keys, key), 1);
  }

  sortedKeys(): readonly string[] {
    this.#keys ??= [...this.objects.keys()].sort(compareUtf8);
    return this.#keys;
  }
}
