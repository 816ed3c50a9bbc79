import { redact } from '../std/index.ts';
import { type RegistryErrorCode, type RegistryErrorEntry, RegistryError } from './errors.ts';

/** Response headers as undici hands them out: lower-case names, repeated headers as lists. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** An answer whose body is not read yet. Whoever gets one reads `body` to the end or calls `discard`. */
export type Answer = {
  status: number;
  headers: Headers;
  /** Where the answer came from, after redirects. */
  url: URL;
  body: AsyncIterable<Uint8Array>;
  /** Throws the rest of the body away, at most 64 KiB of it; the connection is closed when there is more. */
  discard: () => Promise<void>;
};

/** The first value of a header. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

const TIMEOUTS = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);
/** How undici tells that a proxy refused, for a tunnel and for a plain request. */
const PROXY_LOGIN = /^Proxy (?:response \(407\)|Authentication Required)/;
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|EPROTO$|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

/**
 * The transport error of a failed exchange, as a code.
 * @param proxy `host:port` of the proxy the exchange went through
 */
export function transportError(error: unknown, what: string, subject: string, signal: AbortSignal, proxy?: string): RegistryError {
  if (error instanceof RegistryError) return error;
  if (signal.aborted) return abortError(signal, what, subject, error);
  const code = errorCode(error);
  const message = error instanceof Error && error.message !== '' ? error.message : code;
  const through = proxy === undefined ? '' : `proxy ${JSON.stringify(proxy)}: `;
  if (proxy !== undefined && PROXY_LOGIN.test(message)) {
    return new RegistryError({
      code: 'AuthenticationFailed',
      message: `${what}: ${through}it wants other credentials (407)`,
      subject,
      cause: error,
      remedy: 'check the user name and password of the proxy (proxySecretRef, HTTPS_PROXY)',
    });
  }
  const kind: RegistryErrorCode = TIMEOUTS.has(code) ? 'Timeout' : TLS.test(code) ? 'TlsFailed' : 'RegistryUnavailable';
  const cause = redact(message);
  return new RegistryError({
    code: kind,
    message: `${what}: ${through}${cause}${cause.includes(code) ? '' : ` (${code})`}`,
    subject,
    cause: error,
    retryable: kind !== 'TlsFailed',
    ...(kind === 'TlsFailed' ? { remedy: "give the registry's CA in certSecretRef, or set insecure if that is meant" } : {}),
  });
}

/** The error for an operation its caller ended; one that ran out of time says what went wrong last. */
export function abortError(signal: AbortSignal, what: string, subject: string, cause?: unknown): RegistryError {
  const reason: unknown = signal.reason;
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  const last = timedOut && cause instanceof RegistryError ? cause.message.replace(`${what}: `, '') : undefined;
  return new RegistryError({
    code: timedOut ? 'Timeout' : 'Aborted',
    message: `${what}: ${timedOut ? 'no answer in time' : 'aborted'}${last === undefined ? '' : `; before that: ${last}`}`,
    subject,
    cause: reason ?? cause,
  });
}

function errorCode(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code;
  }
  return error instanceof Error ? error.name : 'unknown error';
}

/** The error of an answer whose status is not one we asked for. Reads at most `limit` bytes of the body. */
export async function answerError(
  answer: Answer,
  what: string,
  subject: string,
  limit: number,
  foreign: boolean,
  now: number,
): Promise<RegistryError> {
  // What a redirect's target says is not the registry's word and may come from inside our own network: it is not repeated.
  const entries = foreign ? [] : parseErrorBody(await readSome(answer, limit));
  if (foreign) await answer.discard();
  const said = entries.map((entry) => `${entry.code}: ${entry.message}`.replace(/: $/, '')).join('; ');
  const code = statusCode(answer.status);
  const wait = retryAfter(answer.headers, now);
  return new RegistryError({
    code,
    message: `${what}: registry answered ${answer.status}${said === '' ? '' : ` (${said})`}`,
    subject,
    status: answer.status,
    entries,
    ...(wait === undefined ? {} : { retryAfter: wait }),
    retryable: code !== 'Unsupported' && code !== 'RequestRefused',
    ...(code === 'AuthenticationFailed' ? { remedy: 'check the credentials and what they may do in this repository' } : {}),
  });
}

function statusCode(status: number): RegistryErrorCode {
  if (status === 401 || status === 403 || status === 407) return 'AuthenticationFailed';
  if (status === 404) return 'NotFound';
  if (status === 405 || status === 501) return 'Unsupported';
  if (status === 408) return 'Timeout';
  if (status === 429) return 'TooManyRequests';
  if (status === 413) return 'LimitExceeded';
  return status >= 400 && status < 500 ? 'RequestRefused' : 'RegistryUnavailable';
}

async function readSome(answer: Answer, limit: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of answer.body) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // The status says what matters; a body that breaks off adds nothing to it.
  }
  return Buffer.concat(chunks).subarray(0, limit).toString('utf8');
}

/** The entries of a spec error body (`{"errors": [{code, message, detail}]}`), bounded and without credentials. */
export function parseErrorBody(text: string): RegistryErrorEntry[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return [];
  }
  const errors: unknown = typeof value === 'object' && value !== null && 'errors' in value ? value.errors : undefined;
  if (!Array.isArray(errors)) return [];
  return errors.slice(0, 5).flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const text1 = (key: string): string => {
      const field = (entry as Record<string, unknown>)[key];
      return field === undefined || field === null ? '' : clean(typeof field === 'string' ? field : JSON.stringify(field));
    };
    const detail = text1('detail');
    return [{ code: text1('code'), message: text1('message'), ...(detail === '' ? {} : { detail }) }];
  });
}

function clean(text: string): string {
  return redact(text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').slice(0, 300));
}

/** Milliseconds of a Retry-After header, in seconds or as a date. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const value = header(headers, 'retry-after')?.trim();
  if (value === undefined || value === '') return undefined;
  if (/^\d{1,9}(\.\d+)?$/.test(value)) return Number(value) * 1000;
  // An HTTP date ends in GMT; Date.parse alone would take almost anything for one.
  const date = value.endsWith('GMT') ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
