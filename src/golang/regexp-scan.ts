import { MatcherInput, type Matcher, type RE2JS } from 're2js';
import { budgetExceeded } from './go-error.ts';
import { MAX_REGEXP_SCAN } from './limits.ts';

/** Work that is not worth counting exactly. */
const UNCOUNTED = 20_000_000;

/**
 * Finds match after match in one text. Each search is linear, but may look as far as the end and find little: all of them together can
 * be quadratic. So what they look at is counted, once it could be much, and bounded by {@link MAX_REGEXP_SCAN}.
 */
export class RegexpScan {
  readonly #compiled: RE2JS;
  readonly #size: number;
  readonly #input: string;
  /** Most that the searches so far can have cost. */
  #bound = 0;
  #counted = false;
  #matcher: Matcher;

  constructor(compiled: RE2JS, size: number, input: string) {
    this.#compiled = compiled;
    this.#size = size;
    this.#input = input;
    this.#matcher = compiled.matcher(input);
  }

  /** The first match from `at` on. @throws CodedError `BudgetExceeded` */
  find(at: number): Matcher | undefined {
    this.#bound += (this.#input.length - at) * this.#size;
    if (!this.#counted && this.#bound > UNCOUNTED + this.#input.length * this.#size) {
      this.#counted = true;
      this.#matcher = this.#compiled.matcher(MatcherInput.utf16(new CountedText(this.#input, this.#size)));
    }
    return this.#matcher.find(at) ? this.#matcher : undefined;
  }
}

/** A text that counts how much of it is looked at. */
class CountedText extends String {
  readonly #cost: number;
  readonly #text: string;
  #left = MAX_REGEXP_SCAN;

  constructor(text: string, cost: number) {
    super(text);
    this.#text = text;
    this.#cost = cost;
  }

  override charCodeAt(index: number): number {
    this.#spend(this.#cost);
    return this.#text.charCodeAt(index);
  }

  override indexOf(part: string, from = 0): number {
    const found = this.#text.indexOf(part, from);
    // The engine of JavaScript searches many characters at once.
    this.#spend(((found < 0 ? this.#text.length : found) - from) >> 3);
    return found;
  }

  #spend(work: number): void {
    this.#left -= work;
    if (this.#left < 0) throw budgetExceeded('work of finding all matches of a regular expression', MAX_REGEXP_SCAN);
  }
}
