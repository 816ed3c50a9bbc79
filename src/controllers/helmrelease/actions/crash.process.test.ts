import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { clusterConfig, nodeHost, parseKubeconfig, type KubeClient } from '../../../kube/index.ts';
import { startSandbox, type Sandbox } from '../../../sandbox/index.ts';
import { milliseconds } from '../../../std/index.ts';
import type { ActionResult } from './action.ts';
import { chartOf, ReleaseWorld, TestedRelease } from './testing/release-world.ts';
import { unlockRelease } from './unlock.ts';

const CALLS = ['get', 'find', 'list', 'create', 'update', 'apply', 'patch', 'delete'] as const;

/** A client of a process that is killed at its nth request: before it is sent, or after, with the answer lost. */
function mortal(client: KubeClient, dies: number, when: 'before' | 'after'): { client: KubeClient; sent: () => number } {
  let count = 0;
  const proxy = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => unknown;
      if (!CALLS.includes(name as never)) return call;
      return async (...args: unknown[]) => {
        count++;
        if (count > dies || (count === dies && when === 'before')) throw new Error('killed');
        const answer = await call(...args);
        if (count === dies) throw new Error('killed');
        return answer;
      };
    },
  });
  return { client: proxy, sent: () => count };
}

const CONFIG =
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config}\ndata:\n  colour: {{ .Values.colour | default "blue" }}\n' +
  '{{- range $key, $value := pick .Values "extra" "other" }}\n  {{ $key }}: {{ $value }}\n{{- end }}\n';
const OLD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: old}\n';
const NEW = 'apiVersion: v1\nkind: Secret\nmetadata: {name: new}\n';
const HOOK = [
  'apiVersion: batch/v1',
  'kind: Job',
  'metadata: {name: migrate, annotations: {helm.sh/hook: "pre-install,pre-upgrade,pre-rollback,pre-delete"}}',
  'spec:',
  '  template: {spec: {restartPolicy: Never, containers: [{name: main, image: "job:1"}]}}',
  '',
].join('\n');
const FIRST = chartOf({ 'templates/config.yaml': CONFIG, 'templates/old.yaml': OLD, 'templates/hook.yaml': HOOK });
const SECOND = chartOf({ 'templates/config.yaml': CONFIG, 'templates/new.yaml': NEW, 'templates/hook.yaml': HOOK }, '2.0.0');

/** A release whose process is killed. */
class DyingRelease extends TestedRelease {
  constructor(world: ReleaseWorld, of: TestedRelease, client: KubeClient) {
    super(Object.create(world, { client: { value: client } }) as ReleaseWorld, of.name, of.namespace);
  }
}

