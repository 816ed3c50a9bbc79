import { decodeJson, readYaml } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import type { KubeObject } from '../../manifest/index.ts';
import { builtInSchema } from '../catalog/built-in.ts';
import type { ServedKind } from '../catalog/kind.ts';
import { isMap, type Json } from '../fields/index.ts';
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicMergePatch } from '../patch/strategic-merge-patch.ts';
import { readProtobuf } from '../request/protobuf.ts';
import { badRequest, StatusError, unsupportedMediaType } from '../request/status.ts';
import { readJson } from '../storage/json-text.ts';
import { type ApiRequest, header } from './call.ts';
import { duplicateKeys } from './duplicate-keys.ts';

const BODIES = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];

/** The media type of a request's body, without its parameters. */
export function contentType(request: ApiRequest): string {
  return (header(request, 'content-type') ?? '').split(';')[0]?.trim() ?? '';
}

/** The body of a write; undefined when there is none. @throws StatusError 400, 415 */
export function readBody(request: ApiRequest, verb: string, kind: ServedKind): Json | undefined {
  if (verb === 'get' || verb === 'list' || verb === 'watch') return undefined;
  const body = request.body === undefined ? '' : Buffer.from(request.body).toString();
  if (body === '' && verb !== 'create' && verb !== 'update') return undefined;
  const type = contentType(request) || 'application/json';
  try {
    if (type.endsWith('yaml')) return readYamlBody(body);
    if (type === 'application/vnd.kubernetes.protobuf') return readProtobuf(request.body ?? new Uint8Array());
    if (type.includes('cbor')) throw unsupportedMediaType(BODIES);
    if (request.method === 'POST' && !type.includes('json')) throw unsupportedMediaType(BODIES);
    const value = readJson(body);
    if (Array.isArray(value) && (verb === 'create' || verb === 'update')) throw badRequest(unrecognized(kind, 'json', NOT_A_STRUCT, body));
    return value;
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw badRequest(unreadable(type, verb, body, kind, error));
  }
}

/** JSON is YAML, and read much faster as what it is. */
function readYamlBody(body: string): Json {
  if (body.startsWith('{')) {
    try {
      return readJson(body);
    } catch {
      // a flow mapping that is YAML only
    }
  }
  return readYaml(body) as Json;
}

const NOT_A_STRUCT =
  'json: cannot unmarshal array into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

function unrecognized(kind: ServedKind, what: string, cause: string, body: string): string {
  return `the object provided is unrecognized (must be of type ${kind.kind}): couldn't get version/kind; ${what} parse error: ${cause} (${summary(body)})`;
}

/** What the API server says of a body that cannot be parsed. */
function unreadable(type: string, verb: string, body: string, kind: ServedKind, error: unknown): string {
  const isYaml = type.endsWith('yaml');
  const cause = isYaml ? errorMessage(error) : jsonFault(body);
  if (verb === 'patch') return isYaml ? `error encoding patch: ${cause}` : 'invalid JSON patch';
  if (verb.startsWith('delete')) return `couldn't get version/kind; json parse error: ${cause}`;
  return unrecognized(kind, isYaml ? 'yaml' : 'json', cause, body);
}

/** The fields a JSON text names twice, by path; none for a text in another form. */
export function doubledFields(request: ApiRequest): string[] {
  if (request.body === undefined || !(contentType(request) || 'application/json').includes('json')) return [];
  return duplicateKeys(Buffer.from(request.body).toString());
}

/** What Go says of a text that is no JSON. */
function jsonFault(text: string): string {
  try {
    decodeJson(text);
    return 'unexpected end of JSON input'; // not reached: the text is not JSON
  } catch (error) {
    return errorMessage(error);
  }
}

/** Longest part of a body that is shown. */
const SHOWN = 30;

/** A body for an error text: as it is when it looks like JSON, else in hexadecimal. */
function summary(body: string): string {
  if (body === '') return '<empty>';
  const more = body.length > SHOWN ? ' ...' : '';
  const part = body.slice(0, SHOWN);
  return body.startsWith('{') ? part + more : Buffer.from(part).toString('hex') + more;
}

/** The change a patch of this type makes; undefined for a type the kind does not take. */
export function patchOf(type: string, body: Json, kind: ServedKind): ((live: KubeObject) => Json) | undefined {
  switch (type) {
    case 'application/json-patch+json':
      if (!Array.isArray(body))
        throw badRequest(`error decoding patch: json: cannot unmarshal ${jsonKind(body)} into Go value of type []handlers.jsonPatchOp`);
      return (live) => applyJsonPatch(live as Json, body);
    case 'application/merge-patch+json':
      if (!isMap(body))
        throw badRequest(`error decoding patch: json: cannot unmarshal ${jsonKind(body)} into Go value of type map[string]interface {}`);
      return (live) => applyMergePatch(live as Json, body);
    case 'application/strategic-merge-patch+json': {
      const name = kind.schemaName;
      if (name === undefined) return undefined;
      return (live) => applyStrategicMergePatch(live as Json, body, builtInSchema(name), builtInSchema);
    }
    default:
      return undefined;
  }
}

/** What Go calls the kind of a JSON value. */
function jsonKind(value: Json): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
