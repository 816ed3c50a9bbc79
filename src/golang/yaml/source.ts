import { isUtf8 } from 'node:buffer';
import { bytesToText, isEscapedByte, textToBytes } from '../text.ts';
import { checkLength, type YamlLimits } from './limits.ts';

/** A text made ready for the scanner. */
export type YamlSource = {
  /** The text without a byte order mark, and NULs after its end. */
  readonly text: string;
  /** There are characters beyond the BMP. */
  readonly hasPairs: boolean;
  /** Nothing but characters of the BMP, and `\n` the only line break. */
  readonly simple: boolean;
  /** What libyaml's reader finds wrong with the text; undefined when nothing. */
  readonly problem: string | undefined;
  /** Code units before the block that the reader refuses; the scanner may still fail on its own in them. */
  readonly readable: number;
};

const END = '\0\0\0\0';
const READ_BLOCK = 512;
/** Stands for the last byte of UTF-16 that is half a character: pairs with nothing before it. */
const HALF = '\ud800';
const INCOMPLETE = 'incomplete';
const CONTROL_CHARACTERS = 'control characters are not allowed';
/** One test for the common text: nothing forbidden, nothing beyond the BMP, no other line break than `\n`. */
const UNUSUAL = /[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
const FORBIDDEN = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/**
 * Makes a text ready for scanning. Bytes are UTF-8, or UTF-16 after its byte order mark, as libyaml detects them; bytes outside UTF-8
 * are refused with libyaml's words.
 */
export function yamlSource(input: string | Uint8Array, limits: YamlLimits): YamlSource {
  checkLength(input.length, limits);
  const bytes = typeof input !== 'string' ? input : startsAsUtf16(input) ? textToBytes(input) : undefined;
  const order = bytes === undefined ? undefined : utf16Order(bytes);
  const decoded = bytes === undefined ? String(input) : decode(bytes, order);
  const hasMark = decoded.charCodeAt(0) === 0xfeff;
  const text = hasMark ? decoded.slice(1) : decoded;
  const simple = !UNUSUAL.test(text);
  const at = simple ? -1 : text.search(FORBIDDEN);
  if (at < 0) return { text: text + END, hasPairs: !simple, simple, problem: undefined, readable: text.length };
  const problem = order === undefined ? problemAt(text, at) : pairProblem(text, at, (bytes?.length ?? 0) % 2 === 1);
  // That a sequence is cut off shows only at the end of the input, when everything before it has been read.
  const readable = problem.startsWith(INCOMPLETE) ? at : readableLength(text, at, hasMark ? 3 : 0);
  return { text: text.slice(0, readable) + END, hasPairs: true, simple, problem, readable };
}

/** A text made of UTF-16 bytes: its byte order mark stands as two bytes outside UTF-8. */
function startsAsUtf16(text: string): boolean {
  const c = text.charCodeAt(0);
  return (c === 0xdcff && text.charCodeAt(1) === 0xdcfe) || (c === 0xdcfe && text.charCodeAt(1) === 0xdcff);
}

/** The byte order of UTF-16 that bytes begin with the mark of. */
function utf16Order(bytes: Uint8Array): 'little' | 'big' | undefined {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'little';
  return first === 0xfe && second === 0xff ? 'big' : undefined;
}

function decode(bytes: Uint8Array, order: 'little' | 'big' | undefined): string {
  if (order === 'little') return decodeUtf16(Buffer.from(bytes));
  if (order === 'big') return decodeUtf16(Buffer.from(bytes.length % 2 === 0 ? bytes : [...bytes, 0]).swap16(), bytes.length);
  return isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString() : bytesToText(bytes);
}

/** UTF-16 little endian; half a character at the end stands as a lone surrogate no other input gives. */
function decodeUtf16(bytes: Buffer, length: number = bytes.length): string {
  const text = bytes.toString('utf16le', 0, length - (length % 2));
  return length % 2 === 0 ? text : text + HALF;
}

/** What libyaml says of a character it does not take. A byte outside UTF-8 is a lone surrogate (see text.ts). */
function problemAt(text: string, at: number): string {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdfff) return CONTROL_CHARACTERS;
  if (!isEscapedByte(code)) return 'invalid Unicode character';
  const bytes = textToBytes(text.slice(at, at + 4));
  const width = sequenceWidth(bytes[0]!);
  if (width === 0) return 'invalid leading UTF-8 octet';
  if (bytes.length < width) return `${INCOMPLETE} UTF-8 octet sequence`;
  let value = bytes[0]! & (0xff >> (width + 1));
  for (let k = 1; k < width; k++) {
    if ((bytes[k]! & 0xc0) !== 0x80) return 'invalid trailing UTF-8 octet';
    value = value * 64 + (bytes[k]! & 0x3f);
  }
  if (value < (width === 2 ? 0x80 : width === 3 ? 0x800 : 0x10000)) return 'invalid length of a UTF-8 sequence';
  return 'invalid Unicode character';
}

/** What libyaml says of a character of UTF-16 it does not take. `odd`: the last character stands for one byte. */
function pairProblem(text: string, at: number, odd: boolean): string {
  const code = text.charCodeAt(at);
  if (code < 0xd800 || code > 0xdfff) return CONTROL_CHARACTERS;
  const left = text.length - at - (odd ? 1 : 0);
  if (left === 0) return `${INCOMPLETE} UTF-16 character`;
  if (code >= 0xdc00) return 'unexpected low surrogate area';
  return left === 1 ? `${INCOMPLETE} UTF-16 surrogate pair` : 'expected low surrogate area';
}

/** Bytes that a leading octet beyond ASCII promises; 0 when it cannot lead. */
function sequenceWidth(octet: number): number {
  if ((octet & 0xe0) === 0xc0) return 2;
  if ((octet & 0xf0) === 0xe0) return 3;
  return (octet & 0xf8) === 0xf0 ? 4 : 0;
}

function encodedWidth(code: number): number {
  if (isEscapedByte(code)) return 1;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

/** Code units before the block with the character at `at`: libyaml decodes 512 bytes at once, and fails on a whole block. */
function readableLength(text: string, at: number, skipped: number): number {
  let bytes = skipped;
  let block = 0;
  let readable = 0;
  for (let i = 0; i <= at; i++) {
    const code = text.codePointAt(i)!;
    const width = i === at && isEscapedByte(code) ? Math.max(sequenceWidth(code & 0xff), 1) : encodedWidth(code);
    if (bytes + width - block > READ_BLOCK) {
      block = bytes;
      readable = i;
    }
    bytes += width;
    if (code > 0xffff) i += 1;
  }
  return readable;
}
