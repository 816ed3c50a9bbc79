// Signatures that the real cosign made with keys of every kind, and keyless signatures of every fault under a deployment of our own:
// cosign's verdict is ours. Needs no Kubernetes, only the Go toolchain that builds cosign.
import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { isCodedError } from '../../src/std/index.ts';
import {
  parseIdentities,
  parsePublicKeys,
  parseTrustedRoot,
  verifyAllCosign,
  verifyCosign,
  type CosignPolicy,
  type PublicKey,
  type Subject,
} from '../../src/verify/index.ts';
import { TIME_STAMPING } from '../../src/verify/testing/certificate-authority.ts';
import { FakeSigstore, json, type BundleJson, type KeylessOptions } from '../../src/verify/testing/sigstore.ts';
import { tool } from '../tools/build.ts';
import { CosignLab } from './cosign-lab.ts';

const program = await tool('cosign');
const now = new Date();
const before10 = new Date(now.getTime() - 10 * 60_000);
const options = { now };
const HTTP = '--allow-http-registry';
const UNLOGGED = ['--use-signing-config=false', '--tlog-upload=false'];

const KEYS: Readonly<Record<string, () => KeyObject>> = {
  'p-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  'p-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
  'p-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
  'rsa-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  'rsa-4096': () => generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey,
  ed25519: () => generateKeyPairSync('ed25519').privateKey,
};

/** Whether ours accepts; anything but a verdict or a refusal is a failure. */
async function accepts(lab: CosignLab, subject: Subject, policy: CosignPolicy): Promise<boolean> {
  try {
    return (await verifyCosign(subject, lab.material(subject), policy, options)).digest === subject.digest;
  } catch (error) {
    if (isCodedError(error)) return false;
    throw error;
  }
}

