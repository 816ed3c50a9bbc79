import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { KubeObject } from '../../manifest/index.ts';
import { type Lab, openLab } from '../workloads/testing/lab.ts';

const MAPS = '/configmaps';

describe('garbage collection', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());
  const map = async (
    name: string,
    owners: readonly KubeObject[] = [],
    more: { block?: boolean; finalizers?: string[] } = {},
  ): Promise<KubeObject> => {
    const ownerReferences = owners.map(({ apiVersion, kind, metadata }) => ({
      apiVersion,
      kind,
      name: metadata.name,
      uid: metadata.uid,
      blockOwnerDeletion: more.block === true,
    }));
    const metadata = { name, ownerReferences, ...(more.finalizers === undefined ? {} : { finalizers: more.finalizers }) };
    assert.equal(lab.ask('POST', '/api/v1/namespaces/default/configmaps', { metadata }).status, 201);
    await lab.settle();
    return lab.get(MAPS, name);
  };
  const remove = async (name: string, propagationPolicy: string): Promise<void> => {
    lab.ask('DELETE', `/api/v1/namespaces/default/configmaps/${name}`, { propagationPolicy });
    await lab.settle();
  };
  const names = (): string[] =>
    lab
      .list(MAPS, 'default')
      .map((item) => item.metadata.name)
      .filter((item) => item !== 'kube-root-ca.crt');
  const unlock = async (name: string): Promise<void> => {
    const body = { metadata: { finalizers: null } };
    lab.ask('PATCH', `/api/v1/namespaces/default/configmaps/${name}`, body, 'application/merge-patch+json');
    await lab.settle();
  };

  it('in the background takes the owner first, then what it owned, level by level', async () => {
    const order: string[] = [];
    const owner = await map('owner');
    const child = await map('child', [owner]);
    await map('grandchild', [child]);
    lab.store.watch(MAPS, undefined, (change) => {
      if (change.type === 'deleted') order.push(change.object.metadata.name);
    });
    await remove('owner', 'Background');
    assert.deepEqual(order, ['owner', 'child', 'grandchild']);
  });

  it('in the foreground keeps the owner until what blocks it is gone, through every level', async () => {
    const owner = await map('owner');
    const child = await map('child', [owner], { block: true });
    await map('grandchild', [child], { block: true, finalizers: ['test/hold'] });
    await remove('owner', 'Foreground');
    assert.deepEqual(names(), ['child', 'grandchild', 'owner']);
    assert.deepEqual(lab.get(MAPS, 'child').metadata.finalizers, ['foregroundDeletion']);
    await unlock('grandchild');
    assert.deepEqual(names(), []);
  });

  it('does not wait for dependents without blockOwnerDeletion', async () => {
    const owner = await map('owner');
    await map('child', [owner], { finalizers: ['test/hold'] });
    await remove('owner', 'Foreground');
    assert.deepEqual(names(), ['child']);
    assert.notEqual(lab.get(MAPS, 'child').metadata.deletionTimestamp, undefined);
  });

  it('by orphaning lets dependents go free', async () => {
    const owner = await map('owner');
    await map('child', [owner], { block: true });
    await remove('owner', 'Orphan');
    assert.deepEqual(names(), ['child']);
    assert.deepEqual(lab.get(MAPS, 'child').metadata.ownerReferences ?? [], []);
  });

  it('keeps what has another owner, without the reference to the one that is gone', async () => {
    const [first, second] = [await map('first'), await map('second')];
    await map('child', [first, second], { block: true });
    await remove('first', 'Foreground');
    assert.deepEqual(names(), ['child', 'second']);
    assert.deepEqual(
      lab.get(MAPS, 'child').metadata.ownerReferences?.map((item) => item.name),
      ['second'],
    );
  });

  it('takes what is created for an owner that is not there', async () => {
    const ghost: KubeObject = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ghost', uid: 'nobody' } };
    const reply = lab.ask('POST', '/api/v1/namespaces/default/configmaps', {
      metadata: { name: 'child', ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: ghost.metadata.name, uid: 'nobody' }] },
    });
    assert.equal(reply.status, 201);
    await lab.settle();
    assert.deepEqual(names(), []);
  });

  it('goes on where a process before left off', async () => {
    const owner = await map('owner');
    await map('child', [owner], { block: true, finalizers: ['test/hold'] });
    await remove('owner', 'Foreground');
    lab.close();
    lab = openLab({}, lab.store);
    await unlock('child');
    assert.deepEqual(names(), []);
  });
});

describe('namespaces', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());

  it('come with a service account and the root certificate', async () => {
    await lab.apply('{apiVersion: v1, kind: Namespace, metadata: {name: play}}');
    assert.ok(lab.find('/serviceaccounts', 'default', 'play') !== undefined && lab.find(MAPS, 'kube-root-ca.crt', 'play') !== undefined);
  });

  it('are emptied when deleted, wait for finalizers, and take nothing new', async () => {
    await lab.apply('{apiVersion: v1, kind: Namespace, metadata: {name: play}}');
    await lab.apply('{apiVersion: v1, kind: ConfigMap, metadata: {name: held, namespace: play, finalizers: [test/hold]}}');
    await lab.apply('{apiVersion: v1, kind: Secret, metadata: {name: free, namespace: play}}');
    lab.ask('DELETE', '/api/v1/namespaces/play');
    await lab.settle();
    assert.equal((lab.get('/namespaces', 'play', '')['status'] as { phase: string }).phase, 'Terminating');
    assert.deepEqual([lab.find('/secrets', 'free', 'play'), lab.find(MAPS, 'held', 'play')?.metadata.name], [undefined, 'held']);
    const refused = lab.ask('POST', '/api/v1/namespaces/play/configmaps', { metadata: { name: 'late' } });
    assert.equal(refused.status, 403);
    const body = { metadata: { finalizers: null } };
    lab.ask('PATCH', '/api/v1/namespaces/play/configmaps/held', body, 'application/merge-patch+json');
    await lab.advance(1);
    assert.equal(lab.find('/namespaces', 'play', ''), undefined);
  });

  it('take custom resources with them', async () => {
    await lab.apply(`
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: toys, singular: toy, kind: Toy, listKind: ToyList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
---
{apiVersion: v1, kind: Namespace, metadata: {name: play}}
---
{apiVersion: example.com/v1, kind: Toy, metadata: {name: bear, namespace: play}}
`);
    assert.ok(lab.find('example.com/toys', 'bear', 'play') !== undefined);
    lab.ask('DELETE', '/api/v1/namespaces/play');
    await lab.advance(1);
    assert.deepEqual([lab.list('example.com/toys'), lab.find('/namespaces', 'play', '')], [[], undefined]);
  });
});
