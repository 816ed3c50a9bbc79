import { lstat, mkdir, open, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { errorMessage } from '../std/index.ts';
import { type ArchiveTree, ArchiveTreeBuilder, walkArchive } from './archive-tree.ts';
import { ArtifactError, artifactError } from './errors.ts';
import type { Ignore } from './ignore.ts';
import { type ArchiveLimits, defaultArchiveLimits } from './limits.ts';

/** How to read a folder for an archive. */
export type ReadFolderOptions = {
  /** What is left out (A06). */
  ignore: Ignore;
  /** Follow symbolic links and take what they lead to, instead of skipping them (A05). */
  resolveSymlinks?: boolean;
  limits?: Partial<ArchiveLimits>;
};

/**
 * Reads a folder, or a single file as a folder that holds only it, into a tree, permission bits included. Symbolic links and special
 * files are skipped.
 * @throws ArtifactError `SourceUnreadable`, `LimitExceeded`
 */
export async function readFolder(path: string, options: ReadFolderOptions): Promise<ArchiveTree> {
  const reader = new FolderReader(options);
  try {
    return await reader.read(resolve(path));
  } catch (error) {
    if (error instanceof ArtifactError) throw error;
    throw artifactError('SourceUnreadable', `read ${JSON.stringify(path)}: ${errorMessage(error)}`, { subject: path, cause: error });
  }
}

class FolderReader {
  readonly #options: ReadFolderOptions;
  readonly #limits: ArchiveLimits;
  readonly #builder = new ArchiveTreeBuilder();
  // Real paths of the folders we are in: a link back to one of them is a cycle and is left out.
  readonly #inside = new Set<string>();
  #bytes = 0;
  #entries = 0;

  constructor(options: ReadFolderOptions) {
    this.#options = options;
    this.#limits = { ...defaultArchiveLimits, ...options.limits };
  }

  async read(root: string): Promise<ArchiveTree> {
    const info = await stat(root);
    if (info.isDirectory()) await this.#folder(root, '', info.mode);
    else {
      this.#builder.addFolder('', 0o700);
      await this.#file(root, basename(root), info.mode);
    }
    return this.#builder.build();
  }

  async #folder(absolute: string, path: string, mode: number): Promise<void> {
    const real = await realpath(absolute);
    if (this.#inside.has(real)) return;
    if (path.split('/').length > this.#limits.depth) throw this.#exceeded('folders above a file', this.#limits.depth, absolute);
    // A folder that is left out can still hold files that are not: its own entry is all that goes.
    if (path === '' || !this.#options.ignore(path, true)) this.#builder.addFolder(path, mode & 0o777);
    this.#inside.add(real);
    for (const name of await readdir(absolute)) await this.#entry(join(absolute, name), path === '' ? name : `${path}/${name}`);
    this.#inside.delete(real);
  }

  async #entry(absolute: string, path: string): Promise<void> {
    if (++this.#entries > this.#limits.entries) throw this.#exceeded('entries', this.#limits.entries, absolute);
    const info = this.#options.resolveSymlinks === true ? await stat(absolute) : await lstat(absolute);
    if (info.isDirectory()) await this.#folder(absolute, path, info.mode);
    else if (info.isFile() && !this.#options.ignore(path, false)) await this.#file(absolute, path, info.mode);
  }

  async #file(absolute: string, path: string, mode: number): Promise<void> {
    const bytes = await readFile(absolute);
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limits.bytes) throw this.#exceeded('bytes', this.#limits.bytes, absolute);
    this.#builder.addFile(path, bytes, mode & 0o777);
  }

  #exceeded(what: string, limit: number, subject: string): ArtifactError {
    return artifactError('LimitExceeded', `read ${JSON.stringify(subject)}: more than ${limit} ${what}`, { subject });
  }
}

/**
 * Writes a tree below an existing folder, over files of the same name. A symbolic link already lying in the way is never followed.
 * @returns paths written, in order
 * @throws ArtifactError `StorageFailed`, `PathRefused`
 */
export async function writeFolder(tree: ArchiveTree, root: string): Promise<string[]> {
  const written: string[] = [];
  try {
    for (const { path, kind } of walkArchive(tree)) {
      if (path === '') continue;
      const target = join(root, path);
      await refuseLink(target, path);
      // The owner must be able to go in and clean up, whatever the archive says.
      if (kind === 'directory') await mkdir(target, { recursive: true, mode: (tree.mode(path) ?? 0o755) | 0o700 });
      else {
        await writeOne(target, tree.read(path) ?? new Uint8Array(), tree.mode(path) ?? 0o644);
        written.push(path);
      }
    }
  } catch (error) {
    if (error instanceof ArtifactError) throw error;
    throw artifactError('StorageFailed', `write to ${JSON.stringify(root)}: ${errorMessage(error)}`, {
      subject: root,
      cause: error,
      retryable: true,
    });
  }
  return written;
}

async function refuseLink(target: string, path: string): Promise<void> {
  const info = await lstat(target).catch(() => undefined);
  if (info?.isSymbolicLink() === true)
    throw artifactError('PathRefused', `write ${JSON.stringify(path)}: a symbolic link is in the way`, { subject: path });
}

async function writeOne(target: string, bytes: Uint8Array, mode: number): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const file = await open(target, 'w', mode);
  try {
    await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}
