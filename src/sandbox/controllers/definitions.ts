import type { KubeObject } from '../../manifest/index.ts';
import type { Api } from '../api/api.ts';
import { customKindSchema } from '../api/kind-schema.ts';
import type { Column, ScalePaths, ServedKind, Subresource } from '../catalog/kind.ts';
import type { Json } from '../fields/index.ts';
import { type Draft0, mapAt, mapsOf } from '../kinds/index.ts';
import { schemaRules } from '../schema/rules.ts';
import type { StructuralSchema } from '../schema/structural.ts';

const CRDS = 'apiextensions.k8s.io/customresourcedefinitions';
const VERBS = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];
const SUBRESOURCE_VERBS = ['get', 'patch', 'update'];

/** Serves what the CRDs in the store define, and keeps their status: accepted names, Established. */
export function serveDefinitions(api: Api): void {
  for (const crd of api.store.list(CRDS)) serve(api, crd);
  api.store.watch(CRDS, undefined, (change) => {
    if (change.type === 'deleted') withdraw(api, change.object);
    else serve(api, change.object);
  });
}

function serve(api: Api, crd: KubeObject): void {
  const spec = mapAt(crd, 'spec') ?? {};
  const group = String(spec['group']);
  const kinds: ServedKind[] = [];
  for (const version of mapsOf(spec, 'versions')) {
    if (version['served'] !== true) continue;
    const kind = servedKind(spec, version);
    kinds.push(kind);
    const schema = (mapAt(mapAt(version, 'schema'), 'openAPIV3Schema') ?? {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
    }) as StructuralSchema;
    api.setSchema(kind, customKindSchema(schema, schemaRules));
  }
  api.catalog.serve(group, String(mapAt(spec, 'names')?.['plural']), kinds);
  establish(api, crd, spec);
}

function withdraw(api: Api, crd: KubeObject): void {
  const spec = mapAt(crd, 'spec') ?? {};
  const plural = String(mapAt(spec, 'names')?.['plural']);
  const group = String(spec['group']);
  const [kind] = api.catalog.all().filter((it) => it.group === group && it.plural === plural);
  if (kind !== undefined) {
    for (const object of api.store.list(kind.collection)) {
      api.store.delete(kind.collection, object.metadata.namespace ?? '', object.metadata.name, object.metadata.resourceVersion ?? '');
    }
  }
  api.catalog.serve(group, plural, []);
}

function servedKind(spec: Draft0, version: Draft0): ServedKind {
  const names = mapAt(spec, 'names') ?? {};
  const group = String(spec['group']);
  const plural = String(names['plural']);
  const kind = String(names['kind']);
  const own = { group, version: String(version['name']), kind };
  const subresources: Subresource[] = [];
  const declared = mapAt(version, 'subresources');
  if (mapAt(declared, 'status') !== undefined) subresources.push({ name: 'status', verbs: SUBRESOURCE_VERBS, kind: own });
  if (mapAt(declared, 'scale') !== undefined)
    subresources.push({ name: 'scale', verbs: SUBRESOURCE_VERBS, kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } });
  return {
    ...own,
    listKind: String(names['listKind'] ?? `${kind}List`),
    plural,
    singular: String(names['singular'] ?? kind.toLowerCase()),
    shortNames: (names['shortNames'] ?? []) as string[],
    categories: (names['categories'] ?? []) as string[],
    namespaced: spec['scope'] === 'Namespaced',
    verbs: VERBS,
    subresources,
    ...scaleOf(mapAt(declared, 'scale')),
    ...deprecationOf(spec, version),
    selectable: mapsOf(version, 'selectableFields').map((it) => String(it['jsonPath']).replace(/^\./, '')),
    columns: columnsOf(version),
    collection: `${group}/${plural}`,
    schemaName: undefined,
  };
}

function scaleOf(scale: Draft0 | undefined): { scale?: ScalePaths } {
  if (scale === undefined) return {};
  const path = (field: string): string[] => String(scale[field]).replace(/^\./, '').split('.');
  const selector = scale['labelSelectorPath'] === undefined ? undefined : path('labelSelectorPath');
  return { scale: { spec: path('specReplicasPath'), status: path('statusReplicasPath'), selector } };
}

/** Names the stored version as the one to use, unless the definition has words of its own. */
function deprecationOf(spec: Draft0, version: Draft0): { deprecation?: string } {
  if (version['deprecated'] !== true) return {};
  const own = version['deprecationWarning'];
  if (typeof own === 'string') return { deprecation: own };
  const [group, kind] = [String(spec['group']), String(mapAt(spec, 'names')?.['kind'])];
  const stored = mapsOf(spec, 'versions').find((it) => it['served'] === true && it['deprecated'] !== true);
  const better = stored === undefined ? '' : `; use ${group}/${String(stored['name'])} ${kind}`;
  return { deprecation: `${group}/${String(version['name'])} ${kind} is deprecated${better}` };
}

const NAME_DESCRIPTION =
  'Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names';

function columnsOf(version: Draft0): Column[] {
  const name: Column = {
    name: 'Name',
    type: 'string',
    format: 'name',
    description: NAME_DESCRIPTION,
    priority: 0,
    jsonPath: '.metadata.name',
  };
  const declared = mapsOf(version, 'additionalPrinterColumns').map((it): Column => ({
    name: String(it['name']),
    type: String(it['type']),
    format: String(it['format'] ?? ''),
    description: String(it['description'] ?? `Custom resource definition column (in JSONPath format): ${String(it['jsonPath'])}`),
    priority: Number(it['priority'] ?? 0),
    jsonPath: String(it['jsonPath']),
  }));
  const age: Column = {
    name: 'Age',
    type: 'date',
    format: '',
    description: 'CreationTimestamp',
    priority: 0,
    jsonPath: '.metadata.creationTimestamp',
  };
  return declared.length === 0 ? [name, age] : [name, ...declared];
}

/** Sets the status of a CRD once; a later spec change keeps the times of its conditions. */
function establish(api: Api, crd: KubeObject, spec: Draft0): void {
  const kind = api.catalog.resource('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
  if (kind === undefined || crd.metadata.deletionTimestamp !== undefined) return;
  const conditions = mapsOf(mapAt(crd, 'status'), 'conditions');
  if (
    conditions.some((it) => it['type'] === 'Established' && it['status'] === 'True') &&
    mapAt(mapAt(crd, 'status'), 'acceptedNames') !== undefined
  )
    return;
  const time = `${new Date(api.clock.now()).toISOString().slice(0, 19)}Z`;
  const condition = (type: string, reason: string, message: string): Draft0 => ({
    type,
    status: 'True',
    reason,
    message,
    lastTransitionTime: time,
  });
  const status = {
    acceptedNames: mapAt(spec, 'names'),
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    storedVersions: mapsOf(spec, 'versions')
      .filter((it) => it['storage'] === true)
      .map((it) => it['name']),
  };
  api.objects.patch(kind, '', crd.metadata.name, (live) => ({ ...live, status }) as unknown as Json, {
    dryRun: false,
    fieldManager: 'kube-apiserver',
    fieldValidation: 'Ignore',
    subresource: 'status',
  });
}
