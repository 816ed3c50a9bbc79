import { filepathMatch } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';

/** Decides whether a path of a chart folder is left out. */
export type IgnoreRules = (path: string, isDirectory: boolean) => boolean;

type Rule = { readonly negated: boolean; readonly directoriesOnly: boolean; readonly matches: (path: string) => boolean };

/**
 * Reads a .helmignore. Its rules are Helm's own, not Git's: no `**`, the first rule that applies decides, a negated rule leaves out
 * everything it does *not* match. Dotfiles in templates/ are always left out.
 * @throws CodedError `ChartInvalid`
 */
export function parseIgnore(text: string): IgnoreRules {
  const rules = [...text.split(/\r?\n/), 'templates/.?*'].flatMap((line) => parseRule(line) ?? []);
  return (path, isDirectory) => {
    for (const rule of rules) {
      if (rule.negated) {
        if ((rule.directoriesOnly && !isDirectory) || !rule.matches(path)) return true;
      } else if ((!rule.directoriesOnly || isDirectory) && rule.matches(path)) return true;
    }
    return false;
  };
}

function parseRule(line: string): Rule | undefined {
  let pattern = line.trim();
  if (pattern === '' || pattern.startsWith('#')) return undefined;
  if (pattern.includes('**')) throw helmError('ChartInvalid', 'double-star (**) syntax is not supported', { subject: pattern });
  matches(pattern, 'abc');
  const negated = pattern.startsWith('!');
  if (negated) pattern = pattern.slice(1);
  const directoriesOnly = pattern.endsWith('/');
  if (directoriesOnly) pattern = pattern.slice(0, -1);
  if (pattern.startsWith('/')) {
    const rooted = pattern.slice(1);
    return { negated, directoriesOnly, matches: (path) => matches(rooted, path) };
  }
  if (pattern.includes('/')) return { negated, directoriesOnly, matches: (path) => matches(pattern, path) };
  return { negated, directoriesOnly, matches: (path) => matches(pattern, path.slice(path.lastIndexOf('/') + 1)) };
}

function matches(pattern: string, path: string): boolean {
  try {
    return filepathMatch(pattern, path);
  } catch (error) {
    throw helmError('ChartInvalid', errorMessage(error), { subject: pattern, cause: error });
  }
}
