import { isTextKey, plainScalar, UNUSUAL } from './build.ts';
import { YamlError, yamlLimitExceeded } from './error.ts';
import type { YamlLimits } from './limits.ts';
import type { Numbers } from './plain.ts';
import { scanBlockScalar, scanPlain, scanQuoted } from './scan-scalar.ts';
import { Scanner } from './scanner.ts';
import type { YamlSource } from './source.ts';
import type { Token } from './token.ts';
import { setEntry, type YamlObject, type YamlValue } from './value.ts';

export type QuickOptions = {
  modern: boolean;
  /** Keys must be unique. */
  unique: boolean;
  numbers: Numbers;
  limits: YamlLimits;
};

/** A simple key may have 1024 characters; longer ones than this are left to the scanner. */
const MAX_KEY = 1000;

/** What may stand in a plain scalar of a flow collection on one line. */
const FLOW_WORD = /^[A-Za-z0-9_./+][A-Za-z0-9_./+ -]*$/;

/**
 * Reads documents of plain block YAML, straight from their characters: mappings, sequences, scalars of all styles, and flow collections
 * of words. `count` is how many documents are wanted. Undefined when the text has anything else, or any error: then the scanner and
 * parser must read it. Where it gives values, they are the very values those would give.
 */
export function quickDocuments(source: YamlSource, options: QuickOptions, count: number): YamlValue[] | undefined {
  if (!source.simple) return undefined;
  try {
    // yaml.v3 looks ahead, so what follows the first document may spoil it.
    return new QuickReader(source, options).documents(options.modern ? Number.POSITIVE_INFINITY : count);
  } catch (error) {
    // An error has to be told with its line, which is not counted here.
    if (error === UNUSUAL || error instanceof YamlError) return undefined;
    throw error;
  }
}

/** True for the characters that cannot begin a plain scalar, or begin one only by what follows. */
const reserved = new Uint8Array(128);
for (const c of '\0\t\n #,[]{}&*!|>\'"%@`-?:') reserved[c.charCodeAt(0)] = 1;

function endsLine(c: number): boolean {
  return c === 10 || c === 0;
}

class QuickReader {
  readonly #text: string;
  readonly #options: QuickOptions;
  /** Reads the scalars that span lines. */
  readonly #scanner: Scanner;
  #pos = 0;
  #lineStart = 0;
  /** Column of the content at `#pos`, -1 at the end of the text. */
  #column = 0;
  #depth = 0;
  #values = 0;
  /** Position behind the `---` line that ended the document; -1 when the text ended. */
  #next = -1;

  constructor(source: YamlSource, options: QuickOptions) {
    this.#text = source.text;
    this.#options = options;
    this.#scanner = new Scanner(source, false);
  }

