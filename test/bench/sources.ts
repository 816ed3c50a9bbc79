// What following registries costs: N OCIRepositories on 1, 10 and 100 distinct repositories of our own registry, in the sandbox. From
// nothing to all Ready, after a restart, and ten minutes in which nothing happens, run through by a clock that skips.
// `node --expose-gc test/bench/sources.ts [--json] [--objects N] [--repositories 1,10,100] [--minutes N]`
import { fork, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { customResourceDefinition, kinds } from '../../src/api/index.ts';
import { archiveTree, openArtifactStore, writeArchive } from '../../src/artifact/index.ts';
import { startControllers, type RunningControllers } from '../../src/cli/start-controllers.ts';
import { createKubeClient, loadClusterConfig, nodeHost, type KubeClient } from '../../src/kube/index.ts';
import type { KubeObject } from '../../src/manifest/index.ts';
import {
  createRegistryClient,
  createRegistryClients,
  memoryStore,
  parseReference,
  pushArtifact,
  startRegistry,
} from '../../src/oci/index.ts';
import { createMetrics, parseFeatureGates, silentLogger } from '../../src/runtime/index.ts';
import { milliseconds, minutes, seconds, sleep, systemClock, type Clock, type Duration, type Instant } from '../../src/std/index.ts';

const KIND = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository' };
const NAMESPACE = 'bench';
const INTERVAL = '1m';
/** How far the clock skips at once while nothing happens. */
const STEP: Duration = seconds(5);

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    objects: { type: 'string', default: '1000' },
    repositories: { type: 'string', default: '1,10,100' },
    minutes: { type: 'string', default: '10' },
    role: { type: 'string', default: 'all' },
  },
});
const objects = Number(flags.objects);

/** What one row of the table says. */
type Result = {
  repositories: number;
  objects: number;
  readySeconds: number;
  readyRegistryRequests: number;
  readyWrites: number;
  restartSeconds: number;
  restartRegistryRequests: number;
  restartWrites: number;
  steadyMinutes: number;
  steadyRegistryRequests: number;
  steadyWrites: number;
  steadyReconciles: number;
  steadyCpuSeconds: number;
  heapMebibytes: number;
  startRssMebibytes: number;
  rssMebibytes: number;
  peakRssMebibytes: number;
};

/** The wall clock, which can be moved forward: what falls due then is run. */
class SkippingClock implements Clock {
  #skipped = 0;
  readonly #timers = new Set<{ due: number; callback: () => void; handle: NodeJS.Timeout | undefined }>();

  now(): Instant {
    return (Date.now() + this.#skipped) as Instant;
  }

  after(delay: Duration, callback: () => void): () => void {
    const timer = { due: this.now() + delay, callback, handle: undefined as NodeJS.Timeout | undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      clearTimeout(timer.handle);
      this.#timers.delete(timer);
    };
  }

  #arm(timer: { due: number; callback: () => void; handle: NodeJS.Timeout | undefined }): void {
    timer.handle = setTimeout(
      () => {
        this.#timers.delete(timer);
        timer.callback();
      },
      Math.max(0, Math.min(timer.due - this.now(), 0x7fffffff)),
    );
    timer.handle.unref();
  }

  skip(delay: Duration): void {
    this.#skipped += delay;
    for (const timer of this.#timers) {
      clearTimeout(timer.handle);
      this.#arm(timer);
    }
  }
}

/** The registry and the API server, in a process of their own. */
async function world(): Promise<void> {
  // Here only: what it loads would count as the controllers' memory.
  const { startSandbox } = await import('../../src/sandbox/index.ts');
  const registry = await startRegistry({ store: memoryStore(), clock: systemClock });
  const sandbox = await startSandbox();
  process.send?.({ host: registry.host, kubeconfig: sandbox.kubeconfig });
  process.on('disconnect', () => process.exit(0));
}

type World = { host: string; kubeconfig: string };

