// What a registry may hand us: changed bytes, sizes and counts beyond every bound, nonsense.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { digestOf, isCodedError } from '../../std/index.ts';
import {
  MAX_CERTIFICATE,
  MAX_CHAIN,
  MAX_CHECKPOINT,
  MAX_JSON_DEPTH,
  MAX_JSON_VALUES,
  MAX_PROOFS,
  MAX_TIMESTAMP,
} from '../sigstore/limits.ts';
import { parseTrustedRoot } from '../sigstore/trusted-root.ts';
import {
  bundleMaterial,
  FakeSigstore,
  json,
  keyBundle,
  keyTagSignature,
  signEnvelope,
  type BundleJson,
  type KeylessOptions,
} from '../testing/sigstore.ts';
import { VerificationError, type Subject } from '../verdict.ts';
import { MAX_ANNOTATION, MAX_BUNDLE, MAX_MATERIAL_BYTES, MAX_MATERIALS, MAX_PAYLOAD, MAX_SUBJECTS } from './limits.ts';
import { parseIdentities } from './identity.ts';
import type { CosignMaterial } from './material.ts';
import type { CosignPolicy } from './policy.ts';
import { parsePublicKeys } from './public-key.ts';
import { verifyAllCosign, verifyCosign } from './verify.ts';

const now = new Date('2026-11-24T10:00:00Z');
const options = { now };
const digest = digestOf('artifact');
const subject: Subject = { digest, mediaType: '', size: 1, repository: 'registry.test/app' };
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const byKey: CosignPolicy = { keys: parsePublicKeys([['cosign.pub', Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))]]) };

const sigstore = new FakeSigstore(now);
const identity = { issuer: 'https://issuer.test', subject: 'https://github.com/org/app/release.yaml@refs/heads/main' };
const good: KeylessOptions = { identity, time: now, logs: [sigstore.rekor1], timestamps: [sigstore.timestamps] };
const keyless: CosignPolicy = {
  identities: parseIdentities([{ issuer: '^https://issuer\\.test$', subject: '^https://github\\.com/org/app/.*$' }]),
  root: parseTrustedRoot(sigstore.trustedRoot()),
};

/** What a verdict stands for, or undefined when refused; an error that is no refusal fails the test. */
async function outcome(material: CosignMaterial, policy: CosignPolicy): Promise<object | undefined> {
  const { verdicts, rejections } = await verifyAllCosign(subject, [material], policy, options);
  assert.equal(verdicts.length + rejections.length, 1);
  const [verdict] = verdicts;
  return verdict && { digest: verdict.digest, signer: verdict.signer, attestation: verdict.attestation };
}

function flipped(bytes: Uint8Array, at: number, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  const index = at % changed.length;
  changed[index] = (changed[index] ?? 0) ^ (1 << bit);
  return changed;
}

function flip64(text: string, at: number, bit: number): string {
  return flipped(Buffer.from(text, 'base64'), at, bit).toString('base64');
}

const flips = fc.tuple(fc.nat(), fc.nat(7));

test('no byte of a payload or signature can be changed', async () => {
  const tag = keyTagSignature(digest, privateKey);
  const bundle = keyBundle(digest, privateKey);
  const signature = 'dev.cosignproject.cosign/signature';
  await fc.assert(
    fc.asyncProperty(flips, async ([at, bit]) => {
      assert.equal(await outcome({ ...tag, payload: flipped(tag.payload, at, bit) }, byKey), undefined);
      assert.equal(
        await outcome({ ...tag, annotations: { [signature]: flip64(tag.annotations[signature] ?? '', at, bit) } }, byKey),
        undefined,
      );
      const { dsseEnvelope: envelope } = bundle;
      const payload = { ...envelope, payload: flip64(envelope.payload, at, bit) };
      const signatures = { ...envelope, signatures: envelope.signatures.map(({ sig }) => ({ sig: flip64(sig, at, bit) })) };
      for (const dsseEnvelope of [payload, signatures])
        assert.equal(await outcome(bundleMaterial({ ...bundle, dsseEnvelope }), byKey), undefined);
    }),
    { numRuns: 40 },
  );
});

test('no byte of a certificate, log entry or timestamp that proves something can be changed', async () => {
  const bundle = sigstore.bundle(digest, { ...good, logs: [sigstore.rekor2] });
  assert.ok(await outcome(bundleMaterial(bundle), keyless));
  const material = bundle.verificationMaterial;
  const variants = (at: number, bit: number): Partial<BundleJson['verificationMaterial']>[] => [
    { certificate: { rawBytes: flip64(material.certificate?.rawBytes ?? '', at, bit) } },
    { tlogEntries: material.tlogEntries.map((entry) => ({ ...entry, canonicalizedBody: flip64(entry.canonicalizedBody, at, bit) })) },
  ];
  await fc.assert(
    fc.asyncProperty(flips, async ([at, bit]) => {
      for (const change of variants(at, bit))
        assert.equal(await outcome(bundleMaterial({ ...bundle, verificationMaterial: { ...material, ...change } }), keyless), undefined);
    }),
    { numRuns: 40 },
  );
});

