import { newNode, writeNode } from '../golang/index.ts';
import { KustomizeError } from './errors.ts';
import {
  copyValue,
  field,
  isMapping,
  isScalar,
  markKeyFault,
  plainScalar,
  Scalar,
  setField,
  tagOf,
  taggedScalar,
  type KeyFault,
  type Mapping,
  type ScalarTag,
  weightOf,
  type Value,
} from './value.ts';
import * as yaml from './yaml-events.ts';

/** How much of one YAML document is read before it is refused. */
export type ComposeLimits = {
  /** Values and keys. */
  maxValues: number;
  /** What aliases stand for, each time one is used (see `weightOf`). */
  maxFromAliases: number;
  /** Collections inside collections. */
  maxDepth: number;
};

export const DEFAULT_COMPOSE_LIMITS: ComposeLimits = { maxValues: 5_000_000, maxFromAliases: 400_000, maxDepth: 500 };

/**
 * Reads the first document of a text as kustomize sees it: scalars keep their text, aliases and merge keys (`<<`) are expanded, of
 * equal keys the first counts. Undefined when there is no document. Throws go-yaml's errors.
 */
export function composeDocument(text: string, limits: ComposeLimits = DEFAULT_COMPOSE_LIMITS): Value | undefined {
  return new Composer(text, limits).document();
}

const NOT_YET: unique symbol = Symbol('anchor of an open collection');

class Composer {
  readonly #parser: yaml.Parser;
  readonly #limits: ComposeLimits;
  readonly #anchors = new Map<string, Value | typeof NOT_YET>();
  #values = 0;
  #fromAliases = 0;
  #depth = 0;
  #firstLine = 0;

  constructor(text: string, limits: ComposeLimits) {
    this.#parser = new yaml.Parser(yaml.yamlSource(text, yaml.DEFAULT_YAML_LIMITS), true);
    this.#limits = limits;
  }

  document(): Value | undefined {
    const parser = this.#parser;
    parser.next();
    if (parser.next() === yaml.EVENT_STREAM_END) return undefined;
    parser.next();
    this.#firstLine = parser.line;
    const value = this.#value();
    parser.next();
    return value;
  }

  /** The value of the current event; afterwards the current event is its last one. */
  #value(): Value {
    this.#count(1);
    const parser = this.#parser;
    switch (parser.type) {
      case yaml.EVENT_SCALAR:
        return this.#scalar();
      case yaml.EVENT_ALIAS:
        return this.#alias();
      default:
        return this.#collection();
    }
  }

  #count(values: number): void {
    this.#values += values;
    if (this.#values > this.#limits.maxValues) throw tooLarge('number of values', this.#limits.maxValues);
  }

  #scalar(): Value {
    const { anchor } = this.#parser;
    const value = this.#scalarValue();
    if (anchor !== '') this.#anchors.set(anchor, value);
    return value;
  }

  #scalarValue(): Value {
    const { tag, style, value } = this.#parser;
    if (tag !== '' && tag !== '!') return taggedScalar(yaml.shortTag(tag), value);
    if (style !== yaml.PLAIN) return new Scalar(value, '!!str', style === FOLDED ? refold(value) : value, true);
    return value === '<<' ? new Scalar('<<', '!!merge', '<<') : plainScalar(value);
  }

  #alias(): Value {
    const name = this.#parser.value;
    const value = this.#anchors.get(name);
    if (value === undefined) throw new KustomizeError('YamlMalformed', `yaml: unknown anchor '${name}' referenced`);
    if (value === NOT_YET) throw new KustomizeError('YamlMalformed', `yaml: anchor '${name}' value contains itself`);
    this.#fromAliases += weightOf(value);
    if (this.#fromAliases > this.#limits.maxFromAliases) throw tooLarge('weight of aliases', this.#limits.maxFromAliases);
    return copyValue(value);
  }

  #collection(): Value {
    const { anchor } = this.#parser;
    if (++this.#depth > this.#limits.maxDepth) throw tooLarge('nesting', this.#limits.maxDepth);
    if (anchor !== '') this.#anchors.set(anchor, NOT_YET);
    const value = this.#parser.type === yaml.EVENT_SEQUENCE_START ? this.#sequence() : this.#mapping();
    if (anchor !== '') this.#anchors.set(anchor, value);
    this.#depth -= 1;
    return value;
  }

  #sequence(): Value[] {
    const items: Value[] = [];
    while (this.#parser.next() !== yaml.EVENT_SEQUENCE_END) items.push(this.#value());
    return items;
  }

  #mapping(): Mapping {
    const parser = this.#parser;
    const mapping: Mapping = {};
    let merge: Value | undefined;
    let fault: KeyFault | undefined;
    const names: string[] = [];
    const lines: number[] = [];
    while (parser.next() !== yaml.EVENT_MAPPING_END) {
      const { line } = parser;
      const key = this.#value();
      parser.next();
      const value = this.#value();
      if (key instanceof Scalar && key.tag === '!!merge') {
        if (merge !== undefined) throw new KustomizeError('YamlMalformed', 'duplicate merge key');
        merge = value;
        continue;
      }
      const name = keyText(key);
      if (tagOfKey(key) !== '!!str' && !this.#isPlainRootKey(key)) fault ??= { message: keyMessage(key), last: {} };
      if (Object.hasOwn(mapping, name)) {
        fault ??= {
          message: duplicateMessage(name, line - this.#firstLine, (lines[names.indexOf(name)] ?? 0) - this.#firstLine),
          last: {},
        };
        setField(fault.last, name, value);
      } else {
        names.push(name);
        lines.push(line);
        setField(mapping, name, value);
      }
    }
    const result = merge === undefined ? mapping : merged(mapping, merge);
    if (fault !== undefined) markKeyFault(result, fault);
    return result;
  }

  /** Keys of the outermost mapping are read as text, whatever they look like. */
  #isPlainRootKey(key: Value): boolean {
    return this.#depth === 1 && isScalar(key);
  }
}

