import { after, before } from 'node:test';
import { systemClock } from '../std/index.ts';
import { type RunningRegistry, startRegistry } from './registry/server.ts';
import { memoryStore } from './registry/store.ts';
import { registryContract } from './testing/registry-contract.ts';

for (const referrersApi of [true, false]) {
  let registry: RunningRegistry;
  before(async () => {
    registry = await startRegistry({ store: memoryStore(), clock: systemClock, referrersApi });
  });
  after(() => registry.close());
  registryContract(`our registry ${referrersApi ? 'with' : 'without'} the referrers API`, () => ({
    host: registry.host,
    referrersApi,
    deletes: true,
  }));
}
