// Verification policies over a real registry: what is asked, what is refused, what is taken back.
import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { findCondition, parseOCIRepository, type Condition, type OCIRepository } from '../../api/index.ts';
import {
  createRegistryClient,
  FaultPlan,
  memoryStore,
  parseReference,
  parseRepository,
  pushArtifact,
  startRegistry,
  tagged,
  type RegistryClient,
  type RegistryRequestEvent,
  type RunningRegistry,
} from '../../oci/index.ts';
import { readObjects } from '../../manifest/index.ts';
import { configData, ConditionSet, silentLogger, type ConfigReader, type EventNotice } from '../../runtime/index.ts';
import { CodedError, isCodedError, systemClock, type Digest } from '../../std/index.ts';
import { cosignMediaTypes, MAX_MATERIALS, parseTrustedRoot, type TrustedRoot } from '../../verify/index.ts';
import { FakeSigstore, json, keyBundle, keyTagSignature } from '../../verify/testing/sigstore.ts';
import { Policies, readPolicy, toPolicy, type Policy, type SecretReader } from './policies.ts';
import { newestAnnotation } from './rollback.ts';
import type { Trust } from './verification.ts';
import { Verifier } from './verifier.ts';

const { signal } = new AbortController();
const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const BUNDLE = `${cosignMediaTypes.bundlePrefix}.v0.3+json`;
type Spec = Record<string, unknown>;
type Client = RegistryClient & { close(): Promise<void> };

/** One OCIRepository with the policies and Secrets of its cluster. */
class Bench {
  readonly registry: RunningRegistry;
  readonly faults: FaultPlan;
  readonly client: Client;
  readonly requests: RegistryRequestEvent[] = [];
  readonly secrets = new Map<string, Record<string, string>>();
  policies: Policy[] = [];
  trust: Trust = {};
  annotations: Record<string, string> = {};
  spec: Spec = {};
  status: OCIRepository['status'] = { observedGeneration: 1 };
  removed = 0;
  verifier!: Verifier;
  #version = 0;

  private constructor(registry: RunningRegistry, faults: FaultPlan) {
    this.registry = registry;
    this.faults = faults;
    const limits = { attempts: 1 };
    const onRequest = (event: RegistryRequestEvent): void => void this.requests.push(event);
    this.client = createRegistryClient({
      insecure: true,
      clock: systemClock,
      random: Math.random,
      limits,
      rate: { perSecond: 10_000, burst: 10_000 },
      onRequest,
    });
  }

  static async open(): Promise<Bench> {
    const faults = new FaultPlan();
    return new Bench(await startRegistry({ store: memoryStore(), clock: systemClock, faults }), faults);
  }

