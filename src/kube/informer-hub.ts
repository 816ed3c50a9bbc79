import type { KubeObject } from '../manifest/index.ts';
import type { Clock } from '../std/index.ts';
import { KubeError } from './errors.ts';
import { Reflector } from './reflector.ts';
import { Store, storeKey, type Index } from './store.ts';
import type { Informer, InformerHandler, InformerOptions, KindRef, KubeClient } from './kube-client.ts';

export type InformerHubOptions = {
  clock: Clock;
  random: () => number;
  onWatchError?: ((kind: KindRef, error: KubeError) => void) | undefined;
  /** A handler threw: a bug of whoever subscribed. */
  onHandlerError: (error: unknown) => void;
};

/** One watch shared by all informers that ask for the same thing. */
type Shared = {
  store: Store;
  reflector: Reflector;
  controller: AbortController;
  ended: Promise<void>;
  synced: { done: boolean; promise: Promise<void> };
  holders: number;
};

/** The informers of one cluster, shared by resource, namespace, selectors, form, transform and identity. */
export class InformerHub {
  readonly #options: InformerHubOptions;
  readonly #shared = new Map<string, Shared>();
  readonly #functions = new WeakMap<object, number>();
  #functionCount = 0;

  constructor(options: InformerHubOptions) {
    this.#options = options;
  }

  informer<T extends KubeObject>(client: KubeClient, identity: string, kind: KindRef, options: InformerOptions<T>): Informer<T> {
    const transform = options.transform as ((object: KubeObject) => KubeObject) | undefined;
    const strip = options.stripManagedFields ?? (options.form ?? 'full') === 'full';
    const parts = [
      kind.apiVersion,
      kind.kind,
      options.namespace,
      options.labelSelector,
      options.fieldSelector,
      options.form,
      strip,
      this.#nameOf(transform),
      identity,
    ];
    const key = JSON.stringify(parts);
    let shared = this.#shared.get(key);
    if (shared === undefined) {
      shared = this.#start(client, kind, options, toTransform(strip, transform));
      this.#shared.set(key, shared);
    }
    shared.holders++;
    return new InformerHandle<T>(kind, shared, options, () => this.#release(key));
  }

  /** Ends every watch. */
  async close(): Promise<void> {
    const all = [...this.#shared.values()];
    this.#shared.clear();
    for (const shared of all) shared.controller.abort();
    await Promise.all(all.map((shared) => shared.ended));
  }

  #start<T extends KubeObject>(
    client: KubeClient,
    kind: KindRef,
    options: InformerOptions<T>,
    transform: (object: KubeObject) => KubeObject,
  ): Shared {
    const store = new Store(transform, this.#options.onHandlerError);
    const controller = new AbortController();
    const { promise, resolve } = Promise.withResolvers<void>();
    const synced = { done: false, promise };
    const { clock, random, onWatchError } = this.#options;
    const { namespace, labelSelector, fieldSelector, form } = options;
    const reflector = new Reflector(
      client,
      kind,
      store,
      {
        clock,
        random,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
        ...(form === undefined ? {} : { form }),
        onError: (error) => onWatchError?.(kind, error),
      },
      () => {
        synced.done = true;
        resolve();
      },
    );
    return { store, reflector, controller, ended: reflector.run(controller.signal), synced, holders: 0 };
  }

  #release(key: string): void {
    const shared = this.#shared.get(key);
    if (shared === undefined || --shared.holders > 0) return;
    this.#shared.delete(key);
    shared.controller.abort();
  }

  /** A name for a function's identity, so that equal options give equal keys. */
  #nameOf(transform: object | undefined): number {
    if (transform === undefined) return 0;
    let id = this.#functions.get(transform);
    if (id === undefined) {
      id = ++this.#functionCount;
      this.#functions.set(transform, id);
    }
    return id;
  }
}

function toTransform(strip: boolean, transform: ((object: KubeObject) => KubeObject) | undefined): (object: KubeObject) => KubeObject {
  return (object) => {
    if (strip) delete object.metadata.managedFields;
    return transform === undefined ? object : transform(object);
  };
}

class InformerHandle<T extends KubeObject> implements Informer<T> {
  readonly kind: KindRef;
  readonly #shared: Shared;
  readonly #indexes = new Map<string, Index>();
  readonly #subscriptions = new Set<() => void>();
  readonly #onRelease: () => void;
  #released = false;

  constructor(kind: KindRef, shared: Shared, options: InformerOptions<T>, onRelease: () => void) {
    this.kind = kind;
    this.#shared = shared;
    this.#onRelease = onRelease;
    // The store holds what the transform made, which is T by the caller's own types.
    for (const [name, of] of Object.entries(options.indexes ?? {}))
      this.#indexes.set(
        name,
        shared.store.addIndex((object) => of(object as T)),
      );
  }

  get synced(): boolean {
    return this.#shared.synced.done;
  }

  get lastError(): KubeError | undefined {
    return this.#shared.reflector.lastError;
  }

  get resourceVersion(): string {
    return this.#shared.reflector.resourceVersion;
  }

  waitSynced(signal?: AbortSignal): Promise<void> {
    if (signal === undefined || this.synced) return this.#shared.synced.promise;
    return new Promise((resolve, reject) => {
      const onAbort = (): void =>
        reject(new KubeError({ code: 'Aborted', message: `wait for ${this.kind.kind} cache: aborted`, subject: this.kind.kind }));
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      void this.#shared.synced.promise.then(() => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      });
    });
  }

  get(namespace: string, name: string): T | undefined {
    return this.#shared.store.get(storeKey(namespace, name)) as T | undefined;
  }

  list(namespace?: string): T[] {
    const all = [...this.#shared.store.values()] as T[];
    return namespace === undefined ? all : all.filter((object) => (object.metadata.namespace ?? '') === namespace);
  }

  byIndex(index: string, value: string): T[] {
    const found = this.#indexes.get(index);
    if (found === undefined) throw new Error(`informer of ${this.kind.kind} has no index ${JSON.stringify(index)}`);
    const objects: T[] = [];
    for (const key of found.keys(value)) {
      const object = this.#shared.store.get(key);
      if (object !== undefined) objects.push(object as T);
    }
    return objects;
  }

  subscribe(handler: InformerHandler<T>): () => void {
    const stop = this.#shared.store.subscribe(handler as unknown as InformerHandler);
    this.#subscriptions.add(stop);
    return () => {
      this.#subscriptions.delete(stop);
      stop();
    };
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const stop of this.#subscriptions) stop();
    for (const index of this.#indexes.values()) this.#shared.store.dropIndex(index);
    this.#onRelease();
  }
}
