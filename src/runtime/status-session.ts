import type { Condition, ResourceMetadata } from '../api/index.ts';
import { milliseconds, type CancelTimer, type Clock, type Duration, type Instant } from '../std/index.ts';
import { ConditionSet } from './condition-set.ts';
import type { StatusWriter } from './status-writer.ts';

/** A reconcile that takes longer than this shows its progress in the status. */
const PROGRESS_AFTER: Duration = milliseconds(500);
/** Once something was written, and while there is much to do, progress is shown only after this. */
const PROGRESS_LATER: Duration = milliseconds(5000);
/** However much there is to do, progress is shown after this. */
const PROGRESS_LATEST: Duration = milliseconds(30_000);

/** What every status we write has. */
type AnyStatus = { conditions?: Condition[]; observedGeneration?: number; lastHandledReconcileAt?: string };

/**
 * The status of one object during one reconcile: changed in memory, written at the end, and before that when the reconcile takes longer
 * than half a second. Writes go out one after the other and only with what changed since the last one.
 */
export class StatusSession<S extends AnyStatus> {
  /** The status as it should become: set its fields, but never change what they hold. Conditions are in {@link conditions}. */
  readonly draft: S;
  readonly conditions: ConditionSet;
  readonly #writer: StatusWriter;
  readonly #metadata: ResourceMetadata;
  readonly #onError: (error: unknown) => void;
  readonly #clock: Clock;
  readonly #isBusy: () => boolean;
  readonly #opened: Instant;
  #cancel: CancelTimer;
  #ended = false;
  #written: S;
  /** Called when progress is shown: what there is to tell by then can be told. */
  onProgress: (() => void) | undefined;
  #tail: Promise<unknown> = Promise.resolve();

  /** @param onError told when showing progress fails; the final write throws instead */
  constructor(options: {
    writer: StatusWriter;
    object: { metadata: ResourceMetadata; status: S };
    clock: Clock;
    onError: (error: unknown) => void;
    /** True while so much waits for its turn that showing progress would only slow everything down. */
    isBusy?: () => boolean;
  }) {
    this.#writer = options.writer;
    this.#metadata = options.object.metadata;
    this.#written = options.object.status;
    this.#onError = options.onError;
    this.draft = { ...options.object.status };
    this.conditions = new ConditionSet(this.draft.conditions, options.object.metadata.generation, options.clock);
    this.#clock = options.clock;
    this.#opened = options.clock.now();
    this.#isBusy = options.isBusy ?? ((): boolean => false);
    this.#cancel = this.#progressAfter(PROGRESS_AFTER);
  }

  #progressAfter(delay: Duration): CancelTimer {
    return this.#clock.after(delay, () => {
      const age = this.#clock.now() - this.#opened;
      if (age < PROGRESS_LATEST && this.#isBusy()) this.#cancel = this.#progressAfter(PROGRESS_LATER);
      else this.flush().then(() => this.onProgress?.(), this.#onError);
    });
  }

  /** Writes what changed. Gives false when the object is gone. @throws KubeError */
  flush(): Promise<boolean> {
    this.#cancel();
    if (!this.#ended) this.#cancel = this.#progressAfter(PROGRESS_LATER);
    const next = this.#tail.then(async () => {
      const status = { ...this.draft, conditions: this.conditions.list };
      this.conditions.published();
      const there = await this.#writer.write({ metadata: this.#metadata, status: this.#written }, status);
      this.#written = status;
      return there;
    });
    // The next write goes on even when this one failed; who asked for this one hears of it.
    this.#tail = next.catch(() => {});
    return next;
  }

  /** Ends the session: no progress is shown any more, and what changed is written. */
  finish(): Promise<boolean> {
    this.#ended = true;
    return this.flush();
  }

  /** Ends the session without a write; resolves when one under way has ended, so that whoever comes next sees it. */
  async abandon(): Promise<void> {
    this.#ended = true;
    this.#cancel();
    await this.#tail;
  }
}
