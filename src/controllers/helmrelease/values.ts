import type { HelmRelease, ValuesReference } from '../../api/index.ts';
import { GoMap, isYamlObject, mapFromYaml, readYaml, toYamlValue, type YamlObject, type YamlValue } from '../../golang/index.ts';
import { reusedChartValues, setStringValue, setValue, type Release } from '../../helm/index.ts';
import { configData, type ConfigReader } from '../../runtime/index.ts';
import { CodedError, errorMessage } from '../../std/index.ts';

/** A reference and what it was found to hold; undefined for an optional one whose object or key is missing. */
export type ResolvedReference = { reference: ValuesReference; content: string | undefined };

/** The values of a release: `valuesFrom` in order, then `values` (HB20–HB22). @throws CodedError `ValuesInvalid` */
export async function readValues(object: HelmRelease, configs: ConfigReader): Promise<YamlObject> {
  const references = await Promise.all(
    (object.spec.valuesFrom ?? []).map((reference) => resolve(reference, object.metadata.namespace, configs)),
  );
  return composeValues(object.metadata.namespace, object.spec.values, references);
}

/** Finds what a reference names (HB23). @throws CodedError `ValuesInvalid`; KubeError */
async function resolve(reference: ValuesReference, namespace: string, configs: ConfigReader): Promise<ResolvedReference> {
  const { kind, name, optional = false } = reference;
  const found = await configs.find(kind, namespace, name);
  const bytes = found === undefined ? undefined : configData(found).data[keyOf(reference)];
  if (bytes !== undefined) return { reference, content: Buffer.from(bytes).toString() };
  if (optional) return { reference, content: undefined };
  throw invalid(reference, namespace, found === undefined ? `${kind.toLowerCase()}s "${name}" not found` : 'key not found');
}

/**
 * Puts values together as Flux does. A `targetPath` is set in what was gathered so far and `values`; `values` is merged again at the end.
 * Mappings that only `values` has are shared between both merges, so that what was set inside of them stays (HB22).
 * @throws CodedError `ValuesInvalid`
 */
export function composeValues(namespace: string, inline: unknown, references: readonly ResolvedReference[]): YamlObject {
  const given = withDoubles(inline);
  const values = mapFromYaml(isYamlObject(given) ? given : {});
  let result = new GoMap();
  for (const { reference, content } of references) {
    if (content === undefined) continue;
    try {
      if (reference.targetPath === undefined || reference.targetPath === '') {
        result = merge(result, readDocument(content));
      } else {
        result = merge(result, values);
        setAtPath(result, reference.targetPath, content, reference.literal === true);
      }
    } catch (error) {
      throw invalid(reference, namespace, errorMessage(error), error);
    }
  }
  const composed = toYamlValue(merge(result, values), { integers: 'bigint' });
  return isYamlObject(composed) ? composed : {};
}

/** JSON as Go reads it into values: every number is a double. Integers beyond 2^53 come from the API server as `JSON.rawJSON`. */
function withDoubles(value: unknown): YamlValue {
  if (Array.isArray(value)) return value.map(withDoubles);
  if (typeof value !== 'object' || value === null) return value as YamlValue;
  if ('rawJSON' in value && Object.isFrozen(value)) return Number(value.rawJSON);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withDoubles(item)]));
}

/** `b` over `a`, mappings merged all the way down. Always a mapping of its own; what is inside is shared unless both have it. */
function merge(a: GoMap, b: GoMap): GoMap {
  const out = a.clone();
  for (const [key, value] of b.entries()) {
    const existing = out.get(key);
    out.set(key, value instanceof GoMap && existing instanceof GoMap ? merge(existing, value) : value);
  }
  return out;
}

function readDocument(content: string): GoMap {
  let value: YamlValue;
  try {
    value = readYaml(content);
  } catch (error) {
    throw new Error(`error converting YAML to JSON: ${errorMessage(error)}`, { cause: error });
  }
  if (value === null) return new GoMap();
  if (isYamlObject(value)) return mapFromYaml(value);
  const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value === 'string' ? 'string' : 'number';
  throw new Error(`error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${kind} into Go value of type common.Values`);
}

/** Sets a value with the syntax of `helm --set`; a quoted or literal one is text (HB21). */
function setAtPath(into: GoMap, path: string, content: string, literal: boolean): void {
  if (literal) return setStringValue(`${path}=${content.replace(/[\\,[\]{}]/g, '\\$&')}`, into);
  const isQuoted = ["'", '"'].some((quote) => content.startsWith(quote) && content.endsWith(quote));
  if (isQuoted) setStringValue(`${path}=${content.replace(/^['"]+|['"]+$/g, '')}`, into);
  else setValue(`${path}=${content}`, into);
}

function keyOf({ valuesKey }: ValuesReference): string {
  return valuesKey === undefined || valuesKey === '' ? 'values.yaml' : valuesKey;
}

function invalid(reference: ValuesReference, namespace: string, why: string, cause?: unknown): CodedError<'ValuesInvalid'> {
  const { kind, name, optional = false } = reference;
  const what = `${optional ? 'optional ' : ''}${kind} chart values reference '${namespace}/${name}' with key '${keyOf(reference)}'`;
  return new CodedError({
    code: 'ValuesInvalid',
    message: `could not resolve ${what}: ${why}`,
    subject: `${kind}/${namespace}/${name}`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The values an upgrade releases: with `preserveValues` over those of the last revision (HB51). */
export function releasedValues({ spec }: HelmRelease, values: YamlObject, last: Release | undefined): YamlObject {
  if (spec.upgrade?.preserveValues !== true || last?.config === undefined) return values;
  const merged = toYamlValue(merge(mapFromYaml(last.config), mapFromYaml(values)), { integers: 'bigint' });
  return isYamlObject(merged) ? merged : values;
}

/** What an upgrade with `preserveValues` has for the chart's defaults: those of the last revision with its values over them (HB51). */
export function preservedDefaults({ spec }: HelmRelease, last: Release | undefined): YamlObject | undefined {
  return spec.upgrade?.preserveValues === true && last !== undefined ? reusedChartValues(last) : undefined;
}
