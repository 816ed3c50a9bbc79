import { Lru } from '../../std/index.ts';
import { GoError } from '../go-error.ts';
import { parseUnsigned, scanUint } from '../parse-number.ts';
import { compareText, textByteLength } from '../text.ts';

/** A version as Masterminds/semver holds it. Segments are unsigned 64-bit integers. */
export type Version = {
  readonly major: bigint;
  readonly minor: bigint;
  readonly patch: bigint;
  /** Without the hyphen; empty for a release. */
  readonly prerelease: string;
  /** Without the plus. */
  readonly metadata: string;
  /** The text it was read from. */
  readonly original: string;
};

const MAX_VERSION_BYTES = 256;
const MAX_SEGMENT = (1n << 64n) - 1n;

const loose =
  /^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;
const digits = /^[0-9]*$/;
const identifier = /^[0-9A-Za-z-]+$/;

const parsed = new Lru<string, Version>(2000);

/** NewVersion: also takes `v1`, `1.2` and leading zeros. Throws a GoError with the library's text. */
export function parseVersion(text: string): Version {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const version = readVersion(text);
  parsed.set(text, version);
  return version;
}

function readVersion(text: string): Version {
  checkLength(text);
  const match = loose.exec(text);
  if (match === null) throw new GoError('invalid semantic version');
  const [, major = '', minor = '0', patch = '0', prerelease = '', metadata = ''] = match;
  const version = { major: segment(major), minor: segment(minor), patch: segment(patch), prerelease, metadata, original: text };
  if (prerelease !== '') checkPrerelease(prerelease);
  return version;
}

function checkLength(text: string): void {
  if (textByteLength(text) > MAX_VERSION_BYTES) throw new GoError(`version string is too long (max ${MAX_VERSION_BYTES} bytes)`);
}

function segment(text: string): bigint {
  const { value, problem } = scanUint(text);
  if (problem === undefined) return value;
  throw new GoError(`error parsing version segment: strconv.ParseUint: parsing "${text}": ${problem}`);
}

/** StrictNewVersion: three segments, no `v`, no leading zeros. Throws a GoError with the library's text. */
export function parseStrictVersion(text: string): Version {
  if (text === '') throw new GoError('version string empty');
  checkLength(text);
  const [major, minor, ...others] = text.split('.');
  if (major === undefined || minor === undefined || others.length === 0) throw new GoError('invalid semantic version');
  const [beforePlus, metadata] = cut(others.join('.'), '+');
  if (metadata !== undefined) checkMetadata(metadata);
  const [patch, prerelease] = cut(beforePlus, '-');
  if (prerelease !== undefined) checkPrerelease(prerelease);
  for (const part of [major, minor, patch]) {
    if (!digits.test(part)) throw new GoError('invalid characters in version');
    if (part.length > 1 && part.startsWith('0')) throw new GoError('version segment starts with 0');
  }
  return {
    major: parseUnsigned(major),
    minor: parseUnsigned(minor),
    patch: parseUnsigned(patch),
    prerelease: prerelease ?? '',
    metadata: metadata ?? '',
    original: text,
  };
}

function cut(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/** Throws a GoError when the text is no pre-release. */
export function checkPrerelease(text: string): void {
  for (const part of text.split('.')) {
    if (!identifier.test(part)) throw new GoError('invalid prerelease string');
    if (digits.test(part) && part.length > 1 && part.startsWith('0')) throw new GoError('version segment starts with 0');
  }
}

/** Throws a GoError when the text is no build metadata. */
export function checkMetadata(text: string): void {
  if (!text.split('.').every((part) => identifier.test(part))) throw new GoError('invalid metadata string');
}

/** Version.String: canonical, without a leading `v`. */
export function formatVersion(version: Omit<Version, 'original'>): string {
  const { major, minor, patch, prerelease, metadata } = version;
  return `${major}.${minor}.${patch}${prerelease === '' ? '' : `-${prerelease}`}${metadata === '' ? '' : `+${metadata}`}`;
}

/** Version.Compare: −1, 0 or 1; metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  const segments = compareSegments(a.major, b.major) || compareSegments(a.minor, b.minor) || compareSegments(a.patch, b.patch);
  if (segments !== 0) return segments;
  if (a.prerelease === b.prerelease) return 0;
  if (a.prerelease === '') return 1;
  if (b.prerelease === '') return -1;
  return comparePrereleases(a.prerelease, b.prerelease);
}

function compareSegments(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Order of two pre-releases, either of which may be empty here. */
export function comparePrereleases(a: string, b: string): number {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareIdentifiers(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return 0;
}

function compareIdentifiers(a: string, b: string): number {
  if (a === b) return 0;
  if (a === '') return -1;
  if (b === '') return 1;
  const left = scanUint(a);
  const right = scanUint(b);
  if (left.problem !== undefined && right.problem !== undefined) return compareText(a, b) > 0 ? 1 : -1;
  if (right.problem !== undefined) return -1;
  if (left.problem !== undefined) return 1;
  return left.value > right.value ? 1 : -1;
}

/** What to count up. */
export type VersionPart = 'major' | 'minor' | 'patch';

/** IncMajor, IncMinor, IncPatch. Throws a GoError with the library's panic when the segment is full. */
export function nextVersion(version: Version, part: VersionPart): Version {
  const { major, minor, patch } = version;
  const keepsPatch = part === 'patch' && version.prerelease !== '';
  if (!keepsPatch && version[part] === MAX_SEGMENT) throw new GoError(`${part} version increment would overflow uint64`);
  const next = {
    major: part === 'major' ? major + 1n : major,
    minor: part === 'major' ? 0n : part === 'minor' ? minor + 1n : minor,
    patch: part === 'patch' ? (keepsPatch ? patch : patch + 1n) : 0n,
    prerelease: '',
    metadata: '',
  };
  return withOriginal(version, next);
}

/** SetPrerelease, SetMetadata. Throws a GoError for malformed text. */
export function changeVersion(version: Version, change: { prerelease?: string; metadata?: string }): Version {
  if (change.prerelease !== undefined && change.prerelease !== '') checkPrerelease(change.prerelease);
  if (change.metadata !== undefined && change.metadata !== '') checkMetadata(change.metadata);
  return withOriginal(version, { ...version, ...change });
}

function withOriginal(from: Version, next: Omit<Version, 'original'>): Version {
  return { ...next, original: (from.original.startsWith('v') ? 'v' : '') + formatVersion(next) };
}
