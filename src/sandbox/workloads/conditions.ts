import type { Draft0 } from '../kinds/index.ts';

/** True when a list of conditions has one of this type and status. */
export function hasCondition(conditions: readonly Draft0[], type: string, status: string): boolean {
  return conditions.some((it) => it['type'] === type && it['status'] === status);
}

/** The list with a condition in it: the time of its last change stays while its status does. */
export function withCondition(conditions: readonly Draft0[], condition: Draft0, now: string): Draft0[] {
  const before = conditions.find((it) => it['type'] === condition['type']);
  const same = before !== undefined && before['status'] === condition['status'] && before['reason'] === condition['reason'];
  const next = {
    ...condition,
    lastUpdateTime: same ? before?.['lastUpdateTime'] : now,
    lastTransitionTime: before?.['status'] === condition['status'] ? before?.['lastTransitionTime'] : now,
  };
  return before === undefined ? [...conditions, next] : conditions.map((it) => (it === before ? next : it));
}
