import { groups, originAnnotations, type Artifact, type Condition, type OCIRepository } from '../../api/index.ts';
import { readArchive, type ArtifactStore } from '../../artifact/index.ts';
import type { Informer, KubeClient } from '../../kube/index.ts';
import type { FileTree, KubeObject } from '../../manifest/index.ts';
import { deepEqual, type ResourceView } from '../../runtime/index.ts';
import {
  CodedError,
  digestAlgorithm,
  digestOf,
  errorMessage,
  isCodedError,
  isDigest,
  limitExceeded,
  Lru,
  readBounded,
  redact,
} from '../../std/index.ts';

/** Names a source: kind, namespace, name. */
export type SourceKey = { kind: string; namespace: string; name: string };

/** What sources of all kinds say of themselves. */
export type SourceObject = {
  metadata: { generation?: number };
  status: { observedGeneration?: number; conditions?: readonly Condition[]; artifact?: Artifact };
};

/** `Kind/namespace/name`. */
export function formatSourceKey({ kind, namespace, name }: SourceKey): string {
  return `${kind}/${namespace}/${name}`;
}

/** The revision of what the artifact itself was made from; empty when nobody said (E04). */
export function originRevision(artifact: Artifact): string {
  return artifact.metadata?.[originAnnotations.revision] ?? '';
}

/** Largest archive fetched over HTTP, bytes. */
const ARCHIVE_LIMIT = 512 * 1024 * 1024;
/** Unpacked content kept for archives that are not in our own store, bytes. */
const CACHE_BYTES = 64 * 1024 * 1024;
const FETCH_TIMEOUT = 60_000;

type Other = { informer: Informer; ready: Promise<void> };

/** The sources objects are made from: OCIRepositories of this process, and artifacts other controllers publish over HTTP. */
export class Sources {
  readonly #kube: KubeClient;
  readonly #ociRepositories: ResourceView<OCIRepository>;
  readonly #store: ArtifactStore;
  readonly #fetch: typeof globalThis.fetch;
  readonly #changed: (source: SourceKey) => void;
  readonly #others = new Map<string, Promise<Other>>();
  readonly #trees = new Lru<string, { tree: FileTree; size: number }>(CACHE_BYTES, ({ size }) => size + 1000);
  /** Archives on their way, by where from and digest. */
  readonly #downloads = new Map<string, Promise<Uint8Array>>();

  /** @param changed told each source whose artifact changed */
  constructor(options: {
    kube: KubeClient;
    ociRepositories: ResourceView<OCIRepository>;
    store: ArtifactStore;
    fetch: typeof globalThis.fetch;
    changed: (source: SourceKey) => void;
  }) {
    this.#kube = options.kube;
    this.#ociRepositories = options.ociRepositories;
    this.#store = options.store;
    this.#fetch = options.fetch;
    this.#changed = options.changed;
    this.#ociRepositories.subscribe({
      changed: ({ metadata, status }, previous) => {
        if (!sameArtifact(status.artifact, previous?.status.artifact)) {
          this.#changed({ kind: 'OCIRepository', namespace: metadata.namespace, name: metadata.name });
        }
      },
    });
  }

  /** The artifact a source publishes; `absent` when there is no such source, undefined when it has none yet. @throws KubeError */
  async artifact(source: SourceKey, signal: AbortSignal): Promise<Artifact | 'absent' | undefined> {
    if (source.kind === 'OCIRepository') {
      const object = this.#ociRepositories.get(source);
      return object === undefined ? 'absent' : object.status.artifact;
    }
    const { informer, ready } = await this.#other(source.kind);
    await Promise.race([ready, informer.waitSynced(signal)]);
    const object = informer.get(source.namespace, source.name);
    return object === undefined ? 'absent' : artifactOf(object);
  }

  /** The source itself as it is now; undefined when there is none. @throws KubeError */
  async find(source: SourceKey, signal: AbortSignal): Promise<SourceObject | undefined> {
    if (source.kind === 'OCIRepository') return this.#ociRepositories.get(source);
    const { informer, ready } = await this.#other(source.kind);
    await Promise.race([ready, informer.waitSynced(signal)]);
    const object = informer.get(source.namespace, source.name);
    return object === undefined ? undefined : sourceObject(object);
  }

  /** The files of an artifact. @throws CodedError `ArtifactNotFound` while it is not there yet, or what is wrong with it */
  async tree(artifact: Artifact, signal: AbortSignal): Promise<FileTree> {
    try {
      return await this.#store.tree(artifact, signal);
    } catch (error) {
      if (!isCodedError(error, 'ArtifactNotFound')) throw error;
    }
    const known = this.#trees.get(artifact.digest);
    return known?.tree ?? this.#download(artifact, signal);
  }

  /** The bytes of an artifact's archive. @throws CodedError as {@link tree} */
  async archive(artifact: Artifact, signal: AbortSignal): Promise<Uint8Array> {
    const { path, digest } = artifact;
    try {
      if (isDigest(digest)) return await this.#store.read({ path, digest });
    } catch (error) {
      if (!isCodedError(error, 'ArtifactNotFound')) throw error;
    }
    return this.#fetchArchive(artifact, signal);
  }

  /** Ends the watches of sources of other controllers. */
  close(): void {
    for (const other of this.#others.values()) {
      void other.then(
        ({ informer }) => informer.release(),
        () => {},
      );
    }
  }

  #other(kind: SourceKey['kind']): Promise<Other> {
    let other = this.#others.get(kind);
    if (other === undefined) {
      other = this.#watchOther(kind);
      this.#others.set(kind, other);
      // A kind that is not served yet may be later.
      other.catch(() => this.#others.delete(kind));
    }
    return other;
  }

  async #watchOther(kind: SourceKey['kind']): Promise<Other> {
    const reference = { apiVersion: `${groups.source}/v1`, kind };
    await this.#kube.mapper.resource(reference);
    const informer = this.#kube.informer(reference);
    const changed = ({ metadata }: KubeObject): void => this.#changed({ kind, namespace: metadata.namespace ?? '', name: metadata.name });
    informer.subscribe({
      added: (object) => {
        if (informer.synced) changed(object);
      },
      updated: (object, old) => {
        if (!sameArtifact(artifactOf(object), artifactOf(old))) changed(object);
      },
    });
    return { informer, ready: informer.waitSynced() };
  }

  async #download(artifact: Artifact, signal: AbortSignal): Promise<FileTree> {
    const tree = await readArchive(await this.#fetchArchive(artifact, signal), { subject: subjectOf(artifact), links: 'reject' });
    this.#trees.set(artifact.digest, { tree, size: tree.size });
    return tree;
  }

  /** The bytes of an archive of somebody else; those who want the same at the same time share one download. */
  async #fetchArchive(artifact: Artifact, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const key = `${artifact.url}\n${artifact.digest}`;
    let download = this.#downloads.get(key);
    if (download === undefined) {
      download = downloadArchive(artifact, this.#fetch).finally(() => this.#downloads.delete(key));
      // Whoever gave up waiting hears nothing of how it ended.
      download.catch(() => undefined);
      this.#downloads.set(key, download);
    }
    return unlessAborted(download, signal);
  }
}

