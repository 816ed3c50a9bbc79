import { CodedError } from '../../std/index.ts';
import { isList, isMap, type Json, type JsonMap, sameJson } from '../fields/index.ts';

/** Most operations one JSON patch may have (the API server's limit). */
export const JSON_PATCH_OPERATIONS_LIMIT = 10_000;
/** Most bytes all `copy` operations of one patch may add. */
export const JSON_PATCH_COPY_LIMIT: number = 3 << 20;

/** `PatchInvalid` does not fit (the server's 422), `PatchMalformed` cannot be read (400), `PatchUnmergeable` is strategic nonsense (500). */
export type PatchErrorCode = 'PatchInvalid' | 'PatchMalformed' | 'PatchUnmergeable';

/** A patch that cannot be read or applied. */
export class PatchError extends CodedError<PatchErrorCode> {
  constructor(code: PatchErrorCode, message: string) {
    super({ code, message, retryable: false });
  }
}

/** Applies an RFC 6902 patch. @throws PatchError */
export function applyJsonPatch(document: Json, patch: Json): Json {
  if (!isList(patch)) throw new PatchError('PatchMalformed', 'json: cannot unmarshal object into Go value of type jsonpatch.Patch');
  if (patch.length > JSON_PATCH_OPERATIONS_LIMIT) {
    throw new PatchError(
      'PatchInvalid',
      `The allowed maximum operations in a JSON patch is ${JSON_PATCH_OPERATIONS_LIMIT}, got ${patch.length}`,
    );
  }
  let copied = 0;
  let current = document;
  for (const operation of patch) {
    if (!isMap(operation)) throw new PatchError('PatchMalformed', 'json: cannot unmarshal into Go value of type jsonpatch.Operation');
    const path = pointer(operation, 'path');
    switch (operation['op']) {
      case 'add':
        current = add(current, path, valueOf(operation));
        break;
      case 'remove':
        current = remove(current, path);
        break;
      case 'replace':
        read(current, path, 'replace');
        current = set(current, path, valueOf(operation));
        break;
      case 'move': {
        const from = pointer(operation, 'from');
        const value = read(current, from, 'move');
        current = add(remove(current, from), path, value);
        break;
      }
      case 'copy': {
        const value = read(current, pointer(operation, 'from'), 'copy');
        copied += JSON.stringify(value).length;
        if (copied > JSON_PATCH_COPY_LIMIT)
          throw new PatchError(
            'PatchInvalid',
            `Unable to complete the copy, the accumulated size increase of copy is ${copied}, exceeding the limit ${JSON_PATCH_COPY_LIMIT}`,
          );
        current = add(current, path, value);
        break;
      }
      case 'test': {
        const found = readOptional(current, path);
        if (!sameJson(found ?? null, operation['value'] ?? null))
          throw new PatchError('PatchInvalid', `testing value ${textOf(path)} failed: test failed`);
        break;
      }
      default:
        throw new PatchError('PatchInvalid', `Unexpected kind: ${String(operation['op'])}`);
    }
  }
  return current;
}

type Pointer = readonly string[];

function pointer(operation: JsonMap, field: 'path' | 'from'): Pointer {
  const text = operation[field];
  if (typeof text !== 'string') throw new PatchError('PatchInvalid', `operation does not specify a valid ${field}`);
  if (text === '') return [];
  return text
    .split('/')
    .slice(text.startsWith('/') ? 1 : 0)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueOf(operation: JsonMap): Json {
  return operation['value'] ?? null;
}

function textOf(path: Pointer): string {
  return `/${path.join('/')}`;
}

function missing(operation: string, path: Pointer): PatchError {
  return new PatchError(
    'PatchInvalid',
    `${operation} operation does not apply: doc is missing path: ${JSON.stringify(textOf(path))}: missing value`,
  );
}

function step(at: Json | undefined, key: string): Json | undefined {
  if (isList(at)) return /^(0|[1-9]\d*)$/.test(key) ? at[Number(key)] : undefined;
  return isMap(at) && Object.hasOwn(at, key) ? at[key] : undefined;
}

function readOptional(document: Json, path: Pointer): Json | undefined {
  return path.reduce<Json | undefined>(step, document);
}

function read(document: Json, path: Pointer, operation: string): Json {
  const value = readOptional(document, path);
  if (value === undefined) throw missing(operation, path);
  return value;
}

/** Rebuilds the containers along a path, so that the document given stays as it was. */
function rewrite(at: Json, path: Pointer, depth: number, change: (parent: Json, key: string) => Json): Json {
  const key = path[depth] ?? '';
  if (depth === path.length - 1) return change(at, key);
  const child = step(at, key);
  if (child === undefined) throw missing('add', path);
  return withEntry(at, key, rewrite(child, path, depth + 1, change));
}

function withEntry(parent: Json, key: string, value: Json): Json {
  if (isList(parent)) return parent.with(Number(key), value);
  const copy = Object.assign(Object.create(null) as Record<string, Json>, parent);
  copy[key] = value;
  return copy;
}

function add(document: Json, path: Pointer, value: Json): Json {
  if (path.length === 0) return value;
  return rewrite(document, path, 0, (parent, key) => {
    if (isList(parent)) {
      const at = key === '-' ? parent.length : index(key, parent.length, path);
      return parent.toSpliced(at, 0, value);
    }
    if (!isMap(parent)) throw missing('add', path);
    return withEntry(parent, key, value);
  });
}

function set(document: Json, path: Pointer, value: Json): Json {
  return path.length === 0 ? value : rewrite(document, path, 0, (parent, key) => withEntry(parent, key, value));
}

function remove(document: Json, path: Pointer): Json {
  if (path.length === 0 || readOptional(document, path) === undefined) {
    throw new PatchError(
      'PatchInvalid',
      `remove operation does not apply: doc is missing path: ${JSON.stringify(textOf(path))}: missing value`,
    );
  }
  return rewrite(document, path, 0, (parent, key) => {
    if (isList(parent)) return parent.toSpliced(Number(key), 1);
    return Object.assign(
      Object.create(null) as Record<string, Json>,
      Object.fromEntries(Object.entries(parent as JsonMap).filter(([name]) => name !== key)),
    );
  });
}

function index(key: string, length: number, path: Pointer): number {
  const at = Number(key);
  if (!/^(0|[1-9]\d*)$/.test(key) || at > length) {
    throw new PatchError(
      'PatchInvalid',
      `add operation does not apply: doc is missing path: ${JSON.stringify(textOf(path))}: Unable to access invalid index: ${key}: invalid index referenced`,
    );
  }
  return at;
}
