import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, isDigest } from '../../std/index.ts';
import { descriptorJson } from '../manifest.ts';
import { mediaTypes } from '../media-types.ts';
import { type Action, Gate, type RegistryAuth, sendError, sendJson } from './access.ts';
import { RegistryContent } from './content.ts';
import type { FaultPlan } from './faults.ts';
import { misbehave } from './misbehave.ts';
import { sendBody } from './send-body.ts';
import type { RegistryStore } from './store.ts';
import { Uploads } from './uploads.ts';

/** How a registry behaves. */
export type RegistryOptions = {
  store: RegistryStore;
  clock: Clock;
  /** Signs bearer tokens; needed with `auth`. */
  secret?: Uint8Array;
  auth?: RegistryAuth;
  /** False: no referrers API, as older registries. Default true. */
  referrersApi?: boolean;
  /** Misbehaviour, for tests. */
  faults?: FaultPlan;
  /** Largest blob accepted, bytes. Default 10 GiB. */
  maxBlob?: number;
  /** Told when a request failed in a way that is the registry's own fault. */
  onError?: (error: unknown) => void;
};

/** Answers one request. */
export type RegistryHandler = (request: IncomingMessage, response: ServerResponse) => void;

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const ROUTE = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/(.+)$/;
const MAX_MANIFEST = 4 * 1024 * 1024;
const MAX_LIST = 10_000;

/** A registry that speaks the OCI distribution specification: pull, push, content discovery and content management. */
export function registryHandler(options: RegistryOptions): RegistryHandler {
  const registry = new Registry(options);
  return (request, response) => {
    registry.serve(request, response).catch((error: unknown) => {
      // A client that went away is not an error of ours.
      if (!request.destroyed) options.onError?.(error);
      if (response.headersSent) response.destroy();
      else sendError(response, 500, 'UNKNOWN', 'internal error');
    });
  };
}

type Route = { repository: string; kind: string; rest: string };

class Registry {
  readonly #options: RegistryOptions;
  readonly #content: RegistryContent;
  readonly #uploads: Uploads;
  readonly #gate: Gate | undefined;

  constructor(options: RegistryOptions) {
    this.#options = options;
    this.#content = new RegistryContent(options.store);
    this.#uploads = new Uploads(this.#content, options.clock, options.maxBlob ?? 10 * 1024 ** 3);
    this.#gate = options.auth === undefined ? undefined : new Gate(options.auth, options.clock, options.secret ?? new Uint8Array(32));
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://registry');
    const method = request.method ?? 'GET';
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    const fault = this.#options.faults?.next({ method, path: url.pathname + url.search, headers: request.headers });
    if (fault !== undefined && (await misbehave(fault, request, response))) return;
    if (url.pathname === '/token' && this.#gate !== undefined) return this.#gate.token(request, response, url);
    if (url.pathname === '/v2' || url.pathname === '/v2/') return this.#ping(request, response);
    if (url.pathname === '/v2/_catalog') return this.#catalog(request, response, url);
    const route = parseRoute(url.pathname);
    if (route === undefined) return sendError(response, 404, 'NAME_INVALID', 'no such resource');
    if (this.#gate?.admit(request, response, route.repository, actionOf(method)) === false) return undefined;
    return this.#route(request, response, method, route, url);
  }

  #ping(request: IncomingMessage, response: ServerResponse): void {
    if (this.#gate?.admit(request, response, '', 'pull') === false) return;
    sendJson(response, 200, {});
  }

  async #catalog(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (this.#gate?.admit(request, response, '', 'pull') === false) return;
    this.#sendPage(response, url, await this.#content.repositories(MAX_LIST), (repositories) => ({ repositories }));
  }

  #route(request: IncomingMessage, response: ServerResponse, method: string, route: Route, url: URL): Promise<void> | void {
    const { repository, kind, rest } = route;
    const upload = kind === 'blobs' ? /^uploads(?:\/([0-9a-f]{0,64}))?$/.exec(rest) : null;
    if (upload !== null) return this.#upload(request, response, method, repository, upload[1] ?? '', url);
    const read = method === 'GET' || method === 'HEAD';
    if (kind === 'manifests' && read) return this.#getManifest(response, repository, rest);
    if (kind === 'manifests' && method === 'PUT') return this.#putManifest(request, response, repository, rest);
    if (kind === 'manifests' && method === 'DELETE') return this.#deleteManifest(response, repository, rest);
    if (kind === 'blobs' && read) return this.#getBlob(request, response, repository, rest);
    if (kind === 'blobs' && method === 'DELETE') return this.#deleteBlob(response, repository, rest);
    if (kind === 'tags' && rest === 'list' && read) return this.#tags(response, repository, url);
    if (kind === 'referrers' && read) return this.#referrers(response, repository, rest, url);
    return sendError(response, 405, 'UNSUPPORTED', 'the operation is unsupported');
  }

