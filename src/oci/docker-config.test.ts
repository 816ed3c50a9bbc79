import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { keychain, parseCredentials } from './credentials.ts';
import { dockerCliCredentials, dockerConfigCredentials, parseDockerConfig } from './docker-config.ts';
import { dockerConfigPaths, userCredentials } from './docker-files.ts';
import { isRegistryError } from './errors.ts';

const auth = (user: string): { auth: string } => ({ auth: Buffer.from(`${user}:secret`).toString('base64') });
const { signal } = new AbortController();

describe('docker config', () => {
  const config = parseDockerConfig(
    JSON.stringify({
      auths: {
        'ghcr.io': auth('ghcr'),
        'ghcr.io/team': auth('team'),
        'ghcr.io/team/app': auth('app'),
        'https://index.docker.io/v1/': auth('hub'),
        '*.azurecr.io': auth('acr'),
        'eu.azurecr.io': auth('eu'),
        'registry.local:5000': auth('port'),
        'https://quay.io/v2/': auth('quay'),
        'empty.io': {},
        'identity.io': { identitytoken: 'refresh' },
        'token.io': { registrytoken: 'bearer' },
        'plain.io': { username: 'u', password: 'p:q' },
      },
    }),
    'test',
  );
  const source = dockerConfigCredentials([config]);
  // Kubernetes' rules (kubelet image credentials): wildcards part by part, exact port, path by segments, longest key first.
  const cases: [string, string, string][] = [
    ['ghcr.io', 'other/app', 'ghcr'],
    ['ghcr.io', 'team/other', 'team'],
    ['ghcr.io', 'team/app', 'app'],
    ['ghcr.io', 'team/app/sub', 'app'],
    ['ghcr.io', 'teammate/app', 'ghcr'],
    ['index.docker.io', 'library/nginx', 'hub'],
    ['one.azurecr.io', 'a/b', 'acr'],
    ['eu.azurecr.io', 'a/b', 'eu'],
    ['a.b.azurecr.io', 'a/b', ''],
    ['azurecr.io', 'a/b', ''],
    ['registry.local:5000', 'a/b', 'port'],
    ['registry.local', 'a/b', ''],
    ['registry.local:5001', 'a/b', ''],
    ['quay.io', 'a/b', 'quay'],
    ['empty.io', 'a/b', ''],
    ['evil-ghcr.io', 'a/b', ''],
    ['ghcr.io.evil.com', 'a/b', ''],
  ];
  for (const [registry, path, user] of cases) {
    it(`finds ${user === '' ? 'nobody' : user} for ${registry}/${path}`, async () => {
      const credential = await source.credentialFor({ registry, path }, signal);
      assert.deepEqual(credential, user === '' ? { kind: 'anonymous' } : { kind: 'basic', username: user, password: 'secret' });
    });
  }

  it('knows identity tokens, registry tokens and plain fields', async () => {
    assert.deepEqual(await source.credentialFor({ registry: 'identity.io', path: 'a' }, signal), {
      kind: 'identityToken',
      token: 'refresh',
    });
    assert.deepEqual(await source.credentialFor({ registry: 'token.io', path: 'a' }, signal), { kind: 'registryToken', token: 'bearer' });
    assert.deepEqual(await source.credentialFor({ registry: 'plain.io', path: 'a' }, signal), {
      kind: 'basic',
      username: 'u',
      password: 'p:q',
    });
    assert.deepEqual(parseCredentials('flux:to:ken'), { kind: 'basic', username: 'flux', password: 'to:ken' });
    assert.deepEqual(parseCredentials('token'), { kind: 'registryToken', token: 'token' });
  });

  it('asks sources in order (OB05) and tells equal ones apart from others by id only', async () => {
    const other = dockerConfigCredentials([parseDockerConfig(JSON.stringify({ 'quay.io': auth('legacy') }), 'old', true)]);
    const chain = keychain([other, source]);
    assert.deepEqual(await chain.credentialFor({ registry: 'quay.io', path: 'a' }, signal), {
      kind: 'basic',
      username: 'legacy',
      password: 'secret',
    });
    assert.equal((await chain.credentialFor({ registry: 'ghcr.io', path: 'a' }, signal)).kind, 'basic');
    assert.equal(dockerConfigCredentials([config]).id, source.id);
    assert.notEqual(other.id, source.id);
    assert.ok(!chain.id.includes('secret'));
  });

  it('never quotes what it cannot read', () => {
    for (const text of [
      'password123',
      '[]',
      '{"auths":[]}',
      '{"auths":{"x":"password123"}}',
      '{"auths":{"x":{"auth":"cGFzc3dvcmQxMjM="}}}',
      `{"auths":{},"x":"${'x'.repeat(1_100_000)}"}`,
    ]) {
      assert.throws(
        () => parseDockerConfig(text, 'secret "apps/regcred"'),
        (error) =>
          isRegistryError(error, 'CredentialsInvalid') &&
          error.message.includes('apps/regcred') &&
          !String(error.stack).includes('password123'),
      );
    }
  });
});

