import type { OCIRepository } from '../../api/index.ts';
import { formatReference, type Descriptor, type ImageManifest, type Reference, type RegistryClient } from '../../oci/index.ts';
import { Lru, type Digest } from '../../std/index.ts';
import { selectLayer, type ArtifactStore, type StoredArchive } from '../../artifact/index.ts';
import { SourceFailure, step, type TimeLimit } from './failure.ts';

/** What was fetched: the archive, and the annotations of the manifest it came from (OB17). */
export type Fetched = { archive: StoredArchive; annotations: Record<string, string> };

/** Manifests remembered; small, and named by their digest, so they never change. */
const MANIFESTS = 2000;

/** Manifests by who asks and digest: objects that share an artifact fetch its manifest once. */
export class Manifests {
  readonly #known = new Lru<string, ImageManifest>(MANIFESTS);

  /** @throws RegistryError */
  async fetch(access: string, client: RegistryClient, reference: Reference, signal: AbortSignal): Promise<ImageManifest> {
    const key = `${access}\n${formatReference(reference)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { manifest } = await client.fetchImage(reference, signal);
    this.#known.set(key, manifest);
    return manifest;
  }
}

/** Pulls the artifact a digest names, takes the selected layer and publishes it (OB17–OB23). @throws SourceFailure */
export async function fetchArtifact(
  object: OCIRepository,
  repository: { registry: string; path: string },
  { digest, access }: { digest: Digest; access: string },
  client: RegistryClient,
  manifests: Manifests,
  store: ArtifactStore,
  limit: TimeLimit,
): Promise<Fetched> {
  const { signal } = limit;
  const reference: Reference = { ...repository, digest };
  const pulling = `failed to pull artifact from '${object.spec.url}'`;
  const manifest = await step('OCIArtifactPullFailed', pulling, () => manifests.fetch(access, client, reference, signal), limit);
  const layer = wantedLayer(object, manifest, formatReference(reference));
  const { namespace, name } = object.metadata;
  const operation = object.spec.layerSelector?.operation ?? 'extract';
  const doing = operation === 'copy' ? 'failed to copy layer from artifact' : 'failed to extract layer contents from artifact';
  const request = {
    publisher: { kind: 'ocirepository', namespace, name },
    revision: digest,
    layer: layer.digest,
    operation,
    ignore: object.spec.ignore,
    open: () => client.fetchBlob(repository, layer, signal),
  };
  const archive = await step('OCIArtifactLayerOperationFailed', doing, () => store.publish(request, signal), limit);
  return { archive, annotations: { ...manifest.annotations } };
}

/** The layer `spec.layerSelector` asks for (OB18). @throws SourceFailure */
function wantedLayer(object: OCIRepository, manifest: ImageManifest, subject: string): Descriptor {
  try {
    return selectLayer(manifest.layers, object.spec.layerSelector?.mediaType, subject);
  } catch (error) {
    throw new SourceFailure('OCIArtifactLayerOperationFailed', 'failed to select layer', error);
  }
}
