import { toYamlValue, type GoMap, type YamlObject, type YamlValue } from '../../golang/index.ts';
import type { ChartFile, ChartLock, ChartMetadata, Dependency } from '../chart/chart.ts';
import type { ChartNode } from '../chart/node.ts';
import type { Hook } from '../manifest/hook.ts';
import type { Manifest } from '../manifest/sort.ts';

export type ReleaseStatus =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback';

/** How a hook's last run went. Times are RFC 3339; absent when it did not get there. */
export type HookRun = { startedAt?: string; completedAt?: string; phase: '' | 'Unknown' | 'Running' | 'Succeeded' | 'Failed' };

export type ReleaseHook = Hook & { readonly lastRun: HookRun };

/** The chart as a release records it: what Helm needs to roll back. Plain JSON, kept as it was read. */
export type RecordedChart = YamlObject;

/** One revision of a release, as Helm keeps it in the cluster. Times are RFC 3339. */
export type Release = {
  name: string;
  namespace: string;
  /** The revision, from 1. */
  version: number;
  status: ReleaseStatus;
  description: string;
  firstDeployed?: string;
  lastDeployed?: string;
  deleted?: string;
  notes: string;
  /** The user's values; undefined when there are none. */
  config: YamlObject | undefined;
  chart: RecordedChart;
  manifest: string;
  hooks: ReleaseHook[];
  /** Server-side or client-side apply; absent in releases of Helm 3. */
  applyMethod?: 'ssa' | 'csa';
  /** Labels of its own, without those Helm sets. */
  labels: Record<string, string>;
};

/** The manifest of a release: every document with the file it comes from. */
export function manifestText(manifests: readonly Manifest[]): string {
  return manifests.map(({ path, content }) => `---\n# Source: ${path}\n${content}\n`).join('');
}

/** Hooks of a render as a new release records them. */
export function releaseHooks(hooks: readonly Hook[]): ReleaseHook[] {
  return hooks.map((hook) => ({ ...hook, lastRun: { phase: '' } }));
}

/** The chart of a render (its dependencies processed) as a release records it. */
export function recordChart({ chart, metadata, values }: ChartNode): RecordedChart {
  return {
    metadata: metadataJson(metadata),
    lock: chart.lock === undefined ? null : lockJson(chart.lock),
    templates: filesJson(chart.templates),
    values: valuesJson(values),
    schema: chart.schema === undefined ? null : Buffer.from(chart.schema.data).toString('base64'),
    schemamodtime: '0001-01-01T00:00:00Z',
    files: filesJson(chart.files),
  };
}

function valuesJson(values: GoMap): YamlValue {
  return toYamlValue(values);
}

function filesJson(files: readonly ChartFile[]): YamlValue {
  return files.length === 0 ? null : files.map(({ name, data }) => ({ name, data: Buffer.from(data).toString('base64') }));
}

function lockJson({ generated, digest, dependencies }: ChartLock): YamlValue {
  return { generated, digest, dependencies: dependencies.map(dependencyJson) };
}

/** A struct's JSON with empty texts and lists left out. */
function withoutEmpty(fields: YamlObject): YamlObject {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== '' && value !== false && !(Array.isArray(value) && value.length === 0)),
  );
}

/** Chart.yaml as JSON: the metadata a release or a registry's config blob carries. */
export function metadataJson(metadata: Readonly<ChartMetadata>): YamlObject {
  const { annotations, dependencies, maintainers, ...plain } = metadata;
  const json = withoutEmpty({
    ...plain,
    maintainers: maintainers.map((maintainer) => withoutEmpty({ ...maintainer })),
    dependencies: (dependencies ?? []).map(dependencyJson),
  });
  if (annotations !== undefined && Object.keys(annotations).length > 0) json['annotations'] = { ...annotations };
  return json;
}

function dependencyJson({ name, repository, importValues, ...rest }: Dependency): YamlObject {
  return { name, repository, ...withoutEmpty({ ...rest, 'import-values': importValues }) };
}
