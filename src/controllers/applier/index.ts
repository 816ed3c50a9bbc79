export { Blocked } from './blocked.ts';
export { Clusters, type Cluster, type ClustersOptions, type Targeted } from './clusters.ts';
export { correctionDelay, OwnedMemories, OwnedMemory } from './owned-memory.ts';
export { isPassing } from './passing.ts';
export { evaluateReadyExpression, parseReadyExpression } from './ready-expression.ts';
export { formatSourceKey, originRevision, Sources, type SourceKey, type SourceObject } from './sources.ts';
