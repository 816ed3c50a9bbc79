import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { KubeObject } from '../manifest/index.ts';
import { mergePatchTo, threeWayMerge } from './three-way-merge.ts';

type Case = { adopt: boolean; original: KubeObject; modified: KubeObject; live: KubeObject; merged: KubeObject };

/** What k8s.io/apimachinery v0.36.1 makes of random objects: strategicpatch, jsonmergepatch and jsonpatch as Helm 4.2.4 calls them. */
const recorded = readFileSync(join(import.meta.dirname, 'testdata', 'three-way-merge.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case);

function deployment(containers: unknown, more: Record<string, unknown> = {}): KubeObject {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { ...more, template: { spec: { containers } } } };
}

/** Finalizers are a set; the patches of Kubernetes leave a null where there was nothing to remove. */
function normal(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => normal(item));
    return key === 'finalizers' ? items.sort() : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, normal(each, name)]));
}

describe('three-way merge (HB51)', () => {
  for (const [index, { adopt, original, modified, live, merged }] of recorded.entries()) {
    it(`is what Kubernetes makes of ${original.kind} ${index}`, () => {
      assert.deepEqual(normal(threeWayMerge(original, modified, live, { adopt })), merged);
    });
  }

  it('keeps what others added to lists with keys, replaces lists without', () => {
    const live = deployment([
      { name: 'injected', image: 'proxy' },
      { name: 'web', image: 'a', args: ['x'], env: [{ name: 'THEIRS', value: '1' }] },
    ]);
    const original = deployment([{ name: 'web', image: 'a', args: ['x'], env: [{ name: 'OLD', value: '1' }] }]);
    const modified = deployment([{ name: 'web', image: 'b', args: ['y'], env: [{ name: 'NEW', value: '2' }] }]);
    assert.deepEqual(
      threeWayMerge(original, modified, live, { adopt: false }),
      deployment([
        { name: 'injected', image: 'proxy' },
        {
          name: 'web',
          image: 'b',
          args: ['y'],
          env: [
            { name: 'NEW', value: '2' },
            { name: 'THEIRS', value: '1' },
          ],
        },
      ]),
    );
  });

  it('takes a null in the manifest for a field’s absence', () => {
    const live = deployment([{ name: 'web' }], { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } });
    const modified = deployment([{ name: 'web', resources: { limits: null } }], { strategy: { type: 'Recreate', rollingUpdate: null } });
    assert.deepEqual(
      threeWayMerge(modified, modified, live, { adopt: false }),
      deployment([{ name: 'web', resources: {} }], { strategy: { type: 'Recreate' } }),
    );
  });

  it('takes a list whose key comes twice as a whole: one port for two protocols', () => {
    const service = (ports: unknown): KubeObject => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'dns' }, spec: { ports } });
    const both = [
      { port: 53, protocol: 'TCP' },
      { port: 53, protocol: 'UDP' },
    ];
    const merged = threeWayMerge(service([]), service(both), service([{ port: 53, protocol: 'TCP' }]), { adopt: false });
    assert.deepEqual(merged, service(both));
  });
});

describe('a merge patch', () => {
  it('holds only what differs, null for what goes; nothing when nothing does', () => {
    const from = { a: 1, b: { c: 1, d: 2 }, e: [1] };
    assert.deepEqual(mergePatchTo(from, { a: 1, b: { c: 2 }, e: [1, 2], f: 'x' }), { b: { c: 2, d: null }, e: [1, 2], f: 'x' });
    assert.equal(mergePatchTo(from, { e: [1], b: { d: 2, c: 1 }, a: 1 }), undefined);
  });
});
