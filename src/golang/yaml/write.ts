import { encodeJson } from '../json.ts';
import { decodeV2 } from './decode-v2.ts';
import { emitV2, UNFAITHFUL } from './emit-v2.ts';
import { DEFAULT_YAML_LIMITS } from './limits.ts';
import { Composer } from './node.ts';
import { unquotedValue } from './plain.ts';
import { yamlSource } from './source.ts';
import type { YamlValue } from './value.ts';

/** A JSON key longer than this (with every character escaped) may be no simple key when the JSON is read as YAML. */
const LONG_KEY = 165;

/**
 * The text sigs.k8s.io/yaml Marshal writes (Helm's toYaml with its last newline, kubectl -o yaml). It goes through JSON there, so whole
 * floats below 2^64 come out as integers and bytes outside UTF-8 as U+FFFD. Throws Go's error for NaN, infinity and characters that
 * YAML refuses.
 */
export function writeYaml(value: YamlValue): string {
  try {
    if (!hasLongKey(value)) return emitV2(value, 'json');
  } catch (error) {
    if (error !== UNFAITHFUL) throw error;
  }
  return writeYamlFromJson(encodeJson(value));
}

/** The text sigs.k8s.io/yaml JSONToYAML makes of a JSON text (the last step of kustomize build): numbers keep what their digits say. */
export function writeYamlFromJson(json: string): string {
  const limits = DEFAULT_YAML_LIMITS;
  const document = new Composer(yamlSource(json, limits), false, limits).document();
  return emitV2(document === undefined ? null : unquotedValue(decodeV2(document, false, limits)), 'go');
}

function hasLongKey(value: YamlValue): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasLongKey);
  for (const key in value) if (key.length > LONG_KEY || hasLongKey(value[key]!)) return true;
  return false;
}
