import type { HelmRelease } from '../../api/index.ts';
import { isYamlObject, type YamlObject } from '../../golang/index.ts';
import {
  manifestText,
  releaseHooks,
  type Capabilities,
  type RecordedChart,
  type RenderWorkers,
  type WorkerRendered,
} from '../../helm/index.ts';
import { isKubeError, type KubeClient } from '../../kube/index.ts';
import { readObjects, type KubeObject } from '../../manifest/index.ts';
import { CodedError, Lru, type Duration } from '../../std/index.ts';
import type { RenderedRelease } from './actions/index.ts';
import type { LoadedChart } from './charts.ts';
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
  const { object, chart, values, chartValues, name, namespace, revision, isUpgrade, client, signal } = request;
  const shared = chartValues === undefined ? recordedCharts.get(chart.digest) : undefined;
  const output = await workers.render(chart.bytes, {
    release: { name, namespace, revision, isUpgrade },
    values,
    ...(chartValues === undefined ? {} : { chartValues }),
    capabilities: request.capabilities,
    enableDns: request.allowDns,
    skipSchemaValidation: request.skipSchemaValidation,
    record: shared === undefined,
    lookup: (apiVersion, kind, inNamespace, named) => lookUp(client, { apiVersion, kind, namespace: inNamespace, name: named }, signal),
    postRender: { strategy: object.spec.postRenderStrategy ?? 'combined', ...postRenderWith(object) },
    deadline: request.deadline,
    signal,
  });
  const recorded = shared ?? output.recordedChart;
  if (recorded === undefined) throw new CodedError({ code: 'RenderFailed', message: 'render chart: no chart came back' });
  // A chart without dependencies is recorded alike whatever its values: all its records share it.
  if (chart.chart.dependencies.length === 0 && chartValues === undefined) recordedCharts.set(chart.digest, recorded);
  return { rendered: toRendered(output, recorded, request), warnings: output.warnings };
}

/** Charts as releases record them, by digest of their package. */
const recordedCharts = new Lru<string, RecordedChart>(64);

function toRendered(output: WorkerRendered, chart: RecordedChart, { name, namespace, values }: RenderRequest): RenderedRelease {
  return {
    manifest: output.manifests.flatMap(({ content, path }) => readObjects(content, path)),
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

/** What the template function `lookup` finds: one object, or without a name the list of them; nothing where there is none. */
async function lookUp(
  client: KubeClient,
  target: { apiVersion: string; kind: string; namespace: string; name: string },
  signal: AbortSignal,
): Promise<YamlObject | undefined> {
  const { namespace, name, ...kind } = target;
  if (name !== '') return plain(await client.find({ ...kind, name, ...(namespace === '' ? {} : { namespace }) }, { signal }));
  try {
    const { items, resourceVersion } = await client.list(kind, { ...(namespace === '' ? {} : { namespace }), signal });
    const list = { apiVersion: kind.apiVersion, kind: `${kind.kind}List`, metadata: { resourceVersion }, items: items.map(plain) };
    return isYamlObject(list) ? list : undefined;
  } catch (error) {
    if (isKubeError(error, 'NotFound', 'NoMatch')) return undefined;
    throw error;
  }
}

function plain(object: KubeObject | undefined): YamlObject | undefined {
  return object as YamlObject | undefined;
}
