import { dump } from 'js-yaml';
import type { YamlValue } from './value.ts';

export { readYaml, readYamlDocuments, type ReadYamlOptions, type YamlDialect } from './read.ts';
export { writeYaml, writeYamlFromJson } from './write.ts';
export type { YamlLimits } from './limits.ts';
export { isYamlObject } from './value.ts';

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

