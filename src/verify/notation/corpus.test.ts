import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { corpus } from '../../../test/corpus.ts';
import { parseDigest, type Digest } from '../../std/index.ts';
import { VerificationError, type Subject } from '../verdict.ts';
import { notationMediaTypes, type SignatureEnvelope } from './signature.ts';
import { parseNotationSecret } from './trust-store.ts';
import { verifyAllNotation, verifyNotation, type NotationFindings } from './verify.ts';

const root = corpus('artifacts');

type Manifest = { mediaType: string; digest: string; size: number; annotations?: Record<string, string> };

/** A tag's descriptor and its notation signatures, read from an OCI image layout. */
function read(repository: string, tag: string): { subject: Subject; material: readonly SignatureEnvelope[] } {
  const folder = join(root ?? '', 'layouts', repository);
  const blob = (digest: string): Buffer => readFileSync(join(folder, 'blobs', digest.replace(':', '/')));
  const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { manifests: readonly Manifest[] };
  const tagged = manifests.find(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag);
  assert.ok(tagged, `${repository}:${tag}`);
  const material = manifests.flatMap(({ digest }): SignatureEnvelope[] => {
    const manifest = JSON.parse(blob(digest).toString()) as {
      artifactType?: string;
      config?: { mediaType: string };
      subject?: { digest: string };
      layers?: readonly { mediaType: SignatureEnvelope['mediaType']; digest: string }[];
    };
    const isSignature = [manifest.artifactType, manifest.config?.mediaType].includes(notationMediaTypes.signature);
    const layer = manifest.layers?.[0];
    if (!isSignature || manifest.subject?.digest !== tagged.digest || layer === undefined) return [];
    return [{ name: digest, mediaType: layer.mediaType, envelope: blob(layer.digest) }];
  });
  const { mediaType, size } = tagged;
  return { subject: { digest: parseDigest(tagged.digest), mediaType, size, repository: `registry.test/${repository}` }, material };
}

const trust = (name: string): Buffer => readFileSync(join(root ?? '', 'trust', name));
/** The signatures were made on this day; one certificate ends the next. */
const SIGNED = new Date('2026-11-23T23:00:00Z');
const RELEASE = 'x509.subject: C=RO, ST=B, O=Sluice Test, CN=release.sluice.test';
const ANY = '*';
const MANIFESTS = 'stefanprodan/manifests/podinfo';
const CHARTS = 'stefanprodan/charts/podinfo';

type Trust = { certificate: string; identity?: string; level?: string; now?: Date };

async function verify(
  repository: string,
  tag: string,
  { certificate, identity, level = 'strict', now = SIGNED }: Trust,
): Promise<NotationFindings & { code?: string }> {
  const document = JSON.parse(trust('trustpolicy.json').toString()) as {
    trustPolicies: [{ trustedIdentities: string[]; signatureVerification: { level: string } }];
  };
  if (identity !== undefined) document.trustPolicies[0].trustedIdentities = [identity];
  document.trustPolicies[0].signatureVerification.level = level;
  const secret = parseNotationSecret({ 'trustpolicy.json': Buffer.from(JSON.stringify(document)), 'ca.crt': trust(certificate) });
  const { subject, material } = read(repository, tag);
  const findings = await verifyAllNotation(subject, material, { ...secret, now });
  try {
    await verifyNotation(subject, material, { ...secret, now });
    assert.ok(findings.verdicts.length > 0);
    return findings;
  } catch (error) {
    assert.ok(error instanceof VerificationError);
    return { ...findings, code: error.code };
  }
}

const ROOT = 'notation-release-root.crt';
const EXPIRES = 'notation-expires-2026-11-24.crt';
const UNTRUSTED = 'notation-untrusted.crt';
const names = ({ verdicts }: NotationFindings): readonly string[] =>
  verdicts.map(({ format, signer }) => `${format} ${signer.kind === 'x509' ? signer.subject.split(',')[0] : ''}`);

describe('signatures of the real notation', { skip: root === undefined || !existsSync(root) ? 'the corpus is absent' : false }, () => {
  for (const [repository, tag, release, other] of [
    [MANIFESTS, '6.14.0', 'COSE', 'JWS'],
    [CHARTS, '6.14.1', 'JWS', 'COSE'],
  ] as const) {
    it(`${repository}:${tag} verifies with the release root`, async () => {
      assert.deepEqual(names(await verify(repository, tag, { certificate: ROOT })), [`${release} CN=release.sluice.test`]);
      // Long after: its certificates hold ten years.
      assert.equal((await verify(repository, tag, { certificate: ROOT, now: new Date('2030-01-01') })).code, undefined);
    });

    it(`${repository}:${tag} verifies with the short-lived certificate, the day it was signed`, async () => {
      assert.deepEqual(names(await verify(repository, tag, { certificate: EXPIRES, identity: ANY })), [`${other} CN=sluice.test`]);
      const now = new Date('2026-12-01');
      assert.equal((await verify(repository, tag, { certificate: EXPIRES, identity: ANY, now })).code, 'SignatureExpired');
      const { verdicts } = await verify(repository, tag, { certificate: EXPIRES, identity: ANY, now, level: 'permissive' });
      assert.match(verdicts[0]?.warnings[0] ?? '', /^authenticTimestamp: certificate "CN=sluice\.test,/);
    });

    it(`${repository}:${tag} is refused under another identity or store`, async () => {
      const other_ = 'x509.subject: C=RO, ST=B, O=Sluice Test, CN=other.sluice.test';
      assert.equal((await verify(repository, tag, { certificate: ROOT, identity: other_ })).code, 'SignerUntrusted');
      assert.equal((await verify(repository, tag, { certificate: EXPIRES, identity: RELEASE })).code, 'SignerUntrusted');
      assert.equal((await verify(repository, tag, { certificate: UNTRUSTED, identity: ANY })).code, 'SignerUntrusted');
    });
  }

  it('6.9.4 verifies only when its certificate is trusted', async () => {
    assert.equal((await verify(MANIFESTS, '6.9.4', { certificate: ROOT })).code, 'SignerUntrusted');
    assert.deepEqual(names(await verify(MANIFESTS, '6.9.4', { certificate: UNTRUSTED, identity: ANY })), ['COSE CN=untrusted.test']);
  });

  for (const [repository, tags] of [
    [MANIFESTS, ['6.14.1', '6.13.0', '6.13.1-evil', '6.8.0']],
    [CHARTS, ['6.14.0', '6.8.0', '6.9.4', '6.13.0']],
  ] as const) {
    it(`${repository} ${tags.join(', ')} have no notation signature`, async () => {
      for (const tag of tags) assert.equal((await verify(repository, tag, { certificate: ROOT })).code, 'SignatureMissing');
    });
  }

  it('do not pass for another artifact', async () => {
    const { material } = read(MANIFESTS, '6.14.0');
    const { subject } = read(MANIFESTS, '6.14.1');
    const secret = parseNotationSecret({ 'trustpolicy.json': trust('trustpolicy.json'), 'ca.crt': trust(ROOT) });
    const { verdicts, rejections } = await verifyAllNotation(subject, material, { ...secret, now: SIGNED });
    assert.equal(verdicts.length, 0);
    const digest: Digest = subject.digest;
    assert.ok(rejections.some(({ code, wanted }) => code === 'SignatureInvalid' && wanted.includes(digest)));
  });
});
