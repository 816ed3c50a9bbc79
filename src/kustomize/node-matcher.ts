import { newNode, nodeField, readResourceNodes, writeNode, type YamlNode, type YamlNodeKind } from '../golang/index.ts';
import { KustomizeError } from './errors.ts';
import { isElementPart, isIndexPart, splitElementPart } from './lookup.ts';
import type { MadeKind } from './path-matcher.ts';
import { compile } from './regular-expression.ts';

/** {@link matchPath} for nodes of a YAML text. */
export function matchNodes(node: YamlNode, path: readonly string[], make: MadeKind): YamlNode[] {
  const found: YamlNode[] = [];
  new NodeMatcher(make, found).match(node.kind === 'document' ? (node.content[0] ?? node) : node, path);
  return found;
}

class NodeMatcher {
  readonly #make: MadeKind;
  readonly #found: YamlNode[];

  constructor(make: MadeKind, found: YamlNode[]) {
    this.#make = make;
    this.#found = found;
  }

  match(node: YamlNode, path: readonly string[]): void {
    const [part, ...rest] = path;
    if (part === undefined) this.#found.push(node);
    else if (isIndexPart(part)) this.#matchIndex(node, Number(part), rest);
    else if (isElementPart(part)) this.#matchElements(node, part, rest);
    else if (part === '*') elementsOf(node).forEach((element) => this.match(element, rest));
    else this.#matchField(node, part, rest);
  }

  #matchField(node: YamlNode, name: string, rest: readonly string[]): void {
    if (node.kind !== 'mapping') throw wrongNode('mapping', node);
    let child = nodeField(node, name);
    if (child === undefined) {
      if (this.#make === undefined) return;
      child = this.#made(rest[0]);
      node.content.push(newNode('scalar', '', name), child);
    }
    if (child.kind !== 'scalar' || rest.length === 0) return this.match(child, rest);
    // A text inside the text: what is found there is detached, and its change is lost, as in kustomize.
    const [document] = readResourceNodes(child.value);
    if (document === undefined) throw wrongNode('mapping', child);
    this.match(document.kind === 'document' ? (document.content[0] ?? document) : document, rest);
  }

  #matchIndex(node: YamlNode, index: number, rest: readonly string[]): void {
    const list = elementsOf(node);
    if (list.length === index && this.#make !== undefined) list.push(this.#made(rest[0]));
    const element = list[index];
    if (element === undefined) {
      throw new KustomizeError('ReplacementFailed', `index ${index} specified but only ${list.length} elements found`);
    }
    this.match(element, rest);
  }

  #matchElements(node: YamlNode, part: string, rest: readonly string[]): void {
    const { name, value: pattern } = splitElementPart(part);
    const list = elementsOf(node);
    const fits = compile(pattern);
    const before = this.#found.length;
    for (const element of list) {
      const value = name === '' ? element : nodeField(element, name);
      if (value === undefined || !fits(writeNode(value).trim())) continue;
      if (name === '') this.#found.push(element);
      else this.match(element, rest);
    }
    if (this.#found.length > before || this.#make === undefined) return;
    const scalar = newNode('scalar', '', pattern);
    const made = newNode('mapping', '', '');
    made.content.push(newNode('scalar', '', name), scalar);
    list.push(name === '' ? scalar : made);
    if (fits(pattern)) this.#matchElements(node, part, rest);
  }

  #made(next: string | undefined): YamlNode {
    if (next === undefined) return newNode(this.#make ?? 'scalar', '', '');
    return newNode(isElementPart(next) || isIndexPart(next) ? 'sequence' : 'mapping', '', '');
  }
}

function elementsOf(node: YamlNode): YamlNode[] {
  if (node.kind === 'sequence') return node.content;
  if (node.kind === 'scalar' && node.tag === '!!null') return [];
  throw wrongNode('sequence', node);
}

function wrongNode(expected: YamlNodeKind, { kind }: YamlNode): KustomizeError {
  return new KustomizeError('TransformFailed', `wrong node kind: expected ${expected} but got ${kind}`);
}
