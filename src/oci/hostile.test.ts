import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, before, beforeEach, describe, it } from 'node:test';
import { digestOf, milliseconds, systemClock, type Digest } from '../std/index.ts';
import { createRegistryClient } from './client.ts';
import type { RegistryClient, RegistryClientsOptions, RegistryLimits, RegistryRequestEvent } from './client-types.ts';
import type { Descriptor } from './descriptor.ts';
import { isRegistryError, type RegistryErrorCode } from './errors.ts';
import { pushArtifact } from './flux-artifact.ts';
import { staticCredentials } from './credentials.ts';
import { FaultPlan } from './registry/faults.ts';
import { type RunningRegistry, startRegistry } from './registry/server.ts';
import { memoryStore } from './registry/store.ts';

const signal = (): AbortSignal => AbortSignal.timeout(10_000);
/** Waits of a retry take no time; real time still passes in sockets. */
const hasty = { ...systemClock, after: (_delay: number, callback: () => void) => systemClock.after(milliseconds(0), callback) };
const fails =
  (code: RegistryErrorCode, pattern = /./) =>
  (error: unknown) => {
    assert.ok(isRegistryError(error, code), `want ${code}, got ${String(error)}`);
    assert.match(error.message, pattern);
    return true;
  };

async function drain(source: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of source) size += chunk.length;
  return size;
}

