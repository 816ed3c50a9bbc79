import type { Spend } from '../build-context.ts';
import { KustomizeError } from '../errors.ts';
import type { Json } from '../from-json.ts';
import { weightOf } from '../value.ts';

/** One operation of a JSON patch (RFC 6902), decoded but not checked. */
export type JsonOperation = { readonly [field: string]: Json };
export type JsonPatch = readonly JsonOperation[];

type Container = Json[] | { [key: string]: Json };

/**
 * Applies a JSON patch to a document, which it changes, and returns the result. The rules and errors are those of the Go library
 * kustomize uses (evanphx/json-patch v4): `replace` of a field that is missing adds it, indices may be negative. What is copied within
 * the document is counted with `spend`.
 */
export function applyJsonPatch(document: { [key: string]: Json }, patch: JsonPatch, spend: Spend): Json {
  const root = new Root(document, spend);
  for (const operation of patch) root.apply(operation);
  return root.document;
}

function failed(message: string): KustomizeError {
  return new KustomizeError('PatchFailed', message);
}

class Root {
  document: Container;
  readonly #spend: Spend;

  constructor(document: Container, spend: Spend) {
    this.document = document;
    this.#spend = spend;
  }

  apply(operation: JsonOperation): void {
    const kind = typeof operation['op'] === 'string' ? operation['op'] : 'unknown';
    switch (kind) {
      case 'add':
        return this.#add(operation);
      case 'remove':
        return this.#remove(operation);
      case 'replace':
        return this.#replace(operation);
      case 'move':
        return this.#move(operation);
      case 'test':
        return this.#test(operation);
      case 'copy':
        return this.#copy(operation);
      default:
        throw failed(`Unexpected kind: ${kind}`);
    }
  }

  #add(operation: JsonOperation): void {
    const path = pointer(operation, 'path', 'add operation failed to decode path: missing value');
    const place = this.#find(path);
    if (place === undefined) throw failed(`add operation does not apply: doc is missing path: "${path}": missing value`);
    within(`error in add for path: '${path}'`, () => place.add(copy(operation['value'] ?? null)));
  }

  #remove(operation: JsonOperation): void {
    const path = pointer(operation, 'path', 'remove operation failed to decode path: missing value');
    const place = this.#find(path);
    if (place === undefined) throw failed(`remove operation does not apply: doc is missing path: "${path}": missing value`);
    within(`error in remove for path: '${path}'`, () => place.remove());
  }

  #replace(operation: JsonOperation): void {
    const path = pointer(operation, 'path', `replace operation failed to decode path: ${MISSING_PATH}`);
    const value = copy(operation['value'] ?? null);
    if (path === '') {
      if (typeof value !== 'object' || value === null) throw failed('replace operation value must be object or array: %!w(<nil>)');
      this.document = value;
      return;
    }
    const place = this.#find(path);
    if (place === undefined) throw failed(`replace operation does not apply: doc is missing path: ${path}: missing value`);
    if (!place.reachable()) throw failed(`replace operation does not apply: doc is missing key: ${path}: missing value`);
    place.set(value);
  }

  #move(operation: JsonOperation): void {
    const from = pointer(operation, 'from', `move operation failed to decode from: ${MISSING_FROM}`);
    const source = this.#find(from);
    if (source === undefined) throw failed(`move operation does not apply: doc is missing from path: ${from}: missing value`);
    const value = within(`error in move for path: '${source.key}'`, () => {
      const moved = source.get();
      source.remove();
      return moved;
    });
    const path = pointer(operation, 'path', `move operation failed to decode path: ${MISSING_PATH}`);
    const place = this.#find(path);
    if (place === undefined) throw failed(`move operation does not apply: doc is missing destination path: ${path}: missing value`);
    within(`error in move for path: '${path}'`, () => place.add(value ?? null));
  }

  #test(operation: JsonOperation): void {
    const path = pointer(operation, 'path', `test operation failed to decode path: ${MISSING_PATH}`);
    const expected = operation['value'];
    if (path === '') {
      if (!equal(this.document, expected ?? null)) throw failed(`testing value ${path} failed: test failed`);
      return;
    }
    const place = this.#find(path);
    if (place === undefined) throw failed(`test operation does not apply: is missing path: ${path}: missing value`);
    const value = within(`error in test for path: '${path}'`, () => place.get());
    if (!equal(value ?? null, expected ?? null)) throw failed(`testing value ${path} failed: test failed`);
  }

  #copy(operation: JsonOperation): void {
    const from = pointer(operation, 'from', `copy operation failed to decode from: ${MISSING_FROM}`);
    const source = this.#find(from);
    if (source === undefined) throw failed(`copy operation does not apply: doc is missing from path: ${from}: missing value`);
    const value = within(`error in copy for from: '${from}'`, () => source.get());
    const path = pointer(operation, 'path', 'copy operation failed to decode path: missing value');
    const place = this.#find(path);
    if (place === undefined) throw failed(`copy operation does not apply: doc is missing destination path: ${path}: missing value`);
    this.#spend(weightOf(value ?? null));
    within('error while adding value during copy', () => place.add(copy(value ?? null)));
  }

  #find(path: string): Place | undefined {
    const parts = path.split('/');
    if (parts.length < 2) return undefined;
    let container: Container = this.document;
    for (const part of parts.slice(1, -1)) {
      const place = new Place(container, unescape(part));
      const next = place.reachable() ? place.get() : undefined;
      if (typeof next !== 'object' || next === null) return undefined;
      container = next;
    }
    return new Place(container, unescape(parts.at(-1) ?? ''));
  }
}

