import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { digestOf, systemClock } from '../../std/index.ts';
import { mediaTypes } from '../media-types.ts';
import { folderStore } from './folder-store.ts';
import { type RunningRegistry, startRegistry } from './server.ts';
import { memoryStore, type RegistryStore } from './store.ts';

/* The workflows of the OCI distribution specification 1.1 ("Conformance"), case by case, against our registry over plain HTTP. */

const BLOB = Buffer.from('conformance blob');
const CONFIG = Buffer.from('{}');
const DIGEST = digestOf(BLOB);
const UNKNOWN = digestOf('unknown');
const layerOf = (bytes: Uint8Array, mediaType: string): object => ({ mediaType, digest: digestOf(bytes), size: bytes.length });
const MANIFEST = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: layerOf(CONFIG, mediaTypes.ociEmpty),
    layers: [layerOf(BLOB, 'text/plain')],
  }),
);
const MANIFEST_DIGEST = digestOf(MANIFEST);
const referrer = (artifactType: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType,
      config: layerOf(CONFIG, mediaTypes.ociEmpty),
      layers: [layerOf(CONFIG, mediaTypes.ociEmpty)],
      subject: { mediaType: mediaTypes.ociManifest, digest: MANIFEST_DIGEST, size: MANIFEST.length },
      annotations: { of: artifactType },
    }),
  );

type Case = {
  name: string;
  request: [method: string, path: string, headers?: Record<string, string>, body?: Uint8Array | string];
  status: number | number[];
  headers?: Record<string, string | RegExp>;
  body?: string | RegExp;
};

const octets = { 'content-type': 'application/octet-stream' };
const asManifest = { 'content-type': mediaTypes.ociManifest };

const PUSH: Case[] = [
  { name: 'the base answers', request: ['GET', '/v2/'], status: 200 },
  {
    name: 'POST and PUT: no such upload',
    request: ['PUT', `/v2/c/one/blobs/uploads/${'0'.repeat(32)}?digest=${DIGEST}`, octets, BLOB],
    status: 404,
    body: /BLOB_UPLOAD_UNKNOWN/,
  },
  {
    name: 'POST with digest: one request',
    request: ['POST', `/v2/c/one/blobs/uploads/?digest=${DIGEST}`, octets, BLOB],
    status: 201,
    headers: { location: `/v2/c/one/blobs/${DIGEST}`, 'docker-content-digest': DIGEST },
  },
  {
    name: 'POST with a wrong digest',
    request: ['POST', `/v2/c/one/blobs/uploads/?digest=${UNKNOWN}`, octets, BLOB],
    status: 400,
    body: /DIGEST_INVALID/,
  },
  {
    name: 'POST with no digest at all',
    request: ['POST', '/v2/c/one/blobs/uploads/?digest=x', octets, BLOB],
    status: 400,
    body: /DIGEST_INVALID/,
  },
  { name: 'the empty config', request: ['POST', `/v2/c/one/blobs/uploads/?digest=${digestOf(CONFIG)}`, octets, CONFIG], status: 201 },
  { name: 'an empty blob', request: ['POST', `/v2/c/one/blobs/uploads/?digest=${digestOf('')}`, octets, ''], status: 201 },
  {
    name: 'mount of a blob that is there',
    request: ['POST', `/v2/c/two/blobs/uploads/?mount=${DIGEST}&from=c/one`],
    status: 201,
    headers: { location: `/v2/c/two/blobs/${DIGEST}` },
  },
  {
    name: 'mount of a blob that is not there opens an upload',
    request: ['POST', `/v2/c/two/blobs/uploads/?mount=${UNKNOWN}&from=c/one`],
    status: 202,
    headers: { location: /^\/v2\/c\/two\/blobs\/uploads\/[0-9a-f]{32}$/ },
  },
  { name: 'mount without from opens an upload', request: ['POST', `/v2/c/three/blobs/uploads/?mount=${DIGEST}`], status: 202 },
  {
    name: 'a manifest whose blobs are missing',
    request: ['PUT', '/v2/c/empty/manifests/v1', asManifest, MANIFEST],
    status: 400,
    body: /MANIFEST_BLOB_UNKNOWN/,
  },
  {
    name: 'a manifest by tag',
    request: ['PUT', '/v2/c/one/manifests/v1', asManifest, MANIFEST],
    status: 201,
    headers: { location: `/v2/c/one/manifests/${MANIFEST_DIGEST}`, 'docker-content-digest': MANIFEST_DIGEST },
  },
  { name: 'a manifest by digest', request: ['PUT', `/v2/c/one/manifests/${MANIFEST_DIGEST}`, asManifest, MANIFEST], status: 201 },
  {
    name: 'a manifest under a wrong digest',
    request: ['PUT', `/v2/c/one/manifests/${UNKNOWN}`, asManifest, MANIFEST],
    status: 400,
    body: /DIGEST_INVALID/,
  },
  { name: 'no manifest', request: ['PUT', '/v2/c/one/manifests/v1', asManifest, 'blablabla'], status: 400, body: /MANIFEST_INVALID/ },
  { name: 'a bad tag', request: ['PUT', '/v2/c/one/manifests/-bad-', asManifest, MANIFEST], status: 400 },
  {
    name: 'a manifest with a subject',
    request: ['PUT', `/v2/c/one/manifests/${digestOf(referrer('a/a'))}`, asManifest, referrer('a/a')],
    status: 201,
    headers: { 'oci-subject': MANIFEST_DIGEST },
  },
  { name: 'a second one', request: ['PUT', '/v2/c/one/manifests/second', asManifest, referrer('b/b')], status: 201 },
  {
    name: 'a manifest that is too large',
    request: ['PUT', '/v2/c/one/manifests/big', asManifest, Buffer.alloc(5 * 1024 * 1024, ' ')],
    status: 413,
  },
];

