import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRegistryClient,
  mediaTypes,
  memoryStore,
  parseReference,
  parseRepository,
  startRegistry,
  type RegistryClient,
  type RunningRegistry,
} from '../../src/oci/index.ts';
import { systemClock } from '../../src/std/index.ts';
import { pem, type Issued } from '../../src/verify/notation/testing/authority.ts';
import {
  namedTrustStores,
  notationMediaTypes,
  parseTrustPolicy,
  type SignatureEnvelope,
  type RevocationSource,
  type Subject,
  type TrustPolicy,
  type TrustStores,
} from '../../src/verify/index.ts';

const signal = new AbortController().signal;

/** A trust policy and its stores, as files of the real notation and as ours. */
export type Setting = { name: string; folder: string; policy: TrustPolicy; stores: TrustStores };

export type SettingSpec = {
  verification: object;
  stores?: readonly string[];
  identities?: readonly string[];
  /** Certificates by store (`ca:test`). */
  trusted?: Readonly<Record<string, readonly Issued[]>>;
};

/** A registry, servers of revocation and time, and the real notation beside our own verification. */
export class NotationLab {
  readonly registry: RunningRegistry;
  readonly client: RegistryClient;
  /** What the side server answers, by path. */
  readonly answers: Map<string, (query: Buffer) => Buffer> = new Map();
  readonly #folder: string;
  readonly #program: string;
  readonly #side: Server;

  private constructor(parts: { registry: RunningRegistry; folder: string; program: string; side: Server }) {
    this.registry = parts.registry;
    this.#folder = parts.folder;
    this.#program = parts.program;
    this.#side = parts.side;
    this.client = createRegistryClient({ insecure: true, clock: systemClock, random: Math.random });
  }

