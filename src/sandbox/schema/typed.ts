import { errorMessage } from '../../std/index.ts';
import { isList, isMap, type Json, type OpenApiSchema, refName } from '../fields/index.ts';
import { canonicalQuantity } from './quantity.ts';

/** Deepest object that is decoded. */
export const DEPTH_LIMIT = 100;

/** A built-in object as the API server's Go types would hold it, and what they would have to say about it. */
export type Decoded = {
  value: Json;
  /** Paths of fields the kind does not have; they are left out of `value`. */
  unknown: readonly string[];
  /** Why the object cannot be decoded, in Go's words. */
  fault: string | undefined;
};

type Schemas = (name: string) => OpenApiSchema | undefined;
type Context = { schemas: Schemas; unknown: string[]; fault: string | undefined };

const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
const TIMES: Readonly<Record<string, number>> = {
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 0,
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 6,
};

/** Optional strings that are pointers in Go: empty means something. */
const KEPT_EMPTY: ReadonlySet<string> = new Set([
  'storageClassName',
  'clusterIP',
  'nominatedNodeName',
  'serviceName',
  'volumeAttributesClassName',
]);

/**
 * Reads a value as the Go type behind a schema would: nulls and empty optional lists, maps and strings vanish, quantities and
 * times take their canonical form, unknown fields are noted and left out.
 */
export function decodeTyped(name: string, value: Json, schemas: Schemas): Decoded {
  const context: Context = { schemas, unknown: [], fault: undefined };
  const decoded = walk(value, { $ref: `#/components/schemas/${name}` }, [], '', context, 0);
  return { value: decoded ?? {}, unknown: context.unknown, fault: context.fault };
}

function walk(
  value: Json,
  declared: OpenApiSchema,
  path: readonly string[],
  owner: string,
  context: Context,
  depth: number,
): Json | undefined {
  if (value === null) return undefined;
  if (depth > DEPTH_LIMIT) {
    context.fault ??= 'exceeded max depth';
    return undefined;
  }
  const ref = refName(declared);
  if (ref === QUANTITY) return quantity(value, context);
  if (ref === INT_OR_STRING)
    return typeof value === 'string' || typeof value === 'number' ? value : mismatch(value, owner, path, 'intstr.IntOrString', context);
  if (ref !== undefined && ref in TIMES) return time(value, TIMES[ref] ?? 0, context);
  const schema = ref === undefined ? declared : context.schemas(ref);
  if (schema === undefined) return value;
  const type = ref === undefined ? owner : (ref.split('.').at(-1) ?? '');
  switch (schema.type) {
    case 'object':
      return object(value, schema, path, type, context, depth);
    case 'array':
      return list(value, schema, path, type, context, depth);
    case 'string':
      return typeof value === 'string' ? value : mismatch(value, owner, path, 'string', context);
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(value, owner, path, 'bool', context);
    case 'integer':
      return integer(value, schema, path, owner, context);
    case 'number':
      return typeof value === 'number' ? value : mismatch(value, owner, path, 'float64', context);
    default:
      return value;
  }
}

function object(
  value: Json,
  schema: OpenApiSchema,
  path: readonly string[],
  type: string,
  context: Context,
  depth: number,
): Json | undefined {
  const { properties, additionalProperties } = schema;
  if (properties === undefined && typeof additionalProperties !== 'object') return value; // free form
  if (!isMap(value)) return mismatch(value, type, path, properties === undefined ? 'map[string]string' : type, context);
  const out: Record<string, Json> = {};
  const required = new Set((schema as { required?: readonly string[] }).required);
  for (const [key, child] of Object.entries(value)) {
    const field =
      properties !== undefined && Object.hasOwn(properties, key)
        ? properties[key]
        : typeof additionalProperties === 'object'
          ? additionalProperties
          : undefined;
    if (field === undefined) {
      context.unknown.push([...path, key].join('.').replaceAll('.[', '['));
      continue;
    }
    const decoded = walk(child, field, [...path, key], type, context, depth + 1);
    if (decoded === undefined || (properties !== undefined && isOmitted(key, decoded, field, required, context))) continue;
    define(out, key, decoded);
  }
  if (properties !== undefined)
    for (const [key, zero] of zeroFields(schema, context)) if (!Object.hasOwn(out, key)) out[key] = structuredClone(zero);
  return out;
}

