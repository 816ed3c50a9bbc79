import type { Api } from '../api/api.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { type Json, sameJson } from '../fields/index.ts';
import { labelSelectorMatches } from '../request/selector.ts';
import { roleRules } from './rbac.ts';

const CLUSTER_ROLES = 'rbac.authorization.k8s.io/clusterroles';
const CONTROLLER = 'clusterrole-aggregation-controller';

/** Keeps the rules of cluster roles with an aggregationRule: those of all the roles their selectors find, in order of name. */
export function keepRolesAggregated(api: Api): void {
  api.store.watch(CLUSTER_ROLES, undefined, () => {
    for (const role of api.store.list(CLUSTER_ROLES)) if (selectorsOf(role).length > 0) aggregate(api, role);
  });
}

function selectorsOf(role: KubeObject): readonly unknown[] {
  const { clusterRoleSelectors = [] } = (role['aggregationRule'] ?? {}) as { clusterRoleSelectors?: readonly unknown[] };
  return clusterRoleSelectors;
}

function aggregate(api: Api, role: KubeObject): void {
  const rules: Json[] = [];
  for (const selector of selectorsOf(role)) {
    for (const other of api.store.list(CLUSTER_ROLES)) {
      if (other.metadata.name === role.metadata.name || !labelSelectorMatches(selector, other.metadata.labels)) continue;
      for (const rule of roleRules(other) as readonly Json[]) if (!rules.some((it) => sameJson(it, rule))) rules.push(rule);
    }
  }
  if (sameJson(rules, (role['rules'] ?? []) as Json)) return;
  const kind = api.catalog.resource('rbac.authorization.k8s.io', 'v1', 'clusterroles');
  if (kind === undefined) return;
  const { name } = role.metadata;
  const body: Json = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules };
  const options = { dryRun: false, fieldManager: CONTROLLER, fieldValidation: 'Ignore' as const, subresource: '', force: true };
  api.objects.apply(kind, '', name, body, options);
}
