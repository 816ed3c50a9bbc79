import type { Release } from '../../helm/index.ts';
import type { FeatureGates, Logger } from '../../runtime/index.ts';
import type { Instant } from '../../std/index.ts';
import type { ActionContext, ActionProgress, ReleaseStorage, RenderedRelease } from './actions/index.ts';
import type { Prepared } from './prepare.ts';
import type { Action } from './steps.ts';

/** An action under way: what it does and for which inputs, and what it has stored so far. */
export type Flight = {
  action: Action;
  prepared: Prepared;
  storage: ObservedStorage;
  started: Instant;
  /** The last lines of what it did. */
  trace: string[];
  /** What the Pods of a hook that failed have said. */
  output: string;
  /** What was rendered for it. */
  rendered: RenderedRelease | undefined;
  /** Set while it waits. */
  waiting: Extract<ActionProgress, { kind: 'waiting' }> | undefined;
};

/** The records of a release while one action works on them: notes what is written. */
export class ObservedStorage implements ReleaseStorage {
  readonly #storage: ReleaseStorage;
  readonly #written = new Map<number, Release>();

  constructor(storage: ReleaseStorage) {
    this.#storage = storage;
  }

  /** What was written, by revision; the last write of each. */
  get written(): ReadonlyMap<number, Release> {
    return this.#written;
  }

  list(signal: AbortSignal): Promise<readonly Release[]> {
    return this.#storage.list(signal);
  }

  async create(release: Release, signal: AbortSignal): Promise<void> {
    await this.#storage.create(release, signal);
    this.#written.set(release.version, release);
  }

  async update(release: Release, signal: AbortSignal): Promise<void> {
    await this.#storage.update(release, signal);
    this.#written.set(release.version, release);
  }

  delete(version: number, signal: AbortSignal): Promise<void> {
    return this.#storage.delete(version, signal);
  }
}

/** Lines kept of what an action does, for the event of a failure. */
const TRACE_LINES = 10;

/** Keeps the last lines. */
export function addTrace(trace: string[], line: string): void {
  trace.push(line);
  if (trace.length > TRACE_LINES) trace.shift();
}

/** Logs what the Pods of hooks have said, and gives `failed` what is to be told of those that failed; nothing when the gate `HookOutput` is off. */
export function hookListener(
  pass: { context: { log: Pick<Logger, 'info'> } },
  gates: FeatureGates,
  failed: (text: string) => void,
): Pick<ActionContext, 'hookOutput'> {
  if (!gates.enabled('HookOutput')) return {};
  return {
    hookOutput: (output) => {
      pass.context.log.info(`hook ${output.hook} ${output.failed ? 'failed' : 'succeeded'}`, { output: output.text });
      if (output.failed) failed(output.text);
    },
  };
}
