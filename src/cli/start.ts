import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { CodedError, milliseconds, parseDuration, sleep, systemClock } from '../std/index.ts';
import { customResourceDefinition, findCondition, kinds } from '../api/index.ts';
import { createKubeClient, type KindRef, type KubeClient, loadClusterConfig, nodeHost } from '../kube/index.ts';
import { type KubeObject, readObjects } from '../manifest/index.ts';
import { folderStore, memoryStore, startRegistry } from '../oci/index.ts';
import { startSandbox } from '../sandbox/index.ts';
import { progress } from './progress.ts';
import { shortenHashes } from './table.ts';

type StartFlags = {
  kubeconfig?: string;
  context?: string;
  timeout: string;
  once?: boolean;
  port: string;
  registryPort: string;
  data?: string;
};

/** The example and the guide's YAML, beside the sources and in the package. */
const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
const FOLLOWED: readonly KindRef[] = [
  { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository' },
  { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
];

/** `sluice start` (`npm start`): the whole main job, in the embedded sandbox or on the cluster of `--kubeconfig`. */
export function startCommand(program: Command): void {
  const start = program
    .command('start')
    .description('Run the main job end to end: sandbox, registry, controllers and the example, live until all is Ready')
    .option('--once', 'end when all is Ready, with exit code 0')
    .option('--port <port>', "the sandbox's API port (0 picks a free one)", '0')
    .option('--registry-port <port>', "the registry's port (0 picks a free one)", '0')
    .option('--data <folder>', 'keep the state of sandbox and registry in this folder');
  start.action(async () => await run(start.optsWithGlobals<StartFlags>()));
}

async function run(flags: StartFlags): Promise<void> {
  const started = performance.now();
  const say = (text: string): void => progress.success(`${text} (${((performance.now() - started) / 1000).toFixed(1)}s)`);
  const folder = mkdtempSync(join(tmpdir(), 'sluice-start-'));
  const stops: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  try {
    const kubeconfig = await openCluster(flags, folder, stops, say);
    const registry = await startRegistry({
      clock: systemClock,
      store: flags.data === undefined ? memoryStore() : await folderStore(join(flags.data, 'registry')),
      port: Number(flags.registryPort),
    });
    stops.push(() => registry.close());
    say(`registry at ${registry.host}`);
    const client = createKubeClient(
      await loadClusterConfig(nodeHost, { kubeconfig, ...(flags.context === undefined ? {} : { context: flags.context }) }),
      { userAgent: 'sluice-start' },
    );
    stops.push(() => client.close());
    await install(client);
    say('Flux kinds installed');
    stops.push(await startController(kubeconfig, flags, folder));
    say('controllers running');
    const reference = `oci://${registry.host}/manifests/podinfo:latest`;
    await command([
      'push',
      'artifact',
      reference,
      '--path',
      join(EXAMPLES, 'podinfo'),
      '--source',
      'examples/podinfo',
      '--revision',
      'v1',
      '--insecure-registry',
    ]);
    say(`example pushed to ${reference}`);
    await applyGuide(client, registry.host);
    const outcome = await Promise.race([follow(client, flags.timeout, started).then(() => 'ready'), interrupted.then(() => 'interrupted')]);
    if (outcome === 'ready') say('all is Ready');
    if (outcome === 'ready' && flags.once !== true) {
      hint(kubeconfig, registry.host);
      await interrupted;
    }
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

/** The cluster of `--kubeconfig`, else a new sandbox; gives the path of a kubeconfig for it. */
async function openCluster(
  flags: StartFlags,
  folder: string,
  stops: (() => Promise<void> | void)[],
  say: (text: string) => void,
): Promise<string> {
  if (flags.kubeconfig !== undefined || flags.context !== undefined) {
    const path = flags.kubeconfig ?? nodeHost.env['KUBECONFIG'] ?? join(nodeHost.home, '.kube', 'config');
    say(`cluster of ${path}`);
    return path;
  }
  if (flags.data !== undefined) mkdirSync(flags.data, { recursive: true });
  const sandbox = await startSandbox({
    port: Number(flags.port),
    ...(flags.data === undefined ? {} : { data: join(flags.data, 'cluster') }),
  });
  stops.push(() => sandbox.close());
  const path = join(flags.data ?? folder, 'kubeconfig');
  sandbox.writeKubeconfig(path);
  say(`Kubernetes API at ${sandbox.url}`);
  return path;
}

async function install(client: KubeClient): Promise<void> {
  const definitions = kinds.map((kind) => customResourceDefinition(kind) as KubeObject);
  const namespace: KubeObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'flux-system' } };
  for (const object of [...definitions, namespace]) await client.apply(object, { fieldManager: 'flux', force: true });
  for (const definition of definitions) {
    await settled(client, definition, (object) => findCondition(conditionsOf(object), 'Established')?.status === 'True');
    client.mapper.learn(definition);
  }
}

/** Waits for an object to satisfy a test, by watch. */
async function settled(client: KubeClient, of: KubeObject, test: (object: KubeObject) => boolean): Promise<void> {
  const informer = client.informer(of, { fieldSelector: `metadata.name=${of.metadata.name}` });
  try {
    await new Promise<void>((resolve) => {
      const look = (object: KubeObject): void => {
        if (test(object)) resolve();
      };
      informer.subscribe({ added: look, updated: look });
    });
  } finally {
    informer.release();
  }
}

/** This program's own entry, in TypeScript or built. */
const ENTRY: string = fileURLToPath(new URL(`main${extname(import.meta.filename)}`, import.meta.url));

function spawnSelf(args: readonly string[], log: string): ChildProcess {
  const file = openSync(log, 'a', 0o600);
  return spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ENTRY, ...args], { stdio: ['ignore', file, file] });
}

