import { randomBytes } from 'node:crypto';
import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  bounded,
  type Clock,
  type Digest,
  digestAlgorithm,
  Digester,
  digestOf,
  type Duration,
  errorMessage,
  isDigest,
  Lru,
} from '../std/index.ts';
import { type ArchiveTree, filterArchive } from './archive-tree.ts';
import { ArtifactError, artifactError } from './errors.ts';
import { sourceIgnore } from './ignore.ts';
import { type ArchiveLimits, defaultArchiveLimits } from './limits.ts';
import { FileDigests } from './file-digests.ts';
import { LayerMerge } from './merge-layers.ts';
import { isArchive, readArchive } from './read-archive.ts';
import { Readers } from './readers.ts';
import { cleanPath, ifMissing, type Publisher, publisherFolder } from './store-paths.ts';
import { writeArchive } from './write-archive.ts';

/** How a layer becomes an archive. */
export type ArchiveRequest = {
  publisher: Publisher;
  /** Digest of the revision; names the archive. */
  revision: Digest;
  /** Digest of the layer: with `operation` and `ignore` it decides the content, so equal requests share the work. */
  layer: Digest;
  /** OB19 and OB21, or OB20. */
  operation: 'extract' | 'copy';
  /** `spec.ignore`; undefined means the default patterns (OB22). */
  ignore: string | undefined;
  /** The layer's bytes, checked against its digest by whoever gives them. Not called when this reader's content is there already. */
  open: () => AsyncIterable<Uint8Array>;
  /**
   * Who reads, and from where. To know a digest is not to have access: what another reader brought is shared with this one only after it got
   * the same bytes itself. Default: all readers are one.
   */
  reader?: string;
  /** Instead of one layer, these, put on top of each other; `layer` then stands for all of them. Only with `extract`. */
  merge?: readonly LayerPart[];
};

/** One of several layers that make an archive together. An archive is unpacked; anything else becomes the file its title names. */
export type LayerPart = {
  digest: Digest;
  title: string | undefined;
  /** Whether names that begin with `.wh.` delete. */
  whiteouts: boolean;
  open: () => AsyncIterable<Uint8Array>;
};

/** An archive in the store: path below its root, hash and size of the file. */
export type StoredArchive = { path: string; digest: Digest; size: number };

/** How a store behaves. */
export type ArtifactStoreOptions = {
  /** The folder; created when missing. */
  root: string;
  clock: Clock;
  /** OB25: how long superseded archives are kept, and how many archives of one object. */
  retention: { ttl: Duration; records: number };
  /** Bytes of unpacked content kept in memory. Default 256 MiB. */
  cacheBytes?: number;
  limits?: Partial<ArchiveLimits>;
};

/** Files looked at in one collection (OB25). */
const MAX_FILES = 1000;
const DEFAULT_CACHE = 256 * 1024 * 1024;
const LATEST = 'latest.tar.gz';
/** How layers are read (OB19). */
const LAYERS = { links: 'skip', compression: 'any' } as const;

type Content = { digest: Digest; size: number; path: string };

/**
 * The stored artifacts of this replica: one file per object and revision, equal content kept once (hard links), unpacked once and shared.
 * A file appears under its name only when it is complete; a process killed at any point leaves the old state or the new one. The store is a
 * cache: whatever is lost is pulled again by digest.
 */
export class ArtifactStore {
  readonly #root: string;
  readonly #clock: Clock;
  readonly #retention: ArtifactStoreOptions['retention'];
  readonly #limits: ArchiveLimits;
  readonly #trees: Lru<Digest, ArchiveTree>;
  readonly #loading = new Map<Digest, Promise<ArchiveTree>>();
  readonly #contents = new Lru<string, Content>(10_000);
  readonly #making = new Map<string, Promise<Content>>();
  readonly #readers = new Readers();
  readonly #digests: FileDigests;
  readonly #temporary = new Set<string>();