const zeroes = new WeakMap<OpenApiSchema, readonly (readonly [string, Json])[]>();

/** What Go writes for fields that are absent: the zero value of structs that are not pointers, and of required fields. */
function zeroFields(schema: OpenApiSchema, context: Context): readonly (readonly [string, Json])[] {
  const known = zeroes.get(schema);
  if (known !== undefined) return known;
  const required = new Set((schema as { required?: readonly string[] }).required);
  const fields = Object.entries(schema.properties ?? {}).flatMap(([key, field]): (readonly [string, Json])[] => {
    const zero = zeroOf(field, required.has(key), context);
    return zero === undefined ? [] : [[key, zero]];
  });
  zeroes.set(schema, fields);
  return fields;
}

function zeroOf(field: OpenApiSchema, isRequired: boolean, context: Context): Json | undefined {
  const ref = refName(field);
  const schema = ref === undefined ? field : context.schemas(ref);
  const { default: declared } = field as { default?: Json };
  if (ref !== undefined && isMap(declared) && schema?.properties !== undefined) return Object.fromEntries(zeroFields(schema, context));
  if (!isRequired) return undefined;
  if (ref !== undefined) return null;
  switch (schema?.type) {
    case 'string':
      return '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return null;
  }
}

/** True for what Go's `omitempty` leaves out: empty optional lists, maps and strings. */
function isOmitted(key: string, value: Json, field: OpenApiSchema, required: ReadonlySet<string>, context: Context): boolean {
  if (required.has(key) && !isMap(value)) return false;
  if (value === '') return !KEPT_EMPTY.has(key);
  if (isList(value)) return value.length === 0;
  if (!isMap(value) || Object.keys(value).length > 0) return false;
  const ref = refName(field);
  const schema = ref === undefined ? field : context.schemas(ref);
  return schema?.properties === undefined && typeof schema?.additionalProperties === 'object';
}

function list(
  value: Json,
  schema: OpenApiSchema,
  path: readonly string[],
  owner: string,
  context: Context,
  depth: number,
): Json | undefined {
  if (!isList(value)) return mismatch(value, owner, path, '[]', context);
  const { items } = schema;
  if (items === undefined) return value;
  return value.map((item, i) => walk(item, items, [...path, `[${i}]`], owner, context, depth + 1) ?? null);
}

function integer(value: Json, schema: OpenApiSchema, path: readonly string[], owner: string, context: Context): Json | undefined {
  const type = schema.format === 'int64' ? 'int64' : 'int32';
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'number') return mismatch(value, owner, path, type, context);
  const limit = type === 'int32' ? 2 ** 31 : 2 ** 63;
  if (!Number.isInteger(value) || value >= limit || value < -limit) {
    context.fault ??= `json: cannot unmarshal number ${value} into Go struct field ${owner}.${path.join('.')} of type ${type}`;
    return undefined;
  }
  return value;
}

function quantity(value: Json, context: Context): Json | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') {
    context.fault ??= "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
    return undefined;
  }
  try {
    return canonicalQuantity(String(value));
  } catch (error) {
    context.fault ??= errorMessage(error);
    return undefined;
  }
}

function time(value: Json, digits: number, context: Context): Json | undefined {
  const parsed =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(parsed) || typeof value !== 'string') {
    context.fault ??= `parsing time ${JSON.stringify(JSON.stringify(value))} as "2006-01-02T15:04:05Z07:00": cannot parse`;
    return undefined;
  }
  const seconds = new Date(parsed).toISOString().slice(0, 19);
  const fraction = /\.(\d+)/.exec(value)?.[1] ?? '';
  return digits === 0 ? `${seconds}Z` : `${seconds}.${fraction.padEnd(digits, '0').slice(0, digits)}Z`;
}

function mismatch(value: Json, owner: string, path: readonly string[], type: string, context: Context): undefined {
  const kind = isList(value) ? 'array' : isMap(value) ? 'object' : typeof value === 'boolean' ? 'bool' : typeof value;
  const field = path.filter((part) => !part.startsWith('[')).join('.');
  context.fault ??= `json: cannot unmarshal ${kind} into Go struct field ${owner}.${field} of type ${type}`;
  return undefined;
}

/** Sets a field that may be called `__proto__`. */
function define(target: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true });
  else target[key] = value;
}
