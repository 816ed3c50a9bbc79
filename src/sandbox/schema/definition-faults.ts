import { RE2JS } from 're2js';
import { errorMessage } from '../../std/index.ts';
import { parseExpression } from '../../cel/index.ts';
import { isMap, type Json } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import type { StructuralSchema } from './structural.ts';

/** Deepest schema that is looked at. */
const DEPTH_LIMIT = 100;
const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const LIST_TYPES = ['atomic', 'set', 'map'];
const UNSUPPORTED = ['$ref', 'id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies'];
/** What only a schema itself may say, none of the parts it is combined of. */
const STRUCTURAL_ONLY: readonly (readonly [field: string, detail: string])[] = [
  ['type', 'must be empty to be structural'],
  ['additionalProperties', 'must be undefined to be structural'],
  ['default', 'must be undefined to be structural'],
  ['title', 'must be empty to be structural'],
  ['description', 'must be empty to be structural'],
  ['nullable', 'must be false to be structural'],
  ['x-kubernetes-preserve-unknown-fields', 'must be false to be structural'],
  ['x-kubernetes-embedded-resource', 'must be false to be structural'],
  ['x-kubernetes-int-or-string', 'must be false to be structural'],
  ['x-kubernetes-list-type', 'must be undefined to be structural'],
  ['x-kubernetes-map-type', 'must be undefined to be structural'],
  ['x-kubernetes-validations', 'must be empty to be structural'],
];

type Place = 'root' | 'field' | 'item';
type Found = { faults: FieldFault[]; /** Faults of a default. */ checkDefault: (value: Json, schema: StructuralSchema) => FieldFault[] };

/**
 * What keeps a schema from being a structural one (apiextensions v1): types everywhere, combinations that only restrict, list keys that
 * are there, expressions and patterns that can be read.
 */
export function schemaFaults(schema: StructuralSchema, path: string, checkDefault: Found['checkDefault']): FieldFault[] {
  const found: Found = { faults: [], checkDefault };
  walk(schema, path, 'root', found, 0);
  return found.faults;
}

function walk(schema: StructuralSchema, path: string, place: Place, found: Found, depth: number): void {
  if (depth > DEPTH_LIMIT) return;
  const { faults } = found;
  typeFaults(schema, path, place, faults);
  extensionFaults(schema, path, faults);
  combinationFaults(schema, path, faults, 0);
  ruleFaults(schema, path, faults);
  if (schema.default !== undefined) {
    for (const fault of found.checkDefault(schema.default as Json, schema)) faults.push({ ...fault, field: `${path}.default` });
  }
  const { properties = {}, additionalProperties, items } = schema;
  if (place === 'root' && properties['metadata'] !== undefined)
    metadataFaults(properties['metadata'], `${path}.properties[metadata]`, faults);
  for (const [name, field] of Object.entries(properties))
    if (place !== 'root' || name !== 'metadata') walk(field, `${path}.properties[${name}]`, 'field', found, depth + 1);
  if (items !== undefined) walk(items, `${path}.items`, 'item', found, depth + 1);
  if (typeof additionalProperties === 'object') walk(additionalProperties, `${path}.additionalProperties`, 'field', found, depth + 1);
}

function required(field: string, detail: string): FieldFault {
  return { type: 'FieldValueRequired', field, message: `Required value: ${detail}` };
}

function forbidden(field: string, detail: string): FieldFault {
  return { type: 'FieldValueForbidden', field, message: `Forbidden: ${detail}` };
}

function invalid(field: string, value: unknown, detail: string): FieldFault {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${JSON.stringify(value)}: ${detail}` };
}

function unsupported(field: string, value: unknown, supported: readonly string[]): FieldFault {
  const names = supported.map((it) => JSON.stringify(it)).join(', ');
  return { type: 'FieldValueNotSupported', field, message: `Unsupported value: ${JSON.stringify(value)}: supported values: ${names}` };
}

const EMPTY_TYPE: Readonly<Record<Place, string>> = {
  root: 'must not be empty at the root',
  field: 'must not be empty for specified object fields',
  item: 'must not be empty for specified array items',
};

function typeFaults(schema: StructuralSchema, path: string, place: Place, faults: FieldFault[]): void {
  const { type } = schema;
  const isOpen = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true;
  const isEmbedded = schema['x-kubernetes-embedded-resource'] === true;
  if (isEmbedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    faults.push(type === undefined ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail));
  } else if (type === undefined && !isOpen) faults.push(required(`${path}.type`, EMPTY_TYPE[place]));
  if (type !== undefined && !TYPES.includes(type)) faults.push(unsupported(`${path}.type`, type, TYPES));
  else if (place === 'root' && type !== undefined && type !== 'object')
    faults.push(invalid(`${path}.type`, type, 'must be object at the root'));
  if (type === 'array' && schema.items === undefined) faults.push(required(`${path}.items`, 'must be specified'));
  if (schema.uniqueItems === true)
    faults.push(forbidden(`${path}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  const { additionalProperties: more } = schema;
  if (more === false) faults.push(forbidden(`${path}.additionalProperties`, 'additionalProperties cannot be set to false'));
  else if (more !== undefined && schema.properties !== undefined)
    faults.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  else if (more !== undefined && place === 'root') faults.push(forbidden(`${path}.additionalProperties`, 'must not be used at the root'));
  for (const field of UNSUPPORTED) if (field in schema) faults.push(forbidden(`${path}.${field}`, `${field} is not supported`));
}

