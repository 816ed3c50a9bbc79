import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { MAX_CHAIN } from './bounds.ts';
import { KeyUsage, Purpose, readCertificate, type Certificate } from './certificate.ts';
import { checkChain, type ChainPurpose } from './chain.ts';
import { context, DerError, sequence, tlv } from './der.ts';
import { CheckFailure } from './failure.ts';
import { issue, issueRoot, keyPair, type CertificateSpec, type Issued } from './testing/authority.ts';
import { name } from './testing/der-writer.ts';

const root = issueRoot();
const middle = issue({ subject: 'C=RO,ST=B,O=Test,CN=middle', key: keyPair('P-384', 'middle'), authority: true, hash: 'sha384' }, root);
const tsa: CertificateSpec = { purposes: [Purpose.timeStamping], purposesCritical: true };

/** What is wrong with a chain, without its end. */
function problemOf(chain: readonly Issued[], purpose: ChainPurpose = 'code signing'): string {
  try {
    checkChain(
      chain.map(({ certificate }) => certificate),
      purpose,
    );
  } catch (error) {
    assert.ok(error instanceof CheckFailure);
    return `${error.code}: ${error.found}`;
  }
  return 'none';
}

describe('a chain of certificates', () => {
  it('holds from the signer to the root', () => {
    assert.equal(problemOf([issue({}, root), root]), 'none');
    assert.equal(problemOf([issue({}, middle), middle, root]), 'none');
    assert.equal(problemOf([issue({ purposes: [Purpose.codeSigning] }, root), root]), 'none');
    assert.equal(
      problemOf([issue({ authority: false, keyUsage: KeyUsage.digitalSignature | KeyUsage.nonRepudiation }, root), root]),
      'none',
    );
  });

  it('may be one self-signed certificate', () => {
    for (const kind of ['P-256', 'P-384', 'P-521', 'RSA 2048'] as const) assert.equal(problemOf([issue({ key: keyPair(kind) })]), 'none');
  });

  it('may be signed with Ed25519 above the signer', () => {
    const edwards = issueRoot({ key: keyPair('Ed25519') });
    assert.equal(problemOf([issue({}, edwards), edwards]), 'none');
  });

  const invalid: readonly (readonly [string, readonly Issued[], RegExp])[] = [
    ['no certificate', [], /no certificate/],
    ['a signer without its issuer', [issue({}, root)], /"CN=signer,.*" alone, issued by "CN=root/],
    ['no root', [issue({}, middle), middle], /ends with certificate "CN=middle.*not self-signed/],
    ['the wrong order', [issue({}, middle), root, middle], /is not issued by the next one|mid-chain/],
    [
      'an issuer of the same name with another key',
      [issue({}, root), issueRoot({ key: keyPair('P-256', 'impostor') })],
      /is not issued by the next one/,
    ],
    ['a root twice', [issue({}, root), root, root], /mid-chain is self-signed/],
    ['an issuer that is no authority', [issue({}, issue({}, root)), issue({}, root), root], /is not issued by/],
    ['a root without basic constraints', ((plain) => [issue({}, plain), plain])(issue({ keyUsage: 0x60 })), /is not issued by/],
    ['a signer that is an authority', [issue({ authority: true, keyUsage: 1 }, root), root], /is an authority/],
    ['a signer without key usage', [issue({ keyUsage: null }, root), root], /has no key usage/],
    ['a key usage that is not critical', [issue({ keyUsageCritical: false }, root), root], /is not critical/],
    ['a signer that may not sign', [issue({ keyUsage: KeyUsage.nonRepudiation }, root), root], /no key usage digitalSignature/],
    ['a signer that may do more', [issue({ keyUsage: 1 | (1 << 2) }, root), root], /key usages besides digitalSignature/],
    ['a signer that may issue', [issue({ keyUsage: 1 | KeyUsage.certificateSign }, root), root], /key usages besides/],
    [
      'a signer for servers',
      [issue({ purposes: [Purpose.codeSigning, Purpose.serverAuth] }, root), root],
      /for the purpose 1\.3\.6\.1\.5\.5\.7\.3\.1/,
    ],
    ['a signer for timestamps', [issue(tsa, root), root], /for the purpose 1\.3\.6\.1\.5\.5\.7\.3\.8/],
    ['a small RSA key', [issue({ key: keyPair('RSA 1024') })], /the key of .* is RSA 1024/],
    ['a small curve', [issue({ key: keyPair('P-224') })], /the key of .* is EC secp224r1/],
    ['an Edwards key', [issue({ key: keyPair('Ed25519') })], /the key of .* is ed25519/],
    ['SHA-1', [issue({ hash: 'sha1' }, root), root], /is not issued by the next one/],
    [
      'an unknown critical extension',
      [issue({ extensions: [['1.2.3.4', true, Buffer.from('0500', 'hex')]] }, root), root],
      /critical extension 1\.2\.3\.4/,
    ],
  ];
  for (const [what, chain, wanted] of invalid) it(`is refused: ${what}`, () => assert.match(problemOf(chain), wanted));

  it('is refused below an authority whose path is too short', () => {
    const short = issueRoot({ pathLength: 0 });
    const below = issue({ subject: 'C=RO,ST=B,O=Test,CN=below', key: keyPair('P-384'), authority: true }, short);
    assert.equal(problemOf([issue({}, short), short]), 'none');
    assert.match(problemOf([issue({}, below), below, short]), /allows 0 intermediates below it/);
  });

  it('is refused when an authority may not issue', () => {
    const weak = issueRoot({ keyUsage: KeyUsage.crlSign });
    assert.match(problemOf([issue({}, weak), weak]), /is not issued by the next one/);
  });

  it('may be under name constraints that are not about directory names', () => {
    const constraint = (general: Buffer): CertificateSpec => ({
      extensions: [['2.5.29.30', true, sequence(tlv(context(0), sequence(general)))]],
    });
    const dns = issueRoot(constraint(tlv(0x82, Buffer.from('a.test'))));
    assert.equal(problemOf([issue({}, dns), dns]), 'none');
    const directory = issueRoot(constraint(tlv(context(4), name('C=RO'))));
    assert.match(problemOf([issue({}, directory), directory]), /critical extension 2\.5\.29\.30/);
  });

  it('is bounded', () => {
    const chain: Issued[] = [root];
    for (let i = 0; i < MAX_CHAIN; i++)
      chain.unshift(issue({ subject: `C=RO,CN=${i}`, key: keyPair('P-256', `${i}`), authority: true }, chain[0]));
    assert.match(problemOf(chain), /^LimitExceeded: a chain of 11 certificates/);
  });
});

describe('a chain for timestamps', () => {
  it('holds', () => {
    assert.equal(problemOf([issue(tsa, root), root], 'timestamping'), 'none');
    assert.equal(problemOf([issue({ ...tsa, keyUsageCritical: false }, root), root], 'timestamping'), 'none');
  });

  for (const [what, spec] of [
    ['no purpose', {}],
    ['another purpose', { purposes: [Purpose.codeSigning], purposesCritical: true }],
    ['two purposes', { purposes: [Purpose.timeStamping, Purpose.codeSigning], purposesCritical: true }],
    ['a purpose that is not critical', { purposes: [Purpose.timeStamping] }],
  ] as const) {
    it(`is refused: ${what}`, () =>
      assert.match(problemOf([issue(spec, root), root], 'timestamping'), /^ProofInvalid: the extended key usage/));
  }
});

describe('a certificate', () => {
  const { der } = root.certificate;

  it('is read or refused, whatever byte is changed', () => {
    const valid: Certificate[] = [];
    for (let i = 0; i < der.length; i++) {
      const changed = Buffer.from(der);
      changed[i] = (changed[i] ?? 0) ^ 0x01;
      try {
        valid.push(readCertificate(changed));
      } catch (error) {
        assert.ok(error instanceof DerError, String(error));
      }
    }
    // What can still be read holds together no more.
    for (const certificate of valid) assert.throws(() => checkChain([issue({}, root).certificate, certificate], 'code signing'));
  });

  it('is refused when it is cut, longer or too large', () => {
    assert.throws(() => readCertificate(der.subarray(0, -1)), DerError);
    assert.throws(() => readCertificate(Buffer.concat([der, Buffer.from([0])])), /trailing bytes/);
    assert.throws(() => readCertificate(Buffer.alloc(70_000)), /more than 65536 bytes/);
  });

  it('is refused when its curve is spelled out (CVE-2020-0601)', () => {
    const key = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
    assert.throws(() => issue({ key }), /named curve of public key algorithm has tag 48/);
  });

  it('is refused with more responders than its bound', () => {
    const ocsp = Array.from({ length: 9 }, (_, i) => `http://ocsp${i}.test`);
    assert.throws(() => issue({ ocsp }), /more than 8 OCSP servers/);
    assert.throws(() => issue({ crl: ocsp }), /more than 8 CRL distribution points/);
  });

  it('is refused with an extension twice', () => {
    const extension = ['1.2.3', false, Buffer.alloc(0)] as const;
    assert.throws(() => issue({ extensions: [extension, extension] }), /1\.2\.3 occurs twice/);
  });
});
