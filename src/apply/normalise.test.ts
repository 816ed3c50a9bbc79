import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../manifest/index.ts';
import { normalise, withCommonMetadata } from './normalise.ts';
import { undeclaredFields, withoutFields } from './unknown-fields.ts';

const object = (apiVersion: string, kind: string, rest: Record<string, unknown>): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x' },
  ...rest,
});

describe('normalise', () => {
  it('KB25 moves stringData into data, over what is there', () => {
    const secret = object('v1', 'Secret', { data: { a: 'b2xk', b: 'Yg==' }, stringData: { a: 'new' } });
    assert.deepEqual(normalise(secret), object('v1', 'Secret', { data: { a: 'bmV3', b: 'Yg==' } }));
    assert.equal(secret['stringData'] !== undefined, true, 'the input stays');
    assert.deepEqual(normalise(object('v1', 'Secret', { stringData: { a: 1 } }))['stringData'], { a: 1 });
  });

  it('KB25 gives ports their default protocol in every workload', () => {
    const ports = [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }];
    const want = [
      { containerPort: 80, protocol: 'TCP' },
      { containerPort: 53, protocol: 'UDP' },
    ];
    const pod = { containers: [{ name: 'a', ports }, { name: 'b' }] };
    const path = (result: KubeObject, ...keys: string[]): unknown =>
      keys.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], result);
    assert.deepEqual(
      path(
        normalise(object('apps/v1', 'Deployment', { spec: { template: { spec: pod } } })),
        'spec',
        'template',
        'spec',
        'containers',
        '0',
        'ports',
      ),
      want,
    );
    assert.deepEqual(
      path(
        normalise(object('batch/v1', 'CronJob', { spec: { jobTemplate: { spec: { template: { spec: pod } } } } })),
        'spec',
        'jobTemplate',
        'spec',
        'template',
        'spec',
        'containers',
        '0',
        'ports',
      ),
      want,
    );
    assert.deepEqual(normalise(object('v1', 'Service', { spec: { ports: [{ port: 1 }] } }))['spec'], {
      ports: [{ port: 1, protocol: 'TCP' }],
    });
  });

  it('KB25 drops status and what only the server sets, except the status of a CustomResourceDefinition', () => {
    const noisy = {
      ...object('v1', 'ConfigMap', { status: {} }),
      metadata: { name: 'x', uid: 'u', resourceVersion: '1', creationTimestamp: 't', managedFields: [] },
    };
    assert.deepEqual(normalise(noisy), { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } });
    assert.ok('status' in normalise(object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', { status: {} })));
  });

  it('KB58 takes an invalid conversion caBundle out', () => {
    const definition = (caBundle: string): KubeObject =>
      object('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        spec: { conversion: { webhook: { clientConfig: { caBundle, service: {} } } } },
      });
    const config = (result: KubeObject): unknown => JSON.parse(JSON.stringify(result)).spec.conversion.webhook.clientConfig;
    for (const caBundle of [
      'Cg==',
      'not base64!',
      Buffer.from('-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----').toString('base64'),
    ]) {
      assert.deepEqual(config(normalise(definition(caBundle))), { service: {} }, caBundle);
    }
    assert.deepEqual(config(normalise(definition(''))), { caBundle: '', service: {} });
  });

  it('KB26 puts common metadata over existing keys', () => {
    const labelled = { ...object('v1', 'ConfigMap', {}), metadata: { name: 'x', labels: { a: 'old', b: 'kept' } } };
    assert.deepEqual(withCommonMetadata(labelled, { labels: { a: 'new' }, annotations: { c: 'd' } }).metadata, {
      name: 'x',
      labels: { a: 'new', b: 'kept' },
      annotations: { c: 'd' },
    });
  });
});

describe('unknown fields', () => {
  it('are found in the server’s words and left out, list items by their keys', () => {
    const message =
      'failed to create typed patch object (a/b; apps/v1, Kind=Deployment): errors:\n  .spec.containers[name="web"].shade: field not declared in schema\n  .spec.ports[containerPort=80,protocol="TCP"].x: field not declared in schema\n  .spec.colour: field not declared in schema';
    const paths = undeclaredFields(message);
    assert.equal(paths.length, 3);
    const spec = {
      colour: 'red',
      containers: [
        { name: 'db', shade: 1 },
        { name: 'web', shade: 1 },
      ],
      ports: [{ containerPort: 80, protocol: 'TCP', x: 1 }],
    };
    const stripped = withoutFields(object('apps/v1', 'Deployment', { spec }), paths);
    assert.deepEqual(stripped?.['spec'], {
      containers: [{ name: 'db', shade: 1 }, { name: 'web' }],
      ports: [{ containerPort: 80, protocol: 'TCP' }],
    });
    assert.equal(withoutFields(object('v1', 'Pod', {}), ['.spec.gone']), undefined);
    assert.deepEqual(undeclaredFields('.data.b: expected string'), []);
  });
});
