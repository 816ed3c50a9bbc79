import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { Agent, ProxyAgent, request, type Dispatcher } from 'undici';
import { proxyFromEnvironment } from '../../kube/index.ts';
import { CodedError, errorMessage, readBounded } from '../../std/index.ts';
import { CrlCache, MAX_CRL, MAX_OCSP_RESPONSE, type RevocationSource } from '../../verify/index.ts';

const OCSP_MILLISECONDS = 2000;
const CRL_MILLISECONDS = 5000;
/** Connections to one server; what is asked of it at the same time is mostly one list. */
const CONNECTIONS = 4;

/** Addresses that are nobody's responder: certificates come from strangers, and must not make us ask ourselves or a metadata service. */
const OURS = new BlockList();
OURS.addSubnet('0.0.0.0', 8);
OURS.addSubnet('127.0.0.0', 8);
OURS.addSubnet('169.254.0.0', 16);
OURS.addAddress('::', 'ipv6');
OURS.addAddress('::1', 'ipv6');
OURS.addSubnet('fe80::', 10, 'ipv6');

type Question = { limit: number; milliseconds: number; body?: Uint8Array; headers?: Record<string, string> };

/**
 * Revocation lists and responders over plain HTTP, as notation asks them: 2 s for OCSP, 5 s for a list, bodies bounded. No redirect is
 * followed; this host and its links are not asked, whatever name they are given. Goes through the proxy of `env` (HTTP_PROXY, NO_PROXY).
 * Lists are kept until their nextUpdate, and one that several ask for at once is got once.
 */
export function httpRevocation(env: Readonly<Record<string, string | undefined>>): RevocationSource {
  const connections = new Connections(env);
  const underway = new Map<string, Promise<Uint8Array>>();
  const list = (url: string): Promise<Uint8Array> => {
    let answer = underway.get(url);
    if (answer === undefined) {
      answer = ask(connections, url, { limit: MAX_CRL, milliseconds: CRL_MILLISECONDS }).finally(() => underway.delete(url));
      underway.set(url, answer);
    }
    return answer;
  };
  return {
    lists: new CrlCache(),
    ocsp: (url, body, signal) => {
      const headers = { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' };
      return unless(signal, () => ask(connections, url, { limit: MAX_OCSP_RESPONSE, milliseconds: OCSP_MILLISECONDS, body, headers }));
    },
    crl: (url, signal) => unless(signal, () => list(url)),
  };
}

/** Waits for an answer that others may wait for too, until `signal`. */
async function unless<T>(signal: AbortSignal | undefined, start: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const answer = start();
  if (signal === undefined) return answer;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([answer, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function ask(connections: Connections, address: string, { limit, milliseconds, body, headers = {} }: Question): Promise<Uint8Array> {
  const url = new URL(address);
  if (url.protocol !== 'http:') throw refused(address, 'only http:// is asked');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === 'localhost' || host.endsWith('.localhost') || isOurs(host)) throw refused(address, 'an address of this host');
  const method = body === undefined ? 'GET' : 'POST';
  try {
    const signal = AbortSignal.timeout(milliseconds);
    const content = body === undefined ? {} : { body: Buffer.from(body) };
    const answer = await request(url, { dispatcher: connections.to(url), method, headers, signal, ...content });
    if (answer.statusCode !== 200) {
      answer.body.on('error', () => {}).destroy();
      throw refused(address, `status ${answer.statusCode}`);
    }
    return await readBounded(answer.body, limit, address);
  } catch (error) {
    throw error instanceof CodedError ? error : refused(address, errorMessage(error), error);
  }
}

/** Connections by the way they go: directly, or through a proxy. */
class Connections {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #ways = new Map<string, Dispatcher>();

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env;
  }

  to(url: URL): Dispatcher {
    const proxy = proxyFromEnvironment(url, this.#env);
    let way = this.#ways.get(proxy ?? '');
    if (way === undefined) {
      const options = { connections: CONNECTIONS, keepAliveTimeout: 1000 };
      // A proxy finds names itself, and is meant to keep us from where we must not go.
      way = proxy === undefined ? new Agent({ ...options, connect: { lookup: othersOnly } }) : new ProxyAgent({ ...options, uri: proxy });
      this.#ways.set(proxy ?? '', way);
    }
    return way;
  }
}

/** Looks a name up, and refuses one that leads to this host or its links. */
const othersOnly: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, address, family) => {
    const found = Array.isArray(address) ? address.map((one) => one.address) : [address];
    const ours = error === null ? found.find(isOurs) : undefined;
    if (ours === undefined) callback(error, address, family);
    else callback(refused(`http://${hostname}/`, `${ours} is an address of this host`), []);
  });
};

function isOurs(host: string): boolean {
  const family = isIP(host);
  return family !== 0 && OURS.check(host, family === 6 ? 'ipv6' : 'ipv4');
}

function refused(address: string, problem: string, cause?: unknown): CodedError<'RevocationUnavailable'> {
  return new CodedError({
    code: 'RevocationUnavailable',
    message: `ask ${JSON.stringify(address)} about revocation: ${problem}`,
    subject: address,
    ...(cause === undefined ? {} : { cause }),
  });
}
