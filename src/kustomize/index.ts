export { build, type Build, type BuildOptions } from './build.ts';
export type { BuildLimits, Diagnostic, HelmChartRequest, InflateHelmChart } from './build-context.ts';
export { KustomizeError, type KustomizeErrorCode } from './errors.ts';
export type { LoadRestrictions, RemoteLoader } from './loader.ts';
export type { RepoUrl } from './remote.ts';
export type { HelmChartFields, ImageFields, Kustomization, PatchFields, SelectorFields } from './kustomization.ts';
export { buildFlux, type FluxBuildOptions, type FluxKustomizationSpec } from './flux.ts';