const MISSING_PATH = 'operation missing path field: missing value';
const MISSING_FROM = 'operation, missing from field: missing value';

function pointer(operation: JsonOperation, name: 'path' | 'from', message: string): string {
  const value = operation[name];
  if (typeof value !== 'string') throw failed(message);
  return value;
}

function unescape(part: string): string {
  return part.replace(/~[01]/g, (escape) => (escape === '~1' ? '/' : '~'));
}

function within<T>(prefix: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof KustomizeError ? failed(`${prefix}: ${error.message}`) : error;
  }
}

/** A key or index of a container; there need not be anything. */
class Place {
  readonly key: string;
  readonly #container: Container;

  constructor(container: Container, key: string) {
    this.#container = container;
    this.key = key;
  }

  /** True unless the container is a list without such an index. */
  reachable(): boolean {
    if (!Array.isArray(this.#container)) return true;
    const index = atoi(this.key);
    return index !== undefined && index < this.#container.length && index >= -this.#container.length;
  }

  get(): Json | undefined {
    const container = this.#container;
    if (!Array.isArray(container)) return Object.hasOwn(container, this.key) ? container[this.key] : undefined;
    return container[listIndex(this.key, container.length)];
  }

  set(value: Json): void {
    const container = this.#container;
    if (Array.isArray(container)) container[listIndex(this.key, container.length)] = value;
    else put(container, this.key, value);
  }

  add(value: Json): void {
    const container = this.#container;
    if (!Array.isArray(container)) return put(container, this.key, value);
    if (this.key === '-') {
      container.push(value);
      return;
    }
    if (atoi(this.key) === undefined) throw failed(`value was not a proper array index: '${this.key}': ${notANumber(this.key)}`);
    container.splice(listIndex(this.key, container.length + 1), 0, value);
  }

  remove(): void {
    const container = this.#container;
    if (Array.isArray(container)) {
      container.splice(listIndex(this.key, container.length), 1);
      return;
    }
    if (!Object.hasOwn(container, this.key)) throw failed(`Unable to remove nonexistent key: ${this.key}: missing value`);
    delete container[this.key];
  }
}

function put(container: { [key: string]: Json }, key: string, value: Json): void {
  Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true });
}

function atoi(text: string): number | undefined {
  return /^[-+]?\d+$/.test(text) ? Number(text) : undefined;
}

function notANumber(text: string): string {
  return `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
}

function listIndex(key: string, length: number): number {
  const index = atoi(key);
  if (index === undefined) throw failed(notANumber(key));
  if (index >= length || index < -length) throw failed(`Unable to access invalid index: ${index}: invalid index referenced`);
  return index < 0 ? index + length : index;
}

function copy(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const result: { [key: string]: Json } = {};
  for (const key of Object.keys(value)) put(result, key, copy(value[key] ?? null));
  return result;
}

function equal(a: Json, b: Json): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return a === b || sameNumber(a, b);
  if (Array.isArray(a)) return Array.isArray(b) && a.length === b.length && a.every((item, i) => equal(item, b[i] ?? null));
  if (Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equal(a[key] ?? null, b[key] ?? null));
}

function sameNumber(a: Json, b: Json): boolean {
  return (typeof a === 'bigint' || typeof b === 'bigint') && String(a) === String(b);
}
