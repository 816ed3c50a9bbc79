import { isBreakCode, isPrintable } from './analyze.ts';

const SPACES = ' '.repeat(256);
const NO_FOLD = 2 ** 31 - 1;

/** Letters of the short escapes in double quotes. */
const ESCAPES = new Map<number, string>([
  [0x00, '0'],
  [0x07, 'a'],
  [0x08, 'b'],
  [0x09, 't'],
  [0x0a, 'n'],
  [0x0b, 'v'],
  [0x0c, 'f'],
  [0x0d, 'r'],
  [0x1b, 'e'],
  [0x22, '"'],
  [0x5c, '\\'],
  [0x85, 'N'],
  [0xa0, '_'],
  [0x2028, 'L'],
  [0x2029, 'P'],
]);

/** Width at which yaml.v2 folds. */
export const FOLD_WIDTH = 80;

/**
 * The lower half of libyaml's emitter: text, column, and whether the last thing written was whitespace or indentation. Columns count
 * characters.
 */
export class Writer {
  readonly #width: number;
  #out = '';
  column = 0;
  indent = -1;
  whitespace = true;
  indention = true;
  /** Indentation of a foot comment just written: an empty line keeps it apart from what follows. -1 for none. */
  footIndent = -1;

  constructor(width: number = NO_FOLD) {
    this.#width = width;
  }

  get text(): string {
    return this.#out;
  }

  /** Writes text without line breaks, all of the BMP. */
  put(text: string): void {
    this.#out += text;
    this.column += text.length;
  }

