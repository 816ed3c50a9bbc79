import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { toYamlValue } from '../golang/index.ts';
import { loadChart, MAX_CHART_SIZE, MAX_INDEX_SIZE, packageChart } from '../helm/index.ts';
import { memoryTree } from '../manifest/index.ts';
import { mediaTypes, createRegistryClient, memoryStore, startRegistry, type RunningRegistry } from '../oci/index.ts';
import { digestOf, systemClock } from '../std/index.ts';
import { fetchChart, type ChartFlags } from './helm-chart-repository.ts';
import { readChartSource } from './helm-chart-source.ts';
import { MAX_VALUES_DOWNLOAD, readUserValues, type ValuesFlags } from './helm-values.ts';

const FLAGS: ChartFlags = { provider: 'generic', timeout: '10s' };
const BASIC = `Basic ${Buffer.from('u:p').toString('base64')}`;

function pack(version: string): Uint8Array {
  const chart = loadChart(memoryTree({ 'Chart.yaml': `apiVersion: v2\nname: demo\nversion: ${version}\n` }));
  return packageChart(chart).bytes;
}

describe('charts and values over HTTP', () => {
  const pages = new Map<string, string | Uint8Array>();
  const seen: string[] = [];
  let server: Server;
  let url: string;
  let folder: string;

  before(async () => {
    server = createServer((request, response) => {
      const path = request.url ?? '';
      seen.push(`${path} ${request.headers.authorization ?? '-'}`);
      const page = pages.get(path);
      if (page === undefined) response.writeHead(404).end();
      else if (page === 'huge') response.writeHead(200, { 'content-length': String(2 ** 30) }).flushHeaders();
      else response.end(page);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    folder = mkdtempSync(join(tmpdir(), 'helm-values-'));
    const versions = ['1.2.3', '1.10.0', '2.0.0-rc.1'];
    for (const version of versions) pages.set(`/charts/demo-${version}.tgz`, pack(version));
    pages.set('/charts/index.yaml', index(versions.map((version) => ({ version, urls: [`demo-${version}.tgz`] }))));
  });
  after(() => {
    server.close().closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => void (seen.length = 0));

  function index(versions: readonly Record<string, unknown>[]): string {
    return JSON.stringify({ apiVersion: 'v1', entries: { demo: versions.map((each) => ({ apiVersion: 'v2', name: 'demo', ...each })) } });
  }

  async function versionOf(name: string, flags: Partial<ChartFlags>): Promise<string> {
    return loadChart(await readChartSource(name, { ...FLAGS, ...flags })).metadata.version;
  }

  describe('a chart of a repository', () => {
    it('is the newest, the newest in a range, or the very one', async () => {
      const repo = `${url}/charts`;
      assert.equal(await versionOf('demo', { repo }), '1.10.0');
      assert.equal(await versionOf('demo', { repo, version: '~1.2' }), '1.2.3');
      assert.equal(await versionOf('demo', { repo, version: '2.0.0-rc.1' }), '2.0.0-rc.1');
      assert.equal(await versionOf('demo', { repo, devel: true }), '2.0.0-rc.1');
      assert.equal(await versionOf('demo', { repo, devel: true, version: '1.2.3' }), '1.2.3');
    });

    it('is not found in Helm’s words', async () => {
      const repo = `${url}/charts`;
      await assert.rejects(versionOf('demo', { repo, version: '9' }), {
        message: `chart "demo" version "9" not found in ${repo} repository`,
      });
      const missing = `${url}/missing`;
      await assert.rejects(versionOf('demo', { repo: missing }), {
        message: `looks like "${missing}" is not a valid chart repository or cannot be reached: failed to fetch ${missing}/index.yaml : 404 Not Found`,
      });
    });

    it('must be the one the index names', async () => {
      const bytes = pack('1.0.0');
      pages.set('/d/demo.tgz', bytes);
      pages.set('/d/index.yaml', index([{ version: '1.0.0', urls: ['demo.tgz'], digest: digestOf(bytes) }]));
      assert.equal(await versionOf('demo', { repo: `${url}/d` }), '1.0.0');
      pages.set('/d/demo.tgz', pack('1.0.1'));
      await assert.rejects(versionOf('demo', { repo: `${url}/d` }), { code: 'DigestMismatch' });
    });

    it('comes with the repository’s credentials only from the repository’s server', async () => {
      pages.set('/e/index.yaml', index([{ version: '1.2.3', urls: [`${url.replace('127.0.0.1', 'localhost')}/charts/demo-1.2.3.tgz`] }]));
      const flags = { repo: `${url}/e`, username: 'u', password: 'p' };
      await versionOf('demo', flags);
      assert.deepEqual(seen, [`/e/index.yaml ${BASIC}`, '/charts/demo-1.2.3.tgz -']);
      await versionOf('demo', { ...flags, passCredentials: true });
      assert.deepEqual(seen.slice(2), [`/e/index.yaml ${BASIC}`, `/charts/demo-1.2.3.tgz ${BASIC}`]);
    });

    it('may be no larger than a chart is', async () => {
      pages.set('/f/index.yaml', index([{ version: '1.0.0', urls: ['huge.tgz'] }]));
      pages.set('/f/huge.tgz', 'huge');
      await assert.rejects(versionOf('demo', { repo: `${url}/f` }), {
        code: 'LimitExceeded',
        message: new RegExp(`${MAX_CHART_SIZE} bytes`),
      });
      pages.set('/g/index.yaml', 'huge');
      await assert.rejects(versionOf('demo', { repo: `${url}/g` }), {
        code: 'LimitExceeded',
        message: new RegExp(`${MAX_INDEX_SIZE} bytes`),
      });
    });

    it('may be known by a URL nothing speaks', async () => {
      pages.set('/h/index.yaml', index([{ version: '1.0.0', urls: ['ftp://x/demo.tgz'] }]));
      await assert.rejects(versionOf('demo', { repo: `${url}/h` }), { message: 'scheme "ftp" not supported' });
    });
  });

  it('a chart may be a URL', async () => {
    assert.equal(await versionOf(`${url}/charts/demo-1.2.3.tgz`, {}), '1.2.3');
    assert.equal((await fetchChart(`${url}/charts/demo-1.2.3.tgz`, FLAGS)).fileName, 'demo-1.2.3.tgz');
    pages.set('/page', '<html>');
    await assert.rejects(versionOf(`${url}/page`, {}), {
      message: "file 'page' does not appear to be a gzipped archive; got 'application/octet-stream'",
    });
  });

  it('a chart nobody knows is refused in Helm’s words', async () => {
    await assert.rejects(versionOf('nope', {}), { message: 'non-absolute URLs should be in form of repo_name/path_to_chart, got: nope' });
    await assert.rejects(versionOf('repo/nope', {}), { message: 'repo repo not found' });
    await assert.rejects(versionOf('./nope', {}), { message: 'path "./nope" not found' });
    await assert.rejects(versionOf('ftp://x/nope.tgz', {}), { message: 'scheme "ftp" not supported' });
  });

  describe('in an OCI registry', () => {
    let registry: RunningRegistry;

    before(async () => {
      registry = await startRegistry({ store: memoryStore(), clock: systemClock, secret: new Uint8Array(32) });
      const client = createRegistryClient({ clock: systemClock, random: Math.random, insecure: true });
      const signal = AbortSignal.timeout(10_000);
      for (const version of ['1.2.3+a', '1.10.0', '2.0.0-rc.1']) {
        const repository = { registry: registry.host, path: 'charts/demo' };
        const config = await client.pushBlob(repository, { mediaType: mediaTypes.helmConfig, bytes: Buffer.from('{}') }, signal);
        const layer = await client.pushBlob(repository, { mediaType: mediaTypes.helmChart, bytes: pack(version) }, signal);
        const manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
        const bytes = Buffer.from(JSON.stringify(manifest));
        await client.pushManifest({ ...repository, tag: version.replace('+', '_') }, { mediaType: mediaTypes.ociManifest, bytes }, signal);
      }
      await client.close();
    });
    after(() => registry.close());

    it('the version may be a range, or missing', async () => {
      const chart = `oci://${registry.host}/charts/demo`;
      const flags = { plainHttp: true };
      assert.equal(await versionOf(chart, flags), '1.10.0');
      assert.equal(await versionOf(chart, { ...flags, version: '^1.2.0' }), '1.10.0');
      assert.equal(await versionOf(chart, { ...flags, version: '~1.2' }), '1.2.3+a');
      assert.equal(await versionOf(chart, { ...flags, version: '1.2.3+a' }), '1.2.3+a');
      assert.equal(await versionOf(chart, { ...flags, devel: true }), '2.0.0-rc.1');
      assert.equal(await versionOf(`${chart}:1.10.0`, flags), '1.10.0');
      await assert.rejects(versionOf(`${chart}:1.10.0`, { ...flags, version: '2' }), {
        message: 'chart reference and version mismatch: 2 is not 1.10.0',
      });
      await assert.rejects(versionOf(chart, { ...flags, version: '^9' }), {
        message: 'could not locate a version matching provided version string ^9',
      });
    });

    it('a repository’s index may name it', async () => {
      pages.set('/o/index.yaml', index([{ version: '1.10.0', urls: [`oci://${registry.host}/charts/demo:1.10.0`] }]));
      const repo = `${url}/o`;
      assert.equal(await versionOf('demo', { repo, version: '^1', plainHttp: true }), '1.10.0');
      assert.equal((await fetchChart('demo', { ...FLAGS, repo, plainHttp: true })).fileName, 'demo-1.10.0.tgz');
    });
  });

  describe('values', () => {
    async function valuesOf(flags: Partial<ValuesFlags>): Promise<unknown> {
      return toYamlValue(await readUserValues({ timeout: '10s', ...flags }));
    }

    it('may be at a URL', async () => {
      pages.set('/values.yaml', 'who: url\nlist: [1]\n');
      const file = join(folder, 'more.yaml');
      writeFileSync(file, 'list: [2]\n');
      assert.deepEqual(await valuesOf({ values: [`${url}/values.yaml`, file] }), { who: 'url', list: [2] });
    });

    it('may be files at URLs', async () => {
      pages.set('/a.txt', 'A');
      pages.set('/b.txt', 'B');
      const setFile = [`a=${url}/a.txt,b=${url}/b.txt`, `again=${url}/a.txt`];
      assert.deepEqual(await valuesOf({ setFile }), { a: 'A', b: 'B', again: 'A' });
      assert.equal(seen.length, 2);
    });

    it('fail in Helm’s words', async () => {
      const missing = `failed to fetch ${url}/nope : 404 Not Found`;
      await assert.rejects(valuesOf({ values: [`${url}/nope`] }), { message: missing });
      await assert.rejects(valuesOf({ setFile: [`a=${url}/nope`] }), { message: `failed parsing --set-file data: ${missing}` });
      pages.set('/bad.yaml', 'a: b: c\n');
      await assert.rejects(valuesOf({ values: [`${url}/bad.yaml`] }), { message: new RegExp(`^failed to parse ${url}/bad\\.yaml: `) });
      await assert.rejects(valuesOf({ values: ['a%zz'] }), { message: 'parse "a%zz": invalid URL escape "%zz"' });
      await assert.rejects(valuesOf({ values: ['ftp://x/y'] }), { message: 'open ftp://x/y: no such file or directory' });
    });

    it('have a bound', async () => {
      pages.set('/huge.yaml', 'huge');
      await assert.rejects(valuesOf({ values: [`${url}/huge.yaml`] }), {
        code: 'LimitExceeded',
        message: new RegExp(`${MAX_VALUES_DOWNLOAD} bytes`),
      });
    });
  });
});
