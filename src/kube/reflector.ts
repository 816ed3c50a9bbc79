import { backoffDelay, milliseconds, minutes, seconds, sleep, type Backoff, type Clock } from '../std/index.ts';
import { KubeError, isKubeError } from './errors.ts';
import { keyOf, type Store } from './store.ts';
import type { KindRef, KubeClient, ListOptions, WatchEvent } from './kube-client.ts';

export type ReflectorOptions = Pick<ListOptions, 'namespace' | 'labelSelector' | 'fieldSelector' | 'form'> & {
  clock: Clock;
  random: () => number;
  /** Called with each failure that is being recovered from, for logs and metrics. */
  onError?: ((error: KubeError) => void) | undefined;
};

const BACKOFF: Backoff = { base: milliseconds(800), max: seconds(30), factor: 2, jitter: 0.5 };
/** The server ends a watch after this long, and half as long again at most; spread so that watches do not end together. */
const WATCH_TIMEOUT = minutes(5);
/** The server sends a bookmark about every minute; a connection silent for longer than this is taken for dead. */
const IDLE_TIMEOUT = seconds(150);
/** A watch that broke this many times soon after it began, without one event, is replaced by a fresh list. */
const FRUITLESS_LIMIT = 3;
/** A watch open for this long was no failure, even if it then broke in silence (a proxy that cuts idle connections). */
const LASTING = seconds(10);

/**
 * Keeps a {@link Store} equal to a collection: list, watch from there, resume where the watch ended, list again when the server has
 * forgotten that point (410). Survives dropped and silent connections, malformed events, ERROR events, time-outs and an absent kind, with
 * jittered back-off; it ends only when its signal aborts.
 */
export class Reflector {
  readonly #client: KubeClient;
  readonly #kind: KindRef;
  readonly #store: Store;
  readonly #options: ReflectorOptions;
  readonly #onSynced: () => void;
  #failures = 0;
  #fruitless = 0;
  resourceVersion = '';
  lastError: KubeError | undefined;

  constructor(client: KubeClient, kind: KindRef, store: Store, options: ReflectorOptions, onSynced: () => void) {
    this.#client = client;
    this.#kind = kind;
    this.#store = store;
    this.#options = options;
    this.#onSynced = onSynced;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.resourceVersion === '') await this.#list(signal);
        await this.#watch(signal);
      } catch (error) {
        if (signal.aborted) return;
        await this.#recover(toKubeError(error), signal);
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { namespace, labelSelector, fieldSelector, form } = this.#options;
    const options: ListOptions = { signal, form: form ?? 'full' };
    if (namespace !== undefined) options.namespace = namespace;
    if (labelSelector !== undefined) options.labelSelector = labelSelector;
    if (fieldSelector !== undefined) options.fieldSelector = fieldSelector;
    const list = await this.#client.list(this.#kind, options);
    this.#store.replace(list.items);
    this.resourceVersion = list.resourceVersion;
    this.#fruitless = 0;
    this.#succeeded();
    this.#onSynced();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { namespace, labelSelector, fieldSelector, form, clock, random } = this.#options;
    const connection = new AbortController();
    const stop = (): void => connection.abort();
    signal.addEventListener('abort', stop, { once: true });
    const opened = clock.now();
    let heard = opened;
    let cancelIdle = clock.after(IDLE_TIMEOUT, checkIdle);
    function checkIdle(): void {
      const silent = clock.now() - heard;
      if (silent >= IDLE_TIMEOUT) stop();
      else cancelIdle = clock.after(milliseconds(IDLE_TIMEOUT - silent), checkIdle);
    }
    try {
      const events = this.#client.watch(this.#kind, {
        signal: connection.signal,
        resourceVersion: this.resourceVersion,
        timeout: WATCH_TIMEOUT * (1 + random() / 2),
        form: form ?? 'full',
        onOpen: () => {
          this.lastError = undefined;
        },
        ...(namespace === undefined ? {} : { namespace }),
        ...(labelSelector === undefined ? {} : { labelSelector }),
        ...(fieldSelector === undefined ? {} : { fieldSelector }),
      });
      for await (const event of events) {
        heard = clock.now();
        this.#succeeded();
        this.#fruitless = 0;
        this.#take(event);
      }
      // Ended by the server or for silence. A server that ends every watch at once must not be hammered.
      if (clock.now() - heard < 1000) await this.#pause(signal);
    } finally {
      if (clock.now() - opened >= LASTING) this.#fruitless = 0;
      cancelIdle();
      signal.removeEventListener('abort', stop);
      connection.abort();
    }
  }

  #take(event: WatchEvent): void {
    switch (event.type) {
      case 'bookmark':
        this.resourceVersion = event.resourceVersion;
        return;
      case 'deleted':
        this.#store.remove(keyOf(event.object), event.object);
        break;
      case 'added':
      case 'modified':
        this.#store.put(event.object);
        break;
    }
    this.resourceVersion = event.object.metadata.resourceVersion ?? this.resourceVersion;
  }

  async #recover(error: KubeError, signal: AbortSignal): Promise<void> {
    this.lastError = error;
    this.#options.onError?.(error);
    this.#fruitless++;
    // `Gone`: the server no longer knows this resourceVersion. `Invalid`/`BadRequest`: it does not accept it (a restored etcd).
    const lost = isKubeError(error, 'Gone', 'NoMatch', 'Invalid', 'BadRequest', 'LimitExceeded') || this.#fruitless >= FRUITLESS_LIMIT;
    if (lost) this.resourceVersion = '';
    if (error.code === 'Gone' && this.#failures === 0) {
      // Compaction is routine: list again at once, but not twice in a row.
      this.#failures = 1;
      return;
    }
    await this.#pause(signal, error.retryAfter);
  }

  async #pause(signal: AbortSignal, atLeast = 0): Promise<void> {
    const { clock, random } = this.#options;
    const delay = Math.max(atLeast, backoffDelay(BACKOFF, this.#failures, random));
    this.#failures++;
    // An abort here only means the loop's condition ends it.
    await sleep(clock, milliseconds(delay), signal).catch(() => undefined);
  }

  #succeeded(): void {
    this.lastError = undefined;
    this.#failures = 0;
  }
}

function toKubeError(error: unknown): KubeError {
  if (error instanceof KubeError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new KubeError({ code: 'ResponseInvalid', message: `reflect: ${message}`, cause: error });
}
