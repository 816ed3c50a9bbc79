// Signatures that the real notation made, and signatures of every fault, under policies of every kind: notation's verdict is ours. Needs
// no Kubernetes, only the Go toolchain that builds notation.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { verifyNotation, VerificationError, type Subject } from '../../src/verify/index.ts';
import { issue as issueAt, keyPair, type CertificateSpec, type Issued } from '../../src/verify/notation/testing/authority.ts';
import { crl, ocspResponse } from '../../src/verify/notation/testing/responder.ts';
import { signEnvelope, type SignRequest } from '../../src/verify/notation/testing/signer.ts';
import { timestampResponse, timestampToken } from '../../src/verify/notation/testing/timestamper.ts';
import { tool } from '../tools/build.ts';
import { httpRevocation, NotationLab, type Setting } from './notation-lab.ts';

const program = await tool('notation');
const HOUR = 3_600_000;
const now = Date.now();
const at = (hours: number): Date => new Date(Math.trunc(now / 1000) * 1000 + hours * HOUR);

/** Certificates of today, unless told otherwise. */
const issue = (spec: CertificateSpec, issuer?: Issued): Issued => issueAt({ notBefore: at(-48), notAfter: at(48), ...spec }, issuer);
const authority = (name: string): Issued => issue({ subject: `C=RO,ST=B,O=Test,CN=${name}`, key: keyPair('P-256', name), authority: true });
const ROOT = authority('root');
const OTHER_ROOT = authority('other root');
const TSA_ROOT = authority('time root');
const TSA = issue(
  { subject: 'C=RO,ST=B,O=Time,CN=time', key: keyPair('P-256', 'time'), purposes: ['1.3.6.1.5.5.7.3.8'], purposesCritical: true },
  TSA_ROOT,
);
const SIGNER = issue({}, ROOT);

/** Where notation's verdict is not ours, why, and in which format when not in both. Nothing else may differ. */
const DIFFERENT: Readonly<Record<string, { why: string; format?: 'JWS' | 'COSE' }>> = {
  'a signer with an e-mail address': {
    why: 'we accept: notation cannot read attributes it has no name for; they say nothing about the ones a policy names',
  },
  'an unknown critical header': {
    why: 'we refuse: the specification has unknown critical attributes refused; notation looks at them only for plugins',
  },
  'the time of another scheme': { why: 'we refuse in both formats what notation refuses in JWS', format: 'COSE' },
  'a critical header twice': { why: 'we refuse in both formats what notation refuses in JWS', format: 'COSE' },
};

