import { generateKeyPair, type KeyObject } from 'node:crypto';
import { newRsaKey } from './keys.ts';

/** Size of the keys certificates are made with. */
const CERTIFICATE_BITS = 2048;

/**
 * Hands out new RSA keys to templates, which cannot wait. Making one takes about a quarter of a second of one core: in a render worker
 * that is fine; elsewhere {@link prefetch} makes keys ahead on the thread pool, and `ahead` keeps that many in stock from then on.
 * A key is handed out once.
 */
export class KeySource {
  readonly #ahead: number;
  readonly #stock: KeyObject[] = [];
  #making = 0;

  constructor(options: { ahead?: number } = {}) {
    this.#ahead = options.ahead ?? 0;
  }

  /** A key nobody else has; made on this thread when the stock is empty. */
  take(): KeyObject {
    const key = this.#stock.pop() ?? newRsaKey(CERTIFICATE_BITS);
    const missing = this.#ahead - this.#stock.length - this.#making;
    // A failure to restock shows when the next key is made on this thread.
    if (missing > 0) this.prefetch(missing).catch(() => undefined);
    return key;
  }

  /** Makes keys off this thread; resolves when they are in stock. */
  async prefetch(count: number): Promise<void> {
    this.#making += count;
    await Promise.all(Array.from({ length: count }, () => this.#make()));
  }

  async #make(): Promise<void> {
    try {
      this.#stock.push(await newRsaKeyAsync());
    } finally {
      this.#making -= 1;
    }
  }
}

function newRsaKeyAsync(): Promise<KeyObject> {
  return new Promise((resolve, reject) => {
    generateKeyPair('rsa', { modulusLength: CERTIFICATE_BITS }, (error, _, privateKey) => {
      if (error === null) resolve(privateKey);
      else reject(error);
    });
  });
}
