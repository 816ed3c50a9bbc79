import { type Digest, digestAlgorithm, digestHex, digestOf, isDigest } from '../../std/index.ts';
import type { Descriptor, Manifest } from '../descriptor.ts';
import { parseManifest } from '../manifest.ts';
import { isTag } from '../reference.ts';
import type { RegistryStore } from './store.ts';

/** A stored manifest. */
export type StoredManifest = { digest: Digest; mediaType: string; bytes: Uint8Array };

/** What refused a manifest. */
export type Refusal = { code: 'MANIFEST_INVALID' | 'MANIFEST_BLOB_UNKNOWN' | 'DIGEST_INVALID'; message: string };

/**
 * A registry's content on top of a store. Content is kept once by digest; a repository has links to it:
 * `blobs/<alg>/<hex>`, `repositories/<name>/_blobs/…`, `_manifests/…` (media type), `_tags/<tag>` (digest), `_referrers/<subject>/…`.
 */
export class RegistryContent {
  readonly #store: RegistryStore;

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  /** Size of a blob the repository has; undefined when it has not. */
  async blobSize(repository: string, digest: Digest): Promise<number | undefined> {
    if ((await this.#store.size(link(repository, '_blobs', digest))) === undefined) return undefined;
    return this.#store.size(contentKey(digest));
  }

  readBlob(digest: Digest, start: number, end: number): AsyncIterable<Uint8Array> {
    return this.#store.read(contentKey(digest), start, end);
  }

  /** Gives `repository` a blob another repository has; false when that one has not. */
  async mountBlob(repository: string, from: string, digest: Digest): Promise<boolean> {
    if ((await this.blobSize(from, digest)) === undefined) return false;
    await this.#store.put(link(repository, '_blobs', digest), EMPTY);
    return true;
  }

  /** Makes a finished upload a blob of the repository; the caller has checked its digest. */
  async addUpload(repository: string, upload: string, digest: Digest): Promise<void> {
    if ((await this.#store.size(contentKey(digest))) === undefined) await this.#store.move(upload, contentKey(digest));
    else await this.#store.delete(upload);
    await this.#store.put(link(repository, '_blobs', digest), EMPTY);
  }

  deleteBlob(repository: string, digest: Digest): Promise<boolean> {
    return this.#store.delete(link(repository, '_blobs', digest));
  }

  async manifest(repository: string, reference: string): Promise<StoredManifest | undefined> {
    const digest = isDigest(reference) ? reference : await this.#tagged(repository, reference);
    if (digest === undefined) return undefined;
    const mediaType = await this.#text(link(repository, '_manifests', digest));
    const bytes = mediaType === undefined ? undefined : await this.#store.get(contentKey(digest));
    return mediaType === undefined || bytes === undefined ? undefined : { digest, mediaType, bytes };
  }

  async #tagged(repository: string, tag: string): Promise<Digest | undefined> {
    const text = await this.#text(`repositories/${repository}/_tags/${tag}`);
    return text !== undefined && isDigest(text) ? text : undefined;
  }

  async #text(key: string): Promise<string | undefined> {
    const bytes = await this.#store.get(key);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  }

  /** Stores a manifest under a tag or its digest. Content first, then what makes it reachable, the tag last. */
  async putManifest(
    repository: string,
    reference: string,
    mediaType: string,
    bytes: Uint8Array,
  ): Promise<{ stored: StoredManifest; subject?: Digest } | { refused: Refusal }> {
    const digest = digestOf(bytes, isDigest(reference) ? digestAlgorithm(reference) : 'sha256');
    if (isDigest(reference) && reference !== digest)
      return refuse('DIGEST_INVALID', `provided digest ${reference} does not match content ${digest}`);
    if (!isDigest(reference) && !isTag(reference)) return refuse('MANIFEST_INVALID', `${JSON.stringify(reference)} is not a tag`);
    let manifest: Manifest;
    try {
      manifest = parseManifest(bytes, mediaType, `${repository}:${reference}`);
    } catch (error) {
      return refuse('MANIFEST_INVALID', error instanceof Error ? error.message : String(error));
    }
    const missing = await this.#missing(repository, manifest);
    if (missing !== undefined) return refuse('MANIFEST_BLOB_UNKNOWN', `blob unknown to registry: ${missing}`);
    await this.#store.put(contentKey(digest), bytes);
    await this.#store.put(link(repository, '_manifests', digest), Buffer.from(mediaType));
    if (manifest.subject !== undefined) await this.#store.put(referrerKey(repository, manifest.subject.digest, digest), EMPTY);
    if (!isDigest(reference)) await this.#store.put(`repositories/${repository}/_tags/${reference}`, Buffer.from(digest));
    return { stored: { digest, mediaType, bytes }, ...(manifest.subject === undefined ? {} : { subject: manifest.subject.digest }) };
  }

  async #missing(repository: string, manifest: Manifest): Promise<Digest | undefined> {
    if (manifest.kind === 'index') {
      for (const entry of manifest.manifests)
        if ((await this.#store.size(link(repository, '_manifests', entry.digest))) === undefined) return entry.digest;
      return undefined;
    }
    for (const entry of [manifest.config, ...manifest.layers]) {
      if ((entry.urls ?? []).length > 0) continue;
      if ((await this.blobSize(repository, entry.digest)) === undefined) return entry.digest;
    }
    return undefined;
  }

  /** Deletes a tag, or a manifest with the tags that point to it. False when there is no such thing. */
  async deleteManifest(repository: string, reference: string): Promise<boolean> {
    if (!isDigest(reference)) return this.#store.delete(`repositories/${repository}/_tags/${reference}`);
    const stored = await this.manifest(repository, reference);
    if (stored === undefined) return false;
    for (const tag of await this.tags(repository)) {
      if ((await this.#tagged(repository, tag)) === reference) await this.#store.delete(`repositories/${repository}/_tags/${tag}`);
    }
    const { subject } = parseManifest(stored.bytes, stored.mediaType, reference);
    if (subject !== undefined) await this.#store.delete(referrerKey(repository, subject.digest, reference));
    return this.#store.delete(link(repository, '_manifests', reference));
  }

  /** Tags in byte order. */
  tags(repository: string): Promise<readonly string[]> {
    return this.#store.list(`repositories/${repository}/_tags`);
  }

  async hasRepository(repository: string): Promise<boolean> {
    return (await this.#store.list(`repositories/${repository}`)).some((name) => name.startsWith('_'));
  }

  /** Descriptors of the manifests whose subject is `digest`. */
  async referrers(repository: string, digest: Digest): Promise<Descriptor[]> {
    const found: Descriptor[] = [];
    for (const name of await this.#store.list(`repositories/${repository}/_referrers/${flat(digest)}`)) {
      const stored = await this.manifest(repository, name.replace('-', ':'));
      if (stored === undefined) continue;
      const manifest = parseManifest(stored.bytes, stored.mediaType, name);
      const artifactType = manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined);
      found.push({
        mediaType: stored.mediaType,
        digest: stored.digest,
        size: stored.bytes.length,
        ...(Object.keys(manifest.annotations).length === 0 ? {} : { annotations: manifest.annotations }),
        ...(artifactType === undefined ? {} : { artifactType }),
      });
    }
    return found;
  }

  /** Names of all repositories that have content, in byte order; at most `limit`. */
  async repositories(limit: number): Promise<string[]> {
    const found: string[] = [];
    const visit = async (prefix: string): Promise<void> => {
      const names = await this.#store.list(prefix === '' ? 'repositories' : `repositories/${prefix}`);
      if (prefix !== '' && names.some((name) => name.startsWith('_'))) found.push(prefix);
      for (const name of names) if (!name.startsWith('_') && found.length < limit) await visit(prefix === '' ? name : `${prefix}/${name}`);
    };
    await visit('');
    return found;
  }

  get store(): RegistryStore {
    return this.#store;
  }
}

const EMPTY = new Uint8Array();

function refuse(code: Refusal['code'], message: string): { refused: Refusal } {
  return { refused: { code, message } };
}

function contentKey(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

function link(repository: string, kind: '_blobs' | '_manifests', digest: Digest): string {
  return `repositories/${repository}/${kind}/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

function flat(digest: Digest): string {
  return digest.replace(':', '-');
}

function referrerKey(repository: string, subject: Digest, digest: Digest): string {
  return `repositories/${repository}/_referrers/${flat(subject)}/${flat(digest)}`;
}
