import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, milliseconds, type Instant } from '../std/index.ts';
import { ControllerRunner, createMetrics, silentLogger, type Outcome, type Trigger, type Wait } from './index.ts';

type Step = (triggers: ReadonlySet<Trigger>) => Promise<Outcome> | Outcome;

function harness(step: Step, concurrency = 2): { runner: ControllerRunner; clock: FakeClock; settle: () => Promise<void> } {
  const clock = new FakeClock();
  const runner = new ControllerRunner({
    controller: { name: 'kustomization', group: 'g', kind: 'Kustomization', reconcile: async (_key, context) => step(context.triggers) },
    clock,
    random: () => 0,
    log: silentLogger,
    metrics: createMetrics({ processMetrics: false }),
    concurrency,
    backoff: { base: milliseconds(750), max: milliseconds(900_000), factor: 2, jitter: 0 },
  });
  runner.start();
  return { runner, clock, settle: () => new Promise((resolve) => setImmediate(resolve)) };
}

/** A wait whose waker the test holds. */
function gate(): Wait & { open: () => void; subscribed: number } {
  const wait = {
    what: 'a gate',
    subscribed: 0,
    open: () => {},
    subscribe: (wake: () => void) => {
      wait.subscribed++;
      wait.open = wake;
      return () => {
        wait.subscribed--;
      };
    },
  };
  return wait;
}

test('C11: done with a time comes back when it is over', async () => {
  const seen: string[] = [];
  const { runner, clock, settle } = harness((triggers) => {
    seen.push([...triggers].join());
    return { kind: 'done', requeueAfter: milliseconds(1000) };
  });
  runner.enqueue('ns/a', 'changed');
  await settle();
  clock.advance(milliseconds(1000));
  await settle();
  assert.deepEqual(seen, ['changed', 'interval']);
  await runner.stop();
});

test('what throws is tried again, each time later', async () => {
  const at: number[] = [];
  const { runner, clock, settle } = harness(() => {
    at.push(clock.now());
    throw new Error('no connection');
  });
  const start = clock.now();
  runner.enqueue('ns/a', 'changed');
  for (let i = 0; i < 40; i++) {
    await settle();
    clock.advance(milliseconds(250));
  }
  assert.deepEqual(
    at.map((instant) => instant - start),
    [0, 750, 2250, 5250],
  );
  await runner.stop();
});

test('a wait holds no worker and goes on when it is woken', async () => {
  const wait = gate();
  const steps: string[] = [];
  const { runner, clock, settle } = harness((triggers) => {
    if (!triggers.has('changed')) return { kind: 'done' };
    return {
      kind: 'waiting',
      on: wait,
      deadline: (clock.now() + 5000) as Instant,
      resume: async (cause) => {
        steps.push(cause);
        return { kind: 'done' };
      },
    };
  }, 1);
  runner.enqueue('ns/a', 'changed');
  await settle();
  assert.equal(runner.isWaiting('ns/a'), true);
  runner.enqueue('ns/b', 'drift');
  await settle();
  assert.deepEqual(steps, []);
  wait.open();
  await settle();
  assert.deepEqual(steps, ['woken']);
  assert.equal(wait.subscribed, 0);
  await runner.stop();
});

test('KB13: a newer revision ends a wait at once; drift and dependencies do not', async () => {
  const wait = gate();
  const steps: string[] = [];
  const { runner, clock, settle } = harness((triggers) => {
    steps.push(`reconcile ${[...triggers].join()}`);
    if (triggers.has('source')) return { kind: 'done' };
    const waiting = (): Outcome => ({
      kind: 'waiting',
      on: wait,
      deadline: (clock.now() + 5000) as Instant,
      resume: async (cause, context) => {
        steps.push(`${cause} ${[...context.triggers].join()}`);
        return waiting();
      },
      superseded: async (trigger) => {
        steps.push(`superseded ${trigger}`);
      },
    });
    return waiting();
  });
  runner.enqueue('ns/a', 'changed');
  await settle();
  runner.enqueue('ns/a', 'drift');
  await settle();
  runner.enqueue('ns/a', 'source');
  await settle();
  assert.deepEqual(steps, ['reconcile changed', 'woken drift', 'superseded source', 'reconcile source']);
  assert.equal(wait.subscribed, 0);
  await runner.stop();
});

test('a wait ends at its deadline', async () => {
  const wait = gate();
  const causes: string[] = [];
  const { runner, clock, settle } = harness(() => ({
    kind: 'waiting',
    on: wait,
    deadline: (clock.now() + 5000) as Instant,
    resume: async (cause) => {
      causes.push(cause);
      return { kind: 'done' };
    },
  }));
  runner.enqueue('ns/a', 'changed');
  await settle();
  clock.advance(milliseconds(5000));
  await settle();
  assert.deepEqual(causes, ['deadline']);
  await runner.stop();
});

test('stopping takes no more work and waits for what is under way', async () => {
  let finish = (): void => {};
  let ended = false;
  const { runner, settle } = harness(async () => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    ended = true;
    return { kind: 'done' };
  });
  runner.enqueue('ns/a', 'changed');
  await settle();
  const stopped = runner.stop();
  runner.enqueue('ns/b', 'changed');
  await settle();
  assert.equal(ended, false);
  finish();
  await stopped;
  assert.equal(ended, true);
});
