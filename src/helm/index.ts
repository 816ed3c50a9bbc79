export { loadChart, MAX_CHART_DEPTH, MAX_CHART_FILES } from './chart/load-chart.ts';
export { MAX_CHART_SIZE, MAX_FILE_SIZE, readArchive as readChartArchive } from './chart/archive.ts';
export { ChartFile, type Chart, type ChartLock, type ChartMetadata, type Dependency, type Maintainer } from './chart/chart.ts';
export type { ChartNode } from './chart/node.ts';
export { packageChart, readChartYaml, type ChartPackage, type PackageOptions } from './chart/package.ts';
export { render, type Crd, type Rendered, type RenderOptions } from './render.ts';
export {
  createRenderWorkers,
  renderInWorker,
  type RenderWorkers,
  type RenderWorkersOptions,
  type WorkerRenderOptions,
} from './worker/render-workers.ts';
export type { WorkerOptions, WorkerRendered } from './worker/protocol.ts';
export { templateOutput, type TemplateOutputOptions } from './template-output.ts';
export type { ReleaseOptions } from './engine/objects.ts';
export type { Lookup } from './engine/template-functions.ts';
export type { Profile } from './profile.ts';
export { defaultCapabilities, parseKubeVersion, type Capabilities, type HelmVersion, type KubeVersion } from './capabilities.ts';
export type { Manifest } from './manifest/sort.ts';
export type { ManifestHead } from './manifest/head.ts';
export { isKept, sortHooksByWeight, type Hook, type HookEvent } from './manifest/hook.ts';
export { splitManifests } from './manifest/split.ts';
export { sortForInstall, sortForUninstall } from './manifest/kind-order.ts';
export { setManifestMetadata, type ManifestMetadata } from './manifest-metadata.ts';
export type { PostRender, PostRenderStrategy } from './post-render.ts';
export { coalesceTables, mergeTables } from './values/coalesce.ts';
export { coalesceChartValues, mergeChartValues, reusedChartValues } from './values/chart-values.ts';
export { mergeMaps, readValuesDocuments } from './values/documents.ts';
export { mergeUserValues, type UserValues } from './values/user-values.ts';
export { setFileValue, setJsonValue, setLiteralValue, setStringValue, setValue, type FileReader } from './values/strvals.ts';
export { parseSchema, type SchemaLoader } from './schema/index.ts';
export {
  manifestText,
  metadataJson,
  recordChart,
  releaseHooks,
  type HookRun,
  type RecordedChart,
  type Release,
  type ReleaseHook,
  type ReleaseStatus,
} from './release/release.ts';
export {
  decodeRelease,
  encodeRelease,
  RELEASE_SECRET_TYPE,
  releaseObject,
  releaseObjectName,
  releaseOf,
  releaseSelector,
  type StorageDriver,
  type StoredAt,
} from './release/storage.ts';
export { isPending, lastDeployed, lastRelease, surplusReleases } from './release/history.ts';
export { renderName, validateReleaseName } from './release/name.ts';
export { MAX_INDEX_SIZE, MAX_INDEX_VERSIONS, readIndex, type ChartVersion, type RepositoryIndex } from './repository/index-file.ts';
export { selectVersion, type Selected } from './repository/select-version.ts';
export { checkPackage, findChart, type ChartQuery, type FetchBytes, type FoundChart } from './repository/find-chart.ts';
export { resolveReferenceUrl } from './repository/chart-url.ts';
export { helmError, type HelmErrorCode } from './errors.ts';
