import { quote } from './quote.ts';
import { textToBytes } from './text.ts';

/** Nesting that encoding/json refuses. */
export const MAX_JSON_DEPTH = 10_000;

/** What encoding/json says is wrong with a JSON text; undefined when nothing is. */
export function jsonSyntaxError(text: string): string | undefined {
  try {
    new JsonScanner(text).document();
    return undefined;
  } catch (error) {
    if (error instanceof JsonProblem) return error.message;
    throw error;
  }
}

/** Where the JSON value that begins at or after `from` ends; undefined when there is none or it is no JSON. */
export function jsonValueEnd(text: string, from: number): number | undefined {
  try {
    return new JsonScanner(text, from).oneValue();
  } catch (error) {
    if (error instanceof JsonProblem) return undefined;
    throw error;
  }
}

class JsonProblem extends Error {}

const SPACE_FITS = new Set([
  'looking for beginning of value',
  'looking for beginning of object key string',
  'after object key',
  'after object key:value pair',
  'after array element',
  'in string literal',
]);

/** Checks a JSON text character by character, to fail where Go fails. */
class JsonScanner {
  readonly #text: string;
  #at: number;

  constructor(text: string, from = 0) {
    this.#text = text;
    this.#at = from;
  }

  /** One value; where it ends. Nesting is kept on a list: a hostile text must not exhaust the stack. */
  oneValue(): number {
    const open: number[] = [];
    this.#space();
    do {
      if (this.#value(open)) this.#afterValue(open);
    } while (open.length > 0);
    return this.#at;
  }

  /** One value with nothing behind it. */
  document(): void {
    this.oneValue();
    this.#space();
    if (this.#at < this.#text.length) this.#fail('after top-level value');
  }

  #code(): number {
    return this.#text.charCodeAt(this.#at);
  }

  #space(): void {
    for (let c = this.#code(); c === 32 || c === 9 || c === 10 || c === 13; c = this.#code()) this.#at += 1;
  }

  #fail(where: string): never {
    if (this.#at >= this.#text.length) {
      // encoding/json tries a space at the end: where one may stand, it is the end that comes as a surprise.
      throw new JsonProblem(SPACE_FITS.has(where) ? 'unexpected end of JSON input' : `invalid character ' ' ${where}`);
    }
    throw new JsonProblem(`invalid character ${quoteByte(this.#text, this.#at)} ${where}`);
  }

  /** Scans a value's start: true when the value is complete, false when a collection has opened that wants one. */
  #value(open: number[]): boolean {
    const c = this.#code();
    switch (c) {
      case 123:
        this.#push(open, c);
        if (this.#code() !== 125) {
          this.#key('looking for beginning of object key string');
          return false;
        }
        this.#at += 1;
        open.pop();
        return true;
      case 91:
        this.#push(open, c);
        if (this.#code() !== 93) return false;
        this.#at += 1;
        open.pop();
        return true;
      case 34:
        this.#string();
        return true;
      case 116:
        return this.#literal('true');
      case 102:
        return this.#literal('false');
      case 110:
        return this.#literal('null');
      default:
        this.#number();
        return true;
    }
  }

  #push(open: number[], c: number): void {
    open.push(c);
    if (open.length > MAX_JSON_DEPTH) throw new JsonProblem('exceeded max depth');
    this.#at += 1;
    this.#space();
  }

  /** After a complete value: closes what ends here, and stops before the next value. */
  #afterValue(open: number[]): void {
    while (open.length > 0) {
      const isObject = open[open.length - 1] === 123;
      this.#space();
      const c = this.#code();
      if (c === 44) {
        this.#at += 1;
        this.#space();
        if (isObject) this.#key('looking for beginning of object key string');
        return;
      }
      if (c !== (isObject ? 125 : 93)) this.#fail(isObject ? 'after object key:value pair' : 'after array element');
      this.#at += 1;
      open.pop();
    }
  }

  #key(where: string): void {
    if (this.#code() !== 34) this.#fail(where);
    this.#string();
    this.#space();
    if (this.#code() !== 58) this.#fail('after object key');
    this.#at += 1;
    this.#space();
  }

  #string(): void {
    this.#at += 1;
    for (;;) {
      const c = this.#code();
      if (!(c >= 32)) this.#fail('in string literal');
      this.#at += 1;
      if (c === 34) return;
      if (c === 92) this.#escape();
    }
  }

  #escape(): void {
    const c = this.#code();
    if (c !== 117) {
      if (!'"\\/bfnrt'.includes(this.#text.charAt(this.#at)) || this.#at >= this.#text.length) this.#fail('in string escape code');
      this.#at += 1;
      return;
    }
    this.#at += 1;
    for (let k = 0; k < 4; k++, this.#at++) {
      if (!/[0-9a-fA-F]/.test(this.#text.charAt(this.#at))) this.#fail(String.raw`in \u hexadecimal character escape`);
    }
  }

  #literal(word: string): boolean {
    for (let k = 1; k < word.length; k++) {
      this.#at += 1;
      if (this.#text[this.#at] !== word[k]) this.#fail(`in literal ${word} (expecting ${quoteCharacter(word[k]!)})`);
    }
    this.#at += 1;
    return true;
  }

  #digits(where: string): void {
    if (!isDigit(this.#code())) this.#fail(where);
    while (isDigit(this.#code())) this.#at += 1;
  }

  #number(): void {
    let c = this.#code();
    if (c === 45) {
      this.#at += 1;
      c = this.#code();
      if (!isDigit(c)) this.#fail('in numeric literal');
    }
    if (!isDigit(c)) this.#fail('looking for beginning of value');
    if (c === 48) this.#at += 1;
    else this.#digits('');
    if (this.#code() === 46) {
      this.#at += 1;
      this.#digits('after decimal point in numeric literal');
    }
    if ((this.#code() | 32) === 101) {
      this.#at += 1;
      if (this.#code() === 43 || this.#code() === 45) this.#at += 1;
      this.#digits('in exponent of numeric literal');
    }
  }
}

function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

/** The byte at a position as Go's errors quote it: the first of a character's, taken for a character itself. */
function quoteByte(text: string, at: number): string {
  return quoteCharacter(String.fromCharCode(textToBytes(text.slice(at, at + 2))[0] ?? 0));
}

function quoteCharacter(character: string): string {
  if (character === "'") return String.raw`'\''`;
  if (character === '"') return `'"'`;
  return `'${quote(character).slice(1, -1)}'`;
}
