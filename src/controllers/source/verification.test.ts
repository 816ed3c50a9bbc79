// spec.verify, by the controller over a real registry and a real store.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findCondition, finalizer, parseOCIRepository, type Condition, type OCIRepository } from '../../api/index.ts';
import { archiveTree, openArtifactStore, writeArchive } from '../../artifact/index.ts';
import {
  createRegistryClient,
  createRegistryClients,
  FaultPlan,
  memoryStore,
  parseReference,
  parseRepository,
  pushArtifact,
  pushLayout,
  readLayout,
  startRegistry,
  tagged,
  type RegistryRequestEvent,
  type RunningRegistry,
} from '../../oci/index.ts';
import {
  configData,
  createLogger,
  type ConfigReader,
  type EventNotice,
  type EventRecorder,
  type ReconcileContext,
} from '../../runtime/index.ts';
import type { ResourceView, StatusWriter } from '../../runtime/index.ts';
import { CodedError, isCodedError, seconds, systemClock, type Digest } from '../../std/index.ts';
import { cosignMediaTypes, MAX_PAYLOAD } from '../../verify/index.ts';
import { FakeSigstore, json } from '../../verify/testing/sigstore.ts';
import { corpus } from '../../../test/corpus.ts';
import { OciRepositoryController } from './controller.ts';
import type { Identities } from './access.ts';

const { signal } = new AbortController();
const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const layouts = corpus('artifacts');

