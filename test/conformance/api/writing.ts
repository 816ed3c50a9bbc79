import {
  type Cases,
  CONFIG_MAPS,
  configMap,
  create,
  DEPLOYMENTS,
  deployment,
  get,
  jsonPatch,
  mergePatch,
  NAMESPACE,
  PODS,
  put,
  quiet,
  remove,
  SECRETS,
  service,
  SERVICES,
  type Step,
  strategicPatch,
  until,
} from './case.ts';

const CM = `${CONFIG_MAPS}/a`;
const DEPLOYMENT = `${DEPLOYMENTS}/a`;
const SERVICE = `${SERVICES}/a`;
const made = quiet(create(CONFIG_MAPS, configMap('a', { a: '1', b: '2' })));
const env = [
  { name: 'A', value: '1' },
  { name: 'B', value: '2' },
  { name: 'C', value: '3' },
];
const deployed = quiet(create(DEPLOYMENTS, deployment('a', { paused: true }, { env, args: ['x', 'y'] })));
const containers = (...list: readonly Record<string, unknown>[]): Record<string, unknown> => ({
  spec: { template: { spec: { containers: list } } },
});
const patched = (...list: readonly Record<string, unknown>[]): readonly Step[] => [
  deployed,
  strategicPatch(DEPLOYMENT, containers(...list)),
];
const finalized = quiet(create(CONFIG_MAPS, configMap('a', { a: '1' }, { finalizers: ['example.com/x'] })));
const released = quiet(mergePatch(CM, { metadata: { finalizers: null } }));
const owned = (name: string, block: boolean): Record<string, unknown> =>
  configMap(
    name,
    {},
    {
      ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'a', uid: '{uid:0}', ...(block ? { blockOwnerDeletion: true } : {}) }],
    },
  );
const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'app', image: 'x' }] } };

