import { CodedError } from '../../std/index.ts';
import { GoError } from '../go-error.ts';

/** An error go-yaml returns; the message is its text, byte for byte. */
export class YamlError extends GoError {
  override readonly name = 'GoError';
  /** Line the text names, counted from 1; undefined where it names none. */
  readonly line: number | undefined;

  constructor(message: string, line?: number) {
    super(message);
    this.line = line;
  }
}

/** Why Sluice itself refused a text that Go would have gone on with. */
export type YamlLimitCode = 'YamlLimitExceeded';

/** A text crossed one of {@link YamlLimits}. */
export function yamlLimitExceeded(what: string, limit: number): CodedError<YamlLimitCode> {
  return new CodedError<YamlLimitCode>({
    code: 'YamlLimitExceeded',
    message: `read YAML: ${what} exceeds ${limit}`,
    subject: what,
    remedy: 'split the document, or raise the limit',
    retryable: false,
  });
}
