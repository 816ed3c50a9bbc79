import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import { digestOf } from '../../std/index.ts';
import { parseTrustedRoot } from '../sigstore/trusted-root.ts';
import { TIME_STAMPING } from '../testing/certificate-authority.ts';
import {
  bundleMaterial,
  FakeSigstore,
  json,
  keyBundle,
  keyTagSignature,
  signEnvelope,
  SIGNATURE,
  simpleSigning,
  statementOf,
  type BundleJson,
  type KeylessOptions,
} from '../testing/sigstore.ts';
import { VerificationError, type Subject, type Verdict, type VerificationErrorCode } from '../verdict.ts';
import { parseIdentities } from './identity.ts';
import type { CosignMaterial } from './material.ts';
import type { CosignPolicy } from './policy.ts';
import { parsePublicKeys, type PublicKey } from './public-key.ts';
import { verifyAllCosign, verifyCosign } from './verify.ts';

const now = new Date('2026-11-24T10:00:00Z');
const options = { now };
const digest = digestOf('artifact');
const older = digestOf('older artifact');
const subject: Subject = { digest, mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 500, repository: 'registry.test/app' };

const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const otherKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

function trust(name: string, key: KeyObject): PublicKey[] {
  return parsePublicKeys([[name, Buffer.from(createPublicKey(key).export({ type: 'spki', format: 'pem' }))]]);
}

async function verdict(material: readonly CosignMaterial[], policy: CosignPolicy): Promise<Verdict> {
  return await verifyCosign(subject, material, policy, options);
}

