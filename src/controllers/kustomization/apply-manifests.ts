import { groups, fieldManagers, type Artifact, type Kustomization } from '../../api/index.ts';
import {
  ApplyError,
  applyObjects,
  defaultTakeover,
  formatChange,
  formatChanges,
  formatPruneFailures,
  hasChanged,
  mergeInventories,
  overrideManager,
  pruneObjects,
  staleEntries,
  withCommonMetadata,
  type ApplyResult,
  type DriftReport,
  type Inventory,
} from '../../apply/index.ts';
import type { KubeClient } from '../../kube/index.ts';
import { formatObjectRef, type FileTree, type KubeObject } from '../../manifest/index.ts';
import type { ConfigReader, FeatureGates } from '../../runtime/index.ts';
import { digestOf, formatDuration, isCodedError, type Clock, type Duration } from '../../std/index.ts';
import type { Cluster, Clusters, Sources } from '../applier/index.ts';
import { buildManifests } from './build.ts';
import { KustomizationFailure, step } from './failure.ts';
import { buildFolder, contentHash } from './inputs.ts';
import type { Memory, Success } from './memory.ts';
import type { Pass } from './pass.ts';
import { timeout } from './timing.ts';
import { readVariables, substituteAll } from './variables.ts';

/** What applying works with: part of the controller's own options. */
export type ApplyManifestsOptions = {
  configs: ConfigReader;
  sources: Sources;
  clusters: Clusters;
  clock: Clock;
  gates: FeatureGates;
  requeueDependency: Duration;
  defaultServiceAccount: string;
  overrideManagers: readonly string[];
  customStageKinds: ReadonlySet<string>;
};

/** How applying went. */
export type Applied = {
  /** Undefined when the inputs were those of the last success, so that nothing was done. */
  result: ApplyResult | undefined;
  /** The objects that were applied, now or last time: for the health check. */
  last: ApplyResult;
  objects: readonly KubeObject[];
  changed: boolean;
  pruned: boolean;
  digest: string;
  success: Success;
};

/** Builds and applies what the artifact says, then deletes what is no longer in it (KB06–KB71). @throws KustomizationFailure */
export async function applyManifests(artifact: Artifact, options: ApplyManifestsOptions, pass: Pass): Promise<Applied> {
  const { object, memory, session, context } = pass;
  const tree = await readTree(artifact, options, context.signal);
  const folder = findFolder(object, tree);
  session.draft.lastAttemptedRevision = artifact.revision;
  pass.progress('Building manifests');
  const postBuild = await step('BuildFailed', () => readVariables(object, options.configs));
  const variables = postBuild?.hash ?? '';
  const previous = memory.success;
  if (previous !== undefined && isUnchanged(object, tree, folder, variables, previous, pass)) return unchanged(object, memory, previous);
  refuseUnsupported(object);
  const built = await step('BuildFailed', () => buildManifests(object, tree, folder));
  const strict = options.gates.enabled('StrictPostBuildSubstitutions');
  const substituted = await step('BuildFailed', () => substituteAll(built.objects, object, postBuild, strict));
  const { commonMetadata } = object.spec;
  const objects = commonMetadata === undefined ? substituted : substituted.map((one) => withCommonMetadata(one, commonMetadata));
  refuseEncrypted(objects);
  const digest = digestOf(JSON.stringify(substituted));
  for (const { severity, message } of built.diagnostics) pass.context.log.info('kustomize says', { severity, diagnostic: message.trim() });
  pass.digest = digest;
  pass.progress('Detecting drift');
  const account = object.spec.serviceAccountName ?? options.defaultServiceAccount;
  const cluster = await step('ReconciliationFailed', () => clusterOf(object, options.clusters));
  pass.cluster = cluster;
  memory.actAs(`${cluster.id} ${account}`);
  const client = actingClient(object, account, cluster.kube);
  const old = object.status.inventory ?? { entries: [] };
  const result = await apply(objects, old, client, cluster, options, pass);
  memory.known = result.known;
  memory.stray = false;
  session.draft.inventory = { entries: [...result.inventory.entries] };
  watchKinds(result, cluster, pass);
  const changed = result.changes.some(hasChanged);
  if (changed) pass.notice('Normal', [formatChanges(result.changes), ...result.drift.map(driftText)].join('\n'));
  for (const warning of result.warnings)
    pass.context.log.info('warning while applying', { object: formatObjectRef(warning.ref), warning: warning.message });
  const pruned = await prune(old, result.inventory, client, cluster, pass);
  const { uid, generation } = object.metadata;
  const content = contentHash(tree, folder, built.reads);
  const success: Success = { uid, generation, content, reads: built.reads, folder, variables, digest };
  return { result, last: result, objects, changed, pruned, digest, success };
}