test('whatever byte of a bundle or an annotation is changed: it is refused, or says the very same', async () => {
  const bundle = json(sigstore.bundle(digest, good));
  const tag = sigstore.tagSignature(digest, good);
  const expected = await outcome({ name: 'bundle', kind: 'bundle', json: bundle }, keyless);
  assert.ok(expected);
  await fc.assert(
    fc.asyncProperty(flips, fc.constantFrom(...Object.keys(tag.annotations)), async ([at, bit], key) => {
      const found = await outcome({ name: 'bundle', kind: 'bundle', json: flipped(bundle, at, bit) }, keyless);
      if (found !== undefined) assert.deepEqual(found, expected);
      const annotations = { ...tag.annotations, [key]: flipped(Buffer.from(tag.annotations[key] ?? ''), at, bit).toString() };
      const old = await outcome({ ...tag, annotations }, keyless);
      if (old !== undefined) assert.deepEqual(old, expected);
    }),
    { numRuns: 80 },
  );
});

test('nonsense of any kind is refused', async () => {
  const nonsense = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.object({ maxDepth: 3 }).map((value) => json({ ...sigstoreShape, ...value })),
  );
  await fc.assert(
    fc.asyncProperty(nonsense, async (bytes) => {
      for (const policy of [byKey, keyless]) {
        assert.equal(await outcome({ name: 'x', kind: 'bundle', json: bytes }, policy), undefined);
        assert.equal(await outcome({ name: 'x', kind: 'envelope', payload: bytes, annotations: {} }, policy), undefined);
        const text = Buffer.from(bytes).toString();
        const annotations = {
          'dev.cosignproject.cosign/signature': text,
          'dev.sigstore.cosign/bundle': text,
          'dev.sigstore.cosign/certificate': text,
        };
        assert.equal(await outcome({ name: 'x', kind: 'simple-signing', payload: bytes, annotations }, policy), undefined);
      }
    }),
    { numRuns: 40 },
  );
});
const sigstoreShape = {
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: { certificate: {} },
  dsseEnvelope: {},
};

async function limited(material: CosignMaterial, policy: CosignPolicy, text: RegExp): Promise<void> {
  await assert.rejects(verifyCosign(subject, [material], policy, options), (error) => {
    assert.ok(error instanceof VerificationError, String(error));
    assert.match(error.message, text);
    return true;
  });
}

test('sizes beyond the bounds are refused unread, and do not hide a good signature', async () => {
  const huge = new Uint8Array(MAX_MATERIAL_BYTES + 1);
  const oversized: CosignMaterial[] = [
    { name: 'a', kind: 'bundle', json: huge },
    { name: 'b', kind: 'simple-signing', payload: huge, annotations: {} },
    { name: 'c', kind: 'envelope', payload: huge, annotations: {} },
  ];
  for (const [index, limit] of [MAX_BUNDLE, MAX_PAYLOAD, MAX_PAYLOAD].entries()) {
    const material = oversized[index];
    assert.ok(material);
    await limited(material, byKey, new RegExp(`of ${huge.length} bytes, want at most ${limit}`));
  }
  const tag = keyTagSignature(digest, privateKey);
  const annotations = { ...tag.annotations, 'dev.sigstore.cosign/bundle': 'x'.repeat(MAX_ANNOTATION + 1) };
  await limited({ ...tag, annotations }, byKey, /annotation dev.sigstore.cosign\/bundle of .* bytes/);
  assert.equal((await verifyCosign(subject, [...oversized, tag], byKey, options)).format, 'signature tag');
});

test('of 10,000 signatures only so many are looked at, and no more are asked for', async () => {
  const bad = keyTagSignature(digestOf('x'), privateKey);
  let asked = 0;
  const many = function* (): Generator<CosignMaterial> {
    for (; asked < 10_000; asked++) yield bad;
  };
  await assert.rejects(verifyCosign(subject, many(), byKey, options), (error) => {
    assert.ok(error instanceof VerificationError && isCodedError(error, 'LimitExceeded'));
    assert.equal(error.rejections.length, MAX_MATERIALS + 1);
    assert.match(error.message, /and 252 more$/);
    return true;
  });
  assert.equal(asked, MAX_MATERIALS);
});

test('all signatures together are bounded too', async () => {
  const payload = new Uint8Array(MAX_PAYLOAD);
  const material = Array.from(
    { length: MAX_MATERIAL_BYTES / MAX_PAYLOAD + 1 },
    (_, index) => ({ name: `${index}`, kind: 'simple-signing', payload, annotations: {} }) as const,
  );
  await assert.rejects(verifyCosign(subject, material, byKey, options), { code: 'LimitExceeded' });
});

