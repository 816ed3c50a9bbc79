import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Instant } from '../std/index.ts';
import type { KubeObject } from '../manifest/index.ts';
import { computeStatus, judge, withPods, type Checked, type HealthStatus } from './index.ts';

const now = Date.parse('2026-01-01T00:01:00Z') as Instant;
const condition = (type: string, status: string, reason = '', message = ''): Record<string, string> => ({ type, status, reason, message });

type Case = { kind: string; spec?: unknown; status?: unknown; metadata?: Record<string, unknown>; want: HealthStatus; message?: string };

const full = { replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2, fullyLabeledReplicas: 2, currentReplicas: 2 };
const available = [condition('Available', 'True'), condition('Progressing', 'True', 'NewReplicaSetAvailable')];
const two = { replicas: 2, progressDeadlineSeconds: 600 };
const daemons = {
  observedGeneration: 1,
  desiredNumberScheduled: 1,
  currentNumberScheduled: 1,
  updatedNumberScheduled: 1,
  numberAvailable: 1,
  numberReady: 1,
};

const CASES: Case[] = [
  { kind: 'v1 ConfigMap', want: 'Current' },
  { kind: 'v1 ConfigMap', metadata: { deletionTimestamp: 'x' }, want: 'Terminating' },
  {
    kind: 'x.io/v1 Thing',
    metadata: { generation: 2 },
    status: { observedGeneration: 1 },
    want: 'InProgress',
    message: 'Thing generation is 2, but latest observed generation is 1',
  },
  {
    kind: 'x.io/v1 Thing',
    status: { conditions: [condition('Ready', 'True'), condition('Reconciling', 'True', 'r', 'busy')] },
    want: 'InProgress',
    message: 'busy',
  },
  { kind: 'x.io/v1 Thing', status: { conditions: [condition('Stalled', 'True', 'r', 'broken')] }, want: 'Failed', message: 'broken' },
  { kind: 'x.io/v1 Thing', status: { conditions: [condition('Ready', 'False', 'r', 'why')] }, want: 'InProgress', message: 'why' },
  { kind: 'x.io/v1 Thing', status: { conditions: [condition('Ready', 'True')] }, want: 'Current' },
  { kind: 'x.io/v1 Thing', status: { conditions: 'nonsense' }, want: 'Current', message: 'Resource is current' },
  {
    kind: 'apps/v1 Deployment',
    spec: two,
    status: { ...full, conditions: available },
    want: 'Current',
    message: 'Deployment is available. Replicas: 2',
  },
  { kind: 'apps/v1 Deployment', spec: { replicas: 2 }, status: { ...full, conditions: [condition('Available', 'True')] }, want: 'Current' },
  {
    kind: 'apps/v1 Deployment',
    spec: two,
    status: { ...full, conditions: [condition('Available', 'True')] },
    want: 'InProgress',
    message: 'ReplicaSet not Available',
  },
  {
    kind: 'apps/v1 Deployment',
    spec: two,
    status: { ...full, conditions: [available[1]] },
    want: 'InProgress',
    message: 'Deployment not Available',
  },
  { kind: 'apps/v1 Deployment', spec: two, status: {}, want: 'InProgress', message: 'Replicas: 0/2' },
  { kind: 'apps/v1 Deployment', spec: two, status: { ...full, updatedReplicas: 1 }, want: 'InProgress', message: 'Updated: 1/2' },
  { kind: 'apps/v1 Deployment', spec: two, status: { ...full, replicas: 3 }, want: 'InProgress', message: 'Pending termination: 1' },
  { kind: 'apps/v1 Deployment', spec: two, status: { ...full, availableReplicas: 1 }, want: 'InProgress', message: 'Available: 1/2' },
  { kind: 'apps/v1 Deployment', spec: two, status: { ...full, readyReplicas: 1 }, want: 'InProgress', message: 'Ready: 1/2' },
  {
    kind: 'apps/v1 Deployment',
    spec: two,
    status: { conditions: [condition('Progressing', 'False', 'ProgressDeadlineExceeded')] },
    want: 'Failed',
    message: 'Progress deadline exceeded',
  },
  { kind: 'apps/v1 StatefulSet', spec: { updateStrategy: { type: 'OnDelete' } }, want: 'Current' },
  { kind: 'apps/v1 StatefulSet', spec: two, status: { ...full, currentRevision: 'a', updateRevision: 'a' }, want: 'Current' },
  {
    kind: 'apps/v1 StatefulSet',
    spec: two,
    status: { ...full, currentRevision: 'a', updateRevision: 'b' },
    want: 'InProgress',
    message: 'Waiting for updated revision to match current',
  },
  { kind: 'apps/v1 StatefulSet', spec: two, status: { ...full, currentReplicas: 1 }, want: 'InProgress', message: 'current: 1/2' },
  {
    kind: 'apps/v1 StatefulSet',
    spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
    status: { ...full, updatedReplicas: 1, currentReplicas: 1 },
    want: 'Current',
  },
  {
    kind: 'apps/v1 StatefulSet',
    spec: { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
    status: { ...full, updatedReplicas: 0 },
    want: 'InProgress',
    message: 'updated: 0/1',
  },
  { kind: 'apps/v1 DaemonSet', metadata: { generation: 1 }, status: daemons, want: 'Current' },
  { kind: 'apps/v1 DaemonSet', status: daemons, want: 'InProgress', message: 'DaemonSet metadata.generation not found' },
  { kind: 'apps/v1 DaemonSet', metadata: { generation: 1 }, want: 'InProgress', message: 'DaemonSet status.observedGeneration not found' },
  {
    kind: 'apps/v1 DaemonSet',
    metadata: { generation: 1 },
    status: { ...daemons, numberReady: 0 },
    want: 'InProgress',
    message: 'Ready: 0/1',
  },
  { kind: 'apps/v1 ReplicaSet', spec: two, status: full, want: 'Current' },
  { kind: 'apps/v1 ReplicaSet', spec: two, status: { ...full, fullyLabeledReplicas: 0 }, want: 'InProgress', message: 'Labelled: 0/2' },
  { kind: 'apps/v1 ReplicaSet', spec: two, status: { ...full, conditions: [condition('ReplicaFailure', 'True')] }, want: 'InProgress' },
  { kind: 'v1 Pod', want: 'InProgress', message: 'Pod phase not available' },
  { kind: 'v1 Pod', status: { phase: 'Succeeded' }, want: 'Current' },
  { kind: 'v1 Pod', status: { phase: 'Failed' }, want: 'Current' },
  { kind: 'v1 Pod', status: { phase: 'Running', conditions: [condition('Ready', 'True')] }, want: 'Current' },
  { kind: 'v1 Pod', status: { phase: 'Running' }, want: 'InProgress' },
  {
    kind: 'v1 Pod',
    status: { phase: 'Running', containerStatuses: [null, { name: 'a', state: { waiting: { reason: 'CrashLoopBackOff' } } }] },
    want: 'Failed',
    message: 'Containers in CrashLoop state: a',
  },
  { kind: 'v1 Pod', status: { phase: 'Pending' }, want: 'InProgress' },
  {
    kind: 'v1 Pod',
    metadata: { creationTimestamp: '2026-01-01T00:00:50Z' },
    status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] },
    want: 'InProgress',
  },
  {
    kind: 'v1 Pod',
    metadata: { creationTimestamp: '2026-01-01T00:00:40Z' },
    status: { phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] },
    want: 'Failed',
  },
  { kind: 'v1 Pod', status: { phase: 'Odd' }, want: 'Unknown' },
  { kind: 'v1 PersistentVolumeClaim', status: { phase: 'Pending' }, want: 'InProgress' },
  { kind: 'v1 PersistentVolumeClaim', status: { phase: 'Bound' }, want: 'Current' },
  { kind: 'v1 Service', spec: {}, want: 'Current' },
  { kind: 'v1 Service', spec: { type: 'LoadBalancer' }, want: 'InProgress' },
  { kind: 'v1 Service', spec: { type: 'LoadBalancer', clusterIP: '10.0.0.1' }, want: 'Current' },
  { kind: 'policy/v1 PodDisruptionBudget', want: 'Current' },
  { kind: 'batch/v1 CronJob', want: 'Current' },
  { kind: 'batch/v1 Job', want: 'InProgress', message: 'Job not started. active: 0/1' },
  {
    kind: 'batch/v1 Job',
    status: { startTime: 't', active: 1 },
    want: 'InProgress',
    message: 'Job in progress. success:0, active: 1, failed: 0',
  },
  { kind: 'batch/v1 Job', spec: { suspend: true }, want: 'Current' },
  {
    kind: 'batch/v1 Job',
    status: { succeeded: 1, conditions: [condition('Complete', 'True')] },
    want: 'Current',
    message: 'Job Completed. succeeded: 1/1',
  },
  {
    kind: 'batch/v1 Job',
    status: { failed: 1, conditions: [condition('Failed', 'True')] },
    want: 'Failed',
    message: 'Job Failed. failed: 1/1',
  },
  { kind: 'apiextensions.k8s.io/v1 CustomResourceDefinition', want: 'InProgress' },
  {
    kind: 'apiextensions.k8s.io/v1 CustomResourceDefinition',
    status: { conditions: [condition('NamesAccepted', 'True'), condition('Established', 'True')] },
    want: 'Current',
  },
  {
    kind: 'apiextensions.k8s.io/v1 CustomResourceDefinition',
    status: { conditions: [condition('NamesAccepted', 'False', 'r', 'taken')] },
    want: 'Failed',
    message: 'taken',
  },
  {
    kind: 'apiextensions.k8s.io/v1 CustomResourceDefinition',
    status: { conditions: [condition('Established', 'False', 'Installing')] },
    want: 'InProgress',
  },
];

