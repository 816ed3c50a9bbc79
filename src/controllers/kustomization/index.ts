export { KustomizationController, kustomizationConditions, type KustomizationOptions } from './controller.ts';
export { Memories } from './memory.ts';
export { formatSourceKey, sourceKey, Sources, type SourceKey } from './source.ts';
export { Clusters, type Cluster } from './clusters.ts';