/** A controller of one object, with a registry and what a cluster would hold. */
class Bench {
  readonly registry: RunningRegistry;
  readonly faults: FaultPlan;
  readonly client = createRegistryClient({ insecure: true, clock: systemClock, random: Math.random });
  readonly requests: RegistryRequestEvent[] = [];
  readonly events: EventNotice[] = [];
  readonly secrets = new Map<string, Record<string, Uint8Array | string>>();
  readonly folder = mkdtempSync(join(tmpdir(), 'source-verify-'));
  readonly #registries = createRegistryClients({
    clock: systemClock,
    random: Math.random,
    limits: { attempts: 1 },
    onRequest: (event) => this.requests.push(event),
  });
  controller!: OciRepositoryController;
  object!: OCIRepository;

  private constructor(registry: RunningRegistry, faults: FaultPlan) {
    this.registry = registry;
    this.faults = faults;
  }

  static async open(): Promise<Bench> {
    const faults = new FaultPlan();
    const bench = new Bench(await startRegistry({ store: memoryStore(), clock: systemClock, faults }), faults);
    await bench.restart();
    return bench;
  }

  async restart(): Promise<void> {
    const store = await openArtifactStore({ root: this.folder, clock: systemClock, retention: { ttl: seconds(60), records: 2 } });
    const writer = {
      write: async (_object: unknown, status: OCIRepository['status']) => {
        this.object = { ...this.object, status };
        return true;
      },
    } as unknown as StatusWriter;
    const data = async (kind: string, namespace: string, name: string): Promise<unknown> => {
      const found = this.secrets.get(name);
      if (found === undefined) throw new CodedError({ code: 'ConfigNotFound', message: `get ${kind} "${namespace}/${name}": not found` });
      const encoded = Object.entries(found).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
      return configData({ apiVersion: 'v1', kind, metadata: { name }, data: Object.fromEntries(encoded) as Record<string, string> });
    };
    this.controller = new OciRepositoryController({
      view: { get: () => this.object } as unknown as ResourceView<OCIRepository>,
      writer,
      configs: { data } as unknown as ConfigReader,
      registries: this.#registries,
      identities: {} as Identities,
      store,
      events: { record: (_object: unknown, notices: EventNotice[]) => void this.events.push(...notices) } as unknown as EventRecorder,
      clock: systemClock,
      random: Math.random,
      artifactAddress: () => 'http://artifacts.test',
      intervalJitter: 0,
      enqueue: () => {},
    });
  }

  /** Sets the spec, as a new generation. */
  spec(path: string, ref: Record<string, string>, verify?: Record<string, unknown>): void {
    const previous = this.object as OCIRepository | undefined;
    this.object = parseOCIRepository({
      apiVersion: 'source.toolkit.fluxcd.io/v1',
      kind: 'OCIRepository',
      metadata: {
        name: 'app',
        namespace: 'ns',
        uid: 'u',
        resourceVersion: '1',
        generation: (previous?.metadata.generation ?? 0) + 1,
        finalizers: [finalizer],
      },
      spec: { url: `oci://${this.registry.host}/${path}`, interval: '1m', ref, ...(verify === undefined ? {} : { verify }) },
      ...(previous === undefined ? {} : { status: previous.status as Record<string, unknown> }),
    });
  }

  /** One reconcile: the conditions it leaves, and the code of its failure. */
  async reconcile(): Promise<{ code?: string; verified?: Condition; ready?: Condition; fetchFailed?: Condition; asked: string[] }> {
    this.requests.length = 0;
    this.events.length = 0;
    const now = systemClock.now();
    const log = createLogger({ clock: systemClock, level: 'error', encoding: 'json', write: () => {} });
    const context: ReconcileContext = { triggers: new Set(['requested']), signal, log, start: now, enqueued: now, isBusy: () => false };
    const code = await this.controller.reconcile({ namespace: 'ns', name: 'app' }, context).then(
      () => undefined,
      (error: unknown) => {
        if (isCodedError(error)) return error.code;
        throw error;
      },
    );
    const of = (type: 'Ready' | 'SourceVerified' | 'FetchFailed'): Condition | undefined =>
      findCondition(this.object.status.conditions, type);
    const [verified, ready, fetchFailed] = [of('SourceVerified'), of('Ready'), of('FetchFailed')];
    return {
      ...(code === undefined ? {} : { code }),
      ...(verified === undefined ? {} : { verified }),
      ...(ready === undefined ? {} : { ready }),
      ...(fetchFailed === undefined ? {} : { fetchFailed }),
      asked: this.requests.map(({ url }) => new URL(url).pathname),
    };
  }

  async push(path: string, text: string): Promise<Digest> {
    const layer = await writeArchive(archiveTree({ 'a.yaml': text }), 'kept');
    return (await pushArtifact(this.client, parseReference(`${this.registry.host}/${path}:v1`), { layer }, signal)).digest;
  }

  /** Puts an old signature about `about` under the tag for `digest`. */
  async attach(path: string, digest: Digest, key: KeyObject, about: Digest = digest, padding = ''): Promise<void> {
    const repository = parseRepository(`${this.registry.host}/${path}`);
    const critical = {
      identity: { 'docker-reference': '' },
      image: { 'docker-manifest-digest': about },
      type: 'cosign container image signature',
    };
    const payload = Buffer.from(JSON.stringify({ critical, optional: { padding } }));
    const annotations = { 'dev.cosignproject.cosign/signature': sign('sha256', payload, key).toString('base64') };
    const layer = await this.client.pushBlob(repository, { mediaType: cosignMediaTypes.simpleSigning, bytes: payload }, signal);
    const config = await this.client.pushBlob(
      repository,
      { mediaType: 'application/vnd.oci.image.config.v1+json', bytes: Buffer.from('{}') },
      signal,
    );
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: IMAGE, config, layers: [{ ...layer, annotations }] }));
    await this.client.pushManifest(tagged(repository, `${digest.replace(':', '-')}.sig`), { mediaType: IMAGE, bytes }, signal);
  }

  /** Adds a Sigstore bundle to the referrers of a manifest. */
  async attachBundle(path: string, digest: Digest, bundle: Uint8Array): Promise<void> {
    const repository = parseRepository(`${this.registry.host}/${path}`);
    const artifactType = `${cosignMediaTypes.bundlePrefix}.v0.3+json`;
    const layer = await this.client.pushBlob(repository, { mediaType: artifactType, bytes: bundle }, signal);
    const empty = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') };
    const config = await this.client.pushBlob(repository, empty, signal);
    const subject = await this.client.resolve({ ...repository, digest }, signal);
    const manifest = { schemaVersion: 2, mediaType: IMAGE, artifactType, config, layers: [layer], subject };
    await this.client.pushManifest(tagged(repository, 'bundle'), { mediaType: IMAGE, bytes: json(manifest) }, signal);
  }

  async close(): Promise<void> {
    await this.#registries.close();
    await this.client.close();
    await this.registry.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const pair = (): { key: KeyObject; pem: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { key: privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
};
const COSIGN = { provider: 'cosign', secretRef: { name: 'keys' } };
const NOTATION = { provider: 'notation', secretRef: { name: 'trust' } };

describe('spec.verify', () => {
  let bench: Bench;
  const ours = pair();
  const other = pair();
  before(async () => {
    bench = await Bench.open();
  });
  after(async () => await bench.close());

  test('OB13 OB14: a key of the Secret verifies once, and again only for another revision, spec, key or after a failure', async () => {
    const digest = await bench.push('app', 'a: 1');
    await bench.attach('app', digest, ours.key);
    bench.secrets.set('keys', { 'b.pub': other.pem, 'a.pub': ours.pem, README: 'no key' });
    bench.spec('app', { tag: 'v1' }, COSIGN);
    const first = await bench.reconcile();
    assert.equal(first.code, undefined, first.ready?.message);
    assert.match(first.verified?.message ?? '', new RegExp(`^verified signature of revision v1@${digest} by key "a.pub" \\(sha256:`));
    assert.deepEqual([first.verified?.status, first.verified?.reason], ['True', 'Succeeded']);
    assert.equal(first.ready?.message, `stored artifact for digest 'v1@${digest}'`);
    const isSignature = (path: string): boolean => path.includes('.sig') || path.includes('/referrers/');
    const lastSignature = first.asked.findLastIndex(isSignature);
    const firstContent = first.asked.findIndex((path, at) => at > lastSignature && path.includes('/blobs/'));
    assert.ok(lastSignature >= 0 && firstContent > lastSignature, first.asked.join());

    const again = await bench.reconcile();
    assert.ok(!again.asked.some(isSignature), 'nothing changed');
    bench.secrets.set('keys', { 'a.pub': ours.pem });
    assert.ok((await bench.reconcile()).asked.some(isSignature), 'the keys changed');
    bench.spec('app', { tag: 'v1' }, COSIGN);
    assert.ok((await bench.reconcile()).asked.some(isSignature), 'the spec changed');
    assert.ok(!(await bench.reconcile()).asked.some(isSignature));

    const newer = await bench.push('app', 'a: 2');
    const refused = await bench.reconcile();
    assert.equal(refused.code, 'VerificationError');
    const wanted = /^failed to verify the signature using provider 'cosign': .*no signature found, want one by "a\.pub"/;
    for (const condition of [refused.verified, refused.ready, refused.fetchFailed]) assert.match(condition?.message ?? '', wanted);
    assert.deepEqual([refused.verified?.status, refused.ready?.status, refused.ready?.reason], ['False', 'False', 'VerificationError']);
    assert.deepEqual(
      bench.events.map(({ type, reason }) => [type, reason]),
      [['Warning', 'VerificationError']],
    );
    assert.equal(bench.object.status.artifact?.revision, `v1@${digest}`, 'the last good artifact stays');
    assert.ok(!refused.asked.some((path) => path.includes('/blobs/')), 'nothing of it is fetched');

    await bench.attach('app', newer, ours.key);
    const healed = await bench.reconcile();
    assert.equal(healed.code, undefined);
    assert.equal(healed.fetchFailed, undefined);
    assert.equal(bench.object.status.artifact?.revision, `v1@${newer}`);

    bench.spec('app', { tag: 'v1' });
    assert.equal((await bench.reconcile()).verified, undefined, 'without spec.verify there is no condition');
  });

  test('OB14: another key, a copied signature and one that is too large are refused, and told', async () => {
    const signed = await bench.push('evil', 'a: 1');
    const digest = await bench.push('evil', 'a: 2');
    bench.secrets.set('keys', { 'a.pub': ours.pem });
    bench.spec('evil', { digest }, COSIGN);
    await bench.attach('evil', digest, other.key);
    assert.match(
      (await bench.reconcile()).verified?.message ?? '',
      /found a signature by another key, or a changed payload, want one by "a\.pub"/,
    );
    await bench.attach('evil', digest, ours.key, signed);
    assert.match((await bench.reconcile()).verified?.message ?? '', new RegExp(`found a signature of other content \\(${signed}\\)`));
    await bench.attach('evil', digest, ours.key, digest, 'x'.repeat(MAX_PAYLOAD));
    assert.match((await bench.reconcile()).verified?.message ?? '', /found what cannot be read .*more than the allowed/);
    await bench.attach('evil', digest, ours.key);
    assert.equal((await bench.reconcile()).code, undefined);
  });

  test('OB13: a Secret that is missing or without keys is told, never passed over', async () => {
    bench.secrets.delete('keys');
    const digest = await bench.push('bare', 'a: 1');
    bench.spec('bare', { digest }, COSIGN);
    assert.match((await bench.reconcile()).verified?.message ?? '', /provider 'cosign': get Secret "ns\/keys": not found/);
    bench.secrets.set('keys', { 'cosign.key': 'x' });
    assert.match((await bench.reconcile()).verified?.message ?? '', /no public key/);
    bench.spec('bare', { digest }, { provider: 'cosign', matchOIDCIdentity: [{ issuer: '(', subject: 'a' }] });
    assert.match((await bench.reconcile()).verified?.message ?? '', /provider 'cosign keyless': read matchOIDCIdentity\[0\]\.issuer/);
  });

  test('OB14: keyless under a root of our own: identity, log entry, and a warning for a pattern that is not anchored', async () => {
    const sigstore = new FakeSigstore(new Date());
    const identity = { issuer: 'https://issuer.test', subject: 'https://github.com/org/app-evil/release.yaml' };
    const digest = await bench.push('keyless', 'a: 1');
    const bundle = sigstore.bundle(digest, { identity, time: new Date(Date.now() - 60_000) });
    await bench.attachBundle('keyless', digest, json(bundle));
    bench.secrets.set('root', { 'trusted_root.json': sigstore.trustedRoot() });
    const keyless = (subject: string): Record<string, unknown> => ({
      provider: 'cosign',
      trustedRootSecretRef: { name: 'root' },
      matchOIDCIdentity: [{ issuer: '^https://issuer\\.test$', subject }],
    });
    bench.spec('keyless', { digest }, keyless('^https://github.com/other/'));
    assert.match((await bench.reconcile()).verified?.message ?? '', /'cosign keyless': .*found subject ".*app-evil.*" of issuer/);
    bench.spec('keyless', { digest }, keyless('https://github.com/org/app'));
    const { code, verified } = await bench.reconcile();
    assert.equal(code, undefined, verified?.message);
    assert.match(verified?.message ?? '', /by ".*app-evil.*" of "https:\/\/issuer\.test", log index \d+; warning: subject .* only in part/);
    bench.secrets.set('root', { 'trusted_root.json': new FakeSigstore(new Date()).trustedRoot() });
    assert.equal((await bench.reconcile()).code, 'VerificationError', 'another root');
    bench.secrets.set('root', {});
    assert.match((await bench.reconcile()).verified?.message ?? '', /read trusted root "trusted_root\.json"/);
  });

  test('a registry that does not answer is no missing signature', async () => {
    const digest = await bench.push('down', 'a: 1');
    await bench.attach('down', digest, ours.key);
    bench.secrets.set('keys', { 'a.pub': ours.pem });
    bench.spec('down', { digest }, COSIGN);
    bench.faults.add(({ path }) => path.includes('/referrers/'), { kind: 'status', status: 503 });
    const failed = await bench.reconcile();
    assert.equal(failed.code, 'ReadOperationFailed', failed.ready?.message);
    assert.match(failed.fetchFailed?.message ?? '', /^failed to read the signatures of /);
    bench.faults.clear();
    assert.equal((await bench.reconcile()).code, undefined);
  });
});

describe('spec.verify of the corpus', { skip: layouts === undefined ? 'the corpus is not here' : false }, () => {
  let bench: Bench;
  const REPOSITORY = 'stefanprodan/manifests/podinfo';
  const trust = (name: string): Buffer => readFileSync(join(layouts ?? '', 'trust', name));
  before(async () => {
    bench = await Bench.open();
    const layout = await readLayout(join(layouts ?? '', 'layouts', REPOSITORY));
    await pushLayout(layout, bench.client, parseRepository(`${bench.registry.host}/${REPOSITORY}`), signal);
    bench.secrets.set('keys', { 'cosign.pub': trust('cosign.pub') });
    bench.secrets.set('other', { 'other.pub': trust('other.pub') });
    bench.secrets.set('trust', { 'trustpolicy.json': trust('trustpolicy.json'), 'ca.crt': trust('notation-release-root.crt') });
  });
  after(async () => await bench.close());

  for (const [tag, verify, accepted] of [
    ['6.14.1', COSIGN, true],
    ['6.13.0', COSIGN, true],
    ['6.13.1-evil', COSIGN, false],
    ['6.8.0', COSIGN, false],
    ['6.9.4', COSIGN, false],
    ['6.8.0', { provider: 'cosign', secretRef: { name: 'other' } }, true],
    ['6.14.0', NOTATION, true],
    ['6.14.1', NOTATION, false],
    ['6.9.4', NOTATION, false],
  ] as const)
    test(`OB14 OB15: ${tag} by ${verify.provider} ${verify.secretRef.name} is ${accepted ? 'accepted' : 'refused'}`, async () => {
      bench.spec(REPOSITORY, { tag }, verify);
      const { code, verified, ready } = await bench.reconcile();
      assert.equal(code, accepted ? undefined : 'VerificationError', ready?.message);
      assert.equal(verified?.status, accepted ? 'True' : 'False');
      assert.equal(ready?.status, accepted ? 'True' : 'False');
    });

  test('OB15: a trust policy that does not ask gives no condition of success, and the artifact goes on', async () => {
    const document = trust('trustpolicy.json').toString().replace('"strict"', '"skip"');
    bench.secrets.set('trust', { 'trustpolicy.json': document, 'ca.crt': trust('notation-release-root.crt') });
    bench.spec(REPOSITORY, { tag: '6.8.0' }, NOTATION);
    const { code, verified, ready } = await bench.reconcile();
    assert.deepEqual([code, verified, ready?.status], [undefined, undefined, 'True']);
  });
});
