import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCodedError } from '../../std/index.ts';
import { MAX_OCSP_RESPONSE } from '../../verify/index.ts';
import { httpRevocation } from './revocation.ts';

const answering = (response: () => Response): { source: ReturnType<typeof httpRevocation>; asked: RequestInit[] } => {
  const asked: RequestInit[] = [];
  const fetch = async (_url: unknown, request?: RequestInit): Promise<Response> => {
    asked.push(request ?? {});
    return response();
  };
  return { source: httpRevocation(fetch as typeof globalThis.fetch), asked };
};

test('OB15: responders are posted to, lists are got, no redirect is followed', async () => {
  const { source, asked } = answering(() => new Response('answer'));
  assert.equal(Buffer.from(await source.ocsp('http://ocsp.test/', Buffer.from('q'))).toString(), 'answer');
  assert.equal(Buffer.from(await source.crl('http://crl.test/list')).toString(), 'answer');
  assert.deepEqual(
    asked.map(({ method, redirect }) => [method, redirect]),
    [
      ['POST', 'error'],
      [undefined, 'error'],
    ],
  );
});

test('OB15: what is no 200, too large, or on this host is refused', async () => {
  const unavailable = (error: unknown): boolean => isCodedError(error, 'RevocationUnavailable');
  await assert.rejects(answering(() => new Response('', { status: 404 })).source.crl('http://crl.test/'), unavailable);
  const large = answering(() => new Response('x'.repeat(MAX_OCSP_RESPONSE + 1)));
  await assert.rejects(large.source.ocsp('http://ocsp.test/', Buffer.from('q')), unavailable);
  const { source, asked } = answering(() => new Response('answer'));
  for (const host of ['localhost', '127.0.0.1', '0x7f.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '[fe80::1]'])
    await assert.rejects(source.crl(`http://${host}/`), unavailable, host);
  await assert.rejects(source.crl('https://crl.test/'), unavailable);
  assert.deepEqual(asked, []);
});
