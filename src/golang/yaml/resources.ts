import { DecodeBudget } from './decode.ts';
import { decodeV3 } from './decode-v3.ts';
import { emitV3 } from './emit-v3.ts';
import { YamlError } from './error.ts';
import { withDefaultLimits, type YamlLimits } from './limits.ts';
import { Composer, type YamlNode } from './node.ts';
import { plainV3 } from './plain.ts';
import { MERGE_TAG, NULL_TAG } from './resolve.ts';
import { yamlSource } from './source.ts';
import type { YamlValue } from './value.ts';

/** How kyaml writes nodes. */
const KYAML = { indent: 2, compactSequences: true };

const SEPARATOR = /\n---[^\n]*\n/g;

/** Splits a text at its `---` lines as kyaml does: what stands behind one must be a comment. */
function splitDocuments(text: string): string[] {
  if (text === '') return [];
  const documents: string[] = [];
  let from = 0;
  for (const match of text.matchAll(SEPARATOR)) {
    const behind = goTrim(match[0].slice(4));
    if (behind !== '' && !behind.startsWith('#')) throw new YamlError(`invalid document separator: ${goTrim(match[0])}`);
    documents.push(text.slice(from, match.index));
    from = match.index + match[0].length;
  }
  documents.push(text.slice(from));
  return documents;
}

const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** strings.TrimSpace, which takes U+0085 and leaves U+FEFF. */
function goTrim(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && SPACE.test(text[from]!)) from += 1;
  while (to > from && SPACE.test(text[to - 1]!)) to -= 1;
  return text.slice(from, to);
}

/** Where an error text of a document that does not parse begins. */
const MALFORMED = 'MalformedYAMLError';

/**
 * The resources of a text as kustomize's reader (kio.ByteReader with anchors expanded) finds them: one node for each document that is
 * not empty, or the items of a single List. Throws a GoError with kyaml's text.
 */
export function readResourceNodes(text: string, limits: Partial<YamlLimits> = {}): YamlNode[] {
  const bounds = withDefaultLimits(limits);
  const documents = splitDocuments(text.replaceAll('\r\n', '\n'));
  const nodes: YamlNode[] = [];
  for (const [i, part] of documents.entries()) {
    // The split takes a line break that a literal scalar may need.
    const document = parseDocument(i === documents.length - 1 ? part : `${part}\n`, bounds);
    if (document === undefined || document.content[0]!.tag === NULL_TAG) continue;
    const items = documents.length === 1 ? listItems(document.content[0]!) : undefined;
    nodes.push(...(items ?? [document]));
  }
  const expander = new Expander(bounds);
  return nodes.map((node) => expander.expand(node));
}

function parseDocument(text: string, limits: YamlLimits): YamlNode | undefined {
  try {
    return new Composer(yamlSource(text, limits), true, limits).document();
  } catch (error) {
    if (error instanceof YamlError) throw new YamlError(`${MALFORMED}: ${error.message}`, error.line);
    throw error;
  }
}

/** The items of a List or ResourceList; undefined when the node is none. */
function listItems(node: YamlNode): readonly YamlNode[] | undefined {
  const kind = nodeField(node, 'kind');
  if (kind === undefined || kind.tag === NULL_TAG || (kind.value !== 'List' && kind.value !== 'ResourceList')) return undefined;
  const items = nodeField(node, 'items');
  return items === undefined && nodeField(node, 'functionConfig') === undefined ? undefined : (items?.content ?? []);
}

/** The value of a mapping's field, by the text of its key; undefined when there is none or the node is no mapping. */
export function nodeField(node: YamlNode, name: string): YamlNode | undefined {
  if (node.kind !== 'mapping') return undefined;
  const at = keyIndex(node, name);
  return at < 0 ? undefined : node.content[at + 1];
}

function keyIndex(node: YamlNode, name: string): number {
  for (let i = 0; i < node.content.length; i += 2) if (node.content[i]!.value === name) return i;
  return -1;
}

/** A node's text as RNode.String writes it: comments and styles stay, two spaces a level, sequences flush with their key. */
export function writeNode(node: YamlNode): string {
  return emitV3(node, KYAML);
}

