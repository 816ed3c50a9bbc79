// Drift of releases that are applied client-side: seen by watches as that of server-side ones, put right in milliseconds, and for nothing while
// nothing changes.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { milliseconds, sleep, systemClock } from '../../src/std/index.ts';
import { chart, HR, release, revisions } from './helmrelease-lab.ts';
import { CONFIG_MAP, Lab, OCI, until } from './kustomization-lab.ts';

const NAME = 'csa';

describe('drift of a client-side release', { timeout: 120_000 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.open('release-drift');
    await lab.push(NAME, chart());
    await lab.source(NAME, NAME);
    await release(lab, NAME, {
      interval: '1s',
      install: { serverSideApply: false },
      driftDetection: { mode: 'enabled' },
      values: { replicas: 0 },
    });
    await lab.ready(HR, NAME);
    await lab.settled();
  });
  after(async () => {
    await lab.remove(HR, NAME);
    await lab.remove(OCI, NAME);
    await lab.close();
  });

  const data = async (): Promise<Record<string, string>> => ((await lab.find(CONFIG_MAP, NAME))?.['data'] ?? {}) as Record<string, string>;

  test('HB59: intervals that find everything as released send nothing', async () => {
    lab.forget();
    await sleep(systemClock, milliseconds(4000));
    assert.deepEqual(lab.counts(), {});
  });

  test('HB36 HB59: what somebody changed is put right at once', async (t) => {
    for (let round = 1; round <= 3; round++) {
      const from = performance.now();
      await lab.patch(CONFIG_MAP, NAME, { data: { message: `changed ${round}` } });
      await until('it is as released', async () => (await data())['message'] === 'hello', 5000);
      t.diagnostic(`${(performance.now() - from).toFixed(0)} ms`);
    }
    await lab.kube.delete({ ...CONFIG_MAP, name: NAME, namespace: lab.namespace });
    await until('it is there again', async () => (await data())['message'] === 'hello', 5000);
    assert.deepEqual(await revisions(lab, NAME), ['1 deployed']);
  });

  test('HB59: what somebody added beside it stays, and costs one look', async () => {
    await lab.settled();
    lab.forget();
    await lab.patch(CONFIG_MAP, NAME, { data: { theirs: 'yes' } });
    await sleep(systemClock, milliseconds(4000));
    assert.deepEqual(lab.counts(), { 'apply configmaps dry-run': 1, 'get configmaps': 1 });
    assert.equal((await data())['theirs'], 'yes');
  });
});
