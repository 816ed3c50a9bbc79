import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CodedError, errorMessage, systemClock } from '../std/index.ts';
import { createKubeClient, type KubeClient, loadClusterConfig, nodeHost } from '../kube/index.ts';
import { readObjects } from '../manifest/index.ts';
import { folderStore, memoryStore, type RunningRegistry, startRegistry } from '../oci/index.ts';
import { startSandbox } from '../sandbox/index.ts';
import { usage } from './artifact-registry.ts';
import { progress } from './progress.ts';

type SandboxFlags = { host: string; port: string; registryPort: string; data?: string; filename?: string[] };

/** `sluice sandbox`: a Kubernetes API with simulated workloads and a registry, until it is interrupted. */
export function sandboxCommand(program: Command): void {
  program
    .command('sandbox')
    .description('Run a Kubernetes API with simulated workloads and a registry on loopback, for development and CI')
    .option('--host <address>', 'the address both listen at; 0.0.0.0 for all, which opens them to the network', '127.0.0.1')
    .option('--port <port>', "the API's port (0 picks a free one)", '0')
    .option('--registry-port <port>', "the registry's port (0 picks a free one)", '0')
    .option('--data <folder>', 'keep the state of both in this folder')
    .option('-f, --filename <file...>', 'manifests to apply at the start, in order; of a folder all *.yaml, *.yml and *.json')
    .action(async (flags: SandboxFlags) => await run(flags));
}

async function run(flags: SandboxFlags): Promise<void> {
  const [port, registryPort] = [portOf('--port', flags.port), portOf('--registry-port', flags.registryPort)];
  if (flags.host.includes(':')) throw usage(`--host ${JSON.stringify(flags.host)}: not an IPv4 address or a name`);
  const files = (flags.filename ?? []).flatMap(manifestFiles);
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  const stops: (() => Promise<void> | void)[] = [];
  try {
    const folder = openFolder(flags.data, stops);
    const kept = flags.data === undefined ? {} : { data: join(folder, 'cluster') };
    const sandbox = await startSandbox({ host: flags.host, port, ...kept });
    stops.push(() => sandbox.close());
    const registry = await openRegistry(flags, folder, registryPort);
    stops.push(() => registry.close());
    const kubeconfig = join(folder, 'kubeconfig');
    sandbox.writeKubeconfig(kubeconfig);
    await preload(kubeconfig, files);
    progress.success(`Kubernetes API at ${sandbox.url}`);
    process.stdout.write(`kubeconfig: ${kubeconfig}\nregistry: ${registry.host}\n`);
    await interrupted;
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** The folder of the state; without one, a temporary one that goes at the end. */
function openFolder(data: string | undefined, stops: (() => void)[]): string {
  if (data !== undefined) {
    mkdirSync(data, { recursive: true });
    return data;
  }
  const folder = mkdtempSync(join(tmpdir(), 'sluice-sandbox-'));
  stops.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openRegistry(flags: SandboxFlags, folder: string, port: number): Promise<RunningRegistry> {
  const store = flags.data === undefined ? memoryStore() : await folderStore(join(folder, 'registry'));
  try {
    return await startRegistry({ clock: systemClock, store, address: flags.host, port });
  } catch (error) {
    throw new CodedError({
      code: 'ListenFailed',
      message: `listen on ${flags.host}:${port} for the registry: ${errorMessage(error)}`,
      cause: error,
      remedy: 'give another --registry-port, or 0 for a free one',
    });
  }
}

function portOf(flag: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw usage(`${flag} ${JSON.stringify(text)}: not a port`, 'give a number from 0 to 65535');
  return port;
}

function manifestFiles(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined)
    throw usage(`--filename ${JSON.stringify(path)}: no such file or folder`, 'give a manifest or a folder of manifests');
  if (!found.isDirectory()) return [path];
  const names = readdirSync(path).filter((name) => /\.(ya?ml|json)$/.test(name));
  return names.sort().map((name) => join(path, name));
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
