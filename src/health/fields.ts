import type { KubeObject } from '../manifest/index.ts';

/** A condition as far as status rules read it. */
export type Condition = { type: string; status: string; reason: string; message: string };

/** The value at a path of keys; undefined when any step is missing. */
export function fieldAt(object: KubeObject, ...path: readonly string[]): unknown {
  let value: unknown = object;
  for (const key of path) {
    if (!isRecord(value)) return undefined;
    value = value[key];
  }
  return value;
}

/** An integer field, or `fallback` when it is absent or not an integer. */
export function integerAt(object: KubeObject, path: readonly string[], fallback: number): number {
  const value = fieldAt(object, ...path);
  return typeof value === 'number' && Number.isInteger(value) ? value : fallback;
}

/** A text field, or `fallback`. */
export function textAt(object: KubeObject, path: readonly string[], fallback: string): string {
  const value = fieldAt(object, ...path);
  return typeof value === 'string' ? value : fallback;
}

/** `status.conditions`, entries that are not objects left out. */
export function conditionsOf(object: KubeObject): Condition[] {
  const conditions = fieldAt(object, 'status', 'conditions');
  if (!Array.isArray(conditions)) return [];
  return conditions.filter(isRecord).map((condition) => ({
    type: text(condition['type']),
    status: text(condition['status']),
    reason: text(condition['reason']),
    message: text(condition['message']),
  }));
}

/** True for a JSON object that is not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
