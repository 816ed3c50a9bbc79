import {
  anyMapType,
  anySliceType,
  anyType,
  decodeJson,
  encodeValueJson,
  fromYamlValue,
  GoError,
  GoMap,
  goMap,
  GoSlice,
  isYamlObject,
  mapFromYaml,
  stringType,
  toYamlValue,
  writeYaml,
  type GoValue,
  type YamlValue,
} from '../../golang/index.ts';
import type { TemplateFunction } from '../../gotemplate/index.ts';
import { errorMessage, isCodedError, Lru } from '../../std/index.ts';
import { readForUnmarshal } from '../chart/struct-decode.ts';
import { prettyYaml } from './pretty-yaml.ts';

/** Go's strings.TrimSuffix(text, "\n"). */
function withoutNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** `toYaml`: what cannot be encoded gives nothing. */
export function toYaml(value: GoValue): string {
  return orEmpty(() => withoutNewline(writeYaml(toYamlValue(value))));
}

function orEmpty(encode: () => string): string {
  try {
    return encode();
  } catch (error) {
    // Helm's toYaml and toJson give an empty text where encoding fails; a crossed budget still ends the render.
    if (isCodedError(error, 'GoError')) return '';
    throw error;
  }
}

function marshalYaml(value: GoValue): string {
  try {
    return withoutNewline(writeYaml(toYamlValue(value)));
  } catch (error) {
    if (!isCodedError(error, 'GoError')) throw error;
    throw new GoError(`error marshaling into JSON: ${error.message}`);
  }
}

/** UTF-16 units of decoded texts kept. */
const DECODED_SIZE = 8 * 1024 * 1024;
const decoded = new Lru<string, { value: YamlValue; weight: number }>(DECODED_SIZE, ({ weight }) => weight);

/** Templates decode the same texts in every render (CRDs in files, defaults in named templates): what was read is kept, and only copied. */
function readOnce(text: string): YamlValue {
  const known = decoded.get(text);
  if (known !== undefined) return known.value;
  const value = readForUnmarshal(text, 'float64');
  decoded.set(text, { value, weight: text.length + 200 });
  return value;
}

/** Decoded data as a map, or the map Helm returns when it is none: with the reason under `Error`. */
function mapOrError(decode: () => YamlValue, prefix: string, empty: GoMap): GoMap {
  try {
    const value = decode();
    if (value === null) return empty;
    if (isYamlObject(value)) return mapFromYaml(value);
    return goMap([['Error', prefix + typeMismatch(value, 'map[string]interface {}')]]);
  } catch (error) {
    return goMap([['Error', goMessage(error)]]);
  }
}

function listOrError(decode: () => YamlValue, prefix: string, empty: GoValue): GoValue {
  try {
    const value = decode();
    if (value === null) return empty;
    if (Array.isArray(value)) return fromYamlValue(value);
    return [prefix + typeMismatch(value, '[]interface {}')];
  } catch (error) {
    return [goMessage(error)];
  }
}

function goMessage(error: unknown): string {
  if (isCodedError(error) && !isCodedError(error, 'GoError', 'YamlError')) throw error;
  return errorMessage(error);
}

function typeMismatch(value: YamlValue, type: string): string {
  const kind = Array.isArray(value)
    ? 'array'
    : isYamlObject(value)
      ? 'object'
      : typeof value === 'string'
        ? 'string'
        : typeof value === 'boolean'
          ? 'bool'
          : 'number';
  return `json: cannot unmarshal ${kind} into Go value of type ${type}`;
}

const YAML_PREFIX = 'error unmarshaling JSON: while decoding JSON: ';

function encoder(call: (value: GoValue) => string): TemplateFunction {
  return { params: [anyType], result: stringType, call: ([value]) => call(value) };
}

/** The functions between values and YAML or JSON text. `must` are those Helm 3 does not have. */
export const yamlFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['toYaml', encoder(toYaml)],
  ['toYamlPretty', encoder((value) => orEmpty(() => withoutNewline(prettyYaml(value))))],
  [
    'fromYaml',
    {
      params: [stringType],
      result: anyMapType,
      call: ([text]) => mapOrError(() => readOnce(String(text)), YAML_PREFIX, new GoMap()),
    },
  ],
  [
    'fromYamlArray',
    {
      params: [stringType],
      result: anySliceType,
      call: ([text]) => listOrError(() => readOnce(String(text)), YAML_PREFIX, []),
    },
  ],
  ['toJson', encoder((value) => orEmpty(() => encodeValueJson(value)))],
  [
    'fromJson',
    {
      params: [stringType],
      result: anyMapType,
      call: ([text]) => mapOrError(() => decodeJson(String(text)), '', new GoMap(anyMapType, new Map(), true)),
    },
  ],
  [
    'fromJsonArray',
    {
      params: [stringType],
      result: anySliceType,
      call: ([text]) => listOrError(() => decodeJson(String(text)), '', new GoSlice(anySliceType, [], true)),
    },
  ],
];

/** What Helm 4 adds to, or changes in, {@link yamlFunctions}. */
export const mustYamlFunctions: readonly (readonly [string, TemplateFunction])[] = [
  ['mustToYaml', encoder(marshalYaml)],
  ['mustToJson', encoder((value) => encodeValueJson(value))],
];
