import { emptyUrl, formatUrl, parseUrl, type GoUrl } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';

/**
 * A URL in an index seen from the repository: a relative one is below it and takes over its query.
 * @throws CodedError `IndexInvalid` with Helm's text
 */
export function resolveReferenceUrl(base: string, reference: string): string {
  const to = parsed(reference);
  if (to.scheme !== '') return reference;
  const from = parsed(base);
  const elsewhere = to.host !== '' || to.user !== undefined;
  const { host, user } = elsewhere ? to : from;
  const origin = formatUrl({ ...emptyUrl(), scheme: from.scheme, host, user });
  const path = elsewhere ? resolvePath(escapedPath(to), '') : resolvePath(`${escapedPath(from).replace(/\/$/, '')}/`, escapedPath(to));
  const query = from.rawQuery === '' ? '' : `?${from.rawQuery}`;
  return origin + path + query + formatUrl({ ...emptyUrl(), fragment: to.fragment, rawFragment: to.rawFragment });
}

function parsed(text: string): GoUrl {
  try {
    return parseUrl(text);
  } catch (error) {
    throw helmError('IndexInvalid', `failed to parse ${text} as URL: ${errorMessage(error)}`, { subject: text, cause: error });
  }
}

/** URL.EscapedPath: what a URL without a host shows after its scheme. */
function escapedPath({ path, rawPath }: GoUrl): string {
  return formatUrl({ ...emptyUrl(), scheme: 'x', path, rawPath, omitHost: true }).slice('x:'.length);
}

/** RFC 3986, section 5.2.4: `.` and `..` are resolved, none leads out of the root. */
function resolvePath(base: string, reference: string): string {
  const full = reference === '' || reference.startsWith('/') ? reference || base : base.slice(0, base.lastIndexOf('/') + 1) + reference;
  if (full === '') return '';
  const out: string[] = [];
  const segments = full.replace(/^\//, '').split('/');
  for (const segment of segments) {
    if (segment === '..') out.pop();
    else if (segment !== '.') out.push(segment);
  }
  const last = segments.at(-1);
  if (out.length > 0 && (last === '.' || last === '..')) out.push('');
  return `/${out.join('/')}`;
}
