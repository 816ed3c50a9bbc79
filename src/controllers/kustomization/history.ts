import { formatTimestamp, type HistoryEntry } from '../../api/index.ts';
import { formatDuration, type Duration, type Instant } from '../../std/index.ts';

/** Entries kept in status.history. */
const HISTORY_LIMIT = 5;

/** How one attempt ended. */
export type Attempt = { digest: string; status: string; at: Instant; took: Duration; metadata: Record<string, string> };

/**
 * The history with one more attempt. The same build with the same end adds to its entry and moves it to the front; only five are kept,
 * newest first.
 */
export function recordAttempt(history: readonly HistoryEntry[] | undefined, attempt: Attempt): HistoryEntry[] {
  const now = formatTimestamp(attempt.at);
  const same = history?.find((entry) => entry.digest === attempt.digest && entry.lastReconciledStatus === attempt.status);
  const entry: HistoryEntry = {
    digest: attempt.digest,
    firstReconciled: same?.firstReconciled ?? now,
    lastReconciled: now,
    lastReconciledDuration: formatDuration(attempt.took),
    lastReconciledStatus: attempt.status,
    totalReconciliations: (same?.totalReconciliations ?? 0) + 1,
    metadata: attempt.metadata,
  };
  return [entry, ...(history ?? []).filter((other) => other !== same)].slice(0, HISTORY_LIMIT);
}
