import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'sluice-sandbox-command-'));
const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

type Cluster = { server: string; token: string; ca: string; kubeconfig: string; registry: string; child: ChildProcess };
type Run = { code: number | null; out: string; err: string };

function start(args: readonly string[], told: (out: string) => void = () => {}): { child: ChildProcess; ended: Promise<Run> } {
  const main = join(import.meta.dirname, '../cli/main.ts');
  mkdirSync(join(folder, 'tmp'), { recursive: true });
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'sandbox', ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      TMPDIR: join(folder, 'tmp'),
      NODE_COMPILE_CACHE: join(tmpdir(), 'sluice-test-compile-cache'),
    },
  });
  running.add(child);
  const run: Run = { code: null, out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    run.out += chunk.toString();
    told(run.out);
  });
  child.stderr.on('data', (chunk: Buffer) => (run.err += chunk.toString()));
  const ended = new Promise<Run>((resolve) =>
    child.on('close', (code) => {
      running.delete(child);
      resolve({ ...run, code });
    }),
  );
  return { child, ended };
}

/** Starts a sandbox and waits until it says where it is. */
async function open(...args: readonly string[]): Promise<Cluster> {
  const { promise: told, resolve: say } = Promise.withResolvers<string>();
  const { child, ended } = start(args, (out) => {
    if (out.includes('registry: ')) say(out);
  });
  const out = await Promise.race([
    told,
    ended.then((run) => {
      throw new Error(`ended with ${run.code}: ${run.err}`);
    }),
  ]);
  const [, kubeconfig = '', registry = ''] = /^kubeconfig: (.+)\nregistry: (.+)\n$/.exec(out) ?? [];
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
    users: [{ user: { token: string } }];
  };
  const [{ cluster }] = config.clusters;
  const ca = Buffer.from(cluster['certificate-authority-data'], 'base64').toString();
  return { server: cluster.server, token: config.users[0].user.token, ca, kubeconfig, registry, child };
}

async function stop({ child }: Cluster, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.kill(signal);
  return await ended;
}

async function ask(cluster: Cluster, method: string, path: string, body = ''): Promise<{ code: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${cluster.token}`,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    };
    const call = request(new URL(path, cluster.server), { method, headers, ca: cluster.ca, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body: text }));
    });
    call.on('error', reject);
    call.end(body);
  });
}

const answers = async (host: string, port: string): Promise<boolean> =>
  await new Promise((resolve) => {
    const socket = connect(Number(port), host, () => {
      socket.destroy();
      resolve(true);
    }).on('error', () => resolve(false));
  });
const portOf = (address: string): string => /:(\d+)$/.exec(address)?.[1] ?? '';
const MAPS = '/api/v1/namespaces/default/configmaps';
const map = (name: string): string => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

describe('sluice sandbox', () => {
  it('serves API and registry on loopback only, and leaves nothing behind', async () => {
    const cluster = await open();
    assert.match(cluster.server, /^https:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(statSync(cluster.kubeconfig).mode & 0o777, 0o600);
    for (const port of [portOf(cluster.server), portOf(cluster.registry)]) {
      assert.equal(await answers('127.0.0.1', port), true);
      if (process.platform === 'linux') assert.equal(await answers('127.0.0.2', port), false);
    }
    assert.equal((await ask({ ...cluster, token: 'wrong' }, 'GET', MAPS)).code, 401);
    assert.equal(await stop(cluster), 0);
    assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
  });

  it('listens where --host says, at --port and --registry-port, with the manifests of --filename in it', async () => {
    const manifests = join(folder, 'manifests');
    mkdirSync(manifests);
    const crd = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: toys, singular: toy, kind: Toy, listKind: ToyList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`;
    writeFileSync(join(manifests, '1-crd.yaml'), crd);
    writeFileSync(join(manifests, '2-toy.yaml'), '{apiVersion: example.com/v1, kind: Toy, metadata: {name: bear, namespace: default}}');
    writeFileSync(join(manifests, 'notes.txt'), 'not a manifest');
    const single = join(folder, 'single.json');
    writeFileSync(single, map('single').replace('"name"', '"namespace":"default","name"'));
    const free = await open();
    const [port, registryPort] = [portOf(free.server), portOf(free.registry)];
    await stop(free);
    const cluster = await open('--host', '0.0.0.0', '--port', port, '--registry-port', registryPort, '-f', single, manifests);
    assert.deepEqual([cluster.server, portOf(cluster.registry)], [`https://127.0.0.1:${port}`, registryPort]);
    if (process.platform === 'linux') assert.equal(await answers('127.0.0.2', port), true);
    assert.equal((await ask(cluster, 'GET', `${MAPS}/single`)).code, 200);
    assert.equal((await ask(cluster, 'GET', '/apis/example.com/v1/namespaces/default/toys/bear')).code, 200);
    const taken = await start(['--port', port]).ended;
    assert.equal(taken.code, 1);
    assert.match(taken.err, /✗ listen on 127\.0\.0\.1:\d+: .*EADDRINUSE/);
    await stop(cluster, 'SIGINT');
  });

  it('keeps its state in the folder of --data, also over kill -9', async () => {
    const data = join(folder, 'data');
    const first = await open('--data', data);
    let acknowledged = 0;
    const writing = (async (): Promise<void> => {
      for (let i = 0; ; i++) {
        if ((await ask(first, 'POST', MAPS, map(`map-${i}`))).code !== 201) return;
        acknowledged = i + 1;
      }
    })().catch(() => 'the connection broke');
    while (acknowledged < 20) await new Promise((resolve) => setTimeout(resolve, 5));
    const second = start(['--data', data]);
    const refused = await second.ended;
    assert.deepEqual([refused.code, /✗ open .*cluster: process \d+ uses it/.test(refused.err)], [1, true]);
    await stop(first, 'SIGKILL');
    await writing;
    assert.equal(existsSync(join(data, 'kubeconfig')), true);
    const third = await open('--data', data);
    assert.deepEqual([third.token, third.ca], [first.token, first.ca], 'a kubeconfig stays good');
    const { items } = JSON.parse((await ask(third, 'GET', MAPS)).body) as { items: { metadata: { name: string } }[] };
    const names = new Set(items.map((item) => item.metadata.name));
    for (let i = 0; i < acknowledged; i++) assert.ok(names.has(`map-${i}`), `map-${i} of ${acknowledged}`);
    await stop(third);
  });

  it('refuses what cannot be meant, and says what would be', async () => {
    const runs = await Promise.all(
      [['--port', 'http'], ['--registry-port', '70000'], ['-f', '/nowhere.yaml'], ['--host', '::1'], ['--what']].map(
        async (args) => await start(args).ended,
      ),
    );
    assert.deepEqual(
      runs.map(({ code, out }) => [code, out]),
      runs.map(() => [1, '']),
    );
    assert.match(runs[0]?.err ?? '', /✗ --port "http": not a port\n {2}try: give a number from 0 to 65535/);
    assert.deepEqual(readdirSync(join(folder, 'tmp')), []);
  });
});