async function openWorld(): Promise<World & { close(): void }> {
  const child = fork(import.meta.filename, ['--role', 'world'], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const found = await new Promise<World>((resolve, reject) => {
    child.once('message', (message) => resolve(message as World));
    child.once('exit', (code) => reject(new Error(`the world ended: ${code}`)));
  });
  return { ...found, close: () => child.disconnect() };
}

async function measure(repositories: number): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const { host, kubeconfig, close } = await openWorld();
  const path = join(folder, 'kubeconfig');
  writeFileSync(path, kubeconfig, { mode: 0o600 });
  const config = await loadClusterConfig(nodeHost, { kubeconfig: path });
  const admin = createKubeClient(config, { userAgent: 'bench' });
  try {
    await prepare(admin, host, repositories);
    return await run(admin, config, join(folder, 'data'), repositories);
  } finally {
    await admin.close();
    close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function prepare(admin: KubeClient, host: string, repositories: number): Promise<void> {
  const applied = { fieldManager: 'bench', force: true };
  for (const kind of kinds) await admin.apply(customResourceDefinition(kind) as KubeObject, applied);
  await admin.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }, applied);
  const pusher = createRegistryClient({ clock: systemClock, random: Math.random });
  for (let i = 0; i < repositories; i++) {
    const layer = await writeArchive(archiveTree({ 'app.yaml': `kind: ConfigMap # ${i}\n`.repeat(200) }), 'kept');
    await pushArtifact(pusher, parseReference(`${host}/app-${i}:latest`), { layer }, AbortSignal.timeout(10_000));
  }
  await pusher.close();
  await until(async () => (await admin.list(KIND, { namespace: NAMESPACE })).items.length === 0);
  for (let i = 0; i < objects; i += 50) {
    const names = Array.from({ length: Math.min(50, objects - i) }, (_, at) => i + at);
    await Promise.all(
      names.map((n) =>
        admin.apply(
          {
            ...KIND,
            metadata: { name: `app-${n}`, namespace: NAMESPACE },
            spec: { interval: INTERVAL, url: `oci://${host}/app-${n % repositories}`, ref: { tag: 'latest' } },
          },
          applied,
        ),
      ),
    );
  }
}

type Counts = { registry: number; writes: number };

