// Real parts for the suites on a cluster: docker-registry, the controller as a process of its own, kubectl.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export { corpus } from '../corpus.ts';

export const root: string = join(import.meta.dirname, '..', '..');

/** The admin kubeconfig of the cluster under test. */
export function kubeconfig(): string {
  const path = process.env['SLUICE_KUBECONFIG'];
  if (path === undefined) throw new Error('SLUICE_KUBECONFIG is not set: run `npm run test:cluster [FILE…]`');
  return path;
}

/** A free loopback port. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export type Registry = { host: string; stop(): Promise<void> };

/** Debian's docker-registry on loopback; with `users`, an htpasswd file guards it. */
export async function startDockerRegistry(options: { htpasswd?: string } = {}): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-registry-'));
  const port = await freePort();
  if (options.htpasswd !== undefined) writeFileSync(join(folder, 'htpasswd'), options.htpasswd);
  const auth = options.htpasswd === undefined ? '' : `auth: {htpasswd: {realm: test, path: ${join(folder, 'htpasswd')}}}\n`;
  writeFileSync(
    join(folder, 'config.yml'),
    `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: ${join(folder, 'data')}}, delete: {enabled: true}, cache: {blobdescriptor: inmemory}}
http: {addr: '127.0.0.1:${port}'}
${auth}`,
  );
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  const host = `127.0.0.1:${port}`;
  await eventually('docker-registry answers', async () => (await fetch(`http://${host}/v2/`)).status > 0);
  return {
    host,
    stop: async () => {
      await end(child, 'SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Loads an OCI image layout into a registry byte for byte, over plain HTTP, without our client. */
export async function loadLayout(layout: string, host: string, repository: string, tags?: readonly string[]): Promise<void> {
  type Entry = { digest: string; mediaType: string; annotations?: Record<string, string> };
  const blob = (digest: string): Buffer => readFileSync(join(layout, 'blobs', ...digest.split(':')));
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: Entry[] };
  const pushed = new Set<string>();
  const push = async (entry: Entry, name: string): Promise<void> => {
    const body = blob(entry.digest);
    const manifest = JSON.parse(body.toString()) as { config?: Entry; layers?: Entry[]; manifests?: Entry[] };
    for (const child of manifest.manifests ?? []) await push(child, child.digest);
    for (const part of [...(manifest.config === undefined ? [] : [manifest.config]), ...(manifest.layers ?? [])]) {
      if (pushed.has(part.digest)) continue;
      pushed.add(part.digest);
      const start = await fetch(`http://${host}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
      const location = new URL(start.headers.get('location') ?? '', `http://${host}`);
      location.searchParams.set('digest', part.digest);
      const put = await fetch(location, { method: 'PUT', body: new Uint8Array(blob(part.digest)) });
      if (put.status !== 201) throw new Error(`push blob ${part.digest} to ${host}/${repository}: ${put.status} ${await put.text()}`);
    }
    const put = await fetch(`http://${host}/v2/${repository}/manifests/${name}`, {
      method: 'PUT',
      body: new Uint8Array(body),
      headers: { 'content-type': entry.mediaType },
    });
    if (put.status !== 201) throw new Error(`push manifest ${name} to ${host}/${repository}: ${put.status} ${await put.text()}`);
  };
  for (const entry of index.manifests) {
    const tag = entry.annotations?.['org.opencontainers.image.ref.name'];
    if (tags !== undefined && (tag === undefined || !tags.includes(tag))) continue;
    await push(entry, tag ?? entry.digest);
  }
}

/** Runs our own command line and gives its stdout. */
export function sluice(
  args: readonly string[],
  options: { input?: string; allowFailure?: boolean } = {},
): { status: number; stdout: string; stderr: string } {
  const done = spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'src/cli/main.ts'), ...args], {
    encoding: 'utf8',
    input: options.input ?? '',
    env: { ...process.env, KUBECONFIG: kubeconfig() },
  });
  if (done.status !== 0 && options.allowFailure !== true) throw new Error(`sluice ${args.join(' ')}: ${done.stdout}${done.stderr}`);
  return { status: done.status ?? 1, stdout: done.stdout, stderr: done.stderr };
}

/** Pushes files as a Flux artifact with our command line; gives its digest. */
export function pushFiles(reference: string, files: Readonly<Record<string, string>>, extra: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-push-'));
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  const args = [
    'push',
    'artifact',
    `oci://${reference}`,
    '--path',
    folder,
    '--source',
    'test',
    '--revision',
    'test',
    '--insecure-registry',
    '--output',
    'json',
    ...extra,
  ];
  const { stdout } = sluice(args);
  rmSync(folder, { recursive: true, force: true });
  return (JSON.parse(stdout) as { digest: string }).digest;
}