describe('a process killed between any two requests', () => {
  let sandbox: Sandbox;
  let world: ReleaseWorld;
  before(async () => {
    sandbox = await startSandbox({ podStart: milliseconds(2) });
    world = new ReleaseWorld(await clusterConfig(parseKubeconfig(sandbox.kubeconfig), nodeHost));
    await world.client.mapper.all();
  });
  after(async () => {
    await world.close();
    await sandbox.close();
  });

  /** What a controller does with a release until it is as wanted. */
  async function converge(release: TestedRelease, chart: typeof FIRST, serverSide = true): Promise<void> {
    release.memory = new Map();
    await unlockRelease(release.context());
    const last = (await release.history()).at(-1);
    const done = last === undefined ? await release.install(chart, {}, { serverSideApply: serverSide }) : await release.upgrade(chart);
    assert.equal(done.kind, 'succeeded', JSON.stringify([done, release.trace]));
  }

  /**
   * Kills an action at each of its requests in turn; gives how many there were. To die after a request is to die before the next one, so every
   * other one is died of both ways.
   */
  async function killAtEach(
    prepare: (release: TestedRelease) => Promise<unknown>,
    action: (release: TestedRelease) => Promise<ActionResult>,
    check: (release: TestedRelease) => Promise<void>,
  ): Promise<number> {
    for (let at = 1; ; at += 2) {
      for (const when of ['before', 'after'] as const) {
        const release = await world.release();
        await prepare(release);
        const { client, sent } = mortal(world.client, at, when);
        const result = await action(new DyingRelease(world, release, client));
        if (sent() < at) {
          assert.equal(result.kind, 'succeeded', JSON.stringify(result));
          return sent();
        }
        assert.notEqual(result.kind, 'canceled');
        await check(release);
        await assertCleanRemoval(release);
      }
    }
  }

  async function assertCleanRemoval(release: TestedRelease): Promise<void> {
    assert.equal((await release.uninstall()).kind, 'succeeded');
    assert.deepEqual(await release.objects('ConfigMap', 'Secret'), []);
    assert.deepEqual(await release.history(), []);
  }

  it('HB31 install: the next start goes on, nothing is left behind', async () => {
    const requests = await killAtEach(
      async () => {},
      (release) => release.install(FIRST),
      async (release) => {
        await converge(release, SECOND);
        assert.deepEqual(await release.objects('ConfigMap', 'Secret'), ['ConfigMap/config', 'Secret/new']);
      },
    );
    assert.ok(requests >= 7, String(requests));
  });

  it('HB31 install: begun again as an install, with what is wanted by now', async () => {
    await killAtEach(
      async () => {},
      (release) => release.install(FIRST),
      async (release) => {
        release.memory = new Map();
        await unlockRelease(release.context());
        const last = (await release.history()).at(-1);
        const done =
          last?.status === 'deployed' ? await release.upgrade(SECOND) : await release.install(SECOND, {}, { replace: last !== undefined });
        assert.equal(done.kind, 'succeeded', JSON.stringify([done, release.trace]));
        assert.deepEqual(await release.objects('ConfigMap', 'Secret'), ['ConfigMap/config', 'Secret/new']);
        const statuses = (await release.history()).map(({ status }) => status);
        assert.deepEqual(statuses, last === undefined ? ['deployed'] : ['superseded', 'deployed']);
      },
    );
  });

  it('HB31 upgrade: what the dead attempt added or had still to remove is not forgotten', async () => {
    const requests = await killAtEach(
      (release) => release.install(FIRST),
      (release) => release.upgrade(SECOND, { colour: 'red' }),
      async (release) => {
        await converge(release, FIRST);
        assert.deepEqual(await release.objects('ConfigMap', 'Secret'), ['ConfigMap/config', 'ConfigMap/old']);
        assert.deepEqual((await release.find('v1', 'ConfigMap', 'config'))?.['data'], { colour: 'blue' });
      },
    );
    assert.ok(requests >= 9, String(requests));
  });

  it('HB31 upgrade, client-side: what the dead attempt had changed is put back', async () => {
    const requests = await killAtEach(
      (release) => release.install(FIRST, { extra: 'x' }, { serverSideApply: false }),
      (release) => release.upgrade(SECOND, { colour: 'red', other: 'z' }),
      async (release) => {
        await converge(release, FIRST, false);
        assert.deepEqual(await release.objects('ConfigMap', 'Secret'), ['ConfigMap/config', 'ConfigMap/old']);
        assert.deepEqual((await release.find('v1', 'ConfigMap', 'config'))?.['data'], { colour: 'blue' });
        assert.equal((await release.history()).at(-1)?.applyMethod, 'csa');
      },
    );
    assert.ok(requests >= 9, String(requests));
  });

  it('HB52 rollback: goes on from where it died', async () => {
    await killAtEach(
      async (release) => {
        await release.install(FIRST);
        await release.upgrade(SECOND, { colour: 'red' });
      },
      (release) => release.rollback(1),
      async (release) => {
        await converge(release, SECOND);
        assert.deepEqual(await release.objects('ConfigMap', 'Secret'), ['ConfigMap/config', 'Secret/new']);
      },
    );
  });

  it('HB53 uninstall: is ended by the next attempt', async () => {
    await killAtEach(
      (release) => release.install(FIRST),
      (release) => release.uninstall(),
      async () => {},
    );
  });

  it('HB11 a process that is told to stop leaves nothing pending', async () => {
    for (let at = 1; ; at++) {
      const release = await world.release();
      await release.install(FIRST);
      const stopping = new AbortController();
      let count = 0;
      const client = new Proxy(world.client, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          const call = value.bind(target) as (...args: unknown[]) => unknown;
          return (...args: unknown[]) => {
            if (CALLS.includes(name as never) && ++count === at) stopping.abort();
            return call(...args);
          };
        },
      });
      const stopped = Object.assign(new DyingRelease(world, release, client), { signal: stopping.signal });
      const result = await stopped.upgrade(SECOND, { colour: 'red' });
      if (count < at) {
        assert.equal(result.kind, 'succeeded');
        break;
      }
      assert.ok(result.kind === 'canceled' || (result.kind === 'succeeded' && count === at), JSON.stringify(result));
      const statuses = (await release.history()).map(({ status }) => status);
      assert.ok(!statuses.some((status) => status.startsWith('pending')), `request ${at}: ${statuses.join()}`);
      await converge(release, FIRST);
      assert.deepEqual(await release.objects('ConfigMap', 'Secret'), ['ConfigMap/config', 'ConfigMap/old']);
    }
  });

  it('never two runs of a hook at once', async () => {
    const release = await world.release();
    const slow = chartOf({
      'templates/hook.yaml': HOOK.replace('{spec: {restart', '{metadata: {annotations: {sandbox.sluice.dev/delay: 60s}}, spec: {restart'),
    });
    const dying = await release.beginInstall(slow);
    assert.equal(dying.kind, 'waiting');
    // The process is gone; its Job still runs. The next one must not start beside it.
    const pods = async (): Promise<string[]> => {
      const { items } = await world.client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: release.namespace });
      return items.map(({ metadata }) => metadata.uid ?? '');
    };
    for (let tries = 0; (await pods()).length === 0 && tries < 100; tries++) await new Promise((resolve) => setTimeout(resolve, 10));
    const pending = await pods();
    assert.equal(pending.length, 1);
    await unlockRelease(release.context());
    const next = await release.beginUpgrade(FIRST);
    const during = await pods();
    assert.ok(during.length <= 1, 'two Pods of the hook at once');
    assert.equal((await release.finish(next)).kind, 'succeeded');
    if (dying.kind === 'waiting') await dying.cancel('test is over');
  });
});
