/** What a case should have given, and what it gave. */
export type Difference = { expected: string; actual: string };
/** Why a case cannot be run here. */
export type Skip = { skip: string };

/** Counts cases. A listed case may fail; one that passes must leave the list. */
export class Report {
  readonly #known: Readonly<Record<string, string>>;
  readonly #show: boolean;
  #passed = 0;
  #failed = 0;
  #skipped = 0;

  constructor(known: Readonly<Record<string, string>>, show: boolean) {
    this.#known = known;
    this.#show = show;
  }

  /** Runs one case; it passes when `work` returns nothing. */
  run(id: string, work: () => Difference | Skip | undefined): void {
    const result = attempt(work);
    if (result !== undefined && 'skip' in result) {
      this.#skipped += 1;
      if (this.#show) process.stdout.write(`skipped ${id}: ${result.skip}\n`);
      return;
    }
    const reason = Object.hasOwn(this.#known, id) ? this.#known[id] : undefined;
    if (result === undefined && reason === undefined) {
      this.#passed += 1;
    } else if (result === undefined) {
      this.#failed += 1;
      process.stdout.write(`passes but is listed as a known failure: ${id}\n`);
    } else if (reason === undefined) {
      this.#failed += 1;
      process.stdout.write(`failed ${id}\n`);
      if (this.#show) process.stdout.write(difference(result));
    } else {
      this.#skipped += 1;
      process.stdout.write(`known failure ${id}: ${reason}\n`);
    }
  }

  /** Prints the counts and returns the exit code. */
  finish(): number {
    if (this.#skipped > 0) process.stdout.write(`${this.#skipped} skipped\n`);
    process.stdout.write(`${this.#passed} passed, ${this.#failed} failed\n`);
    return this.#failed === 0 ? 0 : 1;
  }
}

function attempt(work: () => Difference | Skip | undefined): Difference | Skip | undefined {
  try {
    return work();
  } catch (error) {
    return { expected: 'no error', actual: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

const CONTEXT = 12;

/** The lines around the first difference. */
function difference({ expected, actual }: Difference): string {
  const wanted = expected.split('\n');
  const got = actual.split('\n');
  let first = 0;
  while (first < wanted.length && wanted[first] === got[first]) first += 1;
  const from = Math.max(0, first - CONTEXT);
  const part = (lines: readonly string[], mark: string): string =>
    lines
      .slice(from, first + CONTEXT)
      .map((line, i) => `  ${from + i === first ? mark : ' '} ${line}\n`)
      .join('');
  return `  --- expected (line ${first + 1})\n${part(wanted, '>')}  --- actual\n${part(got, '>')}`;
}
