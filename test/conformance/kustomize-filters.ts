import { isYamlObject, writeYaml, type YamlObject, type YamlValue } from '../../src/golang/index.ts';
import { composeDocument } from '../../src/kustomize/compose.ts';
import { toFieldSpec } from '../../src/kustomize/configurations.ts';
import { FieldSpecs, type FieldSpec } from '../../src/kustomize/field-spec.ts';
import { generateIamPolicy, parseIamPolicy } from '../../src/kustomize/generate/iam-policy.ts';
import { decodeInto } from '../../src/kustomize/go-decode.ts';
import {
  FIELD_SPEC,
  IMAGE,
  REPLACEMENT,
  type FieldSpecFields,
  type ImageFields,
  type ReplacementFields,
} from '../../src/kustomize/kustomization.ts';
import { mergePatch } from '../../src/kustomize/patch/strategic-merge.ts';
import { ResourceList } from '../../src/kustomize/resource-list.ts';
import { toResource } from '../../src/kustomize/resource.ts';
import { addAffix } from '../../src/kustomize/transform/affix.ts';
import { setEntries } from '../../src/kustomize/transform/entries.ts';
import { setImages } from '../../src/kustomize/transform/images.ts';
import { applyNamespace, type SubjectMode } from '../../src/kustomize/transform/namespace.ts';
import { parseJsonPatch, patchObject } from '../../src/kustomize/transform/patches.ts';
import { applyReplacements } from '../../src/kustomize/transform/replacements.ts';
import { setPath, splitEscaped } from '../../src/kustomize/transform/value-add.ts';
import { assignScalar, isMapping, Scalar, type Mapping, type Value } from '../../src/kustomize/value.ts';
import { newContext } from './kustomize-parts.ts';
import type { Difference, Skip } from './report.ts';

/** A case of one filter: its configuration as JSON, and what it makes of some resources. */
export type FilterCase = { filter: string; cfg: string; in: string; out: string; err?: string };

type Run = (list: ResourceList, config: YamlObject) => ResourceList | undefined;

const context = newContext();

function specsOf(value: YamlValue | undefined): FieldSpec[] {
  return (Array.isArray(value) ? value : []).map(specOf);
}

function specOf(value: YamlValue | undefined): FieldSpec {
  return toFieldSpec((decodeInto(value ?? null, FIELD_SPEC, 'lenient') ?? {}) as FieldSpecFields);
}

function textMap(value: YamlValue | undefined): Map<string, string> {
  return new Map(Object.entries(isYamlObject(value) ? value : {}).map(([key, text]) => [key, String(text)]));
}

const FILTERS: Readonly<Record<string, Run>> = {
  'annotations.Filter': (list, config) => void setEntries(list, textMap(config['Annotations']), specsOf(config['FsSlice'])),
  'labels.Filter': (list, config) => void setEntries(list, textMap(config['Labels']), specsOf(config['FsSlice'])),
  'imagetag.Filter': (list, config) => imageFilter(list, config, specsOf(config['fieldSpecs']), false),
  'imagetag.LegacyFilter': (list, config) => imageFilter(list, config, [], true),
  'namespace.Filter': (list, config) => {
    for (const resource of list.items) {
      applyNamespace(resource, {
        namespace: String(config['Namespace']),
        specs: specsOf(config['fieldSpecs']),
        unsetOnly: config['unsetOnly'] === true,
        subjects: (config['setRoleBindingSubjects'] || 'defaultOnly') as SubjectMode,
      });
    }
    return undefined;
  },
  'patchjson6902.Filter': (list, config) => {
    for (const resource of list.items) patchObject(resource, parseJsonPatch(String(config['Patch'])), () => undefined);
    return undefined;
  },
  'patchstrategicmerge.Filter': (list, config) => {
    const text = JSON.stringify(config['Patch']);
    const kept = list.items.filter((resource) => mergePatch(resource.object, asMapping(composeDocument(text)), context.schemas));
    return new ResourceList(kept);
  },
  'prefix.Filter': (list, config) => void addAffix(list, 'prefix', String(config['prefix']), [specOf(config['fieldSpec'])]),
  'suffix.Filter': (list, config) => void addAffix(list, 'suffix', String(config['suffix']), [specOf(config['fieldSpec'])]),
  'replicacount.Filter': (list, config) => {
    const { count } = config['replica'] as { count: number };
    const specs = new FieldSpecs([specOf(config['fieldSpec'])]);
    for (const { object, id } of list.items) specs.visit(object, id, 'scalar', (_value, holder, key) => assignScalar(holder, key, count));
    return undefined;
  },
  'replacement.Filter': (list, config) => {
    const fields = Array.isArray(config['replacements']) ? config['replacements'] : [];
    applyReplacements(
      list,
      fields.map((each) => decodeInto(each, REPLACEMENT, 'lenient') as ReplacementFields),
      () => undefined,
    );
    return undefined;
  },
  'valueadd.Filter': (list, config) => {
    const position = typeof config['filePathPosition'] === 'number' ? config['filePathPosition'] : 0;
    for (const { object } of list.items) setPath(object, splitEscaped(String(config['FieldPath'])), String(config['Value']), position);
    return undefined;
  },
  'iampolicygenerator.Filter': (_list, config) =>
    new ResourceList([generateIamPolicy(parseIamPolicy(config['IAMPolicyGenerator'] ?? null), context)]),
};

function imageFilter(list: ResourceList, config: YamlObject, specs: readonly FieldSpec[], listed: boolean): undefined {
  const image = decodeInto(config['imageTag'] ?? null, IMAGE, 'lenient') as ImageFields;
  setImages(list, [image], specs, listed ? 'listed' : 'specified');
}

function asMapping(value: Value | undefined): Mapping {
  if (!isMapping(value)) throw new Error('the case is no mapping');
  return value;
}

function parse(text: string): ResourceList {
  const documents = text.split(/\n---.*\n/).map((part) => composeDocument(part));
  return new ResourceList(documents.filter(isMapping).map((object) => toResource(object, context.schemas)));
}

/** The values alone: keys that only a whole build refuses are kept. */
function values(value: Value): YamlValue {
  if (Array.isArray(value)) return value.map(values);
  if (!isMapping(value)) return value instanceof Scalar ? value.value : value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, values(item)]));
}

function print(list: ResourceList): string {
  return list.items.map(({ object }) => writeYaml(values(object))).join('---\n');
}

export function runFilterCase({ filter, cfg, in: input, out, err }: FilterCase): Difference | Skip | undefined {
  const run = Object.hasOwn(FILTERS, filter) ? FILTERS[filter] : undefined;
  if (run === undefined || cfg === '') return { skip: 'the case does not say what it is run with' };
  let actual: string;
  try {
    const list = parse(input);
    actual = print(run(list, JSON.parse(cfg) as YamlObject) ?? list);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return err === message ? undefined : { expected: err ?? out, actual: message };
  }
  // The outputs keep order and comments of the input; ours are compared as values.
  const expected = err === undefined ? print(parse(out)) : `error: ${err}`;
  return actual === expected ? undefined : { expected, actual };
}
