// Artifacts as the real tools of other makers push them, in the registries they are pushed to, pulled as an OCIRepository does.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { tool } from '../../../test/tools/build.ts';
import { parseOCIRepository } from '../../api/index.ts';
import { archiveTree, openArtifactStore, walkArchive, writeTar, type ArtifactStore } from '../../artifact/index.ts';
import {
  createRegistryClients,
  memoryStore,
  mediaTypes,
  parseReference,
  startRegistry,
  type Descriptor,
  type RegistryClient,
  type RegistryClients,
} from '../../oci/index.ts';
import { digestOf, systemClock, minutes } from '../../std/index.ts';
import { fetchArtifact, Manifests } from './fetch.ts';
import { resolveRevision } from './resolve.ts';
import { Resolver } from './resolver.ts';

const run = promisify(execFile);
const { signal } = new AbortController();
const BINARY = '/usr/bin/docker-registry';
const MANIFEST = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
const MERGE = { 'source.sluice.dev/layers': 'merge' };

type Pulled = { files: Record<string, string>; metadata: Record<string, string>; revision: string };

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function startDocker(folder: string): Promise<{ host: string; close(): Promise<void> }> {
  const port = await freePort();
  const config = join(folder, 'config.yml');
  const storage = `storage:\n  filesystem: {rootdirectory: ${join(folder, 'registry')}}\n`;
  await writeFile(config, `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n${storage}http: {addr: '127.0.0.1:${port}'}\n`);
  const child = spawn(BINARY, ['serve', config], { stdio: 'ignore' });
  const host = `127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries++) {
    if ((await fetch(`http://${host}/v2/`).catch(() => undefined))?.ok === true) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    host,
    close: async () => {
      child.kill();
      await new Promise((resolve) => child.once('close', resolve));
    },
  };
}

type Start = (folder: string) => Promise<{ host: string; close(): Promise<void> }>;
const registries: [string, Start][] = [['the own registry', () => startRegistry({ store: memoryStore(), clock: systemClock })]];
if (existsSync(BINARY)) registries.push(['docker-registry', startDocker]);

const [oras, helm, crane] = await Promise.all(['oras', 'helm', 'crane'].map(tool));
const skip = oras === undefined || helm === undefined || crane === undefined ? 'needs the Go toolchain' : false;

