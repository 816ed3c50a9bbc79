import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createRegistryClient,
  isRegistryError,
  memoryStore,
  parseReference,
  parseRepository,
  pushArtifact,
  startRegistry,
  tagged,
  type Descriptor,
  type RegistryClient,
  type RunningRegistry,
} from '../../src/oci/index.ts';
import { systemClock } from '../../src/std/index.ts';
import { cosignMediaTypes, MAX_BUNDLE, MAX_PAYLOAD, type CosignMaterial, type Subject } from '../../src/verify/index.ts';

const signal = new AbortController().signal;
const EMPTY = Buffer.from('{}');
const BUNDLE = `${cosignMediaTypes.bundlePrefix}.v0.3+json`;

/** A registry with signed artifacts, and the real cosign beside our own verification. */
export class CosignLab {
  readonly registry: RunningRegistry;
  readonly client: RegistryClient;
  readonly folder: string;
  readonly #program: string;

  private constructor(registry: RunningRegistry, folder: string, program: string) {
    this.registry = registry;
    this.folder = folder;
    this.#program = program;
    this.client = createRegistryClient({ insecure: true, clock: systemClock, random: Math.random });
  }

  static async open(program: string): Promise<CosignLab> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-cosign-'));
    mkdirSync(join(folder, 'home'));
    return new CosignLab(await startRegistry({ store: memoryStore(), clock: systemClock }), folder, program);
  }

  async close(): Promise<void> {
    await this.registry.close();
    rmSync(this.folder, { recursive: true });
  }

  file(name: string, content: Uint8Array | string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Runs cosign; the answer is what it said and whether it was content. */
  async cosign(...args: readonly string[]): Promise<{ ok: boolean; text: string }> {
    return await this.cosignIn({}, ...args);
  }

  /** Runs cosign with more in its environment. */
  async cosignIn(environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<{ ok: boolean; text: string }> {
    const child = spawn(this.#program, args, {
      cwd: this.folder,
      env: {
        HOME: join(this.folder, 'home'),
        TUF_ROOT: join(this.folder, 'home', 'tuf'),
        COSIGN_PASSWORD: '',
        PATH: process.env['PATH'] ?? '',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const status = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
    return { ok: status === 0, text };
  }

  /** Pushes an artifact of its own; it becomes what is signed. */
  async push(name: string): Promise<Subject> {
    const repository = `${this.registry.host}/${name}`;
    const descriptor = await pushArtifact(this.client, parseReference(`${repository}:v1`), { layer: Buffer.from(name) }, signal);
    return { ...descriptor, repository };
  }

  async attachBundle(subject: Subject, bundle: Uint8Array): Promise<void> {
    const layer = await this.#pushBlob(subject, BUNDLE, bundle);
    const config = await this.#pushBlob(subject, 'application/vnd.oci.empty.v1+json', EMPTY);
    const { mediaType, digest, size } = subject;
    await this.#pushManifest(subject, undefined, { artifactType: BUNDLE, config, layers: [layer], subject: { mediaType, digest, size } });
  }

  async attachTag(subject: Subject, material: Extract<CosignMaterial, { kind: 'simple-signing' }>): Promise<void> {
    const layer = await this.#pushBlob(subject, cosignMediaTypes.simpleSigning, material.payload);
    const config = await this.#pushBlob(subject, 'application/vnd.oci.image.config.v1+json', EMPTY);
    const layers = [{ ...layer, annotations: material.annotations }];
    await this.#pushManifest(subject, `${subject.digest.replace(':', '-')}.sig`, { config, layers });
  }

  /** Everything cosign keeps about a subject. */
  async *material(subject: Subject): AsyncGenerator<CosignMaterial> {
    const repository = parseRepository(subject.repository);
    for (const { digest, artifactType } of await this.client.referrers(repository, subject.digest, signal)) {
      if (artifactType?.startsWith(cosignMediaTypes.bundlePrefix) !== true) continue;
      for (const layer of await this.#layers(`${subject.repository}@${digest}`))
        yield { name: digest, kind: 'bundle', json: await this.client.readBlob(repository, layer, MAX_BUNDLE, signal) };
    }
    for (const [suffix, kind] of [['sig', 'simple-signing'] as const, ['att', 'envelope'] as const]) {
      const name = `${subject.digest.replace(':', '-')}.${suffix}`;
      for (const layer of await this.#layers(`${subject.repository}:${name}`)) {
        const payload = await this.client.readBlob(repository, layer, MAX_PAYLOAD, signal);
        yield { name, kind, payload, annotations: layer.annotations ?? {} };
      }
    }
  }

  async #layers(reference: string): Promise<readonly Descriptor[]> {
    try {
      const { manifest } = await this.client.fetchManifest(parseReference(reference), signal);
      return manifest.kind === 'image' ? manifest.layers : [];
    } catch (error) {
      if (isRegistryError(error, 'NotFound')) return [];
      throw error;
    }
  }

  async #pushBlob(subject: Subject, mediaType: string, bytes: Uint8Array): Promise<Descriptor> {
    return await this.client.pushBlob(parseRepository(subject.repository), { mediaType, bytes }, signal);
  }

  async #pushManifest(subject: Subject, tag: string | undefined, parts: object): Promise<void> {
    const mediaType = 'application/vnd.oci.image.manifest.v1+json';
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...parts }));
    const repository = parseRepository(subject.repository);
    await this.client.pushManifest(tagged(repository, tag ?? 'bundle'), { mediaType, bytes }, signal);
  }
}