  #upload(
    request: IncomingMessage,
    response: ServerResponse,
    method: string,
    repository: string,
    id: string,
    url: URL,
  ): Promise<void> | void {
    if (method === 'POST' && id === '') return this.#uploads.start(request, response, repository, url);
    if (method === 'PATCH') return this.#uploads.add(request, response, repository, id);
    if (method === 'PUT') return this.#uploads.finish(request, response, repository, id, url);
    if (method === 'GET') return this.#uploads.state(response, repository, id);
    if (method === 'DELETE') return this.#uploads.cancel(response, repository, id);
    return sendError(response, 405, 'UNSUPPORTED', 'the operation is unsupported');
  }

  async #getManifest(response: ServerResponse, repository: string, reference: string): Promise<void> {
    const stored = await this.#content.manifest(repository, reference);
    if (stored === undefined) return sendError(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown', { reference });
    response.writeHead(200, {
      'content-type': stored.mediaType,
      'content-length': stored.bytes.length,
      'docker-content-digest': stored.digest,
      etag: `"${stored.digest}"`,
    });
    response.end(stored.bytes);
  }

  async #putManifest(request: IncomingMessage, response: ServerResponse, repository: string, reference: string): Promise<void> {
    const bytes = await readBody(request, MAX_MANIFEST);
    if (bytes === undefined) return sendError(response, 413, 'SIZE_INVALID', `manifest is larger than ${MAX_MANIFEST} bytes`);
    const mediaType = (request.headers['content-type'] ?? mediaTypes.ociManifest).split(';')[0]?.trim() ?? '';
    const result = await this.#content.putManifest(repository, reference, mediaType, bytes);
    if ('refused' in result) return sendError(response, 400, result.refused.code, result.refused.message);
    const { stored, subject } = result;
    response.writeHead(201, {
      location: `/v2/${repository}/manifests/${stored.digest}`,
      'docker-content-digest': stored.digest,
      'content-length': 0,
      ...(subject === undefined || this.#options.referrersApi === false ? {} : { 'oci-subject': subject }),
    });
    response.end();
  }

  async #deleteManifest(response: ServerResponse, repository: string, reference: string): Promise<void> {
    if (await this.#content.deleteManifest(repository, reference)) response.writeHead(202, { 'content-length': 0 }).end();
    else sendError(response, 404, 'MANIFEST_UNKNOWN', 'manifest unknown', { reference });
  }

  async #getBlob(request: IncomingMessage, response: ServerResponse, repository: string, digest: string): Promise<void> {
    if (!isDigest(digest)) return sendError(response, 400, 'DIGEST_INVALID', 'provided digest is not a digest');
    const size = await this.#content.blobSize(repository, digest);
    if (size === undefined) return sendError(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry', { digest });
    const range = parseRange(request.headers.range, size);
    if (range === 'unsatisfiable') {
      response.setHeader('content-range', `bytes */${size}`);
      return sendError(response, 416, 'RANGE_INVALID', 'requested range not satisfiable');
    }
    const { start, end } = range ?? { start: 0, end: size };
    response.writeHead(range === undefined ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': end - start,
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
      etag: `"${digest}"`,
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${size}` }),
    });
    if (request.method === 'HEAD') {
      response.end();
      return undefined;
    }
    return sendBody(response, this.#content.readBlob(digest, start, end));
  }

  async #deleteBlob(response: ServerResponse, repository: string, digest: string): Promise<void> {
    if (isDigest(digest) && (await this.#content.deleteBlob(repository, digest))) response.writeHead(202, { 'content-length': 0 }).end();
    else sendError(response, 404, 'BLOB_UNKNOWN', 'blob unknown to registry', { digest });
  }

  async #tags(response: ServerResponse, repository: string, url: URL): Promise<void> {
    if (!(await this.#content.hasRepository(repository)))
      return sendError(response, 404, 'NAME_UNKNOWN', 'repository name not known to registry', { name: repository });
    return this.#sendPage(response, url, await this.#content.tags(repository), (tags) => ({ name: repository, tags }));
  }

  /** Pages by `n` and `last` (distribution-spec "listing tags"): at most n names after `last`, and a Link when there are more. */
  #sendPage(response: ServerResponse, url: URL, names: readonly string[], body: (page: readonly string[]) => unknown): void {
    const last = url.searchParams.get('last') ?? '';
    const asked = url.searchParams.get('n');
    const limit = asked === null || !/^\d{1,6}$/.test(asked) ? MAX_LIST : Math.min(Number(asked), MAX_LIST);
    const rest = names.filter((name) => last === '' || Buffer.compare(Buffer.from(name), Buffer.from(last)) > 0);
    const page = rest.slice(0, limit);
    const end = page.at(-1);
    if (rest.length > page.length && end !== undefined) {
      response.setHeader('link', `<${url.pathname}?n=${limit}&last=${encodeURIComponent(end)}>; rel="next"`);
    }
    sendJson(response, 200, body(page));
  }

  async #referrers(response: ServerResponse, repository: string, digest: string, url: URL): Promise<void> {
    if (this.#options.referrersApi === false) return sendError(response, 404, 'UNSUPPORTED', 'the operation is unsupported');
    if (!isDigest(digest)) return sendError(response, 400, 'DIGEST_INVALID', 'provided digest is not a digest');
    const artifactType = url.searchParams.get('artifactType');
    const all = await this.#content.referrers(repository, digest);
    if (artifactType !== null) response.setHeader('oci-filters-applied', 'artifactType');
    const manifests = all.filter((entry) => artifactType === null || entry.artifactType === artifactType).map(descriptorJson);
    return sendJson(response, 200, { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }, mediaTypes.ociIndex);
  }
}

function parseRoute(path: string): Route | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path).replace(/\/$/, '');
  } catch {
    return undefined;
  }
  const match = ROUTE.exec(decoded);
  const upload = /^\/v2\/(.+)\/blobs\/(uploads)$/.exec(decoded) ?? /^\/v2\/(.+)\/blobs\/(uploads\/[0-9a-f]+)$/.exec(decoded);
  const route =
    upload === null
      ? { repository: match?.[1] ?? '', kind: match?.[2] ?? '', rest: match?.[3] ?? '' }
      : { repository: upload[1] ?? '', kind: 'blobs', rest: upload[2] ?? '' };
  return route.repository.length <= 255 && NAME.test(route.repository) && !route.rest.includes('..') ? route : undefined;
}

function actionOf(method: string): Action {
  if (method === 'GET' || method === 'HEAD') return 'pull';
  return method === 'DELETE' ? 'delete' : 'push';
}

function parseRange(header: string | undefined, size: number): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  if (match === null || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size : Math.min(size, Number(match[2]) + 1);
  return start >= size || start >= end ? 'unsatisfiable' : { start, end };
}

/** The body, or undefined when it is larger than `limit`; what is too much is read past, so that the client hears the answer. */
async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    if (size <= limit) chunks.push(chunk as Buffer);
    else if (size > limit * 16) break;
  }
  return size > limit ? undefined : Buffer.concat(chunks);
}
