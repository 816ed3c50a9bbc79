import { artifactError } from './errors.ts';

/**
 * The layer to take (OB18): the first of the wanted media type, or simply the first.
 * @throws ArtifactError `LayerNotFound`
 */
export function selectLayer<L extends { mediaType: string }>(layers: readonly L[], mediaType: string | undefined, subject: string): L {
  const [first] = layers;
  if (first === undefined)
    throw artifactError('LayerNotFound', `select layer of ${JSON.stringify(subject)}: no layers found in artifact`, { subject });
  if (mediaType === undefined || mediaType === '') return first;
  const found = layers.find((layer) => layer.mediaType === mediaType);
  if (found !== undefined) return found;
  throw artifactError(
    'LayerNotFound',
    `select layer of ${JSON.stringify(subject)}: failed to find layer with media type '${mediaType}' in artifact`,
    { subject },
  );
}
