import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mergeScopes } from './authorizer.ts';
import { parseChallenges } from './challenge.ts';
import { Coalescer } from './coalesce.ts';
import { parseErrorBody, retryAfter } from './http.ts';
import { compileNoProxy } from './no-proxy.ts';
import { isLocal } from './session.ts';

describe('WWW-Authenticate', () => {
  it('reads challenges as registries write them (RFC 9110 §11.6.1)', () => {
    assert.deepEqual(
      parseChallenges('Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'),
      [
        {
          scheme: 'bearer',
          parameters: { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' },
        },
      ],
    );
    assert.deepEqual(parseChallenges('Basic realm="a \\"b\\"", Bearer realm=https://x/token , service=y'), [
      { scheme: 'basic', parameters: { realm: 'a "b"' } },
      { scheme: 'bearer', parameters: { realm: 'https://x/token', service: 'y' } },
    ]);
    assert.deepEqual(parseChallenges(['Negotiate', 'Basic']), [
      { scheme: 'negotiate', parameters: {} },
      { scheme: 'basic', parameters: {} },
    ]);
  });

  it('survives nonsense', () => {
    for (const text of ['', ',,,', '=', '"', 'Bearer realm="', 'a=b', '\u0000', `Bearer ${'x=y,'.repeat(10_000)}`, 'B '.repeat(10_000)]) {
      const challenges = parseChallenges(text);
      assert.ok(challenges.length <= 10 && challenges.every((entry) => Object.keys(entry.parameters).length <= 20));
    }
    assert.deepEqual(parseChallenges(undefined), []);
  });

  it('puts the actions of equal scopes together', () => {
    assert.deepEqual(mergeScopes(['repository:a/b:pull', 'repository:c:pull', 'repository:a/b:push,pull']), [
      'repository:a/b:pull,push',
      'repository:c:pull',
    ]);
  });
});

describe('NO_PROXY', () => {
  // Answers of golang.org/x/net/http/httpproxy, which the registries' other clients use.
  const cases: [string, string, string, boolean][] = [
    ['', 'example.com', '443', false],
    ['*', 'example.com', '443', true],
    ['10.0.0.0/8', '10.1.2.3', '443', true],
    ['10.0.0.0/8', '11.1.2.3', '443', false],
    ['10.0.0.0/33', '10.1.2.3', '443', false],
    ['fe80::/10', '[fe80::1]', '443', true],
    ['example.com', 'example.com', '443', true],
    ['example.com', 'a.example.com', '443', true],
    ['example.com', 'notexample.com', '443', false],
    ['.example.com', 'example.com', '443', false],
    ['.example.com', 'a.example.com', '443', true],
    ['*.example.com', 'example.com', '443', false],
    ['*.example.com', 'a.example.com', '443', true],
    ['EXAMPLE.com', 'example.COM', '80', true],
    ['example.com:443', 'example.com', '443', true],
    ['example.com:443', 'example.com', '8443', false],
    ['1.2.3.4:443', '1.2.3.4', '80', false],
    ['a, b.c ,10.0.0.0/8', 'b.c', '443', true],
    ['', 'localhost', '443', true],
    ['', '127.9.9.9', '443', true],
    ['', '[::1]', '443', true],
  ];
  for (const [list, host, port, direct] of cases) {
    it(`${JSON.stringify(list)} ${direct ? 'covers' : 'does not cover'} ${host}:${port}`, () =>
      assert.equal(compileNoProxy(list)(host, port), direct));
  }
});

describe('answers', () => {
  it('reads Retry-After in both forms', () => {
    const now = Date.UTC(2026, 0, 1);
    assert.equal(retryAfter({ 'retry-after': '2' }, now), 2000);
    assert.equal(retryAfter({ 'retry-after': 'Thu, 01 Jan 2026 00:00:10 GMT' }, now), 10_000);
    assert.equal(retryAfter({ 'retry-after': 'Thu, 01 Jan 2020 00:00:10 GMT' }, now), 0);
    for (const value of ['', '-1', 'soon', '9'.repeat(30)]) assert.equal(retryAfter({ 'retry-after': value }, now), undefined);
  });

  it('reads error bodies, whatever they are', () => {
    assert.deepEqual(parseErrorBody('{"errors":[{"code":"DENIED","message":"no"}]}'), [{ code: 'DENIED', message: 'no' }]);
    for (const text of ['', 'null', '[]', '{"errors":{}}', '{"errors":[1,null,"x"]}', '{"errors":null}'])
      assert.deepEqual(parseErrorBody(text), []);
    assert.equal(parseErrorBody(JSON.stringify({ errors: Array.from({ length: 100 }, () => ({ code: 'X' })) })).length, 5);
  });

  it('knows which registries may speak plain HTTP without being told so', () => {
    for (const name of [
      'localhost',
      'localhost:5000',
      'a.localhost:80',
      '127.0.0.1:5000',
      '[::1]:80',
      '10.0.0.1',
      '172.16.0.1:1',
      '192.168.1.1',
    ])
      assert.ok(isLocal(name), name);
    for (const name of ['ghcr.io', '172.32.0.1', '11.0.0.1', 'localhost.evil.com', '127.0.0.1.evil.com', '10.0.0.1.nip.io', 'xlocalhost'])
      assert.ok(!isLocal(name), name);
  });
});

describe('coalescing', () => {
  it('ends the work when nobody waits any more, and starts anew for the next', async () => {
    const coalescer = new Coalescer();
    let started = 0;
    let ended = 0;
    const work = (signal: AbortSignal): Promise<string> =>
      new Promise((_resolve, reject) => {
        started++;
        signal.addEventListener('abort', () => {
          ended++;
          reject(new Error('ended'));
        });
      });
    const aborts = [new AbortController(), new AbortController()];
    const waits = aborts.map((abort) => coalescer.run('key', abort.signal, work));
    aborts[0]?.abort(new Error('first'));
    await assert.rejects(waits[0] ?? Promise.resolve(), /first/);
    assert.deepEqual([started, ended], [1, 0]);
    aborts[1]?.abort(new Error('second'));
    await assert.rejects(waits[1] ?? Promise.resolve(), /ended/, 'the last one hears what the work says');
    assert.deepEqual([started, ended], [1, 1]);
    assert.equal(await coalescer.run('key', new AbortController().signal, () => Promise.resolve('again')), 'again');
  });
});