async function readTree(artifact: Artifact, options: ApplyManifestsOptions, signal: AbortSignal): Promise<FileTree> {
  try {
    return await options.sources.tree(artifact, signal);
  } catch (error) {
    if (!isCodedError(error, 'ArtifactNotFound'))
      throw new KustomizationFailure('ArtifactFailed', String((error as Error).message), { cause: error });
    const message = `Source is not ready, artifact not found, retrying in ${formatDuration(options.requeueDependency)}`;
    throw new KustomizationFailure('ArtifactFailed', message, { cause: error, follow: 'dependency', tell: false });
  }
}

function findFolder(object: Kustomization, tree: FileTree): string {
  const { folder, problem } = buildFolder(tree, object.spec.path);
  if (problem === undefined) return folder;
  const cause = problem === 'missing' ? `stat ${folder}: no such file or directory` : `${folder}: not a directory`;
  throw new KustomizationFailure('ArtifactFailed', `kustomization path not found: ${cause}`);
}

function isUnchanged(object: Kustomization, tree: FileTree, folder: string, variables: string, previous: Success, pass: Pass): boolean {
  const { uid, generation } = object.metadata;
  if (previous.uid !== uid || previous.generation !== generation || previous.variables !== variables || previous.folder !== folder)
    return false;
  const { triggers } = pass.context;
  // Someone asked explicitly, or something was changed under us: then everything is looked at.
  if (triggers.has('requested') || triggers.has('drift') || pass.memory.stray || pass.memory.known.size === 0) return false;
  return contentHash(tree, folder, previous.reads) === previous.content;
}

function unchanged(object: Kustomization, memory: Memory, previous: Success): Applied {
  const inventory: Inventory = object.status.inventory ?? { entries: [] };
  const last: ApplyResult = { changes: memory.changes, inventory, known: memory.known, applied: new Map(), drift: [], warnings: [] };
  return { result: undefined, last, objects: memory.jobs, changed: false, pruned: false, digest: previous.digest, success: previous };
}

/** Features this version does not have: said instead of ignored. */
function refuseUnsupported(object: Kustomization): void {
  const { decryption } = object.spec;
  if (decryption !== undefined) {
    throw new KustomizationFailure('FeatureGateDisabled', 'spec.decryption: this version does not decrypt manifests', { follow: 'stall' });
  }
}

/** A Secret that is still encrypted must not reach the cluster (KB34). */
function refuseEncrypted(objects: readonly KubeObject[]): void {
  const encrypted = objects.filter((one) => one.kind === 'Secret' && one['sops'] !== undefined);
  const [first] = encrypted;
  if (first === undefined) return;
  const name = formatObjectRef({ group: '', kind: first.kind, namespace: first.metadata.namespace ?? '', name: first.metadata.name });
  throw new KustomizationFailure(
    'BuildFailed',
    `${name} is SOPS encrypted, configuring decryption is required for this secret to be reconciled`,
  );
}

/** The cluster to apply to. @throws KustomizationFailure that stalls for a kind of kubeconfig that is not supported */
async function clusterOf(object: Kustomization, clusters: Clusters): Promise<Cluster> {
  try {
    return await clusters.of(object);
  } catch (error) {
    if (!isCodedError(error, 'KubeconfigUnsupported')) throw error;
    throw new KustomizationFailure('FeatureGateDisabled', error.message, { cause: error, follow: 'stall' });
  }
}

