import { mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openArtifactStore } from '../artifact/index.ts';
import { clusterConfig, createKubeClient, type KubeClient, nodeHost, parseKubeconfig } from '../kube/index.ts';
import { formatObjectRef, type ObjectRef } from '../manifest/index.ts';
import { createRegistryClients, type MirrorRule, memoryStore, type RegistryClients, startRegistry } from '../oci/index.ts';
import { createLogger, createMetrics, type Logger, parseFeatureGates, watchLabelSelector } from '../runtime/index.ts';
import { startSandbox } from '../sandbox/index.ts';
import { milliseconds, minutes, seconds, systemClock } from '../std/index.ts';
import { textAt } from './preview-objects.ts';
import { startControllers } from './start-controllers.ts';

/** A cluster and a registry in this process, reached over loopback only. */
export type Stage = AsyncDisposable & {
  client: KubeClient;
  /** Clients that ask every registry itself. */
  registries: RegistryClients;
  /** `host:port` of the registry. */
  registry: string;
  /** Writes a kubeconfig of the cluster's administrator. */
  writeKubeconfig(path: string): void;
  /** What a controller last logged as an error about a Flux object, when that is in no condition. */
  lastError(ref: ObjectRef): string | undefined;
  /** Starts the controllers; they ask the registry of this process first for what lies on `mirrored`. */
  control(mirrored: string | undefined): Promise<void>;
};

type Stops = (() => Promise<void> | void)[];

/** Starts cluster and registry, both empty. Disposing of the stage ends all of it and leaves no file. */
export async function openStage(options: { verbose: boolean }): Promise<Stage> {
  const stops: Stops = [];
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    return { ...(await open(stops, options.verbose)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(stops: Stops, verbose: boolean): Promise<Omit<Stage, typeof Symbol.asyncDispose>> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-preview-'));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  const sandbox = await startSandbox({ podStart: milliseconds(0) });
  stops.push(() => sandbox.close());
  const registry = await startRegistry({ clock: systemClock, store: memoryStore() });
  stops.push(() => registry.close());
  const client = createKubeClient(await clusterConfig(parseKubeconfig(sandbox.kubeconfig), nodeHost), {
    clock: systemClock,
    userAgent: 'sluice-preview',
  });
  stops.push(() => client.close());
  const registries = createRegistryClients({ clock: systemClock, random: Math.random, userAgent: 'sluice-preview' });
  stops.push(() => registries.close());
  const errors = new Map<string, string>();
  const log = createLogger({
    clock: systemClock,
    level: verbose ? 'info' : 'error',
    encoding: 'json',
    write: (line) => {
      if (verbose) process.stderr.write(`${line}\n`);
      const entry: unknown = JSON.parse(line);
      const [kind, namespace, name, error] = ['controllerKind', 'namespace', 'name', 'error'].map((key) => textAt(entry, key));
      if (error !== undefined && error !== '') errors.set(`${kind}/${namespace}/${name}`, error);
    },
  });
  const control = async (mirrored: string | undefined): Promise<void> => {
    await startWork(stops, { client, log, folder, mirrors: mirrored === undefined ? [] : mirrorsOf(mirrored, registry.host) });
  };
  return {
    client,
    registries,
    registry: registry.host,
    writeKubeconfig: sandbox.writeKubeconfig,
    lastError: (ref) => errors.get(formatObjectRef(ref)),
    control,
  };
}

/** What the target stands in for is here; everything else of that registry is asked of itself. */
function mirrorsOf(host: string, here: string): MirrorRule[] {
  return [
    { host, target: here, insecure: true },
    { host, target: host },
  ];
}

async function startWork(
  stops: Stops,
  options: { client: KubeClient; log: Logger; folder: string; mirrors: readonly MirrorRule[] },
): Promise<void> {
  const clock = systemClock;
  const limits = { attempts: 2, resumes: 2 };
  const registries = createRegistryClients({ clock, random: Math.random, userAgent: 'sluice-preview', mirrors: options.mirrors, limits });
  stops.push(() => registries.close());
  const retention = { ttl: minutes(60), records: 1000 };
  const controllers = startControllers({
    kube: options.client,
    registries,
    store: await openArtifactStore({ root: join(options.folder, 'artifacts'), clock, retention }),
    clock,
    random: Math.random,
    log: options.log,
    metrics: createMetrics({ processMetrics: false }),
    fetch: globalThis.fetch,
    sink: undefined,
    instance: hostname(),
    // Nobody fetches from there: the Kustomization controller reads the store.
    artifactAddress: () => 'http://127.0.0.1',
    concurrency: 16,
    backoff: { base: milliseconds(750), max: minutes(15), factor: 2, jitter: 0.1 },
    intervalJitter: 0,
    requeueDependency: seconds(1),
    namespace: undefined,
    labelSelector: undefined,
    configsLabelSelector: watchLabelSelector,
    gates: parseFeatureGates(''),
    noCrossNamespaceRefs: false,
    defaultServiceAccount: '',
    overrideManagers: [],
    customStageKinds: new Set(),
  });
  stops.push(() => controllers.stop());
  await controllers.ready;
}
