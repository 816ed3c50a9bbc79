import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../std/index.ts';
import { serviceAccountUser, type User } from './user.ts';

/** What a service account token says. */
export type TokenClaims = { namespace: string; name: string; uid: string; audiences: readonly string[]; expires: number };

/** Most bytes of a token that is looked at. */
const TOKEN_LIMIT = 16_384;

/** Issues and checks bearer tokens: one for the administrator, and signed ones for service accounts (TokenRequest). */
export class Tokens {
  /** The administrator's token, for the kubeconfig. */
  readonly admin: string;
  readonly #key: Buffer;
  readonly #clock: Clock;

  constructor(clock: Clock, key: Buffer = randomBytes(32)) {
    this.#clock = clock;
    this.#key = key;
    this.admin = createHmac('sha256', key).update('admin').digest('hex');
  }

  /** A token for a service account. `lifetime` is in seconds. */
  issue(
    account: { namespace: string; name: string; uid: string },
    audiences: readonly string[],
    lifetime: number,
  ): { token: string; expires: number } {
    const expires = Math.floor(this.#clock.now() / 1000) + lifetime;
    const header = encode({ alg: 'HS256', typ: 'JWT' });
    const claims = {
      aud: audiences,
      exp: expires,
      iss: 'https://kubernetes.default.svc.cluster.local',
      sub: `system:serviceaccount:${account.namespace}:${account.name}`,
      'kubernetes.io': { namespace: account.namespace, serviceaccount: { name: account.name, uid: account.uid } },
    };
    const body = `${header}.${encode(claims)}`;
    return { token: `${body}.${this.#sign(body)}`, expires };
  }

  /** Who a token stands for; undefined when it is unknown, altered or expired. */
  user(token: string): User | undefined {
    if (token.length > TOKEN_LIMIT) return undefined;
    if (equal(token, this.admin)) return { name: 'admin', uid: '', groups: ['system:masters', 'system:authenticated'], extra: {} };
    const cut = token.lastIndexOf('.');
    if (cut < 0 || !equal(token.slice(cut + 1), this.#sign(token.slice(0, cut)))) return undefined;
    const claims = decode(token.slice(0, cut).split('.')[1] ?? '');
    if (claims === undefined || claims.exp * 1000 <= this.#clock.now()) return undefined;
    const { namespace, serviceaccount } = claims['kubernetes.io'];
    return serviceAccountUser(namespace, serviceaccount.name, serviceaccount.uid);
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url');
  }
}

type Claims = { exp: number; 'kubernetes.io': { namespace: string; serviceaccount: { name: string; uid: string } } };

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

/** The claims of a token whose signature is ours already, so its shape is too. */
function decode(part: string): Claims | undefined {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString()) as Claims;
  } catch {
    return undefined; // signed by us, yet not ours to read: treated as unknown
  }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
