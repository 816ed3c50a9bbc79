import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseOCIRepository, type OCIRepository } from '../../api/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import type { ConfigReader } from '../../runtime/index.ts';
import { CodedError } from '../../std/index.ts';
import { configData } from '../../runtime/index.ts';
import { readAccess } from './access.ts';

const repository = (spec: Record<string, unknown>): OCIRepository =>
  parseOCIRepository({
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'OCIRepository',
    metadata: { name: 'app', namespace: 'ns', uid: 'u', resourceVersion: '1', generation: 1 },
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

const who = async (object: OCIRepository, configs: ConfigReader): Promise<string> => {
  const { credentials } = await readAccess(object, configs);
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

const failures: { name: string; spec: Record<string, unknown>; code: string; message: RegExp; stalls?: boolean }[] = [
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
    name: 'OB06: a cloud login',
    spec: { provider: 'aws' },
    code: 'FeatureGateDisabled',
    message: /logging in to aws is not supported/,
    stalls: true,
  },
];
for (const { name, spec, code, message, stalls } of failures) {
  test(`OB05 OB08: ${name} is said`, async () => {
    const objects = cluster(secret('broken', { '.dockerconfigjson': '{password:' }), secret('half', { 'tls.crt': 'x' }));
    await assert.rejects(readAccess(repository(spec), objects), { code, message, stalls: stalls ?? false });
  });
}

test('OB06 OB07: static credentials are enough for a cloud registry', async () => {
  assert.equal(await who(repository({ provider: 'gcp', secretRef: { name: 'mine' } }), cluster(login('mine', 'me'))), 'me');
});

test('OB08: TLS material, old key names too, and a proxy with its password', async () => {
  const objects = cluster(
    secret('tls', { caFile: 'CA', 'tls.crt': 'C', 'tls.key': 'K' }),
    secret('proxy', { address: 'http://proxy.test:3128', username: 'u', password: 'p@ss' }),
  );
  const access = await readAccess(
    repository({ certSecretRef: { name: 'tls' }, proxySecretRef: { name: 'proxy' }, insecure: true }),
    objects,
  );
  assert.deepEqual(access, {
    tls: { ca: 'CA', certificate: 'C', key: 'K' },
    proxy: { httpProxy: 'http://u:p%40ss@proxy.test:3128/', httpsProxy: 'http://u:p%40ss@proxy.test:3128/' },
    insecure: true,
  });
});
