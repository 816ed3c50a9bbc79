import {
  conditionTypes,
  eventKeys,
  finalizer,
  formatTimestamp,
  groups,
  originAnnotations,
  reasons,
  requestAnnotations,
  type Artifact,
  type ConditionType,
  type OCIRepository,
  type OCIRepositoryStatus,
} from '../../api/index.ts';
import type { ArtifactStore } from '../../artifact/index.ts';
import type { RegistryClients } from '../../oci/index.ts';
import {
  deepEqual,
  formatKey,
  StatusSession,
  type ConfigReader,
  type Controller,
  type EventNotice,
  type EventRecorder,
  type Key,
  type Outcome,
  type ReconcileContext,
  type ResourceView,
  type StatusWriter,
} from '../../runtime/index.ts';
import { jitter, parseDuration, type Clock } from '../../std/index.ts';
import { readAccess, type Identities } from './access.ts';
import { contentAnnotations, contentAnnotationsChanged } from './annotations.ts';
import { Refusal, SourceFailure } from './failure.ts';
import { fetchArtifact, Manifests } from './fetch.ts';
import { stillServing } from './outage.ts';
import type { Policies } from './policies.ts';
import { resolveRevision } from './resolve.ts';
import { Resolver } from './resolver.ts';
import type { Annotate } from './rollback-guard.ts';
import type { Trust } from './verification.ts';
import { Verifier } from './verifier.ts';

/** What an {@link OciRepositoryController} works with. */
export type OciRepositoryOptions = {
  view: ResourceView<OCIRepository>;
  writer: StatusWriter;
  configs: ConfigReader;
  registries: RegistryClients;
  identities: Identities;
  store: ArtifactStore;
  /** What the trust in signatures rests on beside Secrets. Default: the public-good Sigstore as of this build, no revocation. */
  trust?: Trust;
  /** The verification policies of the cluster, and how annotations are written for those that deny rollbacks. Default: none. */
  policies?: Policies;
  annotate?: Annotate;
  events: EventRecorder;
  clock: Clock;
  random: () => number;
  /** The address archives are served from, without a slash at its end. */
  artifactAddress: () => string;
  /** Fraction of the interval (C11). */
  intervalJitter: number;
  /** Told the keys of objects that follow a tag another one saw moving. */
  enqueue: (key: string) => void;
};

/** Conditions this controller writes. */
export const ociRepositoryConditions: readonly ConditionType[] = [
  conditionTypes.ready,
  conditionTypes.reconciling,
  conditionTypes.stalled,
  conditionTypes.artifactInStorage,
  conditionTypes.artifactOutdated,
  conditionTypes.fetchFailed,
  conditionTypes.storageOperationFailed,
  conditionTypes.sourceVerified,
];

const SUMMARY: readonly ConditionType[] = [
  conditionTypes.storageOperationFailed,
  conditionTypes.fetchFailed,
  conditionTypes.artifactOutdated,
  conditionTypes.artifactInStorage,
  conditionTypes.sourceVerified,
  conditionTypes.stalled,
  conditionTypes.reconciling,
];
const NEGATIVE: ReadonlySet<string> = new Set<ConditionType>([
  'StorageOperationFailed',
  'FetchFailed',
  'ArtifactOutdated',
  'Stalled',
  'Reconciling',
]);

type Session = StatusSession<OCIRepositoryStatus>;

/** Keeps the artifact an OCIRepository names in the store and its status true (OB01–OB28). */
export class OciRepositoryController implements Controller {
  readonly name = 'ocirepository';
  readonly group: string = groups.source;
  readonly kind = 'OCIRepository';
  readonly #options: OciRepositoryOptions;
  readonly #resolver: Resolver;
  readonly #manifests: Manifests = new Manifests();
  readonly #verifier: Verifier;

  constructor(options: OciRepositoryOptions) {
    this.#options = options;
    this.#resolver = new Resolver(options.clock, options.enqueue);
    this.#verifier = new Verifier({ ...options, trust: options.trust ?? {} });
  }

