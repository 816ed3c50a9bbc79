import { isYamlObject, readYaml, type YamlObject, type YamlValue } from '../../golang/index.ts';
import { joinTreePath } from '../../manifest/index.ts';
import type { BuildContext, HelmChartRequest } from '../build-context.ts';
import { KustomizeError } from '../errors.ts';
import type { HelmChartFields, HelmGlobalFields } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { joinPath } from '../origin.ts';
import { fileText, readObjects } from '../read-documents.ts';
import { Resource } from '../resource.ts';

const MERGES: readonly string[] = ['merge', 'override', 'replace'];

/** Makes one entry of `helmCharts` ready. The chart is rendered by the engine the caller of the build has given, if it has. */
export function prepareHelmChart(fields: HelmChartFields & HelmGlobalFields, loader: Loader, context: BuildContext): () => Resource[] {
  const { inflateHelmChart } = context;
  if (inflateHelmChart === undefined) {
    throw new KustomizeError('HelmDenied', 'must specify --enable-helm', {
      subject: fields.name,
      remedy: 'allow Helm charts in kustomizations, or render the chart with a HelmRelease',
    });
  }
  const { name = '', valuesMerge = '' } = fields;
  if (name === '') throw new KustomizeError('GeneratorFailed', 'chart name cannot be empty');
  if (valuesMerge !== '' && !MERGES.includes(valuesMerge)) {
    throw new KustomizeError('GeneratorFailed', `valuesMerge must be one of [${MERGES.join(' ')}]`);
  }
  const request = toRequest(fields, name, loader);
  return () => {
    if (!request.vendored && (fields.repo ?? '') === '') {
      throw new KustomizeError('GeneratorFailed', `no repo specified for pull, no chart found at '/${request.path}'`, { subject: name });
    }
    const text = inflateHelmChart(request);
    return readObjects(text, context.limits).map((object) => new Resource(object, context.schemas, { helmGenerated: true }));
  };
}

function toRequest(fields: HelmChartFields & HelmGlobalFields, name: string, loader: Loader): HelmChartRequest {
  const { chartHome = '', configHome: _configHome, valuesFile = '', additionalValuesFiles = [], ...chart } = fields;
  const home = chartHome === '' ? 'charts' : chartHome;
  const pulled = (fields.version ?? '') !== '' && (fields.repo ?? '') !== '';
  const folder = joinPath(home, pulled ? `${name}-${fields.version ?? ''}` : '', name);
  const path = joinTreePath(folder.startsWith('/') ? '' : loader.root, folder) ?? '';
  const vendored = loader.tree.list(path).length > 0;
  const file = valuesFile === '' ? undefined : valuesFile;
  const base = file === undefined ? chartValues(loader, path) : readValues(loader, file);
  const values = [mergeValues(base, Object.fromEntries(fields.valuesInline ?? []) as YamlObject, fields.valuesMerge ?? '')];
  for (const each of additionalValuesFiles) values.push(readValues(loader, each));
  return { chart: { ...chart, name }, tree: loader.tree, path, vendored, values };
}

function chartValues(loader: Loader, path: string): YamlObject {
  const content = loader.tree.read(`${path}/values.yaml`);
  if (content === undefined) return {};
  loader.note(`${path}/values.yaml`);
  return asValues(readYaml(content, { dialect: 'v2' }));
}

function readValues(loader: Loader, path: string): YamlObject {
  return asValues(readYaml(fileText(loader.load(path)), { dialect: 'v2' }));
}

function asValues(value: YamlValue): YamlObject {
  return isYamlObject(value) ? value : {};
}

/** `override` (the default): inline values win; `merge`: those of the file win; `replace`: inline values alone. */
function mergeValues(file: YamlObject, inline: YamlObject, how: string): YamlObject {
  if (Object.keys(inline).length === 0) return file;
  if (how === 'replace') return inline;
  return how === 'merge' ? overlay(inline, file) : overlay(file, inline);
}

/** Deep merge in which maps merge, everything else is replaced and null removes. */
function overlay(below: YamlObject, above: YamlObject): YamlObject {
  const result: YamlObject = { ...below };
  for (const key of Object.keys(above)) {
    const value = above[key] ?? null;
    const old = Object.hasOwn(result, key) ? result[key] : undefined;
    if (value === null) delete result[key];
    else if (isYamlObject(value) && isYamlObject(old)) result[key] = overlay(old, value);
    else Object.defineProperty(result, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return result;
}
