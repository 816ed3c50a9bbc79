// Every way to cheat, in every format of signature, on a registry with the referrers API and on one without: by controllers on a Kubernetes
// API. Refused means: nothing of the artifact is fetched, the conditions and an event say what was found and what was wanted.
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { archiveTree, writeArchive } from '../../src/artifact/index.ts';
import {
  createRegistryClient,
  mediaTypes,
  parseReference,
  parseRepository,
  pushArtifact,
  tagged,
  type Descriptor,
} from '../../src/oci/index.ts';
import { systemClock } from '../../src/std/index.ts';
import { cosignMediaTypes, MAX_PAYLOAD, notationMediaTypes, type Subject } from '../../src/verify/index.ts';
import { issue as issueAt, keyPair, pem, type CertificateSpec, type Issued } from '../../src/verify/notation/testing/authority.ts';
import { signEnvelope, type SignRequest } from '../../src/verify/notation/testing/signer.ts';
import { FakeSigstore, json, keyBundle, keyTagSignature, type BundleJson, type KeylessOptions } from '../../src/verify/testing/sigstore.ts';
import { startDockerRegistry, type Registry } from './harness.ts';
import { condition, Lab, OCI, until } from './kustomization-lab.ts';

const MINUTE = 60_000;
const now = Date.now();
const at = (minutes: number): Date => new Date(Math.trunc(now / 1000) * 1000 + minutes * MINUTE);
const { signal } = new AbortController();

/** One signature as a registry keeps it: a layer of the signature tag, or of a referrer of `artifactType`. */
type Piece = { artifactType?: string; mediaType: string; bytes: Buffer; annotations?: Readonly<Record<string, string>> };

/** A format of signatures: how good ones and bad ones are made, and what is told of the bad ones. */
type Format = {
  good(subject: Subject): Piece;
  byStranger(subject: Subject): Piece;
  tampered(subject: Subject): Piece;
  byOther: RegExp;
  broken: RegExp;
  copied: RegExp;
  /** Formats with certificates: signed when the certificate did not hold, and by a name that contains the trusted one. */
  expired?(subject: Subject): Piece;
  byNamesake?(subject: Subject): Piece;
  namesake?: RegExp;
  verify: Record<string, unknown>;
  /** How many are looked at. */
  limit: number;
  /** Kept as referrers, not under a tag. */
  byReferrer: boolean;
};

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const sigstore = new FakeSigstore(at(0));
const otherSigstore = new FakeSigstore(at(0));
const keyless: KeylessOptions = { identity: { issuer: 'https://issuer.test', subject: 'https://github.com/org/app' }, time: at(-1) };
const namesake: KeylessOptions = { ...keyless, identity: { ...keyless.identity, subject: 'https://github.com/org/app-evil' } };
const lapsed: KeylessOptions = { ...keyless, time: at(-10), issued: at(-21) };

const issue = (spec: CertificateSpec, issuer?: Issued): Issued =>
  issueAt({ notBefore: at(-48 * 60), notAfter: at(48 * 60), subject: 'C=RO,ST=B,O=Test,CN=signer', ...spec }, issuer);
const root = issue({ subject: 'C=RO,ST=B,O=Test,CN=root', key: keyPair('P-256', 'matrix root'), authority: true });
const otherRoot = issue({ subject: 'C=RO,ST=B,O=Test,CN=root', key: keyPair('P-256', 'matrix other'), authority: true });

const bundlePiece = (bundle: BundleJson): Piece => {
  const type = `${cosignMediaTypes.bundlePrefix}.v0.3+json`;
  return { artifactType: type, mediaType: type, bytes: json(bundle) };
};
const tagPiece = ({ payload, annotations }: { payload: Uint8Array; annotations: Readonly<Record<string, string>> }): Piece => ({
  mediaType: cosignMediaTypes.simpleSigning,
  bytes: Buffer.from(payload),
  annotations,
});
/** Says something more under the same signature. */
const reworded = (piece: Piece): Piece => ({
  ...piece,
  bytes: Buffer.from(piece.bytes.toString().replace('"optional"', '"extra":1,"optional"')),
});
const rewordedBundle = (bundle: BundleJson): Piece => {
  const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString();
  return bundlePiece({ ...bundle, dsseEnvelope: { ...bundle.dsseEnvelope, payload: Buffer.from(`${payload} `).toString('base64') } });
};

