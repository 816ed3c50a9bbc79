import {
  apply,
  type Cases,
  CONFIG_MAPS,
  configMap,
  create,
  DEPLOYMENTS,
  deployment,
  get,
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
const containers = (list: readonly unknown[]): Record<string, unknown> => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a' },
  spec: { template: { spec: { containers: list } } },
});
const paused = deployment('a', { paused: true });

export const applyCases: Cases = {
  'apply creates': [apply(CM, 'one', data({ a: '1' })), get(CM)],
  'apply again': [quiet(apply(CM, 'one', data({ a: '1' }))), apply(CM, 'one', data({ a: '1' }))],
  'apply changes': [quiet(apply(CM, 'one', data({ a: '1' }))), apply(CM, 'one', data({ a: '2', b: '3' }))],
  'apply removes what it owned': [quiet(apply(CM, 'one', data({ a: '1', b: '2' }))), apply(CM, 'one', data({ a: '1' }))],
  'apply removes the whole map': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    apply(CM, 'one', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }),
  ],
  'apply keeps what others own': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    apply(CM, 'two', data({ b: '2' })),
    apply(CM, 'one', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } }),
  ],
  'apply shares': [quiet(apply(CM, 'one', data({ a: '1' }))), apply(CM, 'two', data({ a: '1' })), apply(CM, 'one', data({}))],
  'apply conflicts': [quiet(apply(CM, 'one', data({ a: '1' }))), apply(CM, 'two', data({ a: '2' }))],
  'apply conflicts twice': [quiet(apply(CM, 'one', data({ a: '1', b: '1' }))), apply(CM, 'two', data({ a: '2', b: '2' }))],
  'apply conflicts with several': [
    quiet(apply(CM, 'one', data({ a: '1' }))),
    quiet(apply(CM, 'two', data({ b: '1' }))),
    apply(CM, 'three', data({ a: '2', b: '2' })),
  ],
  'apply forces': [quiet(apply(CM, 'one', data({ a: '1' }))), apply(CM, 'two', data({ a: '2' }), 'force=true')],
  'apply conflicts with an update': [quiet(create(`${CONFIG_MAPS}?fieldManager=up`, data({ a: '1' }))), apply(CM, 'one', data({ a: '2' }))],
  'apply over an update': [
    quiet(create(`${CONFIG_MAPS}?fieldManager=up`, data({ a: '1', b: '1' }))),
    apply(CM, 'one', data({ a: '2' }), 'force=true'),
  ],
  'apply the same as an update': [quiet(create(`${CONFIG_MAPS}?fieldManager=up`, data({ a: '1' }))), apply(CM, 'one', data({ a: '1' }))],
  'update after an apply': [quiet(apply(CM, 'one', data({ a: '1', b: '1' }))), put(`${CM}?fieldManager=up`, data({ a: '2', b: '1' }))],
  'update removes what was applied': [quiet(apply(CM, 'one', data({ a: '1', b: '1' }))), put(`${CM}?fieldManager=up`, data({ a: '1' }))],
  'patch after an apply': [quiet(apply(CM, 'one', data({ a: '1' }))), mergePatch(`${CM}?fieldManager=up`, { data: { a: '2' } })],
  'update to an equal value': [quiet(apply(CM, 'one', data({ a: '1' }))), put(`${CM}?fieldManager=up`, data({ a: '1' }))],
  'apply without a manager': [{ ...apply(CM, 'x', data({})), path: CM }],
  'apply with a long manager': [apply(CM, 'm'.repeat(129), data({}))],
  'apply with managed fields': [apply(CM, 'one', configMap('a', {}, { managedFields: [{ manager: 'x' }] }))],
  'apply with another name': [apply(CM, 'one', configMap('b'))],
  'apply without a kind': [apply(CM, 'one', { metadata: { name: 'a' } })],
  'apply without a version': [apply(CM, 'one', { kind: 'ConfigMap' })],
  'apply of another kind': [apply(CM, 'one', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' } })],
  'apply in another namespace': [apply(CM, 'one', configMap('a', {}, { namespace: 'other' }))],
  'apply an unknown field': [apply(CM, 'one', { ...data({}), extra: 1 })],
  'apply an unknown field below': [apply(DEPLOYMENT, 'one', deployment('a', { x: 1 }))],
  'apply a wrong type': [apply(CM, 'one', configMap('a', { b: 1 }))],
  'apply a wrong type below': [apply(DEPLOYMENT, 'one', deployment('a', { replicas: 'three' }))],
  'apply a list for a map': [apply(DEPLOYMENT, 'one', deployment('a', { selector: [] }))],
  'apply dry': [apply(CM, 'one', data({ a: '1' }), 'dryRun=All'), get(CM)],
  'apply with a uid': [apply(CM, 'one', configMap('a', {}, { uid: 'x' }))],
  'apply with a stale revision': [
    quiet(apply(CM, 'one', data({}))),
    apply(CM, 'one', configMap('a', { a: '2' }, { resourceVersion: '1' })),
  ],
  'apply with a bad name': [
    apply(`${CONFIG_MAPS}/Bad_Name`, 'one', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'Bad_Name' } }),
  ],
  'apply of broken YAML': [
    { method: 'PATCH', path: `${CM}?fieldManager=one`, body: 'a: [', headers: { 'content-type': 'application/apply-patch+yaml' } },
  ],
  'apply null': [apply(CM, 'one', { ...data({ a: '1' }), binaryData: null })],
  'apply labels and annotations': [
    apply(CM, 'one', configMap('a', {}, { labels: { a: 'b' }, annotations: { c: 'd' } })),
    apply(CM, 'two', configMap('a', {}, { labels: { e: 'f' } })),
    apply(CM, 'one', configMap('a', {})),
  ],
  'apply finalizers': [
    apply(CM, 'one', configMap('a', {}, { finalizers: ['example.com/a'] })),
    apply(CM, 'two', configMap('a', {}, { finalizers: ['example.com/b'] })),
    apply(CM, 'one', configMap('a', {})),
    quiet(mergePatch(CM, { metadata: { finalizers: null } })),
  ],
  'apply owners': [
    apply(CM, 'one', configMap('a', {}, { ownerReferences: [{ apiVersion: 'v1', kind: 'Namespace', name: 'x', uid: 'u' }] }), 'dryRun=All'),
  ],
  'apply a secret': [apply(`${SECRETS}/a`, 'one', { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'a' }, stringData: { a: 'b' } })],
  'apply a deployment': [apply(DEPLOYMENT, 'one', paused)],
  'apply one container of two': [
    quiet(apply(DEPLOYMENT, 'one', paused)),
    apply(DEPLOYMENT, 'two', containers([{ name: 'side', image: 'side:1' }])),
    apply(DEPLOYMENT, 'two', containers([])),
  ],
  'apply the image of a container': [
    quiet(apply(DEPLOYMENT, 'one', paused)),
    apply(DEPLOYMENT, 'two', containers([{ name: 'app', image: 'other' }])),
    apply(DEPLOYMENT, 'two', containers([{ name: 'app', image: 'other' }]), 'force=true'),
  ],
  'apply environment': [
    quiet(
      apply(
        DEPLOYMENT,
        'one',
        deployment(
          'a',
          { paused: true },
          {
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
          },
        ),
      ),
    ),
    apply(
      DEPLOYMENT,
      'one',
      deployment(
        'a',
        { paused: true },
        {
          env: [
            { name: 'B', value: '3' },
            { name: 'C', value: '4' },
          ],
        },
      ),
    ),
  ],
  'apply a reordered list': [
    quiet(
      apply(
        DEPLOYMENT,
        'one',
        deployment(
          'a',
          { paused: true },
          {
            env: [
              { name: 'A', value: '1' },
              { name: 'B', value: '2' },
            ],
          },
        ),
      ),
    ),
    apply(
      DEPLOYMENT,
      'one',
      deployment(
        'a',
        { paused: true },
        {
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '1' },
          ],
        },
      ),
    ),
  ],
  'apply a duplicate key': [
    apply(
      DEPLOYMENT,
      'one',
      deployment(
        'a',
        { paused: true },
        {
          env: [
            { name: 'A', value: '1' },
            { name: 'A', value: '2' },
          ],
        },
      ),
    ),
  ],
  'apply a missing key': [apply(DEPLOYMENT, 'one', deployment('a', { paused: true }, { env: [{ value: '1' }] }))],
  'apply a defaulted key': [apply(DEPLOYMENT, 'one', deployment('a', { paused: true }, { ports: [{ containerPort: 80 }] }))],
  'apply an atomic list': [
    quiet(apply(DEPLOYMENT, 'one', deployment('a', { paused: true }, { args: ['a', 'b'] }))),
    apply(DEPLOYMENT, 'two', containers([{ name: 'app', args: ['c'] }])),
    apply(DEPLOYMENT, 'two', containers([{ name: 'app', args: ['c'] }]), 'force=true'),
  ],
  'apply quantities': [
    apply(
      DEPLOYMENT,
      'one',
      deployment('a', { paused: true }, { resources: { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: 0.5 } } }),
    ),
    apply(
      DEPLOYMENT,
      'one',
      deployment('a', { paused: true }, { resources: { limits: { cpu: 1, memory: '1Gi' }, requests: { cpu: '500m' } } }),
    ),
  ],
  'apply a service': [apply(SERVICE, 'one', service('a'))],
  'apply two ports': [
    quiet(
      apply(
        SERVICE,
        'one',
        service('a', {
          ports: [
            { name: 'a', port: 80 },
            { name: 'b', port: 81 },
          ],
        }),
      ),
    ),
    apply(SERVICE, 'one', service('a', { ports: [{ name: 'b', port: 81, targetPort: 'http' }] })),
  ],
  'apply over deletion': [
    quiet(apply(CM, 'one', configMap('a', { a: '1' }, { finalizers: ['example.com/x'] }))),
    quiet(remove(CM)),
    apply(CM, 'one', configMap('a', { a: '2' }, { finalizers: ['example.com/x'] })),
    quiet(mergePatch(CM, { metadata: { finalizers: null } })),
  ],
  'apply the scale': [
    quiet(apply(DEPLOYMENT, 'one', paused)),
    mergePatch(`${DEPLOYMENT}/scale?fieldManager=scaler`, { spec: { replicas: 2 } }),
    get(DEPLOYMENT),
    apply(DEPLOYMENT, 'one', paused),
  ],
  'apply the status': [
    quiet(apply(SERVICE, 'one', service('a'))),
    apply(`${SERVICE}/status`, 'two', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a' },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    }),
    apply(SERVICE, 'one', service('a')),
  ],
  'update the status': [
    quiet(create(SERVICES, service('a'))),
    mergePatch(`${SERVICE}/status?fieldManager=st`, {
      metadata: { labels: { x: 'y' } },
      spec: { sessionAffinity: 'ClientIP' },
      status: { conditions: [{ type: 'A', status: 'True', reason: 'R', message: 'm', lastTransitionTime: '2020-01-01T00:00:00Z' }] },
    }),
    get(SERVICE),
  ],
  'set a condition that is incomplete': [
    quiet(create(SERVICES, service('a'))),
    mergePatch(`${SERVICE}/status`, { status: { conditions: [{ type: 'A', status: 'Maybe' }] } }),
  ],
};
