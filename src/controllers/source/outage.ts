import type { Artifact } from '../../api/index.ts';
import type { Instant } from '../../std/index.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Ages that are told apart: a condition is not written again for every minute of an outage. */
const AGES: readonly [number, string][] = [
  [365 * DAY, 'over a year ago'],
  [90 * DAY, 'over 90 days ago'],
  [30 * DAY, 'over 30 days ago'],
  [7 * DAY, 'over 7 days ago'],
  [3 * DAY, 'over 3 days ago'],
  [DAY, 'over a day ago'],
  [12 * HOUR, 'over 12 hours ago'],
  [6 * HOUR, 'over 6 hours ago'],
  [3 * HOUR, 'over 3 hours ago'],
  [HOUR, 'over an hour ago'],
  [30 * MINUTE, 'over 30 minutes ago'],
  [10 * MINUTE, 'over 10 minutes ago'],
  [5 * MINUTE, 'over 5 minutes ago'],
  [MINUTE, 'over a minute ago'],
];

/** What a failure's condition adds when an artifact is still there: which one, and how old it is. */
export function stillServing(artifact: Artifact | undefined, now: Instant): string {
  if (artifact === undefined) return '';
  const age = now - Date.parse(artifact.lastUpdateTime);
  const text = AGES.find(([least]) => age >= least)?.[1] ?? 'less than a minute ago';
  return `; revision '${artifact.revision}', stored ${text}, is still served`;
}
