import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, readFile, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { RegistryStore } from './store.ts';

/**
 * A store in a folder. A value is written beside its place, flushed, then renamed into it: after a crash there is the old value or the
 * new one, and leftovers in `tmp/` that nothing refers to.
 */
export async function folderStore(root: string): Promise<RegistryStore> {
  await mkdir(join(root, 'tmp'), { recursive: true });
  return new FolderStore(root);
}

class FolderStore implements RegistryStore {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async size(key: string): Promise<number | undefined> {
    const found = await stat(this.#path(key)).catch(ifMissing);
    return found?.isFile() === true ? found.size : undefined;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return readFile(this.#path(key)).catch(ifMissing);
  }

  async *read(key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    const handle = await open(this.#path(key), 'r');
    try {
      for (let at = start; at < end;) {
        const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(Math.min(262_144, end - at)), 0, undefined, at);
        if (bytesRead === 0) return;
        at += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await handle.close();
    }
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const temporary = join(this.#root, 'tmp', randomBytes(12).toString('hex'));
    await withFile(temporary, 'wx', async (file) => {
      await file.writeFile(bytes);
      await file.sync();
    });
    await this.#rename(temporary, this.#path(key));
  }

  async append(key: string, chunk: Uint8Array): Promise<void> {
    const path = this.#path(key);
    await mkdir(dirname(path), { recursive: true });
    await withFile(path, 'a', (file) => file.writeFile(chunk));
  }

  async move(from: string, to: string): Promise<void> {
    await withFile(this.#path(from), 'r+', (file) => file.sync());
    await this.#rename(this.#path(from), this.#path(to));
  }

  async delete(key: string): Promise<boolean> {
    return unlink(this.#path(key)).then(
      () => true,
      (error: unknown) => {
        ifMissing(error);
        return false;
      },
    );
  }

  async list(key: string): Promise<readonly string[]> {
    const names = await readdir(this.#path(key)).catch(ifMissing);
    return (names ?? []).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  async #rename(from: string, to: string): Promise<void> {
    await mkdir(dirname(to), { recursive: true });
    await rename(from, to);
    // The name itself must survive a crash too.
    await withFile(dirname(to), 'r', (folder) => folder.sync());
  }

  #path(key: string): string {
    return join(this.#root, ...key.split('/').map((part) => (part === '.' || part === '..' || part === '' ? `_${part}` : part)));
  }
}

async function withFile<T>(path: string, flags: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
  throw error;
}
