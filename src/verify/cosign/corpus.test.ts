// Signatures that cosign 3 made (old tags and bundles), in the corpus' image layouts: each artifact against each kind of trust.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCodedError, type Digest } from '../../std/index.ts';
import { layoutBlobPath, layoutTag, readLayout, readLayoutManifest, type FetchedManifest, type ImageLayout } from '../../oci/index.ts';
import { corpus } from '../../../test/corpus.ts';
import { publicGoodRoot } from '../sigstore/public-good.ts';
import type { Subject } from '../verdict.ts';
import { parseIdentities } from './identity.ts';
import { cosignMediaTypes, type CosignMaterial } from './material.ts';
import type { CosignPolicy } from './policy.ts';
import { parsePublicKeys } from './public-key.ts';
import { verifyAllCosign, verifyCosign } from './verify.ts';

const folder = corpus('artifacts');
const options = { now: new Date('2026-11-24T12:00:00Z') };

/** What a layout holds about a subject: referrers that are bundles, and the layers under its `.sig` tag. */
async function* materialOf(layout: ImageLayout, digest: Digest): AsyncGenerator<CosignMaterial> {
  for (const entry of layout.index.manifests) {
    const { manifest } = await readLayoutManifest(layout, entry);
    if (manifest.kind !== 'image') continue;
    const [layer] = manifest.layers;
    if (manifest.subject?.digest === digest && entry.artifactType?.startsWith(cosignMediaTypes.bundlePrefix) && layer !== undefined)
      yield { name: entry.digest, kind: 'bundle', json: readFileSync(layoutBlobPath(layout, layer.digest)) };
    if (layoutTag(entry) !== `${digest.replace(':', '-')}.sig`) continue;
    for (const { digest: blob, annotations = {} } of manifest.layers)
      yield { name: layoutTag(entry) ?? '', kind: 'simple-signing', payload: readFileSync(layoutBlobPath(layout, blob)), annotations };
  }
}

async function tagged(layout: ImageLayout, tag: string): Promise<FetchedManifest> {
  const entry = layout.index.manifests.find((candidate) => layoutTag(candidate) === tag);
  assert.ok(entry, `no tag ${tag}`);
  return await readLayoutManifest(layout, entry);
}

function policies(trust: string): Record<string, CosignPolicy> {
  const key = (name: string): [string, Uint8Array] => [name, readFileSync(join(trust, name))];
  return {
    cosign: { keys: parsePublicKeys([key('cosign.pub')]) },
    other: { keys: parsePublicKeys([key('other.pub')]) },
    both: { keys: parsePublicKeys([key('other.pub'), key('cosign.pub')]) },
    logged: { keys: parsePublicKeys([key('cosign.pub')]), root: publicGoodRoot() },
    keyless: { identities: parseIdentities([{ issuer: '.*', subject: '.*' }]), root: publicGoodRoot() },
  };
}

// repository, tag, policies that accept it; the others give the code.
const CASES: readonly [repository: string, tag: string, accepts: readonly string[], otherwise: Readonly<Record<string, string>>][] = [
  ['manifests', '6.14.1', ['cosign', 'other', 'both'], { logged: 'ProofInvalid', keyless: 'SignerUntrusted' }],
  ['manifests', 'latest', ['cosign', 'other', 'both'], { logged: 'ProofInvalid', keyless: 'SignerUntrusted' }],
  ['manifests', '6.14.0', [], { '*': 'SignatureMissing' }],
  ['manifests', '6.13.0', ['cosign', 'both'], { other: 'SignerUntrusted', logged: 'ProofInvalid', keyless: 'SignerUntrusted' }],
  [
    'manifests',
    '6.13.1-evil',
    [],
    { other: 'SignerUntrusted', logged: 'ProofInvalid', keyless: 'SignerUntrusted', '*': 'SignatureInvalid' },
  ],
  ['manifests', '6.9.4', [], { '*': 'SignatureMissing' }],
  ['manifests', '6.8.0', ['other', 'both'], { '*': 'SignerUntrusted' }],
  ['charts', '6.14.1', [], { '*': 'SignatureMissing' }],
  ['charts', '6.14.0', ['cosign', 'both'], { logged: 'ProofInvalid', '*': 'SignerUntrusted' }],
  ['charts', '6.13.0', [], { '*': 'SignatureMissing' }],
  ['charts', '6.9.4', [], { '*': 'SignatureMissing' }],
  ['charts', '6.8.0', [], { '*': 'SignatureMissing' }],
];

const skip = folder === undefined ? 'no corpus of artifacts' : false;

for (const [repository, tag, accepts, otherwise] of CASES) {
  test(`OB14: ${repository}/podinfo:${tag} is accepted by ${accepts.join(', ') || 'nobody'}`, { skip }, async () => {
    const layout = await readLayout(join(folder ?? '', 'layouts', 'stefanprodan', repository, 'podinfo'));
    const { descriptor } = await tagged(layout, tag);
    const subject: Subject = { ...descriptor, repository: `registry.test/stefanprodan/${repository}/podinfo` };
    for (const [name, policy] of Object.entries(policies(join(folder ?? '', 'trust')))) {
      const found = verifyCosign(subject, materialOf(layout, descriptor.digest), policy, options);
      if (accepts.includes(name)) assert.equal((await found).digest, descriptor.digest, name);
      else await assert.rejects(found, (error) => isCodedError(error, otherwise[name] ?? otherwise['*'] ?? ''), `${tag} by ${name}`);
    }
  });
}

test('every signature of an artifact is found: two signers and an SLSA attestation', { skip }, async () => {
  const layout = await readLayout(join(folder ?? '', 'layouts', 'stefanprodan', 'manifests', 'podinfo'));
  const { descriptor } = await tagged(layout, '6.14.1');
  const subject: Subject = { ...descriptor, repository: 'registry.test/stefanprodan/manifests/podinfo' };
  const both = policies(join(folder ?? '', 'trust'))['both'];
  assert.ok(both);
  const { verdicts, rejections } = await verifyAllCosign(subject, materialOf(layout, descriptor.digest), both, options);
  assert.deepEqual(rejections, []);
  const found = verdicts.map(
    ({ signer, attestation }) => `${signer.kind === 'key' && signer.name}: ${attestation?.predicateType ?? 'signature'}`,
  );
  assert.deepEqual(found.toSorted(), ['cosign.pub: https://slsa.dev/provenance/v1', 'cosign.pub: signature', 'other.pub: signature']);
});
