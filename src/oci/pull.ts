import { type Digest, digestAlgorithm, digestOf, isCodedError, isDigest, readBounded } from '../std/index.ts';
import type { Descriptor, FetchedManifest } from './descriptor.ts';
import { isRegistryError, RegistryError } from './errors.ts';
import { type Answer, header, transportError } from './http.ts';
import { parseManifest } from './manifest.ts';
import { manifestAccept } from './media-types.ts';
import { formatReference, type Reference, referenceKey } from './reference.ts';
import type { Session } from './session.ts';

/**
 * What a reference points to (OB12): HEAD, and GET when HEAD fails or does not say enough.
 * @param name the reference as the user knows it, for errors (the endpoint may be a mirror)
 */
export async function resolve(session: Session, reference: Reference, name: string, signal: AbortSignal): Promise<Descriptor> {
  try {
    const answer = await session.send(
      {
        method: 'HEAD',
        repository: reference,
        path: `manifests/${referenceKey(reference)}`,
        actions: 'pull',
        headers: { accept: manifestAccept },
        accept: [200],
        what: `resolve ${JSON.stringify(name)}`,
        subject: name,
      },
      signal,
    );
    await answer.discard();
    const descriptor = fromHeaders(answer, reference);
    if (descriptor !== undefined) return descriptor;
  } catch (error) {
    // Only an answer is worth a GET, which brings the registry's own words with it; one that asks us to wait is obeyed.
    if (!isRegistryError(error) || error.status === undefined || error.code === 'TooManyRequests') throw error;
  }
  return (await fetchManifest(session, reference, name, signal)).descriptor;
}

function fromHeaders(answer: Answer, reference: Reference): Descriptor | undefined {
  const digest = header(answer.headers, 'docker-content-digest');
  const mediaType = header(answer.headers, 'content-type')?.split(';')[0]?.trim();
  const length = header(answer.headers, 'content-length') ?? '';
  if (digest === undefined || !isDigest(digest) || mediaType === undefined || !/^\d{1,15}$/.test(length)) return undefined;
  if (reference.digest !== undefined && reference.digest !== digest) return undefined;
  return { mediaType, digest, size: Number(length) };
}

/** Fetches a manifest or index by tag or digest. The bytes are kept as they came and hashed here; what headers say is only compared. */
export async function fetchManifest(session: Session, reference: Reference, name: string, signal: AbortSignal): Promise<FetchedManifest> {
  const what = `fetch manifest ${JSON.stringify(name)}`;
  const answer = await session.send(
    {
      method: 'GET',
      repository: reference,
      path: `manifests/${referenceKey(reference)}`,
      actions: 'pull',
      headers: { accept: manifestAccept },
      accept: [200],
      what,
      subject: name,
    },
    signal,
  );
  const bytes = await readAnswer(answer, session.wire.limits.manifestBytes, what, name, signal);
  const stated = header(answer.headers, 'docker-content-digest');
  const promised = reference.digest ?? (stated !== undefined && isDigest(stated) ? stated : undefined);
  const digest = checkDigest(bytes, promised, what, name);
  const manifest = parseManifest(bytes, header(answer.headers, 'content-type'), name);
  return { descriptor: { mediaType: manifest.mediaType, digest, size: bytes.length }, bytes, manifest };
}

function checkDigest(bytes: Uint8Array, promised: Digest | undefined, what: string, name: string): Digest {
  const digest = digestOf(bytes, promised === undefined ? 'sha256' : digestAlgorithm(promised));
  if (promised === undefined || promised === digest) return digest;
  throw new RegistryError({
    code: 'DigestMismatch',
    message: `${what}: digest mismatch: got ${digest}, want ${promised}`,
    subject: name,
    retryable: true,
  });
}

/** Reads an answer's body, at most `limit` bytes; a stated length must hold. */
export async function readAnswer(answer: Answer, limit: number, what: string, subject: string, signal: AbortSignal): Promise<Uint8Array> {
  const stated = header(answer.headers, 'content-length');
  if (stated !== undefined && Number(stated) > limit) {
    await answer.discard();
    throw new RegistryError({
      code: 'LimitExceeded',
      message: `${what}: ${stated} bytes are more than the allowed ${limit}`,
      subject,
      retryable: false,
    });
  }
  try {
    return await readBounded(answer.body, limit, subject);
  } catch (error) {
    if (isCodedError(error, 'LimitExceeded')) {
      throw new RegistryError({
        code: 'LimitExceeded',
        message: `${what}: more than the allowed ${limit} bytes`,
        subject,
        cause: error,
        retryable: false,
      });
    }
    throw transportError(error, what, subject, signal);
  }
}

/** `host/path:tag` with the digest shown when that is what is asked for. */
export function nameOf(reference: Reference): string {
  return formatReference(reference);
}
