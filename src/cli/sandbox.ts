import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../std/index.ts';
import { createKubeClient, type KubeClient, loadClusterConfig, nodeHost } from '../kube/index.ts';
import { readObjects } from '../manifest/index.ts';
import { folderStore, memoryStore, startRegistry } from '../oci/index.ts';
import { startSandbox } from '../sandbox/index.ts';
import { progress } from './progress.ts';

type SandboxFlags = { port: string; registryPort: string; data?: string; filename?: string[] };

/** `sluice sandbox`: a Kubernetes API with simulated workloads and a registry, until it is interrupted. */
export function sandboxCommand(program: Command): void {
  program
    .command('sandbox')
    .description('Run a Kubernetes API with simulated workloads and a registry on loopback, for development and CI')
    .option('--port <port>', "the API's port (0 picks a free one)", '0')
    .option('--registry-port <port>', "the registry's port (0 picks a free one)", '0')
    .option('--data <folder>', 'keep the state of both in this folder')
    .option('-f, --filename <file...>', 'manifests to apply at the start, in order')
    .action(async (flags: SandboxFlags) => await run(flags));
}

async function run(flags: SandboxFlags): Promise<void> {
  const folder = flags.data ?? mkdtempSync(join(tmpdir(), 'sluice-sandbox-'));
  mkdirSync(folder, { recursive: true });
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const stops: (() => Promise<void> | void)[] = [];
  if (flags.data === undefined) stops.push(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const kept = flags.data === undefined ? {} : { data: join(folder, 'cluster') };
    const sandbox = await startSandbox({ port: Number(flags.port), ...kept });
    stops.push(() => sandbox.close());
    const registry = await startRegistry({
      clock: systemClock,
      store: flags.data === undefined ? memoryStore() : await folderStore(join(folder, 'registry')),
      port: Number(flags.registryPort),
    });
    stops.push(() => registry.close());
    const kubeconfig = join(folder, 'kubeconfig');
    sandbox.writeKubeconfig(kubeconfig);
    await preload(kubeconfig, flags.filename ?? []);
    progress.success(`Kubernetes API at ${sandbox.url}`);
    process.stdout.write(`kubeconfig: ${kubeconfig}\nregistry: ${registry.host}\n`);
    await interrupted;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function preload(kubeconfig: string, files: readonly string[]): Promise<void> {
  if (files.length === 0) return;
  const client: KubeClient = createKubeClient(await loadClusterConfig(nodeHost, { kubeconfig }), { userAgent: 'sluice-sandbox' });
  try {
    for (const file of files) {
      for (const object of readObjects(readFileSync(file, 'utf8'), file)) {
        await client.apply(object, { fieldManager: 'sluice-sandbox', force: true });
        if (object.kind === 'CustomResourceDefinition') client.mapper.learn(object);
      }
    }
  } finally {
    await client.close();
  }
}
