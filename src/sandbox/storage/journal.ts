import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { CodedError, errorMessage } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import type { Change, Store } from './store.ts';

/** A log larger than this, and than the snapshot, is folded into a new snapshot. */
const COMPACT_BYTES = 16 << 20;

type Line = { r: number; c: string; o: KubeObject; d?: true };

/**
 * Keeps a store in a folder: a snapshot and a log of the changes since. A change is in the log (one write to the file) before the
 * API answers, so killing the process loses nothing; the log is flushed to disk (`fsync`) every `flushEvery` changes and when closed, so
 * a power cut can lose the last few.
 */
export class Journal {
  readonly #folder: string;
  readonly #store: Store;
  readonly #flushEvery: number;
  #log = -1;
  #size = 0;
  #snapshotSize = 0;
  #unflushed = 0;

  constructor(folder: string, store: Store, flushEvery = 256) {
    this.#folder = folder;
    this.#store = store;
    this.#flushEvery = flushEvery;
  }

  /** Reads what the folder holds into the store, then records every change. @throws CodedError `StorageFailed` */
  open(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#snapshotSize = this.#replay(this.#path('snapshot.jsonl'), true);
    this.#size = this.#replay(this.#path('log.jsonl'), false);
    this.#log = openSync(this.#path('log.jsonl'), 'a+', 0o600);
    // What follows the last whole line is a write that a crash cut short.
    ftruncateSync(this.#log, this.#size);
    this.#store.watch(undefined, undefined, (change) => this.#append(change));
  }

  /** Flushes and closes. */
  close(): void {
    if (this.#log < 0) return;
    fsyncSync(this.#log);
    closeSync(this.#log);
    this.#log = -1;
  }

  #append(change: Change): void {
    if (this.#log < 0) return;
    const line: Line = { r: change.revision, c: change.collection, o: change.object, ...(change.type === 'deleted' ? { d: true } : {}) };
    const text = Buffer.from(`${JSON.stringify(line)}\n`);
    writeSync(this.#log, text);
    this.#size += text.length;
    this.#unflushed += 1;
    if (this.#unflushed >= this.#flushEvery) {
      fsyncSync(this.#log);
      this.#unflushed = 0;
    }
    if (this.#size > Math.max(COMPACT_BYTES, this.#snapshotSize)) this.#compact();
  }

  /** Writes a snapshot beside the old one, renames it over, and only then empties the log: replaying both gives the same state. */
  #compact(): void {
    const lines: string[] = [];
    for (const collection of this.#store.collections()) {
      for (const object of this.#store.list(collection))
        lines.push(JSON.stringify({ r: Number(object.metadata.resourceVersion), c: collection, o: object } satisfies Line));
    }
    lines.push(JSON.stringify({ r: this.#store.revision }));
    const text = `${lines.join('\n')}\n`;
    const temporary = this.#path('snapshot.tmp');
    const file = openSync(temporary, 'w', 0o600);
    writeFileSync(file, text);
    fsyncSync(file);
    closeSync(file);
    renameSync(temporary, this.#path('snapshot.jsonl'));
    ftruncateSync(this.#log, 0);
    this.#snapshotSize = Buffer.byteLength(text);
    this.#size = 0;
    this.#unflushed = 0;
  }

  /** Applies a file's whole lines; gives the bytes they take. */
  #replay(path: string, complete: boolean): number {
    if (!existsSync(path)) return 0;
    const text = readFileSync(path, 'utf8');
    const end = text.lastIndexOf('\n') + 1;
    for (const [i, line] of text.slice(0, end).split('\n').entries()) {
      if (line === '') continue;
      try {
        this.#apply(JSON.parse(line) as Partial<Line> & { r: number });
      } catch (error) {
        throw new CodedError({
          code: 'StorageFailed',
          message: `read ${path} line ${i + 1}: ${errorMessage(error)}`,
          subject: path,
          cause: error,
          remedy: 'move the folder away to start empty',
          retryable: false,
        });
      }
    }
    if (complete && end !== text.length)
      throw new CodedError({ code: 'StorageFailed', message: `read ${path}: cut short`, subject: path, retryable: false });
    return Buffer.byteLength(text.slice(0, end));
  }

  #apply(line: Partial<Line> & { r: number }): void {
    if (line.c !== undefined && line.o !== undefined) {
      if (line.d === true) this.#store.forget(line.c, line.o);
      // A log that outlived its snapshot repeats older states; the newest wins because lines are in order.
      else this.#store.restore(line.c, line.o);
    }
    this.#store.restoreRevision(line.r);
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }
}
