import type { HookRun, Release, ReleaseHook } from '../../../helm/index.ts';
import type { ActionResult } from './action.ts';
import { isCanceled, toError, type Run, type Steps } from './run.ts';

/** The record of the revision an action works on, and whether it is in the cluster. */
export class Ledger {
  readonly #run: Run;
  #release: Release;
  #stored: boolean;

  constructor(run: Run, release: Release, stored = false) {
    this.#run = run;
    this.#release = release;
    this.#stored = stored;
  }

  get release(): Release {
    return this.#release;
  }

  /** True once this action has written it. */
  get stored(): boolean {
    return this.#stored;
  }

  /** Stores the record for the first time. */
  async open(): Promise<void> {
    await this.#run.storage.create(this.#release, this.#run.signal);
    this.#stored = true;
  }

  /** Changes the record here; {@link write} stores it. */
  change(change: Partial<Release>): void {
    this.#release = { ...this.#release, ...change };
  }

  async write(change: Partial<Release> = {}, signal: AbortSignal = this.#run.signal): Promise<void> {
    this.change(change);
    await this.#run.storage.update(this.#release, signal);
    this.#stored = true;
  }

  /** As {@link write}, where going on matters more than the record: a failure is only traced, as in Helm. */
  async tryWrite(change: Partial<Release> = {}): Promise<void> {
    try {
      await this.write(change);
    } catch (error) {
      if (isCanceled(error, this.#run)) throw error;
      this.#run.trace(`failed to store the updated release: ${toError(error).message}`);
    }
  }

  /** Notes how a hook's run goes. */
  noteHook(hook: ReleaseHook, lastRun: HookRun): void {
    const hooks = this.#release.hooks.map((each) => (isSame(each, hook) ? { ...each, lastRun } : each));
    this.change({ hooks });
  }
}

function isSame(a: ReleaseHook, b: ReleaseHook): boolean {
  return a.path === b.path && a.kind === b.kind && a.name === b.name;
}

/** What to write of a failure, and the error to report in its place. */
export type FailureRecord = (error: Error) => Partial<Release>;

/**
 * Runs the part of an action that follows its first record. When it fails or is ended from outside, the record says so; nothing is ever left
 * pending by a process that is alive.
 */
export async function* recorded(run: Run, ledger: Ledger, steps: Steps<void>, failure: FailureRecord): Steps<ActionResult> {
  try {
    yield* steps;
    return { kind: 'succeeded', release: ledger.release };
  } catch (thrown) {
    const error = toError(thrown);
    const canceled = isCanceled(error, run);
    run.trace(error.message);
    if (ledger.stored) {
      try {
        await ledger.write(failure(error), canceled || run.signal.aborted ? run.settleSignal() : run.signal);
      } catch (second) {
        // The next start finds it pending and unlocks it.
        run.trace(`failed to record the release: ${toError(second).message}`);
      }
    }
    const release = ledger.stored ? ledger.release : undefined;
    return canceled ? { kind: 'canceled', release } : { kind: 'failed', error, release, stored: ledger.stored };
  }
}

/** Ends an action that failed before it wrote anything. */
export function failedEarly(run: Run, thrown: unknown): ActionResult {
  const error = toError(thrown);
  if (isCanceled(error, run)) return { kind: 'canceled', release: undefined };
  run.trace(error.message);
  return { kind: 'failed', error, release: undefined, stored: false };
}