/** Signatures: our own signer makes what notation would refuse to make. Notation keeps CRLs by URL: `suffix` makes them new. */
function signedCases(lab: NotationLab, suffix: string): Readonly<Record<string, Partial<SignRequest>>> {
  const through = (spec: CertificateSpec): Partial<SignRequest> => ({ chain: [issue(spec, ROOT), ROOT] });
  const timestamp = (signature: Buffer): Buffer => timestampToken(signature, TSA, [], { time: at(-10) });
  const P = 'io.cncf.notary.';
  const middle = issue({ subject: 'C=RO,ST=B,O=Test,CN=middle', key: keyPair('P-384', 'middle'), authority: true }, ROOT);
  return {
    'a good signature': {},
    'a signature through an intermediate': { chain: [issue({}, middle), middle, ROOT] },
    'a self-signed signer': { chain: [issue({})] },
    'a signer of another name': through({ subject: 'C=RO,ST=B,O=Test,CN=other' }),
    'a signer without O': through({ subject: 'C=RO,ST=B,CN=signer' }),
    'a signer with two units': through({ subject: 'C=RO,ST=B,O=Test,OU=a,OU=b,CN=signer' }),
    'a signer with an e-mail address': through({ subject: 'C=RO,ST=B,O=Test,CN=signer,1.2.840.113549.1.9.1=a@b.test' }),
    'a signer under another root': { chain: [issue({}, OTHER_ROOT), OTHER_ROOT] },
    'a signature that expired': { signingTime: at(-2), expiry: at(-1) },
    'a signature that will expire': { signingTime: at(-2), expiry: at(1) },
    'an expired chain': { ...through({ notAfter: at(-1) }), signingTime: at(-10) },
    'an expired chain with a timestamp': { ...through({ notAfter: at(-1) }), signingTime: at(-10), timestamp },
    'a chain of the future': through({ notBefore: at(1) }),
    'a timestamp from before the chain': { ...through({ notBefore: at(-1) }), timestamp },
    'a timestamp of something else': { timestamp: () => timestamp(Buffer.from('x')) },
    'a timestamp by a stranger': {
      timestamp: (signature) =>
        timestampToken(signature, issue({ purposes: ['1.3.6.1.5.5.7.3.8'], purposesCritical: true }, OTHER_ROOT), [OTHER_ROOT], {
          time: at(-1),
        }),
    },
    'a signing authority': { scheme: 'notary.x509.signingAuthority', signingTime: at(-1) },
    'a signing authority before its time': { scheme: 'notary.x509.signingAuthority', signingTime: at(-100) },
    'an expired signing authority': { scheme: 'notary.x509.signingAuthority', signingTime: at(-10), ...through({ notAfter: at(-1) }) },
    'an unknown critical header': { headers: { 'com.example.must': 'x', CRIT: [`${P}signingScheme`, 'com.example.must'] } },
    'a header that is not critical': { headers: { 'com.example.note': 'x' } },
    'a verification plugin': { headers: { [`${P}verificationPlugin`]: 'acme', CRIT: [`${P}signingScheme`, `${P}verificationPlugin`] } },
    'a critical header twice': { headers: { CRIT: [`${P}signingScheme`, `${P}signingScheme`] } },
    'a critical header that is absent': { headers: { CRIT: [`${P}signingScheme`, 'com.example.absent'] } },
    'an expiry that is not critical': { expiry: at(1), headers: { CRIT: [`${P}signingScheme`] } },
    'an expiry before the signing time': { signingTime: at(-1), expiry: at(-2) },
    'the time of another scheme': { headers: { [`${P}authenticSigningTime`]: at(-1) } },
    'no signing time': { headers: { [`${P}signingTime`]: undefined } },
    'no critical headers': { headers: { CRIT: undefined } },
    'another payload': { payload: Buffer.from('{"targetArtifact":{"mediaType":"x","digest":"sha256:00","size":1}}') },
    'a payload without size': { payload: Buffer.from('{"targetArtifact":{"mediaType":"x","digest":"sha256:00"}}') },
    'a payload that is not JSON': { payload: Buffer.from('hello') },
    'a root signed with SHA-1': ((root) => ({ chain: [issue({}, root), root] as const }))(
      issue({ subject: 'C=RO,ST=B,O=Test,CN=root', key: keyPair('P-256', 'root'), authority: true, hash: 'sha1' }),
    ),
    'a root twice': { certificates: [SIGNER.certificate, ROOT.certificate, ROOT.certificate] },
    'an incomplete chain': { certificates: [SIGNER.certificate] },
    'a wrong order of the chain': { certificates: [ROOT.certificate, SIGNER.certificate] },
    'a signer for servers': through({ purposes: ['1.3.6.1.5.5.7.3.1'] }),
    'a signer for code': through({ purposes: ['1.3.6.1.5.5.7.3.3'] }),
    'a signer that may encipher': through({ keyUsage: 0b101 }),
    'a signer without key usage': through({ keyUsage: null }),
    'a signer that is an authority': through({ authority: true, keyUsage: 1 }),
    'a signer signed with SHA-1': through({ hash: 'sha1' }),
    'good by OCSP': through({ ocsp: [lab.url(`ocsp-good${suffix}`)] }),
    'revoked by OCSP': through({ ocsp: [lab.url(`ocsp-revoked${suffix}`)] }),
    'unknown by OCSP': through({ ocsp: [lab.url(`ocsp-unknown${suffix}`)] }),
    'an expired OCSP response': through({ ocsp: [lab.url(`ocsp-expired${suffix}`)] }),
    'no OCSP response': through({ ocsp: [lab.url('absent')] }),
    'OCSP by https': through({ ocsp: ['https://127.0.0.1:1/'] }),
    'no OCSP response, good by CRL': through({ ocsp: [lab.url('absent')], crl: [lab.url(`crl-good${suffix}`)] }),
    'good by CRL': through({ crl: [lab.url(`crl-good${suffix}`)] }),
    'revoked by CRL': through({ crl: [lab.url(`crl-revoked${suffix}`)] }),
    'an expired CRL': through({ crl: [lab.url(`crl-expired${suffix}`)] }),
    'a CRL of another authority': through({ crl: [lab.url(`crl-other${suffix}`)] }),
    'no CRL': through({ crl: [lab.url('absent')] }),
  };
}

