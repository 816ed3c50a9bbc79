import type { YamlValue } from './yaml/value.ts';

export type EncodeJsonOptions = {
  /** Escape `<`, `>` and `&` as Go's Marshal does. Default true. */
  escapeHtml?: boolean;
  /** Text of one level (MarshalIndent). Default none: one line. */
  indent?: string;
  /** Text before every line but the first (MarshalIndent's prefix). */
  prefix?: string;
};

/** The text Go's encoding/json writes for a value: keys sorted by bytes, floats in its 'f'/'e' rule. */
export function encodeJson(value: YamlValue, options: EncodeJsonOptions = {}): string {
  return JSON.stringify(value, null, options.indent);
}

/** Reads a JSON text as Go's json.Unmarshal into `interface{}` does; error texts are Go's. */
export function decodeJson(text: string): YamlValue {
  return JSON.parse(text) as YamlValue;
}
