import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { digestOf } from '../../std/index.ts';
import { VerificationError, type Subject, type Verdict } from '../verdict.ts';
import { MAX_ENVELOPE, MAX_SIGNATURES } from './bounds.ts';
import type { NotationMaterial, SignatureEnvelope } from './signature.ts';
import { issue, keyPair, PRESENT } from './testing/authority.ts';
import { ocspResponse } from './testing/responder.ts';
import { policyOf, ROOT, SIGNER, storesOf, STORES, SUBJECT, TSA, TSA_ROOT } from './testing/scene.ts';
import { signEnvelope, type SignRequest } from './testing/signer.ts';
import { timestampToken } from './testing/timestamper.ts';
import { verifyAllNotation, verifyNotation, type NotationOptions, type NotationSkip } from './verify.ts';

const hours = (count: number): Date => new Date(PRESENT.getTime() + count * 3_600_000);
const SIGNED: SignRequest = { subject: SUBJECT, chain: [SIGNER, ROOT] };
const signed = (changes: Partial<SignRequest> = {}): SignatureEnvelope => signEnvelope('JWS', { ...SIGNED, ...changes });
const options = (changes: Partial<NotationOptions> = {}): NotationOptions => ({
  policy: policyOf(),
  stores: STORES,
  now: PRESENT,
  ...changes,
});
const timestamp = (signature: Buffer): Buffer => timestampToken(signature, TSA, []);

async function verify(
  material: NotationMaterial | readonly NotationMaterial[],
  changes: Partial<NotationOptions> = {},
  subject: Subject = SUBJECT,
): Promise<Verdict | NotationSkip> {
  return await verifyNotation(subject, 'name' in material ? [material] : material, options(changes));
}

async function refused(
  material: NotationMaterial | readonly NotationMaterial[],
  changes: Partial<NotationOptions> = {},
  subject?: Subject,
): Promise<VerificationError> {
  try {
    const verdict = await verify(material, changes, subject);
    assert.fail(`accepted: ${JSON.stringify(verdict)}`);
  } catch (error) {
    assert.ok(error instanceof VerificationError, String(error));
    return error;
  }
}

/** `verified`, with its warnings; `skipped`; or the code. */
async function outcomeOf(material: NotationMaterial, changes: Partial<NotationOptions>): Promise<string> {
  try {
    const verdict = await verify(material, changes);
    const warned = verdict.warnings.map((warning) => warning.split(':')[0]).join(',');
    return `${'kind' in verdict ? verdict.kind : 'verified'}${warned === '' ? '' : ` (${warned})`}`;
  } catch (error) {
    assert.ok(error instanceof VerificationError, String(error));
    return error.code;
  }
}