/** Serves answers about the certificates of the cases. */
function serveRevocation(lab: NotationLab, suffix: string, signers: Readonly<Record<string, Issued>>): void {
  const times = { thisUpdate: at(-1), nextUpdate: at(1) };
  const named = (name: string): Issued => signers[name] ?? SIGNER;
  const ocsp = (path: string, name: string, spec: object): unknown =>
    lab.answers.set(path + suffix, () => ocspResponse(named(name).certificate, ROOT, { ...times, ...spec }));
  ocsp('ocsp-good', 'good by OCSP', {});
  ocsp('ocsp-revoked', 'revoked by OCSP', { status: 'revoked' });
  ocsp('ocsp-unknown', 'unknown by OCSP', { status: 'unknown' });
  ocsp('ocsp-expired', 'an expired OCSP response', { thisUpdate: at(-3), nextUpdate: at(-2) });
  const list = (name: string): { entries: readonly [{ certificate: Issued['certificate']; time: Date }] } => ({
    entries: [{ certificate: named(name).certificate, time: at(-1) }],
  });
  lab.answers.set(`crl-good${suffix}`, () => crl(ROOT, times));
  lab.answers.set(`crl-revoked${suffix}`, () => crl(ROOT, { ...times, ...list('revoked by CRL') }));
  lab.answers.set(`crl-expired${suffix}`, () => crl(ROOT, { thisUpdate: at(-3), nextUpdate: at(-2) }));
  lab.answers.set(`crl-other${suffix}`, () => crl(OTHER_ROOT, times));
}

function settingsOf(lab: NotationLab): readonly Setting[] {
  const trusted = { 'ca:test': [ROOT], 'tsa:test': [TSA_ROOT], 'signingAuthority:test': [ROOT] };
  const named = ['x509.subject: C=RO, ST=B, O=Test, CN=signer'];
  const timed = ['ca:test', 'tsa:test'];
  return [
    lab.setting('strict', { verification: { level: 'strict' }, trusted, identities: named }),
    lab.setting('strict, any name', { verification: { level: 'strict' }, trusted }),
    lab.setting('strict, another store', { verification: { level: 'strict' }, trusted: { 'ca:test': [OTHER_ROOT] } }),
    lab.setting('strict, no such store', { verification: { level: 'strict' }, stores: ['ca:absent'], trusted }),
    lab.setting('strict, the signer trusted', { verification: { level: 'strict' }, trusted: { 'ca:test': [issue({})] } }),
    lab.setting('strict, timestamps', { verification: { level: 'strict' }, stores: timed, trusted }),
    lab.setting('strict, timestamps after expiry', {
      verification: { level: 'strict', verifyTimestamp: 'afterCertExpiry' },
      stores: timed,
      trusted,
    }),
    lab.setting('strict, signing authority', { verification: { level: 'strict' }, stores: ['signingAuthority:test'], trusted }),
    lab.setting('strict, no revocation', { verification: { level: 'strict', override: { revocation: 'skip' } }, trusted }),
    lab.setting('strict, expiry logged', {
      verification: { level: 'strict', override: { expiry: 'log', authenticTimestamp: 'log' } },
      trusted,
    }),
    lab.setting('permissive', { verification: { level: 'permissive' }, trusted, identities: named }),
    lab.setting('audit', { verification: { level: 'audit' }, trusted, identities: named }),
    lab.setting('skip', { verification: { level: 'skip' } }),
  ];
}

/** What we say: `verified`, `skipped`, or why not. */
async function ours(lab: NotationLab, subject: Subject, { policy, stores }: Setting): Promise<string> {
  try {
    const verdict = await verifyNotation(subject, await lab.signatures(subject), {
      policy,
      stores,
      now: new Date(),
      revocation: httpRevocation,
    });
    return 'kind' in verdict ? 'skipped' : 'verified';
  } catch (error) {
    assert.ok(error instanceof VerificationError, String(error));
    return error.message;
  }
}

/** Compares both verdicts under every setting, three notations at a time. */
async function compare(
  lab: NotationLab,
  cases: Readonly<Record<string, Subject>>,
  settings: readonly Setting[],
): Promise<readonly string[]> {
  const work = Object.entries(cases).flatMap(([name, subject]) => settings.map((setting) => ({ name, subject, setting })));
  const different: string[] = [];
  const next = async (): Promise<void> => {
    for (let item = work.pop(); item !== undefined; item = work.pop()) {
      const { name, subject, setting } = item;
      const theirs = await lab.notation(setting.folder, 'verify', '--insecure-registry', `${subject.repository}@${subject.digest}`);
      const mine = await ours(lab, subject, setting);
      const accepted = mine === 'verified' || mine === 'skipped';
      if (accepted !== (theirs.code === 0))
        different.push(`${name}: under "${setting.name}" notation exits ${theirs.code} (${theirs.output.trim()}), we say: ${mine}`);
    }
  };
  await Promise.all([next(), next(), next()]);
  return different;
}

