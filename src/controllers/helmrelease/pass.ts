import { conditionTypes, eventKeys, reasons, type HelmRelease, type HelmReleaseStatus, type Reason } from '../../api/index.ts';
import { StatusSession, type EventNotice, type EventRecorder, type ReconcileContext, type StatusWriter } from '../../runtime/index.ts';
import { formatDuration, milliseconds, type Clock } from '../../std/index.ts';
import type { Memory } from './memory.ts';
import { noteRequests, readRequests, type Requests } from './requests.ts';
import { postRenderersDigest, commonMetadataDigest } from './spec-digest.ts';
import type { ActionType } from './steps.ts';

/** What a pass reports through. */
export type PassOptions = { writer: StatusWriter; events: EventRecorder; clock: Clock };

/** What an event says of a release besides its message. */
export type EventSubject = { chartVersion?: string; configDigest?: string; appVersion?: string; ociDigest?: string };

/** One reconcile of one HelmRelease on its way: its status, what there is to tell, and what was done. */
export class Pass {
  readonly key: string;
  readonly object: HelmRelease;
  readonly memory: Memory;
  readonly session: StatusSession<HelmReleaseStatus>;
  readonly requests: Requests;
  /** Types of actions that were done (HB39). */
  readonly done: Set<ActionType> = new Set();
  /** True until a release action has answered the request for one. */
  forced: boolean;
  /** That of the turn: a wait ends one turn and begins another. */
  context: ReconcileContext;
  readonly #options: PassOptions;
  #notices: EventNotice[] = [];

  constructor(key: string, object: HelmRelease, memory: Memory, context: ReconcileContext, options: PassOptions) {
    this.key = key;
    this.object = object;
    this.memory = memory;
    this.context = context;
    this.#options = options;
    this.requests = readRequests(object);
    this.forced = this.requests.force;
    const { writer, clock } = options;
    const onError = (error: unknown): void => this.context.log.error('could not show progress', error);
    this.session = new StatusSession<HelmReleaseStatus>({ writer, object, clock, isBusy: () => this.context.isBusy(), onError });
    this.session.onProgress = () => this.tell();
    noteRequests(object, this.session.draft);
  }

  get draft(): HelmReleaseStatus {
    return this.session.draft;
  }

  /** The status as it stands in this pass. */
  get status(): HelmReleaseStatus {
    return { ...this.session.draft, conditions: this.session.conditions.list };
  }

  /** How long this turn has taken, as text. */
  took(): string {
    return formatDuration(milliseconds(this.#options.clock.now() - this.context.start));
  }

  /** Says what is being done. @param releases it also decides whether the release is ready */
  progress(message: string, releases: boolean): void {
    const { conditions } = this.session;
    conditions.remove(conditionTypes.stalled);
    conditions.mark(conditionTypes.reconciling, 'True', reasons.Progressing, message);
    if (releases) conditions.mark(conditionTypes.ready, 'Unknown', reasons.Progressing, message);
  }

  /** Has something to tell. */
  notice(type: 'Normal' | 'Warning', reason: Reason, message: string, subject: EventSubject = {}): void {
    const { chartVersion = '', configDigest = '', appVersion = '', ociDigest = '' } = subject;
    const metadata: Record<string, string> = {};
    const keys = { [eventKeys.revision]: chartVersion, [eventKeys.token]: configDigest, [eventKeys.appVersion]: appVersion };
    for (const [key, value] of Object.entries({ ...keys, [eventKeys.ociDigest]: ociDigest })) if (value !== '') metadata[key] = value;
    this.#notices.push({ type, reason, message, metadata });
  }

  /**
   * Sums the conditions up in Ready: the newest of them speaks, and among equals Remediated, then TestSuccess when tests matter, then
   * Released. A release that was put right is not ready (HB66).
   */
  summarize(): void {
    const { conditions } = this.session;
    const { test = {} } = this.object.spec;
    if (test.enable !== true) conditions.remove(conditionTypes.testSuccess);
    const counts = test.enable === true && test.ignoreFailures !== true;
    const order = [conditionTypes.remediated, ...(counts ? [conditionTypes.testSuccess] : []), conditionTypes.released];
    const found = order.flatMap((type) => conditions.find(type) ?? []);
    const [first] = found.sort((a, b) => (b.observedGeneration ?? 0) - (a.observedGeneration ?? 0));
    if (first !== undefined) {
      const status = first.type === conditionTypes.remediated ? 'False' : first.status;
      if (status === 'True') conditions.remove(conditionTypes.stalled);
      conditions.mark(conditionTypes.ready, status, asReason(first.reason), first.message);
    }
    setOrDelete(this.draft, 'observedPostRenderersDigest', postRenderersDigest(this.object));
    setOrDelete(this.draft, 'observedCommonMetadataDigest', commonMetadataDigest(this.object));
  }

  /** Writes the status and tells what there is to tell. @param observed whether the spec counts as reconciled */
  async finish(observed: boolean): Promise<void> {
    if (observed) this.draft.observedGeneration = this.object.metadata.generation;
    if (this.draft.history?.length === 0) delete this.draft.history;
    if (await this.session.finish()) this.tell();
  }

  /** Ends the pass in the middle of an action, which is for whoever comes next: what was done before it is written and told. */
  async handOver(): Promise<void> {
    if (this.#notices.length === 0) return this.session.abandon();
    try {
      await this.finish(false);
    } catch (error) {
      this.context.log.error('could not write what was done so far', error);
    }
  }

  /** Tells what there is to tell. */
  tell(): void {
    const notices = this.#notices;
    this.#notices = [];
    if (notices.length > 0) this.#options.events.record(this.object, notices);
  }
}

function setOrDelete(status: HelmReleaseStatus, key: 'observedPostRenderersDigest' | 'observedCommonMetadataDigest', value: string): void {
  if (value === '') delete status[key];
  else status[key] = value;
}

const known: ReadonlyMap<string, Reason> = new Map(Object.values(reasons).map((reason) => [reason, reason]));

/** A reason as it was written before; one of another version is only `Failed`. */
function asReason(text: string): Reason {
  return known.get(text) ?? reasons.Failed;
}
