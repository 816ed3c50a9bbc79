import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici';
import type { ProxyOptions, TlsOptions } from './client-types.ts';
import { fingerprint } from './credentials.ts';
import { RegistryError } from './errors.ts';
import { compileNoProxy, type NoProxy } from './no-proxy.ts';

/** What decides over which connection a request goes. Equal settings share connections, whatever the credentials. */
export type TransportSettings = { tls: TlsOptions; insecure: boolean; proxy: ProxyOptions; connections: number; idle: number };

type ConnectTls = { secureContext?: SecureContext; rejectUnauthorized: boolean };

/** Connection pools for one set of certificates and proxy; picks the pool for each URL. */
export class Transport {
  readonly #settings: TransportSettings;
  readonly #direct: NoProxy;
  readonly #dispatchers = new Map<string, Dispatcher>();

  constructor(settings: TransportSettings) {
    this.#settings = settings;
    this.#direct = compileNoProxy(settings.proxy.noProxy);
  }

  /** A key under which equal settings meet. */
  static key(settings: TransportSettings): string {
    return fingerprint('transport', settings);
  }

  /**
   * The pool for a URL.
   * @param identify whether the client certificate may be shown (only to the registry itself, never where a redirect leads)
   */
  dispatcher(url: URL, identify: boolean): Dispatcher {
    const proxy = this.#proxyFor(url);
    const key = `${identify ? 'client' : 'plain'} ${proxy ?? ''}`;
    let dispatcher = this.#dispatchers.get(key);
    if (dispatcher === undefined) {
      dispatcher = this.#create(proxy, identify);
      this.#dispatchers.set(key, dispatcher);
    }
    return dispatcher;
  }

  /** `host:port` of the proxy a request for a URL goes through. */
  proxyHost(url: URL): string | undefined {
    const proxy = this.#proxyFor(url);
    return proxy === undefined ? undefined : proxyUrl(proxy).host;
  }

  #proxyFor(url: URL): string | undefined {
    const proxy = url.protocol === 'https:' ? this.#settings.proxy.httpsProxy : this.#settings.proxy.httpProxy;
    if (proxy === undefined || proxy === '') return undefined;
    const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
    return this.#direct(url.hostname, port) ? undefined : proxy;
  }

  #create(proxy: string | undefined, identify: boolean): Dispatcher {
    const { connections, idle } = this.#settings;
    const tls = this.#tls(identify);
    // HTTP/1.1 on purpose: blob downloads run on connections of their own instead of sharing one flow-control window.
    const options = { connections, allowH2: false, headersTimeout: idle, bodyTimeout: idle, keepAliveTimeout: 20_000 };
    if (proxy === undefined) return new Agent({ ...options, connect: { ...tls, timeout: idle } });
    const uri = proxyUrl(proxy);
    if (uri.protocol === 'socks5:' || uri.protocol === 'socks:') return new Socks5ProxyAgent(uri, { ...options, requestTls: tls });
    return new ProxyAgent({ ...options, uri: uri.href, requestTls: tls });
  }

  #tls(identify: boolean): ConnectTls {
    const { tls, insecure } = this.#settings;
    const identity =
      identify && tls.certificate !== undefined && tls.key !== undefined ? { cert: tls.certificate, key: tls.key } : undefined;
    // Whoever gives certificates wants them to be looked at (OB08).
    const rejectUnauthorized = !insecure || tls.ca !== undefined || tls.certificate !== undefined;
    if (tls.ca === undefined && identity === undefined) return { rejectUnauthorized };
    const trust = tls.ca === undefined ? {} : { ca: [...getCACertificates('default'), tls.ca] };
    // One context for all connections: reading the system's certificates anew for each would cost more than the handshake.
    return { secureContext: secureContext({ ...trust, ...identity }), rejectUnauthorized };
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    const dispatchers = [...this.#dispatchers.values()];
    this.#dispatchers.clear();
    await Promise.all(dispatchers.map((dispatcher) => dispatcher.destroy()));
  }
}

function secureContext(material: Parameters<typeof createSecureContext>[0]): SecureContext {
  try {
    return createSecureContext(material);
  } catch (error) {
    // The library's text names the problem and quotes no key.
    const cause = error instanceof Error ? error.message : String(error);
    throw new RegistryError({ code: 'TlsFailed', message: `read TLS certificates and key: ${cause}`, cause: error, retryable: false });
  }
}

function proxyUrl(proxy: string): URL {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`);
  if (url === null || !['http:', 'https:', 'socks5:', 'socks:'].includes(url.protocol)) {
    throw new RegistryError({
      code: 'CredentialsInvalid',
      message: 'read proxy address: want http://, https:// or socks5://',
      retryable: false,
    });
  }
  return url;
}
