import {
  as,
  type Cases,
  CONFIG_MAPS,
  configMap,
  create,
  get,
  mergePatch,
  NAMESPACE,
  put,
  quiet,
  RBAC,
  remove,
  SECRETS,
  type Step,
} from './case.ts';

const ROLES = `${RBAC}/namespaces/{ns}/roles`;
const BINDINGS = `${RBAC}/namespaces/{ns}/rolebindings`;
const CLUSTER_ROLES = `${RBAC}/clusterroles`;
const CLUSTER_BINDINGS = `${RBAC}/clusterrolebindings`;
const AUTHORIZATION = '/apis/authorization.k8s.io/v1';
const AUTHENTICATION = '/apis/authentication.k8s.io/v1';
const ACCOUNTS = `${NAMESPACE}/serviceaccounts`;
const VERSION = 'rbac.authorization.k8s.io/v1';

type Rule = Readonly<Record<string, readonly string[]>>;

const role = (name: string, ...rules: readonly Rule[]): Record<string, unknown> => ({
  apiVersion: VERSION,
  kind: 'Role',
  metadata: { name },
  rules,
});
const clusterRole = (
  name: string,
  rules: readonly Rule[],
  more: Record<string, unknown> = {},
  labels?: Record<string, string>,
): Record<string, unknown> => ({
  apiVersion: VERSION,
  kind: 'ClusterRole',
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
  rules,
  ...more,
});
const USER = 'user-{ns}';
const subject = { kind: 'User', name: USER, apiGroup: 'rbac.authorization.k8s.io' };
const binding = (name: string, ref: Record<string, unknown>, subjects: readonly unknown[] = [subject]): Record<string, unknown> => ({
  apiVersion: VERSION,
  kind: 'RoleBinding',
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...ref },
  subjects,
});
const may = (...rules: readonly Rule[]): readonly Step[] => [
  quiet(create(ROLES, role('own', ...rules))),
  quiet(create(BINDINGS, binding('own', { kind: 'Role', name: 'own' }))),
  ...rules.map((rule) => settled(USER, rule)),
];
/** The real server reads roles from a cache: waits until it has seen them. */
function settled(
  user: string,
  { apiGroups = [], resources = [], verbs = [], resourceNames = [] }: Rule,
  groups: Readonly<Record<string, string>> = {},
): Step {
  const [resource = '', subresource = ''] = resources.at(-1)?.split('/') ?? [];
  const attributes = {
    namespace: '{ns}',
    verb: verbs[0],
    group: apiGroups[0],
    resource: resource === '*' ? 'deployments' : resource,
    subresource,
    name: resourceNames[0],
  };
  return { ...quiet(as(user, create(`${AUTHORIZATION}/selfsubjectaccessreviews`, ask(attributes)), groups)), until: '"allowed":true' };
}

const READ: Rule = { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list'] };
const GRANT: Rule = {
  apiGroups: ['rbac.authorization.k8s.io'],
  resources: ['roles', 'rolebindings'],
  verbs: ['create', 'update', 'patch', 'get'],
};
const ask = (attributes: Record<string, unknown>): Record<string, unknown> => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectAccessReview',
  spec: { resourceAttributes: attributes },
});
const rules = (namespace?: string): Record<string, unknown> => ({
  apiVersion: 'authorization.k8s.io/v1',
  kind: 'SelfSubjectRulesReview',
  spec: namespace === undefined ? {} : { namespace },
});
const CM = `${CONFIG_MAPS}/a`;

