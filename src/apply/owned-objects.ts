import { objectRef, parseApiVersion, type KubeObject, type ObjectMeta, type ObjectRef } from '../manifest/index.ts';
import type { Informer, KindRef, KubeClient } from '../kube/index.ts';
import { computeStatus } from '../health/index.ts';
import { systemClock, type Clock } from '../std/index.ts';
import { contentHash } from './hash.ts';
import { defaultTakeover, driftHash, type ManagerMatch } from './managed-fields.ts';
import { MARKS, RELEASE_KEYS } from './marks.ts';
import { isForeign } from './plan.ts';
import type { LiveRecord, LiveSource } from './request.ts';

export type OwnedObjectsOptions = {
  /** Reads and watches as this identity: the controller's own. */
  client: KubeClient;
  /** API group of the owners whose labels select what is watched: `kustomize.toolkit.fluxcd.io`. */
  group: string;
  fieldManager: string;
  takeover?: readonly ManagerMatch[];
  clock?: Clock;
};

/** A change of one owned object; `record` is undefined when it is gone (or lost the owner's labels). */
export type OwnedChange = { ref: ObjectRef; record: LiveRecord | undefined; previous: LiveRecord | undefined };

/** What the informer's cache holds of an object. */
type Slim = KubeObject & { record: LiveRecord };

type Watched = { informer: Informer<Slim>; stop: () => void };

/**
 * Watches of everything that carries an owner's labels, one for each kind ever asked for. Serves planning and pruning (`find`), drift
 * detection and health waits (`subscribe`) from the same cache.
 */
export class OwnedObjects implements LiveSource {
  readonly #client: KubeClient;
  readonly #group: string;
  readonly #transform: (object: KubeObject) => Slim;
  readonly #watched = new Map<string, Watched>();
  readonly #handlers = new Set<(change: OwnedChange) => void>();
  readonly #byOwner = new Map<string, Set<(change: OwnedChange) => void>>();

  constructor(options: OwnedObjectsOptions) {
    const { client, group, fieldManager, clock = systemClock } = options;
    const takeover = options.takeover ?? defaultTakeover(fieldManager);
    this.#client = client;
    this.#group = group;
    this.#transform = (object) => slim(object, toLiveRecord(object, { fieldManager, takeover, group, clock }));
  }

  /** Starts watching a kind, once. The promise settles when its cache is filled. */
  async watch(kind: KindRef, signal?: AbortSignal): Promise<void> {
    await this.#ensure(kind).informer.waitSynced(signal);
  }

  find(ref: ObjectRef, apiVersion: string): LiveRecord | 'absent' | undefined {
    const watched = this.#watched.get(kindKey({ apiVersion, kind: ref.kind }));
    if (watched === undefined || !watched.informer.synced) return undefined;
    return watched.informer.get(ref.namespace, ref.name)?.record ?? 'absent';
  }

  /** Records of all objects of one owner, of the kinds watched. */
  ownedBy(owner: { name: string; namespace: string }): LiveRecord[] {
    const value = `${owner.namespace}/${owner.name}`;
    return [...this.#watched.values()].flatMap(({ informer }) => informer.byIndex('owner', value).map(({ record }) => record));
  }

  /** Calls the handler for every later change of any watched kind. Returns how to stop. */
  subscribe(handler: (change: OwnedChange) => void): () => void {
    this.#handlers.add(handler);
    return () => this.#handlers.delete(handler);
  }

  /** As {@link subscribe}, for the objects of one owner only. */
  subscribeTo(owner: { name: string; namespace: string }, handler: (change: OwnedChange) => void): () => void {
    const key = `${owner.namespace}/${owner.name}`;
    const handlers = this.#byOwner.get(key) ?? new Set();
    this.#byOwner.set(key, handlers.add(handler));
    return () => {
      handlers.delete(handler);
      if (handlers.size === 0 && this.#byOwner.get(key) === handlers) this.#byOwner.delete(key);
    };
  }

  /** Ends all watches. */
  close(): void {
    for (const { informer, stop } of this.#watched.values()) {
      stop();
      informer.release();
    }
    this.#watched.clear();
  }

  #ensure(kind: KindRef): Watched {
    const key = kindKey(kind);
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      const nameLabel = `${this.#group}/name`;
      const informer = this.#client.informer<Slim>(kind, {
        labelSelector: nameLabel,
        stripManagedFields: false,
        transform: this.#transform,
        indexes: { owner: ({ record }) => [this.#ownerOf(record)] },
      });
      const stop = informer.subscribe({
        added: ({ record }) => this.#tell({ ref: record.ref, record, previous: undefined }),
        updated: ({ record }, { record: previous }) => this.#tell({ ref: record.ref, record, previous }),
        deleted: ({ record }) => this.#tell({ ref: record.ref, record: undefined, previous: record }),
      });
      watched = { informer, stop };
      this.#watched.set(key, watched);
    }
    return watched;
  }

  #tell(change: OwnedChange): void {
    for (const handler of this.#handlers) handler(change);
    const { record, previous } = change;
    const owner = record === undefined ? undefined : this.#ownerOf(record);
    const before = previous === undefined ? undefined : this.#ownerOf(previous);
    for (const handler of this.#byOwner.get(owner ?? before ?? '') ?? []) handler(change);
    // One that moves to another owner is gone for the first.
    if (owner !== undefined && before !== undefined && owner !== before) {
      for (const handler of this.#byOwner.get(before) ?? []) handler({ ...change, record: undefined });
    }
  }

  #ownerOf({ labels }: LiveRecord): string {
    return `${labels[`${this.#group}/namespace`] ?? ''}/${labels[`${this.#group}/name`] ?? ''}`;
  }
}

type RecordOptions = { fieldManager: string; takeover: readonly ManagerMatch[]; group: string; clock: Clock };

/** What there is to know of a live object. */
export function toLiveRecord(object: KubeObject, { fieldManager, takeover, group, clock }: RecordOptions): LiveRecord {
  const { metadata } = object;
  return {
    ref: objectRef(object),
    apiVersion: object.apiVersion,
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    labels: pick(metadata.labels, [`${group}/name`, `${group}/namespace`, ...MARK_KEYS]),
    annotations: pick(metadata.annotations, MARK_KEYS),
    driftHash: driftHash(object, fieldManager),
    contentHash: contentHash(object),
    foreign: isForeign(object, takeover),
    deleting: metadata.deletionTimestamp !== undefined,
    health: computeStatus(object, { now: clock.now() }),
  };
}

const MARK_KEYS: readonly string[] = [...new Set([...Object.values(MARKS).map(({ key }) => key), ...RELEASE_KEYS])];

function pick(values: Readonly<Record<string, string>> | undefined, keys: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const key of keys) {
    const value = values?.[key];
    if (value !== undefined) picked[key] = value;
  }
  return picked;
}

function slim(object: KubeObject, record: LiveRecord): Slim {
  const { name, namespace } = object.metadata;
  const metadata: ObjectMeta = { name, uid: record.uid, resourceVersion: record.resourceVersion };
  if (namespace !== undefined) metadata.namespace = namespace;
  return { apiVersion: object.apiVersion, kind: object.kind, metadata, record };
}

function kindKey({ apiVersion, kind }: KindRef): string {
  return `${parseApiVersion(apiVersion).group}/${kind}`;
}
