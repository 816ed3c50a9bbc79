import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseRepository } from '../../oci/index.ts';
import { parseNamespaceGlob, parseRepositoryGlob, repositoryNames } from './repository-glob.ts';

const matches = (glob: string, url: string): boolean => repositoryNames(parseRepository(url)).some(parseRepositoryGlob(glob));

describe('globs over repositories', () => {
  for (const [glob, url, expected] of [
    ['ghcr.io/org/*', 'oci://ghcr.io/org/app', true],
    ['ghcr.io/org/*', 'oci://ghcr.io/org/team/app', false],
    ['ghcr.io/org/**', 'oci://ghcr.io/org/team/app', true],
    ['ghcr.io/org/**', 'oci://ghcr.io/organisation/app', false],
    ['ghcr.io/org', 'oci://ghcr.io/org/app', false],
    ['ghcr.io/org/app', 'oci://ghcr.io/org/app-evil', false],
    ['ghcr.io/*/app', 'oci://ghcr.io/org/app', true],
    ['**', 'oci://ghcr.io/org/app', true],
    ['*', 'oci://ghcr.io/org', false],
    ['*.example.com/**', 'oci://a.example.com/b/c', true],
    // A dot is a dot.
    ['a.example.com/**', 'oci://axexample.com/bb', false],
    ['v?.test/app', 'oci://v1.test/app', true],
    ['localhost:5000/**', 'oci://localhost:5000/app', true],
    ['[::1]:5000/**', 'oci://[::1]:5000/app', true],
    // Nobody gets around a policy by another spelling of the same host.
    ['ghcr.io/org/**', 'oci://GHCR.io/org/app', true],
    ['ghcr.io/org/**', 'oci://ghcr.io:443/org/app', true],
    ['ghcr.io/org/**', 'oci://ghcr.io:0443/org/app', true],
    ['registry.test/**', 'oci://registry.test:80/app', true],
    ['ghcr.io/org/**', 'oci://ghcr.io:8443/org/app', false],
    ['127.0.0.1:5000/**', 'oci://127.1:05000/app', true],
    ['[::1]/**', 'oci://[0:0:0:0:0:0:0:1]/app', true],
    ['GHCR.IO/org/**', 'oci://ghcr.io/org/app', true],
    ['docker.io/library/*', 'oci://docker.io/library/app', true],
    ['docker.io/library/*', 'oci://index.docker.io/library/app', true],
    ['index.docker.io/library/*', 'oci://docker.io/library/app', true],
  ] as const)
    test(`${glob} ${expected ? 'matches' : 'does not match'} ${url}`, () => assert.equal(matches(glob, url), expected));

  test('what is no host/path is refused', () => {
    for (const glob of [
      '',
      'oci://ghcr.io/org/*',
      'ghcr.io/org/app:v1',
      'ghcr.io/org/app@sha256:00',
      'a b',
      'a/{b,c}',
      '/a',
      'a/',
      'a'.repeat(600),
    ])
      assert.throws(() => parseRepositoryGlob(glob), { code: 'GlobInvalid' }, glob);
    for (const glob of ['', 'a/b', 'a b', 'a.b', '[a]']) assert.throws(() => parseNamespaceGlob(glob), { code: 'GlobInvalid' }, glob);
  });

  test('a glob matches what its parts, tried one by one, match', () => {
    const part = fc.constantFrom('a', 'b', '*', '**', '?', '/', 'ab');
    const text = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), text, (parts, value) => {
        const glob = parts.join('');
        fc.pre(!/^\/|\/\/|\/$/.test(glob));
        assert.equal(parseRepositoryGlob(glob)(value), naive(glob, value), `${glob} on ${value}`);
      }),
    );
  });

  test('a hostile glob costs no time', () => {
    const glob = parseRepositoryGlob(`${'*a'.repeat(200)}`);
    const start = performance.now();
    assert.equal(glob(`${'a'.repeat(255)}b`), false);
    assert.ok(performance.now() - start < 1000);
  });
});

/** By definition: what is left of both. */
function naive(glob: string, value: string): boolean {
  const stars = /^\*+/.exec(glob)?.[0] ?? '';
  if (stars.length > 0) {
    const rest = glob.slice(stars.length);
    for (let end = 0; end <= value.length; end++) {
      if (stars.length === 1 && value.slice(0, end).includes('/')) return false;
      if (naive(rest, value.slice(end))) return true;
    }
    return false;
  }
  if (glob === '') return value === '';
  if (value === '') return false;
  const fits = glob.startsWith('?') ? !value.startsWith('/') : glob[0] === value[0];
  return fits && naive(glob.slice(1), value.slice(1));
}
