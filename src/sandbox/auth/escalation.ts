import type { KubeObject } from '../../manifest/index.ts';
import type { ServedKind } from '../catalog/kind.ts';
import { type Json, sameJson } from '../fields/index.ts';
import { forbidden, notFound } from '../request/status.ts';
import type { Store } from '../storage/store.ts';
import { type Attributes, type PolicyRule, roleRules, rulesFor, uncovered } from './rbac.ts';
import { MASTERS, type User } from './user.ts';

const RBAC = 'rbac.authorization.k8s.io';
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

type Deps = { store: Store; allows: (user: User, attributes: Attributes) => boolean };
type Guard = (draft: KubeObject, old: KubeObject | undefined) => void;

/** Nobody grants what they do not have: the check of roles and bindings a user writes; undefined for other kinds. */
export function escalationGuard(deps: Deps, user: User, kind: ServedKind): Guard | undefined {
  if (kind.group !== RBAC || user.groups.includes(MASTERS)) return undefined;
  return kind.plural.endsWith('bindings') ? bindingGuard(deps, user, kind) : roleGuard(deps, user, kind);
}

function roleGuard(deps: Deps, user: User, kind: ServedKind): Guard {
  return (draft, old) => {
    const { name, namespace = '' } = draft.metadata;
    const ask = { verb: 'escalate', group: RBAC, plural: kind.plural, subresource: '', namespace, name };
    if (deps.allows(user, ask)) return;
    const same = (field: string): boolean => sameJson((draft[field] ?? null) as Json, (old?.[field] ?? null) as Json);
    if (old !== undefined && same('rules') && same('aggregationRule')) return;
    refuse(deps, user, kind, draft, roleRules(draft));
    if (draft['aggregationRule'] !== undefined && uncovered([...rulesFor(deps.store, user, '')], EVERYTHING).length > 0)
      throw forbidden(kind, name, 'must have cluster-admin privileges to use the aggregationRule');
  };
}

function bindingGuard(deps: Deps, user: User, kind: ServedKind): Guard {
  return (draft, old) => {
    const { namespace = '' } = draft.metadata;
    const same = (field: string): boolean => sameJson((draft[field] ?? null) as Json, (old?.[field] ?? null) as Json);
    if (old !== undefined && same('roleRef') && same('subjects')) return;
    const { kind: roleKind, name = '' } = (draft['roleRef'] ?? {}) as { kind?: string; name?: string };
    const plural = roleKind === 'Role' ? 'roles' : 'clusterroles';
    const within = roleKind === 'Role' ? namespace : '';
    if (deps.allows(user, { verb: 'bind', group: RBAC, plural, subresource: '', namespace, name })) return;
    const role = deps.store.get(`${RBAC}/${plural}`, within, name);
    if (role === undefined) throw notFound(kind, name);
    refuse(deps, user, kind, draft, roleRules(role));
  };
}

function refuse(deps: Deps, user: User, kind: ServedKind, draft: KubeObject, wanted: readonly PolicyRule[]): void {
  const { name, namespace = '' } = draft.metadata;
  const missing = uncovered([...rulesFor(deps.store, user, namespace)], wanted);
  if (missing.length === 0) return;
  const groups = `[${user.groups.map((it) => JSON.stringify(it)).join(' ')}]`;
  const lines = [...new Set(compact(missing).map(ruleText))].sort();
  const who = `user ${JSON.stringify(user.name)} (groups=${groups})`;
  throw forbidden(kind, name, `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}`);
}

/** Rules about the same resource become one with all their verbs. */
function compact(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const rule of rules) {
    const key = JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames, rule.nonResourceURLs]);
    const same = merged.get(key);
    merged.set(key, same === undefined ? rule : { ...same, verbs: [...same.verbs, ...rule.verbs] });
  }
  return [...merged.values()];
}

function ruleText(rule: PolicyRule): string {
  const list = (name: string, values: readonly string[] | undefined): string[] =>
    values === undefined || values.length === 0 ? [] : [`${name}:[${values.map((it) => JSON.stringify(it)).join(' ')}]`];
  const parts = [
    ...list('APIGroups', rule.apiGroups),
    ...list('Resources', rule.resources),
    ...list('NonResourceURLs', rule.nonResourceURLs),
    ...list('ResourceNames', rule.resourceNames),
    ...list('Verbs', rule.verbs),
  ];
  return `{${parts.join(', ')}}`;
}
