import { budgetExceeded, type GoValue } from '../golang/index.ts';
import { defaultLimits, type Limits } from './limits.ts';

/** What one render may still spend. Shared by all executions of the render, however they nest. */
export class Budget {
  readonly limits: Limits;
  #steps: number;
  /** Executions within each other right now. Set back by {@link TemplateSet}; a plain field, for it must work where the stack ends. */
  depth = 0;

  constructor(limits: Partial<Limits> = {}) {
    this.limits = { ...defaultLimits, ...limits };
    this.#steps = this.limits.steps;
  }

  /** Counts work about to be done. @throws CodedError `BudgetExceeded` */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw budgetExceeded('steps', this.limits.steps);
  }

  /** Counts what a function gave back: large texts and lists are work, too. @throws CodedError `BudgetExceeded` */
  receive(result: GoValue): void {
    if (typeof result === 'string') {
      if (result.length < 256) return;
      this.checkOutput(result.length);
      this.spend(result.length >>> 8);
    } else if (Array.isArray(result) && result.length > 16) {
      this.spend(result.length >>> 4);
    }
  }

  /** @throws CodedError `BudgetExceeded` when a text of this length (UTF-16 units) is more than one execution may write. */
  checkOutput(length: number): void {
    if (length > this.limits.output) throw budgetExceeded('output', this.limits.output);
  }

  /** Begins an execution and gives the depth to go back to at its end. @throws CodedError `BudgetExceeded` */
  enter(): number {
    if (this.depth >= this.limits.depth) throw budgetExceeded('nested executions', this.limits.depth);
    return this.depth++;
  }

  /** Steps spent so far. */
  get spent(): number {
    return this.limits.steps - this.#steps;
  }
}
