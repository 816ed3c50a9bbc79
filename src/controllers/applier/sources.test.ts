import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Artifact } from '../../api/index.ts';
import { archiveTree, openArtifactStore, writeArchive, writeTar } from '../../artifact/index.ts';
import type { KubeClient } from '../../kube/index.ts';
import { digestOf, minutes, systemClock } from '../../std/index.ts';
import { isPassing } from './passing.ts';
import { Sources } from './sources.ts';

const { signal } = new AbortController();

describe('archives of other controllers', () => {
  let folder: string;
  let sources: Sources;
  let base: string;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    answer(request, response);
  });
  const stranger = createServer((_request, response) => response.end(archive));
  let archive: Uint8Array;
  const at = ({ port }: AddressInfo): string => `http://127.0.0.1:${port}`;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sources-'));
    archive = await writeArchive(archiveTree({ 'a.yaml': 'a: 1' }), 'stored');
    for (const one of [server, stranger]) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
    base = at(server.address() as AddressInfo);
    const store = await openArtifactStore({ root: folder, clock: systemClock, retention: { ttl: minutes(1), records: 2 } });
    const ociRepositories = { get: () => undefined, subscribe: () => () => {} };
    sources = new Sources({
      kube: {} as KubeClient,
      ociRepositories: ociRepositories as never,
      store,
      fetch: globalThis.fetch,
      changed: () => {},
    });
  });
  after(async () => {
    for (const one of [server, stranger]) {
      one.close();
      one.closeAllConnections();
    }
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    asked = 0;
    answer = (_request, response) => response.end(archive);
  });
  const artifact = (more: Partial<Artifact> = {}): Artifact => ({
    path: 'externalartifact/ns/name/one.tar.gz',
    url: `${base}/one.tar.gz`,
    revision: 'v1@sha256:abc',
    digest: digestOf(archive),
    lastUpdateTime: '2026-01-01T00:00:00Z',
    ...more,
  });
  const fails = async (code: string, message: RegExp, more: Partial<Artifact> = {}): Promise<void> =>
    assert.rejects(sources.tree(artifact(more), signal), (error: Error & { code?: string }) => {
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      assert.equal(isPassing(error), code === 'ArtifactUnreachable');
      return true;
    });

  it('KB06 HB04: are fetched once for all who want them at the same time, through redirects, and checked by digest', async () => {
    answer = (request, response) => {
      if (request.url === '/one.tar.gz') response.writeHead(302, { location: `${at(stranger.address() as AddressInfo)}/x` }).end();
      else response.end(archive);
    };
    const found = await Promise.all(Array.from({ length: 20 }, () => sources.archive(artifact(), signal)));
    assert.deepEqual([asked, found.every((bytes) => digestOf(bytes) === digestOf(archive))], [1, true]);
    const tree = await sources.tree(artifact({ url: `${base}/two` }), signal);
    assert.equal(Buffer.from(tree.read('a.yaml') ?? '').toString(), 'a: 1');
    await sources.tree(artifact({ url: `${base}/three` }), signal);
    assert.equal(asked, 2, 'what is known by its digest is not fetched again');
    await fails('DigestMismatch', /got sha256:\w+, want sha256:0{64}/, { digest: `sha256:${'0'.repeat(64)}` });
    await fails('DigestMismatch', /"sha256:abc" is not a digest/, { digest: 'sha256:abc' });
  });

  it('KB06: what is not there yet is told apart from what cannot be reached, with the cause', async () => {
    const digest = `sha256:${'1'.repeat(64)}`;
    answer = (_request, response) => response.writeHead(404).end();
    await fails('ArtifactNotFound', /HTTP 404/, { digest });
    for (const status of [401, 500, 503]) {
      answer = (_request, response) => response.writeHead(status).end('<html>');
      await fails('ArtifactUnreachable', new RegExp(`HTTP ${status}$`), { digest });
    }
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
    const nowhere = at(closed.address() as AddressInfo);
    await new Promise((resolve) => closed.close(resolve));
    await fails('ArtifactUnreachable', /fetch failed: connect ECONNREFUSED/, { digest, url: `${nowhere}/x` });
    const secret = `${base.replace('http://', 'http://u:hunter2@')}/x`;
    await fails('ArtifactUnreachable', /^((?!hunter2).)*credentials((?!hunter2).)*$/, { digest, url: secret });
    answer = (_request, response) => response.writeHead(302, { location: '/loop' }).end();
    await fails('ArtifactUnreachable', /redirect count exceeded/, { digest, url: `${base}/loop` });
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('x');
      setTimeout(() => response.destroy(), 10);
    };
    await fails('ArtifactUnreachable', /terminated/, { digest });
    for (const url of ['file:///etc/passwd', 'data:text/plain,x', '/relative', 'ftp://x/y'])
      await fails('ArtifactUnreachable', /begins with http:\/\/ or https:\/\//, { digest, url });
  });

  it('KB07: are bounded, and hold no links', async () => {
    answer = (_request, response) => {
      response.writeHead(200, { 'content-length': String(600 * 1024 * 1024) });
      response.flushHeaders();
    };
    await fails('LimitExceeded', /more than 536870912 bytes/, { digest: `sha256:${'2'.repeat(64)}` });
    const plain = writeTar(archiveTree({ 'a.yaml': 'a: 1' }), 'stored');
    answer = (_request, response) => response.end(plain);
    await assert.rejects(sources.tree(artifact({ digest: digestOf(plain) }), signal), { code: 'ArchiveInvalid' });
  });

  it('one who gives up does not end the download of the others', async () => {
    const other = await writeArchive(archiveTree({ 'b.yaml': 'b: 1' }), 'stored');
    answer = (_request, response) => void setTimeout(() => response.end(other), 100);
    const wanted = artifact({ digest: digestOf(other) });
    const abort = new AbortController();
    const [gone, stays] = [sources.archive(wanted, abort.signal), sources.archive(wanted, signal)];
    abort.abort(new Error('superseded'));
    await assert.rejects(gone, /superseded/);
    assert.equal(digestOf(await stays), digestOf(other));
    assert.equal(asked, 1);
  });
});
