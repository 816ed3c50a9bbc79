/** One token of a JSON pointer, escaped (RFC 6901 §3). */
export function escapePointer(token: string): string {
  return /[~/]/.test(token) ? token.replaceAll('~', '~0').replaceAll('/', '~1') : token;
}

/** The token behind an escaped one; undefined when `~` is followed by neither 0 nor 1. */
export function unescapePointer(token: string): string | undefined {
  if (!token.includes('~')) return token;
  if (/~(?![01])/.test(token)) return undefined;
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}

const PATH_SEGMENT_KEEPS = /[A-Za-z0-9\-_.~$&+=:@]/;

/** Percent-encodes a fragment token by token, as Go's url.PathEscape does. */
export function encodeFragment(fragment: string): string {
  if (!/[^A-Za-z0-9\-_.~$&+=:@/]/.test(fragment)) return fragment;
  let out = '';
  for (const char of fragment) {
    if (char === '/' || PATH_SEGMENT_KEEPS.test(char)) out += char;
    else for (const byte of Buffer.from(char)) out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** A JSON pointer of tokens. */
export function pointerOf(tokens: readonly string[]): string {
  let out = '';
  for (const token of tokens) out += `/${escapePointer(token)}`;
  return out;
}
