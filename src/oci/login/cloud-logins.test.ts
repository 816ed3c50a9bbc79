import assert from 'node:assert/strict';
import { generateKeyPairSync, verify } from 'node:crypto';
import { after, test } from 'node:test';
import { FakeClock, minutes } from '../../std/index.ts';
import {
  AWS_KEYS,
  containerKeys,
  fakeAcr,
  fakeEcr,
  fakeEntra,
  fakeGoogleIam,
  fakeGoogleMetadata,
  fakeGoogleSts,
  fakeImds,
  fakeSts,
  startClouds,
  unsignedJwt,
  type CloudServices,
  type FakeClouds,
} from '../testing/fake-clouds.ts';
import { createCloudLogins, isProviderRegistry, type CloudLogins } from './cloud-logins.ts';
import type { CloudProvider, LoginAccount } from './login-host.ts';

const ROLE = 'arn:aws:iam::123456789012:role/puller';
/** For each login anew: these tests may run long after they were loaded. */
const soon = (): AbortSignal => AbortSignal.timeout(30_000);
const opened: { close(): Promise<void> }[] = [];
after(async () => {
  for (const one of opened) await one.close();
});

type World = { clouds: FakeClouds; logins: CloudLogins; clock: FakeClock; asked: string[][] };

async function world(
  services: (now: number) => CloudServices,
  env: Record<string, string> = {},
  files: Record<string, string> = {},
): Promise<World> {
  const clock = new FakeClock();
  const clouds = await startClouds(services(clock.now()));
  // The clock stands still: whoever sleeps is woken at once.
  const impatient = { now: () => clock.now(), after: (_: number, callback: () => void) => (setImmediate(callback), () => {}) };
  const readFile = async (path: string): Promise<string> => {
    const content = files[path];
    if (content === undefined) throw new Error(`ENOENT: ${path}`);
    return content;
  };
  const logins = createCloudLogins({ clock: impatient, random: () => 0.5, env, readFile, route: clouds.route });
  opened.push(clouds, logins);
  return { clouds, logins, clock, asked: [] };
}

const account = ({ asked }: World, annotations: Record<string, string>): LoginAccount => ({
  namespace: 'team',
  name: 'puller',
  annotations,
  createToken: async (audiences) => {
    asked.push([...audiences]);
    return 'k8s-token';
  },
});

async function login(it: World, provider: CloudProvider, registry: string, as?: LoginAccount): Promise<string> {
  const credential = await it.logins.credentials(provider, { account: as }).credentialFor({ registry, path: 'app' }, soon());
  return credential.kind === 'basic' ? `${credential.username}:${credential.password}` : credential.kind;
}

const ECR = '123456789012.dkr.ecr.eu-west-1.amazonaws.com';
const ecrAt = (now: number): CloudServices => ({
  'api.ecr.eu-west-1.amazonaws.com': fakeEcr('private', 'eu-west-1', now + 12 * 3_600_000),
});

test('OB06: a registry belongs to one provider', () => {
  const hosts: [string, CloudProvider | undefined][] = [
    [ECR, 'aws'],
    ['123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com', 'aws'],
    ['123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn', 'aws'],
    ['123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu', 'aws'],
    ['123456789012.dkr-ecr.us-west-2.on.aws', 'aws'],
    ['123456789012.dkr-ecr-fips.us-gov-west-1.on.aws', 'aws'],
    ['123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn', 'aws'],
    ['123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov', 'aws'],
    ['public.ecr.aws', 'aws'],
    ['ecr-public.aws.com', 'aws'],
    ['1.dkr.ecr.eu-west-1.amazonaws.com', undefined],
    ['123456789012.dkr.ecr.eu-west-1.on.aws.evil.test', undefined],
    ['evil.test.123456789012.dkr.ecr.eu-west-1.amazonaws.com', undefined],
    ['123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.test', undefined],
    ['team.azurecr.io', 'azure'],
    ['team.azurecr.cn', 'azure'],
    ['team.azurecr.us', 'azure'],
    ['azurecr.io', undefined],
    ['team.azurecr.io.evil.test', undefined],
    ['gcr.io', 'gcp'],
    ['eu.gcr.io', 'gcp'],
    ['europe-west1-docker.pkg.dev', 'gcp'],
    ['docker.s3nsregistry.fr', 'gcp'],
    ['gcr.io.evil.test', undefined],
    ['ghcr.io', undefined],
  ];
  for (const [host, provider] of hosts) {
    const found = (['aws', 'azure', 'gcp'] as const).filter((candidate) => isProviderRegistry(candidate, host));
    assert.deepEqual(found, provider === undefined ? [] : [provider], host);
  }
});

