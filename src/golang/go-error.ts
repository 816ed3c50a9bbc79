import { CodedError } from '../std/index.ts';

/** Why an operation of this room failed. */
export type GolangErrorCode =
  /** A Go library would have returned this error (or panicked with it); the message is its text, byte for byte. */
  | 'GoError'
  /** The work asked for is larger than a named budget allows. */
  | 'BudgetExceeded';

/**
 * An error a Go function returns or panics with: the message is Go's own text, so callers can put their prefix before it exactly as
 * text/template, Helm or kustomize do. Not retryable: the same input gives the same error.
 */
export class GoError extends CodedError<GolangErrorCode> {
  override readonly name = 'GoError';

  constructor(message: string, cause?: unknown) {
    super({ code: 'GoError', message, retryable: false, ...(cause === undefined ? {} : { cause }) });
  }
}

/** A budget was crossed: `what` names it, `limit` is its value. Never turned into text inside a template: it ends the render. */
export function budgetExceeded(what: string, limit: number): CodedError<GolangErrorCode> {
  return new CodedError<GolangErrorCode>({
    code: 'BudgetExceeded',
    message: `run the template within its budget: ${what} exceeds ${limit}`,
    subject: what,
    remedy: 'make the template produce less, or split the chart',
    retryable: false,
  });
}
