import { ApplyError } from '../../apply/index.ts';
import { isKubeError } from '../../kube/index.ts';
import { isCodedError } from '../../std/index.ts';

/**
 * True when the cause is one that passes by itself: no connection, an overloaded server, an artifact that cannot be fetched, a webhook, a kind, namespace or right that is not there
 * yet. Such a failure is tried again soon, not at the retry interval.
 */
export function isPassing(error: unknown): boolean {
  if (error instanceof ApplyError && error.failures.length > 0) return error.failures.every(({ cause }) => isPassing(cause));
  if (isKubeError(error)) {
    return isKubeError(
      error,
      'ConnectionFailed',
      'Timeout',
      'Unavailable',
      'TooManyRequests',
      'InternalError',
      'NoMatch',
      'NotFound',
      'Conflict',
      'Forbidden',
      'ResponseInvalid',
    );
  }
  if (isCodedError(error, 'ArtifactUnreachable')) return true;
  return error instanceof Error && error.cause !== undefined && isPassing(error.cause);
}
