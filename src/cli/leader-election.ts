import { controllerNames } from '../api/index.ts';
import { LeaderElection, type KubeClient } from '../kube/index.ts';
import type { Logger, Metrics } from '../runtime/index.ts';
import { CodedError, digestHex, digestOf, seconds, type Clock, type Duration } from '../std/index.ts';

/** How leases are held. */
export type LeaseFlags = { leaseDuration: Duration; renewDeadline: Duration; retryPeriod: Duration };

/** Flux's defaults. */
export const defaultLeases: LeaseFlags = { leaseDuration: seconds(35), renewDeadline: seconds(30), retryPeriod: seconds(5) };

/** Names of the leases: those of the Flux controllers this process takes the place of, so that never both work at once (C12). */
export function leaseNames(labelSelector: string): string[] {
  const suffix = labelSelector === '' ? '' : `-${digestHex(digestOf(labelSelector))}`;
  return [controllerNames.source, controllerNames.kustomize, controllerNames.helm].map(
    (controller) => `${controller}-leader-election${suffix}`,
  );
}

/**
 * Runs `work` while every lease is held; its signal aborts when one is lost or `signal` aborts.
 * @throws CodedError `LeadershipLost`
 */
export async function runAsLeader(
  options: {
    kube: KubeClient;
    namespace: string;
    names: readonly string[];
    identity: string;
    flags: LeaseFlags;
    clock: Clock;
    random: () => number;
    log: Logger;
    metrics: Metrics;
  },
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { kube, namespace, names, identity, flags, clock, random, log, metrics } = options;
  const [name, ...rest] = names;
  if (name === undefined) return work(signal);
  metrics.leader(name, false);
  const election = new LeaderElection({
    client: kube,
    namespace,
    name,
    identity,
    ...flags,
    releaseOnStop: true,
    clock,
    random,
    onLeader: (leader) => log.info('another process leads', { lease: `${namespace}/${name}`, leader }),
  });
  log.info('attempting to acquire leader lease', { lease: `${namespace}/${name}` });
  const end = await election.run(async (leading) => {
    metrics.leader(name, true);
    log.info('successfully acquired lease', { lease: `${namespace}/${name}` });
    await runAsLeader({ ...options, names: rest }, work, leading);
  }, signal);
  metrics.leader(name, false);
  if (end === 'lost')
    throw new CodedError({ code: 'LeadershipLost', message: `hold lease "${namespace}/${name}": leadership lost`, subject: name });
}