const BY_KEY = { provider: 'cosign', secretRef: { name: 'keys' } };
const KEYLESS = {
  provider: 'cosign',
  trustedRootSecretRef: { name: 'root' },
  matchOIDCIdentity: [{ issuer: '^https://issuer\\.test$', subject: '^https://github\\.com/org/app$' }],
};
const ANOTHER_KEY = /found a signature by another key, or a changed payload, want one by "ours\.pub" \(sha256:[0-9a-f]{64}\)/;
const COPIED = /found a signature of other content \(sha256:[0-9a-f]{64}\), want a signature of sha256:[0-9a-f]{64}/;
const NAMESAKE = /found subject "https:\/\/github\.com\/org\/app-evil" of issuer "https:\/\/issuer\.test", want subject matching "\^https/;
const BROKEN_PROOF = /want (an intact signature and payload|an entry in a transparency log of the root)/;

function notation(format: 'JWS' | 'COSE'): Format {
  const sign = (request: SignRequest): Piece => {
    const { mediaType, envelope } = signEnvelope(format, { signingTime: at(-1), ...request });
    return { artifactType: notationMediaTypes.signature, mediaType, bytes: Buffer.from(envelope) };
  };
  const by = (subject: Subject, spec: CertificateSpec, authority = root): Piece =>
    sign({ subject, chain: [issue(spec, authority), authority] });
  return {
    good: (subject) => by(subject, {}),
    byStranger: (subject) => by(subject, {}, otherRoot),
    tampered: (subject) => {
      const piece = by(subject, {});
      const bytes = Buffer.from(piece.bytes);
      // A byte of the signed payload: inside base64 for JWS, plain for COSE.
      const text = format === 'JWS' ? '"payload":"' : '"digest":"sha256:';
      const place = bytes.indexOf(text) + text.length + 20;
      bytes[place] = bytes[place] === 0x41 ? 0x42 : 0x41;
      return { ...piece, bytes };
    },
    expired: (subject) => by(subject, { notAfter: at(-1) }),
    byNamesake: (subject) => by(subject, { subject: 'C=RO,ST=B,O=Test,CN=signer-evil' }),
    byOther: /found a signature by "CN=signer,.*, issued by "CN=root,.*, want a certificate chain with one of "CN=root,/,
    broken: /found .*, want .*signature/,
    copied: /found a signature for digest "sha256:[0-9a-f]{64}", want "sha256:[0-9a-f]{64}", as of /,
    namesake: /found a signature by "CN=signer-evil,O=Test,ST=B,C=RO", want one of "x509\.subject: C=RO, ST=B, O=Test, CN=signer"/,
    verify: { provider: 'notation', secretRef: { name: 'trust' } },
    limit: 50,
    byReferrer: true,
  };
}

/** What both formats of keyless signatures share. */
const keylessCase = {
  byOther: /found .*, want (a certificate whose chain ends in the trusted root|an entry in a transparency log of the root)/,
  broken: BROKEN_PROOF,
  copied: COPIED,
  namesake: NAMESAKE,
  verify: KEYLESS,
  limit: 256,
};

const FORMATS: Readonly<Record<string, Format>> = {
  'cosign tag by key': {
    good: ({ digest }) => tagPiece(keyTagSignature(digest, pair.privateKey)),
    byStranger: ({ digest }) => tagPiece(keyTagSignature(digest, stranger.privateKey)),
    tampered: ({ digest }) => reworded(tagPiece(keyTagSignature(digest, pair.privateKey))),
    byOther: ANOTHER_KEY,
    broken: ANOTHER_KEY,
    copied: COPIED,
    verify: BY_KEY,
    limit: 256,
    byReferrer: false,
  },
  'cosign bundle by key': {
    good: ({ digest }) => bundlePiece(keyBundle(digest, pair.privateKey)),
    byStranger: ({ digest }) => bundlePiece(keyBundle(digest, stranger.privateKey)),
    tampered: ({ digest }) => rewordedBundle(keyBundle(digest, pair.privateKey)),
    byOther: ANOTHER_KEY,
    broken: ANOTHER_KEY,
    copied: COPIED,
    verify: BY_KEY,
    limit: 256,
    byReferrer: true,
  },
  'cosign tag, keyless': {
    good: ({ digest }) => tagPiece(sigstore.tagSignature(digest, keyless)),
    byStranger: ({ digest }) => tagPiece(otherSigstore.tagSignature(digest, keyless)),
    tampered: ({ digest }) => reworded(tagPiece(sigstore.tagSignature(digest, keyless))),
    expired: ({ digest }) => tagPiece(sigstore.tagSignature(digest, lapsed)),
    byNamesake: ({ digest }) => tagPiece(sigstore.tagSignature(digest, namesake)),
    ...keylessCase,
    byReferrer: false,
  },
  'cosign bundle, keyless': {
    good: ({ digest }) => bundlePiece(sigstore.bundle(digest, keyless)),
    byStranger: ({ digest }) => bundlePiece(otherSigstore.bundle(digest, keyless)),
    tampered: ({ digest }) => rewordedBundle(sigstore.bundle(digest, keyless)),
    expired: ({ digest }) => bundlePiece(sigstore.bundle(digest, lapsed)),
    byNamesake: ({ digest }) => bundlePiece(sigstore.bundle(digest, namesake)),
    ...keylessCase,
    byReferrer: true,
  },
  'notation JWS': notation('JWS'),
  'notation COSE': notation('COSE'),
};

