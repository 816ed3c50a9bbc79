import { Lru } from '../../std/index.ts';
import { GoError } from '../go-error.ts';
import { quote } from '../quote.ts';
import { GoRegexp } from '../regexp.ts';
import { textByteLength } from '../text.ts';
import { comparePrereleases, compareVersions, formatVersion, parseStrictVersion, parseVersion, type Version } from './version.ts';

const MAX_CONSTRAINT_BYTES = 512;
const MAX_GROUPS = 32;

/** One comparison: `^1.2.x`. */
type Comparison = {
  readonly operator: string;
  /** The version as written. */
  readonly written: string;
  /** The version with wildcards as zeros. */
  readonly version: Version;
  /** Which segments were wildcards or absent: any, the minor one, only the patch. */
  readonly dirty: boolean;
  readonly minorDirty: boolean;
  readonly patchDirty: boolean;
};

/** Comparisons that must all hold; pre-releases are considered only if one of them names one. */
type Group = { readonly comparisons: readonly Comparison[]; readonly prereleases: boolean };

/** A constraint: one of its groups must hold. */
export type Constraint = { readonly groups: readonly Group[] };

const versionPattern = String.raw`v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?`;
const operatorPattern = String.raw`=||!=|>|<|>=|=>|<=|=<|~|~>|\^`;
const comparisonPattern = String.raw`(${operatorPattern})\s*(${versionPattern})`;
const onePattern = String.raw`^\s*${comparisonPattern}\s*$`;
const groupPattern = String.raw`^(\s*${comparisonPattern}\s*)((?:\s+|,\s*)${comparisonPattern}\s*)*$`;
const rangePattern = String.raw`\s*(${versionPattern})\s+-\s+(${versionPattern})\s*`;
/** Number of the group in {@link rangePattern} that holds the upper version. */
const RANGE_UPPER = 11;

const parsed = new Lru<string, Constraint>(1000);

/** NewConstraint. Throws a GoError with the library's text. */
export function parseConstraint(text: string): Constraint {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const constraint = readConstraint(text);
  parsed.set(text, constraint);
  return constraint;
}

function readConstraint(text: string): Constraint {
  if (textByteLength(text) > MAX_CONSTRAINT_BYTES) {
    throw new GoError(`constraint string is too long (max ${MAX_CONSTRAINT_BYTES} bytes)`);
  }
  const alternatives = rewriteRanges(text).split('||');
  if (alternatives.length > MAX_GROUPS) throw new GoError(`too many constraint groups (max ${MAX_GROUPS})`);
  return { groups: alternatives.map(readGroup) };
}

/** `1.2 - 1.4` becomes `>= 1.2, <= 1.4 `. */
function rewriteRanges(text: string): string {
  if (!text.includes('-')) return text;
  let out = text;
  for (const span of GoRegexp.compile(rangePattern).findAll(text)) {
    const part = (group: number): string => text.slice(Math.max(span[2 * group] ?? 0, 0), Math.max(span[2 * group + 1] ?? 0, 0));
    out = out.replace(part(0), () => `>= ${part(1)}, <= ${part(RANGE_UPPER)} `);
  }
  return out;
}

function readGroup(text: string): Group {
  if (!GoRegexp.compile(groupPattern).test(text)) throw new GoError(`improper constraint: ${quote(text)}`);
  const found = GoRegexp.compile(comparisonPattern).findAllText(text);
  const comparisons = (found.length === 0 ? [text] : found).map(readComparison);
  return { comparisons, prereleases: comparisons.some(({ version }) => version.prerelease !== '') };
}

function readComparison(text: string): Comparison {
  if (text === '') {
    const version = parseStrictVersion('0.0.0');
    return { operator: '', written: text, version, dirty: true, minorDirty: false, patchDirty: false };
  }
  const [span] = GoRegexp.compile(onePattern).findAll(text, 1);
  if (span === undefined) throw new GoError(`improper constraint: ${quote(text)}`);
  const group = (number: number): string => {
    const start = span[2 * number] ?? -1;
    return start < 0 ? '' : text.slice(start, span[2 * number + 1]);
  };
  const major = group(3);
  const minor = group(4);
  const patch = group(5);
  const prerelease = group(6);
  const anyMajor = isWildcard(major);
  const minorDirty = !anyMajor && isWildcard(minor.slice(1));
  const patchDirty = !anyMajor && !minorDirty && isWildcard(patch.slice(1));
  let exact = group(2);
  if (anyMajor) exact = `0.0.0${prerelease}`;
  else if (minorDirty) exact = `${major}.0.0${prerelease}`;
  else if (patchDirty) exact = `${major}${minor}.0${prerelease}`;
  const dirty = anyMajor || minorDirty || patchDirty;
  return { operator: group(1), written: group(2), version: constraintVersion(exact), dirty, minorDirty, patchDirty };
}

function isWildcard(text: string): boolean {
  return text === '' || text === 'x' || text === 'X' || text === '*';
}

function constraintVersion(text: string): Version {
  try {
    return parseVersion(text);
  } catch (error) {
    if (error instanceof GoError) throw new GoError('constraint parser error');
    throw error;
  }
}

/** Constraints.String. */
export function formatConstraint(constraint: Constraint): string {
  return constraint.groups.map(({ comparisons }) => comparisons.map(({ operator, written }) => operator + written).join(' ')).join(' || ');
}

