import { type ArchiveTree, walkArchive } from '../artifact/index.ts';
import { compareUtf8 } from '../std/index.ts';

/** How one file differs between two trees. */
export type TreeChange = { path: string; kind: 'added' | 'removed' | 'changed' | 'mode' };

/** What leads from `before` to `after`, by path. Permission bits count, as they are part of what a push uploads (A05). */
export function diffTrees(before: ArchiveTree, after: ArchiveTree): TreeChange[] {
  const changes: TreeChange[] = [];
  const paths = new Set([...walkArchive(before), ...walkArchive(after)].filter(({ kind }) => kind === 'file').map(({ path }) => path));
  for (const path of [...paths].sort(compareUtf8)) {
    const old = before.read(path);
    const now = after.read(path);
    if (old === undefined) changes.push({ path, kind: 'added' });
    else if (now === undefined) changes.push({ path, kind: 'removed' });
    else if (Buffer.compare(old, now) !== 0) changes.push({ path, kind: 'changed' });
    else if (before.mode(path) !== after.mode(path)) changes.push({ path, kind: 'mode' });
  }
  return changes;
}
