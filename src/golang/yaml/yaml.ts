export { readYaml, readYamlDocuments, type ReadYamlOptions, type YamlDialect } from './read.ts';
export { writeYaml, writeYamlFromJson, writeYamlV3, type WriteYamlV3Options } from './write.ts';
export type { YamlLimits } from './limits.ts';
export { isYamlObject, type YamlObject, type YamlValue } from './value.ts';
