import type { KubeObject } from '../../manifest/index.ts';
import { escalationGuard } from '../auth/escalation.ts';
import type { ServedKind } from '../catalog/kind.ts';
import { isMap, type Json } from '../fields/index.ts';
import { writeOptionsFault } from '../request/options.ts';
import { badRequest, invalid, modified, StatusError, unsupportedMediaType } from '../request/status.ts';
import type { Api } from './api.ts';
import { contentType, doubledFields, patchOf } from './bodies.ts';
import { type ApiReply, json, type ResourceCall } from './call.ts';
import { listDocument, present, selectorOf } from './reads.ts';
import { scaleOf, wantedReplicas } from './scale.ts';
import { deleteOptions, refuse, type WriteOptions, writeOptions } from './write-options.ts';

const APPLY = ['application/apply-patch+yaml', 'application/apply-patch+cbor'];
const STRATEGIC = 'application/strategic-merge-patch+json';
const PATCHES = ['application/json-patch+json', 'application/merge-patch+json', STRATEGIC, 'application/apply-patch+yaml'];

/** POST. */
export function create(api: Api, call: ResourceCall): ApiReply {
  const { request, kind, info, query, body } = call;
  refuse(writeOptionsFault('CreateOptions', query));
  const options = { ...writeOptions(request, info, query), ...doubledIn(call), ...guardOf(api, call) };
  const written = api.objects.create(kind, namespaceOf(call), body ?? null, options);
  return present(api, call, written.object, 201, written.warnings);
}

/** PUT. */
export function update(api: Api, call: ResourceCall): ApiReply {
  const { request, kind, info, query, body } = call;
  refuse(writeOptionsFault('UpdateOptions', query));
  const options = { ...writeOptions(request, info, query), ...doubledIn(call), ...guardOf(api, call) };
  const written = api.objects.update(kind, info.namespace, info.name, body ?? null, options);
  return present(api, call, written.object, written.created ? 201 : 200, written.warnings);
}

function guardOf(api: Api, { user, kind }: ResourceCall): Pick<WriteOptions, 'guard'> {
  const guard = escalationGuard({ store: api.store, allows: (who, what) => api.allows(who, what) }, user, kind);
  return guard === undefined ? {} : { guard };
}

function doubledIn({ request, query }: ResourceCall): { doubled: readonly string[] } {
  return { doubled: query.get('fieldValidation') === 'Ignore' ? [] : doubledFields(request) };
}

/** PATCH: JSON patch, merge patch, strategic merge patch or server-side apply. */
export function patch(api: Api, call: ResourceCall): ApiReply {
  const { request, kind, info, query, body } = call;
  refuse(writeOptionsFault('PatchOptions', query));
  const type = contentType(request);
  if (APPLY.includes(type)) return apply(api, call);
  const change = patchOf(type, body ?? null, kind);
  if (change === undefined) throw unsupportedPatch(kind, type);
  const options = {
    ...writeOptions(request, info, query),
    isPatch: type === STRATEGIC ? ('strategic' as const) : true,
    ...guardOf(api, call),
  };
  const written = api.objects.patch(kind, info.namespace, info.name, change, options);
  return present(api, call, written.object, 200, written.warnings);
}

function apply(api: Api, call: ResourceCall): ApiReply {
  const { request, kind, info, query, body } = call;
  requireManager(query);
  const options = { ...writeOptions(request, info, query), force: query.get('force') === 'true', ...guardOf(api, call) };
  const written = api.objects.apply(kind, info.namespace, info.name, body ?? null, options);
  return present(api, call, written.object, written.created ? 201 : 200, written.warnings);
}

function requireManager(query: URLSearchParams): void {
  if ((query.get('fieldManager') ?? '') !== '') return;
  const message = 'Required value: is required for apply patch';
  throw invalid('meta.k8s.io', 'PatchOptions', '', [{ type: 'FieldValueRequired', message, field: 'fieldManager' }]);
}

/** A patch of a type that nothing takes, or that kinds of CRDs do not. */
function unsupportedPatch(kind: ServedKind, type: string): StatusError {
  if (!PATCHES.includes(type)) return new StatusError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  return unsupportedMediaType(kind.schemaName === undefined ? PATCHES.filter((it) => it !== STRATEGIC) : PATCHES);
}

