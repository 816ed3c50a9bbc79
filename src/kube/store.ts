import type { KubeObject } from '../manifest/index.ts';
import type { InformerHandler } from './kube-client.ts';

/** Key of an object within one collection. */
export function storeKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

type IndexFunction = (object: KubeObject) => readonly string[];

/** One index: values to the keys of objects that have them. */
export class Index {
  readonly #of: IndexFunction;
  readonly #keys = new Map<string, Set<string>>();
  readonly #values = new Map<string, readonly string[]>();

  constructor(of: IndexFunction) {
    this.#of = of;
  }

  put(key: string, object: KubeObject): void {
    this.remove(key);
    const values = this.#of(object);
    if (values.length === 0) return;
    this.#values.set(key, values);
    for (const value of values) {
      const keys = this.#keys.get(value);
      if (keys === undefined) this.#keys.set(value, new Set([key]));
      else keys.add(key);
    }
  }

  remove(key: string): void {
    for (const value of this.#values.get(key) ?? []) {
      const keys = this.#keys.get(value);
      keys?.delete(key);
      if (keys?.size === 0) this.#keys.delete(value);
    }
    this.#values.delete(key);
  }

  keys(value: string): ReadonlySet<string> {
    return this.#keys.get(value) ?? NONE;
  }
}

const NONE: ReadonlySet<string> = new Set();

/** The objects of one watched collection, their indexes and those who want to hear of changes. */
export class Store {
  readonly #objects = new Map<string, KubeObject>();
  readonly #indexes = new Set<Index>();
  readonly #handlers = new Set<InformerHandler>();
  readonly #transform: (object: KubeObject) => KubeObject;
  readonly #onHandlerError: (error: unknown) => void;

  constructor(transform: (object: KubeObject) => KubeObject, onHandlerError: (error: unknown) => void) {
    this.#transform = transform;
    this.#onHandlerError = onHandlerError;
  }

  get(key: string): KubeObject | undefined {
    return this.#objects.get(key);
  }

  values(): Iterable<KubeObject> {
    return this.#objects.values();
  }

  /** Stores an object that was added or changed. An event seen twice (same resourceVersion) tells nobody. */
  put(received: KubeObject): void {
    const object = this.#transform(received);
    const key = keyOf(object);
    const old = this.#objects.get(key);
    if (old?.metadata.resourceVersion !== undefined && old.metadata.resourceVersion === object.metadata.resourceVersion) return;
    this.#objects.set(key, object);
    for (const index of this.#indexes) index.put(key, object);
    // A name that was deleted and made again between two lists is two events, not one.
    if (old !== undefined && old.metadata.uid !== object.metadata.uid) this.#tell((handler) => handler.deleted?.(old));
    if (old === undefined || old.metadata.uid !== object.metadata.uid) this.#tell((handler) => handler.added?.(object));
    else this.#tell((handler) => handler.updated?.(object, old));
  }

  /** Removes an object. `last` is its final state when the server sent one. */
  remove(key: string, last?: KubeObject): void {
    const old = this.#objects.get(key);
    if (old === undefined) return;
    this.#objects.delete(key);
    for (const index of this.#indexes) index.remove(key);
    const final = last === undefined ? old : this.#transform(last);
    this.#tell((handler) => handler.deleted?.(final));
  }

  /** Takes a whole list: puts what it holds and removes what it does not. */
  replace(objects: readonly KubeObject[]): void {
    const listed = new Set(objects.map(keyOf));
    for (const key of this.#objects.keys()) if (!listed.has(key)) this.remove(key);
    for (const object of objects) this.put(object);
  }

  addIndex(of: IndexFunction): Index {
    const index = new Index(of);
    for (const [key, object] of this.#objects) index.put(key, object);
    this.#indexes.add(index);
    return index;
  }

  dropIndex(index: Index): void {
    this.#indexes.delete(index);
  }

  subscribe(handler: InformerHandler): () => void {
    for (const object of this.#objects.values()) this.#call(() => handler.added?.(object));
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  #tell(call: (handler: InformerHandler) => void): void {
    for (const handler of this.#handlers) this.#call(() => call(handler));
  }

  /** One handler's bug must not stop the watch or the other handlers. */
  #call(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#onHandlerError(error);
    }
  }
}

/** Key of an object in its collection. */
export function keyOf(object: KubeObject): string {
  return storeKey(object.metadata.namespace ?? '', object.metadata.name);
}