  readonly configs: SecretReader = {
    data: async (kind, namespace, name) => {
      const found = this.secrets.get(`${namespace}/${name}`);
      if (found === undefined) throw new CodedError({ code: 'ConfigNotFound', message: `get ${kind} "${namespace}/${name}": not found` });
      const data = Object.fromEntries(Object.entries(found).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
      return configData({ apiVersion: 'v1', kind, metadata: { name, resourceVersion: JSON.stringify(found) }, data });
    },
  };

  /** A verifier that remembers nothing. */
  restart(): void {
    this.verifier = new Verifier({
      configs: this.configs as ConfigReader,
      clock: systemClock,
      trust: { publicGood: { current: (one) => this.#publicGood().current(one), refreshed: (one) => this.#publicGood().refreshed(one) } },
      store: { remove: async () => void this.removed++ },
      policies: new Policies({ views: [{ list: () => this.policies }], configs: this.configs, home: 'home' }),
      annotate: async (_metadata, annotations) => void Object.assign(this.annotations, annotations),
    });
  }

  #publicGood(): NonNullable<Trust['publicGood']> {
    const { publicGood } = this.trust;
    assert.ok(publicGood !== undefined, 'no test without a public good asks for it');
    return publicGood;
  }

  policy(name: string, spec: Spec = {}, cluster = false): void {
    const kind = cluster ? 'ClusterVerificationPolicy' : 'VerificationPolicy';
    const metadata = { name, uid: name, generation: ++this.#version, ...(cluster ? {} : { namespace: 'ns' }) };
    const policy = toPolicy({ apiVersion: 'source.sluice.dev/v1alpha1', kind, metadata, spec });
    this.policies = [...this.policies.filter((one) => one.metadata.name !== name), policy];
  }

  /** One verification of a digest; what it refused, or what it told. */
  async verify(
    path: string,
    digest: Digest,
    tag = 'v1',
  ): Promise<{ code?: string; message: string; notices: EventNotice[]; accept: () => Promise<void>; verified?: Condition }> {
    this.requests.length = 0;
    const url = `oci://${this.registry.host}/${path}`;
    const { annotations } = this;
    const object = parseOCIRepository({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'OCIRepository',
      metadata: { name: 'app', namespace: 'ns', uid: 'u', generation: 1, annotations },
      spec: { url, interval: '1m', ref: { tag }, ...this.spec },
    });
    const conditions = new ConditionSet(this.status.conditions, 1, systemClock);
    const draft = { ...this.status };
    const target = { repository: parseRepository(url), digest, revision: `${tag}@${digest}`, subject: `${url}:${tag}`, access: '' };
    const task = { object, session: { draft, conditions }, target, client: this.client, limit: { signal, text: '1m' }, log: silentLogger };
    let outcome: { code?: string; message: string; notices: EventNotice[]; accept: () => Promise<void> };
    try {
      outcome = { ...(await this.verifier.verify(task)), message: '' };
    } catch (error) {
      if (!isCodedError(error)) throw error;
      outcome = { code: error.code, message: error.message, notices: [], accept: async () => {} };
    }
    this.status = { ...draft, conditions: conditions.list };
    const verified = findCondition(this.status.conditions, 'SourceVerified');
    return { ...outcome, ...(verified === undefined ? {} : { verified }) };
  }

  serve(digest: Digest | undefined): void {
    const artifact = { path: 'p', url: 'u', revision: `v1@${digest}`, digest: `${digest}`, lastUpdateTime: '2026-01-01T00:00:00Z' };
    this.status = { observedGeneration: 1, ...(digest === undefined ? {} : { artifact }) };
  }

  async push(path: string, text: string, created?: string): Promise<Digest> {
    const annotations = created === undefined ? {} : { 'org.opencontainers.image.created': created };
    const content = { layer: Buffer.from(text), annotations };
    return (await pushArtifact(this.client, parseReference(`${this.registry.host}/${path}:v1`), content, signal)).digest;
  }

  async attachBundle(path: string, digest: Digest, bundle: unknown): Promise<void> {
    const repository = parseRepository(`${this.registry.host}/${path}`);
    const layer = await this.client.pushBlob(repository, { mediaType: BUNDLE, bytes: json(bundle) }, signal);
    const empty = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') };
    const config = await this.client.pushBlob(repository, empty, signal);
    const subject = await this.client.resolve({ ...repository, digest }, signal);
    const manifest = { schemaVersion: 2, mediaType: IMAGE, artifactType: BUNDLE, config, layers: [layer], subject };
    await this.client.pushManifest(tagged(repository, 'bundle'), { mediaType: IMAGE, bytes: json(manifest) }, signal);
  }

  /** Puts old signatures under the tag for a digest, one layer each. */
  async attachTag(path: string, digest: Digest, keys: readonly KeyObject[]): Promise<void> {
    const repository = parseRepository(`${this.registry.host}/${path}`);
    const layers: object[] = [];
    let layer: object | undefined;
    for (const key of keys) {
      const { payload, annotations } = keyTagSignature(digest, key);
      // The payload is the same, whoever signs it.
      layer ??= await this.client.pushBlob(repository, { mediaType: cosignMediaTypes.simpleSigning, bytes: payload }, signal);
      layers.push({ ...layer, annotations });
    }
    const config = await this.client.pushBlob(repository, { mediaType: 'application/json', bytes: Buffer.from('{}') }, signal);
    const bytes = json({ schemaVersion: 2, mediaType: IMAGE, config, layers });
    await this.client.pushManifest(tagged(repository, `${digest.replace(':', '-')}.sig`), { mediaType: IMAGE, bytes }, signal);
  }

  async close(): Promise<void> {
    await this.client.close();
    await this.registry.close();
  }
}

const pair = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const pem = (key: KeyObject): string => createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
const [ours, other] = [pair(), pair()];
const signer = (name: string): Spec => ({ name, provider: 'cosign', secretRef: { name } });

describe('verification policies', () => {
  let bench: Bench;
  before(async () => {
    bench = await Bench.open();
  });
  after(async () => await bench.close());
  beforeEach(() => {
    bench.policies = [];
    bench.spec = {};
    bench.annotations = {};
    bench.trust = {};
    bench.faults.clear();
    bench.serve(undefined);
    bench.secrets.clear();
    for (const namespace of ['ns', 'home']) {
      bench.secrets.set(`${namespace}/ours`, { 'ours.pub': pem(ours) });
      bench.secrets.set(`${namespace}/other`, { 'other.pub': pem(other) });
    }
    bench.restart();
  });

  test('OB13: are due for another revision, policy or Secret, after a failure and after a restart: else nothing is asked', async () => {
    const digest = await bench.push('due', 'a');
    await bench.attachBundle('due', digest, keyBundle(digest, ours));
    bench.policy('signed', { signers: [signer('ours')] });
    const first = await bench.verify('due', digest);
    assert.equal(first.verified?.message, `verified revision v1@${digest}; policy VerificationPolicy/signed: signed by key "ours.pub"`);
    assert.ok(bench.requests.length > 0);
    await bench.verify('due', digest);
    assert.equal(bench.requests.length, 0);
    bench.policy('signed', { signers: [signer('ours')], threshold: 1 });
    await bench.verify('due', digest);
    assert.ok(bench.requests.length > 0, 'the policy changed');
    bench.secrets.set('ns/ours', { 'ours.pub': pem(ours), 'more.pub': pem(other) });
    await bench.verify('due', digest);
    assert.ok(bench.requests.length > 0, 'its Secret changed');
    bench.restart();
    await bench.verify('due', digest);
    assert.ok(bench.requests.length > 0, 'a restart');
    bench.policies = [];
    assert.deepEqual([(await bench.verify('due', digest)).code, bench.requests.length], [undefined, 0]);
  });

  test('the patterns of a policy are for the whole identity, those of spec.verify are not', async () => {
    const sigstore = new FakeSigstore(new Date());
    const digest = await bench.push('anchored', 'a');
    const identity = { issuer: 'https://issuer.test', subject: 'https://github.com/org/app-evil/release.yaml' };
    await bench.attachBundle('anchored', digest, sigstore.bundle(digest, { identity, time: new Date(Date.now() - 60_000) }));
    for (const namespace of ['ns', 'home'])
      bench.secrets.set(`${namespace}/root`, { 'trusted_root.json': sigstore.trustedRoot().toString() });
    const keyless = (subject: string): Spec => ({
      provider: 'cosign',
      trustedRootSecretRef: { name: 'root' },
      matchOIDCIdentity: [{ issuer: 'https://issuer.test', subject }],
    });
    bench.spec = { verify: keyless('https://github.com/org/app') };
    bench.policy('own', {});
    assert.equal((await bench.verify('anchored', digest)).code, undefined, 'whoever spec.verify trusts');
    bench.policy('signed', { signers: [{ name: 'app', ...keyless('https://github.com/org/app') }] }, true);
    assert.match(
      (await bench.verify('anchored', digest)).message,
      /^policy ClusterVerificationPolicy\/signed: found no signer that counts, want 1 of "app"; not counted: .*app-evil/,
    );
    bench.policy('signed', { signers: [{ name: 'app', ...keyless('https://github.com/org/app.*') }] }, true);
    assert.equal((await bench.verify('anchored', digest)).code, undefined);
  });

  test('a spec.verify that accepts everybody satisfies nobody', async () => {
    const sigstore = new FakeSigstore(new Date());
    const root = parseTrustedRoot(sigstore.trustedRoot(), 'root');
    bench.trust = { publicGood: { current: () => root, refreshed: async () => root } };
    const digest = await bench.push('anybody', 'a');
    const identity = { issuer: 'https://issuer.test', subject: 'mallory' };
    await bench.attachBundle('anybody', digest, sigstore.bundle(digest, { identity, time: new Date(Date.now() - 60_000) }));
    bench.spec = { verify: { provider: 'cosign' } };
    assert.equal((await bench.verify('anybody', digest)).code, undefined, 'as Flux has it');
    bench.policy('signed', {});
    assert.match(
      (await bench.verify('anybody', digest)).message,
      /found a spec\.verify that accepts everybody, want one that says who signs/,
    );
  });

  test('OB14: keys of the public-good logs rotate: the newest root is asked once, and nothing is fetched again', async () => {
    const [old, sigstore] = [new FakeSigstore(new Date()), new FakeSigstore(new Date())];
    const roots = [old, sigstore].map((one) => parseTrustedRoot(one.trustedRoot(), 'root')) as [TrustedRoot, TrustedRoot];
    let refreshes = 0;
    bench.trust = { publicGood: { current: () => roots[0], refreshed: async () => (refreshes++, roots[1]) } };
    const digest = await bench.push('rotated', 'a');
    const identity = { issuer: 'https://issuer.test', subject: 'alice' };
    await bench.attachBundle('rotated', digest, sigstore.bundle(digest, { identity, time: new Date(Date.now() - 60_000) }));
    bench.policy('signed', { signers: [{ name: 'alice', provider: 'cosign', matchOIDCIdentity: [identity] }] });
    const { code, verified } = await bench.verify('rotated', digest);
    assert.equal(code, undefined);
    assert.match(verified?.message ?? '', /signed by "alice" of "https:\/\/issuer\.test"$/);
    assert.equal(refreshes, 1);
    assert.equal(bench.requests.filter(({ url }) => url.includes('/blobs/')).length, 1);
  });

  test('a registry that does not answer proves nothing: what is served stays, and a policy that warns lets pass', async () => {
    const digest = await bench.push('down', 'a');
    bench.serve(digest);
    bench.policy('signed', { signers: [signer('ours')] });
    bench.faults.add(({ path }) => path.includes('/referrers/'), { kind: 'status', status: 503 });
    const failed = await bench.verify('down', digest);
    assert.equal(failed.code, 'ReadOperationFailed');
    assert.ok(bench.status.artifact !== undefined && bench.removed === 0);
    bench.policy('signed', { signers: [signer('ours')], enforcement: 'Warn' });
    const warned = await bench.verify('down', digest);
    assert.equal(warned.code, undefined);
    assert.deepEqual([warned.verified?.status, warned.notices.map(({ type }) => type)], ['Unknown', ['Warning']]);
    assert.match(warned.notices[0]?.message ?? '', /^policy VerificationPolicy\/signed cannot be judged: /);
  });

  test('what is served is withdrawn when it is refused, and not when a policy cannot be used', async () => {
    const digest = await bench.push('served', 'a');
    bench.serve(digest);
    bench.policy('signed', { signers: [signer('absent')] });
    assert.match((await bench.verify('served', digest)).message, /cannot be used: signer "absent": get Secret "ns\/absent": not found/);
    assert.ok(bench.status.artifact !== undefined);
    bench.policy('signed', { signers: [signer('ours')] });
    assert.equal((await bench.verify('served', digest)).code, 'VerificationError');
    assert.deepEqual([bench.status.artifact, bench.removed > 0], [undefined, true]);
    // The same with spec.verify that fails, and a policy that counts its signers.
    const removed = bench.removed;
    bench.serve(digest);
    bench.policies = [];
    bench.spec = { verify: { provider: 'cosign', secretRef: { name: 'other' } } };
    assert.equal((await bench.verify('served', digest)).code, 'VerificationError');
    assert.ok(bench.status.artifact !== undefined, 'without a policy the last artifact stays, as in Flux');
    bench.policy('own', {});
    assert.match(
      (await bench.verify('served', digest)).message,
      /^failed to verify the signature using provider 'cosign'.*; policy VerificationPolicy\/own: found no signer/,
    );
    assert.deepEqual([bench.status.artifact, bench.removed > removed], [undefined, true]);
    // A spec.verify that cannot be used says nothing about the artifact.
    bench.serve(digest);
    bench.secrets.set('ns/other', { 'other.pub': 'no key' });
    assert.equal((await bench.verify('served', digest)).code, 'VerificationError');
    assert.ok(bench.status.artifact !== undefined);
  });

  test('killed between the mark and the publication: the same artifact goes on, an older one does not', async () => {
    bench.policy('newest', { signers: [signer('ours')], rollback: 'Deny' });
    const old = await bench.push('killed', 'a', '2026-01-01T00:00:00Z');
    const next = await bench.push('killed', 'b', '2026-02-01T00:00:00Z');
    for (const digest of [old, next]) await bench.attachBundle('killed', digest, keyBundle(digest, ours));
    await (await bench.verify('killed', next)).accept();
    assert.match(bench.annotations[newestAnnotation] ?? '', /2026-02-01/);
    // Nothing was published: the process starts again with what the cluster and the registry have.
    bench.serve(undefined);
    bench.restart();
    assert.match((await bench.verify('killed', old)).message, /rollback: found another artifact under the tag from 2026-01-01/);
    const again = await bench.verify('killed', next);
    assert.equal(again.code, undefined);
    await again.accept();
    assert.equal(bench.requests.filter(({ url }) => url.endsWith(`/manifests/${next}`)).length, 1, 'its time is known');
    bench.annotations[newestAnnotation] = '{';
    bench.restart();
    assert.match((await bench.verify('killed', next)).message, /found an annotation source\.sluice\.dev\/newest that cannot be read/);
  });

  test('an artifact that could not be fetched is not the newest', async () => {
    bench.policy('newest', { signers: [signer('ours')], rollback: 'Deny' });
    const digest = await bench.push('unfetched', 'a');
    await bench.attachBundle('unfetched', digest, keyBundle(digest, ours));
    await bench.verify('unfetched', digest);
    assert.equal(bench.annotations[newestAnnotation], undefined, 'it is accepted by whoever fetched it');
    const again = await bench.verify('unfetched', digest);
    assert.ok(bench.requests.length > 0, 'verified again, until it is accepted');
    await again.accept();
    await bench.verify('unfetched', digest);
    assert.equal(bench.requests.length, 0);
  });

  test(`bounds: ${MAX_MATERIALS} signatures, 32 policies, 16 roots and trust policies, 256 keys`, async () => {
    const digest = await bench.push('many', 'a');
    await bench.attachTag('many', digest, [...Array.from({ length: MAX_MATERIALS }, () => other), ours]);
    bench.policy('signed', { signers: [signer('ours')] });
    bench.serve(digest);
    const { message } = await bench.verify('many', digest);
    assert.match(message, /found no signer that counts, want 1 of "ours"; there are more than 256 signatures, which are not looked at/);
    assert.ok(bench.status.artifact !== undefined, 'whoever floods a repository withdraws nothing');
    assert.ok(bench.requests.filter(({ url }) => url.includes('/blobs/')).length <= MAX_MATERIALS + 1);
    for (let index = 0; index < 33; index++) bench.policy(`p${index}`, {});
    assert.match((await bench.verify('many', digest)).message, /^34 verification policies concern this OCIRepository, want at most 32$/);
    bench.policies = [];
    bench.serve(digest);
    const sigstore = new FakeSigstore(new Date()).trustedRoot().toString();
    const signers = Array.from({ length: 17 }, (_, index) => {
      bench.secrets.set(`ns/root-${index}`, { 'trusted_root.json': sigstore + ' '.repeat(index) });
      return { name: `s${index}`, provider: 'cosign', secretRef: { name: 'ours' }, trustedRootSecretRef: { name: `root-${index}` } };
    });
    bench.policy('a', { signers: signers.slice(0, 16) });
    bench.policy('b', { signers: signers.slice(16) });
    assert.match(
      (await bench.verify('many', digest)).message,
      /name 17 trust roots and trust policies, want at most 16 for one OCIRepository/,
    );
    assert.ok(bench.status.artifact !== undefined, 'that says nothing about the artifact');
    bench.secrets.set('ns/keys', Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`${index}.pub`, pem(ours)])));
    const many = Array.from({ length: 5 }, (_, index) => ({ ...signer('keys'), name: `s${index}` }));
    bench.policies = [];
    bench.policy('a', { signers: many });
    assert.match((await bench.verify('many', digest)).message, /name 300 keys or identities, want at most 256/);
  });
});

