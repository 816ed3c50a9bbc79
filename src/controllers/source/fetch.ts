import type { OCIRepository } from '../../api/index.ts';
import {
  ArtifactError,
  hasWhiteouts,
  isEmptyLayer,
  layerTitle,
  notAnArchive,
  selectLayer,
  type ArchiveRequest,
  type ArtifactStore,
  type StoredArchive,
} from '../../artifact/index.ts';
import {
  formatReference,
  formatRepository,
  isRegistryError,
  type Descriptor,
  type ImageChoice,
  type ImageManifest,
  type Reference,
  type RegistryClient,
  type Repository,
} from '../../oci/index.ts';
import { CodedError, digestOf, Lru, redact, type Digest } from '../../std/index.ts';
import { contentChoice, manifestMetadata } from './annotations.ts';
import { SourceFailure, step, type TimeLimit } from './failure.ts';

/** What was fetched: the archive, and the annotations of the manifest it came from (OB17). */
export type Fetched = { archive: StoredArchive; annotations: Record<string, string> };

/** Characters of an address that are told. */
const MAX_URL = 200;
/** Manifests remembered; small, and named by their digest, so they never change. */
const MANIFESTS = 2000;

/** Manifests by who asks, digest and choice: objects that share an artifact fetch its manifest once. */
export class Manifests {
  readonly #known = new Lru<string, ImageManifest>(MANIFESTS);

  /** @throws RegistryError */
  async fetch(
    access: string,
    client: RegistryClient,
    reference: Reference,
    choice: ImageChoice,
    signal: AbortSignal,
  ): Promise<ImageManifest> {
    const key = `${access}\n${formatReference(reference)}\n${JSON.stringify(choice)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const { manifest } = await client.fetchImage(reference, signal, choice);
    this.#known.set(key, manifest);
    return manifest;
  }
}

/** Pulls the artifact a digest names, takes the selected layer or all of them, and publishes it (OB17–OB23). @throws SourceFailure */
export async function fetchArtifact(
  object: OCIRepository,
  repository: Repository,
  { digest, access }: { digest: Digest; access: string },
  client: RegistryClient,
  manifests: Manifests,
  store: ArtifactStore,
  limit: TimeLimit,
): Promise<Fetched> {
  const { signal } = limit;
  const reference: Reference = { ...repository, digest };
  const choice = contentChoice(object);
  const pulling = `failed to pull artifact from '${object.spec.url}'`;
  const manifest = await step(
    'OCIArtifactPullFailed',
    pulling,
    () => manifests.fetch(access, client, reference, choice.image, signal),
    limit,
  );
  const { namespace, name } = object.metadata;
  const operation = object.spec.layerSelector?.operation ?? 'extract';
  const doing = operation === 'copy' ? 'failed to copy layer from artifact' : 'failed to extract layer contents from artifact';
  const open = (layer: Descriptor) => (): AsyncIterable<Uint8Array> => client.fetchBlob(repository, layer, signal);
  const layers = choice.merge ? mergedLayers(object, manifest) : [wantedLayer(object, manifest, formatReference(reference))];
  const [layer] = layers;
  if (layer === undefined)
    throw new SourceFailure('OCIArtifactLayerOperationFailed', 'failed to select layer: no layers found in artifact');
  const request: ArchiveRequest = {
    publisher: { kind: 'ocirepository', namespace, name },
    revision: digest,
    layer: layer.digest,
    operation,
    ignore: object.spec.ignore,
    open: open(layer),
    reader: `${access}\n${formatRepository(repository)}`,
    ...(choice.merge ? mergeRequest(layers, open) : {}),
  };
  const publish = (): Promise<StoredArchive> =>
    store.publish(request, signal).catch((error: unknown) => {
      throw choice.merge ? error : explained(error, layer, manifest.layers);
    });
  const archive = await step('OCIArtifactLayerOperationFailed', doing, publish, limit);
  return { archive, annotations: manifestMetadata(manifest.annotations) };
}

/** The layer `spec.layerSelector` asks for (OB18). @throws SourceFailure */
function wantedLayer(object: OCIRepository, manifest: ImageManifest, subject: string): Descriptor {
  try {
    return selectLayer(manifest.layers, object.spec.layerSelector ?? {}, subject);
  } catch (error) {
    throw new SourceFailure('OCIArtifactLayerOperationFailed', 'failed to select layer', error);
  }
}

/** The layers that are put on top of each other: all that have content, or all of the media type that is asked for. */
function mergedLayers({ spec }: OCIRepository, { layers }: ImageManifest): readonly Descriptor[] {
  const wanted = spec.layerSelector?.mediaType ?? '';
  if (spec.layerSelector?.operation === 'copy') {
    throw new SourceFailure(
      'OCIArtifactLayerOperationFailed',
      "failed to select layer: layers that are merged cannot be copied as they are: remove 'operation: copy' or the annotation",
      undefined,
      true,
    );
  }
  return layers.filter((layer) => !isEmptyLayer(layer) && (wanted === '' || layer.mediaType === wanted));
}

/** What makes the archive of merged layers, and the name equal ones share. */
function mergeRequest(
  layers: readonly Descriptor[],
  open: (layer: Descriptor) => () => AsyncIterable<Uint8Array>,
): Pick<ArchiveRequest, 'layer' | 'merge'> {
  const merge = layers.map((layer) => ({
    digest: layer.digest,
    title: layerTitle(layer),
    whiteouts: hasWhiteouts(layer),
    open: open(layer),
  }));
  return { layer: digestOf(JSON.stringify(merge.map(({ digest, title, whiteouts }) => [digest, title, whiteouts]))), merge };
}

/** An error about a layer, with what to do about it: it is no archive, or not in the registry at all. */
function explained(error: unknown, layer: Descriptor, layers: readonly Descriptor[]): unknown {
  const [elsewhere] = layer.urls ?? [];
  if (isRegistryError(error, 'NotFound') && elsewhere !== undefined) {
    const place = JSON.stringify(redact(elsewhere.slice(0, MAX_URL)));
    return new CodedError({
      code: 'NotFound',
      message: `${error.message}; the layer is kept elsewhere (${place}), where nobody is asked: push it to this registry`,
      cause: error,
    });
  }
  if (!(error instanceof ArtifactError) || error.code !== 'ArchiveInvalid') return error;
  const { code, subject, retryable } = error;
  return new ArtifactError({
    code,
    message: notAnArchive(layer, layers, error),
    cause: error,
    retryable,
    ...(subject === undefined ? {} : { subject }),
  });
}
