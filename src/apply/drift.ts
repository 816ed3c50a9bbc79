import { milliseconds, sleep, systemClock, type Clock } from '../std/index.ts';
import { objectRef, objectRefKey, type KubeObject, type ObjectRef } from '../manifest/index.ts';
import { targetOf, type KubeClient } from '../kube/index.ts';
import { contentHash, desiredHash } from './hash.ts';
import { adaptPayload, compileIgnoreRules, ignoredPaths, withoutPaths, type CompiledRules, type IgnoreRule } from './ignore-rules.ts';
import { equalJson, isRecord } from './json.ts';
import { driftHash, lostFields, managersOf, ownEntry, strayFields, subtractFields, type ManagerMatch } from './managed-fields.ts';
import { driftOf } from './plan.ts';
import { mapLimited } from './pool.ts';
import type { Known, LiveSource } from './request.ts';

export type DriftRequest = {
  client: KubeClient;
  /** Objects as they should be, namespaces filled in. */
  objects: readonly KubeObject[];
  fieldManager: string;
  ignore?: readonly IgnoreRule[];
  /** True for an object whose drift does not count; asked for the desired and the live one. */
  exempt?: (metadata: Pick<KubeObject['metadata'], 'labels' | 'annotations'>) => boolean;
  /** Managers that may not own anything: their fields are drift (`--override-manager`). `live` must know them, too. */
  takeover?: readonly ManagerMatch[];
  known?: ReadonlyMap<string, Known>;
  live?: LiveSource;
  concurrency?: number;
  clock?: Clock;
  signal?: AbortSignal;
};

/** One object that is not as it should be. */
export type ObjectDrift = {
  object: KubeObject;
  ref: ObjectRef;
  kind: 'gone' | 'changed';
  /** How many values server-side apply would add, change and remove. */
  additions: number;
  changes: number;
  removals: number;
  /** Our fields that changed, `spec.replicas`; and who has them now, by field manager. */
  fields: readonly string[];
  managers: readonly string[];
  /** What to apply to put it right: ignored fields keep their live values. */
  payload: KubeObject;
};

export type DriftResult = {
  drift: readonly ObjectDrift[];
  /** Objects looked at and found right, for the next time. */
  known: ReadonlyMap<string, Known>;
  failures: readonly { object: KubeObject; cause: unknown }[];
};

const DEFAULT_CONCURRENCY = 16;
const ATTEMPTS = 3;
const RACE_INTERVAL = milliseconds(20);

/**
 * Compares objects with the cluster (HB59). Costs nothing for what watches prove untouched; otherwise a server-side dry-run and a read, whose
 * difference (but for what is ignored) is the drift. Writes nothing.
 * @throws CodedError `IgnoreRuleInvalid`
 */
export async function findDrift(request: DriftRequest): Promise<DriftResult> {
  const rules = compileIgnoreRules(request.ignore ?? []);
  const drift: ObjectDrift[] = [];
  const known = new Map<string, Known>();
  const failures: { object: KubeObject; cause: unknown }[] = [];
  await mapLimited(request.objects, request.concurrency ?? DEFAULT_CONCURRENCY, async (object) => {
    const key = objectRefKey(objectRef(object));
    if (request.exempt?.(object.metadata) === true || isProven(object, key, request)) return;
    try {
      const found = await compare(object, rules, request);
      if ('payload' in found) drift.push(found);
      else if (found.live !== undefined) known.set(key, found.live);
    } catch (cause) {
      failures.push({ object, cause });
    }
  });
  const order = new Map(request.objects.map((object, index) => [object, index]));
  drift.sort((a, b) => (order.get(a.object) ?? 0) - (order.get(b.object) ?? 0));
  return { drift, known, failures };
}

function isProven(object: KubeObject, key: string, { known, live, exempt, takeover = [] }: DriftRequest): boolean {
  const remembered = known?.get(key);
  const record = live?.find(objectRef(object), object.apiVersion);
  if (record === undefined || record === 'absent') return false;
  if (exempt?.({ labels: { ...record.labels }, annotations: { ...record.annotations } }) === true) return true;
  if (takeover.length > 0 && record.foreign) return false;
  if (remembered === undefined || remembered.desiredHash !== desiredHash(object)) return false;
  if (remembered.driftHash === '' && remembered.contentHash === undefined) return false;
  return driftOf(remembered, record, true) === undefined;
}

