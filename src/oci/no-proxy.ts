import { BlockList, isIP } from 'node:net';

/** Decides from a NO_PROXY list whether a host is reached directly. */
export type NoProxy = (hostname: string, port: string) => boolean;

/** Entries of a NO_PROXY list looked at. */
const MAX_ENTRIES = 1000;

/**
 * Compiles a NO_PROXY list with Go's rules (golang.org/x/net/http/httpproxy): `*` is everything; IPs and CIDRs match addresses;
 * `example.com` matches the name and its subdomains, `.example.com` only subdomains; `:port` narrows an entry. Loopback names
 * and addresses are always reached directly.
 */
export function compileNoProxy(list: string | undefined): NoProxy {
  const blocks = new BlockList();
  const rules: ((host: string, port: string) => boolean)[] = [];
  for (const raw of (list ?? '').split(',').slice(0, MAX_ENTRIES)) {
    const entry = raw.trim().toLowerCase();
    if (entry === '') continue;
    if (entry === '*') return () => true;
    if (addRange(blocks, entry)) continue;
    rules.push(compileEntry(entry));
  }
  return (hostname, port) => {
    const host = hostname
      .toLowerCase()
      .replace(/^\[|\]$/g, '')
      .replace(/\.$/, '');
    if (host === 'localhost') return true;
    const version = isIP(host);
    if (version !== 0) {
      if (host === '::1' || host.startsWith('127.')) return true;
      if (blocks.check(host, version === 4 ? 'ipv4' : 'ipv6')) return true;
    }
    return rules.some((rule) => rule(host, port));
  };
}

function addRange(blocks: BlockList, entry: string): boolean {
  const slash = entry.indexOf('/');
  if (slash < 0) return false;
  const address = entry.slice(0, slash);
  const version = isIP(address);
  const prefix = Number(entry.slice(slash + 1));
  if (version === 0 || !/^\d+$/.test(entry.slice(slash + 1)) || prefix > (version === 4 ? 32 : 128)) return false;
  blocks.addSubnet(address, prefix, version === 4 ? 'ipv4' : 'ipv6');
  return true;
}

function compileEntry(entry: string): (host: string, port: string) => boolean {
  const bare = entry.replace(/^\[(.*)\]/, '$1');
  const port = isIP(bare) === 0 ? /:(\d+)$/.exec(entry) : null;
  const wantedPort = port?.[1];
  let name = (port === null ? entry : entry.slice(0, port.index)).replace(/^\[|\]$/g, '');
  const samePort = (have: string): boolean => wantedPort === undefined || wantedPort === have;
  if (isIP(name) !== 0) return (host, have) => host === name && samePort(have);
  if (name.startsWith('*.')) name = name.slice(1);
  if (name.startsWith('.')) return (host, have) => host.endsWith(name) && samePort(have);
  return (host, have) => (host === name || host.endsWith(`.${name}`)) && samePort(have);
}
