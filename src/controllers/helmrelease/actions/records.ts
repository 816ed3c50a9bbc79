import { releaseObjectName, type Release, type StorageDriver } from '../../../helm/index.ts';
import type { Informer, KubeClient } from '../../../kube/index.ts';
import type { KubeObject } from '../../../manifest/index.ts';
import { Lru, seconds, sleep, systemClock, type Clock } from '../../../std/index.ts';

export type ReleaseRecordsOptions = {
  /** Reads and watches as the controller itself. */
  client: KubeClient;
  /** Default `Secret`. */
  driver?: StorageDriver;
  /** Bytes of decoded records to keep; the ones used last stay. Default 32 MiB. */
  keep?: number;
  /** Only this namespace. */
  namespace?: string;
  clock?: Clock;
};

type Remembered = { resourceVersion: string; release: Release; weight: number };

const DEFAULT_KEEP = 32 * 1024 * 1024;
/** The watch is there to save requests: where it is not allowed, nobody waits for it. */
const SYNC_TIMEOUT = seconds(5);

/**
 * What there is to know of all Helm records without reading them: a metadata-only watch (their names, revisions and resourceVersions) and the
 * records that went through our hands. Tells that a release has no history, or gives its history, without a request.
 */
export class ReleaseRecords {
  readonly #informer: Informer;
  readonly #clock: Clock;
  readonly #remembered: Lru<string, Remembered>;
  /** By release: records whose last write (its resourceVersion; empty for a deletion) the watch may not have shown yet. */
  readonly #ahead = new Map<string, Map<string, string>>();

  constructor({ client, driver = 'Secret', keep = DEFAULT_KEEP, namespace, clock = systemClock }: ReleaseRecordsOptions) {
    this.#clock = clock;
    this.#informer = client.informer(
      { apiVersion: 'v1', kind: driver },
      {
        labelSelector: 'owner=helm',
        form: 'metadata',
        transform: slim,
        indexes: { release: ({ metadata }) => [`${metadata.namespace ?? ''}/${metadata.labels?.['name'] ?? ''}`] },
        ...(namespace === undefined ? {} : { namespace }),
      },
    );
    this.#remembered = new Lru(keep, ({ weight }) => weight);
  }

  /** Resolves when the watch is current, or is not to be had soon: then histories are read. */
  async waitSynced(signal?: AbortSignal): Promise<void> {
    await Promise.race([this.#informer.waitSynced(signal), sleep(this.#clock, SYNC_TIMEOUT, signal)]);
  }

  /** The history of a release; undefined when the watch is not current, or a record was written by someone else since we saw it. */
  find(namespace: string, name: string): Release[] | undefined {
    const shown = this.#shown(namespace, name);
    if (shown === undefined) return undefined;
    const releases: Release[] = [];
    for (const { metadata } of shown) {
      const known = this.#remembered.get(`${namespace}/${metadata.name}`);
      if (known === undefined || known.resourceVersion !== metadata.resourceVersion) return undefined;
      releases.push(known.release);
    }
    return releases;
  }

  /** A text that changes whenever anybody writes or deletes a record of the release; undefined while the watch is not current. */
  fingerprint(namespace: string, name: string): string | undefined {
    return this.#shown(namespace, name)
      ?.map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion ?? ''}`)
      .sort()
      .join(' ');
  }

  /** Calls the handler with the release whose record somebody wrote or deleted. Returns how to stop. */
  subscribe(handler: (namespace: string, name: string) => void): () => void {
    const tell = ({ metadata }: KubeObject): void => {
      const { namespace = '', name, resourceVersion } = metadata;
      const ours = this.#remembered.get(`${namespace}/${name}`)?.resourceVersion === resourceVersion;
      if (!ours) handler(namespace, metadata.labels?.['name'] ?? '');
    };
    return this.#informer.subscribe({ added: tell, updated: tell, deleted: tell });
  }

  /** Takes a record as the server answered our write. */
  wrote(stored: KubeObject, release: Release): void {
    const { name, namespace = '', resourceVersion = '' } = stored.metadata;
    this.#aheadOf(namespace, release.name).set(name, resourceVersion);
    this.read(stored, release);
  }

  /** Takes a record as it was read. */
  read(stored: KubeObject, release: Release): void {
    const { resourceVersion = '' } = stored.metadata;
    this.#remembered.set(keyOf(stored), { resourceVersion, release, weight: weigh(release) });
  }

  /** Takes the deletion of a record. */
  deleted(namespace: string, name: string, version: number): void {
    const record = releaseObjectName(name, version);
    this.#remembered.delete(`${namespace}/${record}`);
    this.#aheadOf(namespace, name).set(record, '');
  }

  /** Ends the watch. */
  close(): void {
    this.#informer.release();
  }

  #shown(namespace: string, name: string): KubeObject[] | undefined {
    if (!this.#informer.synced || this.#informer.lastError !== undefined) return undefined;
    const key = `${namespace}/${name}`;
    for (const [record, resourceVersion] of this.#ahead.get(key) ?? []) {
      if (!this.#caughtUp(namespace, record, resourceVersion)) return undefined;
    }
    this.#ahead.delete(key);
    return this.#informer.byIndex('release', key);
  }

  #aheadOf(namespace: string, name: string): Map<string, string> {
    const key = `${namespace}/${name}`;
    const ahead = this.#ahead.get(key) ?? new Map<string, string>();
    this.#ahead.set(key, ahead);
    return ahead;
  }

  #caughtUp(namespace: string, record: string, resourceVersion: string): boolean {
    const shown = this.#informer.get(namespace, record)?.metadata.resourceVersion;
    if (resourceVersion === '') return shown === undefined;
    return shown !== undefined && !isOlder(shown, resourceVersion);
  }
}

/** What is asked of a record's metadata. */
function slim({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace = '', uid = '', resourceVersion = '', labels } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, uid, resourceVersion, labels: { name: labels?.['name'] ?? '' } } };
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Roughly the bytes a release takes in memory: its texts; templates and files weigh most. */
function weigh({ chart, manifest, hooks, notes }: Release): number {
  let weight = 2000 + manifest.length + notes.length;
  for (const hook of hooks) weight += hook.manifest.length;
  for (const list of [chart['templates'], chart['files']]) {
    if (!Array.isArray(list)) continue;
    for (const file of list) {
      if (typeof file === 'object' && file !== null && 'data' in file && typeof file['data'] === 'string') weight += file['data'].length;
    }
  }
  return weight;
}

function isOlder(a: string, b: string): boolean {
  return a.length === b.length ? a < b : a.length < b.length;
}
