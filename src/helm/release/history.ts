import type { Release, ReleaseStatus } from './release.ts';

/** Statuses of a release some writer is at work on, or died over. */
const PENDING: ReadonlySet<ReleaseStatus> = new Set(['pending-install', 'pending-upgrade', 'pending-rollback']);

export function isPending({ status }: Pick<Release, 'status'>): boolean {
  return PENDING.has(status);
}

/** The newest revision. */
export function lastRelease(history: readonly Release[]): Release | undefined {
  return history.reduce<Release | undefined>((last, each) => (last === undefined || each.version > last.version ? each : last), undefined);
}

/** The newest revision that is deployed. */
export function lastDeployed(history: readonly Release[]): Release | undefined {
  return lastRelease(history.filter(({ status }) => status === 'deployed'));
}

/**
 * Revisions to delete so that at most `max` are left, oldest first; the last deployed one is never among them (Helm's removeLeastRecent).
 * @param max below 0: none
 */
export function surplusReleases(history: readonly Release[], max: number): Release[] {
  if (max < 0 || history.length <= max) return [];
  const kept = lastDeployed(history)?.version;
  return [...history]
    .sort((a, b) => a.version - b.version)
    .filter(({ version }) => version !== kept)
    .slice(0, history.length - max);
}
