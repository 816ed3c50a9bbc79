/** The metadata every Kubernetes object carries; fields Sluice does not name pass through untouched. */
export type ObjectMeta = {
  name: string;
  namespace?: string;
  generateName?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  finalizers?: string[];
  ownerReferences?: OwnerReference[];
  managedFields?: ManagedFieldsEntry[];
  [field: string]: unknown;
};

/** A link from an object to the one that owns it (meta/v1 OwnerReference). */
export type OwnerReference = {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
};

/** Which manager owns which fields (meta/v1 ManagedFieldsEntry); `fieldsV1` is the API server's set encoding. */
export type ManagedFieldsEntry = {
  manager?: string;
  operation?: 'Apply' | 'Update';
  apiVersion?: string;
  time?: string;
  fieldsType?: string;
  fieldsV1?: Record<string, unknown>;
  subresource?: string;
};

/** One Kubernetes object as a plain value, fields as on the wire. */
export type KubeObject = {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
};

/** Group and version of an apiVersion: `apps/v1` → `apps`, `v1`; `v1` → ``, `v1`. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** Which object: group, kind, namespace (empty when cluster-scoped) and name. Has no version, so it stays equal across them. */
export type ObjectRef = { group: string; kind: string; namespace: string; name: string };

/** The ref of an object. */
export function objectRef(object: KubeObject): ObjectRef {
  return {
    group: parseApiVersion(object.apiVersion).group,
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name,
  };
}

/** A ref as people read it and Flux prints it (fluxcd/pkg ssa FmtUnstructured): `Kind/namespace/name` or `Kind/name`. */
export function formatObjectRef(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind}/${ref.name}` : `${ref.kind}/${ref.namespace}/${ref.name}`;
}

/** A ref as a map key; equal refs have equal keys. */
export function objectRefKey(ref: ObjectRef): string {
  return `${ref.group}/${ref.kind}/${ref.namespace}/${ref.name}`;
}
