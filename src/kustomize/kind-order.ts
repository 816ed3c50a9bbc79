import type { Gvk } from './gvk.ts';

/** Kinds that come before all others, because others need them. */
export const FIRST_KINDS: readonly string[] = [
  'Namespace',
  'ResourceQuota',
  'StorageClass',
  'CustomResourceDefinition',
  'ServiceAccount',
  'PodSecurityPolicy',
  'Role',
  'ClusterRole',
  'RoleBinding',
  'ClusterRoleBinding',
  'ConfigMap',
  'Secret',
  'Endpoints',
  'Service',
  'LimitRange',
  'PriorityClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Deployment',
  'StatefulSet',
  'CronJob',
  'PodDisruptionBudget',
];
/** Kinds that come last, because they act on others. */
export const LAST_KINDS: readonly string[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

const ranks: ReadonlyMap<string, number> = new Map([
  ...FIRST_KINDS.map((kind, i): [string, number] => [kind, i - FIRST_KINDS.length]),
  ...LAST_KINDS.map((kind, i): [string, number] => [kind, i + 1]),
]);

/** Place of a kind in the legacy order; 0 for all that have none. */
export function kindRank(kind: string): number {
  return ranks.get(kind) ?? 0;
}

/** Text by which kinds of one rank are ordered. */
export function sortText({ group, version, kind }: Gvk): string {
  return `${group === '' ? '~G' : group}_${version === '' ? '~V' : version}_${kind === '' ? '~K' : kind}`;
}
