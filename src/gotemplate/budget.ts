import { budgetExceeded } from '../golang/index.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** What one render may still spend. Shared by all executions of the render, however they nest. */
export class Budget {
  readonly limits: Limits;
  #steps: number;
  #depth = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
    this.#steps = this.limits.steps;
  }

  /** Counts one template call, loop turn or function call. @throws CodedError `BudgetExceeded` */
  step(): void {
    if (--this.#steps < 0) throw budgetExceeded('steps', this.limits.steps);
  }

  /** @throws CodedError `BudgetExceeded` when a text of this length (UTF-16 units) is more than one execution may write. */
  checkOutput(length: number): void {
    if (length > this.limits.output) throw budgetExceeded('output', this.limits.output);
  }

  /** Begins an execution; {@link Budget.leave} ends it. @throws CodedError `BudgetExceeded` */
  enter(): void {
    if (this.#depth >= this.limits.depth) throw budgetExceeded('nested executions', this.limits.depth);
    this.#depth++;
  }

  leave(): void {
    this.#depth--;
  }

  /** True while only one execution runs. */
  get isOutermost(): boolean {
    return this.#depth === 1;
  }
}
