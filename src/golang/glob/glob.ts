import { Lru } from '../../std/index.ts';
import { budgetExceeded } from '../go-error.ts';
import { textToBytes } from '../text.ts';
import { compileNode } from './compile.ts';
import { GlobWork, type Matcher } from './matcher.ts';
import { parseGlob } from './pattern.ts';

/** Characters of one glob. */
export const MAX_GLOB = 400;
/** Steps of matching one name. */
export const MAX_GLOB_WORK = 2_000_000;

/** Tells whether a name matches. */
export type Glob = (name: string) => boolean;

const cache = new Lru<string, Matcher>(500);

/**
 * gobwas/glob Compile: `*` stops at `separators` (ASCII), `**` does not, `?`, `[a-c]`, `[!abc]`, `{a,b}`, backslash escapes.
 * Throws a GoError with the library's text.
 */
export function compileGlob(pattern: string, separators = '/'): Glob {
  if (pattern.length > MAX_GLOB) throw budgetExceeded('length of a glob', MAX_GLOB);
  const key = `${separators} ${pattern}`;
  let matcher = cache.get(key);
  if (matcher === undefined) {
    matcher = compileNode(parseGlob(pattern), separators);
    cache.set(key, matcher);
  }
  const compiled = matcher;
  return (name) => compiled.match(Buffer.from(textToBytes(name)).toString('latin1'), new GlobWork(MAX_GLOB_WORK));
}
