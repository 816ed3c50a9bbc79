import { createTwoFilesPatch } from 'diff';
import { apiVersionOf, compareRefs, type InventoryObject, inventoryObjects } from '../apply/index.ts';
import type { KubeClient } from '../kube/index.ts';
import { formatObjectRef, type KubeObject, objectRefKey, type ObjectRef, writeObjects } from '../manifest/index.ts';
import { comparable, each, hideSecrets, isRecord, valueAt } from './preview-objects.ts';

/** What a preview did to an object. */
export type ChangeKind = 'created' | 'configured' | 'unchanged' | 'deleted';

/** One object and what became of it; `diff` is a unified diff, when one was asked for and there is something to show. */
export type PreviewChange = { ref: ObjectRef; apiVersion: string; change: ChangeKind; diff?: string };

/** Lines of one object's diff, and time for it in milliseconds. */
const MAX_DIFF_LINES = 400;
const DIFF_TIME = 2000;

/**
 * Compares what Flux manages before and after.
 * @param before every object the cluster started with, by key
 * @param flux the Flux objects as they ended
 */
export async function changesOf(
  client: KubeClient,
  before: ReadonlyMap<string, KubeObject>,
  flux: readonly KubeObject[],
  options: { diff: boolean },
): Promise<PreviewChange[]> {
  const managed = new Map<string, InventoryObject>();
  const started = [...before.values()].filter((object) => flux.some((it) => it.kind === object.kind && sameName(it, object)));
  for (const object of [...started, ...flux].flatMap(inventoryOf)) managed.set(objectRefKey(object.ref), object);
  const sorted = [...managed.values()].sort((a, b) => compareRefs(a.ref, b.ref));
  const changes = await each(sorted, async (object): Promise<PreviewChange | undefined> => {
    const { ref } = object;
    const found = await client.find({ apiVersion: apiVersionOf(object), kind: ref.kind, namespace: ref.namespace, name: ref.name });
    const after = found?.metadata.deletionTimestamp === undefined ? found : undefined;
    return change(object, before.get(objectRefKey(ref)), after, options.diff);
  });
  return changes.filter((it) => it !== undefined);
}

function sameName(a: KubeObject, b: KubeObject): boolean {
  return a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace;
}

/** The objects a Kustomization applied. */
export function inventoryOf(object: KubeObject): InventoryObject[] {
  const entries = valueAt(object, 'status', 'inventory', 'entries');
  if (!Array.isArray(entries)) return [];
  return inventoryObjects({
    entries: entries.filter(isRecord).map((entry) => ({ id: String(entry['id'] ?? ''), v: String(entry['v'] ?? '') })),
  });
}

function change(
  object: InventoryObject,
  old: KubeObject | undefined,
  now: KubeObject | undefined,
  withDiff: boolean,
): PreviewChange | undefined {
  if (old === undefined && now === undefined) return undefined;
  const both = hideSecrets(old === undefined ? undefined : comparable(old), now === undefined ? undefined : comparable(now));
  const [before, after] = [both.before, both.after].map((it) => (it === undefined ? '' : writeObjects([it])));
  const kind = old === undefined ? 'created' : now === undefined ? 'deleted' : before === after ? 'unchanged' : 'configured';
  const result = { ref: object.ref, apiVersion: apiVersionOf(object), change: kind } as const;
  return withDiff && kind !== 'unchanged' ? { ...result, diff: diffOf(object.ref, before ?? '', after ?? '') } : result;
}

function diffOf(ref: ObjectRef, before: string, after: string): string {
  const name = formatObjectRef(ref);
  const [from, to] = [before === '' ? '/dev/null' : `before/${name}`, after === '' ? '/dev/null' : `after/${name}`];
  const text = createTwoFilesPatch(from, to, before, after, undefined, undefined, { context: 3, timeout: DIFF_TIME });
  if (text === undefined) return `--- ${from}\n+++ ${to}\n(too different to show)\n`;
  const lines = text.replace(/^=+\n/, '').trimEnd().split('\n');
  const shown = lines.slice(0, MAX_DIFF_LINES);
  return `${[...shown, ...(lines.length > shown.length ? [`(${lines.length - shown.length} more lines)`] : [])].join('\n')}\n`;
}
