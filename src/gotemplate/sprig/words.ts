import {
  budgetExceeded,
  bytesToText,
  isDigit,
  isLetter,
  isLower,
  isSpace,
  isTitle,
  isUpper,
  lowerRune,
  MAX_TEXT,
  textToBytes,
  titleRune,
  upperRune,
} from '../../golang/index.ts';

/** A map over the runes that remembers something between them. */
function mapRunes<S>(value: string, state: S, step: (code: number, state: S) => { code: number; state: S }): string {
  let out = '';
  let current = state;
  for (const rune of value.toWellFormed()) {
    const next = step(rune.codePointAt(0) ?? 0, current);
    current = next.state;
    out += String.fromCodePoint(next.code);
  }
  return out;
}

/** strings.Title's idea of what ends a word. */
function isSeparator(code: number): boolean {
  if (code <= 0x7f) return !/[0-9A-Za-z_]/.test(String.fromCharCode(code));
  return !isLetter(code) && !isDigit(code) && isSpace(code);
}

/** strings.Title: the first letter of each word in title case. */
export function title(value: string): string {
  return mapRunes(value, 0x20, (code, before) => ({ code: isSeparator(before) ? titleRune(code) : code, state: code }));
}

/** The first letter after space in lower case. */
export function untitle(value: string): string {
  return mapRunes(value, true, (code, first) => {
    if (isSpace(code)) return { code, state: true };
    return { code: first ? lowerRune(code) : code, state: false };
  });
}

/** Upper to lower and back; a lower case letter after space becomes title case. */
export function swapCase(value: string): string {
  return mapRunes(value, true, (code, afterSpace) => {
    if (isUpper(code) || isTitle(code)) return { code: lowerRune(code), state: false };
    if (isLower(code)) return afterSpace ? { code: titleRune(code), state: false } : { code: upperRune(code), state: false };
    return { code, state: isSpace(code) };
  });
}

/** Bytes taken for Latin-1 characters, as goutils does: text beyond ASCII comes out mangled, exactly as in Go. */
function asLatin1(value: string): string[] {
  return [...Buffer.from(textToBytes(value)).toString('latin1')];
}

/** Text without space; text with space in it is mangled where it is not ASCII. */
export function nospace(value: string): string {
  const chars = asLatin1(value);
  const kept = chars.filter((char) => !isSpace(char.charCodeAt(0)));
  return kept.length === chars.length ? value : kept.join('');
}

/** The first byte of each word. */
export function initials(value: string): string {
  let out = '';
  let afterGap = true;
  for (const char of asLatin1(value)) {
    const gap = isSpace(char.charCodeAt(0));
    if (!gap && afterGap) out += char;
    afterGap = gap;
  }
  return out;
}

/**
 * Wraps at spaces so that lines have at most `width` bytes; words longer than that are cut only when `breakWords`.
 * Works on bytes, so it can cut a rune.
 */
export function wrap(value: string, width: number, newline: string, breakWords: boolean): string {
  const line = newline === '' ? '\n' : newline;
  const bytes = Buffer.from(textToBytes(value));
  const columns = Math.max(width, 1);
  const parts: Uint8Array[] = [];
  const end = Buffer.from(textToBytes(line));
  // At most a separator after every `columns` bytes.
  if (bytes.length + Math.ceil(bytes.length / columns) * end.length > MAX_TEXT) throw budgetExceeded('length of a wrapped text', MAX_TEXT);
  let at = 0;
  while (bytes.length - at > columns) {
    if (bytes[at] === 0x20) {
      at += 1;
      continue;
    }
    const space = bytes.subarray(at, at + columns + 1).lastIndexOf(0x20);
    if (space >= 0) {
      parts.push(bytes.subarray(at, at + space), end);
      at += space + 1;
    } else if (breakWords) {
      parts.push(bytes.subarray(at, at + columns), end);
      at += columns;
    } else {
      const next = bytes.indexOf(0x20, at + columns);
      if (next < 0) break;
      parts.push(bytes.subarray(at, next), end);
      at = next + 1;
    }
  }
  return bytesToText(Buffer.concat([...parts, bytes.subarray(at)]));
}