describe('docker credential helpers', () => {
  const config = parseDockerConfig(
    JSON.stringify({ auths: { 'quay.io': auth('file') }, credHelpers: { 'ghcr.io': 'gh', 'bad.io': '../sh' }, credsStore: 'store' }),
    'test',
  );

  it('asks the helper of the host, then the file, then the store', async () => {
    const asked: string[] = [];
    const source = dockerCliCredentials(config, (helper, address) => {
      asked.push(`${helper} ${address}`);
      if (address === 'other.io') return Promise.resolve({ found: false });
      return Promise.resolve({ found: true, output: JSON.stringify({ Username: helper === 'gh' ? '<token>' : 'stored', Secret: 's' }) });
    });
    assert.deepEqual(await source.credentialFor({ registry: 'ghcr.io', path: 'a' }, signal), { kind: 'identityToken', token: 's' });
    assert.deepEqual(await source.credentialFor({ registry: 'quay.io', path: 'a' }, signal), {
      kind: 'basic',
      username: 'file',
      password: 'secret',
    });
    assert.deepEqual(await source.credentialFor({ registry: 'index.docker.io', path: 'a' }, signal), {
      kind: 'basic',
      username: 'stored',
      password: 's',
    });
    assert.deepEqual(await source.credentialFor({ registry: 'other.io', path: 'a' }, signal), { kind: 'anonymous' });
    assert.deepEqual(asked, ['gh ghcr.io', 'store https://index.docker.io/v1/', 'store other.io']);
    await assert.rejects(source.credentialFor({ registry: 'bad.io', path: 'a' }, signal), (error) =>
      isRegistryError(error, 'CredentialsInvalid'),
    );
  });

  it('runs real programs found on the path', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'helper-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const program = (name: string, body: string): Promise<void> =>
      writeFile(join(folder, `docker-credential-${name}`), `#!/bin/sh\n${body}\n`).then(() =>
        chmod(join(folder, `docker-credential-${name}`), 0o755),
      );
    await program('good', 'read address; printf \'{"Username":"u","Secret":"%s"}\' "$address"');
    await program('none', 'echo "credentials not found in native keychain"; exit 1');
    await program('broken', 'exit 3');
    await writeFile(
      join(folder, 'config.json'),
      JSON.stringify({ credHelpers: { 'good.io': 'good', 'none.io': 'none', 'broken.io': 'broken', 'absent.io': 'absent' } }),
    );
    const source = await userCredentials({ DOCKER_CONFIG: folder, PATH: `${folder}:${process.env['PATH'] ?? ''}` });
    assert.deepEqual(await source.credentialFor({ registry: 'good.io', path: 'a' }, signal), {
      kind: 'basic',
      username: 'u',
      password: 'good.io',
    });
    assert.deepEqual(await source.credentialFor({ registry: 'none.io', path: 'a' }, signal), { kind: 'anonymous' });
    for (const registry of ['broken.io', 'absent.io']) {
      await assert.rejects(source.credentialFor({ registry, path: 'a' }, signal), (error) => isRegistryError(error, 'CredentialsInvalid'));
    }
  });

  it('looks where docker and podman look', () => {
    assert.deepEqual(dockerConfigPaths({ HOME: '/h', REGISTRY_AUTH_FILE: '/auth', XDG_RUNTIME_DIR: '/run' }), [
      '/h/.docker/config.json',
      '/auth',
      '/run/containers/auth.json',
    ]);
    assert.deepEqual(dockerConfigPaths({ HOME: '/h', DOCKER_CONFIG: '/d' }), ['/d/config.json']);
    assert.deepEqual(dockerConfigPaths({}), []);
  });
});
