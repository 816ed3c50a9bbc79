import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { createRegistryClient, memoryStore, type RegistryClient, type RunningRegistry, startRegistry } from '../oci/index.ts';
import { digestOf, systemClock } from '../std/index.ts';

type Run = { code: number | null; out: string; err: string };

describe('sluice push, pull, tag, list, diff artifact', () => {
  let registry: RunningRegistry;
  let client: RegistryClient & { close(): Promise<void> };
  let folder: string;
  let url: string;
  before(async () => {
    registry = await startRegistry({
      store: memoryStore(),
      clock: systemClock,
      secret: new Uint8Array(32),
      auth: { scheme: 'bearer', users: new Map([['flux', 'secret']]) },
    });
    client = createRegistryClient({
      clock: systemClock,
      random: Math.random,
      credentials: { id: 'test', credentialFor: () => Promise.resolve({ kind: 'basic', username: 'flux', password: 'secret' }) },
    });
    folder = await mkdtemp(join(tmpdir(), 'artifact-cli-'));
    await mkdir(join(folder, 'in/.git'), { recursive: true });
    for (const [name, content] of [
      ['a.yaml', 'a: 1\n'],
      ['b.yaml', 'b: 1\n'],
      ['.git/config', ''],
      ['pic.png', ''],
    ] as const) {
      await writeFile(join(folder, 'in', name), content);
      await chmod(join(folder, 'in', name), 0o644);
    }
    // What `docker login` leaves behind (A11).
    await mkdir(join(folder, 'docker'));
    await writeFile(
      join(folder, 'docker/config.json'),
      JSON.stringify({ auths: { [registry.host]: { auth: Buffer.from('flux:secret').toString('base64') } } }),
    );
    url = `oci://${registry.host}/org/app`;
  });
  after(async () => {
    await client.close();
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  });

  function sluice(args: readonly string[], stdin = '', docker = 'docker'): Promise<Run> {
    return new Promise((resolve, reject) => {
      const main = join(import.meta.dirname, 'main.ts');
      const child = spawn(process.execPath, [main, ...args], {
        env: { PATH: process.env['PATH'] ?? '', HOME: folder, DOCKER_CONFIG: join(folder, docker) },
      });
      const run: Run = { code: null, out: '', err: '' };
      child.stdout.on('data', (chunk: Buffer) => (run.out += chunk.toString()));
      child.stderr.on('data', (chunk: Buffer) => (run.err += chunk.toString()));
      child.on('error', reject);
      child.on('close', (code) => resolve({ ...run, code }));
      child.stdin.end(stdin);
    });
  }
  const source = ['--source=https://git.test/app', '--revision=main@sha1:abc'];
  const pull = async (
    tag: string,
  ): Promise<{ manifest: { annotations: Readonly<Record<string, string>>; mediaType: string }; files: string[]; digest: string }> => {
    const reference = { registry: registry.host, path: 'org/app', tag };
    const { manifest, descriptor } = await client.fetchImage(reference, AbortSignal.timeout(5000));
    const [layer] = manifest.layers;
    assert.ok(layer !== undefined);
    assert.deepEqual(
      [manifest.config.mediaType, layer.mediaType],
      ['application/vnd.cncf.flux.config.v1+json', 'application/vnd.cncf.flux.content.v1.tar+gzip'],
    );
    const tar = gunzipSync(await client.readBlob(reference, layer, 1e6, AbortSignal.timeout(5000))).toString('latin1');
    return {
      manifest,
      digest: descriptor.digest,
      files: [...tar.matchAll(/(?:^|\0)([\w.]+\.(?:yaml|png)|config)\0/g)].map((match) => match[1] ?? ''),
    };
  };

  it('pushes a folder as Flux does (A01–A07)', async () => {
    const run = await sluice([
      'push',
      'artifact',
      `${url}:v1`,
      '--path',
      join(folder, 'in'),
      ...source,
      '-a',
      'x=y',
      '--annotations',
      'z=a=b',
      '--reproducible',
    ]);
    assert.deepEqual([run.code, run.out], [0, ''], run.err);
    const { manifest, files, digest } = await pull('v1');
    assert.match(run.err, new RegExp(`► pushing artifact to .*/org/app:v1\n✔ artifact successfully pushed to .*/org/app@${digest}\n`));
    assert.deepEqual(files, ['a.yaml', 'b.yaml']);
    assert.deepEqual(manifest.annotations, {
      'org.opencontainers.image.created': '1970-01-01T00:00:00Z',
      'org.opencontainers.image.revision': 'main@sha1:abc',
      'org.opencontainers.image.source': 'https://git.test/app',
      x: 'y',
      z: 'a=b',
    });
    const again = await sluice([
      'push',
      'artifact',
      `${url}:again`,
      '-f',
      join(folder, 'in'),
      ...source,
      '-a',
      'x=y',
      '-a',
      'z=a=b',
      '--reproducible',
      '--output=json',
    ]);
    assert.deepEqual(JSON.parse(again.out), { url: `${url}@${digest}`, repository: `${registry.host}/org/app`, tag: 'again', digest });
    const yaml = await sluice(['push', 'artifact', `${url}:stdin`, '-f', '-', ...source, '-o=yaml'], 'kind: ConfigMap\n\n');
    assert.match(yaml.out, /^digest: sha256:[0-9a-f]{64}\nrepository: .*\ntag: stdin\nurl: oci:\/\/.*\n$/);
  });

  it('ignores what it is told to, and only that', async () => {
    await sluice(['push', 'artifact', `${url}:ignore`, '--path', join(folder, 'in'), ...source, '--ignore-paths=a.yaml,.git/']);
    assert.deepEqual((await pull('ignore')).files, ['b.yaml', 'pic.png']);
  });

  it('tags, lists and pulls (A08, A09)', async () => {
    const tagged = await sluice(
      ['tag', 'artifact', `${url}:v1`, '--tag', 'latest,1.0', '--tag=stable', '--creds=flux:secret'],
      '',
      'nowhere',
    );
    assert.deepEqual([tagged.code, tagged.err.match(/✔ artifact tagged as/g)?.length], [0, 3], tagged.err);
    await client.tag({ registry: registry.host, path: 'org/app', tag: 'v1' }, `sha256-${'0'.repeat(64)}.sig`, AbortSignal.timeout(5000));
    const listed = await sluice(['list', 'artifacts', url]);
    const [header = '', ...rows] = listed.out.trimEnd().split('\n');
    assert.deepEqual(
      header
        .split('\t')
        .map((cell) => cell.trim())
        .filter((cell) => cell !== ''),
      ['ARTIFACT', 'DIGEST', 'SOURCE', 'REVISION'],
    );
    assert.ok(!listed.out.includes('.sig'));
    const first = rows.map((row) => row.split('\t')[0]?.trim() ?? '');
    assert.deepEqual(first, first.toSorted().reverse());
    assert.ok(first.includes(`${registry.host}/org/app:stable`));
    const out = join(folder, 'out');
    await mkdir(out);
    const pulled = await sluice(['pull', 'artifact', `${url}:stable`, '--output', out]);
    assert.deepEqual([pulled.code, (await readdir(out)).toSorted()], [0, ['a.yaml', 'b.yaml']], pulled.err);
    assert.match(
      pulled.err,
      /✔ source https:\/\/git.test\/app\n✔ revision main@sha1:abc\n✔ digest .*@sha256:[0-9a-f]{64}\n✔ artifact content extracted to /,
    );
    assert.equal(await readFile(join(out, 'a.yaml'), 'utf8'), 'a: 1\n');
  });

  it('diffs, and says which files (A10)', async () => {
    const same = await sluice(['diff', 'artifact', `${url}:v1`, '--path', join(folder, 'in')]);
    assert.deepEqual([same.code, same.out], [0, ''], same.err);
    assert.match(same.err, /✔ no changes detected/);
    const other = join(folder, 'other');
    await mkdir(other);
    for (const [name, content] of [
      ['a.yaml', 'a: 2\n'],
      ['c.yaml', 'c: 1\n'],
    ] as const)
      await writeFile(join(other, name), content);
    const differs = await sluice(['diff', 'artifact', `${url}:v1`, '--path', other]);
    assert.deepEqual([differs.code, differs.out], [1, '~ a.yaml\n- b.yaml\n+ c.yaml\n']);
    assert.match(differs.err, /✗ the remote artifact contents differs from the local one/);
  });

  it('pulls a single file that is no archive', async () => {
    const layer = Buffer.from('kind: Namespace');
    const descriptor = {
      mediaType: 'application/yaml',
      digest: digestOf(layer),
      size: layer.length,
      annotations: { 'org.opencontainers.image.title': '../../plain.yaml' },
    };
    const repository = { registry: registry.host, path: 'org/plain' };
    const config = Buffer.from('{}');
    for (const bytes of [layer, config]) await client.pushBlob(repository, { mediaType: '', bytes }, AbortSignal.timeout(5000));
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(config), size: 2 },
      layers: [descriptor],
    };
    await client.pushManifest(
      { ...repository, tag: 'v1' },
      { mediaType: manifest.mediaType, bytes: Buffer.from(JSON.stringify(manifest)) },
      AbortSignal.timeout(5000),
    );
    const out = join(folder, 'plain');
    await mkdir(out);
    const run = await sluice(['pull', 'artifact', `oci://${registry.host}/org/plain:v1`, '-o', out]);
    assert.deepEqual([run.code, await readdir(out)], [0, ['plain.yaml']], run.err);
  });

  it('says when the registry refuses', async () => {
    const run = await sluice(['pull', 'artifact', `${url}:v1`, '-o', folder, '--creds', 'flux:wrong']);
    assert.equal(run.code, 1);
    assert.match(
      run.err,
      /✗ .*get token from .*registry answered 401 \(UNAUTHORIZED: wrong user name, password or token\)\n {2}try: check the credentials/,
    );
    assert.ok(!run.err.includes('flux:'), 'not the credentials');
  });
});
