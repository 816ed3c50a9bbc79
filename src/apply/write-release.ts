import { milliseconds, sleep, systemClock, type Clock } from '../std/index.ts';
import { objectRef, objectRefKey, type KubeObject, type ObjectRef } from '../manifest/index.ts';
import { isKubeError, targetOf, type KubeClient } from '../kube/index.ts';
import { desiredHash } from './hash.ts';
import { driftHash, takeOver, type ManagerMatch } from './managed-fields.ts';
import { driftOf } from './plan.ts';
import { mapLimited } from './pool.ts';
import type { Known, LiveSource } from './request.ts';
import { mergePatchTo, threeWayMerge } from './three-way-merge.ts';

export type ReleaseWriteRequest = {
  client: KubeClient;
  /** Objects of a release in install order, namespaces filled in; kinds that follow each other are written together. */
  objects: readonly KubeObject[];
  /** `server`: server-side apply; `client`: three-way merge; `replace`: the live object is replaced. */
  method: 'server' | 'client' | 'replace';
  fieldManager: string;
  /** Take fields from other managers (server-side apply). */
  force: boolean;
  /**
   * The objects as the release had them before, by `objectRefKey`, oldest first where attempts failed in between: client-side apply removes
   * what any of them wanted.
   */
  previous: ReadonlyMap<string, readonly KubeObject[]>;
  /** Managers whose fields become ours when they are met (a release that was applied client-side). */
  takeover: readonly ManagerMatch[];
  known?: ReadonlyMap<string, Known>;
  live?: LiveSource;
  concurrency?: number;
  clock?: Clock;
  signal?: AbortSignal;
};

/** One object that could not be written. */
export type ReleaseWriteFailure = {
  object: KubeObject;
  action: 'create' | 'update';
  method: ReleaseWriteRequest['method'];
  cause: unknown;
};

export type ReleaseWriteResult = {
  /** Objects as the server answered, by `objectRefKey`; unchanged ones are not in it. */
  applied: ReadonlyMap<string, KubeObject>;
  created: readonly KubeObject[];
  unchanged: readonly ObjectRef[];
  /** To hand in as `known` next time. */
  known: ReadonlyMap<string, Known>;
  failures: readonly ReleaseWriteFailure[];
};

const DEFAULT_CONCURRENCY = 16;
const CONFLICT_ATTEMPTS = 5;
const QUOTA_INTERVAL = milliseconds(10);
/** Milliseconds: both times are whole seconds. */
const CREATION_SPREAD = 1000;
/** A kind whose definition was written a moment ago may take another moment to be served. */
const SERVED_ATTEMPTS = 50;
const SERVED_INTERVAL = milliseconds(100);

/**
 * Writes the objects of a Helm release: kind after kind, all of one kind at once, every object tried whatever happens to others. With
 * server-side apply an object costs one request, none when `known` and `live` prove it unchanged; with client-side apply a new one costs one,
 * any other two.
 */
export async function writeRelease(request: ReleaseWriteRequest): Promise<ReleaseWriteResult> {
  const applied = new Map<string, KubeObject>();
  const known = new Map<string, Known>();
  const created: KubeObject[] = [];
  const unchanged: ObjectRef[] = [];
  const failures: ReleaseWriteFailure[] = [];
  for (const batch of batches(request.objects)) {
    if (request.signal?.aborted === true) break;
    await mapLimited(batch, request.concurrency ?? DEFAULT_CONCURRENCY, async (object) => {
      const key = objectRefKey(objectRef(object));
      const remembered = provenUnchanged(object, key, request);
      if (remembered !== undefined) {
        unchanged.push(objectRef(object));
        known.set(key, remembered);
        return;
      }
      const outcome = await writeOne(object, key, request);
      if ('cause' in outcome) {
        failures.push(outcome);
        return;
      }
      applied.set(key, outcome.answer);
      if (object.kind === 'CustomResourceDefinition') request.client.mapper.learn(outcome.answer);
      if (outcome.created) created.push(outcome.answer);
      if (request.method === 'server') known.set(key, knownOf(object, outcome.answer, request.fieldManager));
    });
  }
  // In the order of the objects, however fast each was answered: the same failure has the same words.
  const order = new Map(request.objects.map((object, index) => [object, index]));
  failures.sort((x, y) => (order.get(x.object) ?? 0) - (order.get(y.object) ?? 0));
  return { applied, created, unchanged, known, failures };
}

