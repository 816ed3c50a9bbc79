import { type Digest, digestAlgorithm, digestHex } from '../std/index.ts';
import type { Descriptor } from './descriptor.ts';
import { isRegistryError, RegistryError } from './errors.ts';
import { type Answer, header } from './http.ts';
import { parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';
import { fetchManifest, readAnswer } from './pull.ts';
import { formatRepository, isTag, type Repository, tagged } from './reference.ts';
import type { Session } from './session.ts';

/** Tags asked for at once; the largest page every known registry grants. */
const PAGE = 1000;

/** Every tag of a repository, following `Link: …; rel="next"` within the registry (distribution-spec "listing tags", OB10). */
export async function listTags(session: Session, repository: Repository, name: string, signal: AbortSignal): Promise<string[]> {
  const what = `list tags of ${JSON.stringify(name)}`;
  const tags: string[] = [];
  const limits = session.wire.limits;
  for await (const page of pages(session, repository, `tags/list?n=${PAGE}`, 'application/json', [200], what, name, signal)) {
    for (const tag of readTags(page.bytes, what, name)) if (isTag(tag)) tags.push(tag);
    if (tags.length > limits.listItems) throw tooMany(what, name, `more than ${limits.listItems} tags`);
  }
  return tags;
}

function readTags(bytes: Uint8Array, what: string, subject: string): string[] {
  const value = parseJson(bytes);
  const tags: unknown = typeof value === 'object' && value !== null && 'tags' in value ? value.tags : undefined;
  if (tags === null) return [];
  if (!Array.isArray(tags))
    throw new RegistryError({ code: 'ManifestInvalid', message: `${what}: the answer has no list of tags`, subject });
  return tags.filter((tag) => typeof tag === 'string');
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function tooMany(what: string, subject: string, cause: string): RegistryError {
  return new RegistryError({ code: 'LimitExceeded', message: `${what}: ${cause}`, subject, retryable: false });
}

/** Yields each page of a list, its bytes bounded; `limits.pages` at most, and never outside the registry. */
async function* pages(
  session: Session,
  repository: Repository,
  path: string,
  type: string,
  accept: readonly number[],
  what: string,
  subject: string,
  signal: AbortSignal,
): AsyncGenerator<{ answer: Answer; bytes: Uint8Array }> {
  const { limits } = session.wire;
  let next: string | URL = path;
  for (let count = 0; ; count++) {
    if (count >= limits.pages) throw tooMany(what, subject, `more than ${limits.pages} pages`);
    const answer: Answer = await session.send(
      { method: 'GET', repository, path: next, actions: 'pull', headers: { accept: type }, accept, what, subject },
      signal,
    );
    yield { answer, bytes: await readAnswer(answer, limits.pageBytes, what, subject, signal) };
    const link = answer.status === 200 ? nextLink(answer, what, subject) : undefined;
    if (link === undefined) return;
    next = link;
  }
}

/**
 * The target of `Link: <…>; rel="next"` (RFC 8288), always at the registry itself: behind a gateway a registry writes the scheme and the host
 * it knows itself by.
 * @throws RegistryError `RedirectRefused` for a link that leads somewhere else, `LimitExceeded` for one that leads nowhere
 */
function nextLink(answer: Answer, what: string, subject: string): URL | undefined {
  const value = answer.headers['link'];
  for (const text of Array.isArray(value) ? value : [value ?? '']) {
    const match = /<([^<>]{1,4096})>\s*(?:;[^,]*\brel="?next"?|;?\s*(?:,|$))/i.exec(text);
    const link = match?.[1] === undefined ? null : URL.parse(match[1], answer.url.href);
    if (link === null) continue;
    const home = new URL(answer.url.origin);
    home.pathname = link.pathname;
    home.search = link.search;
    if (link.hostname !== answer.url.hostname && link.pathname !== answer.url.pathname) {
      const message = `${what}: the next page is at another host, ${JSON.stringify(link.host)}`;
      throw new RegistryError({ code: 'RedirectRefused', message, subject, retryable: false });
    }
    if (home.href === answer.url.href) throw tooMany(what, subject, 'the next page is this page again');
    return home;
  }
  return undefined;
}

/** The tag under which referrers are listed where the referrers API is missing (distribution-spec "referrers tag schema"). */
export function referrersTag(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`.slice(0, 128);
}

/**
 * Manifests that name `digest` as their subject: by the referrers API, or from the referrers tag where the registry has no such API
 * (distribution-spec "listing referrers"). Filtered by type here too: a registry need not do it.
 */
export async function referrers(
  session: Session,
  repository: Repository,
  digest: Digest,
  artifactType: string | undefined,
  signal: AbortSignal,
): Promise<Descriptor[]> {
  const name = `${formatRepository(repository)}@${digest}`;
  const found =
    (await referrersByApi(session, repository, digest, artifactType, name, signal)) ??
    (await referrersByTag(session, repository, digest, name, signal));
  return found.filter((entry) => artifactType === undefined || entry.artifactType === artifactType);
}

async function referrersByApi(
  session: Session,
  repository: Repository,
  digest: Digest,
  artifactType: string | undefined,
  name: string,
  signal: AbortSignal,
): Promise<Descriptor[] | undefined> {
  const what = `list referrers of ${JSON.stringify(name)}`;
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const found: Descriptor[] = [];
  try {
    for await (const { answer, bytes } of pages(
      session,
      repository,
      `referrers/${digest}${query}`,
      mediaTypes.ociIndex,
      [200],
      what,
      name,
      signal,
    )) {
      if (header(answer.headers, 'content-type')?.split(';')[0]?.trim() !== mediaTypes.ociIndex) return undefined;
      const index = parseManifest(bytes, mediaTypes.ociIndex, name);
      if (index.kind !== 'index') return undefined;
      found.push(...index.manifests);
      if (found.length > session.wire.limits.listItems) throw tooMany(what, name, `more than ${session.wire.limits.listItems} referrers`);
    }
  } catch (error) {
    if (isRegistryError(error, 'NotFound', 'Unsupported', 'RequestRefused')) return undefined;
    throw error;
  }
  return found;
}

async function referrersByTag(
  session: Session,
  repository: Repository,
  digest: Digest,
  name: string,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  try {
    const { manifest } = await fetchManifest(
      session,
      tagged(repository, referrersTag(digest)),
      `${formatRepository(repository)}:${referrersTag(digest)}`,
      signal,
    );
    return manifest.kind === 'index' ? manifest.manifests : [];
  } catch (error) {
    if (isRegistryError(error, 'NotFound')) return [];
    throw new RegistryError({
      code: isRegistryError(error) ? error.code : 'RegistryUnavailable',
      message: `list referrers of ${JSON.stringify(name)}: ${error instanceof Error ? error.message : String(error)}`,
      subject: name,
      cause: error,
    });
  }
}
