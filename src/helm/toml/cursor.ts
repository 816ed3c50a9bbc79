import { GoError, quote, quoteRune } from '../../golang/index.ts';

/** What {@link Cursor.next} gives at the end. */
export const END = '';

/** Why a text is no TOML, with the line the reference names. */
export class TomlFailure extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }
}

/** Reads a text rune by rune, counting lines; refuses control characters and bytes that are not UTF-8. */
export class Cursor {
  readonly #runes: readonly string[];
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#runes = [...text];
  }

  get line(): number {
    return this.#line;
  }

  get position(): number {
    return this.#at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#runes.length;
  }

  /** The text between a position and here. */
  since(from: number): string {
    return this.#runes.slice(from, this.#at).join('');
  }

  next(): string {
    const rune = this.#runes[this.#at];
    if (rune === undefined) return END;
    if (rune === '\n') this.#line += 1;
    this.#check(rune);
    this.#at += 1;
    return rune;
  }

  peek(): string {
    const rune = this.#runes[this.#at];
    if (rune === undefined) return END;
    this.#check(rune);
    return rune;
  }

  /** The rune `ahead` places from here, unchecked. */
  look(ahead: number): string {
    return this.#runes[this.#at + ahead] ?? END;
  }

  back(): void {
    this.#at -= 1;
    if (this.#runes[this.#at] === '\n') this.#line -= 1;
  }

  accept(rune: string): boolean {
    if (this.peek() !== rune) return false;
    this.next();
    return true;
  }

  /** Consumes runes that are all of a kind. */
  takeWhile(test: (rune: string) => boolean): string {
    const from = this.#at;
    while (!this.atEnd && test(this.peek())) this.next();
    return this.since(from);
  }

  skipBlanks(): void {
    this.takeWhile(isBlank);
  }

  /** An error here; at the end of a text that ends with a line break it belongs to the line before. */
  failure(message: string, rune: string): TomlFailure {
    const line = rune === END && this.#runes[this.#at - 1] === '\n' ? this.#line - 1 : this.#line;
    return new TomlFailure(message, line);
  }

  /** An error that belongs to the line before the break just read. */
  failureBefore(message: string): TomlFailure {
    return new TomlFailure(message, this.#line - 1);
  }

  #check(rune: string): void {
    const code = rune.codePointAt(0) ?? 0;
    // A lone surrogate stands for a byte outside UTF-8.
    if (code >= 0xdc80 && code <= 0xdcff) throw new TomlFailure(`invalid UTF-8 byte: 0x${hex(code & 0xff)}`, this.#line);
    const stray = (code < 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) || code === 0x7f;
    if (stray || (rune === '\r' && this.#runes[this.#at + 1] !== '\n')) {
      throw new TomlFailure(`TOML files cannot contain control characters: '0x${hex(code)}'`, this.#line);
    }
  }
}

function hex(code: number): string {
  return code.toString(16).padStart(2, '0');
}

/** A rune as `%q` prints it; the end of the text is the zero rune. */
export function shown(rune: string): string {
  return quoteRune(rune === END ? 0 : (rune.codePointAt(0) ?? 0));
}

/** A text as `%q` prints it. */
export function shownText(text: string): string {
  return quote(text);
}

export function isBlank(rune: string): boolean {
  return rune === ' ' || rune === '\t';
}

export function isBreak(rune: string): boolean {
  return rune === '\n' || rune === '\r';
}

export function isDigit(rune: string): boolean {
  return rune >= '0' && rune <= '9' && rune.length === 1;
}

export function isHexDigit(rune: string): boolean {
  return /^[0-9a-fA-F]$/.test(rune);
}

export function isBareKey(rune: string): boolean {
  return /^[A-Za-z0-9_-]$/.test(rune);
}

/** The error fromToml reports. */
export function tomlError({ message, line }: TomlFailure, lastKey: string): GoError {
  return new GoError(lastKey === '' ? `toml: line ${line}: ${message}` : `toml: line ${line} (last key ${quote(lastKey)}): ${message}`);
}
