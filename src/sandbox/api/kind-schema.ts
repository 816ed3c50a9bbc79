import { RE2JS } from 're2js';
import { builtInSchema } from '../catalog/built-in.ts';
import type { ServedKind } from '../catalog/kind.ts';
import { type FieldType, FieldTypes, isMap, type Json } from '../fields/index.ts';
import type { FieldFault } from '../request/status.ts';
import { applyDefaults, dropNulls, type Patterns, prune, type StructuralSchema, validateStructural } from '../schema/structural.ts';
import { decodeTyped } from '../schema/typed.ts';

/** An object read by its kind's schema. */
export type Read = { value: Json; unknown: readonly string[]; fault: string | undefined };

/** What a kind's schema says: how an object is read, what is missing or wrong, and how its fields merge. */
export type KindSchema = {
  fields: FieldType;
  /** An object nothing is set in, as the API server's type would write it. */
  zero: Json;
  /** Takes the kind's form: unknown fields out, defaults in. */
  read(value: Json): Read;
  validate(value: Json, old: Json | undefined): FieldFault[];
};

/** What the API server adds when an object is too wrong for its rules. */
const UNCHECKED: FieldFault = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
};

/** Faults after which rules are not tried. */
const BLOCKING: ReadonlySet<FieldFault['type']> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);

const builtInTypes = new FieldTypes(builtInSchema);

/** The schema of a built-in kind. */
export function builtInKindSchema(kind: ServedKind): KindSchema {
  const name = kind.schemaName;
  if (name === undefined)
    return { fields: { kind: 'any' }, zero: {}, read: (value) => ({ value, unknown: [], fault: undefined }), validate: () => [] };
  return {
    fields: builtInTypes.named(name),
    zero: decodeTyped(name, {}, builtInSchema).value,
    read: (value) => decodeTyped(name, value, builtInSchema),
    validate: () => [],
  };
}

/** Extra rules (CEL) of a schema; injected because they need an evaluator. */
export type Rules = (schema: StructuralSchema) => ((value: Json, old: Json | undefined) => FieldFault[]) | undefined;

/** The schema of a CRD's version. */
export function customKindSchema(schema: StructuralSchema, rules: Rules): KindSchema {
  const types = new FieldTypes(() => undefined);
  const metadata = builtInTypes.named('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta');
  const fields = types.of({ ...schema, type: 'object' });
  const evaluate = rules(schema);
  return {
    zero: {},
    fields: fields.kind === 'map' ? { ...fields, fields: new Map([...fields.fields, ...systemFields(metadata)]) } : fields,
    read: (value) => {
      const unknown: string[] = [];
      const meta = isMap(value) ? readMetadata(value['metadata'], unknown) : { value: undefined, fault: undefined };
      const pruned = prune(value, schema, [], unknown);
      const shaped = applyDefaults(dropNulls(pruned, schema), schema);
      return {
        value: isMap(shaped) && meta.value !== undefined ? { ...shaped, metadata: meta.value } : shaped,
        unknown,
        fault: meta.fault,
      };
    },
    validate: (value, old) => {
      const faults = validateStructural(value, schema, patterns, old);
      if (faults.some((fault) => BLOCKING.has(fault.type))) return evaluate === undefined ? faults : [...faults, UNCHECKED];
      return [...faults, ...(evaluate?.(value, old) ?? [])];
    },
  };
}

/** The fields every object has, whatever its schema says. */
function systemFields(metadata: FieldType): Map<string, () => FieldType> {
  const text = (): FieldType => ({ kind: 'scalar', of: 'string' });
  return new Map([
    ['apiVersion', text],
    ['kind', text],
    ['metadata', () => metadata],
  ]);
}

function readMetadata(value: Json | undefined, unknown: string[]): { value: Json | undefined; fault: string | undefined } {
  if (value === undefined || value === null) return { value: undefined, fault: undefined };
  const read = decodeTyped('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', value, builtInSchema);
  unknown.push(...read.unknown.map((path) => `metadata.${path}`));
  return { value: read.value, fault: read.fault };
}

const compiled = new Map<string, { test(text: string): boolean }>();
const PATTERN_CACHE_LIMIT = 1000;

/** Patterns run on RE2, so none can hang the API; one that RE2 refuses matches nothing, as a schema with it is refused. */
export const patterns: Patterns = (pattern) => {
  let found = compiled.get(pattern);
  if (found === undefined) {
    const expression = RE2JS.compile(pattern);
    found = { test: (text) => expression.matcher(text).find() };
    if (compiled.size >= PATTERN_CACHE_LIMIT) compiled.clear();
    compiled.set(pattern, found);
  }
  return found;
};
