import type { Release } from '../../helm/index.ts';

/** Words of the record, with which each action describes what it has begun, done, or left in its middle. */
const WORDS = {
  rollback: /^Rollback |'pending-rollback'/,
  upgrade: /^Upgrade |^Preparing upgrade|'pending-upgrade'/,
  install: /^Install |^Initial install|'pending-install'/,
} as const;

/**
 * What made a revision, as its record describes it.
 * @param isFirst true when nothing is known to come before it: a rollback that failed describes itself as an install does
 */
export function originOf({ description, version }: Release, isFirst: boolean): 'install' | 'upgrade' | 'rollback' {
  for (const origin of ['rollback', 'upgrade', 'install'] as const) if (WORDS[origin].test(description)) return origin;
  if (description.startsWith('Release ')) return isFirst ? 'install' : 'rollback';
  return version === 1 ? 'install' : 'upgrade';
}

/** True for an install whose writer died over it: it is begun again as an install, with all its hooks. */
export function isUnfinishedInstall({ status, description }: Release): boolean {
  return status === 'failed' && description === "Release unlocked from stale 'pending-install' state";
}

/** True for a revision whose writer died over it or was told to end: it has not failed by itself. */
export function wasCutShort({ description }: Release): boolean {
  return description.startsWith('Release unlocked from stale ') || description.includes(' failed: canceled: ');
}

/** True for a revision made since its HelmRelease is there: at what was made for an earlier one of its name it has not failed. */
export function isSince({ lastDeployed = '' }: Release, creationTimestamp: string | undefined): boolean {
  return Date.parse(lastDeployed) >= Date.parse(creationTimestamp ?? '');
}
