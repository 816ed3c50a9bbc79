import { createSign } from 'node:crypto';
import { errorMessage } from '../../std/index.ts';
import { loginError, parseAnswer, record, textField } from './login-error.ts';
import type { LoginHttp } from './login-http.ts';
import type { Expiring, LoginHost } from './login-host.ts';

/** A workload identity federation: who vouches for the token that is traded in. */
export type Federation = { audience: string; subjectTokenType?: string; tokenUrl?: string };

const SCOPES = ['https://www.googleapis.com/auth/cloud-platform', 'https://www.googleapis.com/auth/userinfo.email'];
const STS = 'https://sts.googleapis.com/v1/token';
const TOKENS = 'https://oauth2.googleapis.com/token';
const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt';
const FORM = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
const LIFE_SECONDS = 3600;

/** Trades a token of another issuer for one of Google (STS, RFC 8693). @throws RegistryError `AuthenticationFailed` */
export async function exchangeToken(
  host: LoginHost,
  http: LoginHttp,
  federation: Federation,
  subject: string,
  signal: AbortSignal,
): Promise<Expiring<string>> {
  const what = 'exchange token at the Google security token service';
  const form = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: federation.audience,
    scope: SCOPES.join(' '),
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: federation.subjectTokenType ?? JWT_TYPE,
    subject_token: subject,
  });
  const { text } = await http.send(
    {
      method: 'POST',
      url: secureUrl(federation.tokenUrl ?? STS, what),
      headers: FORM,
      body: form.toString(),
      what,
      remedy: 'check the workload identity provider: its issuer must be the cluster and its audience the one named here',
    },
    signal,
  );
  return readToken(text, what, host.clock.now());
}

/** A token of a Google service account, asked for with one that may impersonate it. @throws RegistryError `AuthenticationFailed` */
export async function impersonate(http: LoginHttp, email: string, token: string, signal: AbortSignal): Promise<Expiring<string>> {
  const url = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${email}:generateAccessToken`;
  return impersonateAt(http, url, token, signal);
}

async function impersonateAt(http: LoginHttp, address: string, token: string, signal: AbortSignal): Promise<Expiring<string>> {
  const what = 'impersonate the Google service account';
  const { text } = await http.send(
    {
      method: 'POST',
      url: secureUrl(address, what),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ lifetime: `${LIFE_SECONDS}s`, scope: SCOPES }),
      what,
      remedy: 'give the Kubernetes ServiceAccount the role roles/iam.workloadIdentityUser on the Google service account',
    },
    signal,
  );
  const fields = parseAnswer(text, what);
  const expiresAt = Date.parse(textField(fields, 'expireTime', what));
  if (Number.isNaN(expiresAt)) throw loginError(what, 'the answer has no usable time of expiry');
  return { value: textField(fields, 'accessToken', what), expiresAt };
}

/** The identity of a credentials file: the key of a service account, or a federation that reads its token from another file. */
export async function keyFileToken(host: LoginHost, http: LoginHttp, file: string, signal: AbortSignal): Promise<Expiring<string>> {
  const what = `read Google credentials ${JSON.stringify(file)}`;
  const fields = parseAnswer(await readFile(host, file, what), what);
  if (fields['type'] === 'service_account') return signedToken(host, http, fields, what, signal);
  if (fields['type'] !== 'external_account')
    throw loginError(
      what,
      `type ${JSON.stringify(String(fields['type']).slice(0, 100))} is not supported, want service_account or external_account`,
    );
  const source = record(fields['credential_source']);
  const content = await readFile(host, textField(source, 'file', what), what);
  const format = record(source['format']);
  const subject =
    format['type'] === 'json'
      ? textField(parseAnswer(content, what), textField(format, 'subject_token_field_name', what), what)
      : content.trim();
  const federation = {
    audience: textField(fields, 'audience', what),
    subjectTokenType: textField(fields, 'subject_token_type', what),
    tokenUrl: textField(fields, 'token_url', what),
  };
  const token = await exchangeToken(host, http, federation, subject, signal);
  const impersonation = fields['service_account_impersonation_url'];
  return typeof impersonation === 'string' && impersonation !== '' ? impersonateAt(http, impersonation, token.value, signal) : token;
}

/** The key of a service account signs its own assertion (RFC 7523). */
async function signedToken(
  host: LoginHost,
  http: LoginHttp,
  fields: Record<string, unknown>,
  what: string,
  signal: AbortSignal,
): Promise<Expiring<string>> {
  const now = Math.floor(host.clock.now() / 1000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const keyId = fields['private_key_id'];
  const header = { alg: 'RS256', typ: 'JWT', ...(typeof keyId === 'string' ? { kid: keyId } : {}) };
  const claims = { iss: textField(fields, 'client_email', what), scope: SCOPES.join(' '), aud: TOKENS, iat: now, exp: now + LIFE_SECONDS };
  const unsigned = `${part(header)}.${part(claims)}`;
  let signature: string;
  try {
    signature = createSign('RSA-SHA256')
      .update(unsigned)
      .sign(textField(fields, 'private_key', what), 'base64url');
  } catch (error) {
    throw loginError(what, `private_key cannot be used: ${errorMessage(error)}`);
  }
  const form = new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: `${unsigned}.${signature}` });
  const asking = 'get token of the Google service account';
  const { text } = await http.send({ method: 'POST', url: new URL(TOKENS), headers: FORM, body: form.toString(), what: asking }, signal);
  return readToken(text, asking, host.clock.now());
}

function readToken(text: string, what: string, now: number): Expiring<string> {
  const fields = parseAnswer(text, what);
  const stated = Number(fields['expires_in']);
  const life = Number.isFinite(stated) && stated > 0 ? stated : LIFE_SECONDS;
  return { value: textField(fields, 'access_token', what), expiresAt: now + life * 1000 };
}

async function readFile(host: LoginHost, file: string, what: string): Promise<string> {
  try {
    return await host.readFile(file);
  } catch (error) {
    throw loginError(what, `${JSON.stringify(file)} cannot be read`, { cause: error });
  }
}

/** A token is never sent over plain HTTP, whatever a file says. */
function secureUrl(text: string, what: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return url;
  throw loginError(what, `${JSON.stringify(text.slice(0, 300))} is not an https address`);
}
