// Mean time to production: N OCIRepository + Kustomization pairs (4 objects each, impersonation, one substitution, wait) from nothing
// to all Ready, then a new revision of all; with --helmreleases N, N HelmReleases (4 objects each, wait) of one chart and its next version. `--external --kubeconfig F --registry HOST` measures whatever controllers run there;
// `--built` what `npm run build` made.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { milliseconds, sleep, systemClock } from '../../src/std/index.ts';
import { createKubeClient, type KindRef, type KubeClient, loadClusterConfig, nodeHost } from '../../src/kube/index.ts';
import type { KubeObject } from '../../src/manifest/index.ts';
import { startControlPlane } from '../control-plane/start.ts';

const { values: flags } = parseArgs({
  options: {
    kustomizations: { type: 'string', default: '200' },
    helmreleases: { type: 'string' },
    external: { type: 'boolean', default: false },
    kubeconfig: { type: 'string' },
    registry: { type: 'string' },
    controller: { type: 'string', multiple: true, default: [] },
    concurrent: { type: 'string' },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
    /** The JavaScript of `npm run build`, as the package has it, in place of the sources. */
    built: { type: 'boolean', default: false },
  },
});
const count = Number(flags.helmreleases ?? flags.kustomizations);
const NAMESPACE = 'bench';
const REPOSITORY = 'bench/app';
/** How long nothing happens before memory counts as steady. */
const STEADY_AFTER = milliseconds(30_000);

type Phase = {
  seconds: number;
  requests: Record<string, number>;
  requestsPerApplication: number;
  controllerCpuSeconds: number;
  /** Of the control plane, of this program, and what none of the machine's cores was used for. */
  cpu: { controlPlane: number; bench: number; idle: number };
};
type Counts = Map<string, number>;

const controlPlane = flags.kubeconfig === undefined ? await startControlPlane() : undefined;
process.env['SLUICE_KUBECONFIG'] = flags.kubeconfig ?? controlPlane?.kubeconfig;
const harness = await import('../e2e/harness.ts');
const client = createKubeClient(await loadClusterConfig(nodeHost, { kubeconfig: harness.kubeconfig() }), {
  clock: systemClock,
  userAgent: 'bench',
  timeout: 120_000,
});
const registry = flags.registry === undefined ? await harness.startDockerRegistry() : { host: flags.registry, stop: async () => {} };

const say = (text: string): boolean => (flags.json ? process.stderr : process.stdout).write(`${text}\n`);

const MANIFEST = (version: number): string => `
apiVersion: v1
kind: ServiceAccount
metadata: {name: "\${app}"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: "\${app}"}
data: {version: "v${version}", app: "\${app}"}
---
apiVersion: v1
kind: Service
metadata: {name: "\${app}", annotations: {version: "v${version}"}}
spec: {selector: {app: "\${app}"}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: "\${app}", annotations: {version: "v${version}"}}
spec:
  replicas: 0
  selector: {matchLabels: {app: "\${app}"}}
  template:
    metadata: {labels: {app: "\${app}"}}
    spec: {serviceAccountName: "\${app}", containers: [{name: main, image: "app:v${version}"}]}
`;

const name = (i: number): string => `app-${i}`;

function pair(i: number): KubeObject[] {
  return [
    {
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'OCIRepository',
      metadata: { name: name(i), namespace: NAMESPACE },
      spec: { interval: '60m', url: `oci://${registry.host}/${REPOSITORY}`, ref: { tag: 'latest' }, insecure: true },
    },
    {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind: 'Kustomization',
      metadata: { name: name(i), namespace: NAMESPACE },
      spec: {
        interval: '60m',
        path: './',
        prune: true,
        wait: true,
        timeout: '10m',
        targetNamespace: NAMESPACE,
        serviceAccountName: 'reconciler',
        sourceRef: { kind: 'OCIRepository', name: name(i) },
        postBuild: { substitute: { app: name(i) } },
      },
    },
  ];
}

const SOURCES: KindRef = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository' };

/** What is measured: N applications of a kind, each of one or more Flux objects and four others. */
type Workload = {
  title: string;
  kind: KindRef;
  /** Objects all applications share. */
  shared: readonly KubeObject[];
  application: (i: number) => KubeObject[];
  artifact: (version: number) => Record<string, string>;
  /** The revision of an application that is Ready. */
  revision: (status: Status) => string | undefined;
  /** The revision all must come to, of version and digest of the artifact. */
  wanted: (version: number, digest: string) => string;
  /** The sources to ask for a new revision. */
  sources: readonly string[];
  /** Whether the applier tries its objects in a dry-run first; Helm does not, and writes two records instead. */
  dryRun: boolean;
};

