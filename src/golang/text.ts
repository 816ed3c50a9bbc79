import { compareUtf8 } from '../std/index.ts';

/*
 * Go strings are bytes, JavaScript strings are UTF-16. Here a Go string is a JavaScript string in which every byte that is not part of
 * valid UTF-8 stands as one lone surrogate, U+DC00 + byte (U+DC80–U+DCFF). Valid text needs nothing of this, so the common case
 * pays only a well-formedness check. `joinText` restores the invariant where pieces of a cut rune meet again.
 */

const encoder = new TextEncoder();
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const ESCAPE_FIRST = 0xdc80;
const ESCAPE_LAST = 0xdcff;

/** The bytes of a Go string. */
export function textToBytes(text: string): Uint8Array {
  if (text.isWellFormed()) return encoder.encode(text);
  const out = new Uint8Array(textByteLength(text));
  let at = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (isEscapedByte(code)) out[at++] = code & 0xff;
    else at += encoder.encodeInto(char, out.subarray(at)).written;
  }
  return out;
}

/** The Go string of some bytes. */
export function bytesToText(bytes: Uint8Array): string {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    // Not UTF-8: decoded byte by byte below, so nothing is lost.
    return decodeEscaped(bytes);
  }
}

function decodeEscaped(bytes: Uint8Array): string {
  let out = '';
  let from = 0;
  let at = 0;
  while (at < bytes.length) {
    const size = runeSize(bytes, at);
    if (size > 0) {
      at += size;
      continue;
    }
    if (at > from) out += strictDecoder.decode(bytes.subarray(from, at));
    out += String.fromCharCode(0xdc00 | (bytes[at] ?? 0));
    at += 1;
    from = at;
  }
  return at > from ? out + strictDecoder.decode(bytes.subarray(from, at)) : out;
}

/** Length in bytes of the valid UTF-8 sequence at `at`, or 0 when there is none (RFC 3629, as Go's utf8.DecodeRune). */
export function runeSize(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const second = bytes[at + 1] ?? 0;
  if (first < 0xe0) return second >> 6 === 2 ? 2 : 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high || (bytes[at + 2] ?? 0) >> 6 !== 2) return 0;
  if (first < 0xf0) return 3;
  return (bytes[at + 3] ?? 0) >> 6 === 2 ? 4 : 0;
}

/** True for the lone surrogate that stands for a byte outside UTF-8. `code` is a code unit or code point. */
export function isEscapedByte(code: number): boolean {
  return code >= ESCAPE_FIRST && code <= ESCAPE_LAST;
}

/** True when the Go string is valid UTF-8. */
export function isValidText(text: string): boolean {
  return text.isWellFormed();
}

/** `len` of a Go string: its bytes. */
export function textByteLength(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) length += 1;
    else if (code < 0xd800 || code > 0xdfff) length += 2;
    else if (code < 0xdc00) {
      // A pair: two code units, four bytes.
      length += 2;
      i += 1;
    }
  }
  return length;
}

/** True when every character is one byte, so byte offsets are string offsets. */
export function isAsciiText(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** `s[from:to]` in bytes; the caller has checked the bounds. */
export function sliceBytes(text: string, from: number, to: number): string {
  if (isAsciiText(text)) return text.slice(from, to);
  return bytesToText(textToBytes(text).subarray(from, to));
}

/** A concatenation whose pieces may hold parts of one rune: makes the result canonical again. Cheap for valid text. */
export function joinText(text: string): string {
  return text.isWellFormed() ? text : bytesToText(textToBytes(text));
}

/** Replaces every invalid byte by U+FFFD, as encoding/json and a range over a string do. */
export function toValidText(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed();
}

/** Runes of the string as Go's `[]rune(s)`: an invalid byte is U+FFFD. */
export function runes(text: string): string[] {
  return [...toValidText(text)];
}

/** Compares Go strings by bytes. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  if (a.isWellFormed() && b.isWellFormed()) return compareUtf8(a, b);
  return Buffer.compare(textToBytes(a), textToBytes(b));
}
