// RefreshingRoot over the real TUF client, its cache on disk and a repository that goes away: what the caller's `load` is meant to be.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { initTUF } from '@sigstore/tuf';
import { FakeClock, minutes } from '../../std/index.ts';
import { FakeSigstore } from '../testing/sigstore.ts';
import { UpdateRepository } from '../testing/update-repository.ts';
import { publicGoodRoot } from './public-good.ts';
import { RefreshingRoot } from './refreshing-root.ts';

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'sluice-tuf-'));
const repository = new UpdateRepository();
let mirrorURL = '';

before(async () => {
  mirrorURL = await repository.listen();
  writeFileSync(join(folder, 'root.json'), repository.root());
});
after(async () => {
  await repository.close();
  rmSync(folder, { recursive: true });
});

function lab(clock: FakeClock, errors: string[], forceCache: boolean): RefreshingRoot {
  const options = { cachePath: join(folder, 'cache'), rootPath: join(folder, 'root.json'), mirrorURL, forceCache, retry: 0, timeout: 2000 };
  const load = async (): Promise<Buffer> => Buffer.from(await (await initTUF(options)).getTarget('trusted_root.json'));
  const onError = (message: string): number => errors.push(message);
  return new RefreshingRoot({ initial: publicGoodRoot(), load, clock, every: minutes(60), retryAfter: minutes(1), onError });
}

test('OB14: the root comes through TUF, is cached, and survives an outage and a restart without network', async () => {
  const clock = new FakeClock();
  const errors: string[] = [];
  const [first, second] = [new FakeSigstore(new Date()), new FakeSigstore(new Date())];
  const logOf = (root: { material: { tlogs: { logID: Buffer }[] } }): string | undefined => root.material.tlogs[0]?.logID.toString('hex');

  repository.publish('trusted_root.json', first.trustedRoot());
  const root = lab(clock, errors, false);
  assert.equal(root.current(signal), publicGoodRoot());
  assert.equal(logOf(await root.refreshed(signal)), first.rekor1.id.toString('hex'), errors.join());

  repository.publish('trusted_root.json', second.trustedRoot());
  clock.advance(minutes(61));
  assert.equal(logOf(await root.refreshed(signal)), second.rekor1.id.toString('hex'), 'keys rotated');

  await repository.close();
  clock.advance(minutes(61));
  assert.equal(logOf(await root.refreshed(signal)), second.rekor1.id.toString('hex'), 'the last one stays');
  assert.equal(errors.length, 1);

  const asked = repository.requests.length;
  const restarted = lab(clock, errors, true);
  assert.equal(logOf(await restarted.refreshed(signal)), second.rekor1.id.toString('hex'), 'from the cache');
  assert.equal(repository.requests.length, asked);
});
