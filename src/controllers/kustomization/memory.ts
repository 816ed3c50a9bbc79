import { driftOf, type ChangeSet, type Known, type LiveRecord, type OwnedChange, type OwnedObjects } from '../../apply/index.ts';
import { objectRefKey, type KubeObject, type ObjectRef } from '../../manifest/index.ts';
import { milliseconds, type Duration, type Instant } from '../../std/index.ts';

/** The inputs of the last reconcile that went well; equal inputs give an equal end. */
export type Success = {
  uid: string;
  generation: number;
  /** Hash of what the build read. */
  content: string;
  reads: ReadonlySet<string>;
  folder: string;
  /** Hash of the variables; empty without any. */
  variables: string;
  /** Hash of the build, for status.history. */
  digest: string;
};

/** What the controller remembers of one Kustomization between reconciles. A cache: without it the next reconcile looks at everything. */
export class Memory {
  success: Success | undefined;
  known: ReadonlyMap<string, Known> = new Map();
  /** Who applied: another account has to show that it may. */
  identity = '';
  /** What the last apply was about, for health checks of an unchanged Kustomization. */
  changes: ChangeSet = [];
  jobs: readonly KubeObject[] = [];
  /** True while a reconcile may be writing: changes seen now are judged when it has ended. */
  busy = false;
  /** True when a manager we take over added fields of its own: taken away at the next reconcile. */
  stray = false;
  /** Attempts that failed in a row for a cause that passes by itself. */
  passing = 0;
  /** Corrections of drift lately, to slow down a fight with another writer. */
  corrections: Instant[] = [];
  readonly #touched = new Map<string, { ref: ObjectRef; record: LiveRecord | undefined }>();

  /** Makes sure that what is known was found out as this account. */
  actAs(identity: string): void {
    if (this.identity !== identity) this.known = new Map();
    this.identity = identity;
  }

  /** Keeps of an apply what later health checks need. */
  remember(changes: ChangeSet, objects: readonly KubeObject[]): void {
    this.changes = changes;
    this.jobs = objects.filter(({ kind }) => kind === 'Job');
  }

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

/** The memories of all Kustomizations, fed by the watches of what they own. */
export class Memories {
  readonly #byKey = new Map<string, Memory>();
  readonly #waiters = new Map<string, Set<(change: OwnedChange) => void>>();
  readonly #labels: { name: string; namespace: string };
  readonly #drifted: (key: string) => void;

  /** @param drifted told the key of a Kustomization one of whose objects was changed by someone else */
  constructor(labels: { name: string; namespace: string }, drifted: (key: string) => void) {
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

  /** The memory of a Kustomization; a new one when there is none. */
  of(key: string): Memory {
    let memory = this.#byKey.get(key);
    if (memory === undefined) {
      memory = new Memory();
      this.#byKey.set(key, memory);
    }
    return memory;
  }

  /** Forgets a Kustomization that is gone. */
  forget(key: string): void {
    this.#byKey.delete(key);
  }

  /** Calls `tell` for every change of an object of this Kustomization. Returns how to stop. */
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
export function correctionDelay(memory: Pick<Memory, 'corrections'>, now: Instant): Duration {
  memory.corrections = [...memory.corrections.filter((at) => now - at < FIGHT_WINDOW), now].slice(-50);
  const excess = memory.corrections.length - FREE_CORRECTIONS;
  return milliseconds(excess <= 0 ? 0 : Math.min(SLOWEST, 1000 * 2 ** Math.min(excess, 10)));
}
