import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { milliseconds } from '../../std/index.ts';
import { type Lab, openLab } from './testing/lab.ts';
import { leewayOf, nextNewReplicas, nextOldReplicas, proportional } from './rolling.ts';

const DEPLOYMENTS = 'apps/deployments';
const SETS = 'apps/replicasets';

type Options = { image?: string; replicas?: number; more?: string; name?: string };
const deployment = ({ image = 'example.com/web:1', replicas = 2, more = '', name = 'web' }: Options = {}): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}, annotations: {note: x}}
spec:
  replicas: ${replicas}
  ${more}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: web, image: "${image}"}]}
`;

describe('Deployments', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());

  const sets = (): string[] =>
    lab
      .list(SETS, 'default')
      .map((item) => {
        const [container] = (item['spec'] as { template: { spec: { containers: { image: string }[] } } }).template.spec.containers;
        const { replicas } = item['spec'] as { replicas: number };
        return `${item.metadata.annotations?.['deployment.kubernetes.io/revision']}: ${container?.image} ${replicas}`;
      })
      .sort();
  const patch = async (body: unknown): Promise<void> => {
    assert.equal(lab.ask('PATCH', '/apis/apps/v1/namespaces/default/deployments/web', body, 'application/merge-patch+json').status, 200);
    await lab.settle();
  };

  it('become available, and say so', async () => {
    await lab.apply(deployment());
    const { conditions: _, ...counts } = lab.status(DEPLOYMENTS, 'web');
    const wanted = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, terminatingReplicas: 0 };
    assert.deepEqual(counts, { observedGeneration: 1, ...wanted });
    assert.equal(lab.condition(DEPLOYMENTS, 'web', 'Available'), 'True MinimumReplicasAvailable: Deployment has minimum availability.');
    assert.match(
      lab.condition(DEPLOYMENTS, 'web', 'Progressing'),
      /^True NewReplicaSetAvailable: ReplicaSet "web-.*" has successfully progressed\.$/,
    );
    const [set] = lab.list(SETS, 'default');
    assert.deepEqual(set?.metadata.annotations, {
      note: 'x',
      'deployment.kubernetes.io/desired-replicas': '2',
      'deployment.kubernetes.io/max-replicas': '3',
      'deployment.kubernetes.io/revision': '1',
    });
  });

  it('roll over to a new template and leave nothing of the old one running', async () => {
    await lab.apply(deployment());
    await lab.apply(deployment({ image: 'example.com/web:2' }));
    assert.deepEqual(sets(), ['1: example.com/web:1 0', '2: example.com/web:2 2']);
    assert.equal(lab.get(DEPLOYMENTS, 'web').metadata.annotations?.['deployment.kubernetes.io/revision'], '2');
    assert.equal(lab.list('/pods', 'default').length, 2);
  });

  it('keep within maxSurge and maxUnavailable, and stop at a new template that does not come up', async () => {
    const more = 'strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}';
    let [most, least] = [0, 9];
    await lab.apply(deployment({ replicas: 4, more }));
    lab.store.watch(SETS, undefined, () => {
      const sizes = lab.list(SETS, 'default').map((item) => (item['spec'] as { replicas: number }).replicas);
      most = Math.max(
        most,
        sizes.reduce((sum, size) => sum + size, 0),
      );
      least = Math.min(least, Number(lab.status(DEPLOYMENTS, 'web')['availableReplicas']));
    });
    await lab.apply(deployment({ replicas: 4, more, image: 'example.com/web:2' }));
    assert.deepEqual(sets(), ['1: example.com/web:1 0', '2: example.com/web:2 4']);
    assert.ok(most <= 5 && least >= 3, `${least} to ${most}`);
    await lab.apply(deployment({ replicas: 4, more, image: 'sandbox.sluice.dev/hang:1' }));
    assert.deepEqual(sets(), ['1: example.com/web:1 0', '2: example.com/web:2 3', '3: sandbox.sluice.dev/hang:1 2']);
    assert.match(lab.condition(DEPLOYMENTS, 'web', 'Available'), /^True/);
    assert.equal(lab.status(DEPLOYMENTS, 'web')['unavailableReplicas'], 2);
  });

  it('are late when nothing moves for progressDeadlineSeconds, and recover', async () => {
    await lab.apply(deployment({ image: 'sandbox.sluice.dev/hang:1', more: 'progressDeadlineSeconds: 60' }));
    await lab.advance(59, 10);
    assert.match(lab.condition(DEPLOYMENTS, 'web', 'Progressing'), /^True ReplicaSetUpdated/);
    await lab.advance(1);
    assert.match(
      lab.condition(DEPLOYMENTS, 'web', 'Progressing'),
      /^False ProgressDeadlineExceeded: ReplicaSet "web-.*" has timed out progressing\.$/,
    );
    assert.match(lab.condition(DEPLOYMENTS, 'web', 'Available'), /^False MinimumReplicasUnavailable/);
    await lab.advance(600, 60);
    assert.match(lab.condition(DEPLOYMENTS, 'web', 'Progressing'), /^False ProgressDeadlineExceeded/);
    await lab.apply(deployment({ more: 'progressDeadlineSeconds: 60' }));
    assert.match(lab.condition(DEPLOYMENTS, 'web', 'Progressing'), /^True NewReplicaSetAvailable/);
  });

  it('do nothing while paused but follow the scale, and go on when resumed', async () => {
    await lab.apply(deployment());
    await patch({ spec: { paused: true } });
    assert.equal(lab.condition(DEPLOYMENTS, 'web', 'Progressing'), 'Unknown DeploymentPaused: Deployment is paused');
    await lab.apply(deployment({ image: 'example.com/web:2', replicas: 3 }));
    assert.deepEqual(sets(), ['1: example.com/web:1 3']);
    await patch({ spec: { paused: null } });
    assert.deepEqual(sets(), ['1: example.com/web:1 0', '2: example.com/web:2 3']);
    assert.match(lab.condition(DEPLOYMENTS, 'web', 'Progressing'), /^True NewReplicaSetAvailable/);
  });

  it('take an old ReplicaSet back for an old template, which gets the newest revision', async () => {
    await lab.apply(deployment());
    await lab.apply(deployment({ image: 'example.com/web:2' }));
    await lab.apply(deployment());
    assert.deepEqual(sets(), ['2: example.com/web:2 0', '3: example.com/web:1 2']);
    const [back] = lab.list(SETS, 'default').filter((item) => (item['spec'] as { replicas: number }).replicas > 0);
    assert.equal(back?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1');
  });

  it('keep as many old ReplicaSets as revisionHistoryLimit says', async () => {
    for (const tag of [1, 2, 3, 4]) await lab.apply(deployment({ image: `example.com/web:${tag}`, more: 'revisionHistoryLimit: 1' }));
    assert.deepEqual(sets(), ['3: example.com/web:3 0', '4: example.com/web:4 2']);
  });

  it('with strategy Recreate end the old pods before the new ones begin', async () => {
    const more = 'strategy: {type: Recreate}';
    await lab.apply(deployment({ more }));
    const images: string[] = [];
    lab.store.watch('/pods', undefined, (change) => {
      const [container] = (change.object['spec'] as { containers: { image: string }[] }).containers;
      if (change.type !== 'modified') images.push(`${change.type} ${container?.image}`);
    });
    await lab.apply(deployment({ more, image: 'example.com/web:2' }));
    assert.deepEqual(images, [
      ...Array.from({ length: 2 }, () => 'deleted example.com/web:1'),
      ...Array.from({ length: 2 }, () => 'added example.com/web:2'),
    ]);
  });

  it('count a pod as available after minReadySeconds', async () => {
    await lab.apply(deployment({ more: 'minReadySeconds: 10' }));
    assert.equal(lab.status(DEPLOYMENTS, 'web')['readyReplicas'], 2);
    assert.equal(lab.status(DEPLOYMENTS, 'web')['availableReplicas'], undefined);
    await lab.advance(10);
    assert.equal(lab.status(DEPLOYMENTS, 'web')['availableReplicas'], 2);
  });

  it('adopt the ReplicaSets that an orphaning deletion left', async () => {
    await lab.apply(deployment());
    lab.ask('DELETE', '/apis/apps/v1/namespaces/default/deployments/web', { propagationPolicy: 'Orphan' });
    await lab.settle();
    const [orphan] = lab.list(SETS, 'default');
    assert.deepEqual(orphan?.metadata.ownerReferences ?? [], []);
    await lab.apply(deployment());
    assert.deepEqual(sets(), ['1: example.com/web:1 2']);
    assert.equal(lab.list(SETS, 'default')[0]?.metadata.uid, orphan?.metadata.uid);
    assert.equal(lab.list('/pods', 'default').length, 2);
  });

  it('stay quiet when everything is as it should be', async () => {
    await lab.apply(deployment());
    const { revision } = lab.store;
    await lab.advance(3600, 600);
    assert.equal(lab.store.revision, revision);
  });

  it('wait as long as pods take', async () => {
    lab.close();
    lab = openLab({ podStart: milliseconds(2000) });
    await lab.apply(deployment());
    assert.match(lab.condition(DEPLOYMENTS, 'web', 'Available'), /^False/);
    await lab.advance(2);
    assert.match(lab.condition(DEPLOYMENTS, 'web', 'Available'), /^True/);
  });
});

describe('the arithmetic of rolling updates', () => {
  it('rounds surges up and unavailabilities down, and never to a standstill', () => {
    assert.deepEqual(leewayOf({ maxSurge: '25%', maxUnavailable: '25%' }, 10), { maxSurge: 3, maxUnavailable: 2 });
    assert.deepEqual(leewayOf({ maxSurge: 0, maxUnavailable: '1%' }, 10), { maxSurge: 0, maxUnavailable: 1 });
    assert.deepEqual(leewayOf({ maxSurge: 0, maxUnavailable: 5 }, 2), { maxSurge: 0, maxUnavailable: 2 });
  });
  it('cleans up what is broken before what works', () => {
    const leeway = { maxSurge: 1, maxUnavailable: 1 };
    assert.equal(nextNewReplicas(4, { replicas: 0, available: 0 }, [{ replicas: 4, available: 4 }], leeway), 1);
    assert.deepEqual(
      nextOldReplicas(
        4,
        { replicas: 1, available: 0 },
        [
          { replicas: 2, available: 0 },
          { replicas: 2, available: 2 },
        ],
        leeway,
      ),
      [1, 2],
    );
    assert.deepEqual(nextOldReplicas(4, { replicas: 2, available: 2 }, [{ replicas: 3, available: 3 }], leeway), [1]);
  });
  it('spreads a new size in proportion', () => {
    assert.deepEqual(proportional([6, 4], 10, 15), [9, 6]);
    assert.deepEqual(proportional([2, 1], 3, 4), [3, 1]);
    assert.deepEqual(proportional([0, 0], 0, 4), [0, 0]);
    // As a real Deployment controller shrank 8 + 5 that were sized for 13.
    assert.deepEqual(proportional([8, 5], 13, 4), [2, 2]);
  });
});