test('OB06: anywhere else a cloud identity is not shown', async () => {
  const it = await world(ecrAt);
  assert.equal(await login(it, 'aws', 'mirror.test'), 'anonymous');
  assert.deepEqual(it.clouds.seen, []);
});

const awsNodes: {
  name: string;
  services: (now: number) => CloudServices;
  env: Record<string, string>;
  files?: Record<string, string>;
  hosts: string[];
}[] = [
  {
    name: 'keys in the environment',
    services: () => ({}),
    env: {
      AWS_ACCESS_KEY_ID: AWS_KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: AWS_KEYS.secretAccessKey,
      AWS_SESSION_TOKEN: AWS_KEYS.sessionToken,
    },
    hosts: [],
  },
  {
    name: 'IRSA',
    services: (now) => ({ 'sts.eu-west-1.amazonaws.com': fakeSts(ROLE, 'web-token', now + 3_600_000) }),
    env: { AWS_ROLE_ARN: ROLE, AWS_WEB_IDENTITY_TOKEN_FILE: '/token' },
    files: { '/token': 'web-token\n' },
    hosts: ['sts.eu-west-1.amazonaws.com'],
  },
  {
    name: 'EKS Pod Identity',
    services: (now) => ({
      '169.254.170.23': ({ headers, url }) =>
        headers.authorization === 'pod-token' && url.pathname === '/v1/credentials'
          ? { body: containerKeys(now + 3_600_000) }
          : { status: 401, body: '' },
    }),
    env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1/credentials', AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: '/pod' },
    files: { '/pod': 'pod-token' },
    hosts: ['169.254.170.23'],
  },
  {
    name: 'ECS',
    services: (now) => ({
      '169.254.170.2': ({ url }) => (url.pathname === '/v2/x' ? { body: containerKeys(now + 3_600_000) } : { status: 404, body: '' }),
    }),
    env: { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '/v2/x' },
    hosts: ['169.254.170.2'],
  },
  {
    name: 'the instance (IMDSv2)',
    services: (now) => ({ '169.254.169.254': fakeImds('node-role', now + 3_600_000) }),
    env: {},
    hosts: ['169.254.169.254', '169.254.169.254', '169.254.169.254'],
  },
];
for (const { name, services, env, files, hosts } of awsNodes) {
  test(`OB06: aws: ${name}`, async () => {
    const it = await world((now) => ({ ...ecrAt(now), ...services(now) }), env, files);
    assert.equal(await login(it, 'aws', ECR), 'AWS:ecr-password');
    assert.deepEqual(
      it.clouds.seen.map(({ url }) => url.host),
      [...hosts, 'api.ecr.eu-west-1.amazonaws.com'],
    );
  });
}

test('OB06: aws: the public registry is asked in us-east-1, a FIPS one at its FIPS endpoint, China in its own domain', async () => {
  const env = {
    AWS_ACCESS_KEY_ID: AWS_KEYS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: AWS_KEYS.secretAccessKey,
    AWS_SESSION_TOKEN: AWS_KEYS.sessionToken,
  };
  const it = await world(
    (now) => ({
      'api.ecr-public.us-east-1.amazonaws.com': fakeEcr('public', 'us-east-1', now + 3_600_000),
      'ecr-fips.us-gov-west-1.amazonaws.com': fakeEcr('private', 'us-gov-west-1', now + 3_600_000),
      'api.ecr.cn-north-1.amazonaws.com.cn': fakeEcr('private', 'cn-north-1', now + 3_600_000),
      'api.ecr.us-west-2.amazonaws.com': fakeEcr('private', 'us-west-2', now + 3_600_000),
      'api.ecr.eusc-de-east-1.amazonaws.eu': fakeEcr('private', 'eusc-de-east-1', now + 3_600_000),
    }),
    env,
  );
  for (const registry of [
    'public.ecr.aws',
    '123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com',
    '123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn',
    '123456789012.dkr-ecr.us-west-2.on.aws',
    '123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn',
    '123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu',
    'ecr-public.aws.com',
  ]) {
    assert.equal(await login(it, 'aws', registry), 'AWS:ecr-password', registry);
  }
});