function toObject({ kind, spec, status, metadata }: Case): KubeObject {
  const [apiVersion = '', name = ''] = kind.split(' ');
  return {
    apiVersion,
    kind: name,
    metadata: { name: 'x', namespace: 'a', ...metadata },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  };
}

describe('status of one object (kstatus rules, KB82)', () => {
  for (const each of CASES) {
    it(`${each.kind}: ${each.want}${each.message === undefined ? '' : `, ${each.message}`}`, () => {
      const result = computeStatus(toObject(each), { now });
      assert.equal(result.status, each.want);
      if (each.message !== undefined) assert.equal(result.message, each.message);
    });
  }

  it('counts failed Pods against a ReplicaSet or StatefulSet in progress, but not those being deleted or scheduled', () => {
    const pod = (status: unknown, metadata: Record<string, unknown> = {}): KubeObject =>
      toObject({ kind: 'v1 Pod', status, metadata, want: 'Current' });
    const looping = { phase: 'Running', containerStatuses: [{ name: 'a', state: { waiting: { reason: 'CrashLoopBackOff' } } }] };
    const owner = { status: 'InProgress', message: 'Ready: 0/1' } as const;
    assert.deepEqual(withPods(owner, [pod(looping)], { now }), { status: 'Failed', message: '1 pods have failed' });
    assert.equal(withPods(owner, [pod(looping, { deletionTimestamp: 't' })], { now }), owner);
    assert.equal(
      withPods(owner, [pod({ phase: 'Pending', conditions: [condition('PodScheduled', 'False', 'Unschedulable')] })], { now }),
      owner,
    );
    assert.equal(withPods({ status: 'Current', message: '' }, [pod(looping)], { now }).status, 'Current');
  });
});

