import { createHash } from 'node:crypto';
import { type CancelTimer, type Duration, isCodedError, milliseconds } from '../../std/index.ts';
import type { KubeObject, OwnerReference } from '../../manifest/index.ts';
import type { Api } from '../api/api.ts';
import type { ServedKind } from '../catalog/kind.ts';
import { isMap, type Json, sameJson } from '../fields/index.ts';
import type { WriteOptions } from '../api/objects.ts';
import { labelSelectorMatches } from '../request/selector.ts';
import { StatusError } from '../request/status.ts';
import type { Collection } from '../storage/store.ts';

/** Direct access to an API for the simulators that run inside it, with the field manager of the controller they stand for. */
export class Cluster {
  readonly api: Api;
  readonly manager: string;
  #owned: OwnedIndex | undefined;
  #kinds: { revision: number; byCollection: Map<Collection, ServedKind> } | undefined;

  constructor(api: Api, manager = 'kube-controller-manager') {
    this.api = api;
    this.manager = manager;
  }

  kind(collection: Collection): ServedKind {
    const { catalog } = this.api;
    if (this.#kinds?.revision !== catalog.revision) {
      const byCollection = new Map(
        catalog
          .all()
          .map((kind) => [kind.collection, kind] as const)
          .reverse(),
      );
      this.#kinds = { revision: catalog.revision, byCollection };
    }
    const found = this.#kinds.byCollection.get(collection);
    if (found === undefined) throw new StatusError(404, 'NotFound', `collection ${JSON.stringify(collection)} is not served`);
    return found;
  }

  get(collection: Collection, namespace: string, name: string): KubeObject | undefined {
    return this.api.store.get(collection, namespace, name);
  }

  list(collection: Collection, namespace = ''): KubeObject[] {
    return this.api.store.list(collection, namespace);
  }

  /** Objects that an owner controls, in the order of their names. */
  ownedBy(collection: Collection, owner: KubeObject): KubeObject[] {
    this.#owned ??= new OwnedIndex(this.api);
    return this.#owned.of(collection, owner.metadata.uid ?? '').sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  }

  /** Makes an owner the controller of what its selector matches and nobody controls, as after `kubectl delete --cascade=orphan`. */
  adopt(collection: Collection, owner: KubeObject, selector: unknown): void {
    for (const object of this.list(collection, owner.metadata.namespace ?? '')) {
      if (object.metadata.deletionTimestamp !== undefined || controllerOf(object) !== undefined) continue;
      if (!labelSelectorMatches(selector, object.metadata.labels)) continue;
      this.update(collection, object, (draft) => {
        draft.metadata.ownerReferences = [...(draft.metadata.ownerReferences ?? []), ownerReference(owner)];
      });
    }
  }

  create(collection: Collection, object: KubeObject): KubeObject | undefined {
    return tolerate(
      () => this.api.objects.create(this.kind(collection), object.metadata.namespace ?? '', object as Json, this.#options('')).object,
    );
  }

  /**
   * Changes an object through `change`, which gets a copy two levels deep: it may set fields of the object and of its parts, not change
   * what those hold. Most passes find everything as it should be: they cost no more than finding out.
   */
  update(collection: Collection, object: KubeObject, change: (draft: KubeObject) => void, subresource = ''): KubeObject | undefined {
    const { namespace = '', name } = object.metadata;
    const stored = this.get(collection, namespace, name);
    if (stored === undefined) return undefined;
    const kind = this.kind(collection);
    const live = this.api.objects.present(kind, stored);
    const draft: KubeObject = { ...live, metadata: { ...live.metadata } };
    for (const [field, value] of Object.entries(live))
      if (field !== 'metadata' && isMap(value as Json)) draft[field] = { ...(value as object) };
    change(draft);
    if (sameJson(draft as Json, live as Json)) return live;
    return tolerate(() => this.api.objects.patch(kind, namespace, name, () => draft as Json, this.#options(subresource)).object);
  }

  /** Replaces fields of an object's status. */
  setStatus(collection: Collection, object: KubeObject, status: Record<string, unknown>): KubeObject | undefined {
    return this.update(
      collection,
      object,
      (draft) => {
        draft['status'] = { ...(draft['status'] as Record<string, unknown> | undefined), ...status };
      },
      'status',
    );
  }

  delete(
    collection: Collection,
    object: KubeObject,
    gracePeriodSeconds?: number,
    propagation: 'Background' | 'Foreground' = 'Background',
  ): void {
    const { namespace = '', name } = object.metadata;
    tolerate(() =>
      this.api.objects.delete(this.kind(collection), namespace, name, {
        dryRun: false,
        propagation,
        gracePeriodSeconds,
        uid: object.metadata.uid,
        resourceVersion: undefined,
      }),
    );
  }

  /** The time as the API writes it. */
  now(): string {
    return `${new Date(this.api.clock.now()).toISOString().slice(0, 19)}Z`;
  }

  #options(subresource: string): WriteOptions {
    const options = { dryRun: false, fieldManager: this.manager, fieldValidation: 'Ignore' } as const;
    // `scale` writes the object itself.
    return subresource === 'scale' ? { ...options, subresource: '', managerSubresource: 'scale' } : { ...options, subresource };
  }
}

/** Which objects a controller's uid controls, kept up with every change. */
class OwnedIndex {
  readonly #objects = new Map<string, Map<string, KubeObject>>();

  constructor({ store }: Api) {
    for (const collection of store.collections()) for (const object of store.list(collection)) this.#put(collection, object);
    store.watch(undefined, undefined, ({ type, collection, object, previous }) => {
      const before = previous === undefined ? undefined : controllerOf(previous)?.uid;
      if (before !== undefined && (type === 'deleted' || controllerOf(object)?.uid !== before)) this.#drop(collection, object, before);
      if (type !== 'deleted') this.#put(collection, object);
    });
  }

  of(collection: Collection, uid: string): KubeObject[] {
    return [...(this.#objects.get(`${uid} ${collection}`)?.values() ?? [])];
  }

  #put(collection: Collection, object: KubeObject): void {
    const owner = controllerOf(object);
    if (owner === undefined) return;
    const key = `${owner.uid} ${collection}`;
    let owned = this.#objects.get(key);
    if (owned === undefined) this.#objects.set(key, (owned = new Map()));
    owned.set(object.metadata.uid ?? '', object);
  }

  #drop(collection: Collection, object: KubeObject, owner: string): void {
    const key = `${owner} ${collection}`;
    const owned = this.#objects.get(key);
    owned?.delete(object.metadata.uid ?? '');
    if (owned?.size === 0) this.#objects.delete(key);
  }
}

/** Another write came first, or the object is gone: a later change brings the key back. */
function tolerate<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (isCodedError(error, 'RequestFailed')) return undefined;
    throw error;
  }
}

/** The owner that controls an object. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((it) => it.controller === true);
}

/** A reference that makes `owner` the controller of what carries it. */
export function ownerReference(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: owner.metadata.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
    blockOwnerDeletion: true,
  };
}

