import { readYaml } from '../golang/index.ts';
import { KustomizeError, wrapError } from './errors.ts';
import type { Origin } from './resource.ts';
import {
  ANY,
  BOOL,
  decodeInto,
  INT,
  INT64,
  sliceOf,
  STRING,
  STRING_MAP,
  STRINGS,
  structOf,
  type DecodeMode,
  type GoShape,
} from './go-decode.ts';

/** Names a kustomization file may have, in the order they are looked for. */
export const KUSTOMIZATION_FILES: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

export const KUSTOMIZATION_API_VERSION = 'kustomize.config.k8s.io/v1beta1';
export const COMPONENT_API_VERSION = 'kustomize.config.k8s.io/v1alpha1';

export type StringMap = ReadonlyMap<string, string>;

export type FieldSpecFields = { group?: string; version?: string; kind?: string; path?: string; create?: boolean };
export type SelectorFields = {
  group?: string;
  version?: string;
  kind?: string;
  name?: string;
  namespace?: string;
  annotationSelector?: string;
  labelSelector?: string;
};
export type PatchFields = {
  path?: string;
  patch?: string;
  target?: SelectorFields;
  options?: { allowNameChange?: boolean; allowKindChange?: boolean };
};
export type ImageFields = { name?: string; newName?: string; tagSuffix?: string; newTag?: string; digest?: string };
export type LabelFields = { pairs?: StringMap; includeSelectors?: boolean; includeTemplates?: boolean; fields?: FieldSpecFields[] };
export type GeneratorOptionFields = {
  labels?: StringMap;
  annotations?: StringMap;
  disableNameSuffixHash?: boolean;
  immutable?: boolean;
};
export type GeneratorFields = {
  name?: string;
  namespace?: string;
  behavior?: string;
  literals?: string[];
  files?: string[];
  envs?: string[];
  env?: string;
  options?: GeneratorOptionFields;
  /** Secrets only. */
  type?: string;
};
export type FieldOptionFields = { delimiter?: string; index?: number; encoding?: string; create?: boolean };
export type ReplacementFields = {
  path?: string;
  source?: SelectorFields & { fieldPath?: string; options?: FieldOptionFields };
  sourceValue?: string;
  targets?: { select?: SelectorFields; reject?: SelectorFields[]; fieldPaths?: string[]; options?: FieldOptionFields }[];
};
export type ReplicaFields = { name?: string; count?: number };
export type VarFields = {
  name?: string;
  objref?: { apiVersion?: string; group?: string; version?: string; kind?: string; name?: string; namespace?: string };
  fieldref?: { fieldPath?: string };
};
export type SortOptionFields = { order?: string; legacySortOptions?: { orderFirst?: string[]; orderLast?: string[] } };
export type HelmGlobalFields = { chartHome?: string; configHome?: string };
export type HelmChartFields = {
  name?: string;
  version?: string;
  repo?: string;
  releaseName?: string;
  namespace?: string;
  additionalValuesFiles?: string[];
  valuesFile?: string;
  valuesInline?: ReadonlyMap<string, unknown>;
  valuesMerge?: string;
  includeCRDs?: boolean;
  skipHooks?: boolean;
  apiVersions?: string[];
  kubeVersion?: string;
  nameTemplate?: string;
  skipTests?: boolean;
  debug?: boolean;
  devel?: boolean;
};
export type OldHelmChartFields = {
  chartName?: string;
  chartVersion?: string;
  chartRepoUrl?: string;
  chartHome?: string;
  helmHome?: string;
  values?: string;
  valuesLocal?: ReadonlyMap<string, unknown>;
  valuesMerge?: string;
  releaseName?: string;
};

