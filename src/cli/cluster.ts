import { systemClock } from '../std/index.ts';
import { type ClusterConfig, createKubeClient, type KubeClient, loadClusterConfig, nodeHost } from '../kube/index.ts';

/** The global flags that say which cluster, namespace and identity a command means (L01). */
export type ClusterFlags = {
  namespace: string;
  kubeconfig?: string;
  context?: string;
  timeout: string;
  as?: string;
  asGroup?: readonly string[];
};

/** A client that is closed when the command ends. */
export type ClusterSession = AsyncDisposable & { client: KubeClient };

/** The cluster the flags mean: `--kubeconfig`, else `KUBECONFIG`, in-cluster, `~/.kube/config`. */
export async function clusterConfigOf(flags: Pick<ClusterFlags, 'kubeconfig' | 'context' | 'as' | 'asGroup'>): Promise<ClusterConfig> {
  const config = await loadClusterConfig(nodeHost, {
    ...(flags.kubeconfig === undefined ? {} : { kubeconfig: flags.kubeconfig }),
    ...(flags.context === undefined ? {} : { context: flags.context }),
  });
  return flags.as === undefined ? config : { ...config, impersonate: { user: flags.as, groups: flags.asGroup ?? [] } };
}

/** Connects to the cluster the flags mean. Opens nothing before the first call. */
export async function connect(flags: ClusterFlags): Promise<ClusterSession> {
  const client = createKubeClient(await clusterConfigOf(flags), { clock: systemClock, userAgent: 'sluice' });
  return { client, [Symbol.asyncDispose]: async () => await client.close() };
}

/** The namespace a command works in. */
export function namespaceOf(flags: ClusterFlags, client: KubeClient): string {
  return flags.namespace === '' ? client.config.namespace : flags.namespace;
}
