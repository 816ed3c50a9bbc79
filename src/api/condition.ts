import { formatTimestamp } from './timestamp.ts';
import type { Condition } from './generated.ts';

/** What a caller says about a condition; time and generation are filled in by {@link setCondition}. */
export type ConditionUpdate = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** The longest message metav1 accepts (C04), in characters. */
const MESSAGE_LIMIT = 32_768;

/**
 * The list with `update` in it, sorted as people like to read it: Ready, Reconciling, Stalled, then by name.
 * `lastTransitionTime` changes only when the status changes (C16).
 * @param published what others have seen, when `conditions` were changed since: a status that went and came back has not changed
 */
export function setCondition(
  conditions: readonly Condition[],
  update: ConditionUpdate,
  generation: number,
  now: number,
  published: readonly Condition[] = conditions,
): Condition[] {
  const previous = published.find((condition) => condition.type === update.type);
  const next: Condition = {
    type: update.type,
    status: update.status,
    reason: update.reason,
    message: truncate(update.message, MESSAGE_LIMIT),
    lastTransitionTime: previous?.status === update.status ? previous.lastTransitionTime : formatTimestamp(now),
    observedGeneration: generation,
  };
  return [...conditions.filter((condition) => condition.type !== update.type), next].sort(compareConditions);
}

/** The list without the conditions of these types. */
export function removeConditions(conditions: readonly Condition[], ...types: readonly string[]): Condition[] {
  return conditions.filter((condition) => !types.includes(condition.type));
}

/** The condition of a type. */
export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

/** True when the condition of that type is there with status True. */
export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/**
 * The one condition that sums up several (C15). They are grouped by status and polarity; groups win in the order negative-True,
 * positive-False, positive-True, negative-False, Unknown; reason and message come from the winning group's condition that is
 * listed first in `order`. Undefined when none of `order` is present.
 */
export function summarize(
  conditions: readonly Condition[],
  target: string,
  order: readonly string[],
  negative: ReadonlySet<string>,
): ConditionUpdate | undefined {
  let best: { rank: number; condition: Condition } | undefined;
  for (const type of order) {
    const condition = findCondition(conditions, type);
    if (condition === undefined) continue;
    const rank = groupRank(condition, negative);
    if (best === undefined || rank < best.rank) best = { rank, condition };
  }
  if (best === undefined) return undefined;
  const { reason, message } = best.condition;
  const status = best.rank === 4 ? 'Unknown' : best.rank === 2 || best.rank === 3 ? 'True' : 'False';
  return { type: target, status, reason, message };
}

function groupRank(condition: Condition, negative: ReadonlySet<string>): number {
  if (condition.status === 'Unknown') return 4;
  if (negative.has(condition.type)) return condition.status === 'True' ? 0 : 3;
  return condition.status === 'False' ? 1 : 2;
}

const FIRST: readonly string[] = ['Ready', 'Reconciling', 'Stalled'];

function compareConditions(a: Condition, b: Condition): number {
  const rank = (type: string): number => (FIRST.includes(type) ? FIRST.indexOf(type) : FIRST.length);
  return rank(a.type) - rank(b.type) || (a.type < b.type ? -1 : a.type > b.type ? 1 : 0);
}

function truncate(message: string, limit: number): string {
  return message.length <= limit ? message : `${message.slice(0, limit - 3)}...`;
}
