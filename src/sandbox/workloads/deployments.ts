import { milliseconds } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, controllerOf, Loop, ownerReference, shortHash } from '../controllers/cluster.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { replicasOf, type Rollout, statusNumber, writeDeploymentStatus } from './deployment-status.ts';
import { type Leeway, leewayOf, nextNewReplicas, nextOldReplicas, proportional, type Scaled } from './rolling.ts';

const DEPLOYMENTS = 'apps/deployments';
const REPLICA_SETS = 'apps/replicasets';
const PREFIX = 'deployment.kubernetes.io/';
const REVISION = `${PREFIX}revision`;
const HISTORY = `${PREFIX}revision-history`;
const DESIRED = `${PREFIX}desired-replicas`;
const MAXIMUM = `${PREFIX}max-replicas`;
const TEMPLATE_HASH = 'pod-template-hash';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** The Deployment controller: a new template makes a new ReplicaSet (or takes an old one back), which replaces the others step by step. */
export function runDeployments(cluster: Cluster): () => void {
  const { api } = cluster;
  const loop = new Loop(api, (namespace, name) => {
    const deployment = cluster.get(DEPLOYMENTS, namespace, name);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    const again = reconcile(cluster, deployment);
    if (again !== undefined) loop.touch(deployment, milliseconds(again));
  });
  const stops = [
    api.store.watch(DEPLOYMENTS, undefined, (change) => loop.touch(change.object)),
    api.store.watch(REPLICA_SETS, undefined, (change) => {
      const owner = controllerOf(change.object);
      if (owner?.kind === 'Deployment') loop.touchKey(change.object.metadata.namespace ?? '', owner.name);
    }),
  ];
  for (const it of cluster.list(DEPLOYMENTS)) loop.touch(it);
  return () => {
    for (const stop of stops) stop?.();
    loop.close();
  };
}

