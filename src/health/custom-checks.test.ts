import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instant } from '../std/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { compileHealthChecks } from './index.ts';

const options = { now: 0 as Instant };
const check = {
  apiVersion: 'bitnami.com/v1alpha1',
  kind: 'SealedSecret',
  inProgress: 'status.phase == "Busy"',
  failed: 'status.conditions.filter(e, e.type == "Synced").all(e, e.status == "False")',
  current: 'status.conditions.filter(e, e.type == "Synced").all(e, e.status == "True")',
};
const secret = (status: unknown, generation = 1): KubeObject => ({
  apiVersion: 'bitnami.com/v1beta1',
  kind: 'SealedSecret',
  metadata: { name: 'x', generation },
  status,
});
const synced = (status: string, phase = 'Done'): KubeObject =>
  secret({ phase, observedGeneration: 1, conditions: [{ type: 'Synced', status }] });

describe('custom health checks (KB83)', () => {
  const checks = compileHealthChecks([check]);

  it('ask for progress, failure and health, in this order', () => {
    assert.equal(checks.compute(synced('True'), options).status, 'Current');
    assert.equal(checks.compute(synced('False'), options).status, 'Failed');
    assert.equal(checks.compute(synced('True', 'Busy'), options).status, 'InProgress');
    assert.equal(checks.compute(synced('Unknown'), options).status, 'InProgress');
  });

  it('look at the generation first', () => {
    assert.equal(
      checks.compute(secret({ observedGeneration: 1, phase: '', conditions: [{ type: 'Synced', status: 'True' }] }, 2), options).status,
      'InProgress',
    );
  });

  it('leave other kinds to the built-in rules', () => {
    assert.equal(checks.compute({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, options).status, 'Current');
  });

  it('say why they could not tell', () => {
    const result = checks.compute(secret({ observedGeneration: 1 }), options);
    assert.equal(result.status, 'Unknown');
    assert.match(result.message, /failed to evaluate the CEL expression 'status.phase == "Busy"'/);
  });

  it('are refused when an expression does not parse, current is missing, or a kind has two', () => {
    const refused = (...entries: Parameters<typeof compileHealthChecks>[0]): void =>
      assert.throws(() => compileHealthChecks(entries), { code: 'InvalidCELExpression' });
    refused({ ...check, failed: '1 +' });
    refused({ ...check, current: '' });
    refused(check, check);
  });
});