  async reconcile(key: Key, context: ReconcileContext): Promise<Outcome> {
    const { view, writer, clock } = this.#options;
    let object = view.get(key);
    if (object === undefined) {
      this.#resolver.forget(formatKey(key));
      this.#verifier.forget(formatKey(key));
      return { kind: 'done' };
    }
    if (object.metadata.deletionTimestamp !== undefined) return this.#delete(object);
    if (!(object.metadata.finalizers ?? []).includes(finalizer)) {
      // Flux ends the pass here (C09); nobody can tell, and going on saves one.
      if ((await writer.writeFinalizer(object.metadata, finalizer, true)) === undefined) return { kind: 'done' };
      object = view.get(key) ?? object;
    }
    const session: Session = new StatusSession({
      writer,
      object,
      clock,
      isBusy: context.isBusy,
      onError: (error) => context.log.error('could not show progress', error),
    });
    recordRequest(object, session);
    if (object.spec.suspend === true) {
      await session.finish();
      return { kind: 'done' };
    }
    return this.#run(object, session, context);
  }

  async #delete(object: OCIRepository): Promise<Outcome> {
    const { namespace, name } = object.metadata;
    this.#resolver.forget(formatKey(object.metadata));
    this.#verifier.forget(formatKey(object.metadata));
    await this.#options.store.remove({ kind: 'ocirepository', namespace, name });
    if ((object.metadata.finalizers ?? []).includes(finalizer))
      await this.#options.writer.writeFinalizer(object.metadata, finalizer, false);
    return { kind: 'done' };
  }

  async #run(object: OCIRepository, session: Session, context: ReconcileContext): Promise<Outcome> {
    const { generation } = object.metadata;
    const observed = object.status.observedGeneration ?? -1;
    const progress =
      observed === generation ? 'reconciliation in progress' : `processing object: new generation ${observed} -> ${generation}`;
    session.conditions.mark(conditionTypes.reconciling, 'True', reasons.Progressing, progress);
    if (session.conditions.find(conditionTypes.ready) === undefined) {
      session.conditions.mark(conditionTypes.ready, 'Unknown', reasons.Progressing, 'reconciliation in progress');
    }
    session.conditions.remove(conditionTypes.stalled, conditionTypes.storageOperationFailed);
    try {
      const notices = await this.#fetch(object, session, context);
      session.conditions.remove(conditionTypes.reconciling);
      session.draft.observedGeneration = generation;
      summarize(session);
      if (await session.finish()) this.#options.events.record(object, notices);
      const requeueAfter = jitter(parseDuration(object.spec.interval), this.#options.intervalJitter, this.#options.random);
      return { kind: 'done', requeueAfter };
    } catch (error) {
      if (context.signal.aborted) {
        await session.abandon();
        throw error;
      }
      return this.#fail(object, session, error);
    }
  }

  /** The reconcile itself: storage, source, artifact (OB01). Gives what there is to tell. */
  async #fetch(object: OCIRepository, session: Session, context: ReconcileContext): Promise<EventNotice[]> {
    const { draft, conditions } = session;
    await this.#checkStorage(object, session);
    if (this.#verifier.isIdle(object)) conditions.remove(conditionTypes.sourceVerified);
    const { configs, registries, identities } = this.#options;
    const limit = {
      signal: AbortSignal.any([context.signal, AbortSignal.timeout(parseDuration(object.spec.timeout))]),
      text: object.spec.timeout,
    };
    const access = await readAccess(object, configs, identities, limit.signal);
    const client = registries.client(access);
    const target = await resolveRevision(object, {
      client,
      access,
      resolver: this.#resolver,
      triggers: context.triggers,
      enqueued: context.enqueued,
      clock: this.#options.clock,
      limit,
    });
    const { notices, accept } = await this.#verifier.verify({ object, session, target, client, limit, log: context.log });
    const before = draft.artifact;
    const failedBefore = conditions.isTrue(conditionTypes.fetchFailed) || object.status.conditions?.some(isStorageFailure) === true;
    if (before?.revision === target.revision && !contentConfigChanged(object, draft)) {
      conditions.remove(conditionTypes.fetchFailed, conditionTypes.artifactOutdated);
      markStored(session, target.revision);
      await accept();
      return failedBefore ? [...notices, recovered(before, target.revision, object)] : notices;
    }
    const news = `new revision '${target.revision}' for '${target.subject}'`;
    if (before !== undefined && before.revision !== target.revision)
      conditions.mark(conditionTypes.artifactOutdated, 'True', reasons.NewRevision, news);
    conditions.mark(conditionTypes.reconciling, 'True', reasons.Progressing, `building artifact: ${news}`);
    const { archive, annotations } = await fetchArtifact(
      object,
      target.repository,
      target,
      client,
      this.#manifests,
      this.#options.store,
      limit,
    );
    // Before anybody can see the artifact: whatever happens next, nothing older is taken any more.
    await accept();
    const metadata = { ...annotations, ...contentAnnotations(object.metadata.annotations) };
    const artifact: Artifact = {
      ...archive,
      url: `${this.#options.artifactAddress()}/${archive.path}`,
      revision: target.revision,
      lastUpdateTime: formatTimestamp(this.#options.clock.now()),
      ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
    };
    draft.artifact = artifact;
    draft.url = latestUrl(artifact.url);
    observeConfig(object, draft);
    conditions.remove(conditionTypes.fetchFailed, conditionTypes.artifactOutdated);
    markStored(session, target.revision);
    await this.#collect(object, archive.path, context);
    if (before?.digest !== artifact.digest) return [...notices, published(artifact, object)];
    return failedBefore ? [...notices, recovered(artifact, target.revision, object)] : notices;
  }

  /** Drops from the status what is no longer in the store, and renews addresses (OB02). */
  async #checkStorage(object: OCIRepository, session: Session): Promise<void> {
    const { draft, conditions } = session;
    const { artifact } = draft;
    if (artifact !== undefined && (await this.#options.store.verify(artifact))) {
      const url = `${this.#options.artifactAddress()}/${artifact.path}`;
      draft.artifact = { ...artifact, url };
      draft.url = latestUrl(url);
      return;
    }
    delete draft.artifact;
    delete draft.url;
    conditions.remove(conditionTypes.artifactInStorage);
    const message = artifact === undefined ? 'building artifact' : 'building artifact: disappeared from storage';
    if (object.status.observedGeneration === object.metadata.generation) {
      conditions.mark(conditionTypes.reconciling, 'True', reasons.Progressing, message);
    }
  }

  async #collect(object: OCIRepository, current: string, context: ReconcileContext): Promise<void> {
    const { namespace, name } = object.metadata;
    try {
      const removed = await this.#options.store.collect({ kind: 'ocirepository', namespace, name }, current);
      if (removed.length > 0) context.log.debug('garbage collected artifacts', { removed });
    } catch (error) {
      // The new artifact is published; old files cost only disk, and the next revision tries again.
      context.log.error('could not garbage collect artifacts', error);
    }
  }

  async #fail(object: OCIRepository, session: Session, error: unknown): Promise<Outcome> {
    const failure =
      error instanceof SourceFailure
        ? error
        : new SourceFailure('OCIArtifactPullFailed', `failed to reconcile '${object.spec.url}'`, error);
    const { conditions } = session;
    const reason = failure.code;
    if (reason === 'VerificationError') {
      conditions.mark(conditionTypes.sourceVerified, 'False', reason, failure.message);
      conditions.mark(conditionTypes.fetchFailed, 'True', reason, failure.message);
    } else if (STORAGE_REASONS.has(reason)) {
      conditions.mark(conditionTypes.storageOperationFailed, 'True', reason, failure.message);
    } else {
      const serving = stillServing(session.draft.artifact, this.#options.clock.now());
      conditions.mark(conditionTypes.fetchFailed, 'True', reason, `${failure.message}${serving}`);
    }
    if (failure.stalls) {
      conditions.remove(conditionTypes.reconciling);
      conditions.mark(conditionTypes.stalled, 'True', reason, failure.message);
      session.draft.observedGeneration = object.metadata.generation;
    } else {
      const progress = conditions.find(conditionTypes.reconciling)?.message ?? 'reconciliation in progress';
      conditions.mark(conditionTypes.reconciling, 'True', reasons.ProgressingWithRetry, progress);
    }
    summarize(session);
    const notices: EventNotice[] = [{ type: 'Warning', reason, message: failure.message }];
    if (failure instanceof Refusal && failure.done !== undefined) notices.push({ type: 'Warning', reason, message: failure.done });
    if (await session.finish()) this.#options.events.record(object, notices);
    if (failure.stalls) return { kind: 'stalled', reason, message: failure.message };
    throw failure;
  }
}

