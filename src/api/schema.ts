/**
 * A structural schema as data: the one definition from which the TypeScript type, the defaults, the validation and the generated
 * CRD of a kind follow. The subset of OpenAPI v3 that Kubernetes calls structural.
 */
export type Schema = StringSchema | BooleanSchema | IntegerSchema | ListSchema | DictionarySchema | RecordSchema | FreeformSchema;

type Documented = { description?: string };

export type StringSchema = Documented & {
  type: 'string';
  enum?: readonly string[];
  pattern?: string;
  format?: string;
  minLength?: number;
  maxLength?: number;
  default?: string;
};

export type BooleanSchema = Documented & { type: 'boolean'; default?: boolean };

export type IntegerSchema = Documented & { type: 'integer'; format?: string; minimum?: number; default?: number };

export type ListSchema = Documented & {
  type: 'list';
  items: Schema;
  minItems?: number;
  maxItems?: number;
  /** The fields that identify an item (`x-kubernetes-list-type: map`). */
  mapKeys?: readonly string[];
};

export type DictionarySchema = Documented & { type: 'dictionary'; values: Schema };

export type RecordSchema = Documented & {
  type: 'record';
  /** The name of the generated TypeScript type. */
  typeName: string;
  fields: Readonly<Record<string, Field>>;
  rules?: readonly Rule[];
  default?: Readonly<Record<string, unknown>>;
};

/** Any JSON value (`x-kubernetes-preserve-unknown-fields`), such as Helm values. */
export type FreeformSchema = Documented & { type: 'freeform' };

/** A field of a record: whether the API server refuses the object without it. */
export type Field = { schema: Schema; required: boolean };

/** A CEL validation rule, with the same test in TypeScript for where no API server is asked. */
export type Rule = { rule: string; message: string; holds: (value: Readonly<Record<string, unknown>>) => boolean };

/** A field the API server insists on. */
export function required(schema: Schema): Field {
  return { schema, required: true };
}

/** A field that may be left out. */
export function optional(schema: Schema): Field {
  return { schema, required: false };
}

/** Text. */
export function text(description: string, limits: Omit<StringSchema, 'type' | 'description'> = {}): StringSchema {
  return { type: 'string', description, ...limits };
}

/** Text out of a closed list. */
export function choice(description: string, values: readonly string[], fallback?: string): StringSchema {
  return { type: 'string', description, enum: values, ...(fallback === undefined ? {} : { default: fallback }) };
}

/** True or false. */
export function flag(description: string, fallback?: boolean): BooleanSchema {
  return { type: 'boolean', description, ...(fallback === undefined ? {} : { default: fallback }) };
}

/** A 64-bit integer. */
export function int64(description: string, limits: Omit<IntegerSchema, 'type' | 'description' | 'format'> = {}): IntegerSchema {
  return { type: 'integer', format: 'int64', description, ...limits };
}

/** A point in time, RFC 3339. */
export function timestamp(description: string): StringSchema {
  return { type: 'string', format: 'date-time', description };
}

/** A Go duration as Flux's CRDs accept it (C03). */
export function duration(description: string, fallback?: string): StringSchema {
  return {
    ...text(description, { pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$' }),
    ...(fallback === undefined ? {} : { default: fallback }),
  };
}

/** A Go duration without hours (C03: OCIRepository.timeout, Provider.timeout). */
export function shortDuration(description: string, fallback?: string): StringSchema {
  return { ...text(description, { pattern: '^([0-9]+(\\.[0-9]+)?(ms|s|m))+$' }), ...(fallback === undefined ? {} : { default: fallback }) };
}

/** A list of `items`. */
export function list(description: string, items: Schema, limits: Omit<ListSchema, 'type' | 'description' | 'items'> = {}): ListSchema {
  return { type: 'list', description, items, ...limits };
}

/** A map from text to `values`. */
export function dictionary(description: string, values: Schema): DictionarySchema {
  return { type: 'dictionary', description, values };
}

/** A map from text to text. */
export function stringMap(description: string): DictionarySchema {
  return dictionary(description, { type: 'string' });
}

/** An object with named fields; `typeName` names its TypeScript type. */
export function record(
  typeName: string,
  description: string,
  fields: Readonly<Record<string, Field>>,
  extra: Pick<RecordSchema, 'rules' | 'default'> = {},
): RecordSchema {
  return { type: 'record', typeName, description, fields, ...extra };
}

/** The same record with another description (a shared shape used for a particular purpose). */
export function describedAs<S extends Schema>(description: string, schema: S): S {
  return { ...schema, description };
}
