import { Lru } from '../std/index.ts';

/** Readers of layers remembered. */
const REMEMBERED = 50_000;

/** Who had the bytes of what: to know a digest is not to have access to what it names. */
export class Readers {
  readonly #had = new Lru<string, true>(REMEMBERED);
  readonly #reading = new Map<string, Promise<void>>();

  /** Remembers that a reader had the bytes. */
  remember(key: string): void {
    this.#had.set(key, true);
  }

  /** Makes sure that a reader had the bytes: `read` gets them unless it did before. Those who want the same at the same time share one read. */
  async prove(key: string, read: () => Promise<void>): Promise<void> {
    for (;;) {
      if (this.#had.get(key) !== undefined) return;
      const reading = this.#reading.get(key);
      if (reading === undefined) break;
      // Whoever started may have been told to stop: its failure is not this caller's.
      await reading.catch(() => undefined);
    }
    const started = read().finally(() => this.#reading.delete(key));
    this.#reading.set(key, started);
    await started;
    this.remember(key);
  }
}
