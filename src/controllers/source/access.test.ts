import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOCIRepository, type OCIRepository } from '../../api/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import type { ConfigReader } from '../../runtime/index.ts';
import { CodedError } from '../../std/index.ts';
import { configData } from '../../runtime/index.ts';
import { readAccess, type Identities } from './access.ts';
import type { RegistryAccess } from '../../oci/index.ts';

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com/app';
const ACCOUNT: KubeObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'sa', namespace: 'ns', annotations: { a: 'b' } },
};

const repository = (spec: Record<string, unknown>, annotations: Record<string, string> = {}): OCIRepository =>
  parseOCIRepository({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    metadata: { name: 'app', namespace: 'ns', uid: 'u', resourceVersion: '1', generation: 1, annotations },
    spec: { url: 'oci://r.test/app', interval: '1m', ...spec },
  });

const secret = (name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace: 'ns' },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
});
const login = (name: string, username: string): KubeObject =>
  secret(name, { '.dockerconfigjson': JSON.stringify({ auths: { 'r.test': { username, password: 'pw' } } }) });

/** A cluster of these objects. */
function cluster(...objects: KubeObject[]): ConfigReader {
  const find = async (kind: string, namespace: string, name: string): Promise<KubeObject | undefined> =>
    objects.find((object) => object.kind === kind && object.metadata.namespace === namespace && object.metadata.name === name);
  const data = async (kind: string, namespace: string, name: string): Promise<ReturnType<typeof configData>> => {
    const found = await find(kind, namespace, name);
    if (found === undefined) throw new CodedError({ code: 'ConfigNotFound', message: `get ${kind} "${namespace}/${name}": not found` });
    return configData(found);
  };
  return { find, data } as unknown as ConfigReader;
}

const { signal } = new AbortController();

/** Logins that answer with who they were asked to be. */
const identities = (more: Partial<Identities> = {}): Identities => ({
  logins: {
    credentials: (provider, { account } = {}) => ({
      id: provider,
      credentialFor: async () => {
        const token = await account?.createToken([provider], signal);
        return { kind: 'basic', username: `${provider} ${token ?? 'node'}`, password: 'pw' };
      },
    }),
    close: async () => {},
  },
  createToken: async ({ namespace, name }, audiences) => `${namespace}/${name} for ${audiences.join()}`,
  objectLevel: false,
  defaultServiceAccount: '',
  ...more,
});

const access = (object: OCIRepository, configs: ConfigReader, more?: Partial<Identities>): Promise<RegistryAccess> =>
  readAccess(object, configs, identities(more), signal);

const who = async (object: OCIRepository, configs: ConfigReader, more?: Partial<Identities>): Promise<string> => {
  const { credentials } = await access(object, configs, more);
  const credential = await credentials?.credentialFor({ registry: 'r.test', path: 'app' }, new AbortController().signal);
  return credential?.kind === 'basic' ? credential.username : 'anonymous';
};

test('OB05: secretRef, then the pull secrets of the service account, then nobody', async () => {
  const account: KubeObject = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'sa', namespace: 'ns' },
    imagePullSecrets: [{ name: 'missing' }, { name: 'theirs' }],
  };
  const objects = cluster(login('mine', 'me'), login('theirs', 'them'), account, secret('opaque', { a: 'b' }));
  assert.equal(await who(repository({}), objects), 'anonymous');
  assert.equal(await who(repository({ secretRef: { name: 'mine' }, serviceAccountName: 'sa' }), objects), 'me');
  assert.equal(await who(repository({ serviceAccountName: 'sa' }), objects), 'them');
  assert.equal(await who(repository({ secretRef: { name: 'opaque' } }), objects), 'anonymous');
});

const failures: {
  name: string;
  spec: Record<string, unknown>;
  annotations?: Record<string, string>;
  code: string;
  message: RegExp;
  stalls?: boolean;
}[] = [
  {
    name: 'a missing secret',
    spec: { secretRef: { name: 'none' } },
    code: 'AuthenticationFailed',
    message: /^failed to get credential: get Secret "ns\/none": not found$/,
  },
  {
    name: 'a missing account',
    spec: { serviceAccountName: 'none' },
    code: 'AuthenticationFailed',
    message: /ServiceAccount "ns\/none": not found/,
  },
  { name: 'a docker config that is none', spec: { secretRef: { name: 'broken' } }, code: 'AuthenticationFailed', message: /not JSON/ },
  {
    name: 'a certificate without its key',
    spec: { certSecretRef: { name: 'half' } },
    code: 'AuthenticationFailed',
    message: /only one of 'tls\.crt' and 'tls\.key'/,
  },
  {
    name: 'TLS material without any',
    spec: { certSecretRef: { name: 'broken' } },
    code: 'AuthenticationFailed',
    message: /must contain 'ca\.crt', or/,
  },
  {
    name: 'a proxy without address',
    spec: { proxySecretRef: { name: 'broken' } },
    code: 'AuthenticationFailed',
    message: /failed to get proxy address: .*key 'address' not found/,
  },
  {
    name: 'a proxy of another kind',
    spec: { proxySecretRef: { name: 'gopher' } },
    code: 'AuthenticationFailed',
    message: /key 'address' is not a URL that begins with http:/,
  },
  {
    name: 'OB06: an account of its own without the gate',
    spec: { provider: 'aws', serviceAccountName: 'sa', url: `oci://${ECR}` },
    code: 'FeatureGateDisabled',
    message: /please enable the ObjectLevelWorkloadIdentity feature gate/,
    stalls: true,
  },
  {
    name: 'OB06: a registry of somebody else',
    spec: { provider: 'aws' },
    code: 'AuthenticationFailed',
    message: /^failed to get credential from aws: 'r\.test' is not a registry of aws$/,
  },
  {
    name: 'mirrors that are none',
    spec: {},
    annotations: { 'source.sluice.dev/mirrors': 'ok.test, not a host' },
    code: 'URLInvalid',
    message: /parse mirror "not a host"/,
    stalls: true,
  },
];
const GOPHER = secret('gopher', { address: 'gopher://user:pw@proxy.test' });
for (const { name, spec, annotations, code, message, stalls } of failures) {
  test(`OB05 OB08: ${name} is said`, async () => {
    const objects = cluster(secret('broken', { '.dockerconfigjson': '{password:' }), secret('half', { 'tls.crt': 'x' }), GOPHER, ACCOUNT);
    const object = repository(spec, annotations);
    await assert.rejects(access(object, objects), { code, message, stalls: stalls ?? false });
  });
}

