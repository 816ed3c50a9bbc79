import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject, ObjectRef } from '../manifest/index.ts';
import { compareRefs, sortObjects, toStages, toWaves } from './order.ts';

const KINDS = [
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'Kustomization',
  'Deployment',
  'Secret',
  'Namespace',
  'CustomResourceDefinition',
  'Ingress',
  'IngressClass',
  'ServiceAccount',
];
const refs = fc.record<ObjectRef>({
  group: fc.constantFrom('', 'apps', 'x.io'),
  kind: fc.constantFrom(...KINDS),
  namespace: fc.constantFrom('', 'a', 'b'),
  name: fc.constantFrom('x', 'y', 'é', '\u{1f600}', '\uff5e'),
});
const object = (apiVersion: string, kind: string, name = 'x'): KubeObject => ({ apiVersion, kind, metadata: { name } });

describe('apply order', () => {
  it('KB50 is by kind rank, then group, kind, namespace, name', () => {
    const sorted = sortObjects(KINDS.map((kind) => object('v1', kind))).map(({ kind }) => kind);
    assert.deepEqual(sorted, [
      'CustomResourceDefinition',
      'Namespace',
      'IngressClass',
      'ServiceAccount',
      'Secret',
      'Deployment',
      'Ingress',
      'Kustomization',
      'MutatingWebhookConfiguration',
      'ValidatingWebhookConfiguration',
    ]);
  });

  it('is a total order', () => {
    const sign = (n: number): number => Math.sign(n);
    fc.assert(
      fc.property(refs, refs, refs, (a, b, c) => {
        assert.equal(sign(compareRefs(a, b)), 0 - sign(compareRefs(b, a)));
        assert.equal(compareRefs(a, a), 0);
        if (compareRefs(a, b) === 0) assert.deepEqual({ ...a }, { ...b });
        if (compareRefs(a, b) <= 0 && compareRefs(b, c) <= 0) assert.ok(compareRefs(a, c) <= 0);
      }),
    );
  });

  it('KB51 stages definitions, classes, the kinds an operator names, and the rest', () => {
    const stages = toStages(
      [
        object('v1', 'ConfigMap'),
        object('cert-manager.io/v1', 'Issuer'),
        object('gateway.networking.k8s.io/v1', 'GatewayClass'),
        object('rbac.authorization.k8s.io/v1', 'ClusterRole'),
        object('v1', 'Namespace'),
        object('example.com/v1', 'Namespace'),
        object('apiextensions.k8s.io/v1', 'CustomResourceDefinition'),
      ],
      new Set(['cert-manager.io/Issuer']),
    );
    assert.deepEqual(
      stages.map(({ name, wait, objects }) => [name, wait, objects.map(({ kind }) => kind).join()]),
      [
        ['definitions', true, 'CustomResourceDefinition,Namespace,ClusterRole'],
        ['classes', true, 'GatewayClass'],
        ['custom', false, 'Issuer'],
        ['resources', false, 'Namespace,ConfigMap'],
      ],
    );
    assert.deepEqual(toStages([], new Set()), []);
  });

  it('writes configuration, then workloads, then webhooks', () => {
    const kinds = ['ServiceAccount', 'LimitRange', 'Deployment', 'Ingress', 'ValidatingWebhookConfiguration'];
    assert.deepEqual(
      toWaves(kinds, (kind) => kind),
      [['ServiceAccount', 'LimitRange'], ['Deployment', 'Ingress'], ['ValidatingWebhookConfiguration']],
    );
  });
});
