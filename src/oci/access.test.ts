import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { connect as connectTcp } from 'node:net';
import { describe, it } from 'node:test';
import { FakeClock, milliseconds, seconds, systemClock } from '../std/index.ts';
import { createRegistryClient, createRegistryClients } from './client.ts';
import type { RegistryAccess, RegistryClient, RegistryClientsOptions, RegistryRequestEvent } from './client-types.ts';
import { type Credential, type CredentialSource, staticCredentials } from './credentials.ts';
import { isRegistryError } from './errors.ts';
import { pushArtifact } from './flux-artifact.ts';
import { parseMirrorRule } from './mirror.ts';
import type { RegistryAuth } from './registry/access.ts';
import { FaultPlan } from './registry/faults.ts';
import type { RegistryOptions } from './registry/handler.ts';
import { type ListenOptions, type RunningRegistry, startRegistry } from './registry/server.ts';
import { memoryStore, type RegistryStore } from './registry/store.ts';

const signal = (): AbortSignal => AbortSignal.timeout(10_000);
const pem = (name: string): string => readFileSync(new URL(`testdata/tls/${name}`, import.meta.url), 'utf8');
const users = new Map([['flux', 'secret']]);

type Setup = {
  registry: RunningRegistry;
  client: (access: RegistryAccess, more?: Partial<RegistryClientsOptions>) => RegistryClient;
  events: RegistryRequestEvent[];
  faults: FaultPlan;
};

async function withRegistry(options: Partial<RegistryOptions & ListenOptions>, work: (setup: Setup) => Promise<void>): Promise<void> {
  const faults = new FaultPlan();
  const events: RegistryRequestEvent[] = [];
  const registry = await startRegistry({ store: memoryStore(), clock: systemClock, secret: new Uint8Array(32), faults, ...options });
  const open: { close(): Promise<void> }[] = [];
  const client = (access: RegistryAccess, more: Partial<RegistryClientsOptions> = {}): RegistryClient => {
    const own = createRegistryClient({
      clock: systemClock,
      random: () => 0,
      limits: { attempts: 1 },
      onRequest: (event) => events.push(event),
      ...access,
      ...more,
    });
    open.push(own);
    return own;
  };
  try {
    await work({ registry, client, events, faults });
  } finally {
    await Promise.all(open.map((own) => own.close()));
    await registry.close();
  }
}

const denied = (error: unknown): boolean => isRegistryError(error, 'AuthenticationFailed');

