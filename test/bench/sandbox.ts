// What the sandbox does and costs: `node --expose-gc test/bench/sandbox.ts [--json] [--applies N] [--objects N]`.
import { Worker, isMainThread, workerData, parentPort } from 'node:worker_threads';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { startSandbox } from '../../src/sandbox/index.ts';

type Job = { port: number; token: string; applies: number; parallel: number };

async function apply(agent: Agent, job: Job, name: string, value: string): Promise<void> {
  const body = JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, labels: { app: 'bench' } },
    data: { value, text: 'some configuration\n'.repeat(10) },
  });
  await new Promise<void>((resolve, reject) => {
    const call = request(
      {
        agent,
        port: job.port,
        method: 'PATCH',
        path: `/api/v1/namespaces/default/configmaps/${name}?fieldManager=bench&force=true`,
        headers: {
          authorization: `Bearer ${job.token}`,
          'content-type': 'application/apply-patch+yaml',
          'content-length': Buffer.byteLength(body),
        },
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
  const agent = new Agent({ keepAlive: true, maxSockets: job.parallel });
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < job.applies; i = next++) await apply(agent, job, `bench-${i % 500}`, String(i));
  };
  await Promise.all(Array.from({ length: job.parallel }, worker));
  agent.destroy();
}

async function measure(): Promise<void> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      applies: { type: 'string', default: '6000' },
      objects: { type: 'string', default: '1000' },
      parallel: { type: 'string', default: '16' },
    },
  });
  const sandbox = await startSandbox();
  const { users } = JSON.parse(sandbox.kubeconfig) as { users: { user: { token: string } }[] };
  const job: Job = {
    port: Number(new URL(sandbox.url).port),
    token: users[0]?.user.token ?? '',
    applies: Number(values.applies),
    parallel: Number(values.parallel),
  };
  const cpu = process.cpuUsage();
  const started = performance.now();
  await new Promise<void>((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: job });
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  const objects = Number(values.objects);
  for (let i = 0; i < objects; i++) {
    const name = `memory-${i}`;
    sandbox.api.handle({
      method: 'PATCH',
      url: `/api/v1/namespaces/default/configmaps/${name}?fieldManager=bench`,
      headers: { authorization: `Bearer ${job.token}`, 'content-type': 'application/apply-patch+yaml' },
      body: Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { text: 'x'.repeat(1000) } })),
    });
  }
  globalThis.gc?.();
  const rss = process.memoryUsage.rss();
  await sandbox.close();
  const result = {
    appliesPerSecond: Math.round(job.applies / seconds),
    cpuMillisecondsEach: (user + system) / 1000 / job.applies,
    rssMebibytes: Math.round(rss / 2 ** 20),
    rssMebibytesPer1000Objects: Math.round(((rss - before) / 2 ** 20 / objects) * 1000),
  };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${JSON.stringify(result, undefined, 2)}\n`);
}

if (isMainThread) await measure();
else {
  await client(workerData as Job);
  parentPort?.postMessage('done');
}
