import {
  checkConstraint,
  compareVersions,
  type Constraint,
  GoRegexp,
  parseConstraint,
  parseVersion,
  type Version,
} from '../golang/index.ts';
import { errorMessage } from '../std/index.ts';
import { usage } from './artifact-registry.ts';

/** Which tags are listed. */
export type TagFilters = { semver?: string; regex?: string };

/** The tags that pass, the highest version first when versions were asked for, else as they came (A09). */
export function filterTags(tags: readonly string[], filters: TagFilters): string[] {
  const pattern = filters.regex === undefined ? undefined : parse('regex', filters.regex, (text) => GoRegexp.compile(text));
  const matching = tags.filter((tag) => pattern?.test(tag) ?? true);
  if (filters.semver === undefined) return matching;
  const range = parse('semver', filters.semver, parseConstraint);
  return matching
    .flatMap((tag) => versionWithin(tag, range))
    .toSorted((a, b) => compareVersions(b.version, a.version))
    .map(({ tag }) => tag);
}

function versionWithin(tag: string, range: Constraint): { tag: string; version: Version }[] {
  if (tag.split('.').length < 3) return [];
  try {
    const version = parseVersion(tag);
    return checkConstraint(range, version) ? [{ tag, version }] : [];
  } catch {
    // Tags may be anything; those that are no versions are not listed.
    return [];
  }
}

function parse<T>(what: string, text: string, read: (text: string) => T): T {
  try {
    return read(text);
  } catch (error) {
    throw usage(`${what} '${text}' parse error: ${errorMessage(error)}`);
  }
}
