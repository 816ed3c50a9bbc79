import type { KubeObject } from '../../manifest/index.ts';
import { type Cluster, ownerReference, shortHash } from '../controllers/cluster.ts';
import { type Draft0, mapAt } from '../kinds/index.ts';

const REVISIONS = 'apps/controllerrevisions';
/** The label that says which revision a pod is of. */
export const REVISION_HASH = 'controller-revision-hash';

/** The label of the revisions themselves. */
const labelOf = (set: KubeObject): string => (set.kind === 'StatefulSet' ? 'controller.kubernetes.io/hash' : REVISION_HASH);

/** A kept pod template of a StatefulSet or DaemonSet. */
export type Revision = { name: string; hash: string; number: number; template: Draft0; object: KubeObject };

/** The revisions of a set, oldest first; the last is the one of its template, made or moved to the end when it must be. */
export function syncRevisions(cluster: Cluster, set: KubeObject): Revision[] {
  const spec = mapAt(set, 'spec') ?? {};
  const hash = shortHash(spec['template']);
  const before = revisionsOf(cluster, set);
  const own = before.find((it) => it.hash === hash);
  const last = before.at(-1);
  if (own !== undefined && own === last) return before;
  const number = (last?.number ?? 0) + 1;
  if (own !== undefined) {
    cluster.update(REVISIONS, own.object, (draft) => {
      draft['revision'] = number;
    });
  } else {
    cluster.create(REVISIONS, {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: {
        name: `${set.metadata.name}-${hash}`,
        namespace: set.metadata.namespace ?? '',
        annotations: { ...set.metadata.annotations },
        labels: {
          ...(mapAt(mapAt(spec['template'] as Draft0 | undefined, 'metadata'), 'labels') as Record<string, string>),
          [labelOf(set)]: hash,
        },
        ownerReferences: [ownerReference(set)],
      },
      data: { spec: { template: { ...(structuredClone(spec['template']) as Draft0), $patch: 'replace' } } },
      revision: number,
    });
  }
  return revisionsOf(cluster, set);
}

/** Deletes the oldest revisions beyond the set's limit that no pod is of. */
export function trimRevisions(cluster: Cluster, set: KubeObject, revisions: readonly Revision[], used: ReadonlySet<string>): void {
  const limit = Number(mapAt(set, 'spec')?.['revisionHistoryLimit'] ?? 10);
  const idle = revisions.slice(0, -1).filter((it) => !used.has(it.hash) && !used.has(it.name));
  for (const it of idle.slice(0, Math.max(0, idle.length - limit))) cluster.delete(REVISIONS, it.object);
}

function revisionsOf(cluster: Cluster, set: KubeObject): Revision[] {
  return cluster
    .ownedBy(REVISIONS, set)
    .map((object): Revision => {
      const { $patch: _, ...template } = mapAt(mapAt(mapAt(object, 'data'), 'spec'), 'template') ?? {};
      const hash = object.metadata.labels?.[labelOf(set)] ?? '';
      return { name: object.metadata.name, hash, number: Number(object['revision'] ?? 0), template, object };
    })
    .sort((a, b) => a.number - b.number);
}
