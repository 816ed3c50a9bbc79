import type { KubeObject } from '../../manifest/index.ts';
import type { Store } from '../storage/store.ts';
import { MASTERS, parseServiceAccount, type User } from './user.ts';

/** What a request wants to do. For paths outside the API, `path` is set and the rest is empty. */
export type Attributes = {
  verb: string;
  group: string;
  plural: string;
  subresource: string;
  namespace: string;
  name: string;
  path?: string;
};

/** One rule of a role. */
export type PolicyRule = {
  verbs: readonly string[];
  apiGroups?: readonly string[];
  resources?: readonly string[];
  resourceNames?: readonly string[];
  nonResourceURLs?: readonly string[];
};

type RoleRef = { kind?: string; name?: string };
type Subject = { kind?: string; name?: string; namespace?: string };

const RBAC = 'rbac.authorization.k8s.io';

/** True when RBAC's roles and bindings in the store, or membership of system:masters, allow it. */
export function isAllowed(store: Store, user: User, attributes: Attributes): boolean {
  if (user.groups.includes(MASTERS)) return true;
  for (const rule of rulesFor(store, user, attributes.namespace)) if (ruleAllows(rule, attributes)) return true;
  return false;
}

/** Whether RBAC allows it, and in the API server's words by what. */
export function decide(store: Store, user: User, attributes: Attributes): { allowed: boolean; reason: string } {
  if (user.groups.includes(MASTERS)) return { allowed: true, reason: '' };
  const { namespace } = attributes;
  for (const binding of store.list(`${RBAC}/clusterrolebindings`)) {
    const subject = boundSubject(binding, user, '');
    if (subject !== undefined && rulesOf(store, binding, '').some((rule) => ruleAllows(rule, attributes)))
      return {
        allowed: true,
        reason: `RBAC: allowed by ClusterRoleBinding ${JSON.stringify(binding.metadata.name)} of ${described(binding, subject)}`,
      };
  }
  if (namespace === '') return { allowed: false, reason: '' };
  for (const binding of store.list(`${RBAC}/rolebindings`, namespace)) {
    const subject = boundSubject(binding, user, namespace);
    const name = JSON.stringify(`${binding.metadata.name}/${namespace}`);
    if (subject !== undefined && rulesOf(store, binding, namespace).some((rule) => ruleAllows(rule, attributes)))
      return { allowed: true, reason: `RBAC: allowed by RoleBinding ${name} of ${described(binding, subject)}` };
  }
  return { allowed: false, reason: '' };
}

