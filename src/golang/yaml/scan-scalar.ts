import { hexValue, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd, isDigit, plainRunEnd } from './characters.ts';
import { scanLineComment } from './comment.ts';
import type { Scanner } from './scanner.ts';
import { DOUBLE_QUOTED, FOLDED, LITERAL, PLAIN, SCALAR, SINGLE_QUOTED, Token } from './token.ts';

/** What folding makes of line breaks: a single `\n` is a space, more lose the first, others stay. */
function folded(leading: string, trailing: string): string {
  if (leading !== '\n') return leading + trailing;
  return trailing === '' ? ' ' : trailing;
}

/** Scans a plain scalar. */
export function scanPlain(scanner: Scanner): Token {
  const { text, line, index } = scanner;
  const inFlow = scanner.flowLevel > 0;
  const indent = scanner.indent + 1;
  let value = '';
  let leading = '';
  let trailing = '';
  let blanks = '';
  let broken = false;
  for (;;) {
    if (scanner.column === 0 && scanner.atDocumentIndicator()) break;
    if (text.charCodeAt(scanner.pos) === 35) break;
    const from = scanner.pos;
    const to = plainEnd(text, from, inFlow);
    if (to > from) {
      if (broken) {
        value += folded(leading, trailing);
        leading = '';
        trailing = '';
        broken = false;
      } else {
        value += blanks;
      }
      blanks = '';
      value += text.slice(from, to);
      scanner.moveTo(to);
    }
    let c = text.charCodeAt(to);
    if (!isBlank(c) && !isBreak(c)) break;
    for (; ; c = text.charCodeAt(scanner.pos)) {
      if (isBlank(c)) {
        if (!broken) blanks += c === 32 ? ' ' : '\t';
        else if (c === 9 && scanner.column < indent) scanner.fail(line, 'found a tab character that violates indentation');
        scanner.pos += 1;
      } else if (!isBreak(c)) {
        break;
      } else if (broken) {
        trailing += scanner.takeBreak();
      } else {
        blanks = '';
        leading = scanner.takeBreak();
        broken = true;
      }
    }
    if (!inFlow && scanner.column < indent) break;
  }
  if (broken) scanner.simpleKeyAllowed = true;
  return new Token(SCALAR, line, index, value, '', PLAIN);
}

/** End of a plain scalar's run without blanks: a `:` inside a word does not end it. */
function plainEnd(text: string, from: number, inFlow: boolean): number {
  let at = from;
  for (;;) {
    at = plainRunEnd(text, at, inFlow);
    if (text.charCodeAt(at) !== 58 || isBlankOrEnd(text.charCodeAt(at + 1))) return at;
    at += 1;
  }
}

/** Scans a quoted scalar. */
export function scanQuoted(scanner: Scanner, single: boolean): Token {
  const { text, line, index } = scanner;
  const style = single ? SINGLE_QUOTED : DOUBLE_QUOTED;
  const quote = single ? 39 : 34;
  scanner.pos += 1;
  const from = scanner.pos;
  let at = from;
  for (;;) {
    const c = text.charCodeAt(at);
    if (c === quote) {
      if (single && text.charCodeAt(at + 1) === 39) break;
      scanner.moveTo(at);
      scanner.pos += 1;
      return new Token(SCALAR, line, index, text.slice(from, at), '', style);
    }
    if (c === 92 ? !single : isBreakOrEnd(c)) break;
    at += 1;
  }
  return new Token(SCALAR, line, index, quotedText(scanner, quote, line), '', style);
}

