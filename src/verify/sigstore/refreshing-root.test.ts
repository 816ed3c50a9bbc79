import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, minutes } from '../../std/index.ts';
import { FakeSigstore } from '../testing/sigstore.ts';
import { RefreshingRoot } from './refreshing-root.ts';
import { parseTrustedRoot } from './trusted-root.ts';

const { signal } = new AbortController();

function lab(load: () => Promise<Uint8Array>): {
  root: RefreshingRoot;
  clock: FakeClock;
  errors: string[];
  initial: ReturnType<typeof parseTrustedRoot>;
} {
  const clock = new FakeClock();
  const errors: string[] = [];
  const initial = parseTrustedRoot(new FakeSigstore(new Date()).trustedRoot(), 'public-good');
  const root = new RefreshingRoot({
    initial,
    load,
    clock,
    every: minutes(60),
    retryAfter: minutes(1),
    onError: (message) => errors.push(message),
  });
  return { root, clock, errors, initial };
}

test('OB14: it starts offline with the embedded root, and takes the new one when it comes', async () => {
  const newer = new FakeSigstore(new Date()).trustedRoot();
  let loads = 0;
  const { root, clock, initial } = lab(async () => {
    loads++;
    return await Promise.resolve(newer);
  });
  assert.equal(root.current(signal), initial, 'does not wait');
  const refreshed = await root.refreshed(signal);
  assert.notEqual(refreshed, initial);
  assert.equal(root.current(signal), refreshed);
  assert.equal(loads, 1, 'asked once, though two asked');
  clock.advance(minutes(61));
  root.current(signal);
  await root.refreshed(signal);
  assert.equal(loads, 2);
});

test('an outage keeps the last root, is told, and is not asked again at once', async () => {
  let loads = 0;
  const { root, clock, errors, initial } = lab(async () => {
    loads++;
    return await Promise.reject(new Error('no route to host'));
  });
  assert.equal(await root.refreshed(signal), initial);
  assert.equal(await root.refreshed(signal), initial);
  assert.equal(loads, 1);
  assert.match(errors.join(), /refresh trusted root "public-good": no route to host; the last one stays in use/);
  clock.advance(minutes(2));
  await root.refreshed(signal);
  assert.equal(loads, 2);
});

test('a root that cannot be read does not replace a good one', async () => {
  const { root, errors, initial } = lab(async () => await Promise.resolve(Buffer.from('{}')));
  assert.equal(await root.refreshed(signal), initial);
  assert.match(errors.join(), /media type/);
});
