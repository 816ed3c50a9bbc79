import type { Clock, Digest, Duration } from '../std/index.ts';
import type { Credential, CredentialSource } from './credentials.ts';
import type { Descriptor, FetchedManifest, ImageChoice, ImageManifest } from './descriptor.ts';
import type { Reference, Repository } from './reference.ts';

/** A registry as seen with one set of credentials, certificates and proxy. Safe to use from many places at once. */
export interface RegistryClient {
  /** Asks `/v2/` whether the registry speaks the protocol and accepts us. */
  ping(registry: string, signal: AbortSignal): Promise<void>;
  /**
   * What a reference points to now: HEAD, or GET when HEAD does not answer (OB12). Equal requests under way are shared. The mirrors of the
   * access are asked about a tag only while the registry itself is out of order, and believed only when they say `known`.
   */
  resolve(reference: Reference, signal: AbortSignal, known?: Digest): Promise<Descriptor>;
  /** The manifest or index, bytes verbatim, rehashed. At most `limits.manifestBytes`. */
  fetchManifest(reference: Reference, signal: AbortSignal): Promise<FetchedManifest>;
  /** As {@link fetchManifest}; of an index it fetches the image that is chosen (default: linux/amd64, OB12), through at most five indexes. */
  fetchImage(reference: Reference, signal: AbortSignal, choice?: ImageChoice): Promise<FetchedManifest<ImageManifest>>;
  /**
   * The bytes of a blob, streamed. Size and digest are checked: the last chunk is held back until both hold, so a consumer that
   * reads to the end has exactly the content. A broken connection resumes by Range.
   */
  fetchBlob(repository: Repository, descriptor: Descriptor, signal: AbortSignal): AsyncIterable<Uint8Array>;
  /** A whole blob in memory, at most `limit` bytes. Equal requests under way are shared. */
  readBlob(repository: Repository, descriptor: Descriptor, limit: number, signal: AbortSignal): Promise<Uint8Array>;
  hasBlob(repository: Repository, digest: Digest, signal: AbortSignal): Promise<boolean>;
  /** Every tag, all pages, in the registry's order (OB10). */
  listTags(repository: Repository, signal: AbortSignal): Promise<readonly string[]>;
  /** Manifests whose `subject` is `digest`: the referrers API, or the tag schema where a registry has none. */
  referrers(repository: Repository, digest: Digest, signal: AbortSignal, artifactType?: string): Promise<readonly Descriptor[]>;
  /** Uploads a blob unless the registry has it; mounts it from `mountFrom` when it can. */
  pushBlob(repository: Repository, blob: Blob, signal: AbortSignal, options?: PushBlobOptions): Promise<Descriptor>;
  /** Uploads a manifest under its tag (or by digest); keeps the referrers tag up to date where the registry has no referrers API. */
  pushManifest(reference: Reference, manifest: { mediaType: string; bytes: Uint8Array }, signal: AbortSignal): Promise<Descriptor>;
  /** Points `tag` at what `reference` points to. */
  tag(reference: Reference, tag: string, signal: AbortSignal): Promise<Descriptor>;
  deleteManifest(reference: Reference, signal: AbortSignal): Promise<void>;
  deleteBlob(repository: Repository, digest: Digest, signal: AbortSignal): Promise<void>;
}

/** A blob to push: bytes in memory, or a stream that can be started again (`open`) when an upload has to be repeated. */
export type Blob =
  | { mediaType: string; bytes: Uint8Array }
  | { mediaType: string; digest: Digest; size: number; open: () => AsyncIterable<Uint8Array> };

/** How to push a blob. */
export type PushBlobOptions = {
  /** A repository of the same registry that may already hold the blob. */
  mountFrom?: Repository;
  /** Upload in pieces of this many bytes; default: one PUT. */
  chunkBytes?: number;
};

/** TLS material, PEM. The CA is added to the system's (OB08). */
export type TlsOptions = { ca?: string; certificate?: string; key?: string };

/** A proxy for registry traffic; `noProxy` is a NO_PROXY list (host names, `.suffix`, IPs, CIDRs, `*`). */
export type ProxyOptions = { httpProxy?: string; httpsProxy?: string; noProxy?: string };

/** Who we are to a registry and how we get there. */
export type RegistryAccess = {
  /** Default: anonymous. */
  credentials?: CredentialSource;
  tls?: TlsOptions;
  /** Plain HTTP allowed; TLS is not verified unless there is something in `tls` (OB08). */
  insecure?: boolean;
  /** Overrides the clients' own proxy. */
  proxy?: ProxyOptions;
  /** Where content is read when the registry is out of order: by digest, so that it does not matter who serves it. */
  ownMirrors?: readonly Mirror[];
};

/** A host with an optional path prefix that has the repositories of another. */
export type Mirror = { target: string; insecure?: boolean };

/** `host` is served from `target`. Rules are asked in their order. */
export type MirrorRule = Mirror & { host: string };

/** Bounds on what a registry may send us. Every one has a default. */
export type RegistryLimits = {
  /** One manifest, bytes. Default 4 MiB. */
  manifestBytes: number;
  /** One tag list or referrers page, bytes. Default 32 MiB: some registries give all tags at once. */
  pageBytes: number;
  /** Pages of one list. Default 1,000. */
  pages: number;
  /** Items of one list. Default 1,000,000. */
  listItems: number;
  /** A token answer or error body, bytes. Default 1 MiB and 8 KiB. */
  tokenBytes: number;
  errorBytes: number;
  /** Redirects of one request. Default 5. */
  redirects: number;
  /** Attempts of one request, the first included. Default 5. */
  attempts: number;
  /** Resumes of one blob. Default 5. */
  resumes: number;
  /** Longest wait between two chunks, and for headers. Default 30 s. */
  idle: Duration;
  /** Longest Retry-After obeyed; a longer one fails at once as TooManyRequests. Default 60 s. */
  retryAfter: Duration;
};

/** What all clients of a process share. */
export type RegistryClientsOptions = {
  clock: Clock;
  /** In [0, 1); for jitter. */
  random: () => number;
  userAgent?: string;
  proxy?: ProxyOptions;
  mirrors?: readonly MirrorRule[];
  limits?: Partial<RegistryLimits>;
  /** Requests per second and burst towards one registry. Default 100 and 200. */
  rate?: { perSecond: number; burst: number };
  /** Connections kept to one registry. Default 16. */
  connections?: number;
  /** Told about every HTTP request once it ended; for metrics and tests. */
  onRequest?: (event: RegistryRequestEvent) => void;
};

/** One HTTP request that ended. */
export type RegistryRequestEvent = { registry: string; method: string; url: string; status: number; attempt: number; elapsed: Duration };

/** Clients by access: equal access gives the same client, so that tokens, connections and requests under way are shared. */
export interface RegistryClients {
  client(access: RegistryAccess): RegistryClient;
  /** Closes idle connections and ends those in use. */
  close(): Promise<void>;
}

export type { Credential };
