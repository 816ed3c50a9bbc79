import { writeFileSync } from 'node:fs';
import { type Clock, type Duration, milliseconds, systemClock } from '../std/index.ts';
import { Api } from './api/api.ts';
import { isAllowed } from './auth/rbac.ts';
import { Tokens } from './auth/tokens.ts';
import { authExtension } from './auth/reviews.ts';
import { bootstrap } from './controllers/bootstrap.ts';
import { Cluster } from './controllers/cluster.ts';
import { serveDefinitions } from './controllers/definitions.ts';
import { runGarbageCollector } from './controllers/garbage.ts';
import { runNamespaces } from './controllers/namespaces.ts';
import { openIdentity } from './http/identity.ts';
import { type Listening, listen } from './http/server.ts';
import { Journal } from './storage/journal.ts';
import { Store } from './storage/store.ts';
import { FATE_DOMAIN } from './workloads/fate.ts';
import { type Pace, runWorkloads } from './workloads/workloads.ts';

export type SandboxOptions = {
  /** Loopback unless said otherwise. */
  host?: string;
  /** 0 picks a free one. */
  port?: number;
  /** Folder that keeps the state across restarts; in memory only when absent. */
  data?: string;
  /** How long a simulated pod takes to be ready. Default half a second; tests take 0. */
  podStart?: Duration;
  /** The first back-off of a crashing container and of a Job's failed pod; it doubles. Default a second; none when `podStart` is 0. */
  backoff?: Duration;
  /** Whose annotations and images tell the fates of pods. Default `sandbox.sluice.dev`. */
  fateDomains?: readonly string[];
  clock?: Clock;
  random?: () => number;
};

/** A running sandbox: a Kubernetes API with simulated workloads. */
export type Sandbox = {
  api: Api;
  url: string;
  /** A kubeconfig of its administrator, as text (JSON is YAML). */
  kubeconfig: string;
  /** Writes the kubeconfig to a file that only its owner can read. */
  writeKubeconfig(path: string): void;
  close(): Promise<void>;
};

/** Starts a sandbox and listens. @throws CodedError `ListenFailed`, `StorageFailed` */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const clock = options.clock ?? systemClock;
  const store = new Store();
  const journal = options.data === undefined ? undefined : new Journal(options.data, store);
  journal?.open();
  const { tokenKey, serving } = openIdentity(options.data, options.host ?? '127.0.0.1', clock.now());
  const tokens = new Tokens(clock, tokenKey);
  const api = new Api({
    store,
    clock,
    ...(options.random === undefined ? {} : { random: options.random }),
    access: { userOf: (token) => tokens.user(token), allows: (user, attributes) => isAllowed(store, user, attributes) },
  });
  api.addExtension(authExtension(api, tokens));
  bootstrap(api);
  serveDefinitions(api);
  const cluster = new Cluster(api);
  const stops = [runNamespaces(cluster), runGarbageCollector(cluster), runWorkloads(cluster, new Cluster(api, 'kubelet'), paceOf(options))];
  const stop = (): void => {
    for (const each of stops) each();
    journal?.close();
  };
  let listening;
  try {
    listening = await listen(api, serving, { ...(options.host === undefined ? {} : { host: options.host }), port: options.port ?? 0 });
  } catch (error) {
    stop();
    throw error;
  }
  const kubeconfig = kubeconfigOf(listening, tokens.admin);
  return {
    api,
    url: listening.url,
    kubeconfig,
    writeKubeconfig: (path) => writeFileSync(path, kubeconfig, { mode: 0o600 }),
    close: async () => {
      await listening.close();
      stop();
    },
  };
}

function kubeconfigOf({ url, certificate }: Listening, token: string): string {
  const cluster = { server: url, 'certificate-authority-data': Buffer.from(certificate).toString('base64') };
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'sandbox',
    clusters: [{ name: 'sandbox', cluster }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'admin' } }],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function paceOf({ podStart = milliseconds(500), backoff, fateDomains = [FATE_DOMAIN] }: SandboxOptions): Pace {
  return { podStart, backoff: backoff ?? milliseconds(podStart === 0 ? 0 : 1000), fateDomains };
}
