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
  /** Some header name repeats with several values: HTTP/2 as undici sends it would join them into one. */
  repeatsHeader?: boolean;
};

export type HttpAnswer = { status: number; headers: Dispatcher.ResponseData['headers']; text: string };
export type HttpStream = { status: number; headers: Dispatcher.ResponseData['headers']; body: Readable };

export type TransportOptions = {
  /** `h2` (default): one HTTP/2 connection for everything but watches. `http1`: a pool. */
  protocol?: 'h2' | 'http1';
  /** Requests in flight at once; more wait their turn. Default 64 (`h2`), 16 (`http1`). */
  concurrency?: number;
  /** Largest answer in bytes. Default 512 MiB. */
  responseLimit?: number;
};

/** A dispatcher for what can share a connection, one for what cannot repeat headers over HTTP/2, one for watches. */
type Dispatchers = { shared: Dispatcher; plain: Dispatcher; streams: Dispatcher };

/** `limit`: bytes of one answer, -1 for a watch, which has no end. */
type DispatcherShape = { allowH2: boolean; connections: number | null; limit: number };

const DEFAULT_RESPONSE_LIMIT = 512 << 20;
const CONNECT_TIMEOUT = 10_000;
/** When a request runs out of time and nothing has been heard for this long (milliseconds), its connection is taken for dead. */
const DEAD_AFTER = 10_000;

/**
 * HTTP to one API server. Requests share one HTTP/2 connection (fewer handshakes, less CPU, more throughput than a pool: see README);
 * every watch has an HTTP/1.1 connection of its own, so that a slow one cannot hold back the others.
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
  /** When an answer last came, or connections were last opened. */
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
    const { shared, plain } = this.#open(auth);
    const guard = new Deadline(this.#clock, request.timeout, request.signal);
    try {
      const answer = await this.#dispatch(request.repeatsHeader === true ? plain : shared, request, auth, {
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
    { signal, bodyTimeout }: { signal: AbortSignal | undefined; bodyTimeout: number },
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
   * A peer that vanished without closing (a NAT that forgot us, a node that lost power) would hold the one HTTP/2 connection until TCP gives
   * up, a quarter of an hour later. New calls get new connections; what still waits on the old ones fails and may be sent again.
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
    const h2 = this.#options.protocol !== 'http1' && this.#origin.startsWith('https:');
    const make = (options: DispatcherShape): Dispatcher => this.#dispatcher(requestTls, options);
    const limit = this.#options.responseLimit ?? DEFAULT_RESPONSE_LIMIT;
    const plain = make({ allowH2: false, connections: this.#options.protocol === 'http1' ? (this.#options.concurrency ?? 16) : 16, limit });
    return {
      shared: h2 ? make({ allowH2: true, connections: 1, limit }) : plain,
      plain,
      streams: make({ allowH2: false, connections: null, limit: -1 }),
    };
  }

  #dispatcher(requestTls: buildConnector.BuildOptions, options: DispatcherShape): Dispatcher {
    const common = {
      allowH2: options.allowH2,
      connections: options.connections,
      connectTimeout: CONNECT_TIMEOUT,
      keepAliveTimeout: 60_000,
      maxResponseSize: options.limit,
      ...(options.allowH2 ? { h2Options: { maxConcurrentStreams: this.#options.concurrency ?? 64, pingInterval: 30_000 } } : {}),
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
    await Promise.all([...new Set([old.shared, old.plain, old.streams])].map((dispatcher) => dispatcher.destroy()));
  }
}

/** A signal that aborts when the caller's does or when time is up; cheaper than AbortSignal.any over AbortSignal.timeout. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #cancel: () => void;
  readonly #caller: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#controller.abort();
  expired = false;

  constructor(clock: Clock, timeout: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    this.#cancel = clock.after(milliseconds(timeout), () => {
      this.expired = true;
      this.#controller.abort();
    });
    if (caller?.aborted === true) this.#controller.abort();
    else caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
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
