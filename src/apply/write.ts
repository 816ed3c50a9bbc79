import type { Clock } from '../std/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { isKubeError, targetOf, type KubeClient } from '../kube/index.ts';
import type { Action } from './change-set.ts';
import { applyFailure, recreateFailure, takeoverFailure, type ObjectFailure } from './errors.ts';
import { cleanupPatch, type Policy, type Prepared, type Write } from './plan.ts';
import { waitForGone } from './stage-wait.ts';

export type WriteContext = {
  client: KubeClient;
  policy: Policy;
  recreate: boolean | undefined;
  signal: AbortSignal | undefined;
  clock: Clock;
};

export type WriteOutcome = { kind: 'written'; action: Action; answer: KubeObject } | { kind: 'failed'; failure: ObjectFailure };

/** How long a deleted object may hold on by its finalizers before recreating it fails, in milliseconds. */
const GONE_TIMEOUT = 60_000;
const CLEANUP_ATTEMPTS = 4;

/** Carries out one decided write. */
export async function writeObject(object: Prepared, write: Write, context: WriteContext): Promise<WriteOutcome> {
  const { client, policy, signal } = context;
  if (write.cleanup !== undefined) {
    const failure =
      context.recreate === true ? await removeFirst(object, write.cleanup, context) : await cleanUp(object, write.cleanup, context);
    if (failure !== undefined) return { kind: 'failed', failure };
  }
  try {
    const answer = await client.apply(write.payload, { fieldManager: policy.fieldManager, force: true, signal });
    return { kind: 'written', action: actionOf(write, answer), answer };
  } catch (error) {
    return { kind: 'failed', failure: applyFailure(object.ref, error) };
  }
}

/** The server leaves the resourceVersion alone when an apply changed nothing. */
function actionOf(write: Write, answer: KubeObject): Action {
  return write.action === 'configured' && answer.metadata.resourceVersion === write.base ? 'unchanged' : write.action;
}

/** Takes over managers and removes others' bookkeeping (KB56); looks again when the object changed meanwhile. */
async function cleanUp(object: Prepared, seen: KubeObject, { client, policy, signal }: WriteContext): Promise<ObjectFailure | undefined> {
  const target = targetOf(object.desired);
  let live = seen;
  for (let attempt = 1; ; attempt++) {
    try {
      await client.patch(target, { type: 'json', operations: cleanupPatch(live, policy) }, { fieldManager: policy.fieldManager, signal });
      return undefined;
    } catch (error) {
      if (isKubeError(error, 'NotFound')) return undefined;
      if (!isKubeError(error, 'Conflict') || attempt >= CLEANUP_ATTEMPTS) return takeoverFailure(object.ref, error);
    }
    try {
      live = await client.get(target, { signal });
    } catch (error) {
      return isKubeError(error, 'NotFound') ? undefined : takeoverFailure(object.ref, error);
    }
  }
}

/** Deletes the object that cannot be changed, and waits until it is gone (KB55). */
async function removeFirst(
  object: Prepared,
  live: KubeObject,
  { client, signal, clock }: WriteContext,
): Promise<ObjectFailure | undefined> {
  const { uid } = live.metadata;
  try {
    const options = { propagation: 'Background', signal, ...(uid === undefined ? {} : { preconditions: { uid } }) } as const;
    const going = await client.delete(targetOf(object.desired), options);
    if (going === undefined) return undefined;
  } catch (error) {
    if (isKubeError(error, 'NotFound')) return undefined;
    return recreateFailure(object.ref, 'delete object', error);
  }
  try {
    const gone = await waitForGone(client, live, { clock, timeout: GONE_TIMEOUT, signal });
    return gone ? undefined : recreateFailure(object.ref, 'wait for object to be deleted', new Error('timed out'));
  } catch (error) {
    return recreateFailure(object.ref, 'wait for object to be deleted', error);
  }
}
