import { readYaml, type YamlValue } from '../../golang/index.ts';
import type { Spend } from '../build-context.ts';
import { KustomizeError, wrapError } from '../errors.ts';
import { decodeInto, sliceOf } from '../go-decode.ts';
import { quote } from '../go-text.ts';
import { effectiveNamespace, formatId, isSelected, type ResId } from '../gvk.ts';
import { REPLACEMENT, type FieldOptionFields, type ReplacementFields } from '../kustomization.ts';
import type { Loader } from '../loader.ts';
import { lookup, smarterSplitPath } from '../lookup.ts';
import { matchPath, setSlot, slotValue, type MadeKind, type Slot } from '../path-matcher.ts';
import { fileText } from '../read-documents.ts';
import type { ResourceList } from '../resource-list.ts';
import type { Resource } from '../resource.ts';
import { CompiledSelector, EVERYTHING, type Selector } from '../selector.ts';
import { setInStructuredText } from '../structured-text.ts';
import {
  copyValue,
  isEmpty,
  isMapping,
  isScalar,
  plainScalar,
  plainValue,
  Scalar,
  tagOf,
  retaggedScalar,
  textOf,
  weightOf,
  weightOfText,
  type ScalarValue,
  type Value,
} from '../value.ts';
import { toSelector } from './patches.ts';

const DEFAULT_FIELD_PATH = 'metadata.name';

type Target = NonNullable<ReplacementFields['targets']>[number];

/** Makes `replacements` ready: entries with a path are read from there. */
export function prepareReplacements(fields: readonly ReplacementFields[], loader: Loader, spend: Spend): (list: ResourceList) => void {
  const replacements = fields.flatMap((each) => {
    const { path = '', source, targets = [] } = each;
    if (path === '') return [each];
    if (source !== undefined || targets.length > 0) {
      throw new KustomizeError('KustomizationInvalid', 'cannot specify both path and inline replacement');
    }
    return parseReplacements(fileText(loader.load(path)));
  });
  return (list) => applyReplacements(list, replacements, spend);
}

function parseReplacements(text: string): ReplacementFields[] {
  const value: YamlValue = readYaml(text, { dialect: 'v2', numbers: 'exact' });
  if (Array.isArray(value)) return (decodeInto(value, sliceOf(REPLACEMENT), 'lenient') ?? []) as ReplacementFields[];
  if (typeof value === 'object' && value !== null) return [(decodeInto(value, REPLACEMENT, 'lenient') ?? {}) as ReplacementFields];
  const found = value === null ? 'invalid' : typeof value === 'boolean' ? 'bool' : typeof value === 'number' ? 'float64' : 'string';
  throw new KustomizeError('KustomizationInvalid', `unsupported replacement type encountered within replacement path: ${found}`);
}

/** Copies values from fields of resources (or given ones) to fields of others. */
export function applyReplacements(list: ResourceList, replacements: readonly ReplacementFields[], spend: Spend): void {
  for (const replacement of replacements) {
    const { source, sourceValue, targets } = replacement;
    if ((sourceValue === undefined && source === undefined) || targets === undefined) {
      throw new KustomizeError('ReplacementFailed', 'replacements must specify a source and at least one target');
    }
    const value = sourceOf(list.items, replacement);
    for (const target of targets) copyToTarget(list.items, value, target, spend);
    list.invalidate();
  }
}

/** What is copied. Text that was given has no type of its own. */
type Source = { readonly value: Value; readonly untyped: boolean };

function sourceOf(resources: readonly Resource[], { source, sourceValue }: ReplacementFields): Source {
  if (sourceValue !== undefined && source !== undefined) {
    throw new KustomizeError('ReplacementFailed', 'value and resource selectors are mutually exclusive');
  }
  if (sourceValue !== undefined || source === undefined) return { value: sourceValue ?? '', untyped: true };
  const { fieldPath = '', options, ...selector } = source;
  const path = fieldPath === '' ? DEFAULT_FIELD_PATH : fieldPath;
  const selected = selectSource(resources, toSelector(selector), sourceText(selector, fieldPath, options));
  let value: Value | undefined;
  try {
    value = lookup(selected.object, smarterSplitPath(path, '.'));
  } catch (error) {
    throw wrapError(error, 'error looking up replacement source', 'ReplacementFailed');
  }
  if (value === undefined || isEmpty(value)) {
    const id = formatId({ ...toSelector(selector), clusterScoped: false });
    throw new KustomizeError('ReplacementFailed', `fieldPath \`${path}\` is missing for replacement source ${id}`, { subject: id });
  }
  return { value: refine(value, options), untyped: false };
}

function sourceText(selector: ReplacementFields['source'], fieldPath: string, options: FieldOptionFields | undefined): string {
  const { delimiter = '', index = 0, create = false } = options ?? {};
  const parts = [formatId({ ...toSelector(selector ?? {}), clusterScoped: false })];
  if (fieldPath !== '') parts.push(fieldPath);
  if (delimiter !== '' || create) parts.push(`${delimiter}(${index}), create=${create}`);
  return parts.join(':');
}

function selectSource(resources: readonly Resource[], selector: Selector, text: string): Resource {
  const matches = resources.filter((resource) => idsOf(resource).some((id) => isSource(id, selector)));
  const [first] = matches;
  if (first === undefined) throw new KustomizeError('ReplacementFailed', `nothing selected by ${text}`, { subject: text });
  if (matches.length > 1) throw new KustomizeError('ReplacementFailed', `multiple matches for selector ${text}`, { subject: text });
  return first;
}

