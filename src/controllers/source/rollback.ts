import type { OCIRepository } from '../../api/index.ts';
import { compareVersions, parseVersion } from '../../golang/index.ts';
import { deepEqual } from '../../runtime/index.ts';
import { isDigest, type Digest } from '../../std/index.ts';

/** Annotation of an OCIRepository: the newest artifact that was accepted, for policies that deny rollbacks. */
export const newestAnnotation = 'source.sluice.dev/newest';

/** The newest artifact that was accepted, and what was asked for then. */
export type Mark = {
  url: string;
  ref: Ref;
  digest: Digest;
  /** Of `ref.semver`: the tag. */
  version?: string;
  /** When it was made, RFC 3339; left out when nothing vouches for a time. */
  time?: string;
};

type Ref = NonNullable<OCIRepository['spec']['ref']>;

/** What came of the question whether an artifact may follow the newest one: the mark to keep, or why it may not. */
export type RollbackDecision = { kind: 'accepted'; mark: Mark } | { kind: 'refused'; found: string; wanted: string };

/** Characters of an annotation that is read. */
const MAX_MARK = 4096;
/** A maker's clock may be ahead of ours by this many milliseconds; what says it is newer says nothing. */
const MAX_AHEAD = 24 * 60 * 60 * 1000;

/**
 * Whether `next` may follow the newest accepted artifact. What a person asked for anew (another URL or reference, a digest) may always; so
 * may the very digest. Else a lower version is refused, and so is what is older, or does not tell its time when the newest did.
 */
export function judgeRollback(newest: Mark | undefined, next: Mark): RollbackDecision {
  const accepted: RollbackDecision = { kind: 'accepted', mark: next };
  if (newest === undefined || newest.url !== next.url || !deepEqual(newest.ref, next.ref)) return accepted;
  if ((next.ref.digest ?? '') !== '') return accepted;
  if (newest.digest === next.digest) return { kind: 'accepted', mark: newest };
  const order = compare(next.version, newest.version);
  if (order < 0) return { kind: 'refused', found: `version ${next.version}`, wanted: `at least ${newest.version}, ${accepting(newest)}` };
  if (newest.time === undefined) return accepted;
  // Tags are not signed: an old artifact under a higher version is as old as it was.
  const what = next.version === undefined ? 'another artifact under the tag' : `version ${next.version}, an artifact`;
  const wanted = `none from before ${newest.time}, the time of ${newest.digest}, ${accepting(newest)}`;
  if (next.time === undefined) return { kind: 'refused', found: `${what} whose time cannot be told`, wanted };
  return Date.parse(next.time) < Date.parse(newest.time) ? { kind: 'refused', found: `${what} from ${next.time}`, wanted } : accepted;
}

function accepting({ digest }: Mark): string {
  return `accepted before (${digest.slice(0, 19)})`;
}

/** Of tags without a version (a moving tag) and of equal ones it is 0. */
function compare(next: string | undefined, newest: string | undefined): number {
  if (next === undefined || newest === undefined) return 0;
  return compareVersions(parseVersion(next.replaceAll('_', '+')), parseVersion(newest.replaceAll('_', '+')));
}

/**
 * The time of an artifact, RFC 3339: what its manifest says, which its digest covers and so its signature; else what logs and authorities
 * vouch for. Undefined when neither tells, or only a time that is yet to come.
 */
export function artifactTime(created: string | undefined, vouched: Date | undefined, now: Date): string | undefined {
  const latest = now.getTime() + MAX_AHEAD;
  const stated = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i.test(created ?? '')
    ? Date.parse(created ?? '')
    : Number.NaN;
  for (const time of [stated, vouched?.getTime() ?? Number.NaN]) if (time <= latest) return new Date(time).toISOString();
  return undefined;
}

/** The mark of an object; `unreadable` when its annotation is none. */
export function readMark({ metadata }: OCIRepository): Mark | 'unreadable' | undefined {
  const text = metadata.annotations?.[newestAnnotation];
  if (text === undefined || text === '') return undefined;
  if (text.length > MAX_MARK) return 'unreadable';
  try {
    return toMark(JSON.parse(text)) ?? 'unreadable';
  } catch {
    // Somebody wrote something else there: told by whoever needs it.
    return 'unreadable';
  }
}

function toMark(value: unknown): Mark | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { url, ref, digest, version, time } = value as Readonly<Record<string, unknown>>;
  if (typeof url !== 'string' || typeof ref !== 'object' || ref === null || typeof digest !== 'string' || !isDigest(digest))
    return undefined;
  if (version !== undefined && (typeof version !== 'string' || !isVersion(version))) return undefined;
  if (time !== undefined && (typeof time !== 'string' || Number.isNaN(Date.parse(time)))) return undefined;
  return { url, ref, digest, ...(version === undefined ? {} : { version }), ...(time === undefined ? {} : { time }) };
}

function isVersion(text: string): boolean {
  try {
    parseVersion(text.replaceAll('_', '+'));
    return true;
  } catch {
    return false;
  }
}

/** A mark as the annotation holds it. */
export function formatMark({ url, ref, version, time, digest }: Mark): string {
  return JSON.stringify({ url, ref, version, time, digest });
}
