import { BlockList, isIP } from 'node:net';

/**
 * The proxy for a URL from the environment, as Go's `http.ProxyFromEnvironment` picks it: HTTPS_PROXY or HTTP_PROXY by scheme (upper or
 * lower case), unless NO_PROXY names the host. NO_PROXY entries: `*`, IP, CIDR, `host`, `.suffix`, each with an optional `:port`.
 */
export function proxyFromEnvironment(url: URL, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const pick = (name: string): string | undefined => nonEmpty(env[name]) ?? nonEmpty(env[name.toLowerCase()]);
  const proxy = pick(url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (proxy === undefined || bypassesProxy(url, pick('NO_PROXY') ?? '')) return undefined;
  return proxy.includes('://') ? proxy : `http://${proxy}`;
}

/** True when `noProxy` (comma-separated) excludes the URL's host; loopback and `localhost` always are. */
export function bypassesProxy(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  const version = isIP(host);
  if (host === 'localhost' || host === '::1' || (version === 4 && host.startsWith('127.'))) return true;
  return noProxy
    .split(',')
    .map((entry) => entry.trim().toLowerCase())
    .some((entry) => entry !== '' && matches(entry, host, port, version));
}

function matches(entry: string, host: string, port: string, version: number): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return version !== 0 && inNetwork(entry, host, version);
  if (isIP(entry) !== 0) return entry === host;
  const [, name = '', wantPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  if (wantPort !== undefined && wantPort !== port) return false;
  const bare = name.replace(/^\*?\./, '').replace(/^\[|\]$/g, '');
  if (version !== 0) return bare === host;
  if (name.startsWith('.') || name.startsWith('*.')) return host.endsWith(`.${bare}`);
  return host === bare || host.endsWith(`.${bare}`);
}

function inNetwork(cidr: string, host: string, version: number): boolean {
  const [address = '', bits = ''] = cidr.split('/');
  const family = isIP(address);
  const prefix = Number(bits);
  if (family !== version || !/^\d{1,3}$/.test(bits) || prefix > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  list.addSubnet(address, prefix, kind);
  return list.check(host, kind);
}

function nonEmpty(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}