describe('verifying notation signatures', () => {
  for (const format of ['JWS', 'COSE'] as const) {
    it(`accepts a ${format} signature and says who signed`, async () => {
      const verdict = await verify(signEnvelope(format, SIGNED));
      assert.deepEqual(verdict, {
        provider: 'notation',
        digest: SUBJECT.digest,
        signer: {
          kind: 'x509',
          subject: 'CN=signer,O=Test,ST=B,C=RO',
          issuer: 'CN=root,O=Test,ST=B,C=RO',
          fingerprint: SIGNER.certificate.fingerprint,
        },
        format,
        log: [],
        warnings: [],
      });
    });
  }

  it('tells what was found and what was wanted', async () => {
    const error = await refused(signed(), { policy: policyOf({ identities: ['x509.subject: C=US, ST=WA, O=acme'] }) });
    assert.equal(error.code, 'SignerUntrusted');
    assert.equal(
      error.message,
      `verify "registry.test/app@${SUBJECT.digest}" with notation, trust policy statement "one": signature "sha256:jws": found a signature by "CN=signer,O=Test,ST=B,C=RO", want one of "x509.subject: C=US, ST=WA, O=acme"`,
    );
    assert.deepEqual(error.rejections, [
      {
        signature: 'sha256:jws',
        code: 'SignerUntrusted',
        found: 'a signature by "CN=signer,O=Test,ST=B,C=RO"',
        wanted: 'one of "x509.subject: C=US, ST=WA, O=acme"',
      },
    ]);
  });

  it('refuses without signature, and without statement for the repository', async () => {
    const none = await refused([]);
    assert.deepEqual([none.code, none.rejections.length], ['SignatureMissing', 0]);
    const elsewhere = await refused(signed(), { policy: policyOf({ scopes: ['registry.test/other'] }) });
    assert.equal(elsewhere.code, 'TrustInvalid');
    assert.match(elsewhere.message, /no statement of the trust policy has the scope "registry\.test\/app" or "\*"$/);
  });

  it('refuses signatures for another digest, media type or size', async () => {
    for (const [change, wanted] of [
      [{ digest: digestOf('other') }, /a signature for digest/],
      [{ mediaType: 'application/vnd.oci.image.index.v1+json' }, /a signature for media type/],
      [{ size: 646 }, /a signature for 645 bytes, want 646 bytes/],
    ] as const) {
      const error = await refused(signed(), {}, { ...SUBJECT, ...change });
      assert.equal(error.code, 'SignatureInvalid');
      assert.match(error.message, wanted);
    }
    for (const payload of ['{', '{}', '{"targetArtifact":null}', '{"targetArtifact":"x"}', '{"targetArtifact":{}}', '[]', 'null']) {
      assert.equal((await refused(signed({ payload: Buffer.from(payload) }))).code, 'SignatureInvalid');
    }
  });

  it('refuses an envelope of another type', async () => {
    const mediaType = 'application/pgp' as unknown as SignatureEnvelope['mediaType'];
    assert.match((await refused({ ...signed(), mediaType })).message, /an envelope of type "application\/pgp"/);
    assert.equal((await refused({ ...signed(), mediaType: 'application/cose' })).code, 'SignatureInvalid');
  });

  it('takes the first good signature and asks for no more', async () => {
    const asked: string[] = [];
    async function* material(): AsyncGenerator<NotationMaterial> {
      for (const name of ['bad', 'good', 'never']) {
        asked.push(name);
        yield { ...(name === 'bad' ? signed({ chain: [issue({})] }) : signed()), name };
      }
    }
    assert.ok('signer' in (await verifyNotation(SUBJECT, material(), options())));
    assert.deepEqual(asked, ['bad', 'good']);
  });

  it('looks at no more signatures than its bound (OB15)', async () => {
    const bad = signed({ chain: [issue({})] });
    const many = await refused([bad, bad, bad, signed()], { maxSignatures: 3 });
    assert.equal(many.code, 'LimitExceeded');
    assert.match(many.message, /: signature "sha256:jws": found more than 3 signatures, want a good one among them; /);
    assert.deepEqual(
      many.rejections.map(({ code }) => code),
      ['SignerUntrusted', 'SignerUntrusted', 'SignerUntrusted', 'LimitExceeded'],
    );
    assert.ok('signer' in (await verify([bad, bad, signed()], { maxSignatures: 3 })));
    assert.equal((await refused(Array.from({ length: MAX_SIGNATURES + 1 }, () => bad))).code, 'LimitExceeded');
    const findings = await verifyAllNotation(SUBJECT, [signed(), bad, bad], options({ maxSignatures: 1 }));
    assert.deepEqual([findings.verdicts.length, findings.rejections.map(({ code }) => code)], [1, ['LimitExceeded']]);
  });

  it('tells what the caller did not read, and it hides no good signature', async () => {
    const unread = { name: 'huge', kind: 'unread', code: 'LimitExceeded', found: 'a blob of 9 GiB', wanted: 'at most 1 MiB' } as const;
    assert.ok('signer' in (await verify([unread, signed()])));
    assert.match((await refused(unread)).message, /signature "huge": found a blob of 9 GiB, want at most 1 MiB$/);
  });

  it('refuses an envelope larger than its bound', async () => {
    const error = await refused({ ...signed(), envelope: new Uint8Array(MAX_ENVELOPE + 1) });
    assert.equal(error.code, 'LimitExceeded');
  });

  it('ends when it is cancelled', async () => {
    const signal = AbortSignal.abort(new Error('cancelled'));
    await assert.rejects(verify(signed(), { signal }), /cancelled/);
  });

  it('of all kinds tells every verdict and rejection', async () => {
    const materials = [signed(), { ...signed({ chain: [issue({})] }), name: 'bad' }, signEnvelope('COSE', SIGNED)];
    const { verdicts, rejections, skipped } = await verifyAllNotation(SUBJECT, materials, options());
    assert.deepEqual(
      verdicts.map(({ format }) => format),
      ['JWS', 'COSE'],
    );
    assert.deepEqual(
      rejections.map(({ signature, code }) => [signature, code]),
      [['bad', 'SignerUntrusted']],
    );
    assert.equal(skipped, undefined);
  });
});

