import {
  anyMapType,
  emptyUrl,
  formatUrl,
  formatUser,
  GoError,
  goKind,
  goMap,
  parseUrl,
  stringType,
  urlHostname,
  type GoMap,
  type GoUrl,
} from '../../golang/index.ts';
import { fn, map, nilDereference, text, type Functions } from './define.ts';
import type { Providers } from './providers.ts';

function parse(value: string, what: string): GoUrl {
  try {
    return parseUrl(value);
  } catch (error) {
    if (error instanceof GoError) throw new GoError(`unable to parse ${what}: ${error.message}`);
    throw error;
  }
}

function urlParts(value: string): GoMap {
  const url = parse(value, 'url');
  return goMap([
    ['scheme', url.scheme],
    ['host', url.host],
    ['hostname', urlHostname(url)],
    ['path', url.path],
    ['query', url.rawQuery],
    ['opaque', url.opaque],
    ['fragment', url.fragment],
    ['userinfo', url.user === undefined ? '' : formatUser(url.user)],
  ]);
}

function part(parts: GoMap, key: string): string {
  if (!parts.has(key)) return '';
  const value = parts.get(key);
  if (value === null || value === undefined) throw nilDereference();
  if (typeof value === 'string') return value;
  throw new GoError(`unable to parse ${key} key, must be of type string, but ${goKind(value)} found`);
}

function joinUrl(parts: GoMap): string {
  const url: GoUrl = {
    ...emptyUrl(),
    scheme: part(parts, 'scheme'),
    host: part(parts, 'host'),
    path: part(parts, 'path'),
    rawQuery: part(parts, 'query'),
    opaque: part(parts, 'opaque'),
    fragment: part(parts, 'fragment'),
  };
  const user = part(parts, 'userinfo');
  if (user !== '') url.user = parse(`proto://${user}@host`, 'userinfo in dict').user;
  return formatUrl(url);
}

/** URLs and host names. */
export function netFunctions(providers: Providers): Functions {
  return {
    urlParse: fn([stringType], anyMapType, (value) => urlParts(text(value))),
    urlJoin: fn([anyMapType], stringType, (parts) => joinUrl(map(parts))),
    getHostByName: fn([stringType], stringType, (host) => {
      const addresses = providers.dns.lookup(text(host));
      if (addresses.length === 0) throw new GoError('invalid argument to Intn');
      return addresses[providers.random.integer(0, addresses.length)] ?? '';
    }),
  };
}
