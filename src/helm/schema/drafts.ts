import { isObjectNode, type SchemaNode, type SchemaObject } from './document.ts';
import { escapePointer } from './pointer.ts';

/** A version of the JSON Schema standard: where subschemas sit, how they are named, which vocabularies exist. */
export type Draft = {
  readonly version: 4 | 6 | 7 | 2019 | 2020;
  readonly url: string;
  readonly idKeyword: 'id' | '$id';
  /** Keywords whose value is a subschema, a list of them, or a map of them. */
  readonly subschemas: readonly SubschemaPosition[];
  readonly vocabularyPrefix: string;
  readonly vocabularies: readonly string[];
  readonly defaultVocabularies: readonly string[];
};

type SubschemaPosition = readonly [keyword: string, shape: 'schema' | 'list' | 'map'];

const draft4Positions: readonly SubschemaPosition[] = [
  ['definitions', 'map'],
  ['not', 'schema'],
  ['allOf', 'list'],
  ['anyOf', 'list'],
  ['oneOf', 'list'],
  ['properties', 'map'],
  ['additionalProperties', 'schema'],
  ['patternProperties', 'map'],
  ['items', 'schema'],
  ['items', 'list'],
  ['additionalItems', 'schema'],
  ['dependencies', 'map'],
];
const draft6Positions: readonly SubschemaPosition[] = [...draft4Positions, ['propertyNames', 'schema'], ['contains', 'schema']];
const draft7Positions: readonly SubschemaPosition[] = [...draft6Positions, ['if', 'schema'], ['then', 'schema'], ['else', 'schema']];
const draft2019Positions: readonly SubschemaPosition[] = [
  ...draft7Positions,
  ['$defs', 'map'],
  ['dependentSchemas', 'map'],
  ['unevaluatedProperties', 'schema'],
  ['unevaluatedItems', 'schema'],
  ['contentSchema', 'schema'],
];

function oldDraft(version: 4 | 6 | 7, idKeyword: 'id' | '$id', subschemas: readonly SubschemaPosition[]): Draft {
  const url = `http://json-schema.org/draft-0${version}/schema`;
  return { version, url, idKeyword, subschemas, vocabularyPrefix: '', vocabularies: [], defaultVocabularies: [] };
}

export const draft4: Draft = oldDraft(4, 'id', draft4Positions);
export const draft6: Draft = oldDraft(6, '$id', draft6Positions);
export const draft7: Draft = oldDraft(7, '$id', draft7Positions);
export const draft2019: Draft = {
  version: 2019,
  url: 'https://json-schema.org/draft/2019-09/schema',
  idKeyword: '$id',
  subschemas: draft2019Positions,
  vocabularyPrefix: 'https://json-schema.org/draft/2019-09/vocab/',
  vocabularies: ['core', 'applicator', 'validation', 'meta-data', 'format', 'content'],
  defaultVocabularies: ['core', 'applicator', 'validation'],
};
/** What a schema without `$schema` is taken for. */
export const draft2020: Draft = {
  version: 2020,
  url: 'https://json-schema.org/draft/2020-12/schema',
  idKeyword: '$id',
  subschemas: [...draft2019Positions, ['prefixItems', 'list']],
  vocabularyPrefix: 'https://json-schema.org/draft/2020-12/vocab/',
  vocabularies: ['core', 'applicator', 'unevaluated', 'validation', 'meta-data', 'format-annotation', 'format-assertion', 'content'],
  defaultVocabularies: ['core', 'applicator', 'unevaluated', 'validation'],
};

const draftsByUrl: ReadonlyMap<string, Draft> = new Map(
  [draft4, draft6, draft7, draft2019, draft2020].map((draft) => [draft.url.replace(/^https?:\/\//, ''), draft]),
);

/** The draft a `$schema` names; scheme and an empty fragment do not matter. */
export function draftFromUrl(url: string): Draft | undefined {
  const [base, fragment] = splitFragment(url);
  if (fragment !== '') return undefined;
  const rest = base.replace(/^https?:\/\//, '');
  return rest === 'json-schema.org/schema' ? draft2020 : draftsByUrl.get(rest);
}

/** URL and text after the first `#`. */
export function splitFragment(url: string): [base: string, fragment: string] {
  const hash = url.indexOf('#');
  return hash < 0 ? [url, ''] : [url.slice(0, hash), url.slice(hash + 1)];
}

/** The subschemas directly inside a schema, with their JSON pointers. */
export function* subschemasOf(draft: Draft, schema: SchemaObject, pointer: string): Generator<[pointer: string, node: SchemaNode]> {
  for (const [keyword, shape] of draft.subschemas) {
    const value = schema.get(keyword);
    if (value === undefined) continue;
    const at = `${pointer}/${escapePointer(keyword)}`;
    if (shape === 'schema') yield [at, value];
    else if (shape === 'list' && Array.isArray(value)) for (const [i, item] of value.entries()) yield [`${at}/${i}`, item];
    else if (shape === 'map' && isObjectNode(value)) for (const [name, item] of value) yield [`${at}/${escapePointer(name)}`, item];
  }
}

/** The identifier a schema gives itself, without its fragment; empty when it has none. */
export function schemaId(draft: Draft, schema: SchemaObject): string {
  if (draft.version < 2019 && schema.has('$ref')) return '';
  const id = schema.get(draft.idKeyword);
  return typeof id === 'string' ? splitFragment(id)[0] : '';
}