describe('levels (OB15)', () => {
  const expiredChain = issue({ notAfter: hours(-1) }, ROOT);
  const revokable = issue({ ocsp: ['http://ocsp.test/'] }, ROOT);
  const broken = { ...signed(), envelope: Buffer.from('{}') };
  const materials = {
    good: signed(),
    'wrong store': signed({ chain: [issue({})] }),
    'wrong name': signed({ chain: [issue({ subject: 'C=RO,ST=B,O=Test,CN=other' }, ROOT), ROOT] }),
    expired: signed({ signingTime: hours(-2), expiry: hours(-1) }),
    'expired chain': signed({ chain: [expiredChain, ROOT] }),
    'not yet valid': signed({ chain: [issue({ notBefore: hours(1) }, ROOT), ROOT] }),
    'unknown revocation': signed({ chain: [revokable, ROOT] }),
    broken,
  } as const;

  const table: Readonly<Record<string, Readonly<Record<keyof typeof materials, string>>>> = {
    strict: {
      good: 'verified',
      'wrong store': 'SignerUntrusted',
      'wrong name': 'SignerUntrusted',
      expired: 'SignatureExpired',
      'expired chain': 'SignatureExpired',
      'not yet valid': 'SignatureExpired',
      'unknown revocation': 'ProofInvalid',
      broken: 'SignatureInvalid',
    },
    permissive: {
      good: 'verified',
      'wrong store': 'SignerUntrusted',
      'wrong name': 'SignerUntrusted',
      expired: 'verified (expiry)',
      'expired chain': 'verified (authenticTimestamp)',
      'not yet valid': 'verified (authenticTimestamp)',
      'unknown revocation': 'verified (revocation)',
      broken: 'SignatureInvalid',
    },
    audit: {
      good: 'verified',
      'wrong store': 'skipped (authenticity)',
      'wrong name': 'skipped (authenticity)',
      expired: 'verified (expiry)',
      'expired chain': 'verified (authenticTimestamp)',
      'not yet valid': 'verified (authenticTimestamp)',
      'unknown revocation': 'verified (revocation)',
      broken: 'SignatureInvalid',
    },
    skip: {
      good: 'skipped',
      'wrong store': 'skipped',
      'wrong name': 'skipped',
      expired: 'skipped',
      'expired chain': 'skipped',
      'not yet valid': 'skipped',
      'unknown revocation': 'skipped',
      broken: 'skipped',
    },
  };
  for (const [level, row] of Object.entries(table)) {
    for (const [name, material] of Object.entries(materials)) {
      const wanted = row[name as keyof typeof materials];
      it(`${level}: ${name} is ${wanted}`, async () => assert.equal(await outcomeOf(material, { policy: policyOf({ level }) }), wanted));
    }
  }

  it('can be overridden', async () => {
    const policy = (override: object): NotationOptions['policy'] => policyOf({ override });
    assert.equal(await outcomeOf(materials['unknown revocation'], { policy: policy({ revocation: 'skip' }) }), 'verified');
    assert.equal(await outcomeOf(materials.expired, { policy: policy({ expiry: 'log' }) }), 'verified (expiry)');
    assert.equal(
      await outcomeOf(materials.expired, { policy: policyOf({ level: 'audit', override: { expiry: 'enforce' } }) }),
      'SignatureExpired',
    );
  });

  it('skip looks at no signature', async () => {
    async function* material(): AsyncGenerator<NotationMaterial> {
      yield await Promise.reject(new Error('asked'));
    }
    const skipped = await verifyNotation(SUBJECT, material(), options({ policy: policyOf({ level: 'skip' }) }));
    assert.deepEqual(skipped, { kind: 'skipped', statement: 'one', reason: 'its level is skip', warnings: [] });
  });

  it('audit prefers a signature by a trusted signer to one that is only logged', async () => {
    const verdict = await verify([materials['wrong store'], materials.good], { policy: policyOf({ level: 'audit' }) });
    assert.ok('signer' in verdict && verdict.warnings.length === 0);
    const findings = await verifyAllNotation(SUBJECT, [materials['wrong store']], options({ policy: policyOf({ level: 'audit' }) }));
    assert.deepEqual([findings.verdicts.length, findings.skipped?.kind], [0, 'skipped']);
  });
});