/** Runs of one kind, in order. */
export function batches(objects: readonly KubeObject[]): KubeObject[][] {
  const runs: KubeObject[][] = [];
  for (const object of objects) {
    const run = runs.at(-1);
    if (run?.[0]?.kind === object.kind) run.push(object);
    else runs.push([object]);
  }
  return runs;
}

function provenUnchanged(object: KubeObject, key: string, { method, known, live }: ReleaseWriteRequest): Known | undefined {
  const remembered = method === 'server' ? known?.get(key) : undefined;
  // What is as wanted without being ours is applied once more, to own it.
  if (remembered === undefined || remembered.contentHash !== undefined || remembered.desiredHash !== desiredHash(object)) return undefined;
  const record = live?.find(objectRef(object), object.apiVersion);
  if (record === undefined || record === 'absent' || record.deleting || record.uid !== remembered.uid) return undefined;
  return driftOf(remembered, record, true) === undefined ? remembered : undefined;
}

function knownOf(object: KubeObject, answer: KubeObject, fieldManager: string): Known {
  const { resourceVersion = '', uid = '' } = answer.metadata;
  return { desiredHash: desiredHash(object), driftHash: driftHash(answer, fieldManager), resourceVersion, uid };
}

type Written = { answer: KubeObject; created: boolean };

async function writeOne(object: KubeObject, key: string, request: ReleaseWriteRequest): Promise<Written | ReleaseWriteFailure> {
  const { method } = request;
  const before = request.previous.get(key) ?? [];
  let action: ReleaseWriteFailure['action'] = before.length === 0 ? 'create' : 'update';
  try {
    if (method === 'server') return await patiently(() => applyServerSide(object, before.length > 0, request), request);
    if (before.length === 0) {
      const answer = await patiently(() => createNew(object, request), request);
      if (answer !== undefined) return { answer, created: true };
      action = 'update';
    }
    return await updateExisting(object, before, request);
  } catch (cause) {
    return { object, action, method, cause };
  }
}

async function applyServerSide(object: KubeObject, existed: boolean, request: ReleaseWriteRequest): Promise<Written> {
  const { client, fieldManager, force, signal } = request;
  const send = (): Promise<KubeObject> => client.apply(object, { fieldManager, force, fieldValidation: 'Strict', signal });
  let answer = await send();
  const created = !existed && isNew(answer, fieldManager);
  // Fields we own twice, by an update from before server-side apply, would outlive the manifest. Once they are ours alone, applying again drops them.
  if (await takeOverFields(answer, request)) answer = await send();
  return { answer, created };
}

/** The server marks creation and our first entry with almost the same time; anybody else's trace means that the object was there before. */
function isNew({ metadata }: KubeObject, fieldManager: string): boolean {
  const [entry, ...others] = metadata.managedFields ?? [];
  if (others.length > 0 || entry?.manager !== fieldManager) return false;
  return Math.abs(Date.parse(entry.time ?? '') - Date.parse(metadata.creationTimestamp ?? '')) <= CREATION_SPREAD;
}

async function takeOverFields(seen: KubeObject, { client, fieldManager, takeover, signal }: ReleaseWriteRequest): Promise<boolean> {
  let live = seen;
  for (let attempt = 1; ; attempt++) {
    const managedFields = takeOver(withoutFinalizerEntries(live, takeover), fieldManager, takeover);
    if (managedFields === undefined) return live !== seen;
    const kept = finalizerEntries(live, takeover);
    const operations = [
      { op: 'replace', path: '/metadata/resourceVersion', value: live.metadata.resourceVersion },
      { op: 'replace', path: '/metadata/managedFields', value: [...kept, ...managedFields] },
    ] as const;
    try {
      await client.patch(targetOf(live), { type: 'json', operations }, { fieldManager, signal });
      return true;
    } catch (error) {
      if (!isKubeError(error, 'Conflict') || attempt >= CONFLICT_ATTEMPTS) throw error;
      live = await client.get(targetOf(live), { signal });
    }
  }
}

