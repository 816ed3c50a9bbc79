export { readYaml, readYamlDocuments, type ReadYamlOptions, type YamlDialect } from './read.ts';
export { writeNodeV3, writeYaml, writeYamlFromJson, writeYamlV3, type WriteYamlV3Options } from './write.ts';
export { newNode, type YamlNode, type YamlNodeKind } from './node.ts';
export { nodeField, nodeValue, readResourceNodes, writeNode } from './resources.ts';
export { valueNode } from './value-node.ts';
export { YamlError, type YamlLimitCode } from './error.ts';
export { DEFAULT_YAML_LIMITS, type YamlLimits } from './limits.ts';
export { isYamlObject, setEntry, type YamlObject, type YamlValue } from './value.ts';