/** libyaml's number of the style `>`. */
const FOLDED = 5;

/**
 * A folded scalar as kustomize prints it. It writes every resource as YAML and reads it again, and of all styles this one alone does not
 * survive that: a line that is indented more gets an empty line before it.
 */
function refold(text: string): string {
  if (!text.includes('\n')) return text;
  const node = newNode('scalar', '!!str', text);
  node.style = FOLDED;
  const parser = new yaml.Parser(yaml.yamlSource(writeNode(node), yaml.DEFAULT_YAML_LIMITS), true);
  while (parser.type !== yaml.EVENT_SCALAR) parser.next();
  return parser.value;
}

/** The mapping with the fields of those it is merged with: its own win, then the first of a list. */
function merged(own: Mapping, merge: Value): Mapping {
  const sources = Array.isArray(merge) ? merge : [merge];
  const result: Mapping = {};
  for (const key of Object.keys(own)) setField(result, key, own[key] ?? null);
  for (const source of sources) {
    if (!isMapping(source)) {
      const message = Array.isArray(source)
        ? 'invalid map merge: received a nested sequence'
        : 'map merge requires map or sequence of maps as the value';
      throw new KustomizeError('YamlMalformed', message);
    }
    for (const key of Object.keys(source)) {
      if (field(result, key) === undefined) setField(result, key, source[key] ?? null);
    }
  }
  return result;
}

function tagOfKey(key: Value): ScalarTag {
  return isScalar(key) ? tagOf(key) : '';
}

function keyText(key: Value): string {
  if (key instanceof Scalar) return key.text;
  return typeof key === 'object' && key !== null ? '' : String(key);
}

function keyMessage(key: Value): string {
  const scalar = key instanceof Scalar || typeof key !== 'object' || key === null;
  return scalar ? 'json: unsupported type: map[interface {}]interface {}' : 'yaml: invalid map key';
}

function duplicateMessage(name: string, line: number, first: number): string {
  return `yaml: unmarshal errors:\n  line ${line + 1}: mapping key ${JSON.stringify(name)} already defined at line ${first + 1}`;
}

function tooLarge(what: string, limit: number): KustomizeError {
  return new KustomizeError('LimitExceeded', `read YAML: ${what} exceeds ${limit}`, {
    subject: what,
    remedy: 'split the file, or use fewer aliases',
  });
}