const revisionOf = (set: KubeObject | undefined): number => Number(set?.metadata.annotations?.[REVISION] ?? 0);
const ageOrder = (a: KubeObject, b: KubeObject): number =>
  (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || revisionOf(a) - revisionOf(b);

/** One pass; gives in how many milliseconds the progress deadline passes. */
function reconcile(cluster: Cluster, deployment: KubeObject): number | undefined {
  const spec = mapAt(deployment, 'spec') ?? {};
  if (mapAt(deployment, 'status')?.['observedGeneration'] === undefined) cluster.adopt(REPLICA_SETS, deployment, spec['selector']);
  const hash = shortHash(spec['template']);
  const owned = cluster.ownedBy(REPLICA_SETS, deployment).sort(ageOrder);
  const old = owned.filter((it) => it.metadata.labels?.[TEMPLATE_HASH] !== hash);
  const found = owned.find((it) => it.metadata.labels?.[TEMPLATE_HASH] === hash);
  if (spec['paused'] === true) {
    scale(cluster, deployment, found, old);
    return finish(cluster, deployment, found, 'paused');
  }
  const recreate = mapAt(spec, 'strategy')?.['type'] === 'Recreate';
  if (recreate && drain(cluster, old)) return finish(cluster, deployment, found, notedOf(cluster, deployment));
  const current = found === undefined ? createReplicaSet(cluster, deployment, hash, old) : found;
  if (current === undefined) return undefined;
  syncRevision(cluster, deployment, current, old);
  const fresh = cluster.get(REPLICA_SETS, current.metadata.namespace ?? '', current.metadata.name) ?? current;
  if (isScaling(deployment, owned)) scale(cluster, deployment, fresh, old);
  else if (recreate) setReplicas(cluster, deployment, fresh, replicasOf(deployment));
  else roll(cluster, deployment, fresh, old);
  const noted = found === undefined ? 'created' : notedOf(cluster, deployment, found);
  return finish(cluster, deployment, current, noted);
}

/** What the Progressing condition should say of this pass, if it is not about pods. */
function notedOf(cluster: Cluster, deployment: KubeObject, found?: KubeObject): Rollout['noted'] {
  const conditions = mapsOf(mapAt(deployment, 'status'), 'conditions');
  const progressing = conditions.find((it) => it['type'] === 'Progressing');
  if (progressing?.['reason'] === 'DeploymentPaused') return 'resumed';
  if (found !== undefined && progressing === undefined) return 'found';
  // An older ReplicaSet was taken back: that is a rollout, too.
  const live = cluster.get(DEPLOYMENTS, deployment.metadata.namespace ?? '', deployment.metadata.name);
  return found !== undefined && live?.metadata.annotations?.[REVISION] !== deployment.metadata.annotations?.[REVISION]
    ? 'found'
    : undefined;
}

function finish(cluster: Cluster, before: KubeObject, current: KubeObject | undefined, noted: Rollout['noted']): number | undefined {
  const { namespace = '', name } = before.metadata;
  const deployment = cluster.get(DEPLOYMENTS, namespace, name);
  if (deployment === undefined) return undefined;
  const owned = cluster.ownedBy(REPLICA_SETS, deployment).sort(ageOrder);
  const isCurrent = (it: KubeObject): boolean => it.metadata.uid === current?.metadata.uid;
  const again = writeDeploymentStatus(cluster, {
    deployment,
    current: owned.find(isCurrent),
    old: owned.filter((it) => !isCurrent(it)),
    noted,
  });
  if (noted !== 'paused')
    trimHistory(
      cluster,
      deployment,
      owned.filter((it) => !isCurrent(it)),
    );
  return again;
}

/** Sets the old ReplicaSets to nothing; true while pods of theirs are there. */
function drain(cluster: Cluster, old: readonly KubeObject[]): boolean {
  let busy = false;
  for (const set of old) {
    if (replicasOf(set) > 0) writeReplicas(cluster, set, 0, {});
    busy ||= cluster.ownedBy('/pods', set).length > 0;
  }
  return busy;
}

function roll(cluster: Cluster, deployment: KubeObject, current: KubeObject, old: readonly KubeObject[]): void {
  const wanted = replicasOf(deployment);
  const leeway = leewayFor(deployment);
  const next = nextNewReplicas(wanted, scaled(current), old.map(scaled), leeway);
  setReplicas(cluster, deployment, current, next);
  if (next > replicasOf(current)) return; // first the new ones, then, once told of them, the old ones
  const down = nextOldReplicas(wanted, scaled(current), old.map(scaled), leeway);
  old.forEach((set, i) => setReplicas(cluster, deployment, set, down[i] ?? 0));
}

const scaled = (set: KubeObject): Scaled => ({ replicas: replicasOf(set), available: statusNumber(set, 'availableReplicas') });

function leewayFor(deployment: KubeObject): Leeway {
  const strategy = mapAt(mapAt(deployment, 'spec'), 'strategy');
  if (strategy?.['type'] === 'Recreate') return { maxSurge: 0, maxUnavailable: 0 };
  return leewayOf(mapAt(strategy, 'rollingUpdate'), replicasOf(deployment));
}

/** True when the wanted number changed since the ReplicaSets that have pods were sized. */
function isScaling(deployment: KubeObject, owned: readonly KubeObject[]): boolean {
  const wanted = String(replicasOf(deployment));
  return owned.some((it) => replicasOf(it) > 0 && (it.metadata.annotations?.[DESIRED] ?? wanted) !== wanted);
}

/** Follows a changed number of replicas in the middle of a rollout or while it is paused. */
function scale(cluster: Cluster, deployment: KubeObject, current: KubeObject | undefined, old: readonly KubeObject[]): void {
  const wanted = replicasOf(deployment);
  const all = current === undefined ? [...old] : [...old, current];
  const active = all.filter((it) => replicasOf(it) > 0);
  const only = active.length > 1 ? undefined : (active[0] ?? all.at(-1));
  if (only !== undefined) return setReplicas(cluster, deployment, only, wanted);
  if (current !== undefined && replicasOf(current) === wanted && statusNumber(current, 'availableReplicas') === wanted) {
    for (const set of old) setReplicas(cluster, deployment, set, 0);
    return;
  }
  if (mapAt(mapAt(deployment, 'spec'), 'strategy')?.['type'] === 'Recreate') return;
  const sizedFor = Number(active[0]?.metadata.annotations?.[MAXIMUM] ?? 0) || statusNumber(deployment, 'replicas');
  const sizes = proportional(active.map(replicasOf), sizedFor, wanted === 0 ? 0 : wanted + leewayFor(deployment).maxSurge);
  active.forEach((set, i) => setReplicas(cluster, deployment, set, sizes[i] ?? 0));
}

/** Sizes a ReplicaSet and notes on it what for. */
function setReplicas(cluster: Cluster, deployment: KubeObject, set: KubeObject, replicas: number): void {
  writeReplicas(cluster, set, replicas, sizeAnnotations(deployment));
}

function sizeAnnotations(deployment: KubeObject): Record<string, string> {
  const wanted = replicasOf(deployment);
  return { [DESIRED]: String(wanted), [MAXIMUM]: String(wanted + leewayFor(deployment).maxSurge) };
}

function writeReplicas(cluster: Cluster, set: KubeObject, replicas: number, annotations: Record<string, string>): void {
  cluster.update(REPLICA_SETS, set, (draft) => {
    (draft['spec'] as Draft0)['replicas'] = replicas;
    draft.metadata.annotations = { ...draft.metadata.annotations, ...annotations };
  });
}

function createReplicaSet(cluster: Cluster, deployment: KubeObject, hash: string, old: readonly KubeObject[]): KubeObject | undefined {
  const spec = mapAt(deployment, 'spec') ?? {};
  const template = structuredClone(mapAt(spec, 'template') ?? {});
  const metadata = mapAt(template, 'metadata') ?? {};
  const labels = { ...(mapAt(metadata, 'labels') as Record<string, string> | undefined), [TEMPLATE_HASH]: hash };
  template['metadata'] = { ...metadata, labels };
  const selector = mapAt(spec, 'selector') ?? {};
  const wanted = replicasOf(deployment);
  const nothing: Scaled = { replicas: 0, available: 0 };
  return cluster.create(REPLICA_SETS, {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace ?? '',
      labels,
      annotations: { ...inherited(deployment), ...sizeAnnotations(deployment), [REVISION]: String(1 + latest(old)) },
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas:
        mapAt(spec, 'strategy')?.['type'] === 'Recreate'
          ? wanted
          : nextNewReplicas(wanted, nothing, old.map(scaled), leewayFor(deployment)),
      ...(spec['minReadySeconds'] === undefined ? {} : { minReadySeconds: spec['minReadySeconds'] }),
      selector: { ...selector, matchLabels: { ...mapAt(selector, 'matchLabels'), [TEMPLATE_HASH]: hash } },
      template,
    },
  });
}

