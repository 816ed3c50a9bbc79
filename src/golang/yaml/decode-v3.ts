import { checkMergeSource, decodeBinary, DecodeBudget, invalidMapKey, mergeSources, unmarshalErrors } from './decode.ts';
import { quote } from '../quote.ts';
import { bytesToText, textToBytes } from '../text.ts';
import { YamlError, yamlLimitExceeded } from './error.ts';
import { GoAnyMap, GoStringMap, goTypeName, type GoYaml } from './go-syntax.ts';
import type { YamlLimits } from './limits.ts';
import { isText, valueTag, type YamlNode } from './node.ts';
import { BINARY_TAG, MAP_TAG, MERGE_TAG, resolve, SEQ_TAG, shortTag, STR_TAG } from './resolve.ts';

/** More duplicate keys than this are not listed one by one: their pairs would grow with the square. */
const MAX_PROBLEMS = 10_000;

/** Decodes a document as yaml.v3's Unmarshal into `interface{}`; `asMap` is into `map[string]interface{}`. */
export function decodeV3(document: YamlNode, limits: YamlLimits, asMap = false): GoYaml {
  const decoder = new DecoderV3(limits);
  const value = decoder.document(document, asMap);
  if (decoder.problems.length > 0) throw unmarshalErrors(decoder.problems);
  return value;
}

/** True for a merge key of yaml.v3. */
export function isMergeKey(node: YamlNode): boolean {
  return node.kind === 'scalar' && node.value === '<<' && (node.tag === '' || node.tag === '!' || shortTag(node.tag) === MERGE_TAG);
}

function isStringMap(node: YamlNode): boolean {
  for (let i = 0; i < node.content.length; i += 2) {
    const tag = valueTag(node.content[i]!);
    if (tag !== STR_TAG && tag !== MERGE_TAG) return false;
  }
  return true;
}

/** What a failed decode leaves: nothing is stored for it, and the problem is already noted. */
const FAILED = Symbol('failed');

class DecoderV3 {
  readonly problems: string[] = [];
  readonly #budget: DecodeBudget;
  /** Keys that are set already while mappings are merged; undefined outside. */
  #merged: Set<GoYaml> | undefined;

  constructor(limits: YamlLimits) {
    this.#budget = new DecodeBudget(limits);
  }

  document(node: YamlNode, asMap: boolean): GoYaml {
    this.#budget.count();
    const content = node.content[0]!;
    const value = asMap ? this.#asMap(content) : this.#value(content);
    return value === FAILED ? null : value;
  }

  /** Into `map[string]interface{}`: null gives nil, anything else that is no mapping a problem. */
  #asMap(node: YamlNode): GoYaml | typeof FAILED {
    this.#budget.count();
    if (node.kind === 'alias') return this.#budget.follow(node, (target) => this.#asMap(target));
    if (node.kind === 'mapping') {
      if (!this.#uniqueKeys(node)) return FAILED;
      const out = new GoStringMap();
      this.#entries(node, out);
      return out;
    }
    if (node.kind === 'sequence') return this.#mismatch(node, SEQ_TAG, 'map[string]interface {}');
    const value = this.#scalar(node);
    return value === null ? null : this.#mismatch(node, STR_TAG, 'map[string]interface {}');
  }

