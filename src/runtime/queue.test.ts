import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, milliseconds } from '../std/index.ts';
import { KeyQueue } from './queue.ts';

test('changes go before periodic work, and a change lifts a key that waits as periodic', async () => {
  const queue = new KeyQueue(new FakeClock());
  queue.add('a', 'start');
  queue.add('b', 'interval');
  queue.add('c', 'changed');
  queue.add('b', 'source');
  const order = [await queue.take(), await queue.take(), await queue.take()];
  assert.deepEqual(
    order.map((item) => item?.key),
    ['c', 'b', 'a'],
  );
  assert.deepEqual([...(order[1]?.triggers ?? [])], ['interval', 'source']);
});

test('a key is in the queue once and is never worked on twice at the same time', async () => {
  const queue = new KeyQueue(new FakeClock());
  queue.add('a', 'changed');
  queue.add('a', 'changed');
  await queue.take();
  queue.add('a', 'source');
  assert.equal(queue.depth, 0);
  let taken = false;
  const next = queue.take().then((item) => {
    taken = true;
    return item;
  });
  await Promise.resolve();
  assert.equal(taken, false);
  queue.done('a');
  assert.deepEqual([...((await next)?.triggers ?? [])], ['source']);
});

test('of several delays the earliest counts, and it can be cancelled', async () => {
  const clock = new FakeClock();
  const queue = new KeyQueue(clock);
  queue.addAfter('a', milliseconds(100), 'interval');
  queue.addAfter('a', milliseconds(50), 'retry');
  queue.addAfter('a', milliseconds(80), 'interval');
  queue.addAfter('b', milliseconds(10), 'interval');
  queue.cancelDelay('b');
  clock.advance(milliseconds(49));
  assert.equal(queue.depth, 0);
  clock.advance(milliseconds(1));
  assert.equal(queue.depth, 1);
  clock.advance(milliseconds(1000));
  assert.deepEqual([...((await queue.take())?.triggers ?? [])], ['retry']);
  assert.equal(queue.depth, 0);
});

test('closing gives every taker undefined', async () => {
  const queue = new KeyQueue(new FakeClock());
  const taker = queue.take();
  queue.close();
  assert.equal(await taker, undefined);
  assert.equal(await queue.take(), undefined);
});