const PULL: Case[] = [
  { name: 'HEAD of an unknown blob', request: ['HEAD', `/v2/c/one/blobs/${UNKNOWN}`], status: 404 },
  {
    name: 'HEAD of a blob',
    request: ['HEAD', `/v2/c/one/blobs/${DIGEST}`],
    status: 200,
    headers: { 'docker-content-digest': DIGEST, 'content-length': String(BLOB.length) },
  },
  { name: 'GET of an unknown blob', request: ['GET', `/v2/c/one/blobs/${UNKNOWN}`], status: 404, body: /BLOB_UNKNOWN/ },
  { name: 'GET of a blob', request: ['GET', `/v2/c/one/blobs/${DIGEST}`], status: 200, body: BLOB.toString() },
  { name: 'GET of a mounted blob', request: ['GET', `/v2/c/two/blobs/${DIGEST}`], status: 200, body: BLOB.toString() },
  { name: 'a blob of another repository is not here', request: ['GET', `/v2/c/three/blobs/${DIGEST}`], status: 404 },
  { name: 'GET of the empty blob', request: ['GET', `/v2/c/one/blobs/${digestOf('')}`], status: 200, body: '' },
  {
    name: 'a range',
    request: ['GET', `/v2/c/one/blobs/${DIGEST}`, { range: 'bytes=5-9' }],
    status: 206,
    headers: { 'content-range': `bytes 5-9/${BLOB.length}` },
    body: BLOB.subarray(5, 10).toString(),
  },
  {
    name: 'a range to the end',
    request: ['GET', `/v2/c/one/blobs/${DIGEST}`, { range: 'bytes=12-' }],
    status: 206,
    body: BLOB.subarray(12).toString(),
  },
  {
    name: 'the last bytes',
    request: ['GET', `/v2/c/one/blobs/${DIGEST}`, { range: 'bytes=-4' }],
    status: 206,
    body: BLOB.subarray(-4).toString(),
  },
  {
    name: 'a range beyond the end',
    request: ['GET', `/v2/c/one/blobs/${DIGEST}`, { range: 'bytes=99-' }],
    status: 416,
    headers: { 'content-range': `bytes */${BLOB.length}` },
  },
  { name: 'HEAD of an unknown manifest', request: ['HEAD', '/v2/c/one/manifests/nope'], status: 404 },
  {
    name: 'HEAD of a manifest by tag',
    request: ['HEAD', '/v2/c/one/manifests/v1'],
    status: 200,
    headers: {
      'docker-content-digest': MANIFEST_DIGEST,
      'content-type': mediaTypes.ociManifest,
      'content-length': String(MANIFEST.length),
    },
  },
  { name: 'HEAD of a manifest by digest', request: ['HEAD', `/v2/c/one/manifests/${MANIFEST_DIGEST}`], status: 200 },
  { name: 'GET of an unknown manifest', request: ['GET', `/v2/c/one/manifests/${UNKNOWN}`], status: 404, body: /MANIFEST_UNKNOWN/ },
  { name: 'GET of a manifest, bytes unchanged', request: ['GET', '/v2/c/one/manifests/v1'], status: 200, body: MANIFEST.toString() },
  { name: 'a bad name', request: ['GET', '/v2/BAD/manifests/v1'], status: 404, body: /NAME_INVALID/ },
  { name: 'a way out', request: ['GET', '/v2/c/one/manifests/..%2f..%2f..%2fetc%2fpasswd'], status: 404 },
  { name: 'a way out of the name', request: ['GET', '/v2/..%2f..%2fetc/manifests/passwd'], status: 404 },
  { name: 'a broken escape', request: ['GET', '/v2/c/%zz/manifests/v1'], status: 404 },
];

