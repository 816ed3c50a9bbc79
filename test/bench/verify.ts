// How long one verification takes: `node test/bench/verify.ts`.
import { generateKeyPairSync } from 'node:crypto';
import { digestOf } from '../../src/std/index.ts';
import {
  parseIdentities,
  parsePublicKeys,
  parseTrustedRoot,
  publicGoodRoot,
  verifyCosign,
  type CosignMaterial,
  type CosignPolicy,
} from '../../src/verify/index.ts';
import { bundleMaterial, FakeSigstore, keyBundle, keyTagSignature } from '../../src/verify/testing/sigstore.ts';

const now = new Date();
const digest = digestOf('artifact');
const subject = { digest, mediaType: '', size: 1, repository: 'registry.test/app' };
const sigstore = new FakeSigstore(now);
const identity = { issuer: 'https://issuer.test', subject: 'https://github.com/org/app/release.yaml@refs/heads/main' };
const root = parseTrustedRoot(sigstore.trustedRoot());
const keyless: CosignPolicy = {
  identities: parseIdentities([{ issuer: '^https://issuer\\.test$', subject: '^https://github\\.com/org/.*$' }]),
  root,
};

async function time(what: string, material: CosignMaterial, policy: CosignPolicy): Promise<void> {
  const durations: number[] = [];
  for (let run = 0; run < 120; run++) {
    const start = performance.now();
    await verifyCosign(subject, [material], policy, { now });
    if (run >= 20) durations.push(performance.now() - start);
  }
  const median = durations.toSorted((a, b) => a - b)[50] ?? 0;
  process.stdout.write(`${what.padEnd(48)} ${median.toFixed(2)} ms\n`);
}

const keys = { ecdsa: generateKeyPairSync('ec', { namedCurve: 'P-256' }), rsa: generateKeyPairSync('rsa', { modulusLength: 4096 }) };
for (const [name, { publicKey, privateKey }] of Object.entries(keys)) {
  const policy = { keys: parsePublicKeys([['k.pub', Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))]]) };
  await time(`${name} key, bundle`, bundleMaterial(keyBundle(digest, privateKey)), policy);
  await time(`${name} key, signature tag`, keyTagSignature(digest, privateKey), policy);
}
const good = { identity, time: now };
await time('keyless, bundle, Rekor v1', bundleMaterial(sigstore.bundle(digest, good)), keyless);
await time(
  'keyless, bundle, Rekor v2 and timestamp',
  bundleMaterial(sigstore.bundle(digest, { ...good, logs: [sigstore.rekor2], timestamps: [sigstore.timestamps] })),
  keyless,
);
await time('keyless, signature tag, Rekor v1', sigstore.tagSignature(digest, good), keyless);
const start = performance.now();
publicGoodRoot();
process.stdout.write(`${'public-good root, once'.padEnd(48)} ${(performance.now() - start).toFixed(2)} ms\n`);