/** A short hash in the letters Kubernetes uses for generated names; the order of map keys does not matter. */
export function shortHash(value: unknown): string {
  if (typeof value !== 'object' || value === null) return hashOf(value);
  let hash = hashes.get(value);
  // What is stored never changes, and a write of something else keeps it.
  if (hash === undefined) hashes.set(value, (hash = hashOf(value)));
  return hash;
}

const hashes = new WeakMap<object, string>();

function hashOf(value: unknown): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  const text: string | undefined = JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
  const bytes = createHash('sha256')
    .update(text ?? '')
    .digest();
  return [...bytes.subarray(0, 10)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

/**
 * Runs a reconcile for each key that was touched, one after the other, outside the write that touched it. Keys are deduplicated;
 * a delay keeps the earliest time asked for.
 */
export class Loop {
  readonly #reconcile: (namespace: string, name: string) => void;
  readonly #api: Api;
  readonly #due = new Map<string, { at: number; cancel: CancelTimer }>();
  readonly #ready = new Set<string>();
  #scheduled = false;
  #closed = false;

  constructor(api: Api, reconcile: (namespace: string, name: string) => void) {
    this.#api = api;
    this.#reconcile = reconcile;
  }

  /** Reconciles an object soon, or after a delay. */
  touch(object: { metadata: { namespace?: string; name: string } }, delay: Duration = milliseconds(0)): void {
    this.touchKey(object.metadata.namespace ?? '', object.metadata.name, delay);
  }

  touchKey(namespace: string, name: string, delay: Duration = milliseconds(0)): void {
    if (this.#closed) return;
    const key = `${namespace}/${name}`;
    if (delay > 0) {
      const at = this.#api.clock.now() + delay;
      const due = this.#due.get(key);
      if (this.#ready.has(key) || (due !== undefined && due.at <= at)) return;
      due?.cancel();
      const cancel = this.#api.clock.after(delay, () => {
        this.#due.delete(key);
        this.touchKey(namespace, name);
      });
      this.#due.set(key, { at, cancel });
      return;
    }
    this.#ready.add(key);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  close(): void {
    this.#closed = true;
    for (const { cancel } of this.#due.values()) cancel();
    this.#due.clear();
    this.#ready.clear();
  }

  #drain(): void {
    this.#scheduled = false;
    const keys = [...this.#ready];
    this.#ready.clear();
    for (const key of keys) {
      if (this.#closed) return;
      const slash = key.indexOf('/');
      this.#reconcile(key.slice(0, slash), key.slice(slash + 1));
    }
  }
}