function quotedText(scanner: Scanner, quote: number, line: number): string {
  const { text } = scanner;
  let value = '';
  for (;;) {
    if (scanner.column === 0 && scanner.atDocumentIndicator()) scanner.fail(line, 'found unexpected document indicator');
    if (text.charCodeAt(scanner.pos) === 0) scanner.fail(line, 'found unexpected end of stream');
    let broken = false;
    let from = scanner.pos;
    let at = from;
    let c = text.charCodeAt(at);
    // One run without blanks.
    for (; !isBlankOrEnd(c); c = text.charCodeAt(at)) {
      if (c === quote) {
        if (quote === 34 || text.charCodeAt(at + 1) !== 39) break;
        value += text.slice(from, at + 1);
        at += 2;
        from = at;
      } else if (c === 92 && quote === 34) {
        value += text.slice(from, at);
        scanner.moveTo(at);
        if (isBreak(text.charCodeAt(at + 1))) {
          scanner.pos += 1;
          scanner.takeBreak();
          broken = true;
          at = scanner.pos;
          from = at;
          break;
        }
        value += escaped(scanner, line);
        at = scanner.pos;
        from = at;
      } else {
        at += 1;
      }
    }
    value += text.slice(from, at);
    scanner.moveTo(at);
    if (text.charCodeAt(at) === quote) break;
    value += quotedBlanks(scanner, broken);
  }
  scanner.pos += 1;
  return value;
}

/** Blanks and line breaks inside a quoted scalar; `broken` after an escaped line break. */
function quotedBlanks(scanner: Scanner, broken: boolean): string {
  const { text } = scanner;
  let folding = broken;
  let leading = '';
  let trailing = '';
  let blanks = '';
  for (let c = text.charCodeAt(scanner.pos); ; c = text.charCodeAt(scanner.pos)) {
    if (isBlank(c)) {
      if (!folding) blanks += c === 32 ? ' ' : '\t';
      scanner.pos += 1;
    } else if (!isBreak(c)) {
      break;
    } else if (folding) {
      trailing += scanner.takeBreak();
    } else {
      leading = scanner.takeBreak();
      folding = true;
    }
  }
  return folding ? folded(leading, trailing) : blanks;
}

const SIMPLE_ESCAPES = new Map<number, string>(
  Object.entries({
    '0': '\0',
    a: '\x07',
    b: '\b',
    t: '\t',
    '\t': '\t',
    n: '\n',
    v: '\v',
    f: '\f',
    r: '\r',
    e: '\x1b',
    ' ': ' ',
    '"': '"',
    "'": "'",
    '\\': '\\',
    N: '\u0085',
    _: '\u00a0',
    L: '\u2028',
    P: '\u2029',
  }).map(([letter, character]) => [letter.charCodeAt(0), character]),
);

/** An escape sequence of a double-quoted scalar, from its backslash on. */
function escaped(scanner: Scanner, line: number): string {
  const c = scanner.text.charCodeAt(scanner.pos + 1);
  const simple = SIMPLE_ESCAPES.get(c);
  if (simple !== undefined) {
    scanner.pos += 2;
    return simple;
  }
  const digits = c === 120 ? 2 : c === 117 ? 4 : c === 85 ? 8 : 0;
  if (digits === 0) scanner.fail(line, 'found unknown escape character');
  scanner.pos += 2;
  let code = 0;
  for (let k = 0; k < digits; k++) {
    const digit = hexValue(scanner.text.charCodeAt(scanner.pos + k));
    if (digit < 0) scanner.fail(line, 'did not find expected hexdecimal number', digits);
    code = code * 16 + digit;
  }
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) scanner.fail(line, 'found invalid Unicode character escape code');
  scanner.pos += digits;
  return String.fromCodePoint(code);
}

