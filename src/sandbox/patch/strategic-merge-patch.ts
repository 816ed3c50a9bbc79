import { goText, isList, isMap, type Json, type JsonMap, type OpenApiSchema, refName, sameJson } from '../fields/index.ts';
import { PatchError } from './json-patch.ts';

/** How deep a strategic merge patch may nest. */
export const STRATEGIC_DEPTH_LIMIT = 200;

/** A schema with the hints of strategic merge patches. */
export type StrategicSchema = OpenApiSchema & { 'x-kubernetes-patch-strategy'?: string; 'x-kubernetes-patch-merge-key'?: string };

/** Gives a named schema. */
export type SchemaByName = (name: string) => StrategicSchema | undefined;

const DIRECTIVE = '$patch';
const RETAIN_KEYS = '$retainKeys';
const DELETE_FROM = '$deleteFromPrimitiveList/';
const ORDER = '$setElementOrder/';

/**
 * Applies a Kubernetes strategic merge patch: lists merge by their patch merge key where the schema says so; `$patch: delete`,
 * `$patch: replace`, `$retainKeys`, `$deleteFromPrimitiveList/…` and `$setElementOrder/…` are obeyed.
 * @throws PatchError for a directive that makes no sense
 */
export function applyStrategicMergePatch(document: Json, patch: Json, schema: StrategicSchema | undefined, schemas: SchemaByName): Json {
  if (!isMap(patch)) throw new PatchError('PatchMalformed', 'json: cannot unmarshal into Go value of type map[string]interface {}');
  return mergeMaps(isMap(document) ? document : {}, patch, schema, schemas, 0);
}

function mergeMaps(original: JsonMap, patch: JsonMap, schema: StrategicSchema | undefined, schemas: SchemaByName, depth: number): Json {
  if (depth > STRATEGIC_DEPTH_LIMIT)
    throw new PatchError('PatchInvalid', `strategic merge patch nests deeper than ${STRATEGIC_DEPTH_LIMIT}`);
  const directive = patch[DIRECTIVE];
  if (directive === 'replace') return without(patch, DIRECTIVE);
  if (directive === 'delete') return {};
  if (directive !== undefined && directive !== 'merge') throw unknownDirective(directive, patch);
  const resolved = resolve(schema, schemas);
  const retained = patch[RETAIN_KEYS];
  if (retained !== undefined) checkRetained(retained, patch);
  const out: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const [key, value] of Object.entries(original)) if (!isList(retained) || retained.includes(key)) out[key] = value;
  for (const [key, value] of Object.entries(patch)) {
    if (key === DIRECTIVE || key === RETAIN_KEYS || key.startsWith(ORDER)) continue;
    if (key.startsWith(DELETE_FROM)) {
      const field = key.slice(DELETE_FROM.length);
      const list = out[field];
      if (isList(list) && isList(value)) out[field] = list.filter((item) => !value.some((it) => sameJson(it, item)));
      continue;
    }
    if (value === null) {
      delete out[key];
      continue;
    }
    const field = fieldSchema(resolved, key);
    const live = out[key];
    out[key] = mergeField(live, value, field, patch[`${ORDER}${key}`], schemas, depth + 1);
  }
  for (const [key, order] of Object.entries(patch)) {
    if (!key.startsWith(ORDER)) continue;
    const name = key.slice(ORDER.length);
    const list = out[name];
    if (isList(order) && isList(list) && patch[name] === undefined)
      out[name] = inOrder(list, list, order, mergeKey(fieldSchema(resolved, name)));
  }
  return out;
}

function mergeField(
  live: Json | undefined,
  value: Json,
  field: StrategicSchema | undefined,
  order: Json | undefined,
  schemas: SchemaByName,
  depth: number,
): Json {
  if (isMap(value)) {
    const replace = field?.['x-kubernetes-patch-strategy']?.split(',').includes('replace') === true;
    return replace ? value : mergeMaps(isMap(live) ? live : {}, value, field, schemas, depth);
  }
  if (!isList(value)) return value;
  const strategies = field?.['x-kubernetes-patch-strategy']?.split(',') ?? [];
  if (!strategies.includes('merge')) return stripDirectives(value);
  const base = isList(live) ? live : [];
  const key = mergeKey(field);
  if (key === undefined) {
    const all = [...base, ...value.filter((item) => !base.some((it) => sameJson(it, item)))];
    return inOrder(all, base, isList(order) ? order : value, undefined);
  }
  return mergeLists(base, value, key, field?.items, order, schemas, depth);
}

