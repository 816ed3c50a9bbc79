import { systemClock, type Clock } from '../std/index.ts';
import { Caller } from './caller.ts';
import { Client, type Cluster } from './client.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { credentialSource } from './credentials.ts';
import type { KubeError } from './errors.ts';
import { nodeHost, type Host } from './host.ts';
import { InformerHub } from './informer-hub.ts';
import { RateLimiter, type RateLimit } from './limiter.ts';
import { proxyFromEnvironment } from './proxy.ts';
import { DiscoveryMapper } from './rest-mapper.ts';
import { Transport, type TransportOptions } from './transport.ts';
import type { KindRef, KubeClient, RequestRecord } from './kube-client.ts';

export type KubeClientOptions = TransportOptions & {
  clock?: Clock;
  random?: () => number;
  host?: Host;
  userAgent?: string;
  /** Milliseconds for a call with all its repetitions. Default 30 s. */
  timeout?: number;
  /**
   * How often a call is sent at most, where sending again is safe. Default 5, which bridges a second and a half; 9 bridges about 20 s, such as
   * the restart of an API server.
   */
  attempts?: number;
  /** Client-side limit. Default none: the server's own priority and fairness decides. */
  rateLimit?: RateLimit;
  onRequest?: (record: RequestRecord) => void;
  /** A watch failed and is being recovered. */
  onWatchError?: (kind: KindRef, error: KubeError) => void;
  /** An informer handler threw. Default: rethrown outside the watch, so that the process reports it. */
  onHandlerError?: (error: unknown) => void;
};

const DEFAULT_TIMEOUT = 30_000;
const DEFAULT_ATTEMPTS = 5;

/** A client for a cluster. Opens nothing before its first call. */
export function createKubeClient(config: ClusterConfig, options: KubeClientOptions = {}): KubeClient {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? Math.random;
  const host = options.host ?? nodeHost;
  const transport = new Transport(config, { ...options, proxy: proxyFromEnvironment(new URL(config.server), host.env) }, clock);
  const caller = new Caller({
    transport,
    credentials: credentialSource(config, host, clock),
    clock,
    random,
    userAgent: options.userAgent ?? 'sluice',
    timeout: options.timeout ?? DEFAULT_TIMEOUT,
    attempts: options.attempts ?? DEFAULT_ATTEMPTS,
    limiter: options.rateLimit === undefined ? undefined : new RateLimiter(options.rateLimit, clock),
    onRequest: options.onRequest,
  });
  const mapper = new DiscoveryMapper((path, accept) => discover(caller, path, accept), clock);
  const informers = new InformerHub({
    clock,
    random,
    onWatchError: options.onWatchError,
    onHandlerError: options.onHandlerError ?? rethrow,
  });
  const cluster: Cluster = {
    config,
    caller,
    mapper,
    informers,
    close: async () => {
      await informers.close();
      await transport.close();
    },
  };
  return new Client(cluster, config.impersonate);
}

async function discover(caller: Caller, path: string, accept: string | undefined): Promise<unknown> {
  return caller.json(
    {
      verb: 'discovery',
      group: '',
      resource: path,
      method: 'GET',
      path,
      what: `read discovery ${path}`,
      subject: path,
      accept,
      repeatable: true,
    },
    [],
  );
}

function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