const STORAGE_REASONS: ReadonlySet<string> = new Set(['ArchiveOperationFailed', 'DirectoryCreationFailed']);

function isStorageFailure(condition: { type: string; status: string }): boolean {
  return condition.type === conditionTypes.storageOperationFailed && condition.status === 'True';
}

/** Copies the request annotation into the status (C07). */
function recordRequest(object: OCIRepository, session: Session): void {
  const requested = object.metadata.annotations?.[requestAnnotations.requestedAt];
  if (requested !== undefined) session.draft.lastHandledReconcileAt = requested;
}

function summarize(session: Session): void {
  const { conditions } = session;
  const verified = conditions.find(conditionTypes.sourceVerified);
  conditions.summarize(conditionTypes.ready, SUMMARY, NEGATIVE);
  // A signature that does not verify decides alone: nothing else about the source matters then.
  if (verified?.status === 'False') conditions.mark(conditionTypes.ready, 'False', reasons.VerificationError, verified.message);
}

function markStored(session: Session, revision: string): void {
  session.conditions.mark(conditionTypes.artifactInStorage, 'True', reasons.Succeeded, `stored artifact for digest '${revision}'`);
}

function contentConfigChanged(object: OCIRepository, status: OCIRepositoryStatus): boolean {
  const { ignore, layerSelector } = object.spec;
  return (
    ignore !== status.observedIgnore || !deepEqual(layerSelector, status.observedLayerSelector) || contentAnnotationsChanged(object, status)
  );
}

