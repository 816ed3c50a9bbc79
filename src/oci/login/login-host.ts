import type { Clock } from '../../std/index.ts';
import type { ProxyOptions } from '../client-types.ts';

/** Clouds whose registries accept the identity of a workload instead of a password (OB06). */
export type CloudProvider = 'aws' | 'azure' | 'gcp';

/** The world a login looks at: the environment of the process, its files, the time. */
export type LoginHost = {
  clock: Clock;
  /** In [0, 1); for jitter. */
  random: () => number;
  env: Readonly<Record<string, string | undefined>>;
  readFile: (path: string) => Promise<string>;
  /** The way to services on the internet when an object names no proxy of its own. Metadata services are asked directly. */
  proxy?: ProxyOptions;
  /** Where a request really goes: private endpoints, tests. Default: where its URL says. */
  route?: (url: URL) => URL;
};

/** A Kubernetes ServiceAccount to log in as, instead of the node or the pod we run in. */
export type LoginAccount = {
  namespace: string;
  name: string;
  annotations: Readonly<Record<string, string>>;
  /** A signed token of the account for these audiences (TokenRequest). */
  createToken: (audiences: readonly string[], signal: AbortSignal) => Promise<string>;
};

/** Something secret that is good until `expiresAt`, milliseconds since the epoch. */
export type Expiring<T> = { value: T; expiresAt: number };

/** A user name and password for a registry. */
export type RegistryLogin = Expiring<{ username: string; password: string }>;
