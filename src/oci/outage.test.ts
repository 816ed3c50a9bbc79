import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { FakeClock, milliseconds, seconds, systemClock } from '../std/index.ts';
import { createRegistryClient } from './client.ts';
import type { RegistryAccess, RegistryClient, RegistryClientsOptions, RegistryRequestEvent } from './client-types.ts';
import { isRegistryError } from './errors.ts';
import { pushArtifact } from './flux-artifact.ts';
import { parseMirror } from './mirror.ts';
import { FaultPlan } from './registry/faults.ts';
import { startRegistry, type RunningRegistry } from './registry/server.ts';
import { memoryStore } from './registry/store.ts';

const signal = (timeout = 20_000): AbortSignal => AbortSignal.timeout(timeout);

describe('mirrors of an access', () => {
  const faults = new FaultPlan();
  const copyFaults = new FaultPlan();
  const events: RegistryRequestEvent[] = [];
  let home: RunningRegistry;
  let copy: RunningRegistry;
  let digest: string;
  const layer = Buffer.from('the layer');
  const open = (options: Partial<RegistryClientsOptions & RegistryAccess> = {}): RegistryClient & { close(): Promise<void> } =>
    createRegistryClient({
      clock: systemClock,
      random: () => 0,
      limits: { attempts: 1 },
      onRequest: (event) => events.push(event),
      ownMirrors: [parseMirror(`http://${copy.host}/cache`)],
      ...options,
    });
  const push = async (registry: string, path: string, bytes: Buffer): Promise<string> => {
    const own = createRegistryClient({ clock: systemClock, random: () => 0 });
    const descriptor = await pushArtifact(own, { registry, path, tag: 'v1' }, { layer: bytes }, signal());
    await own.close();
    return descriptor.digest;
  };

  before(async () => {
    home = await startRegistry({ store: memoryStore(), clock: systemClock, faults });
    copy = await startRegistry({ store: memoryStore(), clock: systemClock, faults: copyFaults });
    digest = await push(home.host, 'app', layer);
    await push(copy.host, 'cache/app', layer);
  });
  after(async () => {
    await home.close();
    await copy.close();
  });
  beforeEach(() => {
    faults.clear();
    copyFaults.clear();
    events.length = 0;
  });
  const toMirror = (): number => events.filter(({ registry }) => registry === copy.host).length;

  test('nobody asks a mirror while the registry answers', async () => {
    const own = open();
    const reference = { registry: home.host, path: 'app', tag: 'v1' };
    assert.equal((await own.resolve(reference, signal(), digest as never)).digest, digest);
    const { manifest } = await own.fetchImage(reference, signal());
    await own.readBlob(reference, manifest.layers[0] ?? manifest.config, 100, signal());
    assert.equal(toMirror(), 0);
    await own.close();
  });

  test('while the registry is out of order, content named by its digest comes from the mirror', async () => {
    const own = open();
    const reference = { registry: home.host, path: 'app', digest: digest as never };
    faults.add(() => true, { kind: 'status', status: 503 });
    const { manifest } = await own.fetchImage(reference, signal());
    assert.deepEqual(Buffer.from(await own.readBlob(reference, manifest.layers[0] ?? manifest.config, 100, signal())), layer);
    const asked = events.filter(({ registry, url }) => registry === home.host && !url.endsWith('/v2/')).length;
    assert.equal(asked, 1, 'a registry that was found out of order is asked last for a while');
    await own.close();
  });

  test('a mirror says where a tag is only when it agrees with what is known', async () => {
    const own = open();
    const reference = { registry: home.host, path: 'app', tag: 'v1' };
    faults.add(() => true, { kind: 'drop' });
    assert.equal((await own.resolve(reference, signal(), digest as never)).digest, digest);
    await assert.rejects(own.resolve(reference, signal()), (error) => isRegistryError(error, 'RegistryUnavailable'));
    const other = `sha256:${'0'.repeat(64)}`;
    await assert.rejects(own.resolve(reference, signal(), other as never), (error: Error) => {
      assert.ok(isRegistryError(error, 'RegistryUnavailable'), error.message);
      assert.match(error.message, new RegExp(`; mirror ${copy.host}: it has ${digest}, want ${other} as before$`));
      return true;
    });
    await own.close();
  });

  test('a registry that says no is the truth: no mirror is asked', async () => {
    const own = open();
    const reference = { registry: home.host, path: 'app', tag: 'gone' };
    await assert.rejects(own.resolve(reference, signal(), digest as never), (error) => isRegistryError(error, 'NotFound'));
    await assert.rejects(own.listTags({ registry: home.host, path: 'nowhere' }, signal()), (error) => isRegistryError(error, 'NotFound'));
    assert.equal(toMirror(), 0);
    await own.close();
  });

  test('what a mirror gives is checked, and both failures are said', async () => {
    const own = open();
    const reference = { registry: home.host, path: 'app', digest: digest as never };
    faults.add(() => true, { kind: 'status', status: 503 });
    copyFaults.add(() => true, { kind: 'corrupt' });
    await assert.rejects(own.fetchManifest(reference, signal()), (error: Error) => {
      assert.ok(isRegistryError(error, 'RegistryUnavailable'), error.message);
      assert.match(error.message, /answered 503.*; mirror .*digest mismatch/);
      return true;
    });
    await own.close();
  });

  test('a registry that never answers leaves time for the mirror', async () => {
    const own = open({ limits: { attempts: 1, idle: milliseconds(300) } });
    faults.add(() => true, { kind: 'silent' });
    const reference = { registry: home.host, path: 'app', digest: digest as never };
    assert.equal((await own.fetchManifest(reference, signal(5000))).descriptor.digest, digest);
    await own.close();
  });
});

