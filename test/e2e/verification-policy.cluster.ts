// Verification policies with real controllers on a real API server: what is refused, warned of, withdrawn and taken up again. The real
// cosign and notation sign.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { clusterVerificationPolicyKind, customResourceDefinition, verificationPolicyKind } from '../../src/api/index.ts';
import { archiveTree, writeArchive } from '../../src/artifact/index.ts';
import type { KindRef } from '../../src/kube/index.ts';
import type { KubeObject } from '../../src/manifest/index.ts';
import { createRegistryClient, parseReference, parseRepository, pushArtifact, type RegistryClient } from '../../src/oci/index.ts';
import { systemClock, type Digest } from '../../src/std/index.ts';
import { issue, keyPair, pem } from '../../src/verify/notation/testing/authority.ts';
import { tool } from '../tools/build.ts';
import { CosignLab } from './cosign-lab.ts';
import { condition, CONFIG_MAP, configMap, KS, Lab, OCI, until, type Status } from './kustomization-lab.ts';
import { NotationLab } from './notation-lab.ts';

const POLICY: KindRef = { apiVersion: 'source.sluice.dev/v1alpha1', kind: 'VerificationPolicy' };
const CLUSTER_POLICY: KindRef = { apiVersion: 'source.sluice.dev/v1alpha1', kind: 'ClusterVerificationPolicy' };
const NEWEST = 'source.sluice.dev/newest';
const UNLOGGED = ['--use-signing-config=false', '--tlog-upload=false'];
const signal = AbortSignal.timeout(600_000);
const [cosign, notation] = [await tool('cosign'), await tool('notation')];
const missing = cosign === undefined || notation === undefined ? 'needs the Go toolchain for cosign and notation' : false;

