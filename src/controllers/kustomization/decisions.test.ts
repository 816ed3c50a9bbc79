import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKustomization, type Kustomization } from '../../api/index.ts';
import type { Duration, Instant } from '../../std/index.ts';
import { unmetDependency } from './dependencies.ts';
import { recordAttempt } from './history.ts';
import { retryInterval, timeout } from './timing.ts';

function kustomization(name: string, spec: Record<string, unknown> = {}, status: Record<string, unknown> = {}): Kustomization {
  return parseKustomization({
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name, namespace: 'apps', uid: name, resourceVersion: '1', generation: 2 },
    spec: { interval: '10m', prune: true, sourceRef: { kind: 'OCIRepository', name: 'app' }, ...spec },
    status: { observedGeneration: 2, ...status },
  });
}

const ready = (status: 'True' | 'False'): Record<string, unknown> => ({
  conditions: [{ type: 'Ready', status, reason: 'R', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }],
});

test('KB10: retryInterval falls back to the interval; the timeout to 30 s less than it, at least 30 s', () => {
  assert.equal(retryInterval(kustomization('a')), 600_000);
  assert.equal(retryInterval(kustomization('a', { retryInterval: '5s' })), 5000);
  assert.equal(timeout(kustomization('a')), 570_000);
  assert.equal(timeout(kustomization('a', { interval: '40s' })), 30_000);
  assert.equal(timeout(kustomization('a', { timeout: '1s' })), 30_000);
  assert.equal(timeout(kustomization('a', { timeout: '2m' })), 120_000);
});

const REVISION = 'v2@sha256:b';
const dependencyCases: {
  name: string;
  found: Kustomization | undefined;
  expression?: boolean;
  additive?: boolean;
  want: string | undefined;
}[] = [
  { name: 'absent', found: undefined, want: "dependency 'apps/dep' not found" },
  { name: 'never reconciled', found: kustomization('dep', {}, { observedGeneration: -1 }), want: "dependency 'apps/dep' is not ready" },
  { name: 'not ready', found: kustomization('dep', {}, ready('False')), want: "dependency 'apps/dep' is not ready" },
  {
    name: 'spec not observed',
    found: kustomization('dep', {}, { ...ready('True'), observedGeneration: 1 }),
    want: "dependency 'apps/dep' is not ready",
  },
  {
    name: 'same source, older revision',
    found: kustomization('dep', {}, { ...ready('True'), lastAppliedRevision: 'v1' }),
    want: "dependency 'apps/dep' revision is not up to date",
  },
  {
    name: 'same source, same revision',
    found: kustomization('dep', {}, { ...ready('True'), lastAppliedRevision: REVISION }),
    want: undefined,
  },
  {
    name: 'another source',
    found: kustomization('dep', { sourceRef: { kind: 'OCIRepository', name: 'other' } }, { ...ready('True'), lastAppliedRevision: 'v1' }),
    want: undefined,
  },
  {
    name: 'KB05 expression false',
    found: kustomization('dep', {}, ready('True')),
    expression: false,
    want: "dependency 'apps/dep' is not ready according to readyExpr eval",
  },
  { name: 'KB05 expression true replaces the test', found: kustomization('dep', {}, ready('False')), expression: true, want: undefined },
  {
    name: 'KB05 additive: both must pass',
    found: kustomization('dep', {}, ready('False')),
    expression: true,
    additive: true,
    want: "dependency 'apps/dep' is not ready",
  },
];
for (const { name, found, expression, additive, want } of dependencyCases) {
  test(`KB04: a dependency that is ${name}`, () => {
    const view = { reference: { name: 'dep' }, found, expression };
    assert.equal(unmetDependency(kustomization('self'), REVISION, [view], additive ?? false), want);
  });
}

test('history: same build and end add up, newest first, five kept', () => {
  const attempt = (digest: string, status: string, second: number) => ({
    digest,
    status,
    at: (Date.UTC(2026, 0, 1) + second * 1000) as Instant,
    took: 1500 as Duration,
    metadata: { revision: 'r' },
  });
  let history = recordAttempt(undefined, attempt('a', 'Good', 0));
  history = recordAttempt(history, attempt('b', 'Bad', 1));
  history = recordAttempt(history, attempt('a', 'Good', 2));
  assert.deepEqual(
    history.map(({ digest, totalReconciliations }) => `${digest}${totalReconciliations}`),
    ['a2', 'b1'],
  );
  assert.equal(history[0]?.firstReconciled, '2026-01-01T00:00:00Z');
  assert.equal(history[0]?.lastReconciled, '2026-01-01T00:00:02Z');
  assert.equal(history[0]?.lastReconciledDuration, '1.5s');
  for (const digest of ['c', 'd', 'e', 'f']) history = recordAttempt(history, attempt(digest, 'Good', 3));
  assert.deepEqual(
    history.map((entry) => entry.digest),
    ['f', 'e', 'd', 'c', 'a'],
  );
});
