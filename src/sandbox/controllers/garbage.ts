import type { KubeObject } from '../../manifest/index.ts';
import type { Change, Collection } from '../storage/store.ts';
import type { Cluster } from './cluster.ts';

const FOREGROUND = 'foregroundDeletion';
const ORPHAN = 'orphan';

/**
 * The garbage collector: what all of whose owners are gone is deleted; `foregroundDeletion` waits for dependents, `orphan` lets
 * them go free. Dependents are found through an index by owner uid, so a deletion costs what it owns.
 */
export function runGarbageCollector(cluster: Cluster): () => void {
  const collector = new Collector(cluster);
  const stop = cluster.api.store.watch(undefined, undefined, (change) => collector.see(change));
  for (const collection of cluster.api.store.collections())
    for (const object of cluster.list(collection)) collector.index(collection, object);
  collector.resume();
  return () => stop?.();
}

type Place = { collection: Collection; namespace: string; name: string };

class Collector {
  readonly #cluster: Cluster;
  readonly #dependents = new Map<string, Map<string, Place>>();
  /** Owners being deleted in the foreground, by uid. */
  readonly #waiting = new Map<string, Place>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  index(collection: Collection, object: KubeObject): void {
    for (const { uid } of object.metadata.ownerReferences ?? []) {
      const dependents = this.#dependents.get(uid) ?? new Map<string, Place>();
      this.#dependents.set(uid, dependents);
      dependents.set(object.metadata.uid ?? '', { collection, namespace: object.metadata.namespace ?? '', name: object.metadata.name });
    }
  }

  /** Takes up what a process before this one left: deletions under way, dependents of owners that are gone. */
  resume(): void {
    for (const collection of this.#cluster.api.store.collections()) {
      for (const object of this.#cluster.list(collection)) {
        const { deletionTimestamp, finalizers = [], ownerReferences = [], namespace = '', name } = object.metadata;
        if (deletionTimestamp !== undefined && finalizers.includes(FOREGROUND)) setImmediate(() => this.#foreground(collection, object));
        if (deletionTimestamp !== undefined && finalizers.includes(ORPHAN)) setImmediate(() => this.#orphan(collection, object));
        if (ownerReferences.length > 0) setImmediate(() => this.#collect({ collection, namespace, name }));
      }
    }
  }

  see({ type, collection, object, previous }: Change): void {
    for (const { uid } of previous?.metadata.ownerReferences ?? []) this.#dependents.get(uid)?.delete(object.metadata.uid ?? '');
    const { uid = '', deletionTimestamp, finalizers = [] } = object.metadata;
    if (type === 'deleted') {
      const dependents = this.#dependents.get(uid);
      this.#dependents.delete(uid);
      for (const place of dependents?.values() ?? []) setImmediate(() => this.#collect(place));
      for (const owner of object.metadata.ownerReferences ?? []) setImmediate(() => this.#finishForeground(owner.uid));
      return;
    }
    this.index(collection, object);
    // An owner waits no longer for what does not name it any more.
    for (const before of previous?.metadata.ownerReferences ?? [])
      if (this.#waiting.has(before.uid)) setImmediate(() => this.#finishForeground(before.uid));
    if (deletionTimestamp === undefined) {
      if (type === 'added' && (object.metadata.ownerReferences ?? []).length > 0)
        setImmediate(() => this.#collect({ collection, namespace: object.metadata.namespace ?? '', name: object.metadata.name }));
      return;
    }
    if (finalizers.includes(FOREGROUND)) setImmediate(() => this.#foreground(collection, object));
    if (finalizers.includes(ORPHAN)) setImmediate(() => this.#orphan(collection, object));
  }

  /** Deletes an object none of whose owners is there any more; a reference to a missing one of several is dropped. */
  #collect(place: Place): void {
    const object = this.#cluster.get(place.collection, place.namespace, place.name);
    const owners = object?.metadata.ownerReferences ?? [];
    if (object === undefined || owners.length === 0) return;
    const present = owners.filter((owner) => this.#ownerExists(owner, place.namespace));
    if (present.length === 0) this.#cluster.delete(place.collection, object);
    else if (present.length < owners.length) {
      this.#cluster.update(place.collection, object, (draft) => {
        draft.metadata.ownerReferences = present;
      });
    }
  }

  #ownerExists(owner: { apiVersion: string; kind: string; name: string; uid: string }, namespace: string): boolean {
    const slash = owner.apiVersion.indexOf('/');
    const [group, version] = slash < 0 ? ['', owner.apiVersion] : [owner.apiVersion.slice(0, slash), owner.apiVersion.slice(slash + 1)];
    const kind = this.#cluster.api.catalog.kind(group, version, owner.kind);
    // A kind that is not served cannot be judged: its dependents stay, as with the real collector.
    if (kind === undefined) return true;
    return this.#cluster.get(kind.collection, kind.namespaced ? namespace : '', owner.name)?.metadata.uid === owner.uid;
  }

  /** Deletes what blocks an owner's deletion, in the foreground where that owns something itself. The rest goes once the owner is gone. */
  #foreground(collection: Collection, owner: KubeObject): void {
    const { uid = '', namespace = '', name } = owner.metadata;
    this.#waiting.set(uid, { collection, namespace, name });
    for (const { place, object } of this.#blocking(uid)) {
      const others = (object.metadata.ownerReferences ?? []).filter((it) => !this.#waiting.has(it.uid));
      if (others.some((it) => this.#ownerExists(it, place.namespace))) this.#release(place, object, uid);
      else if (object.metadata.deletionTimestamp === undefined) {
        const owns = this.#living(object.metadata.uid ?? '').length > 0;
        this.#cluster.delete(place.collection, object, undefined, owns ? 'Foreground' : 'Background');
      }
    }
    this.#finishForeground(uid);
  }

  /** Takes the reference to an owner off an object. */
  #release(place: Place, object: KubeObject, owner: string): void {
    this.#cluster.update(place.collection, object, (draft) => {
      draft.metadata.ownerReferences = (draft.metadata.ownerReferences ?? []).filter((it) => it.uid !== owner);
    });
  }

  /** The dependents that an owner deleted in the foreground waits for. */
  #blocking(uid: string): { place: Place; object: KubeObject }[] {
    return this.#living(uid).filter(({ object }) =>
      object.metadata.ownerReferences?.some((it) => it.uid === uid && it.blockOwnerDeletion === true),
    );
  }

  /** A dependent is gone: an owner that waits for its last one may go. */
  #finishForeground(uid: string): void {
    const place = this.#waiting.get(uid);
    if (place === undefined || this.#blocking(uid).length > 0) return;
    this.#waiting.delete(uid);
    const owner = this.#cluster.get(place.collection, place.namespace, place.name);
    if (owner?.metadata.uid === uid) this.#dropFinalizer(place.collection, owner, FOREGROUND);
  }

  #orphan(collection: Collection, owner: KubeObject): void {
    const { uid = '' } = owner.metadata;
    for (const { place, object } of this.#living(uid)) this.#release(place, object, uid);
    this.#dropFinalizer(collection, owner, ORPHAN);
  }

  #living(uid: string): { place: Place; object: KubeObject }[] {
    const out: { place: Place; object: KubeObject }[] = [];
    for (const place of this.#dependents.get(uid)?.values() ?? []) {
      const object = this.#cluster.get(place.collection, place.namespace, place.name);
      if (object !== undefined) out.push({ place, object });
    }
    return out;
  }

  #dropFinalizer(collection: Collection, object: KubeObject, finalizer: string): void {
    this.#cluster.update(collection, object, (draft) => {
      draft.metadata.finalizers = (draft.metadata.finalizers ?? []).filter((it) => it !== finalizer);
    });
  }
}