const patchCases: Cases = {
  'strategic: an item goes': patched({ name: 'app', env: [{ $patch: 'delete', name: 'B' }] }),
  'strategic: an item that is not there goes': patched({ name: 'app', env: [{ $patch: 'delete', name: 'X' }] }),
  'strategic: a list is replaced': patched({ name: 'app', env: [{ $patch: 'replace' }, { name: 'Z', value: '9' }] }),
  'strategic: a container is replaced': patched({ $patch: 'replace' }, { name: 'new', image: 'new:1' }),
  'strategic: a map is replaced': [deployed, strategicPatch(DEPLOYMENT, { spec: { strategy: { $patch: 'replace', type: 'Recreate' } } })],
  'strategic: a map goes': [
    deployed,
    strategicPatch(DEPLOYMENT, { metadata: { labels: { a: 'b' } } }),
    strategicPatch(DEPLOYMENT, { metadata: { labels: { $patch: 'delete' } } }),
  ],
  'strategic: keys are retained': [
    deployed,
    strategicPatch(DEPLOYMENT, { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } }),
  ],
  'strategic: keys that are not retained': [
    deployed,
    strategicPatch(DEPLOYMENT, { spec: { strategy: { $retainKeys: ['rollingUpdate'], type: 'Recreate' } } }),
  ],
  'strategic: the order of elements': patched({
    name: 'app',
    env: [{ name: 'D', value: '4' }],
    '$setElementOrder/env': [{ name: 'C' }, { name: 'D' }, { name: 'A' }, { name: 'B' }],
  }),
  'strategic: an order without one': patched({
    name: 'app',
    env: [{ name: 'D', value: '4' }],
    '$setElementOrder/env': [{ name: 'D' }, { name: 'A' }],
  }),
  'strategic: an order of containers': patched({ name: 'side', image: 'side:1' }),
  'strategic: a plain list is replaced': patched({ name: 'app', args: ['z'] }),
  'strategic: an item without its key': patched({ image: 'x' }),
  'strategic: an unknown directive': patched({ name: 'app', $patch: 'explode' }),
  'strategic: primitives go': [
    quiet(create(CONFIG_MAPS, configMap('a', {}, { finalizers: ['example.com/a', 'example.com/b', 'example.com/c'] }))),
    strategicPatch(CM, { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/b'] } }),
    strategicPatch(CM, {
      metadata: { finalizers: ['example.com/d'], '$setElementOrder/finalizers': ['example.com/c', 'example.com/d', 'example.com/a'] },
    }),
    strategicPatch(CM, { metadata: { finalizers: ['example.com/a'] } }),
    released,
  ],
  'strategic: ports merge by port': [
    quiet(create(SERVICES, service('a', { ports: [{ name: 'a', port: 80 }] }))),
    strategicPatch(SERVICE, { spec: { ports: [{ name: 'b', port: 81 }] } }),
    strategicPatch(SERVICE, { spec: { ports: [{ port: 80, $patch: 'delete' }] } }),
  ],
  'strategic: null removes': [
    deployed,
    strategicPatch(DEPLOYMENT, { spec: { template: { spec: { containers: [{ name: 'app', env: null }] } } } }),
  ],
  'strategic: an unknown field, strict': [made, { ...strategicPatch(CM, { junk: 1 }), path: `${CM}?fieldValidation=Strict` }],
  'strategic: an unknown field, warned': [made, strategicPatch(CM, { junk: 1, metadata: { more: 1 } })],
  'strategic: a list for a map': [made, strategicPatch(CM, { data: ['x'] })],
  'strategic: a map for a list': [deployed, strategicPatch(DEPLOYMENT, { spec: { template: { spec: { containers: { name: 'x' } } } } })],
  'json patch: a test that fails': [made, jsonPatch(CM, [{ op: 'test', path: '/data/a', value: '2' }])],
  'json patch: a test that passes': [
    made,
    jsonPatch(CM, [
      { op: 'test', path: '/data/a', value: '1' },
      { op: 'replace', path: '/data/a', value: '3' },
    ]),
  ],
  'json patch: a path that is not there': [made, jsonPatch(CM, [{ op: 'replace', path: '/data/x/y', value: '2' }])],
  'json patch: removes what is not there': [made, jsonPatch(CM, [{ op: 'remove', path: '/data/x' }])],
  'json patch: adds below nothing': [made, jsonPatch(CM, [{ op: 'add', path: '/metadata/labels/x', value: 'y' }])],
  'json patch: adds a map': [made, jsonPatch(CM, [{ op: 'add', path: '/metadata/labels', value: { x: 'y' } }])],
  'json patch: moves and copies': [
    made,
    jsonPatch(CM, [
      { op: 'move', from: '/data/a', path: '/data/c' },
      { op: 'copy', from: '/data/b', path: '/data/d' },
    ]),
  ],
  'json patch: escaped paths': [
    made,
    jsonPatch(CM, [{ op: 'add', path: '/metadata/annotations', value: { 'example.com/a~b': '1' } }]),
    jsonPatch(CM, [{ op: 'replace', path: '/metadata/annotations/example.com~1a~0b', value: '2' }]),
  ],
  'json patch: a list by index': [
    deployed,
    jsonPatch(DEPLOYMENT, [
      { op: 'add', path: '/spec/template/spec/containers/0/env/1', value: { name: 'X', value: '1' } },
      { op: 'add', path: '/spec/template/spec/containers/0/env/-', value: { name: 'Y', value: '2' } },
      { op: 'remove', path: '/spec/template/spec/containers/0/env/0' },
    ]),
    jsonPatch(DEPLOYMENT, [{ op: 'add', path: '/spec/template/spec/containers/7', value: {} }]),
    jsonPatch(DEPLOYMENT, [{ op: 'replace', path: '/spec/template/spec/containers/x', value: {} }]),
  ],
  'json patch: an unknown operation': [made, jsonPatch(CM, [{ op: 'explode', path: '/data/a' }])],
  'json patch: without a path': [made, jsonPatch(CM, [{ op: 'remove' }])],
  'json patch: without a value': [made, jsonPatch(CM, [{ op: 'add', path: '/data/a' }])],
  'json patch: not a list': [made, { ...mergePatch(CM, { data: {} }), headers: { 'content-type': 'application/json-patch+json' } }],
  'json patch: to a wrong type': [made, jsonPatch(CM, [{ op: 'replace', path: '/data', value: 1 }])],
  'json patch: broken': [made, { method: 'PATCH', path: CM, body: '[{', headers: { 'content-type': 'application/json-patch+json' } }],
  'merge patch: broken': [made, { method: 'PATCH', path: CM, body: '{"a"', headers: { 'content-type': 'application/merge-patch+json' } }],
  'merge patch: not a map': [made, { method: 'PATCH', path: CM, body: '[]', headers: { 'content-type': 'application/merge-patch+json' } }],
  'merge patch: another name': [made, mergePatch(CM, { metadata: { name: 'b' } })],
  'merge patch: another namespace': [made, mergePatch(CM, { metadata: { namespace: 'other' } })],
  'merge patch: another kind': [made, mergePatch(CM, { kind: 'Secret' })],
  'merge patch: a stale revision': [
    made,
    quiet(mergePatch(CM, { data: { a: '9' } })),
    mergePatch(CM, { metadata: { resourceVersion: '{rv:0}' }, data: { a: '3' } }),
  ],
  'merge patch: its own uid changed': [made, mergePatch(CM, { metadata: { uid: 'x' } })],
  'merge patch: nulls in a map': [made, mergePatch(CM, { data: { a: null, c: '3' } })],
  'merge patch: nothing': [made, mergePatch(CM, {})],
  'patch of what is not there': [mergePatch(CM, {}), jsonPatch(CM, []), strategicPatch(CM, {})],
};

const deletionCases: Cases = {
  'delete: with a finalizer': [finalized, remove(CM), remove(CM), get(CM), mergePatch(CM, { metadata: { finalizers: null } }), get(CM)],
  'delete: with a finalizer, changed meanwhile': [finalized, quiet(remove(CM)), mergePatch(CM, { data: { b: '2' } }), released],
  'delete: a finalizer more while it goes': [
    finalized,
    quiet(remove(CM)),
    mergePatch(CM, { metadata: { finalizers: ['example.com/x', 'example.com/y'] } }),
    released,
  ],
  'delete: only for this uid': [made, remove(CM, { preconditions: { uid: 'x' } }), remove(CM, { preconditions: { uid: '{uid:0}' } })],
  'delete: only at this revision': [
    made,
    quiet(mergePatch(CM, { data: { c: '3' } })),
    remove(CM, { preconditions: { resourceVersion: '{rv:0}' } }),
    remove(CM, { preconditions: { resourceVersion: '{rv:1}' } }),
  ],
  'delete: in the foreground': [
    made,
    quiet(create(CONFIG_MAPS, owned('child', true))),
    remove(CM, { propagationPolicy: 'Foreground' }),
    quiet(until(`${CONFIG_MAPS}/child`, 404)),
    until(CM, 404),
  ],
  'delete: orphaning': [
    made,
    quiet(create(CONFIG_MAPS, owned('child', false))),
    remove(CM, { propagationPolicy: 'Orphan' }),
    quiet(until(CM, 404)),
    get(`${CONFIG_MAPS}/child`),
  ],
  'delete: in the background': [
    made,
    quiet(create(CONFIG_MAPS, owned('child', false))),
    remove(CM, { propagationPolicy: 'Background' }),
    until(`${CONFIG_MAPS}/child`, 404),
  ],
  'delete: options in the query': [made, remove(`${CM}?propagationPolicy=Foreground&gracePeriodSeconds=0`)],
  'delete: dry': [made, remove(`${CM}?dryRun=All`), get(CM)],
  'delete: dry in the body': [made, remove(CM, { dryRun: ['All'] }), get(CM)],
  'delete: an unknown dry run': [made, remove(`${CM}?dryRun=Some`)],
  'delete: negative grace': [made, remove(CM, { gracePeriodSeconds: -1 })],
  'delete: options of another kind': [made, remove(CM, { apiVersion: 'v1', kind: 'ConfigMap' })],
  'delete: broken options': [made, { ...remove(CM), body: '{', headers: { 'content-type': 'application/json' } }],
  'delete: what is not there': [remove(CM), remove(CM, { preconditions: { uid: 'x' } })],
  'delete collection: by label': [
    quiet(create(CONFIG_MAPS, configMap('a', {}, { labels: { x: '1' } }))),
    quiet(create(CONFIG_MAPS, configMap('b', {}, { labels: { x: '2' } }))),
    remove(`${CONFIG_MAPS}?labelSelector=x=1`),
    get(`${CONFIG_MAPS}?labelSelector=x`),
  ],
  'delete collection: by field': [
    made,
    quiet(create(CONFIG_MAPS, configMap('b'))),
    remove(`${CONFIG_MAPS}?fieldSelector=metadata.name=b`),
    get(`${CONFIG_MAPS}?fieldSelector=metadata.name!=kube-root-ca.crt`),
  ],
  'delete collection: dry': [made, remove(`${CONFIG_MAPS}?labelSelector=!none&fieldSelector=metadata.name=a&dryRun=All`), get(CM)],
  'delete collection: some wait': [finalized, remove(`${CONFIG_MAPS}?fieldSelector=metadata.name=a`), released, get(CM)],
  'delete: a pod that is not scheduled': [
    quiet(
      create(PODS, {
        ...pod,
        metadata: { name: 'p', annotations: { 'sandbox.sluice.dev/fate': 'pending', 'control-plane.test/fate': 'pending' } },
      }),
    ),
    quiet(remove(`${PODS}/p`, { gracePeriodSeconds: 0 })),
    until(`${PODS}/p`, 404),
  ],
};

const otherCases: Cases = {
  'dry run of a creation': [create(`${CONFIG_MAPS}?dryRun=All`, configMap('a')), get(CM)],
  'dry run of a creation of what exists': [made, create(`${CONFIG_MAPS}?dryRun=All`, configMap('a'))],
  'dry run of an update': [made, put(`${CM}?dryRun=All`, configMap('a', { x: '1' })), get(CM)],
  'dry run of a patch': [made, mergePatch(`${CM}?dryRun=All`, { data: { x: '1' } }), get(CM)],
  'dry run of a scale': [deployed, mergePatch(`${DEPLOYMENT}/scale?dryRun=All`, { spec: { replicas: 5 } }), get(`${DEPLOYMENT}/scale`)],
  'dry run of a status': [
    quiet(create(SERVICES, service('a'))),
    mergePatch(`${SERVICE}/status?dryRun=All`, { status: { conditions: [] } }),
    get(SERVICE),
  ],
  'dry run of a service': [create(`${SERVICES}?dryRun=All`, service('a'))],
  'unknown fields are warned of': [create(CONFIG_MAPS, { ...configMap('a'), junk: 1, metadata: { name: 'a', more: 2 } })],
  'unknown fields are refused': [
    create(`${CONFIG_MAPS}?fieldValidation=Strict`, { ...configMap('a'), junk: 1, metadata: { name: 'a', more: 2 } }),
  ],
  'unknown fields are ignored': [create(`${CONFIG_MAPS}?fieldValidation=Ignore`, { ...configMap('a'), junk: 1 })],
  'unknown fields below are warned of': [create(DEPLOYMENTS, deployment('a', { paused: true, junk: 1 }, { more: 1 }))],
  'unknown fields of an update': [
    made,
    put(CM, { ...configMap('a'), junk: 1 }),
    put(`${CM}?fieldValidation=Strict`, { ...configMap('a'), junk: 1 }),
  ],
  'doubled fields are warned of': [
    { method: 'POST', path: CONFIG_MAPS, body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1","a":"2"}}' },
  ],
  'doubled fields are refused': [
    {
      method: 'POST',
      path: `${CONFIG_MAPS}?fieldValidation=Strict`,
      body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"a":"1"},"data":{"b":"2"}}',
    },
  ],
  'a body in YAML': [
    {
      method: 'POST',
      path: CONFIG_MAPS,
      body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  a: "1"\n',
      headers: { 'content-type': 'application/yaml' },
    },
  ],
  'a body of another type': [{ method: 'POST', path: CONFIG_MAPS, body: 'x', headers: { 'content-type': 'text/plain' } }],
  'an empty body': [{ method: 'POST', path: CONFIG_MAPS, body: '' }],
  'a body of null': [{ method: 'POST', path: CONFIG_MAPS, body: 'null' }],
  'a body of a list': [{ method: 'POST', path: CONFIG_MAPS, body: '[]' }],
  'a body without a kind': [create(CONFIG_MAPS, { metadata: { name: 'a' }, data: { a: '1' } })],
  'a body without a version': [create(CONFIG_MAPS, { kind: 'ConfigMap', metadata: { name: 'a' } })],
  'nulls where strings are': [create(CONFIG_MAPS, { ...configMap('a'), data: { a: null } })],
  'empty values vanish': [
    create(
      `${DEPLOYMENTS}?dryRun=All`,
      deployment(
        'a',
        { paused: false, minReadySeconds: 0 },
        { command: [], args: null, workingDir: '', env: [{ name: 'A', value: '' }], stdin: false },
      ),
    ),
  ],
  'a secret in bytes': [
    create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, data: { a: 'YQ==', b: '' }, stringData: { c: 'é' } }),
    create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'b' }, data: { a: 'YQ' } }),
    create(SECRETS, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'b' }, data: { a: 1 } }),
  ],
  'a generated name': [create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'conf-gen-' } })],
  'a generated name that is bad': [create(CONFIG_MAPS, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'Bad_' } })],
  'a namespace that goes takes nothing more': [
    quiet(create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '{ns}-x' } })),
    quiet(create('/api/v1/namespaces/{ns}-x/configmaps', configMap('a', {}, { finalizers: ['example.com/x'] }))),
    remove('/api/v1/namespaces/{ns}-x'),
    create('/api/v1/namespaces/{ns}-x/configmaps', configMap('b')),
    create('/api/v1/namespaces/{ns}-x/configmaps?dryRun=All', configMap('b')),
    quiet(mergePatch('/api/v1/namespaces/{ns}-x/configmaps/a', { metadata: { finalizers: null } })),
  ],
  'a namespace that is not there': [
    create('/api/v1/namespaces/{ns}-none/configmaps', configMap('a')),
    get('/api/v1/namespaces/{ns}-none/configmaps'),
    get('/api/v1/namespaces/{ns}-none'),
  ],
  'a namespace twice': [create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: '{ns}' } })],
  'a namespace of a bad name': [create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'A.b' } })],
  'the default namespace stays': [remove('/api/v1/namespaces/default'), remove('/api/v1/namespaces/kube-system')],
  'a namespace finalized': [
    put(`${NAMESPACE}/finalize`, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: '{ns}' },
      spec: { finalizers: ['kubernetes', 'example.com/x'] },
    }),
    quiet(
      put(`${NAMESPACE}/finalize`, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: '{ns}' },
        spec: { finalizers: ['kubernetes'] },
      }),
    ),
  ],
  'an event in both views': [
    create(`${NAMESPACE}/events`, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e' },
      involvedObject: { kind: 'ConfigMap', namespace: '{ns}', name: 'a' },
      reason: 'R',
      message: 'm',
      type: 'Normal',
      source: { component: 'c' },
      firstTimestamp: '2020-01-01T00:00:00Z',
      lastTimestamp: '2020-01-01T00:00:00Z',
      count: 3,
    }),
    get('/apis/events.k8s.io/v1/namespaces/{ns}/events/e'),
    get('/apis/events.k8s.io/v1/namespaces/{ns}/events'),
  ],
  'an event of the new view': [
    create('/apis/events.k8s.io/v1/namespaces/{ns}/events', {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e' },
      eventTime: '2020-01-01T00:00:00.000000Z',
      regarding: { kind: 'ConfigMap', namespace: '{ns}', name: 'a' },
      reason: 'R',
      note: 'n',
      action: 'Act',
      type: 'Normal',
      reportingController: 'example.com/c',
      reportingInstance: 'i',
    }),
    get(`${NAMESPACE}/events/e`),
    get(`${NAMESPACE}/events?fieldSelector=involvedObject.name=a`),
  ],
  'an event without its time in the new view': [
    create('/apis/events.k8s.io/v1/namespaces/{ns}/events', {
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: 'e' },
      regarding: { kind: 'ConfigMap', namespace: '{ns}', name: 'a' },
      reason: 'R',
      type: 'Normal',
    }),
  ],
  'an autoscaler in both versions': [
    create('/apis/autoscaling/v1/namespaces/{ns}/horizontalpodautoscalers', {
      apiVersion: 'autoscaling/v1',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'a' },
      spec: {
        maxReplicas: 3,
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' },
        targetCPUUtilizationPercentage: 70,
      },
    }),
    get('/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers/a'),
  ],
  'an eviction': [
    quiet(
      create(PODS, {
        ...pod,
        metadata: { name: 'p', annotations: { 'sandbox.sluice.dev/fate': 'pending', 'control-plane.test/fate': 'pending' } },
      }),
    ),
    create(`${PODS}/p/eviction?dryRun=All`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } }),
    create(`${PODS}/none/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'none' } }),
    create(`${PODS}/p/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'q' } }),
    create(`${PODS}/p/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'p' },
      deleteOptions: { gracePeriodSeconds: 0 },
    }),
    until(`${PODS}/p`, 404),
  ],
  'a binding': [
    quiet(
      create(PODS, {
        ...pod,
        metadata: { name: 'p', annotations: { 'sandbox.sluice.dev/fate': 'pending', 'control-plane.test/fate': 'pending' } },
      }),
    ),
    create(`${PODS}/none/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'none' }, target: { kind: 'Node', name: 'n' } }),
  ],
  'a method that is not allowed': [
    { method: 'POST', path: CM, body: configMap('a') },
    { method: 'PUT', path: CONFIG_MAPS, body: configMap('a') },
    { method: 'PATCH', path: CONFIG_MAPS, body: {}, headers: { 'content-type': 'application/merge-patch+json' } },
    { method: 'DELETE', path: '/api/v1/namespaces' },
  ],
};

/** Patches, deletions, dry runs, and what else is written. */
export const writingCases: Cases = { ...patchCases, ...deletionCases, ...otherCases };
