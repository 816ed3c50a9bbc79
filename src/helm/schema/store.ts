import { helmError } from '../errors.ts';
import { isObjectNode, parseSchema, type SchemaNode, type SchemaObject } from './document.ts';
import { draft2020, draftFromUrl, schemaId, splitFragment, subschemasOf, type Draft } from './drafts.ts';
import { METASCHEMAS } from './metaschemas.ts';
import { encodeFragment, unescapePointer } from './pointer.ts';

/** Draft of a (sub)schema and the vocabularies its `$schema` switches on; undefined means the draft's own. */
export type Dialect = { readonly draft: Draft; readonly vocabularies: readonly string[] | undefined };

/** A part of a document with an identifier of its own. */
export type SchemaResource = {
  readonly pointer: string;
  readonly id: string;
  readonly dialect: Dialect;
  readonly anchors: Map<string, string>;
  readonly dynamicAnchors: string[];
};

/** One document: its resources by JSON pointer, and which subschemas were looked through. */
export type SchemaRoot = {
  readonly url: string;
  readonly document: SchemaNode;
  readonly resources: Map<string, SchemaResource>;
  readonly resourcesById: Map<string, SchemaResource>;
  readonly seen: Set<string>;
};

/** Where a subschema is: a document and a JSON pointer in it. */
export type Location = { readonly url: string; readonly pointer: string };

/** Gives the document behind a `$ref` or `$schema` to somewhere else; undefined when it has none. */
export type SchemaLoader = (url: string) => SchemaNode | undefined;

/** Checks a schema against its metaschema; returns the error text, or undefined. */
export type MetaCheck = (root: SchemaRoot, node: SchemaNode, dialect: Dialect) => string | undefined;

/** Subschemas one chart's schema may have, those of referenced documents included. */
export const MAX_SUBSCHEMAS = 200_000;

export function formatLocation(url: string, pointer: string): string {
  return `${url}#${encodeFragment(pointer)}`;
}

export function hasVocabulary(dialect: Dialect, name: string): boolean {
  if (name === 'core' || dialect.draft.version < 2019) return true;
  return (dialect.vocabularies ?? dialect.draft.defaultVocabularies).includes(name);
}

/** The resource a subschema belongs to: the nearest one at or above it. */
export function resourceOf(root: SchemaRoot, pointer: string): SchemaResource {
  for (let at = pointer; ; at = at.slice(0, at.lastIndexOf('/'))) {
    const resource = root.resources.get(at);
    if (resource !== undefined) return resource;
    if (at === '') throw invalid(`no schema at "${formatLocation(root.url, pointer)}"`);
  }
}

/** The node a pointer leads to. */
export function lookup(root: SchemaRoot, pointer: string): SchemaNode {
  let node: SchemaNode | undefined = root.document;
  for (const part of pointer.split('/').slice(1)) {
    const token = unescapePointer(part);
    if (token === undefined) throw invalid(`invalid json-pointer "${formatLocation(root.url, pointer)}"`);
    if (isObjectNode(node)) node = node.get(token);
    else node = Array.isArray(node) && /^\d+$/.test(token) ? node[Number(token)] : undefined;
    if (node === undefined) throw invalid(`json-pointer in "${formatLocation(root.url, pointer)}" not found`);
  }
  return node;
}

export function invalid(message: string): Error {
  return helmError('SchemaInvalid', message);
}

/** The documents of one compilation: loads, finds resources and anchors, resolves references. Never opens a socket or a file. */
export class SchemaStore {
  readonly #loader: SchemaLoader;
  readonly #metaCheck: MetaCheck | undefined;
  readonly #roots = new Map<string, SchemaRoot>();
  readonly #documents = new Map<string, SchemaNode>();
  #subschemas = 0;

  constructor(loader: SchemaLoader, metaCheck?: MetaCheck) {
    this.#loader = loader;
    this.#metaCheck = metaCheck;
  }

  add(url: string, document: SchemaNode): void {
    this.#documents.set(url, document);
  }

