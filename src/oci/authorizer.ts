import { type Clock, isCodedError, Lru, readBounded } from '../std/index.ts';
import { parseChallenges } from './challenge.ts';
import { Coalescer } from './coalesce.ts';
import { type Credential, type CredentialSource, fingerprint } from './credentials.ts';
import { isRegistryError, RegistryError } from './errors.ts';
import { type Ask, exchange, type Wire } from './exchange.ts';
import { type Answer, answerError, transportError } from './http.ts';
import type { Repository } from './reference.ts';

/** What a registry asked for on its last 401. */
type Demand = { scheme: 'basic' } | { scheme: 'bearer'; realm: URL; service: string | undefined };

type Token = { value: string; expiresAt: number };

/** Tokens kept; scopes are per repository, so this is about as many repositories. */
const MAX_TOKENS = 10_000;
/** A token is renewed this long before it ends, or after nine tenths of its life. */
const RENEW_BEFORE = 10_000;
/** What a token answer without `expires_in` means (distribution token spec). */
const DEFAULT_LIFE = 60;

/** Who we are towards one host: remembers what it asked for, and the tokens it gave, by scope set. */
export class Authorizer {
  readonly #host: string;
  readonly #credentials: CredentialSource;
  readonly #wire: Wire;
  readonly #clock: Clock;
  readonly #tokens = new Lru<string, Token>(MAX_TOKENS);
  readonly #refreshTokens = new Lru<string, string>(100);
  readonly #coalescer = new Coalescer();
  #demand: Demand | undefined;

  /** @param host the registry's host[:port], the only place its client certificate is shown */
  constructor(host: string, credentials: CredentialSource, wire: Wire) {
    this.#host = host;
    this.#credentials = credentials;
    this.#wire = wire;
    this.#clock = wire.options.clock;
  }

