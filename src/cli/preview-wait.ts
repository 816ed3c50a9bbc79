import { findCondition, kindApiVersion, kustomizationKind, ociRepositoryKind, requestAnnotations } from '../api/index.ts';
import { type KubeClient, targetOf } from '../kube/index.ts';
import { formatObjectRef, type KubeObject, objectRef, type ObjectRef } from '../manifest/index.ts';
import { redact } from '../std/index.ts';
import { isSuspended, progressOf } from './object-kinds.ts';
import { textAt, valueAt } from './preview-objects.ts';
import { progress } from './progress.ts';
import { shortenHashes } from './table.ts';

/** A Flux object that did not become ready. */
export type Failure = { ref: ObjectRef; reason: string; message: string };

/** How the Flux objects ended: their last states, and those that are not ready. */
export type Ended = { objects: KubeObject[]; failures: Failure[] };

/** Conditions that say another object is the cause. */
const BLOCKED: ReadonlySet<string> = new Set(['DependencyNotReady', 'ArtifactFailed']);
/** Failures that took a whole timeout, and would again. */
const FINAL: ReadonlySet<string> = new Set(['HealthCheckFailed', 'Timeout']);
/** Calm that means nothing more comes, milliseconds: what a Kustomization applied is seen on another watch. */
const CALM = 50;
/** Rounds in which failed objects are tried once more, because others became ready since. */
const MAX_ROUNDS = 5;

type State = 'ready' | 'failed' | 'blocked' | 'running';

/**
 * Waits until every Flux object that is not suspended is ready or has failed, those the target creates included. Objects that fail
 * are tried again as long as that makes others ready: one may need what another applies.
 * @param signal ends the wait; what still runs then counts as failed
 */
export async function waitForFlux(client: KubeClient, signal: AbortSignal): Promise<Ended> {
  let last = Infinity;
  const shown = new Map<string, string>();
  for (let round = 0; ; round++) {
    const ended = await settle(client, shown, signal);
    const { failures, objects } = ended;
    const isAlone = objects.filter((object) => object.kind === 'Kustomization').length <= 1;
    const again = failures.filter(({ reason }) => (isAlone ? reason === 'ReconciliationFailed' : !FINAL.has(reason)));
    if (again.length === 0 || failures.length >= last || round >= MAX_ROUNDS || signal.aborted) return ended;
    last = failures.length;
    const names = new Set(again.map(({ ref }) => formatObjectRef(ref)));
    for (const object of objects) if (names.has(formatObjectRef(objectRef(object)))) await request(client, object, `preview-${round}`);
  }
}

async function request(client: KubeClient, object: KubeObject, token: string): Promise<void> {
  const body = { metadata: { annotations: { [requestAnnotations.requestedAt]: token } } };
  await client.patch(targetOf(object), { type: 'merge', body }, { fieldManager: 'flux' });
}

async function settle(client: KubeClient, shown: Map<string, string>, signal: AbortSignal): Promise<Ended> {
  const informers = [ociRepositoryKind, kustomizationKind].map((kind) =>
    client.informer({ apiVersion: kindApiVersion(kind), kind: kind.kind }),
  );
  const current = (): KubeObject[] => informers.flatMap((informer) => informer.list()).filter((object) => !isSuspended(object));
  let timer: NodeJS.Timeout | undefined;
  try {
    await Promise.all(informers.map((informer) => informer.waitSynced(signal)));
    await new Promise<void>((resolve) => {
      const look = (): void => {
        clearTimeout(timer);
        if (isSettled(current())) timer = setTimeout(resolve, CALM);
      };
      signal.addEventListener('abort', () => resolve(), { once: true });
      for (const informer of informers) {
        const seen = (object: KubeObject): void => {
          tell(object, shown);
          look();
        };
        informer.subscribe({ added: seen, updated: seen, deleted: look });
      }
      look();
    });
    const objects = current();
    return { objects, failures: objects.flatMap((object) => failureOf(object)) };
  } finally {
    clearTimeout(timer);
    for (const informer of informers) informer.release();
  }
}

function isSettled(objects: readonly KubeObject[]): boolean {
  const states = new Set(objects.map(stateOf));
  return !states.has('running') && (!states.has('blocked') || states.has('failed'));
}

function stateOf(object: KubeObject): State {
  const asked = object.metadata.annotations?.[requestAnnotations.requestedAt];
  if (asked !== undefined && textAt(object, 'status', 'lastHandledReconcileAt') !== asked) return 'running';
  const state = progressOf(object);
  if (state === 'current') return 'ready';
  if (state === 'in-progress') return 'running';
  return BLOCKED.has(readyOf(object).reason) ? 'blocked' : 'failed';
}

function readyOf(object: KubeObject): { reason: string; message: string } {
  const conditions = valueAt(object, 'status', 'conditions');
  const found = Array.isArray(conditions) ? findCondition(conditions as Parameters<typeof findCondition>[0], 'Ready') : undefined;
  return { reason: found?.reason ?? '', message: redact(found?.message ?? '') };
}

function failureOf(object: KubeObject): Failure[] {
  const state = stateOf(object);
  if (state === 'ready') return [];
  const { reason, message } = readyOf(object);
  const ref = objectRef(object);
  if (state !== 'running') return [{ ref, reason, message }];
  return [{ ref, reason: 'Timeout', message: `not ready in time: ${message === '' ? 'waiting to be reconciled' : message}` }];
}

function tell(object: KubeObject, shown: Map<string, string>): void {
  if (isSuspended(object)) return;
  const name = formatObjectRef(objectRef(object));
  const state = stateOf(object);
  if (state !== 'ready' || shown.get(name) === state) return;
  shown.set(name, state);
  progress.success(`${name}: ${shortenHashes(readyOf(object).message)}`);
}
