import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock, FakeClock, seconds } from '../std/index.ts';
import type { AuthMaterial } from './credentials.ts';
import { credentialSource } from './credentials.ts';
import type { Host, ProgramResult } from './host.ts';
import { clusterConfig, inClusterConfig, loadClusterConfig, mergeKubeconfigs, parseKubeconfig } from './kubeconfig.ts';

const TEXT = `
current-context: dev
clusters:
- name: one
  cluster: { server: "https://one:6443/", certificate-authority: ca.crt, tls-server-name: api, proxy-url: "socks5://p:1" }
- name: two
  cluster: { server: "https://two", certificate-authority-data: Y2E=, insecure-skip-tls-verify: true }
users:
- name: token-file
  user: { token: stale, tokenFile: /run/token }
- name: cert
  user: { client-certificate-data: Y2VydA==, client-key-data: a2V5, as: root, as-groups: [a, b], as-user-extra: { x: ["1"] } }
- name: plugin
  user: { exec: { apiVersion: client.authentication.k8s.io/v1, command: ./login, args: [-v], env: [{ name: A, value: b }], provideClusterInfo: true } }
contexts:
- name: dev
  context: { cluster: one, user: token-file, namespace: team }
- name: admin
  context: { cluster: two, user: cert }
- name: cloud
  context: { cluster: two, user: plugin }
- name: broken
  context: { cluster: absent, user: cert }
`;

function host(files: Record<string, string> = {}, more: Partial<Host> = {}): Host {
  return {
    env: {},
    home: '/home/me',
    readFile: async (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
      return text;
    },
    run: async () => ({ exitCode: 1, stdout: '', stderr: 'no' }),
    ...more,
  };
}

describe('kubeconfig', () => {
  it('resolves the current context, files relative to its folder', async () => {
    const config = await clusterConfig(parseKubeconfig(TEXT, '/etc/kube'), host({ '/etc/kube/ca.crt': 'CA' }));
    assert.equal(config.server, 'https://one:6443');
    assert.equal(config.namespace, 'team');
    assert.deepEqual(config.tls, { ca: 'CA', serverName: 'api' });
    assert.equal(config.proxyUrl, 'socks5://p:1');
    assert.deepEqual(config.credential, { kind: 'token-file', path: '/run/token' });
  });

  it('reads inline data and an identity to act as', async () => {
    const config = await clusterConfig(parseKubeconfig(TEXT), host(), { context: 'admin' });
    assert.deepEqual(config.tls, { ca: 'ca', cert: 'cert', key: 'key', insecureSkipVerify: true });
    assert.deepEqual(config.impersonate, { user: 'root', groups: ['a', 'b'], extra: { x: ['1'] } });
  });

  it('KB91 strips exec and insecure TLS, and refuses files, when told to', async () => {
    const policy = { allowExec: false, allowInsecure: false, allowFiles: false };
    const config = await clusterConfig(parseKubeconfig(TEXT), host(), { ...policy, context: 'cloud' });
    assert.deepEqual(config.credential, { kind: 'none' });
    assert.equal(config.tls.insecureSkipVerify, undefined);
    await assert.rejects(clusterConfig(parseKubeconfig(TEXT), host(), policy), {
      code: 'KubeconfigInvalid',
      message: /must not name files/,
    });
  });

  it('says what is wrong with a context, a cluster or the text', async () => {
    const kubeconfig = parseKubeconfig(TEXT);
    await assert.rejects(clusterConfig(kubeconfig, host(), { context: 'nope' }), /context "nope" does not exist/);
    await assert.rejects(clusterConfig(kubeconfig, host(), { context: 'broken' }), /cluster "absent" does not exist/);
    assert.throws(() => parseKubeconfig('a: ['), { code: 'KubeconfigInvalid' });
    assert.throws(() => parseKubeconfig('x'.repeat(5 << 20)), /larger than/);
  });

  it('merges a list of files, the first to name a thing winning', () => {
    const merged = mergeKubeconfigs([
      parseKubeconfig('clusters: [{name: one, cluster: {server: "https://first"}}]'),
      parseKubeconfig(TEXT),
    ]);
    assert.equal(merged.currentContext, 'dev');
    assert.equal(merged.clusters.find(({ name }) => name === 'one')?.body['server'], 'https://first');
    assert.equal(merged.clusters.length, 2);
  });

  it('finds the cluster it runs in', async () => {
    const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
    const pod = host(
      { [`${folder}/ca.crt`]: 'CA', [`${folder}/namespace`]: 'flux-system\n' },
      { env: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' } },
    );
    const config = await loadClusterConfig(pod);
    assert.equal(config.server, 'https://[fd00::1]:443');
    assert.equal(config.namespace, 'flux-system');
    await assert.rejects(inClusterConfig(host()), /not in a Pod/);
  });
});

describe('credentials', () => {
  it('reads a token file again after a minute, and bridges a moment without it', async () => {
    const files: Record<string, string> = { '/run/token': 'one\n' };
    const config = await clusterConfig(parseKubeconfig(TEXT), host({ 'ca.crt': 'CA' }));
    const clock = new FakeClock();
    const source = credentialSource(config, host(files), clock);
    assert.deepEqual(await source.current(), { authorization: 'Bearer one' });
    files['/run/token'] = 'two';
    assert.deepEqual(await source.current(), { authorization: 'Bearer one' });
    clock.advance(seconds(61));
    delete files['/run/token'];
    assert.deepEqual(await source.current(), { authorization: 'Bearer one' });
    files['/run/token'] = 'two';
    assert.deepEqual(await source.current(), { authorization: 'Bearer two' });
  });

  it('runs a plugin once for many callers, until its credential expires or is rejected', async () => {
    let runs = 0;
    const run = async (command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<ProgramResult> => {
      runs++;
      assert.equal(command, 'login');
      assert.deepEqual(args, ['-v']);
      assert.equal(env['A'], 'b');
      const info = JSON.parse(env['KUBERNETES_EXEC_INFO'] ?? '');
      assert.equal(info.spec.cluster.server, 'https://two');
      const status = { token: `t${runs}`, expirationTimestamp: new Date(Date.now() + 3_600_000).toISOString() };
      return {
        exitCode: 0,
        stdout: JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status }),
        stderr: '',
      };
    };
    const config = await clusterConfig(parseKubeconfig(TEXT), host(), { context: 'cloud' });
    const source = credentialSource(config, host({}, { run }), systemClock);
    const all: AuthMaterial[] = await Promise.all([source.current(), source.current(), source.current()]);
    assert.deepEqual(
      all.map(({ authorization }) => authorization),
      ['Bearer t1', 'Bearer t1', 'Bearer t1'],
    );
    assert.equal(source.rejected(), true);
    assert.equal((await source.current()).authorization, 'Bearer t2');
    assert.equal(runs, 2);
  });

  it('never quotes what a broken plugin printed', async () => {
    const config = await clusterConfig(parseKubeconfig(TEXT), host(), { context: 'cloud' });
    const source = credentialSource(
      config,
      host({}, { run: async () => ({ exitCode: 0, stdout: 'secret-token', stderr: '' }) }),
      systemClock,
    );
    await assert.rejects(
      async () => source.current(),
      (error: Error) => !error.message.includes('secret-token'),
    );
  });
});