  /** The Authorization header for a request; undefined before the registry asked for one (anonymous first). */
  async authorization(repository: Repository, scopes: readonly string[], ask: Ask, signal: AbortSignal): Promise<string | undefined> {
    const demand = this.#demand;
    if (demand === undefined) return undefined;
    const credential = await this.#credentials.credentialFor(repository, signal);
    if (credential.kind === 'registryToken') return `Bearer ${headerSafe(credential.token, ask)}`;
    if (demand.scheme === 'basic') return credential.kind === 'basic' ? basic(credential) : undefined;
    try {
      return `Bearer ${(await this.#token(demand, credential, scopes, ask, signal)).value}`;
    } catch (error) {
      if (!isRegistryError(error, 'AuthenticationFailed') || this.#credentials.refused?.(repository, credential) !== true) throw error;
      const fresh = await this.#credentials.credentialFor(repository, signal);
      return `Bearer ${(await this.#token(demand, fresh, scopes, ask, signal)).value}`;
    }
  }

  /**
   * Learns from a 401. Returns the scopes to try again with, or undefined when another try would send the same thing again.
   * @param sent the header the refused request carried
   */
  async learn(
    answer: Answer,
    repository: Repository,
    scopes: readonly string[],
    sent: string | undefined,
    signal: AbortSignal,
  ): Promise<readonly string[] | undefined> {
    const challenge = parseChallenges(answer.headers['www-authenticate']).find(
      (entry) => entry.scheme === 'bearer' || entry.scheme === 'basic',
    );
    if (challenge === undefined) return undefined;
    const credential = await this.#credentials.credentialFor(repository, signal);
    if (challenge.scheme === 'basic') {
      this.#demand = { scheme: 'basic' };
      const again = sent === undefined || this.#credentials.refused?.(repository, credential) === true;
      return again && credential.kind === 'basic' ? scopes : undefined;
    }
    const realm = this.#realm(challenge.parameters['realm'], answer.url);
    this.#demand = { scheme: 'bearer', realm, service: challenge.parameters['service'] };
    if (sent !== undefined && credential.kind === 'registryToken') return undefined;
    const asked = (challenge.parameters['scope'] ?? '').split(' ').filter((scope) => scope !== '');
    const wanted = mergeScopes([...scopes, ...asked.slice(0, 20)]);
    // A token that was refused although it is not old: drop it, so that the next try gets a fresh one.
    this.#tokens.delete(tokenKey(this.#demand, credential, wanted));
    return wanted;
  }

  #realm(text: string | undefined, from: URL): URL {
    const realm = text === undefined ? null : URL.parse(text, from.href);
    const refuse = (cause: string): RegistryError =>
      new RegistryError({
        code: 'AuthenticationFailed',
        message: `authorize at ${JSON.stringify(from.host)}: ${cause}`,
        subject: from.host,
      });
    if (realm === null || (realm.protocol !== 'https:' && realm.protocol !== 'http:')) throw refuse('challenge has no usable realm');
    if (realm.protocol === 'http:' && from.protocol === 'https:' && !this.#wire.insecure)
      throw refuse('the token realm of an https registry is plain http');
    return realm;
  }

  #token(
    demand: Demand & { scheme: 'bearer' },
    credential: Credential,
    scopes: readonly string[],
    ask: Ask,
    signal: AbortSignal,
  ): Promise<Token> {
    const key = tokenKey(demand, credential, scopes);
    const known = this.#tokens.get(key);
    if (known !== undefined && known.expiresAt > this.#clock.now()) return Promise.resolve(known);
    return this.#coalescer.run(key, signal, async (shared) => {
      const token = await this.#fetchToken(demand, credential, scopes, ask, shared);
      this.#tokens.set(key, token);
      return token;
    });
  }

  async #fetchToken(
    demand: Demand & { scheme: 'bearer' },
    credential: Credential,
    scopes: readonly string[],
    ask: Ask,
    signal: AbortSignal,
  ): Promise<Token> {
    const what = `get token from ${JSON.stringify(demand.realm.host)} to ${ask.what}`;
    const request =
      credential.kind === 'identityToken' ? this.#refresh(demand, credential, scopes, what) : this.#login(demand, credential, scopes, what);
    const answer = await exchange(this.#wire, request.ask, request.authorization, 1, signal);
    if (answer.status !== 200) throw await answerError(answer, what, ask.subject, this.#wire.limits.errorBytes, false, this.#clock.now());
    const bytes = await readBounded(answer.body, this.#wire.limits.tokenBytes, 'token').catch((error: unknown) => {
      throw transportErrorOrBound(error, what, ask.subject, signal);
    });
    return this.#readToken(bytes, credential, ask, what);
  }

  /** OAuth2 refresh (distribution spec "token/oauth"; ACR): POST with the refresh token. */
  #refresh(
    demand: Demand & { scheme: 'bearer' },
    credential: Credential & { kind: 'identityToken' },
    scopes: readonly string[],
    what: string,
  ): { ask: Ask; authorization: undefined } {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      service: demand.service ?? demand.realm.host,
      client_id: 'sluice',
      scope: scopes.join(' '),
      refresh_token: this.#refreshTokens.get(fingerprint('refresh', credential)) ?? credential.token,
    });
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
    return {
      ask: {
        method: 'POST',
        url: demand.realm,
        headers,
        body: { bytes: Buffer.from(form.toString()) },
        identify: demand.realm.host === this.#host,
        what,
        subject: demand.realm.host,
      },
      authorization: undefined,
    };
  }

  /** Token request by GET (distribution spec "token/jwt"), with Basic credentials or anonymous. */
  #login(
    demand: Demand & { scheme: 'bearer' },
    credential: Credential,
    scopes: readonly string[],
    what: string,
  ): { ask: Ask; authorization: string | undefined } {
    const url = new URL(demand.realm);
    if (demand.service !== undefined) url.searchParams.set('service', demand.service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const authorization = credential.kind === 'basic' ? basic(credential) : undefined;
    if (credential.kind === 'basic') url.searchParams.set('account', credential.username);
    return {
      ask: {
        method: 'GET',
        url,
        headers: { accept: 'application/json' },
        identify: demand.realm.host === this.#host,
        what,
        subject: demand.realm.host,
      },
      authorization,
    };
  }

  #readToken(bytes: Uint8Array, credential: Credential, ask: Ask, what: string): Token {
    const invalid = (cause: string): RegistryError =>
      new RegistryError({ code: 'AuthenticationFailed', message: `${what}: ${cause}`, subject: ask.subject });
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(bytes).toString('utf8'));
    } catch {
      throw invalid('the answer is not JSON');
    }
    const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
    const token = typeof fields['token'] === 'string' && fields['token'] !== '' ? fields['token'] : fields['access_token'];
    if (typeof token !== 'string' || token === '') throw invalid('the answer has no token');
    if (credential.kind === 'identityToken' && typeof fields['refresh_token'] === 'string' && fields['refresh_token'] !== '') {
      this.#refreshTokens.set(fingerprint('refresh', credential), fields['refresh_token']);
    }
    const stated = fields['expires_in'];
    const life = (typeof stated === 'number' && stated > 0 ? Math.min(stated, 86_400) : DEFAULT_LIFE) * 1000;
    return { value: headerSafe(token, ask), expiresAt: this.#clock.now() + life - Math.min(RENEW_BEFORE, life / 10) };
  }
}

/** Scopes with the actions of equal resources put together: `repository:a:pull` and `repository:a:pull,push` are one. */
export function mergeScopes(scopes: readonly string[]): string[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes) {
    const colon = scope.lastIndexOf(':');
    const resource = scope.slice(0, Math.max(0, colon));
    const known = actions.get(resource) ?? new Set<string>();
    for (const action of scope.slice(colon + 1).split(',')) known.add(action);
    actions.set(resource, known);
  }
  return [...actions].map(([resource, set]) => `${resource}:${[...set].sort().join(',')}`).sort();
}

function tokenKey(demand: Demand, credential: Credential, scopes: readonly string[]): string {
  const where = demand.scheme === 'bearer' ? [demand.realm.href, demand.service] : [];
  return fingerprint('token', where, credential, mergeScopes(scopes));
}

function basic(credential: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

/** A token goes into a header verbatim: one that would break out of it is refused. */
function headerSafe(token: string, ask: Ask): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw new RegistryError({
    code: 'AuthenticationFailed',
    message: `${ask.what}: the token has characters a header cannot carry`,
    subject: ask.subject,
  });
}

function transportErrorOrBound(error: unknown, what: string, subject: string, signal: AbortSignal): RegistryError {
  if (isCodedError(error, 'LimitExceeded'))
    return new RegistryError({ code: 'LimitExceeded', message: `${what}: ${error.message}`, subject, cause: error, retryable: false });
  return transportError(error, what, subject, signal);
}
