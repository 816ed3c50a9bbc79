import { GoMap, mapFromYaml, type YamlObject } from '../golang/index.ts';
import { defaultProviders, type Limits, type Providers } from '../gotemplate/index.ts';
import { defaultCapabilities, defaultCapabilitiesHelm3, kubeVersionText, plainCapabilities, type Capabilities } from './capabilities.ts';
import type { Chart } from './chart/chart.ts';
import { crdFiles } from './chart/crds.ts';
import { missingDependencies, processDependencies } from './chart/dependencies.ts';
import { chartTree, type ChartNode } from './chart/node.ts';
import { isInRange } from './chart/version-range.ts';
import { helmFunctions } from './engine/functions.ts';
import { capabilitiesObject, releaseObject, type ReleaseOptions } from './engine/objects.ts';
import { renderTemplates } from './engine/render-templates.ts';
import type { Lookup } from './engine/template-functions.ts';
import { helmError } from './errors.ts';
import type { Hook } from './manifest/hook.ts';
import { sortManifests, type Manifest } from './manifest/sort.ts';
import { postRender, type PostRender } from './post-render.ts';
import { rulesOf, type Profile, type Rules } from './profile.ts';
import { validateValues, type SchemaLoader } from './schema/index.ts';
import { coalesceValues } from './values/coalesce.ts';

export type RenderOptions = {
  release: ReleaseOptions;
  /** The user's values: plain data (a bigint is an int64, as `--set` makes them) or what values/ reads. Default none. */
  values?: YamlObject | GoMap;
  /** Values in place of the chart's own defaults, as an upgrade that reuses the values of the last revision has them. */
  chartValues?: YamlObject;
  /** Default {@link defaultCapabilities}. */
  capabilities?: Capabilities;
  /** Reads cluster objects for `lookup`. Default: finds nothing. */
  lookup?: Lookup;
  /** Clock, randomness, keys and DNS of functions such as `now` and `genCA`. Default: the real ones, except DNS. */
  providers?: Providers;
  /** Lets `getHostByName` ask the providers. Default false. */
  enableDns?: boolean;
  /** Default `4.2`. */
  profile?: Profile;
  /** Notes of subcharts, too. Default false. */
  subchartNotes?: boolean;
  /** Default false. */
  skipSchemaValidation?: boolean;
  /** Gives documents that values.schema.json refers to. Nothing is ever fetched. */
  schemaLoader?: SchemaLoader;
  /** Changes the manifests before they are sorted. */
  postRender?: PostRender;
  /** Do not insist that every dependency of Chart.yaml is under charts/. Default false, as the helm commands do. */
  allowMissingDependencies?: boolean;
  limits?: Partial<Limits>;
};

/** A file of a chart's crds/ folder. */
export type Crd = { readonly path: string; readonly name: string; readonly content: string };

export type Rendered = {
  /** In install order. */
  readonly manifests: Manifest[];
  /** In install order; the hooks of one event run in the order of sortHooksByWeight. */
  readonly hooks: Hook[];
  /** Files of crds/, the chart's own before those of its dependencies. */
  readonly crds: Crd[];
  readonly notes: string;
  /** The chart after its dependencies were processed: what a release records. */
  readonly chart: ChartNode;
  /** The values templates saw, defaults included. Do not change. */
  readonly values: GoMap;
  readonly warnings: string[];
};

/**
 * Renders a chart as `helm template` and `helm install` do. Pure: the same chart, options and providers give the same result.
 * Blocks until done or a budget is used up; for charts nobody vouches for, see renderInWorker.
 * @throws CodedError `DependencyMissing`, `DependencyFailed`, `ValuesConflict`, `ValuesRejected`, `SchemaInvalid`,
 *   `KubeVersionIncompatible`, `TemplateInvalid`, `RenderFailed`, `ManifestInvalid`, `PostRenderFailed`, `BudgetExceeded`
 */
export function render(chart: Chart, options: RenderOptions): Rendered {
  const rules = rulesOf(options.profile ?? '4.2');
  const capabilities = capabilitiesOf(options, rules);
  const warnings = [...chart.warnings];
  const warn = (message: string): void => void warnings.push(message);
  const userValues = options.values instanceof GoMap ? options.values : mapFromYaml(options.values ?? {});

  const root = chartTree(chart);
  if (options.chartValues !== undefined) root.values = mapFromYaml(options.chartValues);
  if (options.allowMissingDependencies !== true) refuseMissing(root);
  processDependencies(root, userValues, rules, warn);
  const values = coalesceValues(root, userValues, rules, warn);
  if (options.skipSchemaValidation !== true) validateValues(root, values, options.schemaLoader);
  checkKubeVersion(root, capabilities);

  const files = renderTemplates(root, {
    values,
    release: releaseObject(options.release),
    capabilities: capabilitiesObject(capabilities, rules),
    functions: helmFunctions(options.providers ?? defaultProviders, rules, options.enableDns === true),
    lookup: options.lookup,
    limits: options.limits ?? {},
    rules,
  });
  const notes = takeNotes(root, files, options.subchartNotes === true);
  const sorted = options.postRender === undefined ? sortManifests(files, rules) : postRender(files, options.postRender, rules);
  for (const path of sorted.unknownHooks) warnings.push(`skipping unknown hooks path=${path}`);
  return { manifests: sorted.manifests, hooks: sorted.hooks, crds: crdFiles(root), notes, chart: root, values, warnings };
}

function capabilitiesOf({ capabilities }: RenderOptions, { isHelm4 }: Rules): Capabilities {
  return isHelm4 ? (capabilities ?? defaultCapabilities) : plainCapabilities(capabilities ?? defaultCapabilitiesHelm3);
}

function refuseMissing(root: ChartNode): void {
  const missing = missingDependencies(root);
  if (missing.length === 0) return;
  throw helmError(
    'DependencyMissing',
    "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing " +
      `dependencies: found in Chart.yaml, but missing in charts/ directory: ${missing.join(', ')}`,
    { subject: root.name },
  );
}

function checkKubeVersion({ metadata: { kubeVersion: wanted, name } }: ChartNode, { kubeVersion }: Capabilities): void {
  if (wanted === '' || isInRange(wanted, kubeVersionText(kubeVersion))) return;
  throw helmError(
    'KubeVersionIncompatible',
    `chart requires kubeVersion: ${wanted} which is incompatible with Kubernetes ${kubeVersion.version}`,
    { subject: name },
  );
}

const NOTES = 'NOTES.txt';

/** Takes the notes out of the rendered files: the chart's own, or all of them. */
function takeNotes(root: ChartNode, files: Map<string, string>, all: boolean): string {
  const own = `${root.name}/templates/${NOTES}`;
  let notes = '';
  for (const [path, text] of files) {
    if (!path.endsWith(NOTES)) continue;
    files.delete(path);
    if (all || path === own) notes += (notes === '' ? '' : '\n') + text;
  }
  return notes;
}
