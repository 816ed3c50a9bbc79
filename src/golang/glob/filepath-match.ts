import { GoError } from '../go-error.ts';

/** Why a pattern is malformed: filepath.ErrBadPattern. */
const BAD_PATTERN = 'syntax error in pattern';

/**
 * filepath.Match on Unix: `*` and `?` stop at '/', `[a-c]`, `[^abc]`, backslash escapes; the whole name must match.
 * Throws a GoError for a malformed pattern, but like Go only as far as it gets to look.
 */
export function filepathMatch(pattern: string, name: string): boolean {
  let rest = pattern;
  let left = name;
  while (rest !== '') {
    const { star, chunk, rest: after } = scanChunk(rest);
    rest = after;
    if (star && chunk === '') return !left.includes('/');
    const next = matchAt(chunk, left, rest === '') ?? (star ? matchLater(chunk, left, rest === '') : undefined);
    if (next === undefined) return false;
    left = next;
  }
  return left === '';
}

/** The remainder of `name` after the chunk; for the last chunk only when nothing remains. */
function matchAt(chunk: string, name: string, last: boolean): string | undefined {
  const rest = matchChunk(chunk, name);
  return rest === undefined || (last && rest !== '') ? undefined : rest;
}

/** Skips characters for a star until the chunk matches. */
function matchLater(chunk: string, name: string, last: boolean): string | undefined {
  for (let i = 0; i < name.length && name[i] !== '/'; i++) {
    const rest = matchAt(chunk, name.slice(i + 1), last);
    if (rest !== undefined) return rest;
  }
  return undefined;
}

/** Text without stars, perhaps after stars. */
function scanChunk(pattern: string): { star: boolean; chunk: string; rest: string } {
  const body = pattern.replace(/^\*+/, '');
  let inRange = false;
  let at = 0;
  for (; at < body.length; at++) {
    const char = body[at];
    if (char === '\\') at += at + 1 < body.length ? 1 : 0;
    else if (char === '[') inRange = true;
    else if (char === ']') inRange = false;
    else if (char === '*' && !inRange) break;
  }
  return { star: body.length < pattern.length, chunk: body.slice(0, at), rest: body.slice(at) };
}

/** The remainder of `text` after the chunk, or undefined; the chunk's syntax is checked to its end either way. */
function matchChunk(chunk: string, text: string): string | undefined {
  let at = 0;
  let from = 0;
  let failed = false;
  while (at < chunk.length) {
    failed ||= from >= text.length;
    const code = text.codePointAt(from) ?? 0;
    const width = code > 0xffff ? 2 : 1;
    if (chunk[at] === '[') {
      const set = readSet(chunk, at + 1, code);
      failed ||= !set.matches;
      at = set.next;
      from += width;
      continue;
    }
    if (chunk[at] === '?') {
      failed ||= text[from] === '/';
      from += width;
    } else {
      if (chunk[at] === '\\') at += 1;
      if (at >= chunk.length) throw new GoError(BAD_PATTERN);
      failed ||= chunk[at] !== text[from];
      from += 1;
    }
    at += 1;
  }
  return failed ? undefined : text.slice(from);
}

function readSet(chunk: string, start: number, code: number): { matches: boolean; next: number } {
  let at = start;
  const negated = chunk[at] === '^';
  if (negated) at += 1;
  let matches = false;
  for (let ranges = 0; chunk[at] !== ']' || ranges === 0; ranges++) {
    const low = readSetChar(chunk, at);
    at = low.next;
    let high = low;
    if (chunk[at] === '-') {
      high = readSetChar(chunk, at + 1);
      at = high.next;
    }
    matches ||= low.code <= code && code <= high.code;
  }
  return { matches: matches !== negated, next: at + 1 };
}

function readSetChar(chunk: string, start: number): { code: number; next: number } {
  const escaped = chunk[start] === '\\';
  if (!escaped && (start >= chunk.length || chunk[start] === '-' || chunk[start] === ']')) throw new GoError(BAD_PATTERN);
  const at = escaped ? start + 1 : start;
  const code = chunk.codePointAt(at);
  const next = at + ((code ?? 0) > 0xffff ? 2 : 1);
  if (code === undefined || (code >= 0xd800 && code <= 0xdfff) || next >= chunk.length) throw new GoError(BAD_PATTERN);
  return { code, next };
}
