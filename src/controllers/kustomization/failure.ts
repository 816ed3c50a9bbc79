import type { Reason } from '../../api/index.ts';
import { CodedError, errorMessage, isCodedError } from '../../std/index.ts';

/** Why a Kustomization could not be reconciled; the code is the reason its Ready condition carries. */
export type KustomizationReason = Extract<
  Reason,
  | 'ArtifactFailed'
  | 'BuildFailed'
  | 'ReconciliationFailed'
  | 'PruneFailed'
  | 'HealthCheckFailed'
  | 'InvalidCELExpression'
  | 'FeatureGateDisabled'
  | 'AccessDenied'
>;

/** How a failed reconcile goes on. */
export type Follow =
  /** At the retry interval (KB10), or sooner when the cause {@link isPassing}. */
  | 'retry'
  /** After --requeue-dependency: what is missing is being made. */
  | 'dependency'
  /** Not before the spec changes (KB02). */
  | 'stall';

/** A step of the reconcile that failed. */
export class KustomizationFailure extends CodedError<KustomizationReason> {
  readonly follow: Follow;
  /** False for what is expected to pass and would only be noise as an event (KB03). */
  readonly tell: boolean;

  constructor(reason: KustomizationReason, message: string, options: { cause?: unknown; follow?: Follow; tell?: boolean } = {}) {
    const { cause, follow = 'retry', tell = true } = options;
    const remedy = isCodedError(cause) ? cause.remedy : undefined;
    super({ code: reason, message, cause, retryable: follow !== 'stall', ...(remedy === undefined ? {} : { remedy }) });
    this.follow = follow;
    this.tell = tell;
  }
}

/** Runs a step; what it throws becomes a {@link KustomizationFailure} with this reason, unless it is one already. */
export async function step<T>(reason: KustomizationReason, run: () => Promise<T> | T): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof KustomizationFailure) throw error;
    throw new KustomizationFailure(reason, errorMessage(error), { cause: error });
  }
}
