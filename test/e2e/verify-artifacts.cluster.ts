// Artifacts of other makers signed by the real programs, on a registry with the referrers API and on one without: charts that helm pushed,
// indexes, Flux's artifacts. Needs no Kubernetes, only the Go toolchain that builds the programs, and docker-registry.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { generateKeyPairSync } from 'node:crypto';
import { archiveTree, writeArchive } from '../../src/artifact/index.ts';
import { verifySignature, type Wanted } from '../../src/controllers/source/index.ts';
import { mediaTypes, parseReference, parseRepository, pushArtifact } from '../../src/oci/index.ts';
import { isCodedError, systemClock } from '../../src/std/index.ts';
import type { Subject, Verdict } from '../../src/verify/index.ts';
import { issue as issueAt, keyPair, pem, type CertificateSpec, type Issued } from '../../src/verify/notation/testing/authority.ts';
import { crl, ocspResponse } from '../../src/verify/notation/testing/responder.ts';
import { signEnvelope } from '../../src/verify/notation/testing/signer.ts';
import { tool } from '../tools/build.ts';
import { CosignLab } from './cosign-lab.ts';
import { startDockerRegistry, type Registry } from './harness.ts';
import { NotationLab } from './notation-lab.ts';

const [cosignProgram, notationProgram, helm] = [await tool('cosign'), await tool('notation'), await tool('helm')];
const { signal } = new AbortController();
const HOUR = 3_600_000;
const issue = (spec: CertificateSpec, issuer?: Issued): Issued =>
  issueAt({ notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + 24 * HOUR), ...spec }, issuer);

async function run(program: string, ...args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const status = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  assert.equal(status, 0, `${args.join(' ')}: ${text}`);
}

