// A process killed at its nth request of an install, an upgrade and an uninstall, before it is sent or with its answer lost: after a restart
// the release converges, and nothing is left behind.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HelmReleaseStatus } from '../../src/api/index.ts';
import { createKubeClient, loadClusterConfig, nodeHost, type ClusterConfig, type Identity, type KubeClient } from '../../src/kube/index.ts';
import { milliseconds, seconds, sleep, systemClock } from '../../src/std/index.ts';
import { chart, HR, release, revisions, said, waitFor } from './helmrelease-lab.ts';
import { CONFIG_MAP, DEPLOYMENT, Lab, OCI, until } from './kustomization-lab.ts';

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'apply', 'patch', 'patchStatus', 'delete']);
const CALLS: ReadonlySet<string> = new Set([...WRITES, 'get', 'find', 'list', 'raw']);

/** Writes of a release's life to die at. */
const LAST_WRITE = 12;
/** With fewer rounds every nth write is tried, `before` and `after` in turns. */
const STEP = Math.max(1, Math.ceil(LAST_WRITE / Number(process.env['SLUICE_CRASH_ROUNDS'] ?? LAST_WRITE)));

/** When a process dies: at which write, before it is sent or after. */
type Death = { at: number; when: 'before' | 'after'; count: number; dead: boolean };

/** A client of a process that dies: from then on nothing is sent any more. */
function mortal(client: KubeClient, death: Death): KubeClient {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      const call = value.bind(target) as (...args: unknown[]) => unknown;
      if (name === 'impersonate') return (identity: Identity) => mortal(target.impersonate(identity), death);
      if (typeof name !== 'string' || !CALLS.has(name)) return call;
      return async (...args: unknown[]) => {
        if (death.dead) throw new Error('killed');
        const dies = WRITES.has(name) && ++death.count === death.at;
        if (dies) death.dead = true;
        if (dies && death.when === 'before') throw new Error('killed');
        const answer = await call(...args);
        if (death.dead) throw new Error('killed');
        return answer;
      };
    },
  });
}

describe('a HelmRelease survives kill -9 at every request', { timeout: 900_000 }, () => {
  let lab: Lab;
  let config: ClusterConfig;
  const overrides: { kube?: KubeClient; requeueDependency: ReturnType<typeof seconds> } = { requeueDependency: seconds(1) };

  before(async () => {
    const path = process.env['SLUICE_KUBECONFIG'] ?? '';
    config = await loadClusterConfig(nodeHost, { kubeconfig: path });
    lab = await Lab.open('release-crash', overrides);
    await lab.push('app', chart());
    await lab.source('app', 'app');
    await lab.ready(OCI, 'app');
    await lab.stop();
  });
  after(async () => {
    await lab.remove(OCI, 'app').catch(() => undefined);
    await lab.close();
  });

  /** Whether a HelmRelease is Ready as its spec is now, and nothing is under way. */
  async function isReady(name: string): Promise<boolean> {
    const object = await lab.find(HR, name);
    const status = (object?.['status'] ?? {}) as HelmReleaseStatus;
    const isObserved = status.observedGeneration === object?.metadata['generation'];
    return isObserved && said(status, 'Ready').startsWith('True') && said(status, 'Reconciling') === '';
  }

  /** Runs a change under a process that dies, then under one that lives. Gives false when the first had nothing to die of. */
  async function withDeath(
    at: number,
    when: Death['when'],
    change: () => Promise<unknown>,
    done: () => Promise<boolean>,
  ): Promise<boolean> {
    const death: Death = { at, when, count: 0, dead: false };
    const client = createKubeClient(config, { userAgent: 'mortal' });
    overrides.kube = mortal(client, death);
    await lab.start();
    await change();
    await until('dead or done', async () => death.dead || (await done()));
    if (!death.dead) await sleep(systemClock, milliseconds(200));
    const died = death.dead;
    death.dead = true;
    await lab.stop();
    await client.close();
    delete overrides.kube;
    await lab.start();
    return died;
  }

  for (const when of ['before', 'after'] as const) {
    test(`${when} the request is sent`, async (t) => {
      let kills = 0;
      for (let at = when === 'before' ? 1 : STEP; at <= LAST_WRITE; at += STEP) {
        const name = `r-${when}-${at}`;
        const label = `${name}: killed ${when} write ${at}`;
        const ready = async (version: string): Promise<boolean> => {
          const map = (await lab.find(CONFIG_MAP, name))?.['data'] as { message?: string } | undefined;
          return map?.message === version && (await isReady(name));
        };
        const values = (message: string): Record<string, unknown> => ({ values: { message, replicas: 0 }, interval: '10m' });
        if (
          await withDeath(
            at,
            when,
            () => release(lab, name, values('one'), 'app'),
            () => ready('one'),
          )
        )
          kills++;
        await until(`${label}, installed`, () => ready('one'));
        assert.equal((await revisions(lab, name)).filter((line) => line.endsWith('deployed')).length, 1, label);
        await lab.stop();
        if (
          await withDeath(
            at,
            when,
            () => release(lab, name, values('two'), 'app'),
            () => ready('two'),
          )
        )
          kills++;
        await until(`${label}, upgraded`, () => ready('two'));
        const { history } = await waitFor(lab, name, `${label}, noted`, () => true);
        assert.equal(history?.[0]?.status, 'deployed', label);
        const last = (await revisions(lab, name)).at(-1);
        assert.match(last ?? '', /deployed$/, label);
        await lab.stop();
        const gone = async (): Promise<boolean> => (await lab.find(HR, name)) === undefined;
        const remove = (): Promise<unknown> => lab.kube.delete({ ...HR, name, namespace: lab.namespace });
        if (await withDeath(at, when, remove, gone)) kills++;
        await until(`${label}, gone`, gone);
        assert.deepEqual(await revisions(lab, name), [], label);
        await until(
          `${label}, its objects are gone`,
          async () => (await lab.find(CONFIG_MAP, name)) === undefined && (await lab.find(DEPLOYMENT, name)) === undefined,
        );
        await lab.stop();
      }
      t.diagnostic(`${kills} kills`);
      assert.ok(kills >= 15 / STEP, `${kills} kills`);
    });
  }
});
