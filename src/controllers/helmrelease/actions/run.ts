import type { Wait, WakeCause } from '../../../runtime/index.ts';
import { errorMessage, seconds, type Clock, type Duration, type Instant } from '../../../std/index.ts';
import type { ActionContext, ActionProgress, ActionResult, ReleaseMemory, ReleaseStorage, ReleaseTarget } from './action.ts';
import { actionError, isActionError } from './errors.ts';

/** Where an action stops to wait; it goes on with why it was woken. */
export type Pause = { on: Wait; deadline: Instant };

/** An action, or a part of one, as a generator: every `yield` gives the worker back until there is something new to see. */
export type Steps<T> = AsyncGenerator<Pause, T, WakeCause>;

/** How long the last write of an action that was ended from outside may take. */
const SETTLE_TIMEOUT: Duration = seconds(10);

/** One action on its way: its context, with the signal of whoever drives it just now. */
export class Run {
  readonly target: ReleaseTarget;
  readonly storage: ReleaseStorage;
  readonly memory: ReleaseMemory;
  readonly clock: Clock;
  readonly trace: (line: string) => void;
  readonly hookOutput: ActionContext['hookOutput'];
  signal: AbortSignal;

  constructor({ target, storage, memory, clock, trace, hookOutput, signal }: ActionContext) {
    this.target = target;
    this.storage = storage;
    this.memory = memory ?? new Map();
    this.clock = clock;
    this.trace = trace;
    this.hookOutput = hookOutput;
    this.signal = signal;
  }

  /** Now, as records write it: RFC 3339. */
  timestamp(): string {
    return new Date(this.clock.now()).toISOString();
  }

  after(timeout: Duration): Instant {
    return (this.clock.now() + timeout) as Instant;
  }

  /** A signal for what must still be written although this action was told to end. */
  settleSignal(): AbortSignal {
    const controller = new AbortController();
    this.clock.after(SETTLE_TIMEOUT, () => controller.abort());
    return controller.signal;
  }
}

/** Starts an action. */
export async function drive(run: Run, steps: Steps<ActionResult>): Promise<ActionProgress> {
  return advance(run, steps, () => steps.next('woken'));
}

async function advance(
  run: Run,
  steps: Steps<ActionResult>,
  step: () => Promise<IteratorResult<Pause, ActionResult>>,
): Promise<ActionProgress> {
  const turn = await step();
  if (turn.done === true) return { kind: 'ended', result: turn.value };
  const { on, deadline } = turn.value;
  return {
    kind: 'waiting',
    on,
    deadline,
    resume: async (cause, signal) => {
      run.signal = signal;
      return advance(run, steps, () => steps.next(cause));
    },
    cancel: async (why) => {
      run.signal = run.settleSignal();
      // What is done on the way out may not wait for anything any more.
      let last = await steps.throw(actionError('Canceled', `canceled: ${why}`));
      while (last.done !== true) last = await steps.next('deadline');
    },
  };
}

/** True when the action was told to end, as opposed to having failed. */
export function isCanceled(error: unknown, { signal }: Run): boolean {
  return isActionError(error, 'Canceled') || signal.aborted;
}

/** @throws CodedError `Canceled` */
export function assertNotCanceled({ signal }: Run): void {
  if (signal.aborted) throw actionError('Canceled', 'canceled: the process stops');
}

export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(errorMessage(thrown));
}
