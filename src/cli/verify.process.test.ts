import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  createRegistryClient,
  memoryStore,
  parseReference,
  parseRepository,
  pushArtifact,
  pushLayout,
  readLayout,
  startRegistry,
  tagged,
  type RunningRegistry,
} from '../oci/index.ts';
import { systemClock, type Digest } from '../std/index.ts';
import { corpus } from '../../test/corpus.ts';

const { signal } = new AbortController();
const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const layouts = corpus('artifacts');

describe('sluice verify', () => {
  const client = createRegistryClient({ insecure: true, clock: systemClock, random: Math.random });
  const folder = mkdtempSync(join(tmpdir(), 'cli-verify-'));
  let registry: RunningRegistry;
  let digest: Digest;
  const key = (name: string): KeyObject => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(join(folder, name), publicKey.export({ type: 'spki', format: 'pem' }));
    return privateKey;
  };
  before(async () => {
    registry = await startRegistry({ store: memoryStore(), clock: systemClock });
    const repository = parseRepository(`${registry.host}/app`);
    ({ digest } = await pushArtifact(client, parseReference(`${registry.host}/app:v1`), { layer: Buffer.from('a') }, signal));
    const payload = Buffer.from(
      JSON.stringify({ critical: { identity: {}, image: { 'docker-manifest-digest': digest }, type: 'cosign container image signature' } }),
    );
    const annotations = { 'dev.cosignproject.cosign/signature': sign('sha256', payload, key('ours.pub')).toString('base64') };
    key('other.pub');
    const blob = { mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json', bytes: payload };
    const layers = [{ ...(await client.pushBlob(repository, blob, signal)), annotations }];
    const config = await client.pushBlob(repository, { mediaType: 'application/json', bytes: Buffer.from('{}') }, signal);
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE, config, layers }));
    await client.pushManifest(tagged(repository, `${digest.replace(':', '-')}.sig`), { mediaType: IMAGE, bytes }, signal);
  });
  after(async () => {
    await client.close();
    await registry.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function verify(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'verify', ...args], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, DOCKER_CONFIG: folder },
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
    const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    return { code, out, err };
  }

  it('OB14: exits 0 and says who signed', async () => {
    const { code, out, err } = await verify(`oci://${registry.host}/app:v1`, '--key', 'other.pub', '--key', 'ours.pub');
    assert.equal(code, 0, err);
    assert.match(
      out,
      new RegExp(`digest: .*/app@${digest}\nsigner: +key "ours.pub" \\(sha256:[0-9a-f]{64}\\)\nformat: +cosign signature tag\n`),
    );
    const json = await verify(`oci://${registry.host}/app@${digest}`, '--key', 'ours.pub', '-o', 'json', '--insecure-registry');
    assert.deepEqual([json.code, (JSON.parse(json.out) as { digest: string }).digest], [0, digest]);
  });

  it('OB14: exits 1 and says what was found and wanted', async () => {
    const { code, err } = await verify(`oci://${registry.host}/app:v1`, '--key', 'other.pub');
    assert.equal(code, 1);
    assert.match(err, /found a signature by another key, or a changed payload, want one by "other\.pub"/);
    const json = await verify(`oci://${registry.host}/app:v1`, '--key', 'other.pub', '-o', 'json');
    assert.equal((JSON.parse(json.out) as { code: string }).code, 'SignerUntrusted');
  });

  it('exits 2 for anything else', async () => {
    const url = `oci://${registry.host}/app:v1`;
    for (const args of [
      [],
      [url],
      [url, '--unknown'],
      [url, '--provider', 'gpg'],
      [url, '--key', 'missing.pub'],
      [url, '--provider', 'notation'],
      [`${registry.host}/app:v1`, '--key', 'ours.pub'],
      [`oci://${registry.host}/app:v2`, '--key', 'ours.pub'],
      ['oci://127.0.0.1:1/app:v1', '--key', 'ours.pub', '--timeout', '1s'],
    ])
      assert.equal((await verify(...args)).code, 2, args.join(' '));
    assert.equal((await verify('--help')).code, 0);
  });

  it('judges by policies of a file: 0 satisfied, 1 refused, 2 unusable', async () => {
    const url = `oci://${registry.host}/app:v1`;
    const policy = (name: string, spec: object): object => ({
      apiVersion: 'source.sluice.dev/v1alpha1',
      kind: 'ClusterVerificationPolicy',
      metadata: { name },
      spec,
    });
    const secret = (name: string): object => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name },
      stringData: { [`${name}.pub`]: readFileSync(join(folder, `${name}.pub`), 'utf8') },
    });
    const file = (name: string, ...objects: readonly object[]): string => {
      writeFileSync(join(folder, name), objects.map((object) => `---\n${JSON.stringify(object)}\n`).join(''));
      return name;
    };
    const signer = (name: string): object => ({ name, provider: 'cosign', secretRef: { name } });
    const secrets = [secret('ours'), secret('other')];
    const good = policy('good', { signers: [signer('ours'), signer('other')], rollback: 'Deny' });
    const two = policy('two', { signers: [signer('ours'), signer('other')], threshold: 2 });
    const warning = policy('warning', { signers: [signer('other')], enforcement: 'Warn' });
    const elsewhere = policy('elsewhere', { repositories: ['ghcr.io/**'], signers: [signer('other')] });
    const satisfied = await verify(url, '--policy', file('good.yaml', good, warning, elsewhere, ...secrets));
    assert.equal(satisfied.code, 0, satisfied.err);
    assert.match(satisfied.err, /policy ClusterVerificationPolicy\/good: signed by key "ours\.pub"/);
    assert.match(satisfied.err, /elsewhere is about other repositories/);
    assert.match(satisfied.err, /rollback is not judged here/);
    assert.match(satisfied.err, /policy ClusterVerificationPolicy\/warning: found no signer that counts/);

    const files = ['--policy', file('good.yaml', good, ...secrets), '--policy', file('two.yaml', two, ...secrets)];
    const refused = await verify(url, ...files, '-o', 'json');
    assert.equal(refused.code, 1, refused.err);
    type Told = { verified: boolean; policies: { policy: string; satisfied: boolean; found?: string; wanted?: string }[] };
    const told = JSON.parse(refused.out) as Told;
    assert.deepEqual(
      told.policies.map(({ policy: name, satisfied: is, found, wanted }) => [name, is, found, wanted]),
      [
        ['ClusterVerificationPolicy/good', true, undefined, undefined],
        ['ClusterVerificationPolicy/two', false, '1 distinct signer (key "ours.pub")', '2 of "ours", "other"'],
      ],
    );
    assert.equal(told.verified, false);
    assert.equal((await verify(url, '--policy', file('elsewhere.yaml', elsewhere, ...secrets))).code, 1, 'nothing is proven');
    const unusable = [
      ['--policy', file('no-secret.yaml', good)],
      ['--policy', file('no-policy.yaml', ...secrets)],
      ['--policy', file('own.yaml', policy('own', {}))],
      ['--policy', file('invalid.yaml', policy('invalid', { rollback: 'Maybe' }), ...secrets)],
      [
        '--policy',
        file(
          'cel.yaml',
          policy('cel', { signers: [signer('ours')], attestations: [{ predicateType: 't', expressions: ['('] }] }),
          ...secrets,
        ),
      ],
      ['--policy', 'good.yaml', '--key', 'ours.pub'],
      ['--policy', 'missing.yaml'],
    ];
    const codes = await Promise.all(unusable.map(async (args) => [(await verify(url, ...args)).code, args]));
    assert.deepEqual(
      codes.filter(([code]) => code !== 2),
      [],
    );
  });

  it('OB15: notation by trust policy and certificate', { skip: layouts === undefined ? 'the corpus is not here' : false }, async () => {
    const repository = parseRepository(`${registry.host}/podinfo`);
    await pushLayout(await readLayout(join(layouts ?? '', 'layouts/stefanprodan/manifests/podinfo')), client, repository, signal);
    const trust = (name: string): string => join(layouts ?? '', 'trust', name);
    const flags = ['--provider', 'notation', '--trust-policy', trust('trustpolicy.json'), '--cert', trust('notation-release-root.crt')];
    const good = await verify(`oci://${registry.host}/podinfo:6.14.0`, ...flags);
    assert.deepEqual([good.code, /signer: +certificate "CN=release\.sluice\.test/.test(good.out)], [0, true], good.err);
    assert.equal((await verify(`oci://${registry.host}/podinfo:6.9.4`, ...flags)).code, 1);
  });
});
