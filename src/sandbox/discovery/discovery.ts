import type { Catalog } from '../catalog/catalog.ts';
import { apiVersionOf, type ServedKind } from '../catalog/kind.ts';

type Document = Record<string, unknown>;

/** `/api`: the versions of the core group. */
export function coreVersions(catalog: Catalog, address: string): Document {
  return {
    kind: 'APIVersions',
    versions: catalog.groups().get('') ?? [],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: address }],
  };
}

/** `/apis`: every named group. */
export function groupList(catalog: Catalog): Document {
  const groups = [...catalog.groups()].filter(([name]) => name !== '').map(([name, versions]) => groupDocument(name, versions));
  return { kind: 'APIGroupList', apiVersion: 'v1', groups };
}

/** `/apis/GROUP`; undefined when it is not served. */
export function groupDocumentOf(catalog: Catalog, name: string): Document | undefined {
  const versions = catalog.groups().get(name);
  return versions === undefined || name === '' ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(name, versions) };
}

function groupDocument(name: string, versions: readonly string[]): Document {
  const all = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: all, preferredVersion: all[0] };
}

/** `/api/v1`, `/apis/GROUP/VERSION`: the resources of a version; undefined when it is not served. */
export function resourceList(catalog: Catalog, groupName: string, version: string): Document | undefined {
  const kinds = catalog.all().filter((kind) => kind.group === groupName && kind.version === version);
  if (kinds.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf({ group: groupName, version }),
    resources: kinds.flatMap(resourceDocuments),
  };
}

function resourceDocuments(kind: ServedKind): Document[] {
  const own: Document = {
    name: kind.plural,
    singularName: kind.singular,
    namespaced: kind.namespaced,
    kind: kind.kind,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    storageVersionHash: 'AAAAAAAAAAA=',
  };
  const subresources = kind.subresources.map((it): Document => {
    const foreign = it.kind.group !== kind.group || it.kind.version !== kind.version;
    return {
      name: `${kind.plural}/${it.name}`,
      singularName: '',
      namespaced: kind.namespaced,
      ...(foreign ? { group: it.kind.group, version: it.kind.version } : {}),
      kind: it.kind.kind,
      verbs: it.verbs,
    };
  });
  return [own, ...subresources];
}

/** The aggregated form of `/api` (`core`) and `/apis`: one document with everything. */
export function aggregated(catalog: Catalog, core: boolean): Document {
  const items = [...catalog.groups()]
    .filter(([name]) => (name === '') === core)
    .map(([name, versions]): Document => ({
      metadata: name === '' ? { creationTimestamp: null } : { name, creationTimestamp: null },
      versions: versions.map((version) => ({
        version,
        resources: catalog
          .all()
          .filter((kind) => kind.group === name && kind.version === version)
          .map(aggregatedResource),
        freshness: 'Current',
      })),
    }));
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedResource(kind: ServedKind): Document {
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length === 0 ? {} : { shortNames: kind.shortNames }),
    ...(kind.categories.length === 0 ? {} : { categories: kind.categories }),
    ...(kind.subresources.length === 0
      ? {}
      : { subresources: kind.subresources.map((it) => ({ subresource: it.name, responseKind: it.kind, verbs: it.verbs })) }),
  };
}