function extensionFaults(schema: StructuralSchema, path: string, faults: FieldFault[]): void {
  const type = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType !== undefined && mapType !== 'atomic' && mapType !== 'granular')
    faults.push(unsupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    faults.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  if (type !== undefined && !LIST_TYPES.includes(type)) faults.push(unsupported(`${path}.x-kubernetes-list-type`, type, LIST_TYPES));
  if (type !== undefined && schema.type !== 'array')
    faults.push(
      schema.type === undefined
        ? required(`${path}.type`, 'must be array if x-kubernetes-list-type is specified')
        : invalid(`${path}.type`, schema.type, 'must be array if x-kubernetes-list-type is specified'),
    );
  if (type !== 'map') {
    if (keys.length > 0) faults.push(required(`${path}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty'));
    return;
  }
  if (keys.length === 0) faults.push(required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
  const { items } = schema;
  if (items !== undefined) keyFaults(items, keys, path, faults);
}

function keyFaults(items: StructuralSchema, keys: readonly string[], path: string, faults: FieldFault[]): void {
  for (const key of keys) {
    const field = items.properties?.[key];
    if (field === undefined)
      faults.push(invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties'));
    else if (field.default === undefined && items.required?.includes(key) !== true)
      faults.push(
        required(
          `${path}.items.properties[${key}].default`,
          'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
        ),
      );
  }
  if (new Set(keys).size < keys.length)
    faults.push(invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'must not contain duplicate entries'));
}

const INT_OR_STRING = JSON.stringify([{ type: 'integer' }, { type: 'string' }]);

function combinationFaults(schema: StructuralSchema, path: string, faults: FieldFault[], depth: number): void {
  if (depth > DEPTH_LIMIT) return;
  if (schema.pattern !== undefined) {
    try {
      RE2JS.compile(schema.pattern);
    } catch (error) {
      const why = `must be a valid regular expression, but isn't: ${errorMessage(error)}`;
      faults.push(invalid(`${path}.pattern`, schema.pattern, why));
    }
  }
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    const parts = schema[name] ?? [];
    if (name === 'anyOf' && schema['x-kubernetes-int-or-string'] === true && JSON.stringify(parts) === INT_OR_STRING) continue;
    parts.forEach((part, i) => {
      if (name === 'allOf' && i === 0 && JSON.stringify(part.anyOf) === INT_OR_STRING) return;
      partFaults(part, `${path}.${name}[${i}]`, faults, depth + 1);
    });
  }
  if (schema.not !== undefined) partFaults(schema.not, `${path}.not`, faults, depth + 1);
}

function partFaults(part: StructuralSchema, path: string, faults: FieldFault[], depth: number): void {
  const fields: Readonly<Record<string, unknown>> = part;
  for (const [field, detail] of STRUCTURAL_ONLY) {
    const value = fields[field];
    if (value !== undefined && value !== false && value !== '') faults.push(forbidden(`${path}.${field}`, detail));
  }
  combinationFaults(part, path, faults, depth);
  for (const [name, field] of Object.entries(part.properties ?? {})) partFaults(field, `${path}.properties[${name}]`, faults, depth + 1);
  if (part.items !== undefined) partFaults(part.items, `${path}.items`, faults, depth + 1);
}

function ruleFaults(schema: StructuralSchema, path: string, faults: FieldFault[]): void {
  (schema['x-kubernetes-validations'] ?? []).forEach((it, i) => {
    const at = `${path}.x-kubernetes-validations[${i}]`;
    if (it.rule === undefined || it.rule.trim() === '') {
      faults.push(required(`${at}.rule`, 'rule is not specified'));
      return;
    }
    const shown = {
      Rule: it.rule,
      Message: it.message ?? '',
      MessageExpression: it.messageExpression ?? '',
      Reason: it.reason ?? null,
      FieldPath: it.fieldPath ?? '',
      OptionalOldSelf: it.optionalOldSelf ?? null,
    };
    for (const field of ['rule', 'messageExpression'] as const) {
      const text = it[field];
      if (text === undefined) continue;
      try {
        parseExpression(text);
      } catch (error) {
        faults.push(invalid(`${at}.${field}`, shown, `compilation failed: ${errorMessage(error)}`));
      }
    }
    if (it.optionalOldSelf !== undefined && !/\boldSelf\b/.test(it.rule))
      faults.push(invalid(`${at}.optionalOldSelf`, it.optionalOldSelf, 'may not be set if oldSelf is not used in rule'));
  });
}

function metadataFaults(schema: StructuralSchema, path: string, faults: FieldFault[]): void {
  if (schema.type !== 'object') faults.push(invalid(`${path}.type`, schema.type ?? '', 'must be object'));
  const { type: _type, properties = {}, ...rest } = schema;
  const others = Object.keys(properties).filter((name) => name !== 'name' && name !== 'generateName');
  if (others.length > 0 || (isMap(rest as Json) && Object.keys(rest).some((key) => key !== 'description')))
    faults.push(forbidden(path, 'must not specify anything other than name and generateName, but metadata is implicitly specified'));
}
