import { compilePattern, type Pattern } from './pattern.ts';
import { instanceType, isObjectNode, JsonNumber, type InstanceType, type SchemaNode, type SchemaObject } from './document.ts';
import { formatCheck, type FormatCheck } from './formats.ts';
import { encodeFragment, escapePointer } from './pointer.ts';
import {
  formatLocation,
  hasVocabulary,
  invalid,
  lookup,
  resourceOf,
  type Location,
  type SchemaResource,
  type SchemaRoot,
  type SchemaStore,
} from './store.ts';

export type SchemaType = InstanceType | 'integer';

/** A subschema ready to validate with; references are direct links. Fields are absent where the keyword is. */
export type Schema = {
  readonly location: string;
  readonly pointer: string;
  version: number;
  resource: Schema;
  dynamicAnchors?: Map<string, Schema>;
  always?: boolean;
  ref?: Schema;
  recursiveRef?: Schema;
  recursiveAnchor?: boolean;
  dynamicRef?: { readonly target: Schema; readonly anchor: string };
  dynamicAnchor?: string;
  types?: readonly SchemaType[];
  constant?: { readonly value: SchemaNode };
  enumeration?: { readonly values: readonly SchemaNode[]; readonly types: ReadonlySet<InstanceType | undefined> };
  format?: { readonly name: string; readonly check: FormatCheck };
  allOf?: readonly Schema[];
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  not?: Schema;
  condition?: { readonly if: Schema; readonly then: Schema | undefined; readonly else: Schema | undefined };
  properties?: ReadonlyMap<string, Schema>;
  patternProperties?: readonly { readonly pattern: Pattern; readonly schema: Schema }[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  dependencies?: ReadonlyMap<string, readonly string[] | Schema>;
  dependentRequired?: ReadonlyMap<string, readonly string[]>;
  dependentSchemas?: ReadonlyMap<string, Schema>;
  unevaluatedProperties?: Schema;
  required?: readonly string[];
  minProperties?: number;
  maxProperties?: number;
  items?: Schema;
  itemList?: readonly Schema[];
  additionalItems?: boolean | Schema;
  contains?: Schema;
  minContains?: number;
  maxContains?: number;
  unevaluatedItems?: Schema;
  minItems?: number;
  maxItems?: number;
  uniqueItems?: boolean;
  minLength?: number;
  maxLength?: number;
  pattern?: Pattern;
  minimum?: JsonNumber;
  maximum?: JsonNumber;
  exclusiveMinimum?: JsonNumber;
  exclusiveMaximum?: JsonNumber;
  multipleOf?: JsonNumber;
  /** For unevaluated*: whether this schema alone evaluates everything, or how many leading items. */
  evaluatesAllProperties: boolean;
  evaluatesAllItems: boolean;
  evaluatedItems: number;
};

/** Compiles what `url` points to and everything reachable from it. `assertFormats` is for metaschemas. @throws CodedError */
export function compileSchema(store: SchemaStore, url: string, assertFormats = false): Schema {
  const compiler = new Compiler(store, assertFormats);
  return compiler.compile({ url, pointer: '' });
}

class Compiler {
  readonly #store: SchemaStore;
  readonly #assertFormats: boolean;
  readonly #schemas = new Map<string, Schema>();
  readonly #queue: { schema: Schema; at: Location }[] = [];

  constructor(store: SchemaStore, assertFormats: boolean) {
    this.#store = store;
    this.#assertFormats = assertFormats;
  }

  compile(at: Location): Schema {
    const result = this.#schema(at);
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#fill(next.schema, next.at);
    return result;
  }

  #schema(at: Location): Schema {
    const location = formatLocation(at.url, at.pointer);
    const known = this.#schemas.get(location);
    if (known !== undefined) return known;
    const schema = newSchema(location, at.pointer);
    this.#schemas.set(location, schema);
    this.#queue.push({ schema, at });
    return schema;
  }

  #fill(schema: Schema, at: Location): void {
    const root = this.#store.ensure(at);
    const node = lookup(root, at.pointer);
    const resource = resourceOf(root, at.pointer);
    schema.version = resource.dialect.draft.version;
    schema.resource = this.#schema({ url: at.url, pointer: resource.pointer });
    if (schema.version >= 2020 && schema.resource === schema) {
      schema.dynamicAnchors = new Map();
      for (const anchor of resource.dynamicAnchors) {
        const pointer = resource.anchors.get(anchor);
        if (pointer !== undefined) schema.dynamicAnchors.set(anchor, this.#schema({ url: at.url, pointer }));
      }
    }
    if (typeof node === 'boolean') schema.always = node;
    else if (isObjectNode(node) && node.size === 0) schema.always = true;
    else if (isObjectNode(node)) this.#keywords(schema, node, at, root, resource);
    schema.evaluatesAllProperties = schema.additionalProperties !== undefined;
    if (schema.version < 2020) {
      schema.evaluatesAllItems = schema.additionalItems !== undefined || schema.items !== undefined;
    } else {
      schema.evaluatesAllItems = schema.items !== undefined;
    }
    schema.evaluatedItems = schema.itemList?.length ?? 0;
  }

  #keywords(schema: Schema, node: SchemaObject, at: Location, root: SchemaRoot, resource: SchemaResource): void {
    const one = (keyword: string): Schema | undefined => (node.has(keyword) ? this.#schema(child(at, keyword)) : undefined);
    const list = (keyword: string): Schema[] | undefined => {
      const value = node.get(keyword);
      return Array.isArray(value) ? value.map((_, i) => this.#schema(child(at, keyword, String(i)))) : undefined;
    };
    const map = (keyword: string): Map<string, Schema> | undefined => {
      const value = node.get(keyword);
      return isObjectNode(value) ? new Map([...value.keys()].map((name) => [name, this.#schema(child(at, keyword, name))])) : undefined;
    };
    const reference = (keyword: string): Schema | undefined => {
      const value = node.get(keyword);
      return typeof value === 'string' ? this.#schema(this.#store.resolve(root, resource, value)) : undefined;
    };
    const { dialect } = resource;
    const { version } = schema;
    assign(schema, { ref: reference('$ref') });
    if (version < 2019 && schema.ref !== undefined) return;
    if (hasVocabulary(dialect, 'applicator')) this.#applicators(schema, node, at, { one, list, map });
    if (hasVocabulary(dialect, 'validation')) assertions(schema, node, at);
    const asserts = this.#assertFormats || version < 2019 || hasVocabulary(dialect, version === 2019 ? 'format' : 'format-assertion');
    const format = node.get('format');
    if (asserts && typeof format === 'string') {
      const check = formatCheck(format);
      if (check !== undefined) schema.format = { name: format, check };
    }
    if (version < 2019) return;
    assign(schema, { recursiveRef: reference('$recursiveRef'), recursiveAnchor: node.get('$recursiveAnchor') === true });
    if (hasVocabulary(dialect, version === 2019 ? 'applicator' : 'unevaluated')) {
      assign(schema, { unevaluatedItems: one('unevaluatedItems'), unevaluatedProperties: one('unevaluatedProperties') });
    }
    if (version < 2020) return;
    const target = reference('$dynamicRef');
    const dynamicRef = node.get('$dynamicRef');
    const fragment = typeof dynamicRef === 'string' ? dynamicRef.slice(dynamicRef.indexOf('#') + 1) : '';
    if (target !== undefined) schema.dynamicRef = { target, anchor: fragment.startsWith('/') ? '' : fragment };
    const dynamicAnchor = node.get('$dynamicAnchor');
    if (typeof dynamicAnchor === 'string') schema.dynamicAnchor = dynamicAnchor;
  }

  #applicators(schema: Schema, node: SchemaObject, at: Location, { one, list, map }: ChildReaders): void {
    const { version } = schema;
    assign(schema, { allOf: list('allOf'), anyOf: list('anyOf'), oneOf: list('oneOf'), not: one('not'), properties: map('properties') });
    const orSchema = (keyword: string): boolean | Schema | undefined => {
      const value = node.get(keyword);
      return typeof value === 'boolean' ? value : one(keyword);
    };
    if (version < 2020 && Array.isArray(node.get('items'))) {
      assign(schema, { itemList: list('items'), additionalItems: orSchema('additionalItems') });
    } else {
      assign(schema, { items: one('items') });
    }
    const patterns = map('patternProperties');
    if (patterns !== undefined) {
      schema.patternProperties = [...patterns].map(([text, value]) => ({ pattern: pattern(text, at, 'patternProperties'), schema: value }));
    }
    assign(schema, { additionalProperties: orSchema('additionalProperties') });
    const dependencies = node.get('dependencies');
    if (isObjectNode(dependencies)) {
      schema.dependencies = new Map(
        [...dependencies].map(([name, value]) => [
          name,
          Array.isArray(value) ? strings(value) : this.#schema(child(at, 'dependencies', name)),
        ]),
      );
    }
    if (version >= 6) assign(schema, { contains: one('contains'), propertyNames: one('propertyNames') });
    if (version >= 7 && node.has('if')) {
      const test = node.get('if');
      const branch = (keyword: string, when: boolean): Schema | undefined =>
        typeof test !== 'boolean' || test === when ? one(keyword) : undefined;
      const condition = one('if');
      if (condition !== undefined) schema.condition = { if: condition, then: branch('then', true), else: branch('else', false) };
    }
    if (version >= 2019) assign(schema, { dependentSchemas: map('dependentSchemas') });
    if (version >= 2020) assign(schema, { itemList: list('prefixItems') });
  }
}

type ChildReaders = {
  one: (keyword: string) => Schema | undefined;
  list: (keyword: string) => Schema[] | undefined;
  map: (keyword: string) => Map<string, Schema> | undefined;
};

const TYPES: readonly SchemaType[] = ['null', 'boolean', 'number', 'integer', 'string', 'array', 'object'];

function assertions(schema: Schema, node: SchemaObject, at: Location): void {
  const type = node.get('type');
  const named = new Set(Array.isArray(type) ? type : [type]);
  const types = TYPES.filter((name) => named.has(name));
  if (types.length > 0) schema.types = types;
  const values = node.get('enum');
  if (Array.isArray(values)) schema.enumeration = { values, types: new Set(values.map(instanceType)) };
  if (schema.version >= 6 && node.has('const')) schema.constant = { value: node.get('const') ?? null };
  const number = (keyword: string): JsonNumber | undefined => {
    const value = node.get(keyword);
    return value instanceof JsonNumber ? value : undefined;
  };
  const integer = (keyword: string): number | undefined => {
    const value = number(keyword)?.value;
    return value !== undefined && Number.isInteger(value) ? value : undefined;
  };
  assign(schema, { multipleOf: number('multipleOf') });
  for (const [plain, exclusive] of [
    ['maximum', 'exclusiveMaximum'],
    ['minimum', 'exclusiveMinimum'],
  ] as const) {
    if (node.get(exclusive) === true) assign(schema, { [exclusive]: number(plain) });
    else assign(schema, { [plain]: number(plain), [exclusive]: number(exclusive) });
  }
  assign(schema, {
    minLength: integer('minLength'),
    maxLength: integer('maxLength'),
    minItems: integer('minItems'),
    maxItems: integer('maxItems'),
    minProperties: integer('minProperties'),
    maxProperties: integer('maxProperties'),
    uniqueItems: node.get('uniqueItems') === true,
  });
  const text = node.get('pattern');
  if (typeof text === 'string') schema.pattern = pattern(text, at, 'pattern');
  const required = node.get('required');
  if (Array.isArray(required)) schema.required = strings(required);
  if (schema.version < 2019) return;
  if (schema.contains !== undefined) assign(schema, { minContains: integer('minContains'), maxContains: integer('maxContains') });
  const dependent = node.get('dependentRequired');
  if (isObjectNode(dependent)) {
    schema.dependentRequired = new Map(
      [...dependent].flatMap(([name, value]) => (Array.isArray(value) ? [[name, strings(value)] as const] : [])),
    );
  }
}

function pattern(text: string, at: Location, keyword: string): Pattern {
  const compiled = compilePattern(text);
  if (typeof compiled === 'string') {
    const where = `${formatLocation(at.url, at.pointer)}/${encodeFragment(escapePointer(keyword))}`;
    throw invalid(`invalid regex ${JSON.stringify(text)} at ${JSON.stringify(where)}: ${compiled}`);
  }
  return compiled;
}

function child(at: Location, ...tokens: readonly string[]): Location {
  return { url: at.url, pointer: at.pointer + tokens.map((token) => `/${escapePointer(token)}`).join('') };
}

function strings(values: readonly SchemaNode[]): string[] {
  return values.filter((value) => typeof value === 'string');
}

/** Sets only what is there, so that an absent keyword stays an absent field. */
function assign(schema: Schema, fields: { [K in keyof Schema]?: Schema[K] | undefined }): void {
  for (const [name, value] of Object.entries(fields)) if (value !== undefined && value !== false) Object.assign(schema, { [name]: value });
  if (fields.additionalProperties === false) schema.additionalProperties = false;
  if (fields.additionalItems === false) schema.additionalItems = false;
}

function newSchema(location: string, pointer: string): Schema {
  const schema: Omit<Schema, 'resource'> = {
    location,
    pointer,
    version: 2020,
    evaluatesAllProperties: false,
    evaluatesAllItems: false,
    evaluatedItems: 0,
  };
  return Object.assign(schema, { resource: schema as Schema });
}
