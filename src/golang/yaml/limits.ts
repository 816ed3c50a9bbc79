import { yamlLimitExceeded } from './error.ts';

/** How much a reader takes before it refuses with `YamlLimitExceeded`. */
export type YamlLimits = {
  /** UTF-16 code units of one text. */
  maxLength: number;
  /** Collections inside collections. go-yaml's own limit, an error of its own text, is 10000. */
  maxDepth: number;
  /** Documents of one stream. */
  maxDocuments: number;
  /** Values made, an alias counted each time it is used. go-yaml's own rule ("excessive aliasing") applies before. */
  maxValues: number;
};

/** The limits of a reader that was given none. */
export const DEFAULT_YAML_LIMITS: YamlLimits = {
  maxLength: 100 * 1024 * 1024,
  maxDepth: 1000,
  maxDocuments: 100_000,
  maxValues: 20_000_000,
};

/** The defaults with the caller's own limits over them. */
export function withDefaultLimits(limits: Partial<YamlLimits> | undefined): YamlLimits {
  return limits === undefined ? DEFAULT_YAML_LIMITS : { ...DEFAULT_YAML_LIMITS, ...limits };
}

/** Throws when a text is longer than its limit. */
export function checkLength(length: number, limits: YamlLimits): void {
  if (length > limits.maxLength) throw yamlLimitExceeded('length of the text', limits.maxLength);
}
