import { isDigest } from '../std/index.ts';
import type { Descriptor, ImageChoice, ImageIndex, ImageManifest, Manifest, Platform } from './descriptor.ts';
import { RegistryError } from './errors.ts';
import { mediaTypes } from './media-types.ts';

const IMAGE_TYPES: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const INDEX_TYPES: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerManifestList]);
/** Layers of a manifest, manifests of an index. */
const MAX_DESCRIPTORS = 10_000;
/** Annotations of one descriptor or manifest. */
const MAX_ANNOTATIONS = 10_000;
/** Largest size a descriptor may claim: 1 TiB. */
const MAX_SIZE = 2 ** 40;

/** The default platform of a pull (OB12). */
export const linuxAmd64: Platform = { os: 'linux', architecture: 'amd64' };

class Fault extends Error {}

/**
 * Parses a manifest or index. The kind comes from the document's own mediaType, else from `contentType`, else from its fields; a
 * document that could be read both ways, or whose mediaType contradicts a manifest content type, is refused (image-spec, "avoid
 * confusion between manifest and index").
 * @param subject what is being read, for the error text
 * @throws RegistryError `ManifestInvalid`
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined, subject: string): Manifest {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    return toManifest(record(value, 'manifest'), contentType?.split(';')[0]?.trim());
  } catch (cause) {
    const why = cause instanceof Fault ? cause.message : 'not UTF-8 JSON';
    throw new RegistryError({
      code: 'ManifestInvalid',
      message: `parse manifest ${JSON.stringify(subject)}: ${why}`,
      subject,
      cause,
      retryable: false,
    });
  }
}

function toManifest(value: Record<string, unknown>, contentType: string | undefined): Manifest {
  const version = value['schemaVersion'];
  if (version !== undefined && version !== 2) throw new Fault(`schemaVersion ${JSON.stringify(version)} is not supported, want 2`);
  const own = optionalString(value, 'mediaType');
  const stated = contentType !== undefined && (IMAGE_TYPES.has(contentType) || INDEX_TYPES.has(contentType)) ? contentType : undefined;
  if (own !== undefined && stated !== undefined && own !== stated)
    throw new Fault(`mediaType ${JSON.stringify(own)} contradicts content type ${JSON.stringify(stated)}`);
  const hasManifests = value['manifests'] !== undefined;
  const hasLayers = value['layers'] !== undefined || value['config'] !== undefined;
  if (hasManifests && hasLayers) throw new Fault('has both manifests and layers');
  const mediaType = own ?? stated ?? (hasManifests ? mediaTypes.ociIndex : hasLayers ? mediaTypes.ociManifest : undefined);
  if (mediaType !== undefined && INDEX_TYPES.has(mediaType) && !hasLayers) return toIndex(value, mediaType);
  if (mediaType !== undefined && IMAGE_TYPES.has(mediaType) && !hasManifests) return toImage(value, mediaType);
  throw new Fault(`mediaType ${JSON.stringify(mediaType ?? contentType ?? '')} is not an image manifest or index`);
}

function toImage(value: Record<string, unknown>, mediaType: string): ImageManifest {
  const subject = value['subject'] === undefined || value['subject'] === null ? undefined : toDescriptor(value['subject'], 'subject');
  return {
    kind: 'image',
    mediaType,
    ...optional('artifactType', optionalString(value, 'artifactType')),
    config: toDescriptor(value['config'], 'config'),
    layers: descriptors(value['layers'], 'layers'),
    ...optional('subject', subject),
    annotations: stringMap(value['annotations'], 'annotations') ?? {},
  };
}

function toIndex(value: Record<string, unknown>, mediaType: string): ImageIndex {
  const subject = value['subject'] === undefined || value['subject'] === null ? undefined : toDescriptor(value['subject'], 'subject');
  return {
    kind: 'index',
    mediaType,
    ...optional('artifactType', optionalString(value, 'artifactType')),
    manifests: descriptors(value['manifests'], 'manifests'),
    ...optional('subject', subject),
    annotations: stringMap(value['annotations'], 'annotations') ?? {},
  };
}

function descriptors(value: unknown, path: string): Descriptor[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new Fault(`${path} is not a list`);
  if (value.length > MAX_DESCRIPTORS) throw new Fault(`${path} has more than ${MAX_DESCRIPTORS} entries`);
  return value.map((item, index) => toDescriptor(item, `${path}[${index}]`));
}

function toDescriptor(value: unknown, path: string): Descriptor {
  const fields = record(value, path);
  const digest = fields['digest'];
  const size = fields['size'];
  if (typeof digest !== 'string' || !isDigest(digest))
    throw new Fault(`${path}.digest ${JSON.stringify(String(digest).slice(0, 200))} is not a digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > MAX_SIZE)
    throw new Fault(`${path}.size ${JSON.stringify(size)} is not a size`);
  return {
    mediaType: optionalString(fields, 'mediaType') ?? '',
    digest,
    size,
    ...optional('annotations', stringMap(fields['annotations'], `${path}.annotations`)),
    ...optional('artifactType', optionalString(fields, 'artifactType')),
    ...optional('platform', toPlatform(fields['platform'], `${path}.platform`)),
    ...optional('urls', Array.isArray(fields['urls']) ? fields['urls'].map(String) : undefined),
    ...optional('data', optionalString(fields, 'data')),
  };
}

function toPlatform(value: unknown, path: string): Platform | undefined {
  if (value === undefined || value === null) return undefined;
  const fields = record(value, path);
  return {
    os: optionalString(fields, 'os') ?? '',
    architecture: optionalString(fields, 'architecture') ?? '',
    ...optional('variant', optionalString(fields, 'variant')),
  };
}

function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Fault(`${path} is not an object`);
  return value as Record<string, unknown>;
}

function optionalString(fields: Record<string, unknown>, key: string): string | undefined {
  const value = fields[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw new Fault(`${key} is not a string`);
  return value;
}

function stringMap(value: unknown, path: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  const entries = Object.entries(record(value, path));
  if (entries.length > MAX_ANNOTATIONS) throw new Fault(`${path} has more than ${MAX_ANNOTATIONS} entries`);
  for (const [key, item] of entries) if (typeof item !== 'string') throw new Fault(`${path}[${JSON.stringify(key)}] is not a string`);
  return Object.fromEntries(entries) as Record<string, string>;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [P in K]: V });
}

/**
 * The entry of an index that is chosen (OB12). An entry without a platform counts as linux/amd64, as in go-containerregistry. When nothing
 * is said and no entry is for linux/amd64, an index with a single image can only mean that one.
 * @throws RegistryError `PlatformNotFound`, listing the entries there are
 */
