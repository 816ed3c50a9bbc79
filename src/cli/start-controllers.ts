import {
  controllerNames,
  fieldManagers,
  groups,
  kustomizationKind,
  kustomizeKeys,
  ociRepositoryKind,
  parseKustomization,
  parseOCIRepository,
  type Kustomization,
  type OCIRepository,
} from '../api/index.ts';
import type { ArtifactStore } from '../artifact/index.ts';
import { formatSourceKey } from '../controllers/applier/index.ts';
import { KustomizationController, kustomizationConditions, Memories, sourceKey } from '../controllers/kustomization/index.ts';
import {
  newestAnnotation,
  OciRepositoryController,
  ociRepositoryConditions,
  sourceAnnotationsChanged,
  type Identities,
  type Trust,
} from '../controllers/source/index.ts';
import type { ClusterConfig, Informer, KubeClient } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import type { RegistryClients, TokenCacheOptions } from '../oci/index.ts';
import {
  ConfigReader,
  formatKey,
  type EventSink,
  type FeatureGates,
  type Logger,
  type Metrics,
  type ResourceView,
} from '../runtime/index.ts';
import type { Backoff, Clock, Duration } from '../std/index.ts';
import { cloudIdentities } from './cloud-identities.ts';
import {
  createRunner,
  enqueueChanges,
  enqueueUsers,
  indexOf,
  oncePerObject,
  openClusters,
  openSources,
  openView,
  recorder,
  writer,
  type Indexes,
  type Part,
} from './controller-parts.ts';
import { usualTrust } from './sigstore-root.ts';
import { startHelm } from './start-helm.ts';
import { startPolicies, type PolicyParts } from './start-policies.ts';

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
  /** Who we are to cloud providers. Default: as the node, the pod or an account says. */
  identities?: Identities;
  /** What trust in signatures rests on beside Secrets. Default: the public-good Sigstore, revocation over HTTP. */
  trust?: Trust;
  /** Bounds of the tokens cloud providers gave. */
  tokenCache?: TokenCacheOptions;
  sink: EventSink | undefined;
  /** Host name, in events. */
  instance: string;
  artifactAddress: () => string;
  concurrency: number;
  backoff: Backoff;
  /** Fraction of the interval (C11). */
  intervalJitter: number;
  requeueDependency: Duration;
  /** Where the controllers live: Secrets of cluster-wide policies are read there. Default `flux-system`. */
  runtimeNamespace?: string;
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
  const policies = startPolicies(options, configs, () => source.view);
  const source = startSource(options, configs, policies);
  const kustomize = startKustomize(options, configs, source.view);
  const helm = startHelm(options, configs, source.view);
  const parts = [source, kustomize, helm];
  const watchers = options.gates.enabled('DisableConfigWatchers')
    ? []
    : watchConfigs(options, configs, (config) => {
        for (const { configChanged } of [...parts, policies]) configChanged(config);
      });
  const synced = Promise.all([...parts.map(({ view }) => view.waitSynced(stopping.signal)), helm.prepared(stopping.signal)]);
  const begin = async (): Promise<void> => {
    await synced;
    for (const { runner } of [kustomize, helm]) runner.start();
    // Nothing is fetched before it is known which policies forbid it.
    await policies.known(stopping.signal);
    source.runner.start();
    policies.start();
  };
  return {
    ready: begin(),
    stop: async () => {
      stopping.abort();
      await Promise.all([...parts.map(({ runner }) => runner.stop()), policies.stop()]);
      for (const informer of watchers) informer.release();
      await Promise.all(parts.map((part) => part.close()));
      await Promise.all(parts.map(({ events }) => events.flush()));
    },
  };
}

function startSource(options: ControllersOptions, configs: ConfigReader, policies: PolicyParts): Part<OCIRepository> {
  const { registries, store, clock, random, artifactAddress, intervalJitter } = options;
  const view = openView(options, ociRepositoryKind, readOCIRepository, ociRepositoryIndexes);
  const events = recorder(options, controllerNames.source, () => runner.isBusy);
  const identities = options.identities ?? cloudIdentities(options);
  const controller = new OciRepositoryController({
    view,
    writer: writer(options, ociRepositoryKind, fieldManagers.source, ociRepositoryConditions, view),
    configs,
    registries,
    identities,
    store,
    trust: options.trust ?? usualTrust(clock, (message) => options.log.info(message)),
    policies: policies.policies,
    annotate: policies.annotate,
    events,
    clock,
    random,
    artifactAddress,
    intervalJitter,
    enqueue: (key) => runner.enqueue(key, 'source'),
  });
  const runner = createRunner(options, controller);
  enqueueChanges(options, 'OCIRepository', view, runner);
  view.subscribe({
    changed: ({ metadata }, previous) => {
      if (previous === undefined) return;
      const [now, before] = [metadata.annotations, previous.metadata.annotations];
      const mayGoBack = before?.[newestAnnotation] !== undefined && now?.[newestAnnotation] === undefined;
      if (mayGoBack || sourceAnnotationsChanged(now, before)) runner.enqueue(formatKey(metadata), 'changed');
    },
  });
  policies.follow(view, (key) => runner.enqueue(key, 'config'));
  const close = async (): Promise<void> => {
    view.close();
    await identities.logins.close();
  };
  return { view, runner, events, close, configChanged: enqueueUsers(view, runner) };
}

function startKustomize(
  options: ControllersOptions,
  configs: ConfigReader,
  ociRepositories: ResourceView<OCIRepository>,
): Part<Kustomization> {
  const view = openView(options, kustomizationKind, readKustomization, kustomizationIndexes);
  const events = recorder(options, controllerNames.kustomize, () => runner.isBusy);
  const labels = { name: kustomizeKeys.ownerName, namespace: kustomizeKeys.ownerNamespace };
  const memories = new Memories(labels, (key) => controller.drifted(key));
  const clusters = openClusters(options, configs, {
    group: groups.kustomize,
    fieldManager: fieldManagers.kustomizeApply,
    follow: (owned) => memories.follow(owned),
  });
  const sources = openSources(options, ociRepositories, view, (key) => runner.enqueue(key, 'source'));
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
      clusters.local.owned.close();
      sources.close();
      view.close();
    },
    configChanged: enqueueUsers(view, runner),
  };
}

const readKustomization: (object: KubeObject) => Kustomization = oncePerObject(parseKustomization);
const readOCIRepository: (object: KubeObject) => OCIRepository = oncePerObject(parseOCIRepository);

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