/** A kustomization file as decoded; absent fields are absent. */
export type Kustomization = {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string; labels?: StringMap; annotations?: StringMap };
  openapi?: StringMap;
  namePrefix?: string;
  nameSuffix?: string;
  namespace?: string;
  commonLabels?: StringMap;
  labels?: LabelFields[];
  commonAnnotations?: StringMap;
  patchesStrategicMerge?: string[];
  patchesJson6902?: PatchFields[];
  patches?: PatchFields[];
  images?: ImageFields[];
  imageTags?: ImageFields[];
  replacements?: ReplacementFields[];
  replicas?: ReplicaFields[];
  vars?: VarFields[];
  sortOptions?: SortOptionFields;
  resources?: string[];
  components?: string[];
  crds?: string[];
  bases?: string[];
  configMapGenerator?: GeneratorFields[];
  secretGenerator?: GeneratorFields[];
  helmGlobals?: HelmGlobalFields;
  helmCharts?: HelmChartFields[];
  helmChartInflationGenerator?: OldHelmChartFields[];
  generatorOptions?: GeneratorOptionFields;
  configurations?: string[];
  generators?: string[];
  transformers?: string[];
  validators?: string[];
  buildMetadata?: string[];
};

const GVK = { group: STRING, version: STRING, kind: STRING };
const RES_ID = { ...GVK, name: STRING, namespace: STRING };

export const FIELD_SPEC: GoShape = structOf('FieldSpec', { ...GVK, path: STRING, create: BOOL });
export const SELECTOR: GoShape = structOf('Selector', { ...RES_ID, annotationSelector: STRING, labelSelector: STRING });
export const PATCH_ARGS: GoShape = structOf('PatchArgs', { allowNameChange: BOOL, allowKindChange: BOOL });
export const PATCH: GoShape = structOf('Patch', { path: STRING, patch: STRING, target: SELECTOR, options: PATCH_ARGS });
export const IMAGE: GoShape = structOf('Image', { name: STRING, newName: STRING, tagSuffix: STRING, newTag: STRING, digest: STRING });
const LABEL = structOf('Label', { pairs: STRING_MAP, includeSelectors: BOOL, includeTemplates: BOOL, fields: sliceOf(FIELD_SPEC) });
const GENERATOR_OPTIONS = structOf('GeneratorOptions', {
  labels: STRING_MAP,
  annotations: STRING_MAP,
  disableNameSuffixHash: BOOL,
  immutable: BOOL,
});
const GENERATOR_ARGS = {
  namespace: STRING,
  name: STRING,
  behavior: STRING,
  literals: STRINGS,
  files: STRINGS,
  envs: STRINGS,
  env: STRING,
  options: GENERATOR_OPTIONS,
};
const OBJECT_META = structOf('ObjectMeta', { name: STRING, namespace: STRING, labels: STRING_MAP, annotations: STRING_MAP });
/** A ConfigMapGenerator's or SecretGenerator's file of its own. */
export const GENERATOR_PLUGIN: GoShape = structOf('GeneratorArgs', { metadata: OBJECT_META, ...GENERATOR_ARGS, type: STRING });
const FIELD_OPTIONS = structOf('FieldOptions', { delimiter: STRING, index: INT, encoding: STRING, create: BOOL });
const SOURCE = structOf('SourceSelector', { ...RES_ID, fieldPath: STRING, options: FIELD_OPTIONS });
const TARGET = structOf('TargetSelector', { select: SELECTOR, reject: sliceOf(SELECTOR), fieldPaths: STRINGS, options: FIELD_OPTIONS });
const REPLACEMENT_FIELDS = { source: SOURCE, targets: sliceOf({ ...TARGET, name: '*types.TargetSelector' }), sourceValue: STRING };
export const REPLACEMENT: GoShape = structOf('Replacement', REPLACEMENT_FIELDS);
export const REPLACEMENT_FIELD: GoShape = structOf('ReplacementField', { ...REPLACEMENT_FIELDS, path: STRING });
export const REPLICA: GoShape = structOf('Replica', { name: STRING, count: INT64 });
const VAR = structOf('Var', {
  name: STRING,
  objref: structOf('Target', { apiVersion: STRING, ...RES_ID }),
  fieldref: structOf('FieldSelector', { fieldPath: STRING }),
});
const SORT_OPTIONS = structOf('SortOptions', {
  order: { kind: 'string', name: 'types.SortOrder' },
  legacySortOptions: structOf('LegacySortOptions', { orderFirst: STRINGS, orderLast: STRINGS }),
});
const ANY_MAP: GoShape = { kind: 'map', name: 'map[string]interface {}', element: ANY };
const HELM_GLOBAL_FIELDS = { chartHome: STRING, configHome: STRING };
const HELM_CHART_FIELDS = {
  name: STRING,
  version: STRING,
  repo: STRING,
  releaseName: STRING,
  namespace: STRING,
  additionalValuesFiles: STRINGS,
  valuesFile: STRING,
  valuesInline: ANY_MAP,
  valuesMerge: STRING,
  includeCRDs: BOOL,
  skipHooks: BOOL,
  apiVersions: STRINGS,
  kubeVersion: STRING,
  nameTemplate: STRING,
  skipTests: BOOL,
  debug: BOOL,
  devel: BOOL,
};
/** A HelmChartInflationGenerator's file of its own. */
export const HELM_PLUGIN: GoShape = structOf('HelmChart', { ...HELM_GLOBAL_FIELDS, ...HELM_CHART_FIELDS });
const OLD_HELM_CHART = structOf('HelmChartArgs', {
  chartName: STRING,
  chartVersion: STRING,
  chartRepoUrl: STRING,
  chartHome: STRING,
  chartRepoName: STRING,
  helmBin: STRING,
  helmHome: STRING,
  values: STRING,
  valuesLocal: ANY_MAP,
  valuesMerge: STRING,
  releaseName: STRING,
  releaseNamespace: STRING,
  extraArgs: STRINGS,
});

