import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildControlPlane, hasGo } from './build.ts';

/** A running control plane: an admin kubeconfig, and how to end it. */
export type ControlPlane = { kubeconfig: string; pid: number; stop(): Promise<void> };

/** Why no control plane can be started on this machine; undefined when one can. */
export function missingForControlPlane(): string | undefined {
  if (hasGo() || process.env['KUBEBUILDER_ASSETS'] !== undefined) return undefined;
  return 'needs the Go toolchain, or KUBEBUILDER_ASSETS with etcd and kube-apiserver';
}

/**
 * Starts a Kubernetes control plane on loopback: the program of this folder where Go is there, else the programs of
 * `KUBEBUILDER_ASSETS`. State lives in a temporary folder that `stop` removes.
 */
export async function startControlPlane(): Promise<ControlPlane> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-control-plane-'));
  const assets = process.env['KUBEBUILDER_ASSETS'];
  return hasGo() || assets === undefined ? await startOwn(directory) : await startAssets(directory, assets);
}

async function startOwn(directory: string): Promise<ControlPlane> {
  const program = await buildControlPlane();
  const log = join(directory, 'log');
  const child = spawn(program, ['--data-dir', directory], { stdio: ['ignore', 'pipe', openSync(log, 'w')] });
  const kubeconfig = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const ready = /^ready kubeconfig=(.*)$/m.exec(text)?.[1];
      if (ready !== undefined) resolve(ready);
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`start control plane: ended with ${code}:\n${readFileSync(log, 'utf8').slice(-4000)}`)));
  });
  return { kubeconfig, pid: child.pid ?? 0, stop: () => stop([child], directory) };
}

async function startAssets(directory: string, assets: string): Promise<ControlPlane> {
  const [etcdPort, peerPort, apiPort] = [await freePort(), await freePort(), await freePort()];
  const token = randomBytes(24).toString('hex');
  const file = (name: string): string => join(directory, name);
  writeFileSync(file('tokens.csv'), `${token},admin,admin,system:masters\n`);
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  writeFileSync(file('sa.key'), keys.privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  mkdirSync(file('certs'));
  const children: ChildProcess[] = [];
  const run = (name: string, args: readonly string[]): void => {
    const log = openSync(file(`${name}.log`), 'w');
    children.push(spawn(join(assets, name), args, { stdio: ['ignore', log, log] }));
  };
  const etcd = `http://127.0.0.1:${etcdPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  run('etcd', [
    `--data-dir=${file('etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${etcd}`,
    `--advertise-client-urls=${etcd}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
  ]);
  const controllers = existsSync(join(assets, 'kube-controller-manager'));
  run('kube-apiserver', [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${apiPort}`,
    '--endpoint-reconciler-type=none',
    `--cert-dir=${file('certs')}`,
    `--token-auth-file=${file('tokens.csv')}`,
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${file('sa.key')}`,
    `--service-account-signing-key-file=${file('sa.key')}`,
    ...(controllers ? [] : ['--disable-admission-plugins=ServiceAccount']),
  ]);
  const kubeconfig = file('kubeconfig');
  const server = `https://127.0.0.1:${apiPort}`;
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'test',
      clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'admin', user: { token } }],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    }),
  );
  await waitReady(server, token);
  if (controllers)
    run('kube-controller-manager', [
      `--kubeconfig=${kubeconfig}`,
      `--service-account-private-key-file=${file('sa.key')}`,
      '--use-service-account-credentials=false',
    ]);
  return { kubeconfig, pid: children[1]?.pid ?? 0, stop: () => stop(children.reverse(), directory) };
}

async function waitReady(server: string, token: string): Promise<void> {
  const { Agent, request } = await import('undici');
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    try {
      const answer = await request(`${server}/readyz`, { dispatcher, headers: { authorization: `Bearer ${token}` } });
      await answer.body.dump();
      if (answer.statusCode === 200) return await dispatcher.close();
    } catch (error) {
      if (Date.now() + 1000 > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`start control plane: ${server}/readyz did not answer 200 within 60s`);
}

async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

async function stop(children: readonly ChildProcess[], directory: string): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.on('exit', resolve));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 15_000);
    await ended;
    clearTimeout(timer);
  }
  rmSync(directory, { recursive: true, force: true });
}