  constructor(options: ArtifactStoreOptions) {
    this.#root = options.root;
    this.#digests = new FileDigests(options.root);
    this.#clock = options.clock;
    this.#retention = options.retention;
    this.#limits = { ...defaultArchiveLimits, ...options.limits };
    this.#trees = new Lru(options.cacheBytes ?? DEFAULT_CACHE, (tree) => tree.size + tree.count * 200 + 1000);
  }

  /** The folder that holds everything. */
  get root(): string {
    return this.#root;
  }

  /**
   * Makes the archive of a layer and publishes it as `<kind>/<namespace>/<name>/<revision>.tar.gz`, then points `latest.tar.gz` to it (OB23).
   * Equal layers are made once, however many objects publish them; each reader gets the bytes of a layer once.
   * @throws ArtifactError
   */
  async publish(request: ArchiveRequest, signal: AbortSignal): Promise<StoredArchive> {
    const folder = publisherFolder(request.publisher);
    const path = `${folder}/${request.revision}.tar.gz`;
    return this.#disk(`store artifact ${JSON.stringify(path)}`, path, async () => {
      await mkdir(join(this.#root, folder), { recursive: true, mode: 0o700 });
      const content = await this.#content(request, path, signal);
      if (content.path !== path) await this.#share(content, path);
      // The name given last lives longest.
      this.#contents.set(contentKey(request), { ...content, path });
      await this.#pointLatest(folder, `${request.revision}.tar.gz`);
      return { path, digest: content.digest, size: content.size };
    });
  }

