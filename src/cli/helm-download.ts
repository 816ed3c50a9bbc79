import type { SecureContext } from 'node:tls';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import { CodedError, isCodedError, readBounded } from '../std/index.ts';
import { environmentProxy } from './artifact-registry.ts';
import { goNetworkText, isTimeout } from './helm-network-error.ts';
import { readIdentity, secureContext, type Identity, type IdentityFlags } from './helm-tls.ts';

/** Milliseconds one download may take (Helm's DefaultHTTPTimeout). */
export const DOWNLOAD_DEADLINE = 120_000;
/** Redirects of one download, as Go's client has it. */
export const MAX_REDIRECTS = 10;

/** Who we are to chart repositories and whom we trust: Helm's flags. */
export type DownloadFlags = IdentityFlags & {
  username?: string;
  password?: string;
  passCredentials?: boolean;
  insecureSkipTlsVerify?: boolean;
};

export type DownloadRequest = {
  url: string;
  /** Bytes of the body. */
  limit: number;
  /** The server the credentials are for; default the one of `url`. */
  home?: string;
  accept?: string;
};

export type DownloadsOptions = { signal: AbortSignal; deadline?: number; environment?: Readonly<Record<string, string | undefined>> };

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Gets files over HTTP as Helm does. Credentials and the client certificate go to the server they are for and never follow a redirect to
 * another one; every download has a deadline and a limit. Opens nothing before the first request.
 */
export class Downloads implements AsyncDisposable {
  readonly #flags: DownloadFlags;
  readonly #options: DownloadsOptions;
  readonly #identity: Identity;
  readonly #dispatchers = new Map<string, Dispatcher>();

  /** @throws CodedError `UsageInvalid` for certificate files that cannot be read */
  constructor(flags: DownloadFlags, options: DownloadsOptions) {
    this.#flags = flags;
    this.#options = options;
    this.#identity = readIdentity(flags);
  }

