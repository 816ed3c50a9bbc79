/** A repository named by a URL or in git's short forms, with the folder in it and the query of the reference. */
export type RepoUrl = {
  /** The text as the user wrote it. */
  readonly raw: string;
  /** What git would be given to clone. */
  readonly clone: string;
  /** The folder in the repository; `` is its root. */
  readonly path: string;
  /** Branch, tag or commit; `` is the default branch. */
  readonly ref: string;
};

/** True for an http(s) URL: a file is tried there first. */
export function isRemoteFile(path: string): boolean {
  return /^https?:/i.test(path);
}

/** Reads a path as the URL of a repository, as kustomize does; undefined when it is none. */
export function parseRepoUrl(raw: string): RepoUrl | undefined {
  if (raw.startsWith('/')) return undefined;
  const question = raw.indexOf('?');
  const query = new URLSearchParams(question < 0 ? '' : raw.slice(question + 1));
  const host = splitHost(question < 0 ? raw : raw.slice(0, question));
  if (host === undefined) return undefined;
  const parts = splitRepo(host.rest, host.host.startsWith('file://'));
  if (parts === undefined || parts.repo === '') return undefined;
  const path = parts.path.replace(/^\//, '');
  if (exits(path)) return undefined;
  return { raw, clone: host.host + parts.repo, path, ref: query.get('ref') || query.get('version') || '' };
}

const SCHEMES: readonly string[] = ['ssh://', 'https://', 'http://', 'file://'];

function splitHost(text: string): { host: string; rest: string } | undefined {
  const unforced = text.replace(/^git::/i, '');
  const scheme = SCHEMES.find((each) => unforced.slice(0, each.length).toLowerCase() === each) ?? '';
  const afterScheme = unforced.slice(scheme.length);
  const user = /^[a-zA-Z][a-zA-Z0-9-]*@/.exec(afterScheme)?.[0] ?? '';
  const rest = afterScheme.slice(user.length);
  const github = /^github\.com[/:]/i.test(rest);
  const shortForm = scheme === '' && (user !== '' || github);
  if (scheme === '' && !shortForm) return undefined;
  if (scheme === 'file://') return { host: scheme, rest: user + rest };
  const end = separator(rest, shortForm);
  const host = end < 0 ? rest : rest.slice(0, end + 1);
  const after = end < 0 ? '' : rest.slice(end + 1);
  if (github) return { host: scheme === 'ssh://' || user !== '' ? `${user}github.com:` : 'https://github.com/', rest: after };
  return host === '' ? undefined : { host: scheme + user + host, rest: after };
}

function separator(text: string, shortForm: boolean): number {
  const slash = text.indexOf('/');
  const colon = shortForm ? text.indexOf(':') : -1;
  if (!shortForm) return slash;
  return slash < 0 || (colon > 0 && colon < slash) ? colon : slash;
}

function splitRepo(text: string, wholePath: boolean): { repo: string; path: string } | undefined {
  const azure = text.indexOf('_git/');
  if (azure >= 0) {
    const [name = '', ...path] = text.slice(azure + 5).split('/');
    return { repo: text.slice(0, azure + 5) + name, path: path.join('/') };
  }
  const double = text.indexOf('//');
  if (double >= 0) return { repo: text.slice(0, double), path: text.slice(double + 2) };
  const suffix = text.indexOf('.git');
  if (suffix >= 0) return { repo: text.slice(0, suffix + 4), path: text.slice(suffix + 4) };
  if (wholePath) return { repo: text, path: '' };
  const parts = text.split('/');
  return parts.length < 2 ? undefined : { repo: parts.slice(0, 2).join('/'), path: parts.slice(2).join('/') };
}

function exits(path: string): boolean {
  let depth = 0;
  for (const part of path.split('/')) {
    if (part === '..') depth -= 1;
    else if (part !== '' && part !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}