for (const [name, start] of registries) {
  describe(`artifacts of other makers in ${name}`, { skip, timeout: 120_000 }, () => {
    let folder: string;
    let registry: { host: string; close(): Promise<void> };
    let clients: RegistryClients;
    let client: RegistryClient;
    let store: ArtifactStore;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'makers-'));
      registry = await start(folder);
      clients = createRegistryClients({ clock: systemClock, random: () => 0, limits: { attempts: 1 } });
      client = clients.client({});
      store = await openArtifactStore({ root: join(folder, 'store'), clock: systemClock, retention: { ttl: minutes(1), records: 2 } });
    });
    after(async () => {
      await clients.close();
      await registry.close();
      await rm(folder, { recursive: true, force: true });
    });

    const file = async (path: string, content: string | Uint8Array): Promise<string> => {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), content);
      return path;
    };
    const env = (): NodeJS.ProcessEnv => ({ PATH: process.env['PATH'] ?? '', HOME: folder, DOCKER_CONFIG: folder });
    const use = async (program: string | undefined, ...args: string[]): Promise<string> =>
      (await run(program ?? '', args, { cwd: folder, env: env(), maxBuffer: 1 << 24 })).stdout;
    const url = (path: string): string => `${registry.host}/${path}`;

    /** What an OCIRepository would store. */
    async function pull(path: string, spec: Record<string, unknown> = {}, annotations: Record<string, string> = {}): Promise<Pulled> {
      const object = parseOCIRepository({
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'OCIRepository',
        metadata: { name: 'app', namespace: 'ns', uid: 'u', resourceVersion: '1', generation: 1, annotations },
        spec: { url: `oci://${url(path)}`, interval: '1m', ...spec },
      });
      const limit = { signal, text: '60s' };
      const context = { client, access: {}, resolver: new Resolver(systemClock, () => {}), triggers: new Set<never>(), limit };
      const target = await resolveRevision(object, { ...context, enqueued: systemClock.now(), clock: systemClock });
      const { archive, annotations: metadata } = await fetchArtifact(
        object,
        target.repository,
        target,
        client,
        new Manifests(),
        store,
        limit,
      );
      const { revision } = target;
      if (object.spec.layerSelector?.operation === 'copy') {
        const bytes = await store.read(archive);
        return { files: { '': Buffer.from(bytes).toString() }, metadata, revision };
      }
      const tree = await store.tree(archive, signal);
      const files = [...walkArchive(tree)].filter(({ kind }) => kind === 'file');
      return {
        files: Object.fromEntries(files.map((entry) => [entry.path, Buffer.from(tree.read(entry.path) ?? '').toString()])),
        metadata,
        revision,
      };
    }
    const names = ({ files }: Pulled): string[] => Object.keys(files).sort();
    const blob = (path: string, bytes: Uint8Array | string, mediaType: string): Promise<Descriptor> =>
      client.pushBlob(parseReference(url(path)), { mediaType, bytes: Buffer.from(bytes) }, signal);
    const manifest = (reference: string, value: Record<string, unknown>, mediaType: string): Promise<Descriptor> =>
      client.pushManifest(parseReference(url(reference)), { mediaType, bytes: Buffer.from(JSON.stringify(value)) }, signal);
    const tar = (files: Record<string, string>): Uint8Array => writeTar(archiveTree(files), 'kept');

    it('OB18 OB20: oras push: files, a folder, annotations, an artifact type', async () => {
      await file('a.yaml', MANIFEST);
      await file('b/c.yaml', MANIFEST);
      await file('b/d/e.yaml', MANIFEST);
      const more = ['--artifact-type', 'application/vnd.acme.config', '--annotation', 'org.opencontainers.image.revision=main@sha1:abc'];
      await use(oras, 'push', '--plain-http', ...more, url('oras/mixed:v1'), 'a.yaml:application/yaml', 'b');
      const one = await pull('oras/mixed', { ref: { tag: 'v1' } });
      assert.deepEqual(names(one), ['b/c.yaml', 'b/d/e.yaml'], 'the file can be no archive, the folder is one');
      assert.equal(one.metadata['org.opencontainers.image.revision'], 'main@sha1:abc');
      assert.deepEqual(names(await pull('oras/mixed', { ref: { tag: 'v1' } }, MERGE)), ['a.yaml', 'b/c.yaml', 'b/d/e.yaml']);
      const copy = await pull('oras/mixed', { ref: { tag: 'v1' }, layerSelector: { mediaType: 'application/yaml', operation: 'copy' } });
      assert.equal(copy.files[''], MANIFEST);
    });

    it('OB18: oras push of plain files says which selector would do; oras attach moves no tag', async () => {
      await file('a.yaml', MANIFEST);
      await file('sbom.json', '{}');
      await use(oras, 'push', '--plain-http', url('oras/plain:v1'), 'a.yaml:application/yaml');
      await assert.rejects(pull('oras/plain', { ref: { tag: 'v1' } }), /mediaType: application\/yaml, operation: copy/);
      const { revision } = await pull('oras/plain', { ref: { tag: 'v1' } }, MERGE);
      await use(oras, 'attach', '--plain-http', '--artifact-type', 'application/spdx+json', url('oras/plain:v1'), 'sbom.json');
      assert.equal((await pull('oras/plain', { ref: { tag: 'v1' } }, MERGE)).revision, revision);
      const referrers = await client.referrers(parseReference(url('oras/plain')), digestFrom(revision), signal);
      assert.deepEqual(
        referrers.map(({ artifactType }) => artifactType),
        ['application/spdx+json'],
      );
    });

    it('OB18: an artifact type alone, without content, is said to be so', async () => {
      await use(oras, 'push', '--plain-http', '--artifact-type', 'application/vnd.acme.marker', url('oras/empty:v1'));
      await assert.rejects(pull('oras/empty', { ref: { tag: 'v1' } }), /it has no content, only an empty layer/);
    });

    it('OB12: oras manifest index create: an index inside an index', async () => {
      await file('inside/c.yaml', MANIFEST);
      await use(oras, 'push', '--plain-http', url('oras/nested:image'), 'inside');
      await use(oras, 'manifest', 'index', 'create', '--plain-http', url('oras/nested:inner'), 'image');
      await use(oras, 'manifest', 'index', 'create', '--plain-http', url('oras/nested:outer'), 'inner');
      const outer = await pull('oras/nested', { ref: { tag: 'outer' } });
      assert.deepEqual(names(outer), ['inside/c.yaml']);
      const { digest } = await client.resolve(parseReference(url('oras/nested:outer')), signal);
      assert.equal(outer.revision, `outer@${digest}`, 'the revision is that of what the tag names');
    });

    it('OB10 OB11 OB18: helm push: a chart with its provenance, and a version with build metadata', async () => {
      await file('chart/Chart.yaml', 'apiVersion: v2\nname: chart\nversion: 1.2.3\n');
      await file('chart/templates/a.yaml', MANIFEST);
      for (const version of ['1.2.3', '1.2.4+build.7', '1.3.0-rc.1']) {
        await use(helm, 'package', 'chart', '--version', version);
        await file(`chart-${version}.tgz.prov`, '-----BEGIN PGP SIGNED MESSAGE-----\n');
        await use(helm, 'push', `chart-${version}.tgz`, `oci://${url('helm')}`, '--plain-http');
      }
      const chart = await pull('helm/chart', { ref: { tag: '1.2.3' } });
      assert.deepEqual(names(chart), ['chart/Chart.yaml', 'chart/templates/a.yaml']);
      const layerSelector = { mediaType: mediaTypes.helmChart, operation: 'copy' };
      const newest = await pull('helm/chart', { ref: { semver: '1.x' }, layerSelector });
      assert.match(newest.revision, /^1\.2\.4_build\.7@sha256:/, 'as the tag is called');
      assert.match((await pull('helm/chart', { ref: { semver: '>=1.0.0-0' }, layerSelector })).revision, /^1\.3\.0-rc\.1@/);
      await assert.rejects(pull('helm/chart', { ref: { semver: '>=1.2.4, <1.3.0' } }), /no match found for semver/, 'elsewhere _ is no +');
      const provenance = { mediaType: mediaTypes.helmProvenance, operation: 'copy' };
      assert.match((await pull('helm/chart', { ref: { tag: '1.2.3' }, layerSelector: provenance })).files[''] ?? '', /PGP SIGNED/);
    });

    it('OB12 OB18: crane append: images of both formats, several layers, an index of platforms', async () => {
      await file('one.tar', tar({ 'etc/a.yaml': 'a: 1\n', 'etc/b.yaml': 'b: 1\n' }));
      await file('two.tar', tar({ 'etc/a.yaml': 'a: 2\n', 'etc/.wh.b.yaml': '' }));
      await use(crane, 'append', '--insecure', '-f', 'one.tar', '-t', url('crane/docker:v1'));
      await use(crane, 'append', '--insecure', '-b', url('crane/docker:v1'), '-f', 'two.tar', '-t', url('crane/docker:v2'));
      await use(crane, 'append', '--insecure', '--oci-empty-base', '-f', 'one.tar', '-t', url('crane/oci:v1'));
      const type = async (reference: string): Promise<string> => (await client.resolve(parseReference(url(reference)), signal)).mediaType;
      assert.deepEqual([await type('crane/docker:v1'), await type('crane/oci:v1')], [mediaTypes.dockerManifest, mediaTypes.ociManifest]);
      assert.deepEqual((await pull('crane/docker', { ref: { tag: 'v1' } })).files, (await pull('crane/oci', { ref: { tag: 'v1' } })).files);
      assert.deepEqual((await pull('crane/docker', { ref: { tag: 'v2' } }, MERGE)).files, { 'etc/a.yaml': 'a: 2\n' });
      await use(crane, 'mutate', '--insecure', '--set-platform', 'linux/amd64', '-t', url('crane/docker:amd64'), url('crane/docker:v1'));
      await use(crane, 'mutate', '--insecure', '--set-platform', 'linux/arm64', '-t', url('crane/docker:arm64'), url('crane/docker:v2'));
      await use(
        crane,
        'index',
        'append',
        '--insecure',
        '-m',
        url('crane/docker:arm64'),
        '-m',
        url('crane/docker:amd64'),
        '-t',
        url('crane/docker:all'),
      );
      assert.equal((await pull('crane/docker', { ref: { tag: 'all' } })).files['etc/b.yaml'], 'b: 1\n', 'linux/amd64');
      const arm = { ...MERGE, 'source.sluice.dev/platform': 'linux/arm64' };
      assert.deepEqual((await pull('crane/docker', { ref: { tag: 'all' } }, arm)).files, { 'etc/a.yaml': 'a: 2\n' });
    });

    it('OB12: an image with attestations of BuildKit means the image', async () => {
      const config = await blob('buildkit', '{}', mediaTypes.ociConfig);
      const layer = await blob('buildkit', gzipSync(tar({ 'a.yaml': MANIFEST })), 'application/vnd.oci.image.layer.v1.tar+gzip');
      const statement = await blob('buildkit', '{}', 'application/vnd.in-toto+json');
      const image = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config };
      const [real, attestation] = [
        await manifest('buildkit:arm', { ...image, layers: [layer] }, mediaTypes.ociManifest),
        await manifest('buildkit:attestation', { ...image, layers: [statement] }, mediaTypes.ociManifest),
      ];
      const unknown = { os: 'unknown', architecture: 'unknown' };
      const annotations = { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': real.digest };
      for (const [tag, platform] of [
        ['amd', { os: 'linux', architecture: 'amd64' }],
        ['arm', { os: 'linux', architecture: 'arm64', variant: 'v8' }],
      ] as const) {
        const manifests = [
          { ...attestation, platform: unknown, annotations },
          { ...real, platform },
        ];
        await manifest(`buildkit:${tag}`, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }, mediaTypes.ociIndex);
        assert.deepEqual(names(await pull('buildkit', { ref: { tag } })), ['a.yaml'], tag);
      }
    });

    it('OB18: a module of Timoni, by its layers and by their type', async () => {
      const config = await blob('timoni', '{}', 'application/vnd.timoni.config.v1+json');
      const type = 'application/vnd.timoni.content.v1.tar+gzip';
      const vendor = {
        ...(await blob('timoni', gzipSync(tar({ 'cue.mod/pkg/k.cue': 'k' })), type)),
        annotations: { 'sh.timoni.content.type': 'vendor' },
      };
      const module = {
        ...(await blob('timoni', gzipSync(tar({ 'timoni.cue': 't' })), type)),
        annotations: { 'sh.timoni.content.type': 'module' },
      };
      const value = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [vendor, module] };
      await manifest('timoni:1.0.0', value, mediaTypes.ociManifest);
      assert.deepEqual(names(await pull('timoni', { ref: { semver: '*' } })), ['cue.mod/pkg/k.cue']);
      assert.deepEqual(names(await pull('timoni', { ref: { semver: '*' } }, MERGE)), ['cue.mod/pkg/k.cue', 'timoni.cue']);
      assert.deepEqual(names(await pull('timoni', { ref: { semver: '*' }, layerSelector: { mediaType: type } }, MERGE)).length, 2);
    });

    it('OB18 OB19: layers of Zstandard and plain tar; manifests that do not say what they are', async () => {
      const config = await blob('zstd', '{}', mediaTypes.ociEmpty);
      const content = tar({ 'a.yaml': MANIFEST });
      for (const [tag, bytes, type] of [
        ['zstd', zstdCompressSync(content), 'application/vnd.oci.image.layer.v1.tar+zstd'],
        ['tar', content, 'application/vnd.oci.image.layer.v1.tar'],
        ['odd', gzipSync(content), 'application/octet-stream'],
      ] as const) {
        const layers = [await blob('zstd', bytes, type)];
        await manifest(`zstd:${tag}`, { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers }, mediaTypes.ociManifest);
        assert.deepEqual(names(await pull('zstd', { ref: { tag } })), ['a.yaml'], tag);
      }
    });

    it('OB18: a layer that is kept elsewhere is not fetched from there, and said to be so', async () => {
      const config = await blob('foreign', '{}', mediaTypes.ociConfig);
      const bytes = gzipSync(tar({ 'a.yaml': MANIFEST }));
      const foreign = {
        mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
        digest: digestOf(bytes),
        size: bytes.length,
        urls: ['https://elsewhere.test/layer'],
      };
      const value = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [foreign] };
      await manifest('foreign:v1', value, mediaTypes.ociManifest).then(
        () => assert.rejects(pull('foreign', { ref: { tag: 'v1' } }), /kept elsewhere .*: push it to this registry/),
        // Registries that want their layers refuse such a manifest.
        (error: Error) => assert.match(error.message, /MANIFEST|BLOB_UNKNOWN|answered 40\d/),
      );
    });
  });
}

function digestFrom(revision: string): ReturnType<typeof digestOf> {
  return revision.slice(revision.indexOf('@') + 1) as ReturnType<typeof digestOf>;
}
