import { annotationKeys, formatRepository, type Reference, type RegistryClient } from '../oci/index.ts';
import { compareUtf8 } from '../std/index.ts';
import type { TagFilters } from './artifact-filter.ts';

/** One line of `list artifacts`. */
export type ListedArtifact = { artifact: string; digest: string; source: string; revision: string };

/** Tags that are signatures and attestations, not artifacts (A09). */
const COMPANION = /\.(att|sbom|sig)$/;
/** Manifests fetched at once. */
const PARALLEL = 8;

/** The tags of a repository with what their manifests say, in falling order (A09). Versions and patterns are loaded only when asked for. */
export async function listArtifacts(
  client: RegistryClient,
  repository: Reference,
  filters: TagFilters,
  signal: AbortSignal,
): Promise<ListedArtifact[]> {
  const all = (await client.listTags(repository, signal)).filter((tag) => !COMPANION.test(tag)).toSorted((a, b) => compareUtf8(b, a));
  const filtered = filters.semver !== undefined || filters.regex !== undefined;
  const tags = filtered ? (await import('./artifact-filter.ts')).filterTags(all, filters) : all;
  const rows: ListedArtifact[] = [];
  for (let at = 0; at < tags.length; at += PARALLEL) {
    rows.push(...(await Promise.all(tags.slice(at, at + PARALLEL).map((tag) => listOne(client, repository, tag, signal)))));
  }
  return rows;
}

async function listOne(client: RegistryClient, repository: Reference, tag: string, signal: AbortSignal): Promise<ListedArtifact> {
  const { descriptor, manifest } = await client.fetchManifest({ registry: repository.registry, path: repository.path, tag }, signal);
  return {
    artifact: `${formatRepository(repository)}:${tag}`,
    digest: descriptor.digest,
    source: manifest.annotations[annotationKeys.source] ?? '',
    revision: manifest.annotations[annotationKeys.revision] ?? '',
  };
}