const KUSTOMIZATION = structOf('Kustomization', {
  kind: STRING,
  apiVersion: STRING,
  metadata: OBJECT_META,
  openapi: STRING_MAP,
  namePrefix: STRING,
  nameSuffix: STRING,
  namespace: STRING,
  commonLabels: STRING_MAP,
  labels: sliceOf(LABEL),
  commonAnnotations: STRING_MAP,
  patchesStrategicMerge: sliceOf({ kind: 'string', name: 'types.PatchStrategicMerge' }),
  patchesJson6902: sliceOf(PATCH),
  patches: sliceOf(PATCH),
  images: sliceOf(IMAGE),
  imageTags: sliceOf(IMAGE),
  replacements: sliceOf(REPLACEMENT_FIELD),
  replicas: sliceOf(REPLICA),
  vars: sliceOf(VAR),
  sortOptions: SORT_OPTIONS,
  resources: STRINGS,
  components: STRINGS,
  crds: STRINGS,
  bases: STRINGS,
  configMapGenerator: sliceOf(structOf('ConfigMapArgs', GENERATOR_ARGS)),
  secretGenerator: sliceOf(structOf('SecretArgs', { ...GENERATOR_ARGS, type: STRING })),
  helmGlobals: structOf('HelmGlobals', HELM_GLOBAL_FIELDS),
  helmCharts: sliceOf(structOf('HelmChart', HELM_CHART_FIELDS)),
  helmChartInflationGenerator: sliceOf(OLD_HELM_CHART),
  generatorOptions: GENERATOR_OPTIONS,
  configurations: STRINGS,
  generators: STRINGS,
  transformers: STRINGS,
  validators: STRINGS,
  buildMetadata: STRINGS,
});

/**
 * Reads a kustomization file: YAML 1.1, decoded as kustomize does (`strict`) or as Flux does before it adds its own fields (`lenient`).
 * Throws KustomizationInvalid with kustomize's text.
 */
export function parseKustomization(text: string | Uint8Array, mode: DecodeMode = 'strict'): Kustomization {
  try {
    const value = readYaml(text, { dialect: 'v2', numbers: 'exact' });
    return (decodeInto(value, KUSTOMIZATION, mode) ?? {}) as Kustomization;
  } catch (error) {
    throw mode === 'strict' ? wrapError(error, 'invalid Kustomization', 'KustomizationInvalid') : error;
  }
}

const EDIT_FIX = "Run 'kustomize edit fix' to update your Kustomization automatically.";
const DEPRECATED: readonly (readonly [keyof Kustomization, string, string])[] = [
  ['bases', 'resources', EDIT_FIX],
  ['commonLabels', 'labels', EDIT_FIX],
  ['imageTags', 'images', EDIT_FIX],
  ['patchesJson6902', 'patches', EDIT_FIX],
  ['patchesStrategicMerge', 'patches', EDIT_FIX],
  ['vars', 'replacements', `[EXPERIMENTAL] ${EDIT_FIX}`],
];

