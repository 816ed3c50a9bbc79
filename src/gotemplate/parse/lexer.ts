import { quote } from '../../golang/index.ts';
import { endOfLine, isAsciiWord, isDigit, isSpace, spaceAfter, spaceBefore } from './characters.ts';
import { formatUnicode } from './describe.ts';
import { keywordOf, type Token, type TokenKind } from './token.ts';

/** How one template text is cut into tokens. */
export type LexerOptions = {
  left: string;
  right: string;
  /** False where a function is called `break`: the word is then an identifier. */
  breakIsKeyword: boolean;
  continueIsKeyword: boolean;
};

const trimMarkerLength = 2;
const digitsByBase = { decimal: '0123456789_', hex: '0123456789abcdefABCDEF_', octal: '01234567_', binary: '01_' };
const letterOrDigit = /[\p{L}\p{Nd}]/u;

/** Cuts template text into tokens exactly as Go's lexer does, one token per {@link Lexer.next}. */
export class Lexer {
  readonly #input: string;
  readonly #options: LexerOptions;
  #pos = 0;
  #start = 0;
  #insideAction = false;
  #parenDepth = 0;
  #failed = false;
  /** The line of the last token, and where the next one begins. */
  #line = 1;
  #lineEnd: number;

  constructor(input: string, options: LexerOptions) {
    this.#input = input;
    this.#options = options;
    this.#lineEnd = endOfLine(input, 0);
  }

  /** The next token; after the end, or after an error, `eof` tokens. */
  next(): Token {
    if (this.#failed) return { kind: 'eof', pos: 0, value: '', line: this.#line };
    return this.#insideAction ? this.#inAction() : this.#inText();
  }

  /** Positions only grow, so each line end is looked for once. */
  #lineAt(pos: number): number {
    while (this.#lineEnd < pos) {
      this.#line++;
      this.#lineEnd = endOfLine(this.#input, this.#lineEnd + 1);
    }
    return this.#line;
  }

  #emit(kind: TokenKind, end: number = this.#pos): Token {
    const token: Token = { kind, pos: this.#start, value: this.#input.slice(this.#start, end), line: this.#lineAt(this.#start) };
    this.#start = this.#pos;
    return token;
  }

  #fail(message: string): Token {
    this.#failed = true;
    return { kind: 'error', pos: this.#start, value: message, line: this.#lineAt(this.#start) };
  }

  #inText(): Token {
    const input = this.#input;
    for (;;) {
      const found = input.indexOf(this.#options.left, this.#pos);
      if (found < 0) {
        this.#pos = input.length;
        return this.#emit(this.#pos > this.#start ? 'text' : 'eof');
      }
      const textEnd = this.#leftTrimMarkerAt(found + this.#options.left.length) ? spaceBefore(input, this.#start, found) : found;
      this.#pos = found;
      if (textEnd > this.#start) return this.#emit('text', textEnd);
      this.#start = found;
      const token = this.#leftDelim();
      if (token !== undefined) return token;
    }
  }

  /** At a left delimiter: its token, or nothing once a whole comment has been skipped. */
  #leftDelim(): Token | undefined {
    this.#pos += this.#options.left.length;
    const afterMarker = this.#leftTrimMarkerAt(this.#pos) ? trimMarkerLength : 0;
    if (this.#input.startsWith('/*', this.#pos + afterMarker)) {
      this.#pos += afterMarker;
      this.#start = this.#pos;
      return this.#comment();
    }
    const token = this.#emit('leftDelim');
    this.#insideAction = true;
    this.#pos += afterMarker;
    this.#start = this.#pos;
    this.#parenDepth = 0;
    return token;
  }