describe('cosign', { skip: program === undefined ? 'no Go toolchain' : false, timeout: 600_000 }, () => {
  let lab: CosignLab;
  const trusted: Record<string, PublicKey[]> = {};

  before(async () => {
    lab = await CosignLab.open(program ?? '');
    for (const [name, make] of Object.entries(KEYS)) {
      const key = make();
      lab.file(`${name}.pem`, key.export({ type: 'pkcs8', format: 'pem' }).toString());
      const imported = await lab.cosign('import-key-pair', '-y', '--key', `${name}.pem`, '--output-key-prefix', name);
      assert.ok(imported.ok, imported.text);
    }
    const { readFileSync } = await import('node:fs');
    for (const name of Object.keys(KEYS)) trusted[name] = parsePublicKeys([[`${name}.pub`, readFileSync(`${lab.folder}/${name}.pub`)]]);
  });
  after(async () => await lab.close());

  for (const name of Object.keys(KEYS)) {
    for (const [format, flag] of [['bundle', 'true'] as const, ['signature tag', 'false'] as const]) {
      test(`OB14: a ${format} by a ${name} key`, async () => {
        const subject = await lab.push(`${name}-${flag}`);
        const reference = `${subject.repository}@${subject.digest}`;
        const signed = await lab.cosign('sign', '-y', '--key', `${name}.key`, HTTP, ...UNLOGGED, `--new-bundle-format=${flag}`, reference);
        assert.ok(signed.ok, signed.text);
        const verdict = await verifyCosign(subject, lab.material(subject), { keys: trusted[name] ?? [] }, options);
        assert.equal(verdict.format, format);
        const strangers = Object.keys(KEYS).filter((other) => other !== name);
        const others = { keys: strangers.flatMap((other) => trusted[other] ?? []) };
        assert.equal(await accepts(lab, subject, others), false);
        const everyone = await verifyCosign(subject, lab.material(subject), { keys: Object.values(trusted).flat() }, options);
        assert.deepEqual(everyone.signer, verdict.signer);
      });
    }
  }

  for (const [format, flag] of [['bundle', 'true'] as const, ['attestation tag', 'false'] as const]) {
    test(`an attestation in a ${format}`, async () => {
      const subject = await lab.push(`attested-${flag}`);
      lab.file('predicate.json', JSON.stringify({ builder: { id: 'https://builder.test' } }));
      const reference = `${subject.repository}@${subject.digest}`;
      const flags = ['--key', 'p-256.key', '--predicate', 'predicate.json', '--type', 'https://example.test/built/v1', ...UNLOGGED];
      const attested = await lab.cosign('attest', '-y', HTTP, ...flags, `--new-bundle-format=${flag}`, reference);
      assert.ok(attested.ok, attested.text);
      const { verdicts } = await verifyAllCosign(subject, lab.material(subject), { keys: trusted['p-256'] ?? [] }, options);
      assert.deepEqual(
        verdicts.map((verdict) => [verdict.format, verdict.attestation]),
        [[format, { predicateType: 'https://example.test/built/v1', predicate: { builder: { id: 'https://builder.test' } } }]],
      );
    });
  }

  describe('keyless', () => {
    const sigstore = new FakeSigstore(now);
    const stranger = new FakeSigstore(now);
    const identity = {
      issuer: 'https://issuer.test',
      subject: 'https://github.com/org/app/.github/workflows/release.yaml@refs/heads/main',
    };
    const good: KeylessOptions = { identity, time: before10 };
    const { rekor1, rekor2, timestamps } = sigstore;

    const cases: Readonly<Record<string, Partial<KeylessOptions>>> = {
      'Rekor v1': {},
      'Rekor v2 with a timestamp': { logs: [rekor2], timestamps: [timestamps] },
      'Rekor v2 with an early kind of entry': { logs: [rekor2], timestamps: [timestamps], entry: 'dsse' },
      'Rekor v2 without a timestamp': { logs: [rekor2] },
      'no log': { logs: [], timestamps: [timestamps] },
      "a stranger's log": { logs: [stranger.rekor1] },
      "Rekor v1 and a stranger's timestamp": { timestamps: [stranger.timestamps] },
      "Rekor v2 and a stranger's timestamp": { logs: [rekor2], timestamps: [stranger.timestamps] },
      'both logs': { logs: [rekor1, rekor2] },
      'both logs and a timestamp': { logs: [rekor1, rekor2], timestamps: [timestamps] },
      'no SCT': { certificateLog: undefined },
      "a stranger's SCT": { certificateLog: stranger.certificateLog },
      'signed after the certificate expired': { issued: new Date(before10.getTime() - 11 * 60_000) },
      'signed before the certificate': { issued: new Date(before10.getTime() + 60_000) },
      'a certificate for timestamps': { purpose: TIME_STAMPING },
      'another subject': { identity: { ...identity, subject: 'https://github.com/evil/app/x@refs/heads/main' } },
      'another issuer': { identity: { ...identity, issuer: 'https://evil.test' } },
      'an e-mail address': { identity: { ...identity, subject: 'somebody@example.test' } },
      'a user name': { identity: { ...identity, subject: 'somebody' } },
    };
    const tampering: Readonly<Record<string, (bundle: BundleJson, other: BundleJson) => void>> = {
      'another payload': (bundle, other) =>
        (bundle.dsseEnvelope.payload = Buffer.from(`${Buffer.from(other.dsseEnvelope.payload, 'base64').toString()} `).toString('base64')),
      "another signature's log entry": (bundle, other) =>
        (bundle.verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries),
      "another signature's certificate": (bundle, other) =>
        (bundle.verificationMaterial.certificate = other.verificationMaterial.certificate ?? { rawBytes: '' }),
      'two signatures': (bundle, other) => bundle.dsseEnvelope.signatures.push(...other.dsseEnvelope.signatures),
      'no inclusion promise': (bundle) => bundle.verificationMaterial.tlogEntries.forEach((entry) => delete entry.inclusionPromise),
      'a broken inclusion proof': (bundle) => bundle.verificationMaterial.tlogEntries[0]?.inclusionProof.hashes.reverse(),
      'the same log entry twice': (bundle) => bundle.verificationMaterial.tlogEntries.push(...bundle.verificationMaterial.tlogEntries),
      'a later integrated time': (bundle) =>
        bundle.verificationMaterial.tlogEntries.forEach(
          (entry) => (entry.integratedTime = String(Math.floor(before10.getTime() / 1000) + 60)),
        ),
      'another payload type': (bundle) => (bundle.dsseEnvelope.payloadType = 'text/plain'),
    };
    /** Where cosign's verdict is not ours, and why. Nothing else may differ. */
    const different: Readonly<Record<string, string>> = {
      'Rekor v2 with an early kind of entry': 'cosign knows hashedrekord entries only; dsse entries of Rekor v2 prove as much',
    };

    const PATTERNS = { issuer: '^https://issuer\\.test$', subject: '^(https://github\\.com/org/app/.*|somebody.*)$' };
    const verdicts = async (
      name: string,
      subject: Subject,
      patterns = PATTERNS,
    ): Promise<{ theirs: boolean; ours: boolean; text: string }> => {
      const trust = ['--trusted-root', lab.file(`${name.replaceAll(/\W/g, '-')}.json`, sigstore.trustedRoot())];
      const who = ['--certificate-identity-regexp', patterns.subject, '--certificate-oidc-issuer-regexp', patterns.issuer];
      const reference = `${subject.repository}@${subject.digest}`;
      const { ok, text } = await lab.cosign('verify', HTTP, ...trust, ...who, reference);
      const policy = { identities: parseIdentities([patterns]), root: parseTrustedRoot(sigstore.trustedRoot()) };
      return { theirs: ok, ours: await accepts(lab, subject, policy), text };
    };
    const compare = async (name: string, subject: Subject): Promise<void> => {
      const { theirs, ours, text } = await verdicts(name, subject);
      const same = different[name] === undefined;
      assert.equal(ours === theirs, same, `${name}: cosign ${theirs ? 'accepts' : 'refuses'}, we ${ours ? 'accept' : 'refuse'}: ${text}`);
    };

    for (const [name, change] of Object.entries(cases)) {
      test(`bundle: ${name}`, async () => {
        const subject = await lab.push(`bundle-${name.toLowerCase().replaceAll(/\W+/g, '-')}`);
        await lab.attachBundle(subject, json(sigstore.bundle(subject.digest, { ...good, ...change })));
        await compare(name, subject);
      });
      if (change.logs?.includes(rekor2) === true || change.logs?.includes(stranger.rekor1) === true) continue;
      test(`signature tag: ${name}`, async () => {
        const subject = await lab.push(`tag-${name.toLowerCase().replaceAll(/\W+/g, '-')}`);
        await lab.attachTag(subject, sigstore.tagSignature(subject.digest, { ...good, ...change }));
        await compare(`tag: ${name}`, subject);
      });
    }
    test('OB14: a pattern matches a part of issuer and subject, in both formats', async () => {
      for (const [what, patterns, expected] of [
        ['part', { issuer: 'issuer', subject: 'org/app' }, true],
        ['no part', { issuer: 'issuer', subject: 'org/other' }, false],
      ] as const) {
        const bundled = await lab.push(`bundle-${what.replace(' ', '-')}`);
        await lab.attachBundle(bundled, json(sigstore.bundle(bundled.digest, good)));
        const tagged = await lab.push(`tag-${what.replace(' ', '-')}`);
        await lab.attachTag(tagged, sigstore.tagSignature(tagged.digest, good));
        for (const subject of [bundled, tagged]) {
          const { theirs, ours, text } = await verdicts(what, subject, patterns);
          assert.deepEqual({ theirs, ours }, { theirs: expected, ours: expected }, text);
        }
      }
    });
    test("do better, defect 1: another digest's signatures are nobody's", async () => {
      const older = await lab.push('older');
      const bundled = await lab.push('bundle-of-another');
      await lab.attachBundle(bundled, json(sigstore.bundle(older.digest, good)));
      await compare('bundle of another digest', bundled);
      const tagged = await lab.push('tag-of-another');
      await lab.attachTag(tagged, sigstore.tagSignature(older.digest, good));
      await compare('tag of another digest', tagged);
    });
    for (const [name, tamper] of Object.entries(tampering)) {
      test(`bundle with ${name}`, async () => {
        const subject = await lab.push(`tampered-${name.replaceAll(/\W+/g, '-')}`);
        const bundle = sigstore.bundle(subject.digest, good);
        tamper(bundle, sigstore.bundle(subject.digest, { ...good, time: new Date(before10.getTime() + 1000) }));
        await lab.attachBundle(subject, json(bundle));
        await compare(name, subject);
      });
    }
  });
});
