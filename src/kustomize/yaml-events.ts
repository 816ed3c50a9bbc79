/* The parts of the YAML parser that reading resources needs, under the names this room uses. */
export {
  DEFAULT_YAML_LIMITS,
  EVENT_ALIAS,
  EVENT_MAPPING_END,
  EVENT_MAPPING_START,
  EVENT_SCALAR,
  EVENT_SEQUENCE_END,
  EVENT_SEQUENCE_START,
  EVENT_STREAM_END,
  mayResolve,
  PLAIN_STYLE as PLAIN,
  resolveScalar as resolve,
  shortTag,
  YamlParser as Parser,
  yamlSource,
  YamlTime,
} from '../golang/index.ts';
