import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compareUtf8 } from '../std/index.ts';
import type { Entry, FileTree } from '../manifest/index.ts';

/** A FileTree over a folder of the disk, read when asked. */
export function directoryTree(root: string): FileTree {
  const inside = (path: string): string | undefined => (path.split('/').includes('..') ? undefined : join(root, path));
  return {
    read(path: string): Uint8Array | undefined {
      const full = inside(path);
      if (full === undefined) return undefined;
      try {
        return readFileSync(full);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },
    list(directory: string): readonly Entry[] {
      const full = inside(directory);
      if (full === undefined) return [];
      try {
        return readdirSync(full)
          .sort(compareUtf8)
          .map((name) => ({ name, kind: statSync(join(full, name)).isDirectory() ? 'directory' : 'file' }));
      } catch (error) {
        if (isAbsent(error)) return [];
        throw error;
      }
    },
  };
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR';
}
