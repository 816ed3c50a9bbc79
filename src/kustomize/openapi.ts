import type { Gvk } from './gvk.ts';
import { apiVersionOf } from './gvk.ts';

/**
 * How the lists below a type are merged. A type is its fields: the type of each (an index into the table) and, for lists that merge
 * instead of being replaced, the keys of their elements. `*` stands for every field of a map.
 */
export type MergeField = {
  /** Type of the field, or of its elements when it is a list; undefined when nothing below it merges. */
  readonly type?: number;
  /** Present when the list merges: the fields that identify an element, none for lists of scalars. */
  readonly keys?: readonly string[];
};
export type MergeType = Readonly<Record<string, MergeField>>;

/** What strategic merge patches and namespaces need to know of the kinds: an OpenAPI document, boiled down. */
export type MergeSchema = {
  readonly types: readonly MergeType[];
  /** `apiVersion/Kind` → index of its type. Kinds without any list that merges are left out. */
  readonly kinds: Readonly<Record<string, number>>;
  /** `apiVersion/Kind` → true when it lives in namespaces. */
  readonly namespaced: Readonly<Record<string, boolean>>;
};

type Json = { readonly [key: string]: unknown };

/** Boils an OpenAPI v2 document (or its `definitions` and `paths` alone) down to what a build needs. */
export function mergeSchemaOf(document: Json): MergeSchema {
  const definitions = asObject(document['definitions']);
  return { ...new Compiler(definitions).compile(), namespaced: scopesOf(asObject(document['paths'])) };
}

const PREFIX = '#/definitions/';

class Compiler {
  readonly #definitions: Json;
  readonly #types: Record<string, MergeField>[] = [];
  /** Index of a definition's type. */
  readonly #known = new Map<string, number>();

  constructor(definitions: Json) {
    this.#definitions = definitions;
  }

  compile(): { types: MergeType[]; kinds: Record<string, number> } {
    const kinds: Record<string, number> = {};
    for (const name of Object.keys(this.#definitions).sort()) {
      const definition = asObject(this.#definitions[name]);
      for (const key of kindKeys(definition)) kinds[key] = this.#definition(name);
    }
    return prune(this.#types, kinds);
  }

  #definition(name: string): number {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const index = this.#types.push({}) - 1;
    this.#known.set(name, index);
    Object.assign(this.#types[index] ?? {}, this.#fields(asObject(this.#definitions[name])));
    return index;
  }

  #fields(schema: Json): Record<string, MergeField> {
    const fields: Record<string, MergeField> = {};
    const properties = asObject(schema['properties']);
    for (const name of Object.keys(properties)) fields[name] = this.#field(asObject(properties[name]));
    const additional = schema['additionalProperties'];
    if (typeof additional === 'object' && additional !== null) fields['*'] = this.#field(asObject(additional));
    return fields;
  }

  #field(property: Json): MergeField {
    const schema = this.#resolve(property);
    const keys = mergeKeys(schema);
    const items = schema['items'];
    const below = isArrayType(schema) && items !== undefined ? asObject(items) : property;
    const type = this.#type(below);
    return { ...(type === undefined ? {} : { type }), ...(keys === undefined ? {} : { keys }) };
  }

  /** The type of a schema: that of the definition it names, or one of its own. */
  #type(schema: Json): number | undefined {
    const ref = schema['$ref'];
    if (typeof ref === 'string') return ref.startsWith(PREFIX) ? this.#definition(ref.slice(PREFIX.length)) : undefined;
    const fields = this.#fields(schema);
    return Object.keys(fields).length === 0 ? undefined : this.#types.push(fields) - 1;
  }

  #resolve(schema: Json): Json {
    const ref = schema['$ref'];
    if (typeof ref !== 'string' || !ref.startsWith(PREFIX)) return schema;
    return asObject(this.#definitions[ref.slice(PREFIX.length)]);
  }
}

/** The keys of a list that merges: `x-kubernetes-list-map-keys`, else the patch merge key, else none. */
function mergeKeys(schema: Json): string[] | undefined {
  const strategy = schema['x-kubernetes-patch-strategy'];
  if (typeof strategy !== 'string' || !strategy.split(',').includes('merge') || !isArrayType(schema)) return undefined;
  const listKeys = schema['x-kubernetes-list-map-keys'];
  if (Array.isArray(listKeys)) return listKeys.map(String);
  const key = schema['x-kubernetes-patch-merge-key'];
  return typeof key === 'string' ? [key] : [];
}

function isArrayType(schema: Json): boolean {
  const type = schema['type'];
  return type === 'array' || (Array.isArray(type) && type.length === 1 && type[0] === 'array');
}

/** Leaves only types with a list that merges somewhere below them, and renumbers. */
function prune(types: readonly MergeType[], kinds: Record<string, number>): { types: MergeType[]; kinds: Record<string, number> } {
  const useful = new Set<number>();
  for (let before = -1; before !== useful.size; ) {
    before = useful.size;
    types.forEach((type, index) => {
      if (Object.values(type).some((each) => each.keys !== undefined || (each.type !== undefined && useful.has(each.type)))) useful.add(index);
    });
  }
  const numbers = new Map([...useful].sort((a, b) => a - b).map((index, number) => [index, number]));
  const kept = [...numbers.keys()].map((index) => pruneFields(types[index] ?? {}, numbers));
  const entries = Object.entries(kinds).flatMap(([key, index]) => {
    const number = numbers.get(index);
    return number === undefined ? [] : [[key, number] as const];
  });
  return { types: kept, kinds: Object.fromEntries(entries) };
}

function pruneFields(type: MergeType, numbers: ReadonlyMap<number, number>): MergeType {
  const fields: Record<string, MergeField> = {};
  for (const [name, { type: index, keys }] of Object.entries(type)) {
    const number = index === undefined ? undefined : numbers.get(index);
    if (number === undefined && keys === undefined) continue;
    fields[name] = { ...(number === undefined ? {} : { type: number }), ...(keys === undefined ? {} : { keys }) };
  }
  return fields;
}

function kindKeys(schema: Json): string[] {
  const list = schema['x-kubernetes-group-version-kind'];
  return Array.isArray(list) ? list.map((entry) => kindKey(asObject(entry))) : [];
}

function kindKey(entry: Json): string {
  const gvk: Gvk = { group: text(entry['group']), version: text(entry['version']), kind: text(entry['kind']) };
  return `${apiVersionOf(gvk)}/${gvk.kind}`;
}

/** A kind with a path below `namespaces/{namespace}` is namespaced; one with other paths only is not. */
function scopesOf(paths: Json): Record<string, boolean> {
  const scopes: Record<string, boolean> = {};
  for (const path of Object.keys(paths)) {
    const gvk = asObject(asObject(paths[path])['get'])['x-kubernetes-group-version-kind'];
    if (typeof gvk !== 'object' || gvk === null) continue;
    const key = kindKey(asObject(gvk));
    if (path.includes('namespaces/{namespace}')) scopes[key] = true;
    else scopes[key] ??= false;
  }
  return scopes;
}

function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.fromEntries(Object.entries(value)) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
