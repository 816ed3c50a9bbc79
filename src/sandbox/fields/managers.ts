import type { ManagedFieldsEntry } from '../../manifest/index.ts';
import { compareFields } from './compare.ts';
import { type Json, sameJson } from './element.ts';
import { EMPTY, FieldSet, fieldSetFromJson, type PathElement } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';
import type { FieldType } from './field-type.ts';
import { mergeFields } from './merge.ts';
import { ensureNamedFields, removeFields } from './remove.ts';

/** One `metadata.managedFields` entry, decoded. */
export type Manager = {
  manager: string;
  operation: 'Apply' | 'Update';
  apiVersion: string;
  subresource: string;
  time: string | undefined;
  fields: FieldSet;
};

/** Managers by identity: name, operation and subresource, for updates the version too (an applier has one entry whatever the version). */
export type Managers = ReadonlyMap<string, Manager>;

/** A field the applier wants and another manager owns with another value. */
export type Conflict = { manager: Manager; path: readonly PathElement[] };

/** What a write does to an object and to who owns what. */
export type Managed = { object: Json; managers: Managers };

/** Most entries made by updates; the oldest beyond are merged into one (as the API server does). */
export const UPDATE_MANAGERS_LIMIT = 10;
const ANCIENT = 'ancient-changes';

/** Metadata that nobody owns. */
const STRIPPED: FieldSet = new FieldSet(
  new Set(['f:apiVersion', 'f:kind', 'f:metadata']),
  new Map([
    [
      'f:metadata',
      new FieldSet(
        new Set(
          [
            'name',
            'namespace',
            'creationTimestamp',
            'selfLink',
            'uid',
            'clusterName',
            'generation',
            'managedFields',
            'resourceVersion',
          ].map((name) => `f:${name}`),
        ),
      ),
    ],
  ]),
);

/** The identity of a manager as a map key. */
export function managerKey(manager: Pick<Manager, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  const version = manager.operation === 'Apply' ? '' : manager.apiVersion;
  return JSON.stringify([manager.manager, manager.operation, version, manager.subresource]);
}

/** Decodes `metadata.managedFields`; undefined when an entry is malformed (the API server then drops them all). */
export function decodeManagers(entries: readonly ManagedFieldsEntry[]): Managers | undefined {
  const managers = new Map<string, Manager>();
  for (const entry of entries) {
    const { operation, apiVersion } = entry;
    if ((operation !== 'Apply' && operation !== 'Update') || apiVersion === undefined || apiVersion === '') return undefined;
    const fields = fieldSetFromJson(entry.fieldsV1 ?? {});
    if (fields === undefined || (entry.fieldsType ?? 'FieldsV1') !== 'FieldsV1') return undefined;
    const manager: Manager = {
      manager: entry.manager ?? '',
      operation,
      apiVersion,
      subresource: entry.subresource ?? '',
      time: entry.time,
      fields,
    };
    const key = managerKey(manager);
    const same = managers.get(key);
    managers.set(key, same === undefined ? manager : { ...same, fields: same.fields.union(manager.fields) });
  }
  return managers;
}

/** Encodes managers in the API server's order: by operation, then time, then name, version and subresource. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] {
  return [...managers.values()].sort(compareManagers).map((manager) => ({
    manager: manager.manager,
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: manager.fields.toJson(),
    ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
  }));
}

function compareManagers(a: Manager, b: Manager): number {
  if (a.operation !== b.operation) return a.operation < b.operation ? -1 : 1;
  const order = (x: string, y: string): number => (x < y ? -1 : x > y ? 1 : 0);
  return (
    order(a.time ?? '', b.time ?? '') ||
    order(a.manager, b.manager) ||
    order(a.apiVersion, b.apiVersion) ||
    order(a.subresource, b.subresource)
  );
}

type Write = {
  type: FieldType;
  live: Json;
  managers: Managers;
  by: Omit<Manager, 'fields' | 'time'>;
  now: string;
  /** Fields this endpoint does not write, such as `status`. */ ignored: FieldSet;
};

/** A create, update or patch: the writer owns what it added or changed; others lose what was changed or removed. */
export function trackUpdate(write: Write & { object: Json }): Managed {
  const comparison = strip(compareFields(write.type, write.live, write.object), write.ignored);
  const key = managerKey(write.by);
  const managers = new Map<string, Manager>();
  const changed = comparison.modified.union(comparison.added);
  for (const [other, manager] of write.managers) {
    const fields = other === key ? manager.fields : manager.fields.difference(changed).difference(comparison.removed);
    if (!fields.isEmpty) managers.set(other, { ...manager, fields });
  }
  const before = write.managers.get(key)?.fields ?? EMPTY;
  const fields = without(before.difference(comparison.removed).union(changed), write.ignored);
  put(managers, key, { ...write.by, fields }, write, !without(changed, write.ignored).isEmpty);
  return { object: write.object, managers: capped(managers, write.managers) };
}

