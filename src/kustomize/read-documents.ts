import { bytesToText } from '../golang/index.ts';
import { composeDocument, type ComposeLimits } from './compose.ts';
import { KustomizeError, wrapError } from './errors.ts';
import { copyValue, field, isEmpty, isMapping, isMissing, isScalar, isSequence, textOf, type Mapping, type Value } from './value.ts';

/** The text of a file; bytes outside UTF-8 stand as the Go room writes them. */
export function fileText(content: Uint8Array): string {
  return bytesToText(content);
}

/**
 * Reads the objects of a resource or patch file as kustomize does: documents are split at lines of `---`, empty ones dropped, lists
 * replaced by their items. Throws when a document is no Kubernetes object.
 */
export function readObjects(text: string, limits?: ComposeLimits): Mapping[] {
  const objects = dropInvalid(readDocuments(text, limits));
  return inlineLists(objects);
}

const SEPARATOR = /\n---.*\n/g;

function splitDocuments(text: string): string[] {
  const documents: string[] = [];
  let from = 0;
  for (const match of text.matchAll(SEPARATOR)) {
    const rest = match[0].slice(4).trim();
    if (rest !== '' && !rest.startsWith('#')) {
      throw new KustomizeError('YamlMalformed', `invalid document separator: ${match[0].trim()}`);
    }
    // The line break belongs to the separator, but matters to a block scalar at the end.
    documents.push(`${text.slice(from, match.index)}\n`);
    from = match.index + match[0].length;
  }
  if (text !== '') documents.push(text.slice(from));
  return documents;
}

function readDocuments(text: string, limits: ComposeLimits | undefined): Value[] {
  const texts = splitDocuments(text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text);
  const documents: Value[] = [];
  for (const part of texts) {
    const value = readDocument(part, limits);
    if (isMissing(value)) continue;
    const items = texts.length === 1 ? wrappedItems(value) : undefined;
    if (items === undefined) documents.push(value);
    else documents.push(...items);
  }
  return documents;
}

function readDocument(text: string, limits: ComposeLimits | undefined): Value | undefined {
  try {
    return composeDocument(text, limits);
  } catch (error) {
    throw wrapError(error, 'MalformedYAMLError', 'YamlMalformed');
  }
}

/** The items of a `List` or `ResourceList` that is the only document of its file. */
function wrappedItems(value: Value): Value[] | undefined {
  if (!isMapping(value)) return undefined;
  const kind = textOf(field(value, 'kind'));
  if (kind !== 'List' && kind !== 'ResourceList') return undefined;
  const items = field(value, 'items');
  if (items === undefined) return field(value, 'functionConfig') === undefined ? undefined : [];
  return isSequence(items) ? items : [];
}

function dropInvalid(documents: readonly Value[]): Mapping[] {
  const objects: Mapping[] = [];
  for (const document of documents) {
    if (isEmpty(document)) continue;
    objects.push(validObject(document));
  }
  return objects;
}

/** The document as an object, which has a kind and, unless it is a list, a name; throws otherwise. */
export function validObject(document: Value): Mapping {
  const object: Mapping = isMapping(document) ? document : {};
  const metadata = field(object, 'metadata');
  const kind = presentText(field(object, 'kind'));
  if (kind === '' && isEmpty(field(object, 'apiVersion')) && isEmpty(metadata)) {
    throw new KustomizeError('ResourceInvalid', 'missing Resource metadata');
  }
  if (kind === '') throw new KustomizeError('ResourceInvalid', `missing kind in object ${describe(object)}`);
  if (kind.endsWith('List')) return object;
  const name = isMapping(metadata) ? field(metadata, 'name') : undefined;
  if (presentText(name) === '') throw new KustomizeError('ResourceInvalid', `missing metadata.name in object ${describe(object)}`);
  return object;
}

/** The text of a scalar; `` for null. */
function presentText(value: Value | undefined): string {
  return isEmpty(value) ? '' : textOf(value);
}

/** Go's `%v` of a kyaml ResourceMeta. */
function describe(object: Mapping): string {
  const metadata = field(object, 'metadata');
  const meta: Mapping = isMapping(metadata) ? metadata : {};
  const text = (key: string): string => presentText(field(meta, key));
  const map = (key: string): string => {
    const value = field(meta, key);
    if (!isMapping(value)) return 'map[]';
    const pairs = Object.keys(value).sort();
    return `map[${pairs.map((name) => `${name}:${textOf(field(value, name))}`).join(' ')}]`;
  };
  const type = `${presentText(field(object, 'apiVersion'))} ${presentText(field(object, 'kind'))}`;
  return `{{${type}} {{${text('name')} ${text('namespace')}} ${map('labels')} ${map('annotations')}}}`;
}

/** Replaces every `FooList` that has items by them; lists inside lists come last, as in kustomize's queue. */
function inlineLists(objects: Mapping[]): Mapping[] {
  if (!objects.some((object) => textOf(field(object, 'kind')).endsWith('List'))) return objects;
  const queue = [...objects];
  const result: Mapping[] = [];
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    const kind = textOf(field(object, 'kind'));
    const items = kind.endsWith('List') ? field(object, 'items') : undefined;
    if (items === undefined) {
      result.push(object);
    } else if (isSequence(items)) {
      queue.push(...dropInvalid(items.map((item) => copyValue(item))));
    } else if (!isMissing(items)) {
      const found = isMapping(items) ? 'map[string]interface {}' : isScalar(items) ? goTypeOf(items) : 'interface {}';
      throw new KustomizeError('ResourceInvalid', `expected array in ${kind}/items, but found ${found}`);
    }
  }
  return result;
}

function goTypeOf(value: Value): string {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  return 'string';
}
