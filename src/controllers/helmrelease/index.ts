export { HelmReleaseController, helmReleaseConditions, type HelmReleaseOptions } from './controller.ts';
export { Memories } from './memory.ts';
export { Charts } from './charts.ts';
export { ClusterCapabilities } from './capabilities.ts';
export { sourceKey } from './source.ts';
export { releaseActions } from './release-actions.ts';
export type { ReleaseActions } from './launch.ts';
export { FIELD_MANAGER, kubeReleaseStorage, OWNER_GROUP, ReleaseRecords, type ReleaseStorage } from './actions/index.ts';