  /** The whole body. @throws CodedError `DownloadFailed`, `Timeout`, `LimitExceeded`, with Helm's text where Helm has one */
  async get({ url: href, limit, home = href, accept }: DownloadRequest): Promise<Uint8Array> {
    const signal = AbortSignal.any([this.#options.signal, AbortSignal.timeout(this.#options.deadline ?? DOWNLOAD_DEADLINE)]);
    const first = parseHttpUrl(href);
    let trusted = this.#flags.passCredentials === true || first.origin === parseHttpUrl(home).origin;
    let asked = href;
    for (let url = first, hops = 1; ; hops++) {
      const response = await this.#send(url, asked, trusted, accept, signal);
      const location = REDIRECTS.has(response.statusCode) ? response.headers['location'] : undefined;
      if (typeof location !== 'string') return await body(response, href, limit, signal);
      response.body.on('error', () => {}).destroy();
      if (hops >= MAX_REDIRECTS) throw failed(`Get ${JSON.stringify(location)}: stopped after ${MAX_REDIRECTS} redirects`, href);
      const target = redirectTarget(url, location);
      trusted &&= isSameServer(url, target);
      asked = location;
      url = target;
    }
  }

  async #send(
    url: URL,
    asked: string,
    trusted: boolean,
    accept: string | undefined,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    const { username = '', password = '' } = this.#flags;
    const authorization = trusted && username !== '' && password !== '' ? basic(username, password) : userInfo(url);
    try {
      return await request(withoutUserInfo(url), {
        dispatcher: this.#dispatcher(url, trusted),
        signal,
        headers: {
          'user-agent': 'sluice',
          ...(accept === undefined ? {} : { accept }),
          ...(authorization === undefined ? {} : { authorization }),
        },
      });
    } catch (error) {
      throw networkError(error, `Get ${JSON.stringify(asked)}: `, 'awaiting headers', url.hostname, signal);
    }
  }

  #dispatcher(url: URL, trusted: boolean): Dispatcher {
    const { httpProxy, httpsProxy, noProxy } = environmentProxy(this.#options.environment ?? process.env);
    const proxy = isLoopback(url.hostname) ? undefined : url.protocol === 'https:' ? httpsProxy : httpProxy;
    const key = `${trusted} ${proxy ?? ''}`;
    let dispatcher = this.#dispatchers.get(key);
    if (dispatcher === undefined) {
      const tls = this.#tls(trusted);
      const options = { connections: 1, headersTimeout: 0, bodyTimeout: 0 };
      if (proxy === undefined) dispatcher = new Agent({ ...options, connect: tls });
      else
        dispatcher = new EnvHttpProxyAgent({
          ...options,
          httpProxy: proxy,
          httpsProxy: proxy,
          noProxy: noProxy ?? '',
          connect: tls,
          requestTls: tls,
        });
      this.#dispatchers.set(key, dispatcher);
    }
    return dispatcher;
  }

  #tls(trusted: boolean): { rejectUnauthorized: boolean; secureContext?: SecureContext } {
    const rejectUnauthorized = this.#flags.insecureSkipTlsVerify !== true;
    const { ca, cert, key } = this.#identity;
    const material = { ...(ca === undefined ? {} : { ca }), ...(trusted && cert !== undefined ? { cert, key } : {}) };
    return Object.keys(material).length === 0 ? { rejectUnauthorized } : { rejectUnauthorized, secureContext: secureContext(material) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }
}

async function body(
  { statusCode, statusText, headers, body: stream }: Dispatcher.ResponseData,
  href: string,
  limit: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  try {
    if (statusCode !== 200) throw failed(`failed to fetch ${href} : ${`${statusCode} ${statusText}`.trim()}`, href);
    if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(href, limit);
    return await readBounded(stream, limit, href);
  } catch (error) {
    stream.on('error', () => {}).destroy();
    if (isCodedError(error)) throw error;
    throw networkError(error, '', 'reading body', '', signal);
  }
}

function redirectTarget(from: URL, location: string): URL {
  const target = URL.parse(location, from.href);
  if (target === null) throw failed(`failed to parse Location header ${JSON.stringify(location)}`, from.href);
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    throw failed(`Get ${JSON.stringify(location)}: unsupported protocol scheme ${JSON.stringify(target.protocol.slice(0, -1))}`, from.href);
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw failed(`Get ${JSON.stringify(location)}: redirect from https to http refused`, from.href);
  }
  // What a server says about whom to be is not ours to use.
  target.username = '';
  target.password = '';
  return target;
}

/** The same origin, or the same host turned from http to https on the usual ports. */
function isSameServer(from: URL, to: URL): boolean {
  const upgraded = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === '';
  return from.origin === to.origin || (upgraded && from.hostname === to.hostname);
}

function parseHttpUrl(href: string): URL {
  const url = URL.parse(href);
  if (url === null) throw failed(`parse ${JSON.stringify(href)}: not a URL`, href);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw failed(`scheme ${JSON.stringify(url.protocol.slice(0, -1))} not supported`, href);
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

function userInfo({ username, password }: URL): string | undefined {
  return username === '' && password === '' ? undefined : basic(decodeURIComponent(username), decodeURIComponent(password));
}

function withoutUserInfo(url: URL): URL {
  const plain = new URL(url);
  plain.username = '';
  plain.password = '';
  return plain;
}

function basic(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

function networkError(
  error: unknown,
  before: string,
  phase: string,
  host: string,
  signal: AbortSignal,
): CodedError<'DownloadFailed' | 'Timeout'> {
  const late = isTimeout(error, signal);
  const cause = late ? `context deadline exceeded (Client.Timeout exceeded while ${phase})` : goNetworkText(error, host);
  return new CodedError({ code: late ? 'Timeout' : 'DownloadFailed', message: before + cause, cause: error, retryable: true });
}

function failed(message: string, subject: string): CodedError<'DownloadFailed'> {
  return new CodedError({ code: 'DownloadFailed', message, subject, retryable: false });
}

function tooLarge(href: string, limit: number): CodedError<'LimitExceeded'> {
  return new CodedError({ code: 'LimitExceeded', message: `read ${href}: more than ${limit} bytes`, subject: href, retryable: false });
}
