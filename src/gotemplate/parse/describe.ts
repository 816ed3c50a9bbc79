/** Go's `%#U` of a code point: `U+0022 '"'`, without the character where it does not print. */
export function formatUnicode(code: number): string {
  const number = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  const char = String.fromCodePoint(code);
  return / |[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char) ? `${number} '${char}'` : number;
}
