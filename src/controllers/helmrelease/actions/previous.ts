import type { Release } from '../../../helm/index.ts';
import type { KubeObject } from '../../../manifest/index.ts';
import { keyOf, readManifest, resolveStored } from './objects.ts';
import type { Run } from './run.ts';

/** What a release had before: the objects to compare with, and which of them it may never have had. */
export type Previous = {
  /** By `objectRefKey`, each as the revisions wanted it, oldest first. */
  objects: ReadonlyMap<string, readonly KubeObject[]>;
  unsure: ReadonlySet<string>;
};

/**
 * The objects of the current release and of every attempt after it: one that failed or died half way left objects that no other record names.
 */
export async function previousObjects(history: readonly Release[], current: Release, run: Run): Promise<Previous> {
  const objects = new Map<string, readonly KubeObject[]>();
  const unsure = new Set<string>();
  const attempts = history.filter(({ version, manifest }) => version > current.version && manifest !== current.manifest);
  for (const release of [current, ...attempts]) {
    const read = await resolveStored(readManifest(release.manifest, 'current release manifest'), run);
    for (const object of read) {
      const key = keyOf(object);
      if (release !== current && !objects.has(key)) unsure.add(key);
      objects.set(key, [...(objects.get(key) ?? []), object]);
    }
  }
  return { objects, unsure };
}

/** What was there and is not wanted any more. */
export function staleObjects({ objects }: Previous, wanted: readonly KubeObject[]): KubeObject[] {
  const keys = new Set(wanted.map(keyOf));
  return [...objects].filter(([key]) => !keys.has(key)).flatMap(([, versions]) => versions.slice(-1));
}

/** What attempts to install it have left: of none of it is sure that it was ever ours. */
export async function leftovers(history: readonly Release[], run: Run): Promise<Previous> {
  const attempts = history.slice(history.findLastIndex(({ status }) => status === 'uninstalled') + 1);
  const [first] = attempts;
  if (first === undefined) return { objects: new Map(), unsure: new Set() };
  const { objects } = await previousObjects(attempts, first, run);
  return { objects, unsure: new Set(objects.keys()) };
}
