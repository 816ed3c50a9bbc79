import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CRL_ENTRY_WEIGHT, MAX_CRL, MAX_KEPT_CRLS, MAX_OCSP_RESPONSE } from './bounds.ts';
import { Purpose } from './certificate.ts';
import { CrlCache } from './crl-cache.ts';
import { contextPrimitive, Fields, readElements, readWhole, sequence, Tag, tlv } from './der.ts';
import { CheckFailure } from './failure.ts';
import { ocspRequest } from './ocsp.ts';
import type { RevocationSource } from './revocation-source.ts';
import { checkRevocation } from './revocation.ts';
import { distributionPoints, issue, keyPair, PRESENT, type Issued } from './testing/authority.ts';
import { crl, ocspError, ocspResponse, type CrlSpec, type OcspSpec } from './testing/responder.ts';
import { ROOT } from './testing/scene.ts';

const OCSP = 'http://ocsp.test/';
const CRL = 'http://crl.test/root.crl';
const DELTA = 'http://crl.test/delta.crl';
const hours = (count: number): Date => new Date(PRESENT.getTime() + count * 3_600_000);
const withOcsp = issue({ ocsp: [OCSP] }, ROOT);
const withCrl = issue({ crl: [CRL] }, ROOT);
const withBoth = issue({ ocsp: [OCSP], crl: [CRL] }, ROOT);

type Served = Readonly<Record<string, Uint8Array>>;

/** A source that serves what it has and fails for the rest; remembers what it was asked. */
function sourceOf(served: Served, nonce?: Uint8Array): RevocationSource & { asked: string[] } {
  const asked: string[] = [];
  const answer = async (url: string): Promise<Uint8Array> => {
    asked.push(url);
    const bytes = served[url];
    if (bytes === undefined) throw new Error('connection refused');
    return bytes;
  };
  return { asked, ocsp: answer, crl: answer, ...(nonce === undefined ? {} : { nonce: () => nonce }) };
}

async function outcome(signer: Issued, source: RevocationSource | undefined, signingTime?: Date, later = 0): Promise<string> {
  const options = { source, now: PRESENT.getTime() + later, signingTime: signingTime?.getTime(), signal: undefined };
  try {
    await checkRevocation([signer.certificate, ROOT.certificate], options);
  } catch (error) {
    assert.ok(error instanceof CheckFailure, String(error));
    return `${error.code}: ${error.found}`;
  }
  return 'good';
}

const byOcsp = (spec: OcspSpec, signingTime?: Date): Promise<string> =>
  outcome(withOcsp, sourceOf({ [OCSP]: ocspResponse(withOcsp.certificate, ROOT, spec) }), signingTime);
const byCrl = (spec: CrlSpec, more: Served = {}, signingTime?: Date): Promise<string> =>
  outcome(withCrl, sourceOf({ [CRL]: crl(ROOT, spec), ...more }), signingTime);
const listed = (more: object = {}): CrlSpec => ({
  entries: [{ certificate: ROOT.certificate }, { certificate: withCrl.certificate, ...more }],
});

