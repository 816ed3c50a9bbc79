import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../std/index.ts';

/** What a request wants to do. */
export type Action = 'pull' | 'push' | 'delete';

/** Who may use the registry, and how they prove it. */
export type RegistryAuth = {
  scheme: 'basic' | 'bearer';
  /** User names and passwords. */
  users: ReadonlyMap<string, string>;
  /** Refresh tokens accepted by POST (OAuth2), with the user they stand for. */
  refreshTokens?: ReadonlyMap<string, string>;
  /** Default: known users may do everything, nobody else anything. `user` is undefined for anonymous requests. */
  allow?: (user: string | undefined, repository: string, action: Action) => boolean;
  /** Seconds a bearer token lives. Default 300. */
  tokenLife?: number;
  /** The `service` of challenges. */
  service?: string;
};

type Grant = { user: string | undefined; scopes: readonly string[]; expiresAt: number };

/** Checks requests against a {@link RegistryAuth}, and issues bearer tokens at `/token`. */
export class Gate {
  readonly #auth: RegistryAuth;
  readonly #clock: Clock;
  readonly #secret: Uint8Array;

  /** @param secret signs the tokens; 32 random bytes */
  constructor(auth: RegistryAuth, clock: Clock, secret: Uint8Array) {
    this.#auth = auth;
    this.#clock = clock;
    this.#secret = secret;
  }

  /** True when the request may go on; else it has been answered with a challenge or a refusal. */
  admit(request: IncomingMessage, response: ServerResponse, repository: string, action: Action): boolean {
    const verdict = this.#auth.scheme === 'basic' ? this.#basic(request, repository, action) : this.#bearer(request, repository, action);
    if (verdict === 'allowed') return true;
    if (verdict === 'denied') {
      sendError(response, 403, 'DENIED', 'requested access to the resource is denied');
      return false;
    }
    response.setHeader('www-authenticate', this.#challenge(request, repository, action));
    sendError(response, 401, 'UNAUTHORIZED', 'authentication required');
    return false;
  }

  #allowed(user: string | undefined, repository: string, action: Action): boolean {
    return this.#auth.allow === undefined ? user !== undefined : this.#auth.allow(user, repository, action);
  }

  #basic(request: IncomingMessage, repository: string, action: Action): 'allowed' | 'denied' | 'unknown' {
    const user = this.#basicUser(request);
    if (this.#allowed(user, repository, action)) return 'allowed';
    return user === undefined ? 'unknown' : 'denied';
  }

  #basicUser(request: IncomingMessage): string | undefined {
    const match = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(request.headers.authorization ?? '');
    if (match?.[1] === undefined) return undefined;
    const text = Buffer.from(match[1], 'base64').toString('utf8');
    const colon = text.indexOf(':');
    const user = text.slice(0, colon);
    const password = this.#auth.users.get(user);
    return colon >= 0 && password !== undefined && same(password, text.slice(colon + 1)) ? user : undefined;
  }

  #bearer(request: IncomingMessage, repository: string, action: Action): 'allowed' | 'denied' | 'unknown' {
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const grant = token === undefined ? undefined : this.#readToken(token);
    if (grant === undefined) return 'unknown';
    if (repository === '') return 'allowed';
    return grant.scopes.includes(`${repository}:${action}`) ? 'allowed' : 'unknown';
  }

  #challenge(request: IncomingMessage, repository: string, action: Action): string {
    const service = this.#auth.service ?? 'sluice-registry';
    if (this.#auth.scheme === 'basic') return `Basic realm="${service}"`;
    const scheme = 'encrypted' in request.socket ? 'https' : 'http';
    const actions = action === 'pull' ? 'pull' : action === 'push' ? 'pull,push' : 'delete';
    const scope = repository === '' ? '' : `,scope="repository:${repository}:${actions}"`;
    return `Bearer realm="${scheme}://${request.headers.host ?? 'localhost'}/token",service="${service}"${scope}`;
  }

  /** `GET /token` (Basic or anonymous) and `POST /token` (refresh token). */
  async token(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    let user: string | undefined;
    let wanted: string[];
    if (request.method === 'POST') {
      const form = new URLSearchParams(await readText(request, 65_536));
      user = this.#auth.refreshTokens?.get(form.get('refresh_token') ?? '');
      wanted = (form.get('scope') ?? '').split(' ');
    } else {
      user = this.#basicUser(request);
      wanted = url.searchParams.getAll('scope');
    }
    if (user === undefined && (request.method === 'POST' || request.headers.authorization !== undefined)) {
      sendError(response, 401, 'UNAUTHORIZED', 'wrong user name, password or token');
      return;
    }
    const life = this.#auth.tokenLife ?? 300;
    const token = this.#writeToken({ user, scopes: this.#granted(user, wanted), expiresAt: this.#clock.now() + life * 1000 });
    sendJson(response, 200, { token, access_token: token, expires_in: life, issued_at: new Date(this.#clock.now()).toISOString() });
  }

  #granted(user: string | undefined, wanted: readonly string[]): string[] {
    const granted: string[] = [];
    for (const scope of wanted.slice(0, 20)) {
      const match = /^repository:([^:]{1,255}):([a-z,*]{1,100})$/.exec(scope);
      const repository = match?.[1];
      if (repository === undefined) continue;
      for (const action of ['pull', 'push', 'delete'] as const) {
        const asked = match?.[2]?.split(',') ?? [];
        if ((asked.includes(action) || asked.includes('*')) && this.#allowed(user, repository, action))
          granted.push(`${repository}:${action}`);
      }
    }
    return granted;
  }

  #writeToken(grant: Grant): string {
    const body = Buffer.from(JSON.stringify(grant)).toString('base64url');
    return `${body}.${this.#sign(body)}`;
  }

  #readToken(token: string): Grant | undefined {
    const [body = '', signature = ''] = token.split('.');
    if (!same(this.#sign(body), signature)) return undefined;
    const grant = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Grant;
    return grant.expiresAt > this.#clock.now() ? grant : undefined;
  }

  #sign(body: string): string {
    return createHmac('sha256', this.#secret).update(body).digest('base64url');
  }
}

function same(a: string, b: string): boolean {
  const hash = (text: string): Uint8Array => createHmac('sha256', 'compare').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

/** Reads a request's body as text; what is beyond `limit` bytes is dropped. */
export async function readText(request: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= limit) chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Answers with the spec's error body. */
export function sendError(response: ServerResponse, status: number, code: string, message: string, detail?: unknown): void {
  sendJson(response, status, { errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] });
}

/** Answers with JSON. */
export function sendJson(response: ServerResponse, status: number, value: unknown, type = 'application/json'): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, { 'content-type': type, 'content-length': body.length });
  response.end(body);
}
