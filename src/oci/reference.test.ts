import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isRegistryError } from './errors.ts';
import { formatReference, parseReference, parseRepository, referenceKey } from './reference.ts';

const SHA = `sha256:${'a'.repeat(64)}`;

describe('references', () => {
  // What go-containerregistry's name.ParseReference makes of the same text: registry, repository, identifier.
  const accepted: [string, string, string, string][] = [
    ['app', 'index.docker.io', 'library/app', 'latest'],
    ['org/app:v1', 'index.docker.io', 'org/app', 'v1'],
    ['docker.io/app', 'index.docker.io', 'library/app', 'latest'],
    ['docker.io/org/app', 'index.docker.io', 'org/app', 'latest'],
    ['index.docker.io/app:v1', 'index.docker.io', 'library/app', 'v1'],
    ['oci://ghcr.io/org/app:v1.2.3', 'ghcr.io', 'org/app', 'v1.2.3'],
    ['ghcr.io/app', 'ghcr.io', 'app', 'latest'],
    ['localhost:5000/org/app', 'localhost:5000', 'org/app', 'latest'],
    ['localhost:5000/org/app:v1', 'localhost:5000', 'org/app', 'v1'],
    ['127.0.0.1:5000/org/app', '127.0.0.1:5000', 'org/app', 'latest'],
    ['[::1]:5000/org/app:v1', '[::1]:5000', 'org/app', 'v1'],
    [`ghcr.io/org/app@${SHA}`, 'ghcr.io', 'org/app', SHA],
    [`ghcr.io/org/app:v1@${SHA}`, 'ghcr.io', 'org/app', SHA],
    [`localhost:5000/app@${SHA}`, 'localhost:5000', 'app', SHA],
    ['ghcr.io/a__b/c-d/e.f:V_1.2-x', 'ghcr.io', 'a__b/c-d/e.f', 'V_1.2-x'],
    // Docker's grammar: a host although it has neither dot nor colon.
    ['localhost/org/app', 'localhost', 'org/app', 'latest'],
  ];
  for (const [text, registry, path, key] of accepted) {
    it(`reads ${text.slice(0, 60)}`, () => {
      const reference = parseReference(text);
      assert.deepEqual([reference.registry, reference.path, referenceKey(reference)], [registry, path, key]);
      assert.deepEqual(parseReference(formatReference(reference)), {
        ...reference,
        ...(reference.tag === undefined && reference.digest === undefined ? { tag: 'latest' } : {}),
      });
    });
  }

  const refused = [
    '',
    'oci://',
    'a',
    'ghcr.io/',
    'ghcr.io/App',
    'ghcr.io/app:',
    'ghcr.io/app:v+1',
    `ghcr.io/app:${'t'.repeat(129)}`,
    'ghcr.io/app@sha256:abc',
    'ghcr.io/app@md5:abc',
    `ghcr.io/app@${SHA}@${SHA}`,
  ];
  refused.push(
    'ghcr.io/a//b',
    'ghcr.io/../b',
    'ghcr.io/a/./b',
    'ghcr.io/-a',
    'ghcr.io/a..b',
    'x y.z/app',
    'ghcr.io:99999/app',
    'ghcr.io/a\nb',
    `ghcr.io/${'a'.repeat(300)}`,
    'user@ghcr.io/app',
    'ghcr.io/app?x',
    'ghcr.io/app#x',
  );
  refused.push(`ghcr.io/${'a/'.repeat(5000)}`);
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
      assert.throws(
        () => parseReference(text),
        (error) => isRegistryError(error, 'ReferenceInvalid') && error.message.length < 2000,
      );
    });
  }

  it('takes no tag or digest where a repository is wanted (OB04)', () => {
    assert.deepEqual(parseRepository('oci://ghcr.io/org/app'), { registry: 'ghcr.io', path: 'org/app' });
    for (const text of ['oci://ghcr.io/org/app:v1', `oci://ghcr.io/org/app@${SHA}`]) {
      assert.throws(() => parseRepository(text), /repository can only contain the characters `abcdefghijklmnopqrstuvwxyz0123456789_-.\/`/);
    }
  });
});