const latest = (sets: readonly KubeObject[]): number => Math.max(0, ...sets.map(revisionOf));

/** A Deployment's annotations, but for those that are about itself. */
function inherited(deployment: KubeObject): Record<string, string> {
  return Object.fromEntries(
    Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => key !== LAST_APPLIED && !key.startsWith(PREFIX)),
  );
}

/** The current ReplicaSet has the highest revision; one taken back remembers the revisions it had. The Deployment says the same. */
function syncRevision(cluster: Cluster, deployment: KubeObject, current: KubeObject, old: readonly KubeObject[]): void {
  const own = revisionOf(current);
  const revision = Math.max(own, 1 + latest(old));
  const minReady = mapAt(deployment, 'spec')?.['minReadySeconds'];
  cluster.update(REPLICA_SETS, current, (draft) => {
    const annotations: Record<string, string> = {
      ...draft.metadata.annotations,
      ...inherited(deployment),
      [REVISION]: String(revision),
    };
    if (own !== 0 && own < revision) {
      const history = draft.metadata.annotations?.[HISTORY];
      annotations[HISTORY] = history === undefined ? String(own) : `${history},${own}`;
    }
    draft.metadata.annotations = annotations;
    if (minReady !== undefined) (draft['spec'] as Draft0)['minReadySeconds'] = minReady;
  });
  cluster.update(DEPLOYMENTS, deployment, (draft) => {
    draft.metadata.annotations = { ...draft.metadata.annotations, [REVISION]: String(revision) };
  });
}

function trimHistory(cluster: Cluster, deployment: KubeObject, old: readonly KubeObject[]): void {
  const limit = Number(mapAt(deployment, 'spec')?.['revisionHistoryLimit'] ?? 10);
  const idle = old.filter(
    (it) =>
      replicasOf(it) === 0 && statusNumber(it, 'replicas') === 0 && statusNumber(it, 'observedGeneration') >= (it.metadata.generation ?? 0),
  );
  const byRevision = idle.sort((a, b) => revisionOf(a) - revisionOf(b));
  for (const it of byRevision.slice(0, Math.max(0, byRevision.length - limit))) cluster.delete(REPLICA_SETS, it);
}