/** Runs the real kubectl. */
export function kubectl(args: readonly string[], options: { input?: string; allowFailure?: boolean } = {}): string {
  const done = spawnSync('kubectl', [`--kubeconfig=${kubeconfig()}`, ...args], {
    encoding: 'utf8',
    input: options.input ?? '',
    maxBuffer: 64 << 20,
  });
  if (done.status !== 0 && options.allowFailure !== true) throw new Error(`kubectl ${args.join(' ')}: ${done.stderr}`);
  return done.status === 0 ? done.stdout : '';
}

/** Applies YAML with the real kubectl, server-side. */
export function apply(yaml: string): void {
  // A document that begins with a brace would be read as JSON.
  kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], { input: `---\n${yaml}` });
}

// oxlint-disable-next-line typescript/no-explicit-any -- tests read into objects of any kind
export type Json = any;

/** One object as JSON; undefined when it is not there. */
export function get(kind: string, name: string, namespace?: string): Json {
  const out = kubectl([
    'get',
    kind,
    name,
    ...(namespace === undefined ? [] : ['-n', namespace]),
    '-o',
    'json',
    '--show-managed-fields',
    '--ignore-not-found',
  ]);
  return out === '' ? undefined : JSON.parse(out);
}

/** The condition of a type on an object; undefined when it is not there. */
export function condition(
  object: Json,
  type: string,
): { status: string; reason: string; message: string; observedGeneration: number } | undefined {
  return object?.status?.conditions?.find((it: Json) => it.type === type);
}

/** Waits until `probe` gives something truthy and returns it; the last error or value is told when it never does. */
export async function eventually<T>(what: string, probe: () => T | Promise<T>, timeout = 30_000, pause = 100): Promise<NonNullable<T>> {
  const deadline = Date.now() + timeout;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const value = await probe();
      if (value !== undefined && value !== null && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  throw new Error(`${what}: not within ${timeout / 1000}s: ${last instanceof Error ? last.message : JSON.stringify(last)}`);
}

/** Waits for a condition of an object and gives the object. */
export async function waitCondition(
  kind: string,
  name: string,
  namespace: string,
  type: string,
  status: string,
  timeout = 60_000,
  also: (object: Json) => boolean = () => true,
): Promise<Json> {
  let object: Json;
  try {
    return await eventually(
      `${kind}/${namespace}/${name} ${type}=${status}`,
      () => {
        object = get(kind, name, namespace);
        const found = condition(object, type);
        return found?.status === status && found.observedGeneration === object.metadata.generation && also(object) ? object : undefined;
      },
      timeout,
    );
  } catch (error) {
    throw new Error(`${(error as Error).message}; status is ${JSON.stringify(object?.status, undefined, 1)}`, { cause: error });
  }
}

export type Controller = { pid: number; storage: string; log(): string; kill(): Promise<void>; stop(): Promise<void> };

/** Starts `sluice controller` as a process of its own against the cluster under test. */
export async function startController(
  args: readonly string[] = [],
  options: { storage?: string; waitReady?: boolean; nodeArgs?: readonly string[]; entry?: string } = {},
): Promise<Controller> {
  const storage = options.storage ?? mkdtempSync(join(tmpdir(), 'sluice-storage-'));
  const fixed = [
    '--kubeconfig',
    kubeconfig(),
    '--storage-path',
    storage,
    '--storage-addr',
    '127.0.0.1:0',
    '--metrics-addr',
    '127.0.0.1:0',
    '--health-addr',
    '127.0.0.1:0',
  ];
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      ...(options.nodeArgs ?? []),
      join(root, options.entry ?? 'src/cli/main.ts'),
      'controller',
      ...fixed,
      ...args,
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RUNTIME_NAMESPACE: 'flux-system' },
    },
  );
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
  const log = (): string => chunks.join('');
  if (options.waitReady !== false) {
    await eventually('controller is ready', () => {
      if (child.exitCode !== null) throw new Error(`controller ended with ${child.exitCode}: ${log()}`);
      return log().includes('"msg":"ready"');
    });
  }
  return {
    pid: child.pid ?? 0,
    storage,
    log,
    kill: async () => await end(child, 'SIGKILL'),
    stop: async () => await end(child, 'SIGTERM'),
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.on('exit', resolve));
  child.kill(signal);
  await ended;
}

/** Installs Flux's CRDs, as ours, and the flux-system namespace. */
export function installCrds(): void {
  for (const file of readdirSync(join(root, 'deploy/crds')).sort()) apply(readFileSync(join(root, 'deploy/crds', file), 'utf8'));
  kubectl(['wait', '--for=condition=Established', 'crd', '-l', 'app.kubernetes.io/part-of=flux', '--timeout=30s']);
  apply('{apiVersion: v1, kind: Namespace, metadata: {name: flux-system}}');
}
