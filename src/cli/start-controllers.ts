import {
  controllerNames,
  fieldManagers,
  groups,
  kindApiVersion,
  kustomizationKind,
  kustomizeKeys,
  ociRepositoryKind,
  parseKustomization,
  parseOCIRepository,
  type Kind,
  type Kustomization,
  type OCIRepository,
  type ResourceMetadata,
} from '../api/index.ts';
import { defaultTakeover, OwnedObjects, overrideManager } from '../apply/index.ts';
import type { ArtifactStore } from '../artifact/index.ts';
import {
  Clusters,
  formatSourceKey,
  KustomizationController,
  kustomizationConditions,
  Memories,
  sourceKey,
  Sources,
} from '../controllers/kustomization/index.ts';
import { OciRepositoryController, ociRepositoryConditions } from '../controllers/source/index.ts';
import { createKubeClient, nodeHost, type ClusterConfig, type Informer, type KindRef, type KubeClient } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import type { RegistryClients } from '../oci/index.ts';
import {
  changeTrigger,
  ConfigReader,
  ControllerRunner,
  formatKey,
  KubeEventRecorder,
  ResourceView,
  StatusWriter,
  type Controller,
  type EventSink,
  type FeatureGates,
  type Logger,
  type Metrics,
} from '../runtime/index.ts';
import type { Backoff, Clock, Duration } from '../std/index.ts';

/** Everything the controllers of one process work with. */
export type ControllersOptions = {
  kube: KubeClient;
  registries: RegistryClients;
  store: ArtifactStore;
  clock: Clock;
  random: () => number;
  log: Logger;
  metrics: Metrics;
  /** Opens clients for the clusters kubeconfigs name. Default: as any other. */
  connect?: (config: ClusterConfig) => KubeClient;
  /** What kubeconfigs of Secrets may do. Default: neither. */
  kubeconfigPolicy?: { allowExec: boolean; allowInsecure: boolean };
  /** For artifacts other controllers publish. */
  fetch: typeof globalThis.fetch;
  sink: EventSink | undefined;
  /** Host name, in events. */
  instance: string;
  artifactAddress: () => string;
  concurrency: number;
  backoff: Backoff;
  /** Fraction of the interval (C11). */
  intervalJitter: number;
  requeueDependency: Duration;
  /** Only this namespace; undefined for all. */
  namespace: string | undefined;
  /** Only objects with these labels (C12). */
  labelSelector: string | undefined;
  /** ConfigMaps and Secrets whose change reconciles at once (C13). */
  configsLabelSelector: string;
  gates: FeatureGates;
  noCrossNamespaceRefs: boolean;
  defaultServiceAccount: string;
  overrideManagers: readonly string[];
  customStageKinds: ReadonlySet<string>;
};

/** Controllers at work. */
export type RunningControllers = {
  /** Resolves when every cache is filled and work begins. */
  ready: Promise<void>;
  /** Takes no more work, ends waits, lets what is under way end and delivers the last events. */
  stop(): Promise<void>;
};

/** Starts all controllers. */
export function startControllers(options: ControllersOptions): RunningControllers {
  const stopping = new AbortController();
  const configs = new ConfigReader(options.kube, options.clock);
  const source = startSource(options, configs);
  const kustomize = startKustomize(options, configs, source.view);
  const parts = [source, kustomize];
  const watchers = options.gates.enabled('DisableConfigWatchers')
    ? []
    : watchConfigs(options, configs, (config) => {
        for (const { configChanged } of parts) configChanged(config);
      });
  const synced = Promise.all(parts.map(({ view }) => view.waitSynced(stopping.signal)));
  return {
    ready: synced.then(() => {
      for (const { runner } of parts) runner.start();
    }),
    stop: async () => {
      stopping.abort();
      await Promise.all(parts.map(({ runner }) => runner.stop()));
      for (const informer of watchers) informer.release();
      await Promise.all(parts.map((part) => part.close()));
      await Promise.all(parts.map(({ events }) => events.flush()));
    },
  };
}

type Part<T> = {
  view: ResourceView<T>;
  runner: ControllerRunner;
  events: KubeEventRecorder;
  close: () => Promise<void>;
  /** Reconciles what refers to a ConfigMap or Secret, `Kind/namespace/name`. */
  configChanged: (config: string) => void;
};

