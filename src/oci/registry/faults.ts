/** A way to misbehave, for tests of whoever talks to a registry. */
export type Fault =
  /** Answer with this status instead. */
  | { kind: 'status'; status: number; headers?: Readonly<Record<string, string>>; body?: string }
  /** Send this many bytes of the body, then break the connection. */
  | { kind: 'truncate'; after: number }
  /** Change one byte of the body. */
  | { kind: 'corrupt' }
  /** Wait this many milliseconds before the answer and between chunks of the body. */
  | { kind: 'slow'; milliseconds: number; chunkBytes?: number }
  /** A body that never ends. */
  | { kind: 'endless' }
  /** Break the connection without an answer. */
  | { kind: 'drop' }
  /** Accept the request and never answer. */
  | { kind: 'silent' };

/** A request as fault rules see it. */
export type FaultSubject = { method: string; path: string; headers: Readonly<Record<string, string | string[] | undefined>> };

/** Rules for misbehaviour: the first that matches acts, `times` times (default: always). */
export class FaultPlan {
  #rules: { matches: (request: FaultSubject) => boolean; fault: Fault; left: number }[] = [];
  readonly #seen: FaultSubject[] = [];

  /** Adds a rule. */
  add(matches: (request: FaultSubject) => boolean, fault: Fault, times: number = Number.POSITIVE_INFINITY): this {
    this.#rules.push({ matches, fault, left: times });
    return this;
  }

  /** Forgets all rules and requests. */
  clear(): void {
    this.#rules = [];
    this.#seen.length = 0;
  }

  /** The requests that came in, in order. */
  get seen(): readonly FaultSubject[] {
    return this.#seen;
  }

  /** The fault for a request, if any; counts it as used. */
  next(request: FaultSubject): Fault | undefined {
    if (this.#seen.length < 10_000) this.#seen.push(request);
    const rule = this.#rules.find((candidate) => candidate.left > 0 && candidate.matches(request));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    return rule.fault;
  }
}
