import { milliseconds, sleep, systemClock } from '../std/index.ts';
import { objectRef, type KubeObject } from '../manifest/index.ts';
import { isKubeError } from '../kube/index.ts';
import type { Change } from './change-set.ts';
import { ApplyError, dryRunFailure, type ApplyErrorCode, type ObjectFailure } from './errors.ts';
import { compileIgnoreRules } from './ignore-rules.ts';
import { inventoryEntry, mergeInventories, type Inventory, type InventoryEntry } from './inventory.ts';
import { defaultTakeover } from './managed-fields.ts';
import { MARKS, hasMark, withOwner } from './marks.ts';
import { normalise } from './normalise.ts';
import { toStages, toWaves, type Stage } from './order.ts';
import { driftOf, firstStep, prepare, toKnown, type Policy, type Prepared, type Write } from './plan.ts';
import { mapLimited } from './pool.ts';
import { waitForCurrent } from './stage-wait.ts';
import type { ApplyRequest, ApplyResult, ApplyWarning, DriftReport, Known, LiveRecord } from './request.ts';
import { examine, type Examined } from './examine.ts';
import { writeObject, type WriteOutcome } from './write.ts';

const DEFAULT_CONCURRENCY = 16;
const DEFAULT_STAGE_TIMEOUT = 60_000;
const NO_KINDS: ReadonlySet<string> = new Set();

/**
 * Applies a set of objects by server-side apply, stage by stage (KB50–KB60). In each stage: what hashes prove unchanged costs nothing; all
 * others are dry-run in parallel, and when any of those fails nothing of the stage is written; then what differs is written. A stage that needs
 * only one request is sent without its dry-run, which could tell nothing more.
 * @throws ApplyError with every failure and what was done before it
 * @throws CodedError `IgnoreRuleInvalid`
 */
export async function applyObjects(request: ApplyRequest): Promise<ApplyResult> {
  return new Run(request).run();
}

/** One apply on its way: what it has done so far, so that a failure can say. */
class Run {
  readonly #request: ApplyRequest;
  readonly #policy: Policy;
  readonly #concurrency: number;
  readonly #changes: Change[] = [];
  readonly #entries: InventoryEntry[] = [];
  readonly #known = new Map<string, Known>();
  readonly #applied = new Map<string, KubeObject>();
  readonly #drift: DriftReport[] = [];
  readonly #warnings: ApplyWarning[] = [];
  /** Entries that a write was begun for, whether or not its answer came. */
  #attempted: InventoryEntry[] = [];
  #announced = false;
  #definedHere = false;

  constructor(request: ApplyRequest) {
    const { fieldManager, takeover, ignore } = request;
    this.#request = request;
    this.#policy = { fieldManager, takeover: takeover ?? defaultTakeover(fieldManager), ignore: compileIgnoreRules(ignore ?? []) };
    this.#concurrency = request.concurrency ?? DEFAULT_CONCURRENCY;
  }

  async run(): Promise<ApplyResult> {
    const { objects, owner, customStageKinds } = this.#request;
    const desired = objects.map((object) => withOwner(normalise(object), owner));
    for (const stage of toStages(desired, customStageKinds ?? NO_KINDS)) {
      this.#assertNotAborted();
      await this.#applyStage(stage);
    }
    return this.#result({ entries: this.#entries });
  }

