/** What went wrong, to which thing, in one line, with a stable code a program can switch on. */
export type ErrorDetails<Code extends string> = {
  /** Stable, PascalCase or SCREAMING_CASE name of the failure. A room exports its codes as a closed union. */
  code: Code;
  /** `do what to which thing: cause`: lower case, no final period, values quoted, have and want. Never contains a secret. */
  message: string;
  /** The thing that failed: an object, a file, a reference. */
  subject?: string;
  cause?: unknown;
  /** What the user can do about it. */
  remedy?: string;
  /** False when trying again with the same inputs cannot help. Default true. */
  retryable?: boolean;
};

/** A failed operation. Every error a room throws on purpose is one; anything else is a bug. */
export class CodedError<Code extends string = string> extends Error {
  override readonly name: string = 'CodedError';
  readonly code: Code;
  readonly subject: string | undefined;
  readonly remedy: string | undefined;
  readonly retryable: boolean;

  constructor(details: ErrorDetails<Code>) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = details.code;
    this.subject = details.subject;
    this.remedy = details.remedy;
    this.retryable = details.retryable ?? true;
  }
}

/** True when `error` is a {@link CodedError}, optionally with one of `codes`. */
export function isCodedError(error: unknown, ...codes: readonly string[]): error is CodedError {
  return error instanceof CodedError && (codes.length === 0 || codes.includes(error.code));
}

/** The one-line text of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
