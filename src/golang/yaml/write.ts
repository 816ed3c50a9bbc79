import { encodeJson } from '../json.ts';
import { decodeV2 } from './decode-v2.ts';
import { emitV2, UNFAITHFUL } from './emit-v2.ts';
import { emitV3 } from './emit-v3.ts';
import { DEFAULT_YAML_LIMITS } from './limits.ts';
import { Composer, type YamlNode } from './node.ts';
import { valueNode } from './value-node.ts';
import { emittable } from './plain.ts';
import { yamlSource } from './source.ts';
import type { YamlValue } from './value.ts';

/**
 * The text sigs.k8s.io/yaml Marshal writes (Helm's toYaml with its last newline, kubectl -o yaml). It goes through JSON there, so whole
 * floats below 2^64 come out as integers and bytes outside UTF-8 as U+FFFD. Throws Go's error for NaN, infinity and characters that
 * YAML refuses.
 */
export function writeYaml(value: YamlValue): string {
  try {
    return emitV2(value, 'json');
  } catch (error) {
    if (error !== UNFAITHFUL) throw error;
  }
  return writeYamlFromJson(encodeJson(value));
}

/** The text sigs.k8s.io/yaml JSONToYAML makes of a JSON text (the last step of kustomize build): numbers keep what their digits say. */
export function writeYamlFromJson(json: string): string {
  const limits = DEFAULT_YAML_LIMITS;
  const document = new Composer(yamlSource(json, limits), false, limits).document();
  return emitV2(document === undefined ? null : emittable(decodeV2(document, false, limits)), 'go');
}

export type WriteYamlV3Options = {
  /** Spaces per level, 2 to 9. Default 2. */
  indent?: number;
  /** Sequences flush with their key (kyaml) instead of indented (Helm's toYamlPretty). Default false. */
  compactSequences?: boolean;
};

/**
 * The text yaml.v3 writes for a value: kyaml's Marshal with `compactSequences`, Helm's toYamlPretty without. There is no JSON in
 * between: a number is a float64 (a million is `1e+06`), a bigint an integer, bytes outside UTF-8 are `!!binary`.
 */
export function writeYamlV3(value: YamlValue, options: WriteYamlV3Options = {}): string {
  return writeNodeV3(valueNode(value), options);
}

/** The text yaml.v3 writes for a node, where a {@link YamlValue} cannot say all: structs and times. */
export function writeNodeV3(node: YamlNode, options: WriteYamlV3Options = {}): string {
  return emitV3(node, { indent: options.indent ?? 2, compactSequences: options.compactSequences ?? false });
}
