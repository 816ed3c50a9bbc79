/** What one fact came to. */
export type Outcome = {
  id: string;
  ok: boolean;
  /** Have and want, or what was thrown. */
  detail?: string;
};

/** Checks the facts of one file; every fact gives exactly one outcome. */
export type Suite = (facts: Iterable<unknown>) => Iterable<Outcome>;

/** A line of a facts file: fields by name. */
export type Fact = Readonly<Record<string, unknown>>;

/** A string field. */
export function text(fact: Fact, field: string): string {
  const value = fact[field];
  if (typeof value !== 'string') throw new TypeError(`read fact ${String(fact['id'])}: field ${field} is not a string`);
  return value;
}

/** A field that holds bytes: as text, or as base64 under the same name + "B64". Gives a text with lone surrogates for bytes outside UTF-8. */
export function bytes(fact: Fact, field: string, decode: (bytes: Uint8Array) => string): string | undefined {
  const encoded = fact[`${field}B64`];
  if (typeof encoded === 'string') return decode(Buffer.from(encoded, 'base64'));
  const value = fact[field];
  return typeof value === 'string' ? value : undefined;
}

/** The message of what a call throws, or undefined and its value. */
export function attempt<T>(call: () => T): { value: T; error?: undefined } | { value?: undefined; error: string } {
  try {
    return { value: call() };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}

/** Compares field by field: `want` has undefined for what must be absent. Returns the differences as text. */
export function differences(have: Readonly<Record<string, unknown>>, want: Readonly<Record<string, unknown>>): string | undefined {
  const lines: string[] = [];
  for (const field of new Set([...Object.keys(want), ...Object.keys(have)])) {
    const a = JSON.stringify(have[field]);
    const b = JSON.stringify(want[field]);
    if (a !== b) lines.push(`${field}: have ${a}, want ${b}`);
  }
  return lines.length === 0 ? undefined : lines.join('; ');
}

/** Runs `check` on each fact: it returns what is wrong, or undefined. A throw is a failure with the stack as detail. */
export function* checkEach(facts: Iterable<unknown>, check: (fact: Fact) => string | undefined): Iterable<Outcome> {
  for (const raw of facts) {
    const fact = raw as Fact;
    const id = String(fact['id']);
    try {
      const detail = check(fact);
      yield detail === undefined ? { id, ok: true } : { id, ok: false, detail };
    } catch (error) {
      yield { id, ok: false, detail: `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}` };
    }
  }
}

const sources = new WeakMap<Fact, string>();

/** Parses one line of a facts file and remembers its text. */
export function parseFact(line: string): Fact {
  const fact = JSON.parse(line) as Fact;
  sources.set(fact, line);
  return fact;
}

/** The line a fact was read from: where digits matter that JSON.parse does not keep. */
export function sourceOf(fact: Fact): string {
  return sources.get(fact) ?? JSON.stringify(fact);
}
