import type { Reason } from '../../api/index.ts';
import { CodedError, errorMessage, isCodedError } from '../../std/index.ts';

/** Why an OCIRepository could not be fetched or stored; the code is the reason its condition carries. */
export type SourceReason = Extract<
  Reason,
  | 'URLInvalid'
  | 'AuthenticationFailed'
  | 'ReadOperationFailed'
  | 'OCIArtifactPullFailed'
  | 'OCIArtifactLayerOperationFailed'
  | 'VerificationError'
  | 'FeatureGateDisabled'
  | 'ArchiveOperationFailed'
  | 'DirectoryCreationFailed'
  | 'SourceIgnoreError'
  | 'PatchOperationFailed'
>;

/** A step of the reconcile that failed, with what it was doing. */
export class SourceFailure extends CodedError<SourceReason> {
  /** True when only a change of the spec can help: nothing is tried again (OB26). */
  readonly stalls: boolean;

  constructor(reason: SourceReason, doing: string, cause?: unknown, stalls = false) {
    const remedy = isCodedError(cause) ? cause.remedy : undefined;
    super({
      code: reason,
      message: cause === undefined ? doing : `${doing}: ${errorMessage(cause)}`,
      cause,
      retryable: !stalls,
      ...(remedy === undefined ? {} : { remedy }),
    });
    this.stalls = stalls;
  }
}

/** An artifact that was refused. */
export class Refusal extends SourceFailure {
  /** What was done about it, to be told once: later attempts fail with the same message. */
  readonly done: string | undefined;

  constructor(message: string, done: string | undefined) {
    super('VerificationError', message);
    this.done = done;
  }
}

/**
 * Runs a step; what it throws becomes a {@link SourceFailure} with this reason, unless it is one already.
 * @param limit the time the step had, to be named when it ran out
 */
export async function step<T>(reason: SourceReason, doing: string, run: () => Promise<T> | T, limit?: TimeLimit): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof SourceFailure) throw error;
    throw new SourceFailure(reason, limit?.signal.aborted === true ? `${doing} within spec.timeout ${limit.text}` : doing, error);
  }
}

/** A time limit from the spec: its signal, and its text. */
export type TimeLimit = { signal: AbortSignal; text: string };
