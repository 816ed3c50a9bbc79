import type { Kind } from './kind.ts';
import type { RecordSchema, Schema, StringSchema } from './schema.ts';

/** A fault in an object a user wrote: where, and what, in the API server's words. */
export type Fault = { path: string; message: string };

/** What reading a value gave: the value with defaults filled in and unknown fields left out, and every fault found. */
export type Reading = { value: unknown; faults: Fault[] };

/** Values nested deeper than this are refused. */
const DEPTH_LIMIT = 64;

/** Fills in the defaults of `spec` and `status`, drops unknown fields and reports every violation of the kind's schema. */
export function readKind(kind: Kind, object: Readonly<Record<string, unknown>>): Reading {
  const faults: Fault[] = [];
  const value: Record<string, unknown> = { ...object };
  const want = `${kind.group}/${kind.version}`;
  if (object['kind'] !== kind.kind) faults.push({ path: 'kind', message: `Invalid value: ${quote(object['kind'])}: must be ${kind.kind}` });
  if (object['apiVersion'] !== want)
    faults.push({ path: 'apiVersion', message: `Invalid value: ${quote(object['apiVersion'])}: must be ${want}` });
  value['spec'] = read(kind.spec, object['spec'] ?? {}, 'spec', 0, faults);
  if (kind.status !== undefined) {
    const status = object['status'] ?? kind.status.default;
    if (status !== undefined) value['status'] = read(kind.status, status, 'status', 0, faults);
  }
  return { value, faults };
}

function read(schema: Schema, value: unknown, path: string, depth: number, faults: Fault[]): unknown {
  if (depth > DEPTH_LIMIT) {
    faults.push({ path, message: `Invalid value: more than ${DEPTH_LIMIT} levels deep` });
    return undefined;
  }
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string') return wrongType(path, value, 'string', faults);
      checkText(schema, value, path, faults);
      return value;
    case 'boolean':
      return typeof value === 'boolean' ? value : wrongType(path, value, 'boolean', faults);
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) return wrongType(path, value, 'integer', faults);
      if (schema.minimum !== undefined && value < schema.minimum) {
        faults.push({ path, message: `Invalid value: ${value}: ${path} in body should be greater than or equal to ${schema.minimum}` });
      }
      return value;
    case 'freeform':
      return value;
    case 'list':
      if (!Array.isArray(value)) return wrongType(path, value, 'array', faults);
      if (schema.minItems !== undefined && value.length < schema.minItems) {
        faults.push({ path, message: `Invalid value: ${value.length}: ${path} in body should have at least ${schema.minItems} items` });
      }
      if (schema.maxItems !== undefined && value.length > schema.maxItems) {
        faults.push({ path, message: `Too many: ${value.length}: must have at most ${schema.maxItems} items` });
      }
      return value.map((item, index) => read(schema.items, item, `${path}[${index}]`, depth + 1, faults));
    case 'dictionary':
      if (!isObject(value)) return wrongType(path, value, 'object', faults);
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, read(schema.values, item, `${path}.${key}`, depth + 1, faults)]),
      );
    case 'record':
      return isObject(value) ? readRecord(schema, value, path, depth, faults) : wrongType(path, value, 'object', faults);
  }
}

function readRecord(schema: RecordSchema, value: Record<string, unknown>, path: string, depth: number, faults: Fault[]): unknown {
  const result: Record<string, unknown> = {};
  const before = faults.length;
  for (const [name, field] of Object.entries(schema.fields)) {
    // A null is a field left out, as the API server has it for fields that are not nullable.
    let given = value[name] ?? undefined;
    if (given === undefined && 'default' in field.schema) given = field.schema.default;
    if (given !== undefined) result[name] = read(field.schema, given, `${path}.${name}`, depth + 1, faults);
    else if (field.required) faults.push({ path: `${path}.${name}`, message: 'Required value' });
  }
  if (faults.length > before) return result;
  for (const { message, holds } of schema.rules ?? []) {
    if (!holds(result)) faults.push({ path, message: `Invalid value: ${message}` });
  }
  return result;
}

function checkText(schema: StringSchema, value: string, path: string, faults: Fault[]): void {
  const invalid = (want: string): void => {
    faults.push({ path, message: `Invalid value: ${quote(value)}: ${path} in body should ${want}` });
  };
  if (schema.enum !== undefined && !schema.enum.includes(value)) {
    faults.push({ path, message: `Unsupported value: ${quote(value)}: supported values: ${schema.enum.map(quote).join(', ')}` });
  }
  if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) invalid(`match '${schema.pattern}'`);
  if (schema.minLength !== undefined || schema.maxLength !== undefined) {
    const length = [...value].length;
    if (schema.minLength !== undefined && length < schema.minLength) invalid(`be at least ${schema.minLength} chars long`);
    if (schema.maxLength !== undefined && length > schema.maxLength) {
      faults.push({ path, message: `Too long: may not be more than ${schema.maxLength} bytes` });
    }
  }
  if (schema.format === 'date-time' && !/^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(value)) {
    invalid('be of type date-time');
  }
}

function wrongType(path: string, value: unknown, want: string, faults: Fault[]): undefined {
  const have = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  faults.push({ path, message: `Invalid value: ${quote(have)}: ${path} in body must be of type ${want}: ${quote(have)}` });
}

function quote(value: unknown): string {
  return JSON.stringify(value) ?? 'undefined';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
