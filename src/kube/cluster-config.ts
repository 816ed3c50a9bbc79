/** How to reach one cluster and prove who we are; read from a kubeconfig or from inside a Pod. Holds secrets: never log one. */
export type ClusterConfig = {
  /** `https://host:port[/path]`, without a trailing slash. */
  server: string;
  /** Default namespace of the context; `default` when it names none. */
  namespace: string;
  tls: {
    ca?: string | Uint8Array;
    cert?: string | Uint8Array;
    key?: string | Uint8Array;
    /** Name to expect in the server's certificate, when it is not the host of `server`. */
    serverName?: string;
    insecureSkipVerify?: boolean;
  };
  proxyUrl?: string;
  /** Also a context's identity to act as (`as`, `as-groups`, `as-uid`, `as-user-extra`). */
  impersonate?: { user: string; uid?: string; groups?: readonly string[]; extra?: Readonly<Record<string, readonly string[]>> };
  credential: Credential;
};

/** Where a request's `Authorization` comes from. */
export type Credential =
  | { kind: 'none' }
  | { kind: 'token'; token: string }
  | { kind: 'token-file'; path: string }
  | { kind: 'basic'; username: string; password: string }
  | { kind: 'exec'; exec: ExecPlugin };

/** A client-go credential plugin (client.authentication.k8s.io). */
export type ExecPlugin = {
  apiVersion: string;
  command: string;
  args: readonly string[];
  env: readonly { name: string; value: string }[];
  provideClusterInfo: boolean;
  installHint: string;
  /** The folder the command is relative to when it has a slash: the kubeconfig's own. */
  folder: string;
  /** What `provideClusterInfo` hands over. */
  cluster: Record<string, unknown>;
};