test('OB06: aws: a ServiceAccount assumes the role of its annotation with a token for STS', async () => {
  const it = await world((now) => ({ ...ecrAt(now), 'sts.eu-west-1.amazonaws.com': fakeSts(ROLE, 'k8s-token', now + 3_600_000) }));
  assert.equal(await login(it, 'aws', ECR, account(it, { 'eks.amazonaws.com/role-arn': ROLE })), 'AWS:ecr-password');
  assert.deepEqual(it.asked, [['sts.amazonaws.com']]);
  assert.equal(it.clouds.seen[0]?.form.get('RoleSessionName'), 'puller.team.eu-west-1.fluxcd.io');
});

const ACR = 'team.azurecr.io';
const SCOPE = 'https://containerregistry.azure.net/.default';
const ASSERTION = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };
const imdsAzure: CloudServices[string] = ({ url, headers }) =>
  headers['metadata'] === 'true' && url.searchParams.get('resource') === 'https://containerregistry.azure.net'
    ? { body: { access_token: 'entra-token', expires_in: '3599', resource: 'https://containerregistry.azure.net', token_type: 'Bearer' } }
    : { status: 400, body: { error: 'invalid_request', error_description: 'Required metadata header not specified' } };

const azureNodes: {
  name: string;
  services: CloudServices;
  env: Record<string, string>;
  files?: Record<string, string>;
  account?: Record<string, string>;
}[] = [
  {
    name: 'workload identity of the pod',
    services: {
      'login.microsoftonline.com': fakeEntra('tenant', { client_id: 'client', client_assertion: 'federated', ...ASSERTION }, SCOPE),
    },
    env: {
      AZURE_TENANT_ID: 'tenant',
      AZURE_CLIENT_ID: 'client',
      AZURE_FEDERATED_TOKEN_FILE: '/token',
      AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com/',
    },
    files: { '/token': 'federated\n' },
  },
  {
    name: 'a client secret',
    services: { 'login.microsoftonline.com': fakeEntra('tenant', { client_id: 'client', client_secret: 'secret' }, SCOPE) },
    env: { AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_ID: 'client', AZURE_CLIENT_SECRET: 'secret' },
  },
  { name: 'the managed identity of the node', services: { '169.254.169.254': imdsAzure }, env: {} },
  {
    name: 'the client of a ServiceAccount',
    services: { 'login.microsoftonline.com': fakeEntra('t2', { client_id: 'c2', client_assertion: 'k8s-token', ...ASSERTION }, SCOPE) },
    env: {},
    account: { 'azure.workload.identity/tenant-id': 't2', 'azure.workload.identity/client-id': 'c2' },
  },
];
for (const { name, services, env, files, account: annotations } of azureNodes) {
  test(`OB06: azure: ${name}`, async () => {
    const it = await world((now) => ({ ...services, [ACR]: fakeAcr(ACR, 'entra-token', now + 3 * 3_600_000) }), env, files);
    const as = annotations === undefined ? undefined : account(it, annotations);
    assert.match(await login(it, 'azure', ACR, as), /^00000000-0000-0000-0000-000000000000:.+\.signature$/);
    if (as !== undefined) assert.deepEqual(it.asked, [['api://AzureADTokenExchange']]);
  });
}

test('OB06: azure: the cloud is that of the registry', async () => {
  const scope = 'https://containerregistry.azure.net/.default';
  const it = await world(
    (now) => ({
      'login.chinacloudapi.cn': fakeEntra('tenant', { client_id: 'client', client_secret: 'secret' }, scope),
      'team.azurecr.cn': fakeAcr('team.azurecr.cn', 'entra-token', now + 3_600_000),
    }),
    { AZURE_TENANT_ID: 'tenant', AZURE_CLIENT_ID: 'client', AZURE_CLIENT_SECRET: 'secret' },
  );
  assert.match(await login(it, 'azure', 'team.azurecr.cn'), /signature$/);
});