  /** Writes one character that may be a pair. */
  #putCharacter(text: string): void {
    this.#out += text;
    this.column += 1;
  }

  putBreak(): void {
    this.#out += '\n';
    this.column = 0;
    this.indention = true;
  }

  /** Writes a line break of the scalar itself. */
  #copyBreak(c: number): void {
    this.#out += c === 10 ? '\n' : String.fromCharCode(c);
    this.column = 0;
    this.indention = true;
  }

  /** Moves to the indentation, on a new line if need be. */
  writeIndent(): void {
    const indent = Math.max(this.indent, 0);
    if (!this.indention || this.column > indent || (this.column === indent && !this.whitespace)) this.putBreak();
    if (this.footIndent === indent) this.putBreak();
    if (this.column < indent) {
      this.#out += indent - this.column <= 256 ? SPACES.slice(0, indent - this.column) : ' '.repeat(indent - this.column);
      this.column = indent;
    }
    this.whitespace = true;
    this.indention = true;
    this.footIndent = -1;
  }

  /** Writes an indicator, a space before it if it needs one. */
  writeIndicator(indicator: string, needsSpace: boolean, isWhitespace: boolean, isIndention: boolean): void {
    if (needsSpace && !this.whitespace) this.put(' ');
    this.put(indicator);
    this.whitespace = isWhitespace;
    this.indention = this.indention && isIndention;
  }

  /** Writes a plain scalar. `fold` allows line breaks at spaces. */
  writePlain(text: string, fold: boolean): void {
    if (text === '') {
      this.indention = false;
      return;
    }
    if (!this.whitespace) this.put(' ');
    if (!fold || this.column + text.length <= this.#width) {
      this.#out += text;
      this.column += text.length;
    } else {
      this.#foldSpaces(text);
    }
    this.whitespace = false;
    this.indention = false;
  }

  /** Writes words, going to a new line at a single space beyond the width. */
  #foldSpaces(text: string): void {
    let from = 0;
    let column = this.column;
    const end = text.length;
    for (let i = 0; i < end; i++) {
      const c = text.charCodeAt(i);
      if (c === 32) {
        const single = text.charCodeAt(i + 1) !== 32 && text.charCodeAt(i - 1) !== 32;
        if (single && column > this.#width) {
          this.#out += text.slice(from, i);
          this.column = column;
          this.writeIndent();
          this.indention = false;
          column = this.column;
          from = i + 1;
          continue;
        }
      }
      if (c < 0xdc00 || c > 0xdfff) column += 1;
    }
    this.#out += text.slice(from);
    this.column = column;
  }

  writeSingleQuoted(text: string, fold: boolean): void {
    this.writeIndicator("'", true, false, false);
    let spaces = false;
    let breaks = false;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (c === 32) {
        const inside = i > 0 && i < text.length - 1;
        if (fold && !spaces && this.column > this.#width && inside && text.charCodeAt(i + 1) !== 32) this.writeIndent();
        else this.put(' ');
        spaces = true;
      } else if (isBreakCode(c)) {
        if (!breaks && c === 10) this.putBreak();
        this.#copyBreak(c);
        breaks = true;
      } else {
        if (breaks) this.writeIndent();
        this.put(c === 39 ? "''" : text[i]!);
        this.indention = false;
        spaces = false;
        breaks = false;
      }
    }
    this.writeIndicator("'", false, false, false);
  }

  writeDoubleQuoted(text: string, fold: boolean): void {
    this.writeIndicator('"', true, false, false);
    // libyaml tests the whole scalar's start for a byte order mark, at each of its characters.
    const escapeAll = text.charCodeAt(0) === 0xfeff;
    let spaces = false;
    for (let i = 0; i < text.length; i++) {
      const code = text.codePointAt(i)!;
      if (escapeAll || code === 0x22 || code === 0x5c || code > 0xffff || !isPrintable(code) || isBreakCode(code)) {
        this.#putEscape(code);
        if (code > 0xffff) i += 1;
        spaces = false;
      } else if (code === 32) {
        if (fold && !spaces && this.column > this.#width && i > 0 && i < text.length - 1) {
          this.writeIndent();
          if (text.charCodeAt(i + 1) === 32) this.put('\\');
        } else {
          this.put(' ');
        }
        spaces = true;
      } else {
        this.#putCharacter(text[i]!);
        spaces = false;
      }
    }
    this.writeIndicator('"', false, false, false);
  }

  #putEscape(code: number): void {
    const letter = ESCAPES.get(code);
    if (letter !== undefined) return this.put(`\\${letter}`);
    const hex = code.toString(16).toUpperCase();
    if (code <= 0xff) this.put(`\\x${hex.padStart(2, '0')}`);
    else if (code <= 0xffff) this.put(`\\u${hex.padStart(4, '0')}`);
    else this.put(`\\U${hex.padStart(8, '0')}`);
  }

  /** Writes the indicator of a block scalar with its hints: indentation when it begins with blank, chomping by its last breaks. */
  writeBlockHeader(indicator: string, text: string, indentHint: number): void {
    const { length } = text;
    const first = text.charCodeAt(0);
    let hints = first === 32 || isBreakCode(first) ? String(indentHint) : '';
    if (length === 0 || !isBreakCode(text.charCodeAt(length - 1))) hints += '-';
    else if (length === 1 || isBreakCode(text.charCodeAt(length - 2))) hints += '+';
    this.writeIndicator(indicator, true, false, false);
    if (hints !== '') this.writeIndicator(hints, false, false, false);
  }

  /** Writes a literal scalar with its header. */
  writeLiteralScalar(text: string, indentHint: number): void {
    this.writeBlockHeader('|', text, indentHint);
    this.putBreak();
    this.writeLiteral(text);
  }

  /** Writes the lines of a literal scalar, after its header and line break. */
  writeLiteral(text: string): void {
    this.whitespace = true;
    let from = 0;
    for (let i = 0; i <= text.length; i++) {
      const end = i === text.length;
      if (!end && !isBreakCode(text.charCodeAt(i))) continue;
      if (i > from) {
        this.writeIndent();
        this.#out += text.slice(from, i);
        this.column += i - from;
        this.indention = false;
      }
      if (!end) this.#copyBreak(text.charCodeAt(i));
      from = i + 1;
    }
  }

  /** Writes the lines of a folded scalar, after its header and line break. */
  writeFolded(text: string): void {
    this.whitespace = true;
    let breaks = true;
    let leadingSpaces = true;
    for (let i = 0; i < text.length; i++) {
      const c = text.charCodeAt(i);
      if (isBreakCode(c)) {
        if (!breaks && !leadingSpaces && c === 10 && contentFollows(text)) this.putBreak();
        this.#copyBreak(c);
        breaks = true;
        continue;
      }
      if (breaks) {
        this.writeIndent();
        leadingSpaces = c === 32 || c === 9;
      }
      if (!breaks && c === 32 && text.charCodeAt(i + 1) !== 32 && this.column > this.#width) this.writeIndent();
      else this.#putCharacter(text[i]!);
      this.indention = false;
      breaks = false;
    }
  }

  /** Writes a comment, a `#` before each line that has none, and ends the line. */
  writeComment(comment: string): void {
    let breaks = false;
    let pound = false;
    for (let i = 0; i < comment.length; i++) {
      const c = comment.charCodeAt(i);
      if (isBreakCode(c)) {
        this.#copyBreak(c);
        breaks = true;
        pound = false;
        continue;
      }
      if (breaks) this.writeIndent();
      if (!pound && c !== 35) this.put('# ');
      pound = true;
      this.#out += comment[i];
      if (c < 0xdc00 || c > 0xdfff) this.column += 1;
      this.indention = false;
      breaks = false;
    }
    if (!breaks) this.putBreak();
    this.whitespace = true;
  }
}

/** What libyaml asks before it folds a break: does the text, after the breaks at its very start, begin with content? */
function contentFollows(text: string): boolean {
  let k = 0;
  while (isBreakCode(text.charCodeAt(k))) k++;
  const c = text.charCodeAt(k);
  return k < text.length && c !== 32 && c !== 9 && c !== 0;
}