/** Server-side apply: the merged object and its managers, or the conflicts that forbid it. */
export function applyConfiguration(write: Write & { configuration: Json; force: boolean }): Managed | { conflicts: Conflict[] } {
  const key = managerKey(write.by);
  const last = write.managers.get(key)?.fields ?? EMPTY;
  const named = without(fieldSetOf(write.type, write.configuration), write.ignored);
  const drops = !last.difference(named).isEmpty;
  // Most applies name what the last one named: then nothing can be left over, and who owns what is as it was.
  const fields = drops || !named.difference(last).isEmpty ? named : last;
  const claimed = new Map(write.managers);
  claimed.set(key, { ...write.by, time: write.managers.get(key)?.time, fields });
  const merged = mergeFields(write.type, write.live, write.configuration) ?? {};
  const object = drops ? prune(write.type, merged, claimed, last) : merged;
  const comparison = strip(compareFields(write.type, write.live, object), write.ignored);
  const changed = comparison.modified.union(comparison.added);
  const conflicts: Conflict[] = [];
  const managers = new Map<string, Manager>();
  for (const [other, manager] of claimed) {
    if (other === key) continue;
    const lost = manager.fields.intersection(changed);
    for (const path of lost.paths()) conflicts.push({ manager, path });
    const kept = manager.fields.difference(lost).difference(comparison.removed);
    if (!kept.isEmpty) managers.set(other, { ...manager, fields: kept });
  }
  if (conflicts.length > 0 && !write.force) return { conflicts };
  put(managers, key, { ...write.by, fields }, write, !sameJson(object, write.live));
  return { object, managers };
}

/**
 * One field changes hands, as the scale endpoint does it: who writes it has it, others lose it. An entry that is new has no time, for
 * the endpoint knows only those of the entries that were there.
 */
export function takeField(
  managers: Managers,
  by: Omit<Manager, 'fields' | 'time'>,
  { path, isChange, force }: { path: readonly PathElement[]; isChange: boolean; force: boolean },
): { managers: Managers } | { conflicts: Conflict[] } {
  const isApply = by.operation === 'Apply';
  if (!isChange && !isApply) return { managers };
  const field = new FieldSet();
  field.insert(path);
  const key = managerKey(by);
  const taken = new Map<string, Manager>();
  const conflicts: Conflict[] = [];
  for (const [other, manager] of managers) {
    const owns = !manager.fields.intersection(field).isEmpty;
    if (other !== key && owns && isChange && isApply) conflicts.push({ manager, path });
    const fields = owns && isChange && other !== key ? manager.fields.difference(field) : manager.fields;
    if (!fields.isEmpty) taken.set(other, { ...manager, fields });
  }
  if (conflicts.length > 0 && !force) return { conflicts };
  taken.set(key, { ...by, time: managers.get(key)?.time, fields: field });
  return { managers: taken };
}

/** Takes out what the applier named last time, does not name now, and nobody else claims. */
function prune(type: FieldType, merged: Json, managers: Managers, last: FieldSet): Json {
  if (last.isEmpty) return merged;
  const named = (set: FieldSet): FieldSet => ensureNamedFields(type, set);
  const all = named(fieldSetOf(type, merged));
  let claimed = EMPTY;
  for (const manager of managers.values()) claimed = claimed.union(manager.fields);
  let pruned = removeFields(type, merged, named(last)) ?? {};
  // What others (or the applier's new configuration) claim comes back …
  pruned = removeFields(type, merged, all.difference(named(fieldSetOf(type, pruned)).union(named(claimed)))) ?? {};
  // … and so does what the applier never owned.
  return removeFields(type, merged, all.difference(named(fieldSetOf(type, pruned))).intersection(named(last))) ?? {};
}

/** Stores a manager; its time moves only when it changed something. A manager that owns nothing is forgotten. */
function put(managers: Map<string, Manager>, key: string, manager: Omit<Manager, 'time'>, write: Write, isChange: boolean): void {
  if (manager.fields.isEmpty) return;
  managers.set(key, { ...manager, time: isChange ? write.now : write.managers.get(key)?.time });
}

function strip<T extends { added: FieldSet; modified: FieldSet; removed: FieldSet }>(comparison: T, ignored: FieldSet): T {
  return {
    ...comparison,
    added: without(comparison.added, ignored),
    modified: without(comparison.modified, ignored),
    removed: without(comparison.removed, ignored),
  };
}

function without(set: FieldSet, ignored: FieldSet): FieldSet {
  return set.difference(STRIPPED).recursiveDifference(ignored);
}

/** Merges the oldest entries of updates into one when there are too many. */
function capped(managers: Map<string, Manager>, before: Managers): Managers {
  const updates = [...managers.entries()].filter(([, it]) => it.operation === 'Update').sort(([, a], [, b]) => compareManagers(a, b));
  const surplus = updates.length - UPDATE_MANAGERS_LIMIT;
  if (surplus <= 0 || before.size === 0) return managers;
  let fields = EMPTY;
  const [, oldest] = updates[0] ?? [];
  if (oldest === undefined) return managers;
  for (const [key, manager] of updates.slice(0, surplus + 1)) {
    fields = fields.union(manager.fields);
    managers.delete(key);
  }
  const ancient: Manager = { ...oldest, manager: ANCIENT, subresource: '', fields };
  managers.set(managerKey(ancient), ancient);
  return managers;
}