describe('verification policies', { skip: missing, timeout: 300_000 }, () => {
  let lab: Lab;
  let cosignLab: CosignLab;
  let notationLab: NotationLab;
  let client: RegistryClient & { close(): Promise<void> };
  const root = issue({
    subject: 'C=RO,ST=B,O=Test,CN=policy root',
    key: keyPair('P-256', 'policy'),
    authority: true,
    notAfter: new Date('2040-01-01'),
  });
  const release = issue(
    { subject: 'C=RO,ST=B,O=Test,CN=release', notBefore: new Date('2026-01-01'), notAfter: new Date('2040-01-01') },
    root,
  );

  const key = (name: string): string => readFileSync(join(cosignLab.folder, `${name}.pub`), 'utf8');
  const secret = (name: string, stringData: Record<string, string>): Promise<KubeObject> =>
    lab.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, labels: { 'reconcile.fluxcd.io/watch': 'Enabled' } }, stringData });
  const signer = (name: string): Record<string, unknown> => ({ name, provider: 'cosign', secretRef: { name } });
  const clusterPolicy = (name: string, spec: Record<string, unknown>): Promise<KubeObject> =>
    lab.kube.apply(
      { ...CLUSTER_POLICY, metadata: { name }, spec: { namespaces: [lab.namespace], ...spec } },
      { fieldManager: 'lab', force: true },
    );
  /** One policy about one repository. */
  const policy = (name: string, spec: Record<string, unknown>): Promise<KubeObject> =>
    lab.apply({ ...POLICY, metadata: { name }, spec: { repositories: [`*/${name}/**`], ...spec } });
  const verified = (status: Status): string => condition(status, 'SourceVerified')?.message ?? '';
  const ready = (status: Status): string => condition(status, 'Ready')?.message ?? '';
  const refused = (name: string): Promise<Status> => lab.notReady(OCI, name, 'VerificationError');

  async function push(path: string, text: string, tag = 'latest', created?: string): Promise<Digest> {
    const layer = await writeArchive(archiveTree({ 'a.yaml': text }), 'kept');
    const annotations = created === undefined ? {} : { 'org.opencontainers.image.created': created };
    return (await pushArtifact(client, parseReference(`${lab.registry.host}/${path}:${tag}`), { layer, annotations }, signal)).digest;
  }
  async function sign(path: string, digest: Digest, by: string, bundle = true): Promise<void> {
    const reference = `${lab.registry.host}/${path}@${digest}`;
    const flags = ['--key', `${by}.key`, '--allow-http-registry', ...UNLOGGED, `--new-bundle-format=${bundle}`];
    const { ok, text } = await cosignLab.cosign('sign', '-y', ...flags, reference);
    assert.ok(ok, text);
  }
  async function attest(path: string, digest: Digest, by: string, type: string, predicate: object, bundle = true): Promise<void> {
    const file = cosignLab.file('predicate.json', JSON.stringify(predicate));
    const flags = ['--key', `${by}.key`, '--predicate', file, '--type', type, '--allow-http-registry', ...UNLOGGED];
    const reference = `${lab.registry.host}/${path}@${digest}`;
    const { ok, text } = await cosignLab.cosign('attest', '-y', ...flags, `--new-bundle-format=${bundle}`, reference);
    assert.ok(ok, text);
  }
  const tag = async (path: string, digest: Digest, name: string): Promise<void> => {
    const repository = parseRepository(`${lab.registry.host}/${path}`);
    const { bytes, descriptor } = await client.fetchManifest({ ...repository, digest }, signal);
    await client.pushManifest({ ...repository, tag: name }, { mediaType: descriptor.mediaType, bytes }, signal);
  };
  const mark = async (name: string): Promise<{ digest?: string; version?: string; time?: string } | undefined> => {
    const text = (await lab.find(OCI, name))?.metadata.annotations?.[NEWEST];
    return text === undefined ? undefined : (JSON.parse(text) as { digest: string });
  };
  /** Requests about signatures since the last look. */
  const asked = (): string[] =>
    lab.registryRequests.map(
      ({ method, url }) => `${method} ${new URL(url).pathname.replace(/^\/v2\//, '').replaceAll(/[0-9a-f]{64}/g, '…')}`,
    );

  before(async () => {
    lab = await Lab.open('policies', { runtimeNamespace: 'policies' });
    cosignLab = await CosignLab.open(cosign ?? '');
    notationLab = await NotationLab.open(notation ?? '');
    client = createRegistryClient({ insecure: true, clock: systemClock, random: Math.random });
    for (const name of ['release', 'security', 'tenant', 'builder']) {
      const made = await cosignLab.cosign('generate-key-pair', '--output-key-prefix', name);
      assert.ok(made.ok, made.text);
      await secret(name, { [`${name}.pub`]: key(name) });
    }
    for (const kind of [POLICY, CLUSTER_POLICY])
      await until(`${kind.kind} is served`, async () => (await lab.kube.list(kind, {})) !== undefined);
  });
  after(async () => {
    await client.close();
    await notationLab.close();
    await cosignLab.close();
    await lab.close();
  });

  test('OB14 OB15: k of n: signers are counted, not signatures, of cosign in both formats and of notation', async () => {
    const trust = {
      version: '1.0',
      trustPolicies: [
        {
          name: 'all',
          registryScopes: ['*'],
          signatureVerification: { level: 'strict' },
          trustStores: ['ca:all'],
          trustedIdentities: ['*'],
        },
      ],
    };
    await secret('notation', { 'trustpolicy.json': JSON.stringify(trust), 'ca.crt': pem(root).toString() });
    const signers = [signer('release'), signer('security'), { name: 'ops', provider: 'notation', secretRef: { name: 'notation' } }];
    await policy('counted', { signers, threshold: 2 });
    await lab.waitStatus(POLICY, 'counted', 'Ready', (status) => condition(status, 'Ready')?.status === 'True');
    assert.match(ready(await lab.status(POLICY, 'counted')), /^wants signatures of 2 of "release", "security", "ops"$/);
    const digest = await push('counted/app', 'a: 1');
    await sign('counted/app', digest, 'release');
    await sign('counted/app', digest, 'release', false);
    await lab.source('counted', 'counted/app', { interval: '1m' });
    const status = await refused('counted');
    const wanted =
      'policy VerificationPolicy/counted: found 1 distinct signer \\(key "release\\.pub"\\), want 2 of "release", "security", "ops"';
    assert.match(ready(status), new RegExp(`^${wanted}`));
    assert.equal(status.artifact, undefined);
    assert.ok(!asked().some((one) => one.startsWith('GET counted/app/blobs/') && one.includes(digest)), 'nothing is fetched');
    const { mediaType, size } = await client.resolve({ ...parseRepository(`${lab.registry.host}/counted/app`), digest }, signal);
    await notationLab.sign({ repository: `${lab.registry.host}/counted/app`, digest, mediaType, size }, [release, root], 'jws');
    await lab.request(OCI, 'counted');
    const good = await lab.ready(OCI, 'counted');
    assert.match(
      verified(good),
      /^verified revision .*; policy VerificationPolicy\/counted: signed by key "release\.pub", certificate "CN=release/,
    );
  });

  test('a cluster policy: an OCIRepository without verify cannot bypass it, and its own key is not enough', async () => {
    const digest = await push('team/app', configMap('team'));
    await sign('team/app', digest, 'tenant');
    await lab.source('team', 'team/app', { interval: '1m' });
    await lab.kustomization('team');
    await lab.ready(KS, 'team');
    // Must be verified, by whoever the object trusts.
    await clusterPolicy('must-verify', { repositories: ['**/team/*'] });
    const withdrawn = await refused('team');
    assert.match(ready(withdrawn), /^policy ClusterVerificationPolicy\/must-verify: found no spec\.verify, want one that says who signs$/);
    assert.equal(withdrawn.artifact, undefined, 'what was served is withdrawn');
    await until('the event', async () => lab.posted.some(({ message }) => message.startsWith("withdrew revision 'latest@sha256:")));
    await lab.notReady(KS, 'team', 'ArtifactFailed');
    assert.ok((await lab.find(CONFIG_MAP, 'team')) !== undefined, 'nothing is pruned');
    await lab.source('team', 'team/app', { interval: '1m', verify: { provider: 'cosign', secretRef: { name: 'tenant' } } });
    assert.match(
      verified(await lab.ready(OCI, 'team')),
      /by key "tenant\.pub".*; policy ClusterVerificationPolicy\/must-verify: signed by key "tenant\.pub"$/,
    );
    // Now by the platform's key.
    await clusterPolicy('must-verify', { repositories: ['**/team/*'], signers: [signer('release')] });
    assert.match(ready(await refused('team')), /must-verify: found no signer that counts, want 1 of "release"(; not counted: .*)?$/);
    const told = (await lab.kube.get({ ...CLUSTER_POLICY, name: 'must-verify' }))['status'] as Status;
    assert.deepEqual([condition(told, 'Ready')?.status, ready(told)], ['True', 'wants signatures of 1 of "release"']);
    await sign('team/app', digest, 'release');
    await lab.request(OCI, 'team');
    await lab.ready(OCI, 'team');
    await lab.kube.delete({ ...CLUSTER_POLICY, name: 'must-verify' });
    await lab.ready(KS, 'team');
  });

  test('C13: a policy whose Secret is missing or changes; deleted, everything is Ready again', async () => {
    const digest = await push('secretly/app', 'a: 1');
    await sign('secretly/app', digest, 'security');
    await lab.source('secretly', 'secretly/app', { interval: '1m' });
    await lab.ready(OCI, 'secretly');
    await policy('secretly', { signers: [signer('platform')] });
    const faulty = await refused('secretly');
    assert.match(
      ready(faulty),
      /^policy VerificationPolicy\/secretly cannot be used: signer "platform": get Secret "policies\/platform": not found/,
    );
    assert.ok(faulty.artifact !== undefined, 'that trust cannot be used says nothing against what is served');
    const told = await lab.waitStatus(POLICY, 'secretly', 'not Ready', (status) => condition(status, 'Ready')?.reason === 'PolicyInvalid');
    assert.match(ready(told), /not found/);
    await secret('platform', { 'platform.pub': key('security') });
    await lab.ready(OCI, 'secretly');
    await lab.waitStatus(POLICY, 'secretly', 'Ready', (status) => condition(status, 'Ready')?.status === 'True');
    await secret('platform', { 'platform.pub': key('tenant') });
    assert.equal((await refused('secretly')).artifact, undefined, 'withdrawn');
    await lab.kube.delete({ ...POLICY, name: 'secretly', namespace: lab.namespace });
    assert.equal(condition(await lab.ready(OCI, 'secretly'), 'SourceVerified'), undefined);
  });

  for (const bundle of [true, false]) {
    test(`SLSA provenance v1 and v0.2 by cosign, ${bundle ? 'in bundles' : 'under the old tag'}: builder and source`, async () => {
      const name = bundle ? 'slsa-new' : 'slsa-old';
      const expressions = [
        'builder == "https://github.com/org/builder@v1"',
        'sources.exists(s, s.startsWith("git+https://github.com/org/app"))',
        'signer.key.startsWith("sha256:") && repository.endsWith("/app") && digest.startsWith("sha256:")',
      ];
      const both = ['https://slsa.dev/provenance/v1', 'https://slsa.dev/provenance/v0.2'];
      await policy(name, { signers: [signer('builder')], attestations: both.map((predicateType) => ({ predicateType, expressions })) });
      const v1 = (builder: string, source: string): object => ({
        buildDefinition: {
          buildType: 'https://test/v1',
          externalParameters: { workflow: { repository: source } },
          resolvedDependencies: [],
        },
        runDetails: { builder: { id: builder } },
      });
      const v02 = (builder: string, source: string): object => ({
        builder: { id: builder },
        buildType: 'https://test/v02',
        invocation: { configSource: { uri: source } },
      });
      const [builder, source] = ['https://github.com/org/builder@v1', 'git+https://github.com/org/app'];
      const digest = await push(`${name}/app`, 'a: 1');
      await attest(`${name}/app`, digest, 'builder', 'slsaprovenance1', v1(builder, 'git+https://github.com/evil/app'), bundle);
      await lab.source(name, `${name}/app`, { interval: '1m' });
      const wrong = ready(await refused(name));
      assert.match(
        wrong,
        /found no signer that counts, want 1 of "builder" with an attestation "https:\/\/slsa\.dev\/provenance\/v1" that is accepted; not accepted: the one of key "builder\.pub", 'sources\.exists.*' is false/,
      );
      await attest(`${name}/app`, digest, 'builder', 'slsaprovenance1', v1(builder, source), bundle);
      await lab.request(OCI, name);
      await lab.waitStatus(OCI, name, 'v0.2 is missing', (status) => ready(status).includes('provenance/v0.2'));
      // By somebody else it does not count.
      await attest(`${name}/app`, digest, 'tenant', 'slsaprovenance02', v02(builder, source), bundle);
      await lab.request(OCI, name);
      await refused(name);
      await attest(`${name}/app`, digest, 'builder', 'slsaprovenance02', v02(builder, source), bundle);
      await lab.request(OCI, name);
      assert.match(verified(await lab.ready(OCI, name)), /signed by key "builder\.pub"/);
    });
  }

  test('OB02: no rollback of versions: a newer tag that was deleted, after a restart with an empty store, and on purpose', async () => {
    await policy('versions', { signers: [signer('release')], rollback: 'Deny' });
    for (const version of ['1.0.0', '1.1.0']) await sign('versions/app', await push('versions/app', `v: ${version}`, version), 'release');
    await lab.source('versions', 'versions/app', { ref: { semver: '>=1.0.0' }, interval: '1m' });
    const first = await lab.ready(OCI, 'versions');
    assert.match(first.artifact?.revision ?? '', /^1\.1\.0@/);
    assert.equal((await mark('versions'))?.version, '1.1.0');
    await client.deleteManifest({ ...parseRepository(`${lab.registry.host}/versions/app`), tag: '1.1.0' }, signal);
    await lab.request(OCI, 'versions');
    const back = await refused('versions');
    assert.match(
      ready(back),
      /rollback: found version 1\.0\.0, want at least 1\.1\.0, accepted before .*; to go back on purpose remove the annotation/,
    );
    assert.equal(back.artifact?.revision, first.artifact?.revision, 'the newer one stays');
    await lab.stop();
    lab.emptyStore();
    await lab.start();
    await lab.request(OCI, 'versions');
    const replayed = await lab.waitStatus(OCI, 'versions', 'refused with an empty store', (status) => status.artifact === undefined);
    assert.equal(condition(replayed, 'Ready')?.status, 'False');
    await lab.patch(OCI, 'versions', { metadata: { annotations: { [NEWEST]: null } } });
    assert.match((await lab.ready(OCI, 'versions')).artifact?.revision ?? '', /^1\.0\.0@/);
    assert.equal((await mark('versions'))?.version, '1.0.0');
  });

  test('no rollback of a tag: an older artifact under it is refused, by the time its digest covers', async () => {
    await policy('moving', { signers: [signer('release')], rollback: 'Deny' });
    const old = await push('moving/app', 'a: 1', 'stable', '2026-01-01T00:00:00Z');
    await sign('moving/app', old, 'release');
    await lab.source('moving', 'moving/app', { ref: { tag: 'stable' }, interval: '1m' });
    await lab.ready(OCI, 'moving');
    const next = await push('moving/app', 'a: 2', 'stable', '2026-02-01T00:00:00Z');
    await sign('moving/app', next, 'release');
    await lab.request(OCI, 'moving');
    await lab.ready(OCI, 'moving', `stable@${next}`);
    assert.deepEqual([(await mark('moving'))?.digest, (await mark('moving'))?.time], [next, '2026-02-01T00:00:00.000Z']);
    await tag('moving/app', old, 'stable');
    await lab.request(OCI, 'moving');
    const back = await refused('moving');
    assert.match(ready(back), /found another artifact under the tag from 2026-01-01T00:00:00\.000Z, want none from before 2026-02-01/);
    assert.equal(back.artifact?.revision, `stable@${next}`);
    // A person's word: another reference, or the digest itself.
    await lab.source('moving', 'moving/app', { ref: { digest: old }, interval: '1m' });
    await lab.ready(OCI, 'moving', old);
    await lab.source('moving', 'moving/app', { ref: { tag: 'stable' }, interval: '1m' });
    await lab.ready(OCI, 'moving', `stable@${old}`);
  });

  test('Warn lets pass and tells, in an event and in the condition', async () => {
    lab.forget();
    await policy('warned', { signers: [signer('release')], enforcement: 'Warn' });
    await push('warned/app', 'a: 1');
    await lab.source('warned', 'warned/app', { interval: '1m' });
    const passed = await lab.ready(OCI, 'warned');
    const found = condition(passed, 'SourceVerified');
    assert.deepEqual([found?.status, found?.reason], ['Unknown', 'VerificationError']);
    assert.match(
      found?.message ?? '',
      /^nothing is proven of revision .*; warning: policy VerificationPolicy\/warned: found no signer that counts, want 1 of "release"$/,
    );
    const isWarning = ({ reason, message }: { reason: string; message: string }): boolean =>
      reason === 'VerificationError' && message.startsWith('policy VerificationPolicy/warned');
    await until('the event', async () => lab.posted.some(isWarning));
  });

  test('OB13: what is served is withdrawn even when the tag has moved on to something that is refused too', async () => {
    const served = await push('moved/app', 'a: 1');
    await lab.source('moved', 'moved/app', { interval: '1m' });
    await lab.ready(OCI, 'moved', `latest@${served}`);
    await push('moved/app', 'a: 2');
    await policy('moved', { signers: [signer('release')] });
    const gone = await refused('moved');
    assert.equal(gone.artifact, undefined);
    const good = await push('moved/app', 'a: 3');
    await sign('moved/app', good, 'release');
    await lab.request(OCI, 'moved');
    await lab.ready(OCI, 'moved', `latest@${good}`);
    await push('moved/app', 'a: 4');
    await lab.request(OCI, 'moved');
    assert.equal((await refused('moved')).artifact?.revision, `latest@${good}`, 'the last good one stays');
  });

  test('a cluster without the kinds has no policies, and starts at once; they work as soon as they are there', async () => {
    const definitions = [verificationPolicyKind, clusterVerificationPolicyKind].map((kind) => customResourceDefinition(kind) as KubeObject);
    await lab.stop();
    for (const definition of definitions) await lab.kube.delete({ ...definition, name: definition.metadata.name });
    const isGone = async (name: string): Promise<boolean> => (await lab.kube.find({ ...definitions[0]!, name })) === undefined;
    for (const { metadata } of definitions) await until(`${metadata.name} is gone`, () => isGone(metadata.name));
    const begun = performance.now();
    await lab.start();
    const started = performance.now() - begun;
    await push('kindless/app', 'a: 1');
    await lab.source('kindless', 'kindless/app', { interval: '1m' });
    await lab.ready(OCI, 'kindless');
    assert.ok(started < 5000, `${started} ms`);
    process.stdout.write(`  ℹ start without the kinds: ${Math.round(started)} ms\n`);
    for (const definition of definitions) await lab.kube.apply(definition, { fieldManager: 'lab', force: true });
    await until('the kinds are served', async () => (await lab.kube.list(POLICY, {})) !== undefined);
    await until('a policy is taken', async () => policy('kindless', { signers: [signer('release')] }));
    await lab.notReady(OCI, 'kindless', 'VerificationError', 60_000);
  });

  test('requests: each signature is fetched once, however many policies look at it, and no more than they need', async () => {
    const digest = await push('counts/app', 'a: 1');
    await sign('counts/app', digest, 'release');
    await sign('counts/app', digest, 'security');
    await attest('counts/app', digest, 'release', 'https://example.test/built/v1', { ok: true });
    const seen: Record<string, string[]> = {};
    const policies: Record<string, unknown>[] = [
      { signers: [signer('release')] },
      { signers: [signer('release'), signer('security')], threshold: 2 },
      { signers: [signer('release')], attestations: [{ predicateType: 'https://example.test/built/v1', expressions: ['predicate.ok'] }] },
    ];
    for (const count of [0, 1, 3]) {
      for (const [index, spec] of policies.slice(0, count).entries())
        await lab.apply({ ...POLICY, metadata: { name: `counts-${index}` }, spec: { repositories: ['*/counts/app'], ...spec } });
      lab.forget();
      await lab.source(`counts-${count}`, 'counts/app', { interval: '1m' });
      await lab.ready(OCI, `counts-${count}`);
      seen[count] = asked().filter((one) => one.includes(' counts/'));
      await lab.remove(OCI, `counts-${count}`);
    }
    for (const [count, requests] of Object.entries(seen))
      process.stdout.write(`  ℹ ${count} policies: ${requests.length} requests: ${requests.join(', ')}\n`);
    assert.ok(
      (seen['0'] ?? []).every((one) => !/referrers|\.sig|\.att/.test(one)),
      'without policies nothing is asked about signatures',
    );
    const referrers = (seen['3'] ?? []).filter((one) => one.includes('/referrers/'));
    assert.equal(referrers.length, 1);
  });
});
