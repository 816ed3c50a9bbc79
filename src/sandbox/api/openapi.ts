import { createHash } from 'node:crypto';
import type { KubeObject } from '../../manifest/index.ts';
import { recordedOpenApi } from '../catalog/built-in.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { recorded } from '../data/load.ts';
import { mapAt, mapsOf } from '../kinds/index.ts';
import type { Store } from '../storage/store.ts';

type Document = Record<string, unknown>;

const CRDS = 'apiextensions.k8s.io/customresourcedefinitions';

/** `/openapi/v3`: every document by path, with a hash that changes with its content. */
export function openApiV3Index(store: Store, catalog: Catalog): Document {
  const paths: Document = {};
  for (const path of Object.keys(recordedOpenApi())) paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash(path)}` };
  for (const [path, crds] of customGroups(store))
    paths[path] = {
      serverRelativeURL: `/openapi/v3/${path}?hash=${hash(crds.map((it) => it.metadata.resourceVersion).join())}${catalog.revision}`,
    };
  return { paths };
}

/** One OpenAPI v3 document; undefined when nothing is served at the path. */
export function openApiV3(store: Store, path: string): Document | undefined {
  const own = recordedOpenApi()[path];
  const crds = customGroups(store).get(path);
  if (crds === undefined) return own;
  const schemas: Document = {};
  const paths: Document = {};
  const [, group = '', version = ''] = path.split('/');
  for (const crd of crds) {
    const names = mapAt(mapAt(crd, 'spec'), 'names');
    const kind = String(names?.['kind']);
    const name = schemaName(group, version, kind);
    schemas[name] = { ...versionSchema(crd, version), 'x-kubernetes-group-version-kind': [{ group, version, kind }] };
    const scope =
      mapAt(crd, 'spec')?.['scope'] === 'Namespaced'
        ? `/namespaces/{namespace}/${String(names?.['plural'])}`
        : `/${String(names?.['plural'])}`;
    const content = { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } };
    const operation = (action: string): Document => ({
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group, version, kind },
      requestBody: { content },
      responses: { 200: { description: 'OK', content } },
      parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string' } }],
    });
    paths[`/apis/${group}/${version}${scope}`] = { get: operation('list'), post: operation('post') };
    paths[`/apis/${group}/${version}${scope}/{name}`] = { get: operation('get'), put: operation('put'), patch: operation('patch') };
  }
  return { openapi: '3.0.0', info: { title: 'Kubernetes CRD Swagger', version: 'v0.1.0' }, paths, components: { schemas } };
}

/** The OpenAPI v2 document, CRDs included. */
export function openApiV2(store: Store): Document {
  const base = recorded<Document>('openapi-v2');
  const definitions: Document = { ...(base['definitions'] as Document) };
  for (const [path, crds] of customGroups(store)) {
    const [, group = '', version = ''] = path.split('/');
    for (const crd of crds) {
      const kind = String(mapAt(mapAt(crd, 'spec'), 'names')?.['kind']);
      definitions[schemaName(group, version, kind)] = {
        ...versionSchema(crd, version),
        'x-kubernetes-group-version-kind': [{ group, version, kind }],
      };
    }
  }
  return { ...base, definitions };
}

/** CRDs by the path of each version they serve. */
function customGroups(store: Store): Map<string, KubeObject[]> {
  const groups = new Map<string, KubeObject[]>();
  for (const crd of store.list(CRDS)) {
    for (const version of mapsOf(mapAt(crd, 'spec'), 'versions')) {
      if (version['served'] !== true) continue;
      const path = `apis/${String(mapAt(crd, 'spec')?.['group'])}/${String(version['name'])}`;
      groups.set(path, [...(groups.get(path) ?? []), crd]);
    }
  }
  return groups;
}

function versionSchema(crd: KubeObject, version: string): Document {
  const found = mapsOf(mapAt(crd, 'spec'), 'versions').find((it) => it['name'] === version);
  return mapAt(mapAt(found, 'schema'), 'openAPIV3Schema') ?? { type: 'object' };
}

/** `io.fluxcd.toolkit.source.v1.OCIRepository`: the group reversed, then version and kind. */
function schemaName(group: string, version: string, kind: string): string {
  return [...group.split('.').reverse(), version, kind].join('.');
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32).toUpperCase();
}