type Status = {
  lastAppliedRevision?: string;
  history?: { chartVersion?: string; status?: string }[];
  conditions?: { type: string; status: string }[];
};

const pairs: Workload = {
  title: 'pairs',
  kind: { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
  shared: [],
  application: pair,
  artifact: (version) => ({ 'app.yaml': MANIFEST(version) }),
  revision: ({ lastAppliedRevision }) => lastAppliedRevision,
  wanted: (_version, digest) => `latest@${digest}`,
  sources: Array.from({ length: count }, (_, i) => name(i)),
  dryRun: true,
};

const releases: Workload = {
  title: 'releases',
  kind: { apiVersion: 'helm.toolkit.fluxcd.io/v2', kind: 'HelmRelease' },
  shared: [
    {
      ...SOURCES,
      metadata: { name: 'chart', namespace: NAMESPACE },
      spec: { interval: '60m', url: `oci://${registry.host}/${REPOSITORY}`, ref: { tag: 'latest' }, insecure: true },
    },
  ],
  application: (i) => [
    {
      apiVersion: 'helm.toolkit.fluxcd.io/v2',
      kind: 'HelmRelease',
      metadata: { name: name(i), namespace: NAMESPACE },
      spec: { interval: '60m', timeout: '10m', chartRef: { kind: 'OCIRepository', name: 'chart' }, values: { note: name(i) } },
    },
  ],
  artifact: (version) => ({
    'app/Chart.yaml': `apiVersion: v2\nname: app\nversion: ${version}.0.0\n`,
    'app/values.yaml': 'note: ""\n',
    'app/templates/app.yaml': MANIFEST(version).replaceAll('${app}', '{{ .Release.Name }}'),
  }),
  // The digest of the chart follows its version: `1.0.0+…`.
  revision: ({ history }) => (history?.[0]?.status === 'deployed' ? history[0].chartVersion?.split('+')[0] : undefined),
  wanted: (version) => `${version}.0.0`,
  sources: ['chart'],
  dryRun: false,
};

const workload: Workload = flags.helmreleases === undefined ? pairs : releases;

/** Runs `task` for 0…n-1, `width` at a time. */
async function parallel(n: number, width: number, task: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: width }, async () => {
      while (next < n) await task(next++);
    }),
  );
}

/** Requests the API server has answered so far, by verb and resource, of the kinds the workload touches. */
async function serverCounts(): Promise<Counts> {
  const { text } = await client.raw({ method: 'GET', path: '/metrics', timeout: 60_000 });
  const counts: Counts = new Map();
  const wanted = new Set(
    'ocirepositories kustomizations helmreleases secrets configmaps serviceaccounts services deployments events'.split(' '),
  );
  for (const line of text.split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    const label = (key: string): string => new RegExp(`[{,]${key}="([^"]*)"`).exec(line)?.[1] ?? '';
    const resource = label('resource');
    if (!wanted.has(resource) || label('verb') === 'WATCH') continue;
    // The deployment controller writes deployments' status; nobody in this workload does.
    if (resource === 'deployments' && label('subresource') === 'status') continue;
    const dry = label('dry_run') === '' ? '' : ' dry-run';
    const sub = label('subresource') === '' ? '' : `/${label('subresource')}`;
    const key = `${label('verb')}${dry} ${resource}${sub}`;
    counts.set(key, (counts.get(key) ?? 0) + Number(line.slice(line.lastIndexOf(' '))));
  }
  return counts;
}

function difference(before: Counts, after: Counts): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [key, value] of [...after].sort()) if (value > (before.get(key) ?? 0)) out[key] = value - (before.get(key) ?? 0);
  return out;
}

function processUsage(pids: readonly number[]): { cpuSeconds: number; peakMiB: number; nowMiB: number } {
  let ticks = 0;
  let peak = 0;
  let now = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    ticks += Number(stat[11]) + Number(stat[12]);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    peak += Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    now += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0);
  }
  return { cpuSeconds: ticks / 100, peakMiB: Math.round(peak / 1024), nowMiB: Math.round(now / 1024) };
}

/** Seconds all cores together have been idle since the machine started. */
function idleSeconds(): number {
  const [, , , , idle, iowait] = readFileSync('/proc/stat', 'utf8').split('\n')[0]?.split(/ +/) ?? [];
  return (Number(idle) + Number(iowait)) / 100;
}

/** Where the machine's time has gone so far. */
function machine(): Phase['cpu'] {
  return {
    controlPlane: controlPlane === undefined ? 0 : processUsage([controlPlane.pid]).cpuSeconds,
    bench: processUsage([process.pid]).cpuSeconds,
    idle: idleSeconds(),
  };
}

