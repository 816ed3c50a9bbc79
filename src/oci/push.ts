import { type Digest, digestAlgorithm, digestOf, isDigest } from '../std/index.ts';
import type { Descriptor, ImageIndex } from './descriptor.ts';
import { isRegistryError, RegistryError } from './errors.ts';
import { header } from './http.ts';
import { referrersTag } from './lists.ts';
import { descriptorJson, parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';
import { fetchManifest } from './pull.ts';
import { digested, formatReference, formatRepository, type Reference, referenceKey, type Repository, tagged } from './reference.ts';
import type { Session } from './session.ts';

/**
 * Uploads a manifest by tag, or by digest when the reference has no tag. A manifest with a subject is entered in the referrers tag
 * when the registry does not say (`OCI-Subject`) that it keeps referrers itself.
 */
export async function pushManifest(
  session: Session,
  reference: Reference,
  manifest: { mediaType: string; bytes: Uint8Array },
  signal: AbortSignal,
): Promise<Descriptor> {
  const digest = digestOf(manifest.bytes, reference.digest === undefined ? 'sha256' : digestAlgorithm(reference.digest));
  const target = reference.tag === undefined ? digested(reference, digest) : tagged(reference, reference.tag);
  const name = formatReference(target);
  const what = `push manifest ${JSON.stringify(name)}`;
  if (reference.digest !== undefined && reference.digest !== digest) {
    throw new RegistryError({
      code: 'DigestMismatch',
      message: `${what}: digest mismatch: got ${digest}, want ${reference.digest}`,
      subject: name,
      retryable: false,
    });
  }
  const answer = await session.send(
    {
      method: 'PUT',
      repository: reference,
      path: `manifests/${referenceKey(target)}`,
      actions: 'pull,push',
      headers: { 'content-type': manifest.mediaType },
      body: { bytes: manifest.bytes },
      accept: [200, 201, 202],
      what,
      subject: name,
    },
    signal,
  );
  await answer.discard();
  const stated = header(answer.headers, 'docker-content-digest');
  if (stated !== undefined && isDigest(stated) && digestAlgorithm(stated) === digestAlgorithm(digest) && stated !== digest) {
    throw new RegistryError({
      code: 'DigestMismatch',
      message: `${what}: digest mismatch: the registry stored ${stated}, want ${digest}`,
      subject: name,
    });
  }
  const descriptor: Descriptor = { mediaType: manifest.mediaType, digest, size: manifest.bytes.length };
  if (header(answer.headers, 'oci-subject') === undefined)
    await enterReferrer(session, reference, descriptor, manifest.bytes, name, signal);
  return descriptor;
}

async function enterReferrer(
  session: Session,
  repository: Repository,
  descriptor: Descriptor,
  bytes: Uint8Array,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const manifest = parseManifest(bytes, descriptor.mediaType, name);
  if (manifest.subject === undefined) return;
  const entry: Descriptor = {
    ...descriptor,
    ...(Object.keys(manifest.annotations).length === 0 ? {} : { annotations: manifest.annotations }),
    artifactType: manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : ''),
  };
  const tag = referrersTag(manifest.subject.digest);
  const target = tagged(repository, tag);
  const known = await referrersIndex(session, target, signal);
  if (known.some((other) => other.digest === entry.digest)) return;
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...known, entry].map(descriptorJson) };
  await pushManifest(session, target, { mediaType: mediaTypes.ociIndex, bytes: Buffer.from(JSON.stringify(index)) }, signal);
}

async function referrersIndex(session: Session, reference: Reference, signal: AbortSignal): Promise<ImageIndex['manifests']> {
  try {
    const { manifest } = await fetchManifest(session, reference, formatReference(reference), signal);
    return manifest.kind === 'index' ? manifest.manifests : [];
  } catch (error) {
    if (isRegistryError(error, 'NotFound')) return [];
    throw error;
  }
}

/** Deletes a manifest or a tag (distribution-spec "content management"). */
export async function deleteManifest(session: Session, reference: Reference, signal: AbortSignal): Promise<void> {
  const name = formatReference(reference);
  await deletePath(session, reference, `manifests/${referenceKey(reference)}`, `delete manifest ${JSON.stringify(name)}`, name, signal);
}

/** Deletes a blob. */
export async function deleteBlob(session: Session, repository: Repository, digest: Digest, signal: AbortSignal): Promise<void> {
  await deletePath(
    session,
    repository,
    `blobs/${digest}`,
    `delete blob ${JSON.stringify(digest)} of ${JSON.stringify(formatRepository(repository))}`,
    digest,
    signal,
  );
}

async function deletePath(
  session: Session,
  repository: Repository,
  path: string,
  what: string,
  subject: string,
  signal: AbortSignal,
): Promise<void> {
  const answer = await session.send(
    { method: 'DELETE', repository, path, actions: 'pull,push,delete', accept: [200, 202], what, subject },
    signal,
  );
  await answer.discard();
}
