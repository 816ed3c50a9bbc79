import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestAlgorithm, digestHex, digestOf } from '../std/index.ts';
import type { RegistryClient } from './client-types.ts';
import type { Descriptor, FetchedManifest, ImageIndex } from './descriptor.ts';
import { RegistryError } from './errors.ts';
import { descriptorJson, parseManifest } from './manifest.ts';
import { annotationKeys, mediaTypes } from './media-types.ts';
import { digested, isTag, type Reference, type Repository, tagged } from './reference.ts';

/** An OCI image layout on disk (image-spec image-layout.md): `oci-layout`, `index.json`, `blobs/<algorithm>/<hex>`. */
export type ImageLayout = { directory: string; index: ImageIndex };

/** Largest `index.json` and manifest read, bytes. */
const MAX_INDEX = 16 * 1024 * 1024;
const MAX_MANIFEST = 4 * 1024 * 1024;
/** Depth of indexes in indexes. */
const MAX_DEPTH = 8;

function invalid(directory: string, cause: string, error?: unknown): RegistryError {
  return new RegistryError({
    code: 'ManifestInvalid',
    message: `read image layout ${JSON.stringify(directory)}: ${cause}`,
    subject: directory,
    cause: error,
    retryable: false,
  });
}

/**
 * Opens an image layout.
 * @throws RegistryError `ManifestInvalid`, or `NotFound` when there is none
 */
export async function readLayout(directory: string): Promise<ImageLayout> {
  const marker = await readText(directory, 'oci-layout', 1024);
  if (marker === undefined)
    throw new RegistryError({
      code: 'NotFound',
      message: `read image layout ${JSON.stringify(directory)}: no file "oci-layout"`,
      subject: directory,
      retryable: false,
    });
  if (!/"imageLayoutVersion"\s*:\s*"1\.0\.0"/.test(marker)) throw invalid(directory, 'imageLayoutVersion is not "1.0.0"');
  const text = await readText(directory, 'index.json', MAX_INDEX);
  if (text === undefined) throw invalid(directory, 'no file "index.json"');
  const index = parseManifest(Buffer.from(text), mediaTypes.ociIndex, join(directory, 'index.json'));
  if (index.kind !== 'index') throw invalid(directory, 'index.json is not an index');
  return { directory, index };
}