  documents(count: number): YamlValue[] {
    const values: YamlValue[] = [];
    for (let explicit = false; values.length < count; explicit = true) {
      this.#toContent();
      if (this.#column >= 0) values.push(this.#block(-1));
      else if (explicit) values.push(null);
      if (this.#column >= 0) throw UNUSUAL;
      if (values.length > this.#options.limits.maxDocuments)
        throw yamlLimitExceeded('number of documents', this.#options.limits.maxDocuments);
      if (this.#next < 0) break;
      this.#pos = this.#next;
      this.#next = -1;
    }
    return values;
  }

  /** Moves from the start of a line to the next content: over blank lines and comment lines. */
  #toContent(): void {
    const text = this.#text;
    let at = this.#pos;
    for (;;) {
      const start = at;
      let c = text.charCodeAt(at);
      while (c === 32) c = text.charCodeAt(++at);
      if (c === 35) {
        at = text.indexOf('\n', at);
        if (at < 0) return this.#end();
        at += 1;
      } else if (c === 10) {
        at += 1;
      } else {
        if (c === 0) return this.#end();
        if (c === 9) throw UNUSUAL;
        if (at === start && this.#isIndicator(at, c)) return this.#endDocument(at, c);
        this.#pos = at;
        this.#lineStart = start;
        this.#column = at - start;
        return;
      }
    }
  }

  #end(): void {
    this.#pos = this.#text.length;
    this.#column = -1;
  }

  /** Ends the document at a `---` that stands alone in its line. */
  #endDocument(at: number, c: number): void {
    const end = this.#lineEnd(at);
    const rest = this.#text.slice(at + 3, end);
    if (c !== 45 || (rest.trim() !== '' && !/^ +#/.test(rest))) throw UNUSUAL;
    this.#column = -1;
    this.#pos = end;
    this.#next = this.#text.charCodeAt(end) === 0 ? end : end + 1;
  }

  /** `---` or `...` at the start of a line. */
  #isIndicator(at: number, c: number): boolean {
    if (c !== 45 && c !== 46) return false;
    return this.#text.charCodeAt(at + 1) === c && this.#text.charCodeAt(at + 2) === c;
  }

  /** Moves behind a value that ends at `at`: only a comment may follow in its line. */
  #endLine(at: number): void {
    const text = this.#text;
    let c = text.charCodeAt(at);
    let end = at;
    while (c === 32) c = text.charCodeAt(++end);
    if (c === 35 && end > at) end = this.#lineEnd(end);
    else if (!endsLine(c)) throw UNUSUAL;
    this.#pos = end + 1;
    if (text.charCodeAt(end) === 0) this.#end();
    else this.#toContent();
  }

  /** Position of the line break at or after `at`, or of the text's end. */
  #lineEnd(at: number): number {
    const end = this.#text.indexOf('\n', at);
    return end < 0 ? this.#text.indexOf('\0', at) : end;
  }

  #isDash(at: number): boolean {
    if (this.#text.charCodeAt(at) !== 45) return false;
    const next = this.#text.charCodeAt(at + 1);
    return next === 32 || endsLine(next);
  }

  #count(): void {
    this.#values += 1;
    const { maxValues } = this.#options.limits;
    if (this.#values > maxValues) throw yamlLimitExceeded('number of values', maxValues);
  }

  #enter(): void {
    this.#depth += 1;
    const { maxDepth } = this.#options.limits;
    if (this.#depth > maxDepth) throw yamlLimitExceeded('depth', maxDepth);
  }

  /** The value at the current content, inside a block indented by `parent`. Ends at the next content. */
  #block(parent: number): YamlValue {
    return this.#isDash(this.#pos) ? this.#sequence(this.#column) : this.#inline(this.#pos, parent, true);
  }

  #sequence(column: number): YamlValue[] {
    this.#enter();
    this.#count();
    const items: YamlValue[] = [];
    do items.push(this.#after(this.#pos + 1, column, true));
    while (this.#column === column && this.#isDash(this.#pos));
    if (this.#column > column) throw UNUSUAL;
    this.#depth -= 1;
    return items;
  }

  /** The mapping at `column` whose first key has been read up to behind its `:`, at `after`. */
  #mapping(column: number, firstKey: string, after: number): YamlObject {
    this.#enter();
    this.#count();
    const { unique } = this.#options;
    const object: YamlObject = {};
    let key = firstKey;
    let at = after;
    for (;;) {
      if (unique && Object.hasOwn(object, key)) throw UNUSUAL;
      setEntry(object, key, this.#after(at, column, false));
      if (this.#column !== column) break;
      const colon = this.#keyEnd(this.#pos);
      key = this.#key(this.#pos, colon);
      at = colon + 1;
    }
    if (this.#column > column) throw UNUSUAL;
    this.#depth -= 1;
    return object;
  }

  /** Position of the `:` of the key at `from`. */
  #keyEnd(from: number): number {
    const text = this.#text;
    const first = text.charCodeAt(from);
    if (first === 34 || first === 39) {
      const close = this.#closingQuote(from, first);
      if (close < 0 || text.charCodeAt(close + 1) !== 58) throw UNUSUAL;
      this.#checkColon(from, close + 1);
      return close + 1;
    }
    if (first < 128 && reserved[first] !== 0) throw UNUSUAL;
    for (let at = from; ; at++) {
      const c = text.charCodeAt(at);
      if (c === 58) {
        const next = text.charCodeAt(at + 1);
        if (next !== 32 && !endsLine(next)) continue;
        this.#checkColon(from, at);
        return at;
      }
      // Neither in a plain key without a closer look: `#` might begin a comment.
      if (c === 10 || c === 0 || c === 35 || c === 9) throw UNUSUAL;
    }
  }

  #checkColon(from: number, colon: number): void {
    const next = this.#text.charCodeAt(colon + 1);
    if (colon - from > MAX_KEY || this.#text.charCodeAt(colon - 1) === 32 || (next !== 32 && !endsLine(next))) throw UNUSUAL;
  }

  /** The key between two positions. */
  #key(from: number, colon: number): string {
    const first = this.#text.charCodeAt(from);
    if (first === 34 || first === 39) return this.#text.slice(from + 1, colon - 1);
    const key = this.#text.slice(from, colon);
    if (!isTextKey(key, this.#options.modern)) throw UNUSUAL;
    return key;
  }

  /** Position of the quote that ends a scalar on its line. Escapes and line breaks are left to others. */
  #closingQuote(from: number, quote: number): number {
    const text = this.#text;
    for (let at = from + 1; ; at++) {
      const c = text.charCodeAt(at);
      if (c === quote) {
        if (quote === 39 && text.charCodeAt(at + 1) === 39) return -1;
        return at;
      }
      if (endsLine(c) || (c === 92 && quote === 34)) return -1;
    }
  }

  /** The value behind a `:` or `-` of a block at `column`: in the line, below it, or none. */
  #after(from: number, column: number, inSequence: boolean): YamlValue {
    const text = this.#text;
    let at = from;
    let c = text.charCodeAt(at);
    while (c === 32) c = text.charCodeAt(++at);
    if (c !== 35 && !endsLine(c)) return this.#inline(at, column, inSequence);
    if (c === 35 && at === from) throw UNUSUAL;
    const end = this.#lineEnd(at);
    if (text.charCodeAt(end) === 0) {
      this.#end();
    } else {
      this.#pos = end + 1;
      this.#toContent();
    }
    if (this.#column > column) return this.#block(column);
    if (!inSequence && this.#column === column && this.#isDash(this.#pos)) return this.#sequence(column);
    this.#count();
    return null;
  }

  /** The value that begins at `at`. `mayBeKey`: it may turn out to be the first key of a mapping. */
  #inline(at: number, parent: number, mayBeKey: boolean): YamlValue {
    const c = this.#text.charCodeAt(at);
    if (c > 127 || reserved[c] === 0) return this.#plain(at, parent, mayBeKey);
    switch (c) {
      case 34:
      case 39:
        return this.#quoted(at, c, parent, mayBeKey);
      case 124:
      case 62:
        return this.#blockScalar(at, c === 124, parent);
      case 91:
      case 123: {
        this.#count();
        const value = this.#flow(at);
        this.#endLine(this.#pos);
        return value;
      }
      case 45:
        if (this.#isDash(at)) {
          if (!mayBeKey) throw UNUSUAL;
          this.#pos = at;
          return this.#sequence(at - this.#lineStart);
        }
        return this.#plain(at, parent, mayBeKey);
      default:
        throw UNUSUAL;
    }
  }

  #quoted(at: number, quote: number, parent: number, mayBeKey: boolean): YamlValue {
    const close = this.#closingQuote(at, quote);
    if (close < 0) {
      const { value } = this.#scan(at, parent, (scanner) => scanQuoted(scanner, quote === 39));
      this.#count();
      this.#lineStart = this.#scanner.lineStart;
      this.#endLine(this.#scanner.pos);
      return value;
    }
    if (this.#text.charCodeAt(close + 1) === 58) {
      if (!mayBeKey) throw UNUSUAL;
      this.#checkColon(at, close + 1);
      return this.#mapping(at - this.#lineStart, this.#text.slice(at + 1, close), close + 2);
    }
    this.#count();
    const value = this.#text.slice(at + 1, close);
    this.#endLine(close + 1);
    return value;
  }

  #scan(at: number, parent: number, scan: (scanner: Scanner) => Token): Token {
    this.#scanner.seek(at, this.#lineStart, parent);
    return scan(this.#scanner);
  }

  #blockScalar(at: number, literal: boolean, parent: number): YamlValue {
    this.#count();
    const { value } = this.#scan(at, parent, (scanner) => scanBlockScalar(scanner, literal));
    this.#resume();
    return value;
  }

  /** Goes on at the line the scanner has come to. */
  #resume(): void {
    if (this.#text.charCodeAt(this.#scanner.pos) === 0) return this.#end();
    this.#pos = this.#scanner.lineStart;
    this.#toContent();
  }

  #plain(from: number, parent: number, mayBeKey: boolean): YamlValue {
    const text = this.#text;
    let at = from;
    for (; ; at++) {
      const c = text.charCodeAt(at);
      if (c > 58) continue;
      if (c === 58) {
        const next = text.charCodeAt(at + 1);
        if (next !== 32 && !endsLine(next)) {
          if (next === 9) throw UNUSUAL;
          continue;
        }
        if (!mayBeKey) throw UNUSUAL;
        this.#checkColon(from, at);
        return this.#mapping(from - this.#lineStart, this.#key(from, at), at + 1);
      }
      if (endsLine(c)) break;
      if (c === 9) throw UNUSUAL;
      if (c === 35 && text.charCodeAt(at - 1) === 32) break;
    }
    this.#count();
    if (text.charCodeAt(at) === 10 && this.#continues(at + 1, parent)) return this.#plainLines(from, parent);
    let end = at;
    while (text.charCodeAt(end - 1) === 32) end -= 1;
    const value = plainScalar(text.slice(from, end), this.#options.modern, this.#options.numbers);
    this.#endLine(end);
    return value;
  }

  /** Does a plain scalar go on in the lines from `from` on? A comment ends it. */
  #continues(from: number, parent: number): boolean {
    const text = this.#text;
    let at = from;
    for (;;) {
      const start = at;
      let c = text.charCodeAt(at);
      while (c === 32) c = text.charCodeAt(++at);
      if (c === 9) throw UNUSUAL;
      if (c === 10) at += 1;
      else return c !== 35 && c !== 0 && at - start > parent;
    }
  }

  #plainLines(from: number, parent: number): YamlValue {
    const { value } = this.#scan(from, parent, scanPlain);
    const at = this.#scanner.pos;
    const c = this.#text.charCodeAt(at);
    this.#lineStart = this.#scanner.lineStart;
    if (c === 35) {
      this.#endLine(at - 1);
    } else {
      // Content must be further out now: anything else is an error, or a key of several lines.
      if (c !== 0 && at - this.#lineStart > parent) throw UNUSUAL;
      this.#resume();
    }
    return plainScalar(value, this.#options.modern, this.#options.numbers);
  }

  /** A flow collection of words and quoted texts on one line. Leaves the position behind it. */
  #flow(from: number): YamlValue {
    this.#enter();
    const text = this.#text;
    const isMapping = text.charCodeAt(from) === 123;
    const close = isMapping ? 125 : 93;
    const items: YamlValue[] = [];
    const object: YamlObject = {};
    this.#pos = this.#skipSpaces(from + 1);
    while (text.charCodeAt(this.#pos) !== close) {
      if (isMapping) this.#flowEntry(object);
      else items.push(this.#flowValue());
      this.#pos = this.#skipSpaces(this.#pos);
      const c = text.charCodeAt(this.#pos);
      if (c === 44) this.#pos = this.#skipSpaces(this.#pos + 1);
      else if (c !== close) throw UNUSUAL;
    }
    this.#pos += 1;
    this.#depth -= 1;
    return isMapping ? object : items;
  }

  #skipSpaces(from: number): number {
    let at = from;
    while (this.#text.charCodeAt(at) === 32) at += 1;
    return at;
  }

  #flowEntry(object: YamlObject): void {
    const { text, quoted } = this.#flowText();
    if (!quoted && !isTextKey(text, this.#options.modern)) throw UNUSUAL;
    if (this.#text.charCodeAt(this.#pos) !== 58 || this.#text.charCodeAt(this.#pos + 1) !== 32) throw UNUSUAL;
    if (this.#options.unique && Object.hasOwn(object, text)) throw UNUSUAL;
    this.#pos = this.#skipSpaces(this.#pos + 1);
    setEntry(object, text, this.#flowValue());
  }

  #flowValue(): YamlValue {
    this.#count();
    const c = this.#text.charCodeAt(this.#pos);
    if (c === 91 || c === 123) return this.#flow(this.#pos);
    const { text, quoted } = this.#flowText();
    return quoted ? text : plainScalar(text, this.#options.modern, this.#options.numbers);
  }

  /** A word or a quoted text of a flow collection. */
  #flowText(): { text: string; quoted: boolean } {
    const text = this.#text;
    const from = this.#pos;
    const first = text.charCodeAt(from);
    if (first === 34 || first === 39) {
      const close = this.#closingQuote(from, first);
      if (close < 0) throw UNUSUAL;
      this.#pos = close + 1;
      return { text: text.slice(from + 1, close), quoted: true };
    }
    let at = from;
    for (let c = text.charCodeAt(at); c !== 44 && c !== 93 && c !== 125 && c !== 58 && !endsLine(c); c = text.charCodeAt(at)) at += 1;
    this.#pos = at;
    const word = text.slice(from, at).trimEnd();
    if (!FLOW_WORD.test(word)) throw UNUSUAL;
    return { text: word, quoted: false };
  }
}
