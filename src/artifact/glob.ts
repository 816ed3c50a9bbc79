/** A pattern for one path segment, as Go's `filepath.Match` on Unix; `undefined` when Go calls it malformed (it then matches nothing). */
export type SegmentGlob = (name: string) => boolean;

type Token =
  | { kind: 'star' }
  | { kind: 'any' }
  | { kind: 'character'; value: string }
  | { kind: 'class'; negated: boolean; ranges: readonly [string, string][] };

/** Compiles a segment pattern: `*`, `?`, `[a-z]`, `[^a-z]`, `\x`. Matching is at worst quadratic in the name's length. */
export function compileGlob(pattern: string): SegmentGlob | undefined {
  if (!/[*?[\\]/.test(pattern)) return (name) => name === pattern;
  const tokens = parseTokens(Array.from(pattern));
  if (tokens === undefined) return undefined;
  return (name) => matches(tokens, name);
}

function parseTokens(pattern: readonly string[]): Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const character = pattern[at] ?? '';
    if (character === '[') {
      const parsed = parseClass(pattern, at + 1);
      if (parsed === undefined) return undefined;
      tokens.push(parsed.token);
      at = parsed.next;
    } else if (character === '\\') {
      const escaped = pattern[at + 1];
      if (escaped === undefined) return undefined;
      tokens.push({ kind: 'character', value: escaped });
      at += 2;
    } else {
      if (character === '*') {
        if (tokens.at(-1)?.kind !== 'star') tokens.push({ kind: 'star' });
      } else tokens.push(character === '?' ? { kind: 'any' } : { kind: 'character', value: character });
      at++;
    }
  }
  return tokens;
}

function parseClass(pattern: readonly string[], start: number): { token: Token; next: number } | undefined {
  let at = start;
  const negated = pattern[at] === '^';
  if (negated) at++;
  const ranges: [string, string][] = [];
  for (;;) {
    if (pattern[at] === ']' && ranges.length > 0) return { token: { kind: 'class', negated, ranges }, next: at + 1 };
    const low = classCharacter(pattern, at);
    if (low === undefined) return undefined;
    at = low.next;
    let high = low.value;
    if (pattern[at] === '-') {
      const upper = classCharacter(pattern, at + 1);
      if (upper === undefined) return undefined;
      high = upper.value;
      at = upper.next;
    }
    ranges.push([low.value, high]);
  }
}

/** A member of a class; Go wants something to follow it. */
function classCharacter(pattern: readonly string[], start: number): { value: string; next: number } | undefined {
  let at = start;
  if (pattern[at] === undefined || pattern[at] === '-' || pattern[at] === ']') return undefined;
  if (pattern[at] === '\\') at++;
  const value = pattern[at];
  return value === undefined || pattern[at + 1] === undefined ? undefined : { value, next: at + 1 };
}

function matches(tokens: readonly Token[], name: string): boolean {
  const characters = Array.from(name);
  let token = 0;
  let star = -1;
  let resume = 0;
  for (let at = 0; at < characters.length;) {
    const current = tokens[token];
    if (current !== undefined && current.kind !== 'star' && matchesOne(current, characters[at] ?? '')) {
      token++;
      at++;
    } else if (current?.kind === 'star') {
      star = token++;
      resume = at;
    } else if (star >= 0) {
      token = star + 1;
      at = ++resume;
    } else return false;
  }
  while (tokens[token]?.kind === 'star') token++;
  return token === tokens.length;
}

function matchesOne(token: Exclude<Token, { kind: 'star' }>, character: string): boolean {
  if (token.kind === 'any') return true;
  if (token.kind === 'character') return token.value === character;
  const point = character.codePointAt(0) ?? 0;
  const inside = token.ranges.some(([low, high]) => (low.codePointAt(0) ?? 0) <= point && point <= (high.codePointAt(0) ?? 0));
  return inside !== token.negated;
}
