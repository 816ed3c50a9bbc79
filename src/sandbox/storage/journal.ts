import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { CodedError, errorMessage } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { readJson, writeJson } from './json-text.ts';
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
  readonly #compactBytes: number;
  #log = -1;
  #size = 0;
  #snapshotSize = 0;
  #unflushed = 0;

  constructor(folder: string, store: Store, options: { flushEvery?: number; compactBytes?: number } = {}) {
    this.#folder = folder;
    this.#store = store;
    this.#flushEvery = options.flushEvery ?? 256;
    this.#compactBytes = options.compactBytes ?? COMPACT_BYTES;
  }

  /** Reads what the folder holds into the store, then records every change. @throws CodedError `StorageFailed` */
  open(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    this.#lock();
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
    rmSync(this.#path('lock'), { force: true });
  }

  /** Two processes in one folder would mix their logs. */
  #lock(): void {
    const path = this.#path('lock');
    const holder = holderOf(path);
    if (holder !== undefined) {
      throw new CodedError({
        code: 'StorageFailed',
        message: `open ${this.#folder}: process ${holder} uses it`,
        subject: this.#folder,
        remedy: `end that process, or delete ${path} if it is no sandbox`,
        retryable: false,
      });
    }
    writeFileSync(path, `${process.pid} ${startOf(process.pid) ?? ''}`, { mode: 0o600 });
  }

  #append(change: Change): void {
    if (this.#log < 0) return;
    const line: Line = { r: change.revision, c: change.collection, o: change.object, ...(change.type === 'deleted' ? { d: true } : {}) };
    const text = Buffer.from(`${writeJson(line)}\n`);
    writeSync(this.#log, text);
    this.#size += text.length;
    this.#unflushed += 1;
    if (this.#unflushed >= this.#flushEvery) {
      fsyncSync(this.#log);
      this.#unflushed = 0;
    }
    if (this.#size > Math.max(this.#compactBytes, this.#snapshotSize)) this.#compact();
  }

  /** Writes a snapshot beside the old one, renames it over, and only then empties the log: replaying both gives the same state. */
  #compact(): void {
    const lines: string[] = [];
    for (const collection of this.#store.collections()) {
      for (const object of this.#store.list(collection))
        lines.push(writeJson({ r: Number(object.metadata.resourceVersion), c: collection, o: object } satisfies Line));
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
        this.#apply(readJson(line) as unknown as Partial<Line> & { r: number });
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

/** The other process that holds a lock. A lock outlives a process that was killed, and its number may be another's by now. */
function holderOf(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const [pid = 0, start = ''] = readFileSync(path, 'utf8').split(' ');
  const holder = Number(pid);
  if (holder === process.pid || !isRunning(holder)) return undefined;
  const now = startOf(holder);
  return now !== undefined && start !== '' && now !== start ? undefined : holder;
}

/** When a process started, in the words of Linux; undefined elsewhere. */
function startOf(pid: number): string | undefined {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return undefined;
  // Fields after the name, which ends with the last parenthesis: the 22nd of all is the start.
  return readFileSync(path, 'utf8').split(') ').at(-1)?.split(' ')[19];
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process may not be asked, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
