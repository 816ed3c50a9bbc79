import { walkTree, type FileTree } from '../../manifest/index.ts';
import { digestOf } from '../../std/index.ts';

/** Hashes of folders, remembered as long as the tree lives: many Kustomizations build from one artifact. */
const folderHashes = new WeakMap<FileTree, Map<string, string>>();
const fileHashes = new WeakMap<FileTree, Map<string, string>>();

/**
 * A hash of everything a build can have read: all of its own folder, and the files outside of it that it reported. Equal hashes give an equal
 * build.
 */
export function contentHash(tree: FileTree, folder: string, reads: Iterable<string>): string {
  const inside = folder === '' ? '' : `${folder}/`;
  const outside = [...reads].filter((path) => path !== folder && !path.startsWith(inside)).sort();
  const parts = outside.map((path) => `${path}\0${fileHash(tree, path)}`);
  return digestOf([folderHash(tree, folder), ...parts].join('\n'));
}

function folderHash(tree: FileTree, folder: string): string {
  const known = remembered(folderHashes, tree);
  let hash = known.get(folder);
  if (hash === undefined) {
    hash = digestOf([...walkTree(tree, folder)].map((path) => `${path}\0${fileHash(tree, path)}`).join('\n'));
    known.set(folder, hash);
  }
  return hash;
}

function fileHash(tree: FileTree, path: string): string {
  const known = remembered(fileHashes, tree);
  let hash = known.get(path);
  if (hash === undefined) {
    const content = tree.read(path);
    // A path that is no file may be a folder whose names were read.
    hash =
      content === undefined
        ? tree
            .list(path)
            .map(({ name, kind }) => `${kind} ${name}`)
            .join('\n')
        : digestOf(content);
    known.set(path, hash);
  }
  return hash;
}

function remembered(store: WeakMap<FileTree, Map<string, string>>, tree: FileTree): Map<string, string> {
  let map = store.get(tree);
  if (map === undefined) {
    map = new Map();
    store.set(tree, map);
  }
  return map;
}

/**
 * `spec.path` as a path of the tree; `..` cannot lead above the root (KB08).
 * @returns undefined when there is no such folder
 */
export function buildFolder(tree: FileTree, path: string | undefined): { folder: string; problem?: 'missing' | 'not a folder' } {
  const names: string[] = [];
  for (const name of (path ?? '').split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  const folder = names.join('/');
  if (folder === '') return { folder };
  const parent = names.slice(0, -1).join('/');
  const entry = tree.list(parent).find(({ name }) => name === names.at(-1));
  if (entry === undefined) return { folder, problem: 'missing' };
  return entry.kind === 'directory' ? { folder } : { folder, problem: 'not a folder' };
}
