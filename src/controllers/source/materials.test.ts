import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  createRegistryClient,
  FaultPlan,
  memoryStore,
  parseReference,
  parseRepository,
  pushArtifact,
  startRegistry,
  type RegistryClient,
  type RegistryRequestEvent,
  type RunningRegistry,
} from '../../oci/index.ts';
import { systemClock, type Digest } from '../../std/index.ts';
import { Materials } from './materials.ts';

const { signal } = new AbortController();

describe('the signatures of a digest', () => {
  const faults = new FaultPlan();
  const requests: RegistryRequestEvent[] = [];
  let registry: RunningRegistry;
  let client: RegistryClient & { close(): Promise<void> };
  let digest: Digest;
  const materials = (): Materials => new Materials(client, parseRepository(`${registry.host}/app`), digest, signal);
  const count = async (list: AsyncIterable<unknown>): Promise<number> => {
    let seen = 0;
    for await (const _ of list) seen++;
    return seen;
  };
  before(async () => {
    registry = await startRegistry({ store: memoryStore(), clock: systemClock, faults });
    const limits = { attempts: 1 };
    client = createRegistryClient({
      insecure: true,
      clock: systemClock,
      random: Math.random,
      limits,
      onRequest: (event) => requests.push(event),
    });
    ({ digest } = await pushArtifact(client, parseReference(`${registry.host}/app:v1`), { layer: Buffer.from('a') }, signal));
  });
  after(async () => {
    await client.close();
    await registry.close();
  });

  test('are asked for once, however often and by however many they are looked at', async () => {
    const one = materials();
    requests.length = 0;
    for (const list of [one.cosign, one.notation, one.cosign, one.attestations, one.notation, one.attestations])
      assert.equal(await count(list), 0);
    await Promise.all([one.subject(), one.subject()]);
    const paths = requests.map(({ url }) => new URL(url).pathname.replace(/^.*\/(?=referrers|manifests)/, '').replace(digest, 'D'));
    assert.deepEqual(
      paths.sort(),
      [`manifests/${digest.replace(':', '-')}.att`, `manifests/${digest.replace(':', '-')}.sig`, 'manifests/D', 'referrers/D'].sort(),
    );
  });

  test('a registry that fails is told to everybody who looks, not only to the first: a failure is no missing signature', async () => {
    faults.add(({ path }) => path.includes('/referrers/'), { kind: 'status', status: 503 });
    const one = materials();
    for (let look = 0; look < 2; look++) {
      await assert.rejects(count(one.cosign), { code: 'RegistryUnavailable' });
      await assert.rejects(count(one.notation), { code: 'RegistryUnavailable' });
    }
    faults.clear();
    await assert.rejects(count(one.cosign));
    assert.equal(await count(materials().cosign), 0);
  });
});
