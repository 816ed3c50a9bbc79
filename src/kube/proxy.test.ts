import assert from 'node:assert/strict';
import { it } from 'node:test';
import { bypassesProxy, proxyFromEnvironment } from './proxy.ts';

it('picks a proxy by scheme and lets NO_PROXY exclude hosts, suffixes, ports, addresses and networks as Go does', () => {
  const env = { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: 'internal.example,.svc, 10.0.0.0/8,192.168.1.7,special:8443,fd00::/8' };
  const proxy = (url: string): string | undefined => proxyFromEnvironment(new URL(url), env);
  assert.equal(proxy('https://api.example.com'), 'http://proxy:3128');
  assert.equal(proxy('http://api.example.com'), undefined);
  for (const url of [
    'https://internal.example',
    'https://a.internal.example',
    'https://kubernetes.default.svc',
    'https://10.96.0.1:443',
    'https://192.168.1.7',
    'https://special:8443',
    'https://localhost:6443',
    'https://127.0.0.1',
    'https://[fd00::1]',
  ]) {
    assert.equal(proxy(url), undefined, url);
  }
  for (const url of ['https://svc', 'https://special:443', 'https://11.0.0.1', 'https://notinternal.example'])
    assert.equal(proxy(url), 'http://proxy:3128', url);
  assert.equal(proxyFromEnvironment(new URL('https://x'), { https_proxy: 'p:1' }), 'http://p:1');
  assert.equal(bypassesProxy(new URL('https://x'), '*'), true);
});
