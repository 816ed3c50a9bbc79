import { GoError, GoRegexp } from '../../golang/index.ts';

/** A compiled `pattern`: RE2 syntax, linear time, matches anywhere in the text. */
export type Pattern = { readonly source: string; readonly test: (text: string) => boolean };

/** Compiles a pattern as Go's regexp does; a string is Go's error text. */
export function compilePattern(source: string): Pattern | string {
  try {
    const compiled = GoRegexp.compile(source);
    return { source, test: (text) => compiled.test(text) };
  } catch (error) {
    if (error instanceof GoError) return error.message;
    throw error;
  }
}
