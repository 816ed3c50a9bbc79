import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { KubeObject } from '../../manifest/index.ts';
import { type Lab, openLab } from './testing/lab.ts';

type Options = { image?: string; replicas?: number; more?: string };
const imageOf = (pod: KubeObject): string => (pod['spec'] as { containers: { image: string }[] }).containers[0]?.image ?? '';

describe('StatefulSets', () => {
  const SETS = 'apps/statefulsets';
  const set = ({ image = 'example.com/db:1', replicas = 3, more = '' }: Options = {}): string => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: ${replicas}
  ${more}
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {containers: [{name: db, image: "${image}"}]}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 2Gi}}}}]
`;
  let lab: Lab;
  let log: string[];
  beforeEach(() => {
    lab = openLab();
    log = [];
    lab.store.watch('/pods', undefined, ({ type, object }) => {
      if (type !== 'modified') log.push(`${type === 'added' ? '+' : '-'}${object.metadata.name}`);
    });
  });
  afterEach(() => lab.close());
  const images = (): string[] => lab.list('/pods', 'default').map((item) => `${item.metadata.name} ${imageOf(item)}`);

  it('create pods one after the other, each with its name, its claim and its revision', async () => {
    await lab.apply(set());
    assert.deepEqual(log, ['+db-0', '+db-1', '+db-2']);
    const status = lab.status(SETS, 'db');
    const { currentRevision, updateRevision, ...counts } = status;
    assert.deepEqual(counts, {
      observedGeneration: 1,
      replicas: 3,
      readyReplicas: 3,
      currentReplicas: 3,
      updatedReplicas: 3,
      availableReplicas: 3,
      collisionCount: 0,
    });
    assert.equal(currentRevision, updateRevision);
    const pod = lab.get('/pods', 'db-1');
    assert.equal(pod.metadata.labels?.['controller-revision-hash'], updateRevision);
    assert.deepEqual(
      [(pod['spec'] as Record<string, unknown>)['hostname'], pod.metadata.labels?.['apps.kubernetes.io/pod-index']],
      ['db-1', '1'],
    );
    for (const i of [0, 1, 2]) assert.equal((lab.status('/persistentvolumeclaims', `data-db-${i}`) as { phase: string }).phase, 'Bound');
    assert.equal(lab.list('apps/controllerrevisions', 'default').length, 1);
  });

  it('do not go on while a pod is not ready, unless they are Parallel', async () => {
    await lab.apply(set({ image: 'sandbox.sluice.dev/hang:1' }));
    assert.deepEqual(log, ['+db-0']);
    lab.close();
    lab = openLab();
    await lab.apply(set({ image: 'sandbox.sluice.dev/hang:1', more: 'podManagementPolicy: Parallel' }));
    assert.equal(lab.list('/pods', 'default').length, 3);
  });

  it('replace pods from the highest number down, one at a time', async () => {
    await lab.apply(set());
    log.length = 0;
    await lab.apply(set({ image: 'example.com/db:2' }));
    assert.deepEqual(log, ['-db-2', '+db-2', '-db-1', '+db-1', '-db-0', '+db-0']);
    const { currentRevision, updateRevision, updatedReplicas } = lab.status(SETS, 'db');
    assert.deepEqual([currentRevision, updatedReplicas], [updateRevision, 3]);
    assert.deepEqual(
      lab
        .list('apps/controllerrevisions', 'default')
        .map((item) => item['revision'])
        .sort(),
      [1, 2],
    );
  });

  it('leave pods below the partition at the old revision, also when they come back', async () => {
    await lab.apply(set());
    await lab.apply(set({ image: 'example.com/db:2', more: 'updateStrategy: {rollingUpdate: {partition: 2}}' }));
    const expected = ['db-0 example.com/db:1', 'db-1 example.com/db:1', 'db-2 example.com/db:2'];
    assert.deepEqual(images(), expected);
    const { currentReplicas, updatedReplicas } = lab.status(SETS, 'db');
    assert.deepEqual([currentReplicas, updatedReplicas], [2, 1]);
    lab.ask('DELETE', '/api/v1/namespaces/default/pods/db-0');
    await lab.settle();
    assert.deepEqual(images(), expected);
  });

  it('with OnDelete replace a pod when somebody deletes it', async () => {
    await lab.apply(set({ more: 'updateStrategy: {type: OnDelete}' }));
    await lab.apply(set({ image: 'example.com/db:2', more: 'updateStrategy: {type: OnDelete}' }));
    lab.ask('DELETE', '/api/v1/namespaces/default/pods/db-1');
    await lab.settle();
    assert.deepEqual(images(), ['db-0 example.com/db:1', 'db-1 example.com/db:2', 'db-2 example.com/db:1']);
  });

  it('scale down from the highest number and keep the claims, unless told to delete them', async () => {
    await lab.apply(set());
    log.length = 0;
    await lab.apply(set({ replicas: 1 }));
    assert.deepEqual(log, ['-db-2', '-db-1']);
    assert.equal(lab.list('/persistentvolumeclaims', 'default').length, 3);
    await lab.apply(set({ replicas: 1, more: 'persistentVolumeClaimRetentionPolicy: {whenScaled: Delete, whenDeleted: Retain}' }));
    assert.deepEqual(
      lab.list('/persistentvolumeclaims', 'default').map((item) => item.metadata.name),
      ['data-db-0'],
    );
    assert.equal(lab.list('/persistentvolumes').length, 1, 'the volumes go with their claims');
  });

  it('begin with the number they are told to', async () => {
    await lab.apply(set({ replicas: 2, more: 'ordinals: {start: 5}' }));
    assert.deepEqual(log, ['+db-5', '+db-6']);
  });
});

describe('DaemonSets', () => {
  const SETS = 'apps/daemonsets';
  const set = ({ image = 'example.com/agent:1', more = '' }: Options = {}): string => `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  ${more}
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "${image}"}]}
`;
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());

  it('run one pod on the one node', async () => {
    await lab.apply(set());
    assert.deepEqual(lab.status(SETS, 'agent'), {
      observedGeneration: 1,
      currentNumberScheduled: 1,
      desiredNumberScheduled: 1,
      numberMisscheduled: 0,
      numberReady: 1,
      updatedNumberScheduled: 1,
      numberAvailable: 1,
    });
  });

  for (const [what, more, expected] of [
    ['the old pod first', '', ['-agent:1', '+agent:2']],
    ['the new pod first with maxSurge', 'updateStrategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}', ['+agent:2', '-agent:1']],
    ['nothing with OnDelete', 'updateStrategy: {type: OnDelete}', []],
  ] as const) {
    it(`replace ${what}`, async () => {
      await lab.apply(set({ more }));
      const log: string[] = [];
      lab.store.watch('/pods', undefined, ({ type, object }) => {
        if (type !== 'modified') log.push(`${type === 'added' ? '+' : '-'}${imageOf(object).slice('example.com/'.length)}`);
      });
      await lab.apply(set({ more, image: 'example.com/agent:2' }));
      assert.deepEqual(log, expected);
    });
  }

  it('say when their pod is not available', async () => {
    await lab.apply(set({ image: 'sandbox.sluice.dev/crash:1' }));
    assert.deepEqual([lab.status(SETS, 'agent')['numberUnavailable'], lab.status(SETS, 'agent')['numberReady']], [1, 0]);
  });
});