/** Resolves when every application is Ready at `revision`. */
function allReady(revision: string): Promise<void> {
  const informer = client.informer(workload.kind, { namespace: NAMESPACE });
  const ready = new Set<string>();
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`wait for ${count} ${workload.title} at ${revision}: ${ready.size} Ready after 15 minutes`)),
      900_000,
    );
    let shown = 0;
    const look = (object: KubeObject): void => {
      const status = (object['status'] ?? {}) as Status;
      if (workload.revision(status) !== revision || status.conditions?.find((it) => it.type === 'Ready')?.status !== 'True') return;
      ready.add(object.metadata.name);
      if (ready.size - shown >= count / 10) {
        shown = ready.size;
        say(`  ${ready.size}/${count} Ready`);
      }
      if (ready.size < count) return;
      clearTimeout(timer);
      informer.release();
      resolve();
    };
    informer.subscribe({ added: look, updated: look });
  });
}

async function measure(title: string, revision: string, pids: readonly number[], begin: () => Promise<void>, own: number): Promise<Phase> {
  say(`► ${title}`);
  const before = await serverCounts();
  const usage = processUsage(pids);
  const machineBefore = machine();
  const started = performance.now();
  const ready = allReady(revision);
  await begin();
  await ready;
  const seconds = (performance.now() - started) / 1000;
  const machineAfter = machine();
  const controllerCpuSeconds = processUsage(pids).cpuSeconds - usage.cpuSeconds;
  const requests = difference(before, await serverCounts());
  const total = Object.values(requests).reduce((sum, value) => sum + value, 0) - own;
  const cpu = {
    controlPlane: machineAfter.controlPlane - machineBefore.controlPlane,
    bench: machineAfter.bench - machineBefore.bench,
    idle: machineAfter.idle - machineBefore.idle,
  };
  say(`✔ ${title}: ${seconds.toFixed(1)} s, ${(total / count).toFixed(1)} requests per application`);
  say(
    `  CPU-s: ${controllerCpuSeconds.toFixed(1)} controller (${((1000 * controllerCpuSeconds) / count).toFixed(1)} ms each), ${cpu.controlPlane.toFixed(1)} control plane, ${cpu.bench.toFixed(1)} this program, ${cpu.idle.toFixed(1)} nobody`,
  );
  return { seconds, requests, requestsPerApplication: total / count, controllerCpuSeconds, cpu };
}

/** What a release's two storage writes cost: a Secret of about the same size, made and changed. */
async function writeRecord(admin: KubeClient, namespace: string, app: string): Promise<void> {
  const record = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `record-${app}`, namespace, labels: { status: 'pending-install' } },
  };
  await admin.create({ ...record, type: 'bench', data: { release: Buffer.alloc(3000, app).toString('base64') } });
  const target = { ...record, name: record.metadata.name, namespace };
  await admin.patch(target, { type: 'merge', body: { metadata: { labels: { status: 'deployed' } } } }, { fieldManager: 'bench' });
}

/**
 * The bare time the API server needs for an install's requests: of a pair 2 finalizers, 4 dry-runs, 4 applies, 2 statuses and 2 events;
 * of a release 1 finalizer, 4 applies, 2 records, 1 status and 1 event.
 */
async function bare(admin: KubeClient): Promise<number> {
  const namespace = 'bench-bare';
  harness.apply(`{apiVersion: v1, kind: Namespace, metadata: {name: ${namespace}}}`);
  const objects = (i: number): KubeObject[] => {
    const app = `bare-${i}`;
    const metadata = { name: app, namespace };
    return [
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { version: 'v1', app } },
      { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: { app }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] } },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata,
        spec: {
          replicas: 0,
          selector: { matchLabels: { app } },
          template: { metadata: { labels: { app } }, spec: { containers: [{ name: 'main', image: 'app:v1' }] } },
        },
      },
    ];
  };
  await parallel(
    count,
    16,
    async (i) =>
      await Promise.all(
        workload
          .application(i)
          .map(
            async (object) =>
              await admin.apply(
                { ...object, metadata: { ...object.metadata, namespace }, spec: { ...(object['spec'] as object), suspend: true } },
                { fieldManager: 'bench' },
              ),
          ),
      ),
  );
  const started = performance.now();
  await parallel(count, 16, async (i) => {
    for (const object of workload.application(i)) {
      const target = { apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name, namespace };
      await admin.patch(target, { type: 'merge', body: { metadata: { finalizers: ['finalizers.fluxcd.io'] } } }, { fieldManager: 'bench' });
      const conditions = [{ type: 'Ready', status: 'True', reason: 'Succeeded', message: 'x', lastTransitionTime: '2026-01-01T00:00:00Z' }];
      await admin.patchStatus(target, { type: 'merge', body: { status: { conditions } } }, { fieldManager: 'bench' });
      const now = new Date().toISOString().replace(/\.\d+/, '');
      await admin.create({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `${object.metadata.name}.${object.kind.toLowerCase()}`, namespace },
        type: 'Normal',
        reason: 'Bench',
        message: 'x',
        involvedObject: { ...target },
        source: { component: 'bench' },
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
      });
    }
    if (!workload.dryRun) await writeRecord(admin, namespace, `bare-${i}`);
    for (const dryRun of workload.dryRun ? [true, false] : [false])
      await Promise.all(objects(i).map(async (object) => await admin.apply(object, { fieldManager: 'bench', force: true, dryRun })));
  });
  const seconds = (performance.now() - started) / 1000;
  await parallel(
    count,
    16,
    async (i) =>
      await Promise.all(
        workload
          .application(i)
          .map(
            async (object) =>
              await admin.patch(
                { ...object, name: object.metadata.name, namespace },
                { type: 'merge', body: { metadata: { finalizers: null } } },
              ),
          ),
      ),
  );
  // Gone before anything is measured: a controller would see these objects too.
  harness.kubectl(['delete', 'namespace', namespace, '--timeout=180s']);
  return seconds;
}

