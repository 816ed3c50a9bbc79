import { type Digest, Lru, readBounded } from '../std/index.ts';
import { fetchBlob, hasBlob } from './blobs.ts';
import type {
  Blob,
  ProxyOptions,
  PushBlobOptions,
  RegistryAccess,
  RegistryClient,
  RegistryClients,
  RegistryClientsOptions,
  RegistryLimits,
} from './client-types.ts';
import { Coalescer } from './coalesce.ts';
import { anonymous, fingerprint } from './credentials.ts';
import type { Descriptor, FetchedManifest, ImageManifest, Platform } from './descriptor.ts';
import { isRegistryError, RegistryError } from './errors.ts';
import type { Wire } from './exchange.ts';
import { abortError } from './http.ts';
import { defaultLimits } from './limits.ts';
import { listTags, referrers } from './lists.ts';
import { linuxAmd64, selectPlatform } from './manifest.ts';
import { type Endpoint, endpoints } from './mirror.ts';
import { fetchManifest, resolve } from './pull.ts';
import { deleteBlob, deleteManifest, pushManifest } from './push.ts';
import { TokenBucket } from './rate-limit.ts';
import { digested, formatReference, formatRepository, isTag, type Reference, referenceKey, type Repository, tagged } from './reference.ts';
import { Session } from './session.ts';
import { Transport, type TransportSettings } from './transport.ts';
import { pushBlob } from './upload.ts';

const DEFAULT_RATE = { perSecond: 100, burst: 200 };
const DEFAULT_CONNECTIONS = 16;
/** Clients, connection pools and rate limits kept; the least used go first. */
const MAX_CLIENTS = 10_000;
const MAX_TRANSPORTS = 1000;
const MAX_BUCKETS = 10_000;

/** Creates the clients of a process. No connection is made before the first request. */
export function createRegistryClients(options: RegistryClientsOptions): RegistryClients {
  return new Clients(options);
}

/** One client on its own. */
export function createRegistryClient(options: RegistryClientsOptions & RegistryAccess): RegistryClient & { close(): Promise<void> } {
  const { credentials, tls, insecure, ...shared } = options;
  const clients = new Clients(shared);
  const client = new Client(clients, {
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
    ...(insecure === undefined ? {} : { insecure }),
  });
  return Object.assign(client, { close: () => clients.close() });
}

class Clients implements RegistryClients {
  readonly options: RegistryClientsOptions;
  readonly limits: RegistryLimits;
  readonly #clients = new Lru<string, Client>(MAX_CLIENTS);
  readonly #transports = new Map<string, Transport>();
  readonly #buckets = new Lru<string, TokenBucket>(MAX_BUCKETS);

  constructor(options: RegistryClientsOptions) {
    this.options = options;
    this.limits = { ...defaultLimits, ...options.limits };
  }

  client(access: RegistryAccess): Client {
    const key = fingerprint('client', access.credentials?.id ?? anonymous.id, access.tls, access.insecure === true, access.proxy);
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = new Client(this, access);
      this.#clients.set(key, client);
    }
    return client;
  }

  session(access: RegistryAccess, insecure: boolean): Session {
    const proxy: ProxyOptions = access.proxy ?? this.options.proxy ?? {};
    const connections = this.options.connections ?? DEFAULT_CONNECTIONS;
    const settings: TransportSettings = { tls: access.tls ?? {}, insecure, proxy, connections, idle: this.limits.idle };
    const wire: Wire = {
      transport: this.#transport(settings),
      limits: this.limits,
      bucket: (host) => this.#bucket(host),
      options: this.options,
      insecure,
    };
    return new Session(wire, access.credentials ?? anonymous, this.options.random);
  }

  #transport(settings: TransportSettings): Transport {
    const key = Transport.key(settings);
    let transport = this.#transports.get(key);
    if (transport === undefined) {
      if (this.#transports.size >= MAX_TRANSPORTS) this.#transports.clear();
      transport = new Transport(settings);
      this.#transports.set(key, transport);
    }
    return transport;
  }

  #bucket(host: string): TokenBucket {
    let bucket = this.#buckets.get(host);
    if (bucket === undefined) {
      bucket = new TokenBucket(this.options.clock, this.options.rate ?? DEFAULT_RATE);
      this.#buckets.set(host, bucket);
    }
    return bucket;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#transports.values()].map((transport) => transport.close()));
    this.#transports.clear();
  }
}

