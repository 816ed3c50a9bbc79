import { RE2JS } from 're2js';
import { errorMessage, Lru } from '../../std/index.ts';

/** A compiled `pattern`: RE2 syntax, linear time, matches anywhere in the text. */
export type Pattern = { readonly source: string; readonly test: (text: string) => boolean };

const patterns = new Lru<string, Pattern | string>(1000);

/** Compiles a pattern as Go's regexp does; a string is Go's error text. Compiled ones are kept. */
export function compilePattern(source: string): Pattern | string {
  let pattern = patterns.get(source);
  if (pattern === undefined) {
    pattern = compile(source);
    patterns.set(source, pattern);
  }
  return pattern;
}

function compile(source: string): Pattern | string {
  try {
    const compiled = RE2JS.compile(source);
    return { source, test: (text) => compiled.matcher(text).find() };
  } catch (error) {
    return errorMessage(error);
  }
}
