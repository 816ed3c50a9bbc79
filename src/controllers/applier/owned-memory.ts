import { driftOf, type Known, type LiveRecord, type OwnedChange, type OwnedObjects } from '../../apply/index.ts';
import { objectRefKey, type ObjectRef } from '../../manifest/index.ts';
import { milliseconds, type Duration, type Instant } from '../../std/index.ts';

/**
 * What is remembered between reconciles of the objects one of ours has applied, and of their drift. A cache: without it the next reconcile
 * looks at everything.
 */
export class OwnedMemory {
  known: ReadonlyMap<string, Known> = new Map();
  /** True while a reconcile may be writing: changes seen now are judged when it has ended. */
  busy = false;
  /** True when a manager we take over added fields of its own: taken away at the next reconcile. */
  stray = false;
  /** Attempts that failed in a row for a cause that passes by itself. */
  passing = 0;
  /** Corrections of drift lately, to slow down a fight with another writer. */
  corrections: Instant[] = [];
  readonly #touched = new Map<string, { ref: ObjectRef; record: LiveRecord | undefined }>();

  /** Takes a change of one of its objects. True when it is drift that is to be put right now. */
  noticed({ ref, record }: OwnedChange): boolean {
    if (this.busy) {
      this.#touched.set(objectRefKey(ref), { ref, record });
      return false;
    }
    return this.#isDrift(ref, record);
  }

  /** Ends a reconcile: true when something it did not do itself has drifted meanwhile. */
  settle(): boolean {
    this.busy = false;
    const touched = [...this.#touched.values()];
    this.#touched.clear();
    return touched.some(({ ref, record }) => this.#isDrift(ref, record));
  }

  #isDrift(ref: ObjectRef, record: LiveRecord | undefined): boolean {
    const known = this.known.get(objectRefKey(ref));
    const drift = known === undefined ? undefined : driftOf(known, record ?? 'absent');
    // What kubectl added beside our fields (a rollout restart) does its work until the interval, as with Flux.
    if (drift === 'foreign') this.stray = true;
    return drift === 'gone' || drift === 'changed';
  }
}

/** The memories of all objects of one kind, fed by the watches of what they own. */
export class OwnedMemories<M extends OwnedMemory> {
  readonly #byKey = new Map<string, M>();
  readonly #waiters = new Map<string, Set<(change: OwnedChange) => void>>();
  readonly #labels: { name: string; namespace: string };
  readonly #drifted: (key: string) => void;
  readonly #create: () => M;

  /** @param drifted told the key of an object one of whose own was changed by someone else */
  constructor(labels: { name: string; namespace: string }, create: () => M, drifted: (key: string) => void) {
    this.#create = create;
    this.#labels = labels;
    this.#drifted = drifted;
  }

  /** Follows the objects we own in one more cluster. */
  follow(owned: OwnedObjects): void {
    owned.subscribe((change) => {
      const record = change.record ?? change.previous;
      const [name, namespace] = [record?.labels[this.#labels.name], record?.labels[this.#labels.namespace]];
      if (name === undefined || namespace === undefined) return;
      const key = `${namespace}/${name}`;
      if (this.#byKey.get(key)?.noticed(change) === true) this.#drifted(key);
      for (const tell of this.#waiters.get(key) ?? []) tell(change);
    });
  }

  /** The memory of an object; a new one when there is none. */
  of(key: string): M {
    let memory = this.#byKey.get(key);
    if (memory === undefined) {
      memory = this.#create();
      this.#byKey.set(key, memory);
    }
    return memory;
  }

  /** Forgets an object that is gone. */
  forget(key: string): void {
    this.#byKey.delete(key);
  }

  /** Calls `tell` for every change of what this object owns. Returns how to stop. */
  onChange(key: string, tell: (change: OwnedChange) => void): () => void {
    const waiters = this.#waiters.get(key) ?? new Set();
    waiters.add(tell);
    this.#waiters.set(key, waiters);
    return () => {
      waiters.delete(tell);
      if (waiters.size === 0) this.#waiters.delete(key);
    };
  }
}

const FIGHT_WINDOW = 60_000;
const FREE_CORRECTIONS = 5;
const SLOWEST = 60_000;

/** How long to wait before putting drift right: nothing, unless there were many corrections within a minute (a fight with another writer). */
export function correctionDelay(memory: Pick<OwnedMemory, 'corrections'>, now: Instant): Duration {
  memory.corrections = [...memory.corrections.filter((at) => now - at < FIGHT_WINDOW), now].slice(-50);
  const excess = memory.corrections.length - FREE_CORRECTIONS;
  return milliseconds(excess <= 0 ? 0 : Math.min(SLOWEST, 1000 * 2 ** Math.min(excess, 10)));
}
