import { type Cursor, END, isBreak, isHexDigit, shownText, TomlFailure } from './cursor.ts';

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  t: '\t',
  n: '\n',
  f: '\f',
  r: '\r',
  e: '\x1b',
  '"': '"',
  '\\': '\\',
};

const HEX_ESCAPES: Readonly<Record<string, { digits: number; words: string }>> = {
  x: { digits: 2, words: 'two' },
  u: { digits: 4, words: 'four' },
  U: { digits: 8, words: 'eight' },
};

/** The inside of a `"…"` string; the opening quote was read. */
export function readBasicString(cursor: Cursor): string {
  let out = '';
  for (;;) {
    const rune = cursor.next();
    if (rune === END) throw cursor.failure(`unexpected EOF; expected '"'`, rune);
    if (isBreak(rune)) throw lineBreakInString(cursor, rune);
    if (rune === '"') return out;
    out += rune === '\\' ? readEscape(cursor) : rune;
  }
}

/** The inside of a `'…'` string. */
export function readLiteralString(cursor: Cursor): string {
  let out = '';
  for (;;) {
    const rune = cursor.next();
    if (rune === END) throw cursor.failure(`unexpected EOF; expected "'"`, rune);
    if (isBreak(rune)) throw lineBreakInString(cursor, rune);
    if (rune === "'") return out;
    out += rune;
  }
}

function lineBreakInString(cursor: Cursor, rune: string): TomlFailure {
  const message = 'strings cannot contain newlines';
  return rune === '\n' ? cursor.failureBefore(message) : new TomlFailure(message, cursor.line - 1);
}

/** The inside of a `"""…"""` string. */
export function readMultilineString(cursor: Cursor): string {
  skipFirstBreak(cursor);
  let out = '';
  for (;;) {
    const rune = cursor.next();
    if (rune === END) throw cursor.failure(`unexpected EOF; expected '"""'`, rune);
    if (rune === '\\') {
      if (!skipEscapedBreak(cursor)) out += readEscape(cursor);
    } else if (rune === '"') {
      const quotes = 1 + cursor.takeWhile((next) => next === '"').length;
      if (quotes > 5) throw cursor.failure(`unexpected '""""""'`, rune);
      if (quotes >= 3) return out + '"'.repeat(quotes - 3);
      out += '"'.repeat(quotes);
    } else out += rune;
  }
}

/** The inside of a `'''…'''` string. */
export function readMultilineLiteral(cursor: Cursor): string {
  skipFirstBreak(cursor);
  let out = '';
  for (;;) {
    const rune = cursor.next();
    if (rune === END) throw cursor.failure(`unexpected EOF; expected "'''"`, rune);
    if (rune !== "'") {
      out += rune;
      continue;
    }
    const quotes = 1 + cursor.takeWhile((next) => next === "'").length;
    if (quotes > 5) throw cursor.failure(`unexpected "''''''"`, rune);
    if (quotes >= 3) return out + "'".repeat(quotes - 3);
    out += "'".repeat(quotes);
  }
}

function skipFirstBreak(cursor: Cursor): void {
  if (cursor.look(0) === '\r' && cursor.look(1) === '\n') cursor.next();
  if (cursor.look(0) === '\n') cursor.next();
}

/** A backslash before a line break takes it and the white space behind it away; false when this is no such backslash. */
function skipEscapedBreak(cursor: Cursor): boolean {
  let ahead = 0;
  while (cursor.look(ahead) === ' ' || cursor.look(ahead) === '\t' || cursor.look(ahead) === '\r') ahead += 1;
  if (cursor.look(ahead) !== '\n') return false;
  cursor.takeWhile((rune) => rune === ' ' || rune === '\t' || isBreak(rune));
  return true;
}

function readEscape(cursor: Cursor): string {
  const start = cursor.position - 1;
  const rune = cursor.next();
  const simple = SIMPLE_ESCAPES[rune];
  if (rune !== END && simple !== undefined) return simple;
  const hex = HEX_ESCAPES[rune];
  if (rune === END || hex === undefined) {
    const blank = rune === ' ' || rune === '\t';
    throw cursor.failure(blank ? `invalid escape: '\\${rune}'` : `invalid escape in string '\\${rune === END ? '\0' : rune}'`, rune);
  }
  let digits = '';
  for (let i = 0; i < hex.digits; i++) {
    const digit = cursor.next();
    digits += digit;
    if (!isHexDigit(digit)) {
      const seen = cursor.since(start);
      throw cursor.failure(`expected ${hex.words} hexadecimal digits after '\\${rune}', but got ${shownText(seen)} instead`, digit);
    }
  }
  const code = Number.parseInt(digits, 16);
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
    throw new TomlFailure(`Escaped character '\\u${digits}' is not valid UTF-8.`, cursor.line);
  }
  return String.fromCodePoint(code);
}
