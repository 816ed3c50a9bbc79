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

/** Where the signatures of a digest are, and how they are asked for. */
export type SignedPlace = {
  client: RegistryClient;
  repository: Repository;
  digest: Digest;
  signal: AbortSignal;
  /** Everything that refers to the digest, asked for once. */
  referrers: () => Promise<readonly Descriptor[]>;
};

/** What is about to be pulled, as the registry calls it: for {@link cosignMaterial} and {@link notationMaterial}. @throws RegistryError */
export async function signedSubject({ client, repository, digest, signal }: SignedPlace): Promise<Subject> {
  const { mediaType, size } = await client.resolve(digested(repository, digest), signal);
  return { digest, mediaType, size, repository: formatRepository(repository) };
}

/**
 * The cosign signatures of a digest, each fetched when it is asked for: Sigstore bundles among the referrers, then signatures in the old
 * format, which are referrers too (cosign's `--registry-referrers-mode oci-1-1`) or under the tag `sha256-….sig` (OB14). What is broken or
 * over a bound comes as `unread`.
 * @throws RegistryError when the registry cannot be asked
 */
export async function* cosignMaterial(place: SignedPlace): AsyncGenerator<CosignMaterial, void, void> {
  const { client, repository, signal } = place;
  const isBundle = (type: string): boolean => type.startsWith(cosignMediaTypes.bundlePrefix);
  for await (const entry of referrers(place, isBundle)) {
    if ('kind' in entry) yield entry;
    else
      yield await readable(entry.digest, async () => {
        const { layers } = await signatureManifest(client, digested(repository, entry.digest), signal);
        const layer = layers.find(({ mediaType }) => isBundle(mediaType));
        if (layer === undefined) return unread(entry.digest, 'SignatureInvalid', 'no layer that is a Sigstore bundle', 'one');
        return { name: entry.digest, kind: 'bundle', json: await client.readBlob(repository, layer, MAX_BUNDLE, signal) };
      });
  }
  const { simpleSigning, signatureArtifact } = cosignMediaTypes;
  for await (const entry of referrers(place, (type) => type === signatureArtifact)) {
    if ('kind' in entry) continue;
    const found = await readable(entry.digest, () => signatureManifest(client, digested(repository, entry.digest), signal));
    if (found.kind === 'unread') yield found;
    else yield* oldLayers(place, entry.digest, found, 'simple-signing', simpleSigning);
  }
  yield* oldMaterial(place, 'sig', 'simple-signing', simpleSigning);
}

/**
 * The attestations of a digest in the old format, each fetched when it is asked for: the layers under the tag `sha256-….att`.
 * @throws RegistryError when the registry cannot be asked
 */
export function oldAttestations(place: SignedPlace): AsyncGenerator<CosignMaterial, void, void> {
  return oldMaterial(place, 'att', 'envelope', cosignMediaTypes.envelope);
}

async function* oldMaterial(
  place: SignedPlace,
  suffix: 'sig' | 'att',
  kind: 'simple-signing' | 'envelope',
  wantedType: string,
): AsyncGenerator<CosignMaterial, void, void> {
  const { client, repository, digest, signal } = place;
  const tag = `${digestAlgorithm(digest)}-${digestHex(digest)}.${suffix}`;
  const found = await readable(tag, async () => {
    try {
      return await signatureManifest(client, tagged(repository, tag), signal);
    } catch (error) {
      if (isRegistryError(error, 'NotFound')) return undefined;
      throw error;
    }
  });
  if (found === undefined) return;
  if (found.kind === 'unread') yield found;
  else yield* oldLayers(place, tag, found, kind, wantedType);
}

async function* oldLayers(
  { client, repository, signal }: SignedPlace,
  name: string,
  { layers }: ImageManifest,
  kind: 'simple-signing' | 'envelope',
  wantedType: string,
): AsyncGenerator<CosignMaterial, void, void> {
  for (const layer of layers) {
    const { annotations = {}, mediaType } = layer;
    if (mediaType !== wantedType) {
      yield unread(name, 'SignatureInvalid', `a layer of type ${JSON.stringify(mediaType)}`, JSON.stringify(wantedType));
      continue;
    }
    yield await readable(name, async () => {
      const payload = await client.readBlob(repository, layer, MAX_PAYLOAD, signal);
      return { name, kind, payload, annotations };
    });
  }
}

/**
 * The notation signatures of a digest among its referrers, each fetched when it is asked for (OB15). What is broken or over a bound comes
 * as `unread`.
 * @throws RegistryError when the registry cannot be asked
 */
export async function* notationMaterial(place: SignedPlace): AsyncGenerator<NotationMaterial, void, void> {
  const { client, repository, signal } = place;
  const { jws, cose, signature } = notationMediaTypes;
  for await (const entry of referrers(place, (type) => type === signature)) {
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
  place: SignedPlace,
  isWanted: (artifactType: string) => boolean,
): AsyncGenerator<Descriptor | Unread, void, void> {
  const name = `referrers of ${place.digest}`;
  const found = await readable(name, async () => ({ list: await place.referrers() }));
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