/** kustomize's warnings for fields that have a successor. */
export function deprecationWarnings(kustomization: Kustomization): { field: string; message: string }[] {
  return DEPRECATED.filter(([name]) => kustomization[name] !== undefined).map(([name, successor, advice]) => ({
    field: name,
    message: `# Warning: '${name}' is deprecated. Please use '${successor}' instead. ${advice}`,
  }));
}

/** Moves deprecated fields to their successors, fills in kind and apiVersion, and checks both. `root` is named in errors. */
export function normalizeKustomization(decoded: Kustomization, root: string): Kustomization {
  const result: Kustomization = { ...decoded };
  result.kind = decoded.kind === undefined || decoded.kind === '' ? 'Kustomization' : decoded.kind;
  if (decoded.apiVersion === undefined || decoded.apiVersion === '') {
    result.apiVersion = result.kind === 'Component' ? COMPONENT_API_VERSION : KUSTOMIZATION_API_VERSION;
  }
  moveDeprecated(result);
  if (Object.keys(result).every((name) => name === 'kind' || name === 'apiVersion')) {
    throw new KustomizeError('KustomizationInvalid', 'kustomization.yaml is empty', { subject: root });
  }
  enforce(result, root);
  return result;
}

function moveDeprecated(result: Kustomization): void {
  if (result.bases !== undefined) result.resources = [...(result.resources ?? []), ...result.bases];
  if (result.imageTags !== undefined) result.images = [...(result.images ?? []), ...result.imageTags];
  if (result.resources?.length === 0 && result.bases !== undefined) delete result.resources;
  delete result.bases;
  delete result.imageTags;
  if (result.configMapGenerator !== undefined) result.configMapGenerator = result.configMapGenerator.map(moveEnv);
  if (result.secretGenerator !== undefined) result.secretGenerator = result.secretGenerator.map(moveEnv);
  moveHelm(result);
}

function moveEnv(args: GeneratorFields): GeneratorFields {
  if (args.env === undefined || args.env === '') return args;
  const { env, ...rest } = args;
  return { ...rest, envs: [...(args.envs ?? []), env] };
}

function moveHelm(result: Kustomization): void {
  const old = result.helmChartInflationGenerator;
  delete result.helmChartInflationGenerator;
  if (old === undefined || old.length === 0) return;
  const charts = old.map(({ chartName, chartVersion, chartRepoUrl, values, valuesLocal, valuesMerge, releaseName }) =>
    defined({
      name: chartName,
      version: chartVersion,
      repo: chartRepoUrl,
      valuesFile: values,
      valuesInline: valuesLocal,
      valuesMerge,
      releaseName,
    }),
  );
  result.helmCharts = [...(result.helmCharts ?? []), ...charts];
  const last = (pick: (args: OldHelmChartFields) => string | undefined): string | undefined =>
    old.map(pick).findLast((value) => value !== undefined && value !== '');
  const globals = defined({ chartHome: last((args) => args.chartHome), configHome: last((args) => args.helmHome) });
  if (result.helmGlobals === undefined && Object.keys(globals).length > 0) result.helmGlobals = globals;
}

/** The object without its undefined fields. */
function defined<T extends object>(object: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: NonNullable<T[K]> };
}

function enforce({ kind = '', apiVersion = '' }: Kustomization, root: string): void {
  const problems: string[] = [];
  if (kind !== 'Kustomization' && kind !== 'Component') problems.push('kind should be Kustomization or Component');
  const wanted = kind === 'Component' ? COMPONENT_API_VERSION : KUSTOMIZATION_API_VERSION;
  if (apiVersion !== wanted) problems.push(`apiVersion for ${kind} should be ${wanted}`);
  if (problems.length === 0) return;
  // kustomize joins problems and folder without a line break between the last of them.
  throw new KustomizeError('KustomizationInvalid', `Failed to read kustomization file under ${root}:\n${problems.join('\n')}`, {
    subject: root,
  });
}

/** Where a transformer or generator of a kustomization file stands (buildMetadata). */
export function configuredBy(origin: Origin, file: string, kind: string): Origin {
  const { repo, ref, path = '' } = origin;
  return {
    ...(repo === undefined ? {} : { repo }),
    ...(ref === undefined ? {} : { ref }),
    configuredIn: path === '' ? file : `${path}/${file}`,
    configuredBy: { apiVersion: 'builtin', kind },
  };
}