/** All identities, none of them known to be cluster-scoped. */
function idsOf(resource: Resource): ResId[] {
  return [{ ...resource.id, clusterScoped: false }, ...resource.previousIds];
}

function isSource(id: ResId, selector: Selector): boolean {
  const { name, namespace } = selector;
  if (name !== '' && name !== id.name) return false;
  if (namespace !== '' && effectiveNamespace({ ...id, namespace }) !== effectiveNamespace(id)) return false;
  return isSelected(id, selector);
}

function refine(value: Value, options: FieldOptionFields | undefined): Value {
  const { delimiter = '', index = 0 } = options ?? {};
  if (delimiter === '') return value;
  if (!isScalar(value)) throw new KustomizeError('ReplacementFailed', 'delimiter option can only be used with scalar nodes');
  const text = textOf(value);
  const part = text.split(delimiter)[index];
  if (index < 0 || part === undefined) {
    throw new KustomizeError('ReplacementFailed', `options.index ${index} is out of bounds for value ${text}`);
  }
  return tagOf(value) === '!!str' ? part : retaggedScalar(tagOf(value), part);
}

function copyToTarget(resources: readonly Resource[], source: Source, target: Target, spend: Spend): void {
  if (target.select === undefined) throw new KustomizeError('ReplacementFailed', 'target must specify resources to select');
  let matches: (resource: Resource) => boolean;
  try {
    matches = targetMatcher(toSelector(target.select), (target.reject ?? []).map(toSelector));
  } catch (error) {
    throw wrapError(error, 'error creating target selector', 'ReplacementFailed');
  }
  const paths = (target.fieldPaths ?? []).length === 0 ? [DEFAULT_FIELD_PATH] : (target.fieldPaths ?? []);
  for (const resource of resources) {
    if (matches(resource)) for (const path of paths) copyToField(resource, source, path, target.options, spend);
  }
}

function targetMatcher(select: Selector, reject: readonly Selector[]): (resource: Resource) => boolean {
  const wanted = new CompiledSelector(select);
  const rejected = reject.map((each) => new CompiledSelector(each));
  return (resource) => {
    if (!wanted.matchesMetadata(resource)) return false;
    if (rejected.some((each) => namesMetadata(each.selector) && each.matchesMetadata(resource))) return false;
    const ids = idsOf(resource);
    if (rejected.some((each) => namesResource(each.selector) && ids.some((id) => fits(each, id)))) return false;
    return ids.some((id) => fits(wanted, id));
  };
}

function fits(selector: CompiledSelector, id: ResId): boolean {
  return selector.matchesGvk(id) && selector.matchesName(id.name) && selector.matchesNamespace(id.namespace);
}

function namesMetadata({ annotationSelector, labelSelector }: Selector): boolean {
  return annotationSelector !== '' || labelSelector !== '';
}

function namesResource(selector: Selector): boolean {
  return (['group', 'version', 'kind', 'name', 'namespace'] as const).some((key) => selector[key] !== EVERYTHING[key]);
}

function copyToField(
  resource: Resource,
  { value, untyped }: Source,
  path: string,
  options: FieldOptionFields | undefined,
  spend: Spend,
): void {
  const make: MadeKind = options?.create === true ? kindOf(value) : undefined;
  const parts = smarterSplitPath(path, '.');
  if (setInStructuredText(resource.object, parts, value, make, spend)) return;
  const slots = findSlots(resource, parts, path, make);
  for (const slot of slots) {
    spend(weightOf(value) + weightOfText(textOf(slotValue(slot))));
    setValue(slot, value, untyped, options);
  }
}

function kindOf(value: Value): MadeKind {
  if (Array.isArray(value)) return 'sequence';
  return isMapping(value) ? 'mapping' : 'scalar';
}

function findSlots(resource: Resource, parts: readonly string[], path: string, make: MadeKind): Slot[] {
  const create = make === undefined ? 'find' : 'find or create';
  const message = `unable to ${create} field ${quote(path)} in replacement target`;
  let slots: Slot[];
  try {
    slots = matchPath({ holder: [resource.object], key: 0 }, parts, make);
  } catch (error) {
    throw wrapError(error, message, 'ReplacementFailed');
  }
  if (slots.length === 0) throw new KustomizeError('ReplacementFailed', message, { subject: path });
  return slots;
}

function setValue(slot: Slot, value: Value, untyped: boolean, options: FieldOptionFields | undefined): void {
  const old = slotValue(slot);
  const { delimiter = '', index = 0 } = options ?? {};
  if (delimiter !== '' && !isScalar(old)) {
    throw new KustomizeError('ReplacementFailed', 'delimiter option can only be used with scalar nodes');
  }
  const text = delimiter === '' ? textOf(value) : join(textOf(old), textOf(value), delimiter, index);
  if (isScalar(old)) setText(slot, old, text);
  else setSlot(slot, untyped ? plainScalar(text) : copyValue(value));
}

/** Puts a part into a text: before all others, behind them, or in place of one. */
function join(text: string, part: string, delimiter: string, index: number): string {
  const parts = text.split(delimiter);
  if (index < 0) parts.unshift(part);
  else if (index >= parts.length) parts.push(part);
  else parts[index] = part;
  return parts.join(delimiter);
}

/** Gives a scalar another text; its type stays what it was. */
export function setText(slot: Slot, old: ScalarValue, text: string): void {
  const next = retaggedScalar(tagOf(old), text);
  if (!(old instanceof Scalar)) return setSlot(slot, next);
  old.text = text;
  if (old.tag === '') old.tag = tagOf(next);
  old.value = plainValue(next);
  old.problem = next instanceof Scalar ? next.problem : undefined;
}
