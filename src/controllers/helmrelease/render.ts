import type { HelmRelease } from '../../api/index.ts';
import { isYamlObject, type YamlObject, type YamlValue } from '../../golang/index.ts';
import {
  manifestText,
  releaseHooks,
  type Capabilities,
  type RecordedChart,
  type RenderWorkers,
  type WorkerRendered,
} from '../../helm/index.ts';
import { isKubeError, type KindRef, type KubeClient } from '../../kube/index.ts';
import { formatObjectRef, objectRef, objectRefKey, parseApiVersion, readObjects, type KubeObject } from '../../manifest/index.ts';
import { CodedError, Lru, type Duration } from '../../std/index.ts';
import type { RenderedRelease } from './actions/index.ts';
import { definitionsIn, type LoadedChart } from './charts.ts';
import { kindsOf } from './own-kinds.ts';
import { postRenderWith } from './post-render.ts';

/** One revision to render. */
export type RenderRequest = {
  object: HelmRelease;
  chart: LoadedChart;
  values: YamlObject;
  /** In place of the chart's own defaults (HB51, preserveValues). */
  chartValues?: YamlObject | undefined;
  name: string;
  namespace: string;
  /** The revision it becomes. */
  revision: number;
  isUpgrade: boolean;
  capabilities: Capabilities;
  skipSchemaValidation: boolean;
  /** Lets charts look up host names (HB63). */
  allowDns: boolean;
  /** Reads cluster objects for `lookup` with the rights of the release. */
  client: KubeClient;
  deadline: Duration;
  signal: AbortSignal;
};

/** What a render gave, and what a user should know of it. */
export type Rendering = { rendered: RenderedRelease; warnings: readonly string[] };

/** Renders a revision on a thread of the pool, post-renderers included (HB56). @throws CodedError as {@link RenderWorkers} */
export async function renderRevision(workers: RenderWorkers, request: RenderRequest): Promise<Rendering> {
  const { object, chart, values, chartValues, name, namespace, revision, isUpgrade, signal } = request;
  const shared = chartValues === undefined ? recordedCharts.get(chart.digest) : undefined;
  const output = await workers.render(chart.bytes, {
    release: { name, namespace, revision, isUpgrade },
    values,
    ...(chartValues === undefined ? {} : { chartValues }),
    capabilities: request.capabilities,
    enableDns: request.allowDns,
    skipSchemaValidation: request.skipSchemaValidation,
    record: shared === undefined,
    // Flux does not insist either; what is missing is told.
    allowMissingDependencies: true,
    lookup: (apiVersion, kind, inNamespace, named) => lookUp({ apiVersion, kind, namespace: inNamespace, name: named }, request),
    postRender: { strategy: object.spec.postRenderStrategy ?? 'combined', ...postRenderWith(object) },
    deadline: request.deadline,
    signal,
  });
  const recorded = shared ?? output.recordedChart;
  if (recorded === undefined) throw new CodedError({ code: 'RenderFailed', message: 'render chart: no chart came back' });
  // A chart without dependencies is recorded alike whatever its values: all its records share it.
  if (chart.chart.dependencies.length === 0 && chartValues === undefined) recordedCharts.set(chart.digest, recorded);
  return { rendered: toRendered(output, recorded, request), warnings: [...missingDependencies(chart), ...output.warnings] };
}

/** Charts as releases record them, by digest of their package. */
const recordedCharts = new Lru<string, RecordedChart>(64);

function toRendered(output: WorkerRendered, chart: RecordedChart, { name, namespace, values }: RenderRequest): RenderedRelease {
  return {
    manifest: uniqueObjects(output),
    record: {
      name,
      namespace,
      notes: output.notes,
      config: values,
      chart,
      manifest: manifestText(output.manifests),
      hooks: releaseHooks(output.hooks),
      labels: {},
    },
    crds: output.crds.flatMap(({ content, path }) => readObjects(content, path)),
  };
}

/**
 * The objects of a revision, hooks aside.
 * @throws CodedError `DuplicateObject` for one that is there twice, as Flux: which of them won would be left to chance
 */
function uniqueObjects({ manifests }: WorkerRendered): KubeObject[] {
  const paths = new Map<string, string>();
  const objects: KubeObject[] = [];
  for (const { content, path } of manifests) {
    for (const object of readObjects(content, path)) {
      const ref = objectRef(object);
      const key = `${objectRefKey(ref)} ${object.apiVersion}`;
      const other = paths.get(key);
      if (other !== undefined) {
        const where = other === path ? path : `${other} and ${path}`;
        const message = `${formatObjectRef(ref)} is in the rendered manifests more than once: ${where}`;
        throw new CodedError({ code: 'DuplicateObject', message, subject: formatObjectRef(ref), retryable: false });
      }
      paths.set(key, path);
      objects.push(object);
    }
  }
  return objects;
}

/** Dependencies of Chart.yaml that are not in the package. */
function missingDependencies({ chart }: LoadedChart): string[] {
  const present = new Set(chart.dependencies.map(({ metadata }) => metadata.name));
  return (chart.metadata.dependencies ?? [])
    .filter(({ name }) => !present.has(name))
    .map(({ name }) => `found in Chart.yaml, but missing in charts/ directory: ${name}`);
}

type LookUp = { apiVersion: string; kind: string; namespace: string; name: string };

/** What the template function `lookup` finds: one object, or without a name the list of them; nothing where there is none. */
async function lookUp({ namespace, name, ...kind }: LookUp, request: RenderRequest): Promise<YamlObject | undefined> {
  const { client, signal } = request;
  await assertServed(kind, request);
  const at = namespace === '' ? {} : { namespace };
  if (name !== '') return plain(await client.find({ ...kind, name, ...at }, { signal }));
  try {
    const { items, resourceVersion } = await client.list(kind, { ...at, signal });
    return plain({ apiVersion: kind.apiVersion, kind: `${kind.kind}List`, metadata: { resourceVersion }, items });
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'NoMatch')) return undefined;
    throw error;
  }
}

/** As with Helm, a lookup in a group and version nobody serves fails, but for those the chart's own crds/ are about to bring. */
async function assertServed(kind: KindRef, { client, chart, signal }: RenderRequest): Promise<void> {
  try {
    if (client.mapper.cached(kind) === undefined) await client.mapper.resource(kind, signal);
  } catch (error) {
    if (!isKubeError(error, 'NoMatch')) throw error;
    const { group, version } = parseApiVersion(kind.apiVersion);
    const own = kindsOf(definitionsIn(chart.chart)).some((each) => each.startsWith(`${kind.apiVersion}/`));
    const served = own || (await client.mapper.all(signal)).some((each) => each.group === group && each.version === version);
    if (served) return;
    const text = `unable to get apiresource from unstructured: ${group}/${version}, Kind=${kind.kind}`;
    throw new CodedError({ code: 'LookupFailed', message: `${text}: the server could not find the requested resource`, cause: error });
  }
}

function plain(object: object | undefined): YamlObject | undefined {
  const value = object === undefined ? null : withIntegers(object);
  return isYamlObject(value) ? value : undefined;
}

/** JSON as Go reads it into objects of a cluster: integers are int64, so that templates can compare them with their own. */
function withIntegers(value: unknown): YamlValue {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map(withIntegers);
  if (typeof value !== 'object' || value === null) return value as YamlValue;
  if ('rawJSON' in value && Object.isFrozen(value)) return BigInt(String(value.rawJSON));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withIntegers(item)]));
}