async function readText(directory: string, name: string, limit: number): Promise<string | undefined> {
  try {
    const path = join(directory, name);
    if ((await stat(path)).size > limit) throw invalid(directory, `${name} is larger than ${limit} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where a layout keeps a blob. */
export function layoutBlobPath(layout: ImageLayout, digest: Digest): string {
  return join(layout.directory, 'blobs', digestAlgorithm(digest), digestHex(digest));
}

/** Reads a manifest of a layout, checked against its descriptor. */
export async function readLayoutManifest(layout: ImageLayout, descriptor: Descriptor): Promise<FetchedManifest> {
  if (descriptor.size > MAX_MANIFEST) throw invalid(layout.directory, `manifest ${descriptor.digest} is larger than ${MAX_MANIFEST} bytes`);
  const bytes = await readFile(layoutBlobPath(layout, descriptor.digest)).catch((error: unknown) => {
    throw invalid(layout.directory, `blob ${descriptor.digest} is missing`, error);
  });
  const digest = digestOf(bytes, digestAlgorithm(descriptor.digest));
  if (digest !== descriptor.digest) {
    throw new RegistryError({
      code: 'DigestMismatch',
      message: `read image layout ${JSON.stringify(layout.directory)}: digest mismatch: got ${digest}, want ${descriptor.digest}`,
      subject: descriptor.digest,
      retryable: false,
    });
  }
  return {
    descriptor: { ...descriptor, size: bytes.length },
    bytes,
    manifest: parseManifest(bytes, descriptor.mediaType, descriptor.digest),
  };
}

/** The tag an entry of a layout's index stands for; undefined when it has none or a full reference. */
export function layoutTag(entry: Descriptor): string | undefined {
  const name = entry.annotations?.[annotationKeys.refName];
  return name !== undefined && isTag(name) ? name : undefined;
}

/**
 * Pushes everything a layout holds to a repository, bytes unchanged: what others refer to first, subjects before their referrers.
 * @returns tag → digest of what was tagged
 */
export async function pushLayout(
  layout: ImageLayout,
  client: RegistryClient,
  repository: Repository,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Digest>> {
  const done = new Set<Digest>();
  const fetched = await Promise.all(layout.index.manifests.map((entry) => readLayoutManifest(layout, entry)));
  const bySubjectLast = fetched.toSorted((a, b) => Number(a.manifest.subject !== undefined) - Number(b.manifest.subject !== undefined));
  for (const entry of bySubjectLast) await pushTree(layout, client, repository, entry, done, 0, signal);
  const tags = new Map<string, Digest>();
  for (const entry of layout.index.manifests) {
    const tag = layoutTag(entry);
    if (tag === undefined) continue;
    const { bytes } = await readLayoutManifest(layout, entry);
    await client.pushManifest(tagged(repository, tag), { mediaType: entry.mediaType, bytes }, signal);
    tags.set(tag, entry.digest);
  }
  return tags;
}

async function pushTree(
  layout: ImageLayout,
  client: RegistryClient,
  repository: Repository,
  entry: FetchedManifest,
  done: Set<Digest>,
  depth: number,
  signal: AbortSignal,
): Promise<void> {
  const { manifest, descriptor, bytes } = entry;
  if (done.has(descriptor.digest)) return;
  done.add(descriptor.digest);
  if (depth > MAX_DEPTH) throw invalid(layout.directory, `indexes nested deeper than ${MAX_DEPTH}`);
  if (manifest.kind === 'index') {
    for (const child of manifest.manifests)
      await pushTree(layout, client, repository, await readLayoutManifest(layout, child), done, depth + 1, signal);
  } else {
    for (const blob of [manifest.config, ...manifest.layers]) {
      const path = layoutBlobPath(layout, blob.digest);
      await client.pushBlob(
        repository,
        { mediaType: blob.mediaType, digest: blob.digest, size: blob.size, open: () => readFileStream(path) },
        signal,
      );
    }
  }
  await client.pushManifest(digested(repository, descriptor.digest), { mediaType: descriptor.mediaType, bytes }, signal);
}

async function* readFileStream(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(262_144));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/**
 * Copies what a reference points to (with `withReferrers`, also the manifests that refer to it) into a layout, creating or extending it.
 * `index.json` is replaced last, so that a broken-off copy leaves the old layout valid.
 */
export async function pullLayout(
  client: RegistryClient,
  reference: Reference,
  directory: string,
  signal: AbortSignal,
  withReferrers = false,
): Promise<Descriptor> {
  await mkdir(join(directory, 'blobs'), { recursive: true });
  const layout: ImageLayout = (await readLayoutIfAny(directory)) ?? {
    directory,
    index: { kind: 'index', mediaType: mediaTypes.ociIndex, manifests: [], annotations: {} },
  };
  const top = await client.fetchManifest(reference, signal);
  await pullTree(client, reference, top, layout, 0, signal);
  const entries: Descriptor[] = [withTag(top.descriptor, reference.digest === undefined ? (reference.tag ?? 'latest') : reference.tag)];
  if (withReferrers) {
    for (const referrer of await client.referrers(reference, top.descriptor.digest, signal)) {
      const fetched = await client.fetchManifest(digested(reference, referrer.digest), signal);
      await pullTree(client, reference, fetched, layout, 0, signal);
      entries.push(referrer);
    }
  }
  const kept = layout.index.manifests.filter(
    (old) => !entries.some((entry) => entry.digest === old.digest && layoutTag(entry) === layoutTag(old)) && !retagged(old, entries),
  );
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...kept, ...entries].map(descriptorJson) };
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  await replaceFile(join(directory, 'index.json'), Buffer.from(JSON.stringify(index)));
  return top.descriptor;
}

function withTag(descriptor: Descriptor, tag: string | undefined): Descriptor {
  return tag === undefined ? descriptor : { ...descriptor, annotations: { ...descriptor.annotations, [annotationKeys.refName]: tag } };
}

function retagged(old: Descriptor, entries: readonly Descriptor[]): boolean {
  const tag = layoutTag(old);
  return tag !== undefined && entries.some((entry) => layoutTag(entry) === tag);
}

async function readLayoutIfAny(directory: string): Promise<ImageLayout | undefined> {
  const marker = await readText(directory, 'oci-layout', 1024);
  return marker === undefined ? undefined : readLayout(directory);
}

async function pullTree(
  client: RegistryClient,
  repository: Repository,
  entry: FetchedManifest,
  layout: ImageLayout,
  depth: number,
  signal: AbortSignal,
): Promise<void> {
  if (depth > MAX_DEPTH) throw invalid(layout.directory, `indexes nested deeper than ${MAX_DEPTH}`);
  const { manifest } = entry;
  if (manifest.kind === 'index') {
    for (const child of manifest.manifests)
      await pullTree(client, repository, await client.fetchManifest(digested(repository, child.digest), signal), layout, depth + 1, signal);
  } else {
    for (const blob of [manifest.config, ...manifest.layers]) await pullBlob(client, repository, blob, layout, signal);
  }
  await replaceFile(layoutBlobPath(layout, entry.descriptor.digest), entry.bytes);
}

async function pullBlob(
  client: RegistryClient,
  repository: Repository,
  blob: Descriptor,
  layout: ImageLayout,
  signal: AbortSignal,
): Promise<void> {
  const path = layoutBlobPath(layout, blob.digest);
  const present = await stat(path).catch(() => undefined);
  if (present?.size === blob.size) return;
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx');
  try {
    for await (const chunk of client.fetchBlob(repository, blob, signal)) await file.write(chunk);
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(temporary, bytes);
  await rename(temporary, path);
}
