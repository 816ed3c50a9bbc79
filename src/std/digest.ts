import { createHash, type Hash } from 'node:crypto';
import { CodedError } from './coded-error.ts';

const HEX_LENGTH: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

/** A content hash as OCI writes it, `algorithm:hex`. Parsed once at the edge; equal digests are equal strings. */
export type Digest = string & { readonly __brand: 'Digest' };

/**
 * Parses `algorithm:hex` (OCI image-spec, descriptor.md#digests). Only registered algorithms are accepted.
 * @throws CodedError `DigestInvalid`
 */
export function parseDigest(text: string): Digest {
  const colon = text.indexOf(':');
  const length = HEX_LENGTH[text.slice(0, colon)];
  const hex = text.slice(colon + 1);
  if (colon < 0 || length === undefined || hex.length !== length || !/^[0-9a-f]+$/.test(hex)) {
    throw new CodedError({
      code: 'DigestInvalid',
      message: `parse digest ${JSON.stringify(text.slice(0, 200))}: want sha256:, sha384: or sha512: and lower-case hex of that hash's length`,
      subject: text.slice(0, 200),
      retryable: false,
    });
  }
  return text as Digest;
}

/** True when `text` is a well-formed {@link Digest}. */
export function isDigest(text: string): text is Digest {
  const colon = text.indexOf(':');
  return colon > 0 && HEX_LENGTH[text.slice(0, colon)] === text.length - colon - 1 && /^[0-9a-f]+$/.test(text.slice(colon + 1));
}

/** The algorithm of a digest, such as `sha256`. */
export function digestAlgorithm(digest: Digest): string {
  return digest.slice(0, digest.indexOf(':'));
}

/** The hex part of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** Hashes bytes or UTF-8 text in one go. */
export function digestOf(content: Uint8Array | string, algorithm = 'sha256'): Digest {
  return `${algorithm}:${createHash(algorithm).update(content).digest('hex')}` as Digest;
}

/** Hashes a stream piece by piece: `update` for each chunk, then `digest()`. */
export class Digester {
  readonly #algorithm: string;
  readonly #hash: Hash;

  constructor(algorithm = 'sha256') {
    this.#algorithm = algorithm;
    this.#hash = createHash(algorithm);
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
  }

  digest(): Digest {
    return `${this.#algorithm}:${this.#hash.digest('hex')}` as Digest;
  }
}
