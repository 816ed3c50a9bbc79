import { CodedError } from '../std/index.ts';

/** Every way a substitution can fail. */
export type SubstitutionErrorCode =
  /** A variable's name is none (KB41). */
  | 'VariableNameInvalid'
  /** Strict mode: an expression without a default names a variable nobody set (KB48). */
  | 'VariableNotSet'
  /** Text after `${` that is no expression (KB44). */
  | 'ExpressionInvalid'
  /** The text is no YAML mapping any more once the values are in. */
  | 'ResultInvalid'
  /** A named bound was crossed. */
  | 'LimitExceeded';

/** A failed substitution. */
export class SubstitutionError extends CodedError<SubstitutionErrorCode> {
  override readonly name = 'SubstitutionError';
}