test('C05: what a spec names is looked for in the namespace of the object, nowhere else', async () => {
  const elsewhere = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, namespace: 'other' } });
  const objects = cluster(elsewhere(login('mine', 'them')), elsewhere(secret('tls', { 'ca.crt': 'CA' })), elsewhere(ACCOUNT));
  for (const spec of [{ secretRef: { name: 'mine' } }, { certSecretRef: { name: 'tls' } }, { serviceAccountName: 'sa' }])
    await assert.rejects(access(repository(spec), objects), { code: 'AuthenticationFailed', message: /"ns\/[a-z]+": not found/ });
});

test('OB06 OB07: static credentials are enough for a cloud registry', async () => {
  assert.equal(await who(repository({ provider: 'gcp', secretRef: { name: 'mine' } }), cluster(login('mine', 'me'))), 'me');
});

test('OB06: without static credentials the provider is logged in to: as the node, or as the account the object names', async () => {
  const objects = cluster(ACCOUNT, login('mine', 'me'), secret('opaque', { a: 'b' }));
  const at = (spec: Record<string, unknown>): OCIRepository => repository({ provider: 'aws', url: `oci://${ECR}`, ...spec });
  const gate = { objectLevel: true };
  assert.equal(await who(at({}), objects), 'aws node');
  assert.equal(await who(at({ serviceAccountName: 'sa' }), objects, gate), 'aws ns/sa for aws');
  assert.equal(await who(at({}), objects, { ...gate, defaultServiceAccount: 'sa' }), 'aws ns/sa for aws');
  assert.equal(
    await who(at({}), objects, { defaultServiceAccount: 'sa' }),
    'aws node',
    'without the gate the flag is for impersonation alone',
  );
  await assert.rejects(who(at({}), objects, { ...gate, defaultServiceAccount: 'none' }), {
    code: 'AuthenticationFailed',
    message: 'failed to get credential from aws: get default service account ServiceAccount "ns/none": not found',
  });
  assert.equal(await who(at({ provider: 'generic' }), objects), 'anonymous');
  // A Secret that is named decides, even one that holds nothing (OB07).
  assert.equal(await who(at({ secretRef: { name: 'opaque' } }), objects), 'anonymous');
});

test('mirrors come from the annotation, in order', async () => {
  const annotations = { 'source.sluice.dev/mirrors': 'a.test/cache, http://b.test:5000' };
  const { ownMirrors } = await access(repository({}, annotations), cluster());
  assert.deepEqual(ownMirrors, [{ target: 'a.test/cache' }, { target: 'b.test:5000', insecure: true }]);
});

test('OB08: TLS material, old key names too, and a proxy with its password', async () => {
  const objects = cluster(
    secret('tls', { caFile: 'CA', 'tls.crt': 'C', 'tls.key': 'K' }),
    secret('proxy', { address: 'http://proxy.test:3128', username: 'u', password: 'p@ss' }),
  );
  const found = await access(repository({ certSecretRef: { name: 'tls' }, proxySecretRef: { name: 'proxy' }, insecure: true }), objects);
  assert.deepEqual(found, {
    tls: { ca: 'CA', certificate: 'C', key: 'K' },
    proxy: { httpProxy: 'http://u:p%40ss@proxy.test:3128/', httpsProxy: 'http://u:p%40ss@proxy.test:3128/' },
    insecure: true,
  });
});

test('OB08: who is who at a proxy is said by its address, unless the Secret has a user name', async () => {
  const address = 'http://in:address@proxy.test:3128';
  for (const [data, want] of [
    [{ address }, 'http://in:address@proxy.test:3128/'],
    [{ address, username: 'u' }, 'http://u@proxy.test:3128/'],
    [{ address: 'socks5://proxy.test:1080', username: 'u', password: 'p/w' }, 'socks5://u:p%2Fw@proxy.test:1080'],
  ] as const) {
    const { proxy } = await access(repository({ proxySecretRef: { name: 'proxy' } }), cluster(secret('proxy', data)));
    assert.deepEqual(proxy, { httpProxy: want, httpsProxy: want });
  }
});