/** Who may do what, and how it is told. */
export const accessCases: Cases = {
  'access: nothing is allowed': [
    as(USER, get(CM)),
    as(USER, get(CONFIG_MAPS)),
    as(USER, create(CONFIG_MAPS, configMap('a'))),
    as(USER, get('/api/v1/nodes')),
    as(USER, get(`${CM}/x`)),
    as(USER, remove(`${CONFIG_MAPS}?labelSelector=a`)),
  ],
  'access: paths that are no resources': [
    as(USER, get('/metrics')),
    as(USER, get('/healthz')),
    as(USER, get('/version')),
    as(USER, get('/logs/')),
  ],
  'access: by a role': [
    ...may(READ),
    as(USER, get(`${CONFIG_MAPS}/none`)),
    as(USER, get(`${SECRETS}/none`)),
    as(USER, create(CONFIG_MAPS, configMap('a'))),
  ],
  'access: by name': [
    ...may({ apiGroups: [''], resources: ['configmaps'], resourceNames: ['a'], verbs: ['get', 'list', 'create'] }),
    as(USER, get(CM)),
    as(USER, get(`${CONFIG_MAPS}/b`)),
    as(USER, get(CONFIG_MAPS)),
    as(USER, get(`${CONFIG_MAPS}?fieldSelector=metadata.name=a`)),
    as(USER, create(CONFIG_MAPS, configMap('a'))),
  ],
  'access: to a subresource': [
    ...may({ apiGroups: ['apps'], resources: ['deployments/scale', '*/status'], verbs: ['get'] }),
    as(USER, get('/apis/apps/v1/namespaces/{ns}/deployments/a/scale')),
    as(USER, get('/apis/apps/v1/namespaces/{ns}/deployments/a/status')),
    as(USER, get('/apis/apps/v1/namespaces/{ns}/deployments/a')),
  ],
  'access: by a group': [
    quiet(create(ROLES, role('own', READ))),
    quiet(
      create(
        BINDINGS,
        binding('own', { kind: 'Role', name: 'own' }, [{ kind: 'Group', name: 'team-{ns}', apiGroup: 'rbac.authorization.k8s.io' }]),
      ),
    ),
    settled(USER, READ, { 'impersonate-group': 'team-{ns}' }),
    as(USER, get(CM), { 'impersonate-group': 'team-{ns}' }),
    as(USER, get(CM), { 'impersonate-group': 'other' }),
  ],
  'access: of a service account': [
    quiet(create(ROLES, role('own', READ))),
    quiet(create(BINDINGS, binding('own', { kind: 'Role', name: 'own' }, [{ kind: 'ServiceAccount', name: 'sa', namespace: '{ns}' }]))),
    settled('system:serviceaccount:{ns}:sa', READ),
    as('system:serviceaccount:{ns}:sa', get(CM)),
    as('system:serviceaccount:{ns}:other', get(CM)),
  ],
  'access: paths by a cluster role': [
    quiet(create(CLUSTER_ROLES, clusterRole('{ns}', [{ nonResourceURLs: ['/paths/*', '/exact'], verbs: ['get'] }]))),
    quiet(create(CLUSTER_BINDINGS, { ...binding('{ns}', { kind: 'ClusterRole', name: '{ns}' }), kind: 'ClusterRoleBinding' })),
    { ...quiet(as(USER, get('/paths/x'))), until: 404 },
    as(USER, get('/paths/x')),
    as(USER, get('/exact')),
    as(USER, get('/exact/x')),
    quiet(remove(`${CLUSTER_BINDINGS}/{ns}`)),
    quiet(remove(`${CLUSTER_ROLES}/{ns}`)),
  ],
  'impersonate: who may not': [...may(READ), as(USER, { ...get(CM), headers: { 'impersonate-user': USER } })],
  'impersonate: oneself': [
    as(USER, create(`${AUTHENTICATION}/selfsubjectreviews`, { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }), {
      'impersonate-group': 'a',
      'impersonate-uid': 'u-1',
      'impersonate-extra-scopes': 'one',
      'impersonate-extra-example.com%2fkey': 'two',
    }),
  ],
  'impersonate: a service account': [
    as(
      'system:serviceaccount:{ns}:sa',
      create(`${AUTHENTICATION}/selfsubjectreviews`, { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
    ),
  ],
  'impersonate: the anonymous': [
    as(
      'system:anonymous',
      create(`${AUTHENTICATION}/selfsubjectreviews`, { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }),
    ),
    as('system:anonymous', get(CM)),
  ],
  'impersonate: a group without a user': [
    { ...get(CM), headers: { 'impersonate-group': 'a' } },
    { ...get(CM), headers: { 'impersonate-uid': 'a' } },
  ],
  'review: oneself in YAML words': [
    create(
      `${AUTHORIZATION}/selfsubjectaccessreviews`,
      ask({ verb: 'get', resource: 'configmaps', namespace: '{ns}', name: 'a', group: '', version: 'v1', subresource: 'x' }),
    ),
  ],
  'review: by a role': [
    ...may(READ),
    as(USER, create(`${AUTHORIZATION}/selfsubjectaccessreviews`, ask({ verb: 'get', resource: 'configmaps', namespace: '{ns}' }))),
    as(USER, create(`${AUTHORIZATION}/selfsubjectaccessreviews`, ask({ verb: 'delete', resource: 'configmaps', namespace: '{ns}' }))),
    create(`${AUTHORIZATION}/subjectaccessreviews`, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { user: USER, resourceAttributes: { verb: 'list', resource: 'configmaps', namespace: '{ns}' } },
    }),
  ],
  'review: of nobody': [
    create(`${AUTHORIZATION}/subjectaccessreviews`, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { resourceAttributes: { verb: 'list', resource: 'configmaps' } },
    }),
  ],
  'review: of nothing': [
    create(`${AUTHORIZATION}/selfsubjectaccessreviews`, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: {},
    }),
    create(`${AUTHORIZATION}/selfsubjectaccessreviews`, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get' }, nonResourceAttributes: { path: '/', verb: 'get' } },
    }),
  ],
  'review: of a path': [
    create(`${AUTHORIZATION}/selfsubjectaccessreviews`, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { nonResourceAttributes: { path: '/metrics', verb: 'get' } },
    }),
    as(
      USER,
      create(`${AUTHORIZATION}/selfsubjectaccessreviews`, {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        spec: { nonResourceAttributes: { path: '/healthz', verb: 'get' } },
      }),
    ),
  ],
  'review: in a namespace': [
    ...may(READ),
    create(`${AUTHORIZATION}/namespaces/{ns}/localsubjectaccessreviews`, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'LocalSubjectAccessReview',
      metadata: { namespace: '{ns}' },
      spec: { user: USER, resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: '{ns}' } },
    }),
    create(`${AUTHORIZATION}/namespaces/{ns}/localsubjectaccessreviews`, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'LocalSubjectAccessReview',
      metadata: { namespace: '{ns}' },
      spec: { user: USER, resourceAttributes: { verb: 'get', resource: 'configmaps', namespace: 'other' } },
    }),
  ],
  'review: with metadata': [
    create(`${AUTHORIZATION}/selfsubjectaccessreviews`, { ...ask({ verb: 'get', resource: 'pods' }), metadata: { name: 'x' } }),
  ],
  'review: the rules of a user': [
    ...may(READ, GRANT),
    as(USER, create(`${AUTHORIZATION}/selfsubjectrulesreviews`, rules('{ns}'))),
    create(`${AUTHORIZATION}/selfsubjectrulesreviews`, rules()),
  ],
  'grant: what one has not': [
    ...may(READ, GRANT),
    as(USER, create(ROLES, role('more', { apiGroups: [''], resources: ['secrets', 'configmaps'], verbs: ['get', 'delete'] }))),
    as(USER, create(ROLES, role('same', READ))),
    as(USER, put(`${ROLES}/same`, role('same', { ...READ, verbs: ['get', 'watch'] }))),
    as(USER, mergePatch(`${ROLES}/same`, { metadata: { labels: { a: 'b' } } })),
  ],
  'grant: by a binding': [
    ...may(READ, GRANT),
    quiet(create(ROLES, role('strong', { apiGroups: [''], resources: ['secrets'], verbs: ['*'] }))),
    { ...quiet(as(USER, create(`${BINDINGS}?dryRun=All`, binding('c', { kind: 'Role', name: 'own' })))), until: 201 },
    as(USER, create(BINDINGS, binding('b', { kind: 'Role', name: 'strong' }))),
    as(USER, create(BINDINGS, binding('c', { kind: 'Role', name: 'own' }))),
    as(USER, create(BINDINGS, binding('d', { kind: 'Role', name: 'none' }))),
    as(USER, create(BINDINGS, binding('e', { kind: 'ClusterRole', name: 'view' }))),
  ],
  'grant: with the verbs for it': [
    ...may(READ, GRANT, { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'], verbs: ['bind', 'escalate'] }),
    quiet(create(ROLES, role('strong', { apiGroups: [''], resources: ['secrets'], verbs: ['*'] }))),
    { ...quiet(as(USER, create(`${BINDINGS}?dryRun=All`, binding('c', { kind: 'Role', name: 'own' })))), until: 201 },
    as(USER, create(BINDINGS, binding('b', { kind: 'Role', name: 'strong' }))),
    as(USER, create(ROLES, role('stronger', { apiGroups: ['*'], resources: ['*'], verbs: ['*'] }))),
  ],
  'roles: aggregated': [
    quiet(
      create(
        CLUSTER_ROLES,
        clusterRole('{ns}', [], { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { 'aggregate-to-{ns}': 'true' } }] } }),
      ),
    ),
    quiet(create(CLUSTER_ROLES, clusterRole('{ns}-a', [READ], {}, { 'aggregate-to-{ns}': 'true' }))),
    { ...quiet(get(`${CLUSTER_ROLES}/{ns}`)), until: 'configmaps' },
    {
      ...get(CLUSTER_ROLES),
      path: `${CLUSTER_ROLES}?fieldSelector=metadata.name={ns}`,
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    },
    quiet(create(CLUSTER_ROLES, clusterRole('{ns}-b', [{ ...READ, resources: ['secrets'] }], {}, { 'aggregate-to-{ns}': 'true' }))),
    { ...quiet(get(`${CLUSTER_ROLES}/{ns}`)), until: 'secrets' },
    get(`${CLUSTER_ROLES}/{ns}`),
    quiet(remove(`${CLUSTER_ROLES}/{ns}`)),
    quiet(remove(`${CLUSTER_ROLES}/{ns}-a`)),
    quiet(remove(`${CLUSTER_ROLES}/{ns}-b`)),
  ],
  'roles: rules that are wrong': [
    create(`${ROLES}?dryRun=All`, role('a', { nonResourceURLs: ['/x'], verbs: ['get'] })),
    create(`${ROLES}?dryRun=All`, role('a', { verbs: ['get'] })),
    create(
      `${CLUSTER_ROLES}?dryRun=All`,
      clusterRole('{ns}', [{ nonResourceURLs: ['/x'], resources: ['pods'], apiGroups: [''], verbs: ['get'] }]),
    ),
    create(`${CLUSTER_ROLES}?dryRun=All`, clusterRole('{ns}', [], { aggregationRule: {} })),
  ],
  'roles: bindings that are wrong': [
    create(`${BINDINGS}?dryRun=All`, binding('a', { kind: 'ClusterRole', name: 'view' }, [{ kind: 'User' }])),
    create(`${BINDINGS}?dryRun=All`, binding('a', { kind: 'ClusterRole', name: 'view' }, [{ kind: 'ServiceAccount', name: 'x' }])),
    create(`${BINDINGS}?dryRun=All`, binding('a', { kind: 'ClusterRole', name: 'view' }, [{ kind: 'Robot', name: 'x' }])),
    create(`${CLUSTER_BINDINGS}?dryRun=All`, {
      ...binding('{ns}', { kind: 'Role', name: 'x' }, [{ kind: 'ServiceAccount', name: 'x' }]),
      kind: 'ClusterRoleBinding',
    }),
  ],
  'token: of an account': [
    quiet(create(ACCOUNTS, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'sa' } })),
    { ...quiet(create(`${ACCOUNTS}/sa/token`, {})) },
    create(`${ACCOUNTS}/none/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }),
    create(`${ACCOUNTS}/sa/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 5 } }),
    create(`${ACCOUNTS}/sa/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', metadata: { name: 'x' }, spec: {} }),
    create(`${ACCOUNTS}/sa/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: ['x'], expirationSeconds: 700 },
    }),
    create(`${ACCOUNTS}/sa/token`, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'none' } },
    }),
  ],
  'token: reviewed': [
    create(`${AUTHENTICATION}/tokenreviews`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'nonsense' } }),
    create(`${AUTHENTICATION}/tokenreviews`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: {} }),
  ],
};
