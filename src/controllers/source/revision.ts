import type { OCIRepository } from '../../api/index.ts';
import { isDigest, type Digest } from '../../std/index.ts';

/** `tag@sha256:…` for a tag, the bare digest for a digest (OB12). */
export function formatRevision(tag: string | undefined, digest: Digest): string {
  return tag === undefined ? digest : `${tag}@${digest}`;
}

/** The digest in a revision; undefined when it has none. */
export function revisionDigest(revision: string): Digest | undefined {
  const digest = revision.slice(revision.lastIndexOf('@') + 1);
  return isDigest(digest) ? digest : undefined;
}

/** What `spec.ref` asks for: digest wins over semver, semver over tag, and without any it is the tag `latest` (OB09). */
export type WantedRef =
  | { kind: 'digest'; digest: string }
  | { kind: 'semver'; range: string; filter: string | undefined }
  | { kind: 'tag'; tag: string };

/** Reads `spec.ref` (OB09). Empty text is the same as nothing. */
export function wantedRef(ref: OCIRepository['spec']['ref']): WantedRef {
  if (ref?.digest !== undefined && ref.digest !== '') return { kind: 'digest', digest: ref.digest };
  if (ref?.semver !== undefined && ref.semver !== '') {
    const filter = ref.semverFilter === '' ? undefined : ref.semverFilter;
    return { kind: 'semver', range: ref.semver, filter };
  }
  return { kind: 'tag', tag: ref?.tag === undefined || ref.tag === '' ? 'latest' : ref.tag };
}
