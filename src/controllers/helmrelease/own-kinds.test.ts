import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultCapabilities } from '../../helm/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { kindsOf, serving, unserved } from './own-kinds.ts';

const definition = (group: string): KubeObject => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `odds.${group}` },
  spec: {
    group,
    names: { kind: 'Odd' },
    versions: [
      { name: 'v1', served: true },
      { name: 'v1alpha1', served: false },
    ],
  },
});

test('HB55: a definition’s kinds are those of the versions it serves; other objects have none', () => {
  const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };
  assert.deepEqual(kindsOf([definition('a.example.com'), other]), ['a.example.com/v1/Odd']);
  assert.deepEqual(kindsOf([{ ...definition('a.example.com'), spec: { versions: 'none' } }]), []);
});

test('HB55: capabilities with kinds that are about to be served name their groups and versions, too', () => {
  const known = { ...defaultCapabilities, apiVersions: ['v1', 'b.example.com/v1', 'b.example.com/v1/Odd'] };
  const kinds = unserved(kindsOf([definition('a.example.com'), definition('b.example.com')]), known);
  assert.deepEqual(kinds, ['a.example.com/v1/Odd']);
  assert.deepEqual(serving(kinds, known).apiVersions, [...known.apiVersions, 'a.example.com/v1', 'a.example.com/v1/Odd']);
  assert.equal(serving([], known), known);
});
