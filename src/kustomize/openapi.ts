import type { Gvk } from './gvk.ts';
import { apiVersionOf } from './gvk.ts';

/**
 * How the lists below a type are merged. A type is its fields: the type of each and, for lists that merge instead of being replaced, the
 * keys of their elements. `*` stands for every field of a map.
 */
export type MergeField = {
  /** Name of the type of the field, or of its elements when it is a list. Absent, or in no schema: nothing below it merges. */
  readonly type?: string;
  /** Present when the list merges: the fields that identify an element, none for lists of scalars. */
  readonly keys?: readonly string[];
};
export type MergeType = Readonly<Record<string, MergeField>>;

/** What strategic merge patches and namespaces need to know of the kinds: an OpenAPI document, boiled down. */
export type MergeSchema = {
  /** The types in which some list merges, by the names of their definitions. */
  readonly types: Readonly<Record<string, MergeType>>;
  /** `apiVersion/Kind` → name of its type. */
  readonly kinds: Readonly<Record<string, string>>;
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
  readonly #types: Record<string, Record<string, MergeField>> = {};

  constructor(definitions: Json) {
    this.#definitions = definitions;
  }

  compile(): { types: Record<string, MergeType>; kinds: Record<string, string> } {
    const kinds: Record<string, string> = {};
    for (const name of Object.keys(this.#definitions).sort()) {
      const definition = asObject(this.#definitions[name]);
      this.#types[name] = this.#fields(name, definition);
      for (const key of kindKeys(definition)) kinds[key] = name;
    }
    return prune(this.#types, kinds, this.#definitions);
  }

  #fields(owner: string, schema: Json): Record<string, MergeField> {
    const fields: Record<string, MergeField> = {};
    const properties = asObject(schema['properties']);
    for (const name of Object.keys(properties)) fields[name] = this.#field(`${owner}/${name}`, asObject(properties[name]));
    const additional = schema['additionalProperties'];
    if (typeof additional === 'object' && additional !== null) fields['*'] = this.#field(`${owner}/*`, asObject(additional));
    return fields;
  }

  #field(name: string, property: Json): MergeField {
    const schema = this.#resolve(property);
    const keys = mergeKeys(schema);
    const items = schema['items'];
    const below = isArrayType(schema) && items !== undefined ? asObject(items) : property;
    const type = this.#type(name, below);
    return { ...(type === undefined ? {} : { type }), ...(keys === undefined ? {} : { keys }) };
  }

  /** The type of a schema: that of the definition it names, or one of its own. */
  #type(name: string, schema: Json): string | undefined {
    const ref = schema['$ref'];
    if (typeof ref === 'string') return ref.startsWith(PREFIX) ? ref.slice(PREFIX.length) : undefined;
    const fields = this.#fields(name, schema);
    if (Object.keys(fields).length === 0) return undefined;
    this.#types[name] = fields;
    return name;
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

/** Leaves only types with a list that merges somewhere below them. A type that is defined elsewhere may have one. */
function prune(
  types: Readonly<Record<string, MergeType>>,
  kinds: Readonly<Record<string, string>>,
  definitions: Json,
): { types: Record<string, MergeType>; kinds: Record<string, string> } {
  const useful = new Set<string>();
  const isElsewhere = (type: string): boolean => !Object.hasOwn(types, type) && !Object.hasOwn(definitions, type);
  const leads = ({ type }: MergeField): boolean => type !== undefined && (useful.has(type) || isElsewhere(type));
  const matters = (each: MergeField): boolean => each.keys !== undefined || leads(each);
  for (let before = -1; before !== useful.size;) {
    before = useful.size;
    for (const [name, type] of Object.entries(types)) if (Object.values(type).some(matters)) useful.add(name);
  }
  const kept = [...useful].sort().map((name): [string, MergeType] => {
    const fields = Object.entries(types[name] ?? {}).filter(([, each]) => matters(each));
    return [name, Object.fromEntries(fields.map(([key, each]) => [key, leads(each) ? each : { keys: each.keys ?? [] }]))];
  });
  return { types: Object.fromEntries(kept), kinds: Object.fromEntries(Object.entries(kinds).filter(([, name]) => useful.has(name))) };
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
