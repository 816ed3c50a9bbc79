import { createHash } from 'node:crypto';
import { type CancelTimer, type Duration, isCodedError, milliseconds } from '../../std/index.ts';
import type { KubeObject, OwnerReference } from '../../manifest/index.ts';
import type { Api } from '../api/api.ts';
import type { ServedKind } from '../catalog/kind.ts';
import type { Json } from '../fields/index.ts';
import { StatusError } from '../request/status.ts';
import type { Collection } from '../storage/store.ts';

/** Direct access to an API for the simulators that run inside it, with the field manager of the controller they stand for. */
export class Cluster {
  readonly api: Api;
  readonly manager: string;

  constructor(api: Api, manager = 'kube-controller-manager') {
    this.api = api;
    this.manager = manager;
  }

  kind(collection: Collection): ServedKind {
    const found = this.api.catalog.all().find((kind) => kind.collection === collection);
    if (found === undefined) throw new StatusError(404, 'NotFound', `collection ${JSON.stringify(collection)} is not served`);
    return found;
  }

  get(collection: Collection, namespace: string, name: string): KubeObject | undefined {
    return this.api.store.get(collection, namespace, name);
  }

  list(collection: Collection, namespace = ''): KubeObject[] {
    return this.api.store.list(collection, namespace);
  }

  /** Objects that an owner controls. */
  ownedBy(collection: Collection, owner: KubeObject): KubeObject[] {
    return this.list(collection, owner.metadata.namespace ?? '').filter((it) => controllerOf(it)?.uid === owner.metadata.uid);
  }

  create(collection: Collection, object: KubeObject): KubeObject | undefined {
    return tolerate(
      () => this.api.objects.create(this.kind(collection), object.metadata.namespace ?? '', object as Json, this.#options('')).object,
    );
  }

  /** Changes an object through `change`, which gets a copy; nothing is written when it changes nothing. */
  update(collection: Collection, object: KubeObject, change: (draft: KubeObject) => void, subresource = ''): KubeObject | undefined {
    const { namespace = '', name } = object.metadata;
    return tolerate(
      () =>
        this.api.objects.patch(
          this.kind(collection),
          namespace,
          name,
          (live) => {
            const draft = structuredClone(live);
            change(draft);
            return draft as Json;
          },
          this.#options(subresource),
        ).object,
    );
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

  delete(collection: Collection, object: KubeObject, gracePeriodSeconds?: number): void {
    const { namespace = '', name } = object.metadata;
    tolerate(() =>
      this.api.objects.delete(this.kind(collection), namespace, name, {
        dryRun: false,
        propagation: 'Background',
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

  #options(subresource: string): { dryRun: false; fieldManager: string; fieldValidation: 'Ignore'; subresource: string } {
    return { dryRun: false, fieldManager: this.manager, fieldValidation: 'Ignore', subresource };
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

/** A short, repeatable hash in the letters Kubernetes uses for generated names. */
export function shortHash(text: string): string {
  const alphabet = 'bcdfghjklmnpqrstvwxz2456789';
  const bytes = createHash('sha256').update(text).digest();
  return [...bytes.subarray(0, 10)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

/**
 * Runs a reconcile for each key that was touched, one after the other, outside the write that touched it. Keys are deduplicated;
 * a delay keeps the earliest time asked for.
 */
export class Loop {
  readonly #reconcile: (namespace: string, name: string) => void;
  readonly #api: Api;
  readonly #due = new Map<string, CancelTimer>();
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
      if (this.#due.has(key) || this.#ready.has(key)) return;
      this.#due.set(
        key,
        this.#api.clock.after(delay, () => {
          this.#due.delete(key);
          this.touchKey(namespace, name);
        }),
      );
      return;
    }
    this.#ready.add(key);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#drain());
  }

  close(): void {
    this.#closed = true;
    for (const cancel of this.#due.values()) cancel();
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
