import { compareUtf8 } from '../std/index.ts';
import { objectRef, type KubeObject, type ObjectRef } from '../manifest/index.ts';

/** Kinds in the order they are applied (KB50); kinds not named come between the two lists. */
const FIRST = [
  'CustomResourceDefinition',
  'Namespace',
  'ClusterRole',
  'ClusterClass',
  'RuntimeClass',
  'PriorityClass',
  'StorageClass',
  'VolumeSnapshotClass',
  'IngressClass',
  'GatewayClass',
  'ClusterRoleBinding',
  'ResourceQuota',
  'ServiceAccount',
  'Role',
  'RoleBinding',
  'ConfigMap',
  'Secret',
  'Service',
  'LimitRange',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
] as const;
const LAST = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'] as const;

const RANKS: ReadonlyMap<string, number> = new Map([
  ...FIRST.map((kind, index) => [kind, index - FIRST.length] as const),
  ...LAST.map((kind, index) => [kind, index + 1] as const),
]);

/** Where a kind stands in the order: negative before, positive after all kinds without a place of their own. */
export function kindRank(kind: string): number {
  return RANKS.get(kind) ?? 0;
}

/** Total order of objects: kind rank, group, kind, namespace, name (KB50). */
export function compareRefs(a: ObjectRef, b: ObjectRef): number {
  return (
    kindRank(a.kind) - kindRank(b.kind) ||
    compareUtf8(a.group, b.group) ||
    compareUtf8(a.kind, b.kind) ||
    compareUtf8(a.namespace, b.namespace) ||
    compareUtf8(a.name, b.name)
  );
}

/** The objects in apply order; the input stays as it is. */
export function sortObjects(objects: readonly KubeObject[]): KubeObject[] {
  return objects
    .map((object) => ({ object, ref: objectRef(object) }))
    .sort((a, b) => compareRefs(a.ref, b.ref))
    .map(({ object }) => object);
}

export type StageName = 'definitions' | 'classes' | 'custom' | 'resources';

/** Objects applied together. `wait`: the next stage begins when these are Current. */
export type Stage = { name: StageName; wait: boolean; objects: readonly KubeObject[] };

/**
 * Splits objects into stages (KB51): CustomResourceDefinitions, Namespaces and ClusterRoles; kinds named `…Class`; kinds the operator named
 * with `--custom-apply-stage-kinds`; the rest. Empty stages are left out, each is sorted.
 * @param customKinds `group/Kind`, or `Kind` for the core group
 */
export function toStages(objects: readonly KubeObject[], customKinds: ReadonlySet<string>): Stage[] {
  const stages: Record<StageName, KubeObject[]> = { definitions: [], classes: [], custom: [], resources: [] };
  for (const object of sortObjects(objects)) stages[stageOf(object, customKinds)].push(object);
  const order: readonly Stage[] = [
    { name: 'definitions', wait: true, objects: stages.definitions },
    { name: 'classes', wait: true, objects: stages.classes },
    { name: 'custom', wait: false, objects: stages.custom },
    { name: 'resources', wait: false, objects: stages.resources },
  ];
  return order.filter((stage) => stage.objects.length > 0);
}

function stageOf(object: KubeObject, customKinds: ReadonlySet<string>): StageName {
  const { group, kind } = objectRef(object);
  if (DEFINITIONS.has(`${group}/${kind}`)) return 'definitions';
  if (kind.endsWith('Class')) return 'classes';
  return customKinds.has(group === '' ? kind : `${group}/${kind}`) ? 'custom' : 'resources';
}

const DEFINITIONS: ReadonlySet<string> = new Set([
  'apiextensions.k8s.io/CustomResourceDefinition',
  '/Namespace',
  'rbac.authorization.k8s.io/ClusterRole',
]);

/**
 * Splits a sorted stage into waves that may each be written in parallel: what workloads need (service accounts, RBAC, configuration,
 * services, limits), then workloads and everything else, then admission webhooks, which must not judge what comes with them.
 */
export function toWaves<T>(sorted: readonly T[], kindOf: (item: T) => string): T[][] {
  const waves: [T[], T[], T[]] = [[], [], []];
  for (const item of sorted) {
    const rank = kindRank(kindOf(item));
    waves[rank > 0 ? 2 : rank >= kindRank('Deployment') ? 1 : 0].push(item);
  }
  return waves.filter((wave) => wave.length > 0);
}
