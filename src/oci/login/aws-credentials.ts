import { loginError, parseAnswer, textField } from './login-error.ts';
import type { LoginHttp } from './login-http.ts';
import type { Expiring, LoginAccount, LoginHost } from './login-host.ts';
import type { AwsKeys } from './aws-signature.ts';

/** Where AWS is asked: a region and the domain of its partition. */
export type AwsPlace = { region: string; domain: string };

/** Keys that say no time of expiry are asked for again after this. */
const DEFAULT_LIFE = 15 * 60_000;
const IMDS = 'http://169.254.169.254';
const IMDS_TOKEN_SECONDS = '21600';
/** Hosts that may be asked for container credentials over plain HTTP: ECS and EKS agents on this machine. */
const CONTAINER_HOSTS: ReadonlySet<string> = new Set([
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::23]',
  'localhost',
  '127.0.0.1',
  '[::1]',
]);
const ROLE = /^arn:aws(-[a-z-]+)?:iam::[0-9]{1,30}:role\/.{1,200}$/;

/**
 * The identity of the node or the pod we run in, looked for in the order of the AWS SDKs: keys in the environment, web identity (IRSA),
 * container credentials (ECS, EKS Pod Identity), instance metadata (IMDSv2).
 * @throws RegistryError `AuthenticationFailed`
 */
export async function ownAwsKeys(host: LoginHost, http: LoginHttp, place: AwsPlace, signal: AbortSignal): Promise<Expiring<AwsKeys>> {
  const { env, clock } = host;
  const [id, secret] = [env['AWS_ACCESS_KEY_ID'], env['AWS_SECRET_ACCESS_KEY']];
  if (isSet(id) && isSet(secret)) {
    const token = env['AWS_SESSION_TOKEN'];
    const value = { accessKeyId: id, secretAccessKey: secret, sessionToken: isSet(token) ? token : undefined };
    return { value, expiresAt: clock.now() + DEFAULT_LIFE };
  }
  const [role, file] = [env['AWS_ROLE_ARN'], env['AWS_WEB_IDENTITY_TOKEN_FILE']];
  if (isSet(role) && isSet(file)) {
    const token = await readToken(host, file, 'read the web identity token');
    const session = env['AWS_ROLE_SESSION_NAME'];
    return assumeRole(host, http, place, { role, token, session: isSet(session) ? session : `sluice-${clock.now()}` }, signal);
  }
  if (isSet(env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']) || isSet(env['AWS_CONTAINER_CREDENTIALS_FULL_URI']))
    return containerKeys(host, http, signal);
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') {
    throw loginError('find AWS credentials', 'there are none in the environment, and the metadata service is turned off', {
      remedy: 'give the controller an IAM role (IRSA, EKS Pod Identity or the node), or set spec.secretRef',
    });
  }
  return instanceKeys(host, http, signal);
}

/** The keys of the role a ServiceAccount names in `eks.amazonaws.com/role-arn`. @throws RegistryError `AuthenticationFailed` */
export async function accountAwsKeys(
  host: LoginHost,
  http: LoginHttp,
  place: AwsPlace,
  account: LoginAccount,
  signal: AbortSignal,
): Promise<Expiring<AwsKeys>> {
  const role = account.annotations['eks.amazonaws.com/role-arn'] ?? '';
  if (!ROLE.test(role)) {
    const what = `find the AWS role of ServiceAccount "${account.namespace}/${account.name}"`;
    throw loginError(what, `annotation eks.amazonaws.com/role-arn: ${JSON.stringify(role)} is not the ARN of a role`, {
      remedy: 'annotate the ServiceAccount with eks.amazonaws.com/role-arn: arn:aws:iam::ACCOUNT:role/NAME',
    });
  }
  const token = await account.createToken(['sts.amazonaws.com'], signal);
  // At most 64 characters; the trail in CloudTrail then says which object asked.
  const session = `${account.name}.${account.namespace}.${place.region}.fluxcd.io`.replace(/[^\w+=,.@-]/g, '-').slice(0, 64);
  return assumeRole(host, http, place, { role, token, session }, signal);
}

/** STS AssumeRoleWithWebIdentity, which is not signed: the token is the proof. */
async function assumeRole(
  host: LoginHost,
  http: LoginHttp,
  { region, domain }: AwsPlace,
  { role, token, session }: { role: string; token: string; session: string },
  signal: AbortSignal,
): Promise<Expiring<AwsKeys>> {
  const what = `assume AWS role ${JSON.stringify(role)}`;
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: session,
    WebIdentityToken: token,
  });
  const { text } = await http.send(
    {
      method: 'POST',
      url: new URL(host.env['AWS_ENDPOINT_URL_STS'] ?? `https://sts.${region}.${domain}/`),
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8', accept: 'text/xml' },
      body: form.toString(),
      what,
      remedy:
        "check the role's trust policy: it must name the cluster's OIDC provider, the audience sts.amazonaws.com and this ServiceAccount",
    },
    signal,
  );
  const field = (tag: string): string => {
    const found = new RegExp(`<${tag}>([^<]{1,8192})</${tag}>`).exec(text)?.[1];
    if (found === undefined) throw loginError(what, `the answer has no ${tag}`);
    return unescapeXml(found.trim());
  };
  const value = { accessKeyId: field('AccessKeyId'), secretAccessKey: field('SecretAccessKey'), sessionToken: field('SessionToken') };
  return { value, expiresAt: expiry(field('Expiration'), what) };
}

