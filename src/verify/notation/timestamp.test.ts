import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_TOKEN_CERTIFICATES } from './bounds.ts';
import { Purpose } from './certificate.ts';
import { CheckFailure } from './failure.ts';
import { issue, issueRoot, keyPair, PRESENT, type Issued } from './testing/authority.ts';
import { ROOT, TSA, TSA_ROOT } from './testing/scene.ts';
import { timestampToken, type TimestampSpec } from './testing/timestamper.ts';
import { verifyTimestamp, type Timestamp } from './timestamp.ts';

const message = Buffer.from('a signature');
const verify = (token: Uint8Array, roots: readonly Issued[] = [TSA_ROOT]): Timestamp =>
  verifyTimestamp(
    token,
    message,
    roots.map(({ certificate }) => certificate),
  );

function problemOf(token: Uint8Array, roots?: readonly Issued[]): string {
  try {
    verify(token, roots);
  } catch (error) {
    assert.ok(error instanceof CheckFailure, String(error));
    return `${error.code}: ${error.found}`;
  }
  return 'none';
}

const token = (spec: TimestampSpec = {}): Buffer => timestampToken(message, TSA, [], spec);
const hours = (count: number): Date => new Date(PRESENT.getTime() + count * 3_600_000);

describe('a timestamp countersignature (RFC 3161)', () => {
  it('holds, with the root in the trust store', () => {
    const { time, earliest, latest, chain } = verify(token());
    assert.deepEqual([time, earliest, latest], [PRESENT.getTime(), PRESENT.getTime(), PRESENT.getTime()]);
    assert.deepEqual(
      chain.map(({ subject }) => subject.text),
      ['CN=time,O=Time,ST=B,C=RO', 'CN=time root,O=Time,ST=B,C=RO'],
    );
  });

  it('has an accuracy: its own, or a second under the baseline policy', () => {
    const own = verify(token({ accuracy: 2 }));
    assert.deepEqual([own.earliest, own.latest], [PRESENT.getTime() - 2005, PRESENT.getTime() + 2005]);
    const baseline = verify(token({ policy: '0.4.0.2023.1.1' }));
    assert.deepEqual([baseline.earliest, baseline.latest], [PRESENT.getTime() - 1000, PRESENT.getTime() + 1000]);
  });

  it('holds through intermediates of the token', () => {
    const middle = issue({ subject: 'C=RO,ST=B,O=Time,CN=middle', key: keyPair('P-384', 'middle'), authority: true }, TSA_ROOT);
    const authority = issue({ key: keyPair('RSA 2048'), purposes: [Purpose.timeStamping], purposesCritical: true }, middle);
    assert.equal(verify(timestampToken(message, authority, [middle])).chain.length, 3);
    assert.match(problemOf(timestampToken(message, authority, [])), /^SignerUntrusted: a timestamp by/);
  });

  it('holds in BER of indefinite length', () => {
    const der = token();
    const header = (der[1] ?? 0) & 0x7f;
    const ber = Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(2 + header), Buffer.from([0, 0])]);
    assert.equal(verify(ber).time, PRESENT.getTime());
  });

  it('holds with SHA-384 and a signing time in the authority’s time', () => {
    assert.equal(problemOf(token({ hash: 'sha384', signingTime: hours(1) })), 'none');
  });

  const late = issue({ subject: 'C=RO,CN=late', purposes: [Purpose.timeStamping], purposesCritical: true, notBefore: hours(1) }, TSA_ROOT);
  const signer = issue({ subject: 'C=RO,CN=code', purposes: [Purpose.codeSigning], purposesCritical: true }, TSA_ROOT);
  const lax = issue({ subject: 'C=RO,CN=lax', purposes: [Purpose.timeStamping] }, TSA_ROOT);
  const codeRoot = issueRoot({ subject: 'C=RO,CN=code root', purposes: [Purpose.codeSigning] });
  const cases: readonly (readonly [string, Buffer, RegExp, (readonly Issued[])?])[] = [
    ['of something else', token({ imprint: Buffer.alloc(32) }), /^ProofInvalid: a timestamp of something else/],
    ['over SHA-1', token({ hash: 'sha1' }), /unknown or weak hash/],
    ['by an untrusted authority', token(), /^SignerUntrusted: /, [ROOT]],
    ['with no trusted root at all', token(), /^SignerUntrusted: /, []],
    ['by a certificate that is not valid yet', timestampToken(message, late, []), /^SignerUntrusted: .* under no trusted root/],
    ['by a certificate for code', timestampToken(message, signer, []), /^SignerUntrusted: |^ProofInvalid: the extended key usage/],
    [
      'by a certificate whose purpose is not critical',
      timestampToken(message, lax, []),
      /^ProofInvalid: the extended key usage .* not critical/,
    ],
    [
      'under a root for other purposes',
      timestampToken(message, issue({ purposes: [Purpose.timeStamping], purposesCritical: true }, codeRoot), []),
      /^SignerUntrusted/,
      [codeRoot],
    ],
    ['that pins another certificate', token({ pinned: ROOT.certificate }), /without its signer's certificate/],
    ['that pins none', token({ unpinned: true }), /no signed attribute SigningCertificateV2/],
    ['with another digest', token({ digest: Buffer.alloc(32) }), /signed digest differs/],
    ['with a signing time outside', token({ signingTime: hours(24 * 365) }), /signed outside the time of/],
    ['at a time when the authority did not exist', token({ time: hours(-24 * 365) }), /under no trusted root/],
    ['that is empty', Buffer.alloc(0), /malformed timestamp countersignature/],
    ['that is a certificate', ROOT.certificate.der, /malformed timestamp countersignature/],
  ];
  for (const [what, bytes, wanted, roots] of cases) it(`is refused: ${what}`, () => assert.match(problemOf(bytes, roots), wanted));

  it('is refused with more certificates than its bound', () => {
    const others = Array.from({ length: MAX_TOKEN_CERTIFICATES }, () => ROOT);
    assert.match(problemOf(timestampToken(message, TSA, others)), /^LimitExceeded: a timestamp token of 21/);
  });

  it('is refused soon when full of look-alike authorities', () => {
    const alike = Array.from({ length: MAX_TOKEN_CERTIFICATES - 1 }, () =>
      issue({ subject: 'C=RO,CN=alike', key: keyPair('P-256', 'alike'), authority: true }, undefined),
    );
    const cross = alike.map((one) => issue({ subject: 'C=RO,CN=alike', key: keyPair('P-256', 'alike'), authority: true }, one));
    const authority = issue({ purposes: [Purpose.timeStamping], purposesCritical: true }, cross[0]);
    const started = performance.now();
    assert.match(problemOf(timestampToken(message, authority, cross)), /^SignerUntrusted/);
    assert.ok(performance.now() - started < 1000);
  });

  it('is refused, whatever byte is changed', () => {
    const der = token({ accuracy: 1, signingTime: hours(1) });
    const before = verify(der);
    let same = 0;
    for (let i = 0; i < der.length; i++) {
      const changed = Buffer.from(der);
      changed[i] = (changed[i] ?? 0) ^ 0x04;
      let after: Timestamp | undefined;
      try {
        after = verify(changed);
      } catch (error) {
        assert.ok(error instanceof CheckFailure, String(error));
        continue;
      }
      // Versions and the list of hashes beside the signature say nothing.
      same += 1;
      assert.deepEqual(
        [after.time, after.earliest, after.chain[0]?.fingerprint],
        [before.time, before.earliest, before.chain[0]?.fingerprint],
        `byte ${i}`,
      );
    }
    assert.ok(same < 30, `${same} changes went unnoticed`);
  });
});
