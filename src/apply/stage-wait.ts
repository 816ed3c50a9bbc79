import { milliseconds, sleep, type Clock } from '../std/index.ts';
import { objectRef, type KubeObject } from '../manifest/index.ts';
import { isKubeError, targetOf, type KubeClient } from '../kube/index.ts';
import { computeStatus, judge, type Checked } from '../health/index.ts';

export type StageWaitOptions = { clock: Clock; timeout: number; signal: AbortSignal | undefined };

/** While the objects may not be watched (no permission), they are read this often, in milliseconds. */
const POLL_INTERVAL = 1000;

/**
 * Waits until all objects are Current (KB51), by watch from the state each was written in; reads them again when the watch fails.
 * Returns undefined, or Flux's text for what was not ready in time.
 * @param objects as the server answered their apply: those already Current cost no request
 */
export async function waitForCurrent(
  client: KubeClient,
  objects: readonly KubeObject[],
  options: StageWaitOptions,
): Promise<string | undefined> {
  const { clock, timeout, signal } = options;
  const waits = objects.map((object) => new ObjectWait(object, clock)).filter((wait) => !wait.isCurrent);
  if (waits.length === 0) return undefined;
  const end = new AbortController();
  const cancel = clock.after(milliseconds(timeout), () => end.abort());
  const ended = signal === undefined ? end.signal : AbortSignal.any([end.signal, signal]);
  try {
    await Promise.all(waits.map((wait) => wait.run(client, ended)));
  } finally {
    cancel();
  }
  const verdict = judge(
    waits.map((wait) => wait.checked()),
    { failFast: false, timedOut: end.signal.aborted },
  );
  return verdict.kind === 'failed' ? verdict.message : undefined;
}

/** Follows one object until it is Current or Failed. */
class ObjectWait {
  readonly #clock: Clock;
  #object: KubeObject;

  constructor(object: KubeObject, clock: Clock) {
    this.#object = object;
    this.#clock = clock;
  }

  get isCurrent(): boolean {
    return this.checked().result?.status === 'Current';
  }

  checked(): Checked {
    return { ref: objectRef(this.#object), result: computeStatus(this.#object, { now: this.#clock.now() }) };
  }

  async run(client: KubeClient, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#ended()) {
      try {
        await this.#watch(client, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!isKubeError(error)) throw error;
        await sleep(this.#clock, milliseconds(POLL_INTERVAL), signal).catch(() => undefined);
        if (!signal.aborted) this.#object = (await client.find(targetOf(this.#object), { signal }).catch(() => undefined)) ?? this.#object;
      }
    }
  }

  async #watch(client: KubeClient, signal: AbortSignal): Promise<void> {
    const { metadata } = this.#object;
    const events = client.watch(this.#object, {
      signal,
      fieldSelector: `metadata.name=${metadata.name}`,
      timeout: 60_000,
      ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
      ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
    });
    for await (const event of events) {
      if (event.type === 'added' || event.type === 'modified') this.#object = event.object;
      if (this.#ended()) return;
    }
  }

  /** A definition that was refused will not become ready by waiting. */
  #ended(): boolean {
    const status = this.checked().result?.status;
    return status === 'Current' || status === 'Failed';
  }
}

/** Waits until an object with this uid is gone. Returns false when time ran out first. */
export async function waitForGone(client: KubeClient, object: KubeObject, options: StageWaitOptions): Promise<boolean> {
  const { clock, timeout, signal } = options;
  const deadline = clock.now() + timeout;
  for (let resourceVersion = object.metadata.resourceVersion; clock.now() < deadline;) {
    try {
      const events = client.watch(object, {
        signal,
        fieldSelector: `metadata.name=${object.metadata.name}`,
        timeout: Math.max(1000, deadline - clock.now()),
        resourceVersion: resourceVersion ?? '0',
        ...(object.metadata.namespace === undefined ? {} : { namespace: object.metadata.namespace }),
      });
      for await (const event of events)
        if (event.type === 'deleted' || (event.type !== 'bookmark' && event.object.metadata.uid !== object.metadata.uid)) return true;
    } catch (error) {
      if (!isKubeError(error) || error.code === 'Aborted') throw error;
      await sleep(clock, milliseconds(POLL_INTERVAL), signal);
    }
    if (signal?.aborted === true) return false;
    const now = await client.find(targetOf(object), { signal, form: 'metadata' });
    if (now === undefined || now.metadata.uid !== object.metadata.uid) return true;
    resourceVersion = now.metadata.resourceVersion;
  }
  return false;
}
