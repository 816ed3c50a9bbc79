import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { after, before, describe, it } from 'node:test';
import { Downloads, type DownloadFlags, type DownloadRequest, type DownloadsOptions } from './helm-download.ts';

type Seen = { host: string; path: string; authorization: string | undefined; accept: string | undefined };

const BASIC = `Basic ${Buffer.from('user:pass').toString('base64')}`;
const CREDENTIALS: DownloadFlags = { username: 'user', password: 'pass' };

function pem(name: string): string {
  return join(import.meta.dirname, '../oci/testdata/tls', name);
}

describe('Downloads', () => {
  const seen: Seen[] = [];
  let server: Server;
  let other: Server;
  let home: string;
  let foreign: string;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? '';
    const { host = '', authorization, accept } = request.headers;
    seen.push({ host, path, authorization, accept });
    const redirect = (location: string, status = 302): unknown => response.writeHead(status, { location }).end();
    if (path === '/text') response.end('hello');
    else if (path === '/loop') redirect('/loop');
    else if (path === '/away') redirect(`${foreign}/text`, 307);
    else if (path === '/there-and-back') redirect(`${foreign}/back`);
    else if (path === '/back') redirect(`${home}/text`);
    else if (path === '/here') redirect('text');
    else if (path === '/file') redirect('file:///etc/passwd');
    else if (path === '/as-root') redirect(`${home.replace('//', '//root:secret@')}/text`);
    else if (path === '/endless') endless(response);
    else if (path === '/announced') response.writeHead(200, { 'content-length': String(2 ** 30) }).flushHeaders();
    else if (path === '/silent') return;
    else if (path === '/slow') slow(response);
    else if (path === '/cut') response.writeHead(200, { 'content-length': '100' }).write('part', () => response.destroy());
    else if (path === '/lost') response.writeHead(302).end();
    else response.writeHead(404).end('nothing');
  }

  function endless(response: ServerResponse): void {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536)));
    };
    response.on('drain', more);
    more();
  }

  function slow(response: ServerResponse): void {
    const timer = setInterval(() => response.write('.'), 10);
    response.on('close', () => clearInterval(timer));
  }

  async function listen(created: Server): Promise<string> {
    created.listen(0, '127.0.0.1');
    await once(created, 'listening');
    return `127.0.0.1:${(created.address() as AddressInfo).port}`;
  }

  before(async () => {
    server = createServer(answer);
    other = createServer(answer);
    home = `http://${await listen(server)}`;
    foreign = `http://${await listen(other)}`;
  });
  after(() => {
    for (const each of [server, other]) each.close().closeAllConnections();
  });

  async function get(
    request: Partial<DownloadRequest> & { url: string },
    flags: DownloadFlags = {},
    options: Partial<DownloadsOptions> = {},
  ): Promise<string> {
    await using downloads = new Downloads(flags, { signal: AbortSignal.timeout(10_000), ...options });
    seen.length = 0;
    return Buffer.from(await downloads.get({ limit: 1000, ...request })).toString();
  }

  it('gets a body and says what it wants', async () => {
    assert.equal(await get({ url: `${home}/text`, accept: 'application/gzip' }), 'hello');
    assert.deepEqual(seen, [{ host: home.slice(7), path: '/text', authorization: undefined, accept: 'application/gzip' }]);
  });

  it('fails in Helm’s words', async () => {
    await assert.rejects(get({ url: `${home}/no` }), { code: 'DownloadFailed', message: `failed to fetch ${home}/no : 404 Not Found` });
    await assert.rejects(get({ url: `${home}/lost` }), { message: `failed to fetch ${home}/lost : 302 Found` });
    await assert.rejects(get({ url: `${home}/cut` }), { code: 'DownloadFailed', message: 'unexpected EOF' });
    await assert.rejects(get({ url: 'http://127.0.0.1:1/x' }), {
      message: 'Get "http://127.0.0.1:1/x": dial tcp 127.0.0.1:1: connect: connection refused',
    });
    await assert.rejects(get({ url: 'ftp://x/y' }), { message: 'scheme "ftp" not supported' });
  });

  it('shows credentials to the server they are for, and to no other', async () => {
    await get({ url: `${home}/text` }, CREDENTIALS);
    assert.equal(seen[0]?.authorization, BASIC);
    await get({ url: `${foreign}/text`, home }, CREDENTIALS);
    assert.equal(seen[0]?.authorization, undefined);
    await get({ url: `${foreign}/text`, home }, { ...CREDENTIALS, passCredentials: true });
    assert.equal(seen[0]?.authorization, BASIC);
    await get({ url: `${home}/text` }, { username: 'user' });
    assert.equal(seen[0]?.authorization, undefined);
  });

  it('takes credentials out of a URL', async () => {
    await get({ url: `${home.replace('//', '//user:pass@')}/text` });
    assert.equal(seen[0]?.authorization, BASIC);
  });

  it('follows redirects, and leaves credentials behind where they lead elsewhere', async () => {
    const authorizations = async (path: string, flags = CREDENTIALS): Promise<(string | undefined)[]> => {
      assert.equal(await get({ url: home + path }, flags), 'hello');
      return seen.map(({ authorization }) => authorization);
    };
    assert.deepEqual(await authorizations('/here'), [BASIC, BASIC]);
    assert.deepEqual(await authorizations('/away'), [BASIC, undefined]);
    assert.deepEqual(await authorizations('/away', { ...CREDENTIALS, passCredentials: true }), [BASIC, undefined]);
    assert.deepEqual(await authorizations('/there-and-back'), [BASIC, undefined, undefined]);
    assert.deepEqual(await authorizations('/as-root', {}), [undefined, undefined]);
  });

  it('ends in a loop of redirects after ten requests', async () => {
    await assert.rejects(get({ url: `${home}/loop` }), { message: 'Get "/loop": stopped after 10 redirects' });
    assert.equal(seen.length, 10);
  });

  it('follows no redirect out of HTTP', async () => {
    await assert.rejects(get({ url: `${home}/file` }), { message: 'Get "file:///etc/passwd": unsupported protocol scheme "file"' });
  });

  it('reads no more than it may', async () => {
    await assert.rejects(get({ url: `${home}/endless`, limit: 2 ** 20 }), { code: 'LimitExceeded' });
    await assert.rejects(get({ url: `${home}/announced`, limit: 2 ** 20 }), { code: 'LimitExceeded' });
  });

  it('waits no longer than it may', async () => {
    const start = performance.now();
    const timeout = { code: 'Timeout', retryable: true };
    await assert.rejects(get({ url: `${home}/silent` }, {}, { deadline: 100 }), {
      ...timeout,
      message: `Get "${home}/silent": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
    });
    await assert.rejects(get({ url: `${home}/slow` }, {}, { deadline: 100 }), {
      ...timeout,
      message: 'context deadline exceeded (Client.Timeout exceeded while reading body)',
    });
    await assert.rejects(get({ url: `${home}/silent` }, {}, { signal: AbortSignal.timeout(100) }), timeout);
    assert.ok(performance.now() - start < 3000);
  });

  it('goes through a proxy, but not to loopback', async () => {
    assert.equal(await get({ url: `${home}/text` }, {}, { environment: { HTTP_PROXY: 'http://127.0.0.1:1' } }), 'hello');
    const proxied = get({ url: 'http://charts.example/text' }, {}, { environment: { http_proxy: home } });
    // The fake server does not know CONNECT and hangs up; that it was asked at all is the point.
    await assert.rejects(proxied, { code: 'DownloadFailed' });
    const spared = get({ url: 'http://charts.invalid/text' }, {}, { environment: { http_proxy: home, no_proxy: 'charts.invalid' } });
    await assert.rejects(spared, /lookup charts\.invalid: no such host/);
  });

  it('says which certificate file it cannot use', () => {
    const open = (flags: DownloadFlags) => (): unknown => new Downloads(flags, { signal: AbortSignal.timeout(1000) });
    const failed = "can't create TLS config for client";
    assert.throws(open({ caFile: 'nope' }), { message: `${failed}: can't read CA file: "nope": open nope: no such file or directory` });
    assert.throws(open({ caFile: pem('client.key') }), { message: `${failed}: failed to append certificates from pem block` });
    assert.throws(open({ certFile: 'nope', keyFile: 'nope' }), /unable to read cert file: "nope"/);
    assert.doesNotThrow(open({ certFile: 'nope' }));
  });

  describe('over TLS', () => {
    let secure: ReturnType<typeof createTlsServer>;
    let url: string;
    let plain: string;

    before(async () => {
      const read = (name: string): Buffer => readFileSync(pem(name));
      const options = {
        cert: read('server.crt'),
        key: read('server.key'),
        ca: read('ca.crt'),
        requestCert: true,
        rejectUnauthorized: false,
      };
      secure = createTlsServer(options, (request, response) => {
        const { subject } = (request.socket as TLSSocket).getPeerCertificate();
        if (request.url === '/down') response.writeHead(302, { location: `${home}/text` }).end();
        else response.end(`client ${String((subject as { CN?: string } | undefined)?.CN)}`);
      });
      url = `https://${await listen(secure)}/`;
      plain = url.replace('https', 'http');
    });
    after(() => secure.close().closeAllConnections());

    it('trusts the CA it is given, and nobody unknown', async () => {
      assert.equal(await get({ url }, { caFile: pem('ca.crt') }), 'client undefined');
      assert.equal(await get({ url }, { insecureSkipTlsVerify: true }), 'client undefined');
      await assert.rejects(get({ url }), {
        message: `Get "${url}": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
      });
    });

    it('shows a client certificate, to the server it is for only', async () => {
      const flags = { caFile: pem('ca.crt'), certFile: pem('client.crt'), keyFile: pem('client.key') };
      assert.match(await get({ url }, flags), /^client (?!undefined)/);
      assert.equal(await get({ url, home }, flags), 'client undefined');
    });

    it('never goes from https to http', async () => {
      await assert.rejects(get({ url: `${url}down` }, { caFile: pem('ca.crt') }), /redirect from https to http refused/);
    });

    it('tells that a server speaks the other protocol', async () => {
      const message = `Get "${home.replace('http', 'https')}/text": http: server gave HTTP response to HTTPS client`;
      await assert.rejects(get({ url: `${home.replace('http', 'https')}/text` }), { message });
      await assert.rejects(get({ url: plain }), { code: 'DownloadFailed' });
    });
  });
});
