import { joinTreePath, type FileTree } from '../manifest/index.ts';
import { KustomizeError, wrapError } from './errors.ts';
import { isRemoteFile, parseRepoUrl, type RepoUrl } from './remote.ts';

/** Which files a kustomization may read: those in or below its own folder, or all of the tree. */
export type LoadRestrictions = 'rootOnly' | 'none';

/** Fetches what a kustomization names by URL. */
export type RemoteLoader = {
  /** The files of a repository, and the folder in it that is meant. Throws a CodedError when it cannot be had. */
  repository(url: RepoUrl): { tree: FileTree; path: string };
  /** The content behind an http(s) URL; undefined when there is none, so that it may be a repository. */
  file(url: string): Uint8Array | undefined;
};

/** What all loaders of a build share. */
export type LoadContext = {
  readonly remote: RemoteLoader | undefined;
  /** Paths of all files read from the tree of the build. */
  readonly reads: Set<string>;
  /** Folders that may be loaded one inside the other. */
  readonly maxDepth: number;
  /** The root of the tree is its own parent, as that of a file system is. */
  readonly isWholeFileSystem: boolean;
  /** Where a path really is, where trees have links. */
  readonly realPath: ((path: string) => string) | undefined;
  /** Is told the size of each file that is read. */
  readonly countBytes: (bytes: number) => void;
};

/** A path of the tree from a folder of it, links followed; throws when it leaves the tree. */
function resolveReal(context: LoadContext, base: string, path: string): string {
  const joined = resolve(context, base, path);
  return context.realPath?.(joined) ?? joined;
}

