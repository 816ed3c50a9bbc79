import { Lru } from '../../std/index.ts';
import { CRL_ENTRY_WEIGHT, MAX_CRL_AGE, MAX_KEPT_CRLS } from './bounds.ts';
import type { Certificate } from './certificate.ts';
import type { Crl } from './crl.ts';

type Kept = { crl: Crl; fetched: number };

/**
 * Revocation lists that were found good, by issuer and address, until their nextUpdate. Only what its issuer signed gets in, under that
 * issuer: nobody else can put a list of theirs in its place. Bounded in bytes and entries (`bounds.ts`).
 */
export class CrlCache {
  readonly #lists = new Lru<string, Kept>(MAX_KEPT_CRLS, ({ crl }) => Math.max(crl.size, CRL_ENTRY_WEIGHT));

  /** A list that still holds; `fresh` when it need not be asked for again. Times are milliseconds since 1970. */
  find(issuer: Certificate, url: string, now: number): { crl: Crl; fresh: boolean } | undefined {
    const key = keyOf(issuer, url);
    const kept = this.#lists.get(key);
    if (kept === undefined) return undefined;
    const { crl, fetched } = kept;
    if (now > crl.nextUpdate) {
      this.#lists.delete(key);
      return undefined;
    }
    return { crl, fresh: now >= fetched && now - fetched < MAX_CRL_AGE };
  }

  keep(issuer: Certificate, url: string, crl: Crl, now: number): void {
    this.#lists.set(keyOf(issuer, url), { crl, fetched: now });
  }

  /** Lists at hand. */
  get size(): number {
    return this.#lists.size;
  }
}

function keyOf(issuer: Certificate, url: string): string {
  return `${issuer.fingerprint} ${url}`;
}