  /** The content for a request: known and still there, being made by somebody, or made now. */
  async #content(request: ArchiveRequest, path: string, signal: AbortSignal): Promise<Content> {
    const key = contentKey(request);
    const known = this.#contents.get(key);
    if (known !== undefined && (await this.verify(known))) {
      await this.#prove(request, signal);
      return known;
    }
    let making = this.#making.get(key);
    if (making === undefined) {
      making = this.#make(request, path, signal).finally(() => this.#making.delete(key));
      this.#making.set(key, making);
      const made = await making;
      this.#readers.remember(readerKey(request));
      return made;
    }
    const shared = await making.catch(async (error: unknown) => {
      // Whoever started may have been told to stop, or lost its connection: that is not this caller's failure.
      if (!(error instanceof ArtifactError) || error.retryable) return undefined;
      // But content that cannot be stored cannot be stored for anybody.
      await this.#prove(request, signal);
      throw error;
    });
    if (shared === undefined) return this.#content(request, path, signal);
    await this.#prove(request, signal);
    return shared;
  }

  /** Reads the bytes of content that another reader brought, once, and throws them away: who gets them may have the content. */
  #prove(request: ArchiveRequest, signal: AbortSignal): Promise<void> {
    return this.#readers.prove(readerKey(request), async () => {
      const parts = request.merge ?? [{ digest: request.layer, open: request.open }];
      for (const { digest, open: source } of parts) {
        for await (const _ of bounded(source(), this.#limits.compressedBytes, `layer ${JSON.stringify(digest)}`)) signal.throwIfAborted();
      }
      signal.throwIfAborted();
    });
  }

  async #make(request: ArchiveRequest, path: string, signal: AbortSignal): Promise<Content> {
    const subject = `layer ${JSON.stringify(request.layer)}`;
    if (request.operation === 'copy') return this.#copy(request, path, subject, signal);
    const layer =
      request.merge === undefined
        ? await readArchive(await this.#bytes(request.open, subject, signal), { ...LAYERS, subject, limits: this.#limits })
        : await this.#merge(request.merge, signal);
    const tree = filterArchive(layer, sourceIgnore(layer, request.ignore));
    const archive = await writeArchive(tree, 'stored');
    signal.throwIfAborted();
    const digest = digestOf(archive);
    await this.#place(path, (temporary) => writeFile(temporary, archive, { mode: 0o600, flag: 'wx' }));
    await this.#digests.remember(path, digest);
    this.#trees.set(digest, tree);
    return { digest, size: archive.length, path };
  }

  async #bytes(source: () => AsyncIterable<Uint8Array>, subject: string, signal: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bounded(source(), this.#limits.compressedBytes, subject)) chunks.push(chunk);
    signal.throwIfAborted();
    return Buffer.concat(chunks);
  }

  async #merge(parts: readonly LayerPart[], signal: AbortSignal): Promise<ArchiveTree> {
    const merge = new LayerMerge(this.#limits);
    for (const { digest, title, whiteouts, open: source } of parts) {
      const subject = `layer ${JSON.stringify(digest)}`;
      const bytes = await this.#bytes(source, subject, signal);
      if (isArchive(bytes))
        merge.add({ kind: 'archive', tree: await readArchive(bytes, { ...LAYERS, subject, limits: this.#limits }), whiteouts });
      else if (title !== undefined) merge.add({ kind: 'file', path: title, bytes });
      else throw artifactError('ArchiveInvalid', `unpack ${subject}: it is no archive, and has no title to be a file`, { subject: digest });
    }
    return merge.build();
  }

  /** OB20: the layer as it is, still under `.tar.gz`. */
  async #copy(request: ArchiveRequest, path: string, subject: string, signal: AbortSignal): Promise<Content> {
    const digester = new Digester();
    let size = 0;
    await this.#place(path, async (temporary) => {
      const file = await open(temporary, 'wx', 0o600);
      try {
        for await (const chunk of bounded(request.open(), this.#limits.compressedBytes, subject)) {
          signal.throwIfAborted();
          digester.update(chunk);
          size += chunk.length;
          await file.write(chunk);
        }
      } finally {
        await file.close();
      }
    });
    const digest = digester.digest();
    await this.#digests.remember(path, digest);
    return { digest, size, path };
  }

  /** Writes a file beside its place and renames it there. */
  async #place(path: string, write: (temporary: string) => Promise<void>): Promise<void> {
    const target = join(this.#root, path);
    const temporary = join(dirname(target), `.${randomBytes(9).toString('hex')}.tmp`);
    this.#temporary.add(temporary);
    try {
      await write(temporary);
      await rename(temporary, target);
    } finally {
      // Still there after a failure, and after a rename onto another name of the same file, which does nothing.
      await rm(temporary, { force: true });
      this.#temporary.delete(temporary);
    }
  }

  /** Publishes content that is stored already under another name. */
  async #share(content: Content, path: string): Promise<void> {
    const source = join(this.#root, content.path);
    await this.#place(path, async (temporary) => {
      // File systems without hard links get a copy.
      await link(source, temporary).catch(() => copyFile(source, temporary));
      const now = this.#clock.now() / 1000;
      await utimes(temporary, now, now);
      await chmod(temporary, 0o600);
    });
    await this.#digests.remember(path, content.digest);
    await this.#digests.remember(content.path, content.digest);
  }

  async #pointLatest(folder: string, target: string): Promise<void> {
    await this.#place(`${folder}/${LATEST}`, (temporary) => symlink(target, temporary));
  }

  /** True when the archive is there and its content has this digest (OB02). A file that has not changed since it was hashed is not read again. */
  async verify(archive: { path: string; digest: string }): Promise<boolean> {
    const path = cleanPath(archive.path);
    return path !== undefined && isDigest(archive.digest) && this.#digests.matches(path, archive.digest);
  }

  /**
   * The content of an archive as files, without HTTP: unpacked once per digest and shared (KB06, KB07: a link in it is an error).
   * @throws ArtifactError when it is missing, corrupt or not a tar archive
   */
  tree(archive: { path: string; digest: string }, signal: AbortSignal): Promise<ArchiveTree> {
    const { digest } = archive;
    if (!isDigest(digest))
      return Promise.reject(
        artifactError('DigestMismatch', `read artifact ${JSON.stringify(archive.path)}: ${JSON.stringify(digest)} is not a digest`, {
          subject: archive.path,
        }),
      );
    const known = this.#trees.get(digest);
    if (known !== undefined) return Promise.resolve(known);
    signal.throwIfAborted();
    let loading = this.#loading.get(digest);
    if (loading === undefined) {
      loading = this.#load(archive.path, digest).finally(() => this.#loading.delete(digest));
      this.#loading.set(digest, loading);
    }
    return loading;
  }

  async #load(path: string, digest: Digest): Promise<ArchiveTree> {
    const tree = await readArchive(await this.read({ path, digest }), {
      subject: `artifact ${JSON.stringify(path)}`,
      links: 'reject',
      limits: this.#limits,
    });
    this.#trees.set(digest, tree);
    return tree;
  }

  /** The bytes of an archive, hashed before anybody gets them. @throws ArtifactError `ArtifactNotFound`, `DigestMismatch` */
  async read(archive: { path: string; digest: Digest }): Promise<Uint8Array> {
    const path = cleanPath(archive.path);
    const what = `read artifact ${JSON.stringify(archive.path)}`;
    const bytes =
      path === undefined ? undefined : await this.#disk(what, archive.path, () => readFile(join(this.#root, path)).catch(ifMissing));
    if (bytes === undefined)
      throw artifactError('ArtifactNotFound', `${what}: not in the store`, { subject: archive.path, retryable: true });
    const digest = digestOf(bytes, digestAlgorithm(archive.digest));
    if (digest === archive.digest) return bytes;
    throw artifactError('DigestMismatch', `${what}: digest mismatch: got ${digest}, want ${archive.digest}`, {
      subject: archive.path,
      retryable: true,
    });
  }

  /**
   * Removes files of a publisher that are older than the retention time, then the oldest beyond the number kept; never `current` (OB25).
   * @returns the paths removed
   */
  async collect(publisher: Publisher, current: string): Promise<readonly string[]> {
    const folder = publisherFolder(publisher);
    return this.#disk(`collect garbage of ${JSON.stringify(folder)}`, folder, async () => {
      const files = await this.#files(folder);
      const now = this.#clock.now();
      const old = files.filter((file) => file.path !== current && now - file.modified > this.#retention.ttl);
      const kept = files.filter((file) => !old.includes(file)).sort((a, b) => a.modified - b.modified);
      const spare = kept.filter((file) => file.path !== current).slice(0, Math.max(0, kept.length - this.#retention.records));
      const garbage = [...old, ...spare];
      for (const { path } of garbage) {
        await unlink(join(this.#root, path)).catch(ifMissing);
        this.#digests.forget(path);
      }
      return garbage.map((file) => file.path);
    });
  }

  async #files(folder: string): Promise<{ path: string; modified: number }[]> {
    const names = (await readdir(join(this.#root, folder)).catch(ifMissing)) ?? [];
    const files: { path: string; modified: number }[] = [];
    for (const name of names.slice(0, MAX_FILES)) {
      const path = `${folder}/${name}`;
      if (this.#temporary.has(join(this.#root, path))) continue;
      const info = await lstat(join(this.#root, path)).catch(ifMissing);
      if (info?.isFile() === true) files.push({ path, modified: info.mtimeMs });
    }
    return files;
  }

  /** Removes everything of a publisher (OB27). */
  async remove(publisher: Publisher): Promise<void> {
    const folder = publisherFolder(publisher);
    await this.#disk(`remove artifacts of ${JSON.stringify(folder)}`, folder, () =>
      rm(join(this.#root, folder), { recursive: true, force: true }),
    );
  }

  async #disk<T>(what: string, subject: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Error) || !('syscall' in error)) throw error;
      throw new ArtifactError({ code: 'StorageFailed', message: `${what}: ${errorMessage(error)}`, subject, cause: error });
    }
  }
}

/** What decides the content of an archive. */
function contentKey({ layer, operation, ignore }: ArchiveRequest): string {
  return JSON.stringify([layer, operation, operation === 'copy' ? null : (ignore ?? null)]);
}

function readerKey({ reader = '', layer }: ArchiveRequest): string {
  return `${reader}\n${layer}`;
}

/** Opens a store, creating its folder. @throws ArtifactError `StorageFailed` */
export async function openArtifactStore(options: ArtifactStoreOptions): Promise<ArtifactStore> {
  try {
    await mkdir(options.root, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new ArtifactError({
      code: 'StorageFailed',
      message: `open artifact store ${JSON.stringify(options.root)}: ${errorMessage(error)}`,
      subject: options.root,
      cause: error,
    });
  }
  return new ArtifactStore(options);
}