/** A path of the tree from a folder of it; throws when it leaves the tree. */
function resolve(context: LoadContext, base: string, path: string): string {
  const found = joinTreePath(base, path);
  if (found !== undefined) return found;
  if (!context.isWholeFileSystem) throw escapes(path);
  const parts = base === '' ? [] : base.split('/');
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Reads files for the kustomization of one folder. */
export class Loader {
  /** The folder, as a path of the tree. */
  readonly root: string;
  /** Set when the folder came from a repository. */
  readonly repo: RepoUrl | undefined;
  readonly #tree: FileTree;
  readonly #context: LoadContext;
  readonly #restrictions: LoadRestrictions;
  readonly #referrer: Loader | undefined;
  readonly #depth: number;

  constructor(
    tree: FileTree,
    root: string,
    restrictions: LoadRestrictions,
    context: LoadContext,
    from?: { referrer: Loader; repo?: RepoUrl },
  ) {
    this.#tree = tree;
    this.root = root;
    this.#restrictions = restrictions;
    this.#context = context;
    this.#referrer = from?.referrer;
    this.repo = from?.repo;
    this.#depth = from === undefined ? 0 : from.referrer.#depth + 1;
    if (this.#depth > context.maxDepth) {
      throw new KustomizeError('LimitExceeded', `load base '${absolute(root)}': nesting of bases exceeds ${context.maxDepth}`);
    }
  }

  /** A loader for the folder a build begins with; throws when it is no folder. */
  static at(tree: FileTree, path: string, restrictions: LoadRestrictions, context: LoadContext): Loader {
    const root = resolveReal(context, '', path);
    try {
      return new Loader(tree, confirmFolder(tree, root), restrictions, context);
    } catch (error) {
      throw wrapError(error, 'must build at directory');
    }
  }

  /** The content of a file, given by a path from the folder or from the root of the tree (`/…`), or by URL. */
  load(path: string): Uint8Array {
    if (isRemoteFile(path)) return this.#loadRemote(path);
    const full = this.#resolve(path);
    const content = this.#tree.read(full);
    if (content === undefined) {
      if (isFolder(this.#tree, full))
        throw new KustomizeError('FileMissing', `'${absolute(full)}' must resolve to a file`, { subject: full });
      throw missing(full);
    }
    if (this.#restrictions === 'rootOnly' && !isWithin(folderOf(this.#context.realPath?.(full) ?? full), this.root)) {
      const message = `security; file '${absolute(full)}' is not in or below '${absolute(this.root)}'`;
      throw new KustomizeError('PathDenied', message, { subject: full, remedy: 'move the file, or build without load restrictions' });
    }
    this.#context.countBytes(content.length);
    this.#note(full);
    return content;
  }

  /** The content of a file of the folder, or undefined. */
  tryLoad(name: string): Uint8Array | undefined {
    const path = this.root === '' ? name : `${this.root}/${name}`;
    const content = this.#tree.read(path);
    if (content === undefined) return undefined;
    this.#context.countBytes(content.length);
    this.#note(path);
    return content;
  }

  /** A loader for another folder; throws when there is none, or when it is one of those that led here. */
  descend(path: string): Loader {
    if (path === '') throw new KustomizeError('FileMissing', 'new root cannot be empty');
    const repo = parseRepoUrl(path);
    if (repo !== undefined) return this.#clone(path, repo);
    if (path.startsWith('/')) throw new KustomizeError('PathDenied', `new root '${path}' cannot be absolute`, { subject: path });
    const root = resolveReal(this.#context, this.root, path);
    try {
      confirmFolder(this.#tree, root);
    } catch (error) {
      throw wrapError(error, 'must build at directory');
    }
    this.#checkCycle(root);
    return new Loader(this.#tree, root, this.#restrictions, this.#context, { referrer: this });
  }

  /** True when the tree has a file or folder at a path from this folder. */
  exists(path: string): boolean {
    const full = joinTreePath(this.root, path);
    return full !== undefined && (this.#tree.read(full) !== undefined || isFolder(this.#tree, full));
  }

  /** The tree the folder is in, for engines that read whole folders. */
  get tree(): FileTree {
    return this.#tree;
  }

  /** Reads of another engine that was given the tree count as the build's. */
  note(path: string): void {
    this.#note(path);
  }

  #note(path: string): void {
    if (this.#isLocal()) this.#context.reads.add(path);
  }

  #isLocal(): boolean {
    return this.repo === undefined && (this.#referrer === undefined || this.#referrer.#isLocal());
  }

  #resolve(path: string): string {
    return resolve(this.#context, path.startsWith('/') ? '' : this.root, path);
  }

  #loadRemote(url: string): Uint8Array {
    const content = this.#remote(url).file(url);
    if (content === undefined) throw new KustomizeError('FileMissing', 'URL is a git repository', { subject: url });
    this.#context.countBytes(content.length);
    return content;
  }

  #clone(text: string, repo: RepoUrl): Loader {
    this.#checkRepoCycle(repo);
    const { tree, path } = this.#remote(text).repository(repo);
    return new Loader(tree, confirmFolder(tree, path), 'rootOnly', this.#context, { referrer: this, repo });
  }

  #checkRepoCycle(repo: RepoUrl): void {
    if (this.repo?.raw.startsWith(repo.raw) === true) {
      throw new KustomizeError('BaseCycle', `cycle detected: URI '${repo.raw}' referenced by previous URI '${this.repo.raw}'`);
    }
    const referrer = this.#referrer;
    if (referrer !== undefined) referrer.#checkRepoCycle(repo);
  }

  #remote(url: string): RemoteLoader {
    const { remote } = this.#context;
    if (remote !== undefined) return remote;
    throw new KustomizeError('RemoteDenied', `load '${url}': remote bases and files are not allowed`, {
      subject: url,
      remedy: 'vendor the base next to the kustomization, or allow remote bases',
    });
  }

  #checkCycle(root: string): void {
    if (isWithin(this.root, root)) {
      const message = `cycle detected: candidate root '${absolute(root)}' contains visited root '${absolute(this.root)}'`;
      throw new KustomizeError('BaseCycle', message, { subject: root });
    }
    const referrer = this.#referrer;
    if (this.repo === undefined && referrer !== undefined) referrer.#checkCycle(root);
  }
}

/** A tree path as kustomize's messages write it. */
export function absolute(path: string): string {
  return `/${path}`;
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash < 0 ? '' : path.slice(0, slash);
}

function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`);
}

function isFolder(tree: FileTree, path: string): boolean {
  return path === '' || tree.list(path).length > 0;
}

function confirmFolder(tree: FileTree, path: string): string {
  if (isFolder(tree, path)) return path;
  if (tree.read(path) !== undefined)
    throw new KustomizeError('FileMissing', `'${absolute(path)}': file is not directory`, { subject: path });
  throw wrapError(missing(path), 'not a valid directory');
}

function missing(path: string): KustomizeError {
  return new KustomizeError('FileMissing', `'${absolute(path)}' doesn't exist`, { subject: path });
}

function escapes(path: string): KustomizeError {
  return new KustomizeError('PathDenied', `'${path}' leaves the root of the files`, { subject: path });
}
