// Signatures made by the real cosign with every flag that changes what it leaves in the registry, and keys in every file format: what
// cosign says of them is what we say. Needs no Kubernetes, only the Go toolchain that builds cosign, and docker-registry.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { verifySignature, type Wanted } from '../../src/controllers/source/index.ts';
import { mediaTypes, parseReference, parseRepository, pushArtifact } from '../../src/oci/index.ts';
import { isCodedError, systemClock } from '../../src/std/index.ts';
import type { Subject, Verdict } from '../../src/verify/index.ts';
import { issue, keyPair, pem } from '../../src/verify/notation/testing/authority.ts';
import { spki, type KeyPair } from '../../src/verify/testing/certificate-authority.ts';
import { FakeSigstore, json, pem as derPem, type KeylessOptions } from '../../src/verify/testing/sigstore.ts';
import { timestampResponse } from '../../src/verify/notation/testing/timestamper.ts';
import { tool } from '../tools/build.ts';
import { CosignLab } from './cosign-lab.ts';
import { startDockerRegistry, type Registry } from './harness.ts';

const program = await tool('cosign');
const oras = await tool('oras');
const signal = new AbortController().signal;
const HTTP = '--allow-http-registry';
const UNLOGGED = ['--use-signing-config=false', '--tlog-upload=false'];
const HOUR = 3_600_000;
const today = { notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + 24 * HOUR) };