describe('trust', () => {
  it('is a certificate anywhere in the chain', async () => {
    assert.ok('signer' in (await verify(signed(), { stores: storesOf({ 'ca:test': [SIGNER] }) })));
  });

  it('is not a certificate that only has the same name', async () => {
    const impostor = issue({ subject: 'C=RO,ST=B,O=Test,CN=root', key: keyPair('P-256', 'impostor'), authority: true });
    assert.equal((await refused(signed(), { stores: storesOf({ 'ca:test': [impostor] }) })).code, 'SignerUntrusted');
  });

  it('is looked up in the stores of the scheme', async () => {
    const policy = policyOf({ stores: ['ca:test', 'signingAuthority:auth'] });
    const byAuthority = signed({ scheme: 'notary.x509.signingAuthority' });
    const stores = storesOf({ 'ca:test': [ROOT], 'signingAuthority:auth': [TSA_ROOT] });
    assert.equal((await refused(byAuthority, { policy, stores })).code, 'SignerUntrusted');
    assert.ok('signer' in (await verify(byAuthority, { policy, stores: storesOf({ 'signingAuthority:auth': [ROOT] }) })));
    assert.match(
      (await refused(signed(), { policy: policyOf({ stores: ['signingAuthority:test'] }) })).message,
      /no ca: trust store with certificates/,
    );
    assert.match((await refused(signed(), { policy: policyOf({ stores: ['ca:absent'] }) })).message, /no trust store "ca:absent"/);
  });

  it('is in a name that is part of the subject', async () => {
    const identities = (text: string): Partial<NotationOptions> => ({ policy: policyOf({ identities: [text] }) });
    assert.ok('signer' in (await verify(signed(), identities('*'))));
    assert.ok('signer' in (await verify(signed(), identities('x509.subject: O=Test, S=B, C=RO'))));
    assert.equal((await refused(signed(), identities('x509.subject: O=test, S=B, C=RO'))).code, 'SignerUntrusted');
    assert.match((await refused(signed(), identities('acme.id: 7'))).message, /no x509\.subject identity/);
    const twice = signed({ chain: [issue({ subject: 'C=RO,ST=B,O=Test,OU=a,OU=b' }, ROOT), ROOT] });
    assert.match((await refused(twice, identities('x509.subject: O=Test, S=B, C=RO'))).message, /an attribute more than once/);
  });
});

