import { RELEASE_SECRET_TYPE, releaseObject, releaseObjectName, releaseOf, releaseSelector } from '../../../helm/index.ts';
import type { Release, StorageDriver, StoredAt } from '../../../helm/index.ts';
import { isKubeError, targetOf, type KubeClient } from '../../../kube/index.ts';
import type { KubeObject } from '../../../manifest/index.ts';
import { isCodedError, milliseconds, sleep, type Clock } from '../../../std/index.ts';
import { FIELD_MANAGER, type ReleaseStorage } from './action.ts';
import { actionError, wrapped } from './errors.ts';
import type { ReleaseRecords } from './records.ts';

export type ReleaseStorageOptions = {
  client: KubeClient;
  /** Of the records. */
  namespace: string;
  clock: Clock;
  /** Default `Secret`. */
  driver?: StorageDriver;
  /** What a watch of all records knows; without it `list` asks the cluster. */
  records?: ReleaseRecords;
  /** Told when a stored revision cannot be read; it is passed over, as Helm does, and written over by the next revision of its number. */
  unreadable?: (name: string, error: Error) => void;
};

const WRITE_ATTEMPTS = 4;
const RETRY_INTERVAL = 200;
const PASSING = ['ConnectionFailed', 'Timeout', 'Unavailable', 'InternalError', 'TooManyRequests', 'UnexpectedStatus'] as const;

/** The records of one release in the cluster, as Helm's own drivers keep them (HB09). Make one for each reconcile: it lists at most once. */
export function kubeReleaseStorage(options: ReleaseStorageOptions, name: string): ReleaseStorage {
  return new KubeReleaseStorage(options, name);
}

class KubeReleaseStorage implements ReleaseStorage {
  readonly #options: ReleaseStorageOptions;
  readonly #name: string;
  readonly #driver: StorageDriver;
  #releases: Map<number, Release> | undefined;
  /** Revisions whose records cannot be read: they are in nobody's way. */
  readonly #broken = new Set<number>();

  constructor(options: ReleaseStorageOptions, name: string) {
    this.#options = options;
    this.#name = name;
    this.#driver = options.driver ?? 'Secret';
  }

  async list(signal: AbortSignal): Promise<readonly Release[]> {
    this.#releases ??= this.#fromWatch() ?? (await this.#read(signal));
    return [...this.#releases.values()].sort((a, b) => a.version - b.version);
  }

  async create(release: Release, signal: AbortSignal): Promise<void> {
    const { client, records } = this.#options;
    const stored = this.#toObject(release, { createdAt: this.#now() });
    try {
      const broken = this.#broken.has(release.version);
      const write = broken
        ? () => client.update(stored, { fieldManager: FIELD_MANAGER, form: 'metadata', signal })
        : (attempt: number) => this.#create(stored, attempt, signal);
      const answer = await this.#patiently(signal, write);
      records?.wrote(answer, release);
    } catch (error) {
      if (isKubeError(error, 'AlreadyExists'))
        throw actionError('ReleaseExists', 'release: already exists', { subject: stored.metadata.name, cause: error });
      throw this.#failed(error, 'create: failed to create: ');
    }
    this.#releases?.set(release.version, release);
  }

  async update(release: Release, signal: AbortSignal): Promise<void> {
    const { client, records } = this.#options;
    const stored = this.#toObject(release, { modifiedAt: this.#now() });
    try {
      const answer = await this.#patiently(signal, () => client.update(stored, { fieldManager: FIELD_MANAGER, signal }));
      records?.wrote(answer, release);
    } catch (error) {
      throw this.#failed(error, 'update: failed to update: ');
    }
    this.#releases?.set(release.version, release);
  }

  async delete(version: number, signal: AbortSignal): Promise<void> {
    const { client, records, namespace } = this.#options;
    const name = releaseObjectName(this.#name, version);
    try {
      await client.delete({ apiVersion: 'v1', kind: this.#driver, name, namespace }, { signal });
    } catch (error) {
      if (!isKubeError(error, 'NotFound')) throw this.#failed(error, `delete: failed to delete "${name}": `);
    }
    records?.deleted(namespace, this.#name, version);
    this.#releases?.delete(version);
  }

  /** A repeated creation that finds its own content there was the answer that got lost. */
  async #create(stored: KubeObject, attempt: number, signal: AbortSignal): Promise<KubeObject> {
    const { client } = this.#options;
    try {
      return await client.create(stored, { fieldManager: FIELD_MANAGER, form: 'metadata', signal });
    } catch (error) {
      if (attempt === 1 || !isKubeError(error, 'AlreadyExists')) throw error;
      const found = await client.get(targetOf(stored), { signal });
      if (JSON.stringify(found['data']) === JSON.stringify(stored['data'])) return found;
      throw error;
    }
  }

  /** A record that is not written strands the release: what may pass by itself is tried again. */
  async #patiently(signal: AbortSignal, send: (attempt: number) => Promise<KubeObject>): Promise<KubeObject> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(attempt);
      } catch (error) {
        if (attempt >= WRITE_ATTEMPTS || !isKubeError(error, ...PASSING)) throw error;
        await sleep(this.#options.clock, milliseconds(RETRY_INTERVAL * 2 ** (attempt - 1)), signal);
      }
    }
  }

  #fromWatch(): Map<number, Release> | undefined {
    const { records, namespace } = this.#options;
    const releases = records?.find(namespace, this.#name);
    return releases === undefined ? undefined : new Map(releases.map((release) => [release.version, release]));
  }

  async #read(signal: AbortSignal): Promise<Map<number, Release>> {
    const { client, namespace, records, unreadable } = this.#options;
    const labelSelector = Object.entries(releaseSelector(this.#name))
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    let items: readonly KubeObject[];
    try {
      ({ items } = await client.list({ apiVersion: 'v1', kind: this.#driver }, { namespace, labelSelector, signal }));
    } catch (error) {
      throw this.#failed(error, 'query: failed to query with labels: ');
    }
    const releases = new Map<number, Release>();
    for (const item of items) {
      if (this.#driver === 'Secret' && item['type'] !== RELEASE_SECRET_TYPE) continue;
      try {
        const release = releaseOf(item);
        releases.set(release.version, release);
        records?.read(item, release);
      } catch (error) {
        if (!isCodedError(error)) throw error;
        this.#broken.add(Number(item.metadata.labels?.['version'] ?? item.metadata.name.replace(/^.*\.v/, '')));
        unreadable?.(item.metadata.name, error);
      }
    }
    return releases;
  }

  /** Records live in the storage namespace, which need not be the release's. */
  #toObject(release: Release, at: StoredAt): KubeObject {
    const stored = releaseObject(release, this.#driver, at);
    return { ...stored, metadata: { ...stored.metadata, namespace: this.#options.namespace } };
  }

  #now(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }

  #failed(error: unknown, prefix: string): Error {
    // An end from outside is no failure of the storage.
    if (isKubeError(error, 'Aborted')) return error;
    return wrapped('ReleaseStorageFailed', prefix, error);
  }
}
