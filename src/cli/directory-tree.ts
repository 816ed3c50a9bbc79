import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Entry, FileTree } from '../manifest/index.ts';
import { compareUtf8 } from '../std/index.ts';

/** A FileTree over a folder of the disk, read when asked. Links are followed, as the program the user runs would. */
export function directoryTree(root: string): FileTree {
  const inside = (path: string): string | undefined => (path.split('/').includes('..') ? undefined : join(root, path));
  return {
    read(path: string): Uint8Array | undefined {
      const full = inside(path);
      return full === undefined ? undefined : ifPresent(() => readFileSync(full));
    },
    list(directory: string): readonly Entry[] {
      const full = inside(directory);
      return (
        (full === undefined ? undefined : ifPresent(() => readdirSync(full).sort(compareUtf8)))?.flatMap((name) =>
          entry(full ?? '', name),
        ) ?? []
      );
    },
  };
}

function entry(folder: string, name: string): Entry[] {
  const stats = ifPresent(() => statSync(join(folder, name)));
  return stats === undefined ? [] : [{ name, kind: stats.isDirectory() ? 'directory' : 'file' }];
}

const ABSENT: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

function ifPresent<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(error.code)) return undefined;
    throw error;
  }
}

/** The whole disk as a FileTree. */
export function diskTree(): FileTree {
  return directoryTree('/');
}

/** A path given on the command line as one of the whole disk's tree, links followed. */
export function diskPath(path: string): string {
  return realDiskPath(resolve(path).slice(1));
}

/** Where a path of the whole disk's tree really is; the path itself if nothing is there. */
export function realDiskPath(path: string): string {
  const full = `/${path}`;
  return statSync(full, { throwIfNoEntry: false }) === undefined ? path : realpathSync(full).slice(1);
}
