import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { corpus } from '../../../../test/corpus.ts';
import { loadClusterConfig, nodeHost } from '../../../kube/index.ts';
import { chartCases, liveThrough, type ChartLife } from './testing/chart-life.ts';
import { ReleaseWorld } from './testing/release-world.ts';

const kubeconfig = process.env['SLUICE_KUBECONFIG'];
const charts = corpus('helm');
const skip = kubeconfig === undefined ? 'SLUICE_KUBECONFIG is not set' : charts === undefined ? 'there is no corpus' : false;

/** All that render by themselves are about 250. */
const COUNT = Number(process.env['SLUICE_CHARTS'] ?? 40);
const AT_ONCE = 4;

describe('real charts', { skip }, () => {
  it(`${COUNT} are installed, upgraded, rolled back and removed, and leave nothing behind`, async (context) => {
    const world = new ReleaseWorld(await loadClusterConfig(nodeHost, { kubeconfig: kubeconfig ?? '' }));
    try {
      await world.client.mapper.all();
      const queue = chartCases(charts ?? '', COUNT);
      const lives: ChartLife[] = [];
      const worker = async (): Promise<void> => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) lives.push(await liveThrough(next, world));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      const of = (outcome: ChartLife['outcome']): ChartLife[] => lives.filter((life) => life.outcome === outcome);
      context.diagnostic(`${of('lived').length} lived, ${of('needs').length} need what this cluster has not`);
      assert.deepEqual(
        of('failed').map(({ name, detail }) => `${name}: ${detail}`),
        [],
      );
      assert.ok(of('lived').length >= COUNT / 2);
    } finally {
      await world.close();
    }
  });
});