const DISCOVERY: Case[] = [
  {
    name: 'tags',
    request: ['GET', '/v2/c/one/tags/list'],
    status: 200,
    body: '{"name":"c/one","tags":["second","t0","t1","t2","t3","v1"]}',
  },
  {
    name: 'tags, first page',
    request: ['GET', '/v2/c/one/tags/list?n=2'],
    status: 200,
    headers: { link: '</v2/c/one/tags/list?n=2&last=t0>; rel="next"' },
    body: '{"name":"c/one","tags":["second","t0"]}',
  },
  {
    name: 'tags, a later page',
    request: ['GET', '/v2/c/one/tags/list?n=2&last=t0'],
    status: 200,
    body: '{"name":"c/one","tags":["t1","t2"]}',
  },
  {
    name: 'tags, last page',
    request: ['GET', '/v2/c/one/tags/list?n=4&last=t1'],
    status: 200,
    body: '{"name":"c/one","tags":["t2","t3","v1"]}',
  },
  { name: 'tags, none', request: ['GET', '/v2/c/one/tags/list?n=0'], status: 200, body: '{"name":"c/one","tags":[]}' },
  { name: 'tags of nothing', request: ['GET', '/v2/c/nothing/tags/list'], status: 404, body: /NAME_UNKNOWN/ },
  {
    name: 'referrers of something unknown',
    request: ['GET', `/v2/c/one/referrers/${UNKNOWN}`],
    status: 200,
    headers: { 'content-type': mediaTypes.ociIndex },
    body: /"manifests":\[\]/,
  },
  { name: 'referrers', request: ['GET', `/v2/c/one/referrers/${MANIFEST_DIGEST}`], status: 200, body: /a\/a.*b\/b|b\/b.*a\/a/s },
  {
    name: 'referrers of one type',
    request: ['GET', `/v2/c/one/referrers/${MANIFEST_DIGEST}?artifactType=b/b`],
    status: 200,
    headers: { 'oci-filters-applied': 'artifactType' },
    body: /^(?!.*a\/a).*"artifactType":"b\/b"/s,
  },
  { name: 'referrers of no digest', request: ['GET', '/v2/c/one/referrers/v1'], status: 400 },
  { name: 'the catalogue', request: ['GET', '/v2/_catalog'], status: 200, body: '{"repositories":["c/one","c/two"]}' },
];

const MANAGEMENT: Case[] = [
  { name: 'DELETE of a tag', request: ['DELETE', '/v2/c/one/manifests/t0'], status: 202 },
  { name: 'the tag is gone', request: ['HEAD', '/v2/c/one/manifests/t0'], status: 404 },
  { name: 'the manifest is not', request: ['HEAD', `/v2/c/one/manifests/${MANIFEST_DIGEST}`], status: 200 },
  { name: 'DELETE of a referrer', request: ['DELETE', `/v2/c/one/manifests/${digestOf(referrer('a/a'))}`], status: 202 },
  { name: 'it refers no more', request: ['GET', `/v2/c/one/referrers/${MANIFEST_DIGEST}`], status: 200, body: /^(?!.*a\/a)/s },
  { name: 'DELETE of a manifest', request: ['DELETE', `/v2/c/one/manifests/${MANIFEST_DIGEST}`], status: 202 },
  { name: 'all its tags are gone', request: ['GET', '/v2/c/one/tags/list'], status: 200, body: '{"name":"c/one","tags":["second"]}' },
  { name: 'DELETE of a manifest twice', request: ['DELETE', `/v2/c/one/manifests/${MANIFEST_DIGEST}`], status: 404 },
  { name: 'DELETE of a blob', request: ['DELETE', `/v2/c/one/blobs/${DIGEST}`], status: 202 },
  { name: 'the blob is gone here', request: ['HEAD', `/v2/c/one/blobs/${DIGEST}`], status: 404 },
  { name: 'but not where it was mounted', request: ['HEAD', `/v2/c/two/blobs/${DIGEST}`], status: 200 },
  { name: 'DELETE of a blob twice', request: ['DELETE', `/v2/c/one/blobs/${DIGEST}`], status: 404 },
  { name: 'a method nobody knows', request: ['PATCH', '/v2/c/one/manifests/v1'], status: 405 },
];

