import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { formatUrl, parseIp, parseUrl, urlHostname } from './index.ts';

suite('net/url', () => {
  test('parts and text', () => {
    const url = parseUrl('HTTP://us%20er:p%40w@Host:8080/a%2Fb/x?q=1#f%20g');
    assert.deepEqual(
      [url.scheme, url.host, urlHostname(url), url.path, url.rawQuery, url.fragment],
      ['http', 'Host:8080', 'Host', '/a/b/x', 'q=1', 'f g'],
    );
    assert.deepEqual(url.user, { username: 'us er', password: 'p@w' });
    assert.equal(formatUrl(url), 'http://us%20er:p%40w@Host:8080/a%2Fb/x?q=1#f%20g');
    for (const text of ['mailto:x@y', '//h/p', 'rel/path?x', './a:b', '*', '', 'http://[::1]:80/', 'file:///etc/x', 'http://h?']) {
      assert.equal(formatUrl(parseUrl(text)), text);
    }
  });

  test('errors', () => {
    for (const [text, problem] of [
      [':x', 'missing protocol scheme'],
      ['a\n', 'net/url: invalid control character in URL'],
      ['1:2/3', 'first path segment in URL cannot contain colon'],
      ['http://h:x/', 'invalid port ":x" after host'],
      ['http://a b/', 'invalid character " " in host name'],
      ['/%zz', 'invalid URL escape "%zz"'],
      ['http://[::1', "missing ']' in host"],
      ['http://[1.2.3.4]/', 'invalid IP-literal'],
      ['http://[::g]/', 'invalid host: ParseAddr("::g"): each colon-separated field must have at least one digit (at "g")'],
      ['http://é@h/', 'net/url: invalid userinfo'],
    ] as const) {
      assert.throws(() => parseUrl(text), { message: `parse ${JSON.stringify(text)}: ${problem}` });
    }
  });

  test('addresses', () => {
    assert.deepEqual([...parseIp('10.0.0.1').bytes], [10, 0, 0, 1]);
    assert.deepEqual([...parseIp('1::ff:1.2.3.4').bytes], [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 1, 2, 3, 4]);
    assert.equal(parseIp('fe80::1%en0').zone, 'en0');
    assert.deepEqual([...parseIp('::').bytes], new Array(16).fill(0));
    for (const bad of ['', '1.2.3', '01.2.3.4', '1.2.3.256', ':', ':::', '1:2:3:4:5:6:7:8:9', '1:2', '12345::', '1::2::3', '::1%']) {
      assert.throws(() => parseIp(bad), /^GoError: ParseAddr\(/, bad);
    }
  });
});