describe('client against a registry that misbehaves', () => {
  const faults = new FaultPlan();
  const events: RegistryRequestEvent[] = [];
  let registry: RunningRegistry;
  let repository: { registry: string; path: string };
  let layer: Descriptor;
  let manifest: Descriptor;
  const open: { close(): Promise<void> }[] = [];
  const client = (limits: Partial<RegistryLimits> = {}, more: Partial<RegistryClientsOptions> = {}): RegistryClient => {
    const own = createRegistryClient({ clock: hasty, random: () => 0, limits, onRequest: (event) => events.push(event), ...more });
    open.push(own);
    return own;
  };
  const bytes = Buffer.alloc(400_000, 'layer ');

  before(async () => {
    registry = await startRegistry({ store: memoryStore(), clock: systemClock, faults });
    repository = { registry: registry.host, path: 'hostile/app' };
    manifest = await pushArtifact(client(), { ...repository, tag: 'v1' }, { layer: bytes }, signal());
    layer = { mediaType: 'x', digest: digestOf(bytes), size: bytes.length };
  });
  beforeEach(() => {
    faults.clear();
    events.length = 0;
  });
  after(async () => {
    await Promise.all(open.map((own) => own.close()));
    await registry.close();
  });
  const blobs = ({ path }: { path: string }): boolean => path.includes('/blobs/');
  const manifests = ({ path }: { path: string }): boolean => path.includes('/manifests/');

  it('tries 5xx and 429 again, and gives up after limits.attempts', async () => {
    faults
      .add(manifests, { kind: 'status', status: 503 }, 2)
      .add(manifests, { kind: 'status', status: 429, headers: { 'retry-after': '1' } }, 1);
    assert.equal((await client().resolve({ ...repository, tag: 'v1' }, signal())).digest, manifest.digest);
    faults.clear();
    faults.add(manifests, { kind: 'status', status: 500 });
    await assert.rejects(
      client({ attempts: 3 }).fetchManifest({ ...repository, tag: 'v1' }, signal()),
      fails('RegistryUnavailable', /answered 500/),
    );
    assert.equal(faults.seen.filter(manifests).length, 3);
  });

  it('does not wait longer than limits.retryAfter: the caller plans that wait', async () => {
    faults.add(manifests, { kind: 'status', status: 429, headers: { 'retry-after': '3600' } });
    const own = client();
    await assert.rejects(
      own.resolve({ ...repository, tag: 'v1' }, signal()),
      (error) => isRegistryError(error, 'TooManyRequests') && error.retryAfter === 3_600_000,
    );
    const seen = faults.seen.length;
    await assert.rejects(own.listTags(repository, signal()), fails('TooManyRequests', /asked to wait/));
    assert.equal(faults.seen.length, seen, 'nothing is sent to a registry that asked for peace');
  });

  it('keeps what the registry said, bounded and redacted', async () => {
    const body = JSON.stringify({
      errors: [{ code: 'DENIED', message: `no ${'x'.repeat(5000)} https://u:p@h/ \u001b[31m`, detail: { token: 'Bearer abcdefghijkl' } }],
    });
    faults.add(manifests, { kind: 'status', status: 403, body });
    await assert.rejects(client().resolve({ ...repository, tag: 'v1' }, signal()), (error) => {
      assert.ok(isRegistryError(error, 'AuthenticationFailed'));
      assert.equal(error.entries[0]?.code, 'DENIED');
      assert.ok(error.message.length < 1000 && !error.message.includes('u:p@') && !error.message.includes('\u001b'));
      assert.ok(!JSON.stringify(error.entries).includes('abcdefghijkl'));
      return true;
    });
  });

  it('refuses bytes that are not what the digest says', async () => {
    faults.add(blobs, { kind: 'corrupt' });
    const received: number[] = [];
    await assert.rejects(async () => {
      for await (const chunk of client().fetchBlob(repository, layer, signal())) received.push(chunk.length);
    }, fails('DigestMismatch'));
    assert.ok(received.reduce((a, b) => a + b, 0) < bytes.length, 'the end is held back until the digest is known');
    faults.clear();
    faults.add(manifests, { kind: 'corrupt' });
    await assert.rejects(client().fetchManifest({ ...repository, digest: manifest.digest }, signal()), fails('DigestMismatch'));
    await assert.rejects(client().fetchManifest({ ...repository, tag: 'v1' }, signal()), fails('DigestMismatch'));
  });

  it('resumes a broken download by Range', async () => {
    faults.add(blobs, { kind: 'truncate', after: 100_000 }, 1).add(blobs, { kind: 'truncate', after: 50_000 }, 1);
    assert.deepEqual(Buffer.from(await client().readBlob(repository, layer, 1_000_000, signal())), bytes);
    const ranges = faults.seen.map((request) => request.headers['range']);
    assert.match(String(ranges.at(-1)), /^bytes=\d+-$/);
    assert.equal(faults.seen.filter(blobs).length, 3);
  });

  it('gives up when every download breaks', async () => {
    faults.add(blobs, { kind: 'truncate', after: 1000 });
    await assert.rejects(
      drain(client({ resumes: 3 }).fetchBlob(repository, layer, signal())),
      fails('Truncated', /after \d+ of 400000 bytes/),
    );
    assert.equal(faults.seen.filter(blobs).length, 4);
  });

  it('never takes more bytes than a descriptor says', async () => {
    await assert.rejects(drain(client().fetchBlob(repository, { ...layer, size: 10 }, signal())), fails('SizeMismatch', /want 10/));
    faults.add(blobs, { kind: 'endless' });
    await assert.rejects(drain(client().fetchBlob(repository, layer, signal())), fails('SizeMismatch', /more than 400000/));
    await assert.rejects(client().readBlob(repository, layer, 1000, signal()), fails('LimitExceeded'));
  });

  it('bounds manifests, lists and error bodies', async () => {
    faults.add(() => true, { kind: 'endless' });
    await assert.rejects(
      client({ manifestBytes: 100_000 }).fetchManifest({ ...repository, tag: 'v1' }, signal()),
      fails('LimitExceeded', /100000 bytes/),
    );
    await assert.rejects(client({ pageBytes: 100_000 }).listTags(repository, signal()), fails('LimitExceeded'));
    faults.clear();
    await assert.rejects(client({ manifestBytes: 10 }).fetchManifest({ ...repository, tag: 'v1' }, signal()), fails('LimitExceeded'));
  });

  it('gives up on silence and on broken connections', async () => {
    faults.add(() => true, { kind: 'silent' });
    await assert.rejects(client({ idle: milliseconds(50), attempts: 1 }).resolve({ ...repository, tag: 'v1' }, signal()), fails('Timeout'));
    faults.clear();
    faults.add(manifests, { kind: 'drop' });
    await assert.rejects(client({ attempts: 2 }).resolve({ ...repository, tag: 'v1' }, signal()), fails('RegistryUnavailable'));
    assert.equal(faults.seen.filter(manifests).length, 2);
  });

  it('stops at once when told to', async () => {
    faults.add(manifests, { kind: 'silent' });
    const abort = new AbortController();
    const resolving = client().resolve({ ...repository, tag: 'v1' }, abort.signal);
    setTimeout(() => abort.abort(new Error('superseded')), 20);
    await assert.rejects(resolving, fails('Aborted'));
    await assert.rejects(client().resolve({ ...repository, tag: 'v1' }, AbortSignal.timeout(20)), fails('Timeout', /no answer in time/));
  });

  it('asks once for many who want the same, and one giving up does not stop the others', async () => {
    faults.add(manifests, { kind: 'slow', milliseconds: 50 });
    const own = client();
    const abort = new AbortController();
    const impatient = own.resolve({ ...repository, tag: 'v1' }, abort.signal);
    const patient = Array.from({ length: 20 }, () => own.resolve({ ...repository, tag: 'v1' }, signal()));
    setTimeout(() => abort.abort(), 10);
    await assert.rejects(impatient, fails('Aborted'));
    for (const descriptor of await Promise.all(patient)) assert.equal(descriptor.digest, manifest.digest);
    assert.equal(faults.seen.filter(manifests).length, 1);
  });
});

