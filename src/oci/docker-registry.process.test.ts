import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createPrivateKey, randomBytes, sign, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, request } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../std/index.ts';
import { createRegistryClient, createRegistryClients } from './client.ts';
import type { RegistryClient } from './client-types.ts';
import { staticCredentials, type Credential } from './credentials.ts';
import { pushArtifact } from './flux-artifact.ts';
import { pushLayout, readLayout } from './layout.ts';
import { corpusLayouts, REPOSITORIES } from './testing/corpus.ts';
import { registryContract } from './testing/registry-contract.ts';

const BINARY = '/usr/bin/docker-registry';

if (existsSync(BINARY)) {
  let registry: { host: string; process: ChildProcess; folder: string };
  before(async () => {
    registry = await startDockerRegistry();
  });
  after(async () => {
    registry.process.kill();
    await rm(registry.folder, { recursive: true, force: true });
  });
  registryContract('docker-registry', () => ({ host: registry.host, referrersApi: false, deletes: true }));

  const layouts = corpusLayouts();
  it('layouts of real tools survive docker-registry', { skip: layouts === undefined ? 'the corpus is absent' : false }, async () => {
    const client = createRegistryClient({ clock: systemClock, random: Math.random });
    const signal = AbortSignal.timeout(30_000);
    for (const path of REPOSITORIES) {
      const repository = { registry: registry.host, path };
      const tags = await pushLayout(await readLayout(join(layouts ?? '', path)), client, repository, signal);
      for (const [tag, digest] of tags) {
        assert.equal((await client.resolve({ ...repository, tag }, signal)).digest, digest);
        assert.equal((await client.fetchManifest({ ...repository, tag }, signal)).descriptor.digest, digest);
      }
    }
    await client.close();
  });

  // docker-registry keeps the state of an upload in its location: when the answer with the next one is lost, only starting over helps.
  it('an upload of which an answer is lost ends well', async (t) => {
    const { proxy, close, requests } = await forgetfulProxy(registry.host);
    const client = createRegistryClient({ clock: systemClock, random: () => 0, limits: { attempts: 1 } });
    t.after(async () => {
      await client.close();
      await close();
    });
    const repository = { registry: proxy, path: 'upload/resumed' };
    const bytes = randomBytes(400_000);
    const signal = AbortSignal.timeout(20_000);
    const descriptor = await client.pushBlob(repository, { mediaType: 'application/octet-stream', bytes }, signal, { chunkBytes: 70_000 });
    assert.deepEqual(Buffer.from(await client.readBlob(repository, descriptor, bytes.length, signal)), bytes);
    assert.equal(requests.filter((method) => method === 'POST').length, 2, requests.join());
  });
  it('OB05 OB08: a token server of its own, over TLS: scopes, refresh tokens, and who may not', async (t) => {
    const tokens = await startTokenServer();
    const folder = fileURLToPath(new URL('testdata/tls', import.meta.url));
    const guarded = await startDockerRegistry([
      `  tls: {certificate: ${join(folder, 'server.crt')}, key: ${join(folder, 'server.key')}}`,
      'auth:',
      '  token:',
      `    realm: ${tokens.url}`,
      '    service: registry.test',
      '    issuer: tokens.test',
      `    rootcertbundle: ${join(folder, 'ca.crt')}`,
    ]);
    const clients = createRegistryClients({ clock: systemClock, random: () => 0, limits: { attempts: 1 } });
    t.after(async () => {
      await clients.close();
      guarded.process.kill();
      await tokens.close();
      await rm(guarded.folder, { recursive: true, force: true });
    });
    const tls = { ca: readFileSync(join(folder, 'ca.crt'), 'utf8') };
    const as = (credential?: Credential): RegistryClient =>
      // The token server speaks no TLS: allowed with insecure alone.
      clients.client({ tls, insecure: true, ...(credential === undefined ? {} : { credentials: staticCredentials(credential) }) });
    const signal = AbortSignal.timeout(20_000);
    const team = { registry: guarded.host, path: 'team/app' };
    const owner = as({ kind: 'basic', username: 'team', password: 'secret' });
    const { digest } = await pushArtifact(owner, { ...team, tag: 'v1' }, { layer: Buffer.from('x') }, signal);
    assert.deepEqual([...new Set(tokens.asked)], ['team repository:team/app:pull,push'], 'one scope, asked for once');
    tokens.asked.length = 0;
    for (const reference of [
      { ...team, tag: 'v1' },
      { ...team, digest },
    ]) {
      assert.equal((await owner.resolve(reference, signal)).digest, digest);
      assert.equal((await as({ kind: 'identityToken', token: 'refresh-team' }).fetchImage(reference, signal)).descriptor.digest, digest);
    }
    assert.deepEqual(await owner.listTags(team, signal), ['v1']);
    assert.deepEqual(tokens.asked, ['team repository:team/app:pull', 'team (refreshed) repository:team/app:pull']);
    for (const stranger of [
      as(),
      as({ kind: 'basic', username: 'other', password: 'secret' }),
      as({ kind: 'basic', username: 'team', password: 'wrong' }),
      as({ kind: 'identityToken', token: 'wrong' }),
      as({ kind: 'registryToken', token: 'wrong' }),
    ]) {
      tokens.asked.length = 0;
      await assert.rejects(stranger.resolve({ ...team, tag: 'v1' }, signal), { code: 'AuthenticationFailed' });
      assert.ok(tokens.asked.length <= 6, tokens.asked.join());
    }
  });
} else {
  it('client against docker-registry', { skip: `${BINARY} is not installed` }, () => undefined);
}