function startSource(options: ControllersOptions, configs: ConfigReader): Part<OCIRepository> {
  const { registries, store, clock, random, artifactAddress, intervalJitter } = options;
  const view = openView(options, ociRepositoryKind, readOCIRepository, ociRepositoryIndexes);
  const events = recorder(options, controllerNames.source);
  const controller = new OciRepositoryController({
    view,
    writer: writer(options, ociRepositoryKind, fieldManagers.source, ociRepositoryConditions, view),
    configs,
    registries,
    store,
    events,
    clock,
    random,
    artifactAddress,
    intervalJitter,
    enqueue: (key) => runner.enqueue(key, 'source'),
  });
  const runner = createRunner(options, controller);
  enqueueChanges(options, 'OCIRepository', view, runner);
  return { view, runner, events, close: async () => view.close(), configChanged: enqueueUsers(view, runner) };
}

function startKustomize(
  options: ControllersOptions,
  configs: ConfigReader,
  ociRepositories: ResourceView<OCIRepository>,
): Part<Kustomization> {
  const { kube, store, clock } = options;
  const view = openView(options, kustomizationKind, readKustomization, kustomizationIndexes);
  const events = recorder(options, controllerNames.kustomize);
  const takeover = [...defaultTakeover(fieldManagers.kustomizeApply), ...options.overrideManagers.flatMap(overrideManager)];
  const own = (client: KubeClient): OwnedObjects => {
    const watched = new OwnedObjects({ client, group: groups.kustomize, fieldManager: fieldManagers.kustomizeApply, takeover, clock });
    memories.follow(watched);
    return watched;
  };
  const labels = { name: kustomizeKeys.ownerName, namespace: kustomizeKeys.ownerNamespace };
  const memories = new Memories(labels, (key) => controller.drifted(key));
  const local = { id: '', kube, owned: own(kube) };
  const clusters = new Clusters({
    local,
    configs,
    host: nodeHost,
    policy: options.kubeconfigPolicy ?? { allowExec: false, allowInsecure: false },
    connect: (id, config) => {
      const client = options.connect?.(config) ?? createKubeClient(config, { clock, userAgent: 'sluice' });
      return { id, kube: client, owned: own(client) };
    },
  });
  const sources = new Sources({
    kube,
    ociRepositories,
    store,
    fetch: options.fetch,
    changed: (source) => {
      for (const object of view.byIndex('source', formatSourceKey(source))) runner.enqueue(formatKey(object.metadata), 'source');
    },
  });
  const controller = new KustomizationController({
    ...options,
    view,
    writer: writer(options, kustomizationKind, fieldManagers.kustomizeStatus, kustomizationConditions, view),
    configs,
    sources,
    clusters,
    memories,
    events,
    correct: (key, delay) => runner.enqueueAfter(key, delay, 'drift'),
  });
  const runner = createRunner(options, controller);
  enqueueChanges(options, 'Kustomization', view, runner);
  view.subscribe({
    changed: ({ metadata }) => {
      for (const dependent of view.byIndex('dependency', formatKey(metadata))) controller.dependencyChanged(formatKey(dependent.metadata));
    },
  });
  return {
    view,
    runner,
    events,
    close: async () => {
      await clusters.close();
      local.owned.close();
      sources.close();
      view.close();
    },
    configChanged: enqueueUsers(view, runner),
  };
}

function enqueueUsers<T extends { metadata: ResourceMetadata }>(view: ResourceView<T>, runner: ControllerRunner): (config: string) => void {
  return (config) => {
    for (const { metadata } of view.byIndex('config', config)) runner.enqueue(formatKey(metadata), 'config');
  };
}

const readKustomization: (object: KubeObject) => Kustomization = oncePerObject(parseKustomization);
const readOCIRepository: (object: KubeObject) => OCIRepository = oncePerObject(parseOCIRepository);

type Indexes = Readonly<Record<string, (object: KubeObject) => readonly string[]>>;

/** How OCIRepositories are found by the Secrets they use. */
const ociRepositoryIndexes: Indexes = {
  config: indexOf(readOCIRepository, ({ spec, metadata }) =>
    [spec.secretRef, spec.certSecretRef, spec.proxySecretRef, spec.verify?.secretRef, spec.verify?.trustedRootSecretRef].flatMap((secret) =>
      secret === undefined ? [] : [`Secret/${metadata.namespace}/${secret.name}`],
    ),
  ),
};

/** How Kustomizations are found by what they refer to. */
const kustomizationIndexes: Indexes = {
  source: indexOf(readKustomization, (object) => [formatSourceKey(sourceKey(object))]),
  dependency: indexOf(readKustomization, ({ spec, metadata }) =>
    (spec.dependsOn ?? []).map(({ namespace, name }) => `${namespace ?? metadata.namespace}/${name}`),
  ),
  config: indexOf(readKustomization, ({ spec, metadata }) => {
    const variables = (spec.postBuild?.substituteFrom ?? []).map(({ kind, name }) => `${kind}/${metadata.namespace}/${name}`);
    const secrets = [spec.decryption?.secretRef, spec.kubeConfig?.secretRef].flatMap((secret) =>
      secret === undefined ? [] : [`Secret/${metadata.namespace}/${secret.name}`],
    );
    const cluster = spec.kubeConfig?.configMapRef;
    return [...variables, ...secrets, ...(cluster === undefined ? [] : [`ConfigMap/${metadata.namespace}/${cluster.name}`])];
  }),
};

