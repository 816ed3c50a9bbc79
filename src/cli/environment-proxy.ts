import { Agent, Dispatcher, ProxyAgent, setGlobalDispatcher } from 'undici';
import { proxyFromEnvironment } from '../kube/index.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Lets this process's own `fetch` (and that of libraries, such as the TUF client) go through the proxies of the environment: HTTPS_PROXY,
 * HTTP_PROXY and NO_PROXY, as Go's programs do. Registries and clusters have connections of their own. For the start of a program only.
 */
export function useEnvironmentProxies(environment: Environment): void {
  const names = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy'];
  if (names.some((name) => (environment[name] ?? '') !== '')) setGlobalDispatcher(new EnvironmentDispatcher(environment));
}

/** Sends each request directly or through the proxy its URL has. */
class EnvironmentDispatcher extends Dispatcher {
  readonly #environment: Environment;
  readonly #ways = new Map<string, Dispatcher>();

  constructor(environment: Environment) {
    super();
    this.#environment = environment;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    return this.#way(options.origin).dispatch(options, handler);
  }

  #way(origin: string | URL | undefined): Dispatcher {
    const proxy = (origin === undefined ? undefined : proxyFromEnvironment(new URL(origin), this.#environment)) ?? '';
    let way = this.#ways.get(proxy);
    if (way === undefined) {
      way = proxy === '' ? new Agent() : new ProxyAgent(proxy);
      this.#ways.set(proxy, way);
    }
    return way;
  }

  override async close(): Promise<void> {
    await Promise.all([...this.#ways.values()].map((way) => way.close()));
  }

  override async destroy(): Promise<void> {
    await Promise.all([...this.#ways.values()].map((way) => way.destroy()));
  }
}
