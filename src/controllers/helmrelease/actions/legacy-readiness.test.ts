import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeObject } from '../../../manifest/index.ts';
import { legacyHookReadiness, legacyReadiness } from './legacy-readiness.ts';

function object(apiVersion: string, kind: string, spec: unknown, status: unknown, generation = 1): KubeObject {
  return { apiVersion, kind, metadata: { name: 'x', namespace: 'n', generation }, spec, status };
}

const done = { type: 'Complete', status: 'True' };
const rolling = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } };

/** Cases of Helm's ready.go. */
const CASES: readonly [string, KubeObject, 'ready' | 'waiting' | 'failed'][] = [
  ['a Pod that is Ready', object('v1', 'Pod', {}, { conditions: [{ type: 'Ready', status: 'True' }] }), 'ready'],
  ['a Pod without conditions', object('v1', 'Pod', {}, {}), 'waiting'],
  ['a bound claim', object('v1', 'PersistentVolumeClaim', {}, { phase: 'Bound' }), 'ready'],
  ['a pending claim', object('v1', 'PersistentVolumeClaim', {}, { phase: 'Pending' }), 'waiting'],
  ['a Service without address', object('v1', 'Service', { type: 'ClusterIP' }, {}), 'waiting'],
  ['an external name', object('v1', 'Service', { type: 'ExternalName' }, {}), 'ready'],
  ['a balancer that has no ingress', object('v1', 'Service', { type: 'LoadBalancer', clusterIP: '1' }, { loadBalancer: {} }), 'waiting'],
  [
    'a balancer with external addresses',
    object('v1', 'Service', { type: 'LoadBalancer', clusterIP: '1', externalIPs: ['2'] }, {}),
    'ready',
  ],
  ['a paused Deployment', object('apps/v1', 'Deployment', { paused: true }, {}), 'ready'],
  ['a Deployment nobody has looked at', object('apps/v1', 'Deployment', { replicas: 1 }, { observedGeneration: 0 }), 'waiting'],
  [
    'a Deployment with as many new Pods as it needs',
    object(
      'apps/v1',
      'Deployment',
      { replicas: 4, strategy: rolling },
      { observedGeneration: 1, replicas: 4, updatedReplicas: 4, readyReplicas: 3 },
    ),
    'ready',
  ],
  [
    'a Deployment whose ready Pods are the old ones',
    object(
      'apps/v1',
      'Deployment',
      { replicas: 4, strategy: rolling },
      { observedGeneration: 1, replicas: 5, updatedReplicas: 1, readyReplicas: 4 },
    ),
    'waiting',
  ],
  ['a Deployment of none', object('apps/v1', 'Deployment', { replicas: 0, strategy: rolling }, { observedGeneration: 1 }), 'ready'],
  [
    'a DaemonSet that lacks a Pod within what may lack',
    object(
      'apps/v1',
      'DaemonSet',
      { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } } },
      { observedGeneration: 1, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberReady: 2 },
    ),
    'ready',
  ],
  [
    'a StatefulSet on its way',
    object(
      'apps/v1',
      'StatefulSet',
      { replicas: 2, updateStrategy: { type: 'RollingUpdate' } },
      { observedGeneration: 1, updatedReplicas: 1, readyReplicas: 2 },
    ),
    'waiting',
  ],
  [
    'a StatefulSet rolled out to its partition',
    object(
      'apps/v1',
      'StatefulSet',
      { replicas: 2, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } },
      { observedGeneration: 1, updatedReplicas: 1, readyReplicas: 2, currentRevision: 'a', updateRevision: 'b' },
    ),
    'ready',
  ],
  ['a Job with failures beyond its limit', object('batch/v1', 'Job', { backoffLimit: 1, completions: 1 }, { failed: 2 }), 'failed'],
  ['a Job that is not complete', object('batch/v1', 'Job', { backoffLimit: 1, completions: 2 }, { succeeded: 1 }), 'waiting'],
  ['anything else', object('v1', 'ConfigMap', undefined, undefined), 'ready'],
];

describe('legacy readiness (HB54)', () => {
  for (const [name, subject, want] of CASES) {
    it(`${name} is ${want}`, () => assert.equal(legacyReadiness(subject, { jobs: true }).kind, want));
  }

  it('does not look at Jobs unless it is to', () => {
    assert.equal(legacyReadiness(object('batch/v1', 'Job', { backoffLimit: 0 }, { failed: 9 }), { jobs: false }).kind, 'ready');
  });

  it('waits for hooks that are Jobs and Pods', () => {
    assert.deepEqual(legacyHookReadiness(object('batch/v1', 'Job', {}, { conditions: [done] })), { kind: 'ready' });
    const failed = { type: 'Failed', status: 'True', reason: 'BackoffLimitExceeded' };
    assert.deepEqual(legacyHookReadiness(object('batch/v1', 'Job', {}, { conditions: [failed] })), {
      kind: 'failed',
      message: 'job x failed: BackoffLimitExceeded',
    });
    assert.deepEqual(legacyHookReadiness(object('v1', 'Pod', {}, { phase: 'Failed' })), { kind: 'failed', message: 'pod x failed' });
    assert.equal(legacyHookReadiness(object('v1', 'Pod', {}, { phase: 'Running' })).kind, 'waiting');
    assert.equal(legacyHookReadiness(object('v1', 'ConfigMap', {}, {})).kind, 'ready');
  });
});
