export type {
  ApplyOptions,
  CallOptions,
  DeleteOptions,
  GetOptions,
  Identity,
  Informer,
  InformerHandler,
  InformerOptions,
  JsonPatchOperation,
  KindRef,
  KubeClient,
  ListOptions,
  ObjectForm,
  ObjectList,
  Patch,
  RawRequest,
  RequestRecord,
  Resource,
  RestMapper,
  Target,
  WatchEvent,
  WatchOptions,
  WriteOptions,
} from './kube-client.ts';
export { KubeError, isKubeError, type KubeErrorCode, type StatusCause } from './errors.ts';
export type { ClusterConfig, Credential, ExecPlugin } from './cluster-config.ts';
export {
  clusterConfig,
  inClusterConfig,
  kubeconfigPaths,
  loadClusterConfig,
  mergeKubeconfigs,
  parseKubeconfig,
  readKubeconfigs,
  type Kubeconfig,
  type KubeconfigPolicy,
} from './kubeconfig.ts';
export { nodeHost, type Host } from './host.ts';
export { createKubeClient, type KubeClientOptions } from './connect.ts';
export { formatTarget, targetOf } from './objects.ts';
export { LeaderElection, type LeaseOptions } from './lease.ts';
export { proxyFromEnvironment } from './proxy.ts';
