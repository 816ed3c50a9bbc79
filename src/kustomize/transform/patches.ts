import { decodeJson, isYamlObject, readYaml, type YamlValue } from '../../golang/index.ts';
import { errorMessage, isCodedError } from '../../std/index.ts';
import type { BuildContext, Spend } from '../build-context.ts';
import { KustomizeError, wrapError } from '../errors.ts';
import { fromJsonObject, type Json } from '../from-json.ts';
import { quote } from '../go-text.ts';
import { formatId } from '../gvk.ts';
import type { PatchFields, SelectorFields } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { applyJsonPatch, type JsonOperation, type JsonPatch } from '../patch/json-patch.ts';
import { mergePatch } from '../patch/strategic-merge.ts';
import { toPlainObject } from '../plain.ts';
import { fileText, readObjects } from '../read-documents.ts';
import type { ResourceList } from '../resource-list.ts';
import { metaMap, setMetaMap, toResource, type Resource } from '../resource.ts';
import { EVERYTHING, formatSelector, select, type Selector } from '../selector.ts';
import { copyValue, isEmpty, isMapping, weightOf, type Mapping } from '../value.ts';

/** A transformer whose files have been read. */
export type Transform = (list: ResourceList) => void;

export function toSelector(fields: SelectorFields): Selector {
  return { ...EVERYTHING, ...fields };
}

/** Makes one entry of `patches` ready: a strategic merge or JSON patch, inline or from a file. `config` is shown in errors. */
export function preparePatch(fields: PatchFields, loader: Loader, context: BuildContext, config: string): Transform {
  const { text, source } = patchText(fields, loader, config);
  const merge = attempt(() => readResources(text, context));
  const json = attempt(() => parseJsonPatch(text));
  if ((merge.value?.length ?? 0) > 0 && (json.value?.length ?? 0) > 0) {
    throw new KustomizeError('PatchFailed', `illegally qualifies as both an SM and JSON patch: ${source}`);
  }
  if (merge.value === undefined && json.value === undefined) {
    throw new KustomizeError('PatchFailed', `unable to parse SM or JSON patch from ${source}`, {
      cause: merge.error,
      remedy: 'a patch is a Kubernetes object or a list of JSON patch operations',
    });
  }
  const target = fields.target === undefined ? undefined : toSelector(fields.target);
  const patches = merge.value;
  if (patches !== undefined) {
    for (const patch of patches) {
      const { allowNameChange = false, allowKindChange = false } = fields.options ?? {};
      Object.assign(patch.state, { allowNameChange, allowKindChange });
      // kustomize notes both in annotations, and so makes all of them texts.
      if (allowNameChange || allowKindChange) setMetaMap(patch.object, 'annotations', metaMap(patch.object, 'annotations'));
    }
    return (list) => mergeAll(list, patches, target, source, context);
  }
  const operations = json.value ?? [];
  return (list) => patchSelected(list, operations, target, source, true, context.spend);
}

function patchText({ patch = '', path = '' }: PatchFields, loader: Loader, config: string): { text: string; source: string } {
  const inline = patch.trim();
  if (inline === '' && path === '') throw new KustomizeError('PatchFailed', `must specify one of patch and path in\n${config}`);
  if (inline !== '' && path !== '') throw new KustomizeError('PatchFailed', `patch and path can't be set at the same time\n${config}`);
  if (inline !== '') return { text: inline, source: `[patch: ${quote(inline)}]` };
  try {
    return { text: fileText(loader.load(path)), source: `[path: ${quote(path)}]` };
  } catch (error) {
    throw wrapError(error, `failed to get the patch file from path(${path})`, 'FileMissing');
  }
}

function attempt<T>(work: () => T): { value?: T; error?: unknown } {
  try {
    return { value: work() };
  } catch (error) {
    if (isCodedError(error) && error.code === 'LimitExceeded') throw error;
    return { error };
  }
}

function readResources(text: string, context: BuildContext): Resource[] {
  return readObjects(text, context.limits).map((object) => toResource(object, context.schemas));
}

/** Reads a JSON patch; throws when the text is none. */
export function parseJsonPatch(text: string): JsonPatch {
  if (text === '') throw new KustomizeError('PatchFailed', 'empty json patch operations');
  return decodeJsonPatch(text);
}

