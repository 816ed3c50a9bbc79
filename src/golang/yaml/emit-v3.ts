import { textByteLength, textToBytes } from '../text.ts';
import { analyze, BLOCK, BLOCK_PLAIN, FLOW_PLAIN, MULTILINE, SINGLE } from './analyze.ts';
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
const FLOW_ITEM: Place = ROOT;
const SIMPLE_KEY: Place = { inBlockSequence: false, inMapping: true, simpleKey: true };
const ENTRY: Place = { inBlockSequence: false, inMapping: true, simpleKey: false };

/** Comments that come with a node, as they are hung on its events. */
type Comments = { head: string; line: string; foot: string; tail: string };

/** What follows a node (a collection: its start): a key's comments wait for its value, a flow entry with comments needs its `,` first. */
type After = 'nothing' | 'comments' | 'comma';

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
    this.#node(node, ROOT, 'comments');
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

  /** Writes a node whose comments are hung up already, and behind it (a collection: behind its start) what `after` says. */
  #node(node: YamlNode, place: Place, after: After): void {
    const writer = this.#writer;
    if (node.kind === 'mapping' || node.kind === 'sequence') {
      this.#anchor('&', node.anchor);
      this.#tag(collectionTag(node));
      this.#after(after);
      this.#collection(node, place);
      return;
    }
    if (node.kind === 'alias') {
      this.#anchor('*', node.value);
    } else {
      const before = writer.indent;
      this.#scalar(node, place);
      writer.indent = before;
    }
    this.#after(after);
  }

  #after(after: After): void {
    if (after === 'nothing') return;
    if (after === 'comma' && this.#hasTrailing()) this.#writer.writeIndicator(',', false, false, false);
    this.#lineComment();
    this.#footComment();
  }

  #collection(node: YamlNode, place: Place): void {
    this.#depth += 1;
    if (this.#depth > DEFAULT_YAML_LIMITS.maxDepth) throw yamlLimitExceeded('depth', DEFAULT_YAML_LIMITS.maxDepth);
    const before = this.#writer.indent;
    const isFlow = this.#flowLevel > 0 || node.flow || node.content.length === 0;
    if (node.kind === 'sequence') {
      if (isFlow) this.#flowSequence(node, place);
      else this.#blockSequence(node, place);
    } else if (isFlow) {
      this.#flowMapping(node, place);
    } else {
      this.#blockMapping(node, place);
    }
    this.#writer.indent = before;
    this.#depth -= 1;
  }

  /** Indents one level: to the next multiple of the indentation, or past the `-` of a sequence. */
  #increaseIndent(place: Place, flow: boolean, flush: boolean): void {
    const writer = this.#writer;
    if (writer.indent < 0) {
      writer.indent = flow ? this.#indent : 0;
    } else if (place.inBlockSequence) {
      writer.indent += 2;
    } else {
      writer.indent = this.#indent * Math.floor((writer.indent + this.#indent) / this.#indent);
      if (flush) writer.indent -= 2;
    }
  }

  #blockSequence(node: YamlNode, place: Place): void {
    const writer = this.#writer;
    const flush = place.inMapping && (writer.column === 0 || !writer.indention) && this.#compact;
    let first = true;
    for (const item of node.content) {
      this.#nodeComments(item, '');
      if (first) this.#increaseIndent(place, false, flush);
      first = false;
      this.#headComment();
      writer.writeIndent();
      writer.writeIndicator('-', true, false, true);
      this.#node(item, BLOCK_ITEM, 'comments');
    }
    this.#comments({ head: '', line: node.lineComment, foot: node.footComment, tail: '' });
  }

  #blockMapping(node: YamlNode, place: Place): void {
    const writer = this.#writer;
    this.#increaseIndent(place, false, false);
    let tail = '';
    for (let i = 0; i + 1 < node.content.length; i += 2) {
      const value = node.content[i + 1]!;
      const { key, foot } = withoutFoot(node.content[i]!);
      this.#nodeComments(key, tail);
      tail = foot;
      this.#headComment();
      writer.writeIndent();
      if (this.#line !== '') {
        this.#keyLine = this.#line;
        this.#line = '';
      }
      if (isSimpleKey(key)) {
        this.#node(key, SIMPLE_KEY, 'nothing');
        this.#nodeComments(value, '');
        writer.writeIndicator(':', false, false, false);
      } else {
        writer.writeIndicator('?', true, false, true);
        this.#node(key, ENTRY, 'nothing');
        this.#nodeComments(value, '');
        writer.writeIndent();
        writer.writeIndicator(':', true, false, true);
      }
      this.#keyLineComment(value);
      this.#node(value, ENTRY, 'comments');
    }
    this.#comments({ head: '', line: node.lineComment, foot: node.footComment, tail });
    this.#headComment();
  }

  /** A comment in a key's line goes behind a scalar value, or behind the `:` before a block. */
  #keyLineComment(value: YamlNode): void {
    if (this.#keyLine === '') return;
    if (value.kind === 'scalar') {
      if (this.#line === '') {
        this.#line = this.#keyLine;
        this.#keyLine = '';
      }
    } else if (value.kind !== 'alias' && !value.flow) {
      const line = this.#line;
      this.#line = this.#keyLine;
      this.#lineComment();
      this.#keyLine = this.#line;
      this.#line = line;
    }
  }

  #flowSequence(node: YamlNode, place: Place): void {
    const writer = this.#writer;
    const outer = writer.indent;
    let first = true;
    let trail = false;
    const open = (): void => {
      if (!first) return;
      first = false;
      writer.writeIndicator('[', true, true, false);
      this.#increaseIndent(place, true, false);
      this.#flowLevel += 1;
    };
    for (const item of node.content) {
      this.#nodeComments(item, '');
      if (!first && !trail) writer.writeIndicator(',', false, false, false);
      open();
      this.#headComment();
      if (writer.column === 0) writer.writeIndent();
      trail = this.#hasTrailing();
      this.#node(item, FLOW_ITEM, 'comma');
    }
    this.#comments({ head: '', line: node.lineComment, foot: node.footComment, tail: '' });
    open();
    this.#flowLevel -= 1;
    writer.indent = outer;
    if (writer.column === 0) writer.writeIndent();
    writer.writeIndicator(']', false, false, false);
    this.#lineComment();
    this.#footComment();
  }

  #flowMapping(node: YamlNode, place: Place): void {
    const writer = this.#writer;
    const outer = writer.indent;
    let first = true;
    let trail = false;
    const open = (): boolean => {
      if (!first) return false;
      first = false;
      writer.writeIndicator('{', true, true, false);
      this.#increaseIndent(place, true, false);
      this.#flowLevel += 1;
      return true;
    };
    let tail = '';
    for (let i = 0; i + 1 < node.content.length; i += 2) {
      const value = node.content[i + 1]!;
      const { key, foot } = withoutFoot(node.content[i]!);
      this.#nodeComments(key, tail);
      tail = foot;
      if (!open() && !trail) writer.writeIndicator(',', false, false, false);
      this.#headComment();
      if (writer.column === 0) writer.writeIndent();
      const simple = isSimpleKey(key);
      if (!simple) writer.writeIndicator('?', true, false, false);
      this.#node(key, simple ? SIMPLE_KEY : ENTRY, 'nothing');
      this.#nodeComments(value, '');
      writer.writeIndicator(':', !simple, false, false);
      trail = this.#hasTrailing();
      this.#node(value, ENTRY, 'comma');
    }
    this.#comments({ head: '', line: node.lineComment, foot: node.footComment, tail });
    const isEmpty = open();
    if ((this.#head !== '' || this.#foot !== '' || this.#tail !== '') && !isEmpty && !trail) {
      writer.writeIndicator(',', false, false, false);
    }
    this.#headComment();
    this.#flowLevel -= 1;
    writer.indent = outer;
    writer.writeIndicator('}', false, false, false);
    this.#lineComment();
    this.#footComment();
  }

  #anchor(sign: string, name: string): void {
    if (name === '') return;
    this.#writer.writeIndicator(sign + name, true, false, false);
  }

  #tag(tag: string): void {
    if (tag === '') return;
    const writer = this.#writer;
    if (tag.startsWith('!')) writer.writeIndicator(`!${escapeUri(tag.slice(1))}`, true, false, false);
    else if (tag.startsWith(YAML_PREFIX)) writer.writeIndicator(`!!${escapeUri(tag.slice(YAML_PREFIX.length))}`, true, false, false);
    else writer.writeIndicator(`!<${escapeUri(tag)}>`, true, false, false);
  }

  #scalar(node: YamlNode, place: Place): void {
    const writer = this.#writer;
    const { tag, text, style } = scalarForm(node);
    const allowed = analyze(text, true);
    this.#anchor('&', node.anchor);
    this.#tag(tag);
    this.#increaseIndent(place, true, false);
    switch (this.#selectStyle(text, style, allowed, place.simpleKey)) {
      case PLAIN:
        return writer.writePlain(text, !place.simpleKey);
      case SINGLE_QUOTED:
        return writer.writeSingleQuoted(text, !place.simpleKey);
      case DOUBLE_QUOTED:
        return writer.writeDoubleQuoted(text, !place.simpleKey);
      case LITERAL:
        writer.writeBlockHeader('|', text, this.#indent);
        this.#blockComment();
        return writer.writeLiteral(text);
      default:
        writer.writeBlockHeader('>', text, this.#indent);
        this.#blockComment();
        return writer.writeFolded(text);
    }
  }

  /** The wanted style, or the next one that can hold the text where it stands. */
  #selectStyle(text: string, wanted: number, allowed: number, simpleKey: boolean): number {
    const inFlow = this.#flowLevel > 0;
    let style = simpleKey && (allowed & MULTILINE) !== 0 ? DOUBLE_QUOTED : wanted;
    if (style === PLAIN) {
      if ((allowed & (inFlow ? FLOW_PLAIN : BLOCK_PLAIN)) === 0) style = SINGLE_QUOTED;
      if (text === '' && (inFlow || simpleKey)) style = SINGLE_QUOTED;
    }
    if (style === SINGLE_QUOTED && (allowed & SINGLE) === 0) style = DOUBLE_QUOTED;
    if ((style === LITERAL || style === FOLDED) && ((allowed & BLOCK) === 0 || inFlow || simpleKey)) style = DOUBLE_QUOTED;
    return style;
  }

  /** The end of a block scalar's first line. */
  #blockComment(): void {
    if (this.#line === '') this.#writer.putBreak();
    else this.#lineComment();
  }

  #headComment(): void {
    const writer = this.#writer;
    if (this.#tail !== '') {
      writer.writeIndent();
      writer.writeComment(this.#tail);
      this.#tail = '';
      writer.footIndent = Math.max(writer.indent, 0);
    }
    if (this.#head === '') return;
    writer.writeIndent();
    writer.writeComment(this.#head);
    this.#head = '';
  }

  #lineComment(): void {
    if (this.#line === '') return;
    if (!this.#writer.whitespace) this.#writer.put(' ');
    this.#writer.writeComment(this.#line);
    this.#line = '';
  }

  #footComment(): void {
    const writer = this.#writer;
    if (this.#foot === '') return;
    writer.writeIndent();
    writer.writeComment(this.#foot);
    this.#foot = '';
    writer.footIndent = Math.max(writer.indent, 0);
  }
}

/** A key's foot comment is written after its value: the key without it, and the comment. */
function withoutFoot(key: YamlNode): { key: YamlNode; foot: string } {
  return key.footComment === '' ? { key, foot: '' } : { key: { ...key, footComment: '' }, foot: key.footComment };
}

/** True when a key may stand before its `:` without a `?`. */
function isSimpleKey(node: YamlNode): boolean {
  if (node.kind === 'alias') return textByteLength(node.value) <= MAX_SIMPLE_KEY;
  if (node.kind !== 'scalar') {
    return node.content.length === 0 && tagLength(collectionTag(node)) + node.anchor.length <= MAX_SIMPLE_KEY;
  }
  const { tag, text } = scalarForm(node);
  if ((analyze(text, true) & MULTILINE) !== 0) return false;
  return tagLength(tag) + node.anchor.length + textByteLength(text) <= MAX_SIMPLE_KEY;
}

/** Length of a tag as it is split into handle and suffix. */
function tagLength(tag: string): number {
  return tag.startsWith(YAML_PREFIX) ? textByteLength(tag) - YAML_PREFIX.length + 2 : textByteLength(tag);
}

const URI_SIGNS = ";/?:@&=+$,_.~*'()[]";

/** A tag's text with everything escaped that libyaml escapes. */
function escapeUri(text: string): string {
  let out = '';
  for (const byte of textToBytes(text)) {
    const character = String.fromCharCode(byte);
    const literal = isWord(byte) || URI_SIGNS.includes(character);
    out += literal ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}