/** `Role "x" to User "y"`. */
function described(binding: KubeObject, subject: Subject): string {
  const ref = binding['roleRef'] as RoleRef | undefined;
  const who = subject.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace ?? binding.metadata.namespace}` : subject.name;
  return `${ref?.kind} ${JSON.stringify(ref?.name)} to ${subject.kind} ${JSON.stringify(who)}`;
}

/** Every rule that applies to a user in a namespace (empty: cluster-wide ones only). */
export function* rulesFor(store: Store, user: User, namespace: string): Generator<PolicyRule> {
  for (const binding of store.list(`${RBAC}/clusterrolebindings`)) {
    if (isBound(binding, user, '')) yield* rulesOf(store, binding, '');
  }
  if (namespace === '') return;
  for (const binding of store.list(`${RBAC}/rolebindings`, namespace)) {
    if (isBound(binding, user, namespace)) yield* rulesOf(store, binding, namespace);
  }
}

/** The text of a refusal, as the API server puts it. */
export function refusal(user: User, attributes: Attributes): string {
  if (attributes.path !== undefined)
    return `User ${JSON.stringify(user.name)} cannot ${attributes.verb} path ${JSON.stringify(attributes.path)}`;
  const resource = attributes.subresource === '' ? attributes.plural : `${attributes.plural}/${attributes.subresource}`;
  const where = attributes.namespace === '' ? ' at the cluster scope' : ` in the namespace ${JSON.stringify(attributes.namespace)}`;
  return `User ${JSON.stringify(user.name)} cannot ${attributes.verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(attributes.group)}${where}`;
}

/** True when one rule allows it. */
export function ruleAllows(rule: PolicyRule, { verb, group, plural, subresource, name, path }: Attributes): boolean {
  if (!matches(rule.verbs, verb)) return false;
  if (path !== undefined) {
    return (rule.nonResourceURLs ?? []).some(
      (url) => url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1))),
    );
  }
  const resources = rule.resources ?? [];
  const wanted = subresource === '' ? plural : `${plural}/${subresource}`;
  const named = rule.resourceNames ?? [];
  return (
    matches(rule.apiGroups ?? [], group) &&
    (resources.includes('*') || resources.includes(wanted) || (subresource !== '' && resources.includes(`*/${subresource}`))) &&
    (named.length === 0 || (name !== '' && named.includes(name)))
  );
}

/**
 * The rules of `wanted` that `held` do not cover: what creating or binding a role would escalate to. Each wanted rule is looked
 * at verb by verb, group by group and resource by resource, as the API server breaks them down.
 */
export function uncovered(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((rule) => !held.some((it) => covers(it, rule)));
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const out: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) out.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const apiGroup of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const base = { verbs: [verb], apiGroups: [apiGroup], resources: [resource] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) out.push(base);
        for (const name of names) out.push({ ...base, resourceNames: [name] });
      }
    }
  }
  return out;
}

function covers(held: PolicyRule, wanted: PolicyRule): boolean {
  const has = (list: readonly string[] | undefined, value: string | undefined): boolean =>
    value !== undefined && (list?.includes('*') === true || list?.includes(value) === true);
  if (!has(held.verbs, wanted.verbs[0])) return false;
  const [url] = wanted.nonResourceURLs ?? [];
  if (url !== undefined)
    return (held.nonResourceURLs ?? []).some((it) => it === url || (it.endsWith('*') && url.startsWith(it.slice(0, -1))));
  const [resource = ''] = wanted.resources ?? [];
  const slash = resource.indexOf('/');
  const resourceCovered =
    has(held.resources, resource) || (slash > 0 && held.resources?.includes(`*/${resource.slice(slash + 1)}`) === true);
  const names = held.resourceNames ?? [];
  const wantedNames = wanted.resourceNames ?? [];
  return (
    has(held.apiGroups, wanted.apiGroups?.[0]) &&
    resourceCovered &&
    (names.length === 0 || (wantedNames.length > 0 && wantedNames.every((name) => names.includes(name))))
  );
}

function matches(list: readonly string[], value: string): boolean {
  return list.includes('*') || list.includes(value);
}

function isBound(binding: KubeObject, user: User, namespace: string): boolean {
  return boundSubject(binding, user, namespace) !== undefined;
}

function boundSubject(binding: KubeObject, user: User, namespace: string): Subject | undefined {
  const subjects = binding['subjects'];
  return Array.isArray(subjects) ? (subjects as readonly Subject[]).find((subject) => isSubject(subject, user, namespace)) : undefined;
}

function isSubject(subject: Subject, user: User, namespace: string): boolean {
  switch (subject.kind) {
    case 'User':
      return subject.name === user.name;
    case 'Group':
      return subject.name !== undefined && user.groups.includes(subject.name);
    case 'ServiceAccount': {
      const account = parseServiceAccount(user.name);
      return account !== undefined && account.name === subject.name && account.namespace === (subject.namespace ?? namespace);
    }
    default:
      return false;
  }
}

function rulesOf(store: Store, binding: KubeObject, namespace: string): readonly PolicyRule[] {
  const ref = binding['roleRef'] as RoleRef | undefined;
  const role =
    ref?.kind === 'Role' && namespace !== ''
      ? store.get(`${RBAC}/roles`, namespace, ref.name ?? '')
      : ref?.kind === 'ClusterRole'
        ? store.get(`${RBAC}/clusterroles`, '', ref.name ?? '')
        : undefined;
  return role === undefined ? [] : roleRules(role);
}

/** The rules of a Role or ClusterRole. */
export function roleRules(role: KubeObject): readonly PolicyRule[] {
  const { rules } = role;
  return Array.isArray(rules) ? (rules as readonly PolicyRule[]) : [];
}