/** Reads each state of an object once, however many ask: cached objects are never changed. */
function oncePerObject<T>(parse: (object: KubeObject) => T): (object: KubeObject) => T {
  const known = new WeakMap<KubeObject, { value: T }>();
  return (object) => {
    let entry = known.get(object);
    if (entry === undefined) {
      entry = { value: parse(object) };
      known.set(object, entry);
    }
    return entry.value;
  };
}

/** An index over parsed objects; one that cannot be read is in no index (and reported by its view). */
function indexOf<T>(read: (object: KubeObject) => T, keys: (object: T) => readonly string[]): (object: KubeObject) => readonly string[] {
  return (object) => {
    try {
      return keys(read(object));
    } catch {
      return [];
    }
  };
}

function enqueueChanges<T extends { metadata: ResourceMetadata; status: { observedGeneration?: number } }>(
  { metrics }: ControllersOptions,
  kind: string,
  view: ResourceView<T>,
  runner: ControllerRunner,
): void {
  view.subscribe({
    changed: ({ metadata, status }, previous) => {
      const trigger = changeTrigger(metadata, previous?.metadata, status.observedGeneration);
      if (trigger !== undefined) runner.enqueue(formatKey(metadata), trigger);
    },
    deleted: ({ metadata: { namespace, name } }) => {
      metrics.forget({ kind, namespace, name });
      runner.enqueue(`${namespace}/${name}`, 'changed');
    },
  });
}

/** Watches labelled ConfigMaps and Secrets (C13), metadata only. */
function watchConfigs(options: ControllersOptions, configs: ConfigReader, changed: (config: string) => void): Informer[] {
  const { kube, configsLabelSelector, namespace } = options;
  return (['ConfigMap', 'Secret'] as const).map((kind) => {
    const informer = kube.informer(
      { apiVersion: 'v1', kind },
      { form: 'metadata', labelSelector: configsLabelSelector, ...(namespace === undefined ? {} : { namespace }) },
    );
    const tell = ({ metadata }: KubeObject): void => {
      configs.forget(kind, metadata.namespace ?? '', metadata.name);
      changed(`${kind}/${metadata.namespace ?? ''}/${metadata.name}`);
    };
    informer.subscribe({
      added: (object) => {
        if (informer.synced) tell(object);
      },
      updated: (object, old) => {
        if (object.metadata.resourceVersion !== old.metadata.resourceVersion) tell(object);
      },
      deleted: tell,
    });
    return informer;
  });
}

function openView<T>(
  options: ControllersOptions,
  kind: Kind,
  parse: (object: KubeObject) => T,
  indexes: Readonly<Record<string, (object: KubeObject) => readonly string[]>>,
): ResourceView<T> {
  const { kube, namespace, labelSelector, log } = options;
  const informer = kube.informer(reference(kind), {
    indexes,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  });
  return new ResourceView(informer, (object) => {
    try {
      return parse(object);
    } catch (error) {
      // Let in under another schema (an older CRD): it cannot be reconciled until it is changed.
      log.error('could not read object', error, {
        controllerKind: kind.kind,
        name: object.metadata.name,
        namespace: object.metadata.namespace,
      });
      return undefined;
    }
  });
}

function writer<T>(
  options: ControllersOptions,
  kind: Kind,
  fieldManager: string,
  ownedConditions: readonly string[],
  view: ResourceView<T>,
): StatusWriter {
  return new StatusWriter({
    kube: options.kube,
    kind: reference(kind),
    fieldManager,
    ownedConditions,
    observe: (object) => view.observe(object),
  });
}

function recorder({ kube, sink, instance, clock, log, metrics }: ControllersOptions, controller: string): KubeEventRecorder {
  return new KubeEventRecorder({ kube, sink, controller, instance, clock, log, metrics });
}

function reference(kind: Kind): KindRef {
  return { apiVersion: kindApiVersion(kind), kind: kind.kind };
}

function createRunner({ clock, random, log, metrics, concurrency, backoff }: ControllersOptions, controller: Controller): ControllerRunner {
  return new ControllerRunner({ controller, clock, random, log, metrics, concurrency, backoff });
}
