import {
  digested,
  formatReference,
  formatRepository,
  isRegistryError,
  RegistryError,
  tagged,
  type Descriptor,
  type ImageManifest,
  type Reference,
  type RegistryClient,
  type Repository,
} from '../../oci/index.ts';
import { digestAlgorithm, digestHex, errorMessage, type Digest } from '../../std/index.ts';
import {
  cosignMediaTypes,
  MAX_BUNDLE,
  MAX_ENVELOPE,
  MAX_PAYLOAD,
  notationMediaTypes,
  type CosignMaterial,
  type NotationMaterial,
  type Subject,
  type VerificationErrorCode,
} from '../../verify/index.ts';

/** A signature that could not be read: it is told, and hides no other. */
type Unread = { name: string; kind: 'unread'; code: VerificationErrorCode; found: string; wanted: string };

/** What the registry holds is broken or too large. Anything else says nothing about signatures: the registry could not be asked. */
const BROKEN = ['NotFound', 'LimitExceeded', 'ManifestInvalid', 'DigestMismatch', 'SizeMismatch'] as const;

/** What is about to be pulled, as the registry calls it: for {@link cosignMaterial} and {@link notationMaterial}. @throws RegistryError */
export async function signedSubject(client: RegistryClient, repository: Repository, digest: Digest, signal: AbortSignal): Promise<Subject> {
  const { mediaType, size } = await client.resolve(digested(repository, digest), signal);
  return { digest, mediaType, size, repository: formatRepository(repository) };
}

/**
 * The cosign signatures of a digest, each fetched when it is asked for: Sigstore bundles among the referrers, then the layers under the
 * old tag `sha256-….sig` (OB14). What is broken or over a bound comes as `unread`.
 * @throws RegistryError when the registry cannot be asked
 */
export async function* cosignMaterial(
  client: RegistryClient,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<CosignMaterial, void, void> {
  const isBundle = (type: string): boolean => type.startsWith(cosignMediaTypes.bundlePrefix);
  for await (const entry of referrers(client, repository, digest, isBundle, signal)) {
    if ('kind' in entry) yield entry;
    else
      yield await readable(entry.digest, async () => {
        const { layers } = await signatureManifest(client, digested(repository, entry.digest), signal);
        const layer = layers.find(({ mediaType }) => isBundle(mediaType));
        if (layer === undefined) return unread(entry.digest, 'SignatureInvalid', 'no layer that is a Sigstore bundle', 'one');
        return { name: entry.digest, kind: 'bundle', json: await client.readBlob(repository, layer, MAX_BUNDLE, signal) };
      });
  }
  yield* oldSignatures(client, repository, digest, signal);
}

async function* oldSignatures(
  client: RegistryClient,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<CosignMaterial, void, void> {
  const tag = `${digestAlgorithm(digest)}-${digestHex(digest)}.sig`;
  const found = await readable(tag, async () => {
    try {
      return await signatureManifest(client, tagged(repository, tag), signal);
    } catch (error) {
      if (isRegistryError(error, 'NotFound')) return undefined;
      throw error;
    }
  });
  if (found === undefined) return;
  if (found.kind === 'unread') return void (yield found);
  for (const layer of found.layers) {
    const { annotations = {}, mediaType } = layer;
    if (mediaType !== cosignMediaTypes.simpleSigning) {
      yield unread(tag, 'SignatureInvalid', `a layer of type ${JSON.stringify(mediaType)}`, JSON.stringify(cosignMediaTypes.simpleSigning));
      continue;
    }
    yield await readable(tag, async () => {
      const payload = await client.readBlob(repository, layer, MAX_PAYLOAD, signal);
      return { name: tag, kind: 'simple-signing', payload, annotations };
    });
  }
}

/**
 * The notation signatures of a digest among its referrers, each fetched when it is asked for (OB15). What is broken or over a bound comes
 * as `unread`.
 * @throws RegistryError when the registry cannot be asked
 */
export async function* notationMaterial(
  client: RegistryClient,
  repository: Repository,
  digest: Digest,
  signal: AbortSignal,
): AsyncGenerator<NotationMaterial, void, void> {
  const { jws, cose, signature } = notationMediaTypes;
  for await (const entry of referrers(client, repository, digest, (type) => type === signature, signal)) {
    if ('kind' in entry) yield entry;
    else
      yield await readable(entry.digest, async () => {
        const { layers } = await signatureManifest(client, digested(repository, entry.digest), signal);
        const [layer] = layers;
        const mediaType = [jws, cose].find((type) => type === layer?.mediaType);
        if (layer === undefined || layers.length > 1 || mediaType === undefined)
          return unread(entry.digest, 'SignatureInvalid', describeLayers(layers), `one layer, ${jws} or ${cose}`);
        return { name: entry.digest, mediaType, envelope: await client.readBlob(repository, layer, MAX_ENVELOPE, signal) };
      });
  }
}

/** Referrers of a type; a list that is broken or endless is one unread signature. */
async function* referrers(
  client: RegistryClient,
  repository: Repository,
  digest: Digest,
  isWanted: (artifactType: string) => boolean,
  signal: AbortSignal,
): AsyncGenerator<Descriptor | Unread, void, void> {
  const name = `referrers of ${digest}`;
  const found = await readable(name, async () => ({ list: await client.referrers(repository, digest, signal) }));
  if ('kind' in found) return void (yield found);
  for (const entry of found.list) if (isWanted(entry.artifactType ?? '')) yield entry;
}

async function signatureManifest(client: RegistryClient, reference: Reference, signal: AbortSignal): Promise<ImageManifest> {
  const { manifest } = await client.fetchManifest(reference, signal);
  if (manifest.kind === 'image') return manifest;
  throw new RegistryError({ code: 'ManifestInvalid', message: 'an index is no signature', subject: formatReference(reference) });
}

async function readable<T>(name: string, read: () => Promise<T>): Promise<T | Unread> {
  try {
    return await read();
  } catch (error) {
    if (!isRegistryError(error, ...BROKEN)) throw error;
    const code = error.code === 'LimitExceeded' ? 'LimitExceeded' : 'SignatureInvalid';
    return unread(name, code, `what cannot be read (${errorMessage(error)})`, 'a signature within bounds');
  }
}

function describeLayers(layers: readonly Descriptor[]): string {
  return layers.length === 1 ? `a layer of type ${JSON.stringify(layers[0]?.mediaType)}` : `${layers.length} layers`;
}

function unread(name: string, code: VerificationErrorCode, found: string, wanted: string): Unread {
  return { name, kind: 'unread', code, found, wanted };
}