const GAR = 'europe-docker.pkg.dev';
const EMAIL = 'puller@my-project.iam.gserviceaccount.com';
const PROVIDER = 'projects/123/locations/global/workloadIdentityPools/pool/providers/cluster';

test('OB06: gcp: the node', async () => {
  const it = await world(() => ({ 'metadata.google.internal': fakeGoogleMetadata(3599) }));
  assert.equal(await login(it, 'gcp', GAR), 'oauth2accesstoken:node-token');
  assert.equal(it.clouds.seen[0]?.url.protocol, 'http:');
});

test('OB06: gcp: a ServiceAccount of a GKE cluster impersonates a Google service account', async () => {
  const audience =
    'identitynamespace:my-project.svc.id.goog:https://container.googleapis.com/v1/projects/my-project/locations/europe-west1/clusters/prod';
  const it = await world((now) => ({
    'metadata.google.internal': fakeGoogleMetadata(3599),
    'sts.googleapis.com': fakeGoogleSts(audience, 'k8s-token'),
    'iamcredentials.googleapis.com': fakeGoogleIam(EMAIL, now + 3_600_000),
  }));
  const as = account(it, { 'iam.gke.io/gcp-service-account': EMAIL });
  assert.equal(await login(it, 'gcp', GAR, as), 'oauth2accesstoken:impersonated-token');
  assert.deepEqual(it.asked, [['my-project.svc.id.goog']]);
});

test('OB06: gcp: a ServiceAccount of another cluster has direct access through its provider', async () => {
  const audience = `//iam.googleapis.com/${PROVIDER}`;
  const it = await world(() => ({ 'sts.googleapis.com': fakeGoogleSts(audience, 'k8s-token') }));
  const as = account(it, { 'gcp.auth.fluxcd.io/workload-identity-provider': PROVIDER });
  assert.equal(await login(it, 'gcp', GAR, as), 'oauth2accesstoken:federated-token');
  assert.deepEqual(it.asked, [[audience]]);
});

test('OB06: gcp: credentials files: the key of a service account, and a federation', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const key = {
    type: 'service_account',
    client_email: EMAIL,
    private_key_id: 'k',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  };
  const tokens: CloudServices[string] = ({ form }) => {
    const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    const right = verify('RSA-SHA256', Buffer.from(`${header}.${claims}`), publicKey, Buffer.from(signature, 'base64url'));
    return right ? { body: { access_token: 'signed-token', expires_in: 3600 } } : { status: 400, body: { error: 'invalid_grant' } };
  };
  const federation = {
    type: 'external_account',
    audience: '//iam.googleapis.com/x',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: 'https://sts.googleapis.com/v1/token',
    credential_source: { file: '/subject', format: { type: 'json', subject_token_field_name: 'id_token' } },
  };
  const files = {
    '/key': JSON.stringify(key),
    '/federation': JSON.stringify(federation),
    '/subject': JSON.stringify({ id_token: 'subject' }),
  };
  const services = (): CloudServices => ({
    'oauth2.googleapis.com': tokens,
    'sts.googleapis.com': fakeGoogleSts('//iam.googleapis.com/x', 'subject'),
  });
  const withKey = await world(services, { GOOGLE_APPLICATION_CREDENTIALS: '/key' }, files);
  assert.equal(await login(withKey, 'gcp', GAR), 'oauth2accesstoken:signed-token');
  const federated = await world(services, { GOOGLE_APPLICATION_CREDENTIALS: '/federation' }, files);
  assert.equal(await login(federated, 'gcp', GAR), 'oauth2accesstoken:federated-token');
});

