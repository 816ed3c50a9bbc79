import { compareUtf8 } from '../std/index.ts';
import type { Entry, FileTree } from '../manifest/index.ts';

/** A file of an archive: its content and permission bits. */
export type ArchiveFile = { bytes: Uint8Array; mode: number };

/** A FileTree that also knows permission bits and empty folders: what an archive holds. */
export interface ArchiveTree extends FileTree {
  /** Permission bits of a file or folder; undefined when there is no such entry. */
  mode(path: string): number | undefined;
  /** Bytes of all files together. */
  readonly size: number;
  /** Files and folders, the root not counted. */
  readonly count: number;
}

const DEFAULT_FOLDER_MODE = 0o755;

type Folder = { mode: number; entries: Map<string, Entry>; sorted: readonly Entry[] | undefined };

/** Collects entries into an {@link ArchiveTree}. Paths are clean: `/`-separated, no empty, `.` or `..` segments; the root is ``. */
export class ArchiveTreeBuilder {
  readonly #files = new Map<string, ArchiveFile>();
  readonly #folders = new Map<string, Folder>([['', { mode: DEFAULT_FOLDER_MODE, entries: new Map(), sorted: undefined }]]);
  #size = 0;

  /** The file at `path`, if there is one. */
  file(path: string): ArchiveFile | undefined {
    return this.#files.get(path);
  }

  hasFolder(path: string): boolean {
    return this.#folders.has(path);
  }

  /** The first segment of `path`'s parents that is a file, if any: nothing can lie below it. */
  blockedBy(path: string): string | undefined {
    for (let at = path.indexOf('/'); at >= 0; at = path.indexOf('/', at + 1)) {
      const parent = path.slice(0, at);
      if (this.#files.has(parent)) return parent;
    }
    return undefined;
  }

  addFile(path: string, bytes: Uint8Array, mode: number): void {
    this.#size += bytes.length - (this.#files.get(path)?.bytes.length ?? 0);
    this.#files.set(path, { bytes, mode });
    this.#enter(path, 'file');
  }

  addFolder(path: string, mode: number = DEFAULT_FOLDER_MODE): void {
    const folder = this.#folders.get(path);
    if (folder !== undefined) folder.mode = mode;
    else {
      this.#folders.set(path, { mode, entries: new Map(), sorted: undefined });
      this.#enter(path, 'directory');
    }
  }

  #enter(path: string, kind: Entry['kind']): void {
    if (path === '') return;
    const slash = path.lastIndexOf('/');
    const parent = slash < 0 ? '' : path.slice(0, slash);
    if (!this.#folders.has(parent)) this.addFolder(parent);
    this.#folders.get(parent)?.entries.set(path.slice(slash + 1), { name: path.slice(slash + 1), kind });
  }

  /** The finished tree; the builder must not be used after. */
  build(): ArchiveTree {
    const files = this.#files;
    const folders = this.#folders;
    return {
      size: this.#size,
      count: files.size + folders.size - 1,
      read: (path) => files.get(path)?.bytes,
      mode: (path) => files.get(path)?.mode ?? folders.get(path)?.mode,
      list: (path) => {
        const folder = folders.get(path);
        if (folder === undefined) return [];
        folder.sorted ??= [...folder.entries.values()].sort((a, b) => compareUtf8(a.name, b.name));
        return folder.sorted;
      },
    };
  }
}

/** Files and folders of a tree in Go's `filepath.WalkDir` order: a folder, then what is in it, names in byte order; the root first. */
export function* walkArchive(tree: ArchiveTree, path = ''): Generator<{ path: string; kind: Entry['kind'] }> {
  yield { path, kind: 'directory' };
  for (const entry of tree.list(path)) {
    const child = path === '' ? entry.name : `${path}/${entry.name}`;
    if (entry.kind === 'directory') yield* walkArchive(tree, child);
    else yield { path: child, kind: 'file' };
  }
}

/** The tree without the entries `ignored` says yes to. A file stays when only its folder is ignored, as in Flux's archiver. */
export function filterArchive(tree: ArchiveTree, ignored: (path: string, isFolder: boolean) => boolean): ArchiveTree {
  const builder = new ArchiveTreeBuilder();
  let changed = false;
  for (const { path, kind } of walkArchive(tree)) {
    if (path !== '' && ignored(path, kind === 'directory')) {
      changed = true;
      continue;
    }
    if (kind === 'directory') builder.addFolder(path, tree.mode(path));
    else builder.addFile(path, tree.read(path) ?? new Uint8Array(), tree.mode(path) ?? 0o644);
  }
  return changed ? builder.build() : tree;
}

/** A tree from content in memory; for tests and for single files. */
export function archiveTree(files: Readonly<Record<string, Uint8Array | string>>, mode = 0o644): ArchiveTree {
  const builder = new ArchiveTreeBuilder();
  for (const [path, content] of Object.entries(files))
    builder.addFile(path, typeof content === 'string' ? Buffer.from(content) : content, mode);
  return builder.build();
}