/** The client that acts as the account the spec names (KB91). */
function actingClient(object: Kustomization, account: string, kube: KubeClient): KubeClient {
  return account === '' ? kube : kube.impersonate({ user: `system:serviceaccount:${object.metadata.namespace}:${account}` });
}

async function apply(
  objects: readonly KubeObject[],
  inventory: Inventory,
  client: KubeClient,
  cluster: Cluster,
  options: ApplyManifestsOptions,
  pass: Pass,
): Promise<ApplyResult> {
  const { object, memory, session, context } = pass;
  const { name, namespace } = object.metadata;
  try {
    const result = await applyObjects({
      client,
      objects,
      owner: { group: groups.kustomize, name, namespace },
      fieldManager: fieldManagers.kustomizeApply,
      force: object.spec.force,
      takeover: [...defaultTakeover(fieldManagers.kustomizeApply), ...options.overrideManagers.flatMap(overrideManager)],
      ...(object.spec.ignore === undefined ? {} : { ignore: object.spec.ignore }),
      customStageKinds: options.customStageKinds,
      known: memory.known,
      live: cluster.owned,
      inventory,
      // What is about to exist is written down first: a process killed in between finds it again.
      beforeWrite: async (intended) => {
        session.draft.inventory = { entries: [...intended.entries] };
        await session.flush();
      },
      stageTimeout: Math.min(60_000, timeout(object)),
      clock: options.clock,
      signal: context.signal,
    });
    memory.remember(result.changes, objects);
    return result;
  } catch (error) {
    if (!(error instanceof ApplyError))
      throw new KustomizationFailure('ReconciliationFailed', String((error as Error).message), { cause: error });
    const { partial } = error;
    session.draft.inventory = { entries: [...partial.inventory.entries] };
    memory.known = partial.known;
    watchKinds(partial, cluster, pass);
    const done = formatChanges(partial.changes);
    throw new KustomizationFailure('ReconciliationFailed', done === '' ? error.message : `${error.message}\n${done}`, { cause: error });
  }
}

/** Sees to it that all kinds that were applied are watched; nobody waits for that. */
function watchKinds(result: ApplyResult, { owned }: Cluster, { context }: Pass): void {
  const { signal, log } = context;
  const kinds = new Map(result.changes.map(({ ref, apiVersion }) => [`${apiVersion}/${ref.kind}`, { apiVersion, kind: ref.kind }]));
  for (const kind of kinds.values()) {
    owned.watch(kind, signal).catch((error: unknown) => {
      if (!signal.aborted) log.error('could not watch applied objects: drift is seen at the interval only', error, kind);
    });
  }
}

async function prune(old: Inventory, next: Inventory, client: KubeClient, cluster: Cluster, pass: Pass): Promise<boolean> {
  const { object, context } = pass;
  if (!object.spec.prune) return false;
  const stale = staleEntries(old, next);
  if (stale.length === 0) return false;
  const { name, namespace } = object.metadata;
  const result = await pruneObjects({
    client,
    owner: { group: groups.kustomize, name, namespace },
    objects: stale,
    live: cluster.owned,
    signal: context.signal,
  });
  if (result.failures.length > 0) {
    pass.session.draft.inventory = { entries: [...mergeInventories(next, result.survivors).entries] };
    throw new KustomizationFailure('PruneFailed', formatPruneFailures(result.failures), { cause: result.failures[0]?.cause });
  }
  pass.notice('Normal', result.changes.map(formatChange).join('\n'));
  return true;
}

function driftText({ ref, kind, managers, fields }: DriftReport): string {
  const what = kind === 'gone' ? 'was deleted' : fields.length === 0 ? 'was changed' : `${fields.join(', ')} changed`;
  return `drift corrected: ${formatObjectRef(ref)}: ${what}${managers.length === 0 ? '' : ` by ${managers.join(', ')}`}`;
}