function observeConfig(object: OCIRepository, status: OCIRepositoryStatus): void {
  delete status.observedIgnore;
  delete status.observedLayerSelector;
  if (object.spec.ignore !== undefined) status.observedIgnore = object.spec.ignore;
  if (object.spec.layerSelector !== undefined) status.observedLayerSelector = object.spec.layerSelector;
}

function latestUrl(url: string): string {
  return `${url.slice(0, url.lastIndexOf('/'))}/latest.tar.gz`;
}

function published(artifact: Artifact, object: OCIRepository): EventNotice {
  const source = artifact.metadata?.[originAnnotations.source];
  const revision = artifact.metadata?.[originAnnotations.revision];
  const origin = [
    ...(source === undefined ? [] : [`origin source '${source}'`]),
    ...(revision === undefined ? [] : [`origin revision '${revision}'`]),
  ];
  const message = [`stored artifact with revision '${artifact.revision}' from '${object.spec.url}'`, ...origin].join(', ');
  return { type: 'Normal', reason: reasons.NewArtifact, message, metadata: eventMetadata(artifact) };
}

function recovered(artifact: Artifact, revision: string, object: OCIRepository): EventNotice {
  const message = `stored artifact with revision '${revision}' from '${object.spec.url}'`;
  return { type: 'Normal', reason: reasons.Succeeded, message, metadata: eventMetadata(artifact) };
}

function eventMetadata(artifact: Artifact): Record<string, string> {
  return { [eventKeys.revision]: artifact.revision, [eventKeys.digest]: artifact.digest };
}
