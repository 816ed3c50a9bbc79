import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import { goInt } from '../../golang/index.ts';
import { bcryptHash } from './crypto/bcrypt.ts';
import { decodePem, encodePem } from './crypto/pem.ts';
import { KeySource, systemProviders } from './index.ts';

const ecKey = `-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
`;
const now = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const { crypto, random } = systemProviders({ now: () => now });
const names = { commonName: 'svc', ips: ['10.0.0.1', '::1', '::ffff:1.2.3.4'], dnsNames: ['a.b', '*.c.d'], days: 30 };

suite('certificates', () => {
  test('a signed certificate verifies against its authority and carries what Go puts into one', () => {
    const authority = crypto.authority('my ca', 365);
    const ca = new X509Certificate(authority.cert);
    const pair = crypto.signed(names, authority);
    const cert = new X509Certificate(pair.cert);
    assert.ok(ca.ca && ca.verify(ca.publicKey) && ca.checkIssued(ca));
    assert.ok(cert.verify(ca.publicKey) && cert.checkIssued(ca) && !cert.ca);
    assert.ok(cert.checkPrivateKey(createPrivateKey(pair.key)));
    assert.equal(cert.subject, 'CN=svc');
    assert.equal(cert.issuer, 'CN=my ca');
    assert.equal(cert.subjectAltName, 'DNS:a.b, DNS:*.c.d, IP Address:10.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:1.2.3.4');
    assert.deepEqual(cert.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
    assert.equal(cert.validFromDate.toISOString(), '2026-01-02T03:04:05.000Z');
    assert.equal(cert.validToDate.toISOString(), '2026-02-01T03:04:05.000Z');
    assert.match(pair.key, /^-----BEGIN RSA PRIVATE KEY-----\n/);
    assert.equal(createPrivateKey(pair.key).asymmetricKeyDetails?.modulusLength, 2048);
    assert.ok(cert.serialNumber.length <= 32);
  });

  test('keys may be given, and need not be RSA', () => {
    const authority = crypto.authority('é', 1, crypto.privateKey('ecdsa'));
    assert.match(authority.key, /^-----BEGIN EC PRIVATE KEY-----\n/);
    const pair = crypto.signed({ ...names, commonName: '' }, authority, ecKey);
    assert.equal(pair.key, ecKey);
    assert.ok(new X509Certificate(pair.cert).verify(new X509Certificate(authority.cert).publicKey));
    assert.equal(new X509Certificate(authority.cert).subject, 'CN=é');
  });

  test('errors have sprig’s words', () => {
    const authority = crypto.authority('a', 1, ecKey);
    for (const [work, message] of [
      [() => crypto.selfSigned({ ...names, ips: ['999.1.1.1'] }, ecKey), 'error parsing ip: 999.1.1.1'],
      [() => crypto.selfSigned({ ...names, ips: [goInt(1)] }, ecKey), 'error parsing ip: 1 is not a string'],
      [() => crypto.selfSigned({ ...names, dnsNames: [null] }, ecKey), 'error processing alternate dns name: <nil> is not a string'],
      [
        () => crypto.selfSigned({ ...names, dnsNames: ['é'] }, ecKey),
        'error creating certificate: x509: "é" cannot be encoded as an IA5String',
      ],
      [() => crypto.authority('a', 1, 'no pem'), 'parsing private key: no PEM data in input'],
      [() => crypto.authority('a', 1, encodePem('X PRIVATE KEY', new Uint8Array(3))), 'parsing private key: invalid private key type X'],
      [() => crypto.signed(names, { cert: 'x', key: ecKey }, ecKey), 'unable to decode certificate'],
      [() => crypto.signed(names, { cert: authority.cert, key: 'x' }, ecKey), 'error parsing private key: no PEM data in input'],
      [
        () => crypto.signed(names, { cert: authority.cert, key: crypto.privateKey('ecdsa') }, ecKey),
        "error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey",
      ],
    ] as const) {
      assert.throws(work, { message });
    }
    assert.equal(crypto.privateKey('x'), 'Unknown type x');
    assert.match(crypto.privateKey('ed25519'), /^-----BEGIN PRIVATE KEY-----\n/);
  });

  test('keys are made ahead off this thread, and never handed out twice', async () => {
    const keys = new KeySource();
    await keys.prefetch(2);
    const made = systemProviders({ keys }).crypto;
    const started = performance.now();
    const [a, b] = [made.authority('a', 1), made.authority('b', 1)];
    assert.ok(performance.now() - started < 100, 'no key is made while rendering');
    assert.notEqual(a.key, b.key);
  });
});

suite('passwords and randomness', () => {
  test('bcrypt knows the published vectors', () => {
    // OpenBSD's and jBCrypt's vectors, cost 6: salts are given in bcrypt's base64.
    const salt = (text: string): Uint8Array => {
      const digits = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
      let bits = 0n;
      for (const char of text) bits = (bits << 6n) | BigInt(digits.indexOf(char));
      return Buffer.from((bits >> 4n).toString(16).padStart(32, '0'), 'hex');
    };
    for (const [password, hash] of [
      ['', '$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkY8jIucDrjc8deX1s.'],
      ['a', '$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe'],
      ['abc', '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'],
    ] as const) {
      const [, , , rest = ''] = hash.split('$');
      const made = bcryptHash(password, salt(rest.slice(0, 22)), 6);
      assert.equal(made.slice(0, 29), hash.slice(0, 29));
      if (hash.length === 60) assert.equal(made, hash);
    }
    assert.equal(crypto.bcrypt('x'.repeat(73)), 'failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes');
    assert.match(crypto.htpasswd('u', 'p'), /^u:\$2a\$10\$[./A-Za-z0-9]{53}$/);
  });

  test('random texts come from their alphabets', () => {
    assert.match(random.alphaNumeric(200), /^[A-Za-z0-9]{200}$/);
    assert.match(random.alpha(50), /^[A-Za-z]{50}$/);
    assert.match(random.numeric(50), /^\d{50}$/);
    assert.match(random.ascii(500), /^[ -~]{500}$/);
    assert.match(random.uuid(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(Buffer.from(random.bytes(10), 'base64').length, 10);
    assert.equal([...random.shuffle('aé👍')].sort().join(''), 'aé👍');
    const drawn = new Set(Array.from({ length: 200 }, () => random.integer(3, 6)));
    assert.deepEqual([...drawn].sort(), [3, 4, 5]);
  });

  test('PEM', () => {
    const bytes = Buffer.alloc(100, 7);
    const block = decodePem(`text before\n${encodePem('X', bytes)}after`);
    assert.equal(block?.type, 'X');
    assert.ok(block?.bytes.equals(bytes));
    assert.equal(decodePem('-----BEGIN X-----\n!!!!\n-----END X-----\n'), undefined);
    assert.equal(decodePem('-----BEGIN X-----\nAAAA\n-----END Y-----\n'), undefined);
  });
});
