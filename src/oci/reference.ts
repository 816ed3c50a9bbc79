import { type Digest, isDigest } from '../std/index.ts';
import { RegistryError } from './errors.ts';

/** Where manifests and blobs live: `registry` is host[:port] (docker.io is `index.docker.io`), `path` the repository's name. */
export type Repository = { registry: string; path: string };

/** A repository with a tag, a digest or both; with neither it means the tag `latest`. When both are present the digest decides. */
export type Reference = Repository & { tag?: string; digest?: Digest };

const DOCKER_HUB = 'index.docker.io';
const DOCKER_HUB_ALIASES = new Set(['', 'docker.io', DOCKER_HUB]);
const REPOSITORY_CHARACTERS = /^[a-z0-9_\-./]*$/;
// distribution-spec "pull": components separated by one slash; separators inside a component are `.`, `_`, `__` or dashes.
const REPOSITORY_NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const HOST = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)(?::(\d{1,5}))?$/;
/** No reference is longer: 255 for the name, 128 for the tag, the digest, and a host. */
const MAX_REFERENCE = 1024;

function invalid(what: string, text: string, cause: string): RegistryError {
  const shown = text.slice(0, 300);
  return new RegistryError({
    code: 'ReferenceInvalid',
    message: `parse ${what} ${JSON.stringify(shown)}: ${cause}`,
    subject: shown,
    retryable: false,
  });
}

/**
 * Parses a repository, with or without `oci://`. Names follow go-containerregistry: the first part is a host when it has a `.` or
 * a `:` (or is `localhost`); otherwise, and for `docker.io`, the registry is `index.docker.io` and one-part names get `library/`.
 * A tag or a digest is refused (OB04).
 * @throws RegistryError `ReferenceInvalid`
 */
export function parseRepository(text: string): Repository {
  const name = text.startsWith('oci://') ? text.slice('oci://'.length) : text;
  if (name === '') throw invalid('repository', text, 'a repository name must be specified');
  if (name.length > MAX_REFERENCE) throw invalid('repository', text, `longer than ${MAX_REFERENCE} characters`);
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost';
  const path = isHost ? name.slice(slash + 1) : name;
  const registry = isHost ? first : '';
  if (path.length < 2 || path.length > 255)
    throw invalid('repository', text, `repository must be between 2 and 255 characters in length: ${path.slice(0, 300)}`);
  if (!REPOSITORY_CHARACTERS.test(path)) {
    throw invalid('repository', text, `repository can only contain the characters \`abcdefghijklmnopqrstuvwxyz0123456789_-./\`: ${path}`);
  }
  if (!REPOSITORY_NAME.test(path)) throw invalid('repository', text, `${JSON.stringify(path)} is not a repository name`);
  if (DOCKER_HUB_ALIASES.has(registry)) return { registry: DOCKER_HUB, path: path.includes('/') ? path : `library/${path}` };
  return { registry: parseRegistry(registry, text), path };
}

function parseRegistry(registry: string, text: string): string {
  const match = HOST.exec(registry);
  const port = match?.[1];
  if (match === null || (port !== undefined && Number(port) > 65_535)) {
    throw invalid('repository', text, `registries must be valid RFC 3986 URI authorities: ${registry}`);
  }
  return registry;
}

/**
 * Parses `[oci://][host[:port]/]path[:tag][@digest]`.
 * @throws RegistryError `ReferenceInvalid`
 */
export function parseReference(text: string): Reference {
  const name = text.startsWith('oci://') ? text.slice('oci://'.length) : text;
  const at = name.indexOf('@');
  const digest = at < 0 ? undefined : name.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw invalid('reference', text, `unsupported digest: ${digest.slice(0, 200)}`);
  const rest = at < 0 ? name : name.slice(0, at);
  // A colon before the last slash belongs to the host's port.
  const colon = rest.lastIndexOf(':');
  const hasTag = colon >= 0 && !rest.slice(colon).includes('/');
  const tag = hasTag ? rest.slice(colon + 1) : undefined;
  if (tag !== undefined && !TAG.test(tag))
    throw invalid('reference', text, tag === '' ? 'must specify a tag name after the colon' : `not a tag: ${tag.slice(0, 200)}`);
  const repository = parseRepository(hasTag ? rest.slice(0, colon) : rest);
  return { ...repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** True when `text` is a well-formed tag. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** `host/path`. */
export function formatRepository(repository: Repository): string {
  return `${repository.registry}/${repository.path}`;
}

/** `host/path[:tag][@digest]`; a reference with neither shows the tag `latest`. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag ?? (reference.digest === undefined ? 'latest' : undefined);
  return `${formatRepository(reference)}${tag === undefined ? '' : `:${tag}`}${reference.digest === undefined ? '' : `@${reference.digest}`}`;
}

/** What the reference is asked for by: the digest when there is one, else the tag, else `latest`. */
export function referenceKey(reference: Reference): string {
  return reference.digest ?? reference.tag ?? 'latest';
}

/** The tag of a repository, whatever else the given value refers to. */
export function tagged(repository: Repository, tag: string): Reference {
  return { registry: repository.registry, path: repository.path, tag };
}

/** A digest in a repository, whatever else the given value refers to. */
export function digested(repository: Repository, digest: Digest): Reference {
  return { registry: repository.registry, path: repository.path, digest };
}
