import { type Backoff, backoffDelay, milliseconds, seconds, sleep } from '../std/index.ts';
import { Authorizer } from './authorizer.ts';
import { Coalescer } from './coalesce.ts';
import type { CredentialSource } from './credentials.ts';
import { isRegistryError, type RegistryError } from './errors.ts';
import { type Ask, type Body, exchange, type Wire } from './exchange.ts';
import { abortError, type Answer, answerError, retryAfter } from './http.ts';
import type { Repository } from './reference.ts';

/** What to ask a registry about one of its repositories. */
export type RegistryRequest = {
  method: Ask['method'];
  repository: Repository;
  /** Path below `/v2/<name>/`, or an absolute URL the registry gave us. */
  path: string | URL;
  /** What the token must allow. */
  actions: 'pull' | 'pull,push' | 'pull,push,delete';
  /** Further scopes, for mounts. */
  scopes?: readonly string[];
  headers?: Readonly<Record<string, string>>;
  body?: Body;
  /** Statuses that are an answer; anything else is thrown. */
  accept: readonly number[];
  what: string;
  subject: string;
};

const BACKOFF: Backoff = { base: milliseconds(250), max: seconds(10), factor: 3, jitter: 0.5 };
const RETRY_STATUS = new Set([408, 429, 500, 502, 503, 504]);
const MAX_HOSTS = 1000;

/** Talks to registries with one set of credentials: finds the scheme, authorizes, retries. */
export class Session {
  readonly #wire: Wire;
  readonly #credentials: CredentialSource;
  readonly #random: () => number;
  readonly #authorizers = new Map<string, Authorizer>();
  readonly #schemes = new Map<string, 'http:' | 'https:'>();
  readonly #probes = new Coalescer();

  constructor(wire: Wire, credentials: CredentialSource, random: () => number) {
    this.#wire = wire;
    this.#credentials = credentials;
    this.#random = random;
  }

  get wire(): Wire {
    return this.#wire;
  }

