import type { KubeObject } from '../../manifest/index.ts';
import type { ServedKind } from '../catalog/kind.ts';
import type { Draft } from '../kinds/index.ts';

const METADATA = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

/** Built-in kinds whose status endpoint leaves all metadata alone. */
const METADATA_STAYS: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'apiextensions.k8s.io/customresourcedefinitions',
  'flowcontrol.apiserver.k8s.io/flowschemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations',
  'networking.k8s.io/servicecidrs',
  'resource.k8s.io/resourceclaims',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/volumeattachments',
]);

/** The metadata that a kind's status endpoint does not write. */
export function statusKeeps(kind: ServedKind): readonly (typeof METADATA)[number][] {
  if (kind.schemaName === undefined || METADATA_STAYS.has(kind.collection)) return METADATA;
  if (kind.collection === 'apps/deployments') return ['labels'];
  return kind.collection === '/pods' ? ['ownerReferences'] : [];
}

/** Puts back what a write to the status endpoint does not write. */
export function keepAllButStatus(kind: ServedKind, draft: Draft, live: KubeObject): void {
  for (const key of Object.keys(draft)) if (key !== 'status' && key !== 'metadata' && !(key in live)) delete draft[key];
  for (const [key, value] of Object.entries(live)) if (key !== 'status' && key !== 'metadata') draft[key] = value;
  for (const field of statusKeeps(kind)) {
    if (live.metadata[field] === undefined) delete draft.metadata[field];
    else Object.assign(draft.metadata, { [field]: live.metadata[field] });
  }
}
