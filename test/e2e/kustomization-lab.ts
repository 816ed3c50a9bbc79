// The controllers in this process against the cluster under test: every request to the API server is recorded, the registry is our own.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { customResourceDefinition, findCondition, kinds, type Condition } from '../../src/api/index.ts';
import { archiveTree, openArtifactStore, writeArchive } from '../../src/artifact/index.ts';
import { startControllers, type ControllersOptions, type RunningControllers } from '../../src/cli/start-controllers.ts';
import { createKubeClient, loadClusterConfig, nodeHost, type KindRef, type KubeClient, type RequestRecord } from '../../src/kube/index.ts';
import type { KubeObject } from '../../src/manifest/index.ts';
import {
  createRegistryClients,
  memoryStore,
  parseReference,
  pushArtifact,
  startRegistry,
  type RegistryClients,
  type RegistryRequestEvent,
  type RunningRegistry,
} from '../../src/oci/index.ts';
import { createLogger, createMetrics, parseFeatureGates, type PostedEvent } from '../../src/runtime/index.ts';
import { milliseconds, seconds, sleep, systemClock, type Digest } from '../../src/std/index.ts';

export const OCI: KindRef = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository' };
export const KS: KindRef = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
export const CONFIG_MAP: KindRef = { apiVersion: 'v1', kind: 'ConfigMap' };
export const DEPLOYMENT: KindRef = { apiVersion: 'apps/v1', kind: 'Deployment' };

/** A status as the tests look at it. */
export type Status = {
  conditions?: Condition[];
  observedGeneration?: number;
  lastAppliedRevision?: string;
  lastAttemptedRevision?: string;
  lastHandledReconcileAt?: string;
  inventory?: { entries: { id: string; v: string }[] };
  history?: { lastReconciledStatus: string }[];
  artifact?: { revision: string; digest: string; url: string; path: string };
};

export class Lab {
  /** Admin's own client, not recorded. */
  readonly kube: KubeClient;
  readonly registry: RunningRegistry;
  readonly namespace: string;
  /** Requests the controllers sent to the API server since the last {@link forget}. */
  requests: RequestRecord[] = [];
  registryRequests: RegistryRequestEvent[] = [];
  /** Events posted. */
  posted: PostedEvent[] = [];
  log: string[] = [];
  readonly #folder: string;
  readonly #controllersKube: KubeClient;
  readonly #registries: RegistryClients;
  readonly #pusher: RegistryClients;
  readonly #overrides: Partial<ControllersOptions>;
  #running: RunningControllers | undefined;

  private constructor(parts: {
    kube: KubeClient;
    controllersKube: (onRequest: (record: RequestRecord) => void) => KubeClient;
    registry: RunningRegistry;
    namespace: string;
    overrides: Partial<ControllersOptions>;
  }) {
    this.kube = parts.kube;
    this.registry = parts.registry;
    this.namespace = parts.namespace;
    this.#overrides = parts.overrides;
    this.#folder = mkdtempSync(join(tmpdir(), 'sluice-lab-'));
    this.#controllersKube = parts.controllersKube((record) => this.requests.push(record));
    const shared = { clock: systemClock, random: Math.random };
    this.#registries = createRegistryClients({ ...shared, onRequest: (event) => this.registryRequests.push(event) });
    this.#pusher = createRegistryClients(shared);
  }

