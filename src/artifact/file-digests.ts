import { lstat, open } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, digestAlgorithm, Digester, Lru } from '../std/index.ts';
import { ifMissing } from './store-paths.ts';

type Seen = { inode: number; size: number; modified: number; digest: Digest };

/** Digests of files below a folder: a file that has not changed since it was hashed is not read again. */
export class FileDigests {
  readonly #root: string;
  readonly #seen = new Lru<string, Seen>(20_000);

  constructor(root: string) {
    this.#root = root;
  }

  /** Takes it as known that a file has a digest: it was hashed while it was written. */
  async remember(path: string, digest: Digest): Promise<void> {
    const info = await lstat(join(this.#root, path));
    this.#seen.set(path, { inode: info.ino, size: info.size, modified: info.mtimeMs, digest });
  }

  forget(path: string): void {
    this.#seen.delete(path);
  }

  /** True when there is a regular file with this digest. */
  async matches(path: string, digest: Digest): Promise<boolean> {
    const info = await lstat(join(this.#root, path)).catch(ifMissing);
    if (info === undefined || !info.isFile()) return false;
    const seen = this.#seen.get(path);
    const unchanged = seen !== undefined && seen.inode === info.ino && seen.size === info.size && seen.modified === info.mtimeMs;
    if (unchanged && digestAlgorithm(seen.digest) === digestAlgorithm(digest)) return seen.digest === digest;
    const actual = await this.#hash(path, digestAlgorithm(digest));
    this.#seen.set(path, { inode: info.ino, size: info.size, modified: info.mtimeMs, digest: actual });
    return actual === digest;
  }

  async #hash(path: string, algorithm: string): Promise<Digest> {
    const digester = new Digester(algorithm);
    const file = await open(join(this.#root, path), 'r');
    try {
      for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 262_144 })) digester.update(chunk as Buffer);
    } finally {
      await file.close();
    }
    return digester.digest();
  }
}
