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
import { listen } from './http/server.ts';
import { Journal } from './storage/journal.ts';
import { Store } from './storage/store.ts';
import { runDeployments } from './workloads/deployments.ts';
import { runJobs } from './workloads/jobs.ts';
import { runSurroundings } from './workloads/network.ts';
import { runPods } from './workloads/pods.ts';
import { runSets } from './workloads/sets.ts';

export type SandboxOptions = {
  /** Loopback unless said otherwise. */
  host?: string;
  /** 0 picks a free one. */
  port?: number;
  /** Folder that keeps the state across restarts; in memory only when absent. */
  data?: string;
  /** How long a simulated pod takes to be ready. Default half a second; tests take 0. */
  podStart?: Duration;
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
  const tokens = new Tokens(clock);
  const store = new Store();
  const journal = options.data === undefined ? undefined : new Journal(options.data, store);
  journal?.open();
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
  const stops = [
    runNamespaces(cluster),
    runGarbageCollector(cluster),
    runPods(new Cluster(api, 'kubelet'), options.podStart ?? milliseconds(500)),
    runDeployments(cluster),
    runSets(cluster),
    runJobs(cluster),
    runSurroundings(cluster),
  ];
  const listening = await listen(api, { ...(options.host === undefined ? {} : { host: options.host }), port: options.port ?? 0 });
  const kubeconfig = `${JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'sandbox',
      clusters: [
        {
          name: 'sandbox',
          cluster: { server: listening.url, 'certificate-authority-data': Buffer.from(listening.certificate).toString('base64') },
        },
      ],
      users: [{ name: 'admin', user: { token: tokens.admin } }],
      contexts: [{ name: 'sandbox', context: { cluster: 'sandbox', user: 'admin' } }],
    },
    undefined,
    2,
  )}\n`;
  return {
    api,
    url: listening.url,
    kubeconfig,
    writeKubeconfig: (path) => writeFileSync(path, kubeconfig, { mode: 0o600 }),
    close: async () => {
      for (const stop of stops) stop();
      await listening.close();
      journal?.close();
    },
  };
}
