import { compareText } from '../../golang/index.ts';
import type { Rules } from '../profile.ts';

/** Kinds in the order they are installed. Kinds that are not here come last, by name. */
const INSTALL_ORDER: readonly string[] = [
  'PriorityClass',
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
];
const WEBHOOKS: readonly string[] = ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'];

/** Kinds in the order they are removed when a release is uninstalled. */
const UNINSTALL_ORDER: readonly string[] = [
  'APIService',
  'Ingress',
  'IngressClass',
  'Service',
  'CronJob',
  'Job',
  'StatefulSet',
  'HorizontalPodAutoscaler',
  'Deployment',
  'ReplicaSet',
  'ReplicationController',
  'Pod',
  'DaemonSet',
  'RoleBindingList',
  'RoleBinding',
  'RoleList',
  'Role',
  'ClusterRoleBindingList',
  'ClusterRoleBinding',
  'ClusterRoleList',
  'ClusterRole',
  'CustomResourceDefinition',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'StorageClass',
  'ConfigMap',
  'SecretList',
  'Secret',
  'ServiceAccount',
  'PodDisruptionBudget',
  'PodSecurityPolicy',
  'LimitRange',
  'ResourceQuota',
  'NetworkPolicy',
  'Namespace',
  'PriorityClass',
];

type KindRank = ReadonlyMap<string, number>;

function rank(kinds: readonly string[]): KindRank {
  return new Map(kinds.map((kind, i) => [kind, i]));
}

const INSTALL = { last: rank([...INSTALL_ORDER, ...WEBHOOKS]), unknown: rank(INSTALL_ORDER) };
const UNINSTALL = { last: rank([...WEBHOOKS.toReversed(), ...UNINSTALL_ORDER]), unknown: rank(UNINSTALL_ORDER) };

/** Sorts by kind for installing; what has the same kind keeps its order. */
export function sortForInstall<T>(items: readonly T[], kindOf: (item: T) => string, { webhooksLast }: Pick<Rules, 'webhooksLast'>): T[] {
  return sortByKind(items, kindOf, webhooksLast ? INSTALL.last : INSTALL.unknown);
}

/** Sorts by kind for uninstalling; what has the same kind keeps its order. */
export function sortForUninstall<T>(items: readonly T[], kindOf: (item: T) => string, { webhooksLast }: Pick<Rules, 'webhooksLast'>): T[] {
  return sortByKind(items, kindOf, webhooksLast ? UNINSTALL.last : UNINSTALL.unknown);
}

function sortByKind<T>(items: readonly T[], kindOf: (item: T) => string, order: KindRank): T[] {
  const keyed = items.map((item) => ({ item, kind: kindOf(item), rank: order.get(kindOf(item)) ?? order.size }));
  keyed.sort((a, b) => a.rank - b.rank || (a.rank === order.size ? compareText(a.kind, b.kind) : 0));
  return keyed.map(({ item }) => item);
}