describe('authorization', () => {
  for (const scheme of ['basic', 'bearer'] as const) {
    it(`${scheme}: a login that ended early is made anew, once`, () => {
      const changing = new Map([['flux', 'first']]);
      return withRegistry({ auth: { scheme, users: changing } }, async ({ registry, client, events }) => {
        let current = 'first';
        const refused: string[] = [];
        const credentials: CredentialSource = {
          id: 'changing',
          credentialFor: () => Promise.resolve({ kind: 'basic', username: 'flux', password: current }),
          refused: (_, credential) => {
            refused.push(credential.kind === 'basic' ? credential.password : credential.kind);
            const isOld = current !== 'second';
            current = 'second';
            return isOld;
          },
        };
        const own = client({ credentials });
        await pushArtifact(own, { registry: registry.host, path: 'a/b', tag: 'v1' }, { layer: Buffer.from('x') }, signal());
        changing.set('flux', 'second');
        await own.resolve({ registry: registry.host, path: 'a/c', tag: 'v1' }, signal()).catch(() => undefined);
        assert.deepEqual(refused, ['first']);
        changing.set('flux', 'third');
        events.length = 0;
        await assert.rejects(own.resolve({ registry: registry.host, path: 'a/d', tag: 'v1' }, signal()), denied);
        assert.deepEqual(refused.at(-1), 'second');
        assert.ok(events.length <= 8, `no end of tries: ${events.length}`);
      });
    });

    it(`${scheme}: asks anonymously first, then with credentials, and refuses wrong ones (OB05)`, () =>
      withRegistry({ auth: { scheme, users } }, async ({ registry, client, events }) => {
        const repository = { registry: registry.host, path: 'a/b' };
        const own = client({ credentials: staticCredentials({ kind: 'basic', username: 'flux', password: 'secret' }) });
        await pushArtifact(own, { ...repository, tag: 'v1' }, { layer: Buffer.from('x') }, signal());
        await own.ping(registry.host, signal());
        assert.equal(events.find((event) => event.url.includes('/blobs/'))?.status, 401, 'the first request carried nothing');
        events.length = 0;
        await own.resolve({ ...repository, tag: 'v1' }, signal());
        await own.resolve({ ...repository, tag: 'v1' }, signal());
        assert.ok(events.filter((event) => event.url.includes('/token')).length <= 1, 'the token is kept');
        assert.ok(!events.some((event) => event.status === 401), 'what the registry asks for is known by now');
        await assert.rejects(
          client({ credentials: staticCredentials({ kind: 'basic', username: 'flux', password: 'wrong' }) }).resolve(
            { ...repository, tag: 'v1' },
            signal(),
          ),
          denied,
        );
        await assert.rejects(client({}).resolve({ ...repository, tag: 'v1' }, signal()), denied);
      }));
  }

  it('pulls anonymously where that is allowed, with one token per scope set', () => {
    const auth: RegistryAuth = { scheme: 'bearer', users, allow: (user, _repository, action) => user !== undefined || action === 'pull' };
    return withRegistry({ auth }, async ({ registry, client, events }) => {
      const owner = client({ credentials: staticCredentials({ kind: 'basic', username: 'flux', password: 'secret' }) });
      for (const path of ['a/one', 'a/two'])
        await pushArtifact(owner, { registry: registry.host, path, tag: 'v1' }, { layer: Buffer.from('x') }, signal());
      events.length = 0;
      const own = client({});
      for (const path of ['a/one', 'a/two', 'a/one']) await own.resolve({ registry: registry.host, path, tag: 'v1' }, signal());
      assert.equal(events.filter((event) => event.url.includes('/token')).length, 2);
      await assert.rejects(
        pushArtifact(own, { registry: registry.host, path: 'a/one', tag: 'v2' }, { layer: Buffer.from('y') }, signal()),
        denied,
      );
    });
  });

  it('renews tokens that end, before and after the registry notices', async () => {
    const clock = new FakeClock();
    await withRegistry({ auth: { scheme: 'bearer', users, tokenLife: 100 }, clock }, async ({ registry, client, events }) => {
      const reference = { registry: registry.host, path: 'a/b', tag: 'v1' };
      const own = client({ credentials: staticCredentials({ kind: 'basic', username: 'flux', password: 'secret' }) }, { clock });
      await pushArtifact(own, reference, { layer: Buffer.from('x') }, signal());
      const tokens = (): number => events.filter((event) => event.url.includes('/token') && event.status === 200).length;
      const first = tokens();
      clock.advance(seconds(95));
      await own.resolve(reference, signal());
      assert.equal(tokens(), first + 1, 'renewed ahead of time');
      const slow = client({ credentials: staticCredentials({ kind: 'basic', username: 'flux', password: 'secret' }) });
      await slow.resolve(reference, signal());
      clock.advance(seconds(500));
      events.length = 0;
      await slow.resolve(reference, signal());
      assert.deepEqual(
        events.map((event) => event.status),
        [401, 200, 200],
        'a token the registry no longer takes is replaced once',
      );
    });
  });

  it('trades a refresh token by POST, sends a registry token as it is', () => {
    const auth: RegistryAuth = { scheme: 'bearer', users, refreshTokens: new Map([['refresh-me', 'flux']]) };
    return withRegistry({ auth }, async ({ registry, client, events }) => {
      const reference = { registry: registry.host, path: 'a/b', tag: 'v1' };
      await pushArtifact(
        client({ credentials: staticCredentials({ kind: 'identityToken', token: 'refresh-me' }) }),
        reference,
        { layer: Buffer.from('x') },
        signal(),
      );
      assert.ok(events.some((event) => event.method === 'POST' && event.url.endsWith('/token')));
      await assert.rejects(
        client({ credentials: staticCredentials({ kind: 'identityToken', token: 'no' }) }).resolve(reference, signal()),
        denied,
      );
      const answer = await fetch(`${registry.url}/token?scope=repository:a/b:pull`, {
        headers: { authorization: `Basic ${Buffer.from('flux:secret').toString('base64')}` },
      });
      const { token } = (await answer.json()) as { token: string };
      await client({ credentials: staticCredentials({ kind: 'registryToken', token }) }).resolve(reference, signal());
      await assert.rejects(
        client({ credentials: staticCredentials({ kind: 'registryToken', token: 'bad' }) }).resolve(reference, signal()),
        denied,
      );
      await assert.rejects(
        client({ credentials: staticCredentials({ kind: 'registryToken', token: 'a\r\nx: y' }) }).resolve(reference, signal()),
        denied,
      );
    });
  });

  it('keeps two objects with different credentials apart, and lets equal ones share a client', () =>
    withRegistry({ auth: { scheme: 'bearer', users } }, async ({ registry }) => {
      const clients = createRegistryClients({ clock: systemClock, random: () => 0, limits: { attempts: 1 } });
      const source = (password: string): CredentialSource => {
        const credential: Credential = { kind: 'basic', username: 'flux', password };
        return staticCredentials(credential);
      };
      const good = clients.client({ credentials: source('secret') });
      assert.equal(clients.client({ credentials: source('secret') }), good);
      await pushArtifact(good, { registry: registry.host, path: 'a/b', tag: 'v1' }, { layer: Buffer.from('x') }, signal());
      await assert.rejects(
        clients.client({ credentials: source('wrong') }).resolve({ registry: registry.host, path: 'a/b', tag: 'v1' }, signal()),
        denied,
      );
      await clients.close();
    }));

  it('does not send credentials to a token realm without TLS when the registry has it', () =>
    withRegistry({ tls: { cert: pem('server.crt'), key: pem('server.key') } }, async ({ registry, client, faults }) => {
      faults.add(() => true, { kind: 'status', status: 401, headers: { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/token"' } });
      const own = client({
        tls: { ca: pem('ca.crt') },
        credentials: staticCredentials({ kind: 'basic', username: 'flux', password: 'secret' }),
      });
      await assert.rejects(
        own.resolve({ registry: registry.host, path: 'a/b', tag: 'v1' }, signal()),
        (error) => denied(error) && /plain http/.test(String(error)),
      );
    }));

  it('bounds what a token server sends', () =>
    withRegistry({ auth: { scheme: 'bearer', users } }, async ({ registry, client, faults }) => {
      faults.add(({ path }) => path.startsWith('/token'), { kind: 'endless' });
      await assert.rejects(client({}).resolve({ registry: registry.host, path: 'a/b', tag: 'v1' }, signal()), (error) =>
        isRegistryError(error, 'LimitExceeded'),
      );
      faults.clear();
      faults.add(({ path }) => path.startsWith('/token'), { kind: 'status', status: 200, body: '<html>' });
      await assert.rejects(client({}).resolve({ registry: registry.host, path: 'a/b', tag: 'v1' }, signal()), denied);
    }));
});

describe('transport', () => {
  const tls = { cert: pem('server.crt'), key: pem('server.key') };

  it('trusts a given CA, refuses an unknown one, and with insecure neither asks nor needs TLS (OB08)', async () => {
    await withRegistry({ tls }, async ({ registry, client }) => {
      await client({ tls: { ca: pem('ca.crt') } }).ping(registry.host, signal());
      await assert.rejects(
        client({}).ping(registry.host, signal()),
        (error) => isRegistryError(error, 'TlsFailed') && error.remedy !== undefined,
      );
      await client({ insecure: true }).ping(registry.host, signal());
    });
    await withRegistry({}, ({ registry, client }) => client({ insecure: true }).ping(registry.host, signal()));
  });

  it('shows a client certificate when asked for one', () =>
    withRegistry({ tls: { ...tls, ca: pem('ca.crt'), requestCert: true, rejectUnauthorized: true } }, async ({ registry, client }) => {
      await client({ tls: { ca: pem('ca.crt'), certificate: pem('client.crt'), key: pem('client.key') } }).ping(registry.host, signal());
      await assert.rejects(client({ tls: { ca: pem('ca.crt') } }).ping(registry.host, signal()));
    }));

  it('looks at certificates when it has one of its own, insecure or not (OB08)', () =>
    withRegistry({ tls }, async ({ registry, client }) => {
      const own = client({ insecure: true, tls: { certificate: pem('client.crt'), key: pem('client.key') } });
      await assert.rejects(own.ping(registry.host, signal()), (error) => isRegistryError(error, 'TlsFailed'));
    }));

  it('says that it was the proxy that refused, or does not answer', async (t) => {
    const proxy = createHttpServer((_request, response) => response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end());
    proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'));
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      proxy.close();
      proxy.closeAllConnections();
    });
    const { port } = proxy.address() as { port: number };
    const ask = async (address: string, insecure: boolean): Promise<unknown> => {
      const own = createRegistryClient({
        clock: systemClock,
        random: () => 0,
        limits: { attempts: 1 },
        insecure,
        proxy: { httpProxy: address, httpsProxy: address },
      });
      try {
        return await own.resolve({ registry: 'r.test:5000', path: 'a/b', tag: 'v1' }, signal());
      } finally {
        await own.close();
      }
    };
    for (const insecure of [true, false])
      await assert.rejects(ask(`http://u:secret@127.0.0.1:${port}`, insecure), (error: Error & { remedy?: string }) => {
        assert.ok(denied(error));
        assert.match(error.message, new RegExp(`: proxy "127\\.0\\.0\\.1:${port}": it wants other credentials`));
        assert.match(error.remedy ?? '', /proxySecretRef/);
        return true;
      });
    await assert.rejects(ask('http://u:secret@127.0.0.1:1', false), /: proxy "127\.0\.0\.1:1": connect ECONNREFUSED/);
  });

  it('refuses a redirect from https to http', () =>
    withRegistry({ tls }, async ({ registry, client, faults }) => {
      faults.add(() => true, { kind: 'status', status: 302, headers: { location: 'http://127.0.0.1:1/' } });
      await assert.rejects(
        client({ tls: { ca: pem('ca.crt') } }).resolve({ registry: registry.host, path: 'a/b', tag: 'v1' }, signal()),
        (error) => isRegistryError(error, 'RedirectRefused'),
      );
    }));

  it('goes through a proxy, except where NO_PROXY says not to', (t) =>
    withRegistry({ tls, address: '127.0.0.1' }, async ({ registry, client }) => {
      const tunnels: string[] = [];
      const proxy = createHttpServer();
      proxy.on('connect', (request, socket, head) => {
        tunnels.push(`${request.url} ${request.headers['proxy-authorization'] ?? ''}`);
        // The name exists only behind the proxy.
        const target = connectTcp(registry.port, '127.0.0.1', () => {
          socket.write('HTTP/1.1 200 OK\r\n\r\n');
          target.write(head);
          target.pipe(socket).pipe(target);
        });
        target.on('error', () => socket.destroy());
        socket.on('error', () => target.destroy());
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      t.after(() => {
        proxy.close();
        proxy.closeAllConnections();
      });
      const { port } = proxy.address() as { port: number };
      const settings = { httpsProxy: `http://user:pass@127.0.0.1:${port}`, noProxy: '10.0.0.0/8,.direct.test' };
      await client({ insecure: true, proxy: settings }).ping('registry.test', signal());
      assert.deepEqual([...new Set(tunnels)], [`registry.test:443 Basic ${Buffer.from('user:pass').toString('base64')}`]);
      const before = tunnels.length;
      await assert.rejects(
        client({ insecure: true, proxy: settings }, { limits: { attempts: 1, idle: milliseconds(300) } }).ping(
          'registry.direct.test',
          signal(),
        ),
      );
      assert.equal(tunnels.length, before);
    }));
});

describe('mirrors', () => {
  it('serves a registry from elsewhere, in order, below a prefix', async () => {
    const stores: RegistryStore[] = [memoryStore(), memoryStore()];
    const [first, second] = await Promise.all(stores.map((store) => startRegistry({ store, clock: systemClock })));
    assert.ok(first !== undefined && second !== undefined);
    const mirrors = [`ghcr.io=${first.host}`, `ghcr.io=${second.host}/cache/ghcr`].map(parseMirrorRule);
    const own = createRegistryClient({ clock: systemClock, random: () => 0, limits: { attempts: 1 }, mirrors });
    const pushed = await pushArtifact(
      own,
      { registry: second.host, path: 'cache/ghcr/org/app', tag: 'v1' },
      { layer: Buffer.from('x') },
      signal(),
    );
    const reference = { registry: 'ghcr.io', path: 'org/app', tag: 'v1' };
    assert.equal((await own.resolve(reference, signal())).digest, pushed.digest);
    const { manifest } = await own.fetchImage(reference, signal());
    const [layer] = manifest.layers;
    assert.ok(layer !== undefined);
    assert.equal((await own.readBlob(reference, layer, 100, signal())).length, 1);
    await assert.rejects(
      own.resolve({ ...reference, tag: 'v2' }, signal()),
      (error) => isRegistryError(error, 'NotFound') && error.message.includes('ghcr.io/org/app:v2'),
    );
    await first.close();
    assert.equal((await own.resolve(reference, signal())).digest, pushed.digest, 'a mirror that is down is passed over');
    await own.close();
    await second.close();
  });

  it('checks digests whoever serves, and asks the next mirror when they are wrong', async () => {
    const faults = new FaultPlan();
    const bad = await startRegistry({ store: memoryStore(), clock: systemClock, faults });
    const good = await startRegistry({ store: memoryStore(), clock: systemClock });
    const own = createRegistryClient({
      clock: systemClock,
      random: () => 0,
      limits: { attempts: 1 },
      mirrors: [`r.test=${bad.host}`, `r.test=${good.host}`].map(parseMirrorRule),
    });
    const layer = Buffer.from('the layer');
    for (const registry of [bad, good]) await pushArtifact(own, { registry: registry.host, path: 'a/b', tag: 'v1' }, { layer }, signal());
    const { manifest } = await own.fetchImage({ registry: 'r.test', path: 'a/b', tag: 'v1' }, signal());
    faults.add(({ path }) => path.includes('/blobs/'), { kind: 'corrupt' });
    const [descriptor] = manifest.layers;
    assert.ok(descriptor !== undefined);
    assert.deepEqual(Buffer.from(await own.readBlob({ registry: 'r.test', path: 'a/b' }, descriptor, 100, signal())), layer);
    await own.close();
    await bad.close();
    await good.close();
  });

  it('parses rules', () => {
    assert.deepEqual(parseMirrorRule('docker.io=mirror.local:5000/hub/'), { host: 'index.docker.io', target: 'mirror.local:5000/hub' });
    assert.deepEqual(parseMirrorRule('ghcr.io=http://m:80'), { host: 'ghcr.io', target: 'm:80', insecure: true });
    for (const text of ['ghcr.io', '=x', 'a=', 'a=b c', 'a=b/../c d'])
      assert.throws(
        () => parseMirrorRule(text),
        (error) => isRegistryError(error, 'ReferenceInvalid'),
      );
  });
});

describe('rate', () => {
  it('holds a registry to its rate', async () => {
    const clock = new FakeClock();
    await withRegistry({}, async ({ registry, client, events }) => {
      const own = client({}, { clock, rate: { perSecond: 10, burst: 4 } });
      await pushArtifact(client({}), { registry: registry.host, path: 'a/b', tag: 'v1' }, { layer: Buffer.from('x') }, signal());
      events.length = 0;
      const all = Array.from({ length: 10 }, (_, index) =>
        own.hasBlob({ registry: registry.host, path: 'a/b' }, `sha256:${String(index).padStart(64, '0')}` as never, signal()),
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      assert.ok(events.length <= 4, `burst of 4, saw ${events.length}`);
      for (let i = 0; i < 10; i++) {
        clock.advance(seconds(1));
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      assert.deepEqual(new Set(await Promise.all(all)), new Set([false]));
    });
  });

  it('is one for a registry, whoever asks, and another registry has its own', async (t) => {
    const clock = new FakeClock();
    const [one, two] = await Promise.all([1, 2].map(() => startRegistry({ store: memoryStore(), clock: systemClock })));
    assert.ok(one !== undefined && two !== undefined);
    const asked: string[] = [];
    const onRequest = ({ registry }: RegistryRequestEvent): void => void asked.push(registry);
    const clients = createRegistryClients({ clock, random: () => 0, rate: { perSecond: 1, burst: 6 }, onRequest });
    const abort = new AbortController();
    const all: Promise<unknown>[] = [];
    t.after(async () => {
      abort.abort();
      await Promise.all(all);
      await clients.close();
      await Promise.all([one.close(), two.close()]);
    });
    for (let index = 0; index < 20; index++) {
      const credentials = staticCredentials({ kind: 'basic', username: `tenant-${index}`, password: 'x' });
      const { host } = index % 2 === 0 ? one : two;
      all.push(
        clients
          .client({ credentials })
          .listTags({ registry: host, path: `a/${index}` }, abort.signal)
          .catch(() => []),
      );
    }
    for (let tries = 0; tries < 100 && asked.length < 12; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(
      [one, two].map(({ host }) => asked.filter((registry) => registry === host).length),
      [6, 6],
    );
  });
});
