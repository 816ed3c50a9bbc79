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
import type { Descriptor, FetchedManifest, ImageChoice, ImageManifest } from './descriptor.ts';
import { RegistryError } from './errors.ts';
import type { Wire } from './exchange.ts';
import { abortError } from './http.ts';
import { defaultLimits } from './limits.ts';
import { listTags, referrers } from './lists.ts';
import { selectImage } from './manifest.ts';
import { type Endpoint, endpoints } from './mirror.ts';
import { isOutage, Places } from './places.ts';
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
/** Indexes inside each other that are gone through to an image. */
const MAX_NESTING = 5;

/** Creates the clients of a process. No connection is made before the first request. */
export function createRegistryClients(options: RegistryClientsOptions): RegistryClients {
  return new Clients(options);
}

/** One client on its own. */
export function createRegistryClient(options: RegistryClientsOptions & RegistryAccess): RegistryClient & { close(): Promise<void> } {
  const { credentials, tls, insecure, ownMirrors, ...shared } = options;
  const clients = new Clients(shared);
  const client = new Client(clients, {
    ...(credentials === undefined ? {} : { credentials }),
    ...(tls === undefined ? {} : { tls }),
    ...(insecure === undefined ? {} : { insecure }),
    ...(ownMirrors === undefined ? {} : { ownMirrors }),
  });
  return Object.assign(client, { close: () => clients.close() });
}

class Clients implements RegistryClients {
  readonly options: RegistryClientsOptions;
  readonly limits: RegistryLimits;
  readonly #clients = new Lru<string, Client>(MAX_CLIENTS);
  readonly #transports = new Map<string, Transport>();
  readonly #buckets = new Lru<string, TokenBucket>(MAX_BUCKETS);
  readonly places: Places;

  constructor(options: RegistryClientsOptions) {
    this.options = options;
    this.places = new Places(options.clock);
    this.limits = { ...defaultLimits, ...options.limits };
  }

  client(access: RegistryAccess): Client {
    const key = fingerprint(
      'client',
      access.credentials?.id ?? anonymous.id,
      access.tls,
      access.insecure === true,
      access.proxy,
      access.ownMirrors,
    );
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

  resolve(reference: Reference, signal: AbortSignal, known?: Digest): Promise<Descriptor> {
    const name = formatReference(reference);
    const askAt = (session: Session, endpoint: Endpoint, limited: AbortSignal): Promise<Descriptor> =>
      resolve(session, at(reference, endpoint), name, limited);
    return this.#shared(
      'resolve',
      name,
      signal,
      async (shared) => {
        const mirrors = isPinned(reference) || known === undefined ? [] : this.#mirrors(reference);
        const read = (limited: AbortSignal): Promise<Descriptor> => this.#read(reference, limited, askAt, isPinned(reference));
        if (mirrors.length === 0) return read(shared);
        try {
          return await this.#clients.places.patiently(shared, read);
        } catch (error) {
          if (!isOutage(error) || shared.aborted) throw error;
          return this.#agreed(error, known, mirrors, shared, askAt);
        }
      },
      known,
    );
  }