  /**
   * Sends a request until it has an acceptable answer: authorizes when asked to, waits and tries again on 408, 429, 5xx and broken
   * connections (`limits.attempts` in all).
   * @throws RegistryError
   */
  async send(request: RegistryRequest, signal: AbortSignal): Promise<Answer> {
    let before: RegistryError | undefined;
    for (let attempt = 1; ; attempt++) {
      const last = attempt >= this.#wire.limits.attempts;
      const outcome = await this.#attempt(request, attempt, last, signal).catch((error: unknown) => {
        throw signal.aborted && before !== undefined ? abortError(signal, request.what, request.subject, before) : error;
      });
      if ('answer' in outcome) return outcome.answer;
      before = outcome.error;
      await this.#pause(request, outcome.error, attempt, signal);
    }
  }

  async #attempt(
    request: RegistryRequest,
    attempt: number,
    last: boolean,
    signal: AbortSignal,
  ): Promise<{ answer: Answer } | { error: RegistryError }> {
    try {
      const answer = await this.#authorized(request, attempt, signal);
      if (request.accept.includes(answer.status)) return { answer };
      const foreign = answer.url.host !== this.#home(request).host;
      const now = this.#wire.options.clock.now();
      if (answer.status === 429 || answer.status === 503) {
        const wait = retryAfter(answer.headers, now);
        if (wait !== undefined) this.#wire.bucket(answer.url.host).pauseFor(milliseconds(Math.min(wait, 86_400_000)));
      }
      const error = await answerError(answer, request.what, request.subject, this.#wire.limits.errorBytes, foreign, now);
      if (last || !RETRY_STATUS.has(answer.status)) throw error;
      return { error };
    } catch (error) {
      if (last || !isRegistryError(error, 'RegistryUnavailable', 'Timeout', 'TooManyRequests') || signal.aborted) throw error;
      if (error.status !== undefined && !RETRY_STATUS.has(error.status)) throw error;
      return { error };
    }
  }

  async #pause(request: RegistryRequest, error: RegistryError, attempt: number, signal: AbortSignal): Promise<void> {
    // A longer wait than we are ready to make is the caller's to plan: it knows its interval.
    if (error.retryAfter !== undefined && error.retryAfter > this.#wire.limits.retryAfter) throw error;
    const delay = error.retryAfter ?? backoffDelay(BACKOFF, attempt - 1, this.#random);
    await sleep(this.#wire.options.clock, milliseconds(delay), signal).catch(() => {
      throw abortError(signal, request.what, request.subject, error);
    });
  }

  async #authorized(request: RegistryRequest, attempt: number, signal: AbortSignal): Promise<Answer> {
    const host = request.path instanceof URL ? request.path.host : request.repository.registry;
    const ask = await this.#toAsk(request, signal);
    // A URL the registry gave us may lead elsewhere: there we are nobody.
    if (host !== request.repository.registry) return exchange(this.#wire, ask, undefined, attempt, signal);
    const authorizer = this.#authorizer(host);
    let scopes: readonly string[] = [`repository:${request.repository.path}:${request.actions}`, ...(request.scopes ?? [])];
    let answer: Answer;
    for (let tries = 0; ; tries++) {
      const authorization = await authorizer.authorization(request.repository, scopes, ask, signal);
      answer = await exchange(this.#wire, ask, authorization, attempt, signal);
      if (answer.status !== 401 || tries >= 2 || answer.url.host !== host) return answer;
      const again = await authorizer.learn(answer, request.repository, scopes, authorization, signal);
      if (again === undefined) return answer;
      await answer.discard();
      scopes = again;
    }
  }

  async #toAsk(request: RegistryRequest, signal: AbortSignal): Promise<Ask> {
    const url = request.path instanceof URL ? request.path : await this.url(request.repository, request.path, signal);
    return {
      method: request.method,
      url,
      headers: request.headers ?? {},
      ...(request.body === undefined ? {} : { body: request.body }),
      what: request.what,
      subject: request.subject,
    };
  }

  #home(request: RegistryRequest): URL {
    const scheme = this.#schemes.get(request.repository.registry) ?? 'https:';
    return request.path instanceof URL ? request.path : new URL(`${scheme}//${request.repository.registry}`);
  }

  /** The URL of something below `/v2/<name>/`; finds out first whether the registry speaks TLS when plain HTTP is allowed. */
  async url(repository: Repository, path: string, signal: AbortSignal): Promise<URL> {
    const scheme = await this.scheme(repository.registry, signal);
    return new URL(`${scheme}//${repository.registry}/v2/${repository.path === '' ? '' : `${repository.path}/`}${path}`);
  }

  /** `https:`, or `http:` for a registry that may be plain HTTP (insecure, loopback or private address) and is. */
  async scheme(registry: string, signal: AbortSignal): Promise<'http:' | 'https:'> {
    const known = this.#schemes.get(registry);
    if (known !== undefined) return known;
    if (!this.#wire.insecure && !isLocal(registry)) return 'https:';
    return this.#probes.run(registry, signal, async (shared) => {
      const scheme = await this.#probe(registry, shared);
      if (this.#schemes.size >= MAX_HOSTS) this.#schemes.clear();
      this.#schemes.set(registry, scheme);
      return scheme;
    });
  }

  async #probe(registry: string, signal: AbortSignal): Promise<'http:' | 'https:'> {
    const ask = (scheme: string): Ask => ({
      method: 'GET',
      url: new URL(`${scheme}//${registry}/v2/`),
      headers: {},
      what: `ping registry ${JSON.stringify(registry)}`,
      subject: registry,
    });
    try {
      const answer = await exchange(this.#wire, ask('https:'), undefined, 1, signal);
      await answer.discard();
      return 'https:';
    } catch (tlsError) {
      if (signal.aborted) throw tlsError;
      // There was an answer over TLS; that it leads somewhere we do not go is for the request itself to find out.
      if (isRegistryError(tlsError, 'RedirectRefused', 'LimitExceeded')) return 'https:';
      try {
        const answer = await exchange(this.#wire, ask('http:'), undefined, 1, signal);
        await answer.discard();
        return 'http:';
      } catch (error) {
        // A certificate we refuse is the better story than what plain HTTP made of a TLS port.
        throw isRegistryError(tlsError, 'TlsFailed') && isCertificateError(tlsError) ? tlsError : error;
      }
    }
  }

  #authorizer(host: string): Authorizer {
    let authorizer = this.#authorizers.get(host);
    if (authorizer === undefined) {
      if (this.#authorizers.size >= MAX_HOSTS) this.#authorizers.clear();
      authorizer = new Authorizer(host, this.#credentials, this.#wire);
      this.#authorizers.set(host, authorizer);
    }
    return authorizer;
  }
}

function isCertificateError(error: RegistryError): boolean {
  return !/EPROTO|ERR_SSL/.test(error.message);
}

/** Registries go-containerregistry lets speak plain HTTP without being told so: loopback, `*.localhost` and RFC 1918 addresses. */
export function isLocal(registry: string): boolean {
  const name = registry.replace(/:\d+$/, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(name) ||
    /^10\.\d+\.\d+\.\d+$/.test(name) ||
    /^192\.168\.\d+\.\d+$/.test(name) ||
    /^172\.(1[6-9]|2\d|3[01])\.\d+\.\d+$/.test(name)
  );
}