/** Reads a JSON patch written as JSON (when it begins with `[`) or YAML. */
function decodeJsonPatch(text: string): JsonPatch {
  const value: YamlValue = text.startsWith('[') ? decodeJson(text) : readYaml(text, { dialect: 'v2', numbers: 'exact' });
  if (value === null) return [];
  if (!Array.isArray(value)) {
    const found = typeof value === 'object' ? 'object' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw new KustomizeError('PatchFailed', `json: cannot unmarshal ${found} into Go value of type jsonpatch.Patch`);
  }
  return value.map((operation): JsonOperation => {
    if (typeof operation === 'object' && operation !== null && !Array.isArray(operation)) return operation;
    throw new KustomizeError('PatchFailed', 'json: cannot unmarshal a value into Go value of type jsonpatch.Operation');
  });
}

function mergeAll(
  list: ResourceList,
  patches: readonly Resource[],
  target: Selector | undefined,
  source: string,
  context: BuildContext,
): void {
  if (patches.length === 0) return;
  if (target === undefined) {
    for (const patch of patches) mergeIntoNamed(list, patch, context);
    dropRemoved(list);
    return;
  }
  const [patch] = patches;
  if (patch === undefined || patches.length > 1) {
    const message = `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${source}`;
    throw new KustomizeError('PatchFailed', message);
  }
  let selected: Resource[];
  try {
    selected = select(list.items, target);
  } catch (error) {
    throw wrapError(error, `unable to find patch target ${quote(formatSelector(target))} in \`resources\``, 'PatchFailed');
  }
  mergeIntoEach(list, selected, patch, context);
}

function mergeIntoNamed(list: ResourceList, patch: Resource, context: BuildContext): void {
  const id = patch.originalId;
  let target: Resource;
  try {
    target = list.oneWithAnyId(id);
  } catch (error) {
    throw wrapError(error, `no resource matches strategic merge patch ${quote(formatId(id))}`, 'PatchFailed');
  }
  const before = target.id;
  const pastChanged = mergeInto(target, patch, patch.object, context);
  if (pastChanged || target.id !== before) list.invalidate();
}

/** Applies one patch to several resources; a resource it removes goes at once. Throws when two become one. */
export function mergeIntoEach(list: ResourceList, selected: readonly Resource[], patch: Resource, context: BuildContext): void {
  context.spend(selected.length * weightOf(patch.object));
  for (const target of selected) {
    const object = copyValue(patch.object);
    object['apiVersion'] = target.apiVersion;
    // kustomize copies the metadata of such a patch as texts, so that nulls in it are values and remove nothing.
    for (const key of ['labels', 'annotations'] as const) setMetaMap(object, key, metaMap(object, key));
    mergeInto(target, patch, object, context);
  }
  if (selected.length > 0) list.reset(list.items.filter((resource) => !resource.removed));
}

function dropRemoved(list: ResourceList): void {
  if (list.items.some((resource) => resource.removed)) list.setItems(list.items.filter((resource) => !resource.removed));
}

/** Applies a patch to a resource. Its kind, name and namespace stay, unless the patch may change them. True when its past changed. */
function mergeInto(target: Resource, patch: Resource, object: Mapping, context: BuildContext): boolean {
  if (target.removed) return false;
  const { name, namespace, kind } = target;
  const { allowNameChange, allowKindChange } = patch.state;
  if (allowNameChange || allowKindChange) target.storePreviousId();
  const afterPatch = keepAnnotations(target);
  if (!mergePatch(target.object, object, context.schemas)) {
    target.remove();
    return true;
  }
  if (!allowKindChange) target.setKind(kind);
  if (!allowNameChange) target.setName(name);
  target.setNamespace(namespace);
  return afterPatch() || allowNameChange || allowKindChange;
}

/**
 * kustomize keeps what it knows of a resource in annotations, so a patch that replaces or removes those makes it forget. Returns what to
 * do after the patch; that returns true when all was forgotten.
 */
function keepAnnotations(target: Resource): () => boolean {
  const metadata = target.object['metadata'];
  if (!target.hasState || !isMapping(metadata)) return () => false;
  const wereThere = metadata['annotations'] !== undefined;
  metadata['annotations'] ??= {};
  const annotations = metadata['annotations'];
  return () => {
    const now = target.object['metadata'];
    if (!isMapping(now) || now['annotations'] !== annotations) {
      target.forget();
      return true;
    }
    if (!wereThere && isEmpty(annotations)) delete now['annotations'];
    return false;
  };
}