describe('authentic timestamps', () => {
  const shortLived = issue({ notBefore: hours(-2), notAfter: hours(2) }, ROOT);
  const material = signed({ chain: [shortLived, ROOT], timestamp });
  const bare = signed({ chain: [shortLived, ROOT] });
  const withTsa = (verifyTimestamp?: string): NotationOptions['policy'] =>
    policyOf({ stores: ['ca:test', 'tsa:test'], ...(verifyTimestamp === undefined ? {} : { verifyTimestamp }) });

  it('keep a signature good after its chain expired', async () => {
    const verdict = await verify(material, { policy: withTsa(), now: hours(3) });
    assert.deepEqual('timestamp' in verdict ? verdict.timestamp : undefined, PRESENT);
    assert.equal(await outcomeOf(material, { now: hours(3) }), 'SignatureExpired');
  });

  it('are wanted always, or once the chain expired', async () => {
    assert.equal(await outcomeOf(bare, { policy: withTsa() }), 'ProofInvalid');
    assert.equal(await outcomeOf(bare, { policy: withTsa('always') }), 'ProofInvalid');
    assert.equal(await outcomeOf(bare, { policy: withTsa('afterCertExpiry') }), 'verified');
    assert.equal(await outcomeOf(bare, { policy: withTsa('afterCertExpiry'), now: hours(3) }), 'ProofInvalid');
    assert.equal(await outcomeOf(material, { policy: withTsa('afterCertExpiry'), now: hours(3) }), 'verified');
  });

  it('must fall into the time of the chain, with their accuracy', async () => {
    const at = (time: Date, accuracy?: number): NotationMaterial =>
      signed({
        chain: [shortLived, ROOT],
        timestamp: (signature) => timestampToken(signature, TSA, [], { time, ...(accuracy === undefined ? {} : { accuracy }) }),
      });
    assert.equal(await outcomeOf(at(hours(2)), { policy: withTsa() }), 'verified');
    assert.equal(await outcomeOf(at(hours(2), 1), { policy: withTsa() }), 'SignatureExpired');
    assert.equal(await outcomeOf(at(hours(-3)), { policy: withTsa() }), 'SignatureExpired');
  });

  it('must be of this signature and by a trusted authority', async () => {
    const stolen = signed({ chain: [shortLived, ROOT], timestamp: () => timestamp(Buffer.from('another signature')) });
    assert.equal(await outcomeOf(stolen, { policy: withTsa() }), 'ProofInvalid');
    assert.equal(
      await outcomeOf(material, { policy: withTsa(), stores: storesOf({ 'ca:test': [ROOT], 'tsa:test': [ROOT] }) }),
      'SignerUntrusted',
    );
    assert.equal(await outcomeOf(material, { policy: withTsa(), stores: storesOf({ 'ca:test': [ROOT], 'tsa:test': [] }) }), 'TrustInvalid');
    const garbage = signed({ timestamp: () => Buffer.from([0x30]) });
    assert.equal(await outcomeOf(garbage, { policy: withTsa() }), 'ProofInvalid');
  });

  it('of a revoked authority are refused', async () => {
    const url = 'http://ocsp.test/';
    const authority = issue(
      {
        subject: 'C=RO,CN=revoked',
        key: keyPair('P-256', 'revoked'),
        ocsp: [url],
        purposes: ['1.3.6.1.5.5.7.3.8'],
        purposesCritical: true,
      },
      TSA_ROOT,
    );
    const by = signed({ timestamp: (signature) => timestampToken(signature, authority, []) });
    const revocation = {
      ocsp: async () => ocspResponse(authority.certificate, TSA_ROOT, { status: 'revoked' }),
      crl: async () => Buffer.alloc(0),
    };
    assert.equal(await outcomeOf(by, { policy: withTsa(), revocation }), 'CertificateRevoked');
    assert.equal(await outcomeOf(by, { policy: withTsa() }), 'ProofInvalid');
  });

  it('are vouched for by a signing authority', async () => {
    const policy = policyOf({ stores: ['signingAuthority:test'] });
    const by = (signingTime: Date): NotationMaterial =>
      signed({ chain: [shortLived, ROOT], scheme: 'notary.x509.signingAuthority', signingTime });
    const verdict = await verify(by(hours(-1)), { policy, now: hours(100) });
    assert.deepEqual('timestamp' in verdict ? verdict.timestamp : undefined, hours(-1));
    assert.equal(await outcomeOf(by(hours(-3)), { policy }), 'SignatureExpired');
  });
});

describe('a changed byte', () => {
  const policy = policyOf({ stores: ['ca:test', 'tsa:test'] });
  for (const format of ['JWS', 'COSE'] as const) {
    it(`of a ${format} envelope never verifies as anything else`, async () => {
      const agent = 'an agent of some length';
      const material = signEnvelope(format, { ...SIGNED, expiry: hours(1), timestamp, agent });
      const before = await verify(material, { policy });
      let same = 0;
      for (let i = 0; i < material.envelope.length; i++) {
        const envelope = new Uint8Array(material.envelope);
        envelope[i] = (envelope[i] ?? 0) ^ (1 << (i % 8));
        const { verdicts } = await verifyAllNotation(SUBJECT, [{ ...material, envelope }], options({ policy }));
        if (verdicts.length === 0) continue;
        same += 1;
        assert.deepEqual(verdicts, [before], `byte ${i}`);
      }
      // Only the agent's name and label, and what the timestamp token does not sign, may change unnoticed.
      assert.ok(same < 2 * (agent.length + 'io.cncf.notary.signingAgent'.length), `${same} changes went unnoticed`);
    });
  }
});
