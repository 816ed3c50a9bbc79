import { bytesToText, textToBytes } from '../golang/index.ts';

/*
 * Go strings are bytes, and this language counts bytes (`${v:1:3}`, `${#v}`). Here text is held as a "byte string": a JavaScript string
 * with one character of code 0–255 per byte. ASCII text, the usual case, is the same in both forms.
 */

// oxlint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/;

/** A text as byte string. */
export function toByteString(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(textToBytes(text)).toString('latin1');
}

/** The text of a byte string. */
export function fromByteString(bytes: string): string {
  return ASCII.test(bytes) ? bytes : bytesToText(Buffer.from(bytes, 'latin1'));
}

/** The rune at a position of a byte string and its width, as utf8.DecodeRuneInString: U+FFFD of width 1 where there is none. */
export function runeAt(bytes: string, at: number): { rune: number; width: number } {
  const first = bytes.charCodeAt(at);
  if (first < 0x80) return { rune: first, width: 1 };
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1;
  const text = Buffer.from(bytes.slice(at, at + width), 'latin1').toString('utf8');
  const rune = text.codePointAt(0) ?? 0xfffd;
  return rune === 0xfffd && text !== '\ufffd' ? { rune: 0xfffd, width: 1 } : { rune, width: rune === 0xfffd && width !== 3 ? 1 : width };
}
