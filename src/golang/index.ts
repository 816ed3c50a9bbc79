export {
  isYamlObject,
  readYaml,
  readYamlDocuments,
  writeYaml,
  writeYamlFromJson,
  writeYamlV3,
  type ReadYamlOptions,
  type WriteYamlV3Options,
  type YamlDialect,
  type YamlLimits,
} from './yaml/yaml.ts';
export type { YamlObject, YamlValue } from './yaml/value.ts';
export { decodeJson, encodeJson, type EncodeJsonOptions } from './json.ts';
