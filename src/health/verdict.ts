import { formatObjectRef, type ObjectRef } from '../manifest/index.ts';
import type { HealthResult } from './result.ts';

/** One object of a health check and what is known of it; `result` is undefined while nothing is. */
export type Checked = {
  ref: ObjectRef;
  result: HealthResult | undefined;
  /** A Job with `ttlSecondsAfterFinished`: once it has vanished it counts as done (KB82). */
  vanishes?: boolean;
};

/** Where a health check stands. `message` is Flux's text after `health check failed after …: ` (KB81). */
export type Verdict = { kind: 'healthy' } | { kind: 'waiting'; pending: readonly Checked[] } | { kind: 'failed'; message: string };

export type VerdictOptions = {
  /** End on the first Failed object instead of waiting for all the others (KB80; on unless DisableFailFastBehavior). */
  failFast: boolean;
  /** Time is up: everything that is not Current has failed. */
  timedOut: boolean;
};

/** Judges a set of objects (KB80, KB81). Pure: call it again whenever one of them changed or time is up. */
export function judge(checked: readonly Checked[], { failFast, timedOut }: VerdictOptions): Verdict {
  const pending = checked.filter((each) => statusOf(each) !== 'Current');
  if (pending.length === 0) return { kind: 'healthy' };
  const failed = pending.filter((each) => statusOf(each) === 'Failed');
  if (timedOut) return { kind: 'failed', message: `timeout waiting for: [${pending.map(describe).join(', ')}]` };
  if (failed.length > 0 && (failFast || failed.length === pending.length)) {
    return { kind: 'failed', message: `failed early due to stalled resources: [${failed.map(describe).join(', ')}]` };
  }
  return { kind: 'waiting', pending };
}

function statusOf({ result, vanishes }: Checked): HealthResult['status'] | undefined {
  return result?.status === 'NotFound' && vanishes === true ? 'Current' : result?.status;
}

function describe({ ref, result }: Checked): string {
  const name = formatObjectRef(ref);
  return result === undefined ? `can't determine status for ${name}` : `${name} status: '${result.status}'`;
}
