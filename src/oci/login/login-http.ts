import { request } from 'undici';
import { backoffDelay, errorMessage, milliseconds, readBounded, redact, seconds, sleep, type Backoff } from '../../std/index.ts';
import type { ProxyOptions } from '../client-types.ts';
import type { RegistryError } from '../errors.ts';
import { abortError } from '../http.ts';
import { Transport } from '../transport.ts';
import { loginError, refusalWords } from './login-error.ts';
import type { LoginHost } from './login-host.ts';

/** One request of a login. */
export type LoginRequest = {
  method: 'GET' | 'POST' | 'PUT';
  url: URL;
  headers?: Readonly<Record<string, string>>;
  body?: string;
  /** `do what at which place`, for errors. */
  what: string;
  remedy?: string;
};

/** An answer's text, already known to be a success. */
export type LoginAnswer = { text: string };

/** Largest answer read: tokens are a few KiB. */
const ANSWER_BYTES = 256 * 1024;
/** Tries of one request. */
const ATTEMPTS = 3;
const BACKOFF: Backoff = { base: milliseconds(200), max: seconds(2), factor: 3, jitter: 0.5 };
/** Longest silence of a service on the internet. */
const REMOTE_IDLE = 10_000;
/** Longest silence of a metadata service: it is on this machine, or not there at all. */
const LOCAL_IDLE = 2000;

/** Sends the requests of logins: bounded, never redirected, tried again when the service is in trouble. */
export class LoginHttp {
  readonly #host: LoginHost;
  readonly #remote: Transport;
  readonly #local: Transport;

  /** @param proxy for services on the internet; metadata services are always asked directly */
  constructor(host: LoginHost, proxy: ProxyOptions) {
    this.#host = host;
    const settings = { tls: {}, insecure: false, connections: 4 };
    this.#remote = new Transport({ ...settings, proxy, idle: REMOTE_IDLE });
    this.#local = new Transport({ ...settings, proxy: {}, idle: LOCAL_IDLE });
  }

  /** Sends a request to a service on the internet. @throws RegistryError `AuthenticationFailed` */
  send(ask: LoginRequest, signal: AbortSignal): Promise<LoginAnswer> {
    return this.#send(ask, this.#remote, signal);
  }

  /** Sends a request to a metadata service of the node or the pod. @throws RegistryError `AuthenticationFailed` */
  sendLocal(ask: LoginRequest, signal: AbortSignal): Promise<LoginAnswer> {
    return this.#send(ask, this.#local, signal);
  }

  async #send(ask: LoginRequest, transport: Transport, signal: AbortSignal): Promise<LoginAnswer> {
    for (let attempt = 1; ; attempt++) {
      const outcome = await this.#attempt(ask, transport, signal);
      if ('text' in outcome) return outcome;
      if (attempt >= ATTEMPTS || !outcome.again) throw outcome.error;
      await sleep(this.#host.clock, milliseconds(backoffDelay(BACKOFF, attempt - 1, this.#host.random)), signal).catch(() => {
        throw abortError(signal, ask.what, ask.url.host, outcome.error);
      });
    }
  }

  async #attempt(
    ask: LoginRequest,
    transport: Transport,
    signal: AbortSignal,
  ): Promise<LoginAnswer | { error: RegistryError; again: boolean }> {
    const fail = (cause: string, again: boolean, error?: unknown): { error: RegistryError; again: boolean } => ({
      error: loginError(ask.what, cause, { ...(ask.remedy === undefined ? {} : { remedy: ask.remedy }), cause: error }),
      again,
    });
    const url = this.#host.route?.(ask.url) ?? ask.url;
    try {
      const response = await request(url, {
        dispatcher: transport.dispatcher(url, false),
        method: ask.method,
        headers: { 'user-agent': 'sluice', ...ask.headers },
        body: ask.body ?? null,
        signal,
      });
      const bytes = await readBounded(response.body, ANSWER_BYTES, 'answer');
      const text = Buffer.from(bytes).toString('utf8');
      if (response.statusCode === 200) return { text };
      const words = refusalWords(text);
      const again = response.statusCode >= 500 || response.statusCode === 429 || response.statusCode === 408;
      return fail(`${ask.url.host} answered ${response.statusCode}${words === '' ? '' : ` (${words})`}`, again);
    } catch (error) {
      if (signal.aborted) throw abortError(signal, ask.what, ask.url.host, error);
      return fail(`${ask.url.host}: ${redact(errorMessage(error))}`, true, error);
    }
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await Promise.all([this.#remote.close(), this.#local.close()]);
  }
}
