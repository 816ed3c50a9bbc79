import type { GoValue } from '../../golang/index.ts';

/*
 * What templates may ask of the world. A render with the same providers' answers gives the same text. All of it is synchronous, as a
 * template is: slow answers (RSA keys, bcrypt) belong into a worker, or are made ahead (see KeySource).
 */

/** A certificate and its private key, both PEM. */
export type CertificatePair = { readonly cert: string; readonly key: string };

/** Random text, numbers and order. */
export interface RandomProvider {
  alphaNumeric(count: number): string;
  alpha(count: number): string;
  numeric(count: number): string;
  ascii(count: number): string;
  /** `count` random bytes in base64. */
  bytes(count: number): string;
  /** At least `min`, less than `max`. */
  integer(min: number, max: number): number;
  uuid(): string;
  /** The runes of the text in another order. */
  shuffle(text: string): string;
}

/** What a certificate is for: subject alternative names as the template gave them, not yet checked, and lifetime. */
export type CertificateNames = {
  readonly commonName: string;
  readonly ips: readonly GoValue[];
  readonly dnsNames: readonly GoValue[];
  readonly days: number;
};

/** Keys, certificates and password hashes. Failures are GoErrors with sprig's texts. */
export interface CryptoProvider {
  bcrypt(password: string): string;
  htpasswd(user: string, password: string): string;
  /** PEM of a new private key: `rsa` (also for the empty type), `dsa`, `ecdsa`, `ed25519`; a message for anything else. */
  privateKey(type: string): string;
  /** A certificate authority; `key` is a PEM to use instead of a new RSA key. */
  authority(commonName: string, days: number, key?: string): CertificatePair;
  selfSigned(names: CertificateNames, key?: string): CertificatePair;
  signed(names: CertificateNames, authority: CertificatePair, key?: string): CertificatePair;
  /** AES-256-CBC, base64. */
  encryptAes(password: string, text: string): string;
}

export interface DnsProvider {
  /** Addresses of a host; none when it is unknown. */
  lookup(host: string): readonly string[];
}

/** What sprig's functions take from outside. */
export interface Providers {
  /** Milliseconds since 1970. */
  now(): number;
  readonly random: RandomProvider;
  readonly crypto: CryptoProvider;
  readonly dns: DnsProvider;
}
