import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { seconds } from '../../std/index.ts';
import { type Lab, openLab } from './testing/lab.ts';

type State = { state: { waiting?: { reason: string; message: string }; terminated?: { exitCode: number } }; restartCount: number };

describe('pods', () => {
  let lab: Lab;
  beforeEach(() => {
    lab = openLab();
  });
  afterEach(() => lab.close());
  const pod = async (image: string, spec = '', annotations = ''): Promise<void> =>
    await lab.apply(
      `{apiVersion: v1, kind: Pod, metadata: {name: p, annotations: {${annotations}}}, spec: {${spec} containers: [{name: c, image: "${image}"}]}}`,
    );
  const phase = (): unknown => lab.status('/pods', 'p')['phase'];
  const container = (): State | undefined => (lab.status('/pods', 'p')['containerStatuses'] as State[])[0];
  const ready = (): string => lab.condition('/pods', 'p', 'Ready').split(':')[0] ?? '';

  it('run and are ready', async () => {
    await pod('example.com/a:1');
    assert.deepEqual([phase(), ready()], ['Running', 'True undefined']);
    assert.match(String(lab.status('/pods', 'p')['podIP']), /^10\.244\./);
  });

  it('named after what becomes of them do that', async () => {
    await pod('sandbox.sluice.dev/pending:1');
    assert.deepEqual([phase(), ready()], ['Pending', 'False ContainersNotReady']);
    assert.deepEqual(container()?.state.waiting, {
      reason: 'ImagePullBackOff',
      message: 'Back-off pulling image "sandbox.sluice.dev/pending:1"',
    });
  });

  it('annotated with what becomes of them do that', async () => {
    await pod('example.com/a:1', '', 'sandbox.sluice.dev/fate: unschedulable');
    assert.deepEqual(
      [phase(), lab.condition('/pods', 'p', 'PodScheduled')],
      ['Pending', 'False Unschedulable: 0/1 nodes are available: 1 node(s) were told so.'],
    );
  });

  it('that fail end by their restart policy: Failed, or CrashLoopBackOff', async () => {
    await pod('sandbox.sluice.dev/fail:1', 'restartPolicy: Never,');
    assert.deepEqual([phase(), container()?.state.terminated?.exitCode, ready()], ['Failed', 1, 'False PodFailed']);
    lab.ask('DELETE', '/api/v1/namespaces/default/pods/p?gracePeriodSeconds=0');
    await pod('sandbox.sluice.dev/fail:1');
    assert.deepEqual([phase(), container()?.state.waiting?.reason, container()?.restartCount], ['Running', 'CrashLoopBackOff', 5]);
  });

  it('that crash restart after back-offs that double', async () => {
    lab.close();
    lab = openLab({ backoff: seconds(10) });
    await pod('sandbox.sluice.dev/crash:1');
    const counts: (number | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      counts.push(container()?.restartCount);
      await lab.advance(10);
    }
    assert.deepEqual(counts, [1, 2, 2, 3, 3, 3, 3, 4]);
    assert.match(container()?.state.waiting?.message ?? '', /^back-off 1m20s restarting failed container=c pod=p_default\(/);
    await lab.advance(3600, 60);
    assert.match(container()?.state.waiting?.message ?? '', /^back-off 5m0s /);
  });

  it('that are done are Succeeded, unless they restart', async () => {
    await pod('example.com/a:1', 'restartPolicy: OnFailure,');
    assert.deepEqual([phase(), ready()], ['Succeeded', 'False PodCompleted']);
  });

  it('are held back by their delay', async () => {
    await pod('example.com/a:1', '', 'sandbox.sluice.dev/delay: 5s');
    assert.equal(phase(), 'Pending');
    await lab.advance(5);
    assert.equal(phase(), 'Running');
  });

  it('wait for scheduling gates and readiness gates', async () => {
    await pod('example.com/a:1', 'schedulingGates: [{name: g}], readinessGates: [{conditionType: example.com/open}],');
    assert.match(lab.condition('/pods', 'p', 'PodScheduled'), /^False SchedulingGated/);
    lab.ask('PATCH', '/api/v1/namespaces/default/pods/p', { spec: { schedulingGates: null } }, 'application/merge-patch+json');
    await lab.settle();
    assert.deepEqual([phase(), ready()], ['Running', 'False ReadinessGatesNotReady']);
    const status = { conditions: [{ type: 'example.com/open', status: 'True' }] };
    lab.ask('PATCH', '/api/v1/namespaces/default/pods/p/status', { status }, 'application/strategic-merge-patch+json');
    await lab.settle();
    assert.equal(ready(), 'True undefined');
  });

  it('fail when they are active longer than activeDeadlineSeconds', async () => {
    await pod('example.com/a:1', 'activeDeadlineSeconds: 30,');
    await lab.advance(30);
    assert.deepEqual([phase(), lab.status('/pods', 'p')['reason']], ['Failed', 'DeadlineExceeded']);
  });

  it('follow a new image in place', async () => {
    await pod('example.com/a:1');
    await pod('sandbox.sluice.dev/hang:1');
    assert.deepEqual([phase(), ready()], ['Running', 'False ContainersNotReady']);
  });
});
