import type { Reason } from '../api/index.ts';
import type { Duration, Instant } from '../std/index.ts';
import type { Key } from './key.ts';
import type { Logger } from './log.ts';

/** Why a key is reconciled now. */
export type Trigger =
  /** The object is new, its spec changed, or it is being deleted. */
  | 'changed'
  /** Someone set the requestedAt annotation (C06). */
  | 'requested'
  /** The source it builds from has a new revision (KB01). */
  | 'source'
  /** A ConfigMap or Secret it refers to changed (C13). */
  | 'config'
  /** An object it depends on changed. */
  | 'dependency'
  /** An object it applied was changed or deleted by someone else. */
  | 'drift'
  /** The process started and found it. */
  | 'start'
  /** Its interval is over. */
  | 'interval'
  /** It failed before. */
  | 'retry'
  /** Something it waits for moved. */
  | 'wait';

/** Triggers that end a wait at once: what is being waited for is no longer what is wanted. */
export const supersedingTriggers: ReadonlySet<Trigger> = new Set(['changed', 'requested', 'source', 'config']);

/** Triggers that can stand back while others are served. */
export const periodicTriggers: ReadonlySet<Trigger> = new Set(['interval', 'start']);

/** What a reconcile knows about itself. */
export type ReconcileContext = {
  triggers: ReadonlySet<Trigger>;
  /** Aborted when the process stops. */
  signal: AbortSignal;
  log: Logger;
  /** When this reconcile started. */
  start: Instant;
  /** When it was first asked for: what was learnt of the world since then is new enough. */
  enqueued: Instant;
  /** True while many other keys wait for their turn. */
  isBusy: () => boolean;
};

/** Something to wait for without holding a worker. */
export interface Wait {
  /** For people: `health of 3 objects`. */
  readonly what: string;
  /**
   * Calls `wake` whenever what is waited for may have moved, at once when it moved since the caller last looked. Returns how to stop.
   */
  subscribe(wake: () => void): () => void;
}

/** Why a continuation runs: what it waits for moved, or its time is up. */
export type WakeCause = 'woken' | 'deadline';

/** What follows a wait; it may wait again. */
export type Continuation = (cause: WakeCause, context: ReconcileContext) => Promise<Outcome>;

/** How a reconcile ends. It throws only when it could not look or could not write; that is tried again with back-off. */
export type Outcome =
  /** Nothing more to do until something changes, or after `requeueAfter`; `failed` says that it is a retry that follows. */
  | { kind: 'done'; requeueAfter?: Duration; failed?: boolean }
  /** Holds no worker; woken by watches. A newer spec, revision or request ends it: `superseded` runs, then a reconcile. */
  // Not called `then`: a promise would take such an object for another promise.
  | { kind: 'waiting'; on: Wait; deadline: Instant; resume: Continuation; superseded?: (trigger: Trigger) => Promise<void> }
  /** Needs a new spec or a new artifact; nothing is tried again until then. */
  | { kind: 'stalled'; reason: Reason; message: string };

/** Brings one object's world to what the object says. Level, not edge: it reads everything again. */
export interface Controller {
  /** As it appears in logs and metrics, such as `kustomization`. */
  readonly name: string;
  readonly group: string;
  readonly kind: string;
  reconcile(key: Key, context: ReconcileContext): Promise<Outcome>;
}
