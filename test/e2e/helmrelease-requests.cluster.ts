// How many requests a release costs: an install, an upgrade, a revision that changes nothing of it, and doing nothing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chart, HR, release, said, waitFor } from './helmrelease-lab.ts';
import { DEPLOYMENT, Lab, OCI, until } from './kustomization-lab.ts';

const total = (counts: Record<string, number>): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

describe('requests of one release', { timeout: 300_000 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await Lab.open('release-requests');
    // The first release of a process also pays for watches and discovery; an earlier one has paid.
    await lab.push('warm', chart());
    await lab.source('warm', 'warm');
    await release(lab, 'warm', { driftDetection: { mode: 'enabled' } });
    await lab.ready(HR, 'warm');
    await lab.settled();
  });
  after(async () => {
    for (const name of ['app', 'warm', 'idle']) {
      if ((await lab.find(HR, name)) !== undefined) await lab.remove(HR, name);
      if ((await lab.find(OCI, name)) !== undefined) await lab.remove(OCI, name);
    }
    await lab.close();
  });

  test('an install of three objects takes at most 14 with its source', async (t) => {
    await lab.push('app', chart());
    lab.forget();
    await lab.source('app', 'app');
    await release(lab, 'app');
    await lab.ready(HR, 'app');
    await lab.settled();
    const counts = lab.counts();
    t.diagnostic(JSON.stringify({ total: total(counts), ...counts }));
    assert.equal(lab.requests.filter(({ verb }) => verb === 'list').length, 0);
    assert.ok((counts['patch helmreleases/status'] ?? 0) <= 2, JSON.stringify(counts));
    assert.ok(total(counts) <= 14, JSON.stringify(counts));
  });

  test('changed values cost what changes, two records, statuses and an event', async (t) => {
    lab.forget();
    await release(lab, 'app', { values: { message: 'bye' } });
    await waitFor(lab, 'app', 'upgraded', ({ history }) => history?.[0]?.version === 2);
    await lab.settled();
    const counts = lab.counts();
    t.diagnostic(JSON.stringify({ total: total(counts), ...counts }));
    assert.ok(total(counts) <= 9, JSON.stringify(counts));
  });

  test('HB41: without a word in the spec a failed release is tried again by itself, and heals', async () => {
    await lab.push('heals', chart());
    await lab.source('heals', 'heals');
    await release(lab, 'heals', { timeout: '1s', values: { fate: 'unready' } });
    const status = await waitFor(lab, 'heals', 'waits for its retry', (it) => said(it, 'Reconciling') === 'True ProgressingWithRetry');
    assert.equal(said(status, 'Ready'), 'False InstallFailed');
    assert.equal(said(status, 'Stalled'), '');
    const message = status.conditions?.find(({ type }) => type === 'Reconciling')?.message;
    assert.equal(message, 'retrying after 10s');
    await lab.patch(DEPLOYMENT, 'heals', { spec: { template: { metadata: { annotations: { 'control-plane.test/fate': null } } } } });
    await waitFor(lab, 'heals', 'tried again', ({ history }) => (history?.[0]?.version ?? 0) >= 2, 40_000);
    await lab.remove(HR, 'heals');
    await lab.remove(OCI, 'heals');
  });

  test('intervals that find everything as released send nothing to the API server', async () => {
    await lab.push('idle', chart());
    await lab.source('idle', 'idle');
    await release(lab, 'idle', { interval: '1s', driftDetection: { mode: 'enabled' } });
    await lab.ready(HR, 'idle');
    await lab.settled();
    lab.forget();
    const started = Date.now();
    await until('five seconds', async () => Date.now() - started > 5000);
    assert.deepEqual(lab.counts(), {});
  });
});
