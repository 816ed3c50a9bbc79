import { accountAwsKeys, ownAwsKeys, type AwsPlace } from './aws-credentials.ts';
import { signRequest, type AwsKeys } from './aws-signature.ts';
import { loginError, parseAnswer, record, textField } from './login-error.ts';
import type { LoginHttp } from './login-http.ts';
import type { Expiring, LoginAccount, LoginHost, RegistryLogin } from './login-host.ts';

/** An Elastic Container Registry: where its API is. */
export type EcrRegistry = AwsPlace & { kind: 'private' | 'public'; fips: boolean };

// As the credential helper of ECR knows them: every partition, and the names of dual-stack endpoints.
const PRIVATE =
  /^[0-9]{12}\.dkr[.-]ecr(-fips)?\.([a-z0-9][a-z0-9-]{0,99})\.(amazonaws\.(?:com(?:\.cn)?|eu)|on\.(?:aws|amazonwebservices\.com\.cn)|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)$/;
const PUBLIC: ReadonlySet<string> = new Set(['public.ecr.aws', 'ecr-public.aws.com']);
/** Where the API of a registry with a dual-stack name is. */
const API_DOMAINS: Readonly<Record<string, string>> = { 'on.aws': 'amazonaws.com', 'on.amazonwebservices.com.cn': 'amazonaws.com.cn' };

/** The registry behind a host name; undefined when it is not AWS's. The public one is asked in us-east-1, as AWS wants it. */
export function parseEcrRegistry(host: string): EcrRegistry | undefined {
  if (PUBLIC.has(host)) return { kind: 'public', region: 'us-east-1', domain: 'amazonaws.com', fips: false };
  const [, fips, region, domain] = PRIVATE.exec(host) ?? [];
  if (region === undefined || domain === undefined) return undefined;
  return { kind: 'private', region, domain: API_DOMAINS[domain] ?? domain, fips: fips !== undefined };
}

/** The keys to ask ECR with: the account's, or our own. */
export function awsKeys(
  host: LoginHost,
  http: LoginHttp,
  place: AwsPlace,
  account: LoginAccount | undefined,
  signal: AbortSignal,
): Promise<Expiring<AwsKeys>> {
  return account === undefined ? ownAwsKeys(host, http, place, signal) : accountAwsKeys(host, http, place, account, signal);
}

/** ECR GetAuthorizationToken: a user name and password for 12 hours. @throws RegistryError `AuthenticationFailed` */
export async function ecrLogin(
  host: LoginHost,
  http: LoginHttp,
  registry: EcrRegistry,
  keys: AwsKeys,
  signal: AbortSignal,
): Promise<RegistryLogin> {
  const isPublic = registry.kind === 'public';
  const what = `get ECR authorization token in ${registry.region}`;
  const url = new URL(endpoint(host, registry));
  const body = '{}';
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': isPublic
      ? 'SpencerFrontendService.GetAuthorizationToken'
      : 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
  };
  const scope = { region: registry.region, service: isPublic ? 'ecr-public' : 'ecr' };
  const signed = signRequest({ method: 'POST', url, headers, body }, keys, scope, host.clock.now());
  const { host: _, ...rest } = signed;
  const remedy = isPublic
    ? 'allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken to the role'
    : 'allow ecr:GetAuthorizationToken, ecr:BatchGetImage and ecr:GetDownloadUrlForLayer to the role';
  const { text } = await http.send({ method: 'POST', url, headers: rest, body, what, remedy }, signal);
  const data = parseAnswer(text, what)['authorizationData'];
  const fields = record(Array.isArray(data) ? data[0] : data);
  const decoded = Buffer.from(textField(fields, 'authorizationToken', what), 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  const expires = Number(fields['expiresAt']);
  if (colon < 1 || !Number.isFinite(expires)) throw loginError(what, 'the authorization token is not what it should be');
  return { value: { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) }, expiresAt: expires * 1000 };
}

function endpoint({ env }: LoginHost, { kind, region, domain, fips }: EcrRegistry): string {
  if (kind === 'public') return env['AWS_ENDPOINT_URL_ECR_PUBLIC'] ?? `https://api.ecr-public.${region}.${domain}/`;
  return env['AWS_ENDPOINT_URL_ECR'] ?? `https://${fips ? 'ecr-fips' : 'api.ecr'}.${region}.${domain}/`;
}