/** Constraints.Check: does the version satisfy the constraint. */
export function checkConstraint(constraint: Constraint, version: Version): boolean {
  return constraint.groups.some(({ comparisons, prereleases }) =>
    comparisons.every((comparison) => violation(comparison, version, prereleases) === undefined),
  );
}

/** Constraints.Validate: why the version does not satisfy the constraint; empty when it does. */
export function explainConstraint(constraint: Constraint, version: Version): string[] {
  const reasons: string[] = [];
  let prereleaseSaid = false;
  for (const { comparisons, prereleases } of constraint.groups) {
    let holds = true;
    for (const comparison of comparisons) {
      const ignored = !prereleases && version.prerelease !== '';
      const reason = violation(comparison, version, prereleases);
      if (reason === undefined) continue;
      holds = false;
      if (!ignored || !prereleaseSaid) reasons.push(reason);
      prereleaseSaid ||= ignored;
    }
    if (holds) return [];
  }
  return reasons;
}

/** What a comparison says against a version, or undefined when it holds. */
function violation(comparison: Comparison, version: Version, prereleases: boolean): string | undefined {
  if (version.prerelease !== '' && !prereleases) {
    return `${quote(formatVersion(version))} is a prerelease version and the constraint is only looking for release versions`;
  }
  const problem = operators[comparison.operator]?.(version, comparison);
  if (problem === undefined) return undefined;
  const { relation, more = '' } = typeof problem === 'string' ? { relation: problem } : problem;
  return `${quote(formatVersion(version))} ${relation} ${quote(comparison.written)}${more}`;
}

/** How a version violates a comparison: words between the two, and what follows. */
type Problem = string | { relation: string; more: string } | undefined;
type Operator = (version: Version, comparison: Comparison) => Problem;

const operators: Readonly<Record<string, Operator>> = {
  '': tildeOrEqual,
  '=': tildeOrEqual,
  '!=': notEqual,
  '>': greater,
  '<': (version, { version: wanted }) => (compareVersions(version, wanted) < 0 ? undefined : 'is greater than or equal to'),
  '>=': greaterOrEqual,
  '=>': greaterOrEqual,
  '<=': lessOrEqual,
  '=<': lessOrEqual,
  '~': tilde,
  '~>': tilde,
  '^': caret,
};

function notEqual(version: Version, { version: wanted, dirty, minorDirty, patchDirty }: Comparison): Problem {
  const problem = 'is equal to';
  if (dirty) {
    if (wanted.major !== version.major) return undefined;
    if (minorDirty) return problem;
    if (wanted.minor !== version.minor) return undefined;
    if (wanted.patch !== version.patch && !patchDirty) return undefined;
    if (patchDirty) return comparePrereleases(version.prerelease, wanted.prerelease) === 0 ? problem : undefined;
  }
  return compareVersions(version, wanted) === 0 ? problem : undefined;
}

function greater(version: Version, { version: wanted, dirty, minorDirty, patchDirty }: Comparison): Problem {
  const problem = 'is less than or equal to';
  if (!dirty) return compareVersions(version, wanted) === 1 ? undefined : problem;
  if (version.major !== wanted.major) return version.major > wanted.major ? undefined : problem;
  // `>11` means 12 or higher, `>11.1` means 11.2 or higher.
  if (minorDirty) return problem;
  if (patchDirty) return version.minor > wanted.minor ? undefined : problem;
  return compareVersions(version, wanted) === 1 ? undefined : problem;
}

function greaterOrEqual(version: Version, { version: wanted }: Comparison): Problem {
  return compareVersions(version, wanted) >= 0 ? undefined : 'is less than';
}

function lessOrEqual(version: Version, { version: wanted, dirty, minorDirty }: Comparison): Problem {
  const problem = 'is greater than';
  if (!dirty) return compareVersions(version, wanted) <= 0 ? undefined : problem;
  if (version.major > wanted.major) return problem;
  return version.major === wanted.major && version.minor > wanted.minor && !minorDirty ? problem : undefined;
}

function tilde(version: Version, { version: wanted, minorDirty, patchDirty }: Comparison): Problem {
  if (compareVersions(version, wanted) < 0) return 'is less than';
  // `~0.0.0` and `~*` take every version.
  const zero = wanted.major === 0n && wanted.minor === 0n && wanted.patch === 0n;
  if (zero && !minorDirty && !patchDirty) return undefined;
  if (version.major !== wanted.major) return 'does not have same major version as';
  return version.minor !== wanted.minor && !minorDirty ? 'does not have same major and minor version as' : undefined;
}

function tildeOrEqual(version: Version, comparison: Comparison): Problem {
  if (comparison.dirty) return tilde(version, comparison);
  return compareVersions(version, comparison.version) === 0 ? undefined : 'is not equal to';
}

function caret(version: Version, { version: wanted, minorDirty, patchDirty }: Comparison): Problem {
  if (compareVersions(version, wanted) < 0) return 'is less than';
  const otherMajor = 'does not have same major version as';
  const otherMinor = 'does not have same minor version as';
  if (wanted.major > 0n || minorDirty) return version.major === wanted.major ? undefined : otherMajor;
  if (version.major > 0n) return otherMajor;
  if (wanted.minor > 0n || patchDirty) {
    if (version.minor === wanted.minor) return undefined;
    return { relation: otherMinor, more: '. Expected minor versions to match when constraint major version is 0' };
  }
  if (version.minor > 0n) return otherMinor;
  if (wanted.patch === version.patch) return undefined;
  return {
    relation: 'does not equal',
    more: '. Expect version and constraint to equal when major and minor versions are 0',
  };
}
