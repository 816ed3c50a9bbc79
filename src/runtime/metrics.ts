import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { RequestRecord } from '../kube/index.ts';

/** Ten exponential buckets from 10 ms to 30 minutes, Flux's for gotk_reconcile_duration_seconds. */
const RECONCILE_BUCKETS: readonly number[] = Array.from({ length: 10 }, (_, i) => 0.01 * (1800 / 0.01) ** (i / 9));

/** Buckets of the work queue, those of client-go. */
const QUEUE_BUCKETS: readonly number[] = [1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10];

/** How a reconcile ended, in controller-runtime's words. */
export type ReconcileResult = 'success' | 'error' | 'requeue' | 'requeue_after';

/** What is measured. Names are those Flux's controllers expose, so that its dashboards work. */
export interface Metrics {
  reconciled(labels: { controller: string; kind: string; namespace: string; name: string }, seconds: number, result: ReconcileResult): void;
  /** Forgets the series of a deleted object. */
  forget(labels: { kind: string; namespace: string; name: string }): void;
  queueAdded(controller: string): void;
  queueDepth(controller: string, depth: number): void;
  /** Seconds a key waited, when work on it starts. */
  queueTaken(controller: string, waited: number): void;
  activeWorkers(controller: string, active: number, limit: number): void;
  request(record: RequestRecord, host: string): void;
  leader(name: string, isLeader: boolean): void;
  eventDropped(): void;
  /** The text of `/metrics` and its content type. */
  expose(): Promise<{ contentType: string; body: string }>;
}

/** Metrics kept in a prom-client registry of their own. */
export function createMetrics(options: { processMetrics: boolean }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (options.processMetrics) collectDefaultMetrics({ register: registry });
  const duration = new Histogram({
    name: 'gotk_reconcile_duration_seconds',
    help: 'The duration in seconds of a GitOps Toolkit resource reconciliation.',
    labelNames: ['kind', 'name', 'namespace'],
    buckets: [...RECONCILE_BUCKETS],
    registers,
  });
  const counter = (name: string, help: string, labelNames: string[]): Counter => new Counter({ name, help, labelNames, registers });
  const gauge = (name: string, help: string, labelNames: string[]): Gauge => new Gauge({ name, help, labelNames, registers });
  const total = counter('controller_runtime_reconcile_total', 'Total number of reconciliations per controller', ['controller', 'result']);
  const errors = counter('controller_runtime_reconcile_errors_total', 'Total number of reconciliation errors per controller', [
    'controller',
  ]);
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of time per reconciliation per controller',
    labelNames: ['controller'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    registers,
  });
  const active = gauge('controller_runtime_active_workers', 'Number of currently used workers per controller', ['controller']);
  const limits = gauge('controller_runtime_max_concurrent_reconciles', 'Maximum number of concurrent reconciles per controller', [
    'controller',
  ]);
  const adds = counter('workqueue_adds_total', 'Total number of adds handled by workqueue', ['name']);
  const depth = gauge('workqueue_depth', 'Current depth of workqueue', ['name']);
  const waited = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long in seconds an item stays in workqueue before being requested',
    labelNames: ['name'],
    buckets: [...QUEUE_BUCKETS],
    registers,
  });
  // Counted here and handed over when asked: each request counts, and finding a series by its labels costs more than all else of counting.
  const requests = new Map<string, { labels: Record<'code' | 'method' | 'host', string>; value: number }>();
  new Counter({
    name: 'rest_client_requests_total',
    help: 'Number of HTTP requests, partitioned by status code, method, and host.',
    labelNames: ['code', 'method', 'host'],
    registers,
    collect(): void {
      this.reset();
      for (const { labels, value } of requests.values()) this.inc(labels, value);
    },
  });
  const leader = gauge(
    'leader_election_master_status',
    'Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master.',
    ['name'],
  );
  const dropped = counter('sluice_events_dropped_total', 'Events left out because too many were waiting', []);
  return {
    reconciled: ({ controller, ...object }, seconds, result) => {
      duration.observe(object, seconds);
      time.observe({ controller }, seconds);
      total.inc({ controller, result });
      if (result === 'error') errors.inc({ controller });
    },
    forget: (object) => duration.remove(object),
    queueAdded: (name) => adds.inc({ name }),
    queueDepth: (name, value) => depth.set({ name }, value),
    queueTaken: (name, seconds) => waited.observe({ name }, seconds),
    activeWorkers: (controller, value, limit) => {
      active.set({ controller }, value);
      limits.set({ controller }, limit);
    },
    request: ({ status, verb }, host) => {
      const method = methodOf(verb);
      const key = `${status} ${method} ${host}`;
      const known = requests.get(key);
      if (known === undefined) requests.set(key, { labels: { code: status === 0 ? '<error>' : String(status), method, host }, value: 1 });
      else known.value++;
    },
    leader: (name, isLeader) => leader.set({ name }, isLeader ? 1 : 0),
    eventDropped: () => dropped.inc(),
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}

const METHODS: Readonly<Record<string, string>> = { create: 'POST', update: 'PUT', patch: 'PATCH', apply: 'PATCH', delete: 'DELETE' };

function methodOf(verb: string): string {
  return METHODS[verb] ?? 'GET';
}
