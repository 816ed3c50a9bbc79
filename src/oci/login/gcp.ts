import { exchangeToken, impersonate, keyFileToken, type Federation } from './gcp-exchange.ts';
import { loginError, parseAnswer, textField } from './login-error.ts';
import type { LoginHttp } from './login-http.ts';
import type { Expiring, LoginAccount, LoginHost, RegistryLogin } from './login-host.ts';

// The last one is of S3NS, a sovereign cloud.
const REGISTRY = /^(([a-z0-9-]+\.)?gcr\.io|[a-z0-9-]+-docker\.pkg\.dev|docker\.s3nsregistry\.fr)$/;
const METADATA = 'metadata.google.internal';
const EMAIL = /^[a-zA-Z0-9-]{1,100}@[a-zA-Z0-9-]{1,100}\.iam\.gserviceaccount\.com$/;
const PROVIDER = /^projects\/\d{1,30}\/locations\/global\/workloadIdentityPools\/[^/]{1,100}\/providers\/[^/]{1,100}$/;

/** True for hosts of the Artifact Registry and the Container Registry. */
export function isGoogleRegistry(host: string): boolean {
  return REGISTRY.test(host);
}

/**
 * An access token of Google: of the account's identity, or our own (a key file named by GOOGLE_APPLICATION_CREDENTIALS, else the metadata
 * server of the node or the pod).
 * @throws RegistryError `AuthenticationFailed`
 */
export function gcpToken(
  host: LoginHost,
  http: LoginHttp,
  account: LoginAccount | undefined,
  signal: AbortSignal,
): Promise<Expiring<string>> {
  if (account !== undefined) return accountToken(host, http, account, signal);
  const file = host.env['GOOGLE_APPLICATION_CREDENTIALS'];
  return file === undefined || file === '' ? metadataToken(host, http, signal) : keyFileToken(host, http, file, signal);
}

/** The token as a registry takes it. */
export function googleLogin({ value, expiresAt }: Expiring<string>): RegistryLogin {
  return { value: { username: 'oauth2accesstoken', password: value }, expiresAt };
}

async function metadataToken(host: LoginHost, http: LoginHttp, signal: AbortSignal): Promise<Expiring<string>> {
  const what = 'get token of the Google service account';
  const fields = parseAnswer(await metadata(host, http, 'instance/service-accounts/default/token', what, signal), what);
  const life = Number(fields['expires_in']);
  if (!Number.isFinite(life) || life <= 0) throw loginError(what, 'the answer has no usable time of expiry');
  return { value: textField(fields, 'access_token', what), expiresAt: host.clock.now() + life * 1000 };
}

async function metadata(host: LoginHost, http: LoginHttp, path: string, what: string, signal: AbortSignal): Promise<string> {
  const stated = host.env['GCE_METADATA_HOST'];
  const server = stated === undefined || stated === '' ? METADATA : stated;
  const { text } = await http.sendLocal(
    {
      method: 'GET',
      url: new URL(`http://${server}/computeMetadata/v1/${path}`),
      headers: { 'metadata-flavor': 'Google' },
      what,
      remedy: 'run on GKE with workload identity or a node service account, set GOOGLE_APPLICATION_CREDENTIALS, or set spec.secretRef',
    },
    signal,
  );
  return text;
}

/**
 * The identity of a ServiceAccount: workload identity federation through the provider its annotation names, else through the pool of the
 * GKE cluster; then impersonation of the Google service account of `iam.gke.io/gcp-service-account`, or direct access without one.
 */
async function accountToken(host: LoginHost, http: LoginHttp, account: LoginAccount, signal: AbortSignal): Promise<Expiring<string>> {
  const email = annotation(account, 'iam.gke.io/gcp-service-account', EMAIL);
  const provider = annotation(account, 'gcp.auth.fluxcd.io/workload-identity-provider', PROVIDER);
  const federation = provider === undefined ? await clusterFederation(host, http, signal) : outsideFederation(provider);
  const subject = await account.createToken([federation.tokenAudience], signal);
  const token = await exchangeToken(host, http, { audience: federation.audience }, subject, signal);
  return email === undefined ? token : impersonate(http, email, token.value, signal);
}

type AccountFederation = Federation & { tokenAudience: string };

function outsideFederation(provider: string): AccountFederation {
  const audience = `//iam.googleapis.com/${provider}`;
  return { audience, tokenAudience: audience };
}

/** A GKE cluster is its own identity provider; its name is in the metadata. */
async function clusterFederation(host: LoginHost, http: LoginHttp, signal: AbortSignal): Promise<AccountFederation> {
  const read = async (path: string): Promise<string> => {
    const what = 'find the workload identity pool of the GKE cluster';
    const value = (await metadata(host, http, path, what, signal)).trim();
    if (!/^[A-Za-z0-9:._-]{1,200}$/.test(value)) throw loginError(what, `the metadata server has no ${JSON.stringify(path)}`);
    return value;
  };
  const project = await read('project/project-id');
  const location = await read('instance/attributes/cluster-location');
  const name = await read('instance/attributes/cluster-name');
  const pool = `${project}.svc.id.goog`;
  const cluster = `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${name}`;
  return { tokenAudience: pool, audience: `identitynamespace:${pool}:${cluster}` };
}

function annotation(account: LoginAccount, key: string, want: RegExp): string | undefined {
  const value = account.annotations[key];
  if (value === undefined || value === '') return undefined;
  if (want.test(value)) return value;
  throw loginError(
    `find the Google identity of ServiceAccount "${account.namespace}/${account.name}"`,
    `annotation ${key}: ${JSON.stringify(value.slice(0, 300))} does not match ${want.source}`,
  );
}
