import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fieldManagers } from '../api/index.ts';
import { openArtifactStore } from '../artifact/index.ts';
import { clusterConfig, createKubeClient, type KubeClient, nodeHost, parseKubeconfig } from '../kube/index.ts';
import { createRegistryClients, type MirrorRule, memoryStore, type RegistryClients, startRegistry } from '../oci/index.ts';
import { createLogger, createMetrics, parseFeatureGates, silentLogger, watchLabelSelector } from '../runtime/index.ts';
import { startSandbox } from '../sandbox/index.ts';
import { milliseconds, minutes, seconds, systemClock } from '../std/index.ts';
import { startControllers } from './start-controllers.ts';

/** A cluster and a registry in this process, reached over loopback only. */
export type Stage = AsyncDisposable & {
  client: KubeClient;
  registries: RegistryClients;
  /** `host:port` of the registry. */
  registry: string;
  /** Starts the controllers; they ask the registry of this process first for what lies on `mirrored`. */
  control(mirrored: string | undefined): Promise<void>;
};

/** Starts cluster and registry, empty. Everything ends with the stage. */
export async function openStage(options: { verbose: boolean }): Promise<Stage> {
  const stops: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-preview-'));
    stops.push(() => rmSync(folder, { recursive: true, force: true }));
    const sandbox = await startSandbox({ podStart: milliseconds(0) });
    stops.push(() => sandbox.close());
    const registry = await startRegistry({ clock: systemClock, store: memoryStore() });
    stops.push(() => registry.close());
    const config = await clusterOf(sandbox.kubeconfig);
    const client = createKubeClient(config, { clock: systemClock, userAgent: 'sluice-preview' });
    stops.push(() => client.close());
    const registries = createRegistryClients({ clock: systemClock, random: Math.random, userAgent: 'sluice-preview' });
    stops.push(() => registries.close());
    return {
      client,
      registries,
      registry: registry.host,
      control: async (mirrored) => stops.push(await control(client, join(folder, 'artifacts'), mirrors(mirrored, registry.host), options)).valueOf() && undefined,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
