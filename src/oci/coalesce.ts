/**
 * Runs equal work once: callers with the same key while it is under way share its result. Each caller's signal ends only its own
 * wait; the work itself is aborted when nobody waits any more.
 */
export class Coalescer {
  readonly #running = new Map<string, Running>();

  run<T>(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (signal.aborted) return Promise.reject(toError(signal.reason));
    let running = this.#running.get(key);
    if (running === undefined) {
      const abort = new AbortController();
      const started: Running = { result: work(abort.signal), waiting: 0, abort };
      running = started;
      this.#running.set(key, started);
      const forget = (): void => {
        if (this.#running.get(key) === started) this.#running.delete(key);
      };
      started.result.then(forget, forget);
    }
    // The key names the kind of work, so equal keys mean equal result types.
    return this.#wait(key, running, signal) as Promise<T>;
  }

  #wait(key: string, running: Running, signal: AbortSignal): Promise<unknown> {
    running.waiting++;
    return new Promise((resolve, reject) => {
      let waits = true;
      const leave = (): void => {
        if (waits) running.waiting--;
        waits = false;
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => {
        leave();
        const giveUp = (): void => reject(toError(signal.reason));
        if (running.waiting > 0) {
          giveUp();
          return;
        }
        if (this.#running.get(key) === running) this.#running.delete(key);
        running.abort.abort(signal.reason);
        // Work that ends at once when it is aborted says best what it was waiting for.
        setImmediate(() => setImmediate(giveUp));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      running.result.then(
        (value) => {
          leave();
          resolve(value);
        },
        (error: unknown) => {
          leave();
          reject(toError(error));
        },
      );
    });
  }
}

type Running = { result: Promise<unknown>; waiting: number; abort: AbortController };

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