function patchSelected(
  list: ResourceList,
  operations: JsonPatch,
  target: Selector | undefined,
  source: string,
  remember: boolean,
  spend: Spend,
): void {
  if (target === undefined) throw new KustomizeError('PatchFailed', `must specify a target for JSON patch ${source}`);
  const selected = select(list.items, target);
  spend(selected.length * operations.reduce((sum, { value = null }) => sum + weightOf(value), operations.length));
  for (const resource of selected) {
    if (remember) resource.storePreviousId();
    patchObject(resource, operations, spend);
  }
  if (selected.length > 0) list.invalidate();
}

/** Applies a JSON patch to a resource. Annotations are always there to be patched once the build knows something of the resource. */
export function patchObject(resource: Resource, operations: JsonPatch, spend: Spend): void {
  const document = toPlainObject(resource.object);
  const metadata = document['metadata'];
  if (resource.hasState && isYamlObject(metadata)) {
    metadata['annotations'] ??= {};
  }
  const annotations = isYamlObject(metadata) ? metadata['annotations'] : undefined;
  const result: Json = applyJsonPatch(document, operations, spend);
  if (typeof result !== 'object' || result === null || Array.isArray(result)) {
    throw new KustomizeError('PatchFailed', 'json: cannot unmarshal array into Go value of type map[string]interface {}');
  }
  // What kustomize keeps in annotations survives any patch, except where the resource comes from.
  const after = isYamlObject(result['metadata']) ? result['metadata']['annotations'] : undefined;
  if (after !== annotations) Object.assign(resource.state, { origin: undefined, transformations: [] });
  resource.object = fromJsonObject(result);
  setMetaMap(resource.object, 'annotations', metaMap(resource.object, 'annotations'));
}

/** Makes `patchesStrategicMerge` ready: each entry is a patch itself or the path of a file of patches. */
export function prepareStrategicMerge(paths: readonly string[], inline: string, loader: Loader, context: BuildContext): Transform {
  if (paths.length === 0 && inline === '') throw new KustomizeError('PatchFailed', 'empty file path and empty patch content');
  const patches = paths.flatMap((path) => readPatches(path, loader, context));
  if (inline !== '') patches.push(...readResources(inline, context));
  if (patches.length === 0) {
    throw new KustomizeError('PatchFailed', `patch appears to be empty; files=[${paths.join(' ')}], Patch=${inline}`);
  }
  return (list) => {
    for (const patch of patches) mergeIntoEach(list, [list.oneWithAnyId(patch.originalId)], patch, context);
  };
}

function readPatches(path: string, loader: Loader, context: BuildContext): Resource[] {
  const inline = attempt(() => readResources(path, context));
  if (inline.value !== undefined) return inline.value;
  const content = loader.load(path);
  try {
    return readResources(fileText(content), context);
  } catch (error) {
    throw inFile(error, path);
  }
}

/** kustomize's error for a file that is no YAML. */
export function inFile(error: unknown, path: string): unknown {
  const message = errorMessage(error);
  if (error instanceof KustomizeError && message.includes('MalformedYAMLError')) {
    return new KustomizeError(error.code, `${message} in File: ${path}`, { subject: path, cause: error });
  }
  return error;
}

/** Makes one entry of `patchesJson6902` ready. */
export function prepareJson6902(fields: PatchFields & { jsonOp?: string }, loader: Loader, context: BuildContext): Transform {
  const { target, path = '' } = fields;
  if (target?.name === undefined || target.name === '') throw new KustomizeError('PatchFailed', 'must specify the target name');
  const text = json6902Text(fields, loader);
  let operations: JsonPatch;
  try {
    operations = decodeJsonPatch(text);
  } catch (error) {
    throw wrapError(error, `decoding ${text}`, 'PatchFailed');
  }
  if (operations.length === 0) throw new KustomizeError('PatchFailed', `patch appears to be empty; file=${path}, JsonOp=${text}`);
  return (list) => patchSelected(list, operations, toSelector(target), '', false, context.spend);
}

function json6902Text({ path = '', patch = '', jsonOp = patch }: PatchFields & { jsonOp?: string }, loader: Loader): string {
  if (path === '' && jsonOp === '') throw new KustomizeError('PatchFailed', 'empty file path and empty jsonOp');
  if (path === '') return jsonOp;
  if (jsonOp !== '') throw new KustomizeError('PatchFailed', 'must specify a file path or jsonOp, not both');
  const text = fileText(loader.load(path));
  if (text === '') throw new KustomizeError('PatchFailed', `patch file '${path}' empty seems to be empty`);
  return text;
}
