// Mean time to production: N OCIRepository + Kustomization pairs (4 objects each, impersonation, one substitution, wait) from nothing
// to all Ready, then a new revision of all. `--external --kubeconfig F --registry HOST` measures whatever controllers run there.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '../../src/std/index.ts';
import { createKubeClient, type KubeClient, loadClusterConfig, nodeHost } from '../../src/kube/index.ts';
import type { KubeObject } from '../../src/manifest/index.ts';
import { startControlPlane } from '../control-plane/start.ts';

const { values: flags } = parseArgs({
  options: {
    kustomizations: { type: 'string', default: '200' },
    external: { type: 'boolean', default: false },
    kubeconfig: { type: 'string' },
    registry: { type: 'string' },
    controller: { type: 'string', multiple: true, default: [] },
    concurrent: { type: 'string' },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});
const count = Number(flags.kustomizations);
const NAMESPACE = 'bench';
const REPOSITORY = 'bench/app';

type Phase = { seconds: number; requests: Record<string, number>; requestsPerApplication: number; controllerCpuSeconds: number };
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
  const wanted = new Set(['ocirepositories', 'kustomizations', 'configmaps', 'serviceaccounts', 'services', 'deployments', 'events']);
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

function processUsage(pids: readonly number[]): { cpuSeconds: number; peakMiB: number } {
  let ticks = 0;
  let peak = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    ticks += Number(stat[11]) + Number(stat[12]);
    peak += Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  }
  return { cpuSeconds: ticks / 100, peakMiB: Math.round(peak / 1024) };
}

/** Resolves when every Kustomization is Ready at `revision`. */
function allReady(revision: string): Promise<void> {
  const informer = client.informer({ apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' }, { namespace: NAMESPACE });
  const ready = new Set<string>();
  return new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`wait for ${count} Kustomizations at ${revision}: ${ready.size} Ready after 15 minutes`)),
      900_000,
    );
    let shown = 0;
    const look = (object: KubeObject): void => {
      const status = object['status'] as { lastAppliedRevision?: string; conditions?: { type: string; status: string }[] } | undefined;
      if (status?.lastAppliedRevision !== revision || status.conditions?.find((it) => it.type === 'Ready')?.status !== 'True') return;
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
  const started = performance.now();
  const ready = allReady(revision);
  await begin();
  await ready;
  const seconds = (performance.now() - started) / 1000;
  const requests = difference(before, await serverCounts());
  const total = Object.values(requests).reduce((sum, value) => sum + value, 0) - own;
  const cpu = processUsage(pids).cpuSeconds - usage.cpuSeconds;
  say(
    `✔ ${title}: ${seconds.toFixed(1)} s, ${(total / count).toFixed(1)} requests per application, ${cpu.toFixed(1)} CPU-s in the controller`,
  );
  return { seconds, requests, requestsPerApplication: total / count, controllerCpuSeconds: cpu };
}

/** The bare time the API server needs for an install's requests: 2 finalizers, 4 dry-runs, 4 applies, 2 statuses and 2 events each. */
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
  for (let i = 0; i < count; i++) for (const object of pair(i)) delete object['status'];
  await parallel(
    count,
    16,
    async (i) =>
      await Promise.all(
        pair(i).map(
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
    for (const object of pair(i)) {
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
    for (const dryRun of [true, false])
      await Promise.all(objects(i).map(async (object) => await admin.apply(object, { fieldManager: 'bench', force: true, dryRun })));
  });
  const seconds = (performance.now() - started) / 1000;
  await parallel(
    count,
    16,
    async (i) =>
      await Promise.all(
        pair(i).map(
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
  const push = (version: number): string => harness.pushFiles(`${registry.host}/${REPOSITORY}:latest`, { 'app.yaml': MANIFEST(version) });
  const first = push(1);
  const floor = await bare(client);
  say(`  bare requests: ${floor.toFixed(1)} s`);
  const extra = flags.concurrent === undefined ? [] : ['--concurrent', flags.concurrent];
  const controller = flags.external
    ? undefined
    : await harness.startController(extra, { nodeArgs: (process.env['NARGS'] ?? '--trace-gc').split(' ') });
  const pids = flags.external ? (flags.controller ?? []).map(Number) : [controller?.pid ?? 0];
  const install = await measure(
    `install ${count} pairs`,
    `latest@${first}`,
    pids,
    async () =>
      await parallel(count, 16, async (i) => {
        for (const object of pair(i)) await client.apply(object, { fieldManager: 'bench' });
      }),
    count * 2,
  );
  const second = push(2);
  const upgrade = await measure(
    `upgrade ${count} pairs`,
    `latest@${second}`,
    pids,
    async () =>
      await parallel(count, 16, async (i) => {
        const target = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'OCIRepository', name: name(i), namespace: NAMESPACE };
        await client.patch(target, { type: 'merge', body: { metadata: { annotations: { 'reconcile.fluxcd.io/requestedAt': second } } } });
      }),
    count,
  );
  await new Promise((r) => setTimeout(r, Number(process.env['IDLE'] ?? '20000')));
  const rss = (/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pids[0]}/status`, 'utf8')) ?? [])[1];
  process.stderr.write(
    `STEADY RSS ${Number(rss) / 1024} MiB\n` +
      (controller
        ?.log()
        .split('\n')
        .filter((l) => /Mark-Compact/.test(l))
        .slice(-6)
        .join('\n') ?? '') +
      '\n',
  );
  const { peakMiB } = processUsage(pids);
  const report = {
    kustomizations: count,
    install,
    upgrade,
    bareSeconds: floor,
    installOverBare: install.seconds / floor,
    controllerPeakMiB: peakMiB,
  };
  if (flags.json) process.stdout.write(`${JSON.stringify(report)}\n`);
  else {
    for (const [phase, { requests }] of Object.entries({ install, upgrade })) {
      say(`  ${phase}: requests by verb`);
      for (const [key, value] of Object.entries(requests)) say(`    ${key.padEnd(40)} ${value}`);
    }
    say(
      `  install ${install.seconds.toFixed(1)} s = ${report.installOverBare.toFixed(2)} × the bare time; upgrade ${upgrade.seconds.toFixed(1)} s; peak RSS ${peakMiB} MiB`,
    );
  }
  await controller?.stop();
} finally {
  await client.close();
  await registry.stop();
  await controlPlane?.stop();
}
