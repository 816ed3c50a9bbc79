import { KustomizeError, within } from './errors.ts';
import type { FieldSpec } from './field-spec.ts';
import { compareUtf8 } from '../std/index.ts';
import { gvkEquals, isSelected, type Gvk } from './gvk.ts';
import { kindRank, sortText } from './kind-order.ts';

/** Resources of a kind, and the fields of others that hold their names. */
export type NameBackReference = Gvk & { readonly referrers: readonly FieldSpec[] };

/** Which fields the transformers work on. */
export type TransformerConfig = {
  readonly namePrefix: readonly FieldSpec[];
  readonly nameSuffix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly labels: readonly FieldSpec[];
  readonly templateLabels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly nameReference: readonly NameBackReference[];
  readonly varReference: readonly FieldSpec[];
  readonly images: readonly FieldSpec[];
  readonly replicas: readonly FieldSpec[];
};

export const EMPTY_CONFIG: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  labels: [],
  templateLabels: [],
  commonAnnotations: [],
  nameReference: [],
  varReference: [],
  images: [],
  replicas: [],
};

type FieldSpecList = Exclude<keyof TransformerConfig, 'nameReference'>;

/** The lists of field specs, with the names kustomize's errors give them. */
const LISTS: Readonly<Record<FieldSpecList, string>> = {
  namePrefix: 'NamePrefix',
  nameSuffix: 'NameSuffix',
  namespace: 'NameSpace',
  commonAnnotations: 'CommonAnnotations',
  commonLabels: 'CommonLabels',
  labels: 'Labels',
  templateLabels: 'TemplateLabels',
  varReference: 'VarReference',
  images: 'Images',
  replicas: 'Replicas',
};

/** Adds a spec unless one for the same fields is there. Throws when that one differs in whether it makes fields. */
export function addFieldSpec(specs: readonly FieldSpec[], spec: FieldSpec): readonly FieldSpec[] {
  const same = specs.find((each) => each.path === spec.path && isSelected(each, spec));
  if (same === undefined) return [...specs, spec];
  if (same.create !== spec.create) throw new KustomizeError('KustomizationInvalid', 'conflicting fieldspecs');
  return specs;
}

/** Adds specs one by one. */
export function addFieldSpecs(specs: readonly FieldSpec[], more: readonly FieldSpec[]): readonly FieldSpec[] {
  let result = specs;
  for (const spec of more) result = addFieldSpec(result, spec);
  return result;
}

function addReferences(references: readonly NameBackReference[], more: readonly NameBackReference[]): readonly NameBackReference[] {
  let result = references;
  for (const reference of more) result = addReference(result, reference);
  return result;
}

function addReference(references: readonly NameBackReference[], other: NameBackReference): readonly NameBackReference[] {
  if (!references.some((each) => gvkEquals(each, other))) return [...references, other];
  return references.map((each) => {
    if (!gvkEquals(each, other)) return each;
    const referrers = addFieldSpecs(each.referrers, other.referrers);
    return referrers === each.referrers ? each : { ...each, referrers };
  });
}

const merged = new WeakMap<TransformerConfig, WeakMap<TransformerConfig, TransformerConfig>>();

/**
 * Both configurations together, in kustomize's order. That matters: what is merged first decides whether a spec for a kind and one for
 * all kinds both stay. The result for two given (unchanging) configurations is kept, as almost every build merges the same ones.
 */
export function mergeConfig(a: TransformerConfig, b: TransformerConfig): TransformerConfig {
  let ofA = merged.get(a);
  if (ofA === undefined) {
    ofA = new WeakMap();
    merged.set(a, ofA);
  }
  let result = ofA.get(b);
  if (result === undefined) {
    const both = mergeLists(a, b);
    result = isSame(a, both) ? a : both;
    ofA.set(b, result);
  }
  return result;
}

/** True when merging has added nothing, so that one object stands for one configuration. */
function isSame(a: TransformerConfig, b: TransformerConfig): boolean {
  return (Object.keys(a) as (keyof TransformerConfig)[]).every((name) => {
    const [one, other]: [readonly unknown[], readonly unknown[]] = [a[name], b[name]];
    return one.length === other.length && one.every((item, i) => item === other[i]);
  });
}

function inOrder<T extends Gvk>(list: readonly T[]): readonly T[] {
  const sorted = [...list].sort((a, b) => kindRank(a.kind) - kindRank(b.kind) || compareUtf8(sortText(a), sortText(b)));
  return sorted.every((item, i) => item === list[i]) ? list : sorted;
}

function mergeLists(a: TransformerConfig, b: TransformerConfig): TransformerConfig {
  const list = (name: FieldSpecList): readonly FieldSpec[] =>
    within(`failed to merge ${LISTS[name]} fieldSpec`, () => inOrder(addFieldSpecs(a[name], b[name])), 'KustomizationInvalid');
  return {
    namePrefix: list('namePrefix'),
    nameSuffix: list('nameSuffix'),
    namespace: list('namespace'),
    commonAnnotations: list('commonAnnotations'),
    commonLabels: list('commonLabels'),
    labels: list('labels'),
    templateLabels: list('templateLabels'),
    varReference: list('varReference'),
    nameReference: within('failed to merge NameReference fieldSpec', () => inOrder(addReferences(a.nameReference, b.nameReference))),
    images: list('images'),
    replicas: list('replicas'),
  };
}