describe(
  'artifacts signed by the real programs',
  { skip: cosignProgram === undefined ? 'no Go toolchain' : false, timeout: 600_000 },
  () => {
    let cosign: CosignLab;
    let notation: NotationLab;
    let docker: Registry;
    let folder: string;
    let keys: Wanted;
    let trust: Wanted;
    const root = issue({ subject: 'C=RO,ST=B,O=Test,CN=root', key: keyPair('RSA 3072', 'artifacts root'), authority: true });
    const middle = issue({ subject: 'C=RO,ST=B,O=Test,CN=middle', key: keyPair('P-384', 'artifacts middle'), authority: true }, root);
    const signer = issue({ subject: 'C=RO,ST=B,O=Test,CN=signer', key: keyPair('P-521') }, middle);
    const selfSigned = issue({ subject: 'C=RO,ST=B,O=Test,CN=alone', key: keyPair('RSA 2048') });

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'sluice-signed-'));
      cosign = await CosignLab.open(cosignProgram ?? '');
      notation = await NotationLab.open(notationProgram ?? '');
      docker = await startDockerRegistry();
      cosign.file('key.pem', generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }));
      assert.ok((await cosign.cosign('import-key-pair', '-y', '--key', 'key.pem', '--output-key-prefix', 'key')).ok);
      keys = { provider: 'cosign', files: { 'key.pub': readFileSync(join(cosign.folder, 'key.pub')) }, identities: [], root: undefined };
      const statement = {
        name: 'all',
        registryScopes: ['*'],
        signatureVerification: { level: 'strict' },
        trustStores: ['ca:all'],
        trustedIdentities: ['x509.subject: C=RO, ST=B, O=Test, CN=signer', 'x509.subject: C=RO, ST=B, O=Test, CN=alone'],
      };
      const policy = Buffer.from(JSON.stringify({ version: '1.0', trustPolicies: [statement] }));
      trust = {
        provider: 'notation',
        files: { 'trustpolicy.json': policy, 'root.crt': pem(root), 'alone.pem': pem(selfSigned) },
        identities: [],
        root: undefined,
      };
    });
    after(async () => {
      await cosign.close();
      await notation.close();
      await docker.stop();
      rmSync(folder, { recursive: true });
    });

    async function pushed(reference: string): Promise<Subject> {
      const { registry, path, ...rest } = parseReference(reference);
      const found = await cosign.client.resolve({ registry, path, ...rest }, signal);
      return { mediaType: found.mediaType, digest: found.digest, size: found.size, repository: `${registry}/${path}` };
    }

    async function push(repository: string): Promise<Subject> {
      const layer = await writeArchive(archiveTree({ 'a.yaml': repository }), 'kept');
      return { ...(await pushArtifact(cosign.client, parseReference(`${repository}:v1`), { layer }, signal)), repository };
    }

    const makers: Readonly<Record<string, (host: string) => Promise<Subject>>> = {
      'a chart of helm push': async (host) => {
        const chart = join(folder, 'chart');
        mkdirSync(join(chart, 'templates'), { recursive: true });
        writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: app\nversion: 1.0.0\n');
        writeFileSync(join(chart, 'templates/map.yaml'), 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n');
        await run(helm ?? '', 'package', chart, '--destination', folder);
        await run(helm ?? '', 'push', join(folder, 'app-1.0.0.tgz'), `oci://${host}/charts`, '--plain-http');
        return pushed(`${host}/charts/app:1.0.0`);
      },
      'an artifact of ours': async (host) => {
        const layer = await writeArchive(archiveTree({ 'a.yaml': 'a: 1' }), 'kept');
        await pushArtifact(cosign.client, parseReference(`${host}/manifests:v1`), { layer }, signal);
        return pushed(`${host}/manifests:v1`);
      },
      'an index of two platforms': async (host) => {
        const images = ['amd64', 'arm64'].map(async (architecture) => {
          const reference = parseReference(`${host}/images:${architecture}`);
          const image = await pushArtifact(cosign.client, reference, { layer: Buffer.from(architecture) }, signal);
          return { mediaType: image.mediaType, digest: image.digest, size: image.size, platform: { os: 'linux', architecture } };
        });
        const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: await Promise.all(images) };
        const bytes = Buffer.from(JSON.stringify(index));
        await cosign.client.pushManifest(parseReference(`${host}/images:all`), { mediaType: mediaTypes.ociIndex, bytes }, signal);
        return pushed(`${host}/images:all`);
      },
    };

    const verify = async (wanted: Wanted, { repository, digest }: Subject): Promise<string> => {
      const context = { client: cosign.client, clock: systemClock, trust: {}, signal };
      try {
        return ((await verifySignature(wanted, parseRepository(repository), digest, context)) as Verdict).format;
      } catch (error) {
        if (isCodedError(error)) return error.code;
        throw error;
      }
    };

    for (const registry of ['own', 'docker'] as const) {
      for (const [maker, make] of Object.entries(makers)) {
        test(`OB14 OB15: ${maker} on ${registry === 'own' ? 'our registry' : 'docker-registry'}, by cosign and notation side by side`, async () => {
          const subject = await make(registry === 'own' ? cosign.registry.host : docker.host);
          assert.deepEqual([await verify(keys, subject), await verify(trust, subject)], ['SignatureMissing', 'SignatureMissing']);
          const flags = ['--key', 'key.key', '--allow-http-registry', '--use-signing-config=false', '--tlog-upload=false'];
          const reference = `${subject.repository}@${subject.digest}`;
          for (const [bundle, format] of [
            ['false', 'signature tag'],
            ['true', 'bundle'],
          ] as const) {
            const { ok, text } = await cosign.cosign('sign', '-y', ...flags, `--new-bundle-format=${bundle}`, reference);
            assert.ok(ok, text);
            assert.equal(await verify(keys, subject), format);
          }
          assert.equal(await verify(trust, subject), 'SignatureMissing', 'signatures of cosign are none of notation');
          // Each once through an intermediate and once self-signed, by the referrers API and by the fallback tag where the flag has a say.
          const api = registry === 'own' ? ['--force-referrers-tag=false'] : [];
          await notation.sign(subject, [selfSigned], 'jws', ...api);
          assert.equal(await verify(trust, subject), 'JWS');
          assert.equal(await verify(keys, subject), 'bundle', 'signatures of notation are none of cosign');
        });

        test(`OB15: ${maker} on ${registry === 'own' ? 'our registry' : 'docker-registry'}, by notation through an intermediate`, async () => {
          const subject = await make(`${registry === 'own' ? cosign.registry.host : docker.host}/again`);
          const metadata = ['--user-metadata', 'io.example.build=7', '--expiry', '1h'];
          await notation.sign(subject, [signer, middle, root], 'cose', ...metadata);
          assert.equal(await verify(trust, subject), 'COSE');
        });
      }
    }

    test('OB15: sluice verify asks about revocation through the proxy of the environment, and says what it learnt', async () => {
      const answers = new Map<string, Buffer>();
      const proxy = createServer((request, response) => {
        const answer = answers.get(request.url ?? '');
        response.writeHead(answer === undefined ? 404 : 200).end(answer);
      });
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      const environment = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
      writeFileSync(join(folder, 'trustpolicy.json'), trust.files?.['trustpolicy.json'] ?? '');
      writeFileSync(join(folder, 'root.crt'), pem(root));
      const times = { thisUpdate: new Date(Date.now() - HOUR), nextUpdate: new Date(Date.now() + HOUR) };
      type Certificate = Issued['certificate'];
      type Case = { places: Pick<CertificateSpec, 'ocsp' | 'crl'>; serve?: (one: Certificate) => Buffer; code: number; told: RegExp };
      const cases: Readonly<Record<string, Case>> = {
        good: {
          places: { ocsp: ['http://ocsp.test/good'] },
          serve: (one) => ocspResponse(one, root, times),
          code: 0,
          told: /signer: +certificate "CN=signer/,
        },
        revoked: {
          places: { ocsp: ['http://ocsp.test/revoked'] },
          serve: (one) => ocspResponse(one, root, { ...times, status: 'revoked' }),
          code: 1,
          told: /found certificate "CN=signer,O=Test,ST=B,C=RO" is revoked, want certificates that are not/,
        },
        listed: {
          places: { crl: ['http://crl.test/list'] },
          serve: (one) => crl(root, { ...times, entries: [{ certificate: one, time: times.thisUpdate }] }),
          code: 1,
          told: /is revoked/,
        },
        unreachable: { places: { crl: ['http://crl.test/none'] }, code: 1, told: /is unknown: .*status 404, want an answer/ },
        here: { places: { crl: ['http://127.0.0.1:1/'] }, code: 1, told: /is unknown: .*an address of this host/ },
      };
      try {
        for (const [what, { places, serve, code, told }] of Object.entries(cases)) {
          const subject = await push(`${cosign.registry.host}/revocation/${what}`);
          const named = issue({ subject: 'C=RO,ST=B,O=Test,CN=signer', key: keyPair('P-256', what), ...places }, root);
          for (const url of [...(places.ocsp ?? []), ...(places.crl ?? [])])
            if (serve !== undefined) answers.set(url, serve(named.certificate));
          // The real notation asks before it signs, without a proxy: ours signs in its place.
          await notation.push(subject, signEnvelope('COSE', { subject, chain: [named, root], signingTime: times.thisUpdate }));
          const flags = ['--provider', 'notation', '--trust-policy', join(folder, 'trustpolicy.json'), '--cert', join(folder, 'root.crt')];
          const main = join(import.meta.dirname, '../../src/cli/main.ts');
          const child = spawn(process.execPath, [main, 'verify', `oci://${subject.repository}@${subject.digest}`, ...flags], {
            env: { PATH: process.env['PATH'] ?? '', HOME: folder, DOCKER_CONFIG: folder, ...environment },
          });
          let text = '';
          for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
          const status = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
          assert.equal(status, code, `${what}: ${text}`);
          assert.match(text, told, what);
        }
      } finally {
        proxy.close();
        proxy.closeAllConnections();
      }
    });
  },
);
