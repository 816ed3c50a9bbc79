import { isBlankOrEnd, isBreak, isBreakOrEnd, isHighSurrogate } from './characters.ts';
import { scanComments, scanLineComment, type Comment } from './comment.ts';
import { YamlError } from './error.ts';
import { KeyTokens } from './key-tokens.ts';
import { scanAnchor, scanDirective, scanTag } from './scan-property.ts';
import { scanBlockScalar, scanPlain, scanQuoted } from './scan-scalar.ts';
import type { YamlSource } from './source.ts';
import {
  ALIAS,
  ANCHOR,
  BLOCK_END,
  BLOCK_ENTRY,
  BLOCK_MAPPING_START,
  BLOCK_SEQUENCE_START,
  DOCUMENT_END,
  DOCUMENT_START,
  FLOW_ENTRY,
  FLOW_MAPPING_END,
  FLOW_MAPPING_START,
  FLOW_SEQUENCE_END,
  FLOW_SEQUENCE_START,
  KEY,
  STREAM_END,
  STREAM_START,
  Token,
  TokenQueue,
  VALUE,
} from './token.ts';

const MAX_FLOW_LEVEL = 10_000;
const MAX_INDENTS = 10_000;
const MAX_SIMPLE_KEY = 1024;

/** A place where a key without `?` may have begun; one for each flow level. */
type SimpleKey = { possible: boolean; required: boolean; token: number; line: number; index: number; column: number };

/**
 * Characters to tokens, as libyaml does it in go-yaml: block structure becomes BLOCK-…-START and BLOCK-END tokens, and a KEY token is
 * inserted afterwards where a `:` shows that a simple key had begun. `modern` is yaml.v3: it looks two tokens further ahead and keeps
 * comments.
 */
export class Scanner {
  readonly text: string;
  readonly modern: boolean;
  readonly tokens: TokenQueue = new TokenQueue();
  readonly comments: Comment[] = [];
  pos = 0;
  line = 0;
  indent = -1;
  flowLevel = 0;
  simpleKeyAllowed = true;
  readonly #source: YamlSource;
  readonly #indents: number[] = [];
  readonly #keys: SimpleKey[] = [];
  readonly #keyTokens: KeyTokens = new KeyTokens();
  /** Position of the line's start, moved by the surrogate pairs since, so that columns count characters. */
  #lineStart = 0;
  /** Surrogate pairs so far. */
  #pairs = 0;
  #started = false;
  #available = false;

  constructor(source: YamlSource, modern: boolean) {
    this.#source = source;
    this.text = source.text;
    this.modern = modern;
  }

  get column(): number {
    return this.pos - this.#lineStart;
  }

  /** Characters before the current one. */
  get index(): number {
    return this.pos - this.#pairs;
  }

  /** Position where the line begins. */
  get lineStart(): number {
    return this.#lineStart;
  }

  /** Places the scanner for reading one scalar of a block that is indented by `indent`, without any token before it. */
  seek(pos: number, lineStart: number, indent: number): void {
    this.pos = pos;
    this.#lineStart = lineStart;
    this.indent = indent;
  }

  /** The next token, which stays in the queue. */
  peek(): Token {
    if (!this.#available) this.#fetchMore();
    return this.tokens.first;
  }

  /** Takes the next token out of the queue. */
  skip(): void {
    this.#available = false;
    this.tokens.skip();
  }

  /** Moves over characters of one line up to `to`. */
  moveTo(to: number): void {
    if (this.#source.hasPairs) {
      for (let i = this.pos; i < to; i++) {
        if (!isHighSurrogate(this.text.charCodeAt(i))) continue;
        this.#pairs += 1;
        this.#lineStart += 1;
      }
    }
    this.pos = to;
  }

  /** Moves over one line break; the text it stands for (CR, CRLF and NEL are `\n`), or `` when there is none. */
  takeBreak(): string {
    const c = this.text.charCodeAt(this.pos);
    if (!isBreak(c)) return '';
    this.pos += c === 13 && this.text.charCodeAt(this.pos + 1) === 10 ? 2 : 1;
    this.line += 1;
    this.#lineStart = this.pos;
    return c > 0x2000 ? String.fromCharCode(c) : '\n';
  }

  /**
   * A scanner error: go-yaml names the line where it noticed (v2) or where the thing began (v3), if that is not the
   * first. `ahead`: how many characters it needed.
   */
  fail(contextLine: number, problem: string, ahead = 2): never {
    this.#checkReader(ahead);
    const [first, second] = this.modern ? [contextLine, this.line] : [this.line, contextLine];
    let line = first !== 0 ? first + 1 : second;
    if (this.modern && first === 0 && second !== 0) line += 1;
    throw new YamlError(line === 0 ? `yaml: ${problem}` : `yaml: line ${line}: ${problem}`, line === 0 ? undefined : line);
  }

  /** Throws the reader's error once the scanner needs a character of the part that could not be read. */
  #checkReader(ahead: number): void {
    const { readable, problem } = this.#source;
    if (problem !== undefined && this.pos + ahead > readable) throw new YamlError(`yaml: ${problem}`);
  }