function mergeLists(
  live: readonly Json[],
  patch: readonly Json[],
  key: string,
  items: StrategicSchema | undefined,
  order: Json | undefined,
  schemas: SchemaByName,
  depth: number,
): Json {
  if (patch.some((item) => isMap(item) && item[DIRECTIVE] === 'replace')) {
    return patch
      .filter((item) => !(isMap(item) && item[DIRECTIVE] === 'replace' && Object.keys(item).length === 1))
      .map((item) => (isMap(item) ? without(item, DIRECTIVE) : item));
  }
  let out = [...live];
  for (const item of patch) {
    const name = isMap(item) ? item[key] : undefined;
    if (!isMap(item) || name === undefined)
      throw new PatchError('PatchUnmergeable', `map: ${goText(item)} does not contain declared merge key: ${key}`);
    if (item[DIRECTIVE] !== undefined && item[DIRECTIVE] !== 'delete' && item[DIRECTIVE] !== 'merge')
      throw unknownDirective(item[DIRECTIVE], item);
    const at = out.findIndex((it) => isMap(it) && sameJson(it[key], name));
    if (item[DIRECTIVE] === 'delete') {
      out = out.filter((it) => !(isMap(it) && sameJson(it[key], name)));
    } else if (at < 0) {
      out.push(mergeMaps({}, item, items, schemas, depth + 1));
    } else {
      const found = out[at];
      out[at] = mergeMaps(isMap(found) ? found : {}, item, items, schemas, depth + 1);
    }
  }
  return inOrder(out, live, isList(order) ? order : patch, key);
}

/** Retained keys are a list of names, and every key of the patch is among them. */
function checkRetained(retained: Json, patch: JsonMap): void {
  // What the patch takes away need not be retained.
  const keys = Object.keys(patch).filter((key) => !key.startsWith('$') && patch[key] !== null);
  if (!isList(retained) || keys.some((key) => !retained.includes(key)))
    throw new PatchError('PatchMalformed', 'invalid patch format of retainKeys');
}

/**
 * What the patch names comes in its order (or that of its directive); what only the live list has keeps its own order and comes before
 * the first named item that it came before.
 */
function inOrder(list: readonly Json[], live: readonly Json[], order: readonly Json[], key: string | undefined): Json[] {
  const nameOf = (item: Json): Json | undefined => (key === undefined ? item : isMap(item) ? item[key] : undefined);
  const place = (items: readonly Json[], item: Json): number => items.findIndex((it) => sameJson(nameOf(it), nameOf(item)));
  const named = list.filter((item) => place(order, item) >= 0).sort((a, b) => place(order, a) - place(order, b));
  const others = list.filter((item) => place(order, item) < 0);
  const out: Json[] = [];
  let next = 0;
  for (const item of named) {
    // The real merge goes through both lists at once: an item that is new comes first.
    for (let other = others[next]; other !== undefined && isBefore(place(live, other), place(live, item)); other = others[next]) {
      out.push(other);
      next += 1;
    }
    out.push(item);
  }
  return [...out, ...others.slice(next)];
}

function isBefore(a: number, b: number): boolean {
  return a >= 0 && b >= 0 && a < b;
}

function mergeKey(schema: StrategicSchema | undefined): string | undefined {
  return schema?.['x-kubernetes-patch-merge-key'];
}

function fieldSchema(schema: StrategicSchema | undefined, key: string): StrategicSchema | undefined {
  const { properties, additionalProperties } = schema ?? {};
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}

function resolve(schema: StrategicSchema | undefined, schemas: SchemaByName): StrategicSchema | undefined {
  const ref = schema === undefined ? undefined : refName(schema);
  return ref === undefined ? schema : schemas(ref);
}

function without(map: JsonMap, key: string): JsonMap {
  return Object.assign(
    Object.create(null) as Record<string, Json>,
    Object.fromEntries(Object.entries(map).filter(([name]) => name !== key)),
  );
}

/** A list that is replaced may still carry directives meant for merging ones. */
function stripDirectives(list: readonly Json[]): Json {
  return list
    .filter((item) => !(isMap(item) && item[DIRECTIVE] === 'delete'))
    .map((item) => (isMap(item) && DIRECTIVE in item ? without(item, DIRECTIVE) : item));
}

function unknownDirective(directive: Json, patch: JsonMap): PatchError {
  return new PatchError('PatchUnmergeable', `unknown patch type: ${goText(directive)} in map: ${goText(patch)}`);
}
