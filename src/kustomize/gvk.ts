/** Group, version and kind of a resource or a pattern of them; `` in a pattern is anything. */
export type Gvk = { readonly group: string; readonly version: string; readonly kind: string };

/** Identity of a resource at one moment. */
export type ResId = Gvk & {
  readonly name: string;
  readonly namespace: string;
  /** Known to live outside namespaces. Only current ids know; ids of the past are taken for namespaced ones. */
  readonly clusterScoped: boolean;
};

/** What stands for the namespace of a cluster-scoped resource. */
export const NO_NAMESPACE = '_non_namespaceable_';
export const DEFAULT_NAMESPACE = 'default';

/** Group and version of an apiVersion. */
export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? { group: '', version: apiVersion } : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

export function apiVersionOf({ group, version }: Gvk): string {
  return group === '' ? version : `${group}/${version}`;
}

/** True when `gvk` fits a pattern. */
export function isSelected(gvk: Gvk, pattern: Gvk): boolean {
  return (
    (pattern.group === '' || pattern.group === gvk.group) &&
    (pattern.version === '' || pattern.version === gvk.version) &&
    (pattern.kind === '' || pattern.kind === gvk.kind)
  );
}

export function gvkEquals(a: Gvk, b: Gvk): boolean {
  return a.kind === b.kind && a.version === b.version && a.group === b.group;
}

/** `Kind.version.group`, as kustomize's messages name a kind. */
export function formatGvk({ group, version, kind }: Gvk): string {
  return `${kind === '' ? '[noKind]' : kind}.${version === '' ? '[noVer]' : version}.${group === '' ? '[noGrp]' : group}`;
}

/** `Kind.version.group/name.namespace`, as kustomize's messages name a resource. */
export function formatId(id: ResId): string {
  return `${formatGvk(id)}/${id.name === '' ? '[noName]' : id.name}.${id.namespace === '' ? '[noNs]' : id.namespace}`;
}

/** The namespace a resource is compared by. */
export function effectiveNamespace(id: ResId): string {
  if (id.clusterScoped) return NO_NAMESPACE;
  return id.namespace === '' ? DEFAULT_NAMESPACE : id.namespace;
}

/** A map key; equal exactly when two ids mean the same resource. */
export function idKey(id: ResId): string {
  return `${id.group}|${id.version}|${id.kind}|${effectiveNamespace(id)}|${id.name}`;
}

/** A map key of kind and name, whatever the namespace. */
export function nameKey(id: ResId): string {
  return `${id.group}|${id.version}|${id.kind}|${id.name}`;
}
