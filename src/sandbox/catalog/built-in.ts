import { recorded } from '../data/load.ts';
import type { OpenApiSchema } from '../fields/index.ts';
import type { Column, ServedKind, Subresource } from './kind.ts';

type DiscoveredKind = { group: string; version: string; kind: string };
type DiscoveredResource = {
  resource: string;
  responseKind?: DiscoveredKind;
  scope: string;
  singularResource: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  subresources?: { subresource: string; responseKind?: DiscoveredKind; verbs: string[] }[];
};
type DiscoveredGroup = { metadata?: { name?: string }; versions: { version: string; resources: DiscoveredResource[] }[] };
type Discovery = { api: { items: DiscoveredGroup[] }; apis: { items: DiscoveredGroup[] }; version: Record<string, string> };

/** A named schema with the kinds it describes. */
export type ComponentSchema = OpenApiSchema & { 'x-kubernetes-group-version-kind'?: readonly DiscoveredKind[] };

export type OpenApiDocument = { components?: { schemas?: Readonly<Record<string, ComponentSchema>> }; [field: string]: unknown };

/** What `/version` answers. */
export function recordedVersion(): Readonly<Record<string, string>> {
  return recorded<Discovery>('discovery').version;
}

/** Every kind the recorded API server serves, in its order. */
export function builtInKinds(): ServedKind[] {
  const { api, apis } = recorded<Discovery>('discovery');
  const columns = recorded<Record<string, Column[]>>('columns');
  const schemaNames = schemaNamesByKind();
  const out: ServedKind[] = [];
  for (const { metadata, versions } of [...api.items, ...apis.items]) {
    const group = metadata?.name ?? '';
    for (const { version, resources } of versions) {
      for (const resource of resources) {
        const kind = resource.responseKind?.kind ?? '';
        out.push({
          group,
          version,
          kind,
          listKind: `${kind}List`,
          plural: resource.resource,
          singular: resource.singularResource,
          shortNames: resource.shortNames ?? [],
          categories: resource.categories ?? [],
          namespaced: resource.scope === 'Namespaced',
          verbs: resource.verbs,
          subresources: (resource.subresources ?? []).map((it): Subresource => subresource(it, { group, version, kind })),
          columns: columns[`${group}/${version}/${resource.resource}`] ?? [],
          // Events have two APIs and one place.
          collection: group === 'events.k8s.io' ? '/events' : `${group}/${resource.resource}`,
          schemaName: schemaNames.get(`${group}/${version}/${kind}`),
        });
      }
    }
  }
  return out;
}

function subresource(it: { subresource: string; responseKind?: DiscoveredKind; verbs: string[] }, parent: DiscoveredKind): Subresource {
  const { kind = parent.kind, group = '', version = '' } = it.responseKind ?? {};
  // An empty version means the parent's own group and version.
  return { name: it.subresource, verbs: it.verbs, kind: version === '' ? { ...parent, kind } : { group, version, kind } };
}

/** A named schema of the recorded API server, from whichever document has it. */
export function builtInSchema(name: string): ComponentSchema | undefined {
  return allSchemas().get(name);
}

/** The recorded OpenAPI v3 documents by path (`apis/apps/v1`). */
export function recordedOpenApi(): Readonly<Record<string, OpenApiDocument>> {
  return recorded<Record<string, OpenApiDocument>>('openapi-v3');
}

let schemas: Map<string, ComponentSchema> | undefined;

function allSchemas(): Map<string, ComponentSchema> {
  if (schemas === undefined) {
    schemas = new Map();
    for (const document of Object.values(recordedOpenApi())) {
      for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) schemas.set(name, schema);
    }
  }
  return schemas;
}

function schemaNamesByKind(): Map<string, string> {
  const names = new Map<string, string>();
  for (const [name, schema] of allSchemas()) {
    const kinds = schema['x-kubernetes-group-version-kind'] ?? [];
    // Shared schemas such as DeleteOptions name every group; a kind's own names one.
    if (kinds.length === 1 && kinds[0] !== undefined) names.set(`${kinds[0].group}/${kinds[0].version}/${kinds[0].kind}`, name);
  }
  return names;
}
