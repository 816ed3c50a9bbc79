import type { FileTree } from '../../manifest/index.ts';
import type { Digest } from '../../std/index.ts';

/** Which object publishes: its kind in lower case, namespace and name; the folder of its archives. */
export type Publisher = { kind: string; namespace: string; name: string };

/** How a layer becomes an archive. */
export type ArchiveRequest = {
  publisher: Publisher;
  /** Digest of the revision; names the archive (OB23). */
  revision: Digest;
  /** Digest of the layer: with `operation` and `ignore` it decides the content, so equal requests share the work. */
  layer: Digest;
  operation: 'extract' | 'copy';
  /** `spec.ignore`; undefined means the default patterns (OB22). */
  ignore: string | undefined;
  /** The layer's bytes, checked against its digest by whoever gives them. Not called when the content is there already. */
  open: () => AsyncIterable<Uint8Array>;
};

/** An archive in the store: path below its root, hash and size of the file. */
export type StoredArchive = { path: string; digest: Digest; size: number };

/** What the source controller asks of the store. */
export interface ArtifactStore {
  /** Makes the archive and publishes it, with the link `latest`. @throws CodedError */
  publish(request: ArchiveRequest, signal: AbortSignal): Promise<StoredArchive>;
  /** True when the archive is there and its content has this digest (OB02). */
  verify(archive: { path: string; digest: string }): Promise<boolean>;
  /** Removes archives of a publisher that are older than the retention time and beyond the number kept, never `current` (OB25). */
  collect(publisher: Publisher, current: string): Promise<readonly string[]>;
  /** Removes everything of a publisher (OB27). */
  remove(publisher: Publisher): Promise<void>;
  /** The content of an archive as files; cached by digest. @throws CodedError when it is missing, corrupt or not a tar archive */
  tree(archive: { path: string; digest: string }, signal: AbortSignal): Promise<FileTree>;
}
