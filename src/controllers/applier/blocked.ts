/** Who waits for its dependencies: wakers by key. */
export class Blocked {
  readonly #wakers = new Map<string, Set<() => void>>();

  /** Calls `wake` when a dependency of `key` moved. Returns how to stop. */
  add(key: string, wake: () => void): () => void {
    const wakers = this.#wakers.get(key) ?? new Set();
    wakers.add(wake);
    this.#wakers.set(key, wakers);
    return () => {
      wakers.delete(wake);
      if (wakers.size === 0) this.#wakers.delete(key);
    };
  }

  /** Wakes who waits under this key. */
  wake(key: string): void {
    for (const wake of this.#wakers.get(key) ?? []) wake();
  }
}
