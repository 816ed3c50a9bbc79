import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { seconds } from '../std/index.ts';
import { createKubeClient } from './connect.ts';
import { LeaderElection } from './lease.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';
import { fastClock } from './testing/fast-clock.ts';
import type { KubeClient } from './kube-client.ts';

describe('leader election', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  const clock = fastClock(100);

  beforeEach(async () => {
    server = new FakeApiServer();
    const config = { server: await server.start(), namespace: 'default', tls: {}, credential: { kind: 'none' } } as const;
    client = createKubeClient(config, { clock });
  });
  afterEach(async () => {
    await client.close();
    await server.stop();
  });

  function candidate(identity: string, releaseOnStop = true): LeaderElection {
    const timing = { leaseDuration: seconds(35), renewDeadline: seconds(30), retryPeriod: seconds(5) };
    return new LeaderElection({
      client,
      namespace: 'default',
      name: 'election',
      identity,
      ...timing,
      releaseOnStop,
      clock,
      random: () => 0,
    });
  }

  const holder = async (): Promise<string> => {
    const lease = await client.get({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace: 'default', name: 'election' });
    return String((lease['spec'] as Record<string, unknown>)['holderIdentity']);
  };

  it('lets one lead; a released lease is taken at once', async () => {
    const order: string[] = [];
    const [stopA, stopB] = [new AbortController(), new AbortController()];
    const a = candidate('a').run((signal) => work('a', order, signal), stopA.signal);
    await until(() => order.includes('a leads'));
    const b = candidate('b').run((signal) => work('b', order, signal), stopB.signal);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(order, ['a leads']);
    assert.equal(await holder(), 'a');
    stopA.abort();
    assert.equal(await a, 'stopped');
    await until(() => order.includes('b leads'));
    assert.deepEqual(order, ['a leads', 'a stops', 'b leads']);
    stopB.abort();
    await b;
  });

  it('takes over from a leader that died, after its lease ran out', async () => {
    const order: string[] = [];
    const stop = new AbortController();
    await client.create({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'election', namespace: 'default' },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 35, renewTime: '2020-01-01T00:00:00.000000Z', leaseTransitions: 3 },
    });
    const started = clock.now();
    const run = candidate('b').run((signal) => work('b', order, signal), stop.signal);
    await until(() => order.includes('b leads'));
    assert.ok(clock.now() - started >= 35_000, 'an old renewTime on another clock proves nothing: the whole duration is waited');
    assert.equal(await holder(), 'b');
    stop.abort();
    await run;
  });

  it('steps down when it cannot renew in time, and when another took the lease', async () => {
    const order: string[] = [];
    const stop = new AbortController();
    const run = candidate('a').run((signal) => work('a', order, signal), stop.signal);
    await until(() => order.includes('a leads'));
    server.fail(({ path }) => path.includes('/leases'), { kind: 'drop' }, 1000);
    assert.equal(await run, 'lost');
    assert.deepEqual(order, ['a leads', 'a stops']);
  });
});

async function work(name: string, order: string[], signal: AbortSignal): Promise<void> {
  order.push(`${name} leads`);
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  order.push(`${name} stops`);
}

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > end) throw new Error('timed out');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
