import { digestOf } from '../std/index.ts';
import type { RegistryClient } from './client-types.ts';
import type { Descriptor } from './descriptor.ts';
import { descriptorJson } from './manifest.ts';
import { mediaTypes } from './media-types.ts';
import type { Reference } from './reference.ts';

/** What `flux push artifact` would put into one artifact. */
export type ArtifactContent = {
  /** One layer: a gzip-compressed tar by default. */
  layer: Uint8Array;
  /** Default `application/vnd.cncf.flux.content.v1.tar+gzip` (A02). */
  mediaType?: string;
  /** Annotations of the manifest (A03). */
  annotations?: Readonly<Record<string, string>>;
};

/** The config Flux's artifacts share: an image config that says nothing (A01). */
const CONFIG = Buffer.from(
  '{"architecture":"","created":"0001-01-01T00:00:00Z","os":"","rootfs":{"type":"layers","diff_ids":null},"config":{}}',
);

/**
 * The manifest of an artifact as Flux writes it (A01–A03): same fields in the same order, so equal content has the digest Flux gives it.
 */
export function artifactManifest(content: ArtifactContent): { mediaType: string; bytes: Uint8Array } {
  const layer: Descriptor = {
    mediaType: content.mediaType ?? mediaTypes.fluxContent,
    digest: digestOf(content.layer),
    size: content.layer.length,
  };
  const config: Descriptor = { mediaType: mediaTypes.fluxConfig, digest: digestOf(CONFIG), size: CONFIG.length };
  const sorted = Object.entries(content.annotations ?? {}).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: descriptorJson(config),
    layers: [descriptorJson(layer)],
    ...(sorted.length === 0 ? {} : { annotations: Object.fromEntries(sorted) }),
  };
  return { mediaType: mediaTypes.ociManifest, bytes: Buffer.from(goJson(JSON.stringify(manifest))) };
}

/** Go's encoding/json escapes what HTML gives a meaning. */
function goJson(json: string): string {
  return json.replace(/[<>&\u2028\u2029]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * Pushes an artifact the way `flux push artifact` does: config and layer unless the registry has them, then the manifest.
 * @returns the manifest's descriptor
 * @throws RegistryError
 */
export async function pushArtifact(
  client: RegistryClient,
  reference: Reference,
  content: ArtifactContent,
  signal: AbortSignal,
): Promise<Descriptor> {
  await Promise.all([
    client.pushBlob(reference, { mediaType: mediaTypes.fluxConfig, bytes: CONFIG }, signal),
    client.pushBlob(reference, { mediaType: content.mediaType ?? mediaTypes.fluxContent, bytes: content.layer }, signal),
  ]);
  return client.pushManifest(reference, artifactManifest(content), signal);
}
