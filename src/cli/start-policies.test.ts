import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KubeError, type Informer, type KubeClient, type KubeErrorCode } from '../kube/index.ts';
import { ConfigReader, createMetrics, parseFeatureGates, silentLogger } from '../runtime/index.ts';
import { systemClock } from '../std/index.ts';
import type { ControllersOptions } from './start-controllers.ts';
import { startPolicies } from './start-policies.ts';

type World = { synced: boolean; error?: KubeErrorCode; definition?: 'there' | KubeErrorCode; asked: number };

/** Of a cluster, what is asked at the start: the list of policies, and whether their definition is there. */
function known(world: World, signal: AbortSignal): Promise<void> {
  const kube = {
    informer: (kind: Informer['kind']) => ({
      kind,
      get synced() {
        return world.synced;
      },
      get lastError() {
        return world.error === undefined ? undefined : new KubeError({ code: world.error, message: world.error });
      },
      subscribe: () => () => {},
      release: () => {},
    }),
    find: async () => {
      world.asked++;
      if (world.definition === 'there') return { apiVersion: 'v1', kind: 'x', metadata: { name: 'x' } };
      if (world.definition !== undefined) throw new KubeError({ code: world.definition, message: world.definition });
      return undefined;
    },
  } as unknown as KubeClient;
  const options = {
    kube,
    clock: systemClock,
    random: Math.random,
    log: silentLogger,
    metrics: createMetrics({ processMetrics: false }),
    concurrency: 1,
    gates: parseFeatureGates(''),
    intervalJitter: 0,
  } as unknown as ControllersOptions;
  return startPolicies(options, new ConfigReader(kube, systemClock), () => assert.fail('no object is looked at')).known(signal);
}

describe('which policies there are is known before anything is fetched', () => {
  const settled = async (world: World, milliseconds = 300): Promise<boolean> => {
    const stop = new AbortController();
    const done = known(world, stop.signal).then(
      () => true,
      () => false,
    );
    const late = new Promise<boolean>((resolve) => setTimeout(resolve, milliseconds, false));
    const result = await Promise.race([done, late]);
    stop.abort();
    await done;
    return result;
  };

  test('when they are listed', async () => assert.equal(await settled({ synced: true, asked: 0 }), true));

  test('when their kinds are not installed, which is not taken from discovery alone', async () => {
    const world: World = { synced: false, error: 'NoMatch', asked: 0 };
    assert.equal(await settled(world), true);
    assert.equal(world.asked, 2);
    assert.equal(await settled({ synced: false, error: 'NoMatch', definition: 'there', asked: 0 }), false, 'discovery lags behind');
    assert.equal(await settled({ synced: false, error: 'NoMatch', definition: 'Unavailable', asked: 0 }), false, 'nobody knows');
    assert.equal(await settled({ synced: false, error: 'NoMatch', definition: 'Forbidden', asked: 0 }), true, 'an older installation');
  });

  test('never when they cannot be listed', async () => {
    for (const error of ['Forbidden', 'Unavailable', 'Timeout'] as const)
      assert.equal(await settled({ synced: false, error, asked: 0 }), false, error);
  });

  test('later, when the API server answers at last', async () => {
    const world: World = { synced: false, error: 'Unavailable', asked: 0 };
    setTimeout(() => (world.synced = true), 100);
    assert.equal(await settled(world, 2000), true);
  });
});
