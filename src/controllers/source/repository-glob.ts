import { GoRegexp, quoteMeta } from '../../golang/index.ts';
import { formatRepository, type Repository } from '../../oci/index.ts';
import { CodedError, errorMessage } from '../../std/index.ts';

/** Whether a text matches a glob, wholly. */
export type TextGlob = (text: string) => boolean;

/** Characters of one glob. */
const MAX_GLOB = 512;
const REPOSITORY = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.*?_-]+)(:[0-9*?]+)?(\/[A-Za-z0-9.*?_-]+)*$/;
const NAMESPACE = /^[a-z0-9*?-]+$/;
const DOCKER_HUB = 'index.docker.io/';

/**
 * A glob over `host/path`: `*` and `?` stay within a part, `**` goes across slashes, everything else is itself. Matching takes time linear
 * in the text, whatever the glob.
 * @throws CodedError `GlobInvalid`
 */
export function parseRepositoryGlob(text: string): TextGlob {
  if (!REPOSITORY.test(text) || text.length > MAX_GLOB)
    throw invalid(text, 'host/path such as ghcr.io/org/**, without oci://, tag or digest');
  return compile(text.toLowerCase());
}

/** A glob over the name of a namespace. @throws CodedError `GlobInvalid` */
export function parseNamespaceGlob(text: string): TextGlob {
  if (!NAMESPACE.test(text) || text.length > MAX_GLOB) throw invalid(text, 'a name such as team-*');
  return compile(text);
}

function compile(text: string): TextGlob {
  const parts = text.match(/\*{2,}|[*?]|[^*?]+/g) ?? [];
  const source = parts.map((part) => (part === '*' ? '[^/]*' : part === '?' ? '[^/]' : part.startsWith('*') ? '.*' : quoteMeta(part)));
  try {
    const whole = GoRegexp.compile(String.raw`(?s)\A(?:${source.join('')})\z`);
    return (value) => whole.test(value);
  } catch (error) {
    throw invalid(text, errorMessage(error));
  }
}

/**
 * What a repository is called: hosts are the same in any case, as addresses however they are written, and with the port their scheme has
 * anyway; Docker Hub has two names. A glob that matches one of them means the repository.
 */
export function repositoryNames(repository: Repository): readonly string[] {
  const name = formatRepository(repository).toLowerCase();
  // As the request will write it.
  const hosts = ['https', 'http'].flatMap((scheme) => URL.parse(`${scheme}://${repository.registry}`)?.host ?? []);
  const names = [...new Set([name, ...hosts.map((host) => `${host}/${repository.path}`)])];
  if (name.startsWith(DOCKER_HUB)) names.push(`docker.io/${name.slice(DOCKER_HUB.length)}`);
  return names;
}

function invalid(text: string, want: string): CodedError<'GlobInvalid'> {
  return new CodedError({
    code: 'GlobInvalid',
    message: `read glob ${JSON.stringify(text.slice(0, 200))}: want ${want}`,
    subject: text.slice(0, 200),
    retryable: false,
  });
}
