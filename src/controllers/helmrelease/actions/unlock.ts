import { isPending, lastRelease, type Release, type ReleaseStatus } from '../../../helm/index.ts';
import type { ActionContext } from './action.ts';

/**
 * Marks a release failed that a writer left pending (HB31). Gives the record and the status it was in; undefined when nothing was pending.
 * @throws CodedError `ReleaseStorageFailed`
 */
export async function unlockRelease({
  storage,
  signal,
}: Pick<ActionContext, 'storage' | 'signal'>): Promise<{ release: Release; from: ReleaseStatus } | undefined> {
  const last = lastRelease(await storage.list(signal));
  if (last === undefined || !isPending(last)) return undefined;
  const release: Release = { ...last, status: 'failed', description: `Release unlocked from stale '${last.status}' state` };
  await storage.update(release, signal);
  return { release, from: last.status };
}
