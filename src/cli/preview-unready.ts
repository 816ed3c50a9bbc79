import { apiVersionOf } from '../apply/index.ts';
import { computeStatus } from '../health/index.ts';
import type { KubeClient } from '../kube/index.ts';
import { formatObjectRef, type KubeObject, objectRefKey } from '../manifest/index.ts';
import { redact, systemClock } from '../std/index.ts';
import { inventoryOf } from './preview-changes.ts';
import { each, keyOf } from './preview-objects.ts';
import type { Failure } from './preview-wait.ts';

/** Objects that are named for one Kustomization. */
const MAX_NAMED = 10;

/**
 * Failures with what is known beyond the condition of an object that ran out of time: the objects it still waits for, and what its
 * controller logged last.
 * @param flux the Flux objects as they ended
 */
export async function explained(
  client: KubeClient,
  failures: readonly Failure[],
  flux: readonly KubeObject[],
  lastError: (failure: Failure) => string | undefined,
): Promise<Failure[]> {
  const byKey = new Map(flux.map((object) => [keyOf(object), object]));
  return await each(failures, async (failure) => {
    if (failure.reason !== 'Timeout') return failure;
    const object = byKey.get(objectRefKey(failure.ref));
    const waiting = object === undefined ? [] : await unreadyOf(client, object);
    const error = lastError(failure);
    const more = [
      ...(waiting.length === 0 ? [] : [`waiting for ${waiting.slice(0, MAX_NAMED).join(', ')}${waiting.length > MAX_NAMED ? ', …' : ''}`]),
      ...(error === undefined ? [] : [`last error: ${error}`]),
    ];
    return { ...failure, message: [failure.message, ...more].join('; ') };
  });
}

async function unreadyOf(client: KubeClient, object: KubeObject): Promise<string[]> {
  const found = await each(inventoryOf(object), async (it) => {
    const { ref } = it;
    const live = await client.find({ apiVersion: apiVersionOf(it), kind: ref.kind, namespace: ref.namespace, name: ref.name });
    const { status, message } = live === undefined ? { status: 'NotFound', message: '' } : computeStatus(live, { now: systemClock.now() });
    if (status === 'Current') return undefined;
    return `${formatObjectRef(ref)} (${status}${message === '' ? '' : `: ${redact(message)}`})`;
  });
  return found.filter((it) => it !== undefined);
}