/** Fetches an archive over HTTP; its digest must be right (KB06, HB04). @throws CodedError `ArtifactNotFound`, or what is wrong with it */
async function downloadArchive(artifact: Artifact, fetch: typeof globalThis.fetch): Promise<Uint8Array> {
  const { digest } = artifact;
  const subject = subjectOf(artifact);
  if (!isDigest(digest))
    throw new CodedError({ code: 'DigestMismatch', message: `fetch ${subject}: ${JSON.stringify(digest)} is not a digest`, subject });
  const url = overrideHost(artifact.url);
  if (!/^https?:\/\//.test(url) || !URL.canParse(url))
    throw new CodedError({
      code: 'ArtifactUnreachable',
      message: `fetch ${subject}: want an address that begins with http:// or https://`,
      subject,
    });
  const bytes = await readUrl(url, subject, fetch);
  const got = digestOf(bytes, digestAlgorithm(digest));
  if (got === digest) return bytes;
  throw new CodedError({ code: 'DigestMismatch', message: `fetch ${subject}: digest mismatch: got ${got}, want ${digest}`, subject });
}

async function readUrl(url: string, subject: string, fetch: typeof globalThis.fetch): Promise<Uint8Array> {
  const unreachable = (why: string, cause?: unknown): CodedError =>
    new CodedError({ code: 'ArtifactUnreachable', message: `fetch ${subject}: ${why}`, subject, cause });
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(FETCH_TIMEOUT) });
    if (answer.status === 200 && answer.body !== null) {
      const length = Number(answer.headers.get('content-length') ?? 0);
      if (length <= ARCHIVE_LIMIT) return await readBounded(answer.body, ARCHIVE_LIMIT, subject);
      await answer.body.cancel();
      throw limitExceeded(subject, ARCHIVE_LIMIT);
    }
    await answer.body?.cancel();
    // Not there yet, or no longer: whoever publishes it says so by a change of the object.
    if (answer.status === 404) throw new CodedError({ code: 'ArtifactNotFound', message: `fetch ${subject}: HTTP 404`, subject });
    throw unreachable(`HTTP ${answer.status}`);
  } catch (error) {
    if (isCodedError(error)) throw error;
    const cause = error instanceof Error && error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : errorMessage(error);
    throw unreachable(redact(cause), error);
  }
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const stop = Promise.withResolvers<never>();
  const onAbort = (): void => stop.reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, stop.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function subjectOf({ url }: Artifact): string {
  return `artifact ${JSON.stringify(redact(url))}`;
}

function sourceObject({ metadata, status }: KubeObject): SourceObject {
  return { metadata, status: typeof status === 'object' && status !== null ? status : {} };
}

function artifactOf(object: KubeObject): Artifact | undefined {
  const status = object['status'] as { artifact?: Artifact } | undefined;
  return status?.artifact;
}

function sameArtifact(a: Artifact | undefined, b: Artifact | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  // A renewed address alone means nothing new to build; a renewed time means it was stored again.
  return a.revision === b.revision && a.digest === b.digest && a.lastUpdateTime === b.lastUpdateTime && deepEqual(a.metadata, b.metadata);
}

/** Flux's overrides for running a controller outside the cluster (KB06). */
function overrideHost(url: string): string {
  const host = process.env[url.includes('//source-watcher') ? 'SOURCE_WATCHER_LOCALHOST' : 'SOURCE_CONTROLLER_LOCALHOST'];
  if (host === undefined || host === '') return url;
  const changed = new URL(url);
  changed.host = host;
  return changed.href;
}
