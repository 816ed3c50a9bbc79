import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject, ManagedFieldsEntry } from '../manifest/index.ts';
import { contentHash, desiredHash } from './hash.ts';
import {
  defaultTakeover,
  driftHash,
  hasForeignManager,
  lostFields,
  managersOf,
  subtractFields,
  takeOver,
  unionFields,
} from './managed-fields.ts';

const us = 'kustomize-controller';
const own = {
  manager: us,
  operation: 'Apply',
  apiVersion: 'apps/v1',
  time: '2026-01-01T00:00:00Z',
  fieldsV1: { 'f:spec': { 'f:replicas': {} } },
} as const;

function deployment(managedFields: ManagedFieldsEntry[], more: Partial<KubeObject> = {}): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x', managedFields }, ...more };
}

describe('drift hash', () => {
  it('depends on our own Apply entry alone, not on its time', () => {
    const hash = driftHash(deployment([own]), us);
    const later = { ...own, time: '2027-01-01T00:00:00Z' };
    const status: ManagedFieldsEntry = { manager: us, operation: 'Apply', subresource: 'status', fieldsV1: { 'f:status': {} } };
    assert.equal(driftHash(deployment([{ manager: 'kubelet', operation: 'Update' }, status, later]), us), hash);
    assert.notEqual(driftHash(deployment([{ ...own, fieldsV1: { 'f:spec': {} } }]), us), hash);
    assert.notEqual(driftHash(deployment([{ ...own, apiVersion: 'apps/v2' }]), us), hash);
    assert.equal(driftHash(deployment([]), us), '');
  });

  it('names lost fields and who took them', () => {
    const wanted = {
      'f:metadata': { 'f:labels': { 'f:app.kubernetes.io/name': {} } },
      'f:spec': { 'f:replicas': {}, 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {}, 'f:name': {} } } },
    };
    const have = { 'f:metadata': {}, 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:name': {} } } } };
    assert.deepEqual(lostFields(wanted, have), [
      'metadata.labels["app.kubernetes.io/name"]',
      'spec.replicas',
      'spec.containers[name="web"].image',
    ]);
    const live = deployment([
      { manager: us, operation: 'Apply', fieldsV1: have },
      { manager: 'kubectl-edit', operation: 'Update', fieldsV1: { 'f:spec': { 'f:replicas': {} } } },
      { manager: 'other', operation: 'Update', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
    ]);
    assert.deepEqual(managersOf(live, us, subtractFields(wanted, have)), ['kubectl-edit']);
  });
});

describe('taking over field managers (KB56)', () => {
  it('knows kubectl, what came before the first apply, and ourselves from before server-side apply', () => {
    const takeover = defaultTakeover(us);
    const foreign = (entry: ManagedFieldsEntry): boolean => hasForeignManager(deployment([own, entry]), takeover);
    assert.ok(foreign({ manager: 'kubectl-client-side-apply', operation: 'Update' }));
    assert.ok(foreign({ manager: 'kubectl', operation: 'Apply' }));
    assert.ok(foreign({ manager: 'before-first-apply', operation: 'Update' }));
    assert.ok(foreign({ manager: us, operation: 'Update' }));
    assert.ok(!foreign({ manager: 'kubectl', operation: 'Update', subresource: 'scale' }));
    assert.ok(!foreign({ manager: 'helm', operation: 'Update' }));
  });

  it('merges their fields into our entry, which comes last', () => {
    const kubectl: ManagedFieldsEntry = {
      manager: 'kubectl-create',
      operation: 'Update',
      apiVersion: 'apps/v1',
      fieldsV1: { 'f:spec': { 'f:paused': {} } },
    };
    const hpa: ManagedFieldsEntry = { manager: 'hpa', operation: 'Update', fieldsV1: {} };
    const merged = takeOver(deployment([kubectl, own, hpa]), us, defaultTakeover(us));
    assert.deepEqual(
      merged?.map(({ manager }) => manager),
      ['hpa', us],
    );
    assert.deepEqual(merged?.[1]?.fieldsV1, { 'f:spec': { 'f:replicas': {}, 'f:paused': {} } });
    const first = takeOver(deployment([kubectl]), us, defaultTakeover(us));
    assert.deepEqual(first, [{ ...kubectl, manager: us, operation: 'Apply' }]);
    assert.equal(takeOver(deployment([own, hpa]), us, defaultTakeover(us)), undefined);
  });

  it('keeps membership of a node that gains children', () => {
    assert.deepEqual(unionFields({ 'f:a': {} }, { 'f:a': { 'f:b': {} } }), { 'f:a': { '.': {}, 'f:b': {} } });
    assert.deepEqual(unionFields({ 'f:a': { 'f:c': {} } }, { 'f:a': { 'f:b': {} } }), { 'f:a': { 'f:c': {}, 'f:b': {} } });
  });

  it('unites and subtracts as sets do', () => {
    const tree = fc.letrec<{ node: Record<string, unknown> }>((tie) => ({
      node: fc.dictionary(fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}'), fc.oneof({ maxDepth: 3 }, fc.constant({}), tie('node')), {
        maxKeys: 3,
        noNullPrototype: true,
      }),
    })).node;
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const union = unionFields(a, b);
        assert.deepEqual(subtractFields(a, union), {});
        assert.deepEqual(subtractFields(b, union), {});
        assert.deepEqual(unionFields(a, a), a);
      }),
    );
  });
});

describe('hashes', () => {
  it('of desired objects ignore the order of keys and nothing else', () => {
    const json = fc.dictionary(
      fc.constantFrom('a', 'b', 'c', 'd'),
      fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.array(fc.integer(), { maxLength: 3 })),
    );
    fc.assert(
      fc.property(json, json, (a, b) => {
        const reversed = Object.fromEntries(Object.entries(a).reverse());
        const hash = desiredHash(deployment([], { spec: a }));
        assert.equal(desiredHash(deployment([], { spec: reversed })), hash);
        assert.equal(desiredHash(deployment([], { spec: b })) === hash, JSON.stringify(sorted(a)) === JSON.stringify(sorted(b)));
      }),
    );
    assert.notEqual(desiredHash(deployment([], { n: 9007199254740993n })), desiredHash(deployment([], { n: 9007199254740992n })));
  });

  it('KB53 of live content ignore status and metadata other than labels and annotations', () => {
    const hash = contentHash(deployment([own], { spec: { replicas: 1 }, status: { replicas: 0 } }));
    assert.equal(contentHash(deployment([], { spec: { replicas: 1 }, status: { replicas: 1 } })), hash);
    assert.notEqual(contentHash(deployment([], { spec: { replicas: 2 } })), hash);
    const labelled = deployment([], { spec: { replicas: 1 } });
    assert.notEqual(contentHash({ ...labelled, metadata: { name: 'x', labels: { a: 'b' } } }), hash);
  });
});

function sorted(value: Record<string, unknown>): [string, unknown][] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
}
