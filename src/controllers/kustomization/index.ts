export { KustomizationController, kustomizationConditions, type KustomizationOptions } from './controller.ts';
export { Memories } from './memory.ts';
export { sourceKey } from './source.ts';
