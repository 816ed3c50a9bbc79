/**
 * Where a registry keeps its bytes: named values under `/`-separated keys. Every write is all or nothing, so that a registry killed at
 * any point finds either the old value or the new one.
 */
export interface RegistryStore {
  /** Bytes of a value; undefined when there is none. */
  size(key: string): Promise<number | undefined>;
  get(key: string): Promise<Uint8Array | undefined>;
  /** The bytes of a value from `start` to before `end`. */
  read(key: string, start: number, end: number): AsyncIterable<Uint8Array>;
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Adds to the end of a value, creating it; not atomic, used for uploads only. */
  append(key: string, chunk: Uint8Array): Promise<void>;
  /** Makes the value of `from` the value of `to`. */
  move(from: string, to: string): Promise<void>;
  /** False when there was nothing to delete. */
  delete(key: string): Promise<boolean>;
  /** Names directly below a key that lead to values or further keys, in byte order. */
  list(key: string): Promise<readonly string[]>;
}

/** A store that lives as long as the process. */
export function memoryStore(): RegistryStore {
  return new MemoryStore();
}

class MemoryStore implements RegistryStore {
  readonly #values = new Map<string, Uint8Array>();
  // Uploads grow by pieces; joined once, when they are moved.
  readonly #pieces = new Map<string, Uint8Array[]>();
  readonly #folders = new Map<string, Map<string, number>>();

  size(key: string): Promise<number | undefined> {
    const pieces = this.#pieces.get(key);
    return Promise.resolve(pieces === undefined ? this.#values.get(key)?.length : pieces.reduce((sum, piece) => sum + piece.length, 0));
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#value(key));
  }

  async *read(key: string, start: number, end: number): AsyncGenerator<Uint8Array> {
    const value = await this.get(key);
    if (value !== undefined) for (let at = start; at < end; at += 65_536) yield value.subarray(at, Math.min(end, at + 65_536));
  }

  put(key: string, bytes: Uint8Array): Promise<void> {
    this.#pieces.delete(key);
    this.#enter(key);
    this.#values.set(key, bytes);
    return Promise.resolve();
  }

  append(key: string, chunk: Uint8Array): Promise<void> {
    let pieces = this.#pieces.get(key);
    if (pieces === undefined) {
      const whole = this.#values.get(key);
      pieces = whole === undefined ? [] : [whole];
      this.#enter(key);
      this.#values.set(key, new Uint8Array());
      this.#pieces.set(key, pieces);
    }
    pieces.push(Uint8Array.from(chunk));
    return Promise.resolve();
  }

  async move(from: string, to: string): Promise<void> {
    const value = this.#value(from);
    await this.delete(from);
    if (value !== undefined) await this.put(to, value);
  }

  delete(key: string): Promise<boolean> {
    this.#pieces.delete(key);
    const existed = this.#values.delete(key);
    if (existed) this.#leave(key);
    return Promise.resolve(existed);
  }

  list(key: string): Promise<readonly string[]> {
    return Promise.resolve([...(this.#folders.get(key)?.keys() ?? [])].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  }

  #value(key: string): Uint8Array | undefined {
    const pieces = this.#pieces.get(key);
    return pieces === undefined ? this.#values.get(key) : Buffer.concat(pieces);
  }

  /** Counts, in every folder above a value, how many values lead through each name. */
  #enter(key: string): void {
    if (this.#values.has(key)) return;
    for (const [folder, name] of ancestors(key)) {
      const names = this.#folders.get(folder) ?? new Map<string, number>();
      names.set(name, (names.get(name) ?? 0) + 1);
      this.#folders.set(folder, names);
    }
  }

  #leave(key: string): void {
    for (const [folder, name] of ancestors(key)) {
      const names = this.#folders.get(folder);
      const left = (names?.get(name) ?? 1) - 1;
      if (left > 0) names?.set(name, left);
      else names?.delete(name);
    }
  }
}

function ancestors(key: string): [string, string][] {
  const parts = key.split('/');
  return parts.map((name, index) => [parts.slice(0, index).join('/'), name]);
}
