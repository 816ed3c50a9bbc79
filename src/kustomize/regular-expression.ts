import { RE2JS, RE2JSException } from 're2js';
import { KustomizeError } from './errors.ts';

/** True when a text fits. */
export type TextMatcher = (text: string) => boolean;

const PLAIN = /^[-A-Za-z0-9_/:@ ]*$/;

/** A Go regular expression (RE2: linear time, no back-references) as a test for some match in a text. */
export function compile(pattern: string): TextMatcher {
  try {
    const program = RE2JS.compile(pattern);
    return (text) => program.matcher(text).find();
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new KustomizeError('TransformFailed', error.message, { subject: pattern, cause: error });
  }
}

/** A Go regular expression that must fit a whole text; the empty one fits everything. */
export function compileAnchored(pattern: string): TextMatcher {
  if (pattern === '') return () => true;
  return PLAIN.test(pattern) ? (text) => text === pattern : compile(`^(?:${pattern})$`);
}
