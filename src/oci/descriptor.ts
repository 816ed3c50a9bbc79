import type { Digest } from '../std/index.ts';

/** Which machine an image of an index is for (image-spec image-index.md). */
export type Platform = { os: string; architecture: string; variant?: string };

/** Which image of an index is meant. Nothing said: the one for linux/amd64, or the only one there is. */
export type ImageChoice = { platform?: Platform; artifactType?: string };

/** What a manifest points to: kind, content hash and size (image-spec descriptor.md). */
export type Descriptor = {
  mediaType: string;
  digest: Digest;
  /** Bytes. */
  size: number;
  annotations?: Readonly<Record<string, string>>;
  artifactType?: string;
  platform?: Platform;
  urls?: readonly string[];
  /** The content itself, base64, when embedded. Never trusted before it is hashed. */
  data?: string;
};

/** An image manifest (OCI or Docker schema 2). */
export type ImageManifest = {
  kind: 'image';
  mediaType: string;
  artifactType?: string;
  config: Descriptor;
  layers: readonly Descriptor[];
  subject?: Descriptor;
  annotations: Readonly<Record<string, string>>;
};

/** An image index (OCI) or manifest list (Docker). */
export type ImageIndex = {
  kind: 'index';
  mediaType: string;
  artifactType?: string;
  manifests: readonly Descriptor[];
  subject?: Descriptor;
  annotations: Readonly<Record<string, string>>;
};

/** A parsed manifest, told apart by `kind`. */
export type Manifest = ImageManifest | ImageIndex;

/** A manifest as it came over the wire: `bytes` are verbatim and hash to `descriptor.digest`. */
export type FetchedManifest<M extends Manifest = Manifest> = { descriptor: Descriptor; bytes: Uint8Array; manifest: M };
