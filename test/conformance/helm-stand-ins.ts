import type { CertificatePair, Providers } from '../../src/gotemplate/index.ts';

function cycle(alphabet: string, count: number): string {
  return alphabet.repeat(Math.ceil(count / alphabet.length)).slice(0, Math.max(count, 0));
}

function pair(kind: string, commonName: string): CertificatePair {
  return { cert: `CERT-${kind}-${commonName}\n`, key: `KEY-${kind}-${commonName}\n` };
}

/** The answers the corpus's goldens were made with (its README): nothing random, no clock, no keys. */
export const standInProviders: Providers = {
  now: () => Date.parse('2026-01-02T03:04:05Z'),
  random: {
    alphaNumeric: (count) => cycle('aB3dE5gH1jK7mN9', count),
    alpha: (count) => cycle('aBcDeFgHiJ', count),
    numeric: (count) => cycle('1234567890', count),
    ascii: (count) => cycle('a!B#3$d%', count),
    bytes: (count) => 'QUJD'.repeat(Math.floor((count + 2) / 3)),
    integer: (min) => min,
    uuid: () => '00000000-0000-4000-8000-000000000000',
    shuffle: (text) => text,
  },
  crypto: {
    bcrypt: (password) => `$2a$10$${password}`,
    htpasswd: (user, password) => `${user}:$2a$10$${password}`,
    privateKey: (type) => `-----BEGIN ${type} KEY-----\nMIIB\n-----END-----\n`,
    authority: (commonName, _days, key) => ({ ...pair('CA', commonName), ...(key === undefined ? {} : { key }) }),
    selfSigned: ({ commonName }) => pair('SS', commonName),
    signed: ({ commonName }) => pair('S', commonName),
    encryptAes: (_password, text) => `AES${text}`,
  },
  dns: { lookup: () => [] },
};