  #comment(): Token | undefined {
    const end = this.#input.indexOf('*/', this.#pos + 2);
    if (end < 0) return this.#fail('unclosed comment');
    this.#pos = end + 2;
    const delim = this.#rightDelimAt(this.#pos);
    if (delim === undefined) return this.#fail('comment ends before closing delimiter');
    this.#skipRightDelim(delim === 'trimming');
    this.#start = this.#pos;
    return undefined;
  }

  #skipRightDelim(trim: boolean): void {
    if (trim) this.#pos += trimMarkerLength;
    this.#pos += this.#options.right.length;
    if (trim) this.#pos = spaceAfter(this.#input, this.#pos);
  }

  #rightDelim(trim: boolean): Token {
    if (trim) this.#start = this.#pos + trimMarkerLength;
    const end = this.#start + this.#options.right.length;
    this.#skipRightDelim(trim);
    this.#insideAction = false;
    return this.#emit('rightDelim', end);
  }

  #inAction(): Token {
    const delim = this.#rightDelimAt(this.#pos);
    if (delim !== undefined) {
      return this.#parenDepth === 0 ? this.#rightDelim(delim === 'trimming') : this.#fail('unclosed left paren');
    }
    const code = this.#input.charCodeAt(this.#pos);
    if (Number.isNaN(code)) return this.#fail('unclosed action');
    if (isSpace(code)) return this.#space();
    switch (code) {
      case 0x3d: // =
        return this.#single('assign');
      case 0x3a: // :
        return this.#declare();
      case 0x7c: // |
        return this.#single('pipe');
      case 0x22: // "
        return this.#quoted(0x22, 'string', 'unterminated quoted string');
      case 0x60: // `
        return this.#rawString();
      case 0x24: // $
        this.#pos++;
        return this.#fieldOrVariable('variable', 'variable');
      case 0x27: // '
        return this.#quoted(0x27, 'charConstant', 'unterminated character constant');
      case 0x28: // (
        this.#parenDepth++;
        return this.#single('leftParen');
      case 0x29: // )
        return this.#rightParen();
      default:
        return this.#word(code);
    }
  }

  #single(kind: TokenKind): Token {
    this.#pos++;
    return this.#emit(kind);
  }

  #word(code: number): Token {
    if (code === 0x2e) {
      const after = this.#input.charCodeAt(this.#pos + 1);
      if (!Number.isNaN(after) && !isDigit(after)) {
        this.#pos++;
        return this.#fieldOrVariable('field', 'dot');
      }
      return this.#number();
    }
    if (code === 0x2b || code === 0x2d || isDigit(code)) return this.#number();
    if (this.#alphaNumericAt(this.#pos) > 0) return this.#identifier();
    if (code >= 0x20 && code < 0x7f) return this.#single('char');
    return this.#fail(`unrecognized character in action: ${this.#describe(this.#pos)}`);
  }

  #rightParen(): Token {
    this.#parenDepth--;
    return this.#parenDepth < 0 ? this.#fail('unexpected right paren') : this.#single('rightParen');
  }

  #declare(): Token {
    if (this.#input.charCodeAt(this.#pos + 1) !== 0x3d) return this.#fail('expected :=');
    this.#pos += 2;
    return this.#emit('declare');
  }

  #space(): Token {
    const end = spaceAfter(this.#input, this.#pos);
    // The last space may belong to a trimming right delimiter.
    if (this.#rightDelimAt(end - 1) === 'trimming') {
      if (end - this.#pos === 1) return this.#rightDelim(true);
      this.#pos = end - 1;
    } else {
      this.#pos = end;
    }
    return this.#emit('space');
  }

  #identifier(): Token {
    this.#skipAlphaNumeric();
    if (!this.#atTerminator()) return this.#fail(`bad character ${this.#describe(this.#pos)}`);
    const word = this.#input.slice(this.#start, this.#pos);
    if (word === 'true' || word === 'false') return this.#emit('bool');
    const keyword = keywordOf(word);
    if (keyword === undefined) return this.#emit('identifier');
    if (keyword === 'break' && !this.#options.breakIsKeyword) return this.#emit('identifier');
    if (keyword === 'continue' && !this.#options.continueIsKeyword) return this.#emit('identifier');
    return this.#emit(keyword);
  }

  /** After a `.` or `$`. */
  #fieldOrVariable(named: TokenKind, bare: TokenKind): Token {
    if (this.#atTerminator()) return this.#emit(bare);
    this.#skipAlphaNumeric();
    return this.#atTerminator() ? this.#emit(named) : this.#fail(`bad character ${this.#describe(this.#pos)}`);
  }

  #quoted(mark: number, kind: TokenKind, unterminated: string): Token {
    const input = this.#input;
    for (let at = this.#pos + 1; ; at++) {
      let code = input.charCodeAt(at);
      if (code === mark) {
        this.#pos = at + 1;
        return this.#emit(kind);
      }
      if (code === 0x5c) code = input.charCodeAt(++at);
      if (Number.isNaN(code) || code === 0x0a) return this.#fail(unterminated);
    }
  }

  #rawString(): Token {
    const end = this.#input.indexOf('`', this.#pos + 1);
    if (end < 0) return this.#fail('unterminated raw quoted string');
    this.#pos = end + 1;
    return this.#emit('rawString');
  }

  #number(): Token {
    if (!this.#scanNumber()) return this.#badNumber();
    const sign = this.#input.charCodeAt(this.#pos);
    if (sign !== 0x2b && sign !== 0x2d) return this.#emit('number');
    // A complex constant, 1+2i: no spaces, must end in i.
    if (!this.#scanNumber() || this.#input[this.#pos - 1] !== 'i') return this.#badNumber();
    return this.#emit('complex');
  }

  #badNumber(): Token {
    return this.#fail(`bad number syntax: ${quote(this.#input.slice(this.#start, this.#pos))}`);
  }

  /** Not a perfect scanner, as Go's is not: what it lets through is refused when the number is read. */
  #scanNumber(): boolean {
    this.#accept('+-');
    let digits = digitsByBase.decimal;
    if (this.#accept('0')) {
      if (this.#accept('xX')) digits = digitsByBase.hex;
      else if (this.#accept('oO')) digits = digitsByBase.octal;
      else if (this.#accept('bB')) digits = digitsByBase.binary;
    }
    this.#acceptRun(digits);
    if (this.#accept('.')) this.#acceptRun(digits);
    const exponent = digits === digitsByBase.decimal ? 'eE' : digits === digitsByBase.hex ? 'pP' : '';
    if (exponent !== '' && this.#accept(exponent)) {
      this.#accept('+-');
      this.#acceptRun(digitsByBase.decimal);
    }
    this.#accept('i');
    const follows = this.#alphaNumericAt(this.#pos);
    this.#pos += follows;
    return follows === 0;
  }

  #accept(valid: string): boolean {
    const char = this.#input[this.#pos];
    if (char === undefined || !valid.includes(char)) return false;
    this.#pos++;
    return true;
  }

  #acceptRun(valid: string): void {
    while (this.#accept(valid));
  }

  #skipAlphaNumeric(): void {
    for (let width = this.#alphaNumericAt(this.#pos); width > 0; width = this.#alphaNumericAt(this.#pos)) this.#pos += width;
  }

  /** How many UTF-16 units the letter, digit or underscore at `at` takes; 0 where there is none. */
  #alphaNumericAt(at: number): number {
    const code = this.#input.codePointAt(at);
    if (code === undefined) return 0;
    if (code < 0x80) return isAsciiWord(code) ? 1 : 0;
    if (!letterOrDigit.test(String.fromCodePoint(code))) return 0;
    return code > 0xffff ? 2 : 1;
  }

  /** True where an identifier, field or variable may end. */
  #atTerminator(): boolean {
    const code = this.#input.charCodeAt(this.#pos);
    if (Number.isNaN(code) || isSpace(code)) return true;
    switch (code) {
      case 0x2e: // .
      case 0x2c: // ,
      case 0x7c: // |
      case 0x3a: // :
      case 0x29: // )
      case 0x28: // (
        return true;
      default:
        return this.#input.startsWith(this.#options.right, this.#pos);
    }
  }

  #leftTrimMarkerAt(at: number): boolean {
    return this.#input.charCodeAt(at) === 0x2d && isSpace(this.#input.charCodeAt(at + 1));
  }

  #rightDelimAt(at: number): 'plain' | 'trimming' | undefined {
    const input = this.#input;
    if (
      isSpace(input.charCodeAt(at)) &&
      input.charCodeAt(at + 1) === 0x2d &&
      input.startsWith(this.#options.right, at + trimMarkerLength)
    ) {
      return 'trimming';
    }
    return input.startsWith(this.#options.right, at) ? 'plain' : undefined;
  }

  #describe(at: number): string {
    return formatUnicode(this.#input.codePointAt(at) ?? 0xfffd);
  }
}
