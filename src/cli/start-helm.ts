import { lookup } from 'node:dns/promises';
import { availableParallelism } from 'node:os';
import {
  controllerNames,
  fieldManagers,
  helmKeys,
  helmReleaseKind,
  parseHelmRelease,
  type HelmRelease,
  type OCIRepository,
} from '../api/index.ts';
import { formatSourceKey } from '../controllers/applier/index.ts';
import {
  Charts,
  ClusterCapabilities,
  FIELD_MANAGER,
  HelmReleaseController,
  helmReleaseConditions,
  kubeReleaseStorage,
  Memories,
  OWNER_GROUP,
  releaseActions,
  ReleaseRecords,
  sourceKey,
  type HelmReleaseOptions,
} from '../controllers/helmrelease/index.ts';
import { createRenderWorkers } from '../helm/index.ts';
import type { KubeClient } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { formatKey, type ConfigReader, type ResourceView } from '../runtime/index.ts';
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
import type { ControllersOptions } from './start-controllers.ts';

/** Threads that render charts: one core is left for everything else. */
const RENDER_THREADS = Math.min(4, Math.max(1, availableParallelism() - 1));

/** The controller of HelmReleases; `prepared` resolves when it knows the releases there are. */
export type HelmPart = Part<HelmRelease> & { prepared: (signal: AbortSignal) => Promise<void> };

/** Starts what keeps HelmReleases. */
export function startHelm(options: ControllersOptions, configs: ConfigReader, ociRepositories: ResourceView<OCIRepository>): HelmPart {
  const { kube, namespace, gates } = options;
  const view = openView(options, helmReleaseKind, readHelmRelease, helmReleaseIndexes);
  const events = recorder(options, controllerNames.helm, () => runner.isBusy);
  const memories = new Memories({ name: helmKeys.ownerName, namespace: helmKeys.ownerNamespace }, (key) => controller.drifted(key));
  const clusters = openClusters(options, configs, {
    group: OWNER_GROUP,
    fieldManager: FIELD_MANAGER,
    follow: (owned) => memories.follow(owned),
  });
  const sources = openSources(options, ociRepositories, view, (key) => runner.enqueue(key, 'source'));
  const records = new ReleaseRecords({ client: kube, ...(namespace === undefined ? {} : { namespace }) });
  const workers = createRenderWorkers({ size: RENDER_THREADS, resolveHost });
  const capabilities = openCapabilities(options);
  const controller = new HelmReleaseController({
    ...options,
    view,
    writer: writer(options, helmReleaseKind, fieldManagers.helm, helmReleaseConditions, view),
    configs,
    sources,
    clusters,
    charts: new Charts(sources, !gates.enabled('DisableChartDigestTracking')),
    memories,
    events,
    actions: releaseActions,
    workers,
    capabilities: capabilities.of,
    storage: openStorage(options, records),
    correct: (key, delay) => runner.enqueueAfter(key, delay, 'drift'),
  });
  const runner = createRunner(options, controller);
  enqueueChanges(options, 'HelmRelease', view, runner);
  wakeDependents(view, ociRepositories, controller);
  return {
    view,
    runner,
    events,
    prepared: (signal) => records.waitSynced(signal),
    close: async () => {
      await workers.close();
      records.close();
      capabilities.close();
      await clusters.close();
      clusters.local.owned.close();
      sources.close();
      view.close();
    },
    configChanged: enqueueUsers(view, runner),
  };
}

/** What charts see of clusters, asked once for each. */
function openCapabilities({ clock }: ControllersOptions): { of: HelmReleaseOptions['capabilities']; close: () => void } {
  const known = new Map<KubeClient, ClusterCapabilities>();
  return {
    of: ({ cluster: { kube } }) => {
      let capabilities = known.get(kube);
      if (capabilities === undefined) {
        capabilities = new ClusterCapabilities(kube, clock);
        known.set(kube, capabilities);
      }
      return capabilities;
    },
    close: () => {
      for (const capabilities of known.values()) capabilities.close();
    },
  };
}

/** Records of our own cluster are known by a watch, as far as it reaches; those of others are read. */
function openStorage({ clock, log, namespace }: ControllersOptions, records: ReleaseRecords): HelmReleaseOptions['storage'] {
  return ({ client, storageNamespace, name }, isLocal) => {
    const isWatched = isLocal && (namespace === undefined || namespace === storageNamespace);
    const unreadable = (secret: string, error: Error): void => log.error('could not read release record', error, { secret });
    return kubeReleaseStorage({ client, namespace: storageNamespace, clock, unreadable, ...(isWatched ? { records } : {}) }, name);
  };
}

/** Dependencies and sources wake who waits for them. */
function wakeDependents(
  view: ResourceView<HelmRelease>,
  ociRepositories: ResourceView<OCIRepository>,
  controller: HelmReleaseController,
): void {
  view.subscribe({
    changed: ({ metadata }) => {
      for (const dependent of view.byIndex('dependency', formatKey(metadata))) controller.wake(formatKey(dependent.metadata));
    },
  });
  ociRepositories.subscribe({
    changed: ({ metadata: { namespace, name } }) => {
      const source = formatSourceKey({ kind: 'OCIRepository', namespace, name });
      for (const user of view.byIndex('source', source)) controller.wake(formatKey(user.metadata));
    },
  });
}

const readHelmRelease: (object: KubeObject) => HelmRelease = oncePerObject(parseHelmRelease);

/** How HelmReleases are found by what they refer to. */
const helmReleaseIndexes: Indexes = {
  source: indexOf(readHelmRelease, (object) => {
    const source = sourceKey(object);
    return source === undefined ? [] : [formatSourceKey(source)];
  }),
  dependency: indexOf(readHelmRelease, ({ spec, metadata }) =>
    (spec.dependsOn ?? []).map(({ namespace, name }) => `${namespace ?? metadata.namespace}/${name}`),
  ),
  config: indexOf(readHelmRelease, ({ spec, metadata }) => {
    const values = (spec.valuesFrom ?? []).map(({ kind, name }) => `${kind}/${metadata.namespace}/${name}`);
    const { secretRef, configMapRef } = spec.kubeConfig ?? {};
    return [
      ...values,
      ...(secretRef === undefined ? [] : [`Secret/${metadata.namespace}/${secretRef.name}`]),
      ...(configMapRef === undefined ? [] : [`ConfigMap/${metadata.namespace}/${configMapRef.name}`]),
    ];
  }),
};

/** Addresses of a host, as Go's resolver gives them; none when there is no answer. */
async function resolveHost(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    // A chart is told that there is none, as with Helm; why is nobody's business there.
    return [];
  }
}
