import { GoError } from './go-error.ts';
import { parseIp } from './ip.ts';
import { quote } from './quote.ts';
import { bytesToText, textToBytes } from './text.ts';

/** Who a URL's authority names. */
export type UserInfo = { readonly username: string; readonly password: string | undefined };

/** net/url.URL: components decoded, except `opaque` and `rawQuery`. */
export type GoUrl = {
  scheme: string;
  opaque: string;
  user: UserInfo | undefined;
  /** With the port, if any. */
  host: string;
  path: string;
  /** The path as written, when that is not how it would be escaped. */
  rawPath: string;
  rawQuery: string;
  forceQuery: boolean;
  fragment: string;
  rawFragment: string;
  omitHost: boolean;
};

/** A URL without any component. */
export function emptyUrl(): GoUrl {
  return {
    scheme: '',
    opaque: '',
    user: undefined,
    host: '',
    path: '',
    rawPath: '',
    rawQuery: '',
    forceQuery: false,
    fragment: '',
    rawFragment: '',
    omitHost: false,
  };
}

/** Where in a URL a text stands: decides what is escaped. */
type Place = 'path' | 'host' | 'zone' | 'user' | 'query' | 'fragment';

/** Besides letters, digits and `-_.~`. */
const unescapedIn: Readonly<Record<Place, string>> = {
  path: '$&+,/:;=@',
  host: '!"$&\'()*+,:;<=>[]',
  zone: '!"$&\'()*+,:;<=>[]',
  user: '$&+,;=',
  query: '',
  fragment: '!$&()*+,/:;=?@',
};

function mustEscape(byte: number, place: Place): boolean {
  const char = String.fromCharCode(byte);
  return byte > 0x7f || !(/[A-Za-z0-9\-_.~]/.test(char) || unescapedIn[place].includes(char));
}

function escapeText(text: string, place: Place): string {
  let out = '';
  for (const byte of textToBytes(text)) {
    if (byte === 0x20 && place === 'query') out += '+';
    else if (mustEscape(byte, place)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    else out += String.fromCharCode(byte);
  }
  return out;
}

/** url.QueryEscape. */
export function escapeQuery(text: string): string {
  return escapeText(text, 'query');
}

function badEscape(text: string): GoError {
  return new GoError(`invalid URL escape ${quote(text)}`);
}

function unescapeText(text: string, place: Place): string {
  checkEscapes(text, place);
  if (!text.includes('%')) return text;
  const bytes = Buffer.from(textToBytes(text)).toString('latin1');
  const plain = bytes.replaceAll(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return bytesToText(Buffer.from(plain, 'latin1'));
}

function checkEscapes(text: string, place: Place): void {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (text[at] !== '%') {
      if ((place === 'host' || place === 'zone') && code < 0x80 && mustEscape(code, place)) {
        throw new GoError(`invalid character ${quote(text.charAt(at))} in host name`);
      }
      continue;
    }
    const escaped = sliceThree(text, at);
    if (!/^%[0-9A-Fa-f]{2}$/.test(escaped)) throw badEscape(escaped);
    const byte = Number.parseInt(escaped.slice(1), 16);
    if (place === 'host' && byte < 0x80 && escaped !== '%25') throw badEscape(escaped);
    if (place === 'zone' && escaped !== '%25' && byte !== 0x20 && mustEscape(byte, 'host')) throw badEscape(escaped);
    at += 2;
  }
}

/** Three bytes from `at` on. */
function sliceThree(text: string, at: number): string {
  return bytesToText(textToBytes(text.slice(at, at + 3)).subarray(0, 3));
}

/** url.Parse. Throws a GoError with the library's text: `parse "…": …`. */
export function parseUrl(text: string): GoUrl {
  const [beforeFragment, fragment] = cut(text, '#');
  const url = within(beforeFragment, () => parseWithoutFragment(beforeFragment));
  if (fragment === undefined || fragment === '') return url;
  return within(text, () => {
    url.fragment = unescapeText(fragment, 'fragment');
    if (escapeText(url.fragment, 'fragment') !== fragment) url.rawFragment = fragment;
    return url;
  });
}

function within<T>(text: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`parse ${quote(text)}: ${error.message}`);
    throw error;
  }
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

function parseWithoutFragment(text: string): GoUrl {
  // oxlint-disable-next-line no-control-regex
  if (/[\0-\x1f\x7f]/.test(text)) throw new GoError('net/url: invalid control character in URL');
  const url = emptyUrl();
  if (text === '*') {
    url.path = '*';
    return url;
  }
  let rest = takeScheme(url, text);
  if (rest.endsWith('?') && rest.indexOf('?') === rest.length - 1) {
    url.forceQuery = true;
    rest = rest.slice(0, -1);
  } else {
    const [before, query] = cut(rest, '?');
    rest = before;
    url.rawQuery = query ?? '';
  }
  if (!rest.startsWith('/')) {
    if (url.scheme !== '') {
      url.opaque = rest;
      return url;
    }
    if (cut(rest, '/')[0].includes(':')) throw new GoError('first path segment in URL cannot contain colon');
  }
  if ((url.scheme !== '' || !rest.startsWith('///')) && rest.startsWith('//')) rest = takeAuthority(url, rest.slice(2));
  else if (url.scheme !== '' && rest.startsWith('/')) url.omitHost = true;
  url.path = unescapeText(rest, 'path');
  if (escapeText(url.path, 'path') !== rest) url.rawPath = rest;
  return url;
}

