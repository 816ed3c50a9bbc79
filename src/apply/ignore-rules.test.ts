import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../manifest/index.ts';
import { adaptPayload, compileIgnoreRules, ignoredPaths, withoutPaths } from './ignore-rules.ts';
import { parseLabelSelector } from './label-selector.ts';

const deployment = (spec: Record<string, unknown>, metadata: Partial<KubeObject['metadata']> = {}): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'team', ...metadata },
  spec,
});

describe('ignore rules (KB59)', () => {
  it('match whole values by regular expression, and labels by selector', () => {
    const matches = (target: Record<string, string>): boolean => {
      const rules = compileIgnoreRules([{ paths: ['/spec/replicas'], target }]);
      return ignoredPaths(rules, deployment({}, { labels: { app: 'web', tier: 'front' } })).length > 0;
    };
    assert.ok(
      matches({
        kind: 'Deployment',
        group: 'apps',
        version: 'v1',
        name: 'w.*',
        namespace: 'team',
        labelSelector: 'app=web,tier in (front, back),!gone',
      }),
    );
    assert.ok(matches({ kind: 'Deployment|StatefulSet' }));
    assert.ok(!matches({ kind: 'Deploy' }));
    assert.ok(!matches({ labelSelector: 'app!=web' }));
    assert.ok(!matches({ annotationSelector: 'x' }));
    for (const bad of [
      { paths: ['/a'], target: { kind: '(' } },
      { paths: ['no-slash'] },
      { paths: [''] },
      { paths: ['/a'], target: { labelSelector: 'a in x' } },
    ]) {
      assert.throws(() => compileIgnoreRules([bad]), { code: 'IgnoreRuleInvalid' });
    }
  });

  it('runs hostile patterns in linear time', () => {
    const rules = compileIgnoreRules([{ paths: ['/a'], target: { name: '(a+)+b' } }]);
    const started = performance.now();
    ignoredPaths(rules, deployment({}, { name: 'a'.repeat(250) }));
    assert.ok(performance.now() - started < 500);
  });

  it('take over the live value of a field nobody else applies, and leave out one another manager applies', () => {
    const managedFields = [
      {
        manager: 'vpa',
        operation: 'Apply',
        fieldsV1: { 'f:spec': { 'f:containers': { 'k:{"name":"web"}': { 'f:resources': {} } } } },
      } as const,
    ];
    const live = deployment({ replicas: 5, containers: [{ name: 'web', resources: { cpu: '2' } }] }, { managedFields });
    const desired = deployment({ replicas: 1, containers: [{ name: 'web', image: 'i', resources: { cpu: '1' } }], extra: true });
    const paths = [
      ['spec', 'replicas'],
      ['spec', 'containers', '0', 'resources'],
      ['spec', 'extra'],
    ];
    const payload = adaptPayload(desired, live, desired, paths, 'kustomize-controller');
    assert.deepEqual(payload['spec'], { replicas: 5, containers: [{ name: 'web', image: 'i' }] });
    assert.deepEqual(
      desired['spec'],
      { replicas: 1, containers: [{ name: 'web', image: 'i', resources: { cpu: '1' } }], extra: true },
      'the input stays',
    );
  });

  it('are left out of the comparison', () => {
    assert.deepEqual(
      withoutPaths(deployment({ a: [1, 2], 'b/c': 1 }), [
        ['spec', 'a', '0'],
        ['spec', 'b/c'],
        ['spec', 'none', 'x'],
      ])['spec'],
      { a: [2] },
    );
  });
});

describe('label selector', () => {
  it('understands every operator', () => {
    const labels = { a: 'b', empty: '' };
    for (const text of ['', 'a', 'a=b', 'a==b', 'a!=c', 'x!=y', '!x', 'a in (b,c)', 'a notin (c)', 'x notin (c)', 'empty=', 'a=b , !x'])
      assert.ok(parseLabelSelector(text)(labels), text);
    for (const text of ['x', 'a=c', 'a!=b', '!a', 'a in (c)', 'a notin (b)', 'x in (b)', '__proto__'])
      assert.ok(!parseLabelSelector(text)(labels), text);
  });
});
