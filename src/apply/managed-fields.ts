import { hash } from 'node:crypto';
import type { KubeObject, ManagedFieldsEntry } from '../manifest/index.ts';
import { isRecord } from './json.ts';

/** A node of fieldsV1: `f:name`, `k:{…}`, `v:…`, `i:n` lead on; `.` or being empty makes the node itself a member. */
type FieldSet = Readonly<Record<string, unknown>>;

/** Which other managers' fields become ours on apply (KB56): by name or its beginning, and operation. */
export type ManagerMatch = { name: string; operation: 'Apply' | 'Update'; exact?: boolean };

/** kubectl in all its forms, the marker Kubernetes gives fields older than server-side apply, and ourselves from before it. */
export function defaultTakeover(fieldManager: string): ManagerMatch[] {
  return [
    { name: 'kubectl', operation: 'Apply' },
    { name: 'kubectl', operation: 'Update' },
    { name: 'before-first-apply', operation: 'Update' },
    { name: fieldManager, operation: 'Update' },
  ];
}

/** What `--override-manager NAME` adds. */
export function overrideManager(name: string): ManagerMatch[] {
  return [
    { name, operation: 'Apply' },
    { name, operation: 'Update' },
  ];
}

/** The entry that says what `fieldManager` applied; undefined when it owns nothing. */
export function ownEntry(object: KubeObject, fieldManager: string): ManagedFieldsEntry | undefined {
  return entriesOf(object).find(
    (entry) => entry.manager === fieldManager && entry.operation === 'Apply' && (entry.subresource ?? '') === '',
  );
}

function entriesOf(object: KubeObject): readonly ManagedFieldsEntry[] {
  const { managedFields } = object.metadata;
  return Array.isArray(managedFields) ? managedFields : [];
}

/**
 * A hash of what we own of an object: its API version and field set, not its time. It stays through status writes, foreign labels and edits to
 * equal values, and changes as soon as anyone changes or removes one of our fields. Empty when we own nothing.
 */
export function driftHash(object: KubeObject, fieldManager: string): string {
  const entry = ownEntry(object, fieldManager);
  return entry === undefined ? '' : shortHash(`${entry.apiVersion ?? ''}\n${JSON.stringify(entry.fieldsV1 ?? {})}`);
}

/** 128 bits of SHA-256, enough to tell contents apart. */
export function shortHash(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}

/** True when an entry of a manager we take over is there. Subresource entries (status, scale) never count. */
export function hasForeignManager(object: KubeObject, takeover: readonly ManagerMatch[]): boolean {
  return entriesOf(object).some((entry) => isTakenOver(entry, takeover));
}

function isTakenOver(entry: ManagedFieldsEntry, takeover: readonly ManagerMatch[]): boolean {
  if ((entry.subresource ?? '') !== '') return false;
  const manager = entry.manager ?? '';
  return takeover.some(
    ({ name, operation, exact }) => entry.operation === operation && (exact === true ? manager === name : manager.startsWith(name)),
  );
}

/**
 * managedFields with the entries of managers we take over merged into our own Apply entry (KB56); undefined when there are none. With the
 * fields ours, the next apply removes those the desired object does not have.
 */
export function takeOver(object: KubeObject, fieldManager: string, takeover: readonly ManagerMatch[]): ManagedFieldsEntry[] | undefined {
  const before = ownEntry(object, fieldManager);
  let own = before;
  const others: ManagedFieldsEntry[] = [];
  let edited = false;
  for (const entry of entriesOf(object)) {
    if (entry === before) continue;
    if (!isTakenOver(entry, takeover)) {
      others.push(entry);
      continue;
    }
    edited = true;
    own =
      own === undefined
        ? { ...entry, manager: fieldManager, operation: 'Apply' }
        : { ...own, fieldsV1: unionFields(own.fieldsV1 ?? {}, entry.fieldsV1 ?? {}) };
  }
  return edited && own !== undefined ? [...others, own] : undefined;
}

