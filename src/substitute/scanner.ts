import { isDigit, isLetter } from '../golang/index.ts';
import { runeAt } from './bytes.ts';

/** What the scanner found. */
export type Token = 'illegal' | 'end' | 'text' | 'open' | 'close';

/** Says whether a rune belongs to the token, given how many bytes of it have been read, this rune's included. */
export type Accept = (rune: number, length: number) => boolean;

/** What {@link Scanner.scan} looks for besides accepted text. */
export type ScanMode = { text?: boolean; open?: boolean; close?: boolean; escapes?: 'none' | 'dollar' | 'all' };

const DOLLAR = 0x24;
const BACKSLASH = 0x5c;
const SLASH = 0x2f;
const OPEN = 0x7b;
const CLOSE = 0x7d;
/** What reading beyond the end gives; a NUL byte in the text reads the same and so ends it (KB46). */
const END = 0;

/**
 * Reads runes and tokens from a byte string. Its steps back and forth follow fluxcd/pkg's envsubst scanner: how much a step back undoes
 * depends on the rune read last, and some malformed expressions fail the way they do because of it.
 */
export class Scanner {
  readonly #source: string;
  #at = 0;
  #width = 0;
  #start = 0;
  // Text of the token before the last escape; an escape drops its first character.
  #kept = '';

  constructor(source: string) {
    this.#source = source;
  }

  get position(): number {
    return this.#at;
  }

  /** The text of the last token. */
  get text(): string {
    return this.#kept + this.#source.slice(this.#start, this.#at);
  }

  read(): number {
    if (this.#at >= this.#source.length) {
      this.#width = 0;
      return END;
    }
    const { rune, width } = runeAt(this.#source, this.#at);
    this.#width = width;
    this.#at += width;
    return rune;
  }

  unread(): void {
    this.#at -= this.#width;
  }

  peek(): number {
    const rune = this.read();
    this.unread();
    return rune;
  }

  /** The next token: `open` is `${`, `close` is `}`, `text` a run of accepted runes. */
  scan(mode: ScanMode, accept: Accept): Token {
    this.#start = this.#at;
    this.#kept = '';
    const rune = this.read();
    if (rune === END) return 'end';
    if (mode.open === true && this.#opens(rune)) return 'open';
    if (mode.close === true && rune === CLOSE) return 'close';
    return mode.text === true && this.#readText(rune, mode, accept) ? 'text' : 'illegal';
  }

  #readText(first: number, mode: ScanMode, accept: Accept): boolean {
    const begin = this.#start;
    if (this.#escapes(first, mode)) this.#dropEscape();
    else if (!accept(first, this.#at - begin)) return false;
    for (;;) {
      const rune = this.read();
      if (rune === END) {
        this.unread();
        return true;
      }
      if (mode.open === true && this.#opens(rune)) {
        this.unread();
        this.unread();
        return true;
      }
      if (this.#escapes(rune, mode)) this.#dropEscape();
      else if (!accept(rune, this.#at - begin)) {
        this.unread();
        return true;
      }
    }
  }

  #opens(rune: number): boolean {
    if (rune !== DOLLAR) return false;
    if (this.read() === OPEN) return true;
    this.unread();
    return false;
  }

  #escapes(rune: number, mode: ScanMode): boolean {
    if (mode.escapes === undefined || mode.escapes === 'none') return false;
    if (rune === DOLLAR) return this.peek() === DOLLAR;
    if (rune !== BACKSLASH || mode.escapes !== 'all') return false;
    const next = this.peek();
    return next === SLASH || next === BACKSLASH;
  }

  /** Leaves out the escape character just read and takes the one it escapes as it is. */
  #dropEscape(): void {
    this.#kept += this.#source.slice(this.#start, this.#at - 1);
    this.#start = this.#at;
    this.#at += 1;
  }
}

/** A letter, a digit or `_` (KB47). */
export function isNameRune(rune: number): boolean {
  return rune === 0x5f || isLetter(rune) || isDigit(rune);
}
