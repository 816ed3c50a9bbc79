const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
};

/** A text as a basic string. */
export function quotedText(text: string): string {
  return `"${text.replace(/["\\\u0000-\u001f\u007f]/g, (char) => ESCAPES[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
}

/** One part of a key, quoted where it has to be. */
export function keyPart(part: string): string {
  return /^[A-Za-z0-9_-]+$/.test(part) ? part : part === '' ? '""' : quotedText(part);
}

/** A dotted key. */
export function keyText(parts: readonly string[]): string {
  return parts.map(keyPart).join('.');
}