describe('reading a verification policy', () => {
  const secrets: Record<string, Record<string, string>> = {
    'ns/ours': { 'ours.pub': pem(ours) },
    'home/ours': { 'ours.pub': pem(ours) },
    'ns/bad': { 'a.pub': 'x' },
  };
  const configs: SecretReader = {
    data: async (kind, namespace, name) => {
      const found = secrets[`${namespace}/${name}`];
      if (name === 'down') throw new CodedError({ code: 'Unavailable', message: 'no answer' });
      if (found === undefined) throw new CodedError({ code: 'ConfigNotFound', message: `get ${kind} "${namespace}/${name}": not found` });
      const data = Object.fromEntries(Object.entries(found).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
      return configData({ apiVersion: 'v1', kind, metadata: { name, resourceVersion: '1' }, data });
    },
  };
  const policy = (spec: Spec, kind = 'VerificationPolicy'): Policy =>
    toPolicy({
      apiVersion: 'source.sluice.dev/v1alpha1',
      kind,
      metadata: { name: 'p', namespace: kind === 'VerificationPolicy' ? 'ns' : '' },
      spec,
    });

  for (const [name, spec, fault] of [
    ['a missing Secret', { signers: [signer('absent')] }, /^signer "absent": get Secret "ns\/absent": not found$/],
    ['a key that is none', { signers: [signer('bad')] }, /^signer "bad": read public key "a\.pub"/],
    ['a keyless signer without identities', { signers: [{ name: 'any', provider: 'cosign' }] }, /anybody could sign/],
    [
      'a pattern that does not parse',
      { signers: [{ name: 'a', matchOIDCIdentity: [{ issuer: '(', subject: 'a' }] }] },
      /matchOIDCIdentity\[0\]\.issuer/,
    ],
    ['notation without a Secret', { signers: [{ name: 'a', provider: 'notation' }] }, /trustpolicy\.json/],
    ['a signer twice', { signers: [signer('ours'), signer('ours')] }, /"ours" is there twice/],
    ['a threshold nobody can meet', { signers: [signer('ours')], threshold: 2 }, /^threshold is 2, but there is 1 signer$/],
    [
      'a threshold of an attestation nobody can meet',
      { signers: [signer('ours')], attestations: [{ predicateType: 't', threshold: 3 }] },
      /^attestations\[0\]\.threshold is 3, but there is 1 signer$/,
    ],
    [
      'an expression that does not parse',
      { attestations: [{ predicateType: 't', expressions: ['a ='] }] },
      /^failed to parse the CEL expression 'a ='/,
    ],
    ['a glob that is none', { repositories: ['oci://a/b'] }, /spec\.repositories\[0\]/],
    ['a value this version does not know', { enforcement: 'Audit' }, /spec\.enforcement: Unsupported value: "Audit"/],
  ] as const)
    test(`${name} makes it unusable`, async () => {
      const read = await readPolicy(policy(spec), configs, 'home');
      assert.match(read.fault ?? '', fault);
      assert.equal(read.enforced, true);
    });

  test('a policy that cannot be read concerns whatever it could mean', () => {
    const all = new Policies({
      views: [
        { list: () => [policy({ enforcement: 'Audit', repositories: 7 }), policy({ enforcement: 'Audit', repositories: ['ghcr.io/**'] })] },
      ],
      configs,
      home: 'home',
    });
    const object = (namespace: string): OCIRepository =>
      parseOCIRepository({
        apiVersion: 'source.toolkit.fluxcd.io/v1',
        kind: 'OCIRepository',
        metadata: { name: 'app', namespace },
        spec: { url: 'oci://registry.test/app', interval: '1m' },
      });
    assert.deepEqual([all.concerning(object('ns')).length, all.concerning(object('elsewhere')).length], [1, 0]);
  });

  test('namespaces: globs of a cluster policy; a policy of a namespace stays there', () => {
    const policies = [
      policy({ namespaces: ['team-*'] }, 'ClusterVerificationPolicy'),
      policy({ repositories: ['registry.test/app'] }),
      policy({ repositories: ['registry.test/other'] }),
    ];
    const all = new Policies({ views: [{ list: () => policies }], configs, home: 'home' });
    const count = (namespace: string, url = 'oci://registry.test/app'): number =>
      all.concerning(
        parseOCIRepository({
          apiVersion: 'source.toolkit.fluxcd.io/v1',
          kind: 'OCIRepository',
          metadata: { name: 'app', namespace },
          spec: { url, interval: '1m' },
        }),
      ).length;
    assert.deepEqual([count('team-a'), count('ns'), count('default'), count('ns', 'oci://')], [1, 1, 0, 0]);
  });

  test('Secrets of a cluster policy are read where the controllers live; an API server that does not answer is no fault', async () => {
    const read = await readPolicy(policy({ signers: [signer('ours')] }, 'ClusterVerificationPolicy'), configs, 'home');
    assert.equal(read.fault, undefined);
    assert.match(
      (await readPolicy(policy({ signers: [signer('ours')] }, 'ClusterVerificationPolicy'), configs, 'away')).fault ?? '',
      /away\/ours/,
    );
    await assert.rejects(readPolicy(policy({ signers: [signer('down')] }), configs, 'home'), { code: 'ReadOperationFailed' });
  });

  test('the examples can be used, as soon as their Secrets are there', async () => {
    const text = readFileSync(join(import.meta.dirname, '../../../examples/verification-policy.yaml'), 'utf8');
    const faults: (string | undefined)[] = [];
    for (const object of readObjects(text)) faults.push((await readPolicy(toPolicy(object), configs, 'home')).fault);
    const missing = (secret: string): string => `signer "${secret.split('/')[1]?.replace('-keys', '')}": get Secret "${secret}": not found`;
    assert.deepEqual(faults, [undefined, missing('home/release-keys'), missing('staging/alice')]);
  });
});