  /** The document at `url`, its resources collected and checked against the metaschema. */
  root(url: string): SchemaRoot {
    const known = this.#roots.get(url);
    if (known !== undefined) return known;
    const document = this.#load(url);
    const root: SchemaRoot = { url, document, resources: new Map(), resourcesById: new Map(), seen: new Set() };
    this.#collect(root, document, url, '', { draft: draft2020, vocabularies: undefined });
    if (!/^https?:\/\/json-schema\.org\//.test(url)) this.#check(root, document, '');
    this.#roots.set(url, root);
    return root;
  }

  /** Resolves `reference` as seen from `resource`. */
  resolve(root: SchemaRoot, resource: SchemaResource, reference: string): Location {
    const [base, rawFragment] = splitFragment(reference);
    const fragment = decodeFragment(rawFragment, reference);
    const url = joinUrl(resource.id, base);
    const local = url === root.url ? root.resources.get('') : root.resourcesById.get(url);
    if (local !== undefined) return resolveFragment(root, local, fragment);
    const other = this.root(url);
    return resolveFragment(other, resourceOf(other, ''), fragment);
  }

  /** Makes sure a referenced place was collected and checked as a schema, wherever in the document it sits. */
  ensure({ url, pointer }: Location): SchemaRoot {
    const root = this.root(url);
    if (root.seen.has(pointer)) return root;
    const node = lookup(root, pointer);
    const base = resourceOf(root, pointer);
    this.#collect(root, node, base.id, pointer, base.dialect);
    if (!root.resources.has(pointer)) collectAnchors(root, node, pointer, base);
    this.#check(root, node, pointer);
    return root;
  }

  #check(root: SchemaRoot, node: SchemaNode, pointer: string): void {
    const failure = this.#metaCheck?.(root, node, resourceOf(root, pointer).dialect);
    if (failure !== undefined) throw invalid(`"${formatLocation(root.url, pointer)}" is not valid against metaschema: ${failure}`);
  }

  #load(url: string): SchemaNode {
    const known = this.#documents.get(url) ?? metaschema(url) ?? this.#loader(url);
    if (known === undefined) {
      throw helmError(
        'SchemaReferenceRefused',
        `failing loading ${JSON.stringify(url)}: schemas are not fetched while a chart is rendered`,
        {
          subject: url,
          remedy: 'inline the schema into values.schema.json, or render with schema validation skipped',
        },
      );
    }
    this.#documents.set(url, known);
    return known;
  }

  #collect(root: SchemaRoot, node: SchemaNode, base: string, pointer: string, fallback: Dialect): void {
    if (root.seen.has(pointer)) return;
    root.seen.add(pointer);
    if (++this.#subschemas > MAX_SUBSCHEMAS)
      throw helmError('LimitExceeded', `read values.schema.json: more than ${MAX_SUBSCHEMAS} subschemas`);
    if (!isObjectNode(node)) {
      if (pointer === '') addResource(root, { pointer: '', id: base, dialect: fallback, anchors: new Map(), dynamicAnchors: [] });
      return;
    }
    const { resource, draft, id } = this.#resourceAt(root, node, base, pointer, fallback);
    collectAnchors(root, node, pointer, resource);
    for (const [at, child] of subschemasOf(draft, node, pointer)) this.#collect(root, child, id, at, resource.dialect);
  }

  /** The resource `node` opens or belongs to, the draft it is written in, and the base URL of what is inside. */
  #resourceAt(
    root: SchemaRoot,
    node: SchemaObject,
    base: string,
    pointer: string,
    fallback: Dialect,
  ): { resource: SchemaResource; draft: Draft; id: string } {
    let named = typeof node.get('$schema') === 'string';
    let draft = this.#draftOf(root.url, pointer, node, fallback.draft, new Set());
    let own = schemaId(draft, node);
    if (own === '' && pointer !== '') {
      draft = fallback.draft;
      named = false;
      own = schemaId(draft, node);
    }
    const id = own === '' ? base : joinUrl(base, own);
    const known = root.resourcesById.get(id);
    if (own !== '' || pointer === '') {
      if (known !== undefined && known.pointer !== pointer) {
        throw invalid(`duplicate id ${JSON.stringify(id)} in ${JSON.stringify(root.url)} at "${pointer}" and "${known.pointer}"`);
      }
      if (known === undefined) {
        const dialect = named ? { draft, vocabularies: this.#metaVocabularies(node, draft) } : fallback;
        const resource = addResource(root, { pointer, id, dialect, anchors: new Map(), dynamicAnchors: [] });
        return { resource, draft, id };
      }
    }
    return { resource: known ?? resourceOf(root, pointer), draft, id };
  }

  #draftOf(url: string, pointer: string, node: SchemaNode, fallback: Draft, cycle: Set<string>): Draft {
    const schema = isObjectNode(node) ? node.get('$schema') : undefined;
    if (typeof schema !== 'string') return fallback;
    const draft = draftFromUrl(schema);
    if (draft !== undefined) return draft;
    const meta = splitFragment(schema)[0];
    if (pointer === '' && meta === url) throw invalid(`draft ${JSON.stringify(meta)} is not supported`);
    if (cycle.has(meta)) throw invalid(`cycle in resolving $schema in ${JSON.stringify(meta)}`);
    cycle.add(meta);
    return this.#draftOf(meta, '', this.#load(meta), fallback, cycle);
  }

  #metaVocabularies(node: SchemaObject, draft: Draft): readonly string[] | undefined {
    const schema = node.get('$schema');
    if (typeof schema !== 'string' || draftFromUrl(schema) !== undefined || draft.version < 2019) return undefined;
    const url = splitFragment(schema)[0];
    const meta = this.#load(url);
    const listed = isObjectNode(meta) ? meta.get('$vocabulary') : undefined;
    if (!isObjectNode(listed)) return undefined;
    const names = new Set<string>(['core']);
    for (const [vocabulary, required] of listed) {
      if (required !== true) continue;
      const name = vocabulary.startsWith(draft.vocabularyPrefix) ? vocabulary.slice(draft.vocabularyPrefix.length) : '';
      if (!draft.vocabularies.includes(name))
        throw invalid(`unsupported vocabulary ${JSON.stringify(vocabulary)} in ${JSON.stringify(url)}`);
      names.add(name);
    }
    return [...names];
  }
}

