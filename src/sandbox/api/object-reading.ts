import { apiVersionOf, type ServedKind } from '../catalog/kind.ts';
import { fieldFaults, isMap, type Json } from '../fields/index.ts';
import type { Draft } from '../kinds/index.ts';
import { badRequest, invalid } from '../request/status.ts';
import { untypable } from './apply-failure.ts';
import type { WriteOptions } from './write-options.ts';
import type { ObjectsDeps } from './write.ts';

/** Where an object is to be; an empty name leaves it to the object. */
export type Place = { kind: ServedKind; namespace: string; name: string };

/** Reads a body as an object of the kind at this place. @throws StatusError 400 */
export function readObject(deps: ObjectsDeps, place: Place, body: Json, options: WriteOptions): { draft: Draft; warnings: string[] } {
  const { kind } = place;
  const cannot = `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}`;
  const given = body === null ? {} : body;
  if (!isMap(given)) throw badRequest(`${cannot}: json: cannot unmarshal ${typeof body} into Go value of type v1.${kind.kind}`);
  checkKind(kind, given);
  const { value, unknown, fault } = deps.schemaOf(kind).read(given);
  if (fault !== undefined)
    throw options.isPatch !== undefined
      ? patchFault(given, options.isPatch === 'strategic' ? restoreFault(fault) : fault)
      : badRequest(`${cannot}: ${fault}`);
  const texts = [
    ...(options.doubled ?? []).map((path) => `duplicate field ${JSON.stringify(path)}`),
    ...unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
  ];
  if (texts.length > 0 && options.fieldValidation === 'Strict') {
    const strict = `strict decoding error: ${texts.join(', ')}`;
    throw options.isPatch !== undefined ? patchFault(given, strict) : badRequest(`${cannot}: ${strict}`);
  }
  const draft = value as unknown as Draft;
  draft.apiVersion = apiVersionOf(kind);
  draft.kind = kind.kind;
  draft.metadata ??= { name: '' };
  draft.metadata.name ??= '';
  if (isEmptied(given)) draft.metadata.managedFields = [];
  putInPlace(place, draft);
  return { draft, warnings: options.fieldValidation === 'Warn' ? texts : [] };
}

/** A patch whose outcome cannot be read. */
function patchFault(patched: Json, why: string): Error {
  const message = `Invalid value: ${JSON.stringify(JSON.stringify(patched))}: ${why}`;
  return invalid('', '', '', [{ type: 'FieldValueInvalid', field: 'patch', message }]);
}

/** A mismatch of shapes as it is told of strategic patches, which are not read as JSON. */
function restoreFault(fault: string): string {
  if (/unmarshal array into .* of type map\[/.test(fault)) return 'cannot restore map from slice';
  if (/unmarshal object into .* of type \[\]/.test(fault)) return 'cannot restore slice from map';
  return fault;
}

/** True when a body asks to forget who owns what: an empty list, which the typed form does not tell from none. */
function isEmptied(body: { readonly [key: string]: Json }): boolean {
  const { metadata } = body;
  const entries = isMap(metadata) ? metadata['managedFields'] : undefined;
  return Array.isArray(entries) && entries.length === 0;
}

function checkKind(kind: ServedKind, body: { readonly [key: string]: Json }): void {
  const { apiVersion, kind: name } = body;
  if (apiVersion !== undefined && apiVersion !== apiVersionOf(kind)) {
    throw badRequest(
      kind.schemaName === undefined
        ? `the API version in the data (${String(apiVersion)}) does not match the expected API version (${apiVersionOf(kind)})`
        : `${String(name)} in version ${JSON.stringify(apiVersion)} cannot be handled as a ${kind.kind}: no kind ${JSON.stringify(name)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    );
  }
  if (kind.schemaName === undefined) {
    if (name === undefined) {
      const text = JSON.stringify(body);
      throw badRequest(
        `the object provided is unrecognized (must be of type ${kind.kind}): Object 'Kind' is missing in '${text}' (${text})`,
      );
    }
    if (name !== kind.kind) {
      const message = `Invalid value: ${JSON.stringify(name)}: must be ${kind.kind}`;
      const metadata = isMap(body['metadata']) ? body['metadata'] : {};
      throw invalid(kind.group, String(name), String(metadata['name'] ?? ''), [{ type: 'FieldValueInvalid', field: 'kind', message }]);
    }
  }
  if (name !== undefined && name !== kind.kind)
    throw badRequest(
      `${String(name)} in version ${JSON.stringify(kind.version)} cannot be handled as a ${kind.kind}: converting (${kind.version}.${String(name)}) to (${internalGroup(kind)}.${kind.kind}): unknown conversion`,
    );
}

/** The place in the URL wins; a body that names another is refused. */
function putInPlace({ kind, namespace, name }: Place, draft: Draft): void {
  const { metadata } = draft;
  if (kind.namespaced) {
    if (metadata.namespace !== undefined && metadata.namespace !== namespace) throw otherNamespace();
    metadata.namespace = namespace;
  } else {
    delete metadata.namespace;
  }
  if (name === '') return;
  if (metadata.name !== '' && metadata.name !== name) throw badRequest(otherName(metadata.name, name));
  metadata.name = name;
}

/** Checks that a body can be applied at this place. @throws StatusError 400, 500 */
export function readConfiguration(deps: ObjectsDeps, { kind, namespace, name }: Place, body: Json): Json {
  if (!isMap(body)) throw badRequest('error decoding YAML: json: cannot unmarshal into Go value of type map[string]interface {}');
  const [group = '', version = ''] = splitVersion(body['apiVersion']);
  if (group !== kind.group || version !== kind.version || body['kind'] !== kind.kind)
    throw badRequest(`invalid object type: ${group}/${version}, Kind=${typeof body['kind'] === 'string' ? body['kind'] : ''}`);
  const metadata = isMap(body['metadata']) ? body['metadata'] : {};
  if (metadata['managedFields'] !== undefined) throw badRequest('metadata.managedFields must be nil');
  if (kind.namespaced && metadata['namespace'] !== undefined && metadata['namespace'] !== namespace) throw otherNamespace();
  if (metadata['name'] !== undefined && metadata['name'] !== name) throw badRequest(otherName(String(metadata['name']), name));
  const faults = fieldFaults(deps.schemaOf(kind).fields, body);
  if (faults !== undefined) throw untypable(kind, name, faults);
  return body;
}

function otherNamespace(): Error {
  return badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function otherName(found: string, wanted: string): string {
  return `the name of the object (${found}) does not match the name on the URL (${wanted})`;
}

/** What the API server calls the package of a group's internal types. */
function internalGroup(kind: ServedKind): string {
  return kind.group === '' ? 'core' : (kind.group.split('.')[0] ?? '');
}

/** Group and version of an `apiVersion`; without the one there is not the other. */
function splitVersion(apiVersion: Json | undefined): readonly string[] {
  if (typeof apiVersion !== 'string') return [];
  return apiVersion.includes('/') ? apiVersion.split('/') : ['', apiVersion];
}
