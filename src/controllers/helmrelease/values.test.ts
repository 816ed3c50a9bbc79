import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHelmRelease, type ValuesReference } from '../../api/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import type { ConfigReader } from '../../runtime/index.ts';
import { composeValues, readValues } from './values.ts';

type Given = [reference: Partial<ValuesReference>, content: string | undefined];

function compose(inline: unknown, ...references: Given[]): unknown {
  return composeValues(
    'ns',
    inline,
    references.map(([reference, content]) => ({ reference: { kind: 'ConfigMap', name: 'c', ...reference }, content })),
  );
}

const cases: [name: string, got: unknown, want: unknown][] = [
  [
    'HB20: maps merge, lists are replaced, later wins',
    compose({}, [{}, 'a: {b: 1, l: [1, 2]}'], [{}, 'a: {c: 2, l: [3]}']),
    { a: { b: 1, l: [3], c: 2 } },
  ],
  [
    'HB04: integers beyond 2^53 come as raw JSON and are doubles, as in Go',
    compose({ a: [(JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('12345678901234567')] }),
    { a: [12345678901234568] },
  ],
  ['HB20: spec.values wins over valuesFrom', compose({ a: { b: 9 } }, [{}, 'a: {b: 1, c: 2}']), { a: { b: 9, c: 2 } }],
  [
    'HB21: targetPath takes the syntax of --set',
    compose({}, [{ targetPath: 'a.b' }, '{x,y}'], [{ targetPath: 'a.n' }, '7']),
    { a: { b: ['x', 'y'], n: 7n } },
  ],
  ['HB21: a quoted value is text', compose({}, [{ targetPath: 'a' }, '"7"'], [{ targetPath: 'b' }, "'true'"]), { a: '7', b: 'true' }],
  [
    'HB21: a literal value is taken as it is, the path may be escaped',
    compose({}, [{ targetPath: 'a.x\\.y', literal: true }, '{"k": [1, 2], "p": "C:\\\\d"}']),
    { a: { 'x.y': '{"k": [1, 2], "p": "C:\\\\d"}' } },
  ],
  [
    'HB22: a targetPath inside a mapping only spec.values has keeps its value',
    compose({ a: { b: 1, c: 2 } }, [{ targetPath: 'a.b' }, '5']),
    { a: { b: 5n, c: 2 } },
  ],
  ['HB22: a scalar at the top of spec.values wins over a targetPath', compose({ a: 1 }, [{ targetPath: 'a' }, '5']), { a: 1 }],
  ['HB23: what is optional and missing is left out', compose({ a: 1 }, [{ optional: true }, undefined]), { a: 1 }],
];
for (const [name, got, want] of cases) test(name, () => assert.deepEqual(got, want));

test('HB20 HB21: the values of Flux’s own example', () => {
  const key = (valuesKey: string, targetPath?: string): Partial<ValuesReference> => ({
    valuesKey,
    ...(targetPath === undefined ? {} : { targetPath }),
  });
  const got = compose(
    { replicaCount: 2 },
    [key('resources.limits'), 'resources:\n  limits:\n    cpu: 200m\n    memory: 128Mi\n'],
    [key('resources.requests'), 'resources:\n  requests:\n    cpu: 100m\n    memory: 64Mi\n'],
    [key('resources.limits.cpu', 'resources.limits.cpu'), '400m'],
    [key('list.example', 'list.example'), '{a,b,c}'],
    [key('list.example.overwrite', 'list.example[2]'), 'd'],
    [key('podAnnotation.example.value', 'podAnnotations.some\\.k8s\\.annotation\\/env'), 'demo'],
    [{ kind: 'Secret' }, 'serviceAccount:\n  enabled: true\n'],
  );
  assert.deepEqual(got, {
    list: { example: ['a', 'b', 'd'] },
    podAnnotations: { 'some.k8s.annotation/env': 'demo' },
    replicaCount: 2,
    resources: { limits: { cpu: '400m', memory: '128Mi' }, requests: { cpu: '100m', memory: '64Mi' } },
    serviceAccount: { enabled: true },
  });
});

test('HB23: what is missing is named', async () => {
  const configs = {
    find: async (kind: string, _namespace: string, name: string): Promise<KubeObject | undefined> =>
      name === 'there' ? { apiVersion: 'v1', kind, metadata: { name }, data: { other: 'x' } } : undefined,
  } as unknown as ConfigReader;
  const release = (reference: Record<string, unknown>) =>
    parseHelmRelease({
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
      kind: 'HelmRelease',
      metadata: { name: 'app', namespace: 'apps', uid: 'u', resourceVersion: '1', generation: 1 },
      spec: { interval: '1m', chartRef: { kind: 'OCIRepository', name: 'app' }, valuesFrom: [reference] },
    });
  await assert.rejects(readValues(release({ kind: 'Secret', name: 'gone' }), configs), {
    code: 'ValuesInvalid',
    message: `could not resolve Secret chart values reference 'apps/gone' with key 'values.yaml': secrets "gone" not found`,
  });
  await assert.rejects(readValues(release({ kind: 'ConfigMap', name: 'there', valuesKey: 'k' }), configs), {
    message: "could not resolve ConfigMap chart values reference 'apps/there' with key 'k': key not found",
  });
  assert.deepEqual(await readValues(release({ kind: 'ConfigMap', name: 'there', valuesKey: 'k', optional: true }), configs), {});
});

test('values that are no mapping are refused', () => {
  assert.throws(() => compose({}, [{}, '- a']), /cannot unmarshal array into Go value of type common.Values/);
  assert.throws(() => compose({}, [{}, 'a: [']), /ConfigMap chart values reference 'ns\/c' with key 'values.yaml': .*yaml/);
});
