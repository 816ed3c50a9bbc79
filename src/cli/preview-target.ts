import { stat } from 'node:fs/promises';
import { compileIgnore, defaultPushIgnore, parseIgnoreText, readFolder, writeArchive } from '../artifact/index.ts';
import { annotationKeys, formatRepository, pushArtifact, type Reference, type RegistryClient } from '../oci/index.ts';
import { artifactReference, usage } from './artifact-registry.ts';

/** Largest layer of an artifact that is previewed, bytes. */
const MAX_LAYER = 512 * 1024 * 1024;

/** The repository of a target that is an artifact, `host/name`; undefined for a folder or file. @throws CodedError `UsageInvalid` */
export async function repositoryOf(target: string): Promise<string | undefined> {
  if (target.startsWith('oci://')) return formatRepository(artifactReference(target));
  if ((await stat(target).catch(() => undefined)) === undefined)
    throw usage(`preview ${JSON.stringify(target)}: no such folder or file`, 'give a folder, a file or oci://host/name:tag');
  return undefined;
}

/**
 * Puts the target into a registry: a folder or file as a Flux artifact, an artifact as it is, byte for byte.
 * @param from reads the registry of a target `oci://…`
 * @param to writes the registry of `reference`
 */
export async function placeTarget(
  target: string,
  from: RegistryClient,
  to: RegistryClient,
  reference: Reference,
  signal: AbortSignal,
): Promise<void> {
  if (target.startsWith('oci://')) {
    await copyImage(artifactReference(target), from, to, reference, signal);
    return;
  }
  const ignore = compileIgnore(defaultPushIgnore.flatMap((line) => parseIgnoreText(line)));
  const layer = await writeArchive(await readFolder(target, { ignore }), 'kept');
  const annotations = {
    [annotationKeys.created]: '1970-01-01T00:00:00Z',
    [annotationKeys.source]: 'sluice preview',
    [annotationKeys.revision]: 'preview',
  };
  await pushArtifact(to, reference, { layer, annotations }, signal);
}

async function copyImage(
  source: Reference,
  from: RegistryClient,
  to: RegistryClient,
  reference: Reference,
  signal: AbortSignal,
): Promise<void> {
  const { manifest, bytes, descriptor } = await from.fetchImage(source, signal);
  for (const blob of [manifest.config, ...manifest.layers]) {
    const content = await from.readBlob(source, blob, MAX_LAYER, signal);
    await to.pushBlob(reference, { mediaType: blob.mediaType, bytes: content }, signal);
  }
  await to.pushManifest(reference, { mediaType: descriptor.mediaType, bytes }, signal);
}