async function run(
  admin: KubeClient,
  config: Awaited<ReturnType<typeof loadClusterConfig>>,
  data: string,
  repositories: number,
): Promise<Result> {
  const clock = new SkippingClock();
  const counts: Counts = { registry: 0, writes: 0 };
  const taken = (): Counts => {
    const before = { ...counts };
    Object.assign(counts, { registry: 0, writes: 0 });
    return before;
  };
  const metrics = createMetrics({ processMetrics: false });
  let reconciles = 0;
  const counted = Object.assign(Object.create(metrics) as typeof metrics, {
    reconciled: (...args: Parameters<typeof metrics.reconciled>) => {
      reconciles++;
      metrics.reconciled(...args);
    },
  });
  const start = async (): Promise<{ controllers: RunningControllers; stop: () => Promise<void> }> => {
    const kube = createKubeClient(config, {
      userAgent: 'sluice',
      onRequest: ({ verb }) => {
        if (/^(create|update|patch|apply|delete)$/.test(verb)) counts.writes++;
      },
    });
    const registries = createRegistryClients({ clock, random: Math.random, onRequest: () => counts.registry++ });
    const store = await openArtifactStore({ root: data, clock, retention: { ttl: seconds(60), records: 2 } });
    const controllers = startControllers({
      kube,
      registries,
      store,
      clock,
      random: Math.random,
      log: silentLogger,
      metrics: counted,
      fetch: globalThis.fetch,
      sink: undefined,
      instance: 'bench',
      artifactAddress: () => 'http://127.0.0.1:1',
      concurrency: 16,
      backoff: { base: milliseconds(750), max: minutes(15), factor: 2, jitter: 0 },
      intervalJitter: 0.05,
      requeueDependency: seconds(30),
      namespace: NAMESPACE,
      labelSelector: undefined,
      configsLabelSelector: 'reconcile.fluxcd.io/watch=Enabled',
      gates: parseFeatureGates(''),
      noCrossNamespaceRefs: false,
      defaultServiceAccount: '',
      overrideManagers: [],
      customStageKinds: new Set(),
    });
    await controllers.ready;
    const stop = async (): Promise<void> => {
      await controllers.stop();
      await registries.close();
      await kube.close();
    };
    return { controllers, stop };
  };

  globalThis.gc?.();
  const startRss = process.memoryUsage.rss();
  const began = performance.now();
  let running = await start();
  await until(() => allReady(admin));
  const readySeconds = (performance.now() - began) / 1000;
  await settled(counts);
  const ready = taken();

  await running.stop();
  const again = performance.now();
  reconciles = 0;
  running = await start();
  await until(async () => reconciles >= objects);
  const restartSeconds = (performance.now() - again) / 1000;
  await settled(counts);
  const restart = taken();

  globalThis.gc?.();
  reconciles = 0;
  const cpu = process.cpuUsage();
  for (let passed = 0; passed < minutes(Number(flags.minutes)); passed += STEP) {
    clock.skip(STEP);
    await settled(counts, () => reconciles);
  }
  const { user, system } = process.cpuUsage(cpu);
  const steady = taken();
  globalThis.gc?.();
  const { rss, heapUsed } = process.memoryUsage();
  const steadyReconciles = reconciles;
  await running.stop();
  return {
    repositories,
    objects,
    readySeconds: round(readySeconds),
    readyRegistryRequests: ready.registry,
    readyWrites: ready.writes,
    restartSeconds: round(restartSeconds),
    restartRegistryRequests: restart.registry,
    restartWrites: restart.writes,
    steadyMinutes: Number(flags.minutes),
    steadyRegistryRequests: steady.registry,
    steadyWrites: steady.writes,
    steadyReconciles,
    steadyCpuSeconds: round((user + system) / 1e6),
    heapMebibytes: Math.round(heapUsed / 2 ** 20),
    startRssMebibytes: Math.round(startRss / 2 ** 20),
    rssMebibytes: Math.round(rss / 2 ** 20),
    peakRssMebibytes: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

async function allReady(admin: KubeClient): Promise<boolean> {
  const { items } = await admin.list(KIND, { namespace: NAMESPACE });
  const isReady = (object: KubeObject): boolean =>
    ((object['status'] as { conditions?: { type: string; status: string }[] } | undefined)?.conditions ?? []).some(
      ({ type, status }) => type === 'Ready' && status === 'True',
    );
  return items.length === objects && items.every(isReady);
}

/** Resolves when nothing was sent for a moment. */
async function settled(counts: Counts, more: () => number = () => 0): Promise<void> {
  for (let quiet = 0, seen = -1; quiet < 2;) {
    const now = counts.registry + counts.writes + more();
    quiet = now === seen ? quiet + 1 : 0;
    seen = now;
    await sleep(systemClock, milliseconds(15));
  }
}

async function until(probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 300_000;
  while (!(await probe().catch(() => false))) {
    if (Date.now() > deadline) throw new Error('not within 300 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function table(results: readonly Result[]): string {
  const rows: [string, (result: Result) => string | number][] = [
    ['repositories', (it) => it.repositories],
    ['objects', (it) => it.objects],
    ['nothing → all Ready, s', (it) => it.readySeconds],
    ['… registry requests', (it) => it.readyRegistryRequests],
    ['… writes to the API', (it) => it.readyWrites],
    ['restart → all looked at, s', (it) => it.restartSeconds],
    ['… registry requests', (it) => it.restartRegistryRequests],
    ['… writes to the API', (it) => it.restartWrites],
    [`${results[0]?.steadyMinutes ?? 0} idle minutes (interval ${INTERVAL}): registry requests`, (it) => it.steadyRegistryRequests],
    ['… writes to the API', (it) => it.steadyWrites],
    ['… reconciles', (it) => it.steadyReconciles],
    ['… CPU, s', (it) => it.steadyCpuSeconds],
    ['heap, MiB', (it) => it.heapMebibytes],
    ['RSS before the controllers start, MiB', (it) => it.startRssMebibytes],
    ['RSS, MiB', (it) => it.rssMebibytes],
    ['peak RSS, MiB', (it) => it.peakRssMebibytes],
  ];
  return rows.map(([name, cell]) => `${name.padEnd(58)}${results.map((it) => String(cell(it)).padStart(10)).join('')}`).join('\n');
}

if (flags.role === 'world') await world();
else if (flags.role === 'case') process.stdout.write(`${JSON.stringify(await measure(Number(flags.repositories)))}\n`);
else {
  // Each case in a process of its own, so that memory means something.
  const results = flags.repositories.split(',').map((repositories): Result => {
    const args = ['--role', 'case', '--repositories', repositories, '--objects', flags.objects, '--minutes', flags.minutes];
    const done = spawnSync(process.execPath, ['--expose-gc', '--disable-warning=ExperimentalWarning', import.meta.filename, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (done.status !== 0) throw new Error(`${repositories} repositories: ended with ${done.status}`);
    return JSON.parse(done.stdout) as Result;
  });
  process.stdout.write(flags.json ? `${JSON.stringify(results)}\n` : `${table(results)}\n`);
}
