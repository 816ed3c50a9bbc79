import { causeText } from '../../../apply/index.ts';
import { CodedError, errorMessage, isCodedError, type ErrorDetails } from '../../../std/index.ts';

/** Every way a release action fails. Texts are Helm's own wherever Helm has one. */
export type ActionErrorCode =
  /** The revision is stored already: someone else writes this release. */
  | 'ReleaseExists'
  /** Reading or writing release records failed. */
  | 'ReleaseStorageFailed'
  /** Install of a name that has a release. */
  | 'ReleaseNameInUse'
  /** The last revision is pending: another writer is at work, or died (HB31). */
  | 'ReleasePending'
  | 'NoDeployedReleases'
  | 'RevisionMissing'
  /** The manifest names a kind nobody serves, or is no manifest. */
  | 'ManifestUnbuildable'
  /** An object is there that belongs to somebody else, and taking over is off. */
  | 'OwnershipConflict'
  | 'NamespaceFailed'
  | 'CrdsFailed'
  | 'HookFailed'
  /** Objects could not be written or deleted. */
  | 'ObjectsFailed'
  /** Objects did not become ready, or have failed. */
  | 'NotReady'
  | 'NotGone'
  | 'UninstallFailed'
  | 'DriftFailed'
  /** Ended from outside. */
  | 'Canceled';

const NAME = 'ReleaseActionError';

class ActionError extends CodedError<ActionErrorCode> {
  override readonly name: string = NAME;
}

export function actionError(
  code: ActionErrorCode,
  message: string,
  details: Omit<ErrorDetails<ActionErrorCode>, 'code' | 'message'> = {},
): CodedError<ActionErrorCode> {
  return new ActionError({ code, message, ...details });
}

/** True for an error of a release action, optionally with one of `codes`. */
export function isActionError(error: unknown, ...codes: readonly ActionErrorCode[]): error is CodedError<ActionErrorCode> {
  return error instanceof ActionError && (codes.length === 0 || codes.includes(error.code));
}

/** An error with words before it, of the same retryability. An end from outside stays one. */
export function wrapped(code: ActionErrorCode, prefix: string, cause: unknown): CodedError<ActionErrorCode> {
  if (isActionError(cause, 'Canceled')) return cause;
  const retryable = !isCodedError(cause) || cause.retryable;
  const subject = isCodedError(cause) ? cause.subject : undefined;
  const remedy = isCodedError(cause) ? cause.remedy : undefined;
  return actionError(code, `${prefix}${textOf(cause)}`, {
    cause,
    retryable,
    ...(subject === undefined ? {} : { subject }),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/** The server's own words when it answered, else the message. */
export function textOf(error: unknown): string {
  return isActionError(error) ? errorMessage(error) : causeText(error);
}
