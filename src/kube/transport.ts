import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { Pool, ProxyAgent, Socks5ProxyAgent, errors, type Dispatcher, type buildConnector } from 'undici';
import { errorMessage, milliseconds, redact, type Clock } from '../std/index.ts';
import type { ClusterConfig } from './cluster-config.ts';
import type { AuthMaterial } from './credentials.ts';
import { KubeError } from './errors.ts';

/** One HTTP request. Headers are a flat list, so that a name may repeat. */
export type HttpRequest = {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with query, below the server's own path. */
  path: string;
  headers: readonly string[];
  body?: string | undefined;
  /** Milliseconds until the whole answer must be there (for streams: its headers). */
  timeout: number;
  signal?: AbortSignal | undefined;
};

export type HttpAnswer = { status: number; headers: Dispatcher.ResponseData['headers']; text: string };
export type HttpStream = { status: number; headers: Dispatcher.ResponseData['headers']; body: Readable };

export type TransportOptions = {
  /** Connections for calls, opened as they are needed; more calls than this wait their turn. Default 32. Watches have their own. */
  connections?: number;
  /** Largest answer in bytes. Default 512 MiB. */
  responseLimit?: number;
};

/** Where calls go, and where watches go. */
type Dispatchers = { calls: Dispatcher; streams: Dispatcher };

/** `limit`: bytes of one answer, -1 for a watch, which has no end. */
type DispatcherShape = { connections: number | null; limit: number };

const DEFAULT_CONNECTIONS = 32;
const DEFAULT_RESPONSE_LIMIT = 512 << 20;
const CONNECT_TIMEOUT = 10_000;
/** When a call runs out of time and no call was answered for this long (milliseconds), all connections are taken for dead. */
const DEAD_AFTER = 10_000;

/**
 * HTTP/1.1 to one API server: a pool of connections for calls, one connection for each watch. Not HTTP/2: undici's loses requests when a
 * connection is cut while it is being set up (they neither succeed nor fail), joins repeated headers, and is no faster here (README).
 */
export class Transport {
  readonly #config: ClusterConfig;
  readonly #options: TransportOptions;
  readonly #clock: Clock;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #proxy: string | undefined;
  #dispatchers: Dispatchers | undefined;
  #certificate: string | undefined;
  #closed = false;
  /** When a call was last answered, or the first connection was opened. */
  #heard = 0;

  constructor(config: ClusterConfig, options: TransportOptions & { proxy?: string | undefined }, clock: Clock) {
    const url = new URL(config.server);
    this.#config = config;
    this.#options = options;
    this.#clock = clock;
    this.#origin = url.origin;
    this.#prefix = url.pathname === '/' ? '' : url.pathname.replace(/\/+$/, '');
    this.#proxy = config.proxyUrl ?? options.proxy;
  }

