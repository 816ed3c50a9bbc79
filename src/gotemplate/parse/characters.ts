/** White space between tokens; a code past the text (NaN) is none. */
export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

/** An ASCII digit. */
export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** An ASCII letter, digit or underscore. */
export function isAsciiWord(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || isDigit(code) || code === 0x5f;
}

/** Where the line that `from` is in ends; past the text for the last one. */
export function endOfLine(input: string, from: number): number {
  const found = input.indexOf('\n', from);
  return found < 0 ? Number.POSITIVE_INFINITY : found;
}

/** Where the run of spaces that ends at `end` begins, not before `from`. */
export function spaceBefore(input: string, from: number, end: number): number {
  let at = end;
  while (at > from && isSpace(input.charCodeAt(at - 1))) at--;
  return at;
}

/** Where the run of spaces that begins at `from` ends. */
export function spaceAfter(input: string, from: number): number {
  let at = from;
  while (isSpace(input.charCodeAt(at))) at++;
  return at;
}