function takeScheme(url: GoUrl, text: string): string {
  if (text.startsWith(':')) throw new GoError('missing protocol scheme');
  const match = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text);
  if (match === null) return text;
  url.scheme = (match[1] ?? '').toLowerCase();
  return text.slice(match[0].length);
}

function takeAuthority(url: GoUrl, text: string): string {
  const slash = text.indexOf('/');
  const authority = slash < 0 ? text : text.slice(0, slash);
  const at = authority.lastIndexOf('@');
  url.host = parseHost(url.scheme, authority.slice(at + 1));
  if (at >= 0) url.user = parseUser(authority.slice(0, at));
  return slash < 0 ? '' : text.slice(slash);
}

function parseUser(text: string): UserInfo {
  if (!/^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(text)) throw new GoError('net/url: invalid userinfo');
  const [username, password] = cut(text, ':');
  const name = unescapeText(username, 'user');
  return { username: name, password: password === undefined ? undefined : unescapeText(password, 'user') };
}

function checkPort(text: string): void {
  if (!/^(?::\d*)?$/.test(text)) throw new GoError(`invalid port ${quote(text)} after host`);
}

function parseHost(scheme: string, host: string): string {
  const bracket = host.lastIndexOf('[');
  if (bracket > 0) throw new GoError('invalid IP-literal');
  if (bracket === 0) return parseLiteral(host);
  const colon = host.indexOf(':');
  if (colon >= 0) checkPort(host.slice(scheme === 'http' || scheme === 'https' ? colon : host.lastIndexOf(':')));
  return unescapeText(host, 'host');
}

function parseLiteral(host: string): string {
  const close = host.lastIndexOf(']');
  if (close < 0) throw new GoError("missing ']' in host");
  const port = host.slice(close + 1);
  checkPort(port);
  const name = host.slice(1, close);
  const zone = name.indexOf('%25');
  const address =
    zone < 0 ? unescapeText(name, 'host') : unescapeText(name.slice(0, zone), 'host') + unescapeText(name.slice(zone), 'zone');
  checkAddress(address);
  return `[${address}]${unescapeText(port, 'host')}`;
}

/** Only an IPv6 address may stand in brackets. */
function checkAddress(text: string): void {
  try {
    if (parseIp(text).bytes.length === 4) throw new GoError('invalid IP-literal');
  } catch (error) {
    if (!(error instanceof GoError) || !error.message.startsWith('ParseAddr')) throw error;
    throw new GoError(`invalid host: ${error.message}`);
  }
}

/** URL.Hostname: without port and brackets. */
export function urlHostname(url: GoUrl): string {
  const host = url.host.replace(/:\d*$/, '');
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** Userinfo.String. */
export function formatUser({ username, password }: UserInfo): string {
  const name = escapeText(username, 'user');
  return password === undefined ? name : `${name}:${escapeText(password, 'user')}`;
}

function escapedPath(url: GoUrl): string {
  if (url.rawPath !== '' && isEscaped(url.rawPath, 'path') && unescapeText(url.rawPath, 'path') === url.path) return url.rawPath;
  return url.path === '*' ? '*' : escapeText(url.path, 'path');
}

function isEscaped(text: string, place: Place): boolean {
  return textToBytes(text).every((byte) => "!$&'()*+,;=:@[]%".includes(String.fromCharCode(byte)) || !mustEscape(byte, place));
}

/** URL.String. */
export function formatUrl(url: GoUrl): string {
  let out = url.scheme === '' ? '' : `${url.scheme}:`;
  out += url.opaque === '' ? formatHierarchy(url, out === '') : url.opaque;
  if (url.forceQuery || url.rawQuery !== '') out += `?${url.rawQuery}`;
  if (url.fragment !== '') {
    const written = url.rawFragment !== '' && isEscaped(url.rawFragment, 'fragment');
    out += `#${written ? url.rawFragment : escapeText(url.fragment, 'fragment')}`;
  }
  return out;
}

function formatHierarchy(url: GoUrl, first: boolean): string {
  let out = '';
  const omitted = url.omitHost && url.host === '' && url.user === undefined;
  if ((url.scheme !== '' || url.host !== '' || url.user !== undefined) && !omitted) {
    if (url.host !== '' || url.path !== '' || url.user !== undefined) out += '//';
    if (url.user !== undefined) out += `${formatUser(url.user)}@`;
    out += escapeText(url.host, 'host');
  }
  const path = escapedPath(url);
  if (path !== '' && !path.startsWith('/') && url.host !== '') out += '/';
  if (first && out === '' && cut(path, '/')[0].includes(':')) out += './';
  return out + path;
}