describe(
  'notation',
  { timeout: 600_000, skip: program === undefined ? 'the Go toolchain that builds notation is not here' : false },
  () => {
    let lab: NotationLab;
    let settings: readonly Setting[];
    before(async () => {
      lab = await NotationLab.open(program ?? '');
      settings = settingsOf(lab);
      lab.answers.set('tsa', (query) => timestampResponse(query, TSA, [TSA_ROOT], at(0)));
    });
    after(async () => await lab.close());

    test('what the real notation signs is verified, by it and by us, with every kind of key', async () => {
      const cases: Record<string, Subject> = {};
      for (const kind of ['P-256', 'P-384', 'P-521', 'RSA 2048', 'RSA 3072', 'RSA 4096'] as const) {
        const signer = issue({ key: keyPair(kind) }, ROOT);
        for (const format of ['jws', 'cose'] as const) {
          const subject = await lab.artifact(`keys/${kind.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}/${format}`);
          await lab.sign(subject, [signer, ROOT], format, '--expiry', '24h', '--user-metadata', 'io.example.build=7');
          const [strict] = settings;
          assert.ok(strict);
          assert.equal(await ours(lab, subject, strict), 'verified', `${kind} ${format}`);
          cases[`${kind} ${format}`] = subject;
        }
      }
      assert.deepEqual(await compare(lab, cases, settings.slice(0, 3)), []);
    });

    test('what the real notation timestamps is verified', async () => {
      const root = join(settings[0]?.folder ?? '', 'tsa-root.crt');
      writeFileSync(root, TSA_ROOT.certificate.der);
      const cases: Record<string, Subject> = {};
      for (const format of ['jws', 'cose'] as const) {
        const subject = await lab.artifact(`timestamped/${format}`);
        await lab.sign(subject, [SIGNER, ROOT], format, '--timestamp-url', lab.url('tsa'), '--timestamp-root-cert', root);
        const timed = settings.find(({ name }) => name === 'strict, timestamps');
        assert.ok(timed);
        const verdict = await verifyNotation(subject, await lab.signatures(subject), {
          ...timed,
          now: new Date(),
          revocation: httpRevocation,
        });
        assert.deepEqual('timestamp' in verdict ? verdict.timestamp : undefined, at(0));
        cases[`timestamped ${format}`] = subject;
      }
      assert.deepEqual(await compare(lab, cases, settings), []);
    });

    for (const format of ['JWS', 'COSE'] as const) {
      test(`every fault of a ${format} signature has the same verdict under every policy`, async () => {
        const signers: Record<string, Issued> = {};
        const cases: Record<string, Subject> = {};
        for (const [name, { headers, ...changes }] of Object.entries(signedCases(lab, format))) {
          const subject = await lab.artifact(`faults/${format.toLowerCase()}/${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`);
          const { CRIT: critical, ...others } = headers ?? {};
          const changed = headers !== undefined && 'CRIT' in headers ? { ...others, [format === 'JWS' ? 'crit' : '2']: critical } : others;
          const request: SignRequest = { subject, chain: [SIGNER, ROOT], signingTime: at(-1), ...changes, headers: changed };
          await lab.push(subject, signEnvelope(format, request));
          signers[name] = request.chain[0];
          cases[name] = subject;
        }
        serveRevocation(lab, format, signers);
        const [strict] = settings;
        assert.ok(strict);
        for (const name of ['a good signature', 'good by OCSP', 'good by CRL', 'no OCSP response, good by CRL']) {
          const subject = cases[name];
          assert.ok(subject);
          assert.equal(await ours(lab, subject, strict), 'verified', name);
        }
        const different = await compare(lab, cases, settings);
        const known = Object.keys(DIFFERENT).filter((name) => (DIFFERENT[name]?.format ?? format) === format);
        const isKnown = (text: string): boolean => known.some((name) => text.startsWith(`${name}: `));
        assert.deepEqual(
          different.filter((text) => !isKnown(text)),
          [],
        );
        const seen = known.filter((name) => different.some((text) => text.startsWith(`${name}: `)));
        assert.deepEqual(seen, known, 'a known difference is gone');
      });
    }

    test('of several signatures one is enough', async () => {
      const subject = await lab.artifact('several');
      await lab.sign(subject, [issue({}, OTHER_ROOT), OTHER_ROOT], 'jws');
      await lab.sign(subject, [SIGNER, ROOT], 'cose');
      assert.equal((await lab.signatures(subject)).length, 2);
      assert.deepEqual(await compare(lab, { several: subject, none: await lab.artifact('none') }, settings), []);
    });
  },
);
