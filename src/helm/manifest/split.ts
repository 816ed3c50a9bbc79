import type { Rules } from '../profile.ts';

const LEADING_SPACE = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;
const NOT_SPACE = /[^\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** `---` at the start of a line, with the blanks behind it (Helm 4.2.4). */
const SEPARATOR_LINE = /(?<![^\n])---[ \t]*/g;

/** The documents of a rendered file, blank ones left out. How blank lines around separators are kept depends on the Helm version. */
export function splitManifests(text: string, { separator }: Pick<Rules, 'separator'>): string[] {
  const start = trimLeft(text);
  if (!start.includes('---')) return isBlank(start) ? [] : [separator === 'trimmed' ? trim(start) : start];
  // Helm 3 keeps a document that is blank, but not one that is nothing at all.
  if (separator === 'trimmed') {
    return splitWithBlanks(trim(start))
      .filter((piece) => piece !== '')
      .map(trim);
  }
  const pieces = separator === 'line' ? start.split(SEPARATOR_LINE) : splitWithBlanks(start);
  return pieces.filter((piece) => !isBlank(piece)).map(trimLeft);
}

/** Cuts at `---` after a line break (or at the very start), the white space around it included, as `(?:^|\s*\n)---\s*` matches. */
function splitWithBlanks(text: string): string[] {
  const pieces: string[] = [];
  let from = 0;
  for (let at = text.indexOf('---'); at >= 0;) {
    const afterBreak = at > from && text.charCodeAt(at - 1) === 0x0a;
    if (at !== 0 && !afterBreak) {
      at = text.indexOf('---', at + 1);
      continue;
    }
    let before = at;
    while (before > from && isAsciiSpace(text.charCodeAt(before - 1))) before -= 1;
    let after = at + 3;
    while (isAsciiSpace(text.charCodeAt(after))) after += 1;
    pieces.push(text.slice(from, before));
    from = after;
    at = text.indexOf('---', from);
  }
  pieces.push(text.slice(from));
  return pieces;
}

function isAsciiSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d || code === 0x0c;
}

/** True when there is nothing but what Go calls white space. */
export function isBlank(text: string): boolean {
  return !NOT_SPACE.test(text);
}

/** Go's strings.TrimLeftFunc(text, unicode.IsSpace). */
export function trimLeft(text: string): string {
  return text.replace(LEADING_SPACE, '');
}

/** Go's strings.TrimSpace. */
export function trim(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text[end - 1] ?? '')) end -= 1;
  return trimLeft(text.slice(0, end));
}