try {
  if (!flags.external) harness.installCrds();
  harness.apply(`{apiVersion: v1, kind: Namespace, metadata: {name: ${NAMESPACE}}}`);
  harness.apply(`{apiVersion: v1, kind: ServiceAccount, metadata: {name: reconciler, namespace: ${NAMESPACE}}}`);
  harness.apply(
    `{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reconciler, namespace: ${NAMESPACE}}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}, subjects: [{kind: ServiceAccount, name: reconciler, namespace: ${NAMESPACE}}]}`,
  );
  const push = (version: number): string => harness.pushFiles(`${registry.host}/${REPOSITORY}:latest`, workload.artifact(version));
  const first = push(1);
  const machineBefore = machine();
  const floor = await bare(client);
  const machineAfter = machine();
  say(
    `  bare requests: ${floor.toFixed(1)} s; with making and deleting their objects ${(machineAfter.controlPlane - machineBefore.controlPlane).toFixed(1)} CPU-s control plane, ${(machineAfter.bench - machineBefore.bench).toFixed(1)} this program`,
  );
  const extra = flags.concurrent === undefined ? [] : ['--concurrent', flags.concurrent];
  const controller = flags.external
    ? undefined
    : await harness.startController(extra, {
        ...(flags.profile === undefined ? {} : { nodeArgs: ['--cpu-prof', `--cpu-prof-dir=${flags.profile}`] }),
        ...(flags.built ? { entry: 'dist/cli/main.js' } : {}),
      });
  const pids = flags.external ? (flags.controller ?? []).map(Number) : [controller?.pid ?? 0];
  const install = await measure(
    `install ${count} ${workload.title}`,
    workload.wanted(1, first),
    pids,
    async () => {
      for (const object of workload.shared) await client.apply(object, { fieldManager: 'bench' });
      await parallel(count, 16, async (i) => {
        for (const object of workload.application(i)) await client.apply(object, { fieldManager: 'bench' });
      });
    },
    count * workload.application(0).length + workload.shared.length,
  );
  const second = push(2);
  const upgrade = await measure(
    `upgrade ${count} ${workload.title}`,
    workload.wanted(2, second),
    pids,
    async () =>
      await parallel(workload.sources.length, 16, async (i) => {
        const target = { ...SOURCES, name: workload.sources[i] ?? '', namespace: NAMESPACE };
        await client.patch(target, { type: 'merge', body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': second } } } });
      }),
    workload.sources.length,
  );
  const { peakMiB } = processUsage(pids);
  await sleep(systemClock, STEADY_AFTER);
  const { nowMiB: steadyMiB } = processUsage(pids);
  const report = {
    [flags.helmreleases === undefined ? 'kustomizations' : 'helmreleases']: count,
    install,
    upgrade,
    bareSeconds: floor,
    installOverBare: install.seconds / floor,
    controllerPeakMiB: peakMiB,
    controllerSteadyMiB: steadyMiB,
  };
  if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    for (const [phase, { requests }] of Object.entries({ install, upgrade })) {
      say(`  ${phase}: requests by verb`);
      for (const [key, value] of Object.entries(requests)) say(`    ${key.padEnd(40)} ${value}`);
    }
    say(
      `  install ${install.seconds.toFixed(1)} s = ${report.installOverBare.toFixed(2)} × the bare time; upgrade ${upgrade.seconds.toFixed(1)} s; RSS: peak ${peakMiB} MiB, steady ${steadyMiB} MiB`,
    );
  }
  await controller?.stop();
} finally {
  await client.close();
  await registry.stop();
  await controlPlane?.stop();
}
