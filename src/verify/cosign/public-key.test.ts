import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { digestOf } from '../../std/index.ts';
import { MAX_KEY_FILE, MAX_KEYS } from './limits.ts';
import { findSigningKey, parsePublicKeys } from './public-key.ts';

const data = Buffer.from('data');

function spki(key: KeyObject): Buffer {
  return Buffer.from(key.export({ type: 'spki', format: 'pem' }));
}

const PAIRS = {
  'P-256': [generateKeyPairSync('ec', { namedCurve: 'P-256' }), ['sha256']],
  'P-384': [generateKeyPairSync('ec', { namedCurve: 'P-384' }), ['sha256', 'sha384']],
  'P-521': [generateKeyPairSync('ec', { namedCurve: 'P-521' }), ['sha256', 'sha512']],
  RSA: [generateKeyPairSync('rsa', { modulusLength: 2048 }), ['sha256']],
  Ed25519: [generateKeyPairSync('ed25519'), [null]],
} as const;

test('OB14: ECDSA, RSA and Ed25519 keys are read and recognise their signatures', () => {
  const keys = parsePublicKeys(Object.entries(PAIRS).map(([name, [{ publicKey }]]) => [`${name}.pub`, spki(publicKey)]));
  for (const [name, [{ privateKey, publicKey }, hashes]] of Object.entries(PAIRS)) {
    for (const hash of hashes) {
      const found = findSigningKey(data, sign(hash, data, privateKey), keys);
      assert.equal(found?.name, `${name}.pub`);
      assert.equal(found?.fingerprint, digestOf(publicKey.export({ type: 'spki', format: 'der' })));
    }
    assert.equal(findSigningKey(Buffer.from('other'), sign(hashes[0], data, privateKey), keys), undefined);
  }
  assert.equal(findSigningKey(data, sign('sha1', data, PAIRS['P-256'][0].privateKey), keys), undefined, 'no SHA-1');
});

test('PKCS #1 keys and several keys in one file are read', () => {
  const { publicKey } = PAIRS.RSA[0];
  const pkcs1 = publicKey.export({ type: 'pkcs1', format: 'pem' });
  const keys = parsePublicKeys([['all.pub', Buffer.concat([Buffer.from(pkcs1), spki(PAIRS['P-256'][0].publicKey)])]]);
  assert.deepEqual(
    keys.map(({ key }) => key.asymmetricKeyType),
    ['rsa', 'ec'],
  );
});

const BAD: Readonly<Record<string, [content: Uint8Array, text: RegExp]>> = {
  'no PEM': [Buffer.from('hello'), /no PEM block/],
  'an empty file': [Buffer.alloc(0), /no PEM block/],
  'a private key': [
    Buffer.from(PAIRS['P-256'][0].privateKey.export({ type: 'pkcs8', format: 'pem' })),
    /PEM block "PRIVATE KEY", want "PUBLIC KEY", and no private key in a Secret .*: openssl pkey -pubout -in "bad\.pub"/,
  ],
  'a private key of cosign': [
    Buffer.from('-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n'),
    /want "PUBLIC KEY", and no private key .*: cosign public-key --key "bad\.pub"/,
  ],
  'a certificate': [
    Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'),
    /PEM block "CERTIFICATE", want "PUBLIC KEY": openssl x509 -pubkey -noout -in "bad\.pub"/,
  ],
  'broken base64': [
    Buffer.from('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'),
    /read public key "bad.pub": what its PEM block "PUBLIC KEY" holds is no public key \(/,
  ],
  'a small RSA key': [spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey), /1024 bits/],
  'another curve': [spki(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey), /curve "secp256k1"/],
  'another algorithm': [spki(generateKeyPairSync('x25519').publicKey), /key type "x25519"/],
  'a large file': [new Uint8Array(MAX_KEY_FILE + 1), /want at most/],
  'many keys': [Buffer.concat(Array.from({ length: MAX_KEYS + 1 }, () => spki(PAIRS['P-256'][0].publicKey))), /more than 64 keys/],
};
for (const [what, [content, text]] of Object.entries(BAD)) {
  test(`a Secret with ${what} cannot be trusted, and the file is named`, () => {
    assert.throws(
      () =>
        parsePublicKeys([
          ['good.pub', spki(PAIRS['P-256'][0].publicKey)],
          ['bad.pub', content],
        ]),
      { code: 'TrustInvalid', subject: 'bad.pub', message: text },
    );
  });
}

test('a Secret without keys cannot be trusted', () => {
  assert.throws(() => parsePublicKeys([]), { code: 'TrustInvalid' });
});
