import { USED_COMMENT } from './comment.ts';
import { YamlError } from './error.ts';
import {
  EVENT_STREAM_START,
  EVENT_STREAM_END,
  EVENT_DOCUMENT_START,
  EVENT_DOCUMENT_END,
  EVENT_ALIAS,
  EVENT_SCALAR,
  EVENT_SEQUENCE_START,
  EVENT_SEQUENCE_END,
  EVENT_MAPPING_START,
  EVENT_MAPPING_END,
} from './event.ts';
import { Scanner } from './scanner.ts';
import type { YamlSource } from './source.ts';
import { TagHandles } from './tag-handles.ts';
import * as token from './token.ts';

/* States: what the parser expects next. */
const STREAM = 0;
const IMPLICIT_DOCUMENT = 1;
const DOCUMENT = 2;
const DOCUMENT_CONTENT = 3;
const DOCUMENT_FINISH = 4;
const BLOCK_NODE = 5;
const BLOCK_SEQUENCE_FIRST = 6;
const BLOCK_SEQUENCE_NEXT = 7;
const INDENTLESS_NEXT = 8;
const BLOCK_MAPPING_FIRST = 9;
const BLOCK_MAPPING_KEY = 10;
const BLOCK_MAPPING_VALUE = 11;
const FLOW_SEQUENCE_FIRST = 12;
const FLOW_SEQUENCE_NEXT = 13;
const FLOW_PAIR_KEY = 14;
const FLOW_PAIR_VALUE = 15;
const FLOW_PAIR_END = 16;
const FLOW_MAPPING_FIRST = 17;
const FLOW_MAPPING_KEY = 18;
const FLOW_MAPPING_VALUE = 19;
const FLOW_MAPPING_EMPTY = 20;
const END = 21;

/**
 * Tokens to events, libyaml's grammar. `next()` moves to an event and leaves it in the fields; they hold until the next call. The
 * comments are there in modern mode (yaml.v3) only.
 */
export class Parser {
  readonly #scanner: Scanner;
  readonly #modern: boolean;
  readonly #states: number[] = [];
  /** Lines where the open collections began, for errors. */
  readonly #marks: number[] = [];
  #state = STREAM;
  readonly #handles = new TagHandles();
  #usedComments = 0;
  #stemComment = '';
  /** An error that only looking for a comment has met: it counts unless going on meets another one. */
  #missed: YamlError | undefined;

  /** Kind of the event. */
  type = 0;
  /** Line where it starts, from 0. */
  line = 0;
  /** A scalar's text, or an alias's name. */
  value = '';
  anchor = '';
  tag = '';
  /** The tag may be left out: a plain scalar, a collection without one. */
  implicit = false;
  /** A scalar's style (token.ts). */
  style = 0;
  /** A collection in flow style. */
  flow = false;
  headComment = '';
  lineComment = '';
  footComment = '';
  /** Comments seen but not yet given to an event. */
  #head = '';
  #inline = '';
  #foot = '';

  constructor(source: YamlSource, modern: boolean) {
    this.#modern = modern;
    this.#scanner = new Scanner(source, modern);
  }

  /** Moves to the next event; after the end of the stream it stays there. */
  next(): number {
    this.headComment = '';
    this.lineComment = '';
    this.footComment = '';
    this.#advance();
    if (this.#missed !== undefined) throw this.#missed;
    return this.type;
  }

  #advance(): void {
    switch (this.#state) {
      case STREAM:
        this.#peek();
        this.#scanner.skip();
        this.#state = IMPLICIT_DOCUMENT;
        this.type = EVENT_STREAM_START;
        return;
      case IMPLICIT_DOCUMENT:
        return this.#documentStart(true);
      case DOCUMENT:
        return this.#documentStart(false);
      case DOCUMENT_CONTENT:
        return this.#documentContent();
      case DOCUMENT_FINISH:
        return this.#documentEnd();
      case BLOCK_NODE:
        return this.#node(true, false);
      case BLOCK_SEQUENCE_FIRST:
        return this.#blockSequence(true);
      case BLOCK_SEQUENCE_NEXT:
        return this.#blockSequence(false);
      case INDENTLESS_NEXT:
        return this.#indentless();
      case BLOCK_MAPPING_FIRST:
        return this.#blockMappingKey(true);
      case BLOCK_MAPPING_KEY:
        return this.#blockMappingKey(false);
      case BLOCK_MAPPING_VALUE:
        return this.#blockMappingValue();
      case FLOW_SEQUENCE_FIRST:
        return this.#flowSequence(true);
      case FLOW_SEQUENCE_NEXT:
        return this.#flowSequence(false);
      case FLOW_PAIR_KEY:
        return this.#flowPairKey();
      case FLOW_PAIR_VALUE:
        return this.#flowPairValue();
      case FLOW_PAIR_END:
        this.#state = FLOW_SEQUENCE_NEXT;
        return this.#event(EVENT_MAPPING_END, this.#peek().line);
      case FLOW_MAPPING_FIRST:
        return this.#flowMappingKey(true);
      case FLOW_MAPPING_KEY:
        return this.#flowMappingKey(false);
      case FLOW_MAPPING_VALUE:
        return this.#flowMappingValue(false);
      case FLOW_MAPPING_EMPTY:
        return this.#flowMappingValue(true);
      default:
        this.type = EVENT_STREAM_END;
    }
  }