describe('revocation', () => {
  it('is not asked for certificates that name neither responder nor list', async () => {
    assert.equal(await outcome(issue({}, ROOT), undefined), 'good');
  });

  it('is unknown without a network', async () => {
    assert.match(
      await outcome(withBoth, undefined),
      /^ProofInvalid: the revocation status of .* is unknown: "http:\/\/ocsp\.test\/", "http:\/\/crl/,
    );
  });

  it('goes on to the CRL when no responder answers, and says both', async () => {
    const source = sourceOf({ [CRL]: crl(ROOT) });
    assert.equal(await outcome(withBoth, source), 'good');
    assert.deepEqual(source.asked, [OCSP, CRL]);
    assert.match(await outcome(withBoth, sourceOf({})), /ocsp\.test.*connection refused; "http:\/\/crl\.test.*connection refused/);
  });

  it('asks no list once a responder answered', async () => {
    const source = sourceOf({ [OCSP]: ocspResponse(withBoth.certificate, ROOT) });
    assert.equal(await outcome(withBoth, source), 'good');
    assert.deepEqual(source.asked, [OCSP]);
  });

  it('asks the next responder when one fails', async () => {
    const signer = issue({ ocsp: ['https://tls.test/', 'http://dead.test/', OCSP] }, ROOT);
    const source = sourceOf({ [OCSP]: ocspResponse(signer.certificate, ROOT, { status: 'revoked' }) });
    assert.match(await outcome(signer, source), /^CertificateRevoked: certificate "CN=signer,O=Test,ST=B,C=RO" is revoked$/);
    assert.deepEqual(source.asked, ['http://dead.test/', OCSP]);
  });

  it('asks over http only', async () => {
    assert.match(await outcome(issue({ crl: ['ldap://x/y'] }, ROOT), sourceOf({})), /"ldap:\/\/x\/y": only http:\/\/ is supported/);
  });

  it('of an intermediate counts as well', async () => {
    const middle = issue({ subject: 'C=RO,CN=middle', key: keyPair('P-384', 'm'), authority: true, ocsp: [OCSP] }, ROOT);
    const signer = issue({}, middle);
    const source = sourceOf({ [OCSP]: ocspResponse(middle.certificate, ROOT, { status: 'revoked' }) });
    const options = { source, now: PRESENT.getTime(), signingTime: undefined, signal: undefined };
    const chain = [signer.certificate, middle.certificate, ROOT.certificate];
    await assert.rejects(checkRevocation(chain, options), /"CN=middle,C=RO" is revoked/);
  });

  it('ends when it is cancelled', async () => {
    const controller = new AbortController();
    const source = sourceOf({});
    const options = { source, now: PRESENT.getTime(), signingTime: undefined, signal: controller.signal };
    controller.abort(new Error('cancelled'));
    await assert.rejects(checkRevocation([withBoth.certificate, ROOT.certificate], options), /^Error: cancelled$/);
  });
});

describe('revocation by OCSP (RFC 6960)', () => {
  const responder = issue({ subject: 'C=RO,CN=responder', key: keyPair('P-256', 'responder'), purposes: [Purpose.ocspSigning] }, ROOT);

  it('is good', async () => assert.equal(await byOcsp({}), 'good'));
  it('is revoked', async () => assert.match(await byOcsp({ status: 'revoked' }), /^CertificateRevoked/));
  it('is unknown to the responder', async () => assert.match(await byOcsp({ status: 'unknown' }), /does not know the certificate/));

  it('may be signed by a responder that the issuer appointed', async () => assert.equal(await byOcsp({ responder }), 'good'));

  it('is good for what was signed before the certificate became invalid, if someone vouches for when', async () => {
    const spec: OcspSpec = { status: 'revoked', invalidityDate: hours(-2) };
    assert.equal(await byOcsp(spec, hours(-3)), 'good');
    assert.match(await byOcsp(spec, hours(-1)), /^CertificateRevoked/);
    assert.match(await byOcsp(spec), /^CertificateRevoked/);
  });

  const cases: readonly (readonly [string, OcspSpec, RegExp])[] = [
    ['expired', { nextUpdate: hours(-0.5) }, /OCSP response expired at 2026-06-01T11:30:00Z/],
    ['of no known duration', { nextUpdate: null }, /does not say how long it holds/],
    ['of the future', { thisUpdate: hours(0.5) }, /of the future/],
    ['about another certificate', { about: ROOT.certificate }, /about another certificate/],
    [
      'signed by nobody we know',
      { responder: issue({ subject: 'C=RO,CN=x', key: keyPair('P-256', 'x'), purposes: [Purpose.ocspSigning] }) },
      /is not issued by the certificate's issuer/,
    ],
    [
      'signed by a certificate for code',
      { responder: issue({ subject: 'C=RO,CN=x', key: keyPair('P-256', 'x') }, ROOT) },
      /no extended key usage OCSPSigning/,
    ],
    [
      'signed by an expired responder',
      { responder: issue({ key: keyPair('P-256', 'x'), purposes: [Purpose.ocspSigning], notAfter: hours(-1) }, ROOT) },
      /is outside its time/,
    ],
  ];
  for (const [what, spec, wanted] of cases)
    it(`is unknown when the response is ${what}`, async () => assert.match(await byOcsp(spec), wanted));

  it('is unknown when the response is only an error', async () => {
    assert.match(await outcome(withOcsp, sourceOf({ [OCSP]: ocspError(3) })), /answers try later/);
    assert.match(await outcome(withOcsp, sourceOf({ [OCSP]: ocspError(6) })), /answers unauthorized/);
  });

  it('wants its nonce back, or none', async () => {
    const nonce = Buffer.from('0123456789abcdef');
    const ask = (answered?: Buffer): Promise<string> =>
      outcome(
        withOcsp,
        sourceOf({ [OCSP]: ocspResponse(withOcsp.certificate, ROOT, answered === undefined ? {} : { nonce: answered }) }, nonce),
      );
    assert.equal(await ask(nonce), 'good');
    assert.equal(await ask(), 'good');
    assert.match(await ask(Buffer.from('fedcba9876543210')), /another nonce/);
  });

  it('is asked for by one certificate identifier, and a nonce if there is one', () => {
    const certificate = withOcsp.certificate;
    const plain = ocspRequest(certificate, ROOT.certificate);
    const list = new Fields(new Fields(readWhole(plain, Tag.sequence, 'request'), 'request').any('body'), 'body');
    assert.equal(readElements(list.any('requests').contents).length, 1);
    assert.ok(list.done);
    assert.ok(plain.includes(certificate.serial));
    const nonce = Buffer.from('0123456789abcdef');
    assert.ok(ocspRequest(certificate, ROOT.certificate, nonce).includes(nonce));
  });

  it('is unknown, whatever byte of the response is changed', async () => {
    const response = ocspResponse(withOcsp.certificate, ROOT, { responder });
    for (let i = 0; i < response.length; i++) {
      const changed = Buffer.from(response);
      changed[i] = (changed[i] ?? 0) ^ 0x04;
      const result = await outcome(withOcsp, sourceOf({ [OCSP]: changed }));
      assert.match(result, /^ProofInvalid/, `byte ${i}: ${result}`);
    }
  });

  it('is unknown when the response is larger than its bound', async () => {
    assert.match(await outcome(withOcsp, sourceOf({ [OCSP]: Buffer.alloc(MAX_OCSP_RESPONSE + 1) })), /more than 20480 bytes/);
  });
});

describe('revocation by CRL (RFC 5280)', () => {
  it('is good when the list has others', async () => assert.equal(await byCrl({ entries: [{ certificate: ROOT.certificate }] }), 'good'));
  it('is good when the list is empty', async () => assert.equal(await byCrl({}), 'good'));
  it('is revoked', async () => assert.match(await byCrl(listed()), /^CertificateRevoked/));
  it('is revoked on hold', async () => assert.match(await byCrl(listed({ reason: 6 })), /^CertificateRevoked/));
  it('is good when taken from hold', async () => assert.equal(await byCrl(listed({ reason: 8 })), 'good'));

  it('is good for what was signed before the certificate became invalid', async () => {
    assert.equal(await byCrl(listed({ invalidityDate: hours(-2) }), {}, hours(-3)), 'good');
    assert.match(await byCrl(listed({ invalidityDate: hours(-2) }), {}, hours(-1)), /^CertificateRevoked/);
    assert.match(await byCrl(listed({ invalidityDate: hours(-2) })), /^CertificateRevoked/);
  });

  const scope = (tag: number): Buffer => sequence(tlv(contextPrimitive(tag), Buffer.from([0xff])));
  const cases: readonly (readonly [string, CrlSpec, RegExp])[] = [
    ['expired', { nextUpdate: hours(-0.5) }, /CRL expired at/],
    ['of no known duration', { nextUpdate: null }, /does not say how long it holds/],
    ['of the future', { thisUpdate: hours(0.5) }, /of the future/],
    ['indirect', { scope: scope(4) }, /is an indirect one/],
    ['for attribute certificates', { scope: scope(5) }, /attribute certificates only/],
    ['a delta', { deltaBase: 5 }, /a delta CRL where the whole list is wanted/],
    ['not understood', { criticalExtension: '1.2.3.4' }, /critical extension 1\.2\.3\.4/],
    ['not understood in our entry', listed({ criticalExtension: '2.5.29.29' }), /critical extension 2\.5\.29\.29/],
  ];
  for (const [what, spec, wanted] of cases) it(`is unknown when the list is ${what}`, async () => assert.match(await byCrl(spec), wanted));

  it('is unknown when the list is of another issuer or key', async () => {
    const serve = (issuer: Issued): Promise<string> => outcome(withCrl, sourceOf({ [CRL]: crl(issuer) }));
    const subject = 'C=RO,ST=B,O=Test,CN=root';
    assert.match(await serve(issue({ subject: 'C=RO,CN=x', key: keyPair('P-256', 'x'), authority: true })), /CRL is issued by "CN=x,C=RO"/);
    assert.match(await serve(issue({ subject, key: keyPair('P-256', 'x'), authority: true })), /CRL is not signed by/);
  });

  it('is unknown when the issuer may not sign lists', async () => {
    const issuer = issue({ subject: 'C=RO,CN=weak', authority: true, keyUsage: 1 << 5 });
    const signer = issue({ crl: [CRL] }, issuer);
    const options = { source: sourceOf({ [CRL]: crl(issuer) }), now: PRESENT.getTime(), signingTime: undefined, signal: undefined };
    await assert.rejects(checkRevocation([signer.certificate, issuer.certificate], options), /has no key usage cRLSign/);
  });

  it('asks all distribution points', async () => {
    const second = 'http://crl.test/second.crl';
    const signer = issue({ crl: [CRL, second] }, ROOT);
    const revoked = crl(ROOT, { entries: [{ certificate: signer.certificate }] });
    assert.match(await outcome(signer, sourceOf({ [CRL]: crl(ROOT), [second]: revoked })), /^CertificateRevoked/);
    assert.match(await outcome(signer, sourceOf({ [CRL]: crl(ROOT) })), /^ProofInvalid: .*second\.crl/);
  });

  it('adds the delta that the list names', async () => {
    const freshest = [DELTA];
    const delta = (spec: CrlSpec): Served => ({ [DELTA]: crl(ROOT, { number: 11, deltaBase: 10, ...spec }) });
    assert.equal(await byCrl({ freshest }, delta({})), 'good');
    assert.match(await byCrl({ freshest }, delta(listed())), /^CertificateRevoked/);
    assert.equal(await byCrl({ ...listed({ reason: 6, time: hours(-3) }), freshest }, delta(listed({ reason: 8 }))), 'good');
    assert.match(await byCrl({ freshest }), /delta CRL: connection refused/);
    assert.match(await byCrl({ freshest }, delta({ number: 10 })), /delta CRL 10 is not newer than CRL 10/);
    assert.match(await byCrl({ freshest }, delta({ deltaBase: 11 })), /goes with CRL 11, not with CRL 10/);
    assert.match(await byCrl({ freshest }, { [DELTA]: crl(ROOT) }), /no delta CRL indicator/);
  });

  it('is unknown when only the certificate names deltas', async () => {
    const signer = issue({ crl: [CRL], extensions: [['2.5.29.46', false, distributionPoints([DELTA])]] }, ROOT);
    assert.match(await outcome(signer, sourceOf({ [CRL]: crl(ROOT) })), /delta CRLs named by a certificate are not supported/);
  });

  it('is never good, whatever byte of the list is changed', async () => {
    const list = crl(ROOT, listed());
    for (let i = 0; i < list.length; i++) {
      const changed = Buffer.from(list);
      changed[i] = (changed[i] ?? 0) ^ 0x01;
      assert.notEqual(await outcome(withCrl, sourceOf({ [CRL]: changed })), 'good', `byte ${i}`);
    }
  });

  it('is unknown when the list is larger than its bound', async () => {
    assert.match(await outcome(withCrl, sourceOf({ [CRL]: new Uint8Array(MAX_CRL + 1) })), /more than 33554432 bytes/);
  });

  it('is read in reasonable time from a list of 100,000', async () => {
    const entry = { certificate: ROOT.certificate };
    const list = crl(ROOT, { entries: [...Array.from({ length: 100_000 }, () => entry), { certificate: withCrl.certificate }] });
    const started = performance.now();
    assert.match(await outcome(withCrl, sourceOf({ [CRL]: list })), /^CertificateRevoked/);
    assert.ok(performance.now() - started < 2000);
  });
});

describe('revocation lists that are kept', () => {
  const HOUR = 3_600_000;
  const ask = (source: RevocationSource, later: number, signer = withCrl): Promise<string> => outcome(signer, source, undefined, later);
  const keeping = (served: Record<string, Uint8Array>): ReturnType<typeof sourceOf> & { lists: CrlCache } => ({
    ...sourceOf(served),
    lists: new CrlCache(),
  });

  it('are got once until their next update, the delta too', async () => {
    const served = { [CRL]: crl(ROOT, { freshest: [DELTA] }), [DELTA]: crl(ROOT, { number: 11, deltaBase: 10 }) };
    const source = keeping(served);
    for (const later of [0, 1, HOUR / 2, HOUR]) assert.equal(await ask(source, later), 'good');
    assert.deepEqual(source.asked, [CRL, DELTA]);
    assert.match(await ask(source, HOUR + 1), /CRL expired at/);
    assert.equal(source.asked.length, 3, 'asked again, and the same expired list came');
  });

  it('are asked for again after a day, and stay in use while they hold when nobody answers', async () => {
    const served: Record<string, Uint8Array> = { [CRL]: crl(ROOT, { nextUpdate: hours(72) }) };
    const source = keeping(served);
    assert.equal(await ask(source, 0), 'good');
    assert.equal(await ask(source, 23 * HOUR), 'good');
    assert.equal(source.asked.length, 1);
    delete served[CRL];
    assert.equal(await ask(source, 25 * HOUR), 'good', 'nobody answers');
    assert.match(await ask(source, 73 * HOUR), /connection refused/);
    served[CRL] = crl(ROOT, { ...listed(), number: 11, nextUpdate: hours(100) });
    assert.match(await ask(source, 74 * HOUR), /^CertificateRevoked/);
  });

  it('do not give way to an older list, however long that one holds', async () => {
    const served: Record<string, Uint8Array> = { [CRL]: crl(ROOT, { ...listed(), number: 11, nextUpdate: hours(72) }) };
    const source = keeping(served);
    assert.match(await ask(source, 0), /^CertificateRevoked/);
    served[CRL] = crl(ROOT, { number: 10, nextUpdate: hours(72) });
    assert.match(await ask(source, 25 * HOUR), /^CertificateRevoked/);
    assert.equal(source.asked.length, 2);
  });

  it('are kept only when they are good, and for their own issuer only', async () => {
    const other = issue({ subject: 'C=RO,CN=other root', key: keyPair('P-256', 'other'), authority: true });
    const served: Record<string, Uint8Array> = { [CRL]: crl(other) };
    const source = keeping(served);
    assert.match(await ask(source, 0), /CRL is issued by/);
    assert.equal(source.lists.size, 0);
    served[CRL] = crl(ROOT);
    assert.equal(await ask(source, 0), 'good');
    assert.equal(source.lists.find(ROOT.certificate, CRL, PRESENT.getTime())?.fresh, true);
    assert.equal(source.lists.find(other.certificate, CRL, PRESENT.getTime()), undefined);
    assert.equal(source.lists.find(ROOT.certificate, CRL, PRESENT.getTime() - HOUR)?.fresh, false, 'a clock that went back');
  });

  it('are bounded in number and in bytes', () => {
    const lists = new CrlCache();
    const small = { number: 1n, nextUpdate: Infinity, size: 1, entries: Buffer.alloc(0), freshestUrls: [], deltaBase: undefined };
    for (let at = 0; at < 2000; at++) lists.keep(ROOT.certificate, `http://crl.test/${at}`, small, 0);
    assert.equal(lists.size, MAX_KEPT_CRLS / CRL_ENTRY_WEIGHT);
    for (let at = 0; at < 10; at++) lists.keep(ROOT.certificate, `http://crl.test/large/${at}`, { ...small, size: MAX_CRL }, 0);
    assert.equal(lists.size, MAX_KEPT_CRLS / MAX_CRL);
  });
});