describe('cosign, flag by flag', { skip: program === undefined ? 'no Go toolchain' : false, timeout: 600_000 }, () => {
  let lab: CosignLab;
  let docker: Registry;
  let timestamps: Server;
  let key: KeyObject;
  let publicKey: Buffer;

  const importKey = async (name: string, pair: KeyObject): Promise<void> => {
    lab.file(`${name}.pem`, pair.export({ type: 'pkcs8', format: 'pem' }).toString());
    const imported = await lab.cosign('import-key-pair', '-y', '--key', `${name}.pem`, '--output-key-prefix', name);
    assert.ok(imported.ok, imported.text);
  };

  before(async () => {
    lab = await CosignLab.open(program ?? '');
    docker = await startDockerRegistry();
    key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    await importKey('ours', key);
    await importKey('other', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    publicKey = readFileSync(`${lab.folder}/ours.pub`);
    const root = issue({ subject: 'C=RO,O=Time,CN=time root', key: keyPair('P-256', 'time root'), authority: true, ...today });
    const purposes = { purposes: ['1.3.6.1.5.5.7.3.8'], purposesCritical: true };
    const authority = issue({ subject: 'C=RO,O=Time,CN=time', key: keyPair('P-256', 'time'), ...purposes, ...today }, root);
    timestamps = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.writeHead(200, { 'content-type': 'application/timestamp-reply' });
        response.end(timestampResponse(Buffer.concat(chunks), authority, [root], new Date(Math.trunc(Date.now() / 1000) * 1000)));
      });
    });
    await new Promise<void>((resolve) => timestamps.listen(0, '127.0.0.1', resolve));
  });
  after(async () => {
    timestamps.close();
    await lab.close();
    await docker.stop();
  });

  const push = async (host: string, name: string, text = name): Promise<Subject> => {
    const repository = `${host}/${name}`;
    return { ...(await pushArtifact(lab.client, parseReference(`${repository}:v1`), { layer: Buffer.from(text) }, signal)), repository };
  };
  const reference = ({ repository, digest }: Subject): string => `${repository}@${digest}`;
  const cosign = async (...args: readonly string[]): Promise<void> => {
    const { ok, text } = await lab.cosign(...args);
    assert.ok(ok, `cosign ${args.join(' ')}: ${text}`);
  };
  const signWith = (subject: Subject, name: string, ...flags: readonly string[]): Promise<void> =>
    cosign('sign', '-y', '--key', `${name}.key`, HTTP, ...UNLOGGED, ...flags, reference(subject));

  /** What the controller's code says: the format of the signature, or why there is none. */
  const ours = async (subject: Subject, files: Wanted['files'] = { 'ours.pub': publicKey }): Promise<string> => {
    const wanted: Wanted = { provider: 'cosign', files, identities: [], root: undefined };
    const context = { client: lab.client, clock: systemClock, trust: {}, signal };
    try {
      const verdict = (await verifySignature(wanted, parseRepository(subject.repository), subject.digest, context)) as Verdict;
      return verdict.attestation === undefined ? verdict.format : `${verdict.format}: ${verdict.attestation.predicateType}`;
    } catch (error) {
      if (isCodedError(error)) return `${error.code}: ${error.message}`;
      throw error;
    }
  };
  /** Whether cosign verifies as Flux has it verify: by key, asking no log. */
  const theirs = async (subject: Subject, file = 'ours.pub'): Promise<boolean> =>
    (await lab.cosign('verify', HTTP, '--key', file, '--insecure-ignore-tlog=true', reference(subject))).ok;
  const both = async (subject: Subject, accepted: boolean, told: RegExp): Promise<void> => {
    assert.match(await ours(subject), told);
    assert.equal(await theirs(subject), accepted, 'cosign says otherwise');
  };

  const FORMATS = [['bundle', 'true', /^bundle$/] as const, ['signature tag', 'false', /^signature tag$/] as const];
  for (const registry of ['own', 'docker'] as const) {
    const host = (): string => (registry === 'own' ? lab.registry.host : docker.host);
    for (const [format, flag, told] of FORMATS) {
      const name = (what: string): string => `${what}-${flag}`;
      const on = `a ${format} on ${registry === 'own' ? 'our registry' : 'docker-registry, which has no referrers API'}`;

      test(`OB14: ${on}, with annotations, another container identity, a timestamp`, async () => {
        const url = `http://127.0.0.1:${(timestamps.address() as AddressInfo).port}/`;
        const variants: Readonly<Record<string, readonly string[]>> = {
          plain: [],
          annotated: ['-a', 'build=7', '-a', 'digest=sha256:00'],
          identity: ['--sign-container-identity', 'registry.example/other:v9'],
          timestamped: ['--timestamp-server-url', url],
        };
        for (const [what, flags] of Object.entries(variants)) {
          const subject = await push(host(), name(what));
          await signWith(subject, 'ours', `--new-bundle-format=${flag}`, ...flags);
          await both(subject, true, told);
        }
      });

      test(`OB14: ${on}, one of several signers, whoever came last`, async () => {
        for (const signers of [
          ['ours', 'other'],
          ['other', 'ours'],
        ]) {
          const subject = await push(host(), name(`by-${signers.join('-')}`));
          for (const signer of signers) await signWith(subject, signer, `--new-bundle-format=${flag}`);
          await both(subject, true, told);
        }
        const stranger = await push(host(), name('by-other'));
        await signWith(stranger, 'other', `--new-bundle-format=${flag}`);
        await both(stranger, false, /^SignerUntrusted: .*another key.* want one by "ours\.pub" \(sha256:/);
      });

      test(`OB14: ${on}, in a repository of its own is not found, and told where it was looked for`, async () => {
        const subject = await push(host(), name('elsewhere'));
        const flags = ['--key', 'ours.key', HTTP, ...UNLOGGED, `--new-bundle-format=${flag}`];
        const elsewhere = { COSIGN_REPOSITORY: `${host()}/signatures` };
        const { ok, text } = await lab.cosignIn(elsewhere, 'sign', '-y', ...flags, reference(subject));
        assert.ok(ok, text);
        await both(subject, false, /^SignatureMissing: .*no signature found, want one by "ours\.pub" .*; looked in this repository, among/);
      });
    }

    test(`OB14: on ${registry}, --registry-referrers-mode oci-1-1 makes a signature in the old format a referrer`, async () => {
      const subject = await push(host(), 'referrer');
      const flags = [HTTP, ...UNLOGGED, '--new-bundle-format=false', '--registry-referrers-mode', 'oci-1-1'];
      const experimental = { COSIGN_EXPERIMENTAL: '1' };
      for (const signer of ['other', 'ours']) {
        const { ok, text } = await lab.cosignIn(experimental, 'sign', '-y', '--key', `${signer}.key`, ...flags, reference(subject));
        assert.ok(ok, text);
      }
      assert.equal(await ours(subject), 'signature tag');
      // Of several referrers under the fallback tag cosign reads one only.
      if (registry === 'docker') return;
      const asked = ['--key', 'ours.pub', '--insecure-ignore-tlog=true', '--experimental-oci11', HTTP, reference(subject)];
      const { ok, text } = await lab.cosignIn(experimental, 'verify', ...asked);
      assert.ok(ok, text);
    });

    test(`attestations on ${registry}: in bundles they count as signatures, under the old tag they do not`, async () => {
      const predicates: Readonly<Record<string, readonly [predicate: object, type: string]>> = {
        slsaprovenance1: [
          { buildDefinition: { buildType: 'x', externalParameters: {} }, runDetails: { builder: { id: 'https://builder.test' } } },
          'https://slsa.dev/provenance/v1',
        ],
        custom: [{ any: 'thing' }, 'https://cosign.sigstore.dev/attestation/v1'],
        spdxjson: [{ spdxVersion: 'SPDX-2.3' }, 'https://spdx.dev/Document'],
      };
      for (const [type, [predicate, predicateType]] of Object.entries(predicates)) {
        lab.file('predicate.json', JSON.stringify(predicate));
        const attest = (subject: Subject, flag: string): Promise<void> => {
          const flags = ['--key', 'ours.key', '--predicate', 'predicate.json', '--type', type, `--new-bundle-format=${flag}`];
          return cosign('attest', '-y', HTTP, ...flags, ...UNLOGGED, reference(subject));
        };
        const [bundled, tagged] = [await push(host(), `attested-${type}`), await push(host(), `attested-old-${type}`)];
        await attest(bundled, 'true');
        await both(bundled, true, new RegExp(`^bundle: ${predicateType}$`));
        await attest(tagged, 'false');
        await both(tagged, false, /^SignatureMissing: .*no signature found/);
      }
    });
  }

  test('an index and its images are signed apart, unless --recursive', async () => {
    const host = lab.registry.host;
    const [one, two] = [await push(host, 'index', 'one'), await push(host, 'index', 'two')];
    const manifests = [one, two].map(({ mediaType, digest, size }, at) => {
      return { mediaType, digest, size, platform: { os: 'linux', architecture: at === 0 ? 'amd64' : 'arm64' } };
    });
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));
    const pushed = await lab.client.pushManifest(parseReference(`${host}/index:all`), { mediaType: mediaTypes.ociIndex, bytes }, signal);
    const index: Subject = { ...pushed, repository: `${host}/index` };
    await both(index, false, /^SignatureMissing: .*; it is an index, and a signature of one of its images is none of the index$/);
    await signWith(index, 'ours');
    await both(index, true, /^bundle$/);
    await both(one, false, /^SignatureMissing/);
    await signWith(index, 'ours', '--recursive');
    await both(one, true, /^bundle$/);
    await both(two, true, /^bundle$/);
    const alone = await push(host, 'index', 'alone');
    await signWith(alone, 'ours');
    await both(alone, true, /^bundle$/);
  });

  test('cosign attach signature: a signature made elsewhere, and one of something else', async () => {
    const subject = await push(lab.registry.host, 'attached');
    const payload = JSON.stringify({
      critical: {
        identity: { 'docker-reference': subject.repository },
        image: { 'docker-manifest-digest': subject.digest },
        type: 'cosign container image signature',
      },
      optional: null,
    });
    lab.file('payload.json', payload);
    lab.file('signature.b64', sign('sha256', Buffer.from(payload), key).toString('base64'));
    const attach = (to: Subject): Promise<void> =>
      cosign('attach', 'signature', HTTP, '--payload', 'payload.json', '--signature', 'signature.b64', reference(to));
    await attach(subject);
    await both(subject, true, /^signature tag$/);
    const another = await push(lab.registry.host, 'attached-to-another');
    await attach(another);
    await both(another, false, /^SignatureInvalid: .*found a signature of other content .*, want a signature of sha256:/);
  });

  test('a bundle of cosign sign-blob among the referrers is no signature of an image', { skip: oras === undefined }, async () => {
    const subject = await push(lab.registry.host, 'blob');
    const { bytes } = await lab.client.fetchManifest(parseReference(reference(subject)), signal);
    lab.file('manifest.json', bytes);
    await cosign('sign-blob', '-y', '--key', 'ours.key', ...UNLOGGED, '--new-bundle-format', '--bundle', 'blob.bundle', 'manifest.json');
    await lab.attachBundle(subject, readFileSync(`${lab.folder}/blob.bundle`));
    await both(subject, false, /^SignatureInvalid: .*found a bundle with a bare signature/);
  });

  test('a certificate beside a key (BYO PKI) is no hindrance', async () => {
    const pair = keyPair('P-256', 'byo');
    const root = issue({ subject: 'C=RO,O=Test,CN=root', key: keyPair('P-256', 'byo root'), authority: true, ...today });
    lab.file('leaf.crt', pem(issue({ subject: 'C=RO,O=Test,CN=leaf', key: pair, purposes: ['1.3.6.1.5.5.7.3.3'], ...today }, root)));
    lab.file('chain.crt', pem(root));
    await importKey('byo', pair.privateKey);
    const file = { 'byo.pub': readFileSync(`${lab.folder}/byo.pub`) };
    const cases: readonly (readonly [flag: string, chain: boolean, accepted: boolean, told: RegExp])[] = [
      ['false', false, true, /^signature tag$/],
      ['false', true, true, /^signature tag$/],
      // cosign wants nothing but a key in a bundle that is verified by key. Whose signature it is does not depend on what lies beside it.
      ['true', false, false, /^bundle$/],
      // What cosign itself refuses without --allow-certificate-chain.
      ['true', true, false, /^SignatureInvalid: .*found a bundle v0\.3 with a certificate chain, want one with the certificate alone/],
    ];
    for (const [flag, chain, accepted, told] of cases) {
      const subject = await push(lab.registry.host, `byo-${flag}-${chain}`);
      const flags = ['--certificate', 'leaf.crt', ...(chain ? ['--certificate-chain', 'chain.crt'] : [])];
      await signWith(subject, 'byo', `--new-bundle-format=${flag}`, ...flags);
      assert.match(await ours(subject, file), told);
      const { ok, text } = await lab.cosign('verify', HTTP, '--key', 'byo.pub', '--insecure-ignore-tlog=true', reference(subject));
      assert.equal(ok, accepted, text);
    }
  });

  test('keys in every form of file', async () => {
    const subject = await push(lab.registry.host, 'key-files');
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    await importKey('rsa', rsa.privateKey);
    await signWith(subject, 'ours');
    await signWith(subject, 'rsa');
    const text = publicKey.toString();
    const other = readFileSync(`${lab.folder}/other.pub`, 'utf8');
    const certificate = issue({ key: { ...keyPair('P-256', 'certified'), privateKey: key }, ...today });
    /** A file, whether we accept the signature by it, and cosign, where it differs. */
    const files: Readonly<Record<string, readonly [content: string | Uint8Array, accepted: boolean, cosign?: boolean]>> = {
      PKIX: [text, true],
      'RSA in PKIX': [rsa.publicKey.export({ type: 'spki', format: 'pem' }), true],
      'RSA in PKCS#1': [rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }), true],
      CRLF: [text.replaceAll('\n', '\r\n'), true],
      'no newline at its end': [text.trimEnd(), true],
      'text around it': [`the key of ours\n\n${text}\nnothing else\n`, true],
      'a byte order mark': [`\uFEFF${text}`, true, false],
      'spaces before it': [`  ${text}`, true, false],
      'two keys, ours first': [text + other, true],
      'two keys, ours last': [other + text, true, false],
      'another key': [other, false],
      'a certificate': [pem(certificate), false],
      'the private key': [key.export({ type: 'pkcs8', format: 'pem' }), false],
      'the encrypted private key': [readFileSync(`${lab.folder}/ours.key`), false],
      DER: [key.export({ type: 'sec1', format: 'der' }), false],
      nothing: ['', false],
      'a torn block': [text.slice(0, 100), false],
      'broken base64': [text.replace(/[A-Za-z]{4}/, '!!!!'), false],
    };
    const found: string[] = [];
    for (const [what, [content, accepted, expected = accepted]] of Object.entries(files)) {
      lab.file('some.pub', content);
      const mine = await ours(subject, { 'some.pub': Buffer.from(content) });
      if ((mine === 'bundle') !== accepted) found.push(`${what}: we say ${mine}`);
      if ((await theirs(subject, 'some.pub')) !== expected) found.push(`${what}: cosign ${expected ? 'refuses' : 'accepts'}`);
      if (!accepted && what !== 'another key') assert.match(mine, /^TrustInvalid: read public key "some\.pub": /, what);
    }
    assert.deepEqual(found, []);
  });

  test('OB14: a trusted root of cosign trusted-root create', async () => {
    const now = new Date();
    const sigstore = new FakeSigstore(now);
    const chain = (name: string, certificates: readonly Buffer[]): string =>
      lab.file(name, certificates.map((der) => derPem('CERTIFICATE', der)).join(''));
    const file = (name: string, log: { keys: KeyPair }): string => lab.file(name, derPem('PUBLIC KEY', spki(log.keys.publicKey)));
    const start = `start-time=${new Date(now.getTime() - 24 * HOUR).toISOString()}`;
    const { rekor1, rekor2, certificateLog, timestamps: authority } = sigstore;
    const fulcio = chain('fulcio.pem', sigstore.authority.chain);
    const tsa = chain('tsa.pem', authority.chain);
    const flags = [
      `--fulcio=url=https://fulcio.test,certificate-chain=${fulcio}`,
      `--rekor=url=https://${rekor1.host},public-key=${file('rekor1.pub', rekor1)},${start}`,
      `--rekor=url=https://${rekor2.host},public-key=${file('rekor2.pub', rekor2)},${start},origin=${rekor2.host}`,
      `--ctfe=url=https://ct.test,public-key=${file('ct.pub', certificateLog)},${start}`,
      `--tsa=url=https://tsa.test,certificate-chain=${tsa}`,
    ];
    await cosign('trusted-root', 'create', ...flags, '--out', 'created.json');
    const root = readFileSync(`${lab.folder}/created.json`);
    const identity = { issuer: 'https://issuer.test', subject: 'https://github.com/org/app' };
    const time = new Date(now.getTime() - 60_000);
    const wanted: Wanted = { provider: 'cosign', files: undefined, identities: [{ issuer: '^https://issuer', subject: 'app$' }], root };
    const signatures: Readonly<Record<string, Partial<KeylessOptions>>> = {
      'rekor-v1': {},
      'rekor-v2': { logs: [rekor2], timestamps: [authority] },
    };
    for (const [name, change] of Object.entries(signatures)) {
      const subject = await push(lab.registry.host, `created-${name}`);
      await lab.attachBundle(subject, json(sigstore.bundle(subject.digest, { identity, time, ...change })));
      const who = ['--certificate-identity-regexp', 'app$', '--certificate-oidc-issuer-regexp', '^https://issuer'];
      const { ok, text } = await lab.cosign('verify', HTTP, '--trusted-root', 'created.json', ...who, reference(subject));
      assert.ok(ok, `${name}: ${text}`);
      const context = { client: lab.client, clock: systemClock, trust: {}, signal };
      const verdict = (await verifySignature(wanted, parseRepository(subject.repository), subject.digest, context)) as Verdict;
      assert.deepEqual(verdict.signer, { kind: 'oidc', ...identity });
    }
  });
});
