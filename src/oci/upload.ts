import { digestAlgorithm, Digester, digestOf } from '../std/index.ts';
import { hasBlob } from './blobs.ts';
import type { Blob, PushBlobOptions } from './client-types.ts';
import type { Descriptor } from './descriptor.ts';
import { isRegistryError, RegistryError } from './errors.ts';
import { type Answer, header } from './http.ts';
import { isOutage } from './places.ts';
import { formatRepository, type Repository } from './reference.ts';
import type { RegistryRequest, Session } from './session.ts';

/** Times a whole upload is started over when its session is lost. */
const UPLOAD_TRIES = 3;
/** Smallest and largest piece of a chunked upload. */
const MIN_CHUNK = 64 * 1024;
const MAX_CHUNK = 256 * 1024 * 1024;

type Source = { descriptor: Descriptor; open: () => AsyncIterable<Uint8Array>; bytes: Uint8Array | undefined };

/** Uploads a blob unless it is there already (distribution-spec "pushing blobs"): mount, one PUT, or pieces by PATCH. */
export async function pushBlob(
  session: Session,
  repository: Repository,
  blob: Blob,
  options: PushBlobOptions,
  signal: AbortSignal,
): Promise<Descriptor> {
  const source = toSource(blob);
  const { descriptor } = source;
  if (await hasBlob(session, repository, descriptor.digest, 'pull,push', signal)) return descriptor;
  const what = `push blob ${JSON.stringify(descriptor.digest)} to ${JSON.stringify(formatRepository(repository))}`;
  for (let tries = 1; ; tries++) {
    const started = await startUpload(session, repository, descriptor, tries === 1 ? options.mountFrom : undefined, what, signal);
    if (started === undefined) return descriptor;
    const { location, smallestChunk } = started;
    try {
      if (options.chunkBytes === undefined) await putWhole(session, repository, source, location, what, signal);
      else
        await putPieces(
          session,
          repository,
          source,
          location,
          Math.min(MAX_CHUNK, Math.max(MIN_CHUNK, smallestChunk, options.chunkBytes)),
          what,
          signal,
        );
      return descriptor;
    } catch (error) {
      // 404 or 416: the upload session is gone or out of step; only starting over helps.
      const lost = isRegistryError(error) && (error.status === 404 || error.status === 416);
      if (!lost || tries >= UPLOAD_TRIES) throw error;
    }
  }
}

function toSource(blob: Blob): Source {
  if ('bytes' in blob) {
    const { bytes, mediaType } = blob;
    return { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes, open: () => once(bytes) };
  }
  return { descriptor: { mediaType: blob.mediaType, digest: blob.digest, size: blob.size }, bytes: undefined, open: blob.open };
}

// oxlint-disable-next-line typescript/require-await -- a stream of one chunk
async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Starts an upload; undefined when the blob was mounted and nothing is left to do. */
async function startUpload(
  session: Session,
  repository: Repository,
  descriptor: Descriptor,
  mountFrom: Repository | undefined,
  what: string,
  signal: AbortSignal,
): Promise<{ location: URL; smallestChunk: number } | undefined> {
  const mount =
    mountFrom !== undefined && mountFrom.registry === repository.registry && mountFrom.path !== repository.path ? mountFrom : undefined;
  const query = mount === undefined ? '' : `?mount=${encodeURIComponent(descriptor.digest)}&from=${encodeURIComponent(mount.path)}`;
  const request: RegistryRequest = {
    method: 'POST',
    repository,
    path: `blobs/uploads/${query}`,
    actions: 'pull,push',
    ...(mount === undefined ? {} : { scopes: [`repository:${mount.path}:pull`] }),
    body: { bytes: new Uint8Array() },
    accept: [201, 202],
    what,
    subject: descriptor.digest,
  };
  const answer = await session.send(request, signal);
  await answer.discard();
  if (answer.status === 201) return undefined;
  const smallest = header(answer.headers, 'oci-chunk-min-length') ?? '';
  return { location: uploadLocation(answer, what, descriptor.digest), smallestChunk: /^\d{1,10}$/.test(smallest) ? Number(smallest) : 0 };
}

function uploadLocation(answer: Answer, what: string, subject: string): URL {
  const location = header(answer.headers, 'location');
  const url = location === undefined ? null : URL.parse(location, answer.url.href);
  if (
    url === null ||
    (url.protocol !== 'https:' && url.protocol !== 'http:') ||
    (url.protocol === 'http:' && answer.url.protocol === 'https:')
  ) {
    throw new RegistryError({ code: 'RedirectRefused', message: `${what}: the registry gave no usable upload location`, subject });
  }
  return url;
}

