import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import { findCondition } from '../../api/index.ts';
import { configData } from '../../runtime/index.ts';
import { CodedError, systemClock } from '../../std/index.ts';
import { VerificationPolicyController } from './policy-controller.ts';
import { toPolicy, type Policy, type SecretReader } from './policies.ts';

const key = (): string =>
  createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    .export({ type: 'spki', format: 'pem' })
    .toString();
const KEY = { namespace: 'ns', name: 'p' };

describe('the state of a verification policy', () => {
  let policy: Policy | undefined;
  let writes: number;
  let changed: string[];
  let keys: string | undefined;
  const configs: SecretReader = {
    data: async (kind, namespace, name) => {
      if (keys === undefined) throw new CodedError({ code: 'ConfigNotFound', message: `get ${kind} "${namespace}/${name}": not found` });
      const data = { 'a.pub': Buffer.from(keys).toString('base64') };
      return configData({ apiVersion: 'v1', kind, metadata: { name, resourceVersion: keys }, data });
    },
  };
  const controller = new VerificationPolicyController({
    kind: 'VerificationPolicy',
    view: { get: () => policy },
    writer: {
      write: async ({ status: _before }, status) => {
        writes++;
        if (policy !== undefined) policy = { ...policy, status };
        return true;
      },
    },
    configs,
    home: 'home',
    clock: systemClock,
    random: () => 0,
    intervalJitter: 0,
    changed: (one) => changed.push(one.metadata.name),
  });
  const ready = (): string | undefined => {
    const condition = findCondition(policy?.status.conditions, 'Ready');
    return condition === undefined ? undefined : `${condition.status} ${condition.reason} ${condition.message}`;
  };
  const set = (spec: Record<string, unknown>, generation = 1): void => {
    const metadata = { name: 'p', namespace: 'ns', uid: 'u', generation };
    policy = toPolicy({ apiVersion: 'source.sluice.dev/v1alpha1', kind: 'VerificationPolicy', metadata, spec });
  };

  beforeEach(async () => {
    policy = undefined;
    await controller.reconcile(KEY);
    writes = 0;
    changed = [];
    keys = key();
  });

  test('is written when it changes, and only then', async () => {
    set({ signers: [{ name: 'a', secretRef: { name: 'keys' } }], attestations: [{ predicateType: 't' }], rollback: 'Deny' });
    const outcome = await controller.reconcile(KEY);
    assert.equal(ready(), 'True Succeeded wants signatures of 1 of "a"; an attestation "t"; no rollback');
    assert.equal(policy?.status.observedGeneration, 1);
    assert.deepEqual(outcome, { kind: 'done', requeueAfter: 600_000, failed: false });
    await controller.reconcile(KEY);
    assert.equal(writes, 1);
  });

  test('says what is missing, looks again soon, and tells when a Secret nobody watches changed', async () => {
    keys = undefined;
    set({ signers: [{ name: 'a', secretRef: { name: 'keys' } }] });
    const outcome = await controller.reconcile(KEY);
    assert.equal(ready(), 'False PolicyInvalid refuses every artifact it concerns: signer "a": get Secret "ns/keys": not found');
    assert.deepEqual(outcome, { kind: 'done', requeueAfter: 60_000, failed: true });
    assert.deepEqual(changed, []);
    keys = key();
    await controller.reconcile(KEY);
    assert.deepEqual([ready(), changed], ['True Succeeded wants signatures of 1 of "a"', ['p']]);
    keys = key();
    await controller.reconcile(KEY);
    assert.deepEqual([writes, changed], [2, ['p', 'p']]);
  });

  test('says that a policy only warns, and whom it counts without signers', async () => {
    set({ enforcement: 'Warn', threshold: 2 });
    await controller.reconcile(KEY);
    assert.equal(ready(), 'True Succeeded warns only: wants signatures of 2 of whoever spec.verify trusts');
  });
});
