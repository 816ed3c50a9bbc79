/*
 * The character classes of libyaml. The reader's end of input is NUL, as in libyaml: a NUL inside a text is refused before scanning.
 */

const BLANK = 1;
const BREAK = 2;
const END = 4;
const WORD = 8;
const DIGIT = 16;
const URI = 32;
const FLOW = 64;
const COLON = 128;

const classes = new Uint8Array(128);
const mark = (characters: string, flag: number): void => {
  for (let i = 0; i < characters.length; i++) classes[characters.charCodeAt(i)]! |= flag;
};
mark(' \t', BLANK);
mark('\r\n', BREAK);
mark('\0', END);
mark('0123456789', DIGIT | WORD | URI);
mark('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-', WORD | URI);
mark(";/?:@&=+$,.!~*'()[]%", URI);
mark(',?[]{}', FLOW);
mark(':', COLON);

const NEL = 0x85;
const LINE_SEPARATOR = 0x2028;
const PARAGRAPH_SEPARATOR = 0x2029;

function isWideBreak(c: number): boolean {
  return c === NEL || c === LINE_SEPARATOR || c === PARAGRAPH_SEPARATOR;
}

/** A line break of YAML 1.1: CR, LF, NEL, LS, PS. */
export function isBreak(c: number): boolean {
  return c < 128 ? c === 10 || c === 13 : isWideBreak(c);
}

/** A line break or the end. */
export function isBreakOrEnd(c: number): boolean {
  return c < 128 ? c === 10 || c === 13 || c === 0 : isWideBreak(c);
}

/** A space or a tab. */
export function isBlank(c: number): boolean {
  return c === 32 || c === 9;
}

/** A blank, a line break or the end. */
export function isBlankOrEnd(c: number): boolean {
  return c < 128 ? (classes[c]! & (BLANK | BREAK | END)) !== 0 : isWideBreak(c);
}

/** A letter, a digit, `_` or `-`. */
export function isWord(c: number): boolean {
  return c < 128 && (classes[c]! & WORD) !== 0;
}

/** A decimal digit. */
export function isDigit(c: number): boolean {
  return c >= 48 && c <= 57;
}

/** A character of a tag's URI. */
export function isUri(c: number): boolean {
  return c < 128 && (classes[c]! & URI) !== 0;
}

/** The value of a hexadecimal digit, or -1. */
export function hexValue(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  if (c >= 65 && c <= 70) return c - 55;
  return c >= 97 && c <= 102 ? c - 87 : -1;
}

/**
 * Index of the first character at or after `at` that may end a plain scalar's run of non-blank characters: a blank, break, end, `:`,
 * or in a flow collection one of its indicators.
 */
export function plainRunEnd(text: string, at: number, inFlow: boolean): number {
  const stop = inFlow ? BLANK | BREAK | END | COLON | FLOW : BLANK | BREAK | END | COLON;
  for (let i = at; ; i++) {
    const c = text.charCodeAt(i);
    if (c < 128 ? (classes[c]! & stop) !== 0 : isWideBreak(c)) return i;
  }
}

/** True for a high surrogate: the first half of a character beyond the BMP, which libyaml counts as one. */
export function isHighSurrogate(c: number): boolean {
  return c >= 0xd800 && c <= 0xdbff;
}