  async #applyStage(stage: Stage): Promise<void> {
    const prepared = await this.#prepareStage(stage);
    const decided = await this.#decide(prepared);
    const writes = decided.filter((each) => each.write !== undefined);
    if (writes.length > 0) await this.#announce(writes);
    const outcomes = await this.#write(writes);
    for (const each of decided) this.#settle(each, outcomes.get(each.object.key));
    if (stage.wait && outcomes.size > 0) await this.#waitFor([...outcomes.values()].map(({ answer }) => answer));
  }

  /** Finds each object's collection: a cluster-scoped one loses its namespace, as the server would take it away. */
  async #prepareStage(stage: Stage): Promise<Prepared[]> {
    const { client, signal } = this.#request;
    const prepared: Prepared[] = [];
    const failures: ObjectFailure[] = [];
    for (const object of stage.objects) {
      try {
        const known = client.mapper.cached(object);
        const resource = known ?? (await this.#patiently(() => client.mapper.resource(object, signal)));
        prepared.push(toPrepared(object, resource.namespaced));
      } catch (error) {
        failures.push(dryRunFailure(objectRef(object), error));
      }
    }
    if (failures.length > 0) throw this.#failure('DryRunFailed', failures);
    return prepared;
  }

  async #decide(prepared: readonly Prepared[]): Promise<Decided[]> {
    const decided = prepared.map((object): Decided => this.#firstLook(object));
    const open = decided.filter((each) => each.step === 'dry-run');
    const [only] = open;
    if (open.length === 1 && only !== undefined && this.#mayGoDirectly(only)) {
      only.write = { action: 'configured', payload: only.object.desired, base: only.live?.resourceVersion ?? '' };
      only.direct = true;
      return decided;
    }
    const examined = await mapLimited(open, this.#concurrency, (each) => this.#examine(each));
    const failures = examined.flatMap((result) => (result.kind === 'failed' ? [result.failure] : []));
    if (failures.length > 0) throw this.#failure('DryRunFailed', failures);
    for (const [index, result] of examined.entries()) {
      const each = open[index];
      if (each !== undefined && result.kind === 'decided') this.#take(each, result);
    }
    return decided;
  }

  #firstLook(object: Prepared): Decided {
    const { known, live } = this.#request;
    const remembered = known?.get(object.key);
    const record = live?.find(object.ref, object.desired.apiVersion);
    const first = firstStep(object, remembered, record);
    const seen = record === 'absent' ? undefined : record;
    if (first.kind === 'unchanged') return { object, known: first.known, live: seen, step: 'unchanged' };
    if (remembered !== undefined && record !== undefined && first.kind === 'dry-run') {
      const drift = driftOf(remembered, record, hasMark(object.desired.metadata, MARKS.ssaMerge));
      if (drift !== undefined) return { object, known: remembered, live: seen, step: 'dry-run', drift };
    }
    return { object, known: remembered, live: seen, step: first.kind };
  }

  /** A single object whose live state is known to need no care: its apply is as safe as its dry-run. */
  #mayGoDirectly({ known, live, drift }: Decided): boolean {
    return (
      known !== undefined &&
      live !== undefined &&
      drift === undefined &&
      !live.foreign &&
      !live.deleting &&
      this.#policy.ignore.length === 0
    );
  }

  async #examine({ object, known, live, drift }: Decided): Promise<Examined> {
    const { client, force, signal } = this.#request;
    return this.#patiently(async () =>
      examine(object, { client, policy: this.#policy, known, live, drift, force: force ?? false, signal }),
    );
  }

  /** A kind whose definition was applied a moment ago may take another moment to be served. */
  async #patiently<T>(call: () => Promise<T>): Promise<T> {
    const { clock = systemClock, signal } = this.#request;
    for (let attempt = 0; ; attempt++) {
      const last = !this.#definedHere || attempt >= SERVED_ATTEMPTS;
      try {
        const result = await call();
        if (last || !isUnserved(result)) return result;
      } catch (error) {
        if (last || !isKubeError(error, 'NoMatch')) throw error;
      }
      await sleep(clock, milliseconds(SERVED_INTERVAL), signal);
    }
  }

  #take(each: Decided, result: Examined & { kind: 'decided' }): void {
    this.#warnings.push(...result.warnings);
    if (result.drift !== undefined) this.#drift.push(result.drift);
    switch (result.next.kind) {
      case 'skipped':
        each.step = 'skipped';
        break;
      case 'unchanged':
        each.step = 'unchanged';
        each.known = result.next.known;
        break;
      case 'write':
        each.write = result.next.write;
        each.recreate = result.recreate;
        break;
    }
  }

  /** Tells the caller which objects beyond the old inventory are about to exist, before they do. */
  async #announce(writes: readonly Decided[]): Promise<void> {
    const { inventory, beforeWrite } = this.#request;
    const entries = writes.map(({ object }) => entryOf(object));
    const held = new Set(inventory.entries.map(({ id }) => id));
    if (beforeWrite !== undefined && !this.#announced && entries.some(({ id }) => !held.has(id))) {
      this.#announced = true;
      const all = this.#request.objects.map((object) =>
        entryOf(toPrepared(object, this.#request.client.mapper.cached(object)?.namespaced ?? true)),
      );
      await beforeWrite(mergeInventories(inventory, { entries: all }));
    }
    this.#attempted = [...this.#attempted, ...entries];
  }

  async #write(writes: readonly Decided[]): Promise<Map<string, Written>> {
    const outcomes = new Map<string, Written>();
    const failures: ObjectFailure[] = [];
    for (const wave of toWaves(writes, ({ object }) => object.ref.kind)) {
      this.#assertNotAborted();
      await mapLimited(wave, this.#concurrency, async (each) => {
        const outcome = await this.#writeOne(each);
        if (outcome?.kind === 'failed') failures.push(outcome.failure);
        else if (outcome !== undefined) outcomes.set(each.object.key, outcome);
      });
      if (failures.length > 0) {
        for (const each of writes) this.#settleWritten(each, outcomes.get(each.object.key));
        throw this.#failure(failures[0]?.code ?? 'ApplyFailed', failures);
      }
    }
    return outcomes;
  }

  async #writeOne(each: Decided): Promise<WriteOutcome | undefined> {
    const { client, signal, clock = systemClock } = this.#request;
    const { object, write, recreate } = each;
    if (write === undefined) return undefined;
    const outcome = await writeObject(object, write, { client, policy: this.#policy, recreate, signal, clock });
    if (outcome.kind === 'written' || each.direct !== true) return outcome;
    // Sent without a dry-run and refused: now the dry-run is worth it, for it may find a way (unknown fields, recreation) or the right words.
    const examined = await this.#examine(each);
    if (examined.kind === 'failed') return examined;
    each.direct = false;
    delete each.write;
    this.#take(each, examined);
    return this.#writeOne(each);
  }

  #settle(each: Decided, written: Written | undefined): void {
    if (written !== undefined) {
      this.#settleWritten(each, written);
      return;
    }
    const { object, known, step } = each;
    this.#entries.push(entryOf(object));
    this.#changes.push({ ref: object.ref, apiVersion: object.desired.apiVersion, action: step === 'skipped' ? 'skipped' : 'unchanged' });
    if (step === 'unchanged' && known !== undefined) this.#known.set(object.key, known);
  }

  #settleWritten({ object }: Decided, written: Written | undefined): void {
    if (written === undefined) return;
    this.#entries.push(entryOf(object));
    this.#changes.push({ ref: object.ref, apiVersion: object.desired.apiVersion, action: written.action });
    this.#known.set(object.key, toKnown(object, written.answer, this.#policy.fieldManager));
    this.#applied.set(object.key, written.answer);
    if (object.ref.kind === 'CustomResourceDefinition') {
      this.#request.client.mapper.learn(written.answer);
      this.#definedHere = true;
    }
  }

  async #waitFor(answers: readonly KubeObject[]): Promise<void> {
    const { client, stageTimeout, clock = systemClock, signal } = this.#request;
    const problem = await waitForCurrent(client, answers, { clock, timeout: stageTimeout ?? DEFAULT_STAGE_TIMEOUT, signal });
    this.#assertNotAborted();
    if (problem !== undefined) throw this.#failure('StageNotReady', [], problem);
  }

  #assertNotAborted(): void {
    if (this.#request.signal?.aborted === true) throw this.#failure('Aborted', [], 'apply objects: aborted');
  }

  #failure(code: ApplyErrorCode, failures: readonly ObjectFailure[], message?: string): ApplyError {
    const { inventory } = this.#request;
    const kept = mergeInventories(inventory, { entries: [...this.#entries, ...this.#attempted] });
    return new ApplyError(code, failures, this.#result(kept), message);
  }

  #result(inventory: Inventory): ApplyResult {
    return {
      changes: this.#changes,
      inventory,
      known: this.#known,
      applied: this.#applied,
      drift: this.#drift,
      warnings: this.#warnings,
    };
  }
}

/** One object on its way through a stage. */
type Decided = {
  object: Prepared;
  known: Known | undefined;
  live: LiveRecord | undefined;
  step: 'skipped' | 'unchanged' | 'dry-run';
  drift?: 'gone' | 'changed' | 'foreign';
  write?: Write;
  recreate?: boolean | undefined;
  /** The write was not tried as a dry-run. */
  direct?: boolean;
};

type Written = Extract<WriteOutcome, { kind: 'written' }>;

const SERVED_ATTEMPTS = 50;
const SERVED_INTERVAL = 100;

/** The result of an examination that failed only because the kind is not served yet. */
function isUnserved(result: unknown): boolean {
  const examined = result as Partial<Examined>;
  return examined.kind === 'failed' && isKubeError(examined.failure?.cause, 'NoMatch');
}

function toPrepared(object: KubeObject, namespaced: boolean): Prepared {
  const { namespace: _, ...metadata } = object.metadata;
  const desired = namespaced || object.metadata.namespace === undefined ? object : { ...object, metadata };
  return prepare(objectRef(desired), desired);
}

function entryOf({ ref, desired }: Prepared): InventoryEntry {
  return inventoryEntry(ref, desired.apiVersion);
}