async function refused(
  material: readonly CosignMaterial[],
  policy: CosignPolicy,
  code: VerificationErrorCode,
  text: RegExp,
): Promise<void> {
  await assert.rejects(verdict(material, policy), (error) => {
    assert.ok(error instanceof VerificationError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    assert.equal(error.rejections.length, material.length);
    return true;
  });
}

describe('signatures by keys', () => {
  const byKey: CosignPolicy = { keys: trust('cosign.pub', signingKey) };

  test('OB14: a bundle and an old signature are accepted, without log', async () => {
    const found = await verdict([bundleMaterial(keyBundle(digest, signingKey))], byKey);
    const [key] = 'keys' in byKey ? byKey.keys : [];
    assert.deepEqual(found, {
      provider: 'cosign',
      digest,
      signer: { kind: 'key', fingerprint: key?.fingerprint, name: 'cosign.pub' },
      format: 'bundle',
      log: [],
      warnings: [],
    });
    assert.equal((await verdict([keyTagSignature(digest, signingKey)], byKey)).format, 'signature tag');
  });

  test('OB14: any of several keys may match, and the verdict says which', async () => {
    const policy = { keys: [...trust('other.pub', otherKey), ...trust('cosign.pub', signingKey)] };
    const { signer } = await verdict([keyTagSignature(digest, signingKey)], policy);
    assert.equal(signer.kind === 'key' && signer.name, 'cosign.pub');
  });

  test('OB14: one good signature among bad ones suffices, and what comes after it is not asked for', async () => {
    let asked = 0;
    function* material(): Generator<CosignMaterial> {
      for (const piece of [keyTagSignature(older, signingKey), keyTagSignature(digest, otherKey), keyTagSignature(digest, signingKey)]) {
        asked++;
        yield piece;
      }
      assert.fail('asked for more');
    }
    await verifyCosign(subject, material(), byKey, options);
    assert.equal(asked, 3);
  });

  test('a wrong key is refused, naming what was wanted', async () => {
    await refused(
      [bundleMaterial(keyBundle(digest, otherKey), 'sha256:abc')],
      byKey,
      'SignerUntrusted',
      /sha256:abc: found .*another key.*want one by "cosign\.pub" \(sha256:/,
    );
    await refused([keyTagSignature(digest, otherKey)], byKey, 'SignerUntrusted', /another key/);
  });

  test("do better, defect 1: another digest's signature copied over is refused", async () => {
    await refused(
      [keyTagSignature(older, signingKey)],
      byKey,
      'SignatureInvalid',
      new RegExp(`other content \\(${older}\\).*want a signature of ${digest}`),
    );
    await refused([bundleMaterial(keyBundle(older, signingKey))], byKey, 'SignatureInvalid', /other content/);
  });

  test('a stripped signature is a missing one', async () => {
    await refused([], byKey, 'SignatureMissing', /no signature found, want one by "cosign\.pub"/);
    const stripped = { ...keyTagSignature(digest, signingKey), annotations: {} };
    await refused([stripped], byKey, 'SignatureInvalid', /no signature in annotation/);
    const bundle = keyBundle(digest, signingKey);
    await refused(
      [bundleMaterial({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, signatures: [] } })],
      byKey,
      'SignatureInvalid',
      /broken bundle/,
    );
  });

  test('a changed payload is refused', async () => {
    const tag = keyTagSignature(older, signingKey);
    await refused([{ ...tag, payload: simpleSigning(digest) }], byKey, 'SignerUntrusted', /changed payload/);
    const bundle = keyBundle(older, signingKey);
    const payload = json(statementOf(digest, SIGNATURE)).toString('base64');
    await refused(
      [bundleMaterial({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload } })],
      byKey,
      'SignerUntrusted',
      /changed payload/,
    );
  });

  test('a signed payload of another kind says nothing about content', async () => {
    const payload = json({ critical: { type: 'atomic container signature', image: { 'docker-manifest-digest': digest } } });
    const annotations = { 'dev.cosignproject.cosign/signature': sign('sha256', payload, signingKey).toString('base64') };
    await refused([{ name: 't', kind: 'simple-signing', payload, annotations }], byKey, 'SignatureInvalid', /atomic container signature/);
    const envelope = signEnvelope({ _type: 'https://example.test/Note', subject: [{ digest: { sha256: 'x' } }] }, signingKey);
    await refused(
      [bundleMaterial({ ...keyBundle(digest, signingKey), dsseEnvelope: envelope })],
      byKey,
      'SignatureInvalid',
      /want an in-toto statement|in-toto/,
    );
  });

  test('a bundle with a bare signature is no signature of an artifact', async () => {
    const { dsseEnvelope: _, ...bundle } = keyBundle(digest, signingKey);
    const messageSignature = { messageDigest: { algorithm: 'SHA2_256', digest: 'AA==' }, signature: 'AA==' };
    await refused([bundleMaterial({ ...bundle, messageSignature })], byKey, 'SignatureInvalid', /bare signature/);
  });

  test('with a trusted root the signature must be logged, by this key', async () => {
    const sigstore = new FakeSigstore(now);
    const logged = { ...byKey, root: parseTrustedRoot(sigstore.trustedRoot()) } as CosignPolicy;
    const found = await verdict([bundleMaterial(keyBundle(digest, signingKey, SIGNATURE, sigstore.rekor1, now))], logged);
    assert.equal(found.log.length, 1);
    assert.deepEqual(found.timestamp, now);
    await refused([bundleMaterial(keyBundle(digest, signingKey))], logged, 'ProofInvalid', /expected 1 tlog entries/);
    const stranger = new FakeSigstore(now);
    await refused(
      [bundleMaterial(keyBundle(digest, signingKey, SIGNATURE, stranger.rekor1, now))],
      logged,
      'ProofInvalid',
      /inclusion promise/,
    );
  });

  test('every verdict and rejection is told for policies about more than one signature', async () => {
    const material = [
      bundleMaterial(keyBundle(digest, signingKey), 'one'),
      bundleMaterial(keyBundle(digest, otherKey), 'two'),
      bundleMaterial(
        keyBundle(digest, signingKey, { type: 'https://slsa.dev/provenance/v1', value: { buildDefinition: { buildType: 'x' } } }),
        'three',
      ),
      { name: 'four', kind: 'unread', code: 'LimitExceeded', found: 'a blob of 1073741824 bytes', wanted: 'at most 16777216' } as const,
    ];
    const { verdicts, rejections } = await verifyAllCosign(subject, material, byKey, options);
    assert.deepEqual(
      verdicts.map(({ attestation }) => attestation),
      [undefined, { predicateType: 'https://slsa.dev/provenance/v1', predicate: { buildDefinition: { buildType: 'x' } } }],
    );
    assert.deepEqual(
      rejections.map(({ signature, code }) => [signature, code]),
      [
        ['two', 'SignerUntrusted'],
        ['four', 'LimitExceeded'],
      ],
    );
  });

  test('a policy that trusts nobody is refused', async () => {
    await assert.rejects(verdict([], { keys: [] }), { code: 'TrustInvalid' });
  });

  test('an aborted verification stops', async () => {
    const signal = AbortSignal.abort(new Error('superseded'));
    await assert.rejects(verifyCosign(subject, [keyTagSignature(digest, signingKey)], byKey, { now, signal }), /superseded/);
  });
});