/** What managers we take over from own beyond `own`: the fields, for people, and who they are. */
export function strayFields(
  object: KubeObject,
  takeover: readonly ManagerMatch[],
  own: FieldSet | undefined,
): { fields: string[]; managers: string[] } {
  const strays = entriesOf(object).filter((entry) => isTakenOver(entry, takeover) && lostFields(entry.fieldsV1, own).length > 0);
  return {
    fields: [...new Set(strays.flatMap((entry) => lostFields(entry.fieldsV1, own)))],
    managers: [...new Set(strays.map((entry) => entry.manager ?? ''))],
  };
}

/** The union of two field sets. */
export function unionFields(a: FieldSet, b: FieldSet): Record<string, unknown> {
  const union: Record<string, unknown> = { ...a };
  for (const [key, right] of Object.entries(b)) {
    const left = union[key];
    union[key] = left === undefined ? right : unionNode(record(left), record(right));
  }
  return union;
}

function unionNode(a: FieldSet, b: FieldSet): Record<string, unknown> {
  const union = unionFields(a, b);
  // An empty node is a member; once it has children only `.` says so.
  if (Object.keys(union).length > 0 && (isMember(a) || isMember(b))) return { '.': {}, ...union };
  return union;
}

function isMember(node: FieldSet): boolean {
  return '.' in node || Object.keys(node).length === 0;
}

/** Paths of `a` that `b` does not have, for people: `spec.replicas`, `spec.template.spec.containers[name="web"].image`. */
export function lostFields(a: FieldSet | undefined, b: FieldSet | undefined): string[] {
  const lost: string[] = [];
  collectLost(a ?? {}, b ?? {}, '', lost);
  return lost;
}

function collectLost(a: FieldSet, b: FieldSet, path: string, lost: string[]): void {
  for (const [key, left] of Object.entries(a)) {
    if (key === '.') continue;
    const here = path + formatElement(key);
    const right = b[key];
    const node = record(left);
    const leaf = Object.keys(node).every((child) => child === '.');
    if (right === undefined && leaf) lost.push(here.replace(/^\./, ''));
    else collectLost(node, record(right), here, lost);
  }
}

function formatElement(key: string): string {
  const rest = key.slice(2);
  switch (key.slice(0, 2)) {
    case 'f:':
      return /^[A-Za-z0-9_-]+$/.test(rest) ? `.${rest}` : `[${JSON.stringify(rest)}]`;
    case 'k:':
      return `[${formatKey(rest)}]`;
    default:
      return `[${rest}]`;
  }
}

function formatKey(json: string): string {
  const key: unknown = JSON.parse(json);
  return isRecord(key)
    ? Object.entries(key)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')
    : json;
}

/** Managers other than ours that own any of what we lost: who to name in a drift report. */
export function managersOf(object: KubeObject, fieldManager: string, fields: FieldSet | undefined): string[] {
  const managers = entriesOf(object)
    .filter((entry) => !(entry.manager === fieldManager && entry.operation === 'Apply') && overlaps(entry.fieldsV1 ?? {}, fields ?? {}))
    .map((entry) => entry.manager ?? '');
  return [...new Set(managers)];
}

function overlaps(a: FieldSet, b: FieldSet): boolean {
  return Object.entries(a).some(([key, left]) => {
    if (key === '.' || !(key in b)) return false;
    const [x, y] = [record(left), record(b[key])];
    return (isMember(x) && isMember(y)) || overlaps(x, y);
  });
}

/** The part of `a` that `b` does not cover, as a field set. */
export function subtractFields(a: FieldSet | undefined, b: FieldSet | undefined): Record<string, unknown> {
  const rest: Record<string, unknown> = {};
  for (const [key, left] of Object.entries(a ?? {})) {
    const right = b?.[key];
    if (right === undefined) rest[key] = left;
    else if (Object.keys(record(left)).length > 0) {
      const below = subtractFields(record(left), record(right));
      if (Object.keys(below).length > 0) rest[key] = below;
    }
  }
  return rest;
}

function record(value: unknown): FieldSet {
  return isRecord(value) ? value : {};
}
