import { milliseconds, sleep, type Clock, type Duration, type Instant } from '../std/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { isKubeError } from './errors.ts';
import { isRecord } from './json.ts';
import type { KubeClient, Target } from './kube-client.ts';

export type LeaseOptions = {
  client: KubeClient;
  namespace: string;
  /** Such as `kustomize-controller-leader-election`. */
  name: string;
  /** Who we are, unique for each process. */
  identity: string;
  /** How long others wait after the last renewal they saw before they take over. Flux: 35 s. */
  leaseDuration: Duration;
  /** A leader that could not renew for this long steps down. Must be less than leaseDuration. Flux: 30 s. */
  renewDeadline: Duration;
  /** Time between tries. Flux: 5 s. */
  retryPeriod: Duration;
  /** Give the lease up when told to stop, so that the next leader need not wait. */
  releaseOnStop: boolean;
  clock: Clock;
  random: () => number;
  /** Called when another process is seen to lead. */
  onLeader?: (identity: string) => void;
};

/** What a Lease's spec says (coordination.k8s.io/v1). */
type LeaseSpec = { holderIdentity: string; leaseDurationSeconds: number; acquireTime: string; renewTime: string; leaseTransitions: number };

const API_VERSION = 'coordination.k8s.io/v1';

/**
 * Leader election by a Lease, as client-go does it: a holder is trusted for its lease duration counted from when *we* saw it renew, so
 * clocks need not agree; every write carries the resourceVersion read, so two cannot win.
 */
export class LeaderElection {
  readonly #options: LeaseOptions;
  readonly #target: Target;
  #seen: { object: KubeObject; spec: LeaseSpec; at: Instant } | undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#target = { apiVersion: API_VERSION, kind: 'Lease', name: options.name, namespace: options.namespace };
  }

  /**
   * Waits until we lead, runs `lead` with a signal that aborts when we no longer do, and returns when the work has ended.
   * @returns `lost` when leadership was lost, `stopped` when `signal` ended it
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<'lost' | 'stopped'> {
    const { clock, retryPeriod, random } = this.#options;
    while (!(await this.#tryAcquire(signal))) {
      if (signal.aborted) return 'stopped';
      await sleep(clock, milliseconds(retryPeriod * (1 + 0.2 * random())), signal).catch(() => undefined);
      if (signal.aborted) return 'stopped';
    }
    const leading = new AbortController();
    const stop = (): void => leading.abort();
    signal.addEventListener('abort', stop, { once: true });
    const renewals = this.#renewUntilLost(leading.signal).finally(() => leading.abort());
    try {
      await lead(leading.signal);
    } finally {
      leading.abort();
      signal.removeEventListener('abort', stop);
    }
    const lost = await renewals;
    if (!lost && this.#options.releaseOnStop) await this.#release();
    return lost ? 'lost' : 'stopped';
  }

  /** Renews until told to stop (false) or until the deadline passed without success (true). */
  async #renewUntilLost(signal: AbortSignal): Promise<boolean> {
    const { clock, retryPeriod, renewDeadline } = this.#options;
    let renewed = clock.now();
    for (;;) {
      await sleep(clock, retryPeriod, signal).catch(() => undefined);
      if (signal.aborted) return false;
      if (await this.#tryAcquire(signal, renewDeadline - (clock.now() - renewed))) renewed = clock.now();
      else if (signal.aborted) return false;
      else if (clock.now() - renewed >= renewDeadline || this.#isOthers()) return true;
    }
  }

  #isOthers(): boolean {
    const holder = this.#seen?.spec.holderIdentity ?? '';
    return holder !== '' && holder !== this.#options.identity;
  }

  /** One try to take or renew the lease. Failures of the API are a no. */
  async #tryAcquire(signal: AbortSignal, timeout?: number): Promise<boolean> {
    const { client, identity, clock, onLeader } = this.#options;
    const call = { signal, timeout: Math.max(1000, Math.min(timeout ?? this.#options.renewDeadline, this.#options.renewDeadline)) };
    try {
      const held = this.#seen?.spec.holderIdentity === identity ? this.#seen.object : await client.find(this.#target, call);
      if (held === undefined) {
        this.#observe(await client.create(this.#lease(undefined), call));
        return true;
      }
      this.#observe(held);
      const { spec, at } = this.#seen ?? { spec: EMPTY_SPEC, at: clock.now() };
      const expired = clock.now() >= at + spec.leaseDurationSeconds * 1000;
      if (spec.holderIdentity !== '' && spec.holderIdentity !== identity && !expired) {
        onLeader?.(spec.holderIdentity);
        return false;
      }
      this.#observe(await client.update(this.#lease(held), call));
      return true;
    } catch (error) {
      if (!isKubeError(error)) throw error;
      // Conflict: someone wrote it between our read and our write. Read it anew next time.
      if (isKubeError(error, 'Conflict', 'NotFound', 'AlreadyExists')) this.#seen = undefined;
      return false;
    }
  }

  /** Remembers what was read; the clock of a lease starts when its content was first seen. */
  #observe(object: KubeObject): void {
    const spec = readSpec(object);
    const same =
      this.#seen !== undefined && this.#seen.spec.holderIdentity === spec.holderIdentity && this.#seen.spec.renewTime === spec.renewTime;
    this.#seen = { object, spec, at: same && this.#seen !== undefined ? this.#seen.at : this.#options.clock.now() };
  }

  #lease(held: KubeObject | undefined): KubeObject {
    const { name, namespace, identity, leaseDuration, clock } = this.#options;
    const now = microTime(clock.now());
    const old = held === undefined ? EMPTY_SPEC : readSpec(held);
    const ours = old.holderIdentity === identity;
    const spec: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDuration / 1000),
      acquireTime: ours ? old.acquireTime : now,
      renewTime: now,
      leaseTransitions: ours || held === undefined ? old.leaseTransitions : old.leaseTransitions + 1,
    };
    return { apiVersion: API_VERSION, kind: 'Lease', metadata: held?.metadata ?? { name, namespace }, spec };
  }

  async #release(): Promise<void> {
    const held = this.#seen;
    if (held?.spec.holderIdentity !== this.#options.identity) return;
    const spec = { ...held.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(this.#options.clock.now()) };
    try {
      await this.#options.client.update({ ...held.object, spec }, { timeout: 2000 });
    } catch (error) {
      // Not released: the next leader waits until it expires.
      if (!isKubeError(error)) throw error;
    }
  }
}

const EMPTY_SPEC: LeaseSpec = { holderIdentity: '', leaseDurationSeconds: 0, acquireTime: '', renewTime: '', leaseTransitions: 0 };

function readSpec(object: KubeObject): LeaseSpec {
  const spec = isRecord(object['spec']) ? object['spec'] : {};
  const text = (value: unknown): string => (typeof value === 'string' ? value : '');
  const number = (value: unknown): number => (typeof value === 'number' ? value : 0);
  return {
    holderIdentity: text(spec['holderIdentity']),
    leaseDurationSeconds: number(spec['leaseDurationSeconds']),
    acquireTime: text(spec['acquireTime']),
    renewTime: text(spec['renewTime']),
    leaseTransitions: number(spec['leaseTransitions']),
  };
}

/** meta/v1 MicroTime. */
function microTime(instant: Instant): string {
  return new Date(instant).toISOString().replace('Z', '000Z');
}