test('OB06: tokens are shared, and renewed after four fifths of their life, at the latest after an hour', async () => {
  const it = await world((now) => ({ ...ecrAt(now), '169.254.169.254': fakeImds('node-role', now + 30 * 60_000) }));
  const count = (host: string): number => it.clouds.seen.filter(({ url, method }) => url.host === host && method !== 'PUT').length;
  await Promise.all(Array.from({ length: 50 }, () => login(it, 'aws', ECR)));
  assert.deepEqual([count('169.254.169.254'), count('api.ecr.eu-west-1.amazonaws.com')], [2, 1]);
  it.clock.advance(minutes(59));
  await login(it, 'aws', ECR);
  assert.equal(count('api.ecr.eu-west-1.amazonaws.com'), 1, 'ten hours of a life of twelve are not used: one hour is');
  it.clock.advance(minutes(2));
  await login(it, 'aws', ECR);
  assert.deepEqual([count('169.254.169.254'), count('api.ecr.eu-west-1.amazonaws.com')], [4, 2]);
  // Another registry of the same place needs a token of its own, but no new keys.
  await login(it, 'aws', ECR.replace('123', '999'));
  assert.deepEqual([count('169.254.169.254'), count('api.ecr.eu-west-1.amazonaws.com')], [6, 3]);
});

test('OB06: accounts do not share tokens, nor do annotations that name another identity', async () => {
  const it = await world((now) => ({ ...ecrAt(now), 'sts.eu-west-1.amazonaws.com': fakeSts(ROLE, 'k8s-token', now + 3_600_000) }));
  const mine = account(it, { 'eks.amazonaws.com/role-arn': ROLE });
  await login(it, 'aws', ECR, mine);
  await assert.rejects(login(it, 'aws', ECR, { ...mine, annotations: { 'eks.amazonaws.com/role-arn': `${ROLE}-other` } }), /AccessDenied/);
  const ids = [mine, { ...mine, namespace: 'other' }, undefined].map((as) => it.logins.credentials('aws', { account: as }).id);
  assert.equal(new Set(ids).size, 3);
});

