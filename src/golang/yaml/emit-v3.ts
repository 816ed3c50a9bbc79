import { textByteLength, textToBytes } from '../text.ts';
import { analyze, BLOCK, BLOCK_PLAIN, FLOW_PLAIN, isBreakCode, MULTILINE, SINGLE } from './analyze.ts';
import { isWord } from './characters.ts';
import { YamlError, yamlLimitExceeded } from './error.ts';
import { DEFAULT_YAML_LIMITS } from './limits.ts';
import type { YamlNode } from './node.ts';
import { BINARY_TAG, longTag, MAP_TAG, resolve, SEQ_TAG, shortTag, STR_TAG } from './resolve.ts';
import { DOUBLE_QUOTED, FOLDED, LITERAL, PLAIN, SINGLE_QUOTED } from './token.ts';
import { Writer } from './writer.ts';

const MAX_SIMPLE_KEY = 128;
const BASE64_LINE = 70;
const YAML_PREFIX = 'tag:yaml.org,2002:';

/** How yaml.v3 lays a document out. */
export type Layout = {
  /** Spaces of a level, 2 to 9. */
  indent: number;
  /** Sequences flush with their key. */
  compactSequences: boolean;
};

/** Where a node stands. */
type Place = {
  /** It is an entry of a block sequence. */
  inBlockSequence: boolean;
  /** It is a mapping's key or value. */
  inMapping: boolean;
  /** It is a key before its `:`, on one line. */
  simpleKey: boolean;
};

const ROOT: Place = { inBlockSequence: false, inMapping: false, simpleKey: false };
const BLOCK_ITEM: Place = { inBlockSequence: true, inMapping: false, simpleKey: false };
const FLOW_ITEM: Place = { inBlockSequence: false, inMapping: false, simpleKey: false };
const SIMPLE_KEY: Place = { inBlockSequence: false, inMapping: true, simpleKey: true };
const ENTRY: Place = { inBlockSequence: false, inMapping: true, simpleKey: false };

/** Comments that come with a node, as they are hung on its events. */
type Comments = { head: string; line: string; foot: string; tail: string };

/** Writes a node as yaml.v3 does, with its comments and styles. A document node may stand at the root. */
export function emitV3(node: YamlNode, layout: Layout): string {
  const emitter = new EmitterV3(layout);
  emitter.document(node);
  return emitter.text;
}

/** A scalar as it goes to the emitter: its tag (`` for none), text and style. */
type ScalarForm = { tag: string; text: string; style: number };

/** Which tag must be written, and which style keeps the text: yaml.v3's encoder for nodes. */
function scalarForm(node: YamlNode): ScalarForm {
  const stag = shortTag(node.tag);
  let { tag, value: text } = node;
  let force = false;
  if (tag !== '' && !node.tagged) {
    if (stag === STR_TAG && node.style > PLAIN) {
      tag = '';
    } else if (resolve('', text, true).tag === stag) {
      tag = '';
    } else if (stag === STR_TAG) {
      tag = '';
      force = true;
    }
  }
  if (!text.isWellFormed()) {
    if (stag === BINARY_TAG) throw new YamlError('yaml: explicitly tagged !!binary data must be base64-encoded');
    if (stag !== '') throw new YamlError(`yaml: cannot marshal invalid UTF-8 data as ${stag}`);
    tag = BINARY_TAG;
    text = base64Lines(textToBytes(text));
  }
  let style = node.style > PLAIN ? node.style : PLAIN;
  if (style === PLAIN) style = text.includes('\n') ? LITERAL : force ? DOUBLE_QUOTED : PLAIN;
  return { tag: tag === '' ? '' : longTag(tag), text, style };
}

function base64Lines(bytes: Uint8Array): string {
  const packed = Buffer.from(bytes).toString('base64');
  if (packed.length < BASE64_LINE) return packed;
  return packed.replace(/.{1,70}/g, '$&\n');
}

/** The tag a collection must show, `` for none. */
function collectionTag(node: YamlNode): string {
  const own = node.kind === 'mapping' ? MAP_TAG : SEQ_TAG;
  return node.tag === '' || (!node.tagged && shortTag(node.tag) === own) ? '' : longTag(node.tag);
}