  /** Installs the kinds, makes a namespace of its own and starts the controllers. */
  static async open(namespace: string, overrides: Partial<ControllersOptions> = {}): Promise<Lab> {
    const path = process.env['SLUICE_KUBECONFIG'];
    if (path === undefined) throw new Error('SLUICE_KUBECONFIG is not set: run `npm run test:cluster [FILE…]`');
    const config = await loadClusterConfig(nodeHost, { kubeconfig: path });
    const kube = createKubeClient(config, { userAgent: 'lab' });
    for (const kind of kinds) await kube.apply(customResourceDefinition(kind) as KubeObject, { fieldManager: 'lab', force: true });
    await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, { fieldManager: 'lab', force: true });
    const registry = await startRegistry({ store: memoryStore(), clock: systemClock });
    const controllersKube = (onRequest: (record: RequestRecord) => void): KubeClient =>
      createKubeClient(config, { userAgent: 'sluice', onRequest });
    const lab = new Lab({ kube, controllersKube, registry, namespace, overrides });
    for (const kind of [OCI, KS]) await until(`${kind.kind} is served`, async () => (await kube.list(kind, { namespace })) !== undefined);
    await lab.start();
    return lab;
  }

  async start(): Promise<void> {
    const store = await openArtifactStore({ root: this.#folder, clock: systemClock, retention: { ttl: seconds(60), records: 2 } });
    this.#running = startControllers({
      kube: this.#controllersKube,
      registries: this.#registries,
      store,
      clock: systemClock,
      random: Math.random,
      log: createLogger({ clock: systemClock, level: 'debug', encoding: 'json', write: (line) => this.log.push(line) }),
      metrics: createMetrics({ processMetrics: false }),
      fetch: globalThis.fetch,
      sink: { post: async (event) => void this.posted.push(event) },
      instance: 'lab',
      artifactAddress: () => 'http://127.0.0.1:1',
      concurrency: 16,
      backoff: { base: milliseconds(250), max: seconds(5), factor: 2, jitter: 0 },
      intervalJitter: 0.05,
      requeueDependency: seconds(30),
      namespace: this.namespace,
      labelSelector: undefined,
      configsLabelSelector: 'reconcile.fluxcd.io/watch=Enabled',
      gates: parseFeatureGates(''),
      noCrossNamespaceRefs: false,
      defaultServiceAccount: '',
      overrideManagers: [],
      customStageKinds: new Set(),
      ...this.#overrides,
    });
    await this.#running.ready;
  }

  /** Stops the controllers, keeps the cluster and the registry. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#controllersKube.close();
    await this.#registries.close();
    await this.#pusher.close();
    await this.registry.close();
    await this.kube.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Deletes every stored artifact, as the loss of a disk would. */
  emptyStore(): void {
    rmSync(join(this.#folder, 'ocirepository'), { recursive: true, force: true });
  }

  /** True when an artifact with this path is stored. */
  hasStored(path: string): boolean {
    return path !== '' && existsSync(join(this.#folder, path));
  }

  /** Forgets what was recorded. */
  forget(): void {
    this.requests = [];
    this.registryRequests = [];
    this.posted = [];
    this.log = [];
  }

  /** Requests recorded, watches, lists and discovery aside, as `verb resource[ dry-run]` with counts. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { verb, resource, dryRun } of this.requests) {
      if (verb === 'watch' || verb === 'list' || verb === 'discovery') continue;
      const key = `${verb} ${resource}${dryRun ? ' dry-run' : ''}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
    return counts;
  }

  /** Pushes files as a Flux artifact; gives the revision. */
  async push(repository: string, files: Readonly<Record<string, string>>, tag = 'latest'): Promise<string> {
    const reference = parseReference(`${this.registry.host}/${repository}:${tag}`);
    const client = this.#pusher.client({});
    const annotations = { 'org.opencontainers.image.revision': 'main@sha1:abc', 'org.opencontainers.image.source': 'test' };
    const layer = await writeArchive(archiveTree(files), 'kept');
    const { digest } = await pushArtifact(client, reference, { layer, annotations }, AbortSignal.timeout(10_000));
    return `${tag}@${digest satisfies Digest}`;
  }

  async apply(object: KubeObject): Promise<KubeObject> {
    const metadata = { namespace: this.namespace, ...object.metadata };
    return this.kube.apply({ ...object, metadata }, { fieldManager: 'lab', force: true });
  }

  /** An OCIRepository for a repository of the lab's registry. */
  source(name: string, repository: string, spec: Record<string, unknown> = {}): Promise<KubeObject> {
    const url = `oci://${this.registry.host}/${repository}`;
    return this.apply({ ...OCI, metadata: { name }, spec: { interval: '10m', url, ref: { tag: 'latest' }, ...spec } });
  }

  /** A Kustomization of the source of the same name, into the lab's namespace. */
  kustomization(name: string, spec: Record<string, unknown> = {}): Promise<KubeObject> {
    const sourceRef = { kind: 'OCIRepository', name };
    return this.apply({
      ...KS,
      metadata: { name },
      spec: { interval: '10m', prune: true, targetNamespace: this.namespace, sourceRef, ...spec },
    });
  }

  /** Asks for a reconcile now. */
  async request(kind: KindRef, name: string): Promise<string> {
    const value = new Date().toISOString() + Math.random();
    const body = { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': value } } };
    await this.kube.patch({ ...kind, name, namespace: this.namespace }, { type: 'merge', body });
    return value;
  }

  patch(kind: KindRef, name: string, body: Record<string, unknown>): Promise<KubeObject> {
    return this.kube.patch({ ...kind, name, namespace: this.namespace }, { type: 'merge', body });
  }

  find(kind: KindRef, name: string): Promise<KubeObject | undefined> {
    return this.kube.find({ ...kind, name, namespace: this.namespace });
  }

  async status(kind: KindRef, name: string): Promise<Status> {
    return ((await this.find(kind, name))?.['status'] ?? {}) as Status;
  }

  /** Waits until the status satisfies a test, and gives it. */
  async waitStatus(kind: KindRef, name: string, what: string, test: (status: Status) => boolean, timeout = 20_000): Promise<Status> {
    let last: Status = {};
    try {
      return await until(
        `${kind.kind} ${name}: ${what}`,
        async () => {
          last = await this.status(kind, name);
          return test(last) ? last : undefined;
        },
        timeout,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(last)}\n${this.log.slice(-10).join('\n')}`, { cause: error });
    }
  }

  ready(kind: KindRef, name: string, revision?: string, timeout?: number): Promise<Status> {
    return this.waitStatus(
      kind,
      name,
      'Ready',
      (status) =>
        condition(status, 'Ready')?.status === 'True' &&
        (revision === undefined || (status.lastAppliedRevision ?? status.artifact?.revision) === revision),
      timeout,
    );
  }

  notReady(kind: KindRef, name: string, reason: string, timeout?: number): Promise<Status> {
    return this.waitStatus(
      kind,
      name,
      reason,
      (status) => condition(status, 'Ready')?.status === 'False' && condition(status, 'Ready')?.reason === reason,
      timeout,
    );
  }

  /** Deletes an object and waits until it is gone. */
  async remove(kind: KindRef, name: string, timeout = 20_000): Promise<void> {
    await this.kube.delete({ ...kind, name, namespace: this.namespace });
    await until(`${kind.kind} ${name} is gone`, async () => (await this.find(kind, name)) === undefined, timeout);
  }

  /** Resolves when the controllers have sent nothing for a while. */
  async settled(quiet = 700): Promise<void> {
    for (let seen = -1; seen !== this.requests.length;) {
      seen = this.requests.length;
      await sleep(systemClock, milliseconds(quiet));
    }
  }
}

export function condition(status: Status, type: string): Condition | undefined {
  return findCondition(status.conditions, type);
}

/** A ConfigMap as YAML text. */
export function configMap(name: string, data: Record<string, string> = { v: '1' }): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
}

/** A Deployment as YAML text; `fate` says what becomes of its pods. */
export function deployment(name: string, annotations: Record<string, string> = {}, spec: Record<string, unknown> = {}): string {
  const template = { metadata: { labels: { app: name }, annotations }, spec: { containers: [{ name: 'main', image: 'app' }] } };
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, template, ...spec },
  });
}

/** Waits until `probe` gives something truthy, and gives it. */
export async function until<T>(what: string, probe: () => Promise<T>, timeout = 20_000): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeout;
  let last = '';
  while (Date.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) return value;
    } catch (error) {
      last = (error as Error).message;
    }
    await sleep(systemClock, milliseconds(50));
  }
  throw new Error(`${what}: not within ${timeout / 1000} s${last === '' ? '' : `: ${last}`}`);
}