describe('keyless signatures', () => {
  const sigstore = new FakeSigstore(now);
  const stranger = new FakeSigstore(now);
  const identity = { issuer: 'https://issuer.test', subject: 'https://github.com/org/app/.github/workflows/release.yaml@refs/heads/main' };
  const signedAt = new Date('2026-11-20T08:00:00Z');
  const good: KeylessOptions = { identity, time: signedAt };
  const root = parseTrustedRoot(sigstore.trustedRoot());
  const wanted = { issuer: '^https://issuer\\.test$', subject: '^https://github\\.com/org/app/.*$' };
  const policy: CosignPolicy = { identities: parseIdentities([wanted]), root };
  const { rekor1, rekor2, timestamps } = sigstore;

  const both = (change: Partial<KeylessOptions>): CosignMaterial[] => [
    bundleMaterial(sigstore.bundle(digest, { ...good, ...change })),
    sigstore.tagSignature(digest, { ...good, ...change }),
  ];
  const refusedBoth = async (change: Partial<KeylessOptions>, code: VerificationErrorCode, text: RegExp, by = policy): Promise<void> => {
    for (const material of both(change)) await refused([material], by, code, text);
  };

  test('OB14: Rekor v1 vouches for the time; who signed is told', async () => {
    for (const material of both({})) {
      const found = await verdict([material], policy);
      assert.deepEqual(found.signer, { kind: 'oidc', ...identity });
      assert.deepEqual(found.timestamp, signedAt);
      assert.deepEqual(
        found.log.map(({ id, integrated }) => [id, integrated]),
        [[rekor1.id.toString('hex'), signedAt]],
      );
      assert.deepEqual(found.warnings, []);
    }
  });

  test('an attestation under the tag of cosign 2 is one too', async () => {
    const provenance = { type: 'https://slsa.dev/provenance/v0.2', value: { builder: { id: 'https://builder.test' } } };
    const found = await verdict([sigstore.tagAttestation(digest, good, provenance)], policy);
    assert.deepEqual(
      [found.format, found.attestation],
      ['attestation tag', { predicateType: provenance.type, predicate: provenance.value }],
    );
    await refused([sigstore.tagAttestation(older, good, provenance)], policy, 'SignatureInvalid', /other content/);
  });

  test('Rekor v2 needs a timestamp authority for the time', async () => {
    for (const entry of ['hashedrekord', 'dsse'] as const) {
      const found = await verdict(
        [bundleMaterial(sigstore.bundle(digest, { ...good, logs: [rekor2], timestamps: [timestamps], entry }))],
        policy,
      );
      assert.deepEqual(found.timestamp, signedAt);
      assert.equal(found.log[0]?.integrated, undefined);
    }
    await refused(
      [bundleMaterial(sigstore.bundle(digest, { ...good, logs: [rekor2] }))],
      policy,
      'ProofInvalid',
      /expected 1 timestamps, got 0/,
    );
    const foreign = sigstore.bundle(digest, { ...good, logs: [rekor2], timestamps: [stranger.timestamps] });
    await refused([bundleMaterial(foreign)], policy, 'ProofInvalid', /timestamp/);
  });

  test("a stranger's timestamp beside Rekor v1 neither helps nor harms", async () => {
    const late = new FakeSigstore(now).timestamps;
    for (const material of both({ timestamps: [late] })) assert.deepEqual((await verdict([material], policy)).timestamp, signedAt);
  });

  test('no log, or a log of nobody we know, is no proof', async () => {
    await refusedBoth({ logs: [] }, 'ProofInvalid', /expected 1 t|no log/);
    await refused(
      [bundleMaterial(sigstore.bundle(digest, { ...good, logs: [stranger.rekor1] }))],
      policy,
      'ProofInvalid',
      /inclusion promise/,
    );
  });

  test('the certificate must be in a certificate transparency log', async () => {
    await refusedBoth({ certificateLog: undefined }, 'ProofInvalid', /SCTs/);
    await refusedBoth({ certificateLog: stranger.certificateLog }, 'ProofInvalid', /SCT/);
  });

  test('a certificate that expired before, or began after, the signing is refused', async () => {
    await refusedBoth(
      { issued: new Date(signedAt.getTime() - 11 * 60_000) },
      'SignatureExpired',
      /signed at 2026-11-20T08:00:00.000Z, want a time from .* to 2026-11-20T07:59:00/,
    );
    await refusedBoth({ issued: new Date(signedAt.getTime() + 60_000) }, 'SignatureExpired', /want a time from 2026-11-20T08:01:00/);
  });

  test('a certificate for another purpose, or of another authority, is refused', async () => {
    await refusedBoth({ purpose: TIME_STAMPING }, 'SignerUntrusted', /not for signing code/);
    const foreign = { ...policy, root: parseTrustedRoot(stranger.trustedRoot()) };
    await refusedBoth({}, 'SignerUntrusted', /another authority/, foreign);
  });

  test('a wrong identity is refused, naming it and the patterns', async () => {
    const evil = { ...identity, subject: 'https://github.com/evil/app/release.yaml@refs/heads/main' };
    await refusedBoth({ identity: evil }, 'SignerUntrusted', /found subject "https:\/\/github\.com\/evil\/app.*want subject matching/);
    await refusedBoth({ identity: { ...identity, issuer: 'https://evil.test' } }, 'SignerUntrusted', /issuer "https:\/\/evil\.test"/);
    const bare = keyBundle(digest, signingKey);
    await refused([bundleMaterial(bare)], policy, 'SignerUntrusted', /bare key/);
  });

  test('an unanchored pattern matches a part, as in Flux, and warns; anchored it is refused', async () => {
    const evil = { ...identity, subject: 'https://github.com/org/app-evil/.github/workflows/release.yaml@refs/heads/main' };
    const loose = [{ issuer: '^https://issuer\\.test$', subject: 'https://github.com/org/app' }];
    const found = await verdict([bundleMaterial(sigstore.bundle(digest, { ...good, identity: evil }))], {
      identities: parseIdentities(loose),
      root,
    });
    assert.match(found.warnings.join(), /subject ".*app-evil.*" matches "https:\/\/github.com\/org\/app" only in part: anchor it/);
    const strict: CosignPolicy = { identities: parseIdentities(loose, { anchored: true }), root };
    await refusedBoth({ identity: evil }, 'SignerUntrusted', /wholly matching/, strict);
  });

  test('several identities are alternatives', async () => {
    const identities = parseIdentities([{ issuer: 'a', subject: 'b' }, wanted]);
    assert.equal((await verdict(both({}), { identities, root })).provider, 'cosign');
  });

  test('asking for no identity accepts any, and warns', async () => {
    const found = await verdict(both({}), { identities: 'any', root });
    assert.match(found.warnings.join(), /no identity is asked for/);
    await assert.rejects(verdict(both({}), { identities: [], root }), { code: 'TrustInvalid' });
  });

  test('e-mail addresses and user names are subjects too; other bytes are not letters', async () => {
    for (const name of ['somebody@example.test', 'somebody'])
      assert.deepEqual((await verdict(both({ identity: { ...identity, subject: name } }), { identities: 'any', root })).signer, {
        kind: 'oidc',
        issuer: identity.issuer,
        subject: name,
      });
    // 0xe1 without its high bit is "a": a lenient reader sees admin@example.test.
    await refusedBoth({ identity: { ...identity, subject: '\u00e1dmin@example.test' } }, 'SignerUntrusted', /not ASCII/, {
      identities: 'any',
      root,
    });
  });

  test('a proof from the future is refused', async () => {
    const future = new Date(now.getTime() + 2 * 60 * 60_000);
    await refusedBoth({ time: future }, 'ProofInvalid', /signed at 2026-11-24T12:00:00/);
    for (const material of both({ time: new Date(now.getTime() + 30 * 60_000) })) await verdict([material], policy);
  });

  test("an older artifact's signature does not vouch for this one", async () => {
    await refused([bundleMaterial(sigstore.bundle(older, good))], policy, 'SignatureInvalid', /other content/);
    await refused([sigstore.tagSignature(older, good)], policy, 'SignatureInvalid', /other content/);
  });

  const tampering: Readonly<Record<string, [(bundle: BundleJson, other: BundleJson) => void, VerificationErrorCode]>> = {
    'another payload': [
      (bundle) => (bundle.dsseEnvelope.payload = json(statementOf(digest, { type: 'x', value: 1 })).toString('base64')),
      'ProofInvalid',
    ],
    "another signature's log entry": [
      (bundle, other) => (bundle.verificationMaterial.tlogEntries = other.verificationMaterial.tlogEntries),
      'ProofInvalid',
    ],
    "another signature's certificate": [
      (bundle, other) => (bundle.verificationMaterial.certificate = other.verificationMaterial.certificate ?? { rawBytes: '' }),
      'SignatureInvalid',
    ],
    'two signatures': [(bundle, other) => bundle.dsseEnvelope.signatures.push(...other.dsseEnvelope.signatures), 'SignatureInvalid'],
    'a log entry twice': [
      (bundle) => bundle.verificationMaterial.tlogEntries.push(...bundle.verificationMaterial.tlogEntries),
      'ProofInvalid',
    ],
    'a broken inclusion proof': [(bundle) => bundle.verificationMaterial.tlogEntries[0]?.inclusionProof.hashes.reverse(), 'ProofInvalid'],
    'another payload type': [(bundle) => (bundle.dsseEnvelope.payloadType = 'text/plain'), 'SignatureInvalid'],
    'no inclusion promise': [(bundle) => delete bundle.verificationMaterial.tlogEntries[0]?.inclusionPromise, 'ProofInvalid'],
  };
  for (const [what, [tamper, code]] of Object.entries(tampering)) {
    test(`a bundle with ${what} is refused`, async () => {
      const bundle = sigstore.bundle(digest, good);
      tamper(bundle, sigstore.bundle(digest, good));
      await refused([bundleMaterial(bundle)], policy, code, /./);
    });
  }
});
