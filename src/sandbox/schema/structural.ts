import { isList, isMap, type Json, type JsonMap, type OpenApiSchema, sameJson } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import { fitsFormat } from './formats.ts';

/** A CRD's structural schema (apiextensions v1 JSONSchemaProps). */
export type StructuralSchema = OpenApiSchema & {
  properties?: Readonly<Record<string, StructuralSchema>>;
  additionalProperties?: StructuralSchema | boolean;
  items?: StructuralSchema;
  allOf?: readonly StructuralSchema[];
  anyOf?: readonly StructuralSchema[];
  oneOf?: readonly StructuralSchema[];
  not?: StructuralSchema;
  nullable?: boolean;
  required?: readonly string[];
  enum?: readonly Json[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: boolean;
  exclusiveMaximum?: boolean;
  multipleOf?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minProperties?: number;
  maxProperties?: number;
  'x-kubernetes-validations'?: readonly {
    rule: string;
    message?: string;
    messageExpression?: string;
    fieldPath?: string;
    reason?: string;
    optionalOldSelf?: boolean;
  }[];
};

/** Deepest object that is looked at. */
export const STRUCTURAL_DEPTH_LIMIT = 100;
/** Most faults listed of one object. */
export const FAULTS_LIMIT = 100;

/** Compiles the patterns of schemas; injected so that the caller decides the engine and its bounds. */
export type Patterns = (pattern: string) => { test(text: string): boolean };

/** Takes out the fields a schema does not have (pruning); their paths go to `unknown`. Metadata is the API's own. */
export function prune(value: Json, schema: StructuralSchema, path: readonly string[], unknown: string[], isRoot = true): Json {
  if (path.length > STRUCTURAL_DEPTH_LIMIT) return value;
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true;
  if (isMap(value)) {
    const out: Record<string, Json> = Object.create(null) as Record<string, Json>;
    for (const [key, child] of Object.entries(value)) {
      const object = isRoot || schema['x-kubernetes-embedded-resource'] === true;
      if (object && (key === 'apiVersion' || key === 'kind' || key === 'metadata')) {
        out[key] = child;
        continue;
      }
      const field = fieldOf(schema, key);
      if (field !== undefined) out[key] = prune(child, field, [...path, key], unknown, false);
      else if (open || schema.additionalProperties === true) out[key] = child;
      else unknown.push([...path, key].join('.').replaceAll('.[', '['));
    }
    return out;
  }
  if (isList(value) && schema.items !== undefined) {
    const { items } = schema;
    return value.map((item, i) => prune(item, items, [...path, `[${i}]`], unknown, false));
  }
  return value;
}

/** Fills in a schema's defaults where a field is absent (or null, when null is not allowed). */
export function applyDefaults(value: Json, schema: StructuralSchema, depth = 0): Json {
  if (depth > STRUCTURAL_DEPTH_LIMIT) return value;
  if (isMap(value)) {
    const out = Object.assign(Object.create(null) as Record<string, Json>, value);
    for (const [key, field] of Object.entries(schema.properties ?? {})) {
      const present = out[key];
      if (field.default !== undefined && (present === undefined || (present === null && field.nullable !== true)))
        out[key] = structuredClone(field.default) as Json;
    }
    for (const [key, child] of Object.entries(out)) {
      const field = fieldOf(schema, key);
      if (field === undefined || child === null) continue;
      out[key] = applyDefaults(child, field, depth + 1);
    }
    return out;
  }
  const { items } = schema;
  if (isList(value) && items !== undefined) return value.map((item) => (item === null ? item : applyDefaults(item, items, depth + 1)));
  return value;
}

/** Takes out nulls that a schema neither allows nor defaults: the API server drops them before validating. */
export function dropNulls(value: Json, schema: StructuralSchema, depth = 0): Json {
  if (depth > STRUCTURAL_DEPTH_LIMIT) return value;
  if (isMap(value)) {
    const out: Record<string, Json> = Object.create(null) as Record<string, Json>;
    for (const [key, child] of Object.entries(value)) {
      const field = fieldOf(schema, key);
      if (child === null && field !== undefined && field.nullable !== true) continue;
      out[key] = field === undefined || child === null ? child : dropNulls(child, field, depth + 1);
    }
    return out;
  }
  const { items } = schema;
  return isList(value) && items !== undefined ? value.map((item) => (item === null ? item : dropNulls(item, items, depth + 1))) : value;
}

/** The faults of a value against a schema, with the API server's texts. What is as it was in `old` is let be (ratcheting). */
export function validateStructural(value: Json | undefined, schema: StructuralSchema, patterns: Patterns, old?: Json): FieldFault[] {
  const faults: FieldFault[] = [];
  check(value ?? null, schema, '', faults, patterns, 0, true, old);
  return faults.slice(0, FAULTS_LIMIT);
}

function check(
  value: Json,
  schema: StructuralSchema,
  path: string,
  faults: FieldFault[],
  patterns: Patterns,
  depth: number,
  isRoot = false,
  old?: Json,
): void {
  if (depth > STRUCTURAL_DEPTH_LIMIT || faults.length > FAULTS_LIMIT) return;
  if (old !== undefined && sameJson(value, old)) return;
  if (value === null && schema.nullable === true) return;
  const body = path === '' ? '<root>' : path;
  const invalid = (shown: unknown, text: string): void => {
    faults.push({ type: 'FieldValueInvalid', field: body, message: `Invalid value: ${JSON.stringify(shown)}: ${body} in body ${text}` });
  };
  const type = typeOf(value);
  if (!typeMatches(value, type, schema)) {
    const wanted = schema['x-kubernetes-int-or-string'] === true ? 'integer,string' : schema.type;
    faults.push({
      type: 'FieldValueTypeInvalid',
      field: body,
      message: `Invalid value: ${JSON.stringify(type)}: ${body} in body must be of type ${wanted}: ${JSON.stringify(type)}`,
    });
    if (type === 'number' && schema.type === 'integer')
      faults.push({
        type: 'FieldValueInvalid',
        field: '<nil>',
        message: `Invalid value: "": Checked value must be of type integer (default format) in ${body}`,
      });
    return;
  }
  if (schema.enum !== undefined && !schema.enum.some((allowed) => JSON.stringify(allowed) === JSON.stringify(value))) {
    faults.push({
      type: 'FieldValueNotSupported',
      field: body,
      message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${schema.enum.map((it) => JSON.stringify(typeof it === 'object' ? JSON.stringify(it) : String(it))).join(', ')}`,
    });
  }
  if (typeof value === 'string') checkString(value, schema, body, faults, patterns, invalid);
  if (typeof value === 'number') checkNumber(value, schema, body, faults, invalid);
  if (isList(value)) checkList(value, schema, path, body, faults, patterns, depth, invalid, isList(old) ? old : []);
  if (isMap(value)) checkMap(value, schema, path, body, faults, patterns, depth, isRoot, isMap(old) ? old : {});
  checkCombinations(value, schema, path, body, faults, patterns, depth);
}

function checkString(
  value: string,
  schema: StructuralSchema,
  body: string,
  faults: FieldFault[],
  patterns: Patterns,
  invalid: (shown: unknown, text: string) => void,
): void {
  const length = [...value].length;
  if (schema.maxLength !== undefined && length > schema.maxLength)
    faults.push({ type: 'FieldValueTooLong', field: body, message: `Too long: may not be more than ${schema.maxLength} bytes` });
  if (schema.minLength !== undefined && length < schema.minLength) invalid(value, `should be at least ${schema.minLength} chars long`);
  if (schema.pattern !== undefined && !patterns(schema.pattern).test(value)) invalid(value, `should match '${schema.pattern}'`);
  if (schema.format !== undefined && !fitsFormat(value, schema.format))
    faults.push({
      type: 'FieldValueTypeInvalid',
      field: body,
      message: `Invalid value: ${JSON.stringify(value)}: ${body} in body must be of type ${schema.format}: ${JSON.stringify(value)}`,
    });
}

function checkNumber(
  value: number,
  schema: StructuralSchema,
  body: string,
  faults: FieldFault[],
  invalid: (shown: unknown, text: string) => void,
): void {
  const isInteger = Number.isInteger(value);
  // An integer is compared with the bounds as integers.
  const bound = (it: number): number => (isInteger ? Math.trunc(it) : it);
  if (schema.format === 'int32' && isInteger && Math.abs(value) > 2 ** 31 - 1)
    faults.push({
      type: 'FieldValueInvalid',
      field: '<nil>',
      message: `Invalid value: "": Checked value must be of type integer with format int32 in ${body}`,
    });
  if (schema.minimum !== undefined) {
    const minimum = bound(schema.minimum);
    if (schema.exclusiveMinimum === true ? value <= minimum : value < minimum)
      invalid(value, `should be greater than ${schema.exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`);
  }
  if (schema.maximum !== undefined) {
    const maximum = bound(schema.maximum);
    if (schema.exclusiveMaximum === true ? value >= maximum : value > maximum)
      invalid(value, `should be less than ${schema.exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`);
  }
  if (schema.multipleOf !== undefined && value % schema.multipleOf !== 0) invalid(value, `should be a multiple of ${schema.multipleOf}`);
}

function checkList(
  value: readonly Json[],
  schema: StructuralSchema,
  path: string,
  body: string,
  faults: FieldFault[],
  patterns: Patterns,
  depth: number,
  invalid: (shown: unknown, text: string) => void,
  old: readonly Json[],
): void {
  if (schema.maxItems !== undefined && value.length > schema.maxItems)
    faults.push({
      type: 'FieldValueTooMany',
      field: body,
      message: `Too many: ${value.length}: must have at most ${schema.maxItems} items`,
    });
  if (schema.minItems !== undefined && value.length < schema.minItems)
    invalid(value.length, `should have at least ${schema.minItems} items`);
  const seen = new Set<string>();
  value.forEach((item, i) => {
    const key = itemKey(item, schema);
    const before = key === undefined || old.length === 0 ? undefined : old.find((it) => itemKey(it, schema) === key);
    if (schema.items !== undefined) check(item, schema.items, `${path}[${i}]`, faults, patterns, depth + 1, false, before);
    if (key !== undefined && seen.has(key))
      faults.push({ type: 'FieldValueDuplicate', field: `${path}[${i}]`, message: `Duplicate value: ${key}` });
    if (key !== undefined) seen.add(key);
  });
}

/** What must be unique in a list: items of sets, key fields of keyed lists. */
function itemKey(item: Json, schema: StructuralSchema): string | undefined {
  const type = schema['x-kubernetes-list-type'];
  if (type === 'set') return JSON.stringify(item);
  if (type !== 'map' || !isMap(item)) return undefined;
  return JSON.stringify(Object.fromEntries((schema['x-kubernetes-list-map-keys'] ?? []).map((key) => [key, item[key]])));
}

function checkMap(
  value: JsonMap,
  schema: StructuralSchema,
  path: string,
  body: string,
  faults: FieldFault[],
  patterns: Patterns,
  depth: number,
  isRoot: boolean,
  old: JsonMap,
): void {
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(value, name)) faults.push({ type: 'FieldValueRequired', field: join(path, name), message: 'Required value' });
  }
  if (schema['x-kubernetes-embedded-resource'] === true)
    for (const name of ['apiVersion', 'kind'])
      if ((value[name] ?? '') === '') faults.push({ type: 'FieldValueRequired', field: join(path, name), message: 'Required value' });
  const size = Object.keys(value).length;
  if (schema.maxProperties !== undefined && size > schema.maxProperties)
    faults.push({ type: 'FieldValueTooMany', field: body, message: `Too many: ${size}: must have at most ${schema.maxProperties} items` });
  if (schema.minProperties !== undefined && size < schema.minProperties) {
    faults.push({
      type: 'FieldValueInvalid',
      field: body,
      message: `Invalid value: ${size}: ${body} in body should have at least ${schema.minProperties} properties`,
    });
  }
  for (const [key, child] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (isRoot && key === 'metadata') continue;
    const field = fieldOf(schema, key);
    if (field !== undefined)
      check(child, field, join(path, key), faults, patterns, depth + 1, false, Object.hasOwn(old, key) ? old[key] : undefined);
  }
}

function checkCombinations(
  value: Json,
  schema: StructuralSchema,
  path: string,
  body: string,
  faults: FieldFault[],
  patterns: Patterns,
  depth: number,
): void {
  const faultsOf = (part: StructuralSchema): FieldFault[] => {
    const found: FieldFault[] = [];
    // The parts of a combination repeat no types: those are the schema's own.
    check(value, { ...part, ...(part.type === undefined ? {} : { type: part.type }) }, path, found, patterns, depth + 1);
    return found;
  };
  const say = (text: string): void => {
    faults.push({ type: 'FieldValueInvalid', field: '<nil>', message: `Invalid value: "": ${JSON.stringify(body)} must ${text}` });
  };
  const all = (schema.allOf ?? []).flatMap(faultsOf);
  if (all.length > 0) say('validate all the schemas (allOf)');
  faults.push(...all);
  const { anyOf, oneOf, not } = schema;
  if (anyOf !== undefined && schema['x-kubernetes-int-or-string'] !== true) {
    const tried = anyOf.map(faultsOf);
    if (tried.every((it) => it.length > 0)) {
      say('validate at least one schema (anyOf)');
      faults.push(...(tried[0] ?? []));
    }
  }
  if (oneOf !== undefined) {
    const tried = oneOf.map(faultsOf);
    const fits = tried.filter((it) => it.length === 0).length;
    if (fits !== 1) say(`validate one and only one schema (oneOf). Found ${fits === 0 ? 'none valid' : `${fits} valid alternatives`}`);
    if (fits === 0) faults.push(...(tried[0] ?? []));
  }
  if (not !== undefined && faultsOf(not).length === 0) say('not validate the schema (not)');
}

function typeOf(value: Json): string {
  if (value === null) return 'null';
  if (isList(value)) return 'array';
  if (isMap(value)) return 'object';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value === 'bigint' ? 'integer' : typeof value;
}

function typeMatches(value: Json, type: string, schema: StructuralSchema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true) return type === 'integer' || type === 'string';
  if (schema.type === undefined) return true;
  if (schema.type === 'number') return type === 'number' || type === 'integer';
  return type === schema.type;
}

function fieldOf(schema: StructuralSchema, key: string): StructuralSchema | undefined {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