type Entries = NonNullable<KubeObject['metadata']['managedFields']>;

/** Entries that own nothing but finalizers: a controller of the same name put them there (a HelmRelease inside a chart), and they are its own. */
function finalizerEntries({ metadata }: KubeObject, takeover: readonly ManagerMatch[]): Entries {
  return (metadata.managedFields ?? []).filter(({ manager, operation, fieldsV1 }) => {
    if (!takeover.some((match) => match.name === manager && match.operation === operation)) return false;
    const [only, ...others] = Object.keys(fieldsV1 ?? {});
    const inside = Object.keys((fieldsV1?.['f:metadata'] as Record<string, unknown> | undefined) ?? {});
    return only === 'f:metadata' && others.length === 0 && inside.every((field) => field === 'f:finalizers' || field === '.');
  });
}

function withoutFinalizerEntries(object: KubeObject, takeover: readonly ManagerMatch[]): KubeObject {
  const kept = new Set(finalizerEntries(object, takeover));
  if (kept.size === 0) return object;
  const managedFields = (object.metadata.managedFields ?? []).filter((entry) => !kept.has(entry));
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** Gives undefined when the object is there already. */
async function createNew(object: KubeObject, { client, fieldManager, signal }: ReleaseWriteRequest): Promise<KubeObject | undefined> {
  try {
    return await client.create(object, { fieldManager, signal });
  } catch (error) {
    if (isKubeError(error, 'AlreadyExists')) return undefined;
    throw error;
  }
}

async function updateExisting(object: KubeObject, before: readonly KubeObject[], request: ReleaseWriteRequest): Promise<Written> {
  const { client, fieldManager, signal, method } = request;
  for (let attempt = 1; ; attempt++) {
    const live = await client.find(targetOf(object), { signal });
    if (live === undefined) return { answer: await client.create(object, { fieldManager, signal }), created: true };
    const { resourceVersion } = live.metadata;
    try {
      if (method === 'replace') {
        const next = { ...object, metadata: { ...object.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) } };
        return { answer: await client.update(next, { fieldManager, fieldValidation: 'Strict', signal }), created: false };
      }
      const adopt = before.length === 0;
      const merged = (adopt ? [object] : before).reduce((state, each) => threeWayMerge(each, object, state, { adopt }), live);
      const patch = mergePatchTo(live, merged);
      if (patch === undefined) return { answer: live, created: false };
      const metadata = { ...(patch['metadata'] as Record<string, unknown> | undefined), resourceVersion };
      const body = { ...patch, metadata };
      return { answer: await client.patch(targetOf(object), { type: 'merge', body }, { fieldManager, signal }), created: false };
    } catch (error) {
      // Someone was faster: what they changed is merged, too.
      if (!isKubeError(error, 'Conflict') || attempt >= CONFLICT_ATTEMPTS) throw error;
    }
  }
}

/** Tries again what passes by itself: a ResourceQuota that several objects count against at once, a kind that is about to be served. */
async function patiently<T>(send: () => Promise<T>, { clock = systemClock, signal }: ReleaseWriteRequest): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send();
    } catch (error) {
      // Its kind was known a moment ago: its definition has just been written, and others asked the server for its kinds meanwhile.
      const awaited = isKubeError(error, 'NoMatch');
      if (attempt >= (awaited ? SERVED_ATTEMPTS : CONFLICT_ATTEMPTS) || !(awaited || isQuotaConflict(error))) throw error;
      await sleep(clock, awaited ? SERVED_INTERVAL : QUOTA_INTERVAL, signal);
    }
  }
}

function isQuotaConflict(error: unknown): boolean {
  return (
    isKubeError(error, 'Conflict') &&
    error.serverMessage.includes('Operation cannot be fulfilled on resourcequotas') &&
    error.serverMessage.includes('the object has been modified')
  );
}
