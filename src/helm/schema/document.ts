import { decodeJson, GoError, GoInt, GoMap, type GoValue } from '../../golang/index.ts';
import { errorMessage } from '../../std/index.ts';
import { helmError } from '../errors.ts';

/** A number of a schema, with its text: enum and const print it as it was written. */
export class JsonNumber {
  readonly text: string;
  readonly value: number;

  constructor(text: string) {
    this.text = text;
    this.value = Number(text);
  }
}

/** A parsed schema. Objects are Maps, so that no property name can collide with Object.prototype. */
export type SchemaNode = null | boolean | string | JsonNumber | SchemaNode[] | SchemaObject;
export type SchemaObject = Map<string, SchemaNode>;

/** What is validated: a chart's values, or (against a metaschema) a schema itself. */
export type Instance = GoValue | SchemaNode;

/** The part of GoMap and Map that validation uses. */
export interface InstanceObject {
  readonly size: number;
  get(key: string): Instance | undefined;
  has(key: string): boolean;
  keys(): IterableIterator<string>;
}

export type InstanceType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

/** Collections inside collections that a schema may have. */
export const MAX_SCHEMA_DEPTH = 400;

/**
 * Reads a schema as jsonschema's UnmarshalJSON does.
 * @throws CodedError `SchemaInvalid` with Go's text
 */
export function parseSchema(text: string): SchemaNode {
  let tooDeep = false;
  const depth = jsonDepth(text);
  if (depth > MAX_SCHEMA_DEPTH) tooDeep = true;
  if (tooDeep) throw helmError('LimitExceeded', `read values.schema.json: nesting of ${depth} exceeds ${MAX_SCHEMA_DEPTH}`);
  try {
    return JSON.parse(text, reviveNode as (key: string, value: unknown) => unknown) as SchemaNode;
  } catch (error) {
    throw helmError('SchemaInvalid', jsonErrorText(text, errorMessage(error)));
  }
}

function reviveNode(_key: string, value: unknown, context: { source?: string }): SchemaNode {
  if (typeof value === 'number') return new JsonNumber(context.source ?? String(value));
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value as SchemaNode;
  return new Map(Object.entries(value)) as SchemaObject;
}

/** Deepest nesting of brackets outside strings; cheap, and enough to refuse a bomb before anything recurses. */
function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      for (i++; i < text.length && text.charCodeAt(i) !== 0x22; i++) if (text.charCodeAt(i) === 0x5c) i++;
    } else if (c === 0x7b || c === 0x5b) {
      if (++depth > deepest) deepest = depth;
    } else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}

/** The text of Go's json.Decoder for an input that JSON.parse refused. */
function jsonErrorText(text: string, fallback: string): string {
  if (text.trim() === '') return 'EOF';
  try {
    decodeJson(text);
  } catch (error) {
    if (!(error instanceof GoError)) throw error;
    const message = error.message;
    if (message === 'unexpected end of JSON input') return 'unexpected EOF';
    return message.endsWith(' after top-level value') ? 'invalid character after top-level value' : message;
  }
  return fallback;
}

export function isObjectNode(node: SchemaNode | undefined): node is SchemaObject {
  return node instanceof Map;
}

export function instanceType(value: Instance): InstanceType | undefined {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'number':
      return 'number';
    case 'boolean':
      return 'boolean';
    default:
  }
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof GoMap || value instanceof Map) return 'object';
  if (value instanceof GoInt || value instanceof JsonNumber) return 'number';
  return undefined;
}

/** The double of a number of any representation. */
export function numberOf(value: Instance): number {
  if (typeof value === 'number') return value;
  if (value instanceof JsonNumber) return value.value;
  return value instanceof GoInt ? Number(value.value) : Number.NaN;
}

/** JSON equality: numbers by value, objects without regard to order. */
export function instanceEquals(a: Instance, b: Instance): boolean {
  const type = instanceType(a);
  if (type !== instanceType(b)) return false;
  switch (type) {
    case 'object': {
      const x = a as InstanceObject;
      const y = b as InstanceObject;
      if (x.size !== y.size) return false;
      for (const key of x.keys()) if (!y.has(key) || !instanceEquals(x.get(key) ?? null, y.get(key) ?? null)) return false;
      return true;
    }
    case 'array': {
      const x = a as Instance[];
      const y = b as Instance[];
      return x.length === y.length && x.every((item, i) => instanceEquals(item, y[i] ?? null));
    }
    case 'number':
      return numberOf(a) === numberOf(b);
    default:
      return a === b;
  }
}

/** A text that is equal for equal instances: finds duplicates in long lists without comparing all pairs. */
export function instanceKey(value: Instance): string {
  switch (instanceType(value)) {
    case 'object': {
      const object = value as InstanceObject;
      return `{${[...object.keys()]
        .sort()
        .map((key) => `${JSON.stringify(key)}:${instanceKey(object.get(key) ?? null)}`)
        .join(',')}}`;
    }
    case 'array':
      return `[${(value as Instance[]).map(instanceKey).join(',')}]`;
    case 'number':
      return String(numberOf(value));
    case 'string':
      return JSON.stringify(value);
    default:
      return String(value);
  }
}
