import { kindApiVersion, type Kind, type OCIRepository, type ResourceMetadata } from '../api/index.ts';
import { defaultTakeover, OwnedObjects, overrideManager } from '../apply/index.ts';
import { Clusters, formatSourceKey, Sources } from '../controllers/applier/index.ts';
import { createKubeClient, nodeHost, type KindRef, type KubeClient } from '../kube/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import {
  changeTrigger,
  ControllerRunner,
  formatKey,
  KubeEventRecorder,
  ResourceView,
  StatusWriter,
  type ConfigReader,
  type Controller,
} from '../runtime/index.ts';
import type { ControllersOptions } from './start-controllers.ts';

/** One controller with what it works with. */
export type Part<T> = {
  view: ResourceView<T>;
  runner: ControllerRunner;
  events: KubeEventRecorder;
  close: () => Promise<void>;
  /** Reconciles what refers to a ConfigMap or Secret, `Kind/namespace/name`. */
  configChanged: (config: string) => void;
};

/** Reconciles the objects that refer to a ConfigMap or Secret. */
export function enqueueUsers<T extends { metadata: ResourceMetadata }>(
  view: ResourceView<T>,
  runner: ControllerRunner,
): (config: string) => void {
  return (config) => {
    for (const { metadata } of view.byIndex('config', config)) runner.enqueue(formatKey(metadata), 'config');
  };
}

/** How objects are found by what they refer to. */
export type Indexes = Readonly<Record<string, (object: KubeObject) => readonly string[]>>;

/** Reads each state of an object once, however many ask: cached objects are never changed. */
export function oncePerObject<T>(parse: (object: KubeObject) => T): (object: KubeObject) => T {
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
export function indexOf<T>(
  read: (object: KubeObject) => T,
  keys: (object: T) => readonly string[],
): (object: KubeObject) => readonly string[] {
  return (object) => {
    try {
      return keys(read(object));
    } catch {
      return [];
    }
  };
}

/** Reconciles an object when its spec changes, it is deleted or someone asks (C06). */
export function enqueueChanges<T extends { metadata: ResourceMetadata; status: { observedGeneration?: number } }>(
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

/** Watches the objects of a kind. */
export function openView<T>(
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

/** The clusters an applier applies to; `follow` is told of each one's watches of what it owns there. */
export function openClusters(
  { kube, clock, connect, kubeconfigPolicy, overrideManagers }: ControllersOptions,
  configs: ConfigReader,
  { group, fieldManager, follow }: { group: string; fieldManager: string; follow: (owned: OwnedObjects) => void },
): Clusters {
  const takeover = [...defaultTakeover(fieldManager), ...overrideManagers.flatMap(overrideManager)];
  const own = (client: KubeClient): OwnedObjects => {
    const owned = new OwnedObjects({ client, group, fieldManager, takeover, clock });
    follow(owned);
    return owned;
  };
  return new Clusters({
    local: { id: '', kube, owned: own(kube) },
    configs,
    host: nodeHost,
    policy: kubeconfigPolicy ?? { allowExec: false, allowInsecure: false },
    connect: (id, config) => {
      const client = connect?.(config) ?? createKubeClient(config, { clock, userAgent: 'sluice' });
      return { id, kube: client, owned: own(client) };
    },
  });
}

/** The sources an applier takes artifacts from; `enqueue` is told the keys of those in `view` whose source has a new one. */
export function openSources<T extends { metadata: ResourceMetadata }>(
  { kube, store, fetch }: ControllersOptions,
  ociRepositories: ResourceView<OCIRepository>,
  view: ResourceView<T>,
  enqueue: (key: string) => void,
): Sources {
  return new Sources({
    kube,
    ociRepositories,
    store,
    fetch,
    changed: (source) => {
      for (const { metadata } of view.byIndex('source', formatSourceKey(source))) enqueue(formatKey(metadata));
    },
  });
}

/** Writes the status of a kind. */
export function writer<T>(
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

/** Tells what happens under a controller's name. */
export function recorder(
  { kube, sink, instance, clock, log, metrics }: ControllersOptions,
  controller: string,
  isBusy: () => boolean,
): KubeEventRecorder {
  return new KubeEventRecorder({ kube, sink, controller, instance, clock, log, metrics, isBusy });
}

/** The kind, as requests name it. */
export function reference(kind: Kind): KindRef {
  return { apiVersion: kindApiVersion(kind), kind: kind.kind };
}

/** Runs a controller as the flags say. */
export function createRunner(
  { clock, random, log, metrics, concurrency, backoff }: ControllersOptions,
  controller: Controller,
): ControllerRunner {
  return new ControllerRunner({ controller, clock, random, log, metrics, concurrency, backoff });
}