const refusals: {
  name: string;
  provider: CloudProvider;
  registry: string;
  services: CloudServices;
  env?: Record<string, string>;
  account?: Record<string, string>;
  want: RegExp;
  remedy?: RegExp;
  requests?: number;
}[] = [
  {
    name: 'a role that may not be assumed',
    provider: 'aws',
    registry: ECR,
    services: { 'sts.eu-west-1.amazonaws.com': fakeSts('other', 'k8s-token', 0) },
    account: { 'eks.amazonaws.com/role-arn': ROLE },
    want: /assume AWS role "arn:aws:iam::123456789012:role\/puller": sts\.eu-west-1\.amazonaws\.com answered 403 \(AccessDenied: Not authorized/,
    remedy: /trust policy/,
    requests: 1,
  },
  {
    name: 'an account without a role',
    provider: 'aws',
    registry: ECR,
    services: {},
    account: {},
    want: /ServiceAccount "team\/puller": annotation eks\.amazonaws\.com\/role-arn: "" is not the ARN of a role/,
    remedy: /annotate/,
    requests: 0,
  },
  {
    name: 'no metadata service',
    provider: 'aws',
    registry: ECR,
    services: {},
    want: /get AWS credentials of the instance: 169\.254\.169\.254: /,
    remedy: /IAM role/,
    requests: 3,
  },
  {
    name: 'a metadata service that is turned off',
    provider: 'aws',
    registry: ECR,
    services: {},
    env: { AWS_EC2_METADATA_DISABLED: 'true' },
    want: /none in the environment/,
    requests: 0,
  },
  {
    name: 'container credentials from elsewhere',
    provider: 'aws',
    registry: ECR,
    services: {},
    env: { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://evil.test/keys' },
    want: /must be https/,
    requests: 0,
  },
  {
    name: 'an identity Entra ID does not know',
    provider: 'azure',
    registry: ACR,
    services: { 'login.microsoftonline.com': fakeEntra('t', { client_id: 'other' }, SCOPE) },
    account: { 'azure.workload.identity/tenant-id': 't', 'azure.workload.identity/client-id': 'c' },
    want: /client "c": login\.microsoftonline\.com answered 401 \(invalid_client: AADSTS70021/,
    remedy: /federated credential/,
  },
  {
    name: 'an account without a tenant',
    provider: 'azure',
    registry: ACR,
    services: {},
    account: { 'azure.workload.identity/client-id': 'c' },
    want: /annotation azure\.workload\.identity\/tenant-id: is not set/,
    requests: 0,
  },
  {
    name: 'an Azure identity without the registry',
    provider: 'azure',
    registry: ACR,
    services: { '169.254.169.254': imdsAzure, [ACR]: () => ({ status: 403, body: '' }) },
    want: /exchange Entra ID token at "team\.azurecr\.io": team\.azurecr\.io answered 403/,
    remedy: /AcrPull/,
  },
  {
    name: 'a federation Google does not know',
    provider: 'gcp',
    registry: GAR,
    services: { 'sts.googleapis.com': fakeGoogleSts('other', 'k8s-token') },
    account: { 'gcp.auth.fluxcd.io/workload-identity-provider': PROVIDER },
    want: /sts\.googleapis\.com answered 400 \(invalid_target: The target service/,
    remedy: /workload identity provider/,
  },
  {
    name: 'an email that is none',
    provider: 'gcp',
    registry: GAR,
    services: {},
    account: { 'iam.gke.io/gcp-service-account': 'x@evil.test/../' },
    want: /annotation iam\.gke\.io\/gcp-service-account: "x@evil\.test\/\.\.\/" does not match/,
    requests: 0,
  },
  {
    name: 'a service in trouble, three times',
    provider: 'gcp',
    registry: GAR,
    services: { 'metadata.google.internal': () => ({ status: 503, body: '' }) },
    want: /answered 503/,
    requests: 3,
  },
  {
    name: 'an answer that is no JSON',
    provider: 'gcp',
    registry: GAR,
    services: { 'metadata.google.internal': () => ({ body: 'secret-ish <html>' }) },
    want: /the answer is not JSON$/,
  },
  {
    name: 'an endless answer',
    provider: 'gcp',
    registry: GAR,
    services: { 'metadata.google.internal': () => ({ body: 'x'.repeat(300_000) }) },
    want: /more than/,
  },
  {
    name: 'a refresh token without an end',
    provider: 'azure',
    registry: ACR,
    services: { '169.254.169.254': imdsAzure, [ACR]: () => ({ body: { refresh_token: unsignedJwt({}) } }) },
    want: /no time of expiry/,
  },
];
for (const { name, provider, registry, services, env, account: annotations, want, remedy, requests } of refusals) {
  test(`OB06: ${name} is said, with the remedy`, async () => {
    const it = await world(() => services, env);
    const as = annotations === undefined ? undefined : account(it, annotations);
    await assert.rejects(login(it, provider, registry, as), (error: Error & { code?: string; remedy?: string }) => {
      assert.equal(error.code, 'AuthenticationFailed');
      assert.match(error.message, want);
      assert.doesNotMatch(error.message, /k8s-token|secret/);
      if (remedy !== undefined) assert.match(error.remedy ?? '', remedy);
      return true;
    });
    if (requests !== undefined) assert.equal(it.clouds.seen.length, requests);
  });
}

test('OB06: a service that recovers is asked again', async () => {
  let times = 0;
  const metadata = fakeGoogleMetadata(3599);
  const it = await world(() => ({
    'metadata.google.internal': (request) => (++times < 3 ? { status: 500, body: '' } : metadata(request)),
  }));
  assert.equal(await login(it, 'gcp', GAR), 'oauth2accesstoken:node-token');
});

test('OB06: a login the registry refuses is made anew, once', async () => {
  let count = 0;
  const it = await world(() => ({ 'metadata.google.internal': () => ({ body: { access_token: `token-${++count}`, expires_in: 3599 } }) }));
  const source = it.logins.credentials('gcp');
  const repository = { registry: GAR, path: 'app' };
  const first = await source.credentialFor(repository, soon());
  assert.equal(source.refused?.(repository, first), true);
  assert.equal(source.refused?.(repository, first), false, 'it is gone already');
  assert.equal(await login(it, 'gcp', GAR), 'oauth2accesstoken:token-2', 'the access token behind it is new as well');
});

test('OB06: a login ends with its signal', async () => {
  const it = await world(() => ({ 'metadata.google.internal': fakeGoogleMetadata(3599) }));
  const source = it.logins.credentials('gcp');
  await assert.rejects(source.credentialFor({ registry: GAR, path: 'app' }, AbortSignal.abort(new Error('stop'))), /stop/);
  assert.equal(it.clouds.seen.length, 0);
});
