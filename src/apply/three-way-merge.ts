import type { KubeObject } from '../manifest/index.ts';
import { equalJson, isRecord } from './json.ts';
import { strategicRules, type FieldRule, type FieldRules } from './strategic-rules.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * What client-side apply makes of a live object (Helm's createPatch): fields of `modified` win, fields that only `original` had go, everything
 * else stays. Lists of Kubernetes' own kinds are merged by their keys (strategic merge patch); of custom resources only what changed between
 * `original` and `modified` is written, unless `adopt` asks for all of it.
 * @param original the object as it was last applied; the same as `modified` when it never was
 */
export function threeWayMerge(original: KubeObject, modified: KubeObject, live: KubeObject, options: { adopt: boolean }): KubeObject {
  const rules = strategicRules(modified);
  if (rules === undefined && !options.adopt) return jsonMerge(original, modified, live) as KubeObject;
  return mergeFields(original, modified, live, rules ?? {}) as KubeObject;
}

function mergeFields(original: unknown, modified: Fields, live: Fields, rules: FieldRules): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...live };
  if (isRecord(original)) for (const key of Object.keys(original)) if (modified[key] === undefined) delete merged[key];
  for (const [key, value] of Object.entries(modified)) {
    if (value === undefined) continue;
    if (value === null) delete merged[key];
    else merged[key] = mergeValue(isRecord(original) ? original[key] : undefined, value, live[key], ruleOf(rules, key));
  }
  return merged;
}

function ruleOf(rules: FieldRules, key: string): FieldRule {
  return (Object.hasOwn(rules, key) ? rules[key] : undefined) ?? {};
}

function mergeValue(original: unknown, modified: unknown, live: unknown, rule: FieldRule): unknown {
  if (isRecord(modified) && isRecord(live) && rule.replace !== true) {
    const base = rule.retainKeys === true ? pickKeys(live, modified) : live;
    return mergeFields(original, modified, base, rule.fields ?? {});
  }
  if (Array.isArray(modified) && Array.isArray(live) && rule.list === 'merge') {
    return rule.key === undefined ? mergeSet(original, modified, live) : mergeList(original, modified, live, rule, rule.key);
  }
  return withoutNulls(modified);
}

function pickKeys(value: Fields, keys: Fields): Fields {
  return Object.fromEntries(Object.entries(value).filter(([key]) => Object.hasOwn(keys, key)));
}

/** Lists of plain values: ours, and what others added. */
function mergeSet(original: unknown, modified: readonly unknown[], live: readonly unknown[]): unknown[] {
  const removed = Array.isArray(original) ? original.filter((item) => !modified.includes(item)) : [];
  const kept = live.filter((item) => !removed.includes(item));
  return [...kept, ...modified.filter((item) => !kept.includes(item))];
}

function mergeList(original: unknown, modified: readonly unknown[], live: readonly unknown[], rule: FieldRule, key: string): unknown[] {
  const [ours, theirs] = [byKey(modified, key), byKey(live, key)];
  // One port for two protocols has the same key twice: only taking the whole list gets that right.
  if (ours === undefined || theirs === undefined) return modified.map(withoutNulls);
  const before = byKey(Array.isArray(original) ? original : [], key) ?? new Map<unknown, Fields>();
  const itemRule: FieldRule = {
    ...(rule.retainKeys === undefined ? {} : { retainKeys: rule.retainKeys }),
    ...(rule.fields === undefined ? {} : { fields: rule.fields }),
  };
  const items = [...ours].map(([id, item]) => ({ id, item: mergeValue(before.get(id), item, theirs.get(id), itemRule) }));
  const others = [...theirs].filter(([id]) => !ours.has(id) && !before.has(id)).map(([id, item]) => ({ id, item }));
  // As Kubernetes: new items have a place behind all others once something is removed, and none before.
  const removes = [...before.keys()].some((id) => !ours.has(id) && theirs.has(id));
  const places = new Set([...theirs.keys(), ...(removes ? ours.keys() : [])]);
  const order = new Map([...places].map((id, index) => [id, index]));
  return interleave(items, others, order).map(({ item }) => item);
}

type Item = { id: unknown; item: unknown };

/** Ours in our order; what others added stays where it stood among them. */
function interleave(ours: readonly Item[], others: readonly Item[], order: ReadonlyMap<unknown, number>): Item[] {
  const result: Item[] = [];
  let next = 0;
  for (const item of ours) {
    const position = order.get(item.id);
    for (let other = others[next]; other !== undefined && position !== undefined; other = others[next]) {
      if ((order.get(other.id) ?? 0) > position) break;
      result.push(other);
      next++;
    }
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

/** Items by their key; undefined when one has none, or two have the same. */
function byKey(items: readonly unknown[], key: string): Map<unknown, Fields> | undefined {
  const map = new Map<unknown, Fields>();
  for (const item of items) {
    if (!isRecord(item) || item[key] === undefined || map.has(item[key])) return undefined;
    map.set(item[key], item);
  }
  return map;
}

/** A two-way JSON merge patch from `original` to `modified`, applied to `live`. */
function jsonMerge(original: unknown, modified: unknown, live: unknown): unknown {
  if (equalJson(original, modified)) return live;
  if (!isRecord(modified) || (!isRecord(live) && !isRecord(original))) return withoutNulls(modified);
  const state = isRecord(live) ? live : {};
  const merged: Record<string, unknown> = { ...state };
  const before = isRecord(original) ? original : {};
  for (const key of Object.keys(before)) if (modified[key] === undefined || modified[key] === null) delete merged[key];
  for (const [key, value] of Object.entries(modified)) {
    if (value === undefined || value === null || equalJson(before[key], value)) continue;
    merged[key] = jsonMerge(before[key], value, state[key]);
  }
  return merged;
}

/** A null in a manifest asks for a field's absence. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isRecord(value) || Object.isFrozen(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== null && each !== undefined)
      .map(([key, each]) => [key, withoutNulls(each)]),
  );
}

/** The JSON merge patch (RFC 7386) that leads from one object to another; undefined when they are equal. */
export function mergePatchTo(from: Fields, to: Fields): Record<string, unknown> | undefined {
  const patch: Record<string, unknown> = {};
  for (const key of Object.keys(from)) if (to[key] === undefined && from[key] !== undefined) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const before = from[key];
    if (value === undefined || equalJson(before, value)) continue;
    patch[key] = isRecord(before) && isRecord(value) ? (mergePatchTo(before, value) ?? {}) : value;
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
