import { YamlError, yamlLimitExceeded } from './error.ts';
import type { YamlLimits } from './limits.ts';
import {
  EVENT_ALIAS,
  EVENT_DOCUMENT_END,
  EVENT_MAPPING_END,
  EVENT_MAPPING_START,
  EVENT_SCALAR,
  EVENT_SEQUENCE_END,
  EVENT_SEQUENCE_START,
  EVENT_STREAM_END,
  EVENT_STREAM_START,
} from './event.ts';
import { Parser } from './parser.ts';
import { MAP_TAG, MERGE_TAG, NULL_TAG, resolve, SEQ_TAG, shortTag, STR_TAG } from './resolve.ts';
import type { YamlSource } from './source.ts';
import { PLAIN } from './token.ts';

export type YamlNodeKind = 'document' | 'mapping' | 'sequence' | 'scalar' | 'alias';

/**
 * A node of a YAML text as yaml.v3 keeps it: enough to write the text again. A mapping's content is key, value, key, value. The same
 * type carries v2's nodes, whose tag is as written (`` for none) and which have no comments.
 */
export type YamlNode = {
  kind: YamlNodeKind;
  /** v3: the short tag, resolved for a scalar without one. */
  tag: string;
  value: string;
  content: YamlNode[];
  anchor: string;
  /** What an alias stands for. */
  alias: YamlNode | undefined;
  /** A scalar's style (token.ts), 0 for none. */
  style: number;
  /** A collection in flow style. */
  flow: boolean;
  /** The tag is written in the text. */
  tagged: boolean;
  /** v2: the tag may be left out. */
  implicit: boolean;
  /** Line where it starts, counted from 1. */
  line: number;
  headComment: string;
  lineComment: string;
  footComment: string;
};

/** A node with nothing in it. */
export function newNode(kind: YamlNodeKind, tag: string, value: string): YamlNode {
  return {
    kind,
    tag,
    value,
    content: [],
    anchor: '',
    alias: undefined,
    style: 0,
    flow: false,
    tagged: false,
    implicit: false,
    line: 0,
    headComment: '',
    lineComment: '',
    footComment: '',
  };
}

/** Reads the documents of a stream one by one, as nodes. An error is thrown when it is reached, not before. */
export class Composer {
  readonly #parser: Parser;
  readonly #modern: boolean;
  readonly #limits: YamlLimits;
  /** Names of anchors; in v3 they outlive their document. */
  #anchors = new Map<string, YamlNode>();
  #depth = 0;
  #nodes = 0;
  #documents = 0;

  constructor(source: YamlSource, modern: boolean, limits: YamlLimits) {
    this.#parser = new Parser(source, modern);
    this.#modern = modern;
    this.#limits = limits;
  }

  /** The next document; undefined after the last. */
  document(): YamlNode | undefined {
    const parser = this.#parser;
    if (parser.type === 0 || parser.type === EVENT_DOCUMENT_END) parser.next();
    if (parser.type === EVENT_STREAM_START) parser.next();
    if (parser.type === EVENT_STREAM_END) return undefined;
    this.#documents += 1;
    if (this.#documents > this.#limits.maxDocuments) throw yamlLimitExceeded('number of documents', this.#limits.maxDocuments);
    if (!this.#modern) this.#anchors = new Map();
    const node = this.#create('document', '', '');
    parser.next();
    node.content.push(this.#node());
    parser.next();
    node.footComment = parser.footComment;
    return node;
  }

  #create(kind: YamlNodeKind, tag: string, value: string): YamlNode {
    const parser = this.#parser;
    this.#nodes += 1;
    if (this.#nodes > this.#limits.maxValues) throw yamlLimitExceeded('number of values', this.#limits.maxValues);
    const node = newNode(kind, tag, value);
    node.line = parser.line + 1;
    node.anchor = parser.anchor;
    node.implicit = parser.implicit;
    node.headComment = parser.headComment;
    node.lineComment = parser.lineComment;
    node.footComment = parser.footComment;
    return node;
  }

  /** A node with the tag yaml.v3 gives it: that of the text, or the kind's own, or the resolved one. */
  #tagged(kind: YamlNodeKind, fallback: string, value: string): YamlNode {
    const { tag } = this.#parser;
    if (!this.#modern) return this.#create(kind, tag, value);
    const written = tag !== '' && tag !== '!';
    const own = written ? shortTag(tag) : fallback === '' ? resolve('', value, true).tag : fallback;
    const node = this.#create(kind, own, value);
    node.tagged = written;
    return node;
  }

  /** The node of the current event; the parser stays at its last event. */
  #node(): YamlNode {
    switch (this.#parser.type) {
      case EVENT_SCALAR:
        return this.#scalar();
      case EVENT_ALIAS:
        return this.#alias();
      case EVENT_SEQUENCE_START:
      case EVENT_MAPPING_START:
        return this.#collection();
      default:
        throw new YamlError('yaml: attempted to parse unknown event');
    }
  }

  #register(node: YamlNode): void {
    if (node.anchor !== '') this.#anchors.set(node.anchor, node);
  }

  #scalar(): YamlNode {
    const { value, style } = this.#parser;
    const fallback = style !== PLAIN ? STR_TAG : value === '<<' ? MERGE_TAG : '';
    const node = this.#tagged('scalar', fallback, value);
    node.style = style;
    this.#register(node);
    return node;
  }