test('a registry that is silent about a tag leaves time for its mirror', async (t) => {
  const faults = new FaultPlan();
  const home = await startRegistry({ store: memoryStore(), clock: systemClock, faults });
  const copy = await startRegistry({ store: memoryStore(), clock: systemClock });
  const clock = new FakeClock();
  const pusher = createRegistryClient({ clock: systemClock, random: () => 0 });
  const own = createRegistryClient({ clock, random: () => 0, ownMirrors: [parseMirror(`http://${copy.host}`)] });
  t.after(async () => {
    await pusher.close();
    await own.close();
    await home.close();
    await copy.close();
  });
  const { digest } = await pushArtifact(pusher, { registry: copy.host, path: 'app', tag: 'v1' }, { layer: Buffer.from('x') }, signal());
  faults.add(({ path }) => path.includes('/manifests/'), { kind: 'silent' });
  const found = own.resolve({ registry: home.host, path: 'app', tag: 'v1' }, signal(), digest);
  while (!faults.seen.some(({ path }) => path.includes('/manifests/'))) await new Promise((resolve) => setTimeout(resolve, 10));
  clock.advance(seconds(11));
  assert.equal((await found).digest, digest);
});

describe('what ran out of time', () => {
  test('says what went wrong last', async (t) => {
    const faults = new FaultPlan();
    const registry = await startRegistry({ store: memoryStore(), clock: systemClock, faults });
    const own = createRegistryClient({ clock: systemClock, random: () => 0.5, limits: { attempts: 50 } });
    t.after(async () => {
      await own.close();
      await registry.close();
    });
    faults.add(() => true, { kind: 'status', status: 503, body: '{"errors":[{"code":"UNAVAILABLE","message":"migrating"}]}' });
    await assert.rejects(own.resolve({ registry: registry.host, path: 'app', tag: 'v1' }, signal(700)), (error: Error) => {
      assert.ok(isRegistryError(error, 'Timeout'));
      assert.match(error.message, /: no answer in time; before that: registry answered 503/);
      return true;
    });
  });
});

describe('an upload in pieces', () => {
  for (const kind of ['drop', 'status'] as const) {
    test(`goes on where the registry is (${kind})`, async (t) => {
      const faults = new FaultPlan();
      const registry = await startRegistry({ store: memoryStore(), clock: systemClock, faults });
      const own = createRegistryClient({ clock: systemClock, random: () => 0, limits: { attempts: 1 } });
      t.after(async () => {
        await own.close();
        await registry.close();
      });
      const bytes = Buffer.alloc(300_000, 'x');
      let patches = 0;
      // Every other piece is lost before the registry has taken it.
      const lost = kind === 'drop' ? ({ kind } as const) : ({ kind, status: 416 } as const);
      faults.add(({ method }) => method === 'PATCH' && patches++ % 2 === 1, lost);
      const blob = { mediaType: 'application/octet-stream', bytes };
      const repository = { registry: registry.host, path: 'app' };
      const descriptor = await own.pushBlob(repository, blob, signal(), { chunkBytes: 70_000 });
      assert.deepEqual(Buffer.from(await own.readBlob(repository, descriptor, bytes.length, signal())), bytes);
      assert.equal(faults.seen.filter(({ method }) => method === 'POST').length, 1, 'the upload was never started over');
    });
  }
});
