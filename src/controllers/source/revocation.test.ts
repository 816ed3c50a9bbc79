import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import { isCodedError } from '../../std/index.ts';
import { MAX_CRL, MAX_OCSP_RESPONSE } from '../../verify/index.ts';
import { httpRevocation } from './revocation.ts';

const unavailable = (error: unknown): boolean => isCodedError(error, 'RevocationUnavailable');

describe('revocation over HTTP', () => {
  let proxy: Server;
  let environment: Record<string, string>;
  /** What went through the proxy. */
  let asked: string[] = [];
  const answers: Readonly<Record<string, [status: number, body: Buffer]>> = {
    'http://ocsp.test/': [200, Buffer.from('answer')],
    'http://crl.test/list': [200, Buffer.from('list')],
    'http://crl.test/moved': [302, Buffer.alloc(0)],
    'http://ocsp.test/large': [200, Buffer.alloc(MAX_OCSP_RESPONSE + 1)],
    'http://crl.test/large': [200, Buffer.alloc(MAX_CRL + 1)],
  };
  before(async () => {
    proxy = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        asked.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''} ${Buffer.concat(chunks).toString()}`.trim());
        const [status, body] = answers[request.url ?? ''] ?? [404, Buffer.alloc(0)];
        // Slowly enough that questions meet.
        setTimeout(() => response.writeHead(status, { location: 'http://crl.test/list' }).end(body), 20);
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    environment = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  });
  after(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  beforeEach(() => (asked = []));

  test('OB15: responders are posted to and lists are got, through the proxy of the environment', async () => {
    const source = httpRevocation(environment);
    assert.equal(Buffer.from(await source.ocsp('http://ocsp.test/', Buffer.from('q'))).toString(), 'answer');
    assert.equal(Buffer.from(await source.crl('http://crl.test/list')).toString(), 'list');
    assert.deepEqual(asked, ['POST http://ocsp.test/ application/ocsp-request q', 'GET http://crl.test/list']);
    const direct = httpRevocation({ ...environment, NO_PROXY: '.test' });
    await assert.rejects(direct.crl('http://crl.test/list'), unavailable);
    assert.equal(asked.length, 2, 'NO_PROXY');
  });

  test('OB15: what is no 200, too large, elsewhere, or cannot be reached is refused', async () => {
    const source = httpRevocation(environment);
    await assert.rejects(source.crl('http://crl.test/absent'), /"http:\/\/crl\.test\/absent" about revocation: status 404/);
    await assert.rejects(source.crl('http://crl.test/moved'), /status 302/);
    await assert.rejects(source.crl('http://crl.test/large'), { code: 'LimitExceeded' });
    await assert.rejects(source.ocsp('http://ocsp.test/large', Buffer.from('q')), { code: 'LimitExceeded' });
    await assert.rejects(httpRevocation({ HTTP_PROXY: 'http://127.0.0.1:1' }).crl('http://crl.test/list'), unavailable);
    await assert.rejects(httpRevocation({ HTTP_PROXY: 'ftp://proxy.test' }).crl('http://crl.test/list'), unavailable);
  });

  test('OB15: this host and its links are not asked, by no spelling and no name', async () => {
    const source = httpRevocation({});
    for (const host of ['localhost', '127.0.0.1', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '[fe80::1]', 'a.localhost'])
      await assert.rejects(source.crl(`http://${host}/`), /an address of this host/, host);
    // A trailing dot is looked up, and found to be here.
    await assert.rejects(source.crl('http://localhost./'), unavailable);
    await assert.rejects(source.crl('https://crl.test/'), /only http:\/\/ is asked/);
    assert.deepEqual(asked, []);
  });

  test('a list that several ask for at once is got once; who gives up ends nobody else', async () => {
    const source = httpRevocation(environment);
    const impatient = new AbortController();
    const lists = [
      source.crl('http://crl.test/list', impatient.signal),
      source.crl('http://crl.test/list'),
      source.crl('http://crl.test/list'),
    ];
    impatient.abort(new Error('enough'));
    const [first, ...others] = await Promise.allSettled(lists);
    assert.equal(first?.status === 'rejected' && String(first.reason), 'Error: enough');
    assert.deepEqual(
      others.map((other) => other.status === 'fulfilled' && Buffer.from(other.value).toString()),
      ['list', 'list'],
    );
    assert.equal(asked.length, 1);
    await source.crl('http://crl.test/list');
    assert.equal(asked.length, 2, 'bytes alone are not kept: only lists that were found good are');
  });
});