/** Scans a block scalar (`|` or `>`). */
export function scanBlockScalar(scanner: Scanner, literal: boolean): Token {
  const { text, line, index } = scanner;
  scanner.pos += 1;
  const { chomping, increment } = blockHeader(scanner, line, index);
  let indent = increment > 0 ? Math.max(scanner.indent, 0) + increment : 0;
  let trailing = '';
  if (indent === 0) {
    const before = scanner.pos;
    indent = blockIndent(scanner, line);
    if (scanner.pos > before) trailing = breaksBetween(text, before, scanner.pos);
  } else {
    trailing = blockBreaks(scanner, indent, line);
  }
  let value = '';
  let leading = '';
  let leadingBlank = false;
  while (scanner.column === indent) {
    const from = scanner.pos;
    const first = text.charCodeAt(from);
    if (first === 0) break;
    const blank = isBlank(first);
    if (!literal && leading === '\n' && !leadingBlank && !blank) value += trailing === '' ? ' ' : trailing;
    else value += leading + trailing;
    leadingBlank = blank;
    let at = from;
    while (!isBreakOrEnd(text.charCodeAt(at))) at++;
    value += text.slice(from, at);
    scanner.moveTo(at);
    leading = scanner.takeBreak();
    trailing = blockBreaks(scanner, indent, line);
  }
  if (chomping !== -1) value += leading;
  if (chomping === 1) value += trailing;
  return new Token(SCALAR, line, index, value, '', literal ? LITERAL : FOLDED);
}

const TAB_AS_INDENT = 'found a tab character where an indentation space is expected';

/** Finds the indentation of a block scalar that does not say it: that of the first line with content, or of the widest before it. */
function blockIndent(scanner: Scanner, line: number): number {
  const { text } = scanner;
  let widest = 0;
  for (;;) {
    let at = scanner.pos;
    while (text.charCodeAt(at) === 32) at++;
    scanner.pos = at;
    widest = Math.max(widest, scanner.column);
    const c = text.charCodeAt(at);
    if (c === 9) scanner.fail(line, TAB_AS_INDENT);
    if (!isBreak(c)) return Math.max(widest, scanner.indent + 1, 1);
    scanner.takeBreak();
  }
}

/** The line breaks between two positions that hold nothing else but spaces. */
function breaksBetween(text: string, from: number, to: number): string {
  let breaks = '';
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i);
    if (c === 32 || (c === 10 && i > from && text.charCodeAt(i - 1) === 13)) continue;
    breaks += c > 0x2000 ? String.fromCharCode(c) : '\n';
  }
  return breaks;
}

/** Moves over indentation and empty lines; the breaks of those. */
function blockBreaks(scanner: Scanner, indent: number, line: number): string {
  const { text } = scanner;
  let breaks = '';
  for (;;) {
    let at = scanner.pos;
    const limit = at + indent - scanner.column;
    while (at < limit && text.charCodeAt(at) === 32) at++;
    scanner.pos = at;
    const c = text.charCodeAt(at);
    if (c === 9 && at < limit) scanner.fail(line, TAB_AS_INDENT);
    if (!isBreak(c)) return breaks;
    breaks += scanner.takeBreak();
  }
}

/** Indicators after `|` or `>`, in either order, up to the end of the line. */
function blockHeader(scanner: Scanner, line: number, index: number): { chomping: number; increment: number } {
  const { text } = scanner;
  let chomping = 0;
  let increment = 0;
  const takeChomping = (): boolean => {
    const c = text.charCodeAt(scanner.pos);
    if (c !== 43 && c !== 45) return false;
    chomping = c === 43 ? 1 : -1;
    scanner.pos += 1;
    return true;
  };
  const takeIncrement = (): boolean => {
    const c = text.charCodeAt(scanner.pos);
    if (!isDigit(c)) return false;
    if (c === 48) scanner.fail(line, 'found an indentation indicator equal to 0');
    increment = c - 48;
    scanner.pos += 1;
    return true;
  };
  if (takeChomping()) takeIncrement();
  else if (takeIncrement()) takeChomping();
  let at = scanner.pos;
  while (isBlank(text.charCodeAt(at))) at++;
  scanner.pos = at;
  if (text.charCodeAt(at) === 35) {
    if (scanner.modern) scanLineComment(scanner, index);
    at = scanner.pos;
    while (!isBreakOrEnd(text.charCodeAt(at))) at++;
    scanner.moveTo(at);
  }
  if (!isBreakOrEnd(text.charCodeAt(scanner.pos))) scanner.fail(line, 'did not find expected comment or line break');
  scanner.takeBreak();
  return { chomping, increment };
}