describe('client against a server that lies', () => {
  let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => response.end();
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  let host: string;
  let own: RegistryClient & { close(): Promise<void> };
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    host = `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const credentials = staticCredentials({ kind: 'basic', username: 'user', password: 'secret' });
    own = createRegistryClient({
      clock: hasty,
      random: () => 0,
      credentials,
      limits: { pages: 5, redirects: 3, attempts: 1, listItems: 50 },
    });
  });
  beforeEach(() => (seen.length = 0));
  after(async () => {
    await own.close();
    server.close();
    server.closeAllConnections();
  });
  const repository = (): { registry: string; path: string } => ({ registry: host, path: 'a/b' });
  const digest = digestOf('x');

  it('follows no endless list of pages, and no page elsewhere (OB10)', async () => {
    answer = (_request, response) => {
      response.setHeader('link', '</v2/a/b/tags/list?last=x>; rel="next"');
      response.end('{"tags":["v1"]}');
    };
    await assert.rejects(own.listTags(repository(), signal()), fails('LimitExceeded', /this page again/));
    assert.equal(seen.filter(({ url }) => url?.includes('tags')).length, 2);
    answer = (_request, response) => {
      response.setHeader('link', `</v2/a/b/tags/list?last=x${seen.length}>; rel="next"`);
      response.end('{"tags":["v1"]}');
    };
    await assert.rejects(own.listTags(repository(), signal()), fails('LimitExceeded', /5 pages/));
    answer = (_request, response) => {
      response.setHeader('link', '<http://169.254.169.254/latest/meta-data>; rel="next"');
      response.end('{"tags":["v1"]}');
    };
    await assert.rejects(own.listTags(repository(), signal()), fails('RedirectRefused'));
    answer = (_request, response) => response.end(JSON.stringify({ tags: Array.from({ length: 51 }, (_, i) => `v${i}`) }));
    await assert.rejects(own.listTags(repository(), signal()), fails('LimitExceeded', /50 tags/));
    answer = (_request, response) => response.end('{"tags":["ok","not a tag","../x"]}');
    assert.deepEqual(await own.listTags(repository(), signal()), ['ok']);
    answer = (_request, response) => response.end('<html>');
    await assert.rejects(own.listTags(repository(), signal()), fails('ManifestInvalid'));
  });

  // A registry behind a gateway that ends TLS or has a name of its own writes links as it knows itself.
  const links: [string, string][] = [
    ['relative to the page', '<list?n=2&last=t1>; rel="next"'],
    ['a path', '</v2/a/b/tags/list?n=2&last=t1>; rel="next"'],
    ['absolute', '<http://HOST/v2/a/b/tags/list?n=2&last=t1>;rel=next'],
    ['of another scheme', '<https://HOST/v2/a/b/tags/list?n=2&last=t1>; rel="next"'],
    ['of another port', '<http://127.0.0.1:1/v2/a/b/tags/list?n=2&last=t1>; rel="next"'],
    ['of another name', '<http://registry.internal:5000/v2/a/b/tags/list?n=2&last=t1>; rel="next"'],
    ['without a relation', '</v2/a/b/tags/list?n=2&last=t1>'],
    ['with other parameters and links', '</v2/>; rel="index", </v2/a/b/tags/list?n=2&last=t1>; title="a"; rel="next"'],
    [
      'with a path that looks like a host',
      '<http://registry.internal//v2/a/b/tags/list?n=2&last=t1>; rel="prev", <list?n=2&last=t1>; rel="next"',
    ],
  ];
  for (const [name, link] of links) {
    it(`follows a link to the next page ${name}, at the registry itself (OB10)`, async () => {
      answer = (request, response) => {
        const isFirst = request.url?.includes('last=') !== true;
        if (isFirst) response.setHeader('link', link.replace('HOST', host));
        response.end(JSON.stringify({ tags: isFirst ? ['t0', 't1'] : ['t2'] }));
      };
      assert.deepEqual(await own.listTags(repository(), signal()), ['t0', 't1', 't2']);
    });
  }

  it('lists 100,000 tags, in pages or at once (OB10)', async () => {
    const all = Array.from({ length: 100_000 }, (_, index) => `main-${'0'.repeat(40)}-${String(index).padStart(6, '0')}`);
    const many = createRegistryClient({ clock: hasty, random: () => 0, limits: { attempts: 1 } });
    let size = 1000;
    answer = (request, response) => {
      const from = Number(new URL(request.url ?? '', 'http://x').searchParams.get('from') ?? '0');
      if (from + size < all.length) response.setHeader('link', `</v2/a/b/tags/list?from=${from + size}>; rel="next"`);
      response.end(JSON.stringify({ tags: all.slice(from, from + size) }));
    };
    assert.equal((await many.listTags(repository(), signal())).length, all.length);
    size = all.length;
    assert.equal((await many.listTags(repository(), signal())).length, all.length, 'distribution 2.8 pays no heed to n');
    await many.close();
  });

  it('goes through indexes inside each other, not for ever (OB12)', async () => {
    const index = (child: Digest, size: number): string =>
      JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: 'application/vnd.oci.image.index.v1+json', digest: child, size }] });
    let body = JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 },
      layers: [],
    });
    const bodies = new Map<string, string>();
    const keep = (): Digest => {
      bodies.set(digestOf(body), body);
      return digestOf(body);
    };
    answer = (request, response) => {
      const found = bodies.get(request.url?.split('/').at(-1) ?? '');
      response.setHeader('content-type', 'application/json');
      response.writeHead(found === undefined ? 404 : 200).end(found);
    };
    const image = keep();
    for (let depth = 0; depth < 5; depth++) body = index(keep(), body.length);
    const five = keep();
    assert.equal((await own.fetchImage({ ...repository(), digest: five }, signal())).descriptor.digest, image);
    body = index(five, body.length);
    await assert.rejects(
      own.fetchImage({ ...repository(), digest: keep() }, signal()),
      fails('ManifestInvalid', /5 indexes inside each other/),
    );
  });

  it('follows a bounded number of redirects, and shows credentials to nobody else', async () => {
    answer = (request, response) => response.writeHead(307, { location: request.url ?? '/' }).end();
    await assert.rejects(
      drain(own.fetchBlob(repository(), { mediaType: '', digest, size: 1 }, signal())),
      fails('LimitExceeded', /3 redirects/),
    );
    const elsewhere = createServer((request, response) => {
      stranger.push(request);
      response.end('x');
    });
    const stranger: IncomingMessage[] = [];
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const { port } = elsewhere.address() as { port: number };
    answer = (request, response) => {
      if (request.headers.authorization === undefined) response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      else response.writeHead(307, { location: `http://127.0.0.1:${port}/blob?X-Amz-Signature=abc` }).end();
    };
    assert.equal(await drain(own.fetchBlob(repository(), { mediaType: '', digest, size: 1 }, signal())), 1);
    assert.equal(stranger.length, 1);
    assert.equal(stranger[0]?.headers.authorization, undefined);
    answer = (_request, response) => response.writeHead(307, { location: 'file:///etc/passwd' }).end();
    await assert.rejects(drain(own.fetchBlob(repository(), { mediaType: '', digest, size: 1 }, signal())), fails('RedirectRefused'));
    elsewhere.close();
    elsewhere.closeAllConnections();
  });

  it('refuses manifests that contradict themselves', async () => {
    const cases: [string, string, RegExp][] = [
      [
        '{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}',
        'application/vnd.oci.image.index.v1+json',
        /both manifests and layers/,
      ],
      [
        '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{}}',
        'application/vnd.oci.image.index.v1+json',
        /contradicts content type/,
      ],
      ['{"schemaVersion":1}', 'application/json', /schemaVersion 1/],
      ['{"schemaVersion":2,"layers":[{"digest":"md5:abc","size":1}],"config":{"digest":"md5:x","size":1}}', '', /is not a digest/],
      [`{"schemaVersion":2,"config":{"digest":"${digest}","size":-1}}`, '', /is not a size/],
      ['not json', 'application/vnd.oci.image.manifest.v1+json', /not UTF-8 JSON/],
      ['[]', '', /not an object/],
      ['{"schemaVersion":2}', 'text/plain', /is not an image manifest or index/],
    ];
    for (const [body, type, pattern] of cases) {
      answer = (_request, response) => {
        if (type !== '') response.setHeader('content-type', type);
        response.end(body);
      };
      await assert.rejects(own.fetchManifest({ ...repository(), tag: 'v1' }, signal()), fails('ManifestInvalid', pattern));
    }
  });

  it('does not believe a HEAD that names another digest', async () => {
    const body = '{"schemaVersion":2,"manifests":[]}';
    answer = (request, response) => {
      response.setHeader('docker-content-digest', digestOf('other'));
      response.setHeader('content-type', 'application/vnd.oci.image.index.v1+json');
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    const real: Digest = digestOf(body);
    assert.equal((await own.resolve({ ...repository(), digest: real }, signal())).digest, real, 'GET and rehash (OB12)');
    await assert.rejects(own.fetchManifest({ ...repository(), tag: 'v1' }, signal()), fails('DigestMismatch'));
  });

  it('sends no upload where a registry over TLS would not', async () => {
    answer = (request, response) => {
      if (request.method === 'HEAD') response.writeHead(404).end();
      else response.writeHead(202, {}).end();
    };
    await assert.rejects(
      own.pushBlob(repository(), { mediaType: '', bytes: Buffer.from('x') }, signal()),
      fails('RedirectRefused', /upload location/),
    );
  });
});
