import { runeAt } from './bytes.ts';
import { SubstitutionError } from './errors.ts';

/** Steps one trim may take: patterns with many stars over long values would otherwise take minutes. */
const MAX_STEPS = 20_000_000;

class BadPattern extends Error {}

/** Counts steps over all matches of one trim. */
export type Budget = { steps: number };

/** A fresh budget. */
export function newBudget(): Budget {
  return { steps: 0 };
}

function spend(budget: Budget, steps: number): void {
  budget.steps += steps;
  if (budget.steps > MAX_STEPS) {
    throw new SubstitutionError({ code: 'LimitExceeded', message: `match pattern: more than ${MAX_STEPS} steps`, retryable: false });
  }
}

/**
 * Matches a whole byte string against a shell pattern: Go's path.Match, except that `*` also spans `/` and a trailing `*` always matches
 * (fluxcd/pkg envsubst/path). `undefined` when the pattern is malformed.
 */
export function matchPattern(pattern: string, name: string, budget: Budget): boolean | undefined {
  try {
    return match(pattern, name, budget);
  } catch (error) {
    if (error instanceof BadPattern) return undefined;
    throw error;
  }
}

function match(pattern: string, name: string, budget: Budget): boolean {
  let rest = name;
  for (let left = pattern; left !== '';) {
    const { star, chunk, after } = scanChunk(left);
    left = after;
    if (star && chunk === '') return true;
    const found = findChunk(chunk, rest, star, left === '', budget);
    if (found === undefined) return false;
    rest = found;
  }
  return rest === '';
}

/** What is left of `name` after the chunk; the last chunk must use all of it up. */
function findChunk(chunk: string, name: string, star: boolean, last: boolean, budget: Budget): string | undefined {
  const direct = matchChunk(chunk, name, budget);
  if (direct !== undefined && (direct === '' || !last)) return direct;
  if (!star) return undefined;
  for (let i = 0; i < name.length; i++) {
    const found = matchChunk(chunk, name.slice(i + 1), budget);
    if (found !== undefined && !(last && found !== '')) return found;
  }
  return undefined;
}

function scanChunk(pattern: string): { star: boolean; chunk: string; after: string } {
  let from = 0;
  while (pattern[from] === '*') from++;
  let inRange = false;
  let at = from;
  for (; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === '\\') {
      if (at + 1 < pattern.length) at++;
    } else if (character === '[') inRange = true;
    else if (character === ']') inRange = false;
    else if (character === '*' && !inRange) break;
  }
  return { star: from > 0, chunk: pattern.slice(from, at), after: pattern.slice(at) };
}

/** Matches one-character operators at the beginning of `text`; what is left of it, or undefined. */
function matchChunk(chunk: string, text: string, budget: Budget): string | undefined {
  let at = 0;
  for (let i = 0; i < chunk.length;) {
    spend(budget, 1);
    if (at >= text.length) return undefined;
    const character = chunk[i];
    if (character === '[') {
      const { rune, width } = runeAt(text, at);
      at += width;
      const result = matchClass(chunk, i + 1, rune);
      if (!result.matched) return undefined;
      i = result.next;
    } else if (character === '?') {
      at += runeAt(text, at).width;
      i++;
    } else {
      if (character === '\\') i++;
      if (i >= chunk.length) throw new BadPattern();
      if (chunk[i] !== text[at]) return undefined;
      at++;
      i++;
    }
  }
  return text.slice(at);
}

function matchClass(chunk: string, start: number, rune: number): { matched: boolean; next: number } {
  let at = start;
  const negated = chunk[at] === '^';
  if (negated) at++;
  let inside = false;
  for (let count = 0; ; count++) {
    if (chunk[at] === ']' && count > 0) return { matched: inside !== negated, next: at + 1 };
    const low = classRune(chunk, at);
    at = low.next;
    let high = low.rune;
    if (chunk[at] === '-') {
      const upper = classRune(chunk, at + 1);
      high = upper.rune;
      at = upper.next;
    }
    if (low.rune <= rune && rune <= high) inside = true;
  }
}

function classRune(chunk: string, start: number): { rune: number; next: number } {
  let at = start;
  if (at >= chunk.length || chunk[at] === '-' || chunk[at] === ']') throw new BadPattern();
  if (chunk[at] === '\\') at++;
  if (at >= chunk.length) throw new BadPattern();
  const { rune, width } = runeAt(chunk, at);
  if ((rune === 0xfffd && width === 1) || at + width >= chunk.length) throw new BadPattern();
  return { rune, next: at + width };
}
