import type { Reason } from '../../api/index.ts';
import { CodedError, errorMessage, isCodedError } from '../../std/index.ts';

/** Why a HelmRelease could not be reconciled before any action; the code is the reason its Ready condition carries. */
export type HelmReleaseReason = Extract<
  Reason,
  | 'SourceNotReady'
  | 'DependencyNotReady'
  | 'ArtifactFailed'
  | 'ValuesError'
  | 'ChartMutateError'
  | 'RESTClientError'
  | 'FactoryError'
  | 'StateError'
  | 'ReconcileError'
  | 'UninstallFailed'
  | 'InvalidCELExpression'
  | 'FeatureGateDisabled'
  | 'AccessDenied'
  | 'UnsupportedChartSource'
>;

/** How a failed reconcile goes on. */
export type Follow =
  /** Soon, then later each time. */
  | 'retry'
  /** After --requeue-dependency: what is missing is being made. */
  | 'dependency'
  /** Not before the spec changes. */
  | 'stall';

/** A step of the reconcile that failed before an action of the release. */
export class HelmReleaseFailure extends CodedError<HelmReleaseReason> {
  readonly follow: Follow;
  /** False for what is told by its condition alone. */
  readonly tell: boolean;

  constructor(
    reason: HelmReleaseReason,
    message: string,
    options: { cause?: unknown; follow?: Follow; tell?: boolean; remedy?: string } = {},
  ) {
    const { cause, follow = 'retry', tell = true } = options;
    const remedy = options.remedy ?? (isCodedError(cause) ? cause.remedy : undefined);
    super({ code: reason, message, cause, retryable: follow !== 'stall', ...(remedy === undefined ? {} : { remedy }) });
    this.follow = follow;
    this.tell = tell;
  }
}

/** Runs a step; what it throws becomes a {@link HelmReleaseFailure} with this reason, unless it is one already. */
export async function step<T>(
  reason: HelmReleaseReason,
  run: () => Promise<T> | T,
  options: { tell?: boolean; prefix?: string } = {},
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof HelmReleaseFailure) throw error;
    const { prefix = '', ...rest } = options;
    throw new HelmReleaseFailure(reason, `${prefix}${errorMessage(error)}`, { cause: error, ...rest });
  }
}