function addResource(root: SchemaRoot, resource: SchemaResource): SchemaResource {
  root.resources.set(resource.pointer, resource);
  root.resourcesById.set(resource.id, resource);
  return resource;
}

function collectAnchors(root: SchemaRoot, node: SchemaNode, pointer: string, resource: SchemaResource): void {
  if (!isObjectNode(node)) return;
  const { version, idKeyword } = resource.dialect.draft;
  const add = (anchor: string): void => {
    const other = resource.anchors.get(anchor);
    if (other !== undefined && other !== pointer) {
      throw invalid(`duplicate anchor ${JSON.stringify(anchor)} in ${JSON.stringify(root.url)} at "${other}" and "${pointer}"`);
    }
    resource.anchors.set(anchor, pointer);
  };
  if (version < 2019) {
    const id = node.get(idKeyword);
    if (node.has('$ref') || typeof id !== 'string') return;
    const fragment = splitFragment(id)[1];
    if (fragment !== '' && !fragment.startsWith('/')) add(decodeFragment(fragment, id));
    return;
  }
  const anchor = node.get('$anchor');
  if (typeof anchor === 'string') add(anchor);
  const dynamic = node.get('$dynamicAnchor');
  if (version >= 2020 && typeof dynamic === 'string') {
    add(dynamic);
    resource.dynamicAnchors.push(dynamic);
  }
}

function resolveFragment(root: SchemaRoot, resource: SchemaResource, fragment: string): Location {
  if (fragment === '' || fragment.startsWith('/')) return { url: root.url, pointer: resource.pointer + fragment };
  const pointer = resource.anchors.get(fragment);
  if (pointer === undefined) {
    throw invalid(`anchor in "${formatLocation(resource.id, fragment)}" not found in schema ${JSON.stringify(root.url)}`);
  }
  return { url: root.url, pointer };
}

function decodeFragment(fragment: string, url: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    throw invalid(`error in parsing ${JSON.stringify(url)}: invalid URL escape in ${JSON.stringify(fragment)}`);
  }
}

function joinUrl(base: string, reference: string): string {
  if (reference === '') return base;
  if (!URL.canParse(reference, base)) {
    if (URL.canParse(reference)) return reference;
    return reference;
  }
  return new URL(reference, base).href;
}

/** A metaschema of json-schema.org, which is never fetched. */
function metaschema(url: string): SchemaNode | undefined {
  const path = /^https?:\/\/json-schema\.org\/(.*)$/s.exec(url)?.[1];
  if (path === undefined) return undefined;
  const text = path === 'schema' ? METASCHEMAS['draft/2020-12/schema'] : Object.hasOwn(METASCHEMAS, path) ? METASCHEMAS[path] : undefined;
  return text === undefined ? undefined : parseSchema(text);
}
