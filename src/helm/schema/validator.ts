import { Lru } from '../../std/index.ts';
import type { GoMap } from '../../golang/index.ts';
import { compileSchema, type Schema } from './compile.ts';
import { parseSchema, type SchemaNode } from './document.ts';
import { formatFailure } from './messages.ts';
import { SchemaStore, type Dialect, type MetaCheck, type SchemaLoader, type SchemaRoot } from './store.ts';
import { validateInstance, type MetaContext } from './validate.ts';

const SCHEMA_URL = 'file:///values.schema.json';

/** Says what is wrong with values, each line `- at '/path': what`, newline at the end; undefined when nothing is. */
export type SchemaValidator = (values: GoMap) => string | undefined;

const cachedTexts = new Lru<string, Schema>(200);
const metaschemas = new Map<string, Schema>();

/**
 * Checks values against a chart's values.schema.json (draft 4 to 2020-12).
 * @throws CodedError `SchemaInvalid` when the schema itself is wrong, `SchemaReferenceRefused` for a reference that would have to be fetched
 */
export function validateAgainstSchema(values: GoMap, schemaText: string, loader: SchemaLoader = noDocuments): string | undefined {
  return validatorFor(schemaText, loader)(values);
}

/** Compiles a schema once; the result is kept by the schema's text as long as no loader is given. */
export function validatorFor(schemaText: string, loader: SchemaLoader = noDocuments): SchemaValidator {
  let schema = loader === noDocuments ? cachedTexts.get(schemaText) : undefined;
  if (schema === undefined) {
    const store = new SchemaStore(withUrns(loader), checkAgainstMeta);
    store.add(SCHEMA_URL, parseSchema(schemaText));
    schema = compileSchema(store, SCHEMA_URL);
    if (loader === noDocuments) cachedTexts.set(schemaText, schema);
  }
  const validator = schema;
  return (values) => {
    const failure = validateInstance(validator, values);
    if (failure === undefined) return undefined;
    const text = formatFailure(failure);
    const prefix = `jsonschema validation failed with '${SCHEMA_URL}#'\n`;
    return `${text.startsWith(prefix) ? text.slice(prefix.length) : text}\n`;
  };
}

function noDocuments(): undefined {
  return undefined;
}

/** A URN that nobody resolves stands for a schema that accepts everything. */
function withUrns(loader: SchemaLoader): SchemaLoader {
  return (url) => loader(url) ?? (url.startsWith('urn:') ? true : undefined);
}

const metaStore = new SchemaStore(noDocuments);

function metaschemaOf(url: string): Schema {
  let schema = metaschemas.get(url);
  if (schema === undefined) {
    schema = compileSchema(metaStore, url, true);
    metaschemas.set(url, schema);
  }
  return schema;
}

/** The metaschema of a dialect; one that lists vocabularies is the conjunction of theirs. */
function dialectSchema({ draft, vocabularies }: Dialect): Schema {
  const whole = metaschemaOf(draft.url);
  if (vocabularies === undefined) return whole;
  const key = `${draft.url} ${vocabularies.join(' ')}`;
  const known = metaschemas.get(key);
  if (known !== undefined) return known;
  const base = draft.url.slice(0, -'schema'.length);
  const allOf = vocabularies.map((name) => metaschemaOf(`${base}meta/${name}`));
  const schema: Schema = Object.assign({} as Schema, {
    location: 'urn:mem:metaschema#',
    pointer: '',
    version: draft.version,
    allOf,
    evaluatesAllProperties: false,
    evaluatesAllItems: false,
    evaluatedItems: 0,
  });
  schema.resource = schema;
  if (draft.version >= 2020) Object.assign(schema, { dynamicAnchor: 'meta', dynamicAnchors: new Map([['meta', schema]]) });
  metaschemas.set(key, schema);
  return schema;
}

/** Checks a schema against its metaschema, and embedded resources of another draft against theirs. */
const checkAgainstMeta: MetaCheck = (root: SchemaRoot, node: SchemaNode, dialect: Dialect) => {
  const schema = dialectSchema(dialect);
  const meta: MetaContext = {
    schema,
    at: (below) => {
      const resource = root.resources.get(below);
      return resource === undefined ? undefined : dialectSchema(resource.dialect);
    },
  };
  const failure = validateInstance(schema, node, { meta });
  return failure === undefined ? undefined : formatFailure(failure);
};
