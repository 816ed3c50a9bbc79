// How fast objects are applied to a real API server, and what one costs: `node test/bench/apply.ts --kubeconfig FILE [--json] [--apps N]`.
import { parseArgs } from 'node:util';
import type { KubeObject } from '../../src/manifest/index.ts';
import { createKubeClient, loadClusterConfig, nodeHost, type KubeClient, type KubeClientOptions } from '../../src/kube/index.ts';
import { EMPTY_INVENTORY, OwnedObjects, applyObjects, inventoryObjects, pruneObjects, type ApplyResult } from '../../src/apply/index.ts';

type Row = { name: string; seconds: number; perSecond: number; cpuMsEach: number; requestsEach: number };

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    json: { type: 'boolean', default: false },
    apps: { type: 'string', default: '200' },
    objects: { type: 'string', default: '2000' },
    parallel: { type: 'string', default: '16' },
  },
});
const group = 'kustomize.toolkit.fluxcd.io';
const fieldManager = 'kustomize-controller';
const config = await loadClusterConfig(nodeHost, values.kubeconfig === undefined ? {} : { kubeconfig: values.kubeconfig });
const rows: Row[] = [];
let sent = 0;

function connect(options: KubeClientOptions): KubeClient {
  return createKubeClient(config, { ...options, onRequest: ({ retries }) => (sent += 1 + retries) });
}

async function measure(name: string, count: number, work: () => Promise<void>): Promise<void> {
  sent = 0;
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const row = { name, seconds, perSecond: count / seconds, cpuMsEach: (user + system) / 1000 / count, requestsEach: sent / count };
  rows.push(row);
  if (!values.json) {
    const figures = `${row.perSecond.toFixed(0).padStart(6)}/s  ${row.cpuMsEach.toFixed(3)} ms CPU  ${row.requestsEach.toFixed(2)} requests each`;
    process.stdout.write(`${name.padEnd(44)} ${figures}\n`);
  }
}

async function inParallel(count: number, task: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await task(index);
  };
  await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
}

function app(namespace: string, name: string, revision: number): KubeObject[] {
  const metadata = { name, namespace };
  const labels = { app: name };
  const containers = [{ name: 'app', image: `example.com/app:${revision}`, ports: [{ containerPort: 8080 }] }];
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { revision: String(revision) } },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports: [{ port: 80 }] } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas: 0, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
    },
  ];
}

const run = Date.now().toString(36);
const namespace = `bench-${run}`;
const objects = Number(values.objects);
const client = connect({});
await client.mapper.all();
await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
await measure('bare server-side apply', objects, () =>
  inParallel(objects, async (index) => {
    const metadata = { name: `bare-${index}`, namespace };
    await client.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { key: 'value' } }, { fieldManager, force: true });
  }),
);
const apps = Number(values.apps);
const owner = (index: number): { group: string; name: string; namespace: string } => ({ group, name: `app-${run}-${index}`, namespace });
// The floor: the very requests an install needs, sent with nothing between them.
await measure('bare dry-run and apply of 4 objects', apps, () =>
  inParallel(apps, async (index) => {
    const set = app(namespace, `bare-${run}-${index}`, 1);
    for (const dryRun of [true, false]) {
      await Promise.all(set.map((object) => client.apply(object, { fieldManager, force: true, dryRun })));
    }
  }),
);
const owned = new OwnedObjects({ client, group, fieldManager });
const results: ApplyResult[] = [];

async function applyAll(revision: number): Promise<void> {
  await inParallel(apps, async (index) => {
    const previous = results[index];
    results[index] = await applyObjects({
      client: client.impersonate({ user: 'admin', groups: ['system:masters'] }),
      objects: app(namespace, owner(index).name, revision),
      owner: owner(index),
      fieldManager,
      inventory: previous?.inventory ?? EMPTY_INVENTORY,
      live: owned,
      ...(previous === undefined ? {} : { known: previous.known }),
    });
  });
}

await measure('install of applications (4 objects)', apps, () => applyAll(1));
for (const object of app(namespace, 'any', 1)) await owned.watch(object);
await measure('the same again, nothing changed', apps, () => applyAll(1));
await measure('new revision (2 of 4 objects changed)', apps, () => applyAll(2));
results.length = 0;
await measure('after a restart (watches, no memory)', apps, () => applyAll(2));
await measure('prune', apps, () =>
  inParallel(apps, async (index) => {
    const result = results[index];
    if (result !== undefined) await pruneObjects({ client, owner: owner(index), objects: inventoryObjects(result.inventory), live: owned });
  }),
);
owned.close();
await client.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
await client.close();
if (values.json) process.stdout.write(`${JSON.stringify({ apps, objects, parallel: Number(values.parallel), rows }, null, 2)}\n`);
