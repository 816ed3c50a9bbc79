import type { KubeObject } from '../../manifest/index.ts';
import type { ServedKind } from '../catalog/kind.ts';
import { type Draft, mapAt } from '../kinds/index.ts';
import { conflict, forbidden } from '../request/status.ts';
import { removeObject, storeObject } from './storing.ts';
import type { DeleteOptions } from './write-options.ts';
import type { ObjectsDeps } from './write.ts';

/** A deletion: the object is gone, or marked and waiting for finalizers or its grace period. */
export type Deleted = { object: KubeObject; gone: boolean };

/** Namespaces that stay. */
const LASTING: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public']);

/** Deletes an object, or marks it when something keeps it. @throws StatusError 409 */
export function deleteObject(deps: ObjectsDeps, kind: ServedKind, object: KubeObject, options: DeleteOptions): Deleted {
  checkPreconditions(kind, object, options);
  if (kind.collection === '/namespaces' && LASTING.has(object.metadata.name))
    throw forbidden(kind, object.metadata.name, 'this namespace may not be deleted');
  const { metadata } = object;
  const finalizers = deletionFinalizers(metadata.finalizers ?? [], options.propagation);
  const grace = gracePeriod(kind, object, options);
  const waits = finalizers.length > 0 || grace > 0 || kind.collection === '/namespaces';
  if (!waits) return { object: removeObject(deps, kind, object, options.dryRun), gone: true };
  const deadline = new Date(deps.clock.now() + grace * 1000).toISOString();
  const marked: Draft = {
    ...object,
    metadata: {
      ...metadata,
      ...(finalizers.length > 0 ? { finalizers } : {}),
      deletionTimestamp: metadata.deletionTimestamp ?? `${deadline.slice(0, 19)}Z`,
      deletionGracePeriodSeconds: Math.min(metadata.deletionGracePeriodSeconds ?? grace, grace),
      ...(metadata.generation === undefined || metadata.deletionTimestamp !== undefined ? {} : { generation: metadata.generation + 1 }),
    },
  };
  if (finalizers.length === 0) delete marked.metadata.finalizers;
  if (kind.collection === '/namespaces') {
    marked.status = { ...mapAt(marked, 'status'), phase: 'Terminating' };
    delete marked.metadata.deletionGracePeriodSeconds;
  }
  return { object: storeObject(deps, kind, object, marked, options.dryRun), gone: false };
}

function checkPreconditions(kind: ServedKind, { metadata }: KubeObject, options: DeleteOptions): void {
  const about = { group: kind.group, plural: kind.kind };
  if (options.uid !== undefined && options.uid !== metadata.uid) {
    const cause = `the UID in the precondition (${options.uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(about, metadata.name, cause);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== metadata.resourceVersion) {
    const cause = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`;
    throw conflict(about, metadata.name, cause);
  }
}

function gracePeriod(kind: ServedKind, object: KubeObject, options: DeleteOptions): number {
  if (kind.collection !== '/pods') return 0;
  const asked = options.gracePeriodSeconds ?? mapAt(object, 'spec')?.['terminationGracePeriodSeconds'];
  const scheduled = mapAt(object, 'spec')?.['nodeName'] !== undefined;
  const running = mapAt(object, 'status')?.['phase'] !== 'Succeeded' && mapAt(object, 'status')?.['phase'] !== 'Failed';
  return scheduled && running && typeof asked === 'number' ? asked : 0;
}

function deletionFinalizers(finalizers: readonly string[], propagation: DeleteOptions['propagation']): string[] {
  const others = finalizers.filter((it) => it !== 'foregroundDeletion' && it !== 'orphan');
  if (propagation === 'Foreground') return [...others, 'foregroundDeletion'];
  if (propagation === 'Orphan') return [...others, 'orphan'];
  return propagation === 'Background' ? others : [...finalizers];
}
