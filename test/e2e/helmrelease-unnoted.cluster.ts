// A process killed at its nth request of a first install, which no status has noted yet; the HelmRelease is deleted before the restart.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HelmReleaseStatus } from '../../src/api/index.ts';
import { createKubeClient, loadClusterConfig, nodeHost, type ClusterConfig, type Identity, type KubeClient } from '../../src/kube/index.ts';
import { milliseconds, seconds, sleep, systemClock } from '../../src/std/index.ts';
import { chart, HR, release, revisions, said } from './helmrelease-lab.ts';
import { CONFIG_MAP, DEPLOYMENT, Lab, OCI, until } from './kustomization-lab.ts';

const WRITES: ReadonlySet<string> = new Set(['create', 'update', 'apply', 'patch', 'patchStatus', 'delete']);
const CALLS: ReadonlySet<string> = new Set([...WRITES, 'get', 'find', 'list', 'raw']);

/** Writes of an install: finalizer, record, three objects, record, status. */
const INSTALL_WRITES = 7;

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

describe('a HelmRelease deleted in the middle of its first install', { timeout: 300_000 }, () => {
  let lab: Lab;
  let config: ClusterConfig;
  const overrides: { kube?: KubeClient; requeueDependency: ReturnType<typeof seconds> } = { requeueDependency: seconds(1) };

  before(async () => {
    const path = process.env['SLUICE_KUBECONFIG'] ?? '';
    config = await loadClusterConfig(nodeHost, { kubeconfig: path });
    lab = await Lab.open('release-unnoted', overrides);
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
    meanwhile: () => Promise<unknown> = async () => {},
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
    await meanwhile();
    await lab.start();
    return died;
  }

  test('HB10, HB64: one deleted before the restart leaves nothing of an install nobody noted', async (t) => {
    let kills = 0;
    const present = async (name: string): Promise<boolean> => (await lab.find(HR, name)) !== undefined;
    await lab.stop();
    for (const when of ['before', 'after'] as const) {
      for (let at = 1; at <= INSTALL_WRITES; at++) {
        const name = `d-${when}-${at}`;
        const label = `${name}: killed ${when} write ${at}`;
        const died = await withDeath(
          at,
          when,
          () => release(lab, name, { values: { replicas: 0 } }, 'app'),
          () => isReady(name),
          () => lab.kube.delete({ ...HR, name, namespace: lab.namespace }),
        );
        if (died) kills++;
        await until(`${label}, gone`, async () => !(await present(name)));
        assert.deepEqual(await revisions(lab, name), [], label);
        await until(
          `${label}, its objects are gone`,
          async () => (await lab.find(CONFIG_MAP, name)) === undefined && (await lab.find(DEPLOYMENT, name)) === undefined,
        );
        await lab.stop();
      }
    }
    t.diagnostic(`${kills} kills`);
    assert.ok(kills >= 2 * (INSTALL_WRITES - 2), `${kills} kills`);
  });
});