export function selectImage(index: ImageIndex, choice: ImageChoice, subject: string): Descriptor {
  const { platform, artifactType } = choice;
  const typed = index.manifests.filter((entry) => artifactType === undefined || entry.artifactType === artifactType);
  // Who asks for a type alone means the type, whatever machine it says it is for.
  const found =
    typed.find((entry) => isFor(entry, platform ?? linuxAmd64)) ??
    (artifactType !== undefined && platform === undefined ? typed[0] : undefined);
  if (found !== undefined) return found;
  const images = typed.filter((entry) => !isAttestation(entry));
  const [only] = images;
  if (platform === undefined && only !== undefined && images.length === 1) return only;
  const wanted = [
    artifactType === undefined ? undefined : `artifact type ${JSON.stringify(artifactType)}`,
    platform === undefined && artifactType !== undefined ? undefined : `platform ${formatPlatform(platform ?? linuxAmd64)}`,
  ]
    .filter((part) => part !== undefined)
    .join(' and ');
  const shown = index.manifests
    .slice(0, MAX_SHOWN)
    .map((entry) => `${formatPlatform(entry.platform)} ${entry.artifactType ?? entry.mediaType} ${entry.digest}`);
  const more = index.manifests.length > MAX_SHOWN ? `, and ${index.manifests.length - MAX_SHOWN} more` : '';
  throw new RegistryError({
    code: 'PlatformNotFound',
    message: `select image of index ${JSON.stringify(subject)}: no child with ${wanted} in index: ${shown.length === 0 ? 'it is empty' : `it has ${shown.join(', ')}${more}`}`,
    subject,
    retryable: false,
  });
}

/** Entries of an index listed in an error. */
const MAX_SHOWN = 10;

function isFor(entry: Descriptor, platform: Platform): boolean {
  const have = entry.platform ?? linuxAmd64;
  return (
    have.os === platform.os &&
    have.architecture === platform.architecture &&
    (platform.variant === undefined || have.variant === platform.variant)
  );
}

/** BuildKit puts attestations beside the images, for a platform that does not exist. */
function isAttestation({ platform }: Descriptor): boolean {
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

function formatPlatform(platform: Platform | undefined): string {
  return platform === undefined
    ? 'any platform'
    : [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined).join('/');
}

/**
 * Parses `os/architecture[/variant]`.
 * @throws RegistryError `ReferenceInvalid`
 */
export function parsePlatform(text: string): Platform {
  const [, os, architecture, variant] = /^([a-z0-9]{1,32})\/([a-z0-9]{1,32})(?:\/([a-z0-9.]{1,32}))?$/.exec(text) ?? [];
  if (os !== undefined && architecture !== undefined) return { os, architecture, ...(variant === undefined ? {} : { variant }) };
  throw new RegistryError({
    code: 'ReferenceInvalid',
    message: `parse platform ${JSON.stringify(text)}: want OS/ARCHITECTURE[/VARIANT], such as linux/amd64`,
    subject: text,
    retryable: false,
  });
}

/** Writes a descriptor with the field order go-containerregistry uses, so that equal content has equal bytes. */
export function descriptorJson(descriptor: Descriptor): Record<string, unknown> {
  const { mediaType, size, digest, data, urls, annotations, platform, artifactType } = descriptor;
  return {
    mediaType,
    size,
    digest,
    ...optional('data', data),
    ...optional('urls', urls),
    ...optional('annotations', annotations),
    ...optional('platform', platform),
    ...optional('artifactType', artifactType),
  };
}
