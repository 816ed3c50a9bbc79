import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reference, RegistryClient } from '../../oci/index.ts';
import { digestOf, FakeClock, milliseconds, type Digest, type Instant } from '../../std/index.ts';
import { Resolver } from './resolver.ts';

const REFERENCE: Reference = { registry: 'r.test', path: 'app', tag: 'latest' };
const signal = new AbortController().signal;
const asking = (resolver: Resolver, key: string, access: string, client: RegistryClient, notBefore: Instant): Promise<Digest> =>
  resolver.resolve(key, REFERENCE, { access, client, notBefore, signal });

/** A registry whose answers the test gives, one for each question. */
function registry(): { client: RegistryClient; asked: number; answer: (content: string) => void; refuse: () => void } {
  const waiting: { resolve: (value: { digest: Digest }) => void; reject: (error: Error) => void }[] = [];
  const state = {
    asked: 0,
    answer: (content: string) => waiting.shift()?.resolve({ digest: digestOf(content) }),
    refuse: () => waiting.shift()?.reject(new Error('refused')),
    client: {
      resolve: () => {
        state.asked++;
        return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
      },
    } as unknown as RegistryClient,
  };
  return state;
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('those who were asked for before the question was sent share its answer', async () => {
  const clock = new FakeClock();
  const source = registry();
  const resolver = new Resolver(clock, () => {});
  const enqueued = clock.now();
  clock.advance(milliseconds(5));
  const ask = (key: string, access = 'me'): Promise<Digest> => asking(resolver, key, access, source.client, enqueued);
  const all = [ask('ns/a'), ask('ns/b'), ask('ns/c')];
  await tick();
  source.answer('one');
  assert.deepEqual(new Set(await Promise.all(all)), new Set([digestOf('one')]));
  assert.equal(await ask('ns/d'), digestOf('one'));
  assert.equal(source.asked, 1);
});

test('who was asked for after the question was sent asks again', async () => {
  const clock = new FakeClock();
  const source = registry();
  const resolver = new Resolver(clock, () => {});
  const early = asking(resolver, 'ns/a', 'me', source.client, clock.now());
  clock.advance(milliseconds(1));
  const late = asking(resolver, 'ns/b', 'me', source.client, clock.now());
  await tick();
  assert.equal(source.asked, 1, 'never two questions at once');
  source.answer('old');
  assert.equal(await early, digestOf('old'));
  await tick();
  assert.equal(source.asked, 2);
  source.answer('new');
  assert.equal(await late, digestOf('new'));
});

test('other credentials do not share; a failure is only for who asked', async () => {
  const clock = new FakeClock();
  const source = registry();
  const resolver = new Resolver(clock, () => {});
  const mine = asking(resolver, 'ns/a', 'me', source.client, clock.now());
  const yours = asking(resolver, 'ns/b', 'you', source.client, clock.now());
  const also = asking(resolver, 'ns/c', 'me', source.client, clock.now());
  await tick();
  assert.equal(source.asked, 2);
  source.refuse();
  await assert.rejects(mine, /refused/);
  source.answer('one');
  assert.equal(await yours, digestOf('one'));
  await tick();
  source.answer('two');
  assert.equal(await also, digestOf('two'));
});

test('when a tag is seen to move everybody who follows it is told, once', async () => {
  const clock = new FakeClock();
  const source = registry();
  const moved: string[] = [];
  const resolver = new Resolver(clock, (key) => moved.push(key));
  const ask = async (key: string, content: string, notBefore: Instant = clock.now()): Promise<void> => {
    const answer = asking(resolver, key, 'me', source.client, notBefore);
    await tick();
    source.answer(content);
    await answer;
  };
  await ask('ns/a', 'one');
  await ask('ns/b', 'one', 0 as Instant);
  await ask('ns/c', 'one', 0 as Instant);
  resolver.forget('ns/c');
  clock.advance(milliseconds(1000));
  await ask('ns/a', 'two');
  assert.deepEqual(moved, ['ns/b']);
});

test('OB10: one tag list serves all who select by version', async () => {
  const clock = new FakeClock();
  let asked = 0;
  const client = {
    listTags: async () => {
      asked++;
      return ['1.0.0', '1.1.0'];
    },
  } as unknown as RegistryClient;
  const resolver = new Resolver(clock, () => {});
  const ask = (access: string, notBefore: Instant): Promise<readonly string[]> =>
    resolver.tags(REFERENCE, { access, client, notBefore, signal });
  const enqueued = clock.now();
  await Promise.all(Array.from({ length: 1000 }, () => ask('me', enqueued)));
  assert.equal(asked, 1);
  await ask('you', enqueued);
  assert.equal(asked, 2, 'others may see other tags');
  clock.advance(milliseconds(60_000));
  await Promise.all([ask('me', clock.now()), ask('me', clock.now())]);
  assert.equal(asked, 3);
});