async function putWhole(
  session: Session,
  repository: Repository,
  source: Source,
  location: URL,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const { descriptor, bytes, open } = source;
  const url = new URL(location);
  url.searchParams.set('digest', descriptor.digest);
  const answer = await session.send(
    {
      method: 'PUT',
      repository,
      path: url,
      actions: 'pull,push',
      headers: { 'content-type': 'application/octet-stream' },
      body: bytes === undefined ? { size: descriptor.size, open } : { bytes },
      accept: [201, 204],
      what,
      subject: descriptor.digest,
    },
    signal,
  );
  await answer.discard();
}

async function putPieces(
  session: Session,
  repository: Repository,
  source: Source,
  start: URL,
  size: number,
  what: string,
  signal: AbortSignal,
): Promise<void> {
  const digester = new Digester(digestAlgorithm(source.descriptor.digest));
  let location = start;
  let sent = 0;
  for await (const piece of pieces(source.open(), size)) {
    digester.update(piece);
    location = await putPiece(session, repository, location, piece, sent, what, source.descriptor.digest, signal);
    sent += piece.length;
  }
  if (sent !== source.descriptor.size || digester.digest() !== source.descriptor.digest) {
    throw new RegistryError({
      code: 'DigestMismatch',
      message: `${what}: the content read for the upload is not what its digest says`,
      subject: source.descriptor.digest,
      retryable: false,
    });
  }
  await putWhole(session, repository, { ...source, bytes: new Uint8Array() }, location, what, signal);
}

/** Where the next piece starts. */
type UploadState = { location: URL; received: number };

/**
 * Sends one piece. When the registry is out of step, or the connection broke too often, it is asked how far it is, and gets what is
 * missing (distribution-spec "pushing a blob in chunks"); the last error stands when that does not help.
 */
async function putPiece(
  session: Session,
  repository: Repository,
  start: URL,
  piece: Uint8Array,
  from: number,
  what: string,
  subject: string,
  signal: AbortSignal,
): Promise<URL> {
  let at: UploadState = { location: start, received: from };
  for (let resumes = 0; ; resumes++) {
    try {
      return await patch(session, repository, at, piece.subarray(at.received - from), what, subject, signal);
    } catch (error) {
      const outOfStep = isRegistryError(error) && (error.status === 416 || isOutage(error));
      if (!outOfStep || signal.aborted || resumes >= session.wire.limits.resumes) throw error;
      const state = await uploadState(session, repository, at.location, what, subject, signal);
      const end = from + piece.length;
      if (state === undefined || state.received < from || state.received > end) throw error;
      if (state.received === end) return state.location;
      at = state;
    }
  }
}

async function patch(
  session: Session,
  repository: Repository,
  { location, received }: UploadState,
  bytes: Uint8Array,
  what: string,
  subject: string,
  signal: AbortSignal,
): Promise<URL> {
  const answer = await session.send(
    {
      method: 'PATCH',
      repository,
      path: location,
      actions: 'pull,push',
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${received}-${received + bytes.length - 1}` },
      body: { bytes },
      accept: [202],
      what,
      subject,
    },
    signal,
  );
  await answer.discard();
  return uploadLocation(answer, what, subject);
}

/** How far the registry is with an upload; undefined when it does not say. */
async function uploadState(
  session: Session,
  repository: Repository,
  location: URL,
  what: string,
  subject: string,
  signal: AbortSignal,
): Promise<UploadState | undefined> {
  const answer = await session.send(
    { method: 'GET', repository, path: location, actions: 'pull,push', accept: [204], what, subject },
    signal,
  );
  await answer.discard();
  const end = /^(?:bytes=)?0-(\d{1,15})$/.exec(header(answer.headers, 'range') ?? '')?.[1];
  if (end === undefined) return undefined;
  // `0-0` is what registries say of an upload without a byte; pieces are longer than one.
  return { location: uploadLocation(answer, what, subject), received: end === '0' ? 0 : Number(end) + 1 };
}

/** Cuts a stream into pieces of exactly `size` bytes, the last one shorter. */
async function* pieces(source: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let pending: Uint8Array[] = [];
  let length = 0;
  for await (let chunk of source) {
    while (length + chunk.length >= size) {
      const take = size - length;
      pending.push(chunk.subarray(0, take));
      yield Buffer.concat(pending);
      chunk = chunk.subarray(take);
      pending = [];
      length = 0;
    }
    if (chunk.length > 0) pending.push(chunk);
    length += chunk.length;
  }
  if (length > 0) yield Buffer.concat(pending);
}
