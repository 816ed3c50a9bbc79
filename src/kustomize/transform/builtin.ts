import type { BuildContext } from '../build-context.ts';
import { toFieldSpecs } from '../configurations.ts';
import { within } from '../errors.ts';
import type { FieldSpec } from '../field-spec.ts';
import type { Kustomization, LabelFields, StringMap } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { configure, type TransformStep } from '../step.ts';
import { addFieldSpec, addFieldSpecs, type TransformerConfig } from '../transformer-config.ts';
import { weightOfText } from '../value.ts';
import { addAffix } from './affix.ts';
import { setEntries } from './entries.ts';
import { setImages } from './images.ts';
import { setNamespace } from './namespace.ts';
import { prepareJson6902, preparePatch, prepareStrategicMerge } from './patches.ts';
import { prepareReplacements } from './replacements.ts';
import { setReplicas } from './replicas.ts';

const METADATA_LABELS: FieldSpec = { group: '', version: '', kind: '', path: 'metadata/labels', create: true };

/** The builtin transformers a kustomization asks for, in kustomize's order. Reads the files they need. */
export function builtinTransformers(
  kustomization: Kustomization,
  config: TransformerConfig,
  loader: Loader,
  context: BuildContext,
): TransformStep[] {
  return [
    ...patchSteps(kustomization, loader, context),
    ...nameSteps(kustomization, config),
    ...labelSteps(kustomization, config),
    ...valueSteps(kustomization, config, loader, context),
  ];
}

function patchSteps(kustomization: Kustomization, loader: Loader, context: BuildContext): TransformStep[] {
  const steps: TransformStep[] = [];
  const merges = kustomization.patchesStrategicMerge ?? [];
  if (merges.length > 0) {
    const kind = 'PatchStrategicMergeTransformer';
    const transform = configure(kind, { paths: merges }, () => prepareStrategicMerge(merges, '', loader, context));
    steps.push({ kind, transform });
  }
  for (const patch of kustomization.patches ?? []) {
    const transform = configure('PatchTransformer', patch, (text) => preparePatch(patch, loader, context, text));
    steps.push({ kind: 'PatchTransformer', transform });
  }
  return steps;
}

function nameSteps({ namespace = '', namePrefix = '', nameSuffix = '' }: Kustomization, config: TransformerConfig): TransformStep[] {
  const steps: TransformStep[] = [];
  if (namespace !== '') {
    steps.push({ kind: 'NamespaceTransformer', transform: (list) => setNamespace(list, { namespace, specs: config.namespace }) });
  }
  if (namePrefix !== '') {
    steps.push({
      kind: 'PrefixTransformer',
      weight: weightOfText(namePrefix),
      transform: (list) => addAffix(list, 'prefix', namePrefix, config.namePrefix),
    });
  }
  if (nameSuffix !== '') {
    steps.push({
      kind: 'SuffixTransformer',
      weight: weightOfText(nameSuffix),
      transform: (list) => addAffix(list, 'suffix', nameSuffix, config.nameSuffix),
    });
  }
  return steps;
}

function labelSteps({ labels = [], commonLabels, commonAnnotations }: Kustomization, config: TransformerConfig): TransformStep[] {
  const steps: TransformStep[] = [];
  for (const label of labels) {
    const specs = within('failed to merge labels', () => labelSpecs(label, config), 'KustomizationInvalid');
    steps.push(entriesStep('LabelTransformer', label.pairs, specs));
  }
  if (labels.length > 0 || (commonLabels?.size ?? 0) > 0) {
    steps.push(entriesStep('LabelTransformer', commonLabels, config.commonLabels));
  }
  if (commonAnnotations !== undefined && commonAnnotations.size > 0) {
    steps.push(entriesStep('AnnotationsTransformer', commonAnnotations, config.commonAnnotations));
  }
  return steps;
}

function entriesStep(kind: string, entries: StringMap = new Map(), specs: readonly FieldSpec[]): TransformStep {
  let weight = 0;
  for (const [key, value] of entries) weight += weightOfText(key) + weightOfText(value);
  return { kind, weight, transform: (list) => setEntries(list, entries, specs) };
}

/** The fields one entry of `labels` is for. */
function labelSpecs({ fields, includeSelectors, includeTemplates }: LabelFields, config: TransformerConfig): readonly FieldSpec[] {
  const own = addFieldSpecs(toFieldSpecs(fields), config.labels);
  if (includeSelectors === true) return own.length === 0 ? config.commonLabels : addFieldSpecs(own, config.commonLabels);
  if (includeTemplates !== true) return addFieldSpec(own, METADATA_LABELS);
  return addFieldSpec(own.length === 0 ? config.templateLabels : addFieldSpecs(own, config.templateLabels), METADATA_LABELS);
}

function valueSteps(kustomization: Kustomization, config: TransformerConfig, loader: Loader, context: BuildContext): TransformStep[] {
  const steps: TransformStep[] = [];
  for (const patch of kustomization.patchesJson6902 ?? []) {
    const kind = 'PatchJson6902Transformer';
    const shown = { target: patch.target, path: patch.path, jsonOp: patch.patch };
    steps.push({ kind, transform: configure(kind, shown, () => prepareJson6902(patch, loader, context)) });
  }
  for (const { name = '', count = 0 } of kustomization.replicas ?? []) {
    steps.push({ kind: 'ReplicaCountTransformer', transform: (list) => setReplicas(list, name, count, config.replicas) });
  }
  const images = kustomization.images ?? [];
  images.forEach((_, i) => {
    // All entries are applied in one walk, by the first step; the others only say that they were here.
    steps.push({ kind: 'ImageTagTransformer', transform: i === 0 ? (list) => setImages(list, images, config.images) : () => undefined });
  });
  const replacements = kustomization.replacements ?? [];
  if (replacements.length > 0) {
    const kind = 'ReplacementTransformer';
    steps.push({ kind, transform: configure(kind, { replacements }, () => prepareReplacements(replacements, loader, context.spend)) });
  }
  return steps;
}