  #alias(): YamlNode {
    const { value } = this.#parser;
    const node = this.#create('alias', '', value);
    node.alias = this.#anchors.get(value);
    if (node.alias === undefined) throw new YamlError(`yaml: unknown anchor '${value}' referenced`);
    return node;
  }

  #collection(): YamlNode {
    const parser = this.#parser;
    this.#depth += 1;
    if (this.#depth > this.#limits.maxDepth) throw yamlLimitExceeded('depth', this.#limits.maxDepth);
    const mapping = parser.type === EVENT_MAPPING_START;
    const node = this.#tagged(mapping ? 'mapping' : 'sequence', mapping ? MAP_TAG : SEQ_TAG, '');
    node.flow = parser.flow;
    this.#register(node);
    if (mapping) this.#pairs(node);
    else while (parser.next() !== EVENT_SEQUENCE_END) node.content.push(this.#node());
    node.lineComment = parser.lineComment;
    node.footComment = parser.footComment;
    if (mapping && !node.flow && node.footComment !== '' && node.content.length > 1) {
      node.content[node.content.length - 2]!.footComment = node.footComment;
      node.footComment = '';
    }
    this.#depth -= 1;
    return node;
  }

  /** Entries of a mapping. The foot comment of a key is that of the entry before it; that of a value is its key's. */
  #pairs(node: YamlNode): void {
    const { content } = node;
    while (this.#parser.next() !== EVENT_MAPPING_END) {
      const key = this.#node();
      content.push(key);
      if (!node.flow && key.footComment !== '' && content.length > 2) {
        content[content.length - 3]!.footComment = key.footComment;
        key.footComment = '';
      }
      this.#parser.next();
      const value = this.#node();
      content.push(value);
      if (key.footComment === '' && value.footComment !== '') {
        key.footComment = value.footComment;
        value.footComment = '';
      }
    }
  }
}

/** The tag a v3 node has for its value: of an alias that of what it stands for. */
export function valueTag(node: YamlNode): string {
  if (isText(node)) return STR_TAG;
  if (node.tag !== '' && node.tag !== '!') return shortTag(node.tag);
  switch (node.kind) {
    case 'mapping':
      return MAP_TAG;
    case 'sequence':
      return SEQ_TAG;
    case 'alias':
      return node.alias === undefined ? '' : valueTag(node.alias);
    case 'scalar':
      return resolve('', node.value, true).tag;
    case 'document':
      return '';
  }
}

/** A v3 scalar that is text whatever it looks like: tagged so, or quoted and without a tag. */
export function isText(node: YamlNode): boolean {
  if (node.kind !== 'scalar') return false;
  if (shortTag(node.tag) === STR_TAG) return true;
  return (node.tag === '' || node.tag === '!') && node.style > PLAIN;
}

/** True for a v3 node that is null. */
export function isNullNode(node: YamlNode): boolean {
  return valueTag(node) === NULL_TAG;
}