test('counts and nesting inside one signature are bounded', async () => {
  const bundle = sigstore.bundle(digest, good);
  const material = bundle.verificationMaterial;
  const entries = Array.from({ length: MAX_PROOFS + 1 }, () => material.tlogEntries[0]);
  await limited(
    bundleMaterial({ ...bundle, verificationMaterial: { ...material, tlogEntries: entries } }),
    keyless,
    /33 log entries, want at most 32/,
  );
  const stamps = Array.from({ length: MAX_PROOFS + 1 }, () => material.timestampVerificationData?.rfc3161Timestamps[0]);
  const timestampVerificationData = { rfc3161Timestamps: stamps };
  await limited(bundleMaterial({ ...bundle, verificationMaterial: { ...material, timestampVerificationData } }), keyless, /33 timestamps/);
  const certificates = Array.from({ length: MAX_CHAIN + 1 }, () => material.certificate);
  const { certificate: _, ...rest } = material;
  const chained = {
    ...bundle,
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: { ...rest, x509CertificateChain: { certificates } },
  };
  await limited(bundleMaterial(chained), keyless, /9 certificates, want at most 8/);

  const [entry] = material.tlogEntries;
  assert.ok(entry);
  const checkpoint = { envelope: `${'x'.repeat(MAX_CHECKPOINT)}\n` };
  const noted = [{ ...entry, inclusionProof: { ...entry.inclusionProof, checkpoint } }];
  await limited(
    bundleMaterial({ ...bundle, verificationMaterial: { ...material, tlogEntries: noted } }),
    keyless,
    /16385 bytes of a checkpoint/,
  );
  const large = Buffer.alloc(MAX_CERTIFICATE + 1).toString('base64');
  await limited(
    bundleMaterial({ ...bundle, verificationMaterial: { ...material, certificate: { rawBytes: large } } }),
    keyless,
    /65537 bytes of a certificate/,
  );
  const stamped = { rfc3161Timestamps: [{ signedTimestamp: Buffer.alloc(MAX_TIMESTAMP + 1).toString('base64') }] };
  await limited(
    bundleMaterial({ ...bundle, verificationMaterial: { ...material, timestampVerificationData: stamped } }),
    keyless,
    /65537 bytes of a timestamp/,
  );

  const wide = Buffer.from(`[${'{},'.repeat(MAX_JSON_VALUES)}{}]`);
  await limited({ name: 'x', kind: 'bundle', json: wide }, byKey, /more than 20000 values/);
  const deep = Buffer.from(`${'['.repeat(MAX_JSON_DEPTH + 1)}${']'.repeat(MAX_JSON_DEPTH + 1)}`);
  await limited({ name: 'x', kind: 'bundle', json: deep }, byKey, /nested deeper than 64/);
  const subjects = Array.from({ length: MAX_SUBJECTS + 1 }, () => ({ digest: { sha256: digest.slice(7) } }));
  const dsseEnvelope = signEnvelope({ _type: 'https://in-toto.io/Statement/v1', predicateType: 'x', subject: subjects }, privateKey);
  await limited(bundleMaterial({ ...keyBundle(digest, privateKey), dsseEnvelope }), byKey, /1025 subjects/);
});

test("the registry's words in a message are cut and print", async () => {
  const bundle = keyBundle(digest, privateKey);
  const payloadType = `\u0007${'x'.repeat(100_000)}`;
  const { rejections } = await verifyAllCosign(
    subject,
    [bundleMaterial({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payloadType } })],
    byKey,
    options,
  );
  assert.ok((rejections[0]?.found.length ?? Infinity) < 1100);
  assert.doesNotMatch(rejections[0]?.found ?? '', /\p{Cc}/u);
});

test('as many signatures by other identities as are looked at cost less than a few proofs', async () => {
  const time = async (material: readonly CosignMaterial[]): Promise<number> => {
    const start = performance.now();
    await verifyAllCosign(subject, material, keyless, options);
    return performance.now() - start;
  };
  const evil = bundleMaterial(sigstore.bundle(digest, { ...good, identity: { ...identity, subject: 'https://github.com/evil/app' } }));
  const trusted = bundleMaterial(sigstore.bundle(digest, good));
  await time([trusted, evil]);
  const proof = (await time(Array.from({ length: 10 }, () => trusted))) / 10;
  const others = await time(Array.from({ length: MAX_MATERIALS }, () => evil));
  assert.ok(others < proof * (MAX_MATERIALS / 4), `${others.toFixed(0)} ms, a proof costs ${proof.toFixed(1)} ms`);
});
