import { createCipheriv, randomBytes } from 'node:crypto';
import { GoError, textToBytes } from '../../golang/index.ts';
import { systemClock } from '../../std/index.ts';
import { bcryptHash } from './crypto/bcrypt.ts';
import { issueAuthority, issueSelfSigned, issueSigned, type Issuance } from './crypto/certificate.ts';
import { KeySource } from './crypto/key-source.ts';
import { generatePrivateKey, parsePrivateKey, type PrivateKey } from './crypto/keys.ts';
import type { CryptoProvider, DnsProvider, Providers, RandomProvider } from './providers.ts';
import { aesKey } from './secrets.ts';

/** What the real providers are made of. Every part has a default. */
export type SystemProviderOptions = {
  /** Milliseconds since 1970. Default: the wall clock. */
  now?: () => number;
  /** Cryptographic randomness. Default: the system's. Private keys always come from OpenSSL's generator. */
  randomBytes?: (count: number) => Uint8Array;
  /** Where RSA keys of certificates come from. Default: made when asked for. */
  keys?: KeySource;
  /** Default: knows no host. */
  dns?: DnsProvider;
};

const lower = 'abcdefghijklmnopqrstuvwxyz';
const upper = lower.toUpperCase();
const numbers = '0123456789';
const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');

/** Providers that answer truthfully: real time, real randomness, real keys. */
export function systemProviders(options: SystemProviderOptions = {}): Providers {
  const now = options.now ?? (() => systemClock.now());
  const bytes = options.randomBytes ?? randomBytes;
  return {
    now,
    random: new SystemRandom(bytes),
    crypto: new SystemCrypto({ now, bytes, keys: options.keys ?? new KeySource() }),
    dns: options.dns ?? { lookup: () => [] },
  };
}

type RandomBytes = (count: number) => Uint8Array;

class SystemRandom implements RandomProvider {
  readonly #bytes: RandomBytes;

  constructor(bytes: RandomBytes) {
    this.#bytes = bytes;
  }

  alphaNumeric(count: number): string {
    return this.#from(lower + upper + numbers, count);
  }

  alpha(count: number): string {
    return this.#from(lower + upper, count);
  }

  numeric(count: number): string {
    return this.#from(numbers, count);
  }

  ascii(count: number): string {
    return this.#from(printable, count);
  }

  bytes(count: number): string {
    return Buffer.from(this.#bytes(count)).toString('base64');
  }

  integer(min: number, max: number): number {
    return min + this.#below(max - min);
  }

  uuid(): string {
    const raw = Buffer.from(this.#bytes(16));
    raw[6] = ((raw[6] ?? 0) & 0x0f) | 0x40;
    raw[8] = ((raw[8] ?? 0) & 0x3f) | 0x80;
    return raw.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  shuffle(text: string): string {
    const runes = [...text.toWellFormed()];
    for (let i = runes.length - 1; i > 0; i--) {
      const other = this.#below(i + 1);
      const rune = runes[i] ?? '';
      runes[i] = runes[other] ?? '';
      runes[other] = rune;
    }
    return runes.join('');
  }

  /** Unbiased: values beyond the last full multiple are drawn again. */
  #below(limit: number): number {
    const span = 2 ** 48;
    const usable = span - (span % limit);
    for (;;) {
      const drawn = Buffer.from(this.#bytes(6)).readUIntBE(0, 6);
      if (drawn < usable) return drawn % limit;
    }
  }

  #from(allowed: string, count: number): string {
    const usable = 256 - (256 % allowed.length);
    let out = '';
    while (out.length < count) {
      for (const byte of this.#bytes(Math.min(2 * (count - out.length), 65_536))) {
        if (byte < usable && out.length < count) out += allowed[byte % allowed.length];
      }
    }
    return out;
  }
}

type CryptoParts = { readonly now: () => number; readonly bytes: RandomBytes; readonly keys: KeySource };

class SystemCrypto implements CryptoProvider {
  readonly #parts: CryptoParts;

  constructor(parts: CryptoParts) {
    this.#parts = parts;
  }

  bcrypt(password: string): string {
    try {
      return bcryptHash(password, this.#parts.bytes(16));
    } catch (error) {
      if (error instanceof GoError) return `failed to encrypt string with bcrypt: ${error.message}`;
      throw error;
    }
  }

  htpasswd(user: string, password: string): string {
    return `${user}:${this.bcrypt(password)}`;
  }

  privateKey(type: string): string {
    return generatePrivateKey(type);
  }

  authority: CryptoProvider['authority'] = (commonName, days, key) => issueAuthority(commonName, days, this.#key(key), this.#issuance());

  selfSigned: CryptoProvider['selfSigned'] = (names, key) => issueSelfSigned(names, this.#key(key), this.#issuance());

  signed: CryptoProvider['signed'] = (names, authority, key) => issueSigned(names, authority, this.#key(key), this.#issuance());

  encryptAes(password: string, text: string): string {
    const vector = this.#parts.bytes(16);
    const cipher = createCipheriv('aes-256-cbc', aesKey(password), vector);
    return Buffer.concat([vector, cipher.update(textToBytes(text)), cipher.final()]).toString('base64');
  }

  #issuance(): Issuance {
    return { now: this.#parts.now(), randomBytes: this.#parts.bytes };
  }

  /** The key given as PEM, or a new RSA key. */
  #key(pem: string | undefined): PrivateKey {
    if (pem === undefined) return { kind: 'key', key: this.#parts.keys.take() };
    try {
      return parsePrivateKey(pem);
    } catch (error) {
      if (error instanceof GoError) throw new GoError(`parsing private key: ${error.message}`, error);
      throw error;
    }
  }
}

/** The real providers, without DNS. */
export const defaultProviders: Providers = systemProviders();