/** The value of a resource's node as kustomize puts it into its output (RNode.MarshalJSON): written, and read again as a map. */
export function nodeValue(node: YamlNode, limits: Partial<YamlLimits> = {}): YamlValue {
  const bounds = withDefaultLimits(limits);
  const root = node.kind === 'document' ? node.content[0]! : node;
  const document = new Composer(yamlSource(writeNode(node), bounds), true, bounds).document();
  if (document === undefined) return {};
  return plainV3(decodeV3(document, bounds, root.kind !== 'sequence'), 'exact');
}

/** Replaces aliases by copies of what they stand for, and merge keys by what they name (kyaml's DeAnchor). */
class Expander {
  readonly #limits: YamlLimits;
  readonly #open = new Set<YamlNode>();
  #budget: DecodeBudget;

  constructor(limits: YamlLimits) {
    this.#limits = limits;
    this.#budget = new DecodeBudget(limits);
  }

  expand(node: YamlNode): YamlNode {
    this.#budget = new DecodeBudget(this.#limits);
    return this.#node(node);
  }

  #node(node: YamlNode): YamlNode {
    node.anchor = '';
    if (node.kind === 'scalar') return node;
    if (node.kind === 'alias') return this.#copy(this.#node(node.alias!));
    if (node.kind === 'mapping') mergeAll(node, removeMerge(node));
    if (this.#open.has(node)) throw new YamlError('yaml: anchor value contains itself');
    this.#open.add(node);
    this.#budget.enter();
    node.content = node.content.map((child) => this.#node(child));
    this.#budget.leave();
    this.#open.delete(node);
    return node;
  }

  #copy(node: YamlNode): YamlNode {
    this.#budget.count();
    return { ...node, content: node.content.map((child) => this.#copy(child)) };
  }
}

function copyNode(node: YamlNode): YamlNode {
  return { ...node, content: node.content.map(copyNode) };
}

/** Takes the merge key out of a mapping; the mappings it names, the strongest last. */
function removeMerge(node: YamlNode): YamlNode[] {
  let value: YamlNode | undefined;
  for (let i = 0; i < node.content.length; i += 2) {
    if (node.content[i]!.tag !== MERGE_TAG) continue;
    if (value !== undefined) throw new YamlError('duplicate merge key');
    value = node.content[i + 1];
  }
  const sources = value === undefined ? [] : mergeValues(value);
  const at = keyIndex(node, '<<');
  if (at >= 0) node.content = node.content.toSpliced(at, 2);
  return sources;
}

function mergeValues(node: YamlNode): YamlNode[] {
  if (node.kind === 'mapping') return [node];
  if (node.kind === 'alias') {
    if (node.alias!.kind !== 'mapping') throw new YamlError('invalid map merge: received alias for a non-map value');
    return [node.alias!];
  }
  if (node.kind !== 'sequence') throw new YamlError('map merge requires map or sequence of maps as the value');
  return node.content.toReversed().flatMap((item) => {
    if (item.kind === 'sequence') throw new YamlError('invalid map merge: received a nested sequence');
    return mergeValues(item);
  });
}

/**
 * Sets the entries of the sources, then the node's own, into the node. kyaml does so for every mapping; it changes one without a merge
 * key only when that has a null key, which finds no entry and is added once more.
 */
function mergeAll(node: YamlNode, sources: readonly YamlNode[]): void {
  if (sources.length === 0 && !node.content.some((key, i) => i % 2 === 0 && key.tag === NULL_TAG)) return;
  const { content } = node;
  const own = copyNode(node);
  const index = firstKeys(content);
  for (const source of [...sources.map(copyNode), own]) {
    const firsts = firstKeys(source.content);
    for (let i = 0; i < source.content.length; i += 2) {
      const at = firsts.get(source.content[i]!.value)!;
      const key = source.content[at]!;
      const value = source.content[at + 1]!;
      const found = index.get(key.tag === NULL_TAG ? '' : key.value);
      if (found === undefined) {
        if (!index.has(key.value)) index.set(key.value, content.length);
        content.push(key, value);
        continue;
      }
      const renamed = content[found]!.value !== key.value;
      content[found] = key;
      content[found + 1] = value;
      if (renamed) for (const [name, place] of firstKeys(content)) index.set(name, place);
    }
  }
}

/** Where each key stands first. */
function firstKeys(content: readonly YamlNode[]): Map<string, number> {
  const places = new Map<string, number>();
  for (let i = content.length - 2; i >= 0; i -= 2) places.set(content[i]!.value, i);
  return places;
}
