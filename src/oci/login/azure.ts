import { loginError, parseAnswer, textField } from './login-error.ts';
import type { LoginHttp } from './login-http.ts';
import type { Expiring, LoginAccount, LoginHost, RegistryLogin } from './login-host.ts';

/** An Azure cloud, known by the domain of its registries. */
export type AzureCloud = { authority: string };

const CLOUDS: Readonly<Record<string, AzureCloud>> = {
  'azurecr.io': { authority: 'https://login.microsoftonline.com' },
  'azurecr.cn': { authority: 'https://login.chinacloudapi.cn' },
  'azurecr.us': { authority: 'https://login.microsoftonline.us' },
  'azurecr.de': { authority: 'https://login.microsoftonline.com' },
};

/** What a token is asked for: the registries of every cloud. Those that want it take none of the resource manager. */
const RESOURCE = 'https://containerregistry.azure.net';
const IMDS = 'http://169.254.169.254';
const AUDIENCE = 'api://AzureADTokenExchange';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** The user name that tells a registry its password is a refresh token. */
const TOKEN_USER = '00000000-0000-0000-0000-000000000000';
/** A tenant or client goes into a URL and a form: letters, digits, dots and dashes. */
const IDENTIFIER = /^[A-Za-z0-9.-]{1,200}$/;

/** The cloud of a registry; undefined when the host is not an Azure Container Registry. */
export function azureCloud(host: string): AzureCloud | undefined {
  const name = /^[a-z0-9][a-z0-9.-]*\.(azurecr\.[a-z]+)$/.exec(host)?.[1];
  return name === undefined ? undefined : CLOUDS[name];
}

/**
 * An access token of Entra ID: of the account's client, or our own (client secret, workload identity, managed identity, in this order).
 * @throws RegistryError `AuthenticationFailed`
 */
export async function azureToken(
  host: LoginHost,
  http: LoginHttp,
  cloud: AzureCloud,
  account: LoginAccount | undefined,
  signal: AbortSignal,
): Promise<Expiring<string>> {
  const { env } = host;
  if (account !== undefined) {
    const tenant = annotation(account, 'azure.workload.identity/tenant-id');
    const client = annotation(account, 'azure.workload.identity/client-id');
    const assertion = await account.createToken([AUDIENCE], signal);
    return clientToken(host, http, cloud, tenant, asserted(client, assertion), signal);
  }
  const [tenant, client, secret, file] = ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'AZURE_CLIENT_SECRET', 'AZURE_FEDERATED_TOKEN_FILE'].map(
    (name) => (env[name] === '' ? undefined : env[name]),
  );
  if (tenant !== undefined && client !== undefined && secret !== undefined)
    return clientToken(host, http, cloud, tenant, { client_id: client, client_secret: secret }, signal);
  if (tenant !== undefined && client !== undefined && file !== undefined) {
    const assertion = await federatedToken(host, file);
    return clientToken(host, http, cloud, tenant, asserted(client, assertion), signal);
  }
  return managedIdentity(host, http, client, signal);
}

/** What a workload shows instead of a secret: a token somebody else vouches for (RFC 7523 §2.2). */
function asserted(client: string, assertion: string): Record<string, string> {
  return { client_id: client, client_assertion_type: ASSERTION, client_assertion: assertion };
}

async function federatedToken(host: LoginHost, file: string): Promise<string> {
  try {
    return (await host.readFile(file)).trim();
  } catch (error) {
    throw loginError('read the federated token', `${JSON.stringify(file)} cannot be read`, { cause: error });
  }
}

function annotation(account: LoginAccount, key: string): string {
  const value = account.annotations[key];
  if (value !== undefined && IDENTIFIER.test(value)) return value;
  const have = value === undefined ? 'is not set' : `${JSON.stringify(value)} is not an identifier`;
  throw loginError(`find the Azure identity of ServiceAccount "${account.namespace}/${account.name}"`, `annotation ${key}: ${have}`, {
    remedy: 'annotate the ServiceAccount with azure.workload.identity/tenant-id and azure.workload.identity/client-id',
  });
}

/** OAuth2 client credentials at Entra ID, with a secret or a signed assertion. */
async function clientToken(
  host: LoginHost,
  http: LoginHttp,
  cloud: AzureCloud,
  tenant: string,
  proof: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Expiring<string>> {
  const what = `get Entra ID token of client ${JSON.stringify(proof['client_id'] ?? '')}`;
  const authority = (host.env['AZURE_AUTHORITY_HOST'] ?? cloud.authority).replace(/\/$/, '');
  const form = new URLSearchParams({ ...proof, grant_type: 'client_credentials', scope: `${RESOURCE}/.default` });
  const { text } = await http.send(
    {
      method: 'POST',
      url: new URL(`${authority}/${encodeURIComponent(tenant)}/oauth2/v2.0/token`),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      what,
      remedy:
        'check the federated credential of the identity: issuer of the cluster, subject system:serviceaccount:NAMESPACE:NAME, audience api://AzureADTokenExchange',
    },
    signal,
  );
  return readToken(text, what, host.clock.now());
}

/** The identity of the node (IMDS); `client` picks one of several. */
async function managedIdentity(
  host: LoginHost,
  http: LoginHttp,
  client: string | undefined,
  signal: AbortSignal,
): Promise<Expiring<string>> {
  const what = 'get token of the managed identity';
  const base = (host.env['AZURE_POD_IDENTITY_AUTHORITY_HOST'] ?? IMDS).replace(/\/$/, '');
  const url = new URL(`${base}/metadata/identity/oauth2/token`);
  url.searchParams.set('api-version', '2018-02-01');
  url.searchParams.set('resource', RESOURCE);
  if (client !== undefined) url.searchParams.set('client_id', client);
  const remedy =
    'assign a managed identity to the node pool, or use workload identity (AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE), or set spec.secretRef';
  const { text } = await http.sendLocal({ method: 'GET', url, headers: { metadata: 'true' }, what, remedy }, signal);
  return readToken(text, what, host.clock.now());
}

function readToken(text: string, what: string, now: number): Expiring<string> {
  const fields = parseAnswer(text, what);
  // The metadata service writes its numbers as text.
  const life = Number(fields['expires_in']);
  if (!Number.isFinite(life) || life <= 0) throw loginError(what, 'the answer has no usable time of expiry');
  return { value: textField(fields, 'access_token', what), expiresAt: now + life * 1000 };
}

/** Trades an access token for a refresh token of the registry (ACR `/oauth2/exchange`). @throws RegistryError `AuthenticationFailed` */
export async function acrLogin(http: LoginHttp, registry: string, accessToken: string, signal: AbortSignal): Promise<RegistryLogin> {
  const what = `exchange Entra ID token at ${JSON.stringify(registry)}`;
  const form = new URLSearchParams({ grant_type: 'access_token', service: registry, access_token: accessToken });
  const { text } = await http.send(
    {
      method: 'POST',
      url: new URL(`https://${registry}/oauth2/exchange`),
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
      what,
      remedy: 'give the identity the role AcrPull on the registry',
    },
    signal,
  );
  const password = textField(parseAnswer(text, what), 'refresh_token', what);
  return { value: { username: TOKEN_USER, password }, expiresAt: tokenExpiry(password, what) };
}

/** When a JSON web token ends. It is not verified: only its issuer, the registry, will ever get it back. */
function tokenExpiry(token: string, what: string): number {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
  const expires = Number(parseAnswer(payload === '' ? '{}' : payload, what)['exp']);
  if (!Number.isFinite(expires)) throw loginError(what, 'the refresh token has no time of expiry');
  return expires * 1000;
}
