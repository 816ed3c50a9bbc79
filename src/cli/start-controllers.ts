import {
  fieldManagers,
  kindApiVersion,
  ociRepositoryKind,
  parseOCIRepository,
  controllerNames,
  type Kind,
} from '../api/index.ts';
import type { ArtifactStore } from '../artifact/index.ts';
import type { KindRef, KubeClient } from '../kube/index.ts';
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
  type Logger,
  type Metrics,
} from '../runtime/index.ts';
import { errorMessage, milliseconds, type Backoff, type Clock } from '../std/index.ts';
import { OciRepositoryController, ociRepositoryConditions } from './source/index.ts';

/** Everything the controllers of one process work with. */
export type ControllersOptions = {
  kube: KubeClient;
  registries: RegistryClients;
  store: ArtifactStore;
  clock: Clock;
  random: () => number;
  log: Logger;
  metrics: Metrics;
  sink: EventSink | undefined;
  /** Host name, in events. */
  instance: string;
  artifactAddress: () => string;
  concurrency: number;
  backoff: Backoff;
  /** Fraction of the interval (C11). */
  intervalJitter: number;
  /** Only this namespace; undefined for all. */
  namespace: string | undefined;
  /** Only objects with these labels (C12). */
  labelSelector: string | undefined;
};

/** Controllers at work. */
export type RunningControllers = {
  /** Resolves when every cache is filled. */
  ready: Promise<void>;
  /** Takes no more work, ends waits, lets what is under way end and delivers the last events. */
  stop(): Promise<void>;
};

/** Starts all controllers. */
export function startControllers(options: ControllersOptions): RunningControllers {
  const { kube, clock, log, metrics } = options;
  const stopping = new AbortController();
  const configs = new ConfigReader(kube, clock);
  const recorder = (controller: string): KubeEventRecorder =>
    new KubeEventRecorder({ kube, sink: options.sink, controller, instance: options.instance, clock, log, metrics });
  const view = <T>(kind: Kind, parse: (object: KubeObject) => T): ResourceView<T> => openView(options, kind, parse);

  const ociRepositories = view(ociRepositoryKind, parseOCIRepository);
  const sourceEvents = recorder(controllerNames.source);
  const ociRunner = run(
    options,
    new OciRepositoryController({
      view: ociRepositories,
      writer: new StatusWriter({
        kube,
        kind: reference(ociRepositoryKind),
        fieldManager: fieldManagers.source,
        ownedConditions: ociRepositoryConditions,
        observe: (object) => ociRepositories.observe(object),
      }),
      configs,
      registries: options.registries,
      store: options.store,
      events: sourceEvents,
      clock,
      random: options.random,
      artifactAddress: options.artifactAddress,
      intervalJitter: options.intervalJitter,
      enqueue: (key) => ociRunner.enqueue(key, 'source'),
    }),
  );
  ociRepositories.subscribe({
    changed: (object, previous) => {
      const trigger = changeTrigger(object.metadata, previous?.metadata, object.status.observedGeneration);
      if (trigger !== undefined) ociRunner.enqueue(formatKey(object.metadata), trigger);
    },
    deleted: (object) => {
      const { namespace, name } = object.metadata;
      metrics.forget({ kind: 'OCIRepository', namespace, name });
      ociRunner.enqueue(formatKey(object.metadata), 'changed');
    },
  });

  const ready = ociRepositories.waitSynced(stopping.signal).then(() => ociRunner.start());
  return {
    ready,
    stop: async () => {
      stopping.abort();
      await ociRunner.stop();
      ociRepositories.close();
      await sourceEvents.flush();
    },
  };
}

function openView<T>(options: ControllersOptions, kind: Kind, parse: (object: KubeObject) => T): ResourceView<T> {
  const { kube, namespace, labelSelector, log } = options;
  const informer = kube.informer(reference(kind), {
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
  });
  return new ResourceView(informer, (object) => {
    try {
      return parse(object);
    } catch (error) {
      // The API server let it in under another schema (an older CRD); it cannot be reconciled until it is changed.
      log.error('could not read object', error, { name: object.metadata.name, namespace: object.metadata.namespace, cause: errorMessage(error) });
      return undefined;
    }
  });
}

function reference(kind: Kind): KindRef {
  return { apiVersion: kindApiVersion(kind), kind: kind.kind };
}

function run(options: ControllersOptions, controller: Controller): ControllerRunner {
  const { clock, random, log, metrics, concurrency, backoff } = options;
  return new ControllerRunner({ controller, clock, random, log, metrics, concurrency, backoff: { ...backoff, base: milliseconds(backoff.base) } });
}
