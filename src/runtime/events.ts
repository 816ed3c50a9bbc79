import { randomBytes } from 'node:crypto';
import { eventAnnotationPrefix, type ResourceMetadata } from '../api/index.ts';
import type { KubeClient } from '../kube/index.ts';
import { parseApiVersion } from '../manifest/index.ts';
import { redact, type Clock } from '../std/index.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';

/** The object an event is about. */
export type InvolvedObject = { apiVersion: string; kind: string; metadata: ResourceMetadata };

/** One thing that happened to an object. `Trace` becomes a Normal Kubernetes event and is not posted (E02). */
export type EventNotice = {
  type: 'Normal' | 'Warning' | 'Trace';
  reason: string;
  message: string;
  /** Posted only: it does not become a Kubernetes event. */
  quiet?: boolean;
  /** Keys without the group prefix (E04). */
  metadata?: Readonly<Record<string, string>>;
};

/** The JSON posted to --events-addr (E01). */
export type PostedEvent = {
  involvedObject: { kind: string; namespace: string; name: string; uid: string; apiVersion: string; resourceVersion: string };
  severity: 'info' | 'error';
  timestamp: string;
  message: string;
  reason: string;
  metadata?: Record<string, string>;
  reportingController: string;
  reportingInstance?: string;
};

/** Where posted events go; in one process with the notification controller it is a function call. */
export interface EventSink {
  /** @throws when the receiver could not be reached; a duplicate is not an error (E06) */
  post(event: PostedEvent): Promise<void>;
}

/** Tells people and programs what happened. Never waits and never fails: a reconcile must not depend on it. */
export interface EventRecorder {
  record(object: InvolvedObject, notices: readonly EventNotice[]): void;
}

export type EventRecorderOptions = {
  kube: KubeClient;
  sink: EventSink | undefined;
  controller: string;
  /** Host name (E03). */
  instance: string;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** True while there is more urgent work than telling of it. */
  isBusy?: () => boolean;
};

/** Longest message of an event, in characters (E03). */
const MESSAGE_LIMIT = 39_000;
/** Deliveries that may wait; older ones are dropped first. */
const QUEUE_LIMIT = 5000;
/** Deliveries under way at the same time, and while there is more urgent work and not yet too much has gathered. */
const PARALLEL = 4;
const PARALLEL_BUSY = 1;
const GATHERED = 1000;
/** Identical events of one object within this time become one, counted. Milliseconds. */
const REPEAT_WINDOW = 600_000;
const REPEAT_LIMIT = 4096;

type Delivery = () => Promise<void>;
type Repeat = { name: string; count: number; at: number };

/**
 * Records events as core/v1 Events and posts them. Notices of one call with the same type and reason share one Kubernetes event, so a
 * reconcile costs one request; each is posted on its own, as Flux does.
 */
