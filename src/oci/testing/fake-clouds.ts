// The services logins talk to, as their documentation describes their protocols: each recorded, each with its own checks.
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { signRequest } from '../login/aws-signature.ts';

/** A request as a service saw it. */
export type CloudRequest = { method: string; url: URL; headers: IncomingHttpHeaders; body: string; form: URLSearchParams };

/** What a service answers. */
export type CloudAnswer = { status?: number; body: string | Record<string, unknown> };

/** Answers by host name; a host that is not there does not answer at all. */
export type CloudServices = Record<string, (request: CloudRequest) => CloudAnswer>;

/** Services on loopback, and how requests are led there. */
export type FakeClouds = {
  /** Every request, in order. */
  seen: CloudRequest[];
  route: (url: URL) => URL;
  close(): Promise<void>;
};

/** Starts services; `route` leads a request for any host to them. */
export async function startClouds(services: CloudServices): Promise<FakeClouds> {
  const seen: CloudRequest[] = [];
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const [, scheme = '', host = '', ...path] = (incoming.url ?? '').split('/');
      const body = Buffer.concat(chunks).toString('utf8');
      const url = new URL(`${scheme}://${host}/${path.join('/')}`);
      const request = { method: incoming.method ?? '', url, headers: incoming.headers, body, form: new URLSearchParams(body) };
      seen.push(request);
      const service = services[host];
      if (service === undefined) {
        incoming.socket.destroy();
        return;
      }
      const answer = service(request);
      outgoing.writeHead(answer.status ?? 200);
      outgoing.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    seen,
    route: (url) => new URL(`http://127.0.0.1:${port}/${url.protocol.slice(0, -1)}/${url.host}${url.pathname}${url.search}`),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Keys the fake AWS knows. */
export const AWS_KEYS = { accessKeyId: 'ASIAFAKE', secretAccessKey: 'fake+secret/key', sessionToken: 'fake&session' } as const;

/** ECR GetAuthorizationToken: checks the signature with the known keys. */
export function fakeEcr(kind: 'private' | 'public', region: string, expiresAt: number): (request: CloudRequest) => CloudAnswer {
  return ({ method, url, headers, body }) => {
    const wanted = kind === 'private' ? 'AmazonEC2ContainerRegistry_V20150921' : 'SpencerFrontendService';
    if (headers['x-amz-target'] !== `${wanted}.GetAuthorizationToken`)
      return { status: 400, body: { __type: 'UnknownOperationException' } };
    const time = String(headers['x-amz-date']).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
    const names = /SignedHeaders=([^,]+)/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
    const stated = Object.fromEntries(
      names
        .filter((name) => name !== 'host' && !name.startsWith('x-amz-date') && name !== 'x-amz-security-token')
        .map((name) => [name, String(headers[name])]),
    );
    const scope = { region, service: kind === 'private' ? 'ecr' : 'ecr-public' };
    const signed = signRequest({ method, url, headers: stated, body }, AWS_KEYS, scope, Date.parse(time));
    if (signed['authorization'] !== headers.authorization)
      return { status: 403, body: { __type: 'com.amazon#InvalidSignatureException', message: 'The request signature does not match' } };
    const data = { authorizationToken: Buffer.from('AWS:ecr-password').toString('base64'), expiresAt: expiresAt / 1000 };
    return { body: { authorizationData: kind === 'private' ? [data] : data } };
  };
}

/** STS AssumeRoleWithWebIdentity for one role and token. */
export function fakeSts(role: string, token: string, expiresAt: number): (request: CloudRequest) => CloudAnswer {
  return ({ form }) => {
    if (form.get('Action') !== 'AssumeRoleWithWebIdentity' || form.get('Version') !== '2011-06-15') return { status: 400, body: '' };
    if (
      form.get('RoleArn') !== role ||
      form.get('WebIdentityToken') !== token ||
      !/^[\w+=,.@-]{2,64}$/.test(form.get('RoleSessionName') ?? '')
    ) {
      const error =
        '<Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error>';
      return { status: 403, body: `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">${error}</ErrorResponse>` };
    }
    const { accessKeyId, secretAccessKey, sessionToken } = AWS_KEYS;
    const credentials = `<SessionToken>${sessionToken.replace('&', '&amp;')}</SessionToken><SecretAccessKey>${secretAccessKey}</SecretAccessKey><Expiration>${new Date(expiresAt).toISOString()}</Expiration><AccessKeyId>${accessKeyId}</AccessKeyId>`;
    return {
      body: `<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>${credentials}</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
    };
  };
}

/** Keys as metadata services and container agents give them. */
export function containerKeys(expiresAt: number): Record<string, unknown> {
  const { accessKeyId, secretAccessKey, sessionToken } = AWS_KEYS;
  return {
    Code: 'Success',
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    Token: sessionToken,
    Expiration: new Date(expiresAt).toISOString(),
  };
}

/** IMDSv2 of an EC2 instance with a role. */
export function fakeImds(role: string, expiresAt: number): (request: CloudRequest) => CloudAnswer {
  return ({ method, url, headers }) => {
    if (method === 'PUT' && url.pathname === '/latest/api/token')
      return headers['x-aws-ec2-metadata-token-ttl-seconds'] === undefined ? { status: 400, body: '' } : { body: 'imds-token' };
    if (headers['x-aws-ec2-metadata-token'] !== 'imds-token') return { status: 401, body: '' };
    if (url.pathname === '/latest/meta-data/iam/security-credentials/') return { body: role };
    return url.pathname.endsWith(`/${role}`) ? { body: containerKeys(expiresAt) } : { status: 404, body: '' };
  };
}

/** A JSON web token nobody verifies. */
export function unsignedJwt(claims: Record<string, unknown>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.signature`;
}

/** ACR's exchange of an access token for a refresh token. */
export function fakeAcr(registry: string, accessToken: string, expiresAt: number): (request: CloudRequest) => CloudAnswer {
  return ({ url, form }) => {
    if (url.pathname !== '/oauth2/exchange' || form.get('grant_type') !== 'access_token') return { status: 404, body: '' };
    if (form.get('service') !== registry || form.get('access_token') !== accessToken)
      return { status: 401, body: { errors: [{ code: 'UNAUTHORIZED', message: 'authentication required' }] } };
    return { body: { refresh_token: unsignedJwt({ exp: Math.floor(expiresAt / 1000) }) } };
  };
}

/** Entra ID's token endpoint of one tenant: checks the client and its proof. */
export function fakeEntra(tenant: string, proof: Readonly<Record<string, string>>, scope: string): (request: CloudRequest) => CloudAnswer {
  return ({ url, form }) => {
    const right =
      url.pathname === `/${tenant}/oauth2/v2.0/token` &&
      form.get('grant_type') === 'client_credentials' &&
      form.get('scope') === scope &&
      Object.entries(proof).every(([key, value]) => form.get(key) === value);
    if (right) return { body: { token_type: 'Bearer', expires_in: 3599, access_token: 'entra-token' } };
    return {
      status: 401,
      body: { error: 'invalid_client', error_description: 'AADSTS70021: No matching federated identity record found' },
    };
  };
}

/** The metadata server of a GKE cluster. */
export function fakeGoogleMetadata(expiresIn: number): (request: CloudRequest) => CloudAnswer {
  const values: Record<string, CloudAnswer> = {
    'instance/service-accounts/default/token': { body: { access_token: 'node-token', expires_in: expiresIn, token_type: 'Bearer' } },
    'project/project-id': { body: 'my-project' },
    'instance/attributes/cluster-location': { body: 'europe-west1' },
    'instance/attributes/cluster-name': { body: 'prod' },
  };
  return ({ url, headers }) => {
    if (headers['metadata-flavor'] !== 'Google') return { status: 403, body: 'Missing required header' };
    return values[url.pathname.replace('/computeMetadata/v1/', '')] ?? { status: 404, body: '' };
  };
}

/** Google's security token service: one audience, one subject token. */
export function fakeGoogleSts(audience: string, subject: string): (request: CloudRequest) => CloudAnswer {
  return ({ url, form }) => {
    const right =
      url.pathname === '/v1/token' &&
      form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:token-exchange' &&
      form.get('audience') === audience &&
      form.get('subject_token') === subject &&
      form.get('subject_token_type') === 'urn:ietf:params:oauth:token-type:jwt';
    if (right) return { body: { access_token: 'federated-token', expires_in: 3600, token_type: 'Bearer' } };
    return {
      status: 400,
      body: { error: 'invalid_target', error_description: 'The target service indicated by the "audience" parameters is invalid.' },
    };
  };
}

/** Google's IAM: impersonation of one service account. */
export function fakeGoogleIam(email: string, expiresAt: number): (request: CloudRequest) => CloudAnswer {
  return ({ url, headers }) => {
    if (url.pathname !== `/v1/projects/-/serviceAccounts/${email}:generateAccessToken`) return { status: 404, body: '' };
    if (headers.authorization !== 'Bearer federated-token')
      return {
        status: 403,
        body: { error: { code: 403, message: 'Permission iam.serviceAccounts.getAccessToken denied', status: 'PERMISSION_DENIED' } },
      };
    return { body: { accessToken: 'impersonated-token', expireTime: new Date(expiresAt).toISOString() } };
  };
}
