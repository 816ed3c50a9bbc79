import { isYamlObject, readYaml, type YamlObject, type YamlValue } from '../golang/index.ts';
import type { BuildContext } from './build-context.ts';
import { toFieldSpecs } from './configurations.ts';
import { KustomizeError, wrapError } from './errors.ts';
import { generateConfigMap, generateSecret } from './generate/config-maps.ts';
import { prepareHelmChart } from './generate/helm-chart.ts';
import { generateIamPolicy, parseIamPolicy } from './generate/iam-policy.ts';
import { decodeInto, INT, sliceOf, STRING, STRING_MAP, STRINGS, structOf, type GoShape } from './go-decode.ts';
import { quote } from './go-text.ts';
import { formatGvk, formatId } from './gvk.ts';
import {
  FIELD_SPEC,
  GENERATOR_PLUGIN,
  HELM_PLUGIN,
  IMAGE,
  PATCH_ARGS,
  REPLACEMENT_FIELD,
  REPLICA,
  SELECTOR,
  type FieldSpecFields,
  type GeneratorFields,
  type HelmChartFields,
  type HelmGlobalFields,
  type ImageFields,
  type PatchFields,
  type ReplacementFields,
  type ReplicaFields,
  type StringMap,
} from './kustomization.ts';
import type { Loader } from './loader.ts';
import { pluginOrigin } from './origin.ts';
import { objectText, toPlainObject } from './plain.ts';
import { fileText } from './read-documents.ts';
import type { Resource } from './resource.ts';
import type { GenerateStep, TransformStep } from './step.ts';
import { addAffix } from './transform/affix.ts';
import { setEntries } from './transform/entries.ts';
import { addHashes } from './transform/hash.ts';
import { setImages } from './transform/images.ts';
import { setNamespace, type SubjectMode } from './transform/namespace.ts';
import { prepareJson6902, preparePatch, prepareStrategicMerge } from './transform/patches.ts';
import { prepareReplacements } from './transform/replacements.ts';
import { setReplicas } from './transform/replicas.ts';
import { weightOf } from './value.ts';
import { addValue, checkValueAddTargets, type ValueAddTarget } from './transform/value-add.ts';

export type Step = TransformStep;

type Plugin = { readonly config: YamlObject; readonly loader: Loader; readonly context: BuildContext; readonly text: string };

const SPECS = sliceOf(FIELD_SPEC);
const METADATA = structOf('ObjectMeta', { name: STRING, namespace: STRING, labels: STRING_MAP, annotations: STRING_MAP });

/** Reads part of a plugin's configuration, as sigs.k8s.io/yaml reads it into a struct. */
function decode<T>({ config }: Plugin, fields: Readonly<Record<string, GoShape>>): T {
  return (decodeInto(config, structOf('Plugin', fields), 'lenient') ?? {}) as T;
}

