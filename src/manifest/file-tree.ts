import { compareUtf8 } from '../std/index.ts';

/** One name in a folder of a {@link FileTree}. */
export type Entry = { name: string; kind: 'file' | 'directory' };

/**
 * The read-only file system every engine takes. Paths are rooted at the tree, `/`-separated, without a leading slash, `.` or
 * `..` (the root is ``); a path that is not in that form is simply not there, so nothing can escape.
 */
export interface FileTree {
  /** The content of a file; undefined when there is no such file. The caller must not change the bytes. */
  read(path: string): Uint8Array | undefined;
  /** The entries of a folder in byte order of their names; empty when there is no such folder. */
  list(directory: string): readonly Entry[];
}

/** A FileTree over content in memory. Keys are paths as {@link FileTree} wants them. */
export function memoryTree(files: Readonly<Record<string, Uint8Array | string>> | ReadonlyMap<string, Uint8Array | string>): FileTree {
  const contents = new Map<string, Uint8Array>();
  const folders = new Map<string, Map<string, Entry>>([['', new Map()]]);
  const entries = files instanceof Map ? files.entries() : Object.entries(files as Record<string, Uint8Array | string>);
  for (const [path, content] of entries) {
    contents.set(path, typeof content === 'string' ? Buffer.from(content) : content);
    let kind: Entry['kind'] = 'file';
    for (let rest = path; rest !== '';) {
      const slash = rest.lastIndexOf('/');
      const parent = slash < 0 ? '' : rest.slice(0, slash);
      const folder = folders.get(parent) ?? new Map<string, Entry>();
      folders.set(parent, folder);
      const name = rest.slice(slash + 1);
      if (folder.has(name) && kind === 'directory') break;
      folder.set(name, { name, kind });
      rest = parent;
      kind = 'directory';
    }
  }
  const sorted = new Map<string, readonly Entry[]>();
  return {
    read: (path) => contents.get(path),
    list: (directory) => {
      let list = sorted.get(directory);
      if (list === undefined) {
        list = [...(folders.get(directory)?.values() ?? [])].sort((a, b) => compareUtf8(a.name, b.name));
        sorted.set(directory, list);
      }
      return list;
    },
  };
}

/** Joins a tree path and a relative one, resolving `.` and `..`; undefined when the result would leave the root. */
export function joinTreePath(base: string, relative: string): string | undefined {
  const parts = base === '' ? [] : base.split('/');
  for (const part of relative.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      if (parts.pop() === undefined) return undefined;
    } else {
      parts.push(part);
    }
  }
  return parts.join('/');
}

/** All files below `directory`, depth first in byte order. */
export function* walkTree(tree: FileTree, directory = ''): Generator<string> {
  for (const entry of tree.list(directory)) {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
    if (entry.kind === 'directory') yield* walkTree(tree, path);
    else yield path;
  }
}