/** Starts the controllers as a process of their own; gives how to stop it. */
async function startController(kubeconfig: string, flags: StartFlags, folder: string): Promise<() => Promise<void>> {
  const log = join(folder, 'controller.log');
  const context = flags.context === undefined ? [] : ['--context', flags.context];
  const loopback = ['--storage-addr', '127.0.0.1:0', '--metrics-addr', '127.0.0.1:0', '--health-addr', '127.0.0.1:0'];
  const child = spawnSelf(
    ['controller', '--kubeconfig', kubeconfig, ...context, '--storage-path', join(folder, 'artifacts'), ...loopback],
    log,
  );
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const deadline = performance.now() + 30_000;
  while (!(existsSync(log) && readFileSync(log, 'utf8').includes('"msg":"ready"'))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      throw new CodedError({
        code: 'ControllerFailed',
        message: `start controllers: not ready: ${readFileSync(log, 'utf8').trim().split('\n').at(-1) ?? ''}`,
      });
    }
    await sleepAwake(50);
  }
  return async () => {
    child.kill('SIGTERM');
    await ended;
  };
}

async function command(args: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-command-'));
  try {
    const log = join(folder, 'log');
    writeFileSync(log, '');
    const child = spawnSelf(args, log);
    const code = await new Promise<number | null>((resolve) => child.on('exit', resolve));
    if (code !== 0)
      throw new CodedError({ code: 'CommandFailed', message: `sluice ${args[0]} ${args[1]}: ${readFileSync(log, 'utf8').trim()}` });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function applyGuide(client: KubeClient, registry: string): Promise<void> {
  const text = readFileSync(join(EXAMPLES, 'guide.yaml'), 'utf8').replaceAll('REGISTRY', registry);
  for (const object of readObjects(text, 'guide.yaml')) {
    await client.apply(object, { fieldManager: 'kubectl', force: true });
    progress.action(`applied ${object.kind}/${object.metadata.namespace}/${object.metadata.name}`);
  }
}

/** Prints what happens to the objects of the example, until the Kustomization and its Deployment are ready. */
async function follow(client: KubeClient, timeout: string, started: number): Promise<void> {
  const ready = new Set<string>();
  const shown = new Map<string, string>();
  const informers = FOLLOWED.map((kind) => client.informer(kind));
  const done = new Promise<void>((resolve) => {
    const look = (object: KubeObject): void => {
      if (object.metadata.name !== 'podinfo') return;
      const { line, isReady } = describe(object);
      if (line !== '' && shown.get(object.kind) !== line)
        process.stderr.write(
          `${isReady ? '✔' : '◎'} ${object.kind.padEnd(13)} ${line} (${((performance.now() - started) / 1000).toFixed(1)}s)\n`,
        );
      shown.set(object.kind, line);
      if (isReady) ready.add(object.kind);
      else ready.delete(object.kind);
      if (ready.size === FOLLOWED.length) resolve();
    };
    for (const informer of informers) informer.subscribe({ added: look, updated: look });
  });
  const abort = new AbortController();
  try {
    await Promise.race([
      done,
      sleep(systemClock, parseDuration(timeout), abort.signal).then(() => {
        throw new CodedError({
          code: 'Timeout',
          message: `wait for the example: not Ready within ${timeout}: ${[...shown].map(([kind, line]) => `${kind}: ${line}`).join('; ')}`,
        });
      }),
    ]);
  } finally {
    abort.abort();
    for (const informer of informers) informer.release();
  }
}

function describe(object: KubeObject): { line: string; isReady: boolean } {
  if (object.kind === 'Deployment') {
    const spec = object['spec'] as { replicas?: number } | undefined;
    const status = object['status'] as { availableReplicas?: number } | undefined;
    const [available, wanted] = [status?.availableReplicas ?? 0, spec?.replicas ?? 1];
    return { line: `${available}/${wanted} pods available`, isReady: available >= wanted };
  }
  const condition = findCondition(conditionsOf(object), 'Reconciling') ?? findCondition(conditionsOf(object), 'Ready');
  const isReady = findCondition(conditionsOf(object), 'Ready')?.status === 'True';
  return { line: shortenHashes(condition?.message ?? ''), isReady };
}

type Conditions = NonNullable<Parameters<typeof findCondition>[0]>;

function conditionsOf(object: KubeObject): Conditions {
  const conditions = (object['status'] as { conditions?: unknown } | undefined)?.conditions;
  return Array.isArray(conditions) ? (conditions as Conditions) : [];
}

/** A timer that keeps the process alive, unlike the clock's. */
async function sleepAwake(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds(ms)));
}

function hint(kubeconfig: string, registry: string): void {
  process.stdout.write(`
  kubeconfig  ${kubeconfig}
  registry    ${registry}

  kubectl --kubeconfig ${kubeconfig} get all
  bin/sluice --kubeconfig ${kubeconfig} get all

  Push a change and watch it roll out:
    sed -i 's/replicas: 2/replicas: 3/' examples/podinfo/podinfo.yaml
    bin/sluice push artifact oci://${registry}/manifests/podinfo:latest --path examples/podinfo --source local --revision v2 --insecure-registry
    bin/sluice --kubeconfig ${kubeconfig} reconcile kustomization podinfo --with-source

  Ctrl-C ends it all.
`);
}