  #mismatch(node: YamlNode, fallback: string, type: string): typeof FAILED {
    const tag = node.tag === '' ? fallback : shortTag(node.tag);
    const text = tag === SEQ_TAG || tag === MAP_TAG ? node.value : ` \`${excerpt(node.value)}\``;
    this.#problem(`line ${node.line}: cannot unmarshal ${tag}${text} into ${type}`);
    return FAILED;
  }

  #problem(text: string): void {
    if (this.problems.length >= MAX_PROBLEMS) throw yamlLimitExceeded('number of problems', MAX_PROBLEMS);
    this.problems.push(text);
  }

  #value(node: YamlNode): GoYaml | typeof FAILED {
    this.#budget.count();
    switch (node.kind) {
      case 'alias':
        return this.#budget.follow(node, (target) => this.#value(target));
      case 'mapping': {
        if (!this.#uniqueKeys(node)) return FAILED;
        const out = isStringMap(node) ? new GoStringMap() : new GoAnyMap();
        this.#entries(node, out);
        return out;
      }
      case 'sequence':
        return this.#sequence(node);
      case 'scalar':
      case 'document':
        return this.#scalar(node);
    }
  }

  #sequence(node: YamlNode): GoYaml[] {
    this.#budget.enter();
    const items: GoYaml[] = [];
    for (const item of node.content) {
      const value = this.#value(item);
      if (value !== FAILED) items.push(value);
    }
    this.#budget.leave();
    return items;
  }

  #scalar(node: YamlNode): GoYaml {
    if (isText(node)) return node.value;
    const { tag, value } = resolve(shortTag(node.tag), node.value, true);
    return tag === BINARY_TAG ? decodeBinary(node.value) : value;
  }

  /** Notes every pair of equal keys; keys are equal when they are written the same, whatever their tags. */
  #uniqueKeys(node: YamlNode): boolean {
    const { content } = node;
    const scalars = new Map<string, number[]>();
    const others = new Map<string, number[]>();
    let repeated = false;
    const group = (key: YamlNode): Map<string, number[]> => (key.kind === 'scalar' ? scalars : others);
    const name = (key: YamlNode): string => (key.kind === 'alias' ? `*${key.value}` : key.kind === 'scalar' ? key.value : key.kind);
    for (let i = 0; i < content.length; i += 2) {
      const key = content[i]!;
      const same = group(key).get(name(key));
      if (same === undefined) group(key).set(name(key), [i]);
      else repeated = same.push(i) > 0;
    }
    if (!repeated) return true;
    for (let i = 0; i < content.length; i += 2) {
      const first = content[i]!;
      const same = group(first).get(name(first))!;
      for (let k = same.indexOf(i) + 1; k < same.length; k++) {
        const key = content[same[k]!]!;
        this.#problem(`line ${key.line}: mapping key ${quote(key.value)} already defined at line ${first.line}`);
      }
    }
    return false;
  }

  #entries(node: YamlNode, out: GoAnyMap | GoStringMap): void {
    this.#budget.enter();
    const merged = this.#merged;
    this.#merged = undefined;
    let mergeNode: YamlNode | undefined;
    for (let i = 0; i < node.content.length; i += 2) {
      const keyNode = node.content[i]!;
      const valueNode = node.content[i + 1]!;
      if (isMergeKey(keyNode)) {
        mergeNode = valueNode;
        continue;
      }
      const key = out instanceof GoStringMap ? this.#stringKey(keyNode) : this.#value(keyNode);
      if (key === FAILED) continue;
      if (merged !== undefined) {
        checkHashable(key);
        if (merged.has(key)) continue;
        merged.add(key);
      }
      if (Array.isArray(key) || key instanceof Map) invalidMapKey(key);
      const value = this.#value(valueNode);
      if (value !== FAILED) (out as Map<GoYaml, GoYaml>).set(key, value);
    }
    this.#merged = merged;
    if (mergeNode !== undefined) this.#merge(node, mergeNode, out);
    this.#budget.leave();
  }

  /** A key of a map whose keys are strings: any scalar's text, but null is no key. */
  #stringKey(node: YamlNode): string | typeof FAILED {
    this.#budget.count();
    switch (node.kind) {
      case 'alias':
        return this.#budget.follow(node, (target) => this.#stringKey(target));
      case 'mapping':
        if (!this.#uniqueKeys(node)) return FAILED;
        return this.#mismatch(node, MAP_TAG, 'string') as typeof FAILED;
      case 'sequence':
        return this.#mismatch(node, SEQ_TAG, 'string') as typeof FAILED;
      case 'scalar':
      case 'document': {
        if (isText(node)) return node.value;
        const { tag, value } = resolve(shortTag(node.tag), node.value, true);
        if (value === null) return FAILED;
        return tag === BINARY_TAG ? decodeBinary(node.value) : node.value;
      }
    }
  }

  /** Entries of merged mappings fill what the mapping itself does not set; the first source wins. */
  #merge(parent: YamlNode, node: YamlNode, out: GoAnyMap | GoStringMap): void {
    const merged = this.#merged;
    if (merged === undefined) {
      const keys = new Set<GoYaml>();
      for (let i = 0; i < parent.content.length; i += 2) {
        const key = this.#value(parent.content[i]!);
        if (key === FAILED) continue;
        checkHashable(key);
        keys.add(key);
      }
      this.#merged = keys;
    }
    for (const source of mergeSources(node)) {
      checkMergeSource(source);
      this.#into(source, out);
    }
    this.#merged = merged;
  }

  #into(node: YamlNode, out: GoAnyMap | GoStringMap): void {
    this.#budget.count();
    if (node.kind === 'alias') this.#budget.follow(node, (target) => this.#into(target, out));
    else if (this.#uniqueKeys(node)) this.#entries(node, out);
  }
}

/** A value as go-yaml shows it in a problem: cut after seven bytes when it is long. */
function excerpt(value: string): string {
  const bytes = textToBytes(value);
  return bytes.length > 10 ? `${bytesToText(bytes.subarray(0, 7))}...` : value;
}

function checkHashable(key: GoYaml): void {
  if (Array.isArray(key) || key instanceof Map) throw new YamlError(`yaml: runtime error: hash of unhashable type ${goTypeName(key)}`);
}