const TRANSFORMERS: Readonly<Record<string, (plugin: Plugin) => TransformStep['transform']>> = {
  AnnotationsTransformer: (plugin) => {
    const { annotations = new Map(), fieldSpecs } = decode<{ annotations?: StringMap; fieldSpecs?: FieldSpecFields[] }>(plugin, {
      annotations: STRING_MAP,
      fieldSpecs: SPECS,
    });
    const specs = toFieldSpecs(fieldSpecs);
    return (list) => setEntries(list, annotations, specs);
  },
  LabelTransformer: (plugin) => {
    const { labels = new Map(), fieldSpecs } = decode<{ labels?: StringMap; fieldSpecs?: FieldSpecFields[] }>(plugin, {
      labels: STRING_MAP,
      fieldSpecs: SPECS,
    });
    const specs = toFieldSpecs(fieldSpecs);
    return (list) => setEntries(list, labels, specs);
  },
  NamespaceTransformer: namespaceTransformer,
  PrefixTransformer: (plugin) => affixTransformer(plugin, 'prefix'),
  SuffixTransformer: (plugin) => affixTransformer(plugin, 'suffix'),
  PrefixSuffixTransformer: (plugin) => {
    const transforms = [affixTransformer(plugin, 'prefix'), affixTransformer(plugin, 'suffix')];
    return (list) => transforms.forEach((transform) => transform(list));
  },
  HashTransformer: () => addHashes,
  ImageTagTransformer: (plugin) => {
    const { imageTag = {}, fieldSpecs } = decode<{ imageTag?: ImageFields; fieldSpecs?: FieldSpecFields[] }>(plugin, {
      imageTag: IMAGE,
      fieldSpecs: SPECS,
    });
    const specs = toFieldSpecs(fieldSpecs);
    return (list) => setImages(list, [imageTag], specs);
  },
  ReplicaCountTransformer: (plugin) => {
    const { replica = {}, fieldSpecs } = decode<{ replica?: ReplicaFields; fieldSpecs?: FieldSpecFields[] }>(plugin, {
      replica: REPLICA,
      fieldSpecs: SPECS,
    });
    const specs = toFieldSpecs(fieldSpecs);
    return (list) => setReplicas(list, replica.name ?? '', replica.count ?? 0, specs);
  },
  PatchTransformer: (plugin) => {
    const shape = { path: STRING, patch: STRING, target: SELECTOR, options: PATCH_ARGS };
    return preparePatch(decode<PatchFields>(plugin, shape), plugin.loader, plugin.context, plugin.text);
  },
  PatchJson6902Transformer: (plugin) =>
    prepareJson6902(
      decode<PatchFields & { jsonOp?: string }>(plugin, { target: SELECTOR, path: STRING, jsonOp: STRING }),
      plugin.loader,
      plugin.context,
    ),
  PatchStrategicMergeTransformer: (plugin) => {
    const { paths = [], patches = '' } = decode<{ paths?: string[]; patches?: string }>(plugin, { paths: STRINGS, patches: STRING });
    return prepareStrategicMerge(paths, patches, plugin.loader, plugin.context);
  },
  ReplacementTransformer: (plugin) => {
    const { replacements = [] } = decode<{ replacements?: ReplacementFields[] }>(plugin, { replacements: sliceOf(REPLACEMENT_FIELD) });
    return prepareReplacements(replacements, plugin.loader, plugin.context.spend);
  },
  ValueAddTransformer: valueAddTransformer,
};

function namespaceTransformer(plugin: Plugin): TransformStep['transform'] {
  type Fields = { metadata?: { namespace?: string }; fieldSpecs?: FieldSpecFields[]; unsetOnly?: boolean; setRoleBindingSubjects?: string };
  const fields = decode<Fields>(plugin, {
    metadata: METADATA,
    fieldSpecs: SPECS,
    unsetOnly: { kind: 'bool', name: 'bool' },
    setRoleBindingSubjects: STRING,
  });
  const { metadata = {}, unsetOnly = false, setRoleBindingSubjects: mode = '' } = fields;
  const specs = toFieldSpecs(fields.fieldSpecs);
  const subjects = toSubjectMode(mode);
  return (list) => setNamespace(list, { namespace: metadata.namespace ?? '', specs, unsetOnly, subjects });
}

function toSubjectMode(mode: string): SubjectMode {
  switch (mode) {
    case '':
      return 'defaultOnly';
    case 'defaultOnly':
    case 'allServiceAccounts':
    case 'none':
      return mode;
    default: {
      const message = `invalid value ${quote(mode)} for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"`;
      throw new KustomizeError('KustomizationInvalid', message);
    }
  }
}

function affixTransformer(plugin: Plugin, where: 'prefix' | 'suffix'): TransformStep['transform'] {
  const fields = decode<{ prefix?: string; suffix?: string; fieldSpecs?: FieldSpecFields[] }>(plugin, {
    [where]: STRING,
    fieldSpecs: SPECS,
  });
  if (fields.fieldSpecs === undefined) throw new KustomizeError('KustomizationInvalid', 'fieldSpecs is not expected to be nil');
  const specs = toFieldSpecs(fields.fieldSpecs);
  return (list) => addAffix(list, where, fields[where] ?? '', specs);
}

const VALUE_ADD_TARGETS = sliceOf(structOf('Target', { selector: SELECTOR, fieldPath: STRING, filePathPosition: INT }));

function valueAddTransformer(plugin: Plugin): TransformStep['transform'] {
  type Fields = { value?: string; targets?: ValueAddTarget[]; targetFilePath?: string };
  const fields = decode<Fields>(plugin, { value: STRING, targets: VALUE_ADD_TARGETS, targetFilePath: STRING });
  const { root } = plugin.loader;
  const value = (fields.value ?? '').trim() || root.slice(root.lastIndexOf('/') + 1) || '/';
  const targets = [...(fields.targets ?? [])];
  if (fields.targetFilePath !== undefined && fields.targetFilePath !== '') {
    const content = readYaml(fileText(plugin.loader.load(fields.targetFilePath)), { dialect: 'v2' });
    const file = { ...plugin, config: asObject(content) };
    targets.push(...(decode<{ targets?: ValueAddTarget[] }>(file, { targets: VALUE_ADD_TARGETS }).targets ?? []));
  }
  checkValueAddTargets(targets);
  return (list) => addValue(list, value, targets);
}