class Client implements RegistryClient {
  readonly #clients: Clients;
  readonly #access: RegistryAccess;
  readonly #sessions = new Map<boolean, Session>();
  readonly #coalescer = new Coalescer();

  constructor(clients: Clients, access: RegistryAccess) {
    this.#clients = clients;
    this.#access = access;
  }

  async ping(registry: string, signal: AbortSignal): Promise<void> {
    const session = this.#session(this.#access.insecure === true);
    const answer = await session.send(
      {
        method: 'GET',
        repository: { registry, path: '' },
        path: '',
        actions: 'pull',
        accept: [200],
        what: `ping registry ${JSON.stringify(registry)}`,
        subject: registry,
      },
      signal,
    );
    await answer.discard();
  }

  resolve(reference: Reference, signal: AbortSignal): Promise<Descriptor> {
    const name = formatReference(reference);
    return this.#shared('resolve', name, signal, (shared) =>
      this.#read(reference, (session, endpoint) => resolve(session, at(reference, endpoint), name, shared)),
    );
  }

  fetchManifest(reference: Reference, signal: AbortSignal): Promise<FetchedManifest> {
    const name = formatReference(reference);
    return this.#shared('fetch manifest', name, signal, (shared) =>
      this.#read(reference, (session, endpoint) => fetchManifest(session, at(reference, endpoint), name, shared)),
    );
  }

  async fetchImage(reference: Reference, signal: AbortSignal, platform: Platform = linuxAmd64): Promise<FetchedManifest<ImageManifest>> {
    const name = formatReference(reference);
    const first = await this.fetchManifest(reference, signal);
    const fetched =
      first.manifest.kind === 'image'
        ? first
        : await this.fetchManifest(digested(reference, selectPlatform(first.manifest, platform, name).digest), signal);
    const { manifest } = fetched;
    // An index inside an index has no platform of its own to pick by.
    if (manifest.kind === 'image') return { ...fetched, manifest };
    throw new RegistryError({
      code: 'ManifestInvalid',
      message: `fetch image ${JSON.stringify(name)}: the index's entry is an index again`,
      subject: name,
      retryable: false,
    });
  }

  async *fetchBlob(repository: Repository, descriptor: Descriptor, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const places = this.#endpoints(repository);
    for (const [index, endpoint] of places.entries()) {
      let started = false;
      try {
        for await (const chunk of fetchBlob(this.#session(endpoint.insecure), endpoint, descriptor, signal)) {
          started = true;
          yield chunk;
        }
        return;
      } catch (error) {
        if (started || index === places.length - 1 || !isElsewhereWorthTrying(error)) throw error;
      }
    }
  }

  readBlob(repository: Repository, descriptor: Descriptor, limit: number, signal: AbortSignal): Promise<Uint8Array> {
    const name = `${formatRepository(repository)}@${descriptor.digest}`;
    if (descriptor.size > limit) {
      return Promise.reject(
        new RegistryError({
          code: 'LimitExceeded',
          message: `read blob ${JSON.stringify(name)}: ${descriptor.size} bytes are more than the allowed ${limit}`,
          subject: descriptor.digest,
          retryable: false,
        }),
      );
    }
    return this.#shared(
      'read blob',
      name,
      signal,
      (shared) => readBounded(this.fetchBlob(repository, descriptor, shared), limit, name),
      String(descriptor.size),
    );
  }

  hasBlob(repository: Repository, digest: Digest, signal: AbortSignal): Promise<boolean> {
    return this.#read(repository, (session, endpoint) => hasBlob(session, endpoint, digest, 'pull', signal));
  }

  listTags(repository: Repository, signal: AbortSignal): Promise<readonly string[]> {
    const name = formatRepository(repository);
    return this.#shared('list tags of', name, signal, (shared) =>
      this.#read(repository, (session, endpoint) => listTags(session, endpoint, name, shared)),
    );
  }

  referrers(repository: Repository, digest: Digest, signal: AbortSignal, artifactType?: string): Promise<readonly Descriptor[]> {
    return this.#shared(
      'list referrers of',
      `${formatRepository(repository)}@${digest}`,
      signal,
      (shared) => this.#read(repository, (session, endpoint) => referrers(session, endpoint, digest, artifactType, shared)),
      artifactType,
    );
  }

  pushBlob(repository: Repository, blob: Blob, signal: AbortSignal, options: PushBlobOptions = {}): Promise<Descriptor> {
    const [endpoint] = this.#endpoints(repository);
    const mountFrom = options.mountFrom === undefined ? undefined : this.#endpoints(options.mountFrom)[0];
    const { mountFrom: _stated, ...rest } = options;
    return pushBlob(this.#session(endpoint.insecure), endpoint, blob, mountFrom === undefined ? rest : { ...rest, mountFrom }, signal);
  }

  pushManifest(reference: Reference, manifest: { mediaType: string; bytes: Uint8Array }, signal: AbortSignal): Promise<Descriptor> {
    const [endpoint] = this.#endpoints(reference);
    return pushManifest(this.#session(endpoint.insecure), at(reference, endpoint), manifest, signal);
  }

  async tag(reference: Reference, tag: string, signal: AbortSignal): Promise<Descriptor> {
    if (!isTag(tag))
      throw new RegistryError({
        code: 'ReferenceInvalid',
        message: `tag ${JSON.stringify(formatReference(reference))}: ${JSON.stringify(tag)} is not a tag`,
        subject: tag,
        retryable: false,
      });
    const { bytes, descriptor } = await this.fetchManifest(reference, signal);
    return this.pushManifest(tagged(reference, tag), { mediaType: descriptor.mediaType, bytes }, signal);
  }

  deleteManifest(reference: Reference, signal: AbortSignal): Promise<void> {
    const [endpoint] = this.#endpoints(reference);
    return deleteManifest(this.#session(endpoint.insecure), at(reference, endpoint), signal);
  }

  deleteBlob(repository: Repository, digest: Digest, signal: AbortSignal): Promise<void> {
    const [endpoint] = this.#endpoints(repository);
    return deleteBlob(this.#session(endpoint.insecure), endpoint, digest, signal);
  }

  /** Equal reads under way are one; whoever gave up gets an error of ours. */
  async #shared<T>(verb: string, name: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>, detail = ''): Promise<T> {
    try {
      return await this.#coalescer.run(`${verb} ${name} ${detail}`, signal, work);
    } catch (error) {
      if (error instanceof RegistryError || !signal.aborted) throw error;
      throw abortError(signal, `${verb} ${JSON.stringify(name)}`, name, error);
    }
  }

  #endpoints(repository: Repository): [Endpoint, ...Endpoint[]] {
    return endpoints(
      { registry: repository.registry, path: repository.path },
      this.#clients.options.mirrors ?? [],
      this.#access.insecure === true,
    );
  }

  async #read<T>(repository: Repository, work: (session: Session, endpoint: Endpoint) => Promise<T>): Promise<T> {
    const places = this.#endpoints(repository);
    for (const endpoint of places.slice(0, -1)) {
      try {
        return await work(this.#session(endpoint.insecure), endpoint);
      } catch (error) {
        if (!isElsewhereWorthTrying(error)) throw error;
      }
    }
    const last = places.at(-1) ?? places[0];
    return work(this.#session(last.insecure), last);
  }

  #session(insecure: boolean): Session {
    let session = this.#sessions.get(insecure);
    if (session === undefined) {
      session = this.#clients.session(this.#access, insecure);
      this.#sessions.set(insecure, session);
    }
    return session;
  }
}

function at(reference: Reference, endpoint: Repository): Reference {
  const key = referenceKey(reference);
  const base = { registry: endpoint.registry, path: endpoint.path };
  return reference.digest === undefined
    ? { ...base, tag: key }
    : { ...base, digest: reference.digest, ...(reference.tag === undefined ? {} : { tag: reference.tag }) };
}

/** A mirror that lacks the content, is broken or gives wrong bytes must not stop the next one from serving it. */
function isElsewhereWorthTrying(error: unknown): boolean {
  return isRegistryError(
    error,
    'NotFound',
    'RegistryUnavailable',
    'Timeout',
    'TlsFailed',
    'TooManyRequests',
    'AuthenticationFailed',
    'DigestMismatch',
    'SizeMismatch',
    'Truncated',
    'ManifestInvalid',
  );
}
