import { dump, load, loadAll, YAML11_SCHEMA } from 'js-yaml';
import type { YamlObject, YamlValue } from './value.ts';

/** Which Go library's reading: `v2` is YAML 1.1 as sigs.k8s.io/yaml (Helm, kubectl, Flux) reads it, `v3` is yaml.v3 (kustomize's resources). */
export type YamlDialect = 'v2' | 'v3';

/** How much a reader takes before it refuses. */
export type YamlLimits = {
  /** Characters of one text. */
  maxLength: number;
  /** Collections inside collections. */
  maxDepth: number;
  /** Documents of one stream. */
  maxDocuments: number;
  /** Values made, aliases counted as often as they are used. */
  maxValues: number;
};

export type ReadYamlOptions = {
  /** Default `v2`. */
  dialect?: YamlDialect;
  /** Refuse a key that is set twice (v3 always does). Default false. */
  strict?: boolean;
  /** `float64` (default): every number is a JavaScript number, as after `json.Unmarshal` into `interface{}`. `exact`: integers beyond 2^53 are bigints. */
  numbers?: 'float64' | 'exact';
  limits?: Partial<YamlLimits>;
};

/** The first document of a text; null when it is empty. Throws a CodedError whose message is the Go library's. */
export function readYaml(text: string | Uint8Array, options: ReadYamlOptions = {}): YamlValue {
  return readYamlDocuments(text, options)[0] ?? null;
}

/** All documents of a text. */
export function readYamlDocuments(text: string | Uint8Array, options: ReadYamlOptions = {}): YamlValue[] {
  void options;
  const source = typeof text === 'string' ? text : Buffer.from(text).toString();
  return loadAll(source, { schema: YAML11_SCHEMA }) as YamlValue[];
}

/** The text sigs.k8s.io/yaml `Marshal` writes. */
export function writeYaml(value: YamlValue): string {
  return dump(value, { sortKeys: true, noRefs: true, seqNoIndent: true } as never);
}

/** The text sigs.k8s.io/yaml `JSONToYAML` makes of a JSON text: numbers keep their digits. */
export function writeYamlFromJson(json: string): string {
  return writeYaml(load(json) as YamlValue);
}

export type WriteYamlV3Options = {
  /** Spaces per level. Default 2. */
  indent?: number;
  /** Sequences flush with their key (kyaml) instead of indented (toYamlPretty). Default false. */
  compactSequences?: boolean;
};

/** The text yaml.v3 writes: kyaml `Marshal` with `compactSequences`, Helm's toYamlPretty without. */
export function writeYamlV3(value: YamlValue, options: WriteYamlV3Options = {}): string {
  return dump(value, { sortKeys: true, noRefs: true, indent: options.indent ?? 2 } as never);
}

/** True for a mapping: an object that is no array. */
export function isYamlObject(value: unknown): value is YamlObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