class EmitterV3 {
  readonly #writer = new Writer();
  readonly #indent: number;
  readonly #compact: boolean;
  #flowLevel = 0;
  #depth = 0;
  /* Comments waiting to be written. */
  #head = '';
  #line = '';
  #foot = '';
  #tail = '';
  #keyLine = '';

  constructor(layout: Layout) {
    this.#indent = layout.indent < 2 || layout.indent > 9 ? 2 : layout.indent;
    this.#compact = layout.compactSequences;
  }

  get text(): string {
    return this.#writer.text;
  }

  document(node: YamlNode): void {
    if (node.kind !== 'document') {
      this.#root(node);
      this.#endDocument('');
      return;
    }
    this.#comments({ head: node.headComment, line: '', foot: '', tail: '' });
    if (this.#head !== '') {
      this.#headComment();
      this.#writer.putBreak();
    }
    for (const child of node.content) this.#root(child);
    this.#endDocument(node.footComment);
  }

  #root(node: YamlNode): void {
    this.#nodeComments(node, '');
    this.#headComment();
    this.#node(node, ROOT, '');
  }

  #endDocument(foot: string): void {
    if (foot !== '') this.#foot = foot;
    this.#writer.footIndent = 0;
    this.#footComment();
    this.#writer.footIndent = -1;
    this.#writer.writeIndent();
  }

  /** Hangs up an event's comments; those not given stay. */
  #comments({ head, line, foot, tail }: Comments): void {
    if (head !== '') this.#head = head;
    if (line !== '') this.#line = line;
    if (foot !== '') this.#foot = foot;
    if (tail !== '') this.#tail = tail;
  }

  /** Comments of the event that begins a node: a collection's line and foot come with its end. */
  #nodeComments(node: YamlNode, tail: string): void {
    const begins = node.kind === 'mapping' || node.kind === 'sequence';
    this.#comments({
      head: node.headComment,
      line: begins ? '' : node.lineComment,
      foot: begins ? '' : node.footComment,
      tail: node.kind === 'mapping' || node.kind === 'scalar' ? tail : '',
    });
  }

  #hasTrailing(): boolean {
    return this.#line !== '' || this.#foot !== '' || this.#tail !== '';
  }

  /** Writes a node whose comments are hung up already. `after` goes behind a flow collection's entry that has comments. */
  #node(node: YamlNode, place: Place, after: '' | ','): void {
    const writer = this.#writer;
    if (node.kind === 'mapping' || node.kind === 'sequence') {
      this.#anchor('&', node.anchor);
      this.#tag(collectionTag(node));
      this.#trailing(place, after);
      this.#collection(node, place);
      return;
    }
    if (node.kind === 'alias') {
      this.#anchor('*', node.value);
    } else {
      const before = writer.indent;
      this.#anchor('&', node.anchor);
      this.#scalar(scalarForm(node), place);
      writer.indent = before;
    }
    this.#trailing(place, after);
  }

  /** Comments behind a node, or behind the start of a collection. A key's wait for its value. */
  #trailing(place: Place, after: '' | ','): void {
    if (place.simpleKey || after === ',') {
      if (after === ',' && this.#hasTrailing()) this.#writer.writeIndicator(',', false, false, false);
      if (place.simpleKey) return;
    }
    this.#lineComment();
    this.#footComment();
  }

  #collection(node: YamlNode, place: Place): void {
    this.#depth += 1;
    if (this.#depth > DEFAULT_YAML_LIMITS.maxDepth) throw yamlLimitExceeded('depth', DEFAULT_YAML_LIMITS.maxDepth);
    const before = this.#writer.indent;
    const isFlow = this.#flowLevel > 0 || node.flow || node.content.length === 0;
    if (node.kind === 'sequence') isFlow ? this.#flowSequence(node, place) : this.#blockSequence(node, place);
    else if (isFlow) this.#flowMapping(node, place);
    else this.#blockMapping(node, place);
    this.#writer.indent = before;
    this.#depth -= 1;
  }
}
