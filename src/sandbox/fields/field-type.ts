/** What server-side apply must know of a field: how its value merges and who can own its parts. */
export type FieldType =
  | { kind: 'scalar'; of: ScalarType }
  /** Not described by a schema: arrays are atomic, maps granular. */
  | { kind: 'any' }
  | { kind: 'list'; items: () => FieldType; merge: 'atomic' | 'set' | 'keyed'; keys: readonly KeyField[] }
  | { kind: 'map'; fields: ReadonlyMap<string, () => FieldType>; values: (() => FieldType) | undefined; atomic: boolean };

/** Which scalars a field takes. */
export type ScalarType = 'string' | 'numeric' | 'boolean' | 'untyped';

/** A field that identifies an item of a keyed list; `default` stands in when the item omits it. */
export type KeyField = { name: string; default?: unknown };

/** An OpenAPI v3 schema as Kubernetes publishes it, or a CRD's structural schema. */
export type OpenApiSchema = {
  $ref?: string;
  allOf?: readonly OpenApiSchema[];
  oneOf?: readonly OpenApiSchema[];
  type?: string;
  format?: string;
  default?: unknown;
  properties?: Readonly<Record<string, OpenApiSchema>>;
  additionalProperties?: OpenApiSchema | boolean;
  items?: OpenApiSchema;
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-list-map-keys'?: readonly string[];
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
};

const STRING: FieldType = { kind: 'scalar', of: 'string' };
const NUMERIC: FieldType = { kind: 'scalar', of: 'numeric' };
const BOOLEAN: FieldType = { kind: 'scalar', of: 'boolean' };
const UNTYPED: FieldType = { kind: 'scalar', of: 'untyped' };
const ANY: FieldType = { kind: 'any' };
const REF = '#/components/schemas/';

/** Turns schemas into field types; each named schema is converted once. */
export class FieldTypes {
  readonly #schemas: (name: string) => OpenApiSchema | undefined;
  readonly #named = new Map<string, FieldType>();

  /** @param schemas gives a named schema (`io.k8s.api.apps.v1.Deployment`) */
  constructor(schemas: (name: string) => OpenApiSchema | undefined) {
    this.#schemas = schemas;
  }

  /** The type of a named schema; any when it is unknown. */
  named(name: string): FieldType {
    let type = this.#named.get(name);
    if (type === undefined) {
      const schema = this.#schemas(name);
      type = schema === undefined ? ANY : this.of(schema);
      this.#named.set(name, type);
    }
    return type;
  }

  /** The type a schema describes. */
  of(schema: OpenApiSchema): FieldType {
    const ref = refName(schema);
    if (ref !== undefined) {
      const type = this.named(ref);
      return schema['x-kubernetes-map-type'] === 'atomic' && type.kind === 'map' ? { ...type, atomic: true } : type;
    }
    switch (schema.type) {
      case 'object':
        return this.#map(schema);
      case 'array':
        return this.#list(schema);
      case 'string':
        return schema.format === 'int-or-string' ? UNTYPED : STRING;
      case 'integer':
      case 'number':
        return NUMERIC;
      case 'boolean':
        return BOOLEAN;
      default:
        return isScalar(schema) ? UNTYPED : ANY;
    }
  }

  #map(schema: OpenApiSchema): FieldType {
    const atomic = schema['x-kubernetes-map-type'] === 'atomic';
    const { additionalProperties, properties } = schema;
    const open = schema['x-kubernetes-preserve-unknown-fields'] === true || additionalProperties === true;
    if (properties === undefined && (additionalProperties === undefined || open) && !atomic) return ANY;
    const fields = new Map(Object.entries(properties ?? {}).map(([name, field]) => [name, memoized(() => this.of(field))]));
    if (schema['x-kubernetes-embedded-resource'] === true) {
      for (const name of ['apiVersion', 'kind']) fields.set(name, () => STRING);
    }
    const values = typeof additionalProperties === 'object' ? memoized(() => this.of(additionalProperties)) : open ? () => ANY : undefined;
    return { kind: 'map', fields, values, atomic };
  }

  #list(schema: OpenApiSchema): FieldType {
    const { items } = schema;
    const type = schema['x-kubernetes-list-type'];
    const itemType = memoized(() => (items === undefined ? ANY : this.of(items)));
    if (type === 'set') return { kind: 'list', items: itemType, merge: 'set', keys: [] };
    if (type !== 'map' || items === undefined) return { kind: 'list', items: itemType, merge: 'atomic', keys: [] };
    const properties = this.#properties(items);
    const keys = (schema['x-kubernetes-list-map-keys'] ?? []).map((name) => {
      const fallback = properties[name]?.default;
      return fallback === undefined ? { name } : { name, default: fallback };
    });
    return { kind: 'list', items: itemType, merge: 'keyed', keys };
  }

  #properties(schema: OpenApiSchema): Readonly<Record<string, OpenApiSchema>> {
    const ref = refName(schema);
    return (ref === undefined ? schema : this.#schemas(ref))?.properties ?? {};
  }
}

/** True for what has no type and yet is a scalar: integers or strings, quantities. */
function isScalar(schema: OpenApiSchema): boolean {
  if (schema['x-kubernetes-int-or-string'] === true || schema.format === 'int-or-string') return true;
  return schema.oneOf?.every(({ type }) => type !== undefined && type !== 'object' && type !== 'array') === true;
}

/** The name a schema refers to, directly or as Kubernetes wraps it (`allOf` of one reference beside a default). */
export function refName(schema: OpenApiSchema): string | undefined {
  const ref = schema.$ref ?? (schema.allOf?.length === 1 ? schema.allOf[0]?.$ref : undefined);
  return ref?.startsWith(REF) === true ? ref.slice(REF.length) : undefined;
}

function memoized<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => (value ??= make());
}