for (const kind of ['memory', 'folder'] as const) {
  describe(`our registry, in ${kind}`, () => {
    let registry: RunningRegistry;
    let folder: string;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'registry-'));
      const store: RegistryStore = kind === 'memory' ? memoryStore() : await folderStore(folder);
      registry = await startRegistry({ store, clock: systemClock });
    });
    after(async () => {
      await registry.close();
      await rm(folder, { recursive: true, force: true });
    });
    const ask = (method: string, path: string, headers: Record<string, string> = {}, body?: Uint8Array | string): Promise<Response> =>
      fetch(registry.url + path, { method, headers, redirect: 'manual', ...(body === undefined ? {} : { body: body as never }) });
    const run = (group: string, cases: readonly Case[]): void => {
      for (const test of cases) {
        it(`${group}: ${test.name}`, async () => {
          const answer = await ask(...test.request);
          const text = await answer.text();
          assert.ok([test.status].flat().includes(answer.status), `status ${answer.status}: ${text}`);
          for (const [name, want] of Object.entries(test.headers ?? {})) {
            const have = answer.headers.get(name) ?? '';
            if (typeof want === 'string') assert.equal(have, want);
            else assert.match(have, want);
          }
          if (typeof test.body === 'string') assert.equal(text, test.body);
          else if (test.body !== undefined) assert.match(text, test.body);
        });
      }
    };

    run('push', PUSH);

    it('push: in chunks, with a piece out of order and a look at the state', async () => {
      const started = await ask('POST', '/v2/c/one/blobs/uploads/');
      const location = started.headers.get('location') ?? '';
      const bytes = Buffer.from('first second third');
      const piece = (from: number, to: number): Promise<Response> =>
        ask('PATCH', location, { ...octets, 'content-range': `${from}-${to - 1}` }, bytes.subarray(from, to));
      assert.equal((await piece(6, 13)).status, 416);
      const first = await piece(0, 6);
      assert.deepEqual([first.status, first.headers.get('range')], [202, '0-5']);
      assert.equal((await piece(0, 6)).status, 416, 'the same piece again');
      const state = await ask('GET', location);
      assert.deepEqual([state.status, state.headers.get('range'), state.headers.get('location')], [204, '0-5', location]);
      assert.equal((await piece(6, 13)).status, 202);
      const done = await ask('PUT', `${location}?digest=${digestOf(bytes)}`, octets, bytes.subarray(13));
      assert.deepEqual([done.status, done.headers.get('location')], [201, `/v2/c/one/blobs/${digestOf(bytes)}`]);
      assert.equal(await (await ask('GET', `/v2/c/one/blobs/${digestOf(bytes)}`)).text(), bytes.toString());
      assert.equal((await ask('GET', location)).status, 404, 'the session is over');
    });

    it('push: given up', async () => {
      const location = (await ask('POST', '/v2/c/one/blobs/uploads/')).headers.get('location') ?? '';
      assert.equal((await ask('DELETE', location)).status, 204);
      assert.equal((await ask('PATCH', location, octets, BLOB)).status, 404);
      assert.equal((await ask('PUT', `/v2/c/two/blobs/uploads/${location.split('/').at(-1)}?digest=${DIGEST}`, octets, BLOB)).status, 404);
    });

    it('push: sha512', async () => {
      const digest = digestOf(BLOB, 'sha512');
      assert.equal((await ask('POST', `/v2/c/one/blobs/uploads/?digest=${digest}`, octets, BLOB)).status, 201);
      assert.equal(await (await ask('GET', `/v2/c/one/blobs/${digest}`)).text(), BLOB.toString());
    });

    run('pull', PULL);

    it('discovery: more tags', async () => {
      for (let i = 0; i < 4; i++) assert.equal((await ask('PUT', `/v2/c/one/manifests/t${i}`, asManifest, MANIFEST)).status, 201);
    });

    run('discovery', DISCOVERY);
    run('management', MANAGEMENT);
  });
}