const GENERATORS: Readonly<Record<string, (plugin: Plugin) => GenerateStep['generate']>> = {
  ConfigMapGenerator: (plugin) => {
    const args = generatorArgs(plugin);
    return () => [generateConfigMap(args, plugin.loader, plugin.context)];
  },
  SecretGenerator: (plugin) => {
    const args = generatorArgs(plugin);
    return () => [generateSecret(args, plugin.loader, plugin.context)];
  },
  IAMPolicyGenerator: (plugin) => {
    const fields = parseIamPolicy(plugin.config);
    return () => [generateIamPolicy(fields, plugin.context)];
  },
  HelmChartInflationGenerator: (plugin) => {
    const fields = (decodeInto(plugin.config, HELM_PLUGIN, 'lenient') ?? {}) as HelmChartFields & HelmGlobalFields;
    return prepareHelmChart(fields, plugin.loader, plugin.context);
  },
};

function generatorArgs({ config }: Plugin): GeneratorFields {
  const { metadata = {}, ...args } = (decodeInto(config, GENERATOR_PLUGIN, 'lenient') ?? {}) as GeneratorFields & {
    metadata?: { name?: string; namespace?: string };
  };
  const name = args.name === undefined || args.name === '' ? (metadata.name ?? '') : args.name;
  const namespace = args.namespace === undefined || args.namespace === '' ? (metadata.namespace ?? '') : args.namespace;
  return { ...args, name, namespace };
}

/** Makes the transformers that resources configure ready. Only builtins: programs and containers are refused. */
export function loadTransformerPlugins(resources: readonly Resource[], loader: Loader, context: BuildContext): TransformStep[] {
  return resources.map((resource) => {
    const prepare = lookUp(TRANSFORMERS, GENERATORS, resource, 'transformer');
    const transform = configurePlugin(resource, () => prepare(toPlugin(resource, loader, context)));
    return { kind: resource.kind, origin: pluginOrigin(resource), transform, weight: weightOf(resource.object) };
  });
}

/** Makes the generators that resources configure ready. Only builtins. */
export function loadGeneratorPlugins(resources: readonly Resource[], loader: Loader, context: BuildContext): GenerateStep[] {
  return resources.map((resource) => {
    try {
      const prepare = lookUp(GENERATORS, TRANSFORMERS, resource, 'generator');
      const generate = configurePlugin(resource, () => prepare(toPlugin(resource, loader, context)));
      return { kind: resource.kind, origin: pluginOrigin(resource), generate };
    } catch (error) {
      throw wrapError(error, 'failed to load generator');
    }
  });
}

function configurePlugin<T>(resource: Resource, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw wrapError(error, `plugin ${formatId(resource.originalId)} fails configuration`, 'KustomizationInvalid');
  }
}

function toPlugin(resource: Resource, loader: Loader, context: BuildContext): Plugin {
  const config = toPlainObject(resource.object);
  return { config, loader, context, text: objectText(resource.object) };
}

function lookUp<T>(wanted: Readonly<Record<string, T>>, other: object, resource: Resource, role: string): T {
  const { kind, group, version } = resource.id;
  if (group !== '' || version !== 'builtin') {
    throw new KustomizeError('PluginDenied', `external plugins disabled; unable to load external plugin '${kind}'`, {
      subject: kind,
      remedy: 'use a builtin transformer; programs and containers are never run',
    });
  }
  const found = Object.hasOwn(wanted, kind) ? wanted[kind] : undefined;
  if (found !== undefined) return found;
  if (Object.hasOwn(other, kind)) {
    throw new KustomizeError('KustomizationInvalid', `plugin ${formatId(resource.originalId)} not a ${role}`);
  }
  throw new KustomizeError('KustomizationInvalid', `unable to load builtin ${formatGvk(resource.id)}`, { subject: kind });
}

function asObject(value: YamlValue): YamlObject {
  return isYamlObject(value) ? value : {};
}