  /** What mirrors say a tag is at, while the registry cannot be asked: believed only when it is what is known already. */
  async #agreed(
    outage: RegistryError,
    known: Digest | undefined,
    mirrors: readonly Endpoint[],
    signal: AbortSignal,
    ask: (session: Session, endpoint: Endpoint, signal: AbortSignal) => Promise<Descriptor>,
  ): Promise<Descriptor> {
    const found = await this.#clients.places
      .read(mirrors, signal, async (place, limited) => {
        const descriptor = await ask(this.#session(place.insecure), place, limited);
        if (descriptor.digest === known) return descriptor;
        throw new RegistryError({ code: 'NotFound', message: `it has ${descriptor.digest}, want ${known ?? ''} as before` });
      })
      .catch((error: unknown) => {
        const cause = error instanceof Error ? error.message : String(error);
        const { code, subject, status, retryAfter } = outage;
        throw new RegistryError({
          code,
          message: `${outage.message}; mirror ${mirrors[0]?.registry ?? ''}: ${cause}`,
          cause: outage,
          ...(subject === undefined ? {} : { subject }),
          ...(status === undefined ? {} : { status }),
          ...(retryAfter === undefined ? {} : { retryAfter }),
        });
      });
    return found;
  }

  fetchManifest(reference: Reference, signal: AbortSignal): Promise<FetchedManifest> {
    const name = formatReference(reference);
    return this.#shared('fetch manifest', name, signal, (shared) =>
      this.#read(
        reference,
        shared,
        (session, endpoint, limited) => fetchManifest(session, at(reference, endpoint), name, limited),
        isPinned(reference),
      ),
    );
  }

  async fetchImage(reference: Reference, signal: AbortSignal, choice: ImageChoice = {}): Promise<FetchedManifest<ImageManifest>> {
    const name = formatReference(reference);
    let fetched = await this.fetchManifest(reference, signal);
    for (let depth = 0; ; depth++) {
      const { manifest } = fetched;
      if (manifest.kind === 'image') return { ...fetched, manifest };
      if (depth >= MAX_NESTING) {
        throw new RegistryError({
          code: 'ManifestInvalid',
          message: `fetch image ${JSON.stringify(name)}: more than ${MAX_NESTING} indexes inside each other`,
          subject: name,
          retryable: false,
        });
      }
      fetched = await this.fetchManifest(digested(reference, selectImage(manifest, choice, name).digest), signal);
    }
  }

  async *fetchBlob(repository: Repository, descriptor: Descriptor, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const { places } = this.#clients;
    const ordered = places.order(this.#endpoints(repository, true));
    for (const [index, endpoint] of ordered.entries()) {
      let started = false;
      try {
        for await (const chunk of fetchBlob(this.#session(endpoint.insecure), endpoint, descriptor, signal)) {
          started = true;
          yield chunk;
        }
        return;
      } catch (error) {
        const elsewhere = ordered.length > 1 && places.failed(endpoint, error);
        if (started || index === ordered.length - 1 || signal.aborted || !elsewhere) throw error;
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
    return this.#read(repository, signal, (session, endpoint, limited) => hasBlob(session, endpoint, digest, 'pull', limited), true);
  }

  listTags(repository: Repository, signal: AbortSignal): Promise<readonly string[]> {
    const name = formatRepository(repository);
    return this.#shared('list tags of', name, signal, (shared) =>
      this.#read(repository, shared, (session, endpoint, limited) => listTags(session, endpoint, name, limited), false, true),
    );
  }

  referrers(repository: Repository, digest: Digest, signal: AbortSignal, artifactType?: string): Promise<readonly Descriptor[]> {
    return this.#shared(
      'list referrers of',
      `${formatRepository(repository)}@${digest}`,
      signal,
      (shared) =>
        this.#read(
          repository,
          shared,
          (session, endpoint, limited) => referrers(session, endpoint, digest, artifactType, limited),
          true,
          true,
        ),
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

  /** Where a repository is served; `pinned` says that what is read is named by its digest, so that mirrors of the access may serve it. */
  #endpoints(repository: Repository, pinned = false): [Endpoint, ...Endpoint[]] {
    return endpoints(
      { registry: repository.registry, path: repository.path },
      this.#clients.options.mirrors ?? [],
      this.#access.insecure === true,
      pinned ? (this.#access.ownMirrors ?? []) : [],
    );
  }

  #mirrors({ registry, path }: Repository): Endpoint[] {
    return endpoints({ registry, path }, [], false, this.#access.ownMirrors ?? []).slice(1);
  }

  #read<T>(
    repository: Repository,
    signal: AbortSignal,
    work: (session: Session, endpoint: Endpoint, signal: AbortSignal) => Promise<T>,
    pinned: boolean,
    long = false,
  ): Promise<T> {
    const ask = (endpoint: Endpoint, limited: AbortSignal): Promise<T> => work(this.#session(endpoint.insecure), endpoint, limited);
    return this.#clients.places.read(this.#endpoints(repository, pinned), signal, ask, long);
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

/** True when a reference names content: whoever serves it, it is checked. */
function isPinned(reference: Reference): boolean {
  return reference.digest !== undefined;
}