async function startDockerRegistry(more: readonly string[] = []): Promise<{ host: string; process: ChildProcess; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'docker-registry-'));
  const port = await freePort();
  const config = [
    'version: 0.1',
    'log: {level: error, accesslog: {disabled: true}}',
    'storage:',
    `  filesystem: {rootdirectory: ${folder}}`,
    '  delete: {enabled: true}',
    'http:',
    `  addr: 127.0.0.1:${port}`,
    ...more,
    '',
  ];
  await writeFile(join(folder, 'config.yml'), config.join('\n'));
  const child = spawn(BINARY, ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  for (let tries = 0; tries < 100; tries++) {
    if (await isListening(port)) return { host: `127.0.0.1:${port}`, process: child, folder };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill();
  throw new Error('docker-registry did not start');
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A token server docker-registry believes: its tokens are signed with a certificate of the test CA. Users own what is below their name. */
async function startTokenServer(): Promise<{ url: string; asked: string[]; close(): Promise<void> }> {
  const pem = (name: string): string => readFileSync(new URL(`testdata/tls/${name}`, import.meta.url), 'utf8');
  const chain = [new X509Certificate(pem('server.crt')).raw.toString('base64')];
  const key = createPrivateKey(pem('server.key'));
  const asked: string[] = [];
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = (user: string | undefined, scopes: readonly string[]): string => {
    const access = scopes.flatMap((scope) => {
      const [type = '', name = '', actions = ''] = scope.split(':');
      return user !== undefined && name.startsWith(`${user}/`) ? [{ type, name, actions: actions.split(',') }] : [];
    });
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: 'tokens.test',
      sub: user ?? '',
      aud: 'registry.test',
      exp: now + 300,
      nbf: now - 10,
      iat: now,
      jti: randomBytes(8).toString('hex'),
      access,
    };
    const unsigned = `${part({ typ: 'JWT', alg: 'ES256', x5c: chain })}.${part(claims)}`;
    return `${unsigned}.${sign('sha256', Buffer.from(unsigned), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  const server = createHttpServer((incoming, outgoing) => {
    let body = '';
    incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
    incoming.on('end', () => {
      const fields = incoming.method === 'POST' ? new URLSearchParams(body) : new URL(incoming.url ?? '', 'http://x').searchParams;
      const basic = Buffer.from((incoming.headers.authorization ?? '').slice('Basic '.length), 'base64')
        .toString()
        .split(':');
      const [name, password] = incoming.method === 'POST' ? ['team (refreshed)', fields.get('refresh_token')] : basic;
      const scopes = fields.getAll('scope').flatMap((scope) => scope.split(' '));
      asked.push(`${name ?? ''} ${scopes.join(' ')}`);
      const isRefused = name !== '' && password !== (incoming.method === 'POST' ? 'refresh-team' : 'secret');
      if (isRefused || fields.get('service') !== 'registry.test') return void outgoing.writeHead(401).end('{}');
      outgoing.end(JSON.stringify({ token: token(name === '' ? undefined : name?.split(' ')[0], scopes), expires_in: 300 }));
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${port}/token`, asked, close };
}

/** A proxy that loses the answer to the second PATCH, after the registry has taken the piece. */
async function forgetfulProxy(host: string): Promise<{ proxy: string; requests: string[]; close(): Promise<void> }> {
  const requests: string[] = [];
  let patches = 0;
  const server = createHttpServer((incoming, outgoing) => {
    requests.push(incoming.method ?? '');
    const lose = incoming.method === 'PATCH' && ++patches === 2;
    const upstream = request(
      { host: host.split(':')[0], port: host.split(':')[1], method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        if (lose) {
          answer.resume();
          answer.on('end', () => incoming.socket.destroy());
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(upstream);
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    proxy: `127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
