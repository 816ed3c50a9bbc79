// What the sandbox does and costs: `node --expose-gc test/bench/sandbox.ts [--json] [--applies N] [--objects N] [--real]`. With --real
// the same applies go to a real API server (test/control-plane) in the same run.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type Agent, Agent as PlainAgent, get, request } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { readYaml } from '../../src/golang/index.ts';
import { startSandbox } from '../../src/sandbox/index.ts';
import { startControlPlane } from '../control-plane/start.ts';

type Target = { url: string; token?: string; ca?: string; cert?: string; key?: string };
type Kind = 'ConfigMap' | 'Deployment';
type Job = { target: Target; kind: Kind; applies: number; parallel: number };
type Measured = { appliesPerSecond: number; serverCpuMillisecondsEach?: number };

function bodyOf(kind: Kind, name: string, value: string): { path: string; body: string } {
  const metadata = { name, labels: { app: 'bench' } };
  if (kind === 'ConfigMap') {
    const data = { value, text: 'some configuration\n'.repeat(10) };
    return { path: `/api/v1/namespaces/default/configmaps/${name}`, body: JSON.stringify({ apiVersion: 'v1', kind, metadata, data }) };
  }
  const env = Array.from({ length: 10 }, (_, i) => ({ name: `VARIABLE_${i}`, value: i === 0 ? value : `value ${i}` }));
  const containers = ['web', 'proxy'].map((it) => ({
    name: it,
    image: `example.com/${it}:1`,
    ports: [{ name: 'http', containerPort: 8080 }],
    env,
    resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
  }));
  const template = { metadata: { labels: { app: name } }, spec: { containers } };
  // Paused, so that the write itself is measured and not what controllers do about it.
  const spec = { replicas: 1, paused: true, selector: { matchLabels: { app: name } }, template };
  const path = `/apis/apps/v1/namespaces/default/deployments/${name}`;
  return { path, body: JSON.stringify({ apiVersion: 'apps/v1', kind, metadata, spec }) };
}

