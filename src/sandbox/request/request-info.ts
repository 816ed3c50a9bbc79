/** What an API request is about, read off its method and path as the API server's RequestInfo does. */
export type RequestInfo = { isResource: false; path: string; verb: string } | ResourceInfo;

/** A request about a resource. */
export type ResourceInfo = {
  isResource: true;
  path: string;
  verb: Verb;
  group: string;
  version: string;
  /** Empty for cluster-scoped kinds and for all namespaces. */
  namespace: string;
  plural: string;
  /** Empty for a collection. */
  name: string;
  /** Empty for the object itself. */
  subresource: string;
};

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

const VERBS: Readonly<Record<string, Verb>> = { GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

/** Reads a request's method, path and query. */
export function requestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const verb = VERBS[method] ?? 'get';
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const [prefix] = parts;
  const rest = prefix === 'api' ? parts.slice(1) : prefix === 'apis' ? parts.slice(2) : [];
  const [version = '', ...tail] = rest;
  if (tail.length === 0) return { isResource: false, path, verb: method.toLowerCase() };
  const group = prefix === 'api' ? '' : (parts[1] ?? '');
  let namespace = '';
  // `/namespaces/x` alone is the object x; with more behind it, x is where the rest lives. Its own subresources stay its own.
  if (tail[0] === 'namespaces' && tail.length > 1) {
    namespace = tail[1] ?? '';
    if (tail.length > 2 && tail[2] !== 'status' && tail[2] !== 'finalize') tail.splice(0, 2);
    else if (group === '') namespace = '';
  }
  const [plural = '', name = '', ...sub] = tail;
  const info = { isResource: true as const, path, group, version, namespace, plural, name, subresource: sub.join('/') };
  return { ...info, verb: collectionVerb(verb, name, query) };
}

function collectionVerb(verb: Verb, name: string, query: URLSearchParams): Verb {
  const watch = query.get('watch');
  const watching = watch !== null && watch !== 'false' && watch !== '0';
  if (name !== '') return verb;
  if (verb === 'get' && watching) return 'watch';
  if (verb === 'get') return 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // a stray `%`: such a name exists nowhere, and the answer says so
  }
}
