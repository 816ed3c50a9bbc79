import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  backoffDelay,
  bounded,
  compareUtf8,
  Digester,
  digestOf,
  FakeClock,
  isDigest,
  Lru,
  milliseconds,
  parseDigest,
  readBounded,
  redact,
  seconds,
  sleep,
} from './index.ts';

async function* chunks(...sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const size of sizes) yield await Promise.resolve(new Uint8Array(size));
}

test('parseDigest() accepts registered algorithms only, with lower-case hex of the right length', () => {
  const digest = digestOf('hello');
  assert.equal(parseDigest(digest), 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
  assert.ok(isDigest(digestOf('x', 'sha512')));
  for (const bad of [
    '',
    'sha256:',
    'sha256:ABC',
    'md5:d41d8cd98f00b204e9800998ecf8427e',
    digest.toUpperCase(),
    `${digest}0`,
    digest.slice(0, -1),
  ]) {
    assert.throws(() => parseDigest(bad), { code: 'DigestInvalid' }, bad);
    assert.ok(!isDigest(bad), bad);
  }
});

test('Digester gives the digest of the whole, however it is cut', () => {
  const digester = new Digester();
  for (const part of ['hel', '', 'lo']) digester.update(Buffer.from(part));
  assert.equal(digester.digest(), digestOf('hello'));
});

test('bounded() and readBounded() stop at the limit and say what was read', async () => {
  assert.equal((await readBounded(chunks(3, 4), 7, 'x')).length, 7);
  await assert.rejects(readBounded(chunks(3, 5), 7, 'layer "a"'), { code: 'LimitExceeded', message: 'read layer "a": more than 7 bytes' });
  let seen = 0;
  await assert.rejects(async () => {
    for await (const chunk of bounded(chunks(4, 4, 4), 9, 'x')) seen += chunk.length;
  });
  assert.equal(seen, 8);
});

test('redact() takes credentials out and leaves the rest', () => {
  assert.equal(
    redact('GET https://me:pw@host/x?a=1&X-Amz-Signature=abc gave 401'),
    'GET https://***@host/x?a=1&X-Amz-Signature=*** gave 401',
  );
  assert.equal(redact('header Bearer abcdefghijkl refused'), 'header Bearer *** refused');
});

test('Lru keeps the most recently used within its capacity', () => {
  const lru = new Lru<string, number>(2);
  lru.set('a', 1);
  lru.set('b', 2);
  lru.get('a');
  lru.set('c', 3);
  assert.deepEqual([lru.get('a'), lru.get('b'), lru.get('c')], [1, undefined, 3]);
  const weighed = new Lru<string, number>(10, (value) => value);
  weighed.set('big', 20);
  assert.equal(weighed.get('big'), 20, 'one entry may exceed the capacity');
  weighed.set('small', 1);
  assert.deepEqual([weighed.get('big'), weighed.size], [undefined, 1]);
});

test('compareUtf8() orders as the bytes do', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: 'grapheme' }),
      (a, b) => Math.sign(compareUtf8(a, b)) === Buffer.compare(Buffer.from(a), Buffer.from(b)),
    ),
  );
  assert.ok(compareUtf8('\u{1f600}', '\uffee') > 0);
});

test('FakeClock runs timers in order and sleep() ends early on abort', async () => {
  const clock = new FakeClock(0);
  const order: string[] = [];
  clock.after(seconds(2), () => order.push('b'));
  clock.after(seconds(1), () => order.push('a'));
  clock.after(seconds(3), () => order.push('c'))();
  clock.advance(seconds(5));
  assert.deepEqual(order, ['a', 'b']);
  const abort = new AbortController();
  const nap = sleep(clock, seconds(60), abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(nap, { message: 'enough' });
});

test('backoffDelay() doubles up to the maximum', () => {
  const backoff = { base: milliseconds(750), max: milliseconds(900_000), factor: 2, jitter: 0 };
  assert.deepEqual(
    [0, 1, 2, 60].map((n) => backoffDelay(backoff, n, () => 0)),
    [750, 1500, 3000, 900_000],
  );
});

test('redacting takes time linear in the text, whatever a stranger wrote', () => {
  const hostile = [
    'a'.repeat(200_000),
    `?${'key'.repeat(60_000)}`,
    'http://'.repeat(30_000),
    `bearer ${' '.repeat(200_000)}`,
    'basic '.repeat(30_000),
  ];
  const started = performance.now();
  for (const text of hostile) redact(text);
  assert.ok(performance.now() - started < 3000, 'it took seconds');
});