export class KubeEventRecorder implements EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #queue: Delivery[] = [];
  readonly #repeats = new Map<string, Repeat>();
  #running = 0;
  #idle: (() => void)[] = [];

  constructor(options: EventRecorderOptions) {
    this.#options = options;
  }

  record(object: InvolvedObject, notices: readonly EventNotice[]): void {
    const groups = new Map<string, EventNotice[]>();
    for (const notice of notices) {
      const key = `${notice.type === 'Warning' ? 'Warning' : 'Normal'}/${notice.reason}`;
      if (notice.quiet !== true) groups.set(key, [...(groups.get(key) ?? []), notice]);
      const posted = this.#posted(object, notice);
      const { sink } = this.#options;
      if (posted !== undefined && sink !== undefined) this.#push(() => sink.post(posted));
    }
    for (const group of groups.values()) this.#push(() => this.#write(object, group));
  }

  /** Resolves when everything recorded so far has been delivered or dropped. */
  flush(): Promise<void> {
    if (this.#running === 0 && this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  #push(delivery: Delivery): void {
    if (this.#queue.length >= QUEUE_LIMIT) {
      this.#queue.shift();
      this.#options.metrics.eventDropped();
    }
    this.#queue.push(delivery);
    this.#widen();
  }

  #lanes(): number {
    return this.#queue.length < GATHERED && this.#options.isBusy?.() === true ? PARALLEL_BUSY : PARALLEL;
  }

  /** Starts as many lanes as there may be and is work for. */
  #widen(): void {
    for (let more = Math.min(this.#lanes() - this.#running, this.#queue.length); more > 0; more--) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#running++;
    while (this.#running <= this.#lanes()) {
      const delivery = this.#queue.shift();
      if (delivery === undefined) break;
      try {
        await delivery();
      } catch (error) {
        this.#options.log.error('could not deliver event', error);
      }
      this.#widen();
    }
    this.#running--;
    if (this.#running === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #posted(object: InvolvedObject, notice: EventNotice): PostedEvent | undefined {
    if (notice.type === 'Trace') return undefined;
    const { apiVersion, kind, metadata } = object;
    const { uid, name, namespace, resourceVersion } = metadata;
    return {
      involvedObject: { kind, namespace, name, uid, apiVersion, resourceVersion },
      severity: notice.type === 'Warning' ? 'error' : 'info',
      timestamp: new Date(this.#options.clock.now()).toISOString(),
      message: truncate(redact(notice.message), MESSAGE_LIMIT),
      reason: notice.reason,
      metadata: eventMetadata(object, [notice]),
      reportingController: this.#options.controller,
      reportingInstance: this.#options.instance,
    };
  }

  async #write(object: InvolvedObject, notices: readonly EventNotice[]): Promise<void> {
    const { kube, clock, controller, instance } = this.#options;
    const [first] = notices;
    if (first === undefined) return;
    const { apiVersion, kind, metadata } = object;
    const { name, namespace, uid, resourceVersion } = metadata;
    const message = truncate(redact(notices.map((notice) => notice.message).join('\n')), MESSAGE_LIMIT);
    const type = first.type === 'Warning' ? 'Warning' : 'Normal';
    const now = clock.now();
    const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
    const id = [uid, type, first.reason, message].join('\n');
    const repeat = this.#repeats.get(id);
    if (repeat !== undefined && now - repeat.at < REPEAT_WINDOW) {
      const count = repeat.count + 1;
      const body = { count, lastTimestamp: time };
      const target = { apiVersion: 'v1', kind: 'Event', namespace, name: repeat.name };
      await kube.patch(target, { type: 'merge', body }, { fieldManager: controller, form: 'metadata' });
      this.#remember(id, { name: repeat.name, count, at: now });
      return;
    }
    const eventName = `${name.slice(0, 230)}.${randomBytes(8).toString('hex')}`;
    await kube.create(
      {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: eventName, namespace, annotations: eventMetadata(object, notices) },
        involvedObject: { apiVersion, kind, name, namespace, uid, resourceVersion },
        type,
        reason: first.reason,
        message,
        source: { component: controller },
        reportingComponent: controller,
        reportingInstance: instance,
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
      },
      { fieldManager: controller, form: 'metadata' },
    );
    this.#remember(id, { name: eventName, count: 1, at: now });
  }

  #remember(id: string, repeat: Repeat): void {
    this.#repeats.delete(id);
    this.#repeats.set(id, repeat);
    if (this.#repeats.size > REPEAT_LIMIT) this.#repeats.delete(this.#repeats.keys().next().value ?? '');
  }
}

/** The metadata of an event: the object's own event annotations, then the notices' keys under the object's group (E04). */
function eventMetadata(object: InvolvedObject, notices: readonly EventNotice[]): Record<string, string> {
  const group = parseApiVersion(object.apiVersion).group;
  const result: Record<string, string> = {};
  for (const [key, value] of Object.entries(object.metadata.annotations ?? {})) {
    if (key.startsWith(eventAnnotationPrefix)) result[key] = value;
  }
  for (const notice of notices) {
    for (const [key, value] of Object.entries(notice.metadata ?? {})) result[`${group}/${key}`] = value;
  }
  return result;
}

function truncate(message: string, limit: number): string {
  return message.length <= limit ? message : `${message.slice(0, limit - 3)}...`;
}
