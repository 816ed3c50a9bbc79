import {
  conditionTypes,
  eventKeys,
  reasons,
  requestAnnotations,
  type Artifact,
  type Kustomization,
  type KustomizationStatus,
  type Reason,
} from '../../api/index.ts';
import { StatusSession, type EventNotice, type EventRecorder, type ReconcileContext, type StatusWriter } from '../../runtime/index.ts';
import { formatDuration, milliseconds, type Clock } from '../../std/index.ts';
import { originRevision, type Cluster } from '../applier/index.ts';
import { recordAttempt } from './history.ts';
import type { Memory } from './memory.ts';
import { timeout } from './timing.ts';

/** What a pass reports through. */
export type PassOptions = { writer: StatusWriter; events: EventRecorder; clock: Clock };

/** The status of a Kustomization while it is reconciled; a request that was asked for is noted in it (C07). */
export function openSession(
  object: Kustomization,
  { writer, clock }: PassOptions,
  context: ReconcileContext,
): StatusSession<KustomizationStatus> {
  const onError = (error: unknown): void => context.log.error('could not show progress', error);
  const session = new StatusSession<KustomizationStatus>({ writer, object, clock, isBusy: context.isBusy, onError });
  const requested = object.metadata.annotations?.[requestAnnotations.requestedAt];
  if (requested !== undefined) session.draft.lastHandledReconcileAt = requested;
  return session;
}

/** One reconcile of one Kustomization on its way: its status, and what there is to tell. */
export class Pass {
  readonly key: string;
  readonly object: Kustomization;
  readonly memory: Memory;
  readonly context: ReconcileContext;
  readonly session: StatusSession<KustomizationStatus>;
  /** The artifact it builds from, once it is known. */
  artifact: Artifact | undefined;
  /** The cluster it applies to, once it is known. */
  cluster: Cluster | undefined;
  /** Hash of the build, once there is one. */
  digest = '';
  readonly #options: PassOptions;
  #notices: EventNotice[] = [];

  constructor(key: string, object: Kustomization, memory: Memory, context: ReconcileContext, options: PassOptions) {
    this.key = key;
    this.object = object;
    this.memory = memory;
    this.context = context;
    this.#options = options;
    this.session = openSession(object, options, context);
    this.session.onProgress = () => this.tell();
  }

  get revision(): string {
    return this.artifact?.revision ?? '';
  }

  /** How long this pass has taken, as text. */
  took(): string {
    return formatDuration(milliseconds(this.#options.clock.now() - this.context.start));
  }

  /** Says what is being done: `Fetching manifests`, `Detecting drift`, … */
  progress(doing: string): string {
    const message = `${doing} for revision ${this.revision} with a timeout of ${formatDuration(timeout(this.object))}`;
    const { conditions } = this.session;
    conditions.mark(conditionTypes.ready, 'Unknown', reasons.Progressing, 'Reconciliation in progress');
    conditions.mark(conditionTypes.reconciling, 'True', reasons.Progressing, message);
    return message;
  }

  /** Has something to tell; its reason is that of the Ready condition by the time it is told, unless one is given. */
  notice(
    type: 'Normal' | 'Warning',
    message: string,
    extra: { reason?: Reason; metadata?: Record<string, string>; quiet?: boolean } = {},
  ): void {
    const reason = extra.reason ?? this.session.conditions.find(conditionTypes.ready)?.reason ?? (type === 'Warning' ? 'error' : 'info');
    const metadata = { ...this.#metadata(), ...extra.metadata };
    this.#notices.push({ type, reason, message, metadata, ...(extra.quiet === true ? { quiet: true } : {}) });
  }

  /** Notes in status.history how the attempt ended. */
  record(status: Reason): void {
    const { clock } = this.#options;
    const origin = this.#origin();
    this.session.draft.history = recordAttempt(this.session.draft.history, {
      digest: this.digest,
      status,
      at: clock.now(),
      took: milliseconds(clock.now() - this.context.start),
      metadata: { revision: this.revision, ...(origin === '' ? {} : { originRevision: origin }) },
    });
  }

  /** Writes the status and tells what there is to tell, all under one reason. */
  async finish(reason: Reason): Promise<void> {
    for (const notice of this.#notices) notice.reason = reason;
    if (await this.session.finish()) this.tell();
  }

  /** Tells what there is to tell. */
  tell(): void {
    const notices = this.#notices;
    this.#notices = [];
    if (notices.length > 0) this.#options.events.record(this.object, notices);
  }

  #origin(): string {
    return this.artifact === undefined ? '' : originRevision(this.artifact);
  }

  #metadata(): Record<string, string> {
    const origin = this.#origin();
    return {
      ...(this.revision === '' ? {} : { [eventKeys.revision]: this.revision }),
      ...(origin === '' ? {} : { [eventKeys.originRevision]: origin }),
    };
  }
}
