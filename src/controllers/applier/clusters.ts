import type { KubeConfigReference } from '../../api/index.ts';
import type { OwnedObjects } from '../../apply/index.ts';
import { clusterConfig, parseKubeconfig, type ClusterConfig, type Host, type KubeClient, type KubeconfigPolicy } from '../../kube/index.ts';
import type { ConfigReader } from '../../runtime/index.ts';
import { CodedError, digestOf } from '../../std/index.ts';

/** A cluster objects are applied to: how to talk to it, and the watches of what we own there. */
export type Cluster = { id: string; kube: KubeClient; owned: OwnedObjects };

/** Other clusters connected to at the same time; the one not used for longest is let go first. */
const CLUSTERS = 200;

export type ClustersOptions = {
  /** The cluster our own objects are in. */
  local: Cluster;
  configs: ConfigReader;
  host: Host;
  /** What kubeconfigs of Secrets may do; files are never read. */
  policy: Pick<KubeconfigPolicy, 'allowExec' | 'allowInsecure'>;
  connect: (id: string, config: ClusterConfig) => Cluster;
};

/** An object that applies others, here or in another cluster. */
export type Targeted = { metadata: { namespace: string }; spec: { kubeConfig?: KubeConfigReference } };

/** The clusters objects are applied to: our own, and those kubeconfigs name (KB91). */
export class Clusters {
  readonly #options: ClustersOptions;
  readonly #remote = new Map<string, Cluster>();

  constructor(options: ClustersOptions) {
    this.#options = options;
  }

  get local(): Cluster {
    return this.#options.local;
  }

  /**
   * The cluster an object applies to.
   * @throws CodedError `ConfigNotFound`, `KubeconfigInvalid`, `KubeconfigUnsupported`
   */
  async of(object: Targeted): Promise<Cluster> {
    const { kubeConfig } = object.spec;
    if (kubeConfig === undefined) return this.local;
    if (kubeConfig.secretRef === undefined) {
      const message = 'spec.kubeConfig.configMapRef: this version takes kubeconfigs from Secrets only, use spec.kubeConfig.secretRef';
      throw new CodedError({ code: 'KubeconfigUnsupported', message, retryable: false });
    }
    const text = await this.#kubeconfig(object.metadata.namespace, kubeConfig.secretRef);
    const id = digestOf(text);
    const known = this.#remote.get(id);
    this.#remote.delete(id);
    const cluster = known ?? this.#options.connect(id, await this.#parse(text));
    this.#remote.set(id, cluster);
    await this.#trim();
    return cluster;
  }

  /** Ends all connections to other clusters. */
  async close(): Promise<void> {
    for (const cluster of this.#remote.values()) await disconnect(cluster);
    this.#remote.clear();
  }

  async #kubeconfig(namespace: string, { name, key }: { name: string; key?: string }): Promise<string> {
    const { data } = await this.#options.configs.data('Secret', namespace, name);
    const keys = key === undefined || key === '' ? ['value', 'value.yaml'] : [key];
    const bytes = keys.map((each) => data[each]).find((each) => each !== undefined);
    if (bytes !== undefined) return Buffer.from(bytes).toString();
    throw new CodedError({
      code: 'ConfigNotFound',
      message: `read kubeconfig from Secret "${namespace}/${name}": no key ${keys.map((each) => `'${each}'`).join(' or ')}`,
      subject: `Secret/${namespace}/${name}`,
    });
  }

  #parse(text: string): Promise<ClusterConfig> {
    const { host, policy } = this.#options;
    return clusterConfig(parseKubeconfig(text), host, { ...policy, allowFiles: false });
  }

  async #trim(): Promise<void> {
    const [oldest] = this.#remote;
    if (oldest === undefined || this.#remote.size <= CLUSTERS) return;
    this.#remote.delete(oldest[0]);
    await disconnect(oldest[1]);
  }
}

async function disconnect({ owned, kube }: Cluster): Promise<void> {
  owned.close();
  await kube.close();
}