  push(type: number): void {
    this.tokens.push(new Token(type, this.line, this.index, '', '', 0));
  }

  #fetchMore(): void {
    const { tokens } = this;
    for (;;) {
      if (this.modern ? tokens.waiting > 2 : tokens.waiting > 0) {
        const key = this.#keys[this.#keyTokens.levelOf(tokens.taken)];
        if (key === undefined || !this.#isValid(key)) break;
      }
      this.#fetchNext();
    }
    this.#available = true;
  }

  #isValid(key: SimpleKey): boolean {
    if (!key.possible) return false;
    if (key.line >= this.line && key.index + MAX_SIMPLE_KEY >= this.index) return true;
    if (key.required) this.fail(key.line, "could not find expected ':'");
    key.possible = false;
    return false;
  }

  #fetchNext(): void {
    if (!this.#started) {
      this.#checkReader(1);
      this.#started = true;
      this.#keys.push({ possible: false, required: false, token: 0, line: 0, index: 0, column: 0 });
      this.push(STREAM_START);
      return;
    }
    const scanIndex = this.index;
    const scanLine = this.line;
    this.#skipToToken(scanIndex, scanLine);
    this.#checkReader(4);
    this.#unrollIndent(this.column, scanIndex, scanLine);
    const c = this.text.charCodeAt(this.pos);
    if (c === 0 || (this.pos === this.#lineStart && this.#isDocumentMark(c))) {
      this.#documentMark(c);
      this.#checkReader(1);
      return;
    }
    if (!this.modern) {
      this.#dispatch(c);
      this.#checkReader(1);
      return;
    }
    // A comment behind a `:` or `,` belongs to the token before it.
    const commentIndex = (this.flowLevel === 0 ? c === 58 : c === 44) ? this.tokens.last.index : this.index;
    this.#dispatch(c);
    this.#checkReader(1);
    if (this.tokens.last.type !== BLOCK_ENTRY) scanLineComment(this, commentIndex);
  }

  /** At the start of a line: a directive or a document indicator. */
  #isDocumentMark(c: number): boolean {
    return c === 37 || ((c === 45 || c === 46) && this.atDocumentIndicator());
  }

  #documentMark(c: number): void {
    if (c === 0) this.#streamEnd();
    else if (c === 37) this.#directive();
    else this.#documentIndicator(c === 45 ? DOCUMENT_START : DOCUMENT_END);
  }

  #dispatch(c: number): void {
    const { text, pos } = this;
    switch (c) {
      case 91:
        return this.#flowStart(FLOW_SEQUENCE_START);
      case 123:
        return this.#flowStart(FLOW_MAPPING_START);
      case 93:
        return this.#flowEnd(FLOW_SEQUENCE_END);
      case 125:
        return this.#flowEnd(FLOW_MAPPING_END);
      case 44:
        return this.#flowEntry();
      case 45:
        if (isBlankOrEnd(text.charCodeAt(pos + 1))) return this.#blockEntry();
        break;
      case 63:
        if (this.flowLevel > 0 || isBlankOrEnd(text.charCodeAt(pos + 1))) return this.#key();
        break;
      case 58:
        if (this.flowLevel > 0 || isBlankOrEnd(text.charCodeAt(pos + 1))) return this.#value();
        break;
      case 42:
      case 38:
        this.#beginSimple();
        return this.#add(scanAnchor(this, c === 42 ? ALIAS : ANCHOR));
      case 33:
        this.#beginSimple();
        return this.#add(scanTag(this));
      case 124:
      case 62:
        if (this.flowLevel > 0) return this.#unexpected();
        this.#removeKey();
        this.simpleKeyAllowed = true;
        return this.#add(scanBlockScalar(this, c === 124));
      case 39:
      case 34:
        this.#beginSimple();
        return this.#add(scanQuoted(this, c === 39));
      // `#`, `%`, `@`, backquote and a tab begin nothing.
      case 35:
      case 37:
      case 64:
      case 96:
      case 9:
        return this.#unexpected();
    }
    this.#beginSimple();
    this.#add(scanPlain(this));
  }

  #unexpected(): never {
    this.fail(this.line, 'found character that cannot start any token');
  }

  #add(token: Token): void {
    this.tokens.push(token);
  }

  /** `---` or `...` alone at the start of a line. */
  atDocumentIndicator(): boolean {
    const { text, pos } = this;
    const c = text.charCodeAt(pos);
    if (c !== 45 && c !== 46) return false;
    return text.charCodeAt(pos + 1) === c && text.charCodeAt(pos + 2) === c && isBlankOrEnd(text.charCodeAt(pos + 3));
  }

  #skipToToken(scanIndex: number, scanLine: number): void {
    const { text } = this;
    for (;;) {
      // go-yaml looks for a byte order mark at the start of its buffer, not of the line.
      if (this.pos === 0 && text.charCodeAt(0) === 0xfeff) this.pos = 1;
      let at = this.pos;
      const tabs = this.flowLevel > 0 || !this.simpleKeyAllowed;
      let c = text.charCodeAt(at);
      while (c === 32 || (c === 9 && tabs)) c = text.charCodeAt(++at);
      this.pos = at;
      if (this.modern) this.#repositionComment(c);
      if (c === 35) {
        if (this.modern) {
          scanComments(this, scanIndex, scanLine);
        } else {
          while (!isBreakOrEnd(text.charCodeAt(at))) at++;
          this.moveTo(at);
        }
        c = text.charCodeAt(this.pos);
      }
      if (!isBreak(c)) return;
      this.takeBreak();
      if (this.flowLevel === 0) this.simpleKeyAllowed = true;
    }
  }

  /** A line comment right after a sequence's first `-` becomes the head comment of what follows it. */
  #repositionComment(c: number): void {
    const comment = this.comments[this.comments.length - 1];
    if (comment === undefined || comment.line === '' || isBreak(c)) return;
    const { last, beforeLast } = this.tokens;
    if (beforeLast?.type !== BLOCK_SEQUENCE_START || last.type !== BLOCK_ENTRY) return;
    comment.head = comment.line;
    comment.line = '';
    if (comment.startLine === this.line - 1) comment.tokenIndex = this.index;
  }

  #saveKey(): void {
    if (!this.simpleKeyAllowed) return;
    const required = this.flowLevel === 0 && this.indent === this.column;
    const token = this.tokens.taken + this.tokens.waiting;
    this.#removeKey();
    const key = this.#keys[this.#keys.length - 1]!;
    key.possible = true;
    key.required = required;
    key.token = token;
    key.line = this.line;
    key.index = this.index;
    key.column = this.column;
    this.#keyTokens.set(token, this.#keys.length - 1);
  }

  #removeKey(): void {
    const key = this.#keys[this.#keys.length - 1]!;
    if (!key.possible) return;
    if (key.required) this.fail(key.line, "could not find expected ':'");
    key.possible = false;
    this.#keyTokens.delete(key.token);
  }

  #beginSimple(): void {
    this.#saveKey();
    this.simpleKeyAllowed = false;
  }

  #rollIndent(column: number, token: number, type: number, line: number, index: number): void {
    if (this.flowLevel > 0 || this.indent >= column) return;
    this.#indents.push(this.indent);
    this.indent = column;
    if (this.#indents.length > MAX_INDENTS) {
      this.fail(this.#keys[this.#keys.length - 1]!.line, `exceeded max depth of ${MAX_INDENTS}`);
    }
    this.tokens.insert(token < 0 ? -1 : token - this.tokens.taken, new Token(type, line, index, '', '', 0));
  }

  /** Ends the blocks that are indented more than `column`. In v3 the end moves before comments that belong to an outer block. */
  #unrollIndent(column: number, scanIndex: number, scanLine: number): void {
    if (this.flowLevel > 0) return;
    if (!this.modern) {
      while (this.indent > column) {
        this.push(BLOCK_END);
        this.indent = this.#indents.pop()!;
      }
      return;
    }
    let index = scanIndex - 1;
    let line = scanLine;
    while (this.indent > column) {
      let stop = index;
      for (let i = this.comments.length - 1; i >= 0; i--) {
        const comment = this.comments[i]!;
        if (comment.endIndex < stop) break;
        if (comment.startColumn === this.indent + 1) {
          index = comment.startIndex;
          line = comment.startLine;
        }
        stop = comment.scanIndex;
      }
      this.tokens.push(new Token(BLOCK_END, line, index, '', '', 0));
      this.indent = this.#indents.pop()!;
    }
  }

  #streamEnd(): void {
    if (this.column !== 0) {
      this.#lineStart = this.pos;
      this.line += 1;
    }
    this.#closeBlocks();
    this.push(STREAM_END);
  }

  #closeBlocks(): void {
    this.#unrollIndent(-1, this.index, this.line);
    this.#removeKey();
    this.simpleKeyAllowed = false;
  }

  #directive(): void {
    this.#closeBlocks();
    this.#add(scanDirective(this));
  }

  #documentIndicator(type: number): void {
    this.#closeBlocks();
    this.push(type);
    this.moveTo(this.pos + 3);
  }

  #flowStart(type: number): void {
    this.#saveKey();
    const token = this.tokens.taken + this.tokens.waiting;
    this.#keys.push({ possible: false, required: false, token, line: this.line, index: this.index, column: this.column });
    this.flowLevel += 1;
    if (this.flowLevel > MAX_FLOW_LEVEL) this.fail(this.line, `exceeded max depth of ${MAX_FLOW_LEVEL}`);
    this.simpleKeyAllowed = true;
    this.push(type);
    this.pos += 1;
  }

  #flowEnd(type: number): void {
    this.#removeKey();
    if (this.flowLevel > 0) {
      this.flowLevel -= 1;
      this.#keyTokens.delete(this.#keys.pop()!.token);
    }
    this.simpleKeyAllowed = false;
    this.push(type);
    this.pos += 1;
  }

  #flowEntry(): void {
    this.#removeKey();
    this.simpleKeyAllowed = true;
    this.push(FLOW_ENTRY);
    this.pos += 1;
  }

  #blockEntry(): void {
    if (this.flowLevel === 0) {
      if (!this.simpleKeyAllowed) this.fail(this.line, 'block sequence entries are not allowed in this context');
      this.#rollIndent(this.column, -1, BLOCK_SEQUENCE_START, this.line, this.index);
    }
    this.#removeKey();
    this.simpleKeyAllowed = true;
    this.push(BLOCK_ENTRY);
    this.pos += 1;
  }

  #key(): void {
    if (this.flowLevel === 0) {
      if (!this.simpleKeyAllowed) this.fail(this.line, 'mapping keys are not allowed in this context');
      this.#rollIndent(this.column, -1, BLOCK_MAPPING_START, this.line, this.index);
    }
    this.#removeKey();
    this.simpleKeyAllowed = this.flowLevel === 0;
    this.push(KEY);
    this.pos += 1;
  }

  #value(): void {
    const key = this.#keys[this.#keys.length - 1]!;
    if (this.#isValid(key)) {
      this.tokens.insert(key.token - this.tokens.taken, new Token(KEY, key.line, key.index, '', '', 0));
      this.#rollIndent(key.column, key.token, BLOCK_MAPPING_START, key.line, key.index);
      key.possible = false;
      this.#keyTokens.delete(key.token);
      this.simpleKeyAllowed = false;
    } else {
      if (this.flowLevel === 0) {
        if (!this.simpleKeyAllowed) this.fail(this.line, 'mapping values are not allowed in this context');
        this.#rollIndent(this.column, -1, BLOCK_MAPPING_START, this.line, this.index);
      }
      this.simpleKeyAllowed = this.flowLevel === 0;
    }
    this.push(VALUE);
    this.pos += 1;
  }
}