/** DELETE of one object. */
export function remove(api: Api, call: ResourceCall): ApiReply {
  const { kind, info, query, body } = call;
  const { object, gone } = api.objects.delete(kind, info.namespace, info.name, deleteOptions(body, query));
  return gone && kind.collection !== '/pods' ? json(deletedStatus(kind, object)) : present(api, call, object);
}

/** DELETE of a collection, or of what a selector finds in it. */
export function removeCollection(api: Api, call: ResourceCall): ApiReply {
  const { kind, info, query, body } = call;
  const selects = selectorOf(kind, query);
  const options = deleteOptions(body, query);
  const found = api.store.list(kind.collection, info.namespace).filter(selects);
  for (const { metadata } of found) api.objects.delete(kind, metadata.namespace ?? '', metadata.name, options);
  const objects = found.map((object) => api.objects.present(kind, object));
  return json(listDocument(kind, { resourceVersion: String(api.store.revision) }, objects));
}

/** The `scale` subresource. */
export function scale(api: Api, call: ResourceCall): ApiReply {
  const { request, kind, info, query, body } = call;
  const live = api.objects.get(kind, info.namespace, info.name);
  const before = scaleOf(kind, live);
  if (info.verb === 'get') return json(before);
  const type = contentType(request);
  const isApply = info.verb === 'patch' && APPLY.includes(type);
  refuse(writeOptionsFault(info.verb === 'patch' ? 'PatchOptions' : 'UpdateOptions', query));
  if (isApply) requireManager(query);
  const wanted = info.verb === 'update' || isApply ? (body ?? null) : patchOf(type, body ?? null, kind)?.(before);
  if (wanted === undefined) throw unsupportedPatch(kind, type);
  checkScale(kind, before, wanted);
  const replicas = wantedReplicas(kind, wanted, info.name);
  const options = { ...writeOptions(request, info, query), force: query.get('force') === 'true', isApply };
  return json(scaleOf(kind, api.objects.scale(kind, live, replicas, options)));
}

/** A Scale is about the object it was read from. @throws StatusError 400, 409 */
function checkScale(kind: ServedKind, before: KubeObject, wanted: Json): void {
  const metadata = isMap(wanted) && isMap(wanted['metadata']) ? wanted['metadata'] : {};
  const { name, namespace, resourceVersion } = metadata;
  const { name: wantedName } = before.metadata;
  if (typeof name === 'string' && name !== '' && name !== wantedName)
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${wantedName})`);
  if (typeof namespace === 'string' && namespace !== '' && namespace !== before.metadata.namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  if (typeof resourceVersion === 'string' && resourceVersion !== '' && resourceVersion !== before.metadata.resourceVersion)
    throw modified(kind, wantedName);
}

/** The `eviction` subresource: deletes a pod as the body's options say. */
export function evict(api: Api, call: ResourceCall): ApiReply {
  const { kind, info, query } = call;
  const body = isMap(call.body) ? call.body : {};
  const metadata = isMap(body['metadata']) ? body['metadata'] : {};
  if (metadata['name'] !== undefined && metadata['name'] !== info.name)
    throw badRequest('name in URL does not match name in Eviction object');
  refuse(writeOptionsFault('CreateOptions', query));
  const options = deleteOptions(body['deleteOptions'], query);
  api.objects.delete(kind, info.namespace, info.name, options);
  return json({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201);
}

/** Objects may be created at the URL of all namespaces only when they are cluster-scoped. */
function namespaceOf({ kind, info, body }: ResourceCall): string {
  if (!kind.namespaced) return '';
  if (info.namespace !== '') return info.namespace;
  const named = isMap(body) && isMap(body['metadata']) ? body['metadata']['namespace'] : undefined;
  throw badRequest(
    named === undefined
      ? 'an empty namespace may not be set during creation'
      : 'the namespace of the provided object does not match the namespace sent on the request',
  );
}

function deletedStatus(kind: ServedKind, object: KubeObject): Record<string, unknown> {
  const details = {
    name: object.metadata.name,
    ...(kind.group === '' ? {} : { group: kind.group }),
    kind: kind.plural,
    uid: object.metadata.uid,
  };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details };
}
