import { type ArtifactError, artifactError } from './errors.ts';

/** What selecting a layer looks at. */
export type LayerInfo = { mediaType: string; size?: number; annotations?: Readonly<Record<string, string>> };

/** Which layer is wanted (OB18), and what becomes of it. */
export type WantedLayer = { mediaType?: string | undefined; operation?: 'extract' | 'copy' | undefined };

/** The annotation that holds the name of a file that is pushed as a layer. */
const TITLE = 'org.opencontainers.image.title';
/** What stands for no content (image-spec, "guidance for an empty descriptor"). */
const EMPTY = 'application/vnd.oci.empty.v1+json';
/** Layers listed in an error. */
const MAX_SHOWN = 20;
const ARCHIVE = /(?:[+.-](?:tar\+gzip|tar\.gzip|tar\.gz|tgz|tar\+zstd|tar)|^application\/(?:x-)?(?:gzip|tar\+gzip|tar|gtar|tgz))$/;

/**
 * The layer to take (OB18): the first of the wanted media type, or simply the first. Where the first can only be no archive, such as the
 * provenance file of a chart, the first that is one is taken instead.
 * @throws ArtifactError `LayerNotFound`, listing the layers there are and how to select one
 */
export function selectLayer<L extends LayerInfo>(layers: readonly L[], { mediaType, operation }: WantedLayer, subject: string): L {
  const [first] = layers;
  const what = `select layer of ${JSON.stringify(subject)}`;
  if (first === undefined) throw artifactError('LayerNotFound', `${what}: no layers found in artifact`, { subject });
  if (mediaType === undefined || mediaType === '') {
    if (operation === 'copy') return first;
    if (layers.every(isEmptyLayer))
      throw artifactError('LayerNotFound', `${what}: no layers found in artifact: it has no content, only an empty layer`, { subject });
    return isArchive(first) ? first : (layers.find(isArchive) ?? first);
  }
  const found = layers.find((layer) => layer.mediaType === mediaType);
  if (found !== undefined) return found;
  const missing = `${what}: failed to find layer with media type '${mediaType}' in artifact`;
  throw artifactError('LayerNotFound', `${missing}: it has ${layerTable(layers)}; set spec.layerSelector.mediaType to one of them`, {
    subject,
  });
}

/** What to say of a layer that was to be unpacked and is no archive: what it is, and the selectors that would do. */
export function notAnArchive(layer: LayerInfo, layers: readonly LayerInfo[], error: ArtifactError): string {
  const archives = layers.filter((other) => other !== layer && isArchive(other));
  const others = archives.length === 0 ? '' : `, or set spec.layerSelector.mediaType to another of its layers: ${layerTable(archives)}`;
  const copy = `set spec.layerSelector to {mediaType: ${layer.mediaType}, operation: copy} to publish it as it is`;
  return `${error.message}; the layer is ${describe(layer)}: ${copy}${others}`;
}

/** The file name a layer was pushed with, if any. */
export function layerTitle(layer: LayerInfo): string | undefined {
  return layer.annotations?.[TITLE];
}

/** True for the layer that stands for no content. */
export function isEmptyLayer({ mediaType }: LayerInfo): boolean {
  return mediaType === EMPTY;
}

/** True for layers of container images, in which names that begin with `.wh.` delete (image-spec layer.md, "whiteouts"). */
export function hasWhiteouts({ mediaType }: LayerInfo): boolean {
  return /^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\./.test(mediaType);
}

/** Whether a media type says that its content is a tar archive. */
function isArchive({ mediaType }: LayerInfo): boolean {
  return ARCHIVE.test(mediaType);
}

function layerTable(layers: readonly LayerInfo[]): string {
  const shown = layers.slice(0, MAX_SHOWN).map((layer, index) => `[${index + 1}] ${describe(layer)}`);
  const more = layers.length > MAX_SHOWN ? `, and ${layers.length - MAX_SHOWN} more` : '';
  return `${layers.length} layer${layers.length === 1 ? '' : 's'}: ${shown.join(', ')}${more}`;
}

function describe(layer: LayerInfo): string {
  const title = layerTitle(layer);
  const details = [
    ...(layer.size === undefined ? [] : [`${layer.size} bytes`]),
    ...(title === undefined ? [] : [JSON.stringify(title.slice(0, 100))]),
  ];
  return `'${layer.mediaType.slice(0, 200)}'${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
}