  static async open(program: string): Promise<NotationLab> {
    const registry = await startRegistry({ store: memoryStore(), clock: systemClock });
    const side = createServer();
    await new Promise<void>((resolve) => side.listen(0, '127.0.0.1', resolve));
    const lab = new NotationLab({ registry, folder: mkdtempSync(join(tmpdir(), 'sluice-notation-')), program, side });
    side.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = request.url ?? '/';
        const [, path = '', ...query] = url.split('/');
        const answer = lab.answers.get(path);
        // OCSP by GET has the request in the path, in base64.
        const question =
          request.method === 'GET' && query.length > 0 ? Buffer.from(decodeURIComponent(query.join('/')), 'base64') : Buffer.concat(chunks);
        response.writeHead(answer === undefined ? 404 : 200, path === 'tsa' ? { 'content-type': 'application/timestamp-reply' } : {});
        response.end(answer?.(question));
      });
    });
    return lab;
  }

  /** URL of a path of the side server. */
  url(path: string): string {
    return `http://127.0.0.1:${(this.#side.address() as AddressInfo).port}/${path}`;
  }

  async close(): Promise<void> {
    await this.registry.close();
    this.#side.closeAllConnections();
    await new Promise((resolve) => this.#side.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Makes a configuration folder of notation. */
  setting(name: string, spec: SettingSpec): Setting {
    const folder = join(this.#folder, name.replaceAll(/[^a-z0-9]+/gi, '-'));
    const { verification, stores = ['ca:test'], identities = ['*'], trusted = {} } = spec;
    const skip = 'level' in verification && verification.level === 'skip';
    const document = JSON.stringify({
      version: '1.0',
      trustPolicies: [
        {
          name,
          registryScopes: ['*'],
          signatureVerification: verification,
          ...(skip ? {} : { trustStores: stores, trustedIdentities: identities }),
        },
      ],
    });
    const files: Record<string, Record<string, Uint8Array>> = {};
    for (const [store, certificates] of Object.entries(trusted)) {
      const [type = '', label = ''] = store.split(':');
      const place = join(folder, 'notation/truststore/x509', type, label);
      mkdirSync(place, { recursive: true });
      files[store] = Object.fromEntries(certificates.map((one, index) => [`${index}.crt`, pem(one)]));
      for (const [file, bytes] of Object.entries(files[store])) writeFileSync(join(place, file), bytes);
    }
    mkdirSync(join(folder, 'notation'), { recursive: true });
    writeFileSync(join(folder, 'notation/trustpolicy.json'), document, { mode: 0o600 });
    return { name, folder, policy: parseTrustPolicy(document), stores: namedTrustStores(files) };
  }

  /** Runs notation with a configuration folder. */
  async notation(folder: string, ...args: readonly string[]): Promise<{ code: number | null; output: string }> {
    const child = spawn(this.#program, args, {
      env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: join(folder, 'cache') },
    });
    const chunks: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
    return { code, output: Buffer.concat(chunks).toString() };
  }

  /** Signs with the real notation. */
  async sign(
    subject: Subject,
    [signer, ...others]: readonly [Issued, ...Issued[]],
    format: 'jws' | 'cose',
    ...more: readonly string[]
  ): Promise<void> {
    const folder = mkdtempSync(join(this.#folder, 'key-'));
    mkdirSync(join(folder, 'notation'));
    const [keyPath, certPath] = [join(folder, 'key.pem'), join(folder, 'chain.pem')];
    writeFileSync(keyPath, signer.key.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    writeFileSync(certPath, Buffer.concat([signer, ...others].map(pem)));
    writeFileSync(
      join(folder, 'notation/signingkeys.json'),
      JSON.stringify({ default: 'key', keys: [{ name: 'key', keyPath, certPath }] }),
    );
    const args = [
      'sign',
      '--insecure-registry',
      '--key',
      'key',
      '--signature-format',
      format,
      ...more,
      `${subject.repository}@${subject.digest}`,
    ];
    const { code, output } = await this.notation(folder, ...args);
    if (code !== 0) throw new Error(`notation ${args.join(' ')}: ${output}`);
  }

  /** Pushes an artifact into a repository of its own. */
  async artifact(name: string): Promise<Subject> {
    const repository = `${this.registry.host}/${name}`;
    const config = await this.#blob(repository, mediaTypes.ociEmpty, Buffer.from('{}'));
    const manifest = Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [config], annotations: { name } }),
    );
    const pushed = await this.client.pushManifest(
      parseReference(`${repository}:v1`),
      { mediaType: mediaTypes.ociManifest, bytes: manifest },
      signal,
    );
    return { repository, digest: pushed.digest, mediaType: pushed.mediaType, size: pushed.size };
  }

  async #blob(repository: string, mediaType: string, bytes: Uint8Array): Promise<object> {
    return await this.client.pushBlob(parseRepository(repository), { mediaType, bytes }, signal);
  }

  /** Pushes a signature as notation does (signature-specification.md, OCI Signatures). */
  async push({ repository, digest, mediaType, size }: Subject, material: SignatureEnvelope): Promise<void> {
    const config = await this.#blob(repository, mediaTypes.ociEmpty, Buffer.from('{}'));
    const layer = await this.#blob(repository, material.mediaType, material.envelope);
    const manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: notationMediaTypes.signature,
      config,
      layers: [layer],
      subject: { mediaType, digest, size },
      annotations: { 'io.cncf.notary.x509chain.thumbprint#S256': '[]', 'org.opencontainers.image.created': new Date().toISOString() },
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const { digest: name } = await this.client.pushManifest(
      parseReference(`${repository}:signature-${material.mediaType.replaceAll(/[^a-z]/g, '-')}`),
      { mediaType: mediaTypes.ociManifest, bytes },
      signal,
    );
    if (name === undefined) throw new Error('not pushed');
  }

  /** The signatures of an artifact, as the registry has them. */
  async signatures({ repository, digest }: Subject): Promise<readonly SignatureEnvelope[]> {
    const place = parseRepository(repository);
    const referrers = await this.client.referrers(place, digest, signal, notationMediaTypes.signature);
    return await Promise.all(
      referrers.map(async (referrer) => {
        const { manifest } = await this.client.fetchManifest(parseReference(`${repository}@${referrer.digest}`), signal);
        const layer = manifest.kind === 'image' ? manifest.layers[0] : undefined;
        if (layer === undefined) throw new Error('a signature without layer');
        const mediaType = layer.mediaType as SignatureEnvelope['mediaType'];
        return { name: referrer.digest, mediaType, envelope: await this.client.readBlob(place, layer, 1_000_000, signal) };
      }),
    );
  }
}

/** Asks responders and lists over HTTP. */
export const httpRevocation: RevocationSource = {
  ocsp: async (url, request) =>
    await readBody(
      await fetch(url, { method: 'POST', body: new Uint8Array(request), headers: { 'content-type': 'application/ocsp-request' } }),
    ),
  crl: async (url) => await readBody(await fetch(url)),
};

async function readBody(response: Response): Promise<Uint8Array> {
  if (!response.ok) throw new Error(`status ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}