describe('verdict on a set (KB80, KB81)', () => {
  const checked = (name: string, status: HealthStatus | undefined): Checked => ({
    ref: { group: '', kind: 'Thing', namespace: 'a', name },
    result: status === undefined ? undefined : { status, message: '' },
  });
  const still = { failFast: true, timedOut: false };

  it('waits, ends on the first failure when failing fast, and lists what was not ready in time', () => {
    const mixed = [checked('ok', 'Current'), checked('slow', 'InProgress'), checked('bad', 'Failed')];
    assert.deepEqual(judge([], still), { kind: 'healthy' });
    assert.deepEqual(judge([checked('ok', 'Current')], still), { kind: 'healthy' });
    assert.equal(judge(mixed.slice(0, 2), still).kind, 'waiting');
    assert.deepEqual(judge(mixed, still), {
      kind: 'failed',
      message: "failed early due to stalled resources: [Thing/a/bad status: 'Failed']",
    });
    assert.equal(judge(mixed, { failFast: false, timedOut: false }).kind, 'waiting');
    assert.equal(
      judge([mixed[2] ?? checked('', 'Failed')], { failFast: false, timedOut: false }).kind,
      'failed',
      'nothing left to wait for',
    );
    assert.deepEqual(judge([...mixed, checked('lost', undefined)], { failFast: false, timedOut: true }), {
      kind: 'failed',
      message:
        "timeout waiting for: [Thing/a/slow status: 'InProgress', Thing/a/bad status: 'Failed', can't determine status for Thing/a/lost]",
    });
  });

  it('KB82 takes a Job with a time to live that vanished for done', () => {
    assert.equal(judge([{ ...checked('job', 'NotFound'), vanishes: true }], still).kind, 'healthy');
    assert.equal(judge([checked('job', 'NotFound')], still).kind, 'waiting');
  });
});
