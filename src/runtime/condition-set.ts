import { findCondition, removeConditions, setCondition, summarize, type Condition, type ConditionType, type Reason } from '../api/index.ts';
import { redact, type Clock } from '../std/index.ts';

/** The conditions of one object while it is reconciled; messages pass through `redact`. */
export class ConditionSet {
  #list: Condition[];
  #published: readonly Condition[];
  readonly #generation: number;
  readonly #clock: Clock;

  constructor(conditions: readonly Condition[] | undefined, generation: number, clock: Clock) {
    this.#list = [...(conditions ?? [])];
    this.#published = this.#list;
    this.#generation = generation;
    this.#clock = clock;
  }

  /** The conditions as they stand, to be written to the status. */
  get list(): Condition[] {
    return this.#list;
  }

  /** Says that the conditions as they stand have been written. */
  published(): void {
    this.#published = this.#list;
  }

  mark(type: ConditionType, status: Condition['status'], reason: Reason, message: string): void {
    this.#list = setCondition(
      this.#list,
      { type, status, reason, message: redact(message) },
      this.#generation,
      this.#clock.now(),
      this.#published,
    );
  }

  remove(...types: readonly ConditionType[]): void {
    this.#list = removeConditions(this.#list, ...types);
  }

  find(type: ConditionType): Condition | undefined {
    return findCondition(this.#list, type);
  }

  isTrue(type: ConditionType): boolean {
    return this.find(type)?.status === 'True';
  }

  /** Sets `target` to the sum of `order` (C15); removes it when none of them is there. */
  summarize(target: ConditionType, order: readonly ConditionType[], negative: ReadonlySet<string>): void {
    const update = summarize(this.#list, target, order, negative);
    if (update === undefined) this.remove(target);
    else this.#list = setCondition(this.#list, update, this.#generation, this.#clock.now(), this.#published);
  }
}
