import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { VerificationError } from '../verdict.ts';
import { MAX_CERTIFICATE_FILE, MAX_TRUSTED_CERTIFICATES } from './bounds.ts';
import { issue, pem } from './testing/authority.ts';
import { ROOT, SIGNER, TSA_ROOT } from './testing/scene.ts';
import { namedTrustStores, parseCertificates, parseNotationSecret } from './trust-store.ts';

function problemOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof VerificationError);
    return `${error.code}: ${error.message.replace('read trusted certificates of ', '')}`;
  }
  return 'none';
}

const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
const subjects = (file: Uint8Array): readonly string[] =>
  parseCertificates({ 'a.crt': file }).map(({ subject }) => subject.text.split(',')[0] ?? '');

describe('certificate files', () => {
  it('hold PEM or DER, one certificate or several', () => {
    assert.deepEqual(subjects(pem(ROOT)), ['CN=root']);
    assert.deepEqual(subjects(join(Buffer.from('a comment\r\n'), pem(ROOT), pem(SIGNER))), ['CN=root', 'CN=signer']);
    assert.deepEqual(subjects(ROOT.certificate.der), ['CN=root']);
    assert.deepEqual(subjects(join(ROOT.certificate.der, TSA_ROOT.certificate.der)), ['CN=root', 'CN=time root']);
    assert.equal(parseCertificates(new Map([['x', pem(ROOT)]])).length, 1);
  });

  const key = Buffer.from('-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  for (const [what, file, wanted] of [
    ['empty', Buffer.alloc(0), /"a\.crt": it is empty/],
    ['text', Buffer.from('hello'), /"a\.crt": it is neither PEM nor DER/],
    ['a private key', key, /it has a PEM block "PRIVATE KEY", want only "CERTIFICATE"/],
    ['a cut block', pem(ROOT).subarray(0, 100), /it has no complete PEM block/],
    ['a block of nonsense', Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), /"a\.crt": /],
  ] as const) {
    it(`are refused: ${what}`, () =>
      assert.match(
        problemOf(() => parseCertificates({ 'a.crt': file })),
        wanted,
      ));
  }

  it('are bounded', () => {
    assert.match(
      problemOf(() => parseCertificates({ a: Buffer.alloc(MAX_CERTIFICATE_FILE + 1) })),
      /^LimitExceeded/,
    );
    const many = join(...Array.from({ length: MAX_TRUSTED_CERTIFICATES + 1 }, () => ROOT.certificate.der));
    assert.match(
      problemOf(() => parseCertificates({ a: many })),
      /^LimitExceeded: .*more than 1000 certificates in all/,
    );
  });
});

describe('named trust stores', () => {
  it('hold authorities and self-signed certificates', () => {
    const stores = namedTrustStores({ 'ca:test': { 'root.crt': pem(ROOT), 'self.crt': pem(issue({})) } });
    assert.equal(stores.certificates('ca:test')?.length, 2);
    assert.equal(stores.certificates('ca:other'), undefined);
  });

  it('hold nothing else, and only roots for timestamps', () => {
    assert.match(
      problemOf(() => namedTrustStores({ 'ca:test': { a: pem(SIGNER) } })),
      /is neither an authority nor self-signed/,
    );
    assert.match(
      problemOf(() => namedTrustStores({ 'tsa:test': { a: pem(issue({})) } })),
      /is not a root/,
    );
  });
});

describe('the Secret for notation (OB15)', () => {
  const policy = Buffer.from(
    JSON.stringify({
      version: '1.0',
      trustPolicies: [
        { name: 'a', registryScopes: ['*'], signatureVerification: { level: 'strict' }, trustStores: ['ca:x'], trustedIdentities: ['*'] },
      ],
    }),
  );

  it('has trustpolicy.json and certificates, which are in every store', () => {
    const { policy: read, stores } = parseNotationSecret({
      'trustpolicy.json': policy,
      'a.crt': pem(ROOT),
      'b.pem': pem(SIGNER),
      notes: Buffer.from('x'),
    });
    assert.equal(read.statements[0]?.name, 'a');
    assert.equal(stores.certificates('ca:anything')?.length, 2);
  });

  it('is refused without either', () => {
    assert.match(
      problemOf(() => parseNotationSecret({ 'a.crt': pem(ROOT) })),
      /it has no entry "trustpolicy\.json"/,
    );
    assert.match(
      problemOf(() => parseNotationSecret({ 'trustpolicy.json': policy, 'a.pub': pem(ROOT) })),
      /it has no entry that ends in "\.crt" or "\.pem"/,
    );
  });
});