async function containerKeys(host: LoginHost, http: LoginHttp, signal: AbortSignal): Promise<Expiring<AwsKeys>> {
  const { env } = host;
  const what = 'get AWS container credentials';
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
  const url = URL.parse(isSet(relative) ? `http://169.254.170.2${relative}` : (env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] ?? ''));
  if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && CONTAINER_HOSTS.has(url.hostname))))
    throw loginError(what, 'AWS_CONTAINER_CREDENTIALS_FULL_URI must be https, or the address of the agent on this machine');
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  const token = isSet(file) ? await readToken(host, file, what) : env['AWS_CONTAINER_AUTHORIZATION_TOKEN'];
  const headers = isSet(token) ? { authorization: token } : {};
  const remedy = 'check the EKS Pod Identity association of the controller, and that the agent runs on its node';
  const { text } = await http.sendLocal({ method: 'GET', url, headers, what, remedy }, signal);
  return readKeys(text, what);
}

/** IMDSv2: a session token first, then the role of the instance, then its keys. */
async function instanceKeys(host: LoginHost, http: LoginHttp, signal: AbortSignal): Promise<Expiring<AwsKeys>> {
  const base = (host.env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] ?? IMDS).replace(/\/$/, '');
  const what = 'get AWS credentials of the instance';
  const remedy =
    'give the controller an IAM role (IRSA or EKS Pod Identity), or let pods reach the instance metadata service (hop limit 2), or set spec.secretRef';
  const token = await http.sendLocal(
    {
      method: 'PUT',
      url: new URL(`${base}/latest/api/token`),
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': IMDS_TOKEN_SECONDS },
      what,
      remedy,
    },
    signal,
  );
  const headers = { 'x-aws-ec2-metadata-token': token.text.trim() };
  const path = `${base}/latest/meta-data/iam/security-credentials/`;
  const roles = await http.sendLocal({ method: 'GET', url: new URL(path), headers, what, remedy }, signal);
  const role = roles.text.trim().split('\n')[0] ?? '';
  if (role === '') throw loginError(what, 'the instance has no role', { remedy });
  const keys = await http.sendLocal({ method: 'GET', url: new URL(`${path}${encodeURIComponent(role)}`), headers, what, remedy }, signal);
  return readKeys(keys.text, what);
}

/** The JSON of metadata services and container agents. */
function readKeys(text: string, what: string): Expiring<AwsKeys> {
  const fields = parseAnswer(text, what);
  const code = fields['Code'];
  if (code !== undefined && code !== 'Success') throw loginError(what, `the answer says ${JSON.stringify(String(code).slice(0, 100))}`);
  return {
    value: {
      accessKeyId: textField(fields, 'AccessKeyId', what),
      secretAccessKey: textField(fields, 'SecretAccessKey', what),
      sessionToken: textField(fields, 'Token', what),
    },
    expiresAt: expiry(textField(fields, 'Expiration', what), what),
  };
}

function expiry(text: string, what: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw loginError(what, 'the answer has no usable time of expiry');
  return time;
}

async function readToken(host: LoginHost, file: string, what: string): Promise<string> {
  try {
    return (await host.readFile(file)).trim();
  } catch (error) {
    throw loginError(what, `${JSON.stringify(file)} cannot be read`, { cause: error });
  }
}

const ENTITIES: Readonly<Record<string, string>> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&apos;': "'" };

function unescapeXml(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|apos);/g, (entity) => ENTITIES[entity] ?? entity);
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