  #event(type: number, line: number): void {
    this.type = type;
    this.line = line;
    this.value = '';
    this.anchor = '';
    this.tag = '';
    this.implicit = true;
    this.flow = false;
  }

  #emptyScalar(line: number): void {
    this.#event(EVENT_SCALAR, line);
    this.style = token.PLAIN;
  }

  /** A parser error. v2 names the line before the one where it noticed, v3 the line where the collection began. */
  #fail(problem: string, problemLine: number, contextLine = 0): never {
    const line = this.#modern ? contextLine || problemLine : problemLine || contextLine;
    throw new YamlError(line === 0 ? `yaml: ${problem}` : `yaml: line ${line}: ${problem}`, line === 0 ? undefined : line);
  }

  #peek(): token.Token {
    const next = this.#scanner.peek();
    if (this.#modern && this.#usedComments < this.#scanner.comments.length) this.#unfoldComments(next);
    return next;
  }

  /** Gathers the comments that stand before a token. */
  #unfoldComments(next: token.Token): void {
    const comments = this.#scanner.comments;
    for (; this.#usedComments < comments.length; this.#usedComments++) {
      const comment = comments[this.#usedComments]!;
      if (next.index < comment.tokenIndex) return;
      // No heads on ends: it is for the token that follows.
      if (comment.head !== '' && next.type === token.BLOCK_END) return;
      this.#head = joined(this.#head, comment.head);
      this.#foot = joined(this.#foot, comment.foot);
      this.#inline = joined(this.#inline, comment.line);
      comments[this.#usedComments] = USED_COMMENT;
    }
  }

  #takeComments(): void {
    if (!this.#modern) return;
    this.headComment = this.#head;
    this.lineComment = this.#inline;
    this.footComment = this.#foot;
    this.#head = '';
    this.#inline = '';
    this.#foot = '';
    this.#stemComment = '';
  }

  #documentStart(implicit: boolean): void {
    let next = this.#peek();
    if (!implicit) {
      while (next.type === token.DOCUMENT_END) {
        this.#scanner.skip();
        next = this.#peek();
      }
    }
    if (next.type === token.STREAM_END) {
      this.#state = END;
      this.#event(EVENT_STREAM_END, next.line);
      this.#scanner.skip();
      return;
    }
    const directive = next.type === token.VERSION_DIRECTIVE || next.type === token.TAG_DIRECTIVE;
    if (implicit && !directive && next.type !== token.DOCUMENT_START) {
      this.#directives();
      this.#states.push(DOCUMENT_FINISH);
      this.#state = BLOCK_NODE;
      this.#event(EVENT_DOCUMENT_START, next.line);
      this.headComment = this.#splitHead();
      return;
    }
    const line = next.line;
    this.#directives();
    next = this.#peek();
    if (next.type !== token.DOCUMENT_START) this.#fail('did not find expected <document start>', next.line);
    this.#states.push(DOCUMENT_FINISH);
    this.#state = DOCUMENT_CONTENT;
    this.#event(EVENT_DOCUMENT_START, line);
    this.#scanner.skip();
  }

  /** The part of the head comment before its last empty line belongs to the document. */
  #splitHead(): string {
    const head = this.#head;
    for (let i = head.length - 1; i > 0; i--) {
      if (head[i] !== '\n') continue;
      const last = i === head.length - 1;
      if (!last && head[i - 1] !== '\n') continue;
      this.#head = head.slice(i + 1);
      return head.slice(0, last ? i : i - 1);
    }
    return '';
  }

  #directives(): void {
    let version = false;
    for (let next = this.#peek(); ; next = this.#peek()) {
      if (next.type === token.VERSION_DIRECTIVE) {
        if (version) this.#fail('found duplicate %YAML directive', next.line);
        if (next.value !== '1.1') this.#fail('found incompatible YAML document', next.line);
        version = true;
      } else if (next.type === token.TAG_DIRECTIVE) {
        if (!this.#handles.add(next.value, next.suffix)) this.#fail('found duplicate %TAG directive', next.line);
      } else {
        break;
      }
      this.#scanner.skip();
    }
    this.#handles.addDefaults();
  }

  #documentContent(): void {
    const next = this.#peek();
    switch (next.type) {
      case token.VERSION_DIRECTIVE:
      case token.TAG_DIRECTIVE:
      case token.DOCUMENT_START:
      case token.DOCUMENT_END:
      case token.STREAM_END:
        this.#state = this.#states.pop()!;
        return this.#emptyScalar(next.line);
    }
    this.#node(true, false);
  }

  #documentEnd(): void {
    const next = this.#peek();
    const line = next.line;
    if (next.type === token.DOCUMENT_END) this.#scanner.skip();
    this.#handles.clear();
    this.#state = DOCUMENT;
    this.#event(EVENT_DOCUMENT_END, line);
    this.#takeComments();
    if (this.headComment !== '' && this.footComment === '') {
      this.footComment = this.headComment;
      this.headComment = '';
    }
  }

  #node(block: boolean, indentless: boolean): void {
    const scanner = this.#scanner;
    let next = this.#peek();
    if (next.type === token.SCALAR) return this.#scalar(next, next.line, '', '');
    if (next.type === token.ALIAS) {
      this.#state = this.#states.pop()!;
      this.#event(EVENT_ALIAS, next.line);
      this.value = next.value;
      this.#takeComments();
      scanner.skip();
      return;
    }
    const line = next.line;
    let anchor = '';
    let tagged: token.Token | undefined;
    if (next.type === token.ANCHOR) {
      anchor = next.value;
      scanner.skip();
      next = this.#peek();
      if (next.type === token.TAG) {
        tagged = next;
        scanner.skip();
        next = this.#peek();
      }
    } else if (next.type === token.TAG) {
      tagged = next;
      scanner.skip();
      next = this.#peek();
      if (next.type === token.ANCHOR) {
        anchor = next.value;
        scanner.skip();
        next = this.#peek();
      }
    }
    const tag = tagged === undefined ? '' : this.#handles.resolve(tagged.value, tagged.suffix);
    if (tag === '' && tagged !== undefined) this.#fail('found undefined tag handle', tagged.line, line);
    switch (next.type) {
      case token.BLOCK_ENTRY:
        if (!indentless) break;
        return this.#collection(EVENT_SEQUENCE_START, INDENTLESS_NEXT, line, anchor, tag, false, false);
      case token.SCALAR:
        return this.#scalar(next, line, anchor, tag);
      case token.FLOW_SEQUENCE_START:
        return this.#collection(EVENT_SEQUENCE_START, FLOW_SEQUENCE_FIRST, line, anchor, tag, true, true);
      case token.FLOW_MAPPING_START:
        return this.#collection(EVENT_MAPPING_START, FLOW_MAPPING_FIRST, line, anchor, tag, true, true);
      case token.BLOCK_SEQUENCE_START:
        if (!block) break;
        return this.#collection(EVENT_SEQUENCE_START, BLOCK_SEQUENCE_FIRST, line, anchor, tag, false, true);
      case token.BLOCK_MAPPING_START:
        if (!block) break;
        return this.#collection(EVENT_MAPPING_START, BLOCK_MAPPING_FIRST, line, anchor, tag, false, true);
    }
    if (anchor === '' && tag === '') this.#fail('did not find expected node content', next.line, line);
    this.#state = this.#states.pop()!;
    this.#emptyScalar(line);
    this.anchor = anchor;
    this.tag = tag;
    this.implicit = tag === '';
  }

  #scalar(next: token.Token, line: number, anchor: string, tag: string): void {
    this.#state = this.#states.pop()!;
    this.type = EVENT_SCALAR;
    this.line = line;
    this.value = next.value;
    this.anchor = anchor;
    this.tag = tag;
    this.implicit = tag === '' ? next.style === token.PLAIN : tag === '!';
    this.style = next.style;
    if (this.#modern) this.#takeComments();
    this.#scanner.skip();
  }

  #collection(type: number, state: number, line: number, anchor: string, tag: string, flow: boolean, comments: boolean): void {
    this.#state = state;
    this.#event(type, line);
    this.anchor = anchor;
    this.tag = tag;
    this.implicit = tag === '';
    this.flow = flow;
    if (!comments || !this.#modern) return;
    const stem = this.#stemComment;
    if (flow) {
      this.#takeComments();
    } else if (stem !== '') {
      this.headComment = stem;
      this.#stemComment = '';
    }
  }

  /** A head comment before a `-` belongs to the collection below it, not to that collection's first entry. */
  #splitStem(length: number): void {
    if (length === 0) return;
    const type = this.#peekPastErrors();
    if (type !== token.BLOCK_SEQUENCE_START && type !== token.BLOCK_MAPPING_START) return;
    this.#stemComment = this.#head.slice(0, length);
    this.#head = this.#head.slice(length + 1);
  }

  /** Kind of the next token, or 0 where it cannot be scanned: yaml.v3 goes on behind the error then, and may run into another. */
  #peekPastErrors(): number {
    try {
      return this.#peek().type;
    } catch (error) {
      if (!(error instanceof YamlError)) throw error;
      this.#missed = error;
      return 0;
    }
  }

  #open(): void {
    this.#marks.push(this.#peek().line);
    this.#scanner.skip();
  }

  /** Ends the innermost collection. */
  #close(type: number, line: number): void {
    this.#state = this.#states.pop()!;
    this.#marks.pop();
    this.#event(type, line);
  }

  #child(state: number, block: boolean, indentless: boolean): void {
    this.#states.push(state);
    this.#node(block, indentless);
  }

  #blockSequence(first: boolean): void {
    if (first) this.#open();
    let next = this.#peek();
    if (next.type === token.BLOCK_ENTRY) {
      const line = next.line;
      const headLength = this.#head.length;
      this.#scanner.skip();
      if (this.#modern) this.#splitStem(headLength);
      next = this.#peek();
      if (next.type !== token.BLOCK_ENTRY && next.type !== token.BLOCK_END) return this.#child(BLOCK_SEQUENCE_NEXT, true, false);
      this.#state = BLOCK_SEQUENCE_NEXT;
      return this.#emptyScalar(line);
    }
    if (next.type !== token.BLOCK_END) this.#fail("did not find expected '-' indicator", next.line, this.#marks.pop());
    this.#close(EVENT_SEQUENCE_END, next.line);
    this.#scanner.skip();
  }

  #indentless(): void {
    let next = this.#peek();
    if (next.type !== token.BLOCK_ENTRY) {
      this.#state = this.#states.pop()!;
      return this.#event(EVENT_SEQUENCE_END, next.line);
    }
    const line = next.line;
    const headLength = this.#head.length;
    this.#scanner.skip();
    if (this.#modern) this.#splitStem(headLength);
    next = this.#peek();
    if (next.type !== token.BLOCK_ENTRY && !endsBlockValue(next.type)) return this.#child(INDENTLESS_NEXT, true, false);
    this.#state = INDENTLESS_NEXT;
    this.#emptyScalar(line);
  }

  #blockMappingKey(first: boolean): void {
    if (first) this.#open();
    let next = this.#peek();
    if (next.type === token.KEY) {
      const line = next.line;
      this.#scanner.skip();
      next = this.#peek();
      if (!endsBlockValue(next.type)) return this.#child(BLOCK_MAPPING_VALUE, true, true);
      this.#state = BLOCK_MAPPING_VALUE;
      return this.#emptyScalar(line);
    }
    if (next.type !== token.BLOCK_END) this.#fail('did not find expected key', next.line, this.#marks.pop());
    this.#close(EVENT_MAPPING_END, next.line);
    this.#takeComments();
    this.#scanner.skip();
  }

  #blockMappingValue(): void {
    let next = this.#peek();
    let line = next.line;
    if (next.type === token.VALUE) {
      this.#scanner.skip();
      next = this.#peek();
      if (!endsBlockValue(next.type)) return this.#child(BLOCK_MAPPING_KEY, true, true);
    } else {
      line = next.line;
    }
    this.#state = BLOCK_MAPPING_KEY;
    this.#emptyScalar(line);
  }

  /** Before another entry of a flow collection there must be a `,`. */
  #flowSeparator(first: boolean, next: token.Token, problem: string): token.Token {
    if (first) return next;
    if (next.type !== token.FLOW_ENTRY) this.#fail(problem, next.line, this.#marks.pop());
    this.#scanner.skip();
    return this.#peek();
  }

  #flowSequence(first: boolean): void {
    if (first) this.#open();
    let next = this.#peek();
    if (next.type !== token.FLOW_SEQUENCE_END) {
      next = this.#flowSeparator(first, next, "did not find expected ',' or ']'");
      if (next.type === token.KEY) {
        this.#state = FLOW_PAIR_KEY;
        this.#event(EVENT_MAPPING_START, next.line);
        this.flow = true;
        this.#scanner.skip();
        return;
      }
      if (next.type !== token.FLOW_SEQUENCE_END) return this.#child(FLOW_SEQUENCE_NEXT, false, false);
    }
    this.#close(EVENT_SEQUENCE_END, next.line);
    this.#takeComments();
    this.#scanner.skip();
  }

  #flowPairKey(): void {
    const next = this.#peek();
    if (next.type !== token.VALUE && next.type !== token.FLOW_ENTRY && next.type !== token.FLOW_SEQUENCE_END) {
      return this.#child(FLOW_PAIR_VALUE, false, false);
    }
    // libyaml takes the token here whatever it is: `[? : a]` loses its `:`.
    const line = next.line;
    this.#scanner.skip();
    this.#state = FLOW_PAIR_VALUE;
    this.#emptyScalar(line);
  }

  #flowPairValue(): void {
    const next = this.#peek();
    if (next.type === token.VALUE) {
      this.#scanner.skip();
      const after = this.#peek();
      if (after.type !== token.FLOW_ENTRY && after.type !== token.FLOW_SEQUENCE_END) return this.#child(FLOW_PAIR_END, false, false);
    }
    this.#state = FLOW_PAIR_END;
    this.#emptyScalar(next.line);
  }

  #flowMappingKey(first: boolean): void {
    if (first) this.#open();
    let next = this.#peek();
    if (next.type !== token.FLOW_MAPPING_END) {
      next = this.#flowSeparator(first, next, "did not find expected ',' or '}'");
      if (next.type === token.KEY) {
        this.#scanner.skip();
        next = this.#peek();
        if (next.type !== token.VALUE && next.type !== token.FLOW_ENTRY && next.type !== token.FLOW_MAPPING_END) {
          return this.#child(FLOW_MAPPING_VALUE, false, false);
        }
        this.#state = FLOW_MAPPING_VALUE;
        return this.#emptyScalar(next.line);
      }
      if (next.type !== token.FLOW_MAPPING_END) return this.#child(FLOW_MAPPING_EMPTY, false, false);
    }
    this.#close(EVENT_MAPPING_END, next.line);
    this.#takeComments();
    this.#scanner.skip();
  }

  #flowMappingValue(empty: boolean): void {
    let next = this.#peek();
    if (!empty && next.type === token.VALUE) {
      this.#scanner.skip();
      next = this.#peek();
      if (next.type !== token.FLOW_ENTRY && next.type !== token.FLOW_MAPPING_END) return this.#child(FLOW_MAPPING_KEY, false, false);
    }
    this.#state = FLOW_MAPPING_KEY;
    this.#emptyScalar(next.line);
  }
}

/** Tokens after which a block key or value is empty. */
function endsBlockValue(type: number): boolean {
  return type === token.KEY || type === token.VALUE || type === token.BLOCK_END;
}

function joined(before: string, comment: string): string {
  return before === '' || comment === '' ? before + comment : `${before}\n${comment}`;
}