describe('signatures, every way to cheat', { timeout: 600_000 }, () => {
  let lab: Lab;
  let docker: Registry;
  let client: ReturnType<typeof createRegistryClient>;
  before(async () => {
    lab = await Lab.open(`signature-matrix-${now.toString(36)}`);
    docker = await startDockerRegistry();
    client = createRegistryClient({ insecure: true, clock: systemClock, random: Math.random });
    const secret = (name: string, stringData: Record<string, string>): Promise<unknown> =>
      lab.apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData });
    await secret('keys', { 'ours.pub': pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() });
    await secret('root', { 'trusted_root.json': sigstore.trustedRoot().toString() });
    const statement = {
      name: 'ours',
      registryScopes: ['*'],
      signatureVerification: { level: 'strict' },
      trustStores: ['ca:ours'],
      trustedIdentities: ['x509.subject: C=RO, ST=B, O=Test, CN=signer'],
    };
    await secret('trust', {
      'trustpolicy.json': JSON.stringify({ version: '1.0', trustPolicies: [statement] }),
      'ca.crt': Buffer.from(pem(root)).toString(),
    });
  });
  after(async () => {
    await client.close();
    await docker.stop();
    await lab.close();
  });

  async function push(repository: string, text: string, tag = 'v1'): Promise<Subject> {
    const layer = await writeArchive(archiveTree({ 'a.yaml': text }), 'kept');
    return { ...(await pushArtifact(client, parseReference(`${repository}:${tag}`), { layer }, signal)), repository };
  }

  async function pushManifest(
    repository: string,
    tag: string,
    manifest: object,
    mediaType: string = mediaTypes.ociManifest,
  ): Promise<Descriptor> {
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...manifest }));
    return client.pushManifest(tagged(parseRepository(repository), tag), { mediaType, bytes }, signal);
  }

  /** Keeps signatures of a subject as the registry at hand does: under the tag, as referrers, or in the index of the fallback tag. */
  async function attach(
    { repository, digest, mediaType, size }: Subject,
    pieces: readonly Piece[],
    change = (layer: Descriptor): object => layer,
  ): Promise<void> {
    const place = parseRepository(repository);
    const blob = (type: string, bytes: Buffer): Promise<Descriptor> => client.pushBlob(place, { mediaType: type, bytes }, signal);
    const config = await blob(mediaTypes.ociEmpty, Buffer.from('{}'));
    const [layers, entries]: [object[], object[]] = [[], []];
    for (const [index, piece] of pieces.entries()) {
      const layer = {
        ...change(await blob(piece.mediaType, piece.bytes)),
        ...(piece.annotations === undefined ? {} : { annotations: piece.annotations }),
      };
      const { artifactType } = piece;
      if (artifactType === undefined) layers.push(layer);
      else {
        const manifest = {
          artifactType,
          config,
          layers: [layer],
          subject: { mediaType, digest, size },
          annotations: { index: String(index) },
        };
        entries.push({
          ...(await pushManifest(repository, `signature-${index}`, manifest)),
          artifactType,
          annotations: manifest.annotations,
        });
      }
    }
    const tag = digest.replace(':', '-');
    if (layers.length > 0) await pushManifest(repository, `${tag}.sig`, { config, layers });
    if (entries.length > 0 && repository.startsWith(docker.host))
      await pushManifest(repository, tag, { manifests: entries }, mediaTypes.ociIndex);
  }

  /** Lists one signature `count` times, and then a good one, under the fallback tag. */
  async function attachMany(subject: Subject, piece: Piece, good: Piece, count: number): Promise<void> {
    await attach(subject, [piece, good]);
    const found = await client.referrers(parseRepository(subject.repository), subject.digest, signal);
    const [first, last] = ['0', '1'].map((index) => {
      const { artifactType } = piece;
      const entry = found.find(({ annotations }) => annotations?.['index'] === index);
      return { ...entry, artifactType };
    });
    const manifests = [...Array.from({ length: count }, () => first), last];
    await pushManifest(subject.repository, subject.digest.replace(':', '-'), { manifests }, mediaTypes.ociIndex);
  }

  /** Reconciles the tag v1 of a repository; gives what the conditions say. */
  async function judge(
    name: string,
    repository: string,
    format: Format,
    tag = 'v1',
  ): Promise<{ accepted: boolean; message: string; revision: string }> {
    await lab.apply({
      ...OCI,
      metadata: { name },
      spec: { interval: '10m', url: `oci://${repository}`, ref: { tag }, verify: format.verify },
    });
    const status = await lab.waitStatus(
      OCI,
      name,
      'a verdict',
      (found) =>
        ['True', 'False'].includes(condition(found, 'SourceVerified')?.status ?? '') && condition(found, 'Ready')?.status !== 'Unknown',
    );
    // A refused one would be tried again and again.
    await lab.patch(OCI, name, { spec: { suspend: true } });
    const [verified, ready, failed] = ['SourceVerified', 'Ready', 'FetchFailed'].map((type) => condition(status, type));
    const message = verified?.message ?? '';
    const accepted = verified?.status === 'True';
    const path = repository.slice(repository.indexOf('/') + 1);
    if (accepted) {
      assert.equal(ready?.status, 'True', ready?.message);
      return { accepted, message, revision: status.artifact?.revision ?? '' };
    }
    for (const told of [verified, ready, failed]) {
      assert.equal(told?.reason, 'VerificationError', name);
      assert.equal(told.message, message, name);
    }
    assert.match(message, /^failed to verify the signature using provider '(cosign|cosign keyless|notation)': /);
    assert.equal(status.artifact, undefined, name);
    const event = (): Promise<boolean> =>
      Promise.resolve(
        lab.posted.some(
          (posted) => posted.involvedObject.name === name && posted.reason === 'VerificationError' && posted.message.includes(message),
        ),
      );
    await until(`the event about ${name}`, event);
    const fetched = lab.registryRequests
      .filter(({ url }) => url.includes(`/v2/${path}/blobs/`))
      .map(({ url }) => url.slice(url.lastIndexOf('/') + 1));
    const { manifest } = await client.fetchImage(parseReference(`${repository}:${tag}`), signal);
    assert.ok(!manifest.layers.some(({ digest }) => fetched.includes(digest)), `${name}: the artifact was fetched`);
    return { accepted, message, revision: '' };
  }

  for (const registry of ['own', 'docker'] as const) {
    for (const [formatName, format] of Object.entries(FORMATS)) {
      const slug = `${registry}-${formatName.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;
      const repository = (what: string): string => `${registry === 'own' ? lab.registry.host : docker.host}/${slug}/${what}`;
      const title = `${formatName} on ${registry === 'own' ? 'our registry' : 'docker-registry'}`;
      const run = (what: string): Promise<{ accepted: boolean; message: string; revision: string }> =>
        judge(`${slug}-${what}`, repository(what), format);
      const refused = async (what: string, told: RegExp): Promise<void> => {
        const { accepted, message } = await run(what);
        assert.equal(accepted, false, `${what}: ${message}`);
        assert.match(message, told, what);
      };

      test(`OB13 OB14 OB15: ${title}: wrong key, copied, stripped, tampered with, expired, namesakes, replayed`, async () => {
        const good = await push(repository('good'), 'good');
        await attach(good, [format.good(good)]);
        assert.equal((await run('good')).accepted, true);

        const several = await push(repository('several'), 'several');
        await attach(several, [format.byStranger(several), format.tampered(several), format.good(several)]);
        assert.equal((await run('several')).accepted, true);

        const wrong = await push(repository('wrong-key'), 'wrong');
        await attach(wrong, [format.byStranger(wrong)]);
        await refused('wrong-key', format.byOther);

        const [original, copy] = [await push(repository('copied'), 'original', 'original'), await push(repository('copied'), 'copy')];
        await attach(copy, [format.good(original)]);
        await refused('copied', format.copied);

        await push(repository('stripped'), 'stripped');
        await refused('stripped', /no signature/);

        const tampered = await push(repository('tampered'), 'tampered');
        await attach(tampered, [format.tampered(tampered)]);
        await refused('tampered', format.broken);

        if (format.expired !== undefined) {
          const expired = await push(repository('expired'), 'expired');
          await attach(expired, [format.expired(expired)]);
          await refused('expired', /found (signed at 2|certificate .*, valid from ).*, want /);
        }
        if (format.byNamesake !== undefined && format.namesake !== undefined) {
          const evil = await push(repository('namesake'), 'namesake');
          await attach(evil, [format.byNamesake(evil)]);
          await refused('namesake', format.namesake);
        }

        // No signature can tell that an older artifact, properly signed, was put under a newer tag; the revision says which it is.
        const older = await push(repository('replayed'), 'older', 'v0');
        await attach(older, [format.good(older)]);
        const { bytes } = await client.fetchManifest(parseReference(`${repository('replayed')}@${older.digest}`), signal);
        await client.pushManifest(tagged(parseRepository(repository('replayed')), 'v1'), { mediaType: older.mediaType, bytes }, signal);
        const replayed = await run('replayed');
        assert.deepEqual([replayed.accepted, replayed.revision], [true, `v1@${older.digest}`]);
      });

      test(`OB14 OB15: ${title}: signatures of 1 GB, lying about it, and too many to look at`, async () => {
        const huge = await push(repository('huge'), 'huge');
        await attach(huge, [format.good(huge)], (layer) => ({ ...layer, size: 1_000_000_000 }));
        await refused('huge', /1000000000 bytes|more than the allowed/);
        const lying = await push(repository('lying'), 'lying');
        const large = { ...format.good(lying), bytes: Buffer.alloc(2 * MAX_PAYLOAD, 'x') };
        await attach(lying, [large], (layer) => ({ ...layer, size: 100 }));
        await refused('lying', /found what cannot be read/);
        const many = await push(repository('many'), 'many');
        if (format.byReferrer && registry === 'docker') await attachMany(many, format.byStranger(many), format.good(many), format.limit);
        else {
          const strangers = Array.from({ length: format.limit + 1 }, () => format.byStranger(many));
          // Our registry lists referrers in an order of its own: only under the tag the good one is surely the last.
          await attach(many, format.byReferrer ? strangers : [...strangers.slice(1), format.good(many)]);
        }
        await refused('many', new RegExp(`found more than ${format.limit} signatures, want a good`));
      });
    }
  }

  test('10,000 signatures under the tag, and 10,000 referrers under the fallback tag, are neither read nor waited for', async () => {
    const byTag = FORMATS['cosign tag by key'];
    const byBundle = FORMATS['cosign bundle by key'];
    assert.ok(byTag !== undefined && byBundle !== undefined);
    const place = `${docker.host}/ten-thousand`;
    const subject = await push(place, 'many');
    const piece = byTag.byStranger(subject);
    const blob = (type: string, bytes: Buffer): Promise<Descriptor> =>
      client.pushBlob(parseRepository(place), { mediaType: type, bytes }, signal);
    const config = await blob(mediaTypes.ociEmpty, Buffer.from('{}'));
    const layer = { ...(await blob(piece.mediaType, piece.bytes)), annotations: piece.annotations };
    await pushManifest(place, `${subject.digest.replace(':', '-')}.sig`, { config, layers: Array.from({ length: 10_000 }, () => layer) });
    const started = performance.now();
    const verdict = await judge('ten-thousand-layers', place, byTag);
    assert.equal(verdict.accepted, false);
    assert.match(verdict.message, /more than 256 signatures, want a good/);

    const listed = `${docker.host}/ten-thousand-referrers`;
    const other = await push(listed, 'many');
    const bundle = byBundle.byStranger(other);
    await attachMany(other, bundle, byBundle.good(other), 9_999);
    const second = await judge('ten-thousand-referrers', listed, byBundle);
    assert.equal(second.accepted, false);
    assert.match(second.message, /more than 256 signatures, want a good/);
    assert.ok(performance.now() - started < 20_000);
  });
});
