/* The one place that knows where the parser of YAML comes from. */
export {
  EVENT_ALIAS,
  EVENT_DOCUMENT_START,
  EVENT_MAPPING_END,
  EVENT_MAPPING_START,
  EVENT_SCALAR,
  EVENT_SEQUENCE_END,
  EVENT_SEQUENCE_START,
  EVENT_STREAM_END,
  Parser,
} from '../golang/yaml/parser.ts';
export { DEFAULT_YAML_LIMITS } from '../golang/yaml/limits.ts';
export { mayResolve, resolve, shortTag } from '../golang/yaml/resolve.ts';
export { yamlSource } from '../golang/yaml/source.ts';
export { YamlTime } from '../golang/yaml/timestamp.ts';
export { PLAIN } from '../golang/yaml/token.ts';
