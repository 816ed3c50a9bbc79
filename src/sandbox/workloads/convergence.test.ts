import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Lab, openLab } from './testing/lab.ts';

type Step = { image: string; replicas: number; paused: boolean; loses: number; surge: number; restarts: boolean };

const step: fc.Arbitrary<Step> = fc.record({
  image: fc.constantFrom(
    'example.com/web:1',
    'example.com/web:2',
    'example.com/web:3',
    'sandbox.sluice.dev/hang:1',
    'sandbox.sluice.dev/crash:1',
  ),
  replicas: fc.integer({ min: 0, max: 5 }),
  paused: fc.boolean(),
  loses: fc.integer({ min: 0, max: 2 }),
  surge: fc.integer({ min: 0, max: 2 }),
  restarts: fc.boolean(),
});

const deployment = ({ image, replicas, paused, surge }: Step): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  paused: ${paused}
  revisionHistoryLimit: 2
  strategy: {rollingUpdate: {maxSurge: ${surge}, maxUnavailable: ${surge === 0 ? 1 : 0}}}
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "${image}"}]}}
`;
const statefulSet = ({ image, replicas, paused, surge }: Step): string => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  replicas: ${replicas}
  podManagementPolicy: Parallel
  updateStrategy: {rollingUpdate: {partition: ${paused ? 2 : 0}${surge === 0 ? '' : `, maxUnavailable: ${surge}`}}}
  selector: {matchLabels: {app: web}}
  template: {metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: "${image}"}]}}
`;

/** Deletes pods behind the controllers' back. */
async function lose(lab: Lab, count: number): Promise<void> {
  for (const pod of lab.list('/pods', 'default').slice(0, count)) lab.ask('DELETE', `/api/v1/namespaces/default/pods/${pod.metadata.name}`);
  await lab.settle();
}

for (const [collection, manifest] of [
  ['apps/deployments', deployment],
  ['apps/statefulsets', statefulSet],
] as const) {
  test(`${collection} get where they are told in the end, whatever happened before`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 5 }), async (steps) => {
        let lab = openLab();
        try {
          for (const each of steps) {
            const applied = lab.apply(manifest(each));
            if (each.restarts) {
              // The process ends right after the write, and another one finds what it left.
              lab.close();
              lab = openLab({}, lab.store);
              await lab.settle();
            }
            await applied;
            await lose(lab, each.loses);
          }
          const replicas = steps.at(-1)?.replicas ?? 0;
          await lab.apply(manifest({ image: 'example.com/web:9', replicas, paused: false, loses: 0, surge: 1, restarts: false }));
          await lab.advance(700, 350);
          const pods = lab.list('/pods', 'default');
          const images = pods.map((pod) => (pod['spec'] as { containers: { image: string }[] }).containers[0]?.image);
          assert.deepEqual(
            images,
            Array.from({ length: replicas }, () => 'example.com/web:9'),
          );
          const status = lab.status(collection, 'web');
          assert.deepEqual(
            [status['replicas'] ?? 0, status['availableReplicas'] ?? 0, status['updatedReplicas'] ?? 0],
            [replicas, replicas, replicas],
          );
          const { revision } = lab.store;
          await lab.advance(3600, 1800);
          assert.equal(lab.store.revision, revision, 'quiet afterwards');
        } finally {
          lab.close();
        }
      }),
      { numRuns: Number(process.env['SLUICE_FUZZ'] ?? 15) },
    );
  });
}