async function compare(
  object: KubeObject,
  rules: CompiledRules,
  request: DriftRequest,
): Promise<ObjectDrift | { live: Known | undefined }> {
  const { client, fieldManager, exempt, signal, clock = systemClock } = request;
  for (let attempt = 1; ; attempt++) {
    const [answer, live] = await Promise.all([
      client.apply(object, { fieldManager, force: true, dryRun: true, signal }),
      client.find(targetOf(object), { signal }),
    ]);
    if (live === undefined) return gone(object);
    if (exempt?.(live.metadata) === true) return { live: undefined };
    // Read in different moments: a status written in between is no drift, anything else will settle.
    if (answer.metadata.resourceVersion !== live.metadata.resourceVersion && attempt < ATTEMPTS) {
      await sleep(clock, RACE_INTERVAL, signal);
      continue;
    }
    return difference(object, answer, live, rules, request);
  }
}

function gone(object: KubeObject): ObjectDrift {
  const counts = { additions: 0, changes: 0, removals: 0, fields: [], managers: [] };
  return { object, ref: objectRef(object), kind: 'gone', ...counts, payload: object };
}

function difference(
  object: KubeObject,
  answer: KubeObject,
  live: KubeObject,
  rules: CompiledRules,
  { fieldManager, takeover = [] }: DriftRequest,
): ObjectDrift | { live: Known | undefined } {
  const paths = ignoredPaths(rules, answer);
  const counts = { additions: 0, changes: 0, removals: 0 };
  const stray = strayFields(live, takeover, ownEntry(answer, fieldManager)?.fieldsV1);
  counts.removals += stray.fields.length;
  count(comparable(withoutPaths(live, paths)), comparable(withoutPaths(answer, paths)), counts);
  if (counts.additions + counts.changes + counts.removals === 0) {
    const { resourceVersion = '', uid = '' } = live.metadata;
    const seen = { desiredHash: desiredHash(object), driftHash: driftHash(live, fieldManager), resourceVersion, uid };
    // What we own is watched by its hash; where something is not ours and not ignored, all of the content is.
    const lost = lostFields(ownEntry(answer, fieldManager)?.fieldsV1, ownEntry(live, fieldManager)?.fieldsV1);
    const ignored = paths.map((path) => path.join('.'));
    if (!lost.every((field) => ignored.some((path) => field === path || field.startsWith(`${path}.`)))) {
      return { live: { ...seen, contentHash: contentHash(live) } };
    }
    return { live: seen };
  }
  const [wanted, owned] = [ownEntry(answer, fieldManager)?.fieldsV1, ownEntry(live, fieldManager)?.fieldsV1];
  return {
    object,
    ref: objectRef(object),
    kind: 'changed',
    ...counts,
    fields: [...lostFields(wanted, owned), ...stray.fields],
    managers: [...new Set([...managersOf(live, fieldManager, subtractFields(wanted, owned)), ...stray.managers])],
    payload: paths.length === 0 ? object : adaptPayload(object, live, answer, paths, fieldManager),
  };
}

/** What a user wrote of an object: labels, annotations and the body. */
function comparable({ metadata, status: _status, ...body }: KubeObject): unknown {
  return { ...body, metadata: { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} } };
}

type Counts = { additions: number; changes: number; removals: number };

/** Counts values as a JSON patch from `from` to `to` would: a whole subtree added or removed is one. */
function count(from: unknown, to: unknown, counts: Counts): void {
  if (isRecord(from) && isRecord(to)) {
    for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
      if (from[key] === undefined && to[key] !== undefined) counts.additions++;
      else if (to[key] === undefined && from[key] !== undefined) counts.removals++;
      else count(from[key], to[key], counts);
    }
  } else if (Array.isArray(from) && Array.isArray(to)) {
    const common = Math.min(from.length, to.length);
    for (let index = 0; index < common; index++) count(from[index], to[index], counts);
    counts.additions += to.length - common;
    counts.removals += from.length - common;
  } else if (!equalJson(from, to)) counts.changes++;
}
