import {
  apply,
  type Cases,
  CONFIG_MAPS,
  configMap,
  create,
  DEPLOYMENTS,
  deployment,
  get,
  jsonPatch,
  mergePatch,
  put,
  quiet,
  remove,
  SECRETS,
  service,
  SERVICES,
} from './case.ts';

const CM = `${CONFIG_MAPS}/a`;
const DEPLOYMENT = `${DEPLOYMENTS}/a`;
const SERVICE = `${SERVICES}/a`;
const data = (it: Record<string, string>): ReturnType<typeof configMap> => configMap('a', it);
const env = (...names: readonly string[]): Record<string, unknown> =>
  deployment('a', { paused: true }, { env: names.map((name) => ({ name, value: '1' })) });
const container = (of: Record<string, unknown>): Record<string, unknown> => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a' },
  spec: { template: { spec: { containers: [{ name: 'app', ...of }] } } },
});

/** Server-side apply: who owns what, and what becomes of it. */
export const ownershipCases: Cases = {
  'own: conflicts with an applier and an updater': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    quiet(mergePatch(`${CM}?fieldManager=up`, { data: { b: '1' } })),
    apply(CM, 'two', data({ a: '2', b: '2' })),
  ],
  'own: conflicts with a subresource': [
    quiet(apply(DEPLOYMENT, 'one', deployment('a', { paused: true }))),
    quiet(mergePatch(`${DEPLOYMENT}/scale?fieldManager=scaler`, { spec: { replicas: 1 } })),
    apply(DEPLOYMENT, 'one', deployment('a', { paused: true, replicas: 2 })),
    apply(DEPLOYMENT, 'one', deployment('a', { paused: true, replicas: 2 }), 'force=true'),
  ],
  'own: three conflicts of one manager': [
    quiet(apply(CM, 'one', data({ a: '1', b: '1', c: '1' }))),
    apply(CM, 'two', data({ a: '2', b: '2', c: '2' })),
  ],
  'own: conflict in a nested list': [
    quiet(apply(DEPLOYMENT, 'one', env('A', 'B'))),
    apply(DEPLOYMENT, 'two', container({ env: [{ name: 'B', value: '2' }] })),
  ],
  'own: conflict in a list with two keys': [
    quiet(apply(SERVICE, 'one', service('a', { ports: [{ port: 80, name: 'x' }] }))),
    apply(SERVICE, 'two', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a' },
      spec: { ports: [{ port: 80, protocol: 'TCP', name: 'y' }] },
    }),
  ],
  'own: items of a list go': [
    quiet(apply(DEPLOYMENT, 'one', env('A', 'B', 'C'))),
    apply(DEPLOYMENT, 'one', env('A', 'C')),
    apply(DEPLOYMENT, 'one', env('A')),
    apply(DEPLOYMENT, 'one', deployment('a', { paused: true })),
  ],
  'own: items others share stay': [
    quiet(apply(DEPLOYMENT, 'one', env('A', 'B'))),
    quiet(apply(DEPLOYMENT, 'two', container({ env: [{ name: 'B', value: '1' }] }))),
    apply(DEPLOYMENT, 'one', env('A')),
    apply(DEPLOYMENT, 'two', container({})),
  ],
  'own: a container of another goes': [
    quiet(apply(DEPLOYMENT, 'one', deployment('a', { paused: true }))),
    quiet(
      apply(DEPLOYMENT, 'two', {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'a' },
        spec: { template: { spec: { containers: [{ name: 'side', image: 'side:1' }] } } },
      }),
    ),
    apply(DEPLOYMENT, 'two', { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'a' } }),
    get(DEPLOYMENT),
  ],
  'own: an atomic map': [
    quiet(apply(DEPLOYMENT, 'one', deployment('a', { paused: true }))),
    apply(DEPLOYMENT, 'two', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { selector: { matchLabels: { app: 'b' } } },
    }),
  ],
  'own: node selector is atomic': [
    quiet(apply(DEPLOYMENT, 'one', deployment('a', { paused: true, template: template({ nodeSelector: { a: 'b' } }) }))),
    apply(DEPLOYMENT, 'two', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'a' },
      spec: { template: { spec: { nodeSelector: { c: 'd' } } } },
    }),
  ],
  'own: a set of finalizers': [
    apply(CM, 'one', configMap('a', {}, { finalizers: ['example.com/a', 'example.com/b'] })),
    apply(CM, 'one', configMap('a', {}, { finalizers: ['example.com/b', 'example.com/c'] })),
    quiet(mergePatch(CM, { metadata: { finalizers: null } })),
  ],
  'own: from update to apply': [
    quiet(create(`${CONFIG_MAPS}?fieldManager=kubectl-create`, data({ a: '1', b: '1' }))),
    apply(CM, 'kubectl', data({ a: '1', b: '1' })),
    apply(CM, 'kubectl', data({ a: '1' })),
  ],
  'own: from update to apply of the same name': [
    quiet(create(`${CONFIG_MAPS}?fieldManager=one`, data({ a: '1', b: '1' }))),
    apply(CM, 'one', data({ a: '2' })),
    apply(CM, 'one', data({ a: '2' }), 'force=true'),
  ],
  'own: from apply to update of the same name': [
    quiet(apply(CM, 'one', data({ a: '1', b: '1' }))),
    mergePatch(`${CM}?fieldManager=one`, { data: { a: '2' } }),
    apply(CM, 'one', data({ a: '1', b: '1' })),
  ],
  'own: migration by written managed fields': [
    quiet(create(`${CONFIG_MAPS}?fieldManager=old`, data({ a: '1' }))),
    jsonPatch(CM, [
      { op: 'replace', path: '/metadata/managedFields/0/operation', value: 'Apply' },
      { op: 'replace', path: '/metadata/managedFields/0/manager', value: 'new' },
    ]),
    apply(CM, 'new', data({ b: '1' })),
  ],
  'own: managed fields are reset by an empty entry': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    mergePatch(CM, { metadata: { managedFields: [{}] } }),
    apply(CM, 'two', data({ a: '2' })),
    apply(CM, 'two', data({ a: '2' }), 'force=true'),
  ],
  'own: managed fields are reset by an empty list': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    mergePatch(CM, { metadata: { managedFields: [] } }),
    mergePatch(`${CM}?fieldManager=up`, { data: { b: '1' } }),
    get(CM),
  ],
  'own: managed fields that cannot be read': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    mergePatch(CM, {
      metadata: { managedFields: [{ manager: 'x', operation: 'Nothing', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }] },
    }),
    mergePatch(CM, {
      metadata: { managedFields: [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'Other', fieldsV1: {} }] },
    }),
  ],
  'own: an empty configuration': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    apply(CM, 'one', { apiVersion: 'v1', kind: 'ConfigMap' }),
    apply(CM, 'two', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }),
  ],
  'own: empty managed fields in the configuration': [apply(CM, 'one', configMap('a', { a: '1' }, { managedFields: [] }))],
  'own: dry conflict and dry change': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    apply(CM, 'two', data({ a: '2' }), 'dryRun=All'),
    apply(CM, 'two', data({ a: '2' }), 'dryRun=All&force=true'),
    get(CM),
  ],
  'own: an update takes one of two': [
    quiet(apply(CM, 'one', data({ a: '1', b: '1' }))),
    put(`${CM}?fieldManager=up`, data({ a: '2', b: '1' })),
    apply(CM, 'one', data({ a: '1', b: '1' })),
  ],
  'own: two appliers agree, one changes': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    quiet(apply(CM, 'two', data({ a: '1' }))),
    apply(CM, 'one', data({ a: '2' })),
    apply(CM, 'one', data({ a: '2' }), 'force=true'),
  ],
  'own: a deleted map keeps what others own': [
    quiet(apply(CM, 'one', configMap('a', { a: '1' }, { labels: { x: 'y' } }))),
    quiet(mergePatch(`${CM}?fieldManager=up`, { metadata: { labels: { z: '1' } } })),
    apply(CM, 'one', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }),
  ],
  'own: an empty map applied': [apply(CM, 'one', configMap('a', {}, { labels: {}, annotations: {} })), apply(CM, 'one', data({}))],
  'own: a null in the configuration': [
    apply(DEPLOYMENT, 'one', deployment('a', { paused: true, strategy: { type: 'Recreate', rollingUpdate: null } })),
  ],
  'own: change of a union': [
    quiet(apply(DEPLOYMENT, 'one', deployment('a', { paused: true }))),
    apply(DEPLOYMENT, 'one', deployment('a', { paused: true, strategy: { type: 'Recreate' } })),
    apply(DEPLOYMENT, 'one', deployment('a', { paused: true, strategy: { type: 'Recreate', rollingUpdate: null } })),
  ],
  'own: secret strings': [
    apply(`${SECRETS}/a`, 'one', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { a: 'b' } }),
    apply(`${SECRETS}/a`, 'one', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { a: 'c' } }),
    apply(`${SECRETS}/a`, 'one', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { d: 'e' } }),
  ],
  'own: an immutable field': [
    quiet(apply(DEPLOYMENT, 'one', deployment('a', { paused: true }))),
    apply(DEPLOYMENT, 'one', deployment('a', { paused: true, selector: { matchLabels: { app: 'a', more: 'x' } } })),
  ],
  'own: the scale is applied': [
    quiet(apply(DEPLOYMENT, 'one', deployment('a', { paused: true }))),
    apply(`${DEPLOYMENT}/scale`, 'scaler', { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas: 2 } }),
    apply(
      `${DEPLOYMENT}/scale`,
      'scaler',
      { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'a' }, spec: { replicas: 2 } },
      'force=true',
    ),
    get(DEPLOYMENT),
  ],
  'own: many updaters': [
    quiet(create(`${CONFIG_MAPS}?fieldManager=m0`, data({ k0: '1' }))),
    ...Array.from({ length: 12 }, (_, i) => quiet(mergePatch(`${CM}?fieldManager=m${i + 1}`, { data: { [`k${i + 1}`]: '1' } }))),
    get(CM),
  ],
  'own: the manager is the user agent': [
    { ...create(CONFIG_MAPS, data({ a: '1' })), headers: { 'user-agent': 'kubectl/v1.37 (linux) x' } },
    { ...mergePatch(CM, { data: { b: '1' } }), headers: { 'content-type': 'application/merge-patch+json', 'user-agent': 'sluice' } },
  ],
  'own: apply of what is not there to a status': [
    apply(`${SERVICE}/status`, 'one', { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, status: {} }),
  ],
  'own: apply with a uid that fits': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    apply(CM, 'one', configMap('a', { a: '2' }, { uid: '{uid:0}' })),
    apply(CM, 'one', configMap('a', { a: '3' }, { uid: 'other' })),
  ],
  'own: strict apply of an unknown field': [apply(CM, 'one', { ...data({}), extra: 1 }, 'fieldValidation=Strict')],
  'own: apply with two faults': [apply(DEPLOYMENT, 'one', deployment('a', { replicas: 'x' }, { image: 1 }))],
  'own: apply sets with doubles': [apply(CM, 'one', configMap('a', {}, { finalizers: ['example.com/a', 'example.com/a'] }))],
  'own: apply after a deletion': [quiet(apply(CM, 'one', data({ a: '1' }))), quiet(remove(CM)), apply(CM, 'two', data({ b: '1' }))],
  'own: apply in YAML': [
    {
      method: 'PATCH',
      path: `${CM}?fieldManager=one`,
      body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: "1"\n  b: |\n    x\n    y\n',
      headers: { 'content-type': 'application/apply-patch+yaml' },
    },
  ],
};

function template(spec: Record<string, unknown>): Record<string, unknown> {
  return { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'app', image: 'example.com/app:1' }], ...spec } };
}
