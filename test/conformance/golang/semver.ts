import {
  checkConstraint,
  compareVersions,
  explainConstraint,
  formatConstraint,
  formatVersion,
  nextVersion,
  parseConstraint,
  parseStrictVersion,
  parseVersion,
} from '../../../src/golang/index.ts';
import { attempt, checkEach, differences, text, type Fact, type Outcome } from './suite.ts';

/** Facts about Masterminds/semver. */
export function suite(facts: Iterable<unknown>): Iterable<Outcome> {
  return checkEach(facts, (fact) => {
    const { id: _, ...want } = fact;
    if ('parse' in fact) return differences(parse(text(fact, 'parse')), want);
    if ('constraint' in fact) return differences(constrain(text(fact, 'constraint'), text(fact, 'version')), want);
    if ('compare' in fact) return differences(compare(fact), want);
    return differences(sort(fact), want);
  });
}

function parse(source: string): Record<string, unknown> {
  const have: Record<string, unknown> = { parse: source };
  const strict = attempt(() => parseStrictVersion(source));
  if (strict.error !== undefined) have['strictError'] = strict.error;
  const { value: version, error } = attempt(() => parseVersion(source));
  if (version === undefined) return { ...have, error };
  const { major, minor, patch, prerelease, metadata, original } = version;
  Object.assign(have, { major: String(major), minor: String(minor), patch: String(patch), prerelease, metadata, original });
  have['string'] = formatVersion(version);
  const next = attempt(() => (['patch', 'minor', 'major'] as const).map((part) => nextVersion(version, part).original));
  if (next.error === undefined) have['next'] = next.value;
  else have['nextError'] = `panic: ${next.error}`;
  return have;
}

function constrain(constraintText: string, versionText: string): Record<string, unknown> {
  const have: Record<string, unknown> = { constraint: constraintText, version: versionText };
  const { value: constraint, error } = attempt(() => parseConstraint(constraintText));
  if (constraint === undefined) return { ...have, error };
  have['constraintString'] = formatConstraint(constraint);
  const { value: version, error: versionError } = attempt(() => parseVersion(versionText));
  if (version === undefined) return { ...have, error: versionError };
  have['ok'] = checkConstraint(constraint, version);
  const reasons = explainConstraint(constraint, version);
  if (reasons.length > 0) have['reasons'] = reasons;
  return have;
}

function list(fact: Fact, field: string): string[] {
  const value = fact[field];
  return Array.isArray(value) ? value.map(String) : [];
}

function compare(fact: Fact): Record<string, unknown> {
  const [a = '', b = ''] = list(fact, 'compare');
  const order = compareVersions(parseVersion(a), parseVersion(b));
  return { compare: [a, b], equal: order === 0, result: order };
}

function sort(fact: Fact): Record<string, unknown> {
  const given = list(fact, 'sort');
  const sorted = given.map(parseVersion).sort(compareVersions);
  return { sort: given, sorted: sorted.map((version) => version.original) };
}