  /** Sends a request and reads the whole answer. @throws KubeError `ConnectionFailed`, `Timeout`, `Aborted`, `LimitExceeded` */
  async send(request: HttpRequest, auth: AuthMaterial, what: string): Promise<HttpAnswer> {
    const { calls } = this.#open(auth);
    const guard = new Deadline(this.#clock, request.timeout, request.signal);
    try {
      request.signal?.throwIfAborted();
      const answer = await this.#dispatch(calls, request, auth, {
        signal: guard.signal,
        bodyTimeout: request.timeout,
      });
      const text = await answer.body.text();
      this.#heard = this.#clock.now();
      return { status: answer.statusCode, headers: answer.headers, text };
    } catch (error) {
      if (guard.expired) this.#replaceIfDead();
      throw toKubeError(error, what, guard, request.timeout);
    } finally {
      guard.dispose();
    }
  }

  /** Sends a request and gives the answer's body as it comes. Aborting `signal` ends it. */
  async stream(request: HttpRequest, auth: AuthMaterial, what: string): Promise<HttpStream> {
    const { streams } = this.#open(auth);
    const guard = new Deadline(this.#clock, request.timeout, request.signal);
    try {
      const answer = await this.#dispatch(streams, request, auth, { signal: request.signal, bodyTimeout: 0 });
      return { status: answer.statusCode, headers: answer.headers, body: answer.body };
    } catch (error) {
      throw toKubeError(error, what, guard, request.timeout);
    } finally {
      guard.dispose();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#destroy();
  }

  #dispatch(
    dispatcher: Dispatcher,
    request: HttpRequest,
    auth: AuthMaterial,
    { signal, bodyTimeout }: { signal: AbortSignal | EventEmitter | undefined; bodyTimeout: number },
  ): Promise<Dispatcher.ResponseData> {
    const headers = auth.authorization === undefined ? [...request.headers] : [...request.headers, 'authorization', auth.authorization];
    return dispatcher.request({
      origin: this.#origin,
      path: `${this.#prefix}${request.path}`,
      method: request.method,
      headers,
      ...(request.body === undefined ? {} : { body: request.body }),
      ...(signal === undefined ? {} : { signal }),
      headersTimeout: request.timeout,
      // Else undici closes the connection after a DELETE with a body, which every delete with preconditions is.
      reset: false,
      bodyTimeout,
    });
  }

  #open(auth: AuthMaterial): Dispatchers {
    if (this.#closed)
      throw new KubeError({ code: 'Aborted', message: `connect to ${this.#origin}: client is closed`, subject: this.#origin });
    if (this.#dispatchers !== undefined && auth.cert !== this.#certificate) {
      // An exec plugin renewed its client certificate: connections made with the old one must not be used again.
      void this.#destroy();
    }
    this.#certificate = auth.cert;
    if (this.#dispatchers === undefined) {
      this.#dispatchers = this.#create(auth);
      this.#heard = this.#clock.now();
    }
    return this.#dispatchers;
  }

  /**
   * A peer that vanished without closing (a NAT that forgot us, a node that lost power) leaves a pool of dead connections, each good for one
   * more call that hangs. All are replaced, the watches' too.
   */
  #replaceIfDead(): void {
    if (this.#clock.now() - this.#heard >= DEAD_AFTER) void this.#destroy();
  }

  #create(auth: AuthMaterial): Dispatchers {
    const { tls } = this.#config;
    const cert = auth.cert ?? tls.cert;
    const key = auth.key ?? tls.key;
    const requestTls: buildConnector.BuildOptions = {
      ...(tls.ca === undefined ? {} : { ca: asPem(tls.ca) }),
      ...(cert === undefined ? {} : { cert: asPem(cert) }),
      ...(key === undefined ? {} : { key: asPem(key) }),
      ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
      ...(tls.insecureSkipVerify === true ? { rejectUnauthorized: false } : {}),
      // TCP probes notice a peer that vanished without a word.
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      timeout: CONNECT_TIMEOUT,
    };
    const { connections = DEFAULT_CONNECTIONS, responseLimit = DEFAULT_RESPONSE_LIMIT } = this.#options;
    return {
      calls: this.#dispatcher(requestTls, { connections, limit: responseLimit }),
      streams: this.#dispatcher(requestTls, { connections: null, limit: -1 }),
    };
  }

  #dispatcher(requestTls: buildConnector.BuildOptions, options: DispatcherShape): Dispatcher {
    const common = {
      allowH2: false,
      connections: options.connections,
      connectTimeout: CONNECT_TIMEOUT,
      keepAliveTimeout: 60_000,
      maxResponseSize: options.limit,
    };
    if (this.#proxy === undefined) return new Pool(this.#origin, { ...common, connect: requestTls });
    const scheme = new URL(this.#proxy).protocol;
    if (scheme.startsWith('socks5')) return new Socks5ProxyAgent(this.#proxy.replace(/^socks5h:/, 'socks5:'), { ...common, requestTls });
    return new ProxyAgent({ ...common, uri: this.#proxy, requestTls });
  }

  async #destroy(): Promise<void> {
    const old = this.#dispatchers;
    this.#dispatchers = undefined;
    if (old === undefined) return;
    await Promise.all([old.calls.destroy(), old.streams.destroy()]);
  }
}

/** Ends a call when the caller's signal aborts or time is up; an emitter, for an AbortController costs several times as much in each call. */
class Deadline {
  /** Says `abort`, once. */
  readonly signal: EventEmitter = new EventEmitter();
  readonly #cancel: () => void;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = (): void => void this.signal.emit('abort');
  expired = false;

  constructor(clock: Clock, timeout: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#cancel = clock.after(milliseconds(timeout), () => {
      this.expired = true;
      this.#onAbort();
    });
    caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get callerAborted(): boolean {
    return this.#caller?.aborted === true;
  }

  dispose(): void {
    this.#cancel();
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }
}

function toKubeError(error: unknown, what: string, guard: { expired: boolean; callerAborted: boolean }, timeout: number): KubeError {
  if (error instanceof KubeError) return error;
  if (guard.callerAborted) return new KubeError({ code: 'Aborted', message: `${what}: aborted`, subject: what, cause: error });
  if (error instanceof errors.ResponseExceededMaxSizeError) {
    return new KubeError({
      code: 'LimitExceeded',
      message: `${what}: answer is larger than this client accepts`,
      subject: what,
      cause: error,
    });
  }
  const late = guard.expired || error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError;
  if (late)
    return new KubeError({ code: 'Timeout', message: `${what}: no answer within ${timeout / 1000} s`, subject: what, cause: error });
  return new KubeError({ code: 'ConnectionFailed', message: `${what}: ${redact(connectionCause(error))}`, subject: what, cause: error });
}

/** Node's errors for failed connections may carry their text only in `errors` (happy eyeballs) or `cause`. */
function connectionCause(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(errorMessage).join('; ');
  const text = errorMessage(error);
  return text === '' ? 'connection failed' : text;
}

function asPem(value: string | Uint8Array): string | Buffer {
  return typeof value === 'string' ? value : Buffer.from(value);
}