async function apply(agent: Agent, { target, kind }: Job, name: string, value: string): Promise<void> {
  const { path, body } = bodyOf(kind, name, value);
  const headers = { 'content-type': 'application/apply-patch+yaml', 'content-length': Buffer.byteLength(body) };
  const send = target.url.startsWith('https:') ? secureRequest : request;
  await new Promise<void>((resolve, reject) => {
    const call = send(
      `${target.url}${path}?fieldManager=bench&force=true`,
      {
        agent,
        method: 'PATCH',
        headers: { ...headers, ...(target.token === undefined ? {} : { authorization: `Bearer ${target.token}` }) },
      },
      (response) => {
        response.resume();
        response.on('end', () =>
          (response.statusCode ?? 500) < 300 ? resolve() : reject(new Error(`apply ${name}: ${response.statusCode}`)),
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** The client has a thread of its own, as a real one has a process. */
async function client(job: Job): Promise<void> {
  const { ca, cert, key, url } = job.target;
  const options = { keepAlive: true, maxSockets: job.parallel };
  const agent = url.startsWith('https:')
    ? new SecureAgent({
        ...options,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      })
    : new PlainAgent(options);
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < job.applies; i = next++) await apply(agent, job, `bench-${i % 500}`, String(i));
  };
  await Promise.all(Array.from({ length: job.parallel }, worker));
  agent.destroy();
}

async function measure(job: Job, cpuHere: boolean): Promise<Measured> {
  const worker = new Worker(new URL(import.meta.url), { workerData: job });
  const done = new Promise<NodeJS.CpuUsage>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  const cpu = process.cpuUsage();
  const started = performance.now();
  const clientCpu = await done;
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const each = (user + system - clientCpu.user - clientCpu.system) / 1000 / job.applies;
  const measured = { appliesPerSecond: Math.round(job.applies / seconds) };
  return cpuHere ? { ...measured, serverCpuMillisecondsEach: Number(each.toFixed(3)) } : measured;
}

/** Address and credentials in a kubeconfig. */
function targetOf(kubeconfig: string): Target {
  type Config = {
    clusters: [{ cluster: { server: string; 'certificate-authority-data'?: string; 'certificate-authority'?: string } }];
    users: [{ user: Record<string, string | undefined> }];
  };
  const { clusters, users } = readYaml(kubeconfig) as Config;
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const read = (from: Readonly<Record<string, string | undefined>>, name: string): string | undefined => {
    const data = from[`${name}-data`];
    const path = from[name];
    return data !== undefined ? Buffer.from(data, 'base64').toString() : path === undefined ? undefined : readFileSync(path, 'utf8');
  };
  const parts = {
    token: user['token'],
    ca: read(cluster, 'certificate-authority'),
    cert: read(user, 'client-certificate'),
    key: read(user, 'client-key'),
  };
  const present = Object.fromEntries(Object.entries(parts).filter(([, value]) => value !== undefined));
  return { url: cluster.server, ...present };
}

/** A watch that reads and forgets. */
async function watch(target: Target): Promise<() => void> {
  return await new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${target.token ?? ''}` };
    const call = get(`${target.url}/api/v1/configmaps?watch=true`, { headers, agent: false }, (response) => {
      response.resume();
      resolve(() => call.destroy());
    });
    call.on('error', reject);
  });
}

/** Mebibytes that a sandbox takes with objects of about a kilobyte in it, and how many of them are the objects. */
async function memory(objects: number): Promise<{ rssMebibytes: number; heapMebibytesPer1000Objects: number }> {
  const sandbox = await startSandbox();
  const { token = '' } = targetOf(sandbox.kubeconfig);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < objects; i++) {
    const name = `memory-${i}`;
    sandbox.api.handle({
      method: 'PATCH',
      url: `/api/v1/namespaces/default/configmaps/${name}?fieldManager=bench`,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/apply-patch+yaml' },
      body: Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: 'x'.repeat(1000) } })),
    });
  }
  globalThis.gc?.();
  const { heapUsed, rss } = process.memoryUsage();
  await sandbox.close();
  return {
    rssMebibytes: Math.round(rss / 2 ** 20),
    heapMebibytesPer1000Objects: Number((((heapUsed - before) / 2 ** 20 / objects) * 1000).toFixed(1)),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      real: { type: 'boolean', default: false },
      applies: { type: 'string', default: '6000' },
      objects: { type: 'string', default: '1000' },
      parallel: { type: 'string', default: '16' },
    },
  });
  const [applies, parallel] = [Number(values.applies), Number(values.parallel)];
  const load = loadavg()[0] ?? 0;
  const taken = await memory(Number(values.objects));
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const [sandbox, kept] = [await startSandbox(), await startSandbox({ data: folder })];
  const secure = targetOf(sandbox.kubeconfig);
  const plain = { url: secure.url.replace('https:', 'http:'), token: secure.token ?? '' };
  const run = async (target: Target, kind: Kind = 'ConfigMap'): Promise<Measured> =>
    await measure({ target, kind, applies, parallel }, true);
  await measure({ target: plain, kind: 'ConfigMap', applies: 500, parallel }, true);
  const results: Record<string, Measured> = {
    'ConfigMap, HTTP': await run(plain),
    'ConfigMap, HTTPS': await run(secure),
    'ConfigMap, HTTPS, kept on disk': await run(targetOf(kept.kubeconfig)),
    'Deployment, HTTPS': await run(secure, 'Deployment'),
  };
  const stops = await Promise.all(Array.from({ length: 10 }, async () => await watch(plain)));
  results['ConfigMap, HTTPS, 10 watches'] = await run(secure);
  for (const stop of stops) stop();
  await Promise.all([sandbox.close(), kept.close()]);
  rmSync(folder, { recursive: true, force: true });
  if (values.real) Object.assign(results, await measureReal({ applies, parallel }));
  const result = {
    load: Number(load.toFixed(1)),
    loadAfter: Number((loadavg()[0] ?? 0).toFixed(1)),
    ...results,
    ...taken,
  };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, undefined, 2)}\n`);
}

async function measureReal({ applies, parallel }: { applies: number; parallel: number }): Promise<Record<string, Measured>> {
  const real = await startControlPlane();
  try {
    const target = targetOf(readFileSync(real.kubeconfig, 'utf8'));
    await measure({ target, kind: 'ConfigMap', applies: 500, parallel }, false);
    return {
      'ConfigMap, real API server': await measure({ target, kind: 'ConfigMap', applies, parallel }, false),
      'Deployment, real API server': await measure({ target, kind: 'Deployment', applies, parallel }, false),
    };
  } finally {
    await real.stop();
  }
}

if (isMainThread) await main();
else {
  await client(workerData as Job);
  parentPort?.postMessage(process.threadCpuUsage());
}
